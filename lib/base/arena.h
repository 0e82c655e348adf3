/*
 * base/arena.h - memory of one question, given back in one call.
 *
 * Memory: chunks from malloc; arena_reset keeps the first chunk for the next use.
 * With HORIZON_ARENA_PLAIN=1 in the environment (or a sanitizer build) every allocation is a malloc
 * of its own, so that the sanitizers see each edge.
 */
#pragma once

#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *head;
	size_t used_total; /* bytes handed out since the last reset, each rounded up to 16 */
	size_t size_max;   /* no more than this is handed out; 0: no limit */
	size_t chunk_size;
};

/* chunk_size: bytes taken from malloc at a time (at least 256). Takes nothing yet. */
void arena_init(struct arena *arena, size_t chunk_size, size_t size_max);

/* Everything back to malloc. The arena may be used again as after arena_init. */
void arena_fini(struct arena *arena);

/* All allocations end; the first chunk stays. */
void arena_reset(struct arena *arena);

/* size bytes, aligned for any type, not cleared; NULL when memory or size_max is at its end. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc, alloc_size(2)));

/* A copy of size bytes (arena_copy) or of a string; NULL as arena_alloc. */
void *arena_copy(struct arena *arena, const void *src, size_t size);
char *arena_text(struct arena *arena, const char *src);
