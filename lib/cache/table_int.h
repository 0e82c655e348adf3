/*
 * cache/table_int.h - the buckets of a shard: more and fewer of them. For the holder of the
 * shard's lock.
 */
#pragma once

#include "cache/shard_int.h"

void cache__table_init(struct cache_shard *shard);
/* Frees all segments. */
void cache__table_fini(struct cache_shard *shard);

/* One bucket more. False: no memory for it, or no room under the limit; chains get longer then. */
bool cache__table_grow(struct cache_shard *shard);
#define TABLE_STEP SHARD_FIRST
/* Asks for the memory of the entries that growing TABLE_STEP times will look at. */
void cache__table_fetch(struct cache_shard *shard);
/* Bytes of the segment that the next bucket begins. */
size_t cache__table_next_bytes(const struct cache_shard *shard);
/*
 * Down to this many buckets. Segments out of use stay until cache__table_trim: readers may be in
 * them.
 */
void cache__table_fold(struct cache_shard *shard, uint32_t buckets);
/* Frees segments out of use. A grace period must have passed since they were folded. */
void cache__table_trim(struct cache_shard *shard);
