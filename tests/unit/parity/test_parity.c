/* The watch: what it samples, how it judges, when a zone disagrees and when it agrees again. */
#include "parity/parity.h"

#include "dns/build.h"
#include "dns/rdata.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LONG_AGO 1000
#define NOW      1000000

static void add(struct zone_builder *builder, const char *name, const char *type, const char *value,
                const char *id, uint32_t weight)
{
	struct zone_record_set set = {.name = name,
	                              .type = type,
	                              .ttl_s = 60,
	                              .policy = id == NULL ? ZONE_POLICY_SIMPLE
	                                                   : ZONE_POLICY_WEIGHTED,
	                              .set_identifier = id,
	                              .weight = weight,
	                              .values = &value,
	                              .value_count = 1};
	assert_int_equal(zone_builder_add(builder, &set), 0);
}

static struct zone *zone_make(const char *www)
{
	uint8_t origin[DNS_NAME_MAX];
	char err[128];
	struct zone *zone = NULL;
	dns_name_parse("corp.example", origin);
	struct zone_opts opts = {.id = "Z0TEST", .origin = origin};
	struct zone_builder *builder = zone_builder_new(&opts);
	add(builder, "corp.example", "SOA", "a. b. 1 7200 900 1209600 86400", NULL, 0);
	add(builder, "www.corp.example", "A", www, NULL, 0);
	add(builder, "*.wild.corp.example", "A", "10.0.0.2", NULL, 0);
	add(builder, "w.corp.example", "A", "10.0.1.1", "a", 10);
	add(builder, "w.corp.example", "A", "10.0.1.2", "b", 90);
	struct zone_record_set checked = {.name = "lb.corp.example",
	                                  .type = "A",
	                                  .alias_name = "x.elb.amazonaws.com",
	                                  .alias_zone_id = "Z0AWS"};
	assert_int_equal(zone_builder_add(builder, &checked), 0);
	assert_int_equal(zone_builder_finish(builder, &zone, err, sizeof(err)), 0);
	zone_builder_free(&builder);
	return zone;
}

/* A table of this one zone, which it takes over. */
static struct zones *zones_make(struct zone *zone, bool associated, int64_t changed_s)
{
	struct zones_entry entry = {.zone = zone,
	                            .id = "Z0TEST",
	                            .source = ZONE_SOURCE_API,
	                            .associated = associated,
	                            .changed_s = changed_s};
	struct zones *zones = zones_new(&entry, 1);
	assert_non_null(zones);
	zone_unref(&zone);
	return zones;
}

static bool all_ours(void *ctx, const struct dns_key *key, const struct zone *zone)
{
	return true;
}

static bool none_ours(void *ctx, const struct dns_key *key, const struct zone *zone)
{
	return false;
}

/* The reply to a sample with these A records ("" : none). */
static const struct dns_reply *reply_of(const struct parity_sample *sample, unsigned int rcode,
                                        const char *value)
{
	static uint8_t wire[1024];
	static struct dns_reply reply;
	uint8_t rdata[512];
	char err[100];
	struct dns_build b;
	dns_build_question(&b, wire, sizeof(wire), 1, DNS_FLAG_QR, sample->name, sample->type);
	if (value[0] != '\0') {
		int len = dns_rdata_parse_route53(sample->type, value, rdata, sizeof(rdata), err,
		                                  sizeof(err));
		assert_true(len >= 0);
		assert_true(dns_build_rr(&b, DNS_SECTION_ANSWER, sample->name, sample->type,
		                         DNS_CLASS_IN, 5, rdata, (uint16_t)len));
	}
	assert_int_equal(dns_reply_read(wire, dns_build_end(&b, 0, rcode, NULL), &reply), 0);
	return &reply;
}

/* Samples until it is this name's turn. */
static void sample_of(struct parity *parity, const struct zones *zones, const char *text,
                      struct parity_sample *ret_sample)
{
	uint8_t name[DNS_NAME_MAX];
	dns_name_parse(text, name);
	for (unsigned int i = 0; i < 1000; i++) {
		if (!parity_next(parity, zones, all_ours, NULL, ret_sample)) {
			continue;
		}
		if (dns_name_equal(ret_sample->name, name) && ret_sample->type == DNS_TYPE_A) {
			return;
		}
		parity_drop(ret_sample);
	}
	fail_msg("%s is never sampled", text);
}

static enum parity_result tell(struct parity *parity, const struct zones *zones, const char *name,
                               const char *value, int64_t now_s)
{
	struct parity_sample sample;
	sample_of(parity, zones, name, &sample);
	return parity_told(parity, &sample, zones, reply_of(&sample, DNS_RCODE_NOERROR, value),
	                   now_s);
}

