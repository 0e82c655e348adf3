/* rooms: cache */
/* A file of kept answers: as it is, and its entries with sums that fit, so that what lies behind them is reached. */
#include "cache/persist_int.h"
#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_S  1000
#define WALL_S 5000

static struct cache *cache_of_ours(void)
{
	struct cache_opts opts = {.size_max = 1 << 20, .stale_s = 86400};
	struct cache *cache = cache_new(&opts);
	assert(cache != NULL);
	return cache;
}

static void block_put(uint8_t *at, const uint8_t *bytes, size_t size)
{
	put_u32(at + 8, (uint32_t)size);
	if (size != 0) {
		memcpy(at + PERSIST_BLOCK_HEAD, bytes, size);
	}
	persist__put_u64(at, hash_stable(at + 8, 4 + size));
}

static void restore_entries(struct cache *cache, const uint8_t *data, size_t size)
{
	size_t whole = PERSIST_HEAD + 2 * PERSIST_BLOCK_HEAD + size;
	uint8_t *file = calloc(1, whole);
	assert(file != NULL);
	memcpy(file, PERSIST_MAGIC, 8);
	put_u32(file + 8, PERSIST_VERSION);
	persist__put_u64(file + 16, WALL_S - 10);
	persist__put_u64(file + 24, hash_stable(file, 24));
	block_put(file + PERSIST_HEAD, data, size);
	block_put(file + PERSIST_HEAD + PERSIST_BLOCK_HEAD + size, NULL, 0);
	size_t count;
	const char *why;
	int ret = cache__restore(cache, file, size == 0 ? whole - PERSIST_BLOCK_HEAD : whole, NOW_S,
	                         WALL_S, &count, &why);
	assert(ret == 0 || why != NULL);
	free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t count;
	const char *why;
	struct cache *cache = cache_of_ours();
	cache__restore(cache, data, size, NOW_S, WALL_S, &count, &why);
	restore_entries(cache, data, size);
	cache_free(&cache);
	return 0;
}
