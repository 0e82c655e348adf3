#include "base/random.h"
#include "packet.h"
#include <stdlib.h>

static uint8_t buf[DNS_MSG_MAX];

/* A client's question of this name and type, read. */
static void ask(struct dns_query *q, const char *name, uint16_t qtype, uint16_t flags)
{
	static uint8_t bytes[512];
	struct dns_build b;
	dns_build_question(&b, bytes, sizeof(bytes), 0xbeef, flags, wire_name(name), qtype);
	size_t size = dns_build_end(&b, 0, 0, NULL);
	assert_int_equal(dns_query_read(bytes, size, q), DNS_VERDICT_OK);
}

static bool add_a(struct dns_build *b, const char *owner)
{
	return dns_build_rr(b, DNS_SECTION_ANSWER, wire_name(owner), DNS_TYPE_A, DNS_CLASS_IN, 300,
	                    (const uint8_t *)"\1\2\3\4", 4);
}

/* Ends the message and reads it back. */
static struct dns_reply finish(struct dns_build *b, uint16_t flags, unsigned int rcode,
                               const struct dns_opt *opt)
{
	struct dns_reply reply;
	size_t size = dns_build_end(b, flags, rcode, opt);
	assert_int_equal(dns_reply_read(b->wire, size, &reply), 0);
	return reply;
}

static void test_answer(void **state)
{
	static struct dns_query q;
	struct dns_build b;
	ask(&q, "WwW.Example.com", DNS_TYPE_A, DNS_FLAG_RD | DNS_FLAG_CD | DNS_FLAG_AD | 0x0040);
	dns_build_answer(&b, buf, sizeof(buf), 512, &q);
	assert_true(add_a(&b, "www.EXAMPLE.com"));
	assert_true(dns_build_rr_at(&b, DNS_SECTION_ANSWER, 12, DNS_TYPE_A, DNS_CLASS_IN, 60,
	                            (const uint8_t *)"\1\2\3\5", 4));
	struct dns_reply reply = finish(&b, DNS_FLAG_AA, DNS_RCODE_NOERROR, NULL);
	assert_int_equal(reply.id, 0xbeef);
	assert_int_equal(reply.flags,
	                 DNS_FLAG_QR | DNS_FLAG_AA | DNS_FLAG_RD | DNS_FLAG_RA | DNS_FLAG_CD);
	assert_int_equal(reply.count[0], 2);
	assert_int_equal(reply.size, 12 + 21 + 2 * 16);
	assert_memory_equal(buf + 12, "\3WwW\7Example\3com\0\0\1\0\1", 21);
	assert_string_equal(text_at(buf, reply.size, reply.start[0]), "WwW.Example.com.");
	assert_int_equal(get_u16(buf + 33), 0xc00c);
}

/* What NOTIMP and a FORMERR without a question get: the header alone. */
static void test_header_only(void **state)
{
	static struct dns_query q;
	uint8_t bytes[12] = {0x12, 0x34, 0x29, 0x00};
	struct dns_build b;
	assert_int_equal(dns_query_read(bytes, 12, &q), DNS_VERDICT_NOTIMP);
	dns_build_answer(&b, buf, sizeof(buf), 512, &q);
	assert_int_equal(dns_build_end(&b, 0, DNS_RCODE_NOTIMP, NULL), 12);
	assert_int_equal(get_u16(buf), 0x1234);
	assert_int_equal(get_u16(buf + 2), 0xa984); /* QR, opcode, RD, RA, NOTIMP */
	assert_int_equal(get_u32(buf + 4), 0);
	assert_int_equal(get_u32(buf + 8), 0);
}

