/*
 * cache/shard_int.h - a part of the cache: a hash table, what it may cost, and who must go.
 *
 * The table grows by linear hashing: one bucket is split in two for each new entry, so no store ever
 * waits for a whole table to be rebuilt, a small cache costs little, and nothing but a segment list need
 * be published. While a bucket is split, a reader in its chain may be led past the entry he wants: shape is
 * odd for that moment and different after it, so that he looks again instead of taking it for a miss.
 *
 * Eviction is second chance (CLOCK), with the buckets as the clock's face: entries need no list links,
 * and a replaced or flushed entry leaves nothing behind to mend.
 *
 * Loop:   readers inside an epoch section, without lock; writers under the shard's lock, held for a store, a
 *         name's flush, or (control thread only) a walk over the shard. It is taken inside no other lock.
 * Memory: each octet got from malloc is in account->total until it is given back, entries that wait for
 *         their readers included; total never passes size_max.
 */
#pragma once

#include "base/epoch.h"
#include "cache/entry_int.h"
#include <pthread.h>

#define SHARD_LINE     64 /* octets that travel between processors together */
#define SHARD_FIRST    8u /* buckets of the first segment; segment i has 8 << i */
#define SHARD_SEGMENTS 24
#define SHARD_LOOKS    64 /* at a table that keeps changing; then it is a miss */

/* What all shards share: one line, written by stores only. */
struct cache_account {
	_Alignas(SHARD_LINE) size_t total;
	size_t size_max;
};

/* Entries out of the table, waiting for the readers who may still see them. */
#define GRAVE_ROOM 30
struct cache_grave {
	struct epoch_head head;
	struct cache_account *account;
	size_t bytes; /* of the dead and of the grave */
	unsigned int count;
	struct cache_entry *dead[GRAVE_ROOM];
};

struct cache_shard {
	/* For readers; writers seldom write here once the table has grown. */
	_Alignas(SHARD_LINE)
		uint32_t shape; /* buckets * 2, and 1 while one is being split or merged */
	struct cache_entry **segment[SHARD_SEGMENTS];

	/* For writers. */
	_Alignas(SHARD_LINE) pthread_mutex_t lock;
	struct cache_account *account;
	struct cache_grave *grave; /* being filled, or NULL */
	size_t limit;              /* of bytes */
	size_t bytes;              /* of entries in the table, and of the table */
	size_t table_bytes;
	size_t grave_max; /* bytes at which a grave is closed before it is full */
	size_t entries;
	uint64_t stored;
	uint64_t evicted;
	uint32_t hand;  /* bucket that is looked at next for one to go */
	uint32_t now_s; /* of the last store */
	struct cache_entry *first[SHARD_FIRST];
};

static inline uint32_t cache__shard_buckets(const struct cache_shard *shard)
{
	return __atomic_load_n(&shard->shape, __ATOMIC_RELAXED) >> 1;
}

/* The bucket of a hash among this many: the low bits, one less of them where that bucket is not there yet. */
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
		struct cache_entry **bucket =
			cache__bucket(shard, cache__bucket_of(hash, shape >> 1));
		struct cache_entry *entry = epoch_load(bucket);
		while (entry != NULL && !cache__entry_is(entry, hash, key)) {
			entry = epoch_load(&entry->next);
		}
		if (entry != NULL || ((shape & 1) == 0 && epoch_load(&shard->shape) == shape)) {
			return entry;
		}
	}
	return NULL;
}

void cache__shard_init(struct cache_shard *shard, struct cache_account *account);
/* Frees all. No reader may be left, and what was deferred must be drained. */
void cache__shard_fini(struct cache_shard *shard);

/*
 * Takes entry over when it returns true. False: a failure that must not cover a good entry, or no room.
 * Evicts as need be.
 */
bool cache__shard_put(struct cache_shard *shard, const struct cache_key *key,
                      struct cache_entry *entry, uint32_t now_s, uint32_t stale_s);

/* Removes the entries of this name, of any origin, type and flags. Returns how many. */
size_t cache__shard_flush_name(struct cache_shard *shard, const struct dns_key *name);
/* Removes entries at and below name (wire, lower case). */
size_t cache__shard_flush_below(struct cache_shard *shard, const uint8_t *name);

/*
 * Sets the limit of bytes and evicts down to it. A table much too large for what is left is folded; its
 * segments are given back by cache__shard_trim, which the caller calls after an epoch_wait.
 */
void cache__shard_limit(struct cache_shard *shard, size_t limit, size_t grave_max,
                        uint32_t stale_s);
void cache__shard_trim(struct cache_shard *shard);
