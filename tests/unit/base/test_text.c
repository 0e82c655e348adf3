#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_grows(void **state)
{
	struct text text;
	text_init(&text, 0);
	assert_string_equal(text_get(&text), "");
	for (int i = 0; i < 1000; i++) {
		text_addf(&text, "%03d,", i);
	}
	assert_int_equal(text.len, 4000);
	assert_int_equal(strlen(text_get(&text)), 4000);
	assert_memory_equal(text_get(&text) + 3996, "999,", 5);
	assert_false(text.bad);
	text_fini(&text);
	assert_string_equal(text_get(&text), "");
}

static void test_long_formats(void **state)
{
	struct text text;
	text_init(&text, 0);
	text_addf(&text, "%2000d|%-600s|", 7, "x");
	assert_int_equal(text.len, 2602);
	assert_int_equal(text_get(&text)[1999], '7');
	assert_int_equal(text_get(&text)[2601], '|');
	text_fini(&text);
}

static void test_keeps_nul_bytes(void **state)
{
	struct text text;
	text_init(&text, 0);
	text_add(&text, "a\0b", 3);
	text_add(&text, NULL, 0);
	assert_int_equal(text.len, 3);
	assert_memory_equal(text_get(&text), "a\0b", 4);
	text_fini(&text);
}

static void test_bound_cuts(void **state)
{
	struct text text;
	text_init(&text, 5);
	text_add(&text, "abc", 3);
	text_add(&text, "de", 2);
	assert_false(text.bad);
	text_add(&text, "", 0);
	assert_false(text.bad);
	text_addf(&text, "%d", 1);
	assert_true(text.bad);
	assert_string_equal(text_get(&text), "abcde");
	text_add(&text, "", 0);
	assert_true(text.bad);
	text_fini(&text);

	text_init(&text, 5);
	text_add(&text, "abcdefgh", 8);
	assert_true(text.bad);
	assert_string_equal(text_get(&text), "abcde");
	text_fini(&text);
}

static void test_nearest(void **state)
{
	static const char *const known[] = {"workers", "listen", "clients", "log", "cache"};
	const size_t count = sizeof(known) / sizeof(known[0]);
	assert_string_equal(text_nearest("worker", known, count), "workers");  /* left out */
	assert_string_equal(text_nearest("lissten", known, count), "listen");  /* added */
	assert_string_equal(text_nearest("clyents", known, count), "clients"); /* changed */
	assert_string_equal(text_nearest("lsiten", known, count), "listen");   /* swapped */
	assert_string_equal(text_nearest("cache", known, count), "cache");
	assert_null(text_nearest("upstream", known, count));
	assert_null(text_nearest("lo", known, count)); /* a third of two letters is none */
	assert_null(text_nearest("", known, count));
	assert_null(text_nearest("worker", known, 0));
}

static void test_nearest_of_several(void **state)
{
	static const char *const known[] = {"timeout_max", "timeout_ms", "timeout_min"};
	assert_string_equal(text_nearest("timeout_m", known, 3), "timeout_ms");
	assert_string_equal(text_nearest("timeout_mix", known, 3), "timeout_max"); /* the first */

	char endless[100];
	memset(endless, 'a', sizeof(endless));
	endless[99] = '\0';
	const char *const one[] = {endless};
	assert_null(text_nearest(endless, known, 3));
	assert_null(text_nearest("aaaaaaaa", one, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows),           cmocka_unit_test(test_long_formats),
		cmocka_unit_test(test_keeps_nul_bytes), cmocka_unit_test(test_bound_cuts),
		cmocka_unit_test(test_nearest),         cmocka_unit_test(test_nearest_of_several),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
