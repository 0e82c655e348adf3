/*
 * aws/fleet.h - asks another horizond's peer/peer.h for zones' copies, over TLS with certificates on both sides.
 *
 * Loop:    none; every call blocks its thread until the answer, the time limit, or *cancel.
 * Memory:  the list is bounded at 4 MiB, a copy at 1 GiB (on disk).
 * Errors:  FAIL_NET (no connection, or a certificate that is not taken), FAIL_TIMEOUT, FAIL_FORMAT, FAIL_LIMIT,
 *          FAIL_NOTFOUND (no such copy), FAIL_REMOTE, FAIL_SHUTDOWN, FAIL_NOMEM, -errno of the file.
 */
#pragma once

#include "base/addr.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLEET_PEERS_MAX 8

struct fleet_opts {
	const struct addr *peers;
	size_t peer_count;
	const char *name;        /* that their certificates bear */
	const char *certificate; /* files, PEM */
	const char *key;
	const char *ca;
	const bool *cancel; /* as aws_opts has them */
	void (*idle)(void *ctx);
	void *idle_ctx;
};

struct fleet;

/* All texts are copied. NULL: no memory. */
struct fleet *fleet_new(const struct fleet_opts *opts);
void fleet_free(struct fleet **fleet);

/* The last failure in one line. */
const char *fleet_trouble(const struct fleet *fleet);

/* A zone that the peer has. Borrowed. */
struct fleet_zone {
	char id[33];
	uint64_t fingerprint;
	int64_t looked_s; /* when it was listed, by the peer's clock, */
	int64_t known_s;  /* and until when the peer knows it to be so */
};
typedef void fleet_zone_fn(void *ctx, const struct fleet_zone *zone);

/* Zones of the peer of this number: fn hears each once all of the list has come. */
int fleet_index(struct fleet *fleet, size_t peer, fleet_zone_fn *fn, void *ctx);

/* The zone's copy into a file at path, made or written over. */
int fleet_fetch(struct fleet *fleet, size_t peer, const char *id, const char *path);
