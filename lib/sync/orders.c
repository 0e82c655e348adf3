/* sync/orders.c - what other threads want done: left under lock, taken up by the side thread. */
#include "sync/sync_int.h"

#include "base/fail.h"
#include "base/random.h"
#include <string.h>

/* --- Given by other threads --- */

int sync_reload(struct sync *sync, const struct sync_opts *opts, char *err, size_t err_size)
{
	struct sync_order *order = NULL;
	int ret = sync_order__new(opts, &order, err, err_size);
	if (ret != 0) {
		return ret;
	}
	pthread_mutex_lock(&sync->lock);
	struct sync_order *last = sync->order;
	sync->order = order;
	pthread_cond_signal(&sync->poke);
	pthread_mutex_unlock(&sync->lock);
	sync_order__free(&last);
	return 0;
}

static bool entry_is(const struct zones_entry *entry, const char *text)
{
	uint8_t name[DNS_NAME_MAX];
	if (entry->id[0] != '\0' && strcmp(entry->id, text) == 0) {
		return true;
	}
	return entry->origin_known && dns_name_parse(text, name) >= 0 &&
	       dns_name_equal(name, entry->origin);
}

/* Under lock. */
static bool known(const struct sync *sync, const char *zone)
{
	for (size_t i = 0; i < zones_count(sync->latest); i++) {
		if (entry_is(zones_get(sync->latest, i), zone)) {
			return true;
		}
	}
	return false;
}

int sync_now(struct sync *sync, const char *zone)
{
	int ret = 0;
	pthread_mutex_lock(&sync->lock);
	if (zone[0] == '\0' || sync->wanted_count == SYNC_ORDERS_MAX) {
		sync->wanted_all = true; /* with too many wishes: all of them and more */
	} else if (strlen(zone) < sizeof(sync->wanted[0]) && known(sync, zone)) {
		strcpy(sync->wanted[sync->wanted_count++], zone);
	} else {
		ret = FAIL_NOTFOUND;
	}
	pthread_cond_signal(&sync->poke);
	pthread_mutex_unlock(&sync->lock);
	return ret;
}

static bool holds(const struct sync *sync, const char *zone)
{
	for (size_t i = 0; i < zones_count(sync->latest); i++) {
		const struct zones_entry *entry = zones_get(sync->latest, i);
		if (entry_is(entry, zone) && entry->held[0] != '\0') {
			return true;
		}
	}
	return false;
}

int sync_accept(struct sync *sync, const char *zone)
{
	int ret = FAIL_NOTFOUND;
	pthread_mutex_lock(&sync->lock);
	if (strlen(zone) < sizeof(sync->accepted[0]) && holds(sync, zone)) {
		ret = sync->accepted_count == SYNC_ORDERS_MAX ? FAIL_BUSY : 0;
	}
	if (ret == 0) {
		strcpy(sync->accepted[sync->accepted_count++], zone);
		pthread_cond_signal(&sync->poke);
	}
	pthread_mutex_unlock(&sync->lock);
	return ret;
}

static bool hinted(const struct sync *sync, const char *id)
{
	for (size_t i = 0; i < sync->hint_count; i++) {
		if (strcmp(sync->hints[i], id) == 0) {
			return true;
		}
	}
	return false;
}

void sync_hint(struct sync *sync, const char *zone_id)
{
	const char *slash = strrchr(zone_id, '/');
	const char *id = slash == NULL ? zone_id : slash + 1;
	pthread_mutex_lock(&sync->lock);
	if (id[0] == '\0' || strlen(id) >= sizeof(sync->hints[0])) {
		sync->hinted_vpc = true;
	} else if (hinted(sync, id)) {
		/* it waits already */
	} else if (sync->hint_count == SYNC_HINTS_MAX) {
		sync->wanted_all = true;
	} else {
		strcpy(sync->hints[sync->hint_count++], id);
	}
	pthread_cond_signal(&sync->poke);
	pthread_mutex_unlock(&sync->lock);
}