static void test_compression(void **state)
{
	static struct dns_query q;
	struct dns_build b;
	ask(&q, "www.example.com", DNS_TYPE_A, 0);
	dns_build_answer(&b, buf, sizeof(buf), sizeof(buf), &q);
	/* the target of a CNAME is aimed at later */
	assert_true(dns_build_rr_at(&b, DNS_SECTION_ANSWER, 12, DNS_TYPE_CNAME, DNS_CLASS_IN, 60,
	                            wire_name("a.b.example.net"), 17));
	size_t target = b.pos - 17;
	size_t before = b.pos;
	assert_true(add_a(&b, "A.B.example.net"));
	assert_int_equal(b.pos - before, 16);
	assert_int_equal(get_u16(buf + before), 0xc000 | target);

	before = b.pos;
	assert_true(add_a(&b, "x.B.example.net"));
	assert_int_equal(b.pos - before, 18);
	assert_int_equal(get_u16(buf + before + 2), 0xc000 | (target + 2));

	/* a name that ends in a pointer is aimed at as well */
	size_t x = before;
	before = b.pos;
	assert_true(add_a(&b, "y.x.b.example.net"));
	assert_int_equal(get_u16(buf + before + 2), 0xc000 | x);
	before = b.pos;
	assert_true(add_a(&b, "com"));
	assert_int_equal(get_u16(buf + before), 0xc000 | (12 + 12));
	before = b.pos;
	assert_true(add_a(&b, "."));
	assert_int_equal(b.pos - before, 15);
	before = b.pos;
	assert_true(add_a(&b, "org"));
	assert_int_equal(b.pos - before, 19);
	before = b.pos;
	assert_int_equal(dns_build_name(&b, wire_name("q.org")), before);
	assert_int_equal(b.pos - before, 4);
	b.pos = before;

	struct dns_reply reply = finish(&b, 0, 0, NULL);
	static const char *const owners[] = {"www.example.com.",
	                                     "a.b.example.net.",
	                                     "x.b.example.net.",
	                                     "y.x.b.example.net.",
	                                     "com.",
	                                     ".",
	                                     "org."};
	struct dns_walk walk;
	struct dns_rr rr;
	dns_walk_begin(&walk, &reply, DNS_SECTION_ANSWER);
	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
		uint8_t name[DNS_NAME_MAX];
		assert_true(dns_walk_next(&walk, &rr));
		assert_true(dns_msg_name(buf, reply.size, rr.owner, name, NULL) > 0);
		assert_true(dns_name_equal(name, wire_name(owners[i])));
	}
}

static void test_cut_and_drop(void **state)
{
	static struct dns_query q;
	struct dns_build b;
	ask(&q, "www.example.com", DNS_TYPE_A, 0);
	dns_build_answer(&b, buf, sizeof(buf), 100, &q); /* 33 + 4 * 16 = 97 */
	struct dns_mark mark = dns_build_mark(&b);
	for (int i = 0; i < 4; i++) {
		assert_true(add_a(&b, "www.example.com"));
	}
	assert_false(add_a(&b, "www.example.com"));
	assert_int_equal(b.pos, 97); /* a record that does not fit leaves nothing behind */
	assert_false(add_a(&b, "other.example.org"));
	assert_int_equal(b.names, 1);
	dns_build_cut(&b, &mark);
	assert_int_equal(b.pos, 33);
	assert_false(add_a(&b, "www.example.com")); /* nothing more once truncated */
	assert_int_equal(dns_build_name(&b, wire_name("www.example.com")), 0);
	struct dns_reply reply = finish(&b, 0, 0, NULL);
	assert_int_equal(reply.flags & DNS_FLAG_TC, DNS_FLAG_TC);
	assert_int_equal(reply.count[0], 0);
	assert_int_equal(reply.size, 33);

	dns_build_answer(&b, buf, sizeof(buf), 100, &q);
	assert_true(add_a(&b, "www.example.com"));
	mark = dns_build_mark(&b);
	assert_true(add_a(&b, "x.example.org"));
	dns_build_drop(&b, &mark);
	assert_true(add_a(&b, "y.example.org")); /* must not aim at what is gone */
	reply = finish(&b, 0, 0, NULL);
	assert_int_equal(reply.flags & DNS_FLAG_TC, 0);
	assert_int_equal(reply.count[0], 2);
	assert_string_equal(text_at(buf, reply.size, 49), "y.example.org.");
}

static void test_opt(void **state)
{
	static struct dns_query q;
	struct dns_build b;
	char long_text[301];
	memset(long_text, 'x', 300);
	long_text[300] = '\0';
	const uint8_t cookie[16] = {1, 2, 3};
	struct dns_opt opt = {
		.udp_size = 1232,
		.dnssec_ok = true,
		.ede = DNS_EDE_STALE,
		.ede_text = long_text,
		.nsid = "node-1",
		.cookie = cookie,
		.cookie_len = 16,
		.keepalive = 100,
	};
	assert_int_equal(dns_opt_size(&opt), 11 + 20 + 6 + 6 + 160 + 10);
	ask(&q, "www.example.com", DNS_TYPE_A, 0);
	dns_build_answer(&b, buf, sizeof(buf), 512, &q);
	dns_build_reserve(&b, dns_opt_size(&opt));
	while (add_a(&b, "www.example.com")) {
	}
	struct dns_reply reply = finish(&b, 0, DNS_RCODE_BADCOOKIE, &opt);
	assert_true(reply.size <= 512 && reply.size > 512 - 16);
	assert_true(reply.edns);
	assert_int_equal(reply.rcode, DNS_RCODE_BADCOOKIE);
	assert_int_equal(reply.udp_size, 1232);
	assert_int_equal(reply.cookie_len, 16);
	assert_memory_equal(reply.cookie, cookie, 16);
	/* as written: cookie, keepalive, EDE with 160 octets of text, NSID */
	const uint8_t *options = buf + reply.size - (dns_opt_size(&opt) - 11);
	assert_int_equal(options[-11 + 7], 0x80); /* DO */
	assert_memory_equal(options + 20, "\0\13\0\2\0\144", 6);
	assert_memory_equal(options + 26, "\0\17\0\242\0\3x", 7);
	assert_memory_equal(options + 192, "\0\3\0\6node-1", 10);

	struct dns_opt least = {.udp_size = 1232, .ede = DNS_EDE_NONE, .keepalive = -1};
	assert_int_equal(dns_opt_size(&least), 11);
	dns_build_answer(&b, buf, sizeof(buf), 512, &q);
	dns_build_reserve(&b, 11);
	reply = finish(&b, 0, 0, &least);
	assert_int_equal(reply.size, 33 + 11);
}

