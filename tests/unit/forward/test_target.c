#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "forward/target_int.h"

#define T0_MS 50000

static struct target *target_at(const char *text)
{
	struct addr addr;
	struct addr none = {0};
	assert_int_equal(addr_parse(text, 53, &addr), 0);
	struct target *target = target__new(&addr, &none, 2);
	assert_non_null(target);
	return target;
}

static void test_estimate(void **state)
{
	struct target *target = target_at("10.0.0.2");
	assert_int_equal(target__rtt_us(target), 0);
	assert_int_equal(target__timeout_ms(target, 0), 300);

	/* RFC 6298: the first sample, and half of it as its variation. */
	target__heard(target, 40000, T0_MS * 1000);
	assert_int_equal(target__rtt_us(target), 40000);
	assert_int_equal(target__timeout_ms(target, 0), 120);
	assert_int_equal(target__timeout_ms(target, 1), 240);
	assert_int_equal(target__timeout_ms(target, 2), 400);
	assert_int_equal(target__timeout_ms(target, 9), 400);

	/* 7/8 of 40 + 1/8 of 80; 3/4 of 20 + 1/4 of 40. */
	target__heard(target, 80000, T0_MS * 1000);
	assert_int_equal(target__rtt_us(target), 45000);
	assert_int_equal(target__timeout_ms(target, 0), 145);

	for (unsigned int i = 0; i < 100; i++) {
		target__heard(target, 1000, T0_MS * 1000);
	}
	assert_in_range(target__rtt_us(target), 990, 1010);
	assert_int_equal(target__timeout_ms(target, 0), 80);
	for (unsigned int i = 0; i < 100; i++) {
		target__heard(target, UINT32_MAX, T0_MS * 1000);
	}
	assert_in_range(target__rtt_us(target), 1900000, 2000000);
	assert_int_equal(target__timeout_ms(target, 0), 400);
	target__unref(&target);
	assert_null(target);
}

static void test_down(void **state)
{
	struct target *target = target_at("10.0.0.2");
	uint64_t sent_us = T0_MS * 1000;
	for (unsigned int i = 0; i < 2; i++) {
		target__silent(target, sent_us, T0_MS + 300);
		assert_false(target__down(target));
	}
	/* In a row means: without a word between. */
	target__heard(target, 0, sent_us + 1000);
	for (unsigned int i = 0; i < 10; i++) {
		target__silent(target, sent_us, T0_MS + 300); /* sent before it spoke */
	}
	assert_false(target__down(target));
	sent_us += 2000;
	for (unsigned int i = 0; i < 3; i++) {
		assert_false(target__down(target));
		target__silent(target, sent_us, T0_MS + 300);
	}
	assert_true(target__down(target));
	target__heard(target, 0, sent_us + 1000);
	assert_false(target__down(target));
	target__unref(&target);
}

static void test_probes(void **state)
{
	struct target *target = target_at("[fd00::2]:5353");
	uint64_t now_ms = T0_MS;
	assert_false(target__probe(target, now_ms));
	for (unsigned int i = 0; i < 3; i++) {
		target__silent(target, now_ms * 1000, now_ms);
	}
	/* Rests from 0.2 s to 2 s; after each a single probe, whoever asks. */
	static const unsigned int rests_ms[] = {200, 400, 800, 1600, 2000, 2000};
	for (unsigned int i = 0; i < 6; i++) {
		assert_false(target__probe(target, now_ms + rests_ms[i] - 1));
		now_ms += rests_ms[i];
		assert_true(target__probe(target, now_ms));
		assert_false(target__probe(target, now_ms));
		target__silent(target, now_ms * 1000, now_ms + 300);
		assert_true(target__down(target));
	}
	target__heard(target, 500, now_ms * 1000);
	assert_false(target__down(target));
	assert_false(target__probe(target, now_ms + 100000));
	/* The next time its rests begin short again. */
	now_ms += 10;
	for (unsigned int i = 0; i < 3; i++) {
		target__silent(target, now_ms * 1000, now_ms);
	}
	assert_true(target__probe(target, now_ms + 200));
	target__unref(&target);
}

static void test_explore(void **state)
{
	struct target *target = target_at("10.0.0.2");
	assert_true(target__explore(target, T0_MS));
	assert_false(target__explore(target, T0_MS));
	assert_true(target__explore(target, T0_MS + 1000));
	target__heard(target, 700, (T0_MS + 1000) * 1000);
	assert_false(target__explore(target, T0_MS + 3000));
	assert_true(target__explore(target, T0_MS + 1000 + TARGET_EXPLORE_MS));
	target__unref(&target);
}

static void test_is(void **state)
{
	struct addr addr;
	struct addr source = {0};
	struct target *target = target_at("10.0.0.2");
	assert_int_equal(addr_parse("10.0.0.2", 53, &addr), 0);
	assert_true(target__is(target, &addr, &source));
	assert_int_equal(addr_parse("10.0.0.9", 0, &source), 0);
	assert_false(target__is(target, &addr, &source));
	source.len = 0;
	assert_int_equal(addr_parse("10.0.0.2:54", 53, &addr), 0);
	assert_false(target__is(target, &addr, &source));
	assert_string_equal(target->text, "10.0.0.2:53");
	target__unref(&target);
}

static int setup(void **state)
{
	log_set_level(LOG_LEVEL_ERROR);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_estimate), cmocka_unit_test(test_down),
		cmocka_unit_test(test_probes),   cmocka_unit_test(test_explore),
		cmocka_unit_test(test_is),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
