/*
 * Spoiled answers of an upstream do no harm (tests/fuzz/mutated.h says what that means): 20,000 of them, or as many
 * as MUTATED_COUNT says, always the same ones. tests/fuzz/million runs a million.
 */
#include "../../fuzz/mutated.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT 20000

static void test_mutated(void **state)
{
	const char *text = getenv("MUTATED_COUNT");
	const uint64_t count = text != NULL ? strtoull(text, NULL, 10) : COUNT;
	struct draw draw = {{0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9}};
	mutated_setup();
	for (uint64_t i = 0; i < count; i++) {
		uint8_t bytes[48];
		for (size_t at = 0; at < sizeof(bytes); at += 4) {
			put_u32(bytes + at, draw_u32(&draw));
		}
		mutated_one(bytes, sizeof(bytes));
	}
	printf("%llu answers: %llu spoiled so that they are none, of %llu something was given or "
	       "known before\n",
	       (unsigned long long)mutated.cases,
	       (unsigned long long)(mutated.cases - mutated.fitting),
	       (unsigned long long)mutated.served);
	/* Neither all of them harmless, nor all of them useless. */
	assert_true(mutated.fitting > count / 10 && mutated.fitting < count);
	assert_true(mutated.served > count / 10 && mutated.served < count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mutated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
