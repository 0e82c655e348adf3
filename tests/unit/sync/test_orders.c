#include "stage.h"

#include <unistd.h>

/* --- Hints of a change feed --- */

static void test_hint(void **state)
{
	struct sync_opts opts = options(one_id, 1);
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", two_sets));
	api_set(&api, 0, "Z1", 200, PAGE(CORP_MORE, LAST));
	sync_hint(thread, "/hostedzone/Z1");
	assert_true(listener_wait(&listener, "Z1", three_sets));
}

/* The listing that is under way may be older than the change. */
static void test_hint_in_a_listing(void **state)
{
	struct sync_opts opts = options(one_id, 1);
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", two_sets));
	api_delay(&api, 0, 300);
	sync_hint(thread, "Z1");
	while (api_calls(&api, 0) < 2) {
		usleep(1000);
	}
	api_set(&api, 0, "Z1", 200, PAGE(CORP_MORE, LAST));
	for (int i = 0; i < 1000; i++) {
		sync_hint(thread, "Z1"); /* are one */
	}
	assert_true(listener_wait(&listener, "Z1", three_sets));
	usleep(100000);
	assert_int_equal(api_calls(&api, 0), 3);
}

/* A zone that we do not know may have come into the VPC. */
static void test_hint_of_a_new_zone(void **state)
{
	struct sync_opts opts = options(NULL, 0);
	opts.vpc = "vpc-1";
	api_vpc(&api, SUMMARIES(""));
	start(&opts);
	while (api_vpc_calls(&api) == 0) {
		usleep(1000);
	}
	api_vpc(&api, SUMMARIES(SUMMARY("Z1", "corp.example.", OURS)));
	assert_true(listener_wait(&listener, "Z1", absent));
	do {
		sync_hint(thread, "Z1");
		usleep(1000);
	} while (api_vpc_calls(&api) == 1);
	assert_true(listener_wait(&listener, "Z1", loaded));
}

int main(void)
{
	stage_log();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hint, begin, end),
		cmocka_unit_test_setup_teardown(test_hint_in_a_listing, begin, end),
		cmocka_unit_test_setup_teardown(test_hint_of_a_new_zone, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
