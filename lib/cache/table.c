#include "cache/table_int.h"
#include <stdlib.h>

/*
 * Readers walk chains while links are rewritten here. That is safe because order is kept: a link always
 * leads to an entry that stood further back, or to none, so a walk ends, whatever it meets; and an entry
 * led past shows in shape.
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

static void shape_begin(struct cache_shard *shard, uint32_t buckets)
{
	epoch_store(&shard->shape, buckets << 1 | 1);
}

static void shape_end(struct cache_shard *shard, uint32_t buckets)
{
	epoch_store(&shard->shape, buckets << 1);
}

void cache__table_init(struct cache_shard *shard)
{
	shard->segment[0] = shard->first;
	shape_end(shard, SHARD_FIRST);
}

void cache__table_fini(struct cache_shard *shard)
{
	uint32_t buckets = cache__shard_buckets(shard);
	for (uint32_t i = 0; i < buckets; i++) {
		struct cache_entry *entry = *cache__bucket(shard, i);
		while (entry != NULL) {
			struct cache_entry *next = entry->next;
			free(entry);
			entry = next;
		}
	}
	for (unsigned int s = 1; s < SHARD_SEGMENTS; s++) {
		free(shard->segment[s]);
	}
}

static void segment_count(struct cache_shard *shard, unsigned int segment, bool in_use)
{
	size_t bytes = cache__block_bytes(shard->segment[segment]);
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
	size_t bytes = cache__block_bytes(made);
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

/* Entries of `from` that now belong to bucket i go to `to`, which is empty. */
static void chain_split(struct cache_entry **from, struct cache_entry **to, uint32_t i)
{
	struct cache_entry *entry = *from;
	struct cache_entry **ends[2] = {from, to};
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

void cache__table_grow(struct cache_shard *shard)
{
	uint32_t i = cache__shard_buckets(shard);
	unsigned int segment = segment_of(i);
	if (segment >= SHARD_SEGMENTS || !segment_make(shard, segment)) {
		return;
	}
	if (i == segment_base(segment)) {
		segment_count(shard, segment, true);
	}
	shape_begin(shard, i);
	chain_split(cache__bucket(shard, parent_of(i)), cache__bucket(shard, i), i);
	shape_end(shard, i + 1);
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
	shape_begin(shard, i + 1);
	epoch_store(end, *from);
	epoch_store(from, NULL);
	shape_end(shard, i);
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
		cache__account_give(shard->account, cache__block_bytes(segment));
		free(segment);
	}
}
