#include "packet.h"
#include <ldns/ldns.h>

static const struct {
	uint16_t type;
	const char *value;
	const char *wire; /* NULL: refused */
} cases[] = {
	{DNS_TYPE_A, "192.0.2.1", "c0000201"},
	{DNS_TYPE_A, " 192.0.2.1 ", "c0000201"},
	{DNS_TYPE_A, "192.0.2", NULL},
	{DNS_TYPE_A, "192.0.2.256", NULL},
	{DNS_TYPE_A, "192.0.2.1 192.0.2.2", NULL},
	{DNS_TYPE_A, "", NULL},
	{DNS_TYPE_AAAA, "2001:DB8:0:0:0:0:0:1", "20010db8000000000000000000000001"},
	{DNS_TYPE_AAAA, "::ffff:192.0.2.1", "00000000000000000000ffffc0000201"},
	{DNS_TYPE_AAAA, "2001:db8::g", NULL},
	{DNS_TYPE_AAAA, "fe80::1%eth0", NULL},
	{DNS_TYPE_CNAME, "a.Example", "0161 074578616d706c65 00"},
	{DNS_TYPE_NS, "\\052.a.", "012a 0161 00"},
	{DNS_TYPE_PTR, "\\344.a", "01e4 0161 00"},
	{DNS_TYPE_CNAME, "a b", NULL},
	{DNS_TYPE_CNAME, "a..b", NULL},
	{DNS_TYPE_MX, "10 mail.a.", "000a 046d61696c 0161 00"},
	{DNS_TYPE_MX, "10\t .", "000a 00"},
	{DNS_TYPE_MX, "mail.a", NULL},
	{DNS_TYPE_MX, "65536 a", NULL},
	{DNS_TYPE_MX, "-1 a", NULL},
	{DNS_TYPE_MX, "10 a b", NULL},
	{DNS_TYPE_MX, "10", NULL},
	{DNS_TYPE_MX, "10a b", NULL},
	{DNS_TYPE_SRV, "1 10 5269 host", "0001 000a 1495 04686f7374 00"},
	{DNS_TYPE_SRV, "1 10 65536 host", NULL},
	{DNS_TYPE_SRV, "1 10 host", NULL},
	{DNS_TYPE_SOA, "ns.a. admin.a. 1 7200 900 1209600 86400",
         "026e73 0161 00 0561646d696e 0161 00 00000001 00001c20 00000384 00127500 00015180"},
	{DNS_TYPE_SOA, "a a 4294967295 0 0 0 0",
         "016100 016100 ffffffff 00000000 00000000 00000000 00000000"},
	{DNS_TYPE_SOA, "a a 4294967296 0 0 0 0", NULL},
	{DNS_TYPE_SOA, "a a 99999999999999999999999 0 0 0 0", NULL},
	{DNS_TYPE_SOA, "a a 1 2h 0 0 0", NULL},
	{DNS_TYPE_SOA, "a a 1 2 3 4", NULL},
	{DNS_TYPE_TXT, "\"hello\" \"world\"", "0568656c6c6f 05776f726c64"},
	{DNS_TYPE_TXT, "hello world", "0568656c6c6f 05776f726c64"},
	{DNS_TYPE_TXT, "\"\"", "00"},
	{DNS_TYPE_TXT, "\"a b;(c)\"", "0761 20 62 3b 28 63 29"},
	{DNS_TYPE_TXT, "\"\\052\\101\\344\"", "032a41e4"},
	{DNS_TYPE_TXT, "\"q\\\"b\\\\\"", "0471 22 62 5c"},
	{DNS_TYPE_TXT, "\"\xc3\xa4\"", "02c3a4"},
	{DNS_TYPE_TXT, "\"a\\400\"", NULL},
	{DNS_TYPE_TXT, "\"a\\08\"", NULL},
	{DNS_TYPE_TXT, "\"a", NULL},
	{DNS_TYPE_TXT, "\"a\\\"", NULL},
	{DNS_TYPE_TXT, "\"a\"\"b\"", NULL},
	{DNS_TYPE_TXT, "\"a\nb\"", NULL},
	{DNS_TYPE_TXT, "", NULL},
	{DNS_TYPE_SPF, "\"v=spf1 -all\"", "0b763d7370663120 2d616c6c"},
	{DNS_TYPE_CAA, "0 issue \"ca.example\"", "00 05 6973737565 63612e6578616d706c65"},
	{DNS_TYPE_CAA, "128 iodef mailto:x@y", "80 05 696f646566 6d61696c746f3a784079"},
	{DNS_TYPE_CAA, "0 issue \";\"", "00 05 6973737565 3b"},
	{DNS_TYPE_CAA, "0 issue \"\"", "00 05 6973737565"},
	{DNS_TYPE_CAA, "256 issue \"a\"", NULL},
	{DNS_TYPE_CAA, "0 is;sue \"a\"", NULL},
	{DNS_TYPE_CAA, "0 issue", NULL},
	{DNS_TYPE_CAA, "0 issue \"a\" \"b\"", NULL},
	{DNS_TYPE_NAPTR, "100 50 \"u\" \"E2U+sip\" \"!^.*$!sip:x@y!\" .",
         "0064 0032 0175 074532552b736970 0e215e2e2a24217369703a78407921 00"},
	{DNS_TYPE_NAPTR, "1 2 \"\" \"\" \"\\\\1\\\"\" a.b",
         "0001 0002 00 00 03 5c3122 0161 0162 00"},
	{DNS_TYPE_NAPTR, "1 2 \"\" \"\" \"\"", NULL},
	{DNS_TYPE_DS, "60485 5 1 2BB183AF 5f22", "ec45 05 01 2bb183af5f22"},
	{DNS_TYPE_DS, "60485 5 1 2BB", NULL},
	{DNS_TYPE_DS, "60485 RSASHA1 1 2BB1", NULL},
	{DNS_TYPE_DS, "60485 5 1", NULL},
	{DNS_TYPE_SSHFP, "4 2 123456", "04 02 123456"},
	{DNS_TYPE_SSHFP, "4 2 12345", NULL},
	{DNS_TYPE_SSHFP, "4 2 12345g", NULL},
	{DNS_TYPE_TLSA, "3 1 1 0C72AC70", "03 01 01 0c72ac70"},
	{DNS_TYPE_TLSA, "3 1 1 0C72 ; comment", NULL},
	{DNS_TYPE_HTTPS, "0 target", "0000 06746172676574 00"},
	{DNS_TYPE_HTTPS, "1 . alpn=\"h3,h2\" port=8443",
         "0001 00 0001 0006 026833 026832 0003 0002 20fb"},
	{DNS_TYPE_SVCB, "1 \\052.a port=1", "0001 012a 0161 00 0003 0002 0001"},
	{DNS_TYPE_SVCB, "1", NULL},
	{DNS_TYPE_SVCB, "65536 a", NULL},
	{65280, "\\# 1 00", NULL},
};

