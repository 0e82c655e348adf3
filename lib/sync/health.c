/*
 * Health for what must be reckoned: only where the VPC resolver cannot be asked, and one check at a time, because
 * each is a call. What nobody tells of stays healthy; what was known stays known while the API is silent.
 */
#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include "sync/sync_int.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each check at most this often, and all of them together with no more than this share of the budget. */
#define CHECK_MS     30000
#define BUDGET_SHARE 4

/* --- Which checks --- */

static struct sync_check *check_find(struct sync_health *health, const char *id)
{
	for (size_t i = 0; i < health->count; i++) {
		if (strcmp(health->items[i].id, id) == 0) {
			return &health->items[i];
		}
	}
	return NULL;
}

static struct sync_check *check_add(struct sync_health *health, const char *id)
{
	if (health->count == SYNC_CHECKS_MAX || strlen(id) >= SYNC_ID_MAX) {
		return NULL;
	}
	if (health->count == health->room) {
		size_t room = health->room == 0 ? 16 : 2 * health->room;
		struct sync_check *items = reallocarray(health->items, room, sizeof(*items));
		if (items == NULL) {
			return NULL;
		}
		health->items = items;
		health->room = room;
	}
	struct sync_check *check = &health->items[health->count++];
	*check = (struct sync_check){0};
	strcpy(check->id, id);
	return check;
}

struct gather {
	struct sync_health *health;
	const struct zone *zone;
};

static int gather_set(void *ctx, const uint8_t *name, const struct zone_rrset *set)
{
	const struct gather *gather = ctx;
	if (zone_rrset_class(set) == ZONE_STATIC) {
		return 0;
	}
	for (unsigned int i = 0; i < zone_rrset_members(set); i++) {
		struct zone_member_info member;
		zone_rrset_member(gather->zone, set, i, &member);
		if (member.health_check == NULL) {
			continue;
		}
		struct sync_check *check = check_find(gather->health, member.health_check);
		if (check == NULL) {
			check = check_add(gather->health, member.health_check);
		}
		if (check != NULL) {
			check->named = true;
		}
	}
	return 0;
}

/* Those that are new come next. */
static void checks_gather(struct sync *sync)
{
	struct sync_health *health = &sync->health;
	for (size_t i = 0; i < health->count; i++) {
		health->items[i].named = false;
	}
	for (size_t i = 0; i < sync->zone_count; i++) {
		const struct sync_zone *zone = sync->zones[i];
		struct gather gather = {.health = health, .zone = zone->zone};
		if (zone->zone != NULL && zone->file == NULL && !zone->associated) {
			zone_each(zone->zone, gather_set, &gather);
		}
	}
	size_t kept = 0;
	for (size_t i = 0; i < health->count; i++) {
		if (health->items[i].named) {
			health->items[kept++] = health->items[i];
		}
	}
	health->count = kept;
	health->stale = false;
	for (size_t i = 0; i < kept; i++) {
		if (!health->items[i].asked) {
			health->next = i;
			health->due.at_ms = health->due.failures == 0 ? 0 : health->due.at_ms;
			break;
		}
	}
}

/* --- Asking --- */

/* To the next check: a round takes CHECK_MS, longer when the budget is small. */
static uint64_t gap_ms(const struct sync *sync)
{
	size_t count = sync->health.count == 0 ? 1 : sync->health.count;
	uint64_t fair_ms = CHECK_MS / count;
	uint64_t cheap_ms = (uint64_t)(1000 * BUDGET_SHARE / sync->budget.rate);
	if (cheap_ms > CHECK_MS) {
		cheap_ms = CHECK_MS;
	}
	return fair_ms > cheap_ms ? fair_ms : cheap_ms;
}

