/*
 * cache/log_int.h - the blocks of a shard, from the oldest to the youngest. For the holder of its
 * lock.
 */
#pragma once

#include "cache/shard_int.h"

/*
 * A block with room for size octets, in which the caller takes them. Makes room, so entries may
 * have gone or moved when it returns. NULL: too large, or no memory. Its work is bounded by what
 * it frees: of blocks that are looked through, all but four give back three quarters.
 */
struct cache_block *cache__log_room(struct cache_shard *shard, size_t size);

/*
 * Frees so much that bytes more may be taken under the shard's limit. False: nothing is left to
 * free, or too much of what was freed still waits for its readers.
 */
bool cache__log_make_room(struct cache_shard *shard, size_t bytes);

/* The oldest block goes; at most a quarter of a new one is spared of it. False: there is none. */
bool cache__log_shorten(struct cache_shard *shard);

/* All blocks go; no entry may be in the table. cache__log_fini: and no reader be left. */
void cache__log_clear(struct cache_shard *shard);
void cache__log_fini(struct cache_shard *shard);
