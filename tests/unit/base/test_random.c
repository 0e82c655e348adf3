#include "base/random.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_bytes_of_any_size(void **state)
{
	static const size_t sizes[] = {1, 7, 255, 256, 257, 1024, 5000};
	static uint8_t bytes[5001];
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		memset(bytes, 0, sizeof(bytes));
		/* The last byte asked for gets a value at some time, the next one never. */
		for (int turn = 0; turn < 64 && bytes[sizes[i] - 1] == 0; turn++) {
			random_bytes(bytes, sizes[i]);
		}
		assert_int_not_equal(bytes[sizes[i] - 1], 0);
		assert_int_equal(bytes[sizes[i]], 0);
	}
	random_bytes(bytes, 0);
}

static void test_does_not_repeat(void **state)
{
	uint64_t seen[512]; /* several fillings of the buffer */
	for (int i = 0; i < 512; i++) {
		seen[i] = random_u64();
		for (int j = 0; j < i; j++) {
			assert_true(seen[j] != seen[i]);
		}
	}
}

static void test_small_numbers_use_all_bits(void **state)
{
	uint32_t any = 0, all = UINT32_MAX;
	uint16_t any16 = 0;
	for (int i = 0; i < 256; i++) {
		uint32_t value = random_u32();
		any |= value;
		all &= value;
		any16 |= random_u16();
	}
	assert_int_equal(any, UINT32_MAX);
	assert_int_equal(all, 0);
	assert_int_equal(any16, UINT16_MAX);
}

static void test_below_is_even(void **state)
{
	unsigned int count[6] = {0};
	for (int i = 0; i < 6000; i++) {
		uint32_t value = random_below(6);
		assert_in_range(value, 0, 5);
		count[value]++;
	}
	for (int i = 0; i < 6; i++) {
		assert_in_range(count[i], 750, 1250);
	}
	assert_int_equal(random_below(1), 0);
	assert_true(random_below(UINT32_MAX) < UINT32_MAX);
}

static void *draw_elsewhere(void *ctx)
{
	uint64_t *ret = ctx;
	*ret = random_u64();
	return NULL;
}

static void test_threads_draw_apart(void **state)
{
	uint64_t theirs = 0;
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, draw_elsewhere, &theirs), 0);
	uint64_t ours = random_u64();
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(ours != theirs);
}

static void test_draws_are_fair(void **state)
{
	struct draw draw;
	unsigned int count[10] = {0};
	draw_seed(&draw);
	for (int i = 0; i < 10000; i++) {
		uint32_t value = draw_below(&draw, 10);
		assert_in_range(value, 0, 9);
		count[value]++;
	}
	for (int i = 0; i < 10; i++) {
		assert_in_range(count[i], 750, 1250);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_of_any_size),
		cmocka_unit_test(test_does_not_repeat),
		cmocka_unit_test(test_small_numbers_use_all_bits),
		cmocka_unit_test(test_below_is_even),
		cmocka_unit_test(test_threads_draw_apart),
		cmocka_unit_test(test_draws_are_fair),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
