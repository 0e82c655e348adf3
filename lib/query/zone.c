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
enum step_says query__negative(struct query_run *run, const struct zone *zone, unsigned int rcode)
{
	struct zone_rr soa;
	uint32_t ttl_s;
	uint32_t negative_ttl_s;
	zone_soa(zone, &soa, &ttl_s, &negative_ttl_s);
	uint32_t most = run->world->opts->max_negative_ttl_s;
	run->rcode = rcode;
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

/* Asked of the VPC resolver under its own name, because only that one can answer it rightly. */
static enum step_says zone_ask(struct query_run *run, const char *why)
{
	query__trace(run, "zone: %s, asked of the VPC resolver\n", why);
	run->origin = rules_rest(run->world->rules)->origin;
	run->bailiwick = root_name;
	return STEP_NEXT;
}

static enum step_says zone_dynamic(struct query_run *run, const struct zone *zone,
                                   const struct zone_result *result)
{
	const char *why = zone_class_text(zone_rrset_class(result->set));
	if (!zones_reckoned(run->place.zone)) {
		return zone_ask(run, why);
	}
	query__trace(run, "zone: %s, reckoned: the zone is not associated with our VPC\n", why);
	return query__reckon(run, zone, result);
}

static enum step_says zone_delegated(struct query_run *run)
{
	if (!zones_reckoned(run->place.zone)) {
		return zone_ask(run, "below a delegation");
	}
	return query__refuse(run, DNS_RCODE_SERVFAIL, DNS_EDE_NOT_AUTHORITATIVE,
	                     "below a delegation of a zone that is not associated with our VPC; "
	                     "a FORWARD rule can say who answers");
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
		return zone_dynamic(run, zone, result);
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

/* The admin wants the zone's missing names asked of the public DNS, as Route 53's own fallback does. */
static bool zone_falls_back(const struct query_run *run, const struct zone *zone)
{
	const struct world_opts *opts = run->world->opts;
	for (size_t i = 0; i < opts->fallback_count; i++) {
		if (dns_name_equal(opts->fallback[i], zone_origin(zone))) {
			return true;
		}
	}
	return false;
}

static enum step_says zone_missing(struct query_run *run, const struct zone *zone)
{
	if (!zone_falls_back(run, zone) || !(run->q->flags & DNS_FLAG_RD)) {
		run->source = QUERY_FROM_STATIC;
		return query__negative(run, zone, DNS_RCODE_NXDOMAIN);
	}
	query__trace(run, "zone: no such name, asked of the public resolver\n");
	if (run->q->qtype == DNS_TYPE_ANY) {
		return query_local_any(run);
	}
	run->origin = run->world->opts->fallback_origin;
	run->bailiwick = root_name;
	run->place.zone = NULL; /* what comes is no data of the zone's */
	run->place.rule = rules_rest(run->world->rules);
	return STEP_NEXT;
}

enum step_says query_zone(struct query_run *run)
{
	if (run->place.zone == NULL) {
		return STEP_NEXT;
	}
	const struct zone *zone = run->place.zone->zone;
	struct zone_result result;
	run->doubted = true; /* nobody signs private zones */
	if (zone_doubted(zone) && run->q->qtype != DNS_TYPE_ANY) {
		return zone_ask(run, "its copy disagrees with the VPC resolver");
	}
	zone_lookup(zone, run->key, run->q->qtype, &result);
	switch (result.found) {
	case ZONE_FOUND_SET:
	case ZONE_FOUND_CNAME:
		return zone_set(run, zone, &result);
	case ZONE_FOUND_NODATA:
		run->source = QUERY_FROM_STATIC;
		return query__negative(run, zone, DNS_RCODE_NOERROR);
	case ZONE_FOUND_NXDOMAIN:
		return zone_missing(run, zone);
	case ZONE_FOUND_DELEGATION:
		return zone_delegated(run);
	}
	return query__refuse(run, DNS_RCODE_SERVFAIL, DNS_EDE_OTHER, "zone look-up");
}
