#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "forward/bucket_int.h"
#include <pthread.h>

#define SECOND UINT64_C(1000000000)
#define BEGIN  (7 * SECOND)

static void test_burst_then_rate(void **state)
{
	struct bucket *bucket = bucket__new(900, 100, true, BEGIN);
	for (unsigned int i = 0; i < 100; i++) {
		assert_int_equal(bucket__take(bucket, 1, BEGIN), 0);
	}
	uint64_t wait_ns = bucket__take(bucket, 1, BEGIN);
	assert_in_range(wait_ns, SECOND / 900, SECOND / 900 + 1);
	assert_true(bucket__take(bucket, 1, BEGIN + wait_ns - 1) != 0);
	assert_int_equal(bucket__take(bucket, 1, BEGIN + wait_ns), 0);
	assert_true(bucket__take(bucket, 1, BEGIN + wait_ns) != 0);
	bucket__unref(&bucket);
	assert_null(bucket);
}

/* Whatever the pattern of asking: never over rate + burst in any second. */
static void test_any_second(void **state)
{
	struct draw draw;
	draw_seed(&draw);
	struct bucket *bucket = bucket__new(900, 100, true, BEGIN);
	static uint64_t taken[20000];
	size_t count = 0;
	uint64_t now_ns = BEGIN;
	while (now_ns < BEGIN + 8 * SECOND) {
		/* By turns a flood and a pause. */
		now_ns += draw_below(&draw, draw_below(&draw, 1000) == 0 ? 200000000 : 300000);
		if (bucket__take(bucket, 1, now_ns) == 0) {
			taken[count++] = now_ns;
		}
	}
	assert_true(count > 4000);
	size_t first = 0;
	for (size_t i = 0; i < count; i++) {
		while (taken[i] - taken[first] >= SECOND) {
			first++;
		}
		assert_true(i - first + 1 <= 1000);
	}
	bucket__unref(&bucket);
}

static void test_several_at_once(void **state)
{
	struct bucket *bucket = bucket__new(900, 100, true, BEGIN);
	for (unsigned int i = 0; i < 12; i++) {
		assert_int_equal(bucket__take(bucket, 8, BEGIN), 0);
	}
	assert_true(bucket__take(bucket, 8, BEGIN) != 0);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(bucket__take(bucket, 1, BEGIN), 0);
	}
	assert_true(bucket__take(bucket, 1, BEGIN) != 0);
	bucket__unref(&bucket);

	/* More than the bucket ever holds can go out nevertheless. */
	bucket = bucket__new(10, 2, true, BEGIN);
	assert_int_equal(bucket__take(bucket, 8, BEGIN), 0);
	assert_true(bucket__take(bucket, 8, BEGIN) != 0);
	bucket__unref(&bucket);
}

static void test_empty_at_first(void **state)
{
	struct bucket *bucket = bucket__new(900, 100, false, BEGIN);
	assert_true(bucket__take(bucket, 1, BEGIN) != 0);
	assert_int_equal(bucket__take(bucket, 1, BEGIN + 3 * SECOND / 900), 0);
	assert_true(bucket__like(bucket, 900, 100));
	assert_false(bucket__like(bucket, 900, 99));
	assert_int_equal(bucket__rate(bucket), 900);
	bucket__unref(&bucket);

	bucket = bucket__new(900, 0, true, BEGIN);
	assert_true(bucket__like(bucket, 900, 100));
	bucket__unref(&bucket);
	bucket = bucket__new(1, 0, true, BEGIN);
	assert_int_equal(bucket__take(bucket, 1, BEGIN), 0);
	assert_true(bucket__take(bucket, 1, BEGIN) > SECOND / 2);
	bucket__unref(&bucket);
}

struct taker {
	struct bucket *bucket;
	pthread_t thread;
	unsigned int taken;
};

static void *taker_run(void *ctx)
{
	struct taker *taker = ctx;
	for (unsigned int i = 0; i < 20000; i++) {
		taker->taken += bucket__take(taker->bucket, 1, BEGIN) == 0;
	}
	return NULL;
}

/* Of several threads at the same instant no more than the burst gets through. */
static void test_threads(void **state)
{
	struct taker takers[4];
	struct bucket *bucket = bucket__new(1000, 500, true, BEGIN);
	unsigned int taken = 0;
	for (unsigned int i = 0; i < 4; i++) {
		takers[i] = (struct taker){.bucket = bucket__ref(bucket)};
		assert_int_equal(pthread_create(&takers[i].thread, NULL, taker_run, &takers[i]), 0);
	}
	for (unsigned int i = 0; i < 4; i++) {
		pthread_join(takers[i].thread, NULL);
		taken += takers[i].taken;
		bucket__unref(&takers[i].bucket);
	}
	assert_int_equal(taken, 500);
	bucket__unref(&bucket);
}

/* What nobody waits for leaves half of the burst to clients. */
static void test_calm(void **state)
{
	struct bucket *bucket = bucket__new(1000, 100, true, BEGIN);
	assert_true(bucket__calm(bucket, BEGIN));
	assert_int_equal(bucket__take(bucket, 49, BEGIN), 0);
	assert_true(bucket__calm(bucket, BEGIN));
	assert_int_equal(bucket__take(bucket, 2, BEGIN), 0);
	assert_false(bucket__calm(bucket, BEGIN));
	assert_true(bucket__calm(bucket, BEGIN + 2000000));
	bucket__unref(&bucket);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst_then_rate), cmocka_unit_test(test_any_second),
		cmocka_unit_test(test_several_at_once), cmocka_unit_test(test_empty_at_first),
		cmocka_unit_test(test_threads),         cmocka_unit_test(test_calm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
