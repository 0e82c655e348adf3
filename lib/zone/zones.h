/*
 * zone/zones.h - all zones that are loaded now: an immutable table by apex, swapped whole.
 */
#pragma once

#include "zone/zone.h"

struct health;
struct zones;

/* Where a zone's present data came from. */
enum zone_source {
	ZONE_SOURCE_NONE, /* never loaded: its names go to the VPC resolver */
	ZONE_SOURCE_API,
	ZONE_SOURCE_DISK,
	ZONE_SOURCE_PEER,
	ZONE_SOURCE_FILE,
};
const char *zone_source_text(enum zone_source source);

/* How it is known whether a zone is associated with our VPC. */
enum zones_known {
	ZONES_KNOWN_NOT,     /* it counts as not associated */
	ZONES_KNOWN_LISTING, /* ListHostedZonesByVPC has it, or lacks it */
	ZONES_KNOWN_SOA,     /* the VPC resolver gives its own SOA, or another */
};
const char *zones_known_text(enum zones_known known);

/* One zone with what is known about it. zone is NULL when it was never loaded or cannot be listed. */
struct zones_entry {
	struct zone *zone;
	const char *id;
	uint8_t origin[DNS_NAME_MAX +
	               1]; /* wire; len 0 octet first and id known: name not known yet */
	bool origin_known;
	enum zone_source source;
	bool associated;        /* with our VPC: dynamic sets may be asked of the VPC resolver */
	enum zones_known known; /* how we know that */
	bool unavailable;       /* known not to be ours to list (AccessDenied, NoSuchHostedZone) */
	int64_t looked_s;       /* wall clock of the last good look; 0: never */
	int64_t changed_s;      /* wall clock of the last change */
	uint64_t calls;         /* API calls spent on it */
	char trouble[160];      /* last failure in one line; "" when the last look was good */
	char held[96];     /* why the last listing is not served yet; "": nothing is held back */
	bool kept;         /* the copy on disk has what is served */
	uint64_t failures; /* looks that failed */
};

/*
 * The VPC resolver would not give what the zone holds: its dynamic sets are reckoned, not asked. Zone files are
 * trusted to be of our VPC.
 */
static inline bool zones_reckoned(const struct zones_entry *entry)
{
	return !entry->associated && entry->source != ZONE_SOURCE_FILE;
}

/*
 * A table of count entries (copied; each zone gets a reference more). Two zones of one origin: the
 * associated one wins, else the first; the other is not served. NULL when memory is short.
 */
struct zones *zones_new(const struct zones_entry *entries, size_t count);
struct zones *zones_ref(struct zones *zones);
void zones_unref(struct zones **zones);

/*
 * The loaded zone whose origin is exactly the suffix of key that begins at this label, or NULL.
 * (The walk over suffixes, rules and zones together, is query/route's.)
 */
const struct zones_entry *zones_at(const struct zones *zones, const struct dns_key *key,
                                   unsigned int label);

/*
 * Which numbers of labels occur among loaded origins: bit n for n labels, bit 63 for 63 and more. Suffixes of other
 * lengths need no look.
 */
uint64_t zones_depths(const struct zones *zones);

size_t zones_count(const struct zones *zones);
const struct zones_entry *zones_get(const struct zones *zones, size_t i);

/* What is known of the health checks that the zones name; NULL: nothing. Borrowed. */
const struct health *zones_health(const struct zones *zones);
/* Takes over one reference (NULL is fine), before the table is handed to anybody. */
void zones_set_health(struct zones *zones, struct health *health);
