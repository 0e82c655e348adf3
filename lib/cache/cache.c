#include "cache/cache_int.h"
#include <assert.h>
#include <stdlib.h>

#define SIZE_LEAST ((size_t)1 << 20)

/*
 * This part of size_max is for blocks that are out of the log but may still be read; one a shard
 * at least.
 */
#define DEAD_PART 16

/*
 * A block is looked through in one go, under the lock: 16 KB with 180 entries take some 20 us.
 * Small caches have smaller ones, to have several; very large ones larger ones: the system counts
 * mappings.
 */
#define BLOCK_LEAST ((size_t)8 << 10)
#define BLOCK_USUAL ((size_t)16 << 10)
#define BLOCKS_MAX  16384

static size_t block_bytes_of(size_t size_max)
{
	size_t bytes = BLOCK_LEAST;
	while (bytes < BLOCK_USUAL && bytes * SHARDS * SHARDS < size_max) {
		bytes *= 2;
	}
	while (bytes * BLOCKS_MAX < size_max) {
		bytes *= 2;
	}
	return cache__block_round(bytes);
}

static void limits_set(struct cache *cache, const struct cache_opts *opts)
{
	size_t size_max = opts->size_max > SIZE_LEAST ? opts->size_max : SIZE_LEAST;
	size_t block_bytes = block_bytes_of(size_max);
	size_t dead = size_max / DEAD_PART;
	if (dead < SHARDS * block_bytes) {
		dead = SHARDS * block_bytes;
	}
	size_t share = (size_max - dead - sizeof(*cache)) / SHARDS;

	__atomic_store_n(&cache->stale_s, opts->stale_s, __ATOMIC_RELAXED);
	__atomic_store_n(&cache->account.size_max, size_max, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < SHARDS; i++) {
		cache__shard_limit(&cache->shards[i], share, block_bytes_of(size_max),
		                   opts->stale_s);
	}
}

struct cache *cache_new(const struct cache_opts *opts)
{
	struct cache *cache = aligned_alloc(_Alignof(struct cache), sizeof(*cache));
	if (cache == NULL) {
		return NULL;
	}
	memset(cache, 0, sizeof(*cache));
	cache->account.total = sizeof(*cache);
	for (unsigned int i = 0; i < SHARDS; i++) {
		cache__shard_init(&cache->shards[i], &cache->account);
	}
	limits_set(cache, opts);
	return cache;
}

void cache_resize(struct cache *cache, const struct cache_opts *opts)
{
	limits_set(cache, opts);
	epoch_wait(); /* readers may be in table segments that are out of use now */
	for (unsigned int i = 0; i < SHARDS; i++) {
		cache__shard_trim(&cache->shards[i]);
	}
}

void cache_free(struct cache **cache)
{
	if (*cache == NULL) {
		return;
	}
	epoch_drain(); /* buried blocks know the account */
	for (unsigned int i = 0; i < SHARDS; i++) {
		cache__shard_fini(&(*cache)->shards[i]);
	}
	free(*cache);
	*cache = NULL;
}

/* --- The hit path: no lock, no allocation --- */

/* The last tenth of its life; of ten seconds and more at least two, of three and more the last. */
static bool is_near_end(uint32_t life_s, uint32_t left_s)
{
	if (left_s > 2) {
		return (uint64_t)left_s * 10 < life_s;
	}
	return life_s >= (left_s == 2 ? 10 : 3);
}

/* True for one caller in an entry's life: it was asked for before, and is near its end. */
static bool should_refresh(struct cache_entry *entry, uint32_t left_s, bool used)
{
	if (!is_near_end(entry->life_s, left_s) || !used ||
	    cache__entry_marked(entry, ENTRY_TOLD)) {
		return false;
	}
	return cache__entry_mark(entry, ENTRY_TOLD);
}

/* A failure of this key, while its pause lasts. */
static bool find_failure(struct cache_shard *shard, const struct cache_key *key, uint32_t now_s,
                         struct failure *ret)
{
	if (!cache__failures_any(&shard->failures)) {
		return false;
	}
	uint64_t failure_key = cache__failure_key(key);
	if (!cache__failures_may(&shard->failures, failure_key)) {
		return false;
	}
	pthread_mutex_lock(&shard->lock);
	bool found = cache__failures_find(&shard->failures, failure_key, now_s, ret);
	pthread_mutex_unlock(&shard->lock);
	return found;
}

static bool hit_fill_failure(struct cache_shard *shard, const struct cache_key *key, uint32_t now_s,
                             struct cache_hit *hit)
{
	struct failure failure;
	if (!find_failure(shard, key, now_s, &failure)) {
		return false;
	}
	*hit = (struct cache_hit){
		.outcome = DNS_OUTCOME_LAME,
		.rcode = DNS_RCODE_SERVFAIL,
		.left_s = failure.until_s - now_s,
		.ede = failure.ede,
	};
	return true;
}

static void hit_fill(struct cache_hit *hit, struct cache_entry *entry, uint32_t age_s)
{
	const uint8_t *name = cache__entry_name(entry);
	const uint8_t *next = name + entry->name_len;
	hit->outcome = entry->outcome;
	hit->rcode = entry->rcode;
	hit->size = entry->size;
	hit->count[0] = entry->count[0];
	hit->count[1] = entry->count[1];
	hit->ttl_count = entry->ttl_count;
	hit->chain = entry->chain;
	hit->authentic = (entry->flags & ENTRY_AUTHENTIC) != 0;
	hit->stale = age_s >= entry->life_s;
	hit->age_s = age_s;
	hit->left_s = hit->stale ? 0 : entry->life_s - age_s;
	hit->wire = next + entry->next_len;
	hit->ttl_at = (const uint16_t *)(const void *)entry->data;
	hit->next = entry->next_len != 0 ? next : NULL;
	hit->ede = DNS_EDE_NONE;
	hit->failed = false;
}

