/*
 * cache/shard_int.h - a part of the cache: a table to find entries by, a log that holds them.
 *
 * The table (cache/table.c) is hashed, and grows by linear hashing: one bucket is split in two
 * for each new entry, so that no store ever waits for a whole table to be rebuilt, and a small
 * cache costs little. While that is done, a reader in the chain may be led past the entry he
 * wants: shape is odd then and different after it, so that he looks again instead of taking it
 * for a miss.
 *
 * The log (cache/log.c) is a queue of blocks. New entries go to its young end. For room the
 * oldest block goes, as a whole: entries in it that were asked for have a second chance and move
 * to the young end. So have those whose origin (a rule) has less than its share of the cache: names
 * that flood in through one rule push out each other, not what the other rules have.
 *
 * Loop:   readers inside an epoch section, without lock; writers under the shard's lock, held for
 *         a store or a flush. No other lock is taken under it.
 * Memory: blocks and table are at most limit; with the blocks of all shards that wait for their
 *         readers they are at most account->size_max.
 */
#pragma once

#include "base/epoch.h"
#include "cache/block_int.h"
#include "cache/entry_int.h"
#include "cache/failures_int.h"
#include <pthread.h>

#define SHARD_FIRST    8u /* buckets of the first segment; segment i has 8 << i */
#define SHARD_SEGMENTS 24
#define SHARD_LOOKS    16 /* at a chain that keeps changing; then it is a miss */
#define SHARD_ORIGINS  32 /* classes of origins whose octets are counted */
#define ORIGIN_PART    8  /* an origin's share: this part of the limit */

struct cache_shard {
	/*
	 * For readers; writers seldom write here once the table has grown. shape: buckets * 2,
	 * and 1 while links of one are rewritten.
	 */
	_Alignas(CACHE_LINE) uint32_t shape;
	struct cache_entry **segment[SHARD_SEGMENTS];

	/* For writers. */
	_Alignas(CACHE_LINE) pthread_mutex_t lock;
	struct cache_account *account;
	struct cache_block *oldest;
	struct cache_block *youngest;
	struct cache_block *filling; /* where new entries go; NULL: nowhere yet */
	size_t block_bytes;          /* of a new block */
	size_t limit;                /* of bytes */
	size_t bytes;                /* of blocks and table */
	size_t table_bytes;
	size_t filled; /* of blocks: entries in the table, and those that are not any more */
	size_t live;   /* of blocks: entries in the table */
	size_t live_of[SHARD_ORIGINS];
	size_t entries;
	uint64_t stored;
	uint64_t evicted;
	uint32_t now_s; /* of the last store */
	uint32_t stale_s;
	struct cache_entry *first[SHARD_FIRST];
	struct failures failures;
};

static inline uint32_t cache__shard_buckets(const struct cache_shard *shard)
{
	return __atomic_load_n(&shard->shape, __ATOMIC_RELAXED) >> 1;
}

/*
 * The bucket of a hash among this many: the low bits, one less of them where that bucket is not
 * there yet.
 */
static inline uint32_t cache__bucket_of(uint32_t hash, uint32_t buckets)
{
	uint32_t full = 1u << (32 - __builtin_clz(buckets - 1));
	uint32_t i = hash & (full - 1);
	return i < buckets ? i : i - full / 2;
}

static inline struct cache_entry **cache__bucket(struct cache_shard *shard, uint32_t i)
{
	uint32_t place = i + SHARD_FIRST;
	unsigned int segment = 28u - (unsigned int)__builtin_clz(place);
	return &epoch_load(&shard->segment[segment])[place - (SHARD_FIRST << segment)];
}

/* The entry of key, or NULL. For readers. */
static inline struct cache_entry *cache__shard_find(struct cache_shard *shard, uint32_t hash,
                                                    const struct cache_key *key)
{
	for (unsigned int look = 0; look < SHARD_LOOKS; look++) {
		uint32_t shape = epoch_load(&shard->shape);
		uint32_t i = cache__bucket_of(hash, shape >> 1);
		struct cache_entry *entry = epoch_load(cache__bucket(shard, i));
		while (entry != NULL && !cache__entry_is(entry, hash, key)) {
			entry = epoch_load(&entry->next);
		}
		if (entry != NULL || ((shape & 1) == 0 && epoch_load(&shard->shape) == shape)) {
			return entry;
		}
	}
	return NULL;
}

/* The bucket where a hash belongs. For the holder of the lock. */
static inline struct cache_entry **cache__shard_bucket(struct cache_shard *shard, uint32_t hash)
{
	return cache__bucket(shard, cache__bucket_of(hash, cache__shard_buckets(shard)));
}

static inline size_t *cache__shard_live_of(struct cache_shard *shard, uint32_t origin)
{
	return &shard->live_of[origin % SHARD_ORIGINS];
}

/* The entry that *link leads to leaves the table; its octets in the log are of no use any more. */
static inline void cache__shard_unlink(struct cache_shard *shard, struct cache_entry **link)
{
	struct cache_entry *entry = *link;
	epoch_store(link, entry->next);
	cache__entry_mark(entry, ENTRY_GONE);
	size_t size = cache__entry_span(entry);
	shard->live -= size;
	*cache__shard_live_of(shard, entry->origin) -= size;
	shard->entries--;
}

void cache__shard_init(struct cache_shard *shard, struct cache_account *account);
/* Frees all. No reader may be left, and what was buried must be drained. */
void cache__shard_fini(struct cache_shard *shard);

/* What is to be kept. */
struct cache_item {
	const struct cache_key *key;
	uint32_t hash;
	const struct dns_body *body;
	uint32_t now_s;
	uint32_t stored_s; /* when its life began: now, or before a restart */
};

/* Keeps a copy, unless there is no room: false. */
bool cache__shard_put(struct cache_shard *shard, const struct cache_item *item);

/* Removes the entries of this name, of any origin, type and flags. Returns how many. */
size_t cache__shard_flush_name(struct cache_shard *shard, const struct dns_key *name);
/* Removes entries at and below name (wire, lower case). */
size_t cache__shard_flush_below(struct cache_shard *shard, const uint8_t *name);

/*
 * Sets the limits and evicts down to them. A table much too large for what is left is folded; its
 * segments are given back by cache__shard_trim, which the caller calls after an epoch_wait.
 */
void cache__shard_limit(struct cache_shard *shard, size_t limit, size_t block_bytes,
                        uint32_t stale_s);
void cache__shard_trim(struct cache_shard *shard);
