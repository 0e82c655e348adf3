#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sync/translate_int.h"

static char place[TRANSLATE_PLACE_MAX];

static struct zone_record_set translated(struct aws_record_set set)
{
	struct zone_record_set out;
	sync_translate__set(&set, false, place, &out);
	return out;
}

static void test_simple(void **state)
{
	static const char *const values[] = {"10.0.0.1", "10.0.0.2"};
	const struct zone_record_set out = translated((struct aws_record_set){
		.name = "\\052.a.",
		.type = "A",
		.has_ttl = true,
		.ttl_s = 60,
		.values = values,
		.value_count = 2,
	});
	assert_string_equal(out.name, "\\052.a.");
	assert_string_equal(out.type, "A");
	assert_int_equal(out.policy, ZONE_POLICY_SIMPLE);
	assert_int_equal(out.ttl_s, 60);
	assert_int_equal(out.value_count, 2);
	assert_ptr_equal(out.values, values);
	assert_null(out.alias_name);
	assert_null(out.region);
}

static void test_policies(void **state)
{
	struct zone_record_set out = translated(
		(struct aws_record_set){.has_weight = true, .weight = 0, .set_identifier = "x"});
	assert_int_equal(out.policy, ZONE_POLICY_WEIGHTED);
	assert_string_equal(out.set_identifier, "x");
	out = translated((struct aws_record_set){.multivalue = true, .health_check = "h"});
	assert_int_equal(out.policy, ZONE_POLICY_MULTIVALUE);
	assert_string_equal(out.health_check, "h");
	out = translated((struct aws_record_set){.failover = "PRIMARY"});
	assert_int_equal(out.policy, ZONE_POLICY_FAILOVER);
	assert_false(out.failover_secondary);
	out = translated((struct aws_record_set){.failover = "SECONDARY"});
	assert_true(out.failover_secondary);
	out = translated((struct aws_record_set){.region = "eu-west-1"});
	assert_int_equal(out.policy, ZONE_POLICY_LATENCY);
	assert_string_equal(out.region, "eu-west-1");
	out = translated((struct aws_record_set){.has_geoproximity = true});
	assert_int_equal(out.policy, ZONE_POLICY_GEOPROXIMITY);
	out = translated((struct aws_record_set){.has_cidr = true});
	assert_int_equal(out.policy, ZONE_POLICY_CIDR);
}

static void test_places(void **state)
{
	struct zone_record_set out = translated((struct aws_record_set){.geo_continent = "EU"});
	assert_int_equal(out.policy, ZONE_POLICY_GEOLOCATION);
	assert_string_equal(out.region, "continent:EU");
	out = translated((struct aws_record_set){.geo_country = "*"});
	assert_string_equal(out.region, "*");
	out = translated((struct aws_record_set){.geo_country = "US", .geo_subdivision = "CA"});
	assert_string_equal(out.region, "US/CA");
	/* A country, not the continent of the same code. */
	out = translated((struct aws_record_set){.geo_country = "SA"});
	assert_string_equal(out.region, "SA");
}

static void test_proximity(void **state)
{
	struct zone_record_set out = translated(
		(struct aws_record_set){.has_geoproximity = true, .proximity_region = "eu-west-1"});
	assert_string_equal(out.region, "eu-west-1");
	out = translated((struct aws_record_set){.has_geoproximity = true,
	                                         .proximity_group = "us-west-2-lax-1",
	                                         .proximity_bias = 10});
	assert_string_equal(out.region, "us-west-2-lax-1:bias=10");
	out = translated((struct aws_record_set){.has_geoproximity = true,
	                                         .proximity_latitude = "49.22",
	                                         .proximity_longitude = "-74.01",
	                                         .proximity_bias = -20});
	assert_string_equal(out.region, "49.22,-74.01:bias=-20");
}

static void test_alias(void **state)
{
	const struct aws_record_set set = {
		.alias_name = "b.",
		.alias_zone_id = "Z0",
		.alias_evaluate_health = true,
	};
	struct zone_record_set out;
	sync_translate__set(&set, false, place, &out);
	assert_string_equal(out.alias_name, "b.");
	assert_string_equal(out.alias_zone_id, "Z0");
	assert_true(out.alias_evaluate_health);
	/* A file's alias is judged by its name. */
	sync_translate__set(&set, true, place, &out);
	assert_null(out.alias_zone_id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_simple), cmocka_unit_test(test_policies),
		cmocka_unit_test(test_places), cmocka_unit_test(test_proximity),
		cmocka_unit_test(test_alias),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
