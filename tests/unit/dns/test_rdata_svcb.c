#include "dns/rdata_int.h"
#include "packet.h"

/* Vectors of RFC 9460, appendix D, and what must be refused there. */
static void test_parse(void **state)
{
	static const struct {
		const char *text;
		const char *wire; /* NULL: refused */
	} cases[] = {
		{"", ""},
		{"  ", ""},
		{"port=53", "0003 0002 0035"},
		{"key667=hello", "029b 0005 68656c6c6f"},
		{"key667=\"hello\\322qoo\"", "029b 0009 68656c6c6fd2716f6f"}, /* octal: 210 */
		{"ipv6hint=\"2001:db8::1,2001:db8::53:1\"",
	         "0006 0020 20010db8000000000000000000000001 20010db8000000000000000000530001"},
		{"ipv6hint=2001:db8:ffff:ffff:ffff:ffff:198.51.100.100",
	         "0006 0010 20010db8ffffffffffffffffc6336464"},
		{"alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1",
	         "0000 0004 0001 0004  0001 0009 026832 0568332d3139  0004 0004 c0000201"},
		{"alpn=\"f\\\\\\\\oo\\\\,bar,h2\"",
	         NULL}, /* ldns gets figure 8 wrong: rather not at all */
		{"alpn=f\\\\oo", NULL},
		{"alpn=a\\134,b", NULL},
		{"alpn=h2 no-default-alpn", "0001 0003 026832 0002 0000"},
		{"ech=AEj+DQ==", "0005 0004 0048fe0d"},
		{"key65400", "ff78 0000"},
		{"key65400=\"\"", "ff78 0000"},
		{"key65400=\"\\000 \\\"\"", "ff78 0003 002022"},
		{"key1=\"\\002h2\"", NULL}, /* ldns reads alpn's own form behind key1 too */
		{"key0", NULL},
		{"key3=\"\\000\\065\"", NULL},
		{"key", NULL},
		{"no-default-alpn", NULL},
		{"port=65536", NULL},
		{"port=99999999999", NULL},
		{"port=-1", NULL},
		{"port=\"\"", NULL},
		{"port=", NULL},
		{"port", NULL},
		{"port=53 port=54", NULL},
		{"mandatory=port", NULL},
		{"mandatory=mandatory", NULL},
		{"mandatory=alpn,alpn alpn=h2",
	         "0000 0002 0001 0001 0003 026832"}, /* once is enough */
		{"mandatory", NULL},
		{"alpn", NULL},
		{"alpn=\"\"", NULL},
		{"ipv4hint=1.2.3", NULL},
		{"ipv4hint", NULL},
		{"key65535=a", NULL},
		{"key65536=a", NULL},
		{"key99999999999999=a", NULL},
		{"=a", NULL},
		{"foo=a", NULL},
		{"key667=\"a\"key668=b", NULL},
		{"key667=\"a", NULL},
		{"key667=\\9", NULL},
		{"; comment", NULL},
		{"( port=53 )", NULL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t want[128];
		uint8_t got[128];
		struct writer out = writer_of(got, sizeof(got));
		const char *why = dns__svcparams_parse(cases[i].text, &out);
		if ((why == NULL) != (cases[i].wire != NULL)) {
			fail_msg("%s: %s", cases[i].text, why != NULL ? why : "taken");
		}
		if (why == NULL) {
			assert_int_equal(out.pos, unhex(cases[i].wire, want));
			assert_memory_equal(got, want, out.pos);
		}
	}
}

static void test_long(void **state)
{
	static char text[100000];
	static uint8_t got[100000];
	struct writer out = writer_of(got, sizeof(got));
	memset(text, 'a', sizeof(text) - 1);
	memcpy(text, "key9=", 5);
	assert_string_equal(dns__svcparams_parse(text, &out), "too long");
	text[4005] = '\0';
	assert_null(dns__svcparams_parse(text, &out));
	assert_int_equal(out.pos, 4004);
	memset(text, '\1', 4005);
	memcpy(text, "key9=", 5);
	assert_null(dns__svcparams_parse(text, &out)); /* four octets for one */
	assert_int_equal(out.pos, 8008);
}

static void test_check(void **state)
{
	static const struct {
		const char *wire;
		bool good;
	} cases[] = {
		{"", true},
		{"0001 0003 026832", true},
		{"0001 0003 036832", false},
		{"0001 0003 00 0161", false},
		{"0001 0000", false},
		{"0003 0002 0001 0003 0002 0001", false},
		{"0004 0004 01020304 0003 0002 0001", false},
		{"0003 0001 00", false},
		{"0003 0002 00", false},
		{"00", false},
		{"000300", false},
		{"0000 0000", false},
		{"0000 0001 00", false},
		{"0000 0002 0003", false},
		{"0000 0002 0000", false},
		{"0000 0002 0003 0003 0002 0001", true},
		{"0000 0004 0003 0003 0003 0002 0001", false},
		{"0004 0003 010203", false},
		{"0004 0000", false},
		{"0006 0004 01020304", false},
		{"0001 0003 026832 0002 0001 00", false},
		{"ffff 0000", false},
		{"fffe 0000", true},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[64];
		size_t size = unhex(cases[i].wire, bytes);
		if ((dns__svcparams_check(bytes, size) == NULL) != cases[i].good) {
			fail_msg("%s", cases[i].wire);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_check),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
