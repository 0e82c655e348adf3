#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include "sync/sync_int.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A zone has left the VPC when this many listings in a row lack it. */
#define GONE_MAX     2
#define GONE_REST_MS 5000

/* Metadata silent this often: we are not on an instance, or it does not let us. */
#define SILENT_MAX 3

static bool vpc_auto(const struct sync_settings *settings)
{
	return strcmp(settings->vpc, "auto") == 0;
}

/* --- The instance --- */

static void instance_failed(struct sync *sync, int ret)
{
	struct sync_due *due = &sync->instance_due;
	if (ret == FAIL_SHUTDOWN) {
		due->at_ms = mono_ms();
		return;
	}
	sync_due__fail(sync, due);
	if (ret == FAIL_NOTFOUND) { /* switched off: for good */
		due->at_ms = SYNC_NEVER;
	}
	sync->instance_absent = ret == FAIL_NOTFOUND || due->failures >= SILENT_MAX;
	sync->publish_soon = true;
	if (!due->told) {
		log_warn("sync", "the instance and its VPC are unknown: %s",
		         aws_trouble(sync->aws));
		due->told = true;
	}
}

void sync_discover__instance(struct sync *sync)
{
	struct aws_instance instance;
	sync->in_call = true;
	int ret = aws_instance_get(sync->aws, &instance);
	sync->in_call = false;
	if (ret != 0) {
		instance_failed(sync, ret);
		return;
	}
	log_info("sync", "instance %s in %s, %s", instance.instance_id, instance.vpc_id,
	         instance.region);
	sync->instance = instance;
	sync->instance_known = true;
	sync->instance_absent = instance.vpc_id[0] == '\0';
	sync->instance_due = (struct sync_due){.at_ms = SYNC_NEVER};
	sync->publish_soon = true;
	sync_disk__arrived(sync);
	if (sync->hooks.instance != NULL) {
		sync->hooks.instance(sync->hooks.ctx, &sync->instance);
	}
}

/* --- The VPC's zones --- */

struct found {
	char id[SYNC_ID_MAX];
	uint8_t origin[DNS_NAME_MAX + 1];
	bool foreign;
	char account[16];
	char owner[130];
};

struct found_list {
	struct found *items;
	size_t count;
	size_t room;
};

static int on_zone(void *ctx, const struct aws_hosted_zone *zone)
{
	struct found_list *list = ctx;
	if (list->count == SYNC_ZONES_MAX) {
		return FAIL_LIMIT;
	}
	if (list->count == list->room) {
		size_t room = list->room == 0 ? 64 : 2 * list->room;
		struct found *items = reallocarray(list->items, room, sizeof(*items));
		if (items == NULL) {
			return FAIL_NOMEM;
		}
		list->items = items;
		list->room = room;
	}
	struct found *item = &list->items[list->count];
	*item = (struct found){.foreign = zone->owning_service != NULL};
	snprintf(item->id, sizeof(item->id), "%s", zone->id);
	snprintf(item->account, sizeof(item->account), "%.15s",
	         zone->owning_account == NULL ? "" : zone->owning_account);
	snprintf(item->owner, sizeof(item->owner), "%s", item->foreign ? zone->owning_service : "");
	if (dns_name_parse_route53(zone->name, item->origin) < 0) {
		return FAIL_FORMAT;
	}
	list->count++;
	return 0;
}

static void origin_learn(struct sync *sync, struct sync_zone *zone, const struct found *item)
{
	if (!zone->origin_known) {
		memcpy(zone->origin, item->origin, dns_name_len(item->origin));
		dns_name_lower(zone->origin);
		zone->origin_known = true;
		sync->publish_now = true;
	}
}

static void association_set(struct sync *sync, struct sync_zone *zone, bool associated,
                            enum zones_known known)
{
	if (zone->associated != associated || zone->known != known) {
		sync->publish_now = true;
		sync_disk__changed(zone);
	}
	zone->associated = associated;
	zone->known = known;
}

