#include "base/hash.h"
#include "forward/inflight_int.h"
#include "forward/worker_int.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SHARD_BITS  6
#define SHARD_COUNT (1U << SHARD_BITS)

struct shard {
	_Alignas(64) pthread_mutex_t lock;
	struct inflight_entry **buckets;
};

struct inflight {
	uint64_t mask; /* of a shard's buckets */
	struct inflight_entry **buckets;
	struct shard shards[SHARD_COUNT];
};

struct inflight *inflight__new(size_t entries_max)
{
	struct inflight *table = aligned_alloc(_Alignof(struct inflight), sizeof(*table));
	if (table == NULL) {
		return NULL;
	}
	size_t room = 16;
	while (room * SHARD_COUNT < entries_max) {
		room *= 2;
	}
	table->mask = room - 1;
	table->buckets = calloc(room * SHARD_COUNT, sizeof(struct inflight_entry *));
	if (table->buckets == NULL) {
		free(table);
		return NULL;
	}
	for (unsigned int i = 0; i < SHARD_COUNT; i++) {
		pthread_mutex_init(&table->shards[i].lock, NULL);
		table->shards[i].buckets = table->buckets + i * room;
	}
	return table;
}

void inflight__free(struct inflight **ptr)
{
	struct inflight *table = *ptr;
	if (table == NULL) {
		return;
	}
	for (size_t i = 0; i < (table->mask + 1) * SHARD_COUNT; i++) {
		assert(table->buckets[i] == NULL);
	}
	for (unsigned int i = 0; i < SHARD_COUNT; i++) {
		pthread_mutex_destroy(&table->shards[i].lock);
	}
	free(table->buckets);
	free(table);
	*ptr = NULL;
}

/* --- The key --- */

void inflight__hash(struct inflight_entry *entry)
{
	uint8_t folded[DNS_NAME_MAX + 1];
	memcpy(folded, entry->name, entry->name_len);
	dns_name_lower(folded);
	uint64_t rest = (uint64_t)entry->origin << 32 | (uint64_t)entry->only << 24 |
	                (uint64_t)entry->qtype << 2 | (uint64_t)entry->dnssec_ok << 1 |
	                (uint64_t)entry->checking_disabled;
	entry->hash = hash_step(hash_step(0, folded, entry->name_len), &rest, sizeof(rest));
}

static bool entry_same(const struct inflight_entry *a, const struct inflight_entry *b)
{
	return a->hash == b->hash && a->origin == b->origin && a->qtype == b->qtype &&
	       a->dnssec_ok == b->dnssec_ok && a->checking_disabled == b->checking_disabled &&
	       a->only == b->only && a->name_len == b->name_len && dns_name_equal(a->name, b->name);
}

static unsigned int shard_of(const struct inflight_entry *entry)
{
	return (unsigned int)(entry->hash >> (64 - SHARD_BITS));
}

static struct inflight_entry **bucket_of(struct inflight *table, const struct inflight_entry *entry)
{
	return &table->shards[shard_of(entry)].buckets[entry->hash & table->mask];
}

static void shard_lock(struct inflight *table, unsigned int shard)
{
	pthread_mutex_lock(&table->shards[shard].lock);
}

static void shard_unlock(struct inflight *table, unsigned int shard)
{
	pthread_mutex_unlock(&table->shards[shard].lock);
}

/* --- Coming and going --- */

static struct inflight_entry *entry_like(struct inflight *table, const struct inflight_entry *entry)
{
	struct inflight_entry *at = *bucket_of(table, entry);
	while (at != NULL && !entry_same(at, entry)) {
		at = at->next;
	}
	return at;
}

/*
 * The same question from one of the targets that it may have gone to. Not when that host asked first:
 * it may well be a client, too, twice at a time.
 */
static bool entry_circles(const struct inflight_entry *known, const struct inflight_entry *entry)
{
	return entry->from_target &&
	       (known->asker.len == 0 || !addr_equal_host(&known->asker, &entry->asker));
}

enum inflight_joined inflight__join(struct inflight *table, struct inflight_entry *entry,
                                    struct waiter *waiter, bool may_add, uint64_t *ret_deadline_ms)
{
	enum inflight_joined joined = INFLIGHT_JOINED;
	unsigned int shard = shard_of(entry);
	waiter->table = table;
	waiter->shard = shard;

