#include "base/arena.h"
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct arena_chunk {
	struct arena_chunk *next;
	size_t size; /* of bytes */
	size_t used;
	_Alignas(max_align_t) uint8_t bytes[];
};

#define ARENA_ALIGN _Alignof(max_align_t)

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||           \
	__has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
static bool arena_plain = true;
#else
static bool arena_plain = false;
#endif

__attribute__((constructor)) static void arena_plain_read(void)
{
	const char *word = getenv("HORIZON_ARENA_PLAIN");
	if (word != NULL && strcmp(word, "1") == 0) {
		arena_plain = true;
	}
}

void arena_init(struct arena *arena, size_t chunk_size, size_t size_max)
{
	assert(chunk_size >= 256);
	*arena = (struct arena){.size_max = size_max, .chunk_size = chunk_size};
}

/* Gives all chunks back but, when keep_one, one of the usual size. */
static void chunks_free(struct arena *arena, bool keep_one)
{
	struct arena_chunk *kept = NULL;
	struct arena_chunk *chunk = arena->head;
	while (chunk != NULL) {
		struct arena_chunk *next = chunk->next;
		if (keep_one && kept == NULL && chunk->size == arena->chunk_size) {
			kept = chunk;
			kept->next = NULL;
			kept->used = 0;
		} else {
			free(chunk);
		}
		chunk = next;
	}
	arena->head = kept;
	arena->used_total = 0;
}

void arena_fini(struct arena *arena)
{
	chunks_free(arena, false);
}

void arena_reset(struct arena *arena)
{
	chunks_free(arena, !arena_plain);
}

static struct arena_chunk *chunk_new(size_t size)
{
	if (size > SIZE_MAX - sizeof(struct arena_chunk)) {
		return NULL;
	}
	struct arena_chunk *chunk = malloc(sizeof(*chunk) + size);
	if (chunk != NULL) {
		*chunk = (struct arena_chunk){.size = size};
	}
	return chunk;
}

/* A chunk of one allocation goes behind the head, which may still have room for small ones. */
static void *alloc_apart(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk = chunk_new(size);
	if (chunk == NULL) {
		return NULL;
	}
	chunk->used = size;
	struct arena_chunk **at = arena->head != NULL ? &arena->head->next : &arena->head;
	chunk->next = *at;
	*at = chunk;
	return chunk->bytes;
}

static void *alloc_packed(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk = arena->head;
	if (chunk == NULL || chunk->size - chunk->used < size) {
		if (chunk != NULL && size > arena->chunk_size / 4) {
			return alloc_apart(arena, size);
		}
		chunk = chunk_new(arena->chunk_size > size ? arena->chunk_size : size);
		if (chunk == NULL) {
			return NULL;
		}
		chunk->next = arena->head;
		arena->head = chunk;
	}
	void *at = chunk->bytes + chunk->used;
	chunk->used += size;
	return at;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	if (size > SIZE_MAX - ARENA_ALIGN) {
		return NULL;
	}
	size_t exact = size == 0 ? 1 : size;
	size_t padded = (exact + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
	if (arena->size_max != 0 && padded > arena->size_max - arena->used_total) {
		return NULL;
	}

	/* Apart and unpadded, one byte too far is seen. */
	void *at = arena_plain ? alloc_apart(arena, exact) : alloc_packed(arena, padded);
	if (at != NULL) {
		arena->used_total += padded;
	}
	return at;
}

void *arena_copy(struct arena *arena, const void *src, size_t size)
{
	void *copy = arena_alloc(arena, size);
	if (copy != NULL && size != 0) {
		memcpy(copy, src, size);
	}
	return copy;
}

char *arena_text(struct arena *arena, const char *src)
{
	return arena_copy(arena, src, strlen(src) + 1);
}
