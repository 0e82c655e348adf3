#include "dns/type.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_parse(void **state)
{
	static const struct {
		const char *word;
		int type; /* -1: refused */
	} cases[] = {
		{"A", 1},          {"aaaa", 28},     {"Cname", 5},
		{"HTTPS", 65},     {"CAA", 257},     {"SPF", 99},
		{"ANY", 255},      {"NSAP-PTR", 23}, {"TYPE65280", 65280},
		{"type1", 1},      {"TYPE0", 0},     {"TYPE65535", 65535},
		{"TYPE65536", -1}, {"TYPE", -1},     {"TYPE-1", -1},
		{"TYPE 1", -1},    {"TYPE1x", -1},   {"TYPE+1", -1},
		{"", -1},          {"B", -1},        {"TYPE99999999999999999999", -1},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint16_t type = 7;
		bool known = dns_type_parse(cases[i].word, &type);
		assert_int_equal(known, cases[i].type >= 0);
		assert_int_equal(type, known ? cases[i].type : 7);
	}
}

static void test_text(void **state)
{
	char buf[16];
	assert_string_equal(dns_type_text(DNS_TYPE_HTTPS, buf), "HTTPS");
	assert_string_equal(dns_type_text(0, buf), "TYPE0");
	assert_string_equal(dns_type_text(65535, buf), "TYPE65535");
	assert_string_equal(dns_rcode_text(DNS_RCODE_NXDOMAIN, buf), "NXDOMAIN");
	assert_string_equal(dns_rcode_text(DNS_RCODE_BADCOOKIE, buf), "BADCOOKIE");
	assert_string_equal(dns_rcode_text(15, buf), "RCODE15");
	assert_string_equal(dns_rcode_text(4095, buf), "RCODE4095");
	for (unsigned int type = 0; type <= UINT16_MAX; type++) {
		uint16_t back;
		assert_true(dns_type_parse(dns_type_text((uint16_t)type, buf), &back));
		assert_int_equal(back, type);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