	shard_lock(table, shard);
	struct inflight_entry *known = entry_like(table, entry);
	if (known == NULL && may_add) {
		struct inflight_entry **bucket = bucket_of(table, entry);
		entry->next = *bucket;
		entry->open = true;
		*bucket = entry;
		known = entry;
		joined = INFLIGHT_FRESH;
	}
	if (known != NULL && entry_circles(known, entry)) {
		joined = INFLIGHT_CIRCLE;
	} else if (known != NULL) {
		list_append(&known->waiters, &waiter->link);
		waiter->entry = known;
		*ret_deadline_ms = known->deadline_ms;
	} else {
		joined = INFLIGHT_FULL;
	}
	shard_unlock(table, shard);
	return joined;
}

bool inflight__detach(struct waiter *waiter)
{
	shard_lock(waiter->table, waiter->shard);
	bool attached = waiter->entry != NULL;
	if (attached) {
		list_remove(&waiter->link);
		waiter->entry = NULL;
	}
	shard_unlock(waiter->table, waiter->shard);
	return attached;
}

/* With the lock held. */
static void entry_close(struct inflight *table, struct inflight_entry *entry)
{
	if (!entry->open) {
		return;
	}
	struct inflight_entry **at = bucket_of(table, entry);
	while (*at != entry) {
		at = &(*at)->next;
	}
	*at = entry->next;
	entry->open = false;
}

bool inflight__leave_unwanted(struct inflight *table, struct inflight_entry *entry)
{
	unsigned int shard = shard_of(entry);
	shard_lock(table, shard);
	bool unwanted = list_empty(&entry->waiters);
	if (unwanted) {
		entry_close(table, entry);
	}
	shard_unlock(table, shard);
	return unwanted;
}

bool inflight__leave(struct inflight *table, struct inflight_entry *entry, struct list *ret_own)
{
	unsigned int shard = shard_of(entry);
	shard_lock(table, shard);
	entry_close(table, entry);
	if (!list_empty(&entry->waiters)) {
		list_item(entry->waiters.next, struct waiter, link)->fresh = true;
	}
	list_each (at, &entry->waiters) {
		struct waiter *waiter = list_item(at, struct waiter, link);
		if (waiter->worker == entry->owner) {
			list_remove(at);
			waiter->entry = NULL;
			list_append(ret_own, at);
		}
	}
	bool others = !list_empty(&entry->waiters);
	shard_unlock(table, shard);
	return others;
}

/* All waiters of the first one's worker, as one chain; they are attached no longer. */
static struct waiter *chain_take(struct inflight_entry *entry, struct answer_copy *copy)
{
	struct waiter *head = list_item(entry->waiters.next, struct waiter, link);
	struct waiter **end = &head;
	list_each (at, &entry->waiters) {
		struct waiter *waiter = list_item(at, struct waiter, link);
		if (waiter->worker == head->worker) {
			list_remove(at);
			waiter->entry = NULL;
			waiter->copy = copy;
			*end = waiter;
			end = &waiter->mate;
		}
	}
	*end = NULL;
	return head;
}

void inflight__send(struct inflight *table, struct inflight_entry *entry, struct answer_copy *copy,
                    void (*fn)(struct mail *mail, void *ctx))
{
	unsigned int shard = shard_of(entry);
	shard_lock(table, shard);
	while (!list_empty(&entry->waiters)) {
		struct waiter *head = chain_take(entry, settle__copy_ref(copy));
		head->mail.fn = fn;
		/*
		 * Under the lock, so that a worker that ends can know that nobody is still
		 * posting to it (inflight__quiesce). A box has room for a letter from each
		 * waiter.
		 */
		int ret = mailbox_post(head->worker->box, &head->mail);
		assert(ret == 0);
	}
	shard_unlock(table, shard);
}

void inflight__quiesce(struct inflight *table)
{
	for (unsigned int i = 0; i < SHARD_COUNT; i++) {
		shard_lock(table, i);
		shard_unlock(table, i);
	}
}
