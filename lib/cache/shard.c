#include "cache/shard_int.h"
#include "cache/table_int.h"
#include "dns/name.h"
#include <assert.h>
#include <stdlib.h>

/* No more entries than this are spared for one eviction, whatever their marks say. */
#define SPARE_MAX 16

/* The largest entry, as a part of the shard's limit: one answer must not push out all others. */
#define ENTRY_PART 8

void cache__shard_init(struct cache_shard *shard, struct cache_account *account)
{
	pthread_mutex_init(&shard->lock, NULL);
	shard->account = account;
	cache__table_init(shard);
}

/* --- The way out: from the table to a grave, and to malloc when no reader can see it. --- */

/* Once no reader is left: on a thread of the library, or at the end of the shard. */
static void grave_free(struct epoch_head *head)
{
	struct cache_grave *grave = (struct cache_grave *)(void *)head;
	for (unsigned int i = 0; i < grave->count; i++) {
		free(grave->dead[i]);
	}
	cache__account_give(grave->account, grave->bytes);
	free(grave);
}
static_assert(offsetof(struct cache_grave, head) == 0, "a grave is found by its head");

static void grave_close(struct cache_shard *shard)
{
	if (shard->grave != NULL) {
		epoch_defer(&shard->grave->head, grave_free);
		shard->grave = NULL;
	}
}

/* Room for one more dead. False: no memory, so nothing may be taken out of the table. */
static bool grave_ready(struct cache_shard *shard)
{
	if (shard->grave != NULL) {
		return true;
	}
	struct cache_grave *grave = malloc(sizeof(*grave));
	if (grave == NULL) {
		return false;
	}
	grave->account = shard->account;
	grave->bytes = cache__block_bytes(grave);
	grave->count = 0;
	/* Without asking: what is buried here will be worth more than its grave. */
	__atomic_fetch_add(&shard->account->total, grave->bytes, __ATOMIC_RELAXED);
	shard->grave = grave;
	return true;
}

/* entry is out of the table; grave_ready was true. */
static void grave_take(struct cache_shard *shard, struct cache_entry *entry)
{
	struct cache_grave *grave = shard->grave;
	size_t bytes = cache__block_bytes(entry);
	grave->dead[grave->count++] = entry;
	grave->bytes += bytes;
	shard->bytes -= bytes;
	shard->entries--;
	if (grave->count == GRAVE_ROOM || grave->bytes >= shard->grave_max) {
		grave_close(shard);
	}
}

/* Takes the entry that *link leads to out. */
static bool entry_remove(struct cache_shard *shard, struct cache_entry **link)
{
	if (!grave_ready(shard)) {
		return false;
	}
	struct cache_entry *entry = *link;
	epoch_store(link, entry->next);
	grave_take(shard, entry);
	return true;
}

void cache__shard_fini(struct cache_shard *shard)
{
	if (shard->grave != NULL) {
		grave_free(&shard->grave->head);
	}
	cache__table_fini(shard);
	pthread_mutex_destroy(&shard->lock);
}

/* --- Who must go --- */

/*
 * The link to the one of a bucket that goes: one whose time is over, else the last that nobody asked for
 * lately (new ones stand in front). Marks are taken from the others. NULL: all are spared.
 */
static struct cache_entry **bucket_victim(struct cache_shard *shard, struct cache_entry **bucket,
                                          uint32_t stale_s, unsigned int *spared)
{
	struct cache_entry **victim = NULL;
	for (struct cache_entry **at = bucket; *at != NULL; at = &(*at)->next) {
		struct cache_entry *entry = *at;
		if (cache__entry_over(entry, cache__entry_age(entry, shard->now_s), stale_s)) {
			return at;
		}
		if (*spared >= SPARE_MAX || !cache__entry_marked(entry, ENTRY_USED)) {
			victim = at;
			continue;
		}
		__atomic_fetch_and(&entry->marks, (uint8_t)~ENTRY_USED, __ATOMIC_RELAXED);
		(*spared)++;
	}
	return victim;
}

/* One entry goes. False: there is none, or no memory. Two rounds do: the first takes all marks. */
static bool shard_evict(struct cache_shard *shard, uint32_t stale_s)
{
	uint32_t buckets = cache__shard_buckets(shard);
	uint32_t left = shard->entries == 0 ? 0 : 2 * buckets;
	unsigned int spared = 0;
	for (; left > 0; left--) {
		uint32_t at = shard->hand < buckets ? shard->hand : 0;
		struct cache_entry **victim =
			bucket_victim(shard, cache__bucket(shard, at), stale_s, &spared);
		shard->hand = at + 1;
		if (victim != NULL) {
			shard->evicted++;
			return entry_remove(shard, victim);
		}
	}
	return false;
}

/* Takes bytes from the account, and evicts until they fit into the shard as well. */
static bool shard_make_room(struct cache_shard *shard, size_t bytes, uint32_t stale_s)
{
	if (bytes > shard->limit / ENTRY_PART) {
		return false;
	}
	if (!cache__account_take(shard->account, bytes)) {
		/* The dead fill it. They must not lie here unnoticed, or it would stay so. */
		grave_close(shard);
		return false;
	}
	while (shard->bytes + bytes > shard->limit) {
		if (!shard_evict(shard, stale_s)) {
			cache__account_give(shard->account, bytes);
			return false;
		}
	}
	return true;
}

/* --- The way in --- */

/* The link to key's entry, or to the end of its chain. */
static struct cache_entry **entry_link(struct cache_shard *shard, uint32_t hash,
                                       const struct cache_key *key)
{
	uint32_t i = cache__bucket_of(hash, cache__shard_buckets(shard));
	struct cache_entry **at = cache__bucket(shard, i);
	while (*at != NULL && !cache__entry_is(*at, hash, key)) {
		at = &(*at)->next;
	}
	return at;
}

