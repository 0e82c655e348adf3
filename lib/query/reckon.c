/*
 * query/reckon.c - a dynamic set of a zone that is not associated with our VPC, answered by our own reckoning.
 *
 * The VPC resolver would answer for the public name of the same spelling, if there is one. So we choose as Route 53
 * says that it does, with the health that we know and from the region that we lie in.
 */
#include "query/query_int.h"

#include "zone/choose.h"
#include "zone/health.h"
#include <stdio.h>

#define RECKON_LINKS_MAX   16  /* aliases followed */
#define RECKON_MEMBERS_MAX 256 /* Route 53 has at most 100 of one name and type */
#define HEALTH_DEPTH_MAX   8
#define HEALTH_LOOKS_MAX   1000 /* members whose health is looked at for one answer */

/* --- Health --- */

struct health_look {
	const struct zone *zone;
	const struct health *health;
	uint16_t type;
	unsigned int left;
};

/* The alias target's set, when the zone itself has it. */
static const struct zone_rrset *target_in_zone(const struct zone *zone, const uint8_t *target,
                                               uint16_t type, enum zone_found *ret_found)
{
	*ret_found = ZONE_FOUND_DELEGATION;
	if (!dns_name_within(target, zone_origin(zone))) {
		return NULL;
	}
	struct dns_key key;
	struct zone_result result;
	dns_key_make(&key, target);
	zone_lookup(zone, &key, type, &result);
	*ret_found = result.found;
	return result.found == ZONE_FOUND_SET ? result.set : NULL;
}

static bool member_healthy(struct health_look *look, const struct zone_member_info *member,
                           unsigned int depth);

/* A group is healthy when one of its members is; what has no members has nothing that says it is ill. */
static bool set_healthy(struct health_look *look, const struct zone_rrset *set, unsigned int depth)
{
	unsigned int count = zone_rrset_members(set);
	for (unsigned int i = 0; i < count; i++) {
		struct zone_member_info member;
		zone_rrset_member(look->zone, set, i, &member);
		if (member_healthy(look, &member, depth)) {
			return true;
		}
	}
	return count == 0;
}

/* Its own check, and its target when it asks for that: both must pass. Of targets of AWS nothing is known here. */
static bool member_healthy(struct health_look *look, const struct zone_member_info *member,
                           unsigned int depth)
{
	if (member->health_check != NULL && !health_good(look->health, member->health_check)) {
		return false;
	}
	if (member->alias == NULL || !member->alias_evaluate_health || depth == HEALTH_DEPTH_MAX ||
	    look->left == 0) {
		return true;
	}
	look->left--;
	enum zone_found found;
	const struct zone_rrset *set =
		target_in_zone(look->zone, member->alias, look->type, &found);
	return set == NULL || set_healthy(look, set, depth + 1);
}

/* --- Choosing --- */

static void choice_trace(struct query_run *run, const struct zone *zone,
                         const struct zone_rrset *set, const struct choose_member *members,
                         unsigned int count, const unsigned int *picks, unsigned int picked)
{
	if (run->in->trace == NULL) {
		return;
	}
	unsigned int healthy = 0;
	for (unsigned int i = 0; i < count; i++) {
		healthy += members[i].healthy;
	}
	const char *region = run->world->opts->region;
	query__trace(run, "reckoned: %u of %u members count as healthy, our region is %s\n",
	             healthy, count, region[0] != '\0' ? region : "not known");
	for (unsigned int i = 0; i < picked; i++) {
		struct zone_member_info info;
		zone_rrset_member(zone, set, picks[i], &info);
		query__trace(run, "reckoned: chose %s\n",
		             info.set_identifier == NULL ? "the only one" : info.set_identifier);
	}
}

/* Returns how many of the set's members answer. */
static unsigned int reckon_choose(struct query_run *run, const struct zone *zone,
                                  const struct zone_rrset *set, unsigned int *ret_picks)
{
	struct choose_member members[RECKON_MEMBERS_MAX];
	struct health_look look = {
		.zone = zone,
		.health = zones_health(run->world->zones),
		.type = zone_rrset_type(set),
		.left = HEALTH_LOOKS_MAX,
	};
	enum zone_policy policy = ZONE_POLICY_SIMPLE;
	unsigned int count = zone_rrset_members(set);
	count = count < RECKON_MEMBERS_MAX ? count : RECKON_MEMBERS_MAX;
	for (unsigned int i = 0; i < count; i++) {
		struct zone_member_info info;
		zone_rrset_member(zone, set, i, &info);
		policy = info.policy;
		members[i] = (struct choose_member){
			.region = info.region,
			.weight = info.weight,
			.healthy = member_healthy(&look, &info, 0),
			.secondary = info.failover_secondary,
		};
	}
	unsigned int picked = choose_members(policy, members, count, run->world->opts->region,
	                                     run->draw, ret_picks);
	choice_trace(run, zone, set, members, count, ret_picks, picked);
	return picked;
}

