#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include "base/random.h"
#include "sync/sync_int.h"
#include "sync/translate_int.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A listing that changed under our eyes is read again at once, a few times, before it counts as a failure. */
#define CHANGING_MAX     3
#define CHANGING_REST_MS 1000

/* A zone is gone when the API has said so this often in a row, this far apart. */
#define MISSING_MAX     2
#define MISSING_REST_MS 2000

#define THROTTLED_REST_MS 1

/* Zones that are not ours to list are tried again so seldom. */
#define DENIED_INTERVALS 10

/* The same page again, so often, at most this far apart; then the listing begins anew. */
#define PAGE_TRIES   6
#define PAGE_REST_MS 15000

/* What is held back is looked at again after this long at most. */
#define CONFIRM_MS 30000

static int on_set(void *ctx, const struct aws_record_set *set)
{
	char place[TRANSLATE_PLACE_MAX];
	struct zone_record_set translated;
	sync_translate__set(set, false, place, &translated);
	return zone_builder_add(ctx, &translated);
}

/* --- A listing --- */

void sync_look__abandon(struct sync_zone *zone)
{
	struct sync_listing *listing = zone->listing;
	if (listing != NULL) {
		zone_builder_free(&listing->builder);
		aws_listing_free(&listing->pages);
		free(listing);
		zone->listing = NULL;
	}
}

static int begin(struct sync_zone *zone)
{
	const struct zone_opts opts = {
		.id = zone->id,
		.origin = zone->origin_known ? zone->origin : NULL,
	};
	struct sync_listing *listing = calloc(1, sizeof(*listing));
	if (listing == NULL) {
		return FAIL_NOMEM;
	}
	zone->listing = listing;
	listing->began_ms = mono_ms();
	listing->builder = zone_builder_new(&opts);
	listing->pages = aws_listing_new(zone->id);
	return listing->builder == NULL || listing->pages == NULL ? FAIL_NOMEM : 0;
}

/* One page more. why: one line on failure. */
static int page(struct sync *sync, const struct sync_zone *zone, bool *ret_more, char *why,
                size_t why_size)
{
	struct sync_listing *listing = zone->listing;
	sync->in_call = true;
	aws_with(sync->aws, sync_roles__of(sync->settings, zone));
	int ret = aws_listing_page(sync->aws, listing->pages, on_set, listing->builder, ret_more);
	aws_with(sync->aws, SIZE_MAX);
	sync->in_call = false;
	sync_run__after(sync, ret);
	if (ret != 0) {
		snprintf(why, why_size, "%s", aws_trouble(sync->aws));
	}
	return ret;
}

/*
 * A page that failed before anything of it was taken may be asked for again, so that one refused call does not cost the
 * hundreds before it. Rests after it, or returns false.
 */
static bool page_again(struct sync *sync, struct sync_zone *zone, int ret)
{
	struct sync_listing *listing = zone->listing;
	bool passing = ret == FAIL_THROTTLED || ret == FAIL_REMOTE || ret == FAIL_NET ||
	               ret == FAIL_TIMEOUT;
	if (!passing || zone->dropped || sync->aws_stale || !aws_listing_resume(listing->pages) ||
	    aws_listing_pages(listing->pages) == 0 || ++listing->failures > PAGE_TRIES) {
		return false;
	}
	uint64_t rest_ms = ret == FAIL_THROTTLED ? 0 /* all calls rest */
	                                         : sync_backoff__ms(listing->failures, PAGE_REST_MS,
	                                                            random_u32());
	zone->due.at_ms = mono_ms() + rest_ms;
	return true;
}

/* --- Telling --- */

/* "serving data of 14:03:22". buf: 64. */
static const char *serving_text(const struct sync_zone *zone, char *buf)
{
	if (zone->zone == NULL) {
		snprintf(buf, 64, "%s",
		         zone->unavailable ? "asking the VPC resolver" : "no data yet");
		return buf;
	}
	time_t when = (time_t)zone->looked_s;
	struct tm tm = {0};
	localtime_r(&when, &tm);
	strftime(buf, 64, "serving data of %H:%M:%S", &tm);
	return buf;
}

static void tell_trouble(struct sync_zone *zone, uint64_t rest_ms)
{
	char label[SYNC_LABEL_MAX], serving[64];
	log_warn("sync", "zone %s: %s, next look in %" PRIu64 " s, %s",
	         sync_zone__label(zone, label), zone->trouble, (rest_ms + 999) / 1000,
	         serving_text(zone, serving));
	zone->due.told = true;
}

/* --- How it went --- */

