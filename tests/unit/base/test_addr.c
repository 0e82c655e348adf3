#include "base/addr.h"
#include "base/fail.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct addr addr_of(const char *text)
{
	struct addr addr;
	assert_int_equal(addr_parse(text, 53, &addr), 0);
	return addr;
}

static struct prefix prefix_of(const char *text)
{
	struct prefix prefix;
	assert_int_equal(prefix_parse(text, &prefix), 0);
	return prefix;
}

static void test_parse_and_text(void **state)
{
	static const struct {
		const char *in;
		const char *out;
		const char *host;
	} cases[] = {
		{"10.0.0.2", "10.0.0.2:53", "10.0.0.2"},
		{"10.0.0.2:5353", "10.0.0.2:5353", "10.0.0.2"},
		{"0.0.0.0:0", "0.0.0.0:0", "0.0.0.0"},
		{"fd00::2", "[fd00::2]:53", "fd00::2"},
		{"[fd00::2]:65535", "[fd00::2]:65535", "fd00::2"},
		{"::", "[::]:53", "::"},
		{"::ffff:10.0.0.1", "[::ffff:10.0.0.1]:53", "::ffff:10.0.0.1"},
		{"fe80::1%lo", "[fe80::1%lo]:53", "fe80::1%lo"},
		{"[fe80::1%4000000000]:1", "[fe80::1%4000000000]:1", "fe80::1%4000000000"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char buf[ADDR_TEXT_MAX];
		struct addr addr = addr_of(cases[i].in);
		assert_string_equal(addr_text(&addr, buf), cases[i].out);
		assert_string_equal(addr_text_host(&addr, buf), cases[i].host);
		struct addr again = addr_of(cases[i].out);
		assert_true(addr_equal(&addr, &again));
	}
}

static void test_nonsense_is_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"10.0.0",
		"10.0.0.256",
		"10.0.0.01",
		"10.0.0.1:",
		"10.0.0.1:65536",
		"10.0.0.1:053",
		"10.0.0.1:-1",
		"10.0.0.1:+1",
		"10.0.0.1: 1",
		"10.0.0.1:99999999999999999999999",
		" 10.0.0.1",
		"10.0.0.1 ",
		"dns.example",
		"dns.example:53",
		":53",
		"[fd00::1]",
		"[fd00::1]53",
		"[fd00::1]:",
		"[fd00::1",
		"[10.0.0.1]:53",
		"fd00::1::2",
		"fd00::g",
		"fe80::1%",
		"fe80::1%no-such-link",
		"fe80::1%4294967296",
		"10.0.0.1%lo",
		"::1:0123456789012345678901234567890123456789012345678901234567890123456789012345",
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr addr = {.len = 77};
		assert_int_equal(addr_parse(cases[i], 53, &addr), FAIL_FORMAT);
		assert_int_equal(addr.len, 77); /* written on success alone */
	}
}

static void test_ports(void **state)
{
	struct addr in4 = addr_of("10.0.0.2:7");
	struct addr in6 = addr_of("[::1]:7");
	assert_int_equal(addr_port(&in4), 7);
	assert_int_equal(addr_port(&in6), 7);
	addr_set_port(&in4, 53);
	addr_set_port(&in6, 853);
	assert_int_equal(addr_port(&in4), 53);
	assert_int_equal(addr_port(&in6), 853);
}

static void test_no_address(void **state)
{
	char buf[ADDR_TEXT_MAX];
	struct addr none = {0}, other = {0}, some = addr_of("0.0.0.0");
	assert_string_equal(addr_text(&none, buf), "none");
	assert_int_equal(addr_port(&none), 0);
	addr_set_port(&none, 53);
	assert_true(addr_equal(&none, &other));
	assert_false(addr_equal_host(&none, &some));
	assert_false(addr_is_any(&none));
	assert_false(addr_is_loopback(&none));
}

static void test_equal(void **state)
{
	struct addr a = addr_of("10.0.0.2:53"), b = addr_of("10.0.0.2:54");
	assert_false(addr_equal(&a, &b));
	assert_true(addr_equal_host(&a, &b));
	b = addr_of("10.0.0.3:53");
	assert_false(addr_equal_host(&a, &b));
	b = addr_of("::ffff:10.0.0.2");
	assert_false(addr_equal_host(&a, &b)); /* another family */

	a = addr_of("fe80::1%1");
	b = addr_of("fe80::1%2");
	assert_false(addr_equal_host(&a, &b));
	b = addr_of("fe80::1%1");
	b.in6.sin6_flowinfo = 5;
	assert_true(addr_equal(&a, &b));
}

