/* query/zone.c - step 3: answers from a private zone's own copy. */
#include "query/query_int.h"

#include "dns/rdata.h"
#include <stdio.h>

static const uint8_t root_name[1] = {0};

#define ADDITIONAL_MAX 32 /* targets whose addresses are added */

/* The set's records of this draw, all or none. False: cut short, TC is set. */
static bool zone_put(struct query_run *run, const struct zone *zone, const struct zone_rrset *set,
                     struct zone_rr *rr, unsigned int *ret_count)
{
	uint32_t ttl_s;
	unsigned int count = zone_rrset_draw(zone, set, run->draw, rr, &ttl_s);
	uint16_t type = zone_rrset_type(set);
	*ret_count = count;
	struct dns_mark mark = dns_build_mark(&run->b);
	for (unsigned int i = 0; i < count; i++) {
		if (!query__put(run, type, ttl_s, rr[i].rdata, rr[i].rdlen)) {
			dns_build_cut(&run->b, &mark);
			return false;
		}
	}
	return true;
}

/* A static set of another of our names, into the additional section; left out when it does not fit. */
static void additional_put(struct query_run *run, const uint8_t *name, const struct dns_key *key,
                           uint16_t type)
{
	struct world_place place;
	world_route(run->world, key, &place);
	if (place.zone == NULL) {
		return;
	}
	const struct zone *zone = place.zone->zone;
	struct zone_result result;
	zone_lookup(zone, key, type, &result);
	if (result.found != ZONE_FOUND_SET || zone_rrset_class(result.set) != ZONE_STATIC) {
		return;
	}
	struct zone_rr rr[ZONE_DRAW_MAX];
	uint32_t ttl_s;
	unsigned int count = zone_rrset_draw(zone, result.set, run->draw, rr, &ttl_s);
	struct dns_mark mark = dns_build_mark(&run->b);
	for (unsigned int i = 0; i < count; i++) {
		if (!dns_build_rr(&run->b, DNS_SECTION_ADDITIONAL, name, type, DNS_CLASS_IN, ttl_s,
		                  rr[i].rdata, rr[i].rdlen)) {
			dns_build_drop(&run->b, &mark);
			return;
		}
	}
}

/* Addresses of MX and SRV targets, where they are ours (RFC 1035 section 3.3.9, 2782). */
static void zone_additional(struct query_run *run, uint16_t type, const struct zone_rr *rr,
                            unsigned int count)
{
	if (type != DNS_TYPE_MX && type != DNS_TYPE_SRV) {
		return;
	}
	struct dns_key key;
	for (unsigned int i = 0; i < count && i < ADDITIONAL_MAX; i++) {
		int at = dns_rdata_target(type, rr[i].rdata, rr[i].rdlen);
		if (at < 0) {
			continue;
		}
		dns_key_make(&key, rr[i].rdata + at);
		additional_put(run, rr[i].rdata + at, &key, DNS_TYPE_A);
		additional_put(run, rr[i].rdata + at, &key, DNS_TYPE_AAAA);
	}
}

/* No such name or no such type: the SOA says for how long (RFC 2308). */
static enum step_says zone_negative(struct query_run *run, const struct zone *zone,
                                    unsigned int rcode)
{
	struct zone_rr soa;
	uint32_t ttl_s;
	uint32_t negative_ttl_s;
	zone_soa(zone, &soa, &ttl_s, &negative_ttl_s);
	uint32_t most = run->world->opts->max_negative_ttl_s;
	run->rcode = rcode;
	run->source = QUERY_FROM_STATIC;
	struct dns_mark mark = dns_build_mark(&run->b);
	if (!dns_build_rr(&run->b, DNS_SECTION_AUTHORITY, zone_origin(zone), DNS_TYPE_SOA,
	                  DNS_CLASS_IN, negative_ttl_s < most ? negative_ttl_s : most, soa.rdata,
	                  soa.rdlen)) {
		dns_build_cut(&run->b, &mark);
	}
	query__trace(run, "zone: %s\n",
	             rcode == DNS_RCODE_NXDOMAIN ? "no such name" : "no such type");
	return STEP_DONE;
}

/* A set that only the VPC resolver can answer rightly: asked of it under its own name. */
static enum step_says zone_dynamic(struct query_run *run, const char *why)
{
	query__trace(run, "zone: %s, asked of the VPC resolver\n", why);
	run->origin = rules_rest(run->world->rules)->origin;
	run->bailiwick = root_name;
	return STEP_NEXT;
}

static enum step_says zone_set(struct query_run *run, const struct zone *zone,
                               const struct zone_result *result)
{
	enum zone_class class = zone_rrset_class(result->set);
	if (run->in->trace != NULL && run->links == 0) {
		snprintf(run->in->trace->class, sizeof(run->in->trace->class), "%s",
		         zone_class_text(class));
	}
	if (class != ZONE_STATIC) {
		return zone_dynamic(run, zone_class_text(class));
	}

	struct zone_rr rr[ZONE_DRAW_MAX];
	unsigned int count;
	run->source = QUERY_FROM_STATIC;
	if (!zone_put(run, zone, result->set, rr, &count)) {
		return STEP_DONE;
	}
	query__trace(run, "zone: %s%s\n", zone_class_text(class),
	             result->wildcard ? ", by wildcard" : "");
	if (result->found == ZONE_FOUND_CNAME) {
		return query__chase(run, rr[0].rdata, 1);
	}
	zone_additional(run, zone_rrset_type(result->set), rr, count);
	return STEP_DONE;
}

enum step_says query_zone(struct query_run *run)
{
	if (run->place.zone == NULL) {
		return STEP_NEXT;
	}
	const struct zone *zone = run->place.zone->zone;
	struct zone_result result;
	if (zone_doubted(zone) && run->q.qtype != DNS_TYPE_ANY) {
		return zone_dynamic(run, "its copy disagrees with the VPC resolver");
	}
	zone_lookup(zone, run->key, run->q.qtype, &result);
	switch (result.found) {
	case ZONE_FOUND_SET:
	case ZONE_FOUND_CNAME:
		return zone_set(run, zone, &result);
	case ZONE_FOUND_NODATA:
		return zone_negative(run, zone, DNS_RCODE_NOERROR);
	case ZONE_FOUND_NXDOMAIN:
		return zone_negative(run, zone, DNS_RCODE_NXDOMAIN);
	case ZONE_FOUND_DELEGATION:
		return zone_dynamic(run, "below a delegation");
	}
	return query__refuse(run, DNS_RCODE_SERVFAIL, DNS_EDE_OTHER, "zone look-up");
}
