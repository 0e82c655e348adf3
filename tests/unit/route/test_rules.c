#include "route/rules.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct entry {
	enum rule_kind kind;
	const char *domain;
};

static struct rules *rules_of(const struct entry *entries, size_t count)
{
	struct rule_opts opts[16];
	uint8_t names[16][DNS_NAME_MAX];
	char texts[16][80];
	struct rule_opts rest = {.kind = RULE_DEFAULT, .origin = 77, .text = "rest"};
	assert_true(count <= 16);
	for (size_t i = 0; i < count; i++) {
		assert_true(dns_name_parse(entries[i].domain, names[i]) > 0);
		snprintf(texts[i], sizeof(texts[i]), "%s %s", rule_kind_text(entries[i].kind),
		         entries[i].domain);
		opts[i] = (struct rule_opts){
			.kind = entries[i].kind,
			.domain = names[i],
			.origin = (uint32_t)i + 1,
			.index = (uint32_t)i,
			.text = texts[i],
		};
	}
	struct rules *rules = rules_new(opts, count, &rest);
	assert_non_null(rules);
	memset(names, 0xee, sizeof(names)); /* all is copied */
	memset(texts, 0xee, sizeof(texts));
	return rules;
}

#define RULES_OF(...)                                 \
	rules_of((const struct entry[]){__VA_ARGS__}, \
	         sizeof((const struct entry[]){__VA_ARGS__}) / sizeof(struct entry))

/* The rule that a walk from the whole name up to the root meets first. */
static const char *first_rule(const struct rules *rules, const char *text)
{
	uint8_t name[DNS_NAME_MAX];
	struct dns_key key;
	assert_true(dns_name_parse(text, name) > 0);
	dns_key_make(&key, name);
	for (unsigned int label = 0; label <= key.labels; label++) {
		const struct rule *rule = rules_at(rules, &key, label);
		if (rule != NULL) {
			return rule->text;
		}
	}
	return rules_rest(rules)->text;
}

/* D3, D4, D7. */
static void test_most_specific(void **state)
{
	struct rules *rules = RULES_OF(
		{RULE_FORWARD, "Corp.Example.COM"}, {RULE_SYSTEM, "aws.corp.example.com"},
		{RULE_FORWARD, "10.in-addr.arpa"}, {RULE_AUTODEFINED, "1.10.in-addr.arpa"});
	assert_string_equal(first_rule(rules, "corp.example.com"), "FORWARD Corp.Example.COM");
	assert_string_equal(first_rule(rules, "WWW.corp.EXAMPLE.com"), "FORWARD Corp.Example.COM");
	assert_string_equal(first_rule(rules, "a.b.c.corp.example.com"),
	                    "FORWARD Corp.Example.COM");
	assert_string_equal(first_rule(rules, "aws.corp.example.com"),
	                    "SYSTEM aws.corp.example.com");
	assert_string_equal(first_rule(rules, "x.aws.corp.example.com"),
	                    "SYSTEM aws.corp.example.com");
	assert_string_equal(first_rule(rules, "xcorp.example.com"), "rest");
	assert_string_equal(first_rule(rules, "example.com"), "rest");
	assert_string_equal(first_rule(rules, "."), "rest");
	assert_string_equal(first_rule(rules, "9.9.2.10.in-addr.arpa"), "FORWARD 10.in-addr.arpa");
	assert_string_equal(first_rule(rules, "9.9.1.10.in-addr.arpa"),
	                    "AUTODEFINED 1.10.in-addr.arpa");
	assert_int_equal(rules_count(rules), 4);
	assert_int_equal(rules_depths(rules), 1 << 4 | 1 << 3);
	rules_free(&rules);
	assert_null(rules);
	rules_free(&rules);
}

