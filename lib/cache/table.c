#include "cache/table_int.h"
#include <stdlib.h>

/*
 * Readers walk chains while links are rewritten here. Three things make that safe. Order is kept:
 * a link always leads to an entry that stood further back, or to none, so a walk ends whatever it
 * meets. At every moment each entry can be reached from the bucket where shape says that it is.
 * And a reader who was led past his entry all the same, because he stood on another bucket's
 * entry when its link was rewritten, sees that shape is odd or has changed.
 */

/* First bucket of a segment. */
static uint32_t segment_base(unsigned int segment)
{
	return (SHARD_FIRST << segment) - SHARD_FIRST;
}

static unsigned int segment_of(uint32_t bucket)
{
	return 28u - (unsigned int)__builtin_clz(bucket + SHARD_FIRST);
}

static void shape_set(struct cache_shard *shard, uint32_t buckets, bool rewriting)
{
	epoch_store(&shard->shape, buckets << 1 | (rewriting ? 1 : 0));
}

void cache__table_init(struct cache_shard *shard)
{
	shard->segment[0] = shard->first;
	shape_set(shard, SHARD_FIRST, false);
}

void cache__table_fini(struct cache_shard *shard)
{
	for (unsigned int s = 1; s < SHARD_SEGMENTS; s++) {
		free(shard->segment[s]);
	}
}

static void segment_count(struct cache_shard *shard, unsigned int segment, bool in_use)
{
	size_t bytes = cache__malloc_bytes(shard->segment[segment]);
	shard->bytes += in_use ? bytes : -bytes;
	shard->table_bytes += in_use ? bytes : -bytes;
}

/* Makes sure that the segment is there. One folded but not yet trimmed is taken up again. */
static bool segment_make(struct cache_shard *shard, unsigned int segment)
{
	if (shard->segment[segment] != NULL) {
		return true;
	}
	struct cache_entry **made =
		calloc((size_t)SHARD_FIRST << segment, sizeof(struct cache_entry *));
	if (made == NULL) {
		return false;
	}
	size_t bytes = cache__malloc_bytes(made);
	if (shard->bytes + bytes > shard->limit || !cache__account_take(shard->account, bytes)) {
		free(made);
		return false;
	}
	epoch_store(&shard->segment[segment], made);
	return true;
}

/* The bucket whose entries share bucket i's place in a table that ends before i. */
static uint32_t parent_of(uint32_t i)
{
	return i ^ (1u << (31 - __builtin_clz(i)));
}

/* The first entry of a chain that belongs to bucket i, of i + 1. */
static struct cache_entry *chain_first(struct cache_entry *entry, uint32_t i)
{
	while (entry != NULL && cache__bucket_of(entry->hash, i + 1) != i) {
		entry = entry->next;
	}
	return entry;
}

/*
 * Parts two chains that run through the same entries, those of bucket i and of its parent. A link
 * is rewritten when the next of its own kind is met: by then no link of the other kind leads
 * there any more.
 */
static void chains_part(struct cache_entry **parent, struct cache_entry **bucket, uint32_t i)
{
	struct cache_entry **ends[2] = {parent, bucket};
	struct cache_entry *entry = *parent;
	while (entry != NULL) {
		struct cache_entry *next = entry->next;
		unsigned int side = cache__bucket_of(entry->hash, i + 1) == i;
		if (*ends[side] != entry) {
			epoch_store(ends[side], entry);
		}
		ends[side] = &entry->next;
		entry = next;
	}
	epoch_store(ends[0], NULL);
	epoch_store(ends[1], NULL);
}

size_t cache__table_next_bytes(const struct cache_shard *shard)
{
	unsigned int segment = segment_of(cache__shard_buckets(shard));
	/* malloc's own word, and its rounding up (to a page when it is large) */
	return (sizeof(struct cache_entry *) * SHARD_FIRST << segment) + 2 * 4096;
}

void cache__table_fetch(struct cache_shard *shard)
{
	struct cache_entry *first[TABLE_STEP];
	uint32_t buckets = cache__shard_buckets(shard);
	for (uint32_t i = 0; i < TABLE_STEP; i++) {
		/* There already: it lies in the lower half, and TABLE_STEP is not more than the least table has. */
		first[i] = *cache__bucket(shard, parent_of(buckets + i));
		__builtin_prefetch(first[i]);
	}
	for (uint32_t i = 0; i < TABLE_STEP; i++) {
		if (first[i] != NULL) {
			__builtin_prefetch(first[i]->next);
		}
	}
}

bool cache__table_grow(struct cache_shard *shard)
{
	uint32_t i = cache__shard_buckets(shard);
	unsigned int segment = segment_of(i);
	if (segment >= SHARD_SEGMENTS || !segment_make(shard, segment)) {
		return false;
	}
	if (i == segment_base(segment)) {
		segment_count(shard, segment, true);
	}
	struct cache_entry **parent = cache__bucket(shard, parent_of(i));
	struct cache_entry **bucket = cache__bucket(shard, i);
	epoch_store(bucket, chain_first(*parent, i));
	shape_set(shard, i + 1, true);
	chains_part(parent, bucket, i);
	shape_set(shard, i + 1, false);
	return true;
}

/* The last bucket's chain goes behind its parent's. */
static void table_merge(struct cache_shard *shard)
{
	uint32_t i = cache__shard_buckets(shard) - 1;
	struct cache_entry **from = cache__bucket(shard, i);
	struct cache_entry **end = cache__bucket(shard, parent_of(i));
	while (*end != NULL) {
		end = &(*end)->next;
	}
	epoch_store(end, *from);
	shape_set(shard, i, false);
	epoch_store(from, NULL);
	if (i == segment_base(segment_of(i))) {
		segment_count(shard, segment_of(i), false);
	}
}

void cache__table_fold(struct cache_shard *shard, uint32_t buckets)
{
	if (buckets < SHARD_FIRST) {
		buckets = SHARD_FIRST;
	}
	while (cache__shard_buckets(shard) > buckets) {
		table_merge(shard);
	}
}

void cache__table_trim(struct cache_shard *shard)
{
	uint32_t buckets = cache__shard_buckets(shard);
	for (unsigned int s = 1; s < SHARD_SEGMENTS; s++) {
		struct cache_entry **segment = shard->segment[s];
		if (segment == NULL || segment_base(s) < buckets) {
			continue;
		}
		epoch_store(&shard->segment[s], NULL);
		cache__account_give(shard->account, cache__malloc_bytes(segment));
		free(segment);
	}
}
