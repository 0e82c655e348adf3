/*
 * sync/disk.c - the zones' copies in state_dir/zones.
 *
 * At start a copy is served when the zone is still wanted: named in the settings, or one of the VPC's while the VPC in the
 * settings is the one that the copy was made in, or wanted for its tags while the settings name any (until those of now
 * have been listed). With vpc = "auto" that is known once instance metadata has answered; a copy
 * of another VPC (a disk that was cloned) is served until then and dropped then. Whether the zone is associated is believed
 * under the same condition. Copies of zones that nobody wants are removed once all that is wanted is known.
 */
#include "sync/sync_int.h"

#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include "zone/copy.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A zone that does not change is written again this often, for the time of its last look alone. */
#define REFRESH_S 3600

#define RETRY_MS 30000

static bool off(const struct sync *sync)
{
	return sync->settings->state_dir[0] == '\0' || !sync->settings->api;
}

static const char *folder(const struct sync *sync, char *buf)
{
	snprintf(buf, PATH_MAX, "%s/zones", sync->settings->state_dir);
	return buf;
}

static bool keepable(const struct sync *sync, const struct sync_zone *zone)
{
	return !off(sync) && zone->file == NULL && zone->zone != NULL &&
	       zone_copy_id_fits(zone->id);
}

/* --- At start --- */

struct loading {
	struct sync *sync;
	const char *dir;
	size_t zones;
	size_t sets;
	size_t damaged;
};

static bool in_settings(const struct sync_settings *settings, const char *id)
{
	for (size_t i = 0; i < settings->zone_count; i++) {
		if (strcmp(settings->zones[i], id) == 0) {
			return true;
		}
	}
	return false;
}

/* The copy was made in the VPC of the settings, as far as that can be told. */
static bool same_vpc(const struct sync *sync, const struct zone_copy *copy)
{
	const char *vpc = sync->settings->vpc;
	return strcmp(vpc, copy->vpc) == 0 || strcmp(vpc, "auto") == 0;
}

static void copy_serve(struct loading *loading, const struct zone_copy *copy, struct zone *data)
{
	struct sync *sync = loading->sync;
	struct zone_stats stats;
	struct sync_zone *zone = sync_table__find(sync, copy->id);
	zone = zone != NULL ? zone : sync_table__add(sync, copy->id);
	if (zone == NULL || zone->zone != NULL) {
		zone_unref(&data);
		return;
	}
	bool ours = same_vpc(sync, copy);
	sync_zone__take(zone, data, ZONE_SOURCE_DISK);
	zone->by_vpc = ours && copy->by_vpc;
	zone->by_tag = copy->by_tag && sync->settings->tag_count != 0;
	zone->associated = ours && copy->associated;
	zone->known = ours ? copy->known : ZONES_KNOWN_NOT;
	snprintf(zone->account, sizeof(zone->account), "%s", copy->account);
	zone->looked_s = copy->looked_s;
	zone->changed_s = copy->changed_s;
	zone->kept_s = copy->looked_s;
	snprintf(zone->vpc, sizeof(zone->vpc), "%s", ours ? copy->vpc : "");
	sync->remembered = sync->remembered || zone->by_vpc || zone->by_tag;
	zone_get_stats(data, &stats);
	loading->zones++;
	loading->sets += stats.sets;
}

static void copy_damaged(struct loading *loading, const char *id, const char *why)
{
	int ret = zone_copy_set_aside(loading->dir, id);
	loading->damaged++;
	log_error("sync", "%s; %s %s.zone.damaged, the zone is listed anew", why,
	          ret == 0 ? "set aside as" : "cannot be set aside as", id);
}

static void copy_load(void *ctx, const char *id)
{
	struct loading *loading = ctx;
	const struct sync *sync = loading->sync;
	struct zone_copy copy;
	struct zone *data = NULL;
	char why[PATH_MAX + 256];
	int ret = zone_copy_read(loading->dir, id, &copy, &data, why, sizeof(why));
	if (ret == FAIL_FORMAT || ret == FAIL_CHANGED) {
		copy_damaged(loading, id, why);
		return;
	}
	if (ret != 0) {
		log_error("sync", "copy of a zone not read, the zone is listed anew: %s", why);
		return;
	}
	bool wanted = in_settings(sync->settings, id) ||
	              (copy.by_tag && sync->settings->tag_count != 0) ||
	              (copy.by_vpc && sync->settings->vpc[0] != '\0' && same_vpc(sync, &copy));
	if (wanted) {
		copy_serve(loading, &copy, data);
	} else {
		zone_unref(&data);
	}
}

static void folder_make(const char *dir)
{
	if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		log_warn("sync", "cannot make %s: %s; zones are not kept for the next start", dir,
		         fail_text(-errno));
	}
}

void sync_disk__load(struct sync *sync)
{
	char dir[PATH_MAX];
	if (off(sync)) {
		return;
	}
	uint64_t began_us = mono_us();
	struct loading loading = {.sync = sync, .dir = folder(sync, dir)};
	folder_make(dir);
	int ret = zone_copy_each(dir, SYNC_ZONES_MAX, copy_load, &loading);
	if (ret != 0) {
		log_error("sync", "%s cannot be read: %s", dir, fail_text(ret));
	} else if (loading.zones + loading.damaged > 0) {
		log_notice("sync", "%zu zones with %zu sets from %s in %.1f ms", loading.zones,
		           loading.sets, dir, (double)(mono_us() - began_us) / 1000);
	}
}

/* --- Later --- */

