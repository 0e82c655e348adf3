#include "records/set.h"
#include "base/fail.h"
#include "config/template.h"
#include "dns/name.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The API's form of a wire name. */
static void name_write(const uint8_t *wire, char *buf)
{
	size_t len = 0;
	for (const uint8_t *label = wire; label[0] != 0; label += 1 + label[0]) {
		for (unsigned int i = 1; i <= label[0]; i++) {
			unsigned char c = dns_fold(label[i]);
			bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
			             c == '_';
			len += plain ? (size_t)sprintf(buf + len, "%c", c)
			             : (size_t)sprintf(buf + len, "\\%03o", c);
		}
		buf[len++] = '.';
	}
	buf[len] = '\0';
}

int record_name(const char *text, char *buf)
{
	uint8_t wire[DNS_NAME_MAX];
	if (dns_name_parse_route53(text, wire) < 0 || wire[0] == 0) {
		return FAIL_FORMAT;
	}
	name_write(wire, buf);
	return 0;
}

int record_mark_name(const char *name, char *buf)
{
	char text[RECORD_NAME_MAX + 8];
	snprintf(text, sizeof(text), TEMPLATE_MARK_LABEL ".%s", name);
	return record_name(text, buf) == 0 ? 0 : FAIL_LIMIT;
}

/* --- Copies --- */

static const char *text_take(struct arena *arena, const char *text, bool *bad)
{
	const char *copy = text == NULL ? NULL : arena_text(arena, text);
	*bad = *bad || (text != NULL && copy == NULL);
	return copy;
}

static const char *const *values_take(struct arena *arena, const char *const *values, size_t count,
                                      bool *bad)
{
	const char **copy = arena_alloc(arena, (count + 1) * sizeof(*copy));
	if (copy == NULL) {
		*bad = true;
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		copy[i] = text_take(arena, values[i], bad);
	}
	return copy;
}

int record_set_copy(struct arena *arena, const struct record_set *set, struct record_set *ret_set)
{
	bool bad = false;
	*ret_set = (struct record_set){
		.name = text_take(arena, set->name, &bad),
		.type = text_take(arena, set->type, &bad),
		.identifier = text_take(arena, set->identifier, &bad),
		.ttl_s = set->ttl_s,
		.values = values_take(arena, set->values, set->value_count, &bad),
		.value_count = set->value_count,
		.odd = set->odd,
	};
	return bad ? FAIL_NOMEM : 0;
}

static bool is_odd(const struct aws_record_set *listed)
{
	bool policy = listed->has_weight || listed->region != NULL || listed->failover != NULL ||
	              listed->geo_continent != NULL || listed->geo_country != NULL ||
	              listed->has_cidr || listed->has_geoproximity;
	return policy || listed->alias_name != NULL || listed->alias_zone_id != NULL ||
	       listed->health_check != NULL || listed->traffic_policy_instance != NULL ||
	       listed->fault != NULL || !listed->has_ttl ||
	       (listed->set_identifier != NULL) != listed->multivalue;
}

int record_set_take(struct arena *arena, const struct aws_record_set *listed,
                    struct record_set *ret_set)
{
	const struct record_set borrowed = {
		.name = listed->name,
		.type = listed->type,
		.identifier = listed->set_identifier,
		.ttl_s = listed->ttl_s,
		.values = listed->values,
		.value_count = listed->value_count,
		.odd = is_odd(listed),
	};
	return record_set_copy(arena, &borrowed, ret_set);
}

int record_entry_copy(struct arena *arena, const struct record_entry *entry,
                      struct record_entry *ret_entry)
{
	struct record_entry copy = *entry;
	bool bad = false;
	copy.zone = text_take(arena, entry->zone, &bad);
	int ret = bad ? FAIL_NOMEM : record_set_copy(arena, &entry->set, &copy.set);
	if (ret == 0 && entry->has_mark) {
		ret = record_set_copy(arena, &entry->mark, &copy.mark);
	}
	if (ret == 0) {
		*ret_entry = copy;
	}
	return ret;
}

/* --- Comparing --- */

static int text_compare(const char *a, const char *b)
{
	return strcmp(a == NULL ? "" : a, b == NULL ? "" : b);
}

static int set_compare(const struct record_set *a, const struct record_set *b)
{
	int order = strcmp(a->name, b->name);
	order = order != 0 ? order : strcmp(a->type, b->type);
	return order != 0 ? order : text_compare(a->identifier, b->identifier);
}

bool record_set_same(const struct record_set *a, const struct record_set *b)
{
	return set_compare(a, b) == 0 && (a->identifier == NULL) == (b->identifier == NULL);
}

/* Every value of a is in b as often as in a. */
static bool values_equal(const struct record_set *a, const struct record_set *b)
{
	for (size_t i = 0; i < a->value_count; i++) {
		size_t in_a = 0;
		size_t in_b = 0;
		for (size_t j = 0; j < a->value_count; j++) {
			in_a += strcmp(a->values[i], a->values[j]) == 0;
			in_b += strcmp(a->values[i], b->values[j]) == 0;
		}
		if (in_a != in_b) {
			return false;
		}
	}
	return true;
}

bool record_set_equal(const struct record_set *a, const struct record_set *b)
{
	return record_set_same(a, b) && a->odd == b->odd && a->ttl_s == b->ttl_s &&
	       a->value_count == b->value_count && values_equal(a, b);
}

bool record_entry_equal(const struct record_entry *a, const struct record_entry *b)
{
	return strcmp(a->zone, b->zone) == 0 && record_set_equal(&a->set, &b->set) &&
	       a->has_mark == b->has_mark && (!a->has_mark || record_set_equal(&a->mark, &b->mark));
}

int record_entry_compare(const struct record_entry *a, const struct record_entry *b)
{
	int order = strcmp(a->zone, b->zone);
	return order != 0 ? order : set_compare(&a->set, &b->set);
}

void record_set_text(const struct record_set *set, struct text *out)
{
	text_addf(out, "%s %u %s ", set->name, set->ttl_s, set->type);
	for (size_t i = 0; i < set->value_count; i++) {
		text_addf(out, "%s%s", i == 0 ? "" : ", ", set->values[i]);
	}
	if (set->identifier != NULL) {
		text_addf(out, " [%s]", set->identifier);
	}
}