static struct parity_state state_of(struct parity *parity, const struct zones *zones)
{
	struct parity_state state;
	assert_true(parity_get_state(parity, zones_get(zones, 0), &state));
	return state;
}

static void test_samples(void **state)
{
	struct parity *parity = parity_new();
	struct zones *zones = zones_make(zone_make("10.0.0.1"), true, LONG_AGO);
	unsigned int www = 0, wild = 0, w = 0, nobody = 0, soa = 0;
	for (unsigned int i = 0; i < 2000; i++) {
		struct parity_sample sample;
		char text[DNS_NAME_TEXT_MAX];
		if (!parity_next(parity, zones, all_ours, NULL, &sample)) {
			continue;
		}
		dns_name_text(sample.name, text);
		assert_string_not_equal(text, "lb.corp.example."); /* dynamic: never ours */
		www += strcmp(text, "www.corp.example.") == 0;
		w += strcmp(text, "w.corp.example.") == 0;
		soa += sample.type == DNS_TYPE_SOA;
		wild += strstr(text, ".wild.corp.example.") != NULL && text[0] != '*';
		nobody += strlen(text) == strlen("01234567.corp.example.");
		parity_drop(&sample);
	}
	assert_true(www > 300 && w > 300 && soa > 300 && wild > 300 && nobody > 150);
	struct parity_sample sample;
	for (unsigned int i = 0; i < 50; i++) {
		assert_false(parity_next(parity, zones, none_ours, NULL, &sample));
	}
	zones_unref(&zones);
	zones = zones_make(zone_make("10.0.0.1"), false, LONG_AGO);
	assert_false(parity_next(parity, zones, all_ours, NULL, &sample));
	zones_unref(&zones);
	parity_free(&parity);
}

static void test_verdicts(void **state)
{
	struct parity *parity = parity_new();
	struct zones *zones = zones_make(zone_make("10.0.0.1"), true, LONG_AGO);
	struct parity_sample sample;
	assert_int_equal(tell(parity, zones, "www.corp.example", "10.0.0.1", NOW), PARITY_SAME);
	assert_int_equal(tell(parity, zones, "www.corp.example", "10.0.0.2", NOW),
	                 PARITY_DIFFERENT);
	assert_int_equal(tell(parity, zones, "www.corp.example", "", NOW), PARITY_DIFFERENT);
	assert_int_equal(tell(parity, zones, "w.corp.example", "10.0.1.1", NOW), PARITY_SAME);
	assert_int_equal(tell(parity, zones, "w.corp.example", "10.0.1.2", NOW), PARITY_SAME);
	assert_int_equal(tell(parity, zones, "w.corp.example", "10.0.1.3", NOW), PARITY_DIFFERENT);

	sample_of(parity, zones, "www.corp.example", &sample);
	assert_int_equal(parity_told(parity, &sample, zones, NULL, NOW), PARITY_UNKNOWN);
	sample_of(parity, zones, "www.corp.example", &sample);
	assert_int_equal(
		parity_told(parity, &sample, zones, reply_of(&sample, DNS_RCODE_SERVFAIL, ""), NOW),
		PARITY_UNKNOWN);
	sample_of(parity, zones, "www.corp.example", &sample);
	assert_int_equal(
		parity_told(parity, &sample, zones, reply_of(&sample, DNS_RCODE_NXDOMAIN, ""), NOW),
		PARITY_DIFFERENT);
	assert_int_equal(state_of(parity, zones).results[PARITY_SAME], 3);
	assert_int_equal(state_of(parity, zones).results[PARITY_DIFFERENT], 4);
	assert_int_equal(state_of(parity, zones).results[PARITY_UNKNOWN], 2);

	struct text out;
	text_init(&out, 0);
	parity_metrics(parity, &out);
	assert_non_null(
		strstr(text_get(&out),
	               "horizond_parity_total{zone=\"corp.example.\",result=\"different\"} 4"));
	text_fini(&out);
	zones_unref(&zones);
	parity_free(&parity);
}

/* A name that is not there: NXDOMAIN on both sides, or different. */
static void test_nobody(void **state)
{
	struct parity *parity = parity_new();
	struct zones *zones = zones_make(zone_make("10.0.0.1"), true, LONG_AGO);
	for (unsigned int rcode = 0; rcode <= DNS_RCODE_NXDOMAIN; rcode += DNS_RCODE_NXDOMAIN) {
		struct parity_sample sample;
		do {
			while (!parity_next(parity, zones, all_ours, NULL, &sample)) {
			}
			if (dns_name_len(sample.name) == 9 + 14) {
				break;
			}
			parity_drop(&sample);
		} while (true);
		assert_int_equal(parity_told(parity, &sample, zones,
		                             reply_of(&sample, rcode, rcode == 0 ? "10.0.0.9" : ""),
		                             NOW),
		                 rcode == 0 ? PARITY_DIFFERENT : PARITY_SAME);
	}
	zones_unref(&zones);
	parity_free(&parity);
}

