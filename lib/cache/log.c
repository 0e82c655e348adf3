#include "cache/log_int.h"

/*
 * Entries leave the table where they lie; a block is given back when it has become the oldest. So
 * a name that is refreshed every minute leaves octets of no use behind it, and blocks have to be
 * looked through for two reasons: for room under the limit, and to have these octets back before
 * they outweigh the entries.
 */

/* Blocks that are looked through for one new one before marks stop to count. */
#define SPARE_BLOCKS 4

/* The largest entry, as a part of the shard's limit: one answer must not push out all others. */
#define ENTRY_PART 8

/* Entries over this part of a block get one of their own, else its tail would be wasted. */
#define OWN_PART 4

/* What of a block is spared. */
struct spare {
	bool all;    /* those that nobody asked for, too */
	size_t left; /* octets that may be */
};

static void log_append(struct cache_shard *shard, struct cache_block *block)
{
	block->younger = NULL;
	if (shard->youngest != NULL) {
		shard->youngest->younger = block;
	} else {
		shard->oldest = block;
	}
	shard->youngest = block;
	shard->bytes += block->bytes;
	shard->filled += block->used;
}

/* Takes the oldest block out; its entries are still in the table. */
static struct cache_block *log_shift(struct cache_shard *shard)
{
	struct cache_block *block = shard->oldest;
	shard->oldest = block->younger;
	if (shard->oldest == NULL) {
		shard->youngest = NULL;
	}
	if (shard->filling == block) {
		shard->filling = NULL;
	}
	shard->bytes -= block->bytes;
	shard->filled -= block->used;
	return block;
}

static struct cache_block *log_add(struct cache_shard *shard, size_t bytes)
{
	struct cache_block *block = cache__block_new(shard->account, bytes);
	if (block != NULL) {
		log_append(shard, block);
	}
	return block;
}

static bool log_fits(const struct cache_shard *shard, size_t size)
{
	return shard->filling != NULL && cache__block_room(shard->filling) >= size;
}

/* --- Looking through a block --- */

static bool entry_over(const struct cache_shard *shard, const struct cache_entry *entry)
{
	return cache__entry_over(entry, cache__entry_age(entry, shard->now_s), shard->stale_s);
}

static bool entry_spared(struct cache_shard *shard, const struct cache_entry *entry,
                         const struct spare *spare)
{
	return spare->all || cache__entry_marked(entry, ENTRY_USED) ||
	       *cache__shard_live_of(shard, entry->origin) < shard->limit / ORIGIN_PART;
}

/* A block for an entry that moves: never beyond the limit, since room is what this is about. */
static struct cache_block *move_room(struct cache_shard *shard, size_t size)
{
	if (!log_fits(shard, size)) {
		if (shard->bytes + shard->block_bytes > shard->limit ||
		    size > shard->block_bytes / OWN_PART) {
			return NULL;
		}
		struct cache_block *block = log_add(shard, shard->block_bytes);
		if (block == NULL) {
			return NULL;
		}
		shard->filling = block;
	}
	return shard->filling;
}

/* To the young end; *link then leads there. */
static bool entry_move(struct cache_shard *shard, struct cache_entry **link, struct spare *spare)
{
	const struct cache_entry *entry = *link;
	size_t size = cache__entry_span(entry);
	struct cache_block *block = size <= spare->left ? move_room(shard, size) : NULL;
	if (block == NULL) {
		return false;
	}
	struct cache_entry *moved = cache__block_take(block, size);
	shard->filled += size;
	spare->left -= size;
	cache__entry_copy(moved, entry);
	epoch_store(link, moved);
	return true;
}

static void entry_look(struct cache_shard *shard, struct cache_entry *entry, struct spare *spare)
{
	if (cache__entry_marked(entry, ENTRY_GONE)) {
		return;
	}
	struct cache_entry **link = cache__shard_bucket(shard, entry->hash);
	while (*link != entry) {
		link = &(*link)->next;
	}
	bool over = entry_over(shard, entry);
	if (over || !entry_spared(shard, entry, spare) || !entry_move(shard, link, spare)) {
		cache__shard_unlink(shard, link);
		shard->evicted += over ? 0 : 1;
	}
}

