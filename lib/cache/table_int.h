/*
 * cache/table_int.h - the buckets of a shard: more and fewer of them. For the holder of the shard's lock.
 */
#pragma once

#include "cache/shard_int.h"

void cache__table_init(struct cache_shard *shard);
/* All entries and segments freed. */
void cache__table_fini(struct cache_shard *shard);

/* One bucket more. Without memory (or at the bound) the table stays, and chains get longer. */
void cache__table_grow(struct cache_shard *shard);
/* Down to this many buckets. Segments out of use stay until cache__table_trim: readers may be in them. */
void cache__table_fold(struct cache_shard *shard, uint32_t buckets);
/* Frees segments out of use. A grace period must have passed since they were folded. */
void cache__table_trim(struct cache_shard *shard);

/* Takes bytes from the account; false when they are not there. */
static inline bool cache__account_take(struct cache_account *account, size_t bytes)
{
	size_t total = __atomic_add_fetch(&account->total, bytes, __ATOMIC_RELAXED);
	if (total <= __atomic_load_n(&account->size_max, __ATOMIC_RELAXED)) {
		return true;
	}
	__atomic_fetch_sub(&account->total, bytes, __ATOMIC_RELAXED);
	return false;
}

static inline void cache__account_give(struct cache_account *account, size_t bytes)
{
	__atomic_fetch_sub(&account->total, bytes, __ATOMIC_RELAXED);
}