/* Text that no longer fits is left out, the extended error stays; what was not reserved makes nothing overflow. */
static void test_opt_squeezed(void **state)
{
	static struct dns_query q;
	ask(&q, "www.example.com", DNS_TYPE_A, 0);
	struct dns_opt opt = {
		.udp_size = 1232, .ede = 22, .ede_text = "no answer", .nsid = "n", .keepalive = -1};
	for (size_t room = 33; room < 33 + 40; room++) {
		struct dns_build b;
		uint8_t *exact = malloc(room);
		dns_build_answer(&b, exact, room, room, &q);
		struct dns_reply reply = finish(&b, 0, DNS_RCODE_SERVFAIL, &opt);
		assert_true(reply.size <= room);
		assert_int_equal(reply.edns, room >= 44);
		assert_int_equal(reply.size == 44, room >= 44 && room < 49);
		free(exact);
	}
	/* more reserved than there is */
	struct dns_build b;
	dns_build_answer(&b, buf, sizeof(buf), 40, &q);
	dns_build_reserve(&b, 100);
	assert_false(add_a(&b, "www.example.com"));
	assert_int_equal(finish(&b, 0, 0, NULL).size, 33);
}

static void test_question(void **state)
{
	static struct dns_query q;
	struct dns_build b;
	uint8_t bytes[300];
	dns_build_question(&b, bytes, sizeof(bytes), 7, DNS_FLAG_RD | DNS_FLAG_CD,
	                   wire_name("a.B.c"), DNS_TYPE_MX);
	struct dns_opt opt = {
		.udp_size = 1232, .dnssec_ok = true, .ede = DNS_EDE_NONE, .keepalive = -1};
	size_t size = dns_build_end(&b, 0, 0, &opt);
	assert_int_equal(dns_query_read(bytes, size, &q), DNS_VERDICT_OK);
	assert_int_equal(q.id, 7);
	assert_int_equal(q.flags, DNS_FLAG_RD | DNS_FLAG_CD);
	assert_int_equal(q.qtype, DNS_TYPE_MX);
	assert_true(q.edns && q.dnssec_ok);
	assert_memory_equal(dns_query_name(&q), "\1a\1B\1c", 7);
}

static void test_padding(void **state)
{
	static struct dns_query q;
	uint8_t bytes[512];
	for (size_t room = 30; room <= sizeof(bytes); room++) {
		struct dns_build b;
		uint8_t *exact = malloc(room);
		dns_build_question(&b, exact, room, 7, DNS_FLAG_RD, wire_name("a.b.c"),
		                   DNS_TYPE_MX);
		struct dns_opt opt = {.udp_size = 1232,
		                      .ede = DNS_EDE_NONE,
		                      .keepalive = DNS_KEEPALIVE_ASK,
		                      .pad_block = 128};
		size_t size = dns_build_end(&b, 0, 0, &opt);
		assert_true(size <= room);
		assert_int_equal(dns_query_read(exact, size, &q), DNS_VERDICT_OK);
		if (room >= 128) {
			assert_int_equal(size, 128);
			assert_true(q.padding && q.keepalive);
		}
		free(exact);
	}
}

