#include "base/fail.h"
#include "base/log.h"
#include "sync/sync_int.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Status alone (when a zone was looked at, what trouble it has) goes out no more often than this. */
#define STATUS_MS 1000

static void entry_fill(const struct sync_zone *zone, struct zones_entry *entry)
{
	*entry = (struct zones_entry){
		.zone = zone->zone,
		.id = zone->id,
		.origin_known = zone->origin_known,
		.source = zone->source,
		.associated = zone->associated,
		.known = zone->known,
		.unavailable = zone->unavailable,
		.looked_s = zone->looked_s,
		.changed_s = zone->changed_s,
		.calls = zone->calls,
	};
	memcpy(entry->origin, zone->origin, sizeof(entry->origin));
	entry->kept = zone->kept_s != 0 && !zone->unkept;
	entry->failures = zone->failures;
	snprintf(entry->held, sizeof(entry->held), "%s", zone->held_why);
	snprintf(entry->trouble, sizeof(entry->trouble), "%s", zone->trouble);
}

/* NULL: no memory. */
static struct zones *table_make(const struct sync *sync)
{
	struct zones_entry *entries = calloc(sync->zone_count + 1, sizeof(*entries));
	if (entries == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < sync->zone_count; i++) {
		entry_fill(sync->zones[i], &entries[i]);
	}
	struct zones *zones = zones_new(entries, sync->zone_count);
	free(entries);
	if (zones != NULL) {
		zones_set_health(zones, sync_health__table(sync));
	}
	return zones;
}

/* Every zone is loaded or known not to be ours to list. */
static bool ready_now(const struct sync *sync, char *why, size_t why_size)
{
	char label[SYNC_LABEL_MAX];
	if (sync_discover__missing(sync, why, why_size) ||
	    sync_tags__missing(sync, why, why_size)) {
		return false;
	}
	for (size_t i = 0; i < sync->zone_count; i++) {
		const struct sync_zone *zone = sync->zones[i];
		if (zone->zone == NULL && !zone->unavailable) {
			snprintf(why, why_size, "zone %.100s is not loaded yet%s%.100s",
			         sync_zone__label(zone, label),
			         zone->trouble[0] == '\0' ? "" : ": ", zone->trouble);
			return false;
		}
	}
	why[0] = '\0';
	return true;
}

uint64_t sync_publish__due_ms(const struct sync *sync)
{
	if (sync->publish_now) {
		return 0;
	}
	return sync->publish_soon ? sync->published_ms + STATUS_MS : SYNC_NEVER;
}

void sync_publish__try(struct sync *sync, uint64_t now_ms)
{
	if (sync_publish__due_ms(sync) > now_ms) {
		return;
	}
	sync->published_ms = now_ms;
	sync->health.stale = sync->health.stale || sync->publish_now;
	struct zones *zones = table_make(sync);
	if (zones == NULL) {
		log_error("sync", "no memory for a table of %zu zones, trying again",
		          sync->zone_count);
		sync->publish_now = false;
		sync->publish_soon = true; /* in a second */
		return;
	}
	char why[sizeof(sync->why)];
	bool ready = ready_now(sync, why, sizeof(why));
	if (ready && !sync->swept && (sync->discovered || sync->settings->vpc[0] == '\0') &&
	    (sync->tags.listed || sync->settings->tag_count == 0)) {
		sync->swept = true;
		sync_disk__sweep(sync);
	}
	struct zones *last;
	pthread_mutex_lock(&sync->lock);
	last = sync->latest;
	sync->latest = zones_ref(zones);
	sync->ready = ready;
	memcpy(sync->why, why, sizeof(why));
	pthread_mutex_unlock(&sync->lock);
	zones_unref(&last);
	sync->publish_now = false;
	sync->publish_soon = false;
	sync->hooks.publish(sync->hooks.ctx, zones);
}
