/*
 * Zones and answers as lines of text, for tables.
 *
 * A record set: `OWNER TYPE [key=value ...] [: VALUE | VALUE ...]`. Owners and alias targets are relative to
 * example.com, "@" is the zone itself, a trailing dot makes them absolute. Keys: ttl id weight hc region alias
 * zone (the alias' zone id), and the words multi secondary failover latency geo evaluate simple.
 */
#pragma once

#include "base/fail.h"
#include "dns/rdata.h"
#include "dns/type.h"
#include "zone/zone.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* setjmp and stdarg come first */
#include <cmocka.h>

#define TEST_ID "Z0TEST"
#define TEST_SOA \
	"@ SOA ttl=900 : ns-0.awsdns-00.com. hostmaster.example.com. 1 7200 900 1209600 86400"
#define TEST_NS    "@ NS ttl=172800 : ns-0.awsdns-00.com. | ns-512.awsdns-00.net."
#define VALUES_MAX 500

static inline void name_full(const char *word, char *ret_name, size_t size)
{
	size_t len = strlen(word);
	if (strcmp(word, "@") == 0) {
		snprintf(ret_name, size, "example.com.");
	} else if (len != 0 && word[len - 1] == '.') {
		snprintf(ret_name, size, "%s", word);
	} else {
		snprintf(ret_name, size, "%s.example.com", word);
	}
}

struct text_set {
	struct zone_record_set set;
	char line[16384];
	char name[1200];
	char alias[1200];
	const char *values[VALUES_MAX];
};

static inline void text_word(struct text_set *t, const char *word)
{
	const char *eq = strchr(word, '=');
	const char *value = eq == NULL ? "" : eq + 1;
	size_t len = eq == NULL ? strlen(word) : (size_t)(eq - word);
	static const struct {
		const char *word;
		enum zone_policy policy;
	} policies[] = {{"simple", ZONE_POLICY_SIMPLE},     {"multi", ZONE_POLICY_MULTIVALUE},
	                {"failover", ZONE_POLICY_FAILOVER}, {"latency", ZONE_POLICY_LATENCY},
	                {"geo", ZONE_POLICY_GEOLOCATION},   {"weight", ZONE_POLICY_WEIGHTED}};
	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		if (strlen(policies[i].word) == len && strncmp(word, policies[i].word, len) == 0) {
			t->set.policy = policies[i].policy;
			t->set.weight = (uint32_t)strtoul(value, NULL, 10);
			return;
		}
	}
	if (strncmp(word, "ttl=", 4) == 0) {
		t->set.ttl_s = (uint32_t)strtoul(value, NULL, 10);
	} else if (strncmp(word, "id=", 3) == 0) {
		t->set.set_identifier = value;
	} else if (strncmp(word, "hc=", 3) == 0) {
		t->set.health_check = value;
	} else if (strncmp(word, "region=", 7) == 0) {
		t->set.region = value;
	} else if (strncmp(word, "alias=", 6) == 0) {
		name_full(value, t->alias, sizeof(t->alias));
		t->set.alias_name = t->alias;
	} else if (strncmp(word, "zone=", 5) == 0) {
		t->set.alias_zone_id = value;
	} else if (strcmp(word, "secondary") == 0) {
		t->set.failover_secondary = true;
	} else if (strcmp(word, "evaluate") == 0) {
		t->set.alias_evaluate_health = true;
	} else {
		fail_msg("unknown word %s", word);
	}
}

static inline void text_values(struct text_set *t, char *at)
{
	t->set.values = t->values;
	while (at != NULL) {
		char *bar = strstr(at, " | ");
		if (bar != NULL) {
			*bar = '\0';
		}
		assert_true(t->set.value_count < VALUES_MAX);
		t->values[t->set.value_count++] = at;
		at = bar == NULL ? NULL : bar + 3;
	}
}

static inline void text_read(struct text_set *t, const char *line)
{
	t->set = (struct zone_record_set){.ttl_s = 300};
	assert_true(strlen(line) < sizeof(t->line));
	snprintf(t->line, sizeof(t->line), "%s", line);
	char *values = strstr(t->line, " : ");
	if (values != NULL) {
		*values = '\0';
		text_values(t, values + 3);
	}
	char *rest = NULL;
	char *word = strtok_r(t->line, " ", &rest);
	name_full(word, t->name, sizeof(t->name));
	t->set.name = t->name;
	t->set.type = strtok_r(NULL, " ", &rest);
	while ((word = strtok_r(NULL, " ", &rest)) != NULL) {
		text_word(t, word);
	}
	if (t->set.alias_name != NULL && t->set.alias_zone_id == NULL) {
		t->set.alias_zone_id = TEST_ID;
	}
}

static inline int text_add(struct zone_builder *builder, const char *line)
{
	struct text_set t;
	text_read(&t, line);
	return zone_builder_add(builder, &t.set);
}

static inline struct zone_builder *builder_of_id(const char *id)
{
	uint8_t origin[DNS_NAME_MAX];
	assert_true(dns_name_parse("example.com", origin) > 0);
	struct zone_builder *builder =
		zone_builder_new(&(struct zone_opts){.id = id, .origin = origin});
	assert_non_null(builder);
	return builder;
}

static inline struct zone *builder_zone(struct zone_builder *builder)
{
	struct zone *zone = NULL;
	char err[200];
	int ret = zone_builder_finish(builder, &zone, err, sizeof(err));
	if (ret != 0) {
		fail_msg("finish: %s (%s)", fail_text(ret), err);
	}
	zone_builder_free(&builder);
	return zone;
}