static void test_values(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t want[512];
		uint8_t got[512];
		char err[128] = "";
		int len = dns_rdata_parse_route53(cases[i].type, cases[i].value, got, sizeof(got),
		                                  err, sizeof(err));
		if (cases[i].wire == NULL) {
			assert_int_equal(len, FAIL_FORMAT);
			assert_true(err[0] != '\0' && strchr(err, '\n') == NULL);
			continue;
		}
		if (len < 0) {
			fail_msg("%s: %s", cases[i].value, err);
		}
		assert_int_equal(len, unhex(cases[i].wire, want));
		assert_memory_equal(got, want, (size_t)len);
	}
}

static void test_errors(void **state)
{
	uint8_t got[16];
	char err[128] = "";
	assert_int_equal(dns_rdata_parse_route53(DNS_TYPE_MX, "x y", got, 16, err, sizeof(err)),
	                 FAIL_FORMAT);
	assert_string_equal(err, "MX preference: not a number");
	assert_int_equal(
		dns_rdata_parse_route53(DNS_TYPE_A, "1.2.3.4 x", got, 16, err, sizeof(err)),
		FAIL_FORMAT);
	assert_string_equal(err, "A value: more text than the type has fields");
	assert_int_equal(dns_rdata_parse_route53(65280, "x", got, 16, err, sizeof(err)),
	                 FAIL_FORMAT);
	assert_string_equal(err, "TYPE65280 value: a type we cannot read");
	assert_int_equal(dns_rdata_parse_route53(DNS_TYPE_A, "x", got, 16, err, 4), FAIL_FORMAT);
	assert_string_equal(err, "A a");
	assert_int_equal(dns_rdata_parse_route53(DNS_TYPE_A, "x", got, 16, NULL, 0), FAIL_FORMAT);
}

