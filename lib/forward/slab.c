#include "forward/slab_int.h"
#include <assert.h>
#include <stdlib.h>

#define SLAB_BLOCK 64

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define SLAB_PLAIN 1
#else
#define SLAB_PLAIN 0
#endif

struct slab_block {
	struct slab_block *next;
	_Alignas(max_align_t) unsigned char things[];
};

void slab__init(struct slab *slab, size_t size)
{
	const size_t grain = _Alignof(max_align_t);
	*slab = (struct slab){.size = (size + grain - 1) / grain * grain};
}

void slab__fini(struct slab *slab)
{
	assert(slab->used == 0);
	while (slab->blocks != NULL) {
		struct slab_block *block = slab->blocks;
		slab->blocks = block->next;
		free(block);
	}
	slab->idle = NULL;
}

static void idle_push(struct slab *slab, void *thing)
{
	*(void **)thing = slab->idle;
	slab->idle = thing;
}

static void block_add(struct slab *slab)
{
	struct slab_block *block = malloc(sizeof(*block) + SLAB_BLOCK * slab->size);
	if (block == NULL) {
		return;
	}
	block->next = slab->blocks;
	slab->blocks = block;
	for (size_t i = SLAB_BLOCK; i > 0; i--) {
		idle_push(slab, block->things + (i - 1) * slab->size);
	}
}

void *slab__get(struct slab *slab)
{
	void *thing = NULL;
	if (SLAB_PLAIN) {
		thing = malloc(slab->size);
	} else {
		if (slab->idle == NULL) {
			block_add(slab);
		}
		thing = slab->idle;
		if (thing != NULL) {
			slab->idle = *(void **)thing;
		}
	}
	slab->used += thing != NULL;
	return thing;
}

void slab__put(struct slab *slab, void *thing)
{
	assert(slab->used > 0);
	slab->used--;
	if (SLAB_PLAIN) {
		free(thing);
	} else {
		idle_push(slab, thing);
	}
}
