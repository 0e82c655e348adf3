#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sync/budget_int.h"

static void test_burst_then_rate(void **state)
{
	struct sync_budget budget;
	uint64_t now_ms = 5000;
	sync_budget__init(&budget, 2, now_ms);
	for (unsigned int i = 0; i < BUDGET_BURST; i++) {
		assert_int_equal(sync_budget__take(&budget, now_ms), 0);
	}
	assert_int_equal(sync_budget__take(&budget, now_ms), 500);
	assert_int_equal(sync_budget__take(&budget, now_ms + 300), 200);
	assert_int_equal(sync_budget__take(&budget, now_ms + 500), 0);
	assert_int_equal(sync_budget__take(&budget, now_ms + 500), 500);
}

static void test_never_more_than_the_burst(void **state)
{
	struct sync_budget budget;
	unsigned int taken = 0;
	sync_budget__init(&budget, 2, 0);
	while (sync_budget__take(&budget, 3600000) == 0) {
		taken++;
	}
	assert_int_equal(taken, BUDGET_BURST);
}

/* Asked whenever it says so, an hour of calls keeps to the rate. */
static void test_rate_over_time(void **state)
{
	struct sync_budget budget;
	uint64_t now_ms = 0;
	unsigned int taken = 0;
	sync_budget__init(&budget, 1.7, now_ms);
	while (now_ms < 3600000) {
		uint64_t wait_ms = sync_budget__take(&budget, now_ms);
		taken += wait_ms == 0;
		now_ms += wait_ms;
	}
	assert_in_range(taken, 3600 * 17 / 10 - 10, 3600 * 17 / 10 + BUDGET_BURST);
}

static void test_new_rate(void **state)
{
	struct sync_budget budget;
	sync_budget__init(&budget, 1, 0);
	while (sync_budget__take(&budget, 0) == 0) {
	}
	sync_budget__set_rate(&budget, 4, 0);
	assert_int_equal(sync_budget__take(&budget, 0), 250);
	sync_budget__set_rate(&budget, 0, 0); /* stands still? never quite */
	assert_in_range(sync_budget__take(&budget, 0), 1, 100000);
}

static void test_backoff(void **state)
{
	const uint32_t most = UINT32_MAX;
	assert_int_equal(sync_backoff__ms(1, 300000, most), 999);
	assert_int_equal(sync_backoff__ms(2, 300000, most), 1999);
	assert_int_equal(sync_backoff__ms(5, 300000, most), 15999);
	assert_int_equal(sync_backoff__ms(9, 300000, most), 255999);
	assert_int_equal(sync_backoff__ms(10, 300000, most), 299999);
	assert_int_equal(sync_backoff__ms(4000000000, 300000, most), 299999);
	assert_int_equal(sync_backoff__ms(5, 300000, most / 2), 7999);
	assert_int_equal(sync_backoff__ms(5, 300000, 0), 100);
}

/* Halved each time, nothing saved up; back by a twentieth for each call that goes well. */
static void test_throttled(void **state)
{
	struct sync_budget budget;
	sync_budget__init(&budget, 2, 0);
	assert_int_equal(sync_budget__throttled(&budget, 0, UINT32_MAX), 999);
	assert_true(sync_budget__take(&budget, 500) >= 499); /* all calls rest */
	assert_true(budget.rate > 0.99 && budget.rate < 1.01);
	assert_int_equal(sync_budget__throttled(&budget, 1000, UINT32_MAX), 1999);
	assert_true(budget.rate > 0.49 && budget.rate < 0.51);
	for (unsigned int i = 0; i < 20; i++) {
		sync_budget__throttled(&budget, 1000, 0);
	}
	assert_true(budget.rate > 0.099 && budget.rate < 0.101); /* no lower */
	assert_true(sync_budget__throttled(&budget, 1000, UINT32_MAX) <= 60000);
	for (unsigned int i = 0; i < 60; i++) {
		sync_budget__well(&budget, 1000);
	}
	assert_true(budget.rate > 1.99 && budget.rate < 2.01);
	assert_int_equal(budget.throttled, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst_then_rate),
		cmocka_unit_test(test_never_more_than_the_burst),
		cmocka_unit_test(test_rate_over_time),
		cmocka_unit_test(test_new_rate),
		cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_throttled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
