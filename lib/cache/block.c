#include "cache/block_int.h"
#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* With the address sanitizer from malloc, so that it sees a reader who stays too long. */
#ifdef __SANITIZE_ADDRESS__
static void *pages_map(size_t bytes)
{
	return malloc(bytes);
}

static void pages_unmap(void *pages, size_t bytes)
{
	free(pages);
}
#else
static void *pages_map(size_t bytes)
{
	void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return pages != MAP_FAILED ? pages : NULL;
}

static void pages_unmap(void *pages, size_t bytes)
{
	munmap(pages, bytes);
}
#endif

size_t cache__block_round(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	return (bytes + page - 1) & ~(page - 1);
}

struct cache_block *cache__block_new(struct cache_account *account, size_t bytes)
{
	if (!cache__account_take(account, bytes)) {
		return NULL;
	}
	struct cache_block *block = pages_map(bytes);
	if (block == NULL) {
		cache__account_give(account, bytes);
		return NULL;
	}
	block->account = account;
	block->younger = NULL;
	block->bytes = bytes;
	block->used = 0;
	return block;
}

void cache__block_free(struct cache_block *block)
{
	struct cache_account *account = block->account;
	size_t bytes = block->bytes;
	pages_unmap(block, bytes);
	cache__account_give(account, bytes);
}

/* On a thread of the library. */
static void block_end(struct epoch_head *head)
{
	static_assert(offsetof(struct cache_block, head) == 0, "a block is found by its head");
	cache__block_free((struct cache_block *)(void *)head);
}

void cache__block_bury(struct cache_block *block)
{
	epoch_defer(&block->head, block_end);
}
