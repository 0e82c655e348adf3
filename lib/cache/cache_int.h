/*
 * cache/cache_int.h - the whole cache: its shards, and which of them has a name.
 */
#pragma once

#include "cache/shard_int.h"

/*
 * As many shards for every size, since the size may change while readers are inside: enough that
 * two workers' stores seldom meet (a store holds its shard for under a microsecond), few enough
 * for the smallest cache.
 */
#define SHARD_BITS 4
#define SHARDS     (1u << SHARD_BITS)

struct cache {
	struct cache_account account;
	uint32_t stale_s; /* any reader; written by cache_resize */
	struct cache_shard shards[SHARDS];
};

static inline uint32_t cache__stale_of(const struct cache *cache)
{
	return __atomic_load_n(&cache->stale_s, __ATOMIC_RELAXED);
}

/* The kin of a name share these bits. */
static inline struct cache_shard *cache__shard_of(struct cache *cache, uint32_t hash)
{
	return &cache->shards[hash >> (32 - SHARD_BITS)];
}
