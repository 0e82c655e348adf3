/*
 * cache/entry_int.h - one cached body and its key.
 *
 * An entry is complete before readers can see it and does not change after, but for two fields:
 * the chain link, written under the shard's lock, and the marks, set by any reader.
 *
 * Memory: 42 octets, the name, the body and two octets a TTL, rounded up to 8: 88 for one A
 *         record under a name of 25 octets. Hence the narrow types and their order.
 */
#pragma once

#include "base/hash.h"
#include "cache/cache.h"
#include <string.h>

#define ENTRY_AUTHENTIC 4 /* in flags, beside CACHE_DO and CACHE_CD */

#define ENTRY_USED 1 /* asked for since it was stored, or last spared */
#define ENTRY_TOLD 2 /* somebody was told to refresh it */
#define ENTRY_GONE 4 /* not in the table any more */

struct cache_entry {
	struct cache_entry *next;
	uint32_t hash;
	uint32_t origin;
	uint32_t stored_s; /* monotonic, the low 32 bits: only differences count */
	uint32_t life_s;
	uint16_t type;
	uint16_t rcode;
	uint16_t size;
	uint16_t count[2];
	uint16_t ttl_count;
	uint8_t name_len;
	uint8_t next_len;
	uint8_t outcome;
	uint8_t chain;
	uint8_t flags;
	uint8_t marks;
	uint8_t data[]; /* offsets of TTLs, name, next, wire */
};

/*
 * All entries of a name have hashes that differ in the low three bits only, so that they lie in
 * eight neighbouring buckets of one shard: flushing a name looks there, and nowhere else.
 */
#define CACHE_KIN 8u

static inline uint32_t cache__hash(const struct cache_key *key)
{
	uint64_t rest = (uint64_t)key->origin << 32 | (uint32_t)key->type << 8 | key->flags;
	uint64_t kin = hash_mix(rest ^ hash_secret[0], hash_secret[1]);
	return dns_key_hash(key->name) ^ ((uint32_t)kin & (CACHE_KIN - 1));
}

static inline const uint8_t *cache__entry_name(const struct cache_entry *entry)
{
	return entry->data + 2 * (size_t)entry->ttl_count;
}

static inline bool cache__entry_is(const struct cache_entry *entry, uint32_t hash,
                                   const struct cache_key *key)
{
	return entry->hash == hash && entry->origin == key->origin && entry->type == key->type &&
	       (entry->flags & (CACHE_DO | CACHE_CD)) == key->flags &&
	       entry->name_len == key->name->len &&
	       memcmp(cache__entry_name(entry), key->name->name, entry->name_len) == 0;
}

/* Seconds since it was stored; 0 when another worker's clock is a tick behind. */
static inline uint32_t cache__entry_age(const struct cache_entry *entry, uint32_t now_s)
{
	int32_t age = (int32_t)(now_s - entry->stored_s);
	return age < 0 ? 0 : (uint32_t)age;
}

/* True once it may not be given any more, not even stale. */
static inline bool cache__entry_over(const struct cache_entry *entry, uint32_t age_s,
                                     uint32_t stale_s)
{
	return age_s >= (uint64_t)entry->life_s + stale_s;
}

static inline bool cache__entry_marked(const struct cache_entry *entry, uint8_t mark)
{
	return (__atomic_load_n(&entry->marks, __ATOMIC_RELAXED) & mark) != 0;
}

/* True when this call was the one that set it. */
static inline bool cache__entry_mark(struct cache_entry *entry, uint8_t mark)
{
	return (__atomic_fetch_or(&entry->marks, mark, __ATOMIC_RELAXED) & mark) == 0;
}

/* Octets that an entry takes; a multiple of 8. */
size_t cache__entry_span(const struct cache_entry *entry);
size_t cache__entry_span_of(const struct cache_key *key, const struct dns_body *body);
/* Writes body under key to entry, which has room; unlinked. */
void cache__entry_fill(struct cache_entry *entry, const struct cache_key *key, uint32_t hash,
                       const struct dns_body *body, uint32_t now_s);
/* The same entry in another place, which readers do not see yet. Not asked for there, so far. */
void cache__entry_copy(struct cache_entry *to, const struct cache_entry *from);
