/*
 * forward/slab_int.h - things of one size, given back to a free list.
 *
 * Loop:   one worker's.
 * Memory: blocks of SLAB_BLOCK things from malloc; they go back with slab__fini alone, so the
 *         peak stays. In a sanitizer build every thing is a malloc of its own, so that each edge
 *         is seen.
 */
#pragma once

#include <stddef.h>

struct slab_block;

struct slab {
	size_t size;
	void *idle;
	struct slab_block *blocks;
	size_t used; /* things handed out */
};

void slab__init(struct slab *slab, size_t size);
/* Everything has been put back. */
void slab__fini(struct slab *slab);
/* Not cleared. NULL when memory is short. */
void *slab__get(struct slab *slab);
void slab__put(struct slab *slab, void *thing);
