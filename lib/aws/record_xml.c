#include "aws/record_xml_int.h"
#include "base/fail.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Route 53 allows 400 values; a set of more than this is no set. */
#define VALUES_MAX 4096

/* Memory of one set. */
#define SET_CHUNK 4096
#define SET_MAX   (16u << 20)

enum {
	TAG_SETS = TAG_FIRST,
	TAG_SET,
	TAG_NAME,
	TAG_TYPE,
	TAG_IDENTIFIER,
	TAG_WEIGHT,
	TAG_REGION,
	TAG_GEO,
	TAG_CONTINENT,
	TAG_COUNTRY,
	TAG_SUBDIVISION,
	TAG_FAILOVER,
	TAG_MULTIVALUE,
	TAG_TTL,
	TAG_RECORDS,
	TAG_RECORD,
	TAG_VALUE,
	TAG_ALIAS,
	TAG_ALIAS_ZONE,
	TAG_ALIAS_NAME,
	TAG_ALIAS_HEALTH,
	TAG_HEALTH_CHECK,
	TAG_TRAFFIC_POLICY,
	TAG_CIDR,
	TAG_GEOPROXIMITY,
	TAG_PROXIMITY_REGION,
	TAG_PROXIMITY_GROUP,
	TAG_PROXIMITY_POINT,
	TAG_PROXIMITY_LATITUDE,
	TAG_PROXIMITY_LONGITUDE,
	TAG_PROXIMITY_BIAS,
	TAG_TRUNCATED,
	TAG_NEXT_NAME,
	TAG_NEXT_TYPE,
	TAG_NEXT_IDENTIFIER,
};

static const struct xml_rule rules[] = {
	{TAG_ROOT, TAG_SETS, true, "ResourceRecordSets"},
	{TAG_ROOT, TAG_TRUNCATED, true, "IsTruncated"},
	{TAG_ROOT, TAG_NEXT_NAME, true, "NextRecordName"},
	{TAG_ROOT, TAG_NEXT_TYPE, true, "NextRecordType"},
	{TAG_ROOT, TAG_NEXT_IDENTIFIER, true, "NextRecordIdentifier"},
	{TAG_SETS, TAG_SET, false, "ResourceRecordSet"},
	{TAG_SET, TAG_NAME, true, "Name"},
	{TAG_SET, TAG_TYPE, true, "Type"},
	{TAG_SET, TAG_IDENTIFIER, true, "SetIdentifier"},
	{TAG_SET, TAG_WEIGHT, true, "Weight"},
	{TAG_SET, TAG_REGION, true, "Region"},
	{TAG_SET, TAG_GEO, true, "GeoLocation"},
	{TAG_GEO, TAG_CONTINENT, true, "ContinentCode"},
	{TAG_GEO, TAG_COUNTRY, true, "CountryCode"},
	{TAG_GEO, TAG_SUBDIVISION, true, "SubdivisionCode"},
	{TAG_SET, TAG_FAILOVER, true, "Failover"},
	{TAG_SET, TAG_MULTIVALUE, true, "MultiValueAnswer"},
	{TAG_SET, TAG_TTL, true, "TTL"},
	{TAG_SET, TAG_RECORDS, true, "ResourceRecords"},
	{TAG_RECORDS, TAG_RECORD, false, "ResourceRecord"},
	{TAG_RECORD, TAG_VALUE, true, "Value"},
	{TAG_SET, TAG_ALIAS, true, "AliasTarget"},
	{TAG_ALIAS, TAG_ALIAS_ZONE, true, "HostedZoneId"},
	{TAG_ALIAS, TAG_ALIAS_NAME, true, "DNSName"},
	{TAG_ALIAS, TAG_ALIAS_HEALTH, true, "EvaluateTargetHealth"},
	{TAG_SET, TAG_HEALTH_CHECK, true, "HealthCheckId"},
	{TAG_SET, TAG_TRAFFIC_POLICY, true, "TrafficPolicyInstanceId"},
	{TAG_SET, TAG_CIDR, true, "CidrRoutingConfig"},
	{TAG_SET, TAG_GEOPROXIMITY, true, "GeoProximityLocation"},
	{TAG_GEOPROXIMITY, TAG_PROXIMITY_REGION, true, "AWSRegion"},
	{TAG_GEOPROXIMITY, TAG_PROXIMITY_GROUP, true, "LocalZoneGroup"},
	{TAG_GEOPROXIMITY, TAG_PROXIMITY_POINT, true, "Coordinates"},
	{TAG_GEOPROXIMITY, TAG_PROXIMITY_BIAS, true, "Bias"},
	{TAG_PROXIMITY_POINT, TAG_PROXIMITY_LATITUDE, true, "Latitude"},
	{TAG_PROXIMITY_POINT, TAG_PROXIMITY_LONGITUDE, true, "Longitude"},
};