void sync_set_feed(struct sync *sync, bool heard)
{
	pthread_mutex_lock(&sync->lock);
	bool before = sync->feed;
	__atomic_store_n(&sync->feed, heard, __ATOMIC_RELAXED);
	if (before && !heard) {
		sync->feed_lost = true;
		pthread_cond_signal(&sync->poke);
	}
	pthread_mutex_unlock(&sync->lock);
}

/* --- Taken up, under lock --- */

static bool zone_is(const struct sync_zone *zone, const char *text)
{
	uint8_t name[DNS_NAME_MAX];
	if (zone->file == NULL && strcmp(zone->id, text) == 0) {
		return true;
	}
	return zone->origin_known && dns_name_parse(text, name) >= 0 &&
	       dns_name_equal(name, zone->origin);
}

static bool zone_wanted(const struct sync *sync, const struct sync_zone *zone)
{
	bool wanted = sync->wanted_all;
	for (size_t i = 0; i < sync->wanted_count && !wanted; i++) {
		wanted = zone_is(zone, sync->wanted[i]);
	}
	return wanted && !zone->foreign;
}

/* Also while it is being looked at: then it is looked at once more. */
static void zone_ask(struct sync_zone *zone, uint64_t now_ms)
{
	zone->asked = true;
	zone->due.at_ms = now_ms;
}

static void wishes_take(struct sync *sync, uint64_t now_ms)
{
	for (size_t i = 0; i < sync->zone_count; i++) {
		struct sync_zone *zone = sync->zones[i];
		if (zone_wanted(sync, zone)) {
			zone_ask(zone, now_ms);
		}
	}
	if (sync->wanted_all) {
		sync->discovery.at_ms = now_ms;
		sync->tags.due.at_ms = now_ms;
	}
	sync->wanted_count = 0;
	sync->wanted_all = false;
}

static void hints_take(struct sync *sync, uint64_t now_ms)
{
	for (size_t i = 0; i < sync->hint_count; i++) {
		struct sync_zone *zone = sync_table__find(sync, sync->hints[i]);
		if (zone == NULL) {
			sync->hinted_vpc = true;
		} else if (!zone->foreign) {
			zone_ask(zone, now_ms);
		}
	}
	/* A failure that rests goes on resting: strangers' zones in the feed must not end that. */
	if (sync->hinted_vpc && sync->discovery.failures == 0 && sync->discovered) {
		sync->discovery.at_ms = now_ms;
	}
	sync->hint_count = 0;
	sync->hinted_vpc = false;
}

/* Nobody tells of changes any more: looks that were put off for an hour are due within an interval, not all at once. */
static void feed_lost_take(struct sync *sync, uint64_t now_ms)
{
	uint32_t interval_ms = 1000 * sync->settings->interval_s;
	for (size_t i = 0; i < sync->zone_count; i++) {
		struct sync_zone *zone = sync->zones[i];
		uint64_t at_ms = now_ms + random_below(interval_ms);
		if (zone->file == NULL && !zone->foreign && zone->due.at_ms > at_ms) {
			zone->due.at_ms = at_ms;
		}
	}
	sync->feed_lost = false;
}

static void accepted_take(struct sync *sync)
{
	for (size_t n = 0; n < sync->accepted_count; n++) {
		for (size_t i = 0; i < sync->zone_count; i++) {
			if (zone_is(sync->zones[i], sync->accepted[n])) {
				sync_guard__accept(sync, sync->zones[i]);
			}
		}
	}
	sync->accepted_count = 0;
}

void sync_orders__take(struct sync *sync, uint64_t now_ms)
{
	if (sync->wanted_count > 0 || sync->wanted_all) {
		wishes_take(sync, now_ms);
	}
	if (sync->hint_count > 0 || sync->hinted_vpc) {
		hints_take(sync, now_ms);
	}
	if (sync->accepted_count > 0) {
		accepted_take(sync);
	}
	if (sync->feed_lost) {
		feed_lost_take(sync, now_ms);
	}
}

bool sync_orders__wait(const struct sync *sync)
{
	return sync->order != NULL || sync->wanted_count > 0 || sync->wanted_all ||
	       sync->hint_count > 0 || sync->hinted_vpc || sync->accepted_count > 0 ||
	       sync->feed_lost;
}
