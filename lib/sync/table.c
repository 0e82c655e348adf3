#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include "sync/sync_int.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- One zone --- */

void sync_zone__free(struct sync_zone **zone)
{
	struct sync_zone *old = *zone;
	if (old == NULL) {
		return;
	}
	sync_look__abandon(old);
	zone_unref(&old->zone);
	zone_unref(&old->held);
	free(old->file);
	free(old);
	*zone = NULL;
}

bool sync_zone__take(struct sync_zone *zone, struct zone *data, enum zone_source source)
{
	bool same = zone->zone == data || (zone->zone != NULL && data != NULL &&
	                                   zone_fingerprint(zone->zone) == zone_fingerprint(data));
	if (same) {
		zone_unref(&data); /* the one that is served is as good */
		zone->source = zone->zone == NULL ? ZONE_SOURCE_NONE : source;
		return false;
	}
	zone_unref(&zone->zone);
	zone->zone = data;
	zone->source = data == NULL ? ZONE_SOURCE_NONE : source;
	zone->changed_s = wall_s();
	sync_disk__changed(zone);
	if (data != NULL) {
		const uint8_t *origin = zone_origin(data);
		memcpy(zone->origin, origin, dns_name_len(origin));
		zone->origin_known = true;
	}
	return true;
}

const char *sync_zone__label(const struct sync_zone *zone, char *buf)
{
	char name[DNS_NAME_TEXT_MAX] = "";
	if (zone->origin_known) {
		dns_name_text(zone->origin, name);
	}
	snprintf(buf, SYNC_LABEL_MAX, "%.128s%s%s%s", zone->file == NULL ? zone->id : zone->file,
	         zone->origin_known ? " (" : "", name, zone->origin_known ? ")" : "");
	return buf;
}

/* The list is as long as the zone; a log is not. */
#define FAULTS_TOLD 20

struct faults_told {
	const char *label;
	size_t count;
};

static void fault_tell(void *ctx, const char *name, const char *type, const char *why)
{
	struct faults_told *told = ctx;
	if (told->count++ < FAULTS_TOLD) {
		log_warn("sync", "zone %s: fault in %s %s: %s", told->label, name, type, why);
	}
}

static void faults_tell(const struct zone *zone, const char *label)
{
	struct faults_told told = {.label = label};
	zone_each_fault(zone, fault_tell, &told);
	if (told.count > FAULTS_TOLD) {
		log_warn("sync",
		         "zone %s: %zu more faults; `horizonctl zones ZONE --faults` lists them",
		         label, told.count - FAULTS_TOLD);
	}
}

void sync_zone__tell(const struct sync_zone *zone, bool first, bool changed)
{
	char label[SYNC_LABEL_MAX];
	struct zone_stats stats;
	zone_get_stats(zone->zone, &stats);
	sync_zone__label(zone, label);
	if (zone->due.told) {
		log_notice("sync", "zone %s: well again after %u failed looks, %zu sets", label,
		           zone->due.failures, stats.sets);
	} else if (first) {
		log_info("sync", "zone %s: loaded, %zu sets, %zu faults", label, stats.sets,
		         stats.faults);
	} else if (changed) {
		log_info("sync", "zone %s: changed, now %zu sets, %zu faults", label, stats.sets,
		         stats.faults);
	}
	if (first || changed) {
		faults_tell(zone->zone, label);
	}
}

/* --- All of them --- */

struct sync_zone *sync_table__find(const struct sync *sync, const char *id)
{
	for (size_t i = 0; i < sync->zone_count; i++) {
		if (sync->zones[i]->file == NULL && strcmp(sync->zones[i]->id, id) == 0) {
			return sync->zones[i];
		}
	}
	return NULL;
}

