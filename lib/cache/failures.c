#include "cache/failures_int.h"

#include "base/hash.h"
#include <string.h>

/* The row goes on when it failed again within so many pauses after the last one's end. */
#define ROW_PAUSES 2

uint64_t cache__failure_key(const struct cache_key *key)
{
	uint8_t rest[7] = {
		(uint8_t)(key->origin >> 24),
		(uint8_t)(key->origin >> 16),
		(uint8_t)(key->origin >> 8),
		(uint8_t)key->origin,
		(uint8_t)(key->type >> 8),
		(uint8_t)key->type,
		key->flags,
	};
	uint64_t state = hash_step(0, rest, sizeof(rest));
	return hash_step(state, key->name->name, key->name->len) | 1; /* 0 is a free slot */
}

static struct failure *set_of(struct failures *failures, uint64_t key)
{
	return failures->slots[(key >> 32) % FAILURE_SETS];
}

static bool is_before(uint32_t a_s, uint32_t b_s)
{
	return (int32_t)(a_s - b_s) < 0;
}

static struct failure *slot_of(struct failure *set, uint64_t key)
{
	for (unsigned int i = 0; i < FAILURE_WAYS; i++) {
		if (set[i].key == key) {
			return &set[i];
		}
	}
	return NULL;
}

static struct failure *slot_for(struct failure *set)
{
	struct failure *best = &set[0];
	for (unsigned int i = 0; i < FAILURE_WAYS && best->key != 0; i++) {
		if (set[i].key == 0 || is_before(set[i].until_s, best->until_s)) {
			best = &set[i];
		}
	}
	return best;
}

static uint32_t next_pause_s(const struct failure *old, uint32_t most_s, uint32_t now_s)
{
	uint32_t pause_s = CACHE_FAILURE_LEAST_S;
	if (old != NULL && is_before(now_s, old->until_s + ROW_PAUSES * old->pause_s)) {
		pause_s = 2u * old->pause_s;
	}
	return pause_s < most_s ? pause_s : most_s;
}

static void used_add(struct failures *failures, int more)
{
	__atomic_store_n(&failures->used, failures->used + (unsigned int)more, __ATOMIC_RELAXED);
}

void cache__failures_add(struct failures *failures, uint64_t key, int ede, uint32_t most_s,
                         uint32_t now_s)
{
	struct failure *set = set_of(failures, key);
	struct failure *slot = slot_of(set, key);
	if (slot != NULL && is_before(now_s, slot->until_s)) {
		return;
	}
	uint32_t pause_s = next_pause_s(slot, most_s, now_s);
	if (slot == NULL) {
		slot = slot_for(set);
	}
	used_add(failures, slot->key == 0 ? 1 : 0);
	slot->until_s = now_s + pause_s;
	slot->pause_s = (uint16_t)pause_s;
	slot->ede = (int16_t)ede;
	__atomic_store_n(&slot->key, key, __ATOMIC_RELAXED);
}

void cache__failures_end(struct failures *failures, uint64_t key)
{
	struct failure *slot = slot_of(set_of(failures, key), key);
	if (slot != NULL) {
		__atomic_store_n(&slot->key, 0, __ATOMIC_RELAXED);
		used_add(failures, -1);
	}
}

void cache__failures_clear(struct failures *failures)
{
	for (unsigned int i = 0; i < FAILURE_SETS; i++) {
		for (unsigned int j = 0; j < FAILURE_WAYS; j++) {
			__atomic_store_n(&failures->slots[i][j].key, 0, __ATOMIC_RELAXED);
		}
	}
	__atomic_store_n(&failures->used, 0, __ATOMIC_RELAXED);
}

bool cache__failures_may(const struct failures *failures, uint64_t key)
{
	const struct failure *set = failures->slots[(key >> 32) % FAILURE_SETS];
	for (unsigned int i = 0; i < FAILURE_WAYS; i++) {
		if (__atomic_load_n(&set[i].key, __ATOMIC_RELAXED) == key) {
			return true;
		}
	}
	return false;
}

bool cache__failures_find(const struct failures *failures, uint64_t key, uint32_t now_s,
                          struct failure *ret)
{
	const struct failure *set = failures->slots[(key >> 32) % FAILURE_SETS];
	for (unsigned int i = 0; i < FAILURE_WAYS; i++) {
		if (set[i].key == key && is_before(now_s, set[i].until_s)) {
			*ret = set[i];
			return true;
		}
	}
	return false;
}
