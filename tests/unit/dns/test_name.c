#include "base/hash.h"
#include "dns/name_int.h"
#include "packet.h"

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		const char *wire; /* NULL: refused */
	} cases[] = {
		{".", "00"},
		{"a", "016100"},
		{"a.", "016100"},
		{"www.Example.com", "0377777707 4578616d706c65 03636f6d 00"},
		{"*.x", "012a 0178 00"},
		{"a\\.b.c", "03612e62 0163 00"},
		{"\\052.c", "0134 0163 00"},
		{"\\255\\000", "02ff00 00"},
		{"\\\\\\\"", "025c22 00"},
		{"_sip._tcp", "045f736970 045f746370 00"},
		{"", NULL},
		{"..", NULL},
		{".a", NULL},
		{"a..b", NULL},
		{"a\\", NULL},
		{"a\\1", NULL},
		{"a\\12", NULL},
		{"a\\12x", NULL},
		{"\\256", NULL},
		{"\\999", NULL},
		{"a b", NULL},
		{"a\n", NULL},
		{"a\x7f", NULL},
		{"\xc3\xa4", NULL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t name[DNS_NAME_MAX];
		uint8_t want[DNS_NAME_MAX];
		int len = dns_name_parse(cases[i].text, name);
		if (cases[i].wire == NULL) {
			assert_int_equal(len, FAIL_FORMAT);
			continue;
		}
		assert_int_equal(len, unhex(cases[i].wire, want));
		assert_memory_equal(name, want, (size_t)len);
		assert_int_equal(dns_name_len(name), len);
	}
}

static void test_parse_route53(void **state)
{
	uint8_t name[DNS_NAME_MAX];
	char text[DNS_NAME_TEXT_MAX];
	assert_int_equal(dns_name_parse_route53("\\052.Example.com.", name), 15);
	assert_string_equal(dns_name_text(name, text), "*.Example.com.");
	assert_int_equal(dns_name_parse_route53("0\\05724.2.0.192.in-addr.arpa", name), 27);
	assert_string_equal(dns_name_text(name, text), "0/24.2.0.192.in-addr.arpa.");
	assert_int_equal(dns_name_parse_route53("\\377\\056", name), 4);
	assert_memory_equal(name, "\2\377.", 4);
	assert_int_equal(dns_name_parse_route53("*", name), 3);
	assert_int_equal(dns_name_parse_route53("\\400", name), FAIL_FORMAT);
	assert_int_equal(dns_name_parse_route53("\\08", name), FAIL_FORMAT);
	assert_int_equal(dns_name_parse_route53("\\089", name), FAIL_FORMAT);
}

static void test_limits(void **state)
{
	char text[600];
	uint8_t name[DNS_NAME_MAX];
	memset(text, 'a', sizeof(text));
	text[63] = '\0';
	assert_int_equal(dns_name_parse(text, name), 65);
	text[63] = 'a';
	text[64] = '\0';
	assert_int_equal(dns_name_parse(text, name), FAIL_FORMAT);

	/* 63.63.63.61: 64 + 64 + 64 + 62 + 1 = 255 */
	memset(text, 'a', sizeof(text));
	text[63] = text[127] = text[191] = '.';
	text[253] = '\0';
	assert_int_equal(dns_name_parse(text, name), 255);
	text[253] = '.';
	text[254] = '\0';
	assert_int_equal(dns_name_parse(text, name), 255);
	text[253] = 'a';
	assert_int_equal(dns_name_parse(text, name), FAIL_FORMAT);
	text[253] = '.';
	text[254] = 'a';
	text[255] = '\0';
	assert_int_equal(dns_name_parse(text, name), FAIL_FORMAT);

	for (int i = 0; i < 127; i++) {
		text[2 * i] = 'x';
		text[2 * i + 1] = '.';
	}
	text[254] = '\0';
	assert_int_equal(dns_name_parse(text, name), 255);
	assert_int_equal(dns_name_labels(name), DNS_LABELS_MAX);
}

/* Every octet comes back from its text; what is no plain character is written \DDD (T38). */
static void test_text(void **state)
{
	char text[DNS_NAME_TEXT_MAX];
	for (int c = 0; c < 256; c++) {
		uint8_t name[] = {2, (uint8_t)c, 'x', 0};
		uint8_t back[DNS_NAME_MAX];
		dns_name_text(name, text);
		assert_int_equal(dns_name_parse(text, back), 4);
		assert_memory_equal(name, back, 4);
		for (const char *at = text; *at != '\0'; at++) {
			assert_true(*at > ' ' && *at < 0x7f && *at != '"');
		}
	}
	uint8_t longest[DNS_NAME_MAX];
	memset(longest, 1, sizeof(longest));
	longest[0] = longest[64] = longest[128] = 63;
	longest[192] = 61;
	longest[254] = 0;
	assert_int_equal(strlen(dns_name_text(longest, text)), 250 * 4 + 4);
	assert_string_equal(dns_name_text((const uint8_t *)"", text), ".");
}

static void test_fold(void **state)
{
	for (int c = 0; c < 256; c++) {
		uint8_t want = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : (uint8_t)c;
		assert_int_equal(dns_fold((uint8_t)c), want);
		for (int at = 0; at < 8; at++) {
			uint8_t word[8] = {'Z', 0xff, 0, '@', '[', 'A', 0x80, 'z'};
			uint8_t folded[8] = {'z', 0xff, 0, '@', '[', 'a', 0x80, 'z'};
			word[at] = (uint8_t)c;
			folded[at] = want;
			uint64_t bits = dns__fold8(dns__load8(word));
			assert_memory_equal(&bits, folded, 8);
		}
	}
}