static void zone_found(struct sync *sync, const struct found *item)
{
	char label[SYNC_LABEL_MAX];
	struct sync_zone *zone = sync_table__find(sync, item->id);
	bool new = zone == NULL;
	if (new) {
		zone = sync_table__add(sync, item->id);
	}
	if (zone == NULL) {
		return;
	}
	if (!zone->by_vpc) {
		sync->publish_now = true;
		sync_disk__changed(zone);
	}
	zone->by_vpc = true;
	snprintf(zone->account, sizeof(zone->account), "%s", item->account);
	association_set(sync, zone, true, ZONES_KNOWN_LISTING);
	zone->gone = 0;
	origin_learn(sync, zone, item);
	if (item->foreign && !zone->foreign) {
		zone->foreign = true;
		zone->unavailable = true;
		zone->due.at_ms = SYNC_NEVER;
		snprintf(zone->trouble, sizeof(zone->trouble), "%s owns it", item->owner);
	}
	if (new) {
		log_info("sync", "zone %s: found in the VPC%s%s", sync_zone__label(zone, label),
		         item->foreign ? ", owned by " : "", item->owner);
	}
}

static bool is_in(const struct found_list *list, const char *id)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i].id, id) == 0) {
			return true;
		}
	}
	return false;
}

static void zone_left(struct sync *sync, struct sync_zone *zone)
{
	char label[SYNC_LABEL_MAX];
	log_notice("sync", "zone %s: no longer in the VPC%s", sync_zone__label(zone, label),
	           zone->configured || zone->by_tag ? "" : ", not served any more");
	zone->by_vpc = false;
	sync_disk__changed(zone);
	association_set(sync, zone, false, ZONES_KNOWN_LISTING);
	if (zone->foreign) {
		zone->foreign = false;
		zone->due.at_ms = mono_ms();
	}
	sync->publish_now = true;
	if (!zone->configured && !zone->by_tag) {
		sync_table__remove(sync, zone);
	}
}

/* Zones that the listing lacks. True when one is to be confirmed soon. */
static bool zones_missed(struct sync *sync, const struct found_list *list)
{
	bool again = false;
	for (size_t i = sync->zone_count; i > 0; i--) {
		struct sync_zone *zone = sync->zones[i - 1];
		if (zone->file != NULL || is_in(list, zone->id)) {
			continue;
		}
		if (!zone->by_vpc) {
			association_set(sync, zone, false, ZONES_KNOWN_LISTING);
		} else if (++zone->gone >= GONE_MAX) {
			zone_left(sync, zone);
		} else {
			again = true;
		}
	}
	return again;
}

static void discovery_good(struct sync *sync, const struct found_list *list, uint64_t start_ms)
{
	for (size_t i = 0; i < list->count; i++) {
		zone_found(sync, &list->items[i]);
	}
	bool again = zones_missed(sync, list);
	if (sync->discovery.told) {
		log_notice("sync", "the VPC's zones are listed again: %zu", list->count);
	} else if (!sync->discovered) {
		log_info("sync", "%zu zones in the VPC", list->count);
	}
	sync->publish_now = sync->publish_now || !sync->discovered;
	sync->discovered = true;
	sync->discovery_denied = false;
	sync->discovery_trouble[0] = '\0';
	sync->publish_soon = true;
	uint64_t after_ms = UINT64_C(1000) * sync->settings->interval_s;
	sync_due__good(&sync->discovery, start_ms,
	               again && after_ms > GONE_REST_MS ? GONE_REST_MS : after_ms);
}

