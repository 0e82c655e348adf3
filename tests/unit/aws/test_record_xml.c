#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/record_xml_int.h"
#include "base/fail.h"
#include "base/text.h"
#include "fixtures.h"
#include <stdlib.h>
#include <string.h>

static void add(struct text *out, const char *name, const char *value)
{
	if (value != NULL) {
		text_addf(out, " %s=%s", name, value);
	}
}

/* One line a set, everything in it. */
static int on_set(void *ctx, const struct aws_record_set *set)
{
	struct text *out = ctx;
	text_addf(out, "%s %s", set->name, set->type);
	add(out, "id", set->set_identifier);
	add(out, "fault", set->fault);
	add(out, "region", set->region);
	add(out, "continent", set->geo_continent);
	add(out, "country", set->geo_country);
	add(out, "subdivision", set->geo_subdivision);
	add(out, "failover", set->failover);
	add(out, "alias_zone", set->alias_zone_id);
	add(out, "alias", set->alias_name);
	add(out, "check", set->health_check);
	add(out, "policy", set->traffic_policy_instance);
	if (set->has_weight) {
		text_addf(out, " weight=%u", set->weight);
	}
	if (set->has_ttl) {
		text_addf(out, " ttl=%u", set->ttl_s);
	}
	text_addf(out, "%s%s%s%s", set->multivalue ? " multi" : "",
	          set->alias_evaluate_health ? " health" : "", set->has_cidr ? " cidr" : "",
	          set->has_geoproximity ? " near" : "");
	add(out, "near_region", set->proximity_region);
	add(out, "near_group", set->proximity_group);
	add(out, "near_latitude", set->proximity_latitude);
	add(out, "near_longitude", set->proximity_longitude);
	if (set->proximity_bias != 0) {
		text_addf(out, " bias=%d", set->proximity_bias);
	}
	for (size_t i = 0; i < set->value_count; i++) {
		text_addf(out, " [%s]", set->values[i]);
	}
	text_addf(out, "\n");
	return 0;
}

static int page_read(const char *body, size_t step, struct text *out, struct record_marker *next)
{
	struct record_page page;
	size_t size = strlen(body);
	record_page__init(&page, on_set, out);
	struct xml *xml = xml__new(&record_page_format, &page);
	int ret = 0;
	for (size_t at = 0; at < size && ret == 0; at += step) {
		ret = xml__feed(xml, body + at, size - at < step ? size - at : step);
	}
	ret = ret != 0 ? ret : xml__finish(xml);
	ret = ret != 0 ? ret : record_page__check(&page);
	if (next != NULL) {
		*next = page.next;
	}
	xml__free(&xml);
	record_page__fini(&page);
	return ret;
}

static void test_fixture(void **state)
{
	for (size_t step = 1; step <= sizeof(FIXTURE_PAGE); step++) {
		struct text out;
		struct record_marker next;
		text_init(&out, 0);
		assert_int_equal(page_read(FIXTURE_PAGE, step, &out, &next), 0);
		assert_string_equal(text_get(&out),
		                    "\\052.corp.example. A ttl=60 [10.0.0.1] [10.0.0.2]\n"
		                    "app.corp.example. A id=blue alias_zone=Z0EXAMPLE "
		                    "alias=be.corp.example. "
		                    "check=0f0e0d0c-0000-4000-8000-000000000000 weight=10 "
		                    "health\n");
		assert_string_equal(next.name, "app.corp.example.");
		assert_string_equal(next.type, "A");
		assert_true(next.has_identifier);
		assert_string_equal(next.identifier, "green");
		text_fini(&out);
	}
}

static void test_every_member(void **state)
{
	static const char body[] = PAGE(
		"<ResourceRecordSet><Name>a.</Name><Type>A</Type><SetIdentifier>x &amp; "
		"y</SetIdentifier>"
		"<GeoLocation><CountryCode>US</CountryCode><SubdivisionCode>CA</SubdivisionCode>"
		"</GeoLocation><TTL>0</TTL></ResourceRecordSet>"
		"<ResourceRecordSet><Name>b.</Name><Type>A</Type><Region>eu-west-1</Region>"
		"<TTL>2147483647</TTL></ResourceRecordSet>"
		"<ResourceRecordSet><Name>c.</Name><Type>A</Type><Failover>SECONDARY</Failover>"
		"<MultiValueAnswer>false</MultiValueAnswer></ResourceRecordSet>"
		"<ResourceRecordSet><Name>d.</Name><Type>A</Type>"
		"<MultiValueAnswer>true</MultiValueAnswer>"
		"<TrafficPolicyInstanceId>tp</TrafficPolicyInstanceId>"
		"<CidrRoutingConfig><CollectionId>c</CollectionId><LocationName>*</LocationName>"
		"</CidrRoutingConfig></ResourceRecordSet>"
		"<ResourceRecordSet><Name>e.</Name><Type>A</Type><GeoLocation>"
		"<ContinentCode>EU</ContinentCode></GeoLocation><GeoProximityLocation>"
		"<AWSRegion>eu-west-1</AWSRegion><Bias>5</Bias></GeoProximityLocation>"
		"<Brand><New>thing</New></Brand></ResourceRecordSet>"
		"<ResourceRecordSet><Name>f.</Name><Type>A</Type><GeoProximityLocation>"
		"<Coordinates><Latitude>49.22</Latitude><Longitude>-74.01</Longitude></Coordinates>"
		"<Bias>-20</Bias></GeoProximityLocation></ResourceRecordSet>",
		LAST);
	struct text out;
	text_init(&out, 0);
	assert_int_equal(page_read(body, sizeof(body), &out, NULL), 0);
	assert_string_equal(text_get(&out), "a. A id=x & y country=US subdivision=CA ttl=0\n"
	                                    "b. A region=eu-west-1 ttl=2147483647\n"
	                                    "c. A failover=SECONDARY\n"
	                                    "d. A policy=tp multi cidr\n"
	                                    "e. A continent=EU near near_region=eu-west-1 bias=5\n"
	                                    "f. A near near_latitude=49.22 "
	                                    "near_longitude=-74.01 bias=-20\n");
	text_fini(&out);
}