/* --- Answering --- */

/* All or none; a CNAME is followed when the question was not for it. */
static enum step_says reckon_put(struct query_run *run, const struct zone_result *result,
                                 const struct zone_rr *rr, unsigned int count, uint32_t ttl_s)
{
	struct dns_mark mark = dns_build_mark(&run->b);
	for (unsigned int i = 0; i < count; i++) {
		if (!query__put(run, zone_rrset_type(result->set), ttl_s, rr[i].rdata,
		                rr[i].rdlen)) {
			dns_build_cut(&run->b, &mark);
			return STEP_DONE;
		}
	}
	if (result->found == ZONE_FOUND_CNAME && count != 0) {
		return query__chase(run, rr[0].rdata, 1);
	}
	return STEP_DONE;
}

static enum step_says reckon_static(struct query_run *run, const struct zone *zone,
                                    const struct zone_result *result, const struct zone_rrset *set)
{
	struct zone_rr rr[ZONE_DRAW_MAX];
	uint32_t ttl_s = 0;
	unsigned int count = zone_rrset_draw(zone, set, run->draw, rr, &ttl_s);
	return reckon_put(run, result, rr, count, ttl_s);
}

/* The values of the chosen members; with several the least of their TTLs. */
static enum step_says reckon_values(struct query_run *run, const struct zone *zone,
                                    const struct zone_result *result, const struct zone_rrset *set,
                                    const unsigned int *picks, unsigned int picked)
{
	struct zone_rr rr[ZONE_DRAW_MAX];
	struct zone_rr some[ZONE_DRAW_MAX];
	unsigned int count = 0;
	uint32_t least_s = UINT32_MAX;
	for (unsigned int i = 0; i < picked; i++) {
		uint32_t ttl_s = 0;
		unsigned int n =
			zone_rrset_member_draw(zone, set, picks[i], run->draw, some, &ttl_s);
		least_s = ttl_s < least_s ? ttl_s : least_s;
		for (unsigned int v = 0; v < n && count < ZONE_DRAW_MAX; v++) {
			rr[count++] = some[v];
		}
	}
	return reckon_put(run, result, rr, count, least_s);
}

/* Where an alias leads; NULL: *ret_picks of the set's own members answer. */
static const uint8_t *reckon_aim(struct query_run *run, const struct zone *zone,
                                 const struct zone_rrset *set, unsigned int *ret_picks,
                                 unsigned int *ret_picked)
{
	*ret_picked = 0;
	if (zone_rrset_members(set) == 0) {
		return zone_rrset_alias(zone, set);
	}
	*ret_picked = reckon_choose(run, zone, set, ret_picks);
	if (*ret_picked == 0) {
		return NULL;
	}
	struct zone_member_info info;
	zone_rrset_member(zone, set, ret_picks[0], &info);
	return info.alias;
}

enum step_says query__reckon(struct query_run *run, const struct zone *zone,
                             const struct zone_result *result)
{
	const struct zone_rrset *set = result->set;
	run->source = QUERY_FROM_RECKONED;
	for (unsigned int links = 0; links <= RECKON_LINKS_MAX; links++) {
		if (zone_rrset_class(set) == ZONE_STATIC) {
			return reckon_static(run, zone, result, set);
		}
		if (zone_rrset_class(set) == ZONE_FAULT) {
			return query__refuse(run, DNS_RCODE_SERVFAIL, DNS_EDE_INVALID_DATA,
			                     "the record set is at fault, and no VPC resolver "
			                     "of ours knows its zone");
		}
		unsigned int picks[CHOOSE_PICKS_MAX];
		unsigned int picked;
		const uint8_t *target = reckon_aim(run, zone, set, picks, &picked);
		if (target == NULL && picked == 0) {
			return query__negative(run, zone, DNS_RCODE_NOERROR);
		}
		if (target == NULL) {
			return reckon_values(run, zone, result, set, picks, picked);
		}
		if (run->in->trace != NULL) {
			char text[DNS_NAME_TEXT_MAX];
			query__trace(run, "reckoned: alias to %s\n", dns_name_text(target, text));
		}
		enum zone_found found;
		set = target_in_zone(zone, target, zone_rrset_type(result->set), &found);
		if (set == NULL && found == ZONE_FOUND_DELEGATION) {
			return query__target(run, zone, result, target);
		}
		if (set == NULL) {
			return query__negative(run, zone, DNS_RCODE_NOERROR);
		}
	}
	return query__refuse(run, DNS_RCODE_SERVFAIL, DNS_EDE_OTHER, "too many aliases in a row");
}
