#include "zone/choose.h"

#include "zone/place.h"
#include <float.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct choice {
	const struct choose_member *members;
	unsigned int count;
	bool last_resort; /* none is healthy: each counts as if it were (D17) */
	const struct place *here;
	const char *region;
};

static bool usable(const struct choice *c, unsigned int i)
{
	return c->last_resort || c->members[i].healthy;
}

/* --- Weighted --- */

/* Zeros are used when all are 0, or when nothing else is healthy (D13). */
static unsigned int weighted(const struct choice *c, struct draw *draw)
{
	uint32_t sum = 0;
	uint32_t zeros = 0;
	for (unsigned int i = 0; i < c->count; i++) {
		sum += usable(c, i) ? c->members[i].weight : 0;
		zeros += usable(c, i) && c->members[i].weight == 0;
	}
	uint32_t at = draw_below(draw, sum != 0 ? sum : zeros);
	for (unsigned int i = 0; i < c->count; i++) {
		uint32_t share = !usable(c, i) ? 0 : sum != 0 ? c->members[i].weight : 1;
		if (at < share) {
			return i;
		}
		at -= share;
	}
	return 0; /* not reached: the shares add up */
}

/* --- Failover --- */

/* The primary, when all are down too (D15). */
static unsigned int failover(const struct choice *c)
{
	unsigned int primary = c->count;
	unsigned int secondary = c->count;
	for (unsigned int i = c->count; i-- > 0;) {
		if (!usable(c, i)) {
			continue;
		}
		if (c->members[i].secondary) {
			secondary = i;
		} else {
			primary = i;
		}
	}
	return primary < c->count ? primary : secondary;
}

/* --- Multivalue --- */

/* Up to eight of those that are usable, each eight equally likely (D14): a reservoir. */
static unsigned int multivalue(const struct choice *c, struct draw *draw, unsigned int *ret_picks)
{
	unsigned int seen = 0;
	for (unsigned int i = 0; i < c->count; i++) {
		if (!usable(c, i)) {
			continue;
		}
		unsigned int to = seen < CHOOSE_PICKS_MAX ? seen : draw_below(draw, seen + 1);
		if (to < CHOOSE_PICKS_MAX) {
			ret_picks[to] = i;
		}
		seen++;
	}
	return seen < CHOOSE_PICKS_MAX ? seen : CHOOSE_PICKS_MAX;
}

/* --- The nearest --- */

static double region_distance(const struct choice *c, const char *region)
{
	if (strcmp(region, c->region) == 0) {
		return -1; /* our own, whether or not it is on the map */
	}
	const struct place *there = place_find(region);
	if (there == NULL || c->here == NULL) {
		return DBL_MAX;
	}
	return place_distance(there->latitude, there->longitude, c->here);
}

/* Where a geoproximity set stands, and how far that is from us. DBL_MAX: not known. */
static double point_distance(const struct choice *c, const char *point)
{
	char *end = NULL;
	double latitude = strtod(point, &end);
	if (c->here == NULL) {
		return DBL_MAX;
	}
	if (end != point && *end == ',') {
		return place_distance(latitude, strtod(end + 1, NULL), c->here);
	}
	const struct place *there = place_find(point);
	return there == NULL ? DBL_MAX : place_distance(there->latitude, there->longitude, c->here);
}

/*
 * The bias widens or narrows the area that a resource draws from: Developer Guide "Geoproximity routing". It
 * lies between -99 and 99; another one counts as none.
 */
static double biased_distance(const struct choice *c, const char *text)
{
	static const char word[] = ":bias=";
	char point[64];
	snprintf(point, sizeof(point), "%.*s", (int)strcspn(text, ":"), text);
	const char *at = strstr(text, word);
	double km = point_distance(c, point);
	double bias = at == NULL ? 0 : strtod(at + sizeof(word) - 1, NULL);
	if (km == DBL_MAX || !(bias > -100 && bias < 100)) {
		return km;
	}
	return bias >= 0 ? km * (1 - bias / 100) : km / (1 + bias / 100);
}

