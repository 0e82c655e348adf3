#include "route/rules.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint32_t origin_of(const char *domain, const char *const *targets)
{
	struct addr addrs[4];
	size_t count = 0;
	uint8_t name[DNS_NAME_MAX];
	memset(addrs, 0x5a, sizeof(addrs)); /* what lies beside the address does not count */
	for (; targets[count] != NULL; count++) {
		assert_int_equal(addr_parse(targets[count], 53, &addrs[count]), 0);
	}
	assert_true(dns_name_parse(domain, name) > 0);
	return rule_origin(name, addrs, count);
}

#define ORIGIN(domain, ...) \
	origin_of(domain, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void test_equal_for_equal_rules(void **state)
{
	uint32_t origin = ORIGIN("corp.example.com", "10.0.0.1", "10.0.0.2");
	assert_int_equal(origin, ORIGIN("Corp.Example.COM.", "10.0.0.1:53", "10.0.0.2"));
	assert_int_not_equal(origin, 0);
	assert_int_not_equal(origin, ORIGIN("example.com", "10.0.0.1", "10.0.0.2"));
	assert_int_not_equal(origin, ORIGIN("corp.example.com", "10.0.0.2", "10.0.0.1"));
	assert_int_not_equal(origin, ORIGIN("corp.example.com", "10.0.0.1", "10.0.0.3"));
	assert_int_not_equal(origin, ORIGIN("corp.example.com", "10.0.0.1", "10.0.0.2:54"));
	assert_int_not_equal(origin, ORIGIN("corp.example.com", "10.0.0.1"));
	assert_int_not_equal(origin, ORIGIN("corp.example.com"));
	assert_int_not_equal(ORIGIN(".", "10.0.0.1"), ORIGIN(".", "::ffff:10.0.0.1"));
	assert_int_not_equal(ORIGIN(".", "fd00::1"), ORIGIN(".", "fd00::2"));
}

/* It names answers on disk: a change of this number makes a kept cache useless. */
static void test_stable(void **state)
{
	assert_int_equal(ORIGIN("corp.example.com", "10.200.0.53", "[fd00::53]:5353"), 0xa2622862);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_for_equal_rules),
		cmocka_unit_test(test_stable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
