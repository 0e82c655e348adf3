#include "packet.h"

static void test_text(void **state)
{
	static const struct {
		uint16_t type;
		const char *wire;
		const char *text;
	} cases[] = {
		{DNS_TYPE_A, "c0000201", "192.0.2.1"},
		{DNS_TYPE_AAAA, "20010db8000000000000000000000001", "2001:db8::1"},
		{DNS_TYPE_CNAME, "0141 0162 00", "A.b."},
		{DNS_TYPE_NS, "00", "."},
		{DNS_TYPE_MX, "000a 0161 00", "10 a."},
		{DNS_TYPE_SRV, "0001 0002 01bb 0161 00", "1 2 443 a."},
		{DNS_TYPE_SOA, "0161 00 0162 00 00000001 00000002 00000003 00000004 ffffffff",
	         "a. b. 1 2 3 4 4294967295"},
		{DNS_TYPE_TXT, "0161 00 0422 5c 0a e4", "\"a\" \"\" \"\\\"\\\\\\010\\228\""},
		{DNS_TYPE_CAA, "00 05 6973737565 63613b", "0 issue \"ca;\""},
		{DNS_TYPE_NAPTR, "0001 0002 0175 00 02 5c31 00", "1 2 \"u\" \"\" \"\\\\1\" ."},
		{DNS_TYPE_DS, "ec45 05 01 2bb1", "60485 5 1 2bb1"},
		{DNS_TYPE_HTTPS, "0000 0161 00", "0 a."},
		{DNS_TYPE_HTTPS,
	         "0001 00 0000 0004 0001 0003 0001 000a 026832 06612c5c224062 0003 0002 01bb "
	         "0004 0008 01020304 05060708 0005 0001 00 0006 0010 "
	         "20010db8000000000000000000000001 ff78 0000 ff79 0002 410a",
	         "1 . mandatory=\"alpn,port\" alpn=\"h2,a\\\\,\\\\\\\\\\\"@b\" port=\"443\" "
	         "ipv4hint=\"1.2.3.4,5.6.7.8\" key5=\"\\000\" ipv6hint=\"2001:db8::1\" key65400 "
	         "key65401=\"A\\010\""},
		/* what cannot be read as its type */
		{65280, "010203", "\\# 3 010203"},
		{65280, "", "\\# 0"},
		{DNS_TYPE_A, "010203", "\\# 3 010203"},
		{DNS_TYPE_A, "0102030405", "\\# 5 0102030405"},
		{DNS_TYPE_AAAA, "01020304", "\\# 4 01020304"},
		{DNS_TYPE_CNAME, "c00c", "\\# 2 c00c"},
		{DNS_TYPE_CNAME, "0161", "\\# 2 0161"},
		{DNS_TYPE_MX, "000a", "\\# 2 000a"},
		{DNS_TYPE_TXT, "", "\\# 0"},
		{DNS_TYPE_TXT, "0261", "\\# 2 0261"},
		{DNS_TYPE_CAA, "00 0161", "0 a \"\""},
		{DNS_TYPE_CAA, "00 00", "\\# 2 0000"},
		{DNS_TYPE_CAA, "00 0120 61", "\\# 4 00012061"},
		{DNS_TYPE_SSHFP, "0102", "\\# 2 0102"},
		{DNS_TYPE_HTTPS, "0001 00 0003 0001 00", "\\# 8 0001000003000100"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t rdata[256];
		char text[512];
		size_t size = unhex(cases[i].wire, rdata);
		assert_string_equal(dns_rdata_text(cases[i].type, rdata, size, text, sizeof(text)),
		                    cases[i].text);
	}
}

/* A short buffer gets a part of the text and its end. */
static void test_short(void **state)
{
	char text[64];
	for (size_t size = 0; size < sizeof(text); size++) {
		memset(text, 'Q', sizeof(text));
		const char *ret =
			dns_rdata_text(DNS_TYPE_TXT, (const uint8_t *)"\5he\"lo", 6, text, size);
		assert_int_equal(strncmp(ret, "\"he\\\"lo\"", strlen(ret)), 0);
		assert_int_equal(strlen(ret), size == 0 ? 0 : size - 1 < 8 ? size - 1 : 8);
		assert_int_equal(text[size], 'Q');
		ret = dns_rdata_text(65280, (const uint8_t *)"\5he\"lo", 6, text, size);
		assert_true(strlen(ret) < size || size == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_short),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