/* Of equals the first. */
static unsigned int nearest(const struct choice *c, bool biased)
{
	unsigned int best = c->count;
	double best_km = 0;
	for (unsigned int i = 0; i < c->count; i++) {
		if (!usable(c, i)) {
			continue;
		}
		const char *region = c->members[i].region == NULL ? "" : c->members[i].region;
		double km = biased ? biased_distance(c, region) : region_distance(c, region);
		if (best == c->count || km < best_km) {
			best = i;
			best_km = km;
		}
	}
	return best;
}

/* --- Geolocation --- */

enum {
	GEO_NONE,
	GEO_DEFAULT,
	GEO_CONTINENT,
	GEO_COUNTRY,
	GEO_SUBDIVISION,
};

/* How closely a set's location fits ours; the closest is the smallest one. */
static int geo_match(const struct place *here, const char *text)
{
	static const char continent[] = "continent:";
	if (strcmp(text, "*") == 0) {
		return GEO_DEFAULT;
	}
	if (here == NULL) {
		return GEO_NONE;
	}
	if (strncmp(text, continent, sizeof(continent) - 1) == 0) {
		bool ours = strcmp(text + sizeof(continent) - 1, here->continent) == 0;
		return ours ? GEO_CONTINENT : GEO_NONE;
	}
	size_t len = strlen(here->country);
	if (strncmp(text, here->country, len) != 0) {
		return GEO_NONE;
	}
	if (text[len] == '/') {
		bool ours = strcmp(text + len + 1, here->subdivision) == 0;
		return ours ? GEO_SUBDIVISION : GEO_NONE;
	}
	return text[len] == '\0' ? GEO_COUNTRY : GEO_NONE;
}

/* The smallest location that is healthy; when none of those that fit is, the smallest. */
static unsigned int geolocation(const struct choice *c)
{
	unsigned int best = c->count;
	int best_rank = 0;
	for (unsigned int i = 0; i < c->count; i++) {
		const char *text = c->members[i].region == NULL ? "" : c->members[i].region;
		int match = geo_match(c->here, text);
		int rank = match == GEO_NONE
		                   ? 0
		                   : match + (c->members[i].healthy ? GEO_SUBDIVISION : 0);
		if (rank > best_rank) {
			best = i;
			best_rank = rank;
		}
	}
	return best;
}

unsigned int choose_members(enum zone_policy policy, const struct choose_member *members,
                            unsigned int count, const char *region, struct draw *draw,
                            unsigned int *ret_picks)
{
	struct choice c = {
		.members = members,
		.count = count,
		.last_resort = true,
		.here = place_find(region),
		.region = region,
	};
	for (unsigned int i = 0; i < count; i++) {
		c.last_resort = c.last_resort && !members[i].healthy;
	}
	if (count == 0) {
		return 0;
	}
	switch (policy) {
	case ZONE_POLICY_SIMPLE:
		ret_picks[0] = 0;
		break;
	case ZONE_POLICY_WEIGHTED:
		ret_picks[0] = weighted(&c, draw);
		break;
	case ZONE_POLICY_MULTIVALUE:
		return multivalue(&c, draw, ret_picks);
	case ZONE_POLICY_FAILOVER:
		ret_picks[0] = failover(&c);
		break;
	case ZONE_POLICY_LATENCY:
		ret_picks[0] = nearest(&c, false);
		break;
	case ZONE_POLICY_GEOLOCATION:
		ret_picks[0] = geolocation(&c);
		break;
	case ZONE_POLICY_GEOPROXIMITY:
		ret_picks[0] = nearest(&c, true);
		break;
	case ZONE_POLICY_CIDR:
		return 0;
	}
	return ret_picks[0] < count ? 1 : 0;
}