static void test_fields(void **state)
{
	struct rules *rules = RULES_OF({RULE_FORWARD, "example.com"}, {RULE_SYSTEM, "Example.ORG"});
	const struct rule *rule = rules_get(rules, 1);
	uint8_t name[DNS_NAME_MAX];
	assert_true(dns_name_parse("example.org", name) > 0);
	assert_int_equal(rule->kind, RULE_SYSTEM);
	assert_int_equal(rule->index, 1);
	assert_int_equal(rule->origin, 2);
	assert_int_equal(rule->label_count, 2);
	assert_memory_equal(rule->domain, name, dns_name_len(name));
	assert_string_equal(rule->text, "SYSTEM Example.ORG");
	assert_null(rules_get(rules, 2));

	rule = rules_rest(rules);
	assert_int_equal(rule->kind, RULE_DEFAULT);
	assert_int_equal(rule->origin, 77);
	assert_int_equal(rule->label_count, 0);
	assert_int_equal(rule->domain[0], 0);
	rules_free(&rules);
}

/* D3: a rule beats the autodefined name; what is ours to answer beats both. */
static void test_stronger_kind_stays(void **state)
{
	struct rules *rules =
		RULES_OF({RULE_AUTODEFINED, "10.in-addr.arpa"}, {RULE_FORWARD, "10.IN-addr.arpa"},
	                 {RULE_FORWARD, "localhost"}, {RULE_LOCAL, "localhost"},
	                 {RULE_SYSTEM, "localhost"}, {RULE_SYSTEM, "example.com"},
	                 {RULE_AUTODEFINED, "example.com"}, {RULE_FORWARD, "example.com"});
	assert_int_equal(rules_count(rules), 3);
	assert_string_equal(first_rule(rules, "10.in-addr.arpa"), "FORWARD 10.IN-addr.arpa");
	assert_string_equal(first_rule(rules, "localhost"), "LOCAL localhost");
	assert_string_equal(first_rule(rules, "example.com"), "SYSTEM example.com");
	rules_free(&rules);
}

/* D5: a rule for the root leaves what is more specific alone. */
static void test_root(void **state)
{
	struct rules *rules =
		RULES_OF({RULE_FORWARD, "."}, {RULE_AUTODEFINED, "eu-west-1.compute.internal"});
	assert_string_equal(first_rule(rules, "www.example.com"), "FORWARD .");
	assert_string_equal(first_rule(rules, "."), "FORWARD .");
	assert_string_equal(first_rule(rules, "ip-10-0-0-1.eu-west-1.compute.internal"),
	                    "AUTODEFINED eu-west-1.compute.internal");
	assert_int_equal(rules_depths(rules), 1 << 3 | 1 << 0);
	rules_free(&rules);
}

static void test_empty(void **state)
{
	struct rule_opts rest = {.kind = RULE_DEFAULT};
	struct rules *rules = rules_new(NULL, 0, &rest);
	assert_non_null(rules);
	assert_string_equal(first_rule(rules, "www.example.com"), "");
	assert_int_equal(rules_count(rules), 0);
	assert_int_equal(rules_depths(rules), 0);
	rules_free(&rules);
}

static void test_many(void **state)
{
	enum { COUNT = 3000 };
	struct rule_opts *opts = calloc(COUNT, sizeof(*opts));
	uint8_t(*names)[32] = calloc(COUNT, sizeof(*names));
	struct rule_opts rest = {.kind = RULE_DEFAULT, .text = "rest"};
	struct dns_key key;
	for (unsigned int i = 0; i < COUNT; i++) {
		char text[32];
		uint8_t name[DNS_NAME_MAX];
		snprintf(text, sizeof(text), "d%u.example.com", i);
		memcpy(names[i], name, (size_t)dns_name_parse(text, name));
		opts[i] = (struct rule_opts){.kind = RULE_FORWARD, .domain = names[i], .index = i};
	}
	struct rules *rules = rules_new(opts, COUNT, &rest);
	assert_int_equal(rules_count(rules), COUNT);
	for (unsigned int i = 0; i < COUNT; i++) {
		dns_key_make(&key, names[i]);
		assert_int_equal(rules_at(rules, &key, 0)->index, i);
		assert_null(rules_at(rules, &key, 1));
	}
	rules_free(&rules);
	free(names);
	free(opts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_most_specific),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_stronger_kind_stays),
		cmocka_unit_test(test_root),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
