/*
 * zone/copy_int.h - a zone's file: this head, then the zone's block. Numbers in this machine's order, which `order` tells.
 */
#pragma once

#include "zone/copy.h"

#define COPY__MAGIC   "HZzone\n"
#define COPY__VERSION 1
#define COPY__ORDER   0x01020304u

enum copy_flag {
	COPY__BY_VPC = 1,
	COPY__BY_TAG = 2,
	COPY__ASSOCIATED = 4,
};

struct copy_head {
	char magic[8];
	uint32_t version;
	uint32_t order;
	uint64_t size; /* of the block */
	uint64_t sum;  /* of the block, */
	uint64_t
		head_sum; /* and of all that follows in the head, with what stands above but for itself */
	int64_t looked_s;
	int64_t changed_s;
	uint32_t flags;
	uint32_t known;
	char id[40];
	char vpc[64];
	char account[16];
};

/* What head_sum must be. */
uint64_t copy__head_sum(const struct copy_head *head);

/* 0, FAIL_FORMAT or FAIL_CHANGED with *ret_why. size: of the whole file. */
int copy__head_check(const struct copy_head *head, const char *id, uint64_t size,
                     const char **ret_why);

/* A zone of the block, which becomes its own on success. 0, FAIL_NOMEM, or FAIL_FORMAT with *ret_why. */
int copy__block_take(const struct copy_head *head, void *block, struct zone **ret_zone,
                     const char **ret_why);
