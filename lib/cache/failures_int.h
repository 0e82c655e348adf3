/*
 * cache/failures_int.h - what was asked for in vain a moment ago, and when it is worth asking again.
 *
 * Each failure of one question after another doubles the pause, up to a bound of the caller's; a good
 * answer ends the row. A fixed table, apart from the log: a flood of names that fail takes nothing
 * from names that do not. Of a full set the pause that ends first goes.
 *
 * Loop:   any reader; writers hold the shard's lock, and so does a reader once a slot may be his.
 * Memory: 4 KB a shard.
 * Time:   monotonic seconds, the low 32 bits.
 * RFC:    9520 (section 3.2), 8767 (section 5, failure recheck timer).
 */
#pragma once

#include "cache/cache.h"

#define FAILURE_SETS 64u
#define FAILURE_WAYS 4u

struct failure {
	uint64_t key; /* a keyed hash of all that was asked; 0: free */
	uint32_t until_s;
	uint16_t pause_s; /* the last one */
	int16_t ede;
};

struct failures {
	unsigned int used; /* slots */
	struct failure slots[FAILURE_SETS][FAILURE_WAYS];
};

uint64_t cache__failure_key(const struct cache_key *key);

/* One more. The first of a row pauses CACHE_FAILURE_LEAST_S; a pause still under way stays. */
void cache__failures_add(struct failures *failures, uint64_t key, int ede, uint32_t most_s,
                         uint32_t now_s);
/* It has been answered. */
void cache__failures_end(struct failures *failures, uint64_t key);
void cache__failures_clear(struct failures *failures);

/* Without the lock. Most often there is none, and none needs to be looked for. */
static inline bool cache__failures_any(const struct failures *failures)
{
	return __atomic_load_n(&failures->used, __ATOMIC_RELAXED) != 0;
}
/* Without the lock: false when it is certainly not there. */
bool cache__failures_may(const struct failures *failures, uint64_t key);
/* A copy of it while its pause lasts. */
bool cache__failures_find(const struct failures *failures, uint64_t key, uint32_t now_s,
                          struct failure *ret);