/* With a change feed a zone that rests is looked at only lest an event was lost. */
static uint64_t quiet_ms(const struct sync *sync)
{
	unsigned int interval_s = sync->settings->interval_s;
	bool feed = __atomic_load_n(&sync->feed, __ATOMIC_RELAXED);
	return UINT64_C(1000) *
	       (feed && interval_s < SYNC_FEED_INTERVAL_S ? SYNC_FEED_INTERVAL_S : interval_s);
}

static uint64_t confirm_ms(const struct sync *sync)
{
	uint64_t least_ms = UINT64_C(1000) * sync->settings->min_interval_s;
	return least_ms < CONFIRM_MS ? least_ms : CONFIRM_MS;
}

/* Who changed a zone often goes on changing it: soon at first, then ever less often. */
static uint64_t next_rest(const struct sync *sync, struct sync_zone *zone, bool busy)
{
	uint64_t most_ms = quiet_ms(sync);
	uint64_t least_ms = UINT64_C(1000) * sync->settings->min_interval_s;
	if (busy) {
		zone->rest_ms = least_ms;
	} else {
		zone->rest_ms = zone->rest_ms == 0 || 2 * zone->rest_ms > most_ms
		                        ? most_ms
		                        : 2 * zone->rest_ms;
	}
	return zone->rest_ms;
}

/* A listing that takes long is followed by as long a rest, within the interval: it is not to take every second call. */
static uint64_t rest_of(const struct sync *sync, struct sync_zone *zone, uint64_t start_ms,
                        bool busy)
{
	uint64_t rest_ms = next_rest(sync, zone, busy);
	uint64_t twice_ms = 2 * (mono_ms() - start_ms);
	uint64_t most_ms = quiet_ms(sync);
	twice_ms = twice_ms < most_ms ? twice_ms : most_ms;
	return rest_ms > twice_ms ? rest_ms : twice_ms;
}

static void look_good(struct sync *sync, struct sync_zone *zone, struct zone *data,
                      enum zone_source source, uint64_t start_ms)
{
	bool first = zone->zone == NULL;
	bool recovered = zone->trouble[0] != '\0';
	bool changed = sync_zone__take(zone, data, source);
	zone->looked_s = wall_s();
	sync_disk__looked(zone);
	zone->unavailable = false;
	zone->trouble[0] = '\0';
	zone->missing = 0;
	zone->changing = 0;
	sync_zone__tell(zone, first, changed);
	sync->publish_now = sync->publish_now || changed || recovered;
	sync->publish_soon = true;
	sync_due__good(&zone->due, start_ms, rest_of(sync, zone, start_ms, changed && !first));
}

/* Gone for good: what we hold of it must not be served for ever. */
static void drop_data(struct sync *sync, struct sync_zone *zone)
{
	char label[SYNC_LABEL_MAX];
	if (zone->zone != NULL) {
		log_warn("sync", "zone %s: deleted at Route 53, its data is dropped",
		         sync_zone__label(zone, label));
	}
	sync_zone__take(zone, NULL, ZONE_SOURCE_NONE);
	sync_guard__drop(zone);
	sync_disk__forget(sync, zone);
	zone->unavailable = true;
	sync->publish_now = true;
}

/* The rest before the next look, when the failure has one of its own; 0: it has none. */
static uint64_t short_rest(struct sync *sync, struct sync_zone *zone, int ret)
{
	zone->changing = ret == FAIL_CHANGED ? zone->changing + 1 : 0;
	zone->missing = ret == FAIL_NOTFOUND ? zone->missing + 1 : 0;
	if (ret == FAIL_CHANGED && zone->changing <= CHANGING_MAX) {
		return CHANGING_REST_MS / 2 + random_below(CHANGING_REST_MS);
	}
	if (ret == FAIL_THROTTLED) {
		return THROTTLED_REST_MS; /* all calls rest, and this zone has its turn again */
	}
	if (ret == FAIL_NOTFOUND && zone->missing < MISSING_MAX) {
		return MISSING_REST_MS;
	}
	if (ret == FAIL_NOTFOUND && !zone->unavailable) {
		drop_data(sync, zone);
		zone->due.told = false;
	}
	return 0;
}

/* A page is asked for again: the zone is in trouble, its listing goes on. */
static void page_trouble(struct sync *sync, struct sync_zone *zone, const char *why)
{
	sync->publish_now = sync->publish_now || zone->trouble[0] == '\0';
	snprintf(zone->trouble, sizeof(zone->trouble), "%s", why);
}

static uint64_t rest_denied(const struct sync *sync)
{
	uint64_t most_ms = UINT64_C(1000) * DENIED_INTERVALS * sync->settings->interval_s;
	return most_ms / 2 + random_below((uint32_t)(most_ms / 2));
}

