#include "stage.h"

static void test_metrics(void **state)
{
	struct sync_opts opts = options(one_id, 1);
	struct text out;
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", two_sets));
	text_init(&out, 0);
	sync_metrics(thread, &out);
	const char *text = text_get(&out);
	assert_non_null(strstr(text, "horizond_zone_sets{zone=\"corp.example.\",id=\"Z1\"} 2\n"));
	assert_non_null(strstr(text, "horizond_zone_faults{zone=\"corp.example.\",id=\"Z1\"} 0\n"));
	assert_non_null(
		strstr(text, "horizond_zone_held_back{zone=\"corp.example.\",id=\"Z1\"} 0\n"));
	assert_non_null(
		strstr(text, "horizond_zone_age_seconds{zone=\"corp.example.\",id=\"Z1\"} "));
	assert_non_null(strstr(text, "horizond_api_calls_total{service=\"route53\","
	                             "operation=\"ListResourceRecordSets\",result=\"ok\"} 1\n"));
	text_fini(&out);
}

int main(void)
{
	stage_log();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_metrics, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
