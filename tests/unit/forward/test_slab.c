#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forward/slab_int.h"
#include <string.h>

#define THINGS 300

static void test_get_and_put(void **state)
{
	struct slab slab;
	void *things[THINGS];
	slab__init(&slab, 41);
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < THINGS; i++) {
			things[i] = slab__get(&slab);
			assert_non_null(things[i]);
			assert_int_equal((uintptr_t)things[i] % _Alignof(max_align_t), 0);
			memset(things[i], (int)i, 41);
		}
		assert_int_equal(slab.used, THINGS);
		for (unsigned int i = 0; i < THINGS; i++) {
			const uint8_t *bytes = things[i];
			assert_int_equal(bytes[0], i & 255);
			assert_int_equal(bytes[40], i & 255);
			slab__put(&slab, things[i]);
		}
	}
	assert_int_equal(slab.used, 0);
	slab__fini(&slab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get_and_put),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
