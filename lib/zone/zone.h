/*
 * zone/zone.h - one private hosted zone: an immutable block of memory made for look-ups.
 *
 * Sets are added to a builder in any order, classed and parsed once, and laid out in one block:
 * names once each, record data in wire form, empty non-terminals and wildcards ready to be found.
 * Look-up and drawing allocate nothing, take no lock and write nothing shared.
 *
 * Loop:   any thread may read a zone; whoever holds a reference keeps it alive.
 * RFC:    1034 section 4.3.2 and 4.3.3, 4592 (wildcards), 2308.
 * AWS:    facts/route53.md sections 1.5, 5, 6; facts/peers-and-semantics.md part D.
 */
#pragma once

#include "base/random.h"
#include "dns/name.h"
#include "zone/set.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zone;
struct zone_builder;

/* --- Building --- */

struct zone_opts {
	const char *id;        /* bare zone id; "" for a zone file */
	const uint8_t *origin; /* wire name; NULL: the owner of the only SOA (zone files) */
	size_t sets_max;       /* refuse more sets than this (FAIL_LIMIT); 0: 1,000,000 */
	size_t bytes_max;      /* refuse a larger block; 0: 256 MiB */
};

/* NULL when memory is short. Copies opts. */
struct zone_builder *zone_builder_new(const struct zone_opts *opts);
void zone_builder_free(struct zone_builder **builder);

/*
 * One set, copied. A set that contradicts itself or cannot be parsed is kept as a fault of its name and type
 * (asked of the VPC resolver, never NXDOMAIN) and the call still returns 0; an owner outside the origin
 * or that is no name at all is left out and counted as a fault. FAIL_NOMEM, FAIL_LIMIT end the building.
 */
int zone_builder_add(struct zone_builder *builder, const struct zone_record_set *set);

/*
 * Classes every (name, type), resolves aliases, lays the zone out. FAIL_FORMAT when the apex has no
 * (readable) SOA, or a zone file none or two. *ret_zone has one reference. err: one line on failure.
 * Whatever comes of it, the builder is empty afterwards and of no more use.
 */
int zone_builder_finish(struct zone_builder *builder, struct zone **ret_zone, char *err,
                        size_t err_size);

struct zone *zone_ref(struct zone *zone);
/* Drops a reference and sets *zone to NULL; the last frees. NULL is fine. */
void zone_unref(struct zone **zone);

/* --- What it is --- */

const char *zone_id(const struct zone *zone);
const uint8_t *zone_origin(const struct zone *zone);
/* The same bytes for the same content, whatever the order of adding: for "did it change?". 64 bits. */
uint64_t zone_fingerprint(const struct zone *zone);

/* Why a (name, type) is not answered from memory. */
enum zone_class {
	ZONE_STATIC,
	ZONE_DYNAMIC_ALIAS,  /* alias to an AWS resource, to another zone, or to a dynamic set */
	ZONE_DYNAMIC_HEALTH, /* a health check decides */
	ZONE_DYNAMIC_POLICY, /* failover, latency, geolocation, geoproximity, CIDR */
	ZONE_FAULT,          /* cannot be read, contradicts itself, alias loop */
	ZONE_CLASSES,
};
const char *zone_class_text(enum zone_class class);

struct zone_stats {
	size_t sets;                /* record sets listed */
	size_t types[ZONE_CLASSES]; /* (name, type) pairs by class */
	size_t names;
	size_t faults;
	size_t bytes; /* memory of the block */
};
void zone_get_stats(const struct zone *zone, struct zone_stats *ret_stats);

/* Each fault in order: name and type as text, and one line that says why. */
typedef void zone_fault_fn(void *ctx, const char *name, const char *type, const char *why);
void zone_each_fault(const struct zone *zone, zone_fault_fn *fn, void *ctx);

/* --- Look-up --- */

/* Records ready to send: each with its owner left to the sender. */
struct zone_rr {
	const uint8_t *rdata; /* uncompressed */
	uint16_t rdlen;
};

struct zone_rrset; /* of one (name, type) */

enum zone_found {
	ZONE_FOUND_SET, /* the set of the asked type; see its class */
	ZONE_FOUND_CNAME, /* the name has a CNAME and the question was for another type; see its class */
	ZONE_FOUND_NODATA, /* the name is there (or an empty non-terminal), the type is not */
	ZONE_FOUND_NXDOMAIN,
	ZONE_FOUND_DELEGATION, /* at or below an NS set under the apex: not ours to answer */
};