static void check(const char *body, int wanted)
{
	struct text out;
	text_init(&out, 0);
	assert_int_equal(page_read(body, strlen(body) + 1, &out, NULL), wanted);
	text_fini(&out);
}

static void test_empty_list(void **state)
{
	check(PAGE("", LAST), 0);
}

static void test_incomplete_pages(void **state)
{
	check(PAGE("", ""), FAIL_FORMAT);
	check("<ListResourceRecordSetsResponse xmlns=\"" SPACE "\">" LAST
	      "</ListResourceRecordSetsResponse>",
	      FAIL_FORMAT);
	check(PAGE("<ResourceRecordSet><Type>A</Type></ResourceRecordSet>", LAST), FAIL_FORMAT);
	check(PAGE("<ResourceRecordSet><Name>a.</Name></ResourceRecordSet>", LAST), FAIL_FORMAT);
	check(PAGE("<ResourceRecordSet><Name>a.</Name><Type>A</Type><AliasTarget>"
	           "<HostedZoneId>Z1</HostedZoneId></AliasTarget></ResourceRecordSet>",
	           LAST),
	      FAIL_FORMAT);
}

/* A number that is none spoils its own set; the rest of the listing stands. */
static void test_numbers_that_are_none(void **state)
{
	static const char *const pages[] = {
		PAGE(SET("a.", "A", "-1", "1.2.3.4") SOME_SET, LAST),
		PAGE(SET("a.", "A", "1s", "1.2.3.4") SOME_SET, LAST),
		PAGE(SET("a.", "A", "4294967296", "1.2.3.4") SOME_SET, LAST),
		PAGE(SET("a.", "A", "", "1.2.3.4") SOME_SET, LAST),
	};
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct text out;
		text_init(&out, 0);
		assert_int_equal(page_read(pages[i], strlen(pages[i]) + 1, &out, NULL), 0);
		assert_non_null(strstr(text_get(&out), "fault=TTL is not a whole number"));
		assert_non_null(strstr(text_get(&out), "b. A ttl=60 [10.0.0.1]"));
		text_fini(&out);
	}
}

static void test_impossible_values(void **state)
{
	check(PAGE("", "<IsTruncated>perhaps</IsTruncated>"), FAIL_FORMAT);
	check(PAGE("", LAST LAST), FAIL_FORMAT);
	check(PAGE("<ResourceRecordSet><Name>a.</Name><Name>b.</Name><Type>A</Type>"
	           "</ResourceRecordSet>",
	           LAST),
	      FAIL_FORMAT);
}

static void test_pages_that_contradict_themselves(void **state)
{
	check(PAGE("", "<IsTruncated>true</IsTruncated>"), FAIL_CHANGED);
	check(PAGE("", "<IsTruncated>true</IsTruncated><NextRecordName>a.</NextRecordName>"),
	      FAIL_CHANGED);
	check(PAGE("", LAST "<NextRecordName>a.</NextRecordName>"), FAIL_CHANGED);
}

static void test_many_values(void **state)
{
	struct text body, out;
	text_init(&body, 0);
	text_init(&out, 0);
	text_addf(&body, "<ListResourceRecordSetsResponse xmlns=\"" SPACE "\"><ResourceRecordSets>"
	                 "<ResourceRecordSet><Name>a.</Name><Type>TXT</Type><TTL>1</TTL>"
	                 "<ResourceRecords>");
	for (unsigned int i = 0; i < 5000; i++) {
		text_addf(&body, "<ResourceRecord><Value>\"%u\"</Value></ResourceRecord>", i);
	}
	assert_int_equal(page_read(text_get(&body), body.len, &out, NULL), FAIL_LIMIT);
	text_fini(&body);
	text_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixture),
		cmocka_unit_test(test_every_member),
		cmocka_unit_test(test_empty_list),
		cmocka_unit_test(test_incomplete_pages),
		cmocka_unit_test(test_numbers_that_are_none),
		cmocka_unit_test(test_impossible_values),
		cmocka_unit_test(test_pages_that_contradict_themselves),
		cmocka_unit_test(test_many_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
