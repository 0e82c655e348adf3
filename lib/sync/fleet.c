/*
 * sync/fleet.c - zones' copies from other horizonds, in place of listings.
 *
 * A peer says of each zone what it holds, when it listed it and until when it knows it to be so. What differs from ours
 * and is no older is fetched and checked like a copy on disk. A zone that a peer vouches for is not listed here; when no
 * peer has for three intervals its turn at the API comes as if there were none. Which zones there are is not asked of
 * peers: that the settings and the VPC say.
 */
#include "sync/sync_int.h"

#include "aws/fleet.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include "zone/copy.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A zone's own turn comes when nobody has vouched for it this many intervals. */
#define VOUCHED_INTERVALS 3

/* Clocks of the fleet may be this far apart. */
#define CLOCK_S 60

/* --- What we tell others --- */

void sync_fleet_index(struct sync *sync, struct text *out)
{
	pthread_mutex_lock(&sync->lock);
	struct zones *zones = zones_ref(sync->latest);
	bool feed = sync->feed;
	pthread_mutex_unlock(&sync->lock);
	for (size_t i = 0; i < zones_count(zones); i++) {
		const struct zones_entry *entry = zones_get(zones, i);
		if (entry->zone == NULL || entry->id[0] == '\0' ||
		    entry->source == ZONE_SOURCE_FILE) {
			continue;
		}
		bool told = feed && entry->source == ZONE_SOURCE_API && entry->trouble[0] == '\0';
		text_addf(out, "%s %016" PRIx64 " %" PRId64 " %" PRId64 "\n", entry->id,
		          zone_fingerprint(entry->zone), entry->looked_s,
		          told ? wall_s() : entry->looked_s);
	}
	zones_unref(&zones);
}

/* --- What others tell us --- */

struct round {
	struct fleet_zone *items;
	size_t count;
	size_t room;
	bool bad; /* no memory, or too many */
};

static void on_zone(void *ctx, const struct fleet_zone *zone)
{
	struct round *round = ctx;
	if (round->count == round->room && !round->bad) {
		size_t room = round->room == 0 ? 64 : 2 * round->room;
		struct fleet_zone *items =
			room > 2 * SYNC_ZONES_MAX
				? NULL
				: reallocarray(round->items, room, sizeof(*items));
		round->bad = items == NULL;
		round->items = items == NULL ? round->items : items;
		round->room = items == NULL ? round->room : room;
	}
	if (!round->bad) {
		round->items[round->count++] = *zone;
	}
}

static uint64_t vouched_ms(const struct sync *sync)
{
	return UINT64_C(1000) * VOUCHED_INTERVALS * sync->settings->interval_s;
}

/* A zone that may come from a peer: one of the API that is not being listed. NULL: none. */
static struct sync_zone *zone_for(const struct sync *sync, const struct fleet_zone *item)
{
	struct sync_zone *zone = sync_table__find(sync, item->id);
	int64_t most_s = (int64_t)(vouched_ms(sync) / 1000) + CLOCK_S;
	bool usable = zone != NULL && zone->file == NULL && !zone->foreign &&
	              zone->listing == NULL && !zone->asked && wall_s() - item->known_s <= most_s;
	return usable ? zone : NULL;
}

/* The copy, whole and checked. why: one line on failure. */
static int copy_get(struct sync *sync, size_t peer, const struct fleet_zone *item,
                    struct zone **ret_zone, char *why, size_t why_size)
{
	char dir[PATH_MAX], path[PATH_MAX + 64];
	struct zone_copy copy;
	struct zone *data = NULL;
	snprintf(dir, sizeof(dir), "%s/peer", sync->settings->state_dir);
	snprintf(path, sizeof(path), "%s/%s.zone", dir, item->id);
	if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		snprintf(why, why_size, "%.200s: %s", dir, fail_text(-errno));
		return -errno;
	}
	int ret = fleet_fetch(sync->fleet, peer, item->id, path);
	if (ret != 0) {
		snprintf(why, why_size, "%s", fleet_trouble(sync->fleet));
	} else {
		ret = zone_copy_read(dir, item->id, &copy, &data, why, why_size);
	}
	unlink(path);
	if (ret == 0 && zone_fingerprint(data) != item->fingerprint) {
		snprintf(why, why_size, "the copy is not what the peer has now");
		zone_unref(&data);
		ret = FAIL_CHANGED;
	}
	if (ret == 0) {
		*ret_zone = data; /* the caller's now */
	}
	return ret;
}

static void zone_vouched(struct sync *sync, struct sync_zone *zone, const struct fleet_zone *item)
{
	int64_t now_s = wall_s();
	int64_t known_s = item->known_s < now_s ? item->known_s : now_s;
	sync->publish_now = sync->publish_now || zone->trouble[0] != '\0';
	sync->publish_soon = true;
	zone->looked_s = known_s > zone->looked_s ? known_s : zone->looked_s;
	zone->unavailable = false;
	zone->trouble[0] = '\0';
	zone->missing = 0;
	zone->changing = 0;
	zone->due = (struct sync_due){.at_ms = mono_ms() + vouched_ms(sync)};
	sync_disk__looked(zone);
}

