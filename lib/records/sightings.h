/*
 * records/sightings.h - which records were seen without a living owner, and since when: on disk, over restarts (R7).
 *
 * A record that is seen well in between, or that changed, begins anew.
 */
#pragma once

#include "records/sweep_plan.h"

struct sightings;

/* Reads DIR/sightings.json; a file that makes no sense counts as none (told in the log). NULL: no memory. */
struct sightings *sightings_load(const char *dir);
/* A sweep_seen_fn. */
int64_t sightings_seen(void *sightings, const struct sweep_item *item);
/* Keeps those of the plan's items that are gone now, with now_s for new ones, and writes the file. 0 or -errno. */
int sightings_save(struct sightings *sightings, const char *dir, const struct sweep_plan *plan,
                   int64_t now_s);
void sightings_free(struct sightings **sightings);