static void test_kinds(void **state)
{
	static const struct {
		const char *text;
		bool any, loopback;
	} cases[] = {
		{"0.0.0.0", true, false},
		{"::", true, false},
		{"127.0.0.1", false, true},
		{"127.255.0.9", false, true},
		{"::1", false, true},
		{"::ffff:127.0.0.1", false, true},
		{"169.254.169.253", false, false},
		{"fe80::1", false, false},
		{"febf::1", false, false},
		{"fec0::1", false, false},
		{"10.0.0.2", false, false},
		{"::2", false, false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr addr = addr_of(cases[i].text);
		assert_int_equal(addr_is_any(&addr), cases[i].any);
		assert_int_equal(addr_is_loopback(&addr), cases[i].loopback);
	}
}

static void test_prefix_text(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} cases[] = {
		{"10.0.0.0/8", "10.0.0.0/8"},
		{"10.32.0.0/11", "10.32.0.0/11"},
		{"0.0.0.0/0", "0.0.0.0/0"},
		{"192.0.2.1", "192.0.2.1/32"},
		{"fd00::/8", "fd00::/8"},
		{"2001:db8:8000::/33", "2001:db8:8000::/33"},
		{"::/0", "::/0"},
		{"::1", "::1/128"},
		{"::ffff:10.0.0.0/104", "10.0.0.0/8"},
		{"::ffff:0.0.0.0/95", NULL}, /* host bits */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char buf[PREFIX_TEXT_MAX];
		struct prefix prefix;
		int ret = prefix_parse(cases[i].in, &prefix);
		assert_int_equal(ret, cases[i].out != NULL ? 0 : FAIL_FORMAT);
		if (ret == 0) {
			assert_string_equal(prefix_text(&prefix, buf), cases[i].out);
		}
	}
}

static void test_prefix_nonsense_is_refused(void **state)
{
	static const char *const cases[] = {"",
	                                    "/8",
	                                    "10.0.0.0/",
	                                    "10.0.0.0/33",
	                                    "10.0.0.0/08",
	                                    "10.0.0.0/-1",
	                                    "10.0.0.1/8",
	                                    "10.0.0.0/8/8",
	                                    "10.0/8",
	                                    "10.128.0.0/8",
	                                    "fd00::/129",
	                                    "fd00::1/8",
	                                    "fe80::%lo/10",
	                                    "fd00::/8 ",
	                                    "[fd00::]/8",
	                                    "10.0.0.0/1x"};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct prefix prefix;
		assert_int_equal(prefix_parse(cases[i], &prefix), FAIL_FORMAT);
	}
}

static void test_prefix_holds(void **state)
{
	static const struct {
		const char *prefix;
		const char *addr;
		bool holds;
	} cases[] = {
		{"10.0.0.0/8", "10.255.255.255", true},
		{"10.0.0.0/8", "11.0.0.0", false},
		{"10.32.0.0/11", "10.63.0.1", true},
		{"10.32.0.0/11", "10.64.0.1", false},
		{"0.0.0.0/0", "255.0.0.1", true},
		{"0.0.0.0/0", "::1", false},
		{"10.0.0.0/8", "::ffff:10.1.2.3", true},
		{"::/0", "::ffff:10.1.2.3", false},
		{"::/0", "10.1.2.3", false},
		{"::/0", "fd00::1", true},
		{"fd00::/15", "fd01::1", true},
		{"fd00::/15", "fd02::1", false},
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.0", false},
		{"fe80::/10", "fe80::1%1", true},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct prefix prefix = prefix_of(cases[i].prefix);
		struct addr addr = addr_of(cases[i].addr);
		assert_int_equal(prefix_holds(&prefix, &addr), cases[i].holds);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_and_text),
		cmocka_unit_test(test_nonsense_is_refused),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_no_address),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_prefix_text),
		cmocka_unit_test(test_prefix_nonsense_is_refused),
		cmocka_unit_test(test_prefix_holds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