void record_page__init(struct record_page *page, aws_record_set_fn *fn, void *ctx)
{
	*page = (struct record_page){.fn = fn, .ctx = ctx};
	arena_init(&page->arena, SET_CHUNK, SET_MAX);
}

void record_page__fini(struct record_page *page)
{
	arena_fini(&page->arena);
	free(page->values);
	page->values = NULL;
}

int record_page__check(const struct record_page *page)
{
	if (!page->has_sets || !page->has_truncated) {
		return FAIL_FORMAT;
	}
	bool agrees =
		page->has_next_name == page->truncated && page->has_next_type == page->truncated;
	return agrees ? 0 : FAIL_CHANGED;
}

/* --- Pieces --- */

static int number_read(const char *text, uint32_t *ret_number)
{
	char *end = NULL;
	if (text[0] < '0' || text[0] > '9') {
		return FAIL_FORMAT;
	}
	errno = 0;
	unsigned long long number = strtoull(text, &end, 10);
	if (*end != '\0' || errno != 0 || number > UINT32_MAX) {
		return FAIL_FORMAT;
	}
	*ret_number = (uint32_t)number;
	return 0;
}

static int bool_read(const char *text, bool *ret_value)
{
	bool yes = strcmp(text, "true") == 0;
	if (!yes && strcmp(text, "false") != 0) {
		return FAIL_FORMAT;
	}
	*ret_value = yes;
	return 0;
}

static int text_keep(struct record_page *page, const char *text, const char **ret_copy)
{
	const char *copy = arena_text(&page->arena, text);
	if (copy == NULL) {
		return FAIL_NOMEM;
	}
	*ret_copy = copy;
	return 0;
}

static int buffer_keep(char *buf, size_t size, const char *text)
{
	return snprintf(buf, size, "%s", text) < (int)size ? 0 : FAIL_FORMAT;
}

static int value_add(struct record_page *page, const char *text)
{
	size_t count = page->set.value_count;
	if (count == VALUES_MAX) {
		return FAIL_LIMIT;
	}
	if (count == page->value_room) {
		size_t room = count == 0 ? 16 : 2 * count;
		const char **values = reallocarray(page->values, room, sizeof(*values));
		if (values == NULL) {
			return FAIL_NOMEM;
		}
		page->values = values;
		page->value_room = room;
	}
	int ret = text_keep(page, text, &page->values[count]);
	page->set.value_count += ret == 0;
	return ret;
}

/* --- A set --- */

static int disorder(struct record_page *page, const char *what)
{
	page->disorder = what;
	snprintf(page->disorder_at, sizeof(page->disorder_at), "%s %s", page->set.name,
	         page->set.type);
	return FAIL_CHANGED;
}

static bool is_marked(const struct record_marker *marker, const struct aws_record_set *set)
{
	const char *identifier = set->set_identifier == NULL ? "" : set->set_identifier;
	return strcmp(marker->name, set->name) == 0 && strcmp(marker->type, set->type) == 0 &&
	       (!marker->has_identifier || strcmp(marker->identifier, identifier) == 0);
}

static int set_end(struct record_page *page)
{
	struct aws_record_set *set = &page->set;
	if (set->name == NULL || set->type == NULL) {
		return FAIL_FORMAT;
	}
	if (page->sets == 0 && page->from != NULL && !is_marked(page->from, set)) {
		return disorder(page, "the page does not begin where the one before said, but");
	}
	if (page->order != NULL && !record_order__follows(page->order, set)) {
		return disorder(page, "the listing is out of order");
	}
	set->values = page->values;
	page->sets++;
	return page->fn(page->ctx, set);
}

