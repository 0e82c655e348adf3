#include "cache/log_int.h"
#include "cache/shard_int.h"
#include "cache/table_int.h"
#include "dns/name.h"

void cache__shard_init(struct cache_shard *shard, struct cache_account *account)
{
	pthread_mutex_init(&shard->lock, NULL);
	shard->account = account;
	cache__table_init(shard);
}

void cache__shard_fini(struct cache_shard *shard)
{
	cache__log_fini(shard);
	cache__table_fini(shard);
	pthread_mutex_destroy(&shard->lock);
}

/* --- Stores --- */

/* The link to key's entry, or the end of its chain. */
static struct cache_entry **entry_link(struct cache_shard *shard, uint32_t hash,
                                       const struct cache_key *key)
{
	struct cache_entry **at = cache__shard_bucket(shard, hash);
	while (*at != NULL && !cache__entry_is(*at, hash, key)) {
		at = &(*at)->next;
	}
	return at;
}

static void entry_add(struct cache_shard *shard, struct cache_entry *entry)
{
	struct cache_entry **bucket = cache__shard_bucket(shard, entry->hash);
	entry->next = *bucket;
	epoch_store(bucket, entry);
}

/* A name in use stays so with its new answer: it must not be among the next to go. */
static void entry_replace(struct cache_shard *shard, struct cache_entry **link,
                          struct cache_entry *entry)
{
	struct cache_entry *old = *link;
	entry->marks = cache__entry_marked(old, ENTRY_USED) ? ENTRY_USED : 0;
	entry->next = old;
	epoch_store(link, entry);
	cache__shard_unlink(shard, &entry->next);
}

/*
 * One bucket an entry, several made at a time, so that what they need comes from memory at a time; in
 * a full shard up to two entries a bucket, before others go for a larger table.
 */
static void table_keep_up(struct cache_shard *shard)
{
	uint32_t buckets = cache__shard_buckets(shard);
	if (shard->entries < (size_t)buckets + TABLE_STEP) {
		return;
	}
	unsigned int grown = 0;
	cache__table_fetch(shard);
	while (grown < TABLE_STEP && cache__table_grow(shard)) {
		grown++;
	}
	if (grown == 0 && shard->entries > 2 * (size_t)buckets &&
	    cache__log_make_room(shard, cache__table_next_bytes(shard))) {
		cache__table_grow(shard);
	}
}

static bool shard_put(struct cache_shard *shard, const struct cache_item *item)
{
	__builtin_prefetch(*cache__shard_bucket(shard, item->hash)); /* walked in the end */
	size_t size = cache__entry_span_of(item->key, item->body);
	struct cache_block *block = cache__log_room(shard, size);
	if (block == NULL) {
		return false;
	}
	struct cache_entry *entry = cache__block_take(block, size);
	cache__entry_fill(entry, item->key, item->hash, item->body, item->stored_s);
	shard->filled += size;
	shard->live += size;
	*cache__shard_live_of(shard, item->key->origin) += size;
	shard->entries++;
	shard->stored++;

	struct cache_entry **link = entry_link(shard, item->hash, item->key);
	if (*link != NULL) {
		entry_replace(shard, link, entry);
	} else {
		entry_add(shard, entry);
	}
	table_keep_up(shard);
	return true;
}

bool cache__shard_put(struct cache_shard *shard, const struct cache_item *item)
{
	pthread_mutex_lock(&shard->lock);
	shard->now_s = item->now_s;
	bool kept = shard_put(shard, item);
	if (cache__failures_any(&shard->failures)) {
		cache__failures_end(&shard->failures, cache__failure_key(item->key));
	}
	pthread_mutex_unlock(&shard->lock);
	return kept;
}

/* --- Flushes --- */

static bool is_name(const struct cache_entry *entry, const struct dns_key *name)
{
	return entry->name_len == name->len &&
	       memcmp(cache__entry_name(entry), name->name, name->len) == 0;
}

static size_t bucket_flush_name(struct cache_shard *shard, struct cache_entry **at,
                                const struct dns_key *name)
{
	size_t gone = 0;
	while (*at != NULL) {
		if (is_name(*at, name)) {
			cache__shard_unlink(shard, at);
			gone++;
		} else {
			at = &(*at)->next;
		}
	}
	return gone;
}

size_t cache__shard_flush_name(struct cache_shard *shard, const struct dns_key *name)
{
	size_t gone = 0;
	pthread_mutex_lock(&shard->lock);
	cache__failures_clear(&shard->failures);
	for (uint32_t kin = 0; kin < CACHE_KIN; kin++) {
		struct cache_entry **bucket = cache__shard_bucket(shard, dns_key_hash(name) ^ kin);
		gone += bucket_flush_name(shard, bucket, name);
	}
	pthread_mutex_unlock(&shard->lock);
	return gone;
}

static size_t bucket_flush_below(struct cache_shard *shard, struct cache_entry **at,
                                 const uint8_t *name)
{
	size_t gone = 0;
	while (*at != NULL) {
		if (dns_name_within(cache__entry_name(*at), name)) {
			cache__shard_unlink(shard, at);
			gone++;
		} else {
			at = &(*at)->next;
		}
	}
	return gone;
}

size_t cache__shard_flush_below(struct cache_shard *shard, const uint8_t *name)
{
	size_t gone = 0;
	pthread_mutex_lock(&shard->lock);
	cache__failures_clear(&shard->failures);
	for (uint32_t i = cache__shard_buckets(shard); i-- > 0;) {
		gone += bucket_flush_below(shard, cache__bucket(shard, i), name);
	}
	if (shard->entries == 0) {
		cache__log_clear(shard);
	}
	pthread_mutex_unlock(&shard->lock);
	return gone;
}

/* --- Limits --- */

/* Bytes that it would have, its table folded to its entries. */
static size_t bytes_folded(const struct cache_shard *shard)
{
	/* The last segment, half of the table, may be all but empty. */
	size_t table = 2 * sizeof(struct cache_entry *) * shard->entries;
	return shard->bytes - shard->table_bytes +
	       (table < shard->table_bytes ? table : shard->table_bytes);
}

void cache__shard_limit(struct cache_shard *shard, size_t limit, size_t block_bytes,
                        uint32_t stale_s)
{
	pthread_mutex_lock(&shard->lock);
	shard->limit = limit;
	shard->block_bytes = block_bytes;
	shard->stale_s = stale_s;
	while (bytes_folded(shard) > limit && cache__log_shorten(shard)) {
	}
	if (shard->bytes > limit) {
		cache__table_fold(shard, (uint32_t)shard->entries);
	}
	pthread_mutex_unlock(&shard->lock);
}

void cache__shard_trim(struct cache_shard *shard)
{
	pthread_mutex_lock(&shard->lock);
	cache__table_trim(shard);
	pthread_mutex_unlock(&shard->lock);
}
