#include "zone/health.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The ids lie in the same allocation, behind the checks, which are sorted by them. */
struct health {
	atomic_uint refs;
	size_t count;
	struct health_check checks[];
};

static int by_id(const void *left, const void *right)
{
	const struct health_check *x = left;
	const struct health_check *y = right;
	return strcmp(x->id, y->id);
}

struct health *health_new(const struct health_check *checks, size_t count)
{
	size_t ids_at = sizeof(struct health) + count * sizeof(*checks);
	size_t size = ids_at;
	for (size_t i = 0; i < count; i++) {
		size += strlen(checks[i].id) + 1;
	}
	struct health *health = calloc(1, size);
	if (health == NULL) {
		return NULL;
	}
	char *id = (char *)health + ids_at;
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(checks[i].id) + 1;
		health->checks[i] = checks[i];
		health->checks[i].id = memcpy(id, checks[i].id, len);
		id += len;
	}
	atomic_init(&health->refs, 1);
	health->count = count;
	if (count > 1) {
		qsort(health->checks, count, sizeof(*checks), by_id);
	}
	return health;
}

struct health *health_ref(struct health *health)
{
	atomic_fetch_add_explicit(&health->refs, 1, memory_order_relaxed);
	return health;
}

void health_unref(struct health **health)
{
	struct health *gone = *health;
	*health = NULL;
	if (gone != NULL && atomic_fetch_sub_explicit(&gone->refs, 1, memory_order_acq_rel) == 1) {
		free(gone);
	}
}

const struct health_check *health_find(const struct health *health, const char *id)
{
	if (health == NULL || health->count == 0) {
		return NULL;
	}
	const struct health_check wanted = {.id = id};
	return bsearch(&wanted, health->checks, health->count, sizeof(wanted), by_id);
}

bool health_good(const struct health *health, const char *id)
{
	const struct health_check *check = health_find(health, id);
	return check == NULL || check->healthy;
}

size_t health_count(const struct health *health)
{
	return health == NULL ? 0 : health->count;
}

const struct health_check *health_get(const struct health *health, size_t i)
{
	assert(i < health->count);
	return &health->checks[i];
}