static int append(struct sync *sync, struct sync_zone *zone)
{
	struct sync_zone **zones =
		reallocarray(sync->zones, sync->zone_count + 1, sizeof(struct sync_zone *));
	if (zones == NULL) {
		return FAIL_NOMEM;
	}
	sync->zones = zones;
	sync->zones[sync->zone_count++] = zone;
	return 0;
}

struct sync_zone *sync_table__add(struct sync *sync, const char *id)
{
	if (sync->zone_count >= SYNC_ZONES_MAX) {
		log_warn("sync", "more than %d zones: %s is left out", SYNC_ZONES_MAX, id);
		return NULL;
	}
	struct sync_zone *zone = calloc(1, sizeof(*zone));
	if (zone == NULL) {
		return NULL;
	}
	snprintf(zone->id, sizeof(zone->id), "%s", id);
	zone->due.at_ms = mono_ms();
	if (append(sync, zone) != 0) {
		sync_zone__free(&zone);
	}
	return zone;
}

/* Of a file; takes over data. */
static struct sync_zone *add_file(struct sync *sync, const char *path)
{
	struct sync_zone *zone = calloc(1, sizeof(*zone));
	if (zone == NULL) {
		return NULL;
	}
	zone->file = strdup(path);
	zone->due.at_ms = mono_ms();
	if (zone->file == NULL || append(sync, zone) != 0) {
		sync_zone__free(&zone);
	}
	return zone;
}

void sync_table__remove(struct sync *sync, struct sync_zone *zone)
{
	size_t i = 0;
	while (sync->zones[i] != zone) {
		i++;
	}
	memmove(&sync->zones[i], &sync->zones[i + 1],
	        (sync->zone_count - i - 1) * sizeof(struct sync_zone *));
	sync->zone_count--;
	sync->publish_now = true;
	sync_disk__forget(sync, zone);
	if (zone == sync->current) {
		zone->dropped = true; /* whoever looks at it frees it */
		__atomic_store_n(&sync->cancel, true, __ATOMIC_RELEASE);
		return;
	}
	sync_zone__free(&zone);
}

void sync_table__clear(struct sync *sync)
{
	assert(sync->current == NULL);
	for (size_t i = 0; i < sync->zone_count; i++) {
		sync_zone__free(&sync->zones[i]);
	}
	free(sync->zones);
	sync->zones = NULL;
	sync->zone_count = 0;
}

/* --- New settings --- */

static struct sync_zone *find_file(const struct sync *sync, const char *path)
{
	for (size_t i = 0; i < sync->zone_count; i++) {
		const char *file = sync->zones[i]->file;
		if (file != NULL && strcmp(file, path) == 0) {
			return sync->zones[i];
		}
	}
	return NULL;
}

static int apply_ids(struct sync *sync, const struct sync_settings *settings)
{
	for (size_t i = 0; i < settings->zone_count; i++) {
		struct sync_zone *zone = sync_table__find(sync, settings->zones[i]);
		if (zone == NULL) {
			zone = sync_table__add(sync, settings->zones[i]);
		}
		if (zone == NULL) {
			return FAIL_NOMEM;
		}
		zone->configured = true;
	}
	return 0;
}

static int apply_files(struct sync *sync, struct sync_order *order)
{
	const struct sync_settings *settings = order->settings;
	for (size_t i = 0; i < settings->zone_file_count; i++) {
		struct sync_zone *zone = find_file(sync, settings->zone_files[i]);
		if (zone == NULL) {
			zone = add_file(sync, settings->zone_files[i]);
		}
		if (zone == NULL) {
			return FAIL_NOMEM;
		}
		zone->configured = true;
		if (order->files[i] != NULL) {
			bool first = zone->zone == NULL;
			bool changed = sync_zone__take(zone, order->files[i], ZONE_SOURCE_FILE);
			order->files[i] = NULL;
			zone->looked_s = wall_s();
			zone->trouble[0] = '\0';
			sync_zone__tell(zone, first, changed);
		}
	}
	return 0;
}