struct zone_result {
	enum zone_found found;
	bool wildcard;                /* made from *.something */
	const struct zone_rrset *set; /* SET, CNAME; DELEGATION: the NS set */
	uint8_t cut_label;            /* DELEGATION: key's label at which the cut's name begins */
};

/*
 * key lies within the zone's origin. Types without answer: see found. DNS_TYPE_ANY gives the first set
 * of the name (RFC 8482). An alias answers for its own type alone.
 */
void zone_lookup(const struct zone *zone, const struct dns_key *key, uint16_t qtype,
                 struct zone_result *ret_result);

/*
 * Asks for the memory that a zone_lookup of key will read first; then, once that has had time to come, for what it
 * leads to. Reads nothing that is not there.
 */
void zone_fetch(const struct zone *zone, const struct dns_key *key);
void zone_fetch_found(const struct zone *zone, const struct dns_key *key);

/* The set of exactly this name and type, wildcards and cuts left aside (glue below a cut), or NULL. */
const struct zone_rrset *zone_exact(const struct zone *zone, const struct dns_key *key,
                                    uint16_t type);

enum zone_class zone_rrset_class(const struct zone_rrset *set);
uint16_t zone_rrset_type(const struct zone_rrset *set);

/*
 * What a static set answers this time: the draw among weighted or multivalue members made (D13, D14: weight
 * 0 only when all are 0; up to 8 of multivalue), an alias followed, several values in random order.
 * ret_rr: room for ZONE_DRAW_MAX. Returns how many, with their TTL; 0 when set is not ZONE_STATIC.
 */
#define ZONE_DRAW_MAX 400
unsigned int zone_rrset_draw(const struct zone *zone, const struct zone_rrset *set,
                             struct draw *draw, struct zone_rr *ret_rr, uint32_t *ret_ttl_s);

/*
 * True when a static set may answer just these records, in any order: all values of a simple set, those of one
 * weighted member that can be drawn, up to eight members of multivalue. The case of names in them does not count.
 */
bool zone_rrset_may(const struct zone *zone, const struct zone_rrset *set, const struct zone_rr *rr,
                    unsigned int count);

/*
 * The alias target of a dynamic alias (wire name), or NULL: for zones that our VPC is not associated with.
 */
const uint8_t *zone_rrset_alias(const struct zone *zone, const struct zone_rrset *set);

/*
 * The members of a set with a routing policy or a health check, dynamic ones included, by set identifier: for
 * explanations, and for reckoning where the VPC resolver cannot be asked. Borrowed from the zone.
 */
struct zone_member_info {
	enum zone_policy policy;
	const char *set_identifier; /* texts: NULL when there is none */
	const char *health_check;
	const char *region;
	uint32_t weight;
	bool failover_secondary;
	const uint8_t *alias; /* wire name of the target; NULL: no alias */
	bool alias_evaluate_health;
	uint32_t ttl_s;
};
/* How many; 0 for a simple set, a simple alias and a fault. */
unsigned int zone_rrset_members(const struct zone_rrset *set);
void zone_rrset_member(const struct zone *zone, const struct zone_rrset *set, unsigned int i,
                       struct zone_member_info *ret_info);
/* The values of one member, in random order, whatever the set's class. 0: an alias out of memory's reach. */
unsigned int zone_rrset_member_draw(const struct zone *zone, const struct zone_rrset *set,
                                    unsigned int i, struct draw *draw, struct zone_rr *ret_rr,
                                    uint32_t *ret_ttl_s);

/* The SOA's data and its negative TTL: min(SOA TTL, minimum). */
void zone_soa(const struct zone *zone, struct zone_rr *ret_soa, uint32_t *ret_ttl_s,
              uint32_t *ret_negative_ttl_s);

/*
 * The one thing about a zone that changes while it is read: its copy disagrees with the VPC resolver, and all its
 * names are to be asked of that. Any thread.
 */
void zone_doubt(struct zone *zone, bool doubted);
bool zone_doubted(const struct zone *zone);

/* Every (name, type), in no order: for `horizonctl`, parity, and tests. A non-zero return ends it. */
typedef int zone_each_fn(void *ctx, const uint8_t *name, const struct zone_rrset *set);
int zone_each(const struct zone *zone, zone_each_fn *fn, void *ctx);
