#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/fleet_int.h"
#include "base/fail.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static char heard[512];

static void on_zone(void *ctx, const struct fleet_zone *zone)
{
	size_t len = strlen(heard);
	snprintf(heard + len, sizeof(heard) - len, "%s %" PRIx64 " %" PRId64 " %" PRId64 "; ",
	         zone->id, zone->fingerprint, zone->looked_s, zone->known_s);
}

static int walk(const char *text)
{
	char list[512];
	heard[0] = '\0';
	snprintf(list, sizeof(list), "%s", text);
	int ret = fleet__list_walk(list, NULL, NULL);
	if (ret == 0) {
		assert_string_equal(list, text); /* for another walk */
		assert_int_equal(fleet__list_walk(list, on_zone, NULL), 0);
	}
	return ret;
}

static void test_lists(void **state)
{
	assert_int_equal(walk(""), 0);
	assert_string_equal(heard, "");
	assert_int_equal(walk("Z0ABC 00000000000000ff 1767323045 1767323046\n"
	                      "Z1 ffffffffffffffff 0 1\n"),
	                 0);
	assert_string_equal(heard, "Z0ABC ff 1767323045 1767323046; Z1 ffffffffffffffff 0 1; ");
}

static void test_lists_that_are_none(void **state)
{
	static const char *const lists[] = {
		"\n",
		"<html>\n",
		"Z0ABC\n",
		"../x 00 1 2\n",
		"z0abc 00 1 2\n",
		"Z0ABC 00 1 2 3\n",
		"Z0ABC 00 1\n",
		"Z0ABC 00112233445566778 1 2\n",
		"Z0ABC 00 99999999999999999999 2\n",
		"Z01234567890123456789012345678901X 00 1 2\n",
		"Z1 00 1 2\nrubbish\n",
	};
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		assert_int_equal(walk(lists[i]), FAIL_FORMAT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_lists_that_are_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