static int on_set_end(struct record_page *page, unsigned int tag, const char *text)
{
	struct aws_record_set *set = &page->set;
	switch (tag) {
	case TAG_NAME:
		return text_keep(page, text, &set->name);
	case TAG_TYPE:
		return text_keep(page, text, &set->type);
	case TAG_IDENTIFIER:
		return text_keep(page, text, &set->set_identifier);
	case TAG_WEIGHT:
		set->has_weight = true;
		if (number_read(text, &set->weight) != 0) {
			set->fault = "Weight is not a whole number";
		}
		return 0;
	case TAG_TTL:
		set->has_ttl = true;
		if (number_read(text, &set->ttl_s) != 0) {
			set->fault = "TTL is not a whole number";
		}
		return 0;
	case TAG_REGION:
		return text_keep(page, text, &set->region);
	case TAG_FAILOVER:
		return text_keep(page, text, &set->failover);
	case TAG_MULTIVALUE:
		return bool_read(text, &set->multivalue);
	case TAG_HEALTH_CHECK:
		return text_keep(page, text, &set->health_check);
	case TAG_TRAFFIC_POLICY:
		return text_keep(page, text, &set->traffic_policy_instance);
	case TAG_CIDR:
		set->has_cidr = true;
		return 0;
	case TAG_GEOPROXIMITY:
		set->has_geoproximity = true;
		return 0;
	default:
		return 0;
	}
}

static int on_proximity_end(struct record_page *page, unsigned int tag, const char *text)
{
	struct aws_record_set *set = &page->set;
	switch (tag) {
	case TAG_PROXIMITY_REGION:
		return text_keep(page, text, &set->proximity_region);
	case TAG_PROXIMITY_GROUP:
		return text_keep(page, text, &set->proximity_group);
	case TAG_PROXIMITY_LATITUDE:
		return text_keep(page, text, &set->proximity_latitude);
	case TAG_PROXIMITY_LONGITUDE:
		return text_keep(page, text, &set->proximity_longitude);
	case TAG_PROXIMITY_BIAS:
		set->proximity_bias = (int)strtol(text, NULL, 10);
		return 0;
	default:
		return on_set_end(page, tag, text);
	}
}

/* What lies deeper in a set. */
static int on_part_end(struct record_page *page, unsigned int tag, const char *text)
{
	struct aws_record_set *set = &page->set;
	switch (tag) {
	case TAG_CONTINENT:
		return text_keep(page, text, &set->geo_continent);
	case TAG_COUNTRY:
		return text_keep(page, text, &set->geo_country);
	case TAG_SUBDIVISION:
		return text_keep(page, text, &set->geo_subdivision);
	case TAG_VALUE:
		return value_add(page, text);
	case TAG_ALIAS:
		return set->alias_name != NULL ? 0 : FAIL_FORMAT;
	case TAG_ALIAS_ZONE:
		return text_keep(page, text, &set->alias_zone_id);
	case TAG_ALIAS_NAME:
		return text_keep(page, text, &set->alias_name);
	case TAG_ALIAS_HEALTH:
		return bool_read(text, &set->alias_evaluate_health);
	default:
		return on_proximity_end(page, tag, text);
	}
}

/* --- The page --- */

static int on_begin(void *ctx, unsigned int tag)
{
	struct record_page *page = ctx;
	if (tag == TAG_SETS) {
		page->has_sets = true;
	} else if (tag == TAG_SET) {
		arena_reset(&page->arena);
		page->set = (struct aws_record_set){0};
	}
	return 0;
}

static int on_end(void *ctx, unsigned int tag, char *text)
{
	struct record_page *page = ctx;
	struct record_marker *next = &page->next;
	switch (tag) {
	case TAG_SET:
		return set_end(page);
	case TAG_TRUNCATED:
		page->has_truncated = true;
		return bool_read(text, &page->truncated);
	case TAG_NEXT_NAME:
		page->has_next_name = true;
		return buffer_keep(next->name, sizeof(next->name), text);
	case TAG_NEXT_TYPE:
		page->has_next_type = true;
		return buffer_keep(next->type, sizeof(next->type), text);
	case TAG_NEXT_IDENTIFIER:
		next->has_identifier = true;
		return buffer_keep(next->identifier, sizeof(next->identifier), text);
	default:
		return on_part_end(page, tag, text);
	}
}

const struct xml_format record_page_format = {
	.root = "ListResourceRecordSetsResponse",
	.space = "https://route53.amazonaws.com/doc/2013-04-01/",
	.rules = rules,
	.rule_count = sizeof(rules) / sizeof(rules[0]),
	.begin = on_begin,
	.end = on_end,
};
