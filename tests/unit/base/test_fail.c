#include "base/fail.h"
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_own_codes_have_words(void **state)
{
	assert_string_equal(fail_text(FAIL_BUSY), "a bound is reached");
	for (int code = FAIL_CHANGED; code <= FAIL_BUSY; code++) {
		assert_string_not_equal(fail_text(code), "unknown failure");
	}
}

static void test_errno_has_the_systems_words(void **state)
{
	assert_string_equal(fail_text(-ENOENT), "No such file or directory");
	assert_string_equal(fail_text(FAIL_NOMEM), "out of memory");
}

static void test_any_code_has_words(void **state)
{
	assert_string_equal(fail_text(0), "no failure");
	assert_string_equal(fail_text(7), "unknown failure");
	assert_string_equal(fail_text(-99999), "unknown failure");
	assert_string_equal(fail_text(INT_MIN), "unknown failure");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_codes_have_words),
		cmocka_unit_test(test_errno_has_the_systems_words),
		cmocka_unit_test(test_any_code_has_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
