/*
 * records/api.h - what the doing part needs of the world, as a table of calls.
 *
 * The program binds it to lib/aws (records/api_aws.h), tests to a model of Route 53 that loses answers,
 * throttles and lets other actors in between.
 *
 * Errors are those of aws/route53.h; of a change also -EEXIST (InvalidChangeBatch: it does not fit what is there,
 * or would not be allowed) and FAIL_BUSY (PriorRequestNotComplete: the zone still takes in another change).
 */
#pragma once

#include "aws/ec2.h"
#include "aws/route53.h"
#include "records/set.h"

struct record_change {
	bool create; /* CREATE, else DELETE; never UPSERT */
	struct record_set set;
};

#define RECORDS_CHANGE_ID_MAX 64

struct records_api {
	void *ctx;
	/* One look: is the zone private? */
	int (*zone)(void *ctx, const char *zone, bool *ret_private);
	/* name NULL: all sets of the zone; else one page of those at and behind the name. */
	int (*list)(void *ctx, const char *zone, const char *name, aws_record_set_fn *fn,
	            void *fn_ctx);
	/* One change batch. ret_change: RECORDS_CHANGE_ID_MAX. */
	int (*change)(void *ctx, const char *zone, const struct record_change *changes,
	              size_t count, char *ret_change);
	int (*insync)(void *ctx, const char *change, bool *ret_insync);
	/* All instances of this account and Region, those that services manage included. */
	int (*instances)(void *ctx, aws_ec2_instance_fn *fn, void *fn_ctx);
	/* Whose credentials these are: 12 digits. buf: 13. */
	int (*account)(void *ctx, char *buf);
	/* The last failure, in one line. */
	const char *(*trouble)(void *ctx);

	int64_t (*wall_s)(void *ctx);   /* since 1970 */
	uint64_t (*mono_ms)(void *ctx); /* steady */
	void (*pause)(void *ctx, uint64_t ms);
	uint32_t (*below)(void *ctx, uint32_t bound); /* a fair draw */
};
