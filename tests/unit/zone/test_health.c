#include "zone/health.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_found_by_id(void **state)
{
	static const struct health_check checks[] = {
		{"c", true, 3}, {"a", false, 1}, {"b", true, 2}};
	struct health *health = health_new(checks, 3);
	assert_non_null(health);
	assert_int_equal(health_count(health), 3);
	assert_int_equal(health_find(health, "a")->known_s, 1);
	assert_false(health_good(health, "a"));
	assert_true(health_good(health, "b"));
	assert_true(health_good(health, "c"));
	assert_null(health_find(health, "d"));
	struct health *more = health_ref(health);
	health_unref(&health);
	assert_null(health);
	assert_false(health_good(more, "a"));
	health_unref(&more);
}

/* What nobody tells of is healthy. */
static void test_unknown_is_healthy(void **state)
{
	assert_true(health_good(NULL, "a"));
	assert_int_equal(health_count(NULL), 0);
	struct health *none = health_new(NULL, 0);
	assert_true(health_good(none, "a"));
	health_unref(&none);
	health_unref(&none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found_by_id),
		cmocka_unit_test(test_unknown_is_healthy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
