/*
 * zone/health.h - what is known of health checks: an immutable table by id, published beside the zones.
 *
 * Loop: any thread may read; whoever holds a reference keeps it alive.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct health;

struct health_check {
	const char *id;
	bool healthy;
	int64_t known_s; /* wall clock of the last word on it */
};

/* Copies. Of two with one id either counts. NULL when memory is short. */
struct health *health_new(const struct health_check *checks, size_t count);
struct health *health_ref(struct health *health);
/* Drops a reference and sets *health to NULL; NULL is fine. */
void health_unref(struct health **health);

/* NULL: nothing is known of it. health may be NULL. */
const struct health_check *health_find(const struct health *health, const char *id);
/* A check that nobody tells of counts as healthy, as a new one does at Route 53. */
bool health_good(const struct health *health, const char *id);

size_t health_count(const struct health *health);
const struct health_check *health_get(const struct health *health, size_t i);