/* What a server says of idle connections is heard; an option of another size says nothing. */
static void test_reply_keepalive(void **state)
{
	static struct dns_query q;
	ask(&q, "www.example.com", DNS_TYPE_A, 0);
	struct dns_build b;
	struct dns_opt opt = {.udp_size = 1232, .ede = DNS_EDE_NONE, .keepalive = 300};
	dns_build_answer(&b, buf, sizeof(buf), sizeof(buf), &q);
	assert_int_equal(finish(&b, 0, 0, &opt).keepalive, 300);
	opt.keepalive = DNS_KEEPALIVE_ASK;
	dns_build_answer(&b, buf, sizeof(buf), sizeof(buf), &q);
	assert_int_equal(finish(&b, 0, 0, &opt).keepalive, -1);
}

/* Owners beyond the reach of a pointer (offset 0x3fff) are written in full. */
static void test_far_owner(void **state)
{
	static struct dns_query q;
	static uint8_t blob[20000];
	struct dns_build b;
	ask(&q, "q.example.com", DNS_TYPE_TXT, 0);
	dns_build_answer(&b, buf, sizeof(buf), sizeof(buf), &q);
	assert_true(
		dns_build_rr_at(&b, DNS_SECTION_ANSWER, 12, 65280, DNS_CLASS_IN, 1, blob, 20000));
	uint16_t far = (uint16_t)b.pos;
	assert_true(add_a(&b, "far.away"));
	assert_true(add_a(&b, "near.far.away"));
	assert_true(dns_build_rr_at(&b, DNS_SECTION_ANSWER, far, DNS_TYPE_A, DNS_CLASS_IN, 1,
	                            (const uint8_t *)"\1\2\3\4", 4));
	assert_true(add_a(&b, "x.example.com"));
	struct dns_reply reply = finish(&b, 0, 0, NULL);
	static const char *const owners[] = {"q.example.com.", "far.away.", "near.far.away.",
	                                     "far.away.", "x.example.com."};
	struct dns_walk walk;
	struct dns_rr rr;
	dns_walk_begin(&walk, &reply, DNS_SECTION_ANSWER);
	for (size_t i = 0; i < 5; i++) {
		assert_true(dns_walk_next(&walk, &rr));
		assert_string_equal(text_at(buf, reply.size, rr.owner), owners[i]);
	}
}

static uint32_t dice(uint32_t bound)
{
	static struct draw draw = {{1, 2}}; /* the same each run */
	return draw_below(&draw, bound);
}

/* A name of a few labels out of a small stock, so that suffixes are shared often. */
static size_t random_name(uint8_t *name)
{
	size_t len = 0;
	for (uint32_t left = dice(7); left > 0 && len < 200; left--) {
		uint8_t size = (uint8_t)(1 + dice(3) * dice(10));
		name[len++] = size;
		memset(name + len, "aAbBc"[dice(5)], size);
		len += size;
	}
	name[len++] = 0;
	return len;
}

/* Whatever is built is read back as it was meant. */
static void test_random(void **state)
{
	static struct dns_query q;
	static uint8_t owners[200][DNS_NAME_MAX];
	for (int round = 0; round < 300; round++) {
		struct dns_build b;
		uint8_t bytes[512] = {0x12, 0x34, 1, 0, 0, 1};
		size_t len = random_name(bytes + 12);
		put_u32(bytes + 12 + len, 0x00010001);
		assert_int_equal(dns_query_read(bytes, 12 + len + 4, &q), DNS_VERDICT_OK);
		dns_build_answer(&b, buf, sizeof(buf), 300 + dice(3000), &q);
		unsigned int count = 0;
		while (count < 200) {
			uint8_t rdata[DNS_NAME_MAX + 2] = {0, 10};
			size_t rdlen = 2 + random_name(rdata + 2);
			random_name(owners[count]);
			if (!dns_build_rr(&b, DNS_SECTION_ANSWER, owners[count], DNS_TYPE_MX,
			                  DNS_CLASS_IN, 1, rdata, (uint16_t)rdlen)) {
				break;
			}
			count++;
		}
		struct dns_reply reply = finish(&b, 0, 0, NULL);
		assert_int_equal(reply.count[0], count);
		struct dns_walk walk;
		struct dns_rr rr;
		dns_walk_begin(&walk, &reply, DNS_SECTION_ANSWER);
		for (unsigned int i = 0; dns_walk_next(&walk, &rr); i++) {
			uint8_t name[DNS_NAME_MAX];
			assert_true(dns_msg_name(buf, reply.size, rr.owner, name, NULL) > 0);
			assert_true(dns_name_equal(name, owners[i]));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_header_only),
		cmocka_unit_test(test_compression),
		cmocka_unit_test(test_cut_and_drop),
		cmocka_unit_test(test_opt),
		cmocka_unit_test(test_opt_squeezed),
		cmocka_unit_test(test_question),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_reply_keepalive),
		cmocka_unit_test(test_far_owner),
		cmocka_unit_test(test_random),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