static void zone_taken(struct sync *sync, struct sync_zone *zone, struct zone *data)
{
	bool first = zone->zone == NULL;
	sync_guard__drop(zone);
	bool changed = sync_zone__take(zone, data, ZONE_SOURCE_PEER);
	sync_zone__tell(zone, first, changed);
	sync->publish_now = true;
	sync_discover__associate(sync, zone);
}

/* False: the round is over. */
static bool item_use(struct sync *sync, size_t peer, const struct fleet_zone *item)
{
	char why[PATH_MAX + 256] = "", label[SYNC_LABEL_MAX];
	struct zone *data = NULL;
	struct sync_zone *zone = zone_for(sync, item);
	if (zone == NULL) {
		return true;
	}
	if (zone->zone != NULL && zone_fingerprint(zone->zone) == item->fingerprint) {
		sync->publish_now = sync->publish_now || zone->source != ZONE_SOURCE_PEER;
		zone->source = ZONE_SOURCE_PEER;
		zone_vouched(sync, zone, item);
		return true;
	}
	if (zone->zone != NULL && item->looked_s < zone->looked_s) {
		return true; /* ours is newer */
	}
	int ret = copy_get(sync, peer, item, &data, why, sizeof(why));
	/* Orders may have been taken up meanwhile. */
	zone = zone_for(sync, item);
	if (ret == 0 && zone != NULL && !sync->fleet_stale &&
	    (!zone->origin_known || dns_name_equal(zone->origin, zone_origin(data)))) {
		zone_taken(sync, zone, data);
		zone_vouched(sync, zone, item);
		return true;
	}
	zone_unref(&data);
	if (ret != 0 && ret != FAIL_SHUTDOWN && ret != FAIL_CHANGED && zone != NULL) {
		log_warn("sync", "zone %s: its copy is not taken from a peer: %s",
		         sync_zone__label(zone, label), why);
	}
	return ret != FAIL_SHUTDOWN && ret != FAIL_NET && ret != FAIL_TIMEOUT && !sync->fleet_stale;
}

static void round_good(struct sync *sync)
{
	if (sync->fleet_due.told) {
		log_notice("sync", "a peer answers again");
	}
	sync->fleet_tried = 0;
	sync_due__good(&sync->fleet_due, mono_ms(),
	               UINT64_C(1000) * sync->settings->min_interval_s);
}

/* The next peer is asked when what else is due has had its turn; after all of them there is a rest. */
static void round_failed(struct sync *sync, int ret)
{
	struct sync_due *due = &sync->fleet_due;
	due->at_ms = mono_ms();
	if (ret == FAIL_SHUTDOWN) {
		return;
	}
	sync->fleet_last = (sync->fleet_last + 1) % sync->settings->peer_count;
	if (++sync->fleet_tried % sync->settings->peer_count != 0) {
		return;
	}
	sync_due__fail(sync, due);
	if (!due->told) {
		log_warn("sync", "no peer answers: %s; zones are listed from the API",
		         fleet_trouble(sync->fleet));
		due->told = true;
	}
}

void sync_fleet__look(struct sync *sync)
{
	struct round round = {0};
	size_t peer = sync->fleet_last;
	int ret = fleet_index(sync->fleet, peer, on_zone, &round);
	ret = ret == 0 && round.bad ? FAIL_LIMIT : ret;
	bool going = ret == 0 && !sync->fleet_stale;
	for (size_t i = 0; i < round.count && going; i++) {
		going = item_use(sync, peer, &round.items[i]);
		sync_run__attend(sync);
		going = going && !sync->fleet_stale;
	}
	if (sync->fleet_stale) {
		sync->fleet_due.at_ms = mono_ms(); /* other peers now */
	} else if (ret == 0) {
		round_good(sync);
	} else {
		round_failed(sync, ret);
	}
	free(round.items);
}

/* --- As the settings say --- */

uint64_t sync_fleet__due_ms(const struct sync *sync)
{
	return sync->fleet == NULL ? SYNC_NEVER : sync->fleet_due.at_ms;
}

void sync_fleet__stop(struct sync *sync)
{
	fleet_free(&sync->fleet);
}

void sync_fleet__follow(struct sync *sync)
{
	const struct sync_settings *settings = sync->settings;
	if (!sync->fleet_stale) {
		return;
	}
	sync->fleet_stale = false;
	sync->fleet_last = 0;
	sync->fleet_tried = 0;
	sync->fleet_due = (struct sync_due){.at_ms = 0};
	fleet_free(&sync->fleet);
	if (!settings->api || settings->peer_count == 0 || settings->state_dir[0] == '\0') {
		return;
	}
	const struct fleet_opts opts = {
		.peers = settings->peers,
		.peer_count = settings->peer_count,
		.name = settings->peer_name,
		.certificate = settings->peer_certificate,
		.key = settings->peer_key,
		.ca = settings->peer_ca,
		.cancel = &sync->cancel,
		.idle = sync_run__idle,
		.idle_ctx = sync,
	};
	sync->fleet = fleet_new(&opts);
	if (sync->fleet == NULL) {
		log_error("sync", "peers cannot be asked: %s", fail_text(FAIL_NOMEM));
	}
}