/* lines end with NULL; SOA and NS of the apex are added. */
static inline struct zone *zone_of(const char *const *lines)
{
	struct zone_builder *builder = builder_of_id(TEST_ID);
	assert_int_equal(text_add(builder, TEST_SOA), 0);
	assert_int_equal(text_add(builder, TEST_NS), 0);
	for (; *lines != NULL; lines++) {
		assert_int_equal(text_add(builder, *lines), 0);
	}
	return builder_zone(builder);
}

static inline void key_of(struct dns_key *key, const char *word)
{
	char text[1200];
	uint8_t name[DNS_NAME_MAX];
	name_full(word, text, sizeof(text));
	assert_true(dns_name_parse_route53(text, name) > 0);
	dns_key_make(key, name);
}

static inline int rr_compare(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

/* The records as sorted texts with blanks between. */
static inline void rrs_text(const struct zone_rr *rr, unsigned int count, uint16_t type, char *out,
                            size_t size)
{
	char *texts[ZONE_DRAW_MAX];
	for (unsigned int i = 0; i < count; i++) {
		char buf[5000];
		texts[i] = strdup(dns_rdata_text(type, rr[i].rdata, rr[i].rdlen, buf, sizeof(buf)));
	}
	qsort(texts, count, sizeof(texts[0]), rr_compare);
	size_t at = 0;
	out[0] = '\0';
	for (unsigned int i = 0; i < count; i++) {
		at += (size_t)snprintf(out + at, size - at, "%s%s", i == 0 ? "" : " ", texts[i]);
		assert_true(at < size);
		free(texts[i]);
	}
}

/*
 * What a question gets: [`*`] SET|CNAME type ttl values, or the class in brackets with the alias target;
 * NODATA, NXDOMAIN, `CUT label`. question: `NAME TYPE`.
 */
static inline const char *answer_text(const struct zone *zone, const char *question, char *out,
                                      size_t size)
{
	static const char *const found[] = {"SET", "CNAME", "NODATA", "NXDOMAIN", "CUT"};
	char name[1200];
	char word[16];
	uint16_t qtype;
	struct dns_key key;
	struct zone_result result;
	assert_int_equal(sscanf(question, "%1199s %15s", name, word), 2);
	assert_true(dns_type_parse(word, &qtype));
	key_of(&key, name);
	zone_lookup(zone, &key, qtype, &result);
	size_t at = (size_t)snprintf(out, size, "%s%s", result.wildcard ? "* " : "",
	                             found[result.found]);
	if (result.found == ZONE_FOUND_DELEGATION) {
		assert_non_null(result.set);
		assert_int_equal(zone_rrset_type(result.set), DNS_TYPE_NS);
		snprintf(out + at, size - at, " %u", result.cut_label);
		return out;
	}
	if (result.found != ZONE_FOUND_SET && result.found != ZONE_FOUND_CNAME) {
		assert_null(result.set);
		return out;
	}
	uint16_t type = zone_rrset_type(result.set);
	at += (size_t)snprintf(out + at, size - at, " %s ", dns_type_text(type, word));
	struct zone_rr rr[ZONE_DRAW_MAX];
	struct draw draw = {{1, 2}};
	uint32_t ttl_s = 0;
	unsigned int count = zone_rrset_draw(zone, result.set, &draw, rr, &ttl_s);
	enum zone_class class = zone_rrset_class(result.set);
	if (class != ZONE_STATIC) {
		assert_int_equal(count, 0);
		const uint8_t *alias = zone_rrset_alias(zone, result.set);
		char target[DNS_NAME_TEXT_MAX];
		snprintf(out + at, size - at, "(%s)%s%s", zone_class_text(class),
		         alias == NULL ? "" : " ",
		         alias == NULL ? "" : dns_name_text(alias, target));
		return out;
	}
	assert_true(count > 0);
	assert_null(zone_rrset_alias(zone, result.set));
	at += (size_t)snprintf(out + at, size - at, "%u ", ttl_s);
	rrs_text(rr, count, type, out + at, size - at);
	return out;
}

struct text_case {
	const char *question;
	const char *answer;
};

static inline void check_answers(const struct zone *zone, const struct text_case *cases,
                                 size_t count)
{
	char out[20000];
	for (size_t i = 0; i < count; i++) {
		answer_text(zone, cases[i].question, out, sizeof(out));
		if (strcmp(out, cases[i].answer) != 0) {
			fail_msg("%s: \"%s\", not \"%s\"", cases[i].question, out, cases[i].answer);
		}
	}
}

#define CHECK_ANSWERS(zone, cases) check_answers(zone, cases, sizeof(cases) / sizeof((cases)[0]))

struct fault_list {
	char text[8192];
	size_t len;
	unsigned int count;
};

static inline void fault_take(void *ctx, const char *name, const char *type, const char *why)
{
	struct fault_list *list = ctx;
	list->len += (size_t)snprintf(list->text + list->len, sizeof(list->text) - list->len,
	                              "%s %s: %s\n", name, type, why);
	list->count++;
	assert_true(list->len < sizeof(list->text));
}

/* One line a fault. */
static inline void check_faults(const struct zone *zone, const char *expected)
{
	struct fault_list list = {.len = 0};
	struct zone_stats stats;
	zone_each_fault(zone, fault_take, &list);
	assert_string_equal(list.text, expected);
	zone_get_stats(zone, &stats);
	assert_int_equal(stats.faults, list.count);
}
