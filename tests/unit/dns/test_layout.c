#include "dns/layout_int.h"
#include "packet.h"
#include "vectors.h"

/* Data of each type as dnspython compressed it, and what it must read uncompressed. */
static void test_expand(void **state)
{
#define EXAMPLE "07 6578616d706c65 03 636f6d 00"
	static const char *const want[] = {
		"c0000201",
		"026e73" EXAMPLE,
		"026e73" EXAMPLE "0561646d696e" EXAMPLE "0000000100000002000000030000000400000005",
		"04686f7374 037a6f6f" EXAMPLE,
		"000a 046d61696c" EXAMPLE,
		"0014 026d78 037a6f6f" EXAMPLE,
		"0568656c6c6f 05776f726c64",
		"046d626f78" EXAMPLE "03747874" EXAMPLE,
		"0001 03616673" EXAMPLE,
		"0002 027274" EXAMPLE,
		"20010db8000000000000000000000001",
		"0001 0002 01bb 03737276" EXAMPLE,
		"0001 0002 0175 074532552b736970 0e215e2e2a24217369703a78407921 026e70" EXAMPLE,
		"0003 026b78" EXAMPLE,
		"0001 026d31" EXAMPLE "026d32" EXAMPLE,
		"056f74686572" EXAMPLE,
		"01 01 aabb",
		NULL, /* RRSIG: its times are long */
		"046e657874" EXAMPLE "0006 400000000003",
		"0001 03737663" EXAMPLE "0001 0003 02 6832",
		"00 05 6973737565 63612e6578616d706c65",
		"010203",
	};
	struct dns_reply reply;
	struct dns_walk walk;
	struct dns_rr rr;
	size_t i = 0;
	assert_int_equal(dns_reply_read(wire_zoo, sizeof(wire_zoo), &reply), 0);
	dns_walk_begin(&walk, &reply, DNS_SECTION_ANSWER);
	for (; dns_walk_next(&walk, &rr); i++) {
		uint8_t got[512];
		uint8_t bytes[512];
		struct writer out = writer_of(got, sizeof(got));
		assert_true(i < sizeof(want) / sizeof(want[0]));
		dns__rdata_expand(wire_zoo, sizeof(wire_zoo), rr.type, rr.rdata, rr.rdlen, &out);
		if (want[i] == NULL) {
			continue;
		}
		size_t size = unhex(want[i], bytes);
		assert_int_equal(out.pos, size);
		assert_memory_equal(got, bytes, size);
	}
	assert_int_equal(i, sizeof(want) / sizeof(want[0]));
}

static void test_expand_room(void **state)
{
	struct dns_reply reply;
	struct dns_walk walk;
	struct dns_rr rr;
	uint8_t got[512];
	assert_int_equal(dns_reply_read(wire_zoo, sizeof(wire_zoo), &reply), 0);
	for (size_t room = 0; room < 60; room++) {
		dns_walk_begin(&walk, &reply, DNS_SECTION_ANSWER);
		while (dns_walk_next(&walk, &rr)) {
			struct writer out = writer_of(got, room);
			dns__rdata_expand(wire_zoo, sizeof(wire_zoo), rr.type, rr.rdata, rr.rdlen,
			                  &out);
			assert_true(out.pos <= room);
		}
	}
}

static void test_name(void **state)
{
	assert_int_equal(dns__layout_name(DNS_TYPE_MX, (const uint8_t *)"\0\1", 3), 2);
	assert_int_equal(dns__layout_name(DNS_TYPE_MX, (const uint8_t *)"\0\1", 2), -1);
	assert_int_equal(dns__layout_name(DNS_TYPE_CNAME, (const uint8_t *)"", 1), 0);
	assert_int_equal(dns__layout_name(DNS_TYPE_A, (const uint8_t *)"\1\2\3\4", 4), -1);
	assert_int_equal(dns__layout_name(DNS_TYPE_NAPTR, (const uint8_t *)"\0\1\0\1\0\0\0\0", 8),
	                 -1);
	assert_int_equal(dns__layout_name(DNS_TYPE_TXT, (const uint8_t *)"\1a", 2), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_expand_room),
		cmocka_unit_test(test_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