static bool block_is_own(const struct cache_shard *shard, const struct cache_block *block)
{
	const struct cache_entry *entry = (const void *)block->data;
	return block->used > 0 && cache__entry_span(entry) == block->used &&
	       block->used > shard->block_bytes / OWN_PART;
}

/* An entry with a block of its own is spared by letting the block be the youngest. */
static bool block_spared(struct cache_shard *shard, struct cache_block *block,
                         const struct spare *spare)
{
	struct cache_entry *entry = (void *)block->data;
	if (!block_is_own(shard, block) || cache__entry_marked(entry, ENTRY_GONE) ||
	    block->used > spare->left || entry_over(shard, entry) ||
	    !entry_spared(shard, entry, spare)) {
		return false;
	}
	__atomic_fetch_and(&entry->marks, (uint8_t)~ENTRY_USED, __ATOMIC_RELAXED);
	return true;
}

/* The oldest block. */
static void log_look(struct cache_shard *shard, struct spare spare)
{
	struct cache_block *block = log_shift(shard);
	if (block_spared(shard, block, &spare)) {
		log_append(shard, block);
		return;
	}
	for (size_t at = 0; at < block->used;) {
		struct cache_entry *entry = (void *)(block->data + at);
		at += cache__entry_span(entry);
		entry_look(shard, entry, &spare);
	}
	cache__block_bury(block);
}

/* --- Room --- */

static size_t log_garbage(const struct cache_shard *shard)
{
	return shard->filled - shard->live;
}

bool cache__log_shorten(struct cache_shard *shard)
{
	if (shard->oldest == NULL) {
		return false;
	}
	/* So little that an entry with a block of its own is not spared: the log gets shorter. */
	log_look(shard, (struct spare){.all = false, .left = shard->block_bytes / OWN_PART});
	return true;
}

/*
 * There is a block for what is spared, and these bytes. When too many blocks wait for their
 * readers it is better to leave an answer out than to lose those in use.
 */
static bool account_allows(const struct cache_shard *shard, size_t bytes)
{
	return cache__account_left(shard->account) >= shard->block_bytes + bytes;
}

bool cache__log_make_room(struct cache_shard *shard, size_t bytes)
{
	for (unsigned int looked = 0; shard->bytes + bytes > shard->limit; looked++) {
		if (shard->oldest == NULL || !account_allows(shard, bytes)) {
			return false;
		}
		if (looked >= SPARE_BLOCKS) {
			cache__log_shorten(shard);
			continue;
		}
		/* While a quarter is of no use, nothing that is needs to go. */
		bool all = log_garbage(shard) > shard->filled / 4;
		log_look(shard, (struct spare){.all = all, .left = SIZE_MAX});
	}
	return true;
}

/*
 * Far from the limit, too, the log should not be mostly of no use. Two blocks back for one that
 * is begun.
 */
static void log_tidy(struct cache_shard *shard)
{
	for (unsigned int looked = 0; looked < 2; looked++) {
		if (log_garbage(shard) <= shard->live + 2 * shard->block_bytes ||
		    shard->bytes + shard->block_bytes > shard->limit || !account_allows(shard, 0)) {
			return;
		}
		log_look(shard, (struct spare){.all = true, .left = SIZE_MAX});
	}
}

struct cache_block *cache__log_room(struct cache_shard *shard, size_t size)
{
	if (size > shard->block_bytes / OWN_PART) {
		size_t bytes = cache__block_round(sizeof(struct cache_block) + size);
		if (bytes > shard->limit / ENTRY_PART || !cache__log_make_room(shard, bytes)) {
			return NULL;
		}
		return log_add(shard, bytes);
	}
	if (log_fits(shard, size)) {
		return shard->filling;
	}
	log_tidy(shard);
	if (!log_fits(shard, size) && !cache__log_make_room(shard, shard->block_bytes)) {
		return NULL;
	}
	/* What was spared may have begun a block. */
	if (!log_fits(shard, size)) {
		struct cache_block *block = log_add(shard, shard->block_bytes);
		if (block == NULL) {
			return NULL;
		}
		shard->filling = block;
	}
	return shard->filling;
}

void cache__log_clear(struct cache_shard *shard)
{
	while (shard->oldest != NULL) {
		cache__block_bury(log_shift(shard));
	}
}

void cache__log_fini(struct cache_shard *shard)
{
	while (shard->oldest != NULL) {
		cache__block_free(log_shift(shard));
	}
}
