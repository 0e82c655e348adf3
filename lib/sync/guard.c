/*
 * sync/guard.c - listings that would take a good part of a zone away wait until they are seen twice.
 *
 * What is lost is counted by identity (name, type, set identifier), so that as many new sets make no loss good. A zone
 * without an SOA is none and never gets here. What is held back is kept in memory: a next listing that says the same, or
 * an operator's `horizonctl sync ZONE --accept`, has it served.
 */
#include "sync/sync_int.h"

#include "base/log.h"
#include "base/mono.h"
#include "dns/type.h"
#include <inttypes.h>
#include <stdio.h>

struct loss {
	const struct zone *before;
	const struct zone *after;
	uint64_t total;
	uint64_t lost;
	bool apex_ns;
};

static unsigned int members(const struct zone_rrset *set)
{
	unsigned int count = set == NULL ? 0 : zone_rrset_members(set);
	return set != NULL && count == 0 ? 1 : count;
}

static int set_weigh(void *ctx, const uint8_t *name, const struct zone_rrset *set)
{
	struct loss *loss = ctx;
	struct dns_key key;
	dns_key_make(&key, name);
	unsigned int had = members(set);
	unsigned int has = members(zone_exact(loss->after, &key, zone_rrset_type(set)));
	loss->total += had;
	loss->lost += had > has ? had - has : 0;
	if (has == 0 && zone_rrset_type(set) == DNS_TYPE_NS &&
	    dns_name_equal(name, zone_origin(loss->before))) {
		loss->apex_ns = true;
	}
	return 0;
}

/* Why the listing must be confirmed. False: it need not. */
static bool suspicious(const struct sync_settings *settings, const struct zone *before,
                       const struct zone *after, char *why, size_t why_size)
{
	struct loss loss = {.before = before, .after = after};
	if (zone_fingerprint(before) == zone_fingerprint(after)) {
		return false;
	}
	zone_each(before, set_weigh, &loss);
	bool large = loss.total >= settings->guard_min_sets &&
	             loss.lost * 100 > loss.total * settings->guard_max_loss;
	if (large) {
		snprintf(why, why_size, "the listing lacks %" PRIu64 " of %" PRIu64 " sets",
		         loss.lost, loss.total);
	} else if (loss.apex_ns) {
		snprintf(why, why_size, "the listing lacks the zone's NS");
	}
	return large || loss.apex_ns;
}

static void held_drop(struct sync_zone *zone)
{
	zone_unref(&zone->held);
	zone->held_why[0] = '\0';
}

static void hold(struct sync *sync, struct sync_zone *zone, struct zone *data, const char *why)
{
	char label[SYNC_LABEL_MAX];
	zone_unref(&zone->held);
	zone->held = data;
	zone->held_s = wall_s();
	snprintf(zone->held_why, sizeof(zone->held_why), "%s", why);
	sync->publish_now = true;
	log_error("sync",
	          "zone %s: HELD BACK: %s; the zone stays as it was until the next look says the "
	          "same, "
	          "or `horizonctl sync %s --accept`",
	          sync_zone__label(zone, label), why, zone->id);
}

bool sync_guard__holds(struct sync *sync, struct sync_zone *zone, struct zone *data)
{
	char why[sizeof(zone->held_why)], label[SYNC_LABEL_MAX];
	bool waits = zone->zone != NULL &&
	             suspicious(sync->settings, zone->zone, data, why, sizeof(why));
	bool confirmed =
		zone->held != NULL && zone_fingerprint(zone->held) == zone_fingerprint(data);
	if (waits && !confirmed) {
		hold(sync, zone, data, why);
		return true;
	}
	if (zone->held != NULL) {
		log_notice("sync", "zone %s: %s", sync_zone__label(zone, label),
		           confirmed ? "what was held back was listed twice, it is served now"
		                     : "what was held back is no longer so");
		held_drop(zone);
		sync->publish_now = true;
	}
	return false;
}

void sync_guard__drop(struct sync_zone *zone)
{
	held_drop(zone);
}

bool sync_guard__accept(struct sync *sync, struct sync_zone *zone)
{
	char label[SYNC_LABEL_MAX];
	if (zone->held == NULL) {
		return false;
	}
	struct zone *data = zone->held;
	zone->held = NULL;
	zone->looked_s = zone->held_s;
	held_drop(zone);
	bool changed = sync_zone__take(zone, data, ZONE_SOURCE_API);
	log_notice("sync", "zone %s: what was held back is accepted (horizonctl)",
	           sync_zone__label(zone, label));
	sync_zone__tell(zone, false, changed);
	sync->publish_now = true;
	return true;
}
