/*
 * sync/tags.c - zones that are wanted for their tags.
 *
 * A round lists the account's private zones, then asks for the tags of ten of them a call, in turn with everything else
 * that is due. A zone whose tags are gone is dropped when two rounds in a row say so.
 */
#include "sync/sync_int.h"

#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDS_A_CALL AWS_TAG_IDS_MAX

/* Tags change seldom, and asking for those of 500 zones takes 55 calls. */
#define ROUND_INTERVALS 10

#define GONE_MAX     2
#define GONE_REST_MS 5000

struct sync_tagged {
	char id[SYNC_ID_MAX];
	uint8_t origin[DNS_NAME_MAX + 1];
	bool matches;
};

static void round_end(struct sync_tags *tags)
{
	free(tags->items);
	tags->items = NULL;
	tags->count = 0;
	tags->next = 0;
}

void sync_tags__clear(struct sync *sync)
{
	round_end(&sync->tags);
	sync->tags.listed = false;
	sync->tags.due = (struct sync_due){.at_ms = mono_ms()};
}

uint64_t sync_tags__due_ms(const struct sync *sync)
{
	bool wanted = sync->settings->api && sync->settings->tag_count != 0;
	return wanted ? sync->tags.due.at_ms : SYNC_NEVER;
}

bool sync_tags__missing(const struct sync *sync, char *why, size_t why_size)
{
	const struct sync_tags *tags = &sync->tags;
	if (!sync->settings->api || sync->settings->tag_count == 0 || tags->listed ||
	    sync->remembered) {
		return false;
	}
	snprintf(why, why_size, "the zones' tags are not listed yet%s%s",
	         tags->trouble[0] == '\0' ? "" : ": ", tags->trouble);
	return true;
}

/* --- One round --- */

static int on_zone(void *ctx, const struct aws_hosted_zone *zone)
{
	struct sync_tags *tags = ctx;
	if (tags->count == SYNC_ZONES_MAX) {
		return FAIL_LIMIT;
	}
	struct sync_tagged *items =
		reallocarray(tags->items, tags->count + 1, sizeof(struct sync_tagged));
	if (items == NULL) {
		return FAIL_NOMEM;
	}
	tags->items = items;
	struct sync_tagged *item = &items[tags->count];
	*item = (struct sync_tagged){0};
	snprintf(item->id, sizeof(item->id), "%s", zone->id);
	if (dns_name_parse_route53(zone->name, item->origin) < 0) {
		return FAIL_FORMAT;
	}
	tags->count++;
	return 0;
}

/* "KEY=VALUE", or "KEY" alone for any value. */
static bool tag_fits(const char *wanted, const char *key, const char *value)
{
	const char *eq = strchr(wanted, '=');
	size_t len = eq == NULL ? strlen(wanted) : (size_t)(eq - wanted);
	return strlen(key) == len && memcmp(wanted, key, len) == 0 &&
	       (eq == NULL || strcmp(eq + 1, value) == 0);
}

static int on_tag(void *ctx, const char *zone_id, const char *key, const char *value)
{
	struct sync *sync = ctx;
	struct sync_tags *tags = &sync->tags;
	bool fits = false;
	for (size_t i = 0; i < sync->settings->tag_count && !fits; i++) {
		fits = tag_fits(sync->settings->tags[i], key, value);
	}
	for (size_t i = 0; fits && i < tags->count; i++) {
		struct sync_tagged *item = &tags->items[i];
		item->matches = item->matches || strcmp(item->id, zone_id) == 0;
	}
	return 0;
}

static int step(struct sync *sync)
{
	struct sync_tags *tags = &sync->tags;
	const char *ids[IDS_A_CALL];
	size_t count = 0;
	if (tags->items == NULL) {
		tags->began_ms = mono_ms();
		return aws_list_private_zones(sync->aws, on_zone, tags);
	}
	while (count < IDS_A_CALL && tags->next + count < tags->count) {
		ids[count] = tags->items[tags->next + count].id;
		count++;
	}
	int ret = aws_list_zone_tags(sync->aws, ids, count, on_tag, sync);
	tags->next += ret == 0 ? count : 0;
	return ret;
}

