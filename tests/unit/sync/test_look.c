#include "stage.h"

#include <unistd.h>

static void test_loaded_and_ready(void **state)
{
	struct sync_opts opts = options(one_id, 1);
	char why[256];
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", two_sets));
	assert_true(ready(why));
	assert_string_equal(why, "");
	assert_true(listener_wait(&listener, "corp.example.", loaded_not_associated));
	pthread_mutex_lock(&listener.lock);
	const struct zones_entry *entry = entry_find(listener.zones, "Z1");
	assert_int_equal(entry->source, ZONE_SOURCE_API);
	assert_int_equal(entry->calls, 1);
	assert_true(wall_s() - entry->looked_s < 10);
	pthread_mutex_unlock(&listener.lock);
}

static void test_change_seen(void **state)
{
	struct sync_opts opts = options(one_id, 1);
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", two_sets));
	api_set(&api, 0, "Z1", 200, PAGE(CORP_MORE, LAST));
	assert_int_equal(sync_now(thread, "corp.example"), 0);
	assert_true(listener_wait(&listener, "Z1", three_sets));
	assert_int_equal(sync_now(thread, "other.example"), FAIL_NOTFOUND);
}

/* The very zone goes on when the listing says the same. */
static void test_no_change_no_new_zone(void **state)
{
	struct sync_opts opts = options(one_id, 1);
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", two_sets));
	pthread_mutex_lock(&listener.lock);
	struct zone *zone = zone_ref(entry_find(listener.zones, "Z1")->zone);
	unsigned int published = listener.published;
	while (listener.published == published) {
		sync_now(thread, "Z1");
		pthread_cond_wait(&listener.changed, &listener.lock);
	}
	assert_true(api_calls(&api, 0) > 1);
	assert_ptr_equal(entry_find(listener.zones, "Z1")->zone, zone);
	pthread_mutex_unlock(&listener.lock);
	zone_unref(&zone);
}

/* Each fault in turn: the data stays, the trouble shows, the zone recovers. */
static void test_bad_listings_never_replace_data(void **state)
{
	static const struct {
		unsigned int status;
		const char *body;
	} bad[] = {
		{400, ERROR_BODY("Throttling", "Rate exceeded")},
		{500, ""},
		{200, "<html>sign in</html>"},
		{200, ""},
		{200, PAGE("", LAST)}, /* no SOA */
		{200, PAGE(SET("www.corp.example.", "A", "60", "10.0.0.1"), LAST)},
		{200, PAGE(CORP, NEXT("z.corp.example.", "A"))}, /* the same page for ever */
		{200, PAGE(SOA("other.example."), LAST)},        /* another zone's */
		{403, ERROR_BODY("AccessDenied", "not authorized")},
		{403, ERROR_BODY("InvalidClientTokenId", "who?")},
		{404, ERROR_BODY("NoSuchHostedZone", "once")},
	};
	struct sync_opts opts = options(one_id, 1);
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", two_sets));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		api_set(&api, 0, "Z1", bad[i].status, bad[i].body);
		assert_int_equal(sync_now(thread, "Z1"), 0);
		assert_true(listener_wait(&listener, "Z1", data_in_trouble));
		api_set(&api, 0, "Z1", 200, PAGE(CORP_MORE, LAST));
		assert_int_equal(sync_now(thread, "Z1"), 0);
		assert_true(listener_wait(&listener, "Z1", three_sets));
		api_set(&api, 0, "Z1", 200, PAGE(CORP, LAST));
		assert_int_equal(sync_now(thread, "Z1"), 0);
		assert_true(listener_wait(&listener, "Z1", two_sets));
	}
}

static void test_deleted_zone_confirmed(void **state)
{
	struct sync_opts opts = options(one_id, 1);
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", two_sets));
	api_set(&api, 0, "Z9", 200, PAGE(CORP, LAST));
	assert_int_equal(sync_now(thread, "Z1"), 0);
	assert_true(listener_wait(&listener, "Z1", data_in_trouble)); /* said once */
	assert_int_equal(sync_now(thread, "Z1"), 0);
	assert_true(listener_wait(&listener, "Z1", unavailable)); /* said twice */
}

static void test_denied_is_ready(void **state)
{
	static const char *const ids[] = {"Z1", "Z2"};
	struct sync_opts opts = options(ids, 2);
	char why[256];
	api_set(&api, 1, "Z2", 403, ERROR_BODY("AccessDenied", "not authorized"));
	start(&opts);
	assert_true(listener_wait(&listener, "Z2", unavailable));
	assert_true(listener_wait(&listener, "Z1", loaded));
	assert_true(ready(why));
}

static void test_not_ready_without_data(void **state)
{
	struct sync_opts opts = options(one_id, 1);
	char why[256];
	api_set(&api, 0, "Z1", 500, "");
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", in_trouble));
	assert_false(ready(why));
	assert_non_null(strstr(why, "zone Z1 is not loaded yet: status 500"));
	api_set(&api, 0, "Z1", 200, PAGE(CORP, LAST));
	assert_true(listener_wait(&listener, "Z1", two_sets)); /* by itself, after a rest */
	assert_true(ready(why));
}

static void test_failing_zone_holds_up_no_other(void **state)
{
	static const char *const ids[] = {"Z2", "Z1"};
	struct sync_opts opts = options(ids, 2);
	api_set(&api, 1, "Z2", 500, "");
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", two_sets));
	assert_true(listener_wait(&listener, "Z2", in_trouble));
}

static void test_stop_in_a_call(void **state)
{
	struct sync_opts opts = options(one_id, 1);
	api_hang(&api, 0);
	start(&opts);
	while (api_calls(&api, 0) == 0) {
		usleep(1000);
	}
	uint64_t start_ms = mono_ms();
	sync_stop(&thread);
	assert_true(mono_ms() - start_ms < 2000);
}

static void test_stop_in_want_of_budget(void **state)
{
	static const char *const ids[] = {"Z1", "Z2", "Z3", "Z4", "Z5", "Z6",
	                                  "Z7", "Z8", "Z9", "ZA", "ZB", "ZC"};
	struct sync_opts opts = options(ids, 12);
	opts.rate = 0.01;
	start(&opts);
	assert_true(listener_wait(&listener, "Z9", in_trouble));
	assert_true(listener_wait(&listener, "Z1", loaded)); /* published while it waits */
	sync_stop(&thread);
}

int main(void)
{
	stage_log();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_loaded_and_ready, begin, end),
		cmocka_unit_test_setup_teardown(test_change_seen, begin, end),
		cmocka_unit_test_setup_teardown(test_no_change_no_new_zone, begin, end),
		cmocka_unit_test_setup_teardown(test_bad_listings_never_replace_data, begin, end),
		cmocka_unit_test_setup_teardown(test_deleted_zone_confirmed, begin, end),
		cmocka_unit_test_setup_teardown(test_denied_is_ready, begin, end),
		cmocka_unit_test_setup_teardown(test_not_ready_without_data, begin, end),
		cmocka_unit_test_setup_teardown(test_failing_zone_holds_up_no_other, begin, end),
		cmocka_unit_test_setup_teardown(test_stop_in_a_call, begin, end),
		cmocka_unit_test_setup_teardown(test_stop_in_want_of_budget, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
