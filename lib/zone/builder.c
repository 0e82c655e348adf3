#include "base/hash.h"
#include "dns/rdata.h"
#include "zone/build_int.h"
#include <stdio.h>
#include <stdlib.h>

#define BUILD_SETS_DEFAULT  1000000
#define BUILD_BYTES_DEFAULT ((size_t)256 << 20)
#define BUILD_BYTES_CEILING ((size_t)UINT32_MAX - 65536) /* offsets have 32 bits */
#define BUILD_VALUES_MAX    ZONE_DRAW_MAX
#define BUILD_TTL_MAX       2147483647 /* RFC 2181 section 8 */

/* --- Memory --- */

void *zone__grow(struct zone_builder *b, void *array, size_t *room, size_t need, size_t item_size)
{
	if (need <= *room) {
		return array;
	}
	size_t more = *room < 64 ? 64 : *room + *room / 2;
	if (more < need) {
		more = need;
	}
	void *moved = realloc(array, more * item_size);
	if (moved == NULL) {
		b->fail = FAIL_NOMEM;
		return NULL;
	}
	*room = more;
	return moved;
}

/* Bounded as the block is: what is kept here ends there, but for what is found at fault. */
uint32_t zone__keep(struct zone_builder *b, const void *bytes, size_t size)
{
	if (b->fail != 0) {
		return 0;
	}
	if (size > b->bytes_max - b->pool_len) {
		b->fail = FAIL_LIMIT;
		return 0;
	}
	uint8_t *pool = zone__grow(b, b->pool, &b->pool_room, b->pool_len + size, 1);
	if (pool == NULL) {
		return 0;
	}
	b->pool = pool;
	uint32_t at = (uint32_t)b->pool_len;
	memcpy(pool + at, bytes, size);
	b->pool_len += size;
	return at;
}

uint32_t zone__keep_text(struct zone_builder *b, const char *text)
{
	return zone__keep(b, text, strlen(text) + 1);
}

struct zone_builder *zone_builder_new(const struct zone_opts *opts)
{
	struct zone_builder *b = calloc(1, sizeof(*b));
	if (b == NULL) {
		return NULL;
	}
	b->sets_max = opts->sets_max == 0 ? BUILD_SETS_DEFAULT : opts->sets_max;
	b->bytes_max = opts->bytes_max == 0 ? BUILD_BYTES_DEFAULT : opts->bytes_max;
	if (b->sets_max > UINT32_MAX / 2) {
		b->sets_max = UINT32_MAX / 2;
	}
	if (b->bytes_max > BUILD_BYTES_CEILING) {
		b->bytes_max = BUILD_BYTES_CEILING;
	}
	b->apex = BUILD_NONE;
	b->soa = BUILD_NONE;
	if (opts->origin != NULL) {
		memcpy(b->origin, opts->origin, dns_name_len(opts->origin));
		dns_name_lower(b->origin);
		b->origin_known = true;
	}
	zone__keep(b, "", 1); /* offset 0 means none */
	b->more = zone__grow(b, NULL, &b->more_room, 1, sizeof(*b->more));
	if (b->more != NULL) {
		b->more[b->more_count++] = (struct build_more){.target = BUILD_NONE};
	}
	b->id = zone__keep_text(b, opts->id == NULL ? "" : opts->id);
	if (b->fail == FAIL_NOMEM) {
		zone_builder_free(&b);
	}
	return b;
}

/* What was listed: of no use once the block is there, and large. */
static void builder_drop(struct zone_builder *b)
{
	free(b->pool);
	free(b->nodes);
	free(b->slots);
	free(b->sets);
	free(b->more);
	free(b->order);
	free(b->groups);
	free(b->faults);
	b->pool = NULL;
	b->nodes = NULL;
	b->slots = NULL;
	b->sets = NULL;
	b->more = NULL;
	b->order = NULL;
	b->groups = NULL;
	b->faults = NULL;
}

void zone_builder_free(struct zone_builder **builder)
{
	if (*builder != NULL) {
		builder_drop(*builder);
		free(*builder);
		*builder = NULL;
	}
}