bool cache_find(struct cache *cache, const struct cache_key *key, uint64_t now_s,
                struct cache_hit *ret_hit)
{
	uint32_t hash = cache__hash(key);
	struct cache_shard *shard = cache__shard_of(cache, hash);
	struct cache_entry *entry = cache__shard_find(shard, hash, key);
	if (entry == NULL) {
		return hit_fill_failure(shard, key, (uint32_t)now_s, ret_hit);
	}
	uint32_t age_s = cache__entry_age(entry, (uint32_t)now_s);
	if (cache__entry_over(entry, age_s, cache__stale_of(cache))) {
		return hit_fill_failure(shard, key, (uint32_t)now_s, ret_hit);
	}
	/*
	 * Written only when it is clear: a name that all workers ask for stays in all their
	 * caches.
	 */
	bool used = cache__entry_marked(entry, ENTRY_USED);
	if (!used) {
		cache__entry_mark(entry, ENTRY_USED);
	}
	hit_fill(ret_hit, entry, age_s);
	ret_hit->refresh = !ret_hit->stale && should_refresh(entry, ret_hit->left_s, used);
	if (ret_hit->stale) {
		struct failure unused;
		ret_hit->failed = find_failure(shard, key, (uint32_t)now_s, &unused);
	}
	return true;
}

static struct cache_entry **bucket_of(struct cache *cache, const struct cache_key *key)
{
	uint32_t hash = cache__hash(key);
	struct cache_shard *shard = cache__shard_of(cache, hash);
	return cache__bucket(shard, cache__bucket_of(hash, epoch_load(&shard->shape) >> 1));
}

void cache_fetch(struct cache *cache, const struct cache_key *key)
{
	__builtin_prefetch(bucket_of(cache, key));
}

void cache_fetch_found(struct cache *cache, const struct cache_key *key)
{
	const struct cache_entry *entry = epoch_load(bucket_of(cache, key));
	if (entry != NULL) {
		__builtin_prefetch(entry);
		__builtin_prefetch((const uint8_t *)entry + 64);
	}
}

/*
 * What is left of a TTL. A live answer's life is its least TTL, so it has some; the bound is for
 * safety.
 */
static uint32_t ttl_left(uint32_t ttl_s, uint32_t age_s)
{
	return ttl_s > age_s ? ttl_s - age_s : ttl_s != 0;
}

void cache_copy(const struct cache_hit *hit, uint8_t *out, uint32_t stale_ttl_s)
{
	if (hit->size == 0) { /* a failure: out may be NULL */
		return;
	}
	memcpy(out, hit->wire, hit->size);
	for (unsigned int i = 0; i < hit->ttl_count; i++) {
		uint8_t *at = out + hit->ttl_at[i];
		put_u32(at, hit->stale ? stale_ttl_s : ttl_left(get_u32(at), hit->age_s));
	}
}

/* --- Stores and flushes --- */

void cache_store(struct cache *cache, const struct cache_key *key, const struct dns_body *body,
                 uint64_t now_s)
{
	assert(body->outcome != DNS_OUTCOME_LAME);
	if (body->ttl_s == 0) {
		return;
	}
	struct cache_item item = {
		.key = key,
		.hash = cache__hash(key),
		.body = body,
		.now_s = (uint32_t)now_s,
		.stored_s = (uint32_t)now_s,
	};
	cache__shard_put(cache__shard_of(cache, item.hash), &item);
}

void cache_fail(struct cache *cache, const struct cache_key *key, int ede, uint32_t most_s,
                uint64_t now_s)
{
	struct cache_shard *shard = cache__shard_of(cache, cache__hash(key));
	uint64_t failure_key = cache__failure_key(key);
	pthread_mutex_lock(&shard->lock);
	cache__failures_add(&shard->failures, failure_key, ede, most_s, (uint32_t)now_s);
	pthread_mutex_unlock(&shard->lock);
}

size_t cache_flush(struct cache *cache, const uint8_t *name, bool below)
{
	struct dns_key key;
	dns_key_make(&key, name);
	if (!below) {
		return cache__shard_flush_name(cache__shard_of(cache, dns_key_hash(&key)), &key);
	}
	size_t gone = 0;
	for (unsigned int i = 0; i < SHARDS; i++) {
		gone += cache__shard_flush_below(&cache->shards[i], key.name);
	}
	return gone;
}

/* --- Figures --- */

void cache_get_stats(struct cache *cache, struct cache_stats *ret_stats)
{
	struct cache_stats stats = {
		.bytes = __atomic_load_n(&cache->account.total, __ATOMIC_RELAXED),
	};
	for (unsigned int i = 0; i < SHARDS; i++) {
		struct cache_shard *shard = &cache->shards[i];
		pthread_mutex_lock(&shard->lock);
		stats.entries += shard->entries;
		stats.stored += shard->stored;
		stats.evicted += shard->evicted;
		pthread_mutex_unlock(&shard->lock);
	}
	*ret_stats = stats;
}

void cache_metrics(void *cache, struct text *out)
{
	struct cache_stats stats;
	cache_get_stats(cache, &stats);
	metric_family(out, "horizond_cache_bytes", METRIC_GAUGE,
	              "Memory of cached answers, their overhead and tables.");
	metric_sample_u64(out, "horizond_cache_bytes", NULL, stats.bytes);
	metric_family(out, "horizond_cache_entries", METRIC_GAUGE, "Cached answers.");
	metric_sample_u64(out, "horizond_cache_entries", NULL, stats.entries);
}