static const char *vpc_now(const struct sync *sync)
{
	const char *vpc = sync->settings->vpc;
	return strcmp(vpc, "auto") == 0 ? sync->instance.vpc_id : vpc;
}

void sync_disk__arrived(struct sync *sync)
{
	char label[SYNC_LABEL_MAX];
	const char *vpc = vpc_now(sync);
	for (size_t i = sync->zone_count; i > 0; i--) {
		struct sync_zone *zone = sync->zones[i - 1];
		if (zone->vpc[0] == '\0' || strcmp(zone->vpc, vpc) == 0) {
			continue;
		}
		log_warn("sync", "zone %s: its copy on disk was made in %s, we are in %s: %s",
		         sync_zone__label(zone, label), zone->vpc, vpc[0] == '\0' ? "none" : vpc,
		         zone->configured ? "association is found out anew" : "not served");
		zone->by_vpc = false;
		zone->associated = false;
		zone->known = ZONES_KNOWN_NOT;
		zone->vpc[0] = '\0';
		zone->unkept = true;
		sync->publish_now = true;
		if (!zone->configured && !zone->by_tag) {
			sync_table__remove(sync, zone);
		}
	}
}

void sync_disk__changed(struct sync_zone *zone)
{
	zone->unkept = true;
}

void sync_disk__looked(struct sync_zone *zone)
{
	zone->unkept = zone->unkept || zone->looked_s - zone->kept_s >= REFRESH_S ||
	               zone->looked_s < zone->kept_s;
}

static void copy_fill(const struct sync *sync, const struct sync_zone *zone, struct zone_copy *copy)
{
	*copy = (struct zone_copy){
		.by_vpc = zone->by_vpc,
		.by_tag = zone->by_tag,
		.associated = zone->associated,
		.known = zone->known,
		.looked_s = zone->looked_s,
		.changed_s = zone->changed_s,
	};
	snprintf(copy->account, sizeof(copy->account), "%s", zone->account);
	snprintf(copy->id, sizeof(copy->id), "%.*s", ZONE_COPY_ID_MAX - 1, zone->id);
	/* Until metadata has answered the VPC is taken to be that of before. */
	const char *vpc = vpc_now(sync);
	snprintf(copy->vpc, sizeof(copy->vpc), "%s", vpc[0] == '\0' ? zone->vpc : vpc);
}

static void write_failed(struct sync *sync, const char *dir, int ret)
{
	sync->disk_due.at_ms = mono_ms() + RETRY_MS;
	sync->disk_due.failures++;
	if (!sync->disk_due.told) {
		log_error("sync",
		          "zones cannot be kept in %s: %s; they are served from memory, the copies "
		          "of "
		          "before stay, next try in %d s",
		          dir, fail_text(ret), RETRY_MS / 1000);
	}
	sync->disk_due.told = true;
	snprintf(sync->disk_trouble, sizeof(sync->disk_trouble), "%s", fail_text(ret));
	sync->publish_soon = true;
}

static struct sync_zone *unkept_zone(const struct sync *sync)
{
	for (size_t i = 0; i < sync->zone_count; i++) {
		if (sync->zones[i]->unkept && keepable(sync, sync->zones[i])) {
			return sync->zones[i];
		}
	}
	return NULL;
}

void sync_disk__write(struct sync *sync)
{
	char dir[PATH_MAX];
	struct zone_copy copy;
	struct sync_zone *zone = unkept_zone(sync);
	folder(sync, dir);
	copy_fill(sync, zone, &copy);
	if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		write_failed(sync, dir, -errno);
		return;
	}
	int ret = zone_copy_write(dir, &copy, zone->zone);
	if (ret != 0) {
		write_failed(sync, dir, ret);
		return;
	}
	zone->unkept = false;
	zone->kept_s = zone->looked_s;
	snprintf(zone->vpc, sizeof(zone->vpc), "%s", copy.vpc);
	if (sync->disk_due.told) {
		log_notice("sync", "zones are kept in %s again", dir);
	}
	sync->disk_due = (struct sync_due){0};
	sync->disk_trouble[0] = '\0';
	sync->publish_soon = true;
}

uint64_t sync_disk__due_ms(const struct sync *sync)
{
	return unkept_zone(sync) == NULL ? SYNC_NEVER : sync->disk_due.at_ms;
}

void sync_disk__finish(struct sync *sync)
{
	while (unkept_zone(sync) != NULL && sync->disk_due.failures == 0) {
		sync_disk__write(sync);
	}
}

void sync_disk__forget(struct sync *sync, const struct sync_zone *zone)
{
	char dir[PATH_MAX];
	if (!off(sync) && zone->file == NULL && zone_copy_id_fits(zone->id)) {
		int ret = zone_copy_remove(folder(sync, dir), zone->id);
		if (ret != 0) {
			log_warn("sync", "the copy of zone %s in %s cannot be removed: %s",
			         zone->id, dir, fail_text(ret));
		}
	}
}

static void copy_sweep(void *ctx, const char *id)
{
	struct loading *loading = ctx;
	if (sync_table__find(loading->sync, id) != NULL) {
		return;
	}
	int ret = zone_copy_remove(loading->dir, id);
	log_notice("sync", "zone %s: not wanted any more, its copy on disk is %s%s", id,
	           ret == 0 ? "removed" : "not removed: ", ret == 0 ? "" : fail_text(ret));
}

void sync_disk__sweep(struct sync *sync)
{
	char dir[PATH_MAX];
	struct loading loading = {.sync = sync, .dir = folder(sync, dir)};
	if (!off(sync)) {
		zone_copy_each(dir, SYNC_ZONES_MAX, copy_sweep, &loading);
	}
}
