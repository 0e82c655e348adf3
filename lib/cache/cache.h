/*
 * cache/cache.h - answers of others with their remaining life, for all workers, bounded in bytes.
 *
 * An entry is a scrubbed body (dns/scrub.h) for (origin, name, type, DO, CD). Readers take no
 * lock and write nothing shared but an in-use mark that is not set yet; writers lock one shard
 * for a moment.
 *
 * Loop:   any worker; a reader stands inside an epoch section (base/epoch.h). Stores and flushes
 *         may be called inside a section or outside; cache_resize and cache_free wait for
 *         readers, so they must not be, and belong to one thread.
 * Memory: size_max is a hard bound: entries, their overhead, tables, and what waits for its
 *         readers. Blocks are mapped whole, so the system sees no more than is counted. The least
 *         used go first, and not those of an origin that has less than an eighth. An insert's work is bounded: by the octets it needs, plus four blocks
 *         (64 KB).
 * Time:   monotonic seconds for lives, handed in by the caller.
 * RFC:    2181, 2308, 8767 (stale), 9520 (failures are cached too).
 */
#pragma once

#include "dns/scrub.h"
#include "metric/metric.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cache;

struct cache_opts {
	size_t size_max;  /* bytes; under 1 MiB counts as 1 MiB */
	uint32_t stale_s; /* keep expired entries that long */
};

struct cache *cache_new(const struct cache_opts *opts); /* NULL: no memory */
void cache_free(struct cache **cache);
/* New limits for the running cache; what no longer fits goes. */
void cache_resize(struct cache *cache, const struct cache_opts *opts);

#define CACHE_DO 1 /* asked with DO */
#define CACHE_CD 2 /* asked with CD */

/* What is asked for: name by key (and its hash). flags: CACHE_*. */
struct cache_key {
	const struct dns_key *name;
	uint32_t origin; /* who spoke: route/rules.h */
	uint16_t type;
	uint8_t flags;
};

/* A borrowed look at an entry: until the epoch section ends. */
struct cache_hit {
	enum dns_outcome outcome;
	uint16_t rcode;
	uint16_t size;
	uint16_t count[2];
	uint16_t ttl_count;
	uint8_t chain;
	bool authentic;
	bool stale;      /* its life is over */
	bool refresh;    /* near its end and in use: ask again (one caller is told) */
	bool failed;     /* stale, and asked for in vain a moment ago: not worth asking for yet */
	uint32_t age_s;  /* since it was stored: to be taken off each TTL */
	uint32_t left_s; /* of its life; 0 when stale */
	const uint8_t *wire; /* the body: stands behind header and question */
	const uint16_t *ttl_at;
	const uint8_t *next; /* CHAIN: wire name to go on at */
	int ede; /* LAME: asked for in vain (RFC 9520), left_s seconds more; else DNS_EDE_NONE */
};

/*
 * False when nothing (alive, or stale within stale_s, or failed a moment ago) is there. An answer that may still be
 * given goes before a failure.
 */
bool cache_find(struct cache *cache, const struct cache_key *key, uint64_t now_s,
                struct cache_hit *ret_hit);

/*
 * Asks for the memory that a cache_find or cache_store of key will read first; then, once that has had time to
 * come, for what it leads to.
 */
void cache_fetch(struct cache *cache, const struct cache_key *key);
void cache_fetch_found(struct cache *cache, const struct cache_key *key);

/*
 * Copies hit's body to out (room for hit->size) with each TTL lowered by the age; a stale one's
 * TTLs are set to stale_ttl_s.
 */
void cache_copy(const struct cache_hit *hit, uint8_t *out, uint32_t stale_ttl_s);

/*
 * Keeps a copy of body (ttl_s 0: not kept; never of outcome LAME: see cache_fail). Replaces an entry of
 * the same key, and its failure. Never fails loudly: without room it is left out, and so is an
 * answer larger than 1/140 of size_max (with 10 MB and more: none).
 */
void cache_store(struct cache *cache, const struct cache_key *key, const struct dns_body *body,
                 uint64_t now_s);

/*
 * It was asked for in vain: not worth asking again for a while, CACHE_FAILURE_LEAST_S seconds at first and twice as
 * long after each further failure, most_s at most (a clock of whole seconds may take one off). Kept in a table of
 * its own, of fixed size: takes no room from answers, and no answer's place.
 */
#define CACHE_FAILURE_LEAST_S 2
void cache_fail(struct cache *cache, const struct cache_key *key, int ede, uint32_t most_s,
                uint64_t now_s);

/*
 * Forgets: entries of exactly this name (looks at a few buckets only: cheap enough for every name
 * that a sync changes), or of all names at and below it (walks the cache). Returns how many. Failures near them (or
 * all) are forgotten with them.
 */
size_t cache_flush(struct cache *cache, const uint8_t *name, bool below);

struct cache_stats {
	size_t bytes;
	size_t entries;
	uint64_t stored;
	uint64_t evicted;
};
void cache_get_stats(struct cache *cache, struct cache_stats *ret_stats);
void cache_metrics(void *cache, struct text *out);
