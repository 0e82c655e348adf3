#include "base/mono.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

static void test_never_goes_back(void **state)
{
	uint64_t last_us = mono_us();
	for (int i = 0; i < 1000; i++) {
		uint64_t now_us = mono_us();
		assert_true(now_us >= last_us);
		last_us = now_us;
	}
	assert_true(mono_ms() >= last_us / 1000);
}

static void test_wall_is_the_clock_on_the_wall(void **state)
{
	int64_t before = time(NULL) - 1; /* time() may lag by a tick */
	int64_t now_ms = wall_ms();
	assert_true(now_ms / 1000 >= before);
	assert_true(wall_s() >= now_ms / 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_never_goes_back),
		cmocka_unit_test(test_wall_is_the_clock_on_the_wall),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
