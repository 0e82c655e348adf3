#include "records/lease.h"
#include "base/fail.h"
#include "records/look.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HERITAGE  "heritage=horizon-sweep,v=1,fleet="
#define LEASE_TTL 60

int lease_init(struct lease *lease, const char *zone, const char *apex, const char *fleet,
               const char *run)
{
	char text[RECORD_NAME_MAX + 64];
	*lease = (struct lease){.zone = zone};
	snprintf(lease->fleet, sizeof(lease->fleet), "%s", fleet);
	snprintf(lease->run, sizeof(lease->run), "%s", run);
	snprintf(text, sizeof(text), "_hz-sweep.%s.%s", fleet, apex);
	return record_name(text, lease->name) == 0 ? 0 : FAIL_LIMIT;
}

/* The TXT of a time. NULL values: no memory. */
static struct record_set set_of(const struct lease *lease, int64_t until_s, struct arena *arena)
{
	char text[200];
	const char **values = arena_alloc(arena, sizeof(*values));
	snprintf(text, sizeof(text), "\"" HERITAGE "%s,run=%s,until=%" PRId64 "\"", lease->fleet,
	         lease->run, until_s);
	if (values != NULL) {
		values[0] = arena_text(arena, text);
	}
	return (struct record_set){
		.name = lease->name,
		.type = "TXT",
		.ttl_s = LEASE_TTL,
		.values = values == NULL || values[0] == NULL ? NULL : values,
		.value_count = 1,
	};
}

/* The lease that stands, as listed. *ret_found false: none. */
static int look(const struct lease *lease, const struct records_api *api, struct arena *arena,
                struct record_set *ret_set, bool *ret_found)
{
	struct look *seen = malloc(sizeof(*seen));
	if (seen == NULL) {
		return FAIL_NOMEM;
	}
	int ret = look_at(api, lease->zone, lease->name, arena, seen);
	*ret_found = false;
	for (size_t i = 0; ret == 0 && i < seen->count; i++) {
		if (strcmp(seen->sets[i].name, lease->name) == 0 &&
		    strcmp(seen->sets[i].type, "TXT") == 0) {
			*ret_set = seen->sets[i];
			*ret_found = true;
		}
	}
	free(seen);
	return ret;
}

/* Until when a lease of anyone's runs; INT64_MAX: it is not one. */
static int64_t until_of(const struct record_set *set)
{
	const char *until =
		set->value_count == 1 && !set->odd &&
				strncmp(set->values[0], "\"" HERITAGE, sizeof(HERITAGE)) == 0
			? strstr(set->values[0], ",until=")
			: NULL;
	return until == NULL ? INT64_MAX : strtoll(until + 7, NULL, 10);
}

static int call(const struct lease *lease, const struct records_api *api, uint64_t deadline_ms,
                const struct record_change *changes, size_t count)
{
	char change[RECORDS_CHANGE_ID_MAX];
	struct apply_patience patience = {0};
	int ret;
	do {
		ret = api->change(api->ctx, lease->zone, changes, count, change);
	} while (ret != 0 && apply_again(api, deadline_ms, ret, &patience));
	return ret;
}

static int fail_why(const struct records_api *api, int ret, char *why, size_t why_size)
{
	const char *trouble = api->trouble(api->ctx);
	snprintf(why, why_size, "%s", trouble[0] == '\0' ? fail_text(ret) : trouble);
	return ret;
}

int lease_take(struct lease *lease, const struct records_api *api, uint64_t deadline_ms,
               struct arena *arena, char *why, size_t why_size)
{
	struct record_set standing;
	bool found = false;
	lease->until_s = api->wall_s(api->ctx) + LEASE_S;
	struct record_change changes[2] = {
		{.create = true, .set = set_of(lease, lease->until_s, arena)}};
	if (changes[0].set.values == NULL) {
		return fail_why(api, FAIL_NOMEM, why, why_size);
	}
	int ret = call(lease, api, deadline_ms, changes, 1);
	if (ret == -EEXIST) {
		ret = look(lease, api, arena, &standing, &found);
		if (ret == 0 && found && record_set_equal(&standing, &changes[0].set)) {
			lease->held = true; /* ours, the answer was lost */
			return 0;
		}
		if (ret == 0 && (!found || until_of(&standing) > api->wall_s(api->ctx))) {
			snprintf(why, why_size, "another sweep is at work in zone %s: %s says %s",
			         lease->zone, lease->name,
			         found && standing.value_count > 0 ? standing.values[0]
			                                           : "nothing");
			return FAIL_BUSY;
		}
		changes[1] = changes[0];
		changes[0] = (struct record_change){.create = false, .set = standing};
		ret = ret != 0 ? ret : call(lease, api, deadline_ms, changes, 2);
	}
	if (ret != 0) {
		return fail_why(api, ret, why, why_size);
	}
	lease->held = true;
	return 0;
}

int lease_changes(struct lease *lease, const struct records_api *api, struct arena *arena,
                  struct record_change *changes)
{
	lease->next_s = api->wall_s(api->ctx) + LEASE_S;
	if (lease->next_s == lease->until_s) {
		lease->next_s++; /* a set may not be deleted and created unchanged */
	}
	changes[0] = (struct record_change){.create = false,
	                                    .set = set_of(lease, lease->until_s, arena)};
	changes[1] =
		(struct record_change){.create = true, .set = set_of(lease, lease->next_s, arena)};
	return changes[0].set.values == NULL || changes[1].set.values == NULL ? FAIL_NOMEM : 0;
}

void lease_renewed(struct lease *lease)
{
	lease->until_s = lease->next_s;
}

int lease_check(struct lease *lease, const struct records_api *api, struct arena *arena)
{
	struct record_set standing;
	bool found = false;
	int ret = look(lease, api, arena, &standing, &found);
	if (ret != 0) {
		return ret;
	}
	const int64_t times_s[] = {lease->until_s, lease->next_s};
	for (size_t i = 0; found && i < 2; i++) {
		struct record_set ours = set_of(lease, times_s[i], arena);
		if (ours.values != NULL && record_set_equal(&standing, &ours)) {
			lease->until_s = times_s[i];
			return 0;
		}
	}
	lease->held = false;
	return FAIL_CHANGED;
}

void lease_drop(struct lease *lease, const struct records_api *api, struct arena *arena)
{
	const struct record_change change = {.create = false,
	                                     .set = set_of(lease, lease->until_s, arena)};
	if (lease->held && change.set.values != NULL) {
		call(lease, api, api->mono_ms(api->ctx) + 10000, &change, 1);
	}
	lease->held = false;
}

void lease_clean(struct lease *lease, const struct records_api *api, uint64_t deadline_ms,
                 const struct record_set *sets, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(sets[i].name, lease->name) == 0 && strcmp(sets[i].type, "TXT") == 0 &&
		    until_of(&sets[i]) < api->wall_s(api->ctx)) {
			const struct record_change change = {.create = false, .set = sets[i]};
			call(lease, api, deadline_ms, &change, 1);
		}
	}
}