/* --- What came of it --- */

static void zone_tagged(struct sync *sync, const struct sync_tagged *item)
{
	char label[SYNC_LABEL_MAX];
	struct sync_zone *zone = sync_table__find(sync, item->id);
	bool new = zone == NULL;
	zone = new ? sync_table__add(sync, item->id) : zone;
	if (zone == NULL) {
		return;
	}
	if (!zone->origin_known) {
		memcpy(zone->origin, item->origin, dns_name_len(item->origin));
		dns_name_lower(zone->origin);
		zone->origin_known = true;
	}
	if (!zone->by_tag) {
		zone->by_tag = true;
		sync_disk__changed(zone);
		sync->publish_now = true;
	}
	zone->untagged = 0;
	if (new) {
		log_info("sync", "zone %s: found by its tags", sync_zone__label(zone, label));
	}
}

static bool is_tagged(const struct sync_tags *tags, const char *id)
{
	for (size_t i = 0; i < tags->count; i++) {
		if (tags->items[i].matches && strcmp(tags->items[i].id, id) == 0) {
			return true;
		}
	}
	return false;
}

static void zone_untagged(struct sync *sync, struct sync_zone *zone)
{
	char label[SYNC_LABEL_MAX];
	bool stays = zone->configured || zone->by_vpc;
	log_notice("sync", "zone %s: no longer tagged%s", sync_zone__label(zone, label),
	           stays ? "" : ", not served any more");
	zone->by_tag = false;
	sync_disk__changed(zone);
	sync->publish_now = true;
	if (!stays) {
		sync_table__remove(sync, zone);
	}
}

static void round_good(struct sync *sync)
{
	struct sync_tags *tags = &sync->tags;
	bool again = false;
	for (size_t i = 0; i < tags->count; i++) {
		if (tags->items[i].matches) {
			zone_tagged(sync, &tags->items[i]);
		}
	}
	for (size_t i = sync->zone_count; i > 0; i--) {
		struct sync_zone *zone = sync->zones[i - 1];
		if (!zone->by_tag || is_tagged(tags, zone->id)) {
			continue;
		}
		if (++zone->untagged >= GONE_MAX) {
			zone_untagged(sync, zone);
		} else {
			again = true;
		}
	}
	if (tags->due.told) {
		log_notice("sync", "the zones' tags are listed again");
	}
	sync->publish_now = sync->publish_now || !tags->listed;
	sync->publish_soon = true;
	tags->listed = true;
	tags->trouble[0] = '\0';
	uint64_t after_ms = UINT64_C(1000) * ROUND_INTERVALS * sync->settings->interval_s;
	sync_due__good(&tags->due, tags->began_ms,
	               again && after_ms > GONE_REST_MS ? GONE_REST_MS : after_ms);
	round_end(tags);
}

static void round_failed(struct sync *sync, int ret)
{
	struct sync_tags *tags = &sync->tags;
	round_end(tags);
	if (ret == FAIL_SHUTDOWN) {
		tags->due.at_ms = mono_ms();
		return;
	}
	snprintf(tags->trouble, sizeof(tags->trouble), "%.159s", aws_trouble(sync->aws));
	sync->publish_soon = true;
	uint64_t rest_ms = sync_due__fail(sync, &tags->due);
	if (!tags->due.told) {
		log_warn("sync", "the zones' tags are not listed: %s, next try in %" PRIu64 " s",
		         tags->trouble, (rest_ms + 999) / 1000);
		tags->due.told = true;
	}
}

void sync_tags__next(struct sync *sync)
{
	struct sync_tags *tags = &sync->tags;
	sync->in_call = true;
	int ret = step(sync);
	sync->in_call = false;
	sync_run__after(sync, ret);
	if (sync->aws_stale || sync->tags_stale) {
		sync->tags_stale = false;
		sync_tags__clear(sync); /* other settings now: not their answer */
	} else if (ret != 0) {
		round_failed(sync, ret);
	} else if (tags->next < tags->count) {
		tags->due.at_ms = mono_ms(); /* behind what else is due */
	} else {
		round_good(sync);
	}
}