/* --- Faults --- */

void zone__add_fault(struct zone_builder *b, uint32_t order, uint32_t name, uint32_t type,
                     uint32_t why)
{
	struct build_fault *faults =
		zone__grow(b, b->faults, &b->fault_room, b->fault_count + 1, sizeof(*faults));
	if (faults == NULL) {
		return;
	}
	b->faults = faults;
	faults[b->fault_count++] =
		(struct build_fault){.order = order, .name = name, .type = type, .why = why};
}

void zone__name_fault(struct zone_builder *b, uint32_t order, uint32_t node, uint16_t type,
                      uint32_t why)
{
	char name[DNS_NAME_TEXT_MAX];
	char word[16];
	dns_name_text(build_name(b, node), name);
	uint32_t name_at = zone__keep_text(b, name);
	uint32_t type_at = zone__keep_text(b, dns_type_text(type, word));
	zone__add_fault(b, order, name_at, type_at, why);
}

/* A fault of a set that has no place in the tree, or no type that a question could ask for. */
static void text_fault(struct zone_builder *b, const struct zone_record_set *set, const char *why)
{
	char name_text[DNS_NAME_TEXT_MAX];
	char type_text[32];
	snprintf(name_text, sizeof(name_text), "%s", set->name == NULL ? "" : set->name);
	snprintf(type_text, sizeof(type_text), "%s", set->type == NULL ? "" : set->type);
	uint32_t name = zone__keep_text(b, name_text);
	uint32_t type = zone__keep_text(b, type_text);
	zone__add_fault(b, b->listed - 1, name, type, zone__keep_text(b, why));
}

/* A set while it is read. */
struct item {
	struct build_set set;
	struct build_more more;
};

/* The first reason stands. */
static void set_fault(struct zone_builder *b, struct item *item, const char *why)
{
	if (item->more.why == 0) {
		item->more.why = zone__keep_text(b, why);
	}
}

/* --- One set --- */

/* 128 to 255 are types of questions and of messages, not of data (RFC 6895 section 3.1). */
static bool type_read(const char *word, uint16_t *ret_type)
{
	if (word == NULL || !dns_type_parse(word, ret_type)) {
		return false;
	}
	return *ret_type != 0 && *ret_type != DNS_TYPE_OPT && (*ret_type < 128 || *ret_type > 255);
}

/* The values kept so far lie together, from item->values on. */
static bool value_known(const struct zone_builder *b, const struct build_set *item, size_t size)
{
	const uint8_t *at = b->pool + item->values;
	for (uint16_t i = 0; i < item->count; i++) {
		uint16_t len;
		memcpy(&len, at, sizeof(len));
		if (len == size && memcmp(at + sizeof(len), b->scratch, size) == 0) {
			return true;
		}
		at += sizeof(len) + len;
	}
	return false;
}

/* Each value once (RFC 2181 section 5). A fault keeps no more: the text that says why lies between. */
static void value_keep(struct zone_builder *b, struct item *draft, size_t size)
{
	struct build_set *item = &draft->set;
	if (draft->more.why != 0 || value_known(b, item, size)) {
		return;
	}
	uint16_t len = (uint16_t)size;
	uint32_t at = zone__keep(b, &len, sizeof(len));
	zone__keep(b, b->scratch, size);
	if (item->count == 0) {
		item->values = at;
	}
	item->count++;
	item->values_size += (uint32_t)(sizeof(len) + size);
}

/* Returns the sum of the values' hashes, so that their order does not count. */
static uint64_t values_read(struct zone_builder *b, const struct zone_record_set *set,
                            struct item *item)
{
	char err[200];
	char why[320];
	uint64_t sum = 0;
	for (size_t i = 0; i < set->value_count && b->fail == 0; i++) {
		const char *value = set->values[i] == NULL ? "" : set->values[i];
		int len = FAIL_LIMIT;
		if (i < BUILD_VALUES_MAX) {
			len = dns_rdata_parse_route53(item->set.type, value, b->scratch,
			                              DNS_RDATA_MAX, err, sizeof(err));
		} else {
			set_fault(b, item, "more than 400 values");
		}
		if (len >= 0) {
			sum += hash_stable(b->scratch, (size_t)len);
			value_keep(b, item, (size_t)len);
			continue;
		}
		sum += hash_stable(value, strlen(value));
		if (item->more.why == 0) {
			snprintf(why, sizeof(why), "value \"%.100s\": %s", value,
			         len == FAIL_LIMIT ? "too long" : err);
			set_fault(b, item, why);
		}
	}
	return sum;
}