/* D24: the listing may be ahead of what is served, and the resolver may keep what was before. */
static void test_change_explains(void **state)
{
	struct parity *parity = parity_new();
	struct zones *zones = zones_make(zone_make("10.0.0.1"), true, NOW - 100);
	assert_int_equal(tell(parity, zones, "www.corp.example", "10.0.0.2", NOW), PARITY_UNKNOWN);
	assert_int_equal(tell(parity, zones, "www.corp.example", "10.0.0.1", NOW), PARITY_SAME);
	assert_int_equal(tell(parity, zones, "www.corp.example", "10.0.0.2", NOW + 79),
	                 PARITY_UNKNOWN);
	assert_int_equal(tell(parity, zones, "www.corp.example", "10.0.0.2", NOW + 80),
	                 PARITY_DIFFERENT);

	/* The copy was replaced while the question was under way. */
	struct parity_sample sample;
	sample_of(parity, zones, "www.corp.example", &sample);
	zones_unref(&zones);
	zones = zones_make(zone_make("10.0.0.2"), true, LONG_AGO);
	assert_int_equal(parity_told(parity, &sample, zones,
	                             reply_of(&sample, DNS_RCODE_NOERROR, "10.0.0.2"), NOW),
	                 PARITY_UNKNOWN);
	zones_unref(&zones);
	parity_free(&parity);
}

static void test_fallback(void **state)
{
	struct parity *parity = parity_new();
	struct zones *zones = zones_make(zone_make("10.0.0.1"), true, LONG_AGO);
	const struct zone *zone = zones_get(zones, 0)->zone;
	parity_tune(parity, true);
	for (unsigned int i = 0; i < 2; i++) {
		tell(parity, zones, "www.corp.example", "10.0.0.2", NOW);
		tell(parity, zones, "www.corp.example", "10.0.0.1", NOW);
	}
	assert_false(zone_doubted(zone));
	tell(parity, zones, "www.corp.example", "10.0.0.2", NOW);
	assert_true(zone_doubted(zone));
	assert_true(state_of(parity, zones).disagrees);

	/* A new copy is doubted like the old one, with the next sample. */
	zones_unref(&zones);
	zones = zones_make(zone_make("10.0.0.2"), true, LONG_AGO);
	zone = zones_get(zones, 0)->zone;
	assert_false(zone_doubted(zone));
	for (unsigned int i = 0; i < 9; i++) {
		tell(parity, zones, "www.corp.example", "10.0.0.2", NOW);
		assert_true(zone_doubted(zone));
	}
	tell(parity, zones, "www.corp.example", "10.0.0.2", NOW);
	assert_false(zone_doubted(zone));
	assert_false(state_of(parity, zones).disagrees);

	/* Switched off, all is forgotten. */
	for (unsigned int i = 0; i < 3; i++) {
		tell(parity, zones, "www.corp.example", "10.0.0.1", NOW);
	}
	assert_true(zone_doubted(zone));
	parity_forget(parity, zones);
	assert_false(zone_doubted(zone));
	struct parity_state none;
	assert_false(parity_get_state(parity, zones_get(zones, 0), &none));
	zones_unref(&zones);
	parity_free(&parity);
}

/* Without fallback it is told, and nothing else. */
static void test_only_told(void **state)
{
	struct parity *parity = parity_new();
	struct zones *zones = zones_make(zone_make("10.0.0.1"), true, LONG_AGO);
	for (unsigned int i = 0; i < 5; i++) {
		tell(parity, zones, "www.corp.example", "10.0.0.2", NOW);
	}
	assert_true(state_of(parity, zones).disagrees);
	assert_false(zone_doubted(zones_get(zones, 0)->zone));
	zones_unref(&zones);
	/* A zone that goes is forgotten. */
	zones = zones_new(NULL, 0);
	struct parity_sample sample;
	assert_false(parity_next(parity, zones, all_ours, NULL, &sample));
	struct text out;
	text_init(&out, 0);
	parity_metrics(parity, &out);
	assert_null(strstr(text_get(&out), "corp.example"));
	text_fini(&out);
	zones_unref(&zones);
	parity_free(&parity);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples),  cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_nobody),   cmocka_unit_test(test_change_explains),
		cmocka_unit_test(test_fallback), cmocka_unit_test(test_only_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