/* A good entry of key that may still be given: a failure does not cover it (RFC 8767 over RFC 9520). */
static bool has_good(struct cache_shard *shard, uint32_t hash, const struct cache_key *key,
                     uint32_t stale_s)
{
	const struct cache_entry *old = *entry_link(shard, hash, key);
	return old != NULL && old->outcome != DNS_OUTCOME_LAME &&
	       !cache__entry_over(old, cache__entry_age(old, shard->now_s), stale_s);
}

/* A name in use is so with its new answer too: it must not be the next to go. */
static bool entry_replace(struct cache_shard *shard, struct cache_entry **link,
                          struct cache_entry *entry)
{
	struct cache_entry *old = *link;
	if (!grave_ready(shard)) {
		return false;
	}
	entry->marks = cache__entry_marked(old, ENTRY_USED) ? ENTRY_USED : 0;
	entry->next = old->next;
	epoch_store(link, entry);
	grave_take(shard, old);
	return true;
}

static void entry_add(struct cache_shard *shard, struct cache_entry *entry)
{
	uint32_t i = cache__bucket_of(entry->hash, cache__shard_buckets(shard));
	struct cache_entry **bucket = cache__bucket(shard, i);
	entry->next = *bucket;
	epoch_store(bucket, entry);
}

static bool shard_admit(struct cache_shard *shard, const struct cache_key *key,
                        struct cache_entry *entry, uint32_t stale_s)
{
	if (entry->outcome == DNS_OUTCOME_LAME && has_good(shard, entry->hash, key, stale_s)) {
		return false;
	}
	size_t bytes = cache__block_bytes(entry);
	if (!shard_make_room(shard, bytes, stale_s)) {
		return false;
	}
	struct cache_entry **link = entry_link(shard, entry->hash, key);
	if (*link == NULL) {
		entry_add(shard, entry);
	} else if (!entry_replace(shard, link, entry)) {
		cache__account_give(shard->account, bytes);
		return false;
	}
	shard->bytes += bytes;
	shard->entries++;
	shard->stored++;
	if (shard->entries > cache__shard_buckets(shard)) {
		cache__table_grow(shard);
	}
	return true;
}

bool cache__shard_put(struct cache_shard *shard, const struct cache_key *key,
                      struct cache_entry *entry, uint32_t now_s, uint32_t stale_s)
{
	pthread_mutex_lock(&shard->lock);
	shard->now_s = now_s;
	bool kept = shard_admit(shard, key, entry, stale_s);
	pthread_mutex_unlock(&shard->lock);
	return kept;
}

/* --- The control thread's walks --- */

static bool is_name(const struct cache_entry *entry, const struct dns_key *name)
{
	return entry->name_len == name->len &&
	       memcmp(cache__entry_name(entry), name->name, name->len) == 0;
}

static size_t bucket_flush_name(struct cache_shard *shard, uint32_t i, const struct dns_key *name)
{
	size_t gone = 0;
	struct cache_entry **at = cache__bucket(shard, i);
	while (*at != NULL) {
		if (!is_name(*at, name)) {
			at = &(*at)->next;
		} else if (entry_remove(shard, at)) {
			gone++;
		} else {
			break;
		}
	}
	return gone;
}

size_t cache__shard_flush_name(struct cache_shard *shard, const struct dns_key *name)
{
	size_t gone = 0;
	pthread_mutex_lock(&shard->lock);
	uint32_t buckets = cache__shard_buckets(shard);
	for (uint32_t kin = 0; kin < CACHE_KIN; kin++) {
		uint32_t i = cache__bucket_of(dns_key_hash(name) ^ kin, buckets);
		gone += bucket_flush_name(shard, i, name);
	}
	grave_close(shard);
	pthread_mutex_unlock(&shard->lock);
	return gone;
}

size_t cache__shard_flush_below(struct cache_shard *shard, const uint8_t *name)
{
	size_t gone = 0;
	pthread_mutex_lock(&shard->lock);
	for (uint32_t i = cache__shard_buckets(shard); i-- > 0;) {
		struct cache_entry **at = cache__bucket(shard, i);
		while (*at != NULL) {
			if (!dns_name_within(cache__entry_name(*at), name)) {
				at = &(*at)->next;
			} else if (entry_remove(shard, at)) {
				gone++;
			} else {
				break;
			}
		}
	}
	grave_close(shard);
	pthread_mutex_unlock(&shard->lock);
	return gone;
}

/* Bytes that it would have, its table folded to its entries. */
static size_t bytes_folded(const struct cache_shard *shard)
{
	size_t entries = shard->bytes - shard->table_bytes;
	size_t table = 2 * sizeof(struct cache_entry *) *
	               shard->entries; /* the last segment is half of it */
	return entries + (table < shard->table_bytes ? table : shard->table_bytes);
}

void cache__shard_limit(struct cache_shard *shard, size_t limit, size_t grave_max, uint32_t stale_s)
{
	pthread_mutex_lock(&shard->lock);
	shard->limit = limit;
	shard->grave_max = grave_max;
	while (bytes_folded(shard) > limit && shard_evict(shard, stale_s)) {
	}
	if (shard->bytes > limit) {
		cache__table_fold(shard, (uint32_t)shard->entries);
	}
	grave_close(shard);
	pthread_mutex_unlock(&shard->lock);
}

void cache__shard_trim(struct cache_shard *shard)
{
	pthread_mutex_lock(&shard->lock);
	cache__table_trim(shard);
	pthread_mutex_unlock(&shard->lock);
}