static size_t alias_read(struct zone_builder *b, const struct zone_record_set *set,
                         struct item *item, uint8_t *ret_name)
{
	int len = dns_name_parse_route53(set->alias_name, ret_name);
	if (len < 0) {
		set_fault(b, item, "the alias target is no domain name");
		return 0;
	}
	dns_name_lower(ret_name);
	item->more.alias = zone__keep(b, ret_name, (size_t)len);
	const char *id = build_text(b, b->id);
	if (set->alias_zone_id == NULL || set->alias_zone_id[0] == '\0' || id[0] == '\0') {
		item->more.home = BUILD_HOME_BY_NAME;
	} else {
		item->more.home =
			strcmp(set->alias_zone_id, id) == 0 ? BUILD_HOME_SAME : BUILD_HOME_OTHER;
	}
	return (size_t)len;
}

static bool text_given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* What one set alone can get wrong. NULL: nothing. */
static const char *set_contradiction(const struct zone_record_set *set, uint16_t type)
{
	bool simple = set->policy == ZONE_POLICY_SIMPLE;
	if (set->fault != NULL) {
		return set->fault;
	}
	if (set->alias_name != NULL && set->value_count != 0) {
		return "both values and an alias";
	}
	if (set->alias_name == NULL && set->value_count == 0) {
		return "neither values nor an alias";
	}
	if (set->alias_name != NULL && (type == DNS_TYPE_NS || type == DNS_TYPE_SOA)) {
		return "NS and SOA cannot be aliases";
	}
	if (set->alias_name != NULL && set->policy == ZONE_POLICY_MULTIVALUE) {
		return "a multivalue set cannot be an alias";
	}
	if ((type == DNS_TYPE_CNAME || type == DNS_TYPE_SOA) && set->value_count > 1) {
		return "more than one value";
	}
	if (simple && text_given(set->set_identifier)) {
		return "a set identifier without a routing policy";
	}
	if (!simple && !text_given(set->set_identifier)) {
		return "a routing policy without a set identifier";
	}
	if (!simple && type == DNS_TYPE_SOA) {
		return "SOA with a routing policy";
	}
	if (set->weight > 255) {
		return "a weight over 255";
	}
	if (set->ttl_s > BUILD_TTL_MAX) {
		return "a TTL over 2147483647";
	}
	return NULL;
}

static uint32_t text_keep(struct zone_builder *b, const char *text)
{
	return text_given(text) ? zone__keep_text(b, text) : 0;
}

/* 0: nothing that need be kept. */
static uint32_t more_keep(struct zone_builder *b, const struct build_more *more)
{
	static const struct build_more nothing = {.target = BUILD_NONE};
	if (memcmp(more, &nothing, sizeof(nothing)) == 0) {
		return 0;
	}
	struct build_more *all =
		zone__grow(b, b->more, &b->more_room, b->more_count + 1, sizeof(*all));
	if (all == NULL) {
		return 0;
	}
	b->more = all;
	all[b->more_count] = *more;
	return (uint32_t)b->more_count++;
}