static void check_known(struct sync *sync, struct sync_check *check, bool healthy)
{
	bool was = !check->known || check->healthy;
	if (was != healthy) {
		log_notice("sync", "health check %s: %s", check->id,
		           healthy ? "healthy" : "not healthy");
	}
	sync->publish_now = sync->publish_now || !check->known || was != healthy;
	sync->publish_soon = true;
	check->known = true;
	check->healthy = healthy;
	check->known_s = wall_s();
}

static void check_unknown(struct sync *sync, struct sync_check *check, int ret)
{
	struct sync_due *due = &sync->health.due;
	if (ret == FAIL_NOTFOUND || ret == -EINVAL) { /* of this one only: it has no such status */
		if (check->known || !check->told) {
			log_notice("sync", "health check %s: not known, counts as healthy: %s",
			           check->id, aws_trouble(sync->aws));
		}
		sync->publish_now = sync->publish_now || check->known;
		check->told = true;
		check->known = false;
		due->at_ms = mono_ms() + gap_ms(sync);
		return;
	}
	uint64_t rest_ms = sync_due__fail(sync, due);
	if (!due->told) {
		log_warn("sync",
		         "health check %s cannot be asked for: %s; checks not known count as "
		         "healthy, "
		         "next try in %" PRIu64 " s",
		         check->id, aws_trouble(sync->aws), (rest_ms + 999) / 1000);
		due->told = true;
	}
}

uint64_t sync_health__due_ms(const struct sync *sync)
{
	const struct sync_health *health = &sync->health;
	if (!sync->settings->api || (health->count == 0 && !health->stale)) {
		return SYNC_NEVER;
	}
	return health->stale ? 0 : health->due.at_ms;
}

void sync_health__next(struct sync *sync)
{
	struct sync_health *health = &sync->health;
	if (health->stale) {
		checks_gather(sync);
		return;
	}
	health->next = health->next < health->count ? health->next : 0;
	char id[SYNC_ID_MAX];
	health->items[health->next].asked = true;
	strcpy(id, health->items[health->next++].id);
	bool healthy = true;
	uint64_t start_ms = mono_ms();
	sync->in_call = true;
	int ret = aws_get_health(sync->aws, id, &healthy);
	sync->in_call = false;
	sync_run__after(sync, ret);
	struct sync_check *check = check_find(health, id); /* settings may have changed meanwhile */
	if (ret == FAIL_SHUTDOWN || sync->aws_stale || check == NULL) {
		health->due.at_ms = mono_ms();
	} else if (ret == 0) {
		check_known(sync, check, healthy);
		sync_due__good(&health->due, start_ms, gap_ms(sync));
	} else {
		check_unknown(sync, check, ret);
	}
}

/* --- Telling --- */

struct health *sync_health__table(const struct sync *sync)
{
	const struct sync_health *health = &sync->health;
	struct health_check *checks = calloc(health->count + 1, sizeof(*checks));
	size_t count = 0;
	if (checks == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < health->count; i++) {
		const struct sync_check *check = &health->items[i];
		if (check->known) {
			checks[count++] = (struct health_check){
				.id = check->id,
				.healthy = check->healthy,
				.known_s = check->known_s,
			};
		}
	}
	struct health *table = count == 0 ? NULL : health_new(checks, count);
	free(checks);
	return table;
}

void sync_health__clear(struct sync *sync)
{
	free(sync->health.items);
	sync->health = (struct sync_health){0};
}

void sync_health__metrics(const struct zones *zones, struct text *out)
{
	const struct health *health = zones_health(zones);
	uint64_t healthy = 0;
	for (size_t i = 0; i < health_count(health); i++) {
		healthy += health_get(health, i)->healthy;
	}
	const char *labels[] = {"state", "healthy", NULL};
	metric_family(out, "horizond_health_checks", METRIC_GAUGE,
	              "Health checks that reckoned answers go by, as far as they are known.");
	metric_sample_u64(out, "horizond_health_checks", labels, healthy);
	labels[1] = "unhealthy";
	metric_sample_u64(out, "horizond_health_checks", labels, health_count(health) - healthy);
}
