#include "sync/translate_int.h"
#include <stdio.h>
#include <string.h>

/* The policies exclude each other; of a set that claims two it is the first, for what is said of it. */
static enum zone_policy policy_of(const struct aws_record_set *set)
{
	if (set->has_weight) {
		return ZONE_POLICY_WEIGHTED;
	}
	if (set->multivalue) {
		return ZONE_POLICY_MULTIVALUE;
	}
	if (set->failover != NULL) {
		return ZONE_POLICY_FAILOVER;
	}
	if (set->region != NULL) {
		return ZONE_POLICY_LATENCY;
	}
	if (set->geo_continent != NULL || set->geo_country != NULL) {
		return ZONE_POLICY_GEOLOCATION;
	}
	if (set->has_geoproximity) {
		return ZONE_POLICY_GEOPROXIMITY;
	}
	return set->has_cidr ? ZONE_POLICY_CIDR : ZONE_POLICY_SIMPLE;
}

static const char *geo_place(const struct aws_record_set *set, char *place)
{
	if (set->geo_country == NULL) {
		snprintf(place, TRANSLATE_PLACE_MAX, "continent:%s", set->geo_continent);
		return place;
	}
	if (set->geo_subdivision != NULL) {
		snprintf(place, TRANSLATE_PLACE_MAX, "%s/%s", set->geo_country,
		         set->geo_subdivision);
		return place;
	}
	return set->geo_country;
}

static const char *proximity_place(const struct aws_record_set *set, char *place)
{
	const char *latitude = set->proximity_latitude;
	const char *longitude = set->proximity_longitude;
	const char *where = set->proximity_region != NULL  ? set->proximity_region
	                    : set->proximity_group != NULL ? set->proximity_group
	                                                   : "";
	bool point = latitude != NULL && longitude != NULL;
	int len = snprintf(place, TRANSLATE_PLACE_MAX, "%.24s%s%.24s", point ? latitude : where,
	                   point ? "," : "", point ? longitude : "");
	if (set->proximity_bias != 0) {
		snprintf(place + len, TRANSLATE_PLACE_MAX - (size_t)len, ":bias=%d",
		         set->proximity_bias);
	}
	return place;
}

static const char *place_of(const struct aws_record_set *set, enum zone_policy policy, char *place)
{
	switch (policy) {
	case ZONE_POLICY_GEOLOCATION:
		return geo_place(set, place);
	case ZONE_POLICY_GEOPROXIMITY:
		return proximity_place(set, place);
	default:
		return set->region;
	}
}

static unsigned int policies_claimed(const struct aws_record_set *set)
{
	bool geo = set->geo_continent != NULL || set->geo_country != NULL;
	return (unsigned int)set->has_weight + (unsigned int)set->multivalue +
	       (unsigned int)(set->failover != NULL) + (unsigned int)(set->region != NULL) +
	       (unsigned int)geo + (unsigned int)set->has_geoproximity +
	       (unsigned int)set->has_cidr;
}

/* What is wrong with a set and could not be seen any more once it is translated. NULL: nothing. */
static const char *fault_of(const struct aws_record_set *set)
{
	if (set->fault != NULL) {
		return set->fault;
	}
	if (policies_claimed(set) > 1) {
		return "more than one routing policy";
	}
	if (set->failover != NULL && strcmp(set->failover, "PRIMARY") != 0 &&
	    strcmp(set->failover, "SECONDARY") != 0) {
		return "failover that is neither PRIMARY nor SECONDARY";
	}
	if (!set->has_ttl && set->value_count != 0) {
		return "values without a TTL";
	}
	return NULL;
}

void sync_translate__set(const struct aws_record_set *set, bool file, char *place,
                         struct zone_record_set *ret_set)
{
	enum zone_policy policy = policy_of(set);
	*ret_set = (struct zone_record_set){
		.name = set->name,
		.type = set->type,
		.set_identifier = set->set_identifier,
		.policy = policy,
		.ttl_s = set->has_ttl ? set->ttl_s : 0,
		.weight = set->weight,
		.health_check = set->health_check,
		.region = place_of(set, policy, place),
		.failover_secondary =
			set->failover != NULL && strcmp(set->failover, "SECONDARY") == 0,
		.values = set->values,
		.value_count = set->value_count,
		.alias_name = set->alias_name,
		.alias_zone_id = file ? NULL : set->alias_zone_id,
		.alias_evaluate_health = set->alias_evaluate_health,
		.fault = fault_of(set),
	};
}