static void look_failed(struct sync *sync, struct sync_zone *zone, int ret, const char *why)
{
	if (ret == FAIL_SHUTDOWN) {
		zone->due.at_ms = mono_ms(); /* called off, not failed */
		return;
	}
	zone->failures++;
	uint64_t rest_ms = short_rest(sync, zone, ret);
	sync->publish_now = sync->publish_now || zone->trouble[0] == '\0';
	sync->publish_soon = true;
	snprintf(zone->trouble, sizeof(zone->trouble), "%s", why);
	if (rest_ms != 0) {
		zone->due.at_ms = mono_ms() + rest_ms;
		return;
	}
	if (ret == FAIL_DENIED && zone->zone == NULL && !zone->unavailable) {
		zone->unavailable = true; /* not ours to list: the VPC resolver knows it */
		zone->due.told = false;
		sync->publish_now = true;
	}
	rest_ms = sync_due__fail(sync, &zone->due);
	if (ret == FAIL_DENIED && zone->unavailable) { /* rights come seldom, calls are few */
		rest_ms = rest_denied(sync);
		zone->due.at_ms = mono_ms() + rest_ms;
	}
	if (!zone->due.told) {
		tell_trouble(zone, rest_ms);
	}
}

/* --- The two kinds --- */

static void listed(struct sync *sync, struct sync_zone *zone)
{
	char why[256] = "";
	struct zone *data = NULL;
	uint64_t began_ms = zone->listing->began_ms;
	/* Without an SOA it is no zone, and no reason to give up the one that is served. */
	int ret = zone_builder_finish(zone->listing->builder, &data, why, sizeof(why));
	sync_look__abandon(zone);
	if (ret != 0) {
		look_failed(sync, zone, ret, why);
	} else if (sync_guard__holds(sync, zone, data)) {
		sync_due__good(&zone->due, began_ms, confirm_ms(sync));
		zone->trouble[0] = '\0';
		zone->missing = 0;
		zone->changing = 0;
	} else {
		look_good(sync, zone, data, ZONE_SOURCE_API, began_ms);
		sync_discover__associate(sync, zone);
	}
}

static void look_api(struct sync *sync, struct sync_zone *zone)
{
	char why[256] = "";
	bool more = false;
	int ret = zone->listing == NULL ? begin(zone) : 0;
	if (ret == 0) {
		ret = page(sync, zone, &more, why, sizeof(why));
	} else {
		snprintf(why, sizeof(why), "%s", fail_text(ret));
	}
	if (zone->dropped || sync->aws_stale) {
		sync_look__abandon(zone); /* settings have changed meanwhile: not their answer */
		zone->due.at_ms = mono_ms();
	} else if (ret == 0 && more) {
		zone->listing->failures = 0;
		zone->due.at_ms = mono_ms(); /* behind the others that are due */
	} else if (ret == 0) {
		listed(sync, zone);
	} else if (page_again(sync, zone, ret)) {
		page_trouble(sync, zone, why);
	} else {
		sync_look__abandon(zone);
		look_failed(sync, zone, ret, why);
	}
}

/* A file is read again when somebody asks for it; else only its place in the VPC may have changed. */
static void look_file(struct sync *sync, struct sync_zone *zone, bool asked)
{
	char why[256] = "";
	struct zone *data = NULL;
	uint64_t start_ms = mono_ms();
	int ret = asked ? sync_file__read(zone->file, &data, why, sizeof(why)) : 0;
	if (ret != 0) {
		look_failed(sync, zone, ret, why);
		return;
	}
	if (data != NULL) {
		look_good(sync, zone, data, ZONE_SOURCE_FILE, start_ms);
	}
	sync_discover__associate(sync, zone);
	zone->due.at_ms = sync->hooks.vpc_soa == NULL
	                          ? SYNC_NEVER
	                          : start_ms + UINT64_C(1000) * sync->settings->interval_s;
}

void sync_look__at(struct sync *sync, struct sync_zone *zone)
{
	bool asked = zone->asked;
	uint64_t began_ms = zone->listing != NULL ? zone->listing->began_ms : mono_ms();
	sync->current = zone;
	zone->asked =
		asked && zone->listing != NULL; /* its first pages may be older than the wish */
	if (zone->file != NULL) {
		look_file(sync, zone, asked);
	} else {
		look_api(sync, zone);
	}
	if (zone->asked && zone->listing == NULL) {
		zone->due.at_ms = mono_ms();
	}
	sync->current = NULL;
	if (zone->listing == NULL) {
		sync_feed__looked(sync, zone->id, began_ms);
	}
	if (zone->dropped) {
		sync_zone__free(&zone);
	}
}