static void set_add(struct zone_builder *b, const struct zone_record_set *set, struct item *item,
                    const uint8_t *name, size_t name_len)
{
	uint8_t alias[DNS_NAME_MAX];
	size_t alias_len = 0;
	uint64_t values = 0;
	const char *why = set_contradiction(set, item->set.type);
	if (why != NULL) {
		set_fault(b, item, why);
	}
	if (set->alias_name != NULL) {
		alias_len = alias_read(b, set, item, alias);
	}
	values = values_read(b, set, item);
	item->more.identifier = text_keep(b, set->set_identifier);
	item->more.health = text_keep(b, set->health_check);
	item->more.region = text_keep(b, set->region);
	item->set.more = more_keep(b, &item->more);
	b->sum += zone__fingerprint(set, name, name_len, alias_len == 0 ? NULL : alias, alias_len,
	                            values);

	struct build_set *sets =
		zone__grow(b, b->sets, &b->set_room, b->set_count + 1, sizeof(*sets));
	if (sets != NULL) {
		b->sets = sets;
		sets[b->set_count++] = item->set;
	}
}

int zone_builder_add(struct zone_builder *b, const struct zone_record_set *set)
{
	if (b->fail == 0 && b->listed >= b->sets_max) {
		b->fail = FAIL_LIMIT;
	}
	if (b->fail != 0) {
		return b->fail;
	}
	uint32_t order = b->listed++;
	uint8_t name[DNS_NAME_MAX];
	int len = set->name == NULL ? FAIL_FORMAT : dns_name_parse_route53(set->name, name);
	if (len < 0) {
		b->sum += zone__fingerprint(set, NULL, 0, NULL, 0, 0);
		text_fault(b, set, "the owner is no domain name");
		return b->fail;
	}
	dns_name_lower(name);
	uint32_t node = zone__node(b, name, (size_t)len);
	if (node == BUILD_NONE) {
		return b->fail;
	}
	struct item item = {.more = {.target = BUILD_NONE}};
	item.set = (struct build_set){
		.node = node,
		.order = order,
		.ttl_s = set->ttl_s,
		.policy = (uint8_t)set->policy,
		.weight = (uint8_t)set->weight,
		.flags = (uint8_t)((set->failover_secondary ? ZONE__SECONDARY : 0) |
	                           (set->alias_evaluate_health ? ZONE__EVALUATE : 0)),
	};
	if (!type_read(set->type, &item.set.type)) {
		b->sum += zone__fingerprint(set, name, (size_t)len, NULL, 0, 0);
		text_fault(b, set, "the type is not one that a zone can hold");
		return b->fail;
	}
	set_add(b, set, &item, name, (size_t)len);
	return b->fail;
}

/* --- The whole --- */

static int builder_finish(struct zone_builder *b, struct zone **ret_zone, char *err,
                          size_t err_size)
{
	int ret = zone__tree(b, err, err_size);
	if (ret != 0) {
		return ret;
	}
	ret = zone__class(b);
	if (ret != 0) {
		return ret;
	}
	ret = zone__alias(b);
	if (ret != 0) {
		return ret;
	}
	b->soa = zone__group_find(b, b->apex, DNS_TYPE_SOA);
	if (b->soa == BUILD_NONE || b->groups[b->soa].class == ZONE_FAULT) {
		char name[DNS_NAME_TEXT_MAX];
		snprintf(err, err_size, "%s has no %sSOA at its apex",
		         dns_name_text(b->origin, name), b->soa == BUILD_NONE ? "" : "readable ");
		return FAIL_FORMAT;
	}
	void *block = NULL;
	ret = zone__layout(b, &block);
	if (ret != 0) {
		return ret;
	}
	builder_drop(b); /* before the index is made */
	*ret_zone = zone__adopt(block);
	if (*ret_zone == NULL) {
		free(block);
		return FAIL_NOMEM;
	}
	return 0;
}

int zone_builder_finish(struct zone_builder *b, struct zone **ret_zone, char *err, size_t err_size)
{
	if (err_size != 0) {
		err[0] = '\0';
	}
	int ret = b->fail;
	if (ret == 0) {
		ret = builder_finish(b, ret_zone, err, err_size);
	}
	if (ret != 0 && err_size != 0 && err[0] == '\0') {
		snprintf(err, err_size, "%s",
		         ret == FAIL_LIMIT ? "the zone is larger than allowed" : fail_text(ret));
	}
	builder_drop(b);
	b->fail = ret != 0 ? ret : FAIL_FORMAT; /* emptied: there is no second zone in it */
	return ret;
}
