#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include "base/random.h"
#include "sync/sync_int.h"
#include "sync/translate_int.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* A listing that changed under our eyes is read again at once, a few times, before it counts as a failure. */
#define CHANGING_MAX     3
#define CHANGING_REST_MS 1000

/* A zone is gone when the API has said so this often in a row, this far apart. */
#define MISSING_MAX     2
#define MISSING_REST_MS 2000

static int on_set(void *ctx, const struct aws_record_set *set)
{
	char place[TRANSLATE_PLACE_MAX];
	struct zone_record_set translated;
	sync_translate__set(set, false, place, &translated);
	return zone_builder_add(ctx, &translated);
}

/* The zone's whole content. why: one line on failure. */
static int list(struct sync *sync, const struct sync_zone *zone, struct zone **ret_zone, char *why,
                size_t why_size)
{
	const struct zone_opts opts = {
		.id = zone->id,
		.origin = zone->origin_known ? zone->origin : NULL,
	};
	struct zone_builder *builder = zone_builder_new(&opts);
	if (builder == NULL) {
		snprintf(why, why_size, "%s", fail_text(FAIL_NOMEM));
		return FAIL_NOMEM;
	}
	sync->in_call = true;
	aws_with(sync->aws, sync_roles__of(sync->settings, zone));
	int ret = aws_list_record_sets(sync->aws, zone->id, on_set, builder, NULL);
	aws_with(sync->aws, SIZE_MAX);
	sync->in_call = false;
	if (ret != 0) {
		snprintf(why, why_size, "%s", aws_trouble(sync->aws));
	} else {
		/* Without an SOA it is no zone, and no reason to give up the one that is served. */
		ret = zone_builder_finish(builder, ret_zone, why, why_size);
	}
	zone_builder_free(&builder);
	return ret;
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
static unsigned int quiet_s(const struct sync *sync)
{
	unsigned int interval_s = sync->settings->interval_s;
	bool feed = __atomic_load_n(&sync->feed, __ATOMIC_RELAXED);
	return feed && interval_s < SYNC_FEED_INTERVAL_S ? SYNC_FEED_INTERVAL_S : interval_s;
}

static void look_good(struct sync *sync, struct sync_zone *zone, struct zone *data,
                      enum zone_source source, uint64_t start_ms)
{
	const struct sync_settings *settings = sync->settings;
	bool first = zone->zone == NULL;
	bool recovered = zone->trouble[0] != '\0';
	bool changed = sync_zone__take(zone, data, source);
	zone->looked_s = wall_s();
	zone->unavailable = false;
	zone->trouble[0] = '\0';
	zone->missing = 0;
	zone->changing = 0;
	sync_zone__tell(zone, first, changed);
	sync->publish_now = sync->publish_now || changed || recovered;
	sync->publish_soon = true;
	/* Who changed a zone often goes on changing it. */
	bool busy = changed && !first;
	sync_due__good(&zone->due, start_ms,
	               UINT64_C(1000) * (busy ? settings->min_interval_s : quiet_s(sync)));
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
	if (ret == FAIL_NOTFOUND && zone->missing < MISSING_MAX) {
		return MISSING_REST_MS;
	}
	if (ret == FAIL_NOTFOUND && !zone->unavailable) {
		drop_data(sync, zone);
		zone->due.told = false;
	}
	return 0;
}

static void look_failed(struct sync *sync, struct sync_zone *zone, int ret, const char *why)
{
	if (ret == FAIL_SHUTDOWN) {
		zone->due.at_ms = mono_ms(); /* called off, not failed */
		return;
	}
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
	if (!zone->due.told) {
		tell_trouble(zone, rest_ms);
	}
}

/* --- The two kinds --- */

static void look_api(struct sync *sync, struct sync_zone *zone)
{
	char why[256] = "";
	struct zone *data = NULL;
	uint64_t start_ms = mono_ms();
	int ret = list(sync, zone, &data, why, sizeof(why));
	if (zone->dropped || sync->aws_stale) {
		zone_unref(&data); /* settings have changed meanwhile: not their answer */
		zone->due.at_ms = start_ms;
	} else if (ret == 0) {
		look_good(sync, zone, data, ZONE_SOURCE_API, start_ms);
		sync_discover__associate(sync, zone);
	} else {
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
	sync->current = zone;
	zone->asked = false;
	if (zone->file != NULL) {
		look_file(sync, zone, asked);
	} else {
		look_api(sync, zone);
	}
	if (zone->asked) { /* meanwhile: what was read may be older than the wish */
		zone->due.at_ms = mono_ms();
	}
	sync->current = NULL;
	if (zone->dropped) {
		sync_zone__free(&zone);
	}
}
