/*
 * aws/zone_list.h - what listings yield: zones and record sets, from the API's XML or from a saved file.
 *
 * Source: API Reference ListResourceRecordSets, ListHostedZonesByVPC, GetHostedZone; facts/route53.md sections 1.2, 1.3, 1.5.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A ResourceRecordSet as listed; all text borrowed until the call returns. NULL: element absent. */
struct aws_record_set {
	const char *name; /* escaped (\ooo octal) */
	const char *type;
	const char *set_identifier;
	bool has_weight;
	uint32_t weight;
	const char *region;
	const char *geo_continent, *geo_country, *geo_subdivision;
	const char *failover; /* PRIMARY, SECONDARY */
	bool multivalue;
	const char *
		fault; /* a member of the API's answer that cannot be read; the set alone is spoilt */
	bool has_ttl;
	uint32_t ttl_s;
	const char *const *values;
	size_t value_count;
	const char *alias_zone_id;
	const char *alias_name;
	bool alias_evaluate_health;
	const char *health_check;
	const char *traffic_policy_instance;
	bool has_cidr;                                  /* CidrRoutingConfig */
	bool has_geoproximity;                          /* GeoProximityLocation */
	const char *proximity_region, *proximity_group; /* AWSRegion, LocalZoneGroup */
	const char *proximity_latitude, *proximity_longitude;
	int proximity_bias; /* -99 to 99; 0: none */
};
/* A non-zero return ends the listing and is its result. */
typedef int aws_record_set_fn(void *ctx, const struct aws_record_set *set);

struct aws_hosted_zone {
	const char *id;             /* bare: Z... */
	const char *name;           /* escaped, ends in a dot */
	const char *owning_account; /* ListHostedZonesByVPC */
	const char *owning_service; /* "efs.amazonaws.com"; NULL: an account owns it */
	bool private_zone;          /* GetHostedZone */
	uint64_t set_count;         /* GetHostedZone: ResourceRecordSetCount */
};
typedef int aws_hosted_zone_fn(void *ctx, const struct aws_hosted_zone *zone);

/*
 * Saved output of `aws route53 list-resource-record-sets` (JSON; pages put together by the CLI, or one page).
 * Returns 0, FAIL_FORMAT (no such JSON; truncated listing: NextRecordName present), -errno, FAIL_LIMIT,
 * or what fn returned. err: one line "FILE:LINE: ..." on failure.
 */
int aws_zone_file_read(const char *path, aws_record_set_fn *fn, void *ctx, char *err,
                       size_t err_size);
