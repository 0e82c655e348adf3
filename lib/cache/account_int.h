/*
 * cache/account_int.h - what the whole cache has taken from the system, against what it may take.
 *
 * All shards share it; it is written when a block or a table segment is taken or given back, so
 * once in some hundred stores.
 */
#pragma once

#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>

#define CACHE_LINE 64 /* octets that travel between processors together */

struct cache_account {
	_Alignas(CACHE_LINE) size_t total;
	size_t size_max;
};

/* Takes bytes; false, and nothing taken, when they are not there. */
static inline bool cache__account_take(struct cache_account *account, size_t bytes)
{
	size_t total = __atomic_add_fetch(&account->total, bytes, __ATOMIC_RELAXED);
	if (total <= __atomic_load_n(&account->size_max, __ATOMIC_RELAXED)) {
		return true;
	}
	__atomic_fetch_sub(&account->total, bytes, __ATOMIC_RELAXED);
	return false;
}

static inline void cache__account_give(struct cache_account *account, size_t bytes)
{
	__atomic_fetch_sub(&account->total, bytes, __ATOMIC_RELAXED);
}

/* What could still be taken. */
static inline size_t cache__account_left(const struct cache_account *account)
{
	size_t total = __atomic_load_n(&account->total, __ATOMIC_RELAXED);
	size_t size_max = __atomic_load_n(&account->size_max, __ATOMIC_RELAXED);
	return total < size_max ? size_max - total : 0;
}

/* What malloc took for this: its length word stands in front of what it calls usable. */
static inline size_t cache__malloc_bytes(void *memory)
{
	return malloc_usable_size(memory) + sizeof(size_t);
}
