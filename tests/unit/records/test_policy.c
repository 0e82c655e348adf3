#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fail.h"
#include "records/policy.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define KEY "route53:ChangeResourceRecordSetsNormalizedRecordNames"

static const struct policy_opts opts = {.region = "eu-west-1"};

/* The pattern that a name's template becomes. */
static void pattern(const char *name, const char *expected)
{
	char file[1024];
	struct records_settings *settings = NULL;
	struct text faults, out;
	text_init(&faults, 0);
	text_init(&out, 0);
	snprintf(file, sizeof(file),
	         "fleet = \"web\"; records = ( { zone = \"Z0ONE\"; private = true; name = \"%s\"; "
	         "type = \"A\"; values = [ \"{private_ipv4}\" ]; } );",
	         name);
	int ret = records_settings_load_bytes("t.conf", file, strlen(file), &settings, &faults);
	assert_string_equal(text_get(&faults), "");
	assert_int_equal(ret, 0);
	assert_int_equal(policy_register(settings, &opts, &out), 0);
	json_t *document = json_loads(text_get(&out), 0, NULL);
	json_t *change = json_array_get(json_object_get(document, "Statement"), 1);
	json_t *like =
		json_object_get(json_object_get(change, "Condition"), "ForAllValues:StringLike");
	json_t *names = json_object_get(like, KEY);
	assert_int_equal(json_array_size(names), 1);
	assert_string_equal(json_string_value(json_array_get(names, 0)), expected);
	json_decref(document);
	records_settings_free(&settings);
	text_fini(&out);
	text_fini(&faults);
}

static void test_patterns_of_names(void **state)
{
	pattern("{instance_id}.Web.corp.example.", "i-*.web.corp.example");
	pattern("a-{tag:Name}.x", "a-*.x");
	pattern("{private_ipv4_dashed}.x", "*.x");
	pattern("{private_ipv4_reverse}", "*.in-addr.arpa");
	pattern("{private_ipv4_reverse:1}", "*.in-addr.arpa");
	pattern("{instance_type}.x", "*.x");
	pattern("fixed.x", "fixed.x");
	pattern("a\\\\052b.x", "a\\052b.x");
	pattern("\\\\101.x", "a.x");
	pattern("a/b.x", "a\\057b.x");
}

static void daemon_has(const char *file, const char *expected)
{
	struct settings *settings = NULL;
	struct text faults, out;
	text_init(&faults, 0);
	text_init(&out, 0);
	int ret = settings_load_bytes("t.conf", file, strlen(file), &settings, &faults);
	assert_string_equal(text_get(&faults), "");
	assert_int_equal(ret, 0);
	assert_int_equal(policy_daemon(settings, &opts, &out),
	                 expected == NULL ? FAIL_NOTFOUND : 0);
	if (expected != NULL) {
		assert_non_null(strstr(text_get(&out), expected));
	} else {
		assert_string_equal(text_get(&out), "");
	}
	settings_free(&settings);
	text_fini(&out);
	text_fini(&faults);
}

static void test_queues_by_their_url(void **state)
{
	daemon_has("route53 = { vpc = \"\"; queue = "
	           "\"https://sqs.eu-west-1.amazonaws.com/111122223333/q\"; };",
	           "\"arn:aws:sqs:eu-west-1:111122223333:q\"");
	daemon_has("route53 = { vpc = \"\"; queue = \"https://queue.example/111122223333/q\"; };",
	           "\"arn:aws:sqs:*:111122223333:q\"");
	daemon_has("route53 = { vpc = \"\"; region = \"cn-north-1\"; queue = "
	           "\"https://sqs.cn-north-1.amazonaws.com.cn/111122223333/q\"; };",
	           "\"arn:aws-cn:sqs:cn-north-1:111122223333:q\"");
}

static void test_no_api_no_rights(void **state)
{
	daemon_has("", NULL);
	daemon_has("route53 = { vpc = \"\"; };", NULL);
	daemon_has("route53 = { };", "\"route53:ListHostedZonesByVPC\"");
}

static void test_size_is_counted_without_white_space(void **state)
{
	assert_int_equal(policy_size(" { \"a\": 1\n}\t"), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns_of_names),
		cmocka_unit_test(test_queues_by_their_url),
		cmocka_unit_test(test_no_api_no_rights),
		cmocka_unit_test(test_size_is_counted_without_white_space),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