static void discovery_failed(struct sync *sync, int ret, const char *why)
{
	struct sync_due *due = &sync->discovery;
	if (ret == FAIL_SHUTDOWN) {
		due->at_ms = mono_ms();
		return;
	}
	snprintf(sync->discovery_trouble, sizeof(sync->discovery_trouble), "%.159s", why);
	sync->publish_soon = true;
	if (ret == FAIL_DENIED) {
		sync->publish_now = sync->publish_now || !sync->discovery_denied;
		sync->discovery_denied = true;
		sync->discovered = false; /* who is associated must be found out in the other way */
	}
	uint64_t rest_ms = sync_due__fail(sync, due);
	if (!due->told) {
		log_warn("sync", "the VPC's zones are not listed: %s, next try in %" PRIu64 " s",
		         why, (rest_ms + 999) / 1000);
		due->told = true;
	}
}

void sync_discover__zones(struct sync *sync)
{
	struct found_list list = {0};
	char region[32], vpc[64], why[256];
	uint64_t start_ms = mono_ms();
	snprintf(vpc, sizeof(vpc), "%s",
	         vpc_auto(sync->settings) ? sync->instance.vpc_id : sync->settings->vpc);
	sync->in_call = true;
	int ret = aws_region(sync->aws, region);
	if (ret == 0) {
		ret = aws_list_zones_by_vpc(sync->aws, vpc, region, on_zone, &list);
	}
	sync->in_call = false;
	sync_run__after(sync, ret);
	snprintf(why, sizeof(why), "%s", aws_trouble(sync->aws));
	if (sync->aws_stale) {
		sync->discovery.at_ms = mono_ms(); /* other settings now: not their answer */
	} else if (ret == 0) {
		discovery_good(sync, &list, start_ms);
	} else {
		discovery_failed(sync, ret, why);
	}
	free(list.items);
}

bool sync_discover__missing(const struct sync *sync, char *why, size_t why_size)
{
	const struct sync_settings *settings = sync->settings;
	if (!settings->api || settings->vpc[0] == '\0' || sync->discovered ||
	    sync->discovery_denied || sync->remembered) {
		return false;
	}
	if (vpc_auto(settings) && sync->instance_absent) {
		/* Off EC2 the zones in the settings are all there is; without them nothing can come. */
		bool off = sync->instance_known || sync->instance_due.at_ms == SYNC_NEVER;
		if (off || settings->zone_count > 0) {
			return false;
		}
	}
	const char *trouble = sync->discovery_trouble;
	snprintf(why, why_size, "the VPC's zones are not listed yet%s%s",
	         trouble[0] == '\0' ? "" : ": ", trouble);
	return true;
}

/* --- Association --- */

bool sync_discover__knows(const struct sync *sync)
{
	return sync->discovered;
}

/* SOA data: two names, whose case does not count, and 20 octets of numbers (RFC 1035 section 3.3.13). */
static bool soa_equal(const struct zone_rr *ours, const uint8_t *theirs, size_t len)
{
	const size_t numbers = 20;
	if (len != ours->rdlen || len <= numbers) {
		return false;
	}
	for (size_t i = 0; i < len - numbers; i++) {
		if (dns_fold(ours->rdata[i]) != dns_fold(theirs[i])) {
			return false;
		}
	}
	return memcmp(ours->rdata + len - numbers, theirs + len - numbers, numbers) == 0;
}

void sync_discover__associate(struct sync *sync, struct sync_zone *zone)
{
	uint8_t soa[1024];
	size_t len = 0;
	struct zone_rr ours;
	uint32_t ttl_s, negative_ttl_s;
	bool asked = zone->file != NULL || !sync_discover__knows(sync);
	if (!asked || zone->zone == NULL || sync->hooks.vpc_soa == NULL) {
		return;
	}
	int ret = sync->hooks.vpc_soa(sync->hooks.ctx, zone->origin, soa, sizeof(soa), &len);
	if (ret != 0 && ret != FAIL_NOTFOUND) {
		return; /* no answer proves nothing: as before */
	}
	zone_soa(zone->zone, &ours, &ttl_s, &negative_ttl_s);
	association_set(sync, zone, ret == 0 && soa_equal(&ours, soa, len), ZONES_KNOWN_SOA);
}