/* Room short by any amount is FAIL_LIMIT, and nothing is written past it. */
static void test_room(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t got[513];
		int len = dns_rdata_parse_route53(cases[i].type, cases[i].value, got, 512, NULL, 0);
		for (int room = 0; room < len; room++) {
			memset(got, 0xaa, sizeof(got));
			assert_int_equal(dns_rdata_parse_route53(cases[i].type, cases[i].value, got,
			                                         (size_t)room, NULL, 0),
			                 FAIL_LIMIT);
			assert_int_equal(got[room], 0xaa);
		}
	}
}

static void test_long_txt(void **state)
{
	static char value[DNS_RDATA_MAX * 2];
	static uint8_t got[DNS_RDATA_MAX + 1];
	memset(value, 'a', sizeof(value));
	value[0] = value[256] = '"';
	value[257] = '\0';
	assert_int_equal(dns_rdata_parse_route53(DNS_TYPE_TXT, value, got, sizeof(got), NULL, 0),
	                 256);
	assert_int_equal(got[0], 255);
	value[256] = 'a';
	value[257] = '"';
	value[258] = '\0';
	assert_int_equal(dns_rdata_parse_route53(DNS_TYPE_TXT, value, got, sizeof(got), NULL, 0),
	                 FAIL_FORMAT);

	/* strings that come to more than an RDLENGTH can say */
	for (size_t i = 0; i < sizeof(value) - 1; i++) {
		value[i] = i % 2 == 0 ? 'a' : ' ';
	}
	value[sizeof(value) - 1] = '\0';
	assert_int_equal(dns_rdata_parse_route53(DNS_TYPE_TXT, value, got, sizeof(got), NULL, 0),
	                 FAIL_LIMIT);
}

/* ldns, given our presentation text, comes to the same octets. */
static void test_against_ldns(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t rdata[512];
		char text[2048];
		char line[2200];
		char type[16];
		int len = dns_rdata_parse_route53(cases[i].type, cases[i].value, rdata,
		                                  sizeof(rdata), NULL, 0);
		if (len < 0) {
			continue;
		}
		dns_rdata_text(cases[i].type, rdata, (size_t)len, text, sizeof(text));
		assert_int_not_equal(strncmp(text, "\\#", 2), 0); /* in the type's own form */
		snprintf(line, sizeof(line), ". 0 IN %s %s", dns_type_text(cases[i].type, type),
		         text);

		ldns_rr *rr = NULL;
		uint8_t *wire = NULL;
		size_t size = 0;
		ldns_status status = ldns_rr_new_frm_str(&rr, line, 0, NULL, NULL);
		if (status != LDNS_STATUS_OK) {
			fail_msg("%s: %s", line, ldns_get_errorstr_by_id(status));
		}
		assert_int_equal(ldns_rr2wire(&wire, rr, LDNS_SECTION_ANSWER, &size),
		                 LDNS_STATUS_OK);
		assert_int_equal(size - 11, len);
		assert_memory_equal(wire + 11, rdata, (size_t)len);
		free(wire);
		ldns_rr_free(rr);
	}
}

static void test_target(void **state)
{
	assert_int_equal(dns_rdata_target(DNS_TYPE_NS, (const uint8_t *)"\1a", 3), 0);
	assert_int_equal(dns_rdata_target(DNS_TYPE_MX, (const uint8_t *)"\0\1\1a", 5), 2);
	assert_int_equal(dns_rdata_target(DNS_TYPE_SRV, (const uint8_t *)"\0\1\0\1\0\1\1a", 9), 6);
	assert_int_equal(dns_rdata_target(DNS_TYPE_SRV, (const uint8_t *)"\0\1\0\1\0\1", 6), -1);
	assert_int_equal(dns_rdata_target(DNS_TYPE_CNAME, (const uint8_t *)"\1a", 3), -1);
	assert_int_equal(dns_rdata_target(DNS_TYPE_A, (const uint8_t *)"\1\2\3\4", 4), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),       cmocka_unit_test(test_errors),
		cmocka_unit_test(test_room),         cmocka_unit_test(test_long_txt),
		cmocka_unit_test(test_against_ldns), cmocka_unit_test(test_target),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