static void test_compare(void **state)
{
	assert_true(dns_name_equal(wire_name("WWW.Example.COM"), wire_name("www.example.com")));
	assert_true(dns_name_equal(wire_name("."), wire_name(".")));
	assert_false(dns_name_equal(wire_name("a.b"), wire_name("a")));
	assert_false(dns_name_equal(wire_name("a"), wire_name("a.b")));
	assert_false(dns_name_equal(wire_name("a@"), wire_name("a`")));
	assert_false(dns_name_equal(wire_name("longer-label-one"), wire_name("longer-label-ond")));
	/* the same octets, other labels */
	assert_false(dns_name_equal(wire_name("a\\001b"), wire_name("a.b")));

	assert_true(dns_name_within(wire_name("a.B.c"), wire_name("b.C")));
	assert_true(dns_name_within(wire_name("b.c"), wire_name("b.c")));
	assert_true(dns_name_within(wire_name("b.c"), wire_name(".")));
	assert_true(dns_name_within(wire_name("."), wire_name(".")));
	assert_false(dns_name_within(wire_name("c"), wire_name("b.c")));
	assert_false(dns_name_within(wire_name("xb.c"), wire_name("b.c")));
	assert_false(dns_name_within(wire_name("."), wire_name("c")));
	/* ends in the same octets, but not at a label */
	assert_false(dns_name_within(wire_name("x\\001b\\001c"), wire_name("b.c")));

	uint8_t name[DNS_NAME_MAX];
	dns_name_parse("AbC.XyZ[", name);
	dns_name_lower(name);
	assert_memory_equal(name, "\3abc\4xyz[", 10);
}

/* The hash of each suffix as base/hash.h defines it, by the plain way. */
static void check_hashes(const struct dns_key *key)
{
	uint64_t state = 0;
	assert_int_equal(key->hash[key->labels], hash_fold(0));
	for (unsigned int i = key->labels; i-- > 0;) {
		const uint8_t *label = dns_key_suffix(key, i);
		state = hash_step(state, label, (size_t)label[0] + 1);
		assert_int_equal(key->hash[i], hash_fold(state));
	}
}

static void test_key(void **state)
{
	static struct dns_key key;
	static struct dns_key other;
	dns_key_make(&key, wire_name("Host.Prod.corp.Example.com"));
	assert_int_equal(key.labels, 5);
	assert_int_equal(key.len, 28);
	assert_memory_equal(key.name, "\4host\4prod\4corp\7example\3com", 28);
	assert_memory_equal(dns_key_suffix(&key, 3), "\7example\3com", 13);
	assert_int_equal(*dns_key_suffix(&key, 5), 0);
	check_hashes(&key);

	dns_key_make(&other, wire_name("other.EXAMPLE.COM"));
	check_hashes(&other);
	assert_int_equal(key.hash[3], other.hash[1]);
	assert_int_equal(key.hash[5], other.hash[3]);
	assert_int_not_equal(dns_key_hash(&key), dns_key_hash(&other));

	dns_key_make(&key, wire_name("."));
	assert_int_equal(key.labels, 0);
	assert_int_equal(key.len, 1);
	check_hashes(&key);

	uint8_t deep[DNS_NAME_MAX] = {0};
	for (size_t i = 0; i < 127; i++) {
		deep[2 * i] = 1;
		deep[2 * i + 1] = 'Q';
	}
	dns_key_make(&key, deep);
	assert_int_equal(key.labels, 127);
	assert_int_equal(key.len, 255);
	assert_int_equal(key.off[127], 254);
	check_hashes(&key);
}

static void test_key_read(void **state)
{
	static struct dns_key key;
	uint8_t bytes[300];
	size_t size = unhex("03777777 0161 00 ffff", bytes);
	assert_int_equal(dns__key_read(&key, bytes, size), 7);
	assert_int_equal(dns_name_check(bytes, size), 7);
	for (size_t room = 0; room < 7; room++) {
		assert_int_equal(dns__key_read(&key, bytes, room), 0);
		assert_int_equal(dns_name_check(bytes, room), 0);
	}
	static const char *const bad[] = {"0161 c000", "40 00", "0161 80 00", "c00c"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		size = unhex(bad[i], bytes);
		assert_int_equal(dns__key_read(&key, bytes, size), 0);
		assert_int_equal(dns_name_check(bytes, size), 0);
	}
	memset(bytes, 0, sizeof(bytes));
	bytes[0] = bytes[64] = bytes[128] = 63;
	bytes[192] = 62; /* 256 octets */
	assert_int_equal(dns__key_read(&key, bytes, sizeof(bytes)), 0);
	assert_int_equal(dns_name_check(bytes, sizeof(bytes)), 0);
	bytes[192] = 61;
	assert_int_equal(dns__key_read(&key, bytes, sizeof(bytes)), 255);
	assert_int_equal(dns_name_check(bytes, sizeof(bytes)), 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),  cmocka_unit_test(test_parse_route53),
		cmocka_unit_test(test_limits), cmocka_unit_test(test_text),
		cmocka_unit_test(test_fold),   cmocka_unit_test(test_compare),
		cmocka_unit_test(test_key),    cmocka_unit_test(test_key_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
