/*
 * zone/set.h - one record set as Route 53 lists it, from whichever source (API, file, disk, peer).
 *
 * Memory: borrowed text; it need live only for the call it is handed to.
 * Source: API Reference, type ResourceRecordSet; facts section 1.5.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum zone_policy {
	ZONE_POLICY_SIMPLE,
	ZONE_POLICY_WEIGHTED,
	ZONE_POLICY_MULTIVALUE,
	ZONE_POLICY_FAILOVER,
	ZONE_POLICY_LATENCY,
	ZONE_POLICY_GEOLOCATION,
	ZONE_POLICY_GEOPROXIMITY,
	ZONE_POLICY_CIDR,
};

struct zone_record_set {
	const char *name; /* escaped as the API gives it (\ooo octal), any case, dot optional */
	const char *type; /* "A", "CNAME", ... */
	const char *set_identifier; /* NULL: none */
	enum zone_policy policy;
	uint32_t ttl_s;
	uint32_t weight;          /* ZONE_POLICY_WEIGHTED: 0..255 */
	const char *health_check; /* id, or NULL */
	/*
	 * Latency: "eu-west-1". Geolocation: "continent:EU" (continents and countries share codes), "US", "US/CA",
	 * "*". Geoproximity: a region, a Local Zone group or "LATITUDE,LONGITUDE", then perhaps ":bias=N". Or NULL.
	 */
	const char *region;
	bool failover_secondary;   /* ZONE_POLICY_FAILOVER */
	const char *const *values; /* value_count presentation texts; none for an alias */
	size_t value_count;
	const char *alias_name;    /* DNSName of an alias, escaped as above; NULL: no alias */
	const char *alias_zone_id; /* bare id; NULL (zone files): judged by name */
	bool alias_evaluate_health;
};
