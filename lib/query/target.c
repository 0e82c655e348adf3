/*
 * query/target.c - the data of an alias target outside the zone, under the alias's own name and type.
 *
 * Route 53 resolves an alias by itself, whatever rules the VPC has; so the target is asked of the VPC resolver,
 * and so are the CNAMEs behind it. The client sees none of them (D12).
 */
#include "query/query_int.h"

#include <string.h>

static const uint8_t root_name[1] = {0};

/* What the documentation gives for load balancers; for the rest it is the target's own, if that is less. */
#define TARGET_TTL_S 60

/* The records of this type, all or none. */
static enum step_says target_put(struct query_run *run, const struct cache_hit *hit,
                                 const struct zone_result *result, const uint8_t *name,
                                 uint32_t ttl_s)
{
	uint16_t type = zone_rrset_type(result->set);
	struct dns_reply reply;
	if (query__scratch(run, hit, name, type, &reply) != 0) {
		return query__refuse(run, DNS_RCODE_SERVFAIL, DNS_EDE_INVALID_DATA,
		                     "kept answer unreadable");
	}
	struct dns_walk walk;
	struct dns_rr rr;
	const uint8_t *first = NULL;
	struct dns_mark mark = dns_build_mark(&run->b);
	dns_walk_begin(&walk, &reply, DNS_SECTION_ANSWER);
	while (dns_walk_next(&walk, &rr)) {
		if (rr.type != type) {
			continue;
		}
		first = first == NULL ? reply.wire + rr.rdata : first;
		if (!query__put(run, type, ttl_s, reply.wire + rr.rdata, rr.rdlen)) {
			dns_build_cut(&run->b, &mark);
			return STEP_DONE;
		}
	}
	if (result->found == ZONE_FOUND_CNAME && first != NULL) {
		return query__chase(run, first, 1);
	}
	return STEP_DONE;
}

static enum step_says target_use(struct query_run *run, const struct zone *zone,
                                 const struct zone_result *result, const struct query_found *found,
                                 const uint8_t *name, uint32_t ttl_s)
{
	query__say_stale(run, found->hit);
	if (found->hit->outcome == DNS_OUTCOME_ANSWER) {
		return target_put(run, found->hit, result, name, ttl_s);
	}
	/* The name is the zone's: of a target that is gone it only says that there is no data. */
	return query__negative(run, zone, DNS_RCODE_NOERROR);
}

static uint32_t hit_ttl(const struct cache_hit *hit)
{
	return hit->stale ? QUERY_STALE_TTL_S : hit->left_s;
}

enum step_says query__target(struct query_run *run, const struct zone *zone,
                             const struct zone_result *result, const uint8_t *target)
{
	uint8_t name[DNS_NAME_MAX + 1];
	uint32_t ttl_s = TARGET_TTL_S;
	unsigned int links = 0;
	run->origin = rules_rest(run->world->rules)->origin;
	run->bailiwick = root_name;
	memcpy(name, target, dns_name_len(target));
	while (links <= DNS_CHAIN_MAX) {
		struct dns_key key;
		struct query_found found;
		dns_key_make(&key, name);
		const struct cache_key cache_key = {
			.name = &key,
			.origin = run->origin,
			.type = zone_rrset_type(result->set),
		};
		enum query_find find = query__find(run, &cache_key, &found);
		if (find == QUERY_FIND_NOTHING) {
			return query__park(run, name, cache_key.type, 0);
		}
		if (find == QUERY_FIND_FAILED) {
			return query__failed(run, &found);
		}
		uint32_t left_s = hit_ttl(found.hit);
		ttl_s = left_s < ttl_s ? left_s : ttl_s;
		if (found.hit->outcome != DNS_OUTCOME_CHAIN) {
			return target_use(run, zone, result, &found, name, ttl_s);
		}
		links += found.hit->chain;
		memcpy(name, found.hit->next, dns_name_len(found.hit->next));
	}
	return query__refuse(run, DNS_RCODE_SERVFAIL, DNS_EDE_OTHER,
	                     "CNAME chain behind the alias too long");
}
