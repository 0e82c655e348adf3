/*
 * cache/block_int.h - memory in which entries lie one behind the other.
 *
 * Entries of all sizes would leave holes in a heap: filled with small answers and then flooded
 * with large ones, a cache of 64 MB took 160. Blocks are mapped and given back whole, so what the
 * cache counts is what the system sees.
 */
#pragma once

#include "base/epoch.h"
#include "cache/account_int.h"
#include <stdint.h>

struct cache_block {
	struct epoch_head head; /* for its end */
	struct cache_account *account;
	struct cache_block *younger; /* the next in the log */
	size_t bytes;                /* of the mapping, this header included */
	size_t used;                 /* of data */
	_Alignas(8) uint8_t data[];
};

/* bytes: as cache__block_round made it. NULL: no memory, or the account has none left. */
struct cache_block *cache__block_new(struct cache_account *account, size_t bytes);
/* Given back once no reader can be in it. */
void cache__block_bury(struct cache_block *block);
/* At once: no reader is left. */
void cache__block_free(struct cache_block *block);

/* The least that a mapping of this size takes. */
size_t cache__block_round(size_t bytes);

static inline size_t cache__block_room(const struct cache_block *block)
{
	return block->bytes - sizeof(*block) - block->used;
}

/* size octets, which are there; a multiple of 8. */
static inline void *cache__block_take(struct cache_block *block, size_t size)
{
	void *at = block->data + block->used;
	block->used += size;
	return at;
}