/* Zones that nobody asks for any more. Those of a VPC go only when it is no longer our VPC. */
static void drop_others(struct sync *sync, bool same_vpc)
{
	for (size_t i = sync->zone_count; i > 0; i--) {
		struct sync_zone *zone = sync->zones[i - 1];
		bool ours = zone->file == NULL && (zone->by_tag || (zone->by_vpc && same_vpc));
		if (!zone->configured && !ours) {
			sync_table__remove(sync, zone);
		} else if (!same_vpc) {
			zone->by_vpc = false;
			zone->foreign = false;
			zone->associated = false;
			zone->known = ZONES_KNOWN_NOT;
			zone->vpc[0] = '\0';
			zone->unkept = true;
		}
	}
}

/* Other tags: those that a zone has are asked for again; without any nobody is wanted for them. */
static void tags_anew(struct sync *sync, const struct sync_settings *settings)
{
	for (size_t i = 0; i < sync->zone_count; i++) {
		struct sync_zone *zone = sync->zones[i];
		zone->by_tag = zone->by_tag && settings->tag_count != 0;
	}
	if (sync->in_call) {
		sync->tags_stale =
			true; /* whoever is in a call may be a round: it sees that after it */
		sync->tags.due.at_ms = mono_ms();
	} else {
		sync_tags__clear(sync);
	}
}

/* Another folder: all go there. */
static void move_in(struct sync *sync)
{
	sync->disk_due = (struct sync_due){0};
	for (size_t i = 0; i < sync->zone_count; i++) {
		sync->zones[i]->unkept = true;
	}
}

/* Another API, another VPC: all that was learned there is asked again. */
static void begin_anew(struct sync *sync)
{
	uint64_t now_ms = mono_ms();
	sync->aws_stale = true;
	if (sync->in_call) {
		__atomic_store_n(&sync->cancel, true, __ATOMIC_RELEASE);
	}
	sync->discovered = false;
	sync->discovery_denied = false;
	sync->discovery = (struct sync_due){.at_ms = now_ms};
	if (sync->in_call) {
		sync->tags_stale = true;
	} else {
		sync_tags__clear(sync);
	}
	sync->instance_due = (struct sync_due){.at_ms = now_ms};
	sync->instance_absent = false;
	for (size_t i = 0; i < sync->zone_count; i++) {
		sync->zones[i]->due = (struct sync_due){.at_ms = now_ms};
		sync->zones[i]->missing = 0;
		if (sync->zones[i] != sync->current) {
			sync_look__abandon(sync->zones[i]);
		}
	}
}

int sync_table__apply(struct sync *sync, struct sync_order *order)
{
	const struct sync_settings *old = sync->settings;
	bool first = old == NULL;
	bool same_vpc = first || (strcmp(old->vpc, order->settings->vpc) == 0 &&
	                          old->api == order->settings->api);
	bool same_api = !first && sync_settings__same_api(old, order->settings);
	for (size_t i = 0; i < sync->zone_count; i++) {
		sync->zones[i]->configured = false;
	}
	int ret = apply_ids(sync, order->settings);
	ret = ret != 0 ? ret : apply_files(sync, order);
	if (!first && !sync_settings__same_tags(old, order->settings)) {
		tags_anew(sync, order->settings);
	}
	drop_others(sync, same_vpc);
	bool same_dir = first || strcmp(old->state_dir, order->settings->state_dir) == 0;
	sync_settings__free(&sync->settings);
	sync->settings = sync_order__use_up(&order);
	if (first) {
		sync_budget__init(&sync->budget, sync->settings->rate, mono_ms());
	} else {
		sync_budget__set_rate(&sync->budget, sync->settings->rate, mono_ms());
	}
	if (!same_api) {
		begin_anew(sync);
	}
	if (!same_dir) {
		move_in(sync);
	}
	sync->fleet_stale = true;
	sync->swept = false;
	sync->publish_now = true;
	return ret;
}
