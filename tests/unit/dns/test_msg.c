#include "dns/layout_int.h"
#include "packet.h"
#include "vectors.h"
#include <stdlib.h>
#include <time.h>

#define HEAD    "1234 0100 0001 0000 0000 0000 "
#define HEAD_AR "1234 0100 0001 0000 0000 "
#define NAME    "0377777707 4578616d706c65 03636f6d00 0001 0001"

struct query_case {
	const char *what;
	const char *hex;
	enum dns_verdict want;
};

static enum dns_verdict read_hex(const char *hex, struct dns_query *ret_query)
{
	static uint8_t bytes[2048];
	size_t size = unhex(hex, bytes);
	/* of its own, so that a read past the end is seen */
	uint8_t *exact = malloc(size > 0 ? size : 1);
	memcpy(exact, bytes, size);
	enum dns_verdict verdict = dns_query_read(exact, size, ret_query);
	free(exact);
	return verdict;
}

static const struct query_case query_cases[] = {
	{"plain", HEAD NAME, DNS_VERDICT_OK},
	{"root", HEAD "00 0002 0001", DNS_VERDICT_OK},
	{"class ANY is not ours to judge", HEAD "00 00ff 00ff", DNS_VERDICT_OK},
	{"TC, Z, AA, RA in a question are ignored", "1234 07c0 0001 0000 0000 0000 " NAME,
         DNS_VERDICT_OK},
	{"empty", "", DNS_VERDICT_DROP},
	{"11 octets", "1234 0100 0001 0000 0000 00", DNS_VERDICT_DROP},
	{"an answer", "1234 8100 0001 0000 0000 0000 " NAME, DNS_VERDICT_DROP},
	{"an answer with another opcode", "1234 a900 0001 0000 0000 0000", DNS_VERDICT_DROP},
	{"STATUS", "1234 1100 0001 0000 0000 0000 " NAME, DNS_VERDICT_NOTIMP},
	{"UPDATE, header alone", "1234 2800 0000 0000 0000 0000", DNS_VERDICT_NOTIMP},
	{"NOTIFY with rubbish", "1234 2400 0001 0000 0000 0000 ffff", DNS_VERDICT_NOTIMP},
	{"no question", "1234 0100 0000 0000 0000 0000", DNS_VERDICT_FORMERR},
	{"two questions", "1234 0100 0002 0000 0000 0000 " NAME NAME, DNS_VERDICT_FORMERR},
	{"question missing", HEAD, DNS_VERDICT_FORMERR},
	{"question cut", HEAD "0377777707 4578616d706c65 03636f6d00 0001 00", DNS_VERDICT_FORMERR},
	{"name cut", HEAD "0377777707 457861", DNS_VERDICT_FORMERR},
	{"name without end", HEAD "03777777", DNS_VERDICT_FORMERR},
	{"pointer in the question", HEAD "c00c 0001 0001", DNS_VERDICT_FORMERR},
	{"pointer behind a label", HEAD "03777777 c004 0001 0001", DNS_VERDICT_FORMERR},
	{"label of type 01", HEAD "4100 0001 0001", DNS_VERDICT_FORMERR},
	{"bytes left over", HEAD NAME "00", DNS_VERDICT_FORMERR},
	{"answer count lies", "1234 0100 0001 0001 0000 0000 " NAME, DNS_VERDICT_FORMERR},
	{"additional count lies", HEAD_AR "0001 " NAME, DNS_VERDICT_FORMERR},
	{"an answer record in a question",
         "1234 0100 0001 0001 0000 0000 " NAME "c00c 0001 0001 00000000 0004 01020304",
         DNS_VERDICT_FORMERR},
	{"an authority record in a question",
         "1234 0100 0001 0000 0001 0000 " NAME "c00c 0002 0001 00000000 0002 c00c",
         DNS_VERDICT_FORMERR},
	{"IXFR with its SOA",
         "1234 0000 0001 0000 0001 0000 016100 00fb 0001 "
         "c00c 0006 0001 00000000 0018 c00c c00c 0000000100000002000000030000000400000005",
         DNS_VERDICT_OK},
	{"IXFR with an A for a SOA",
         "1234 0000 0001 0000 0001 0000 016100 00fb 0001 c00c 0001 0001 00000000 0004 01020304",
         DNS_VERDICT_FORMERR},
	{"other additional records pass", HEAD_AR "0001 " NAME "c00c 0001 0001 00000000 0000",
         DNS_VERDICT_OK},
	{"TSIG alone", HEAD_AR "0001 " NAME "016b00 00fa 00ff 00000000 0000", DNS_VERDICT_OK},
	{"TSIG behind OPT",
         HEAD_AR "0002 " NAME "00 0029 04d0 00000000 0000 016b00 00fa 00ff 00000000 0000",
         DNS_VERDICT_OK},
	{"TSIG before OPT",
         HEAD_AR "0002 " NAME "016b00 00fa 00ff 00000000 0000 00 0029 04d0 00000000 0000",
         DNS_VERDICT_FORMERR},
	{"two TSIGs", HEAD_AR "0002 " NAME "00 00fa 00ff 00000000 0000 00 00fa 00ff 00000000 0000",
         DNS_VERDICT_FORMERR},
	{"RDLENGTH over the end", HEAD_AR "0001 " NAME "00 0001 0001 00000000 0001",
         DNS_VERDICT_FORMERR},
	{"owner points to itself", HEAD_AR "0001 " NAME "c021 0001 0001 00000000 0000",
         DNS_VERDICT_FORMERR},
	{"owner points into the header", HEAD_AR "0001 " NAME "c000 0001 0001 00000000 0000",
         DNS_VERDICT_FORMERR},
	{"OPT", HEAD_AR "0001 " NAME "00 0029 04d0 00000000 0000", DNS_VERDICT_OK},
	{"OPT with unknown flags and options",
         HEAD_AR "0001 " NAME "00 0029 04d0 00007fff 0006 fde9 0002 abcd", DNS_VERDICT_OK},
	{"two OPTs", HEAD_AR "0002 " NAME "00 0029 04d0 00000000 0000 00 0029 04d0 00000000 0000",
         DNS_VERDICT_FORMERR},
	{"OPT with an owner", HEAD_AR "0001 " NAME "c00c 0029 04d0 00000000 0000",
         DNS_VERDICT_FORMERR},
	{"OPT in the answer section",
         "1234 0100 0001 0001 0000 0000 " NAME "00 0029 04d0 00000000 0000", DNS_VERDICT_FORMERR},
	{"option header cut", HEAD_AR "0001 " NAME "00 0029 04d0 00000000 0003 000300",
         DNS_VERDICT_FORMERR},
	{"option runs over", HEAD_AR "0001 " NAME "00 0029 04d0 00000000 0005 0003 0002 ab",
         DNS_VERDICT_FORMERR},
	{"version 1", HEAD_AR "0001 " NAME "00 0029 04d0 00010000 0000", DNS_VERDICT_BADVERS},
	{"version 1, its options not judged",
         HEAD_AR "0001 " NAME "00 0029 04d0 00010000 0003 000a00", DNS_VERDICT_BADVERS},
	{"version 1, bytes left", HEAD_AR "0001 " NAME "00 0029 04d0 00010000 0000 00",
         DNS_VERDICT_FORMERR},
	{"cookie of 7", HEAD_AR "0001 " NAME "00 0029 04d0 00000000 000b 000a 0007 01020304050607",
         DNS_VERDICT_FORMERR},
	{"cookie of 8",
         HEAD_AR "0001 " NAME "00 0029 04d0 00000000 000c 000a 0008 0102030405060708",
         DNS_VERDICT_OK},
	{"cookie of 9",
         HEAD_AR "0001 " NAME "00 0029 04d0 00000000 000d 000a 0009 010203040506070809",
         DNS_VERDICT_FORMERR},
	{"no cookie in the cookie", HEAD_AR "0001 " NAME "00 0029 04d0 00000000 0004 000a 0000",
         DNS_VERDICT_FORMERR},
};

static void test_query_verdicts(void **state)
{
	static struct dns_query q;
	for (size_t i = 0; i < sizeof(query_cases) / sizeof(query_cases[0]); i++) {
		const struct query_case *c = &query_cases[i];
		enum dns_verdict got = read_hex(c->hex, &q);
		if (got != c->want) {
			fail_msg("%s: %d, not %d", c->what, (int)got, (int)c->want);
		}
	}
}

static void test_query_fields(void **state)
{
	static struct dns_query q;
	static struct dns_key key;
	uint8_t bytes[512];
	size_t size = unhex(
		"abcd 0110 0001 0000 0000 0000 03577757 074578616d706c65 03636f6d00 001c 0001",
		bytes);
	memset(&q, 0xff, sizeof(q));
	assert_int_equal(dns_query_read(bytes, size, &q), DNS_VERDICT_OK);
	assert_int_equal(q.id, 0xabcd);
	assert_int_equal(q.flags, DNS_FLAG_RD | DNS_FLAG_CD);
	assert_int_equal(q.qtype, DNS_TYPE_AAAA);
	assert_int_equal(q.qclass, DNS_CLASS_IN);
	assert_int_equal(q.question_len, 21);
	assert_false(q.edns || q.dnssec_ok || q.nsid || q.padding || q.keepalive);
	assert_int_equal(q.udp_size, 512);
	assert_int_equal(q.cookie_len, 0);
	assert_int_equal(q.edns_version, 0);
	assert_ptr_equal(dns_query_name(&q), bytes + 12);
	assert_memory_equal(dns_query_name(&q), "\3WwW\7Example", 12);

	dns_key_make(&key, wire_name("www.example.com"));
	assert_int_equal(q.key.len, key.len);
	assert_int_equal(q.key.labels, key.labels);
	assert_memory_equal(q.key.name, key.name, key.len);
	assert_memory_equal(q.key.off, key.off, key.labels + 1u);
	assert_memory_equal(q.key.hash, key.hash, 4 * (key.labels + 1u));
}

static void test_query_edns(void **state)
{
	static struct dns_query q;
	uint8_t bytes[512];
	size_t size = unhex(HEAD_AR "0001 " NAME "00 0029 1000 00008000 0034"
	                            "0003 0000  000b 0000  000c 0003 000000"
	                            "000a 0010 00010203040506070809 0a0b0c0d0e0f"
	                            "000a 0008 ffffffffffffffff 0003 0001 41",
	                    bytes);
	assert_int_equal(dns_query_read(bytes, size, &q), DNS_VERDICT_OK);
	assert_true(q.edns && q.dnssec_ok && q.nsid && q.padding && q.keepalive);
	assert_int_equal(q.udp_size, 4096);
	assert_int_equal(q.cookie_len, 16); /* the first */
	assert_int_equal(q.cookie[0], 0);
	assert_int_equal(q.cookie[15], 15);

	size = unhex(HEAD_AR "0001 " NAME "00 0029 0000 00000000 0000", bytes);
	assert_int_equal(dns_query_read(bytes, size, &q), DNS_VERDICT_OK);
	assert_int_equal(q.udp_size, 512);
	assert_false(q.dnssec_ok || q.nsid || q.padding || q.keepalive);
	assert_int_equal(q.cookie_len, 0);
}

/* After FORMERR the question may be echoed exactly when it could be read. */
static void test_query_echo(void **state)
{
	static struct dns_query q;
	assert_int_equal(read_hex(HEAD NAME "00", &q), DNS_VERDICT_FORMERR);
	assert_int_equal(q.question_len, 21);
	assert_int_equal(q.id, 0x1234);
	assert_int_equal(read_hex(HEAD "03777777", &q), DNS_VERDICT_FORMERR);
	assert_int_equal(q.question_len, 0);
	assert_int_equal(read_hex("1234 2800 0001 0000 0000 0000" NAME, &q), DNS_VERDICT_NOTIMP);
	assert_int_equal(q.question_len, 0);
	assert_int_equal(q.flags, 0x2800);
}

/* 900 options in one OPT (T25). */
static void test_query_many_options(void **state)
{
	static uint8_t bytes[8192];
	static struct dns_query q;
	size_t size = unhex(HEAD_AR "0001 " NAME "00 0029 04d0 00000000", bytes);
	put_u16(bytes + size, 900 * 6);
	size += 2;
	for (int i = 0; i < 900; i++) {
		size += unhex("0003 0002 0102", bytes + size);
	}
	assert_int_equal(dns_query_read(bytes, size, &q), DNS_VERDICT_OK);
	assert_true(q.nsid);
	bytes[size - 3] = 3; /* the last one's length */
	assert_int_equal(dns_query_read(bytes, size, &q), DNS_VERDICT_FORMERR);
}

/* No part of a good question is a good question. */
static void test_query_cut(void **state)
{
	static struct dns_query q;
	uint8_t bytes[512];
	size_t size =
		unhex(HEAD_AR "0002 " NAME "00 0029 04d0 00000000 000c 000a 0008 0102030405060708"
	                      "016b00 00fa 00ff 00000000 0002 abcd",
	              bytes);
	assert_int_equal(dns_query_read(bytes, size, &q), DNS_VERDICT_OK);
	for (size_t cut = 0; cut < size; cut++) {
		uint8_t *exact = malloc(cut + 1);
		memcpy(exact, bytes, cut);
		assert_int_not_equal(dns_query_read(exact, cut, &q), DNS_VERDICT_OK);
		free(exact);
	}
	static uint8_t large[DNS_MSG_MAX + 1];
	assert_int_equal(dns_query_read(large, sizeof(large), &q), DNS_VERDICT_DROP);
}

/* --- Answers --- */

static void check_next(struct dns_walk *walk, const char *owner, uint16_t type, uint32_t ttl)
{
	struct dns_rr rr;
	const struct dns_reply *reply = walk->reply;
	assert_true(dns_walk_next(walk, &rr));
	assert_string_equal(text_at(reply->wire, reply->size, rr.owner), owner);
	assert_int_equal(rr.type, type);
	assert_int_equal(rr.class, DNS_CLASS_IN);
	assert_int_equal(rr.ttl, ttl);
	assert_int_equal(get_u32(reply->wire + rr.ttl_at), ttl);
}

static void test_reply_chain(void **state)
{
	struct dns_reply reply;
	struct dns_walk walk;
	struct dns_rr rr;
	assert_int_equal(dns_reply_read(wire_chain, sizeof(wire_chain), &reply), 0);
	assert_int_equal(reply.id, 0x1234);
	assert_int_equal(reply.qtype, DNS_TYPE_A);
	assert_int_equal(reply.qclass, DNS_CLASS_IN);
	assert_true(reply.has_question && reply.edns);
	assert_int_equal(reply.udp_size, 1232);
	assert_int_equal(reply.cookie_len, 24);
	assert_int_equal(reply.cookie[23], 23);
	assert_int_equal(reply.rcode, 0);
	assert_int_equal(reply.count[0], 4);
	assert_int_equal(reply.count[1], 2);
	assert_int_equal(reply.count[2], 2);

	dns_walk_begin(&walk, &reply, DNS_SECTION_ANSWER);
	check_next(&walk, "www.example.com.", DNS_TYPE_CNAME, 300);
	check_next(&walk, "a.example.com.", DNS_TYPE_CNAME, 200);
	check_next(&walk, "b.example.net.", DNS_TYPE_A, 100);
	check_next(&walk, "b.example.net.", DNS_TYPE_A, 100);
	assert_false(dns_walk_next(&walk, &rr));
	assert_false(dns_walk_next(&walk, &rr));
	dns_walk_begin(&walk, &reply, DNS_SECTION_AUTHORITY);
	check_next(&walk, "example.com.", DNS_TYPE_NS, 3600);
	check_next(&walk, "example.com.", DNS_TYPE_NS, 3600);
	assert_false(dns_walk_next(&walk, &rr));
	dns_walk_begin(&walk, &reply, DNS_SECTION_ADDITIONAL);
	check_next(&walk, "ns1.example.com.", DNS_TYPE_A, 3600);
	check_next(&walk, "ns1.example.com.", DNS_TYPE_AAAA, 3600);
	assert_false(dns_walk_next(&walk, &rr));
}

#define RHEAD  "1234 8180 0001 0001 0000 0000 016100 0001 0001 "
#define RHEAD0 "1234 8180 0001 "

static void test_reply_verdicts(void **state)
{
	static const struct {
		const char *what;
		const char *hex;
		bool good;
	} cases[] = {
		{"one A", RHEAD "c00c 0001 0001 00000001 0004 01020304", true},
		{"FORMERR without a question", "1234 8181 0000 0000 0000 0000", true},
		{"a question", "1234 0180 0001 0000 0000 0000 016100 0001 0001", false},
		{"opcode", "1234 a180 0001 0000 0000 0000 016100 0001 0001", false},
		{"two questions", "1234 8180 0002 0000 0000 0000 00 0001 0001 00 0001 0001", false},
		{"question points", "1234 8180 0001 0000 0000 0000 c00c 0001 0001", false},
		{"A of 5", RHEAD "c00c 0001 0001 00000001 0005 0102030405", false},
		{"A of 3", RHEAD "c00c 0001 0001 00000001 0003 010203", false},
		{"A of none", RHEAD "c00c 0001 0001 00000001 0000", false},
		{"A of class CH is opaque", RHEAD "c00c 0001 0003 00000001 0003 000102", true},
		{"AAAA of 4", RHEAD "c00c 001c 0001 00000001 0004 01020304", false},
		{"CNAME", RHEAD "c00c 0005 0001 00000001 0004 0162c00c", true},
		{"CNAME ends early", RHEAD "c00c 0005 0001 00000001 0005 0162c00c00", false},
		{"CNAME runs over its data", RHEAD "c00c 0005 0001 00000001 0002 0162 00", false},
		{"CNAME points to itself", RHEAD "c00c 0005 0001 00000001 0002 c01f", false},
		{"CNAME points forward", RHEAD "c00c 0005 0001 00000001 0002 c021", false},
		{"CNAME of a pointer cut in two", RHEAD "c00c 0005 0001 00000001 0001 c0", false},
		{"MX of 2", RHEAD "c00c 000f 0001 00000001 0002 000a", false},
		{"MX of 1", RHEAD "c00c 000f 0001 00000001 0001 00", false},
		{"SOA short of a number",
	         RHEAD "c00c 0006 0001 00000001 0016 c00cc00c 000000000000000000000000000000000000",
	         false},
		{"SRV", RHEAD "c00c 0021 0001 00000001 0008 000100020003c00c", true},
		{"NAPTR with a string that runs over",
	         RHEAD "c00c 0023 0001 00000001 0008 0001 0002 09414243", false},
		{"unknown type of none", RHEAD "c00c ff00 0001 00000001 0000", true},
		{"answer missing", RHEAD, false},
		{"bytes left", RHEAD "c00c 0001 0001 00000001 0004 01020304 00", false},
		{"TSIG", RHEAD0 "0000 0000 0001 016100 0001 0001 00 00fa 00ff 00000000 0000",
	         false},
		{"TKEY", RHEAD0 "0000 0000 0001 016100 0001 0001 00 00f9 00ff 00000000 0000",
	         false},
		{"SIG(0)",
	         RHEAD0 "0000 0000 0001 016100 0001 0001 00 0018 00ff 00000000 0013 "
	                "0000 0000 00000000 0000000000000000 0000 00",
	         false},
		{"OPT in answer", RHEAD "00 0029 04d0 00000000 0000", false},
		{"OPT in authority",
	         RHEAD0 "0000 0001 0000 016100 0001 0001 00 0029 04d0 00000000 0000", false},
		{"two OPTs",
	         RHEAD0 "0000 0000 0002 016100 0001 0001 00 0029 04d0 00000000 0000 "
	                "00 0029 04d0 00000000 0000",
	         false},
		{"OPT with an owner",
	         RHEAD0 "0000 0000 0001 016100 0001 0001 c00c 0029 04d0 00000000 0000", false},
		{"OPT, then A",
	         RHEAD0 "0000 0000 0002 016100 0001 0001 00 0029 04d0 00000000 0000 "
	                "c00c 0001 0001 00000001 0004 01020304",
	         true},
		{"option runs over",
	         RHEAD0 "0000 0000 0001 016100 0001 0001 "
	                "00 0029 04d0 00000000 0005 000a 0008 00",
	         false},
		{"cookie of 9",
	         RHEAD0 "0000 0000 0001 016100 0001 0001 "
	                "00 0029 04d0 00000000 000d 000a 0009 000102030405060708",
	         false},
		{"label over the end", RHEAD "3f6161", false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[512];
		struct dns_reply reply;
		size_t size = unhex(cases[i].hex, bytes);
		int ret = dns_reply_read(bytes, size, &reply);
		if (ret != (cases[i].good ? 0 : FAIL_FORMAT)) {
			fail_msg("%s: %d", cases[i].what, ret);
		}
	}
}

static void test_reply_fields(void **state)
{
	struct dns_reply reply;
	struct dns_walk walk;
	struct dns_rr rr;
	uint8_t bytes[512];
	assert_int_equal(dns_reply_read(wire_badvers, sizeof(wire_badvers), &reply), 0);
	assert_int_equal(reply.rcode, DNS_RCODE_BADVERS);
	assert_int_equal(reply.count[2], 0);

	/* bit 31 of a TTL (RFC 2181 section 8); the OPT before the record is passed over */
	size_t size = unhex(RHEAD0 "0000 0000 0002 016100 0001 0001 00 0029 0100 00000000 0000 "
	                           "c00c 0001 0001 80000001 0004 01020304",
	                    bytes);
	assert_int_equal(dns_reply_read(bytes, size, &reply), 0);
	assert_int_equal(reply.udp_size, 512);
	assert_int_equal(reply.count[2], 1);
	dns_walk_begin(&walk, &reply, DNS_SECTION_ADDITIONAL);
	assert_true(dns_walk_next(&walk, &rr));
	assert_int_equal(rr.type, DNS_TYPE_A);
	assert_int_equal(rr.ttl, 0);
	assert_memory_equal(bytes + rr.rdata, "\1\2\3\4", 4);
	assert_false(dns_walk_next(&walk, &rr));

	size = unhex("1234 8181 0000 0000 0000 0000", bytes);
	assert_int_equal(dns_reply_read(bytes, size, &reply), 0);
	assert_false(reply.has_question);
	assert_int_equal(reply.rcode, DNS_RCODE_FORMERR);
}

static void test_reply_cut(void **state)
{
	struct dns_reply reply;
	for (size_t cut = 0; cut < sizeof(wire_chain); cut++) {
		uint8_t *exact = malloc(cut + 1);
		memcpy(exact, wire_chain, cut);
		assert_int_equal(dns_reply_read(exact, cut, &reply), FAIL_FORMAT);
		free(exact);
	}
}

static void test_reply_matches(void **state)
{
	struct dns_reply reply;
	uint8_t bytes[64];
	assert_int_equal(dns_reply_read(wire_chain, sizeof(wire_chain), &reply), 0);
	const uint8_t *name = wire_name("www.example.com");
	assert_true(dns_reply_matches(&reply, 0x1234, name, DNS_TYPE_A, true));
	assert_false(dns_reply_matches(&reply, 0x1235, name, DNS_TYPE_A, true));
	assert_false(dns_reply_matches(&reply, 0x1234, name, DNS_TYPE_AAAA, true));
	static const char *const others[] = {
		"www.example.co",    "example.com",     ".",
		"www.example.com.x", "www.example.con", "xww.example.com"};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		name = wire_name(others[i]);
		assert_false(dns_reply_matches(&reply, 0x1234, name, DNS_TYPE_A, true));
		assert_false(dns_reply_matches(&reply, 0x1234, name, DNS_TYPE_A, false));
	}
	name = wire_name("WWW.example.com");
	assert_false(dns_reply_matches(&reply, 0x1234, name, DNS_TYPE_A, true));
	assert_true(dns_reply_matches(&reply, 0x1234, name, DNS_TYPE_A, false));

	size_t size = unhex("1234 8180 0001 0000 0000 0000 00 0001 0003", bytes); /* class CH */
	assert_int_equal(dns_reply_read(bytes, size, &reply), 0);
	assert_false(dns_reply_matches(&reply, 0x1234, wire_name("."), DNS_TYPE_A, true));
	size = unhex("1234 8181 0000 0000 0000 0000", bytes);
	assert_int_equal(dns_reply_read(bytes, size, &reply), 0);
	assert_false(dns_reply_matches(&reply, 0x1234, wire_name("."), 0, true));
}

static void test_msg_rdata(void **state)
{
	struct dns_reply reply;
	struct dns_walk walk;
	struct dns_rr rr;
	uint8_t rdata[64];
	uint8_t bytes[64];
	assert_int_equal(dns_reply_read(wire_chain, sizeof(wire_chain), &reply), 0);
	dns_walk_begin(&walk, &reply, DNS_SECTION_ANSWER);
	assert_true(dns_walk_next(&walk, &rr));
	assert_int_equal(dns_msg_rdata(&reply, &rr, rdata, sizeof(rdata)), 15);
	assert_memory_equal(rdata, "\1a\7example\3com", 15);
	assert_int_equal(dns_msg_rdata(&reply, &rr, rdata, 15), 15);
	assert_int_equal(dns_msg_rdata(&reply, &rr, rdata, 14), FAIL_LIMIT);

	/* an MX of class CH whose one octet is the packet's last: not looked into */
	size_t size = unhex(
		"1234 8180 0001 0001 0000 0000 00 0001 0001 00 000f 0003 00000001 0001 ab", bytes);
	uint8_t *exact = malloc(size);
	memcpy(exact, bytes, size);
	assert_int_equal(dns_reply_read(exact, size, &reply), 0);
	dns_walk_begin(&walk, &reply, DNS_SECTION_ANSWER);
	assert_true(dns_walk_next(&walk, &rr));
	assert_int_equal(dns_msg_rdata(&reply, &rr, rdata, sizeof(rdata)), 1);
	assert_int_equal(rdata[0], 0xab);
	free(exact);
}

/* --- Names --- */

static void test_msg_name(void **state)
{
	uint8_t bytes[512] = {0};
	uint8_t name[DNS_NAME_MAX];
	size_t next = 0;
	size_t size = 12 + unhex("0162 0163 00 0161 c00c c011 ff", bytes + 12);
	assert_int_equal(dns_msg_name(bytes, size, 17, name, &next), 7);
	assert_memory_equal(name, "\1a\1b\1c", 7);
	assert_int_equal(next, 21);
	assert_int_equal(dns_msg_name(bytes, size, 21, name, &next),
	                 7); /* a pointer to a name with one */
	assert_int_equal(next, 23);
	assert_int_equal(dns_msg_name(bytes, size, 14, name, NULL), 3);
	assert_int_equal(dns_msg_name(bytes, size, 16, name, &next), 1);
	assert_int_equal(next, 17);
	assert_int_equal(dns_msg_name(bytes, size, 23, name, NULL), FAIL_FORMAT);
	assert_int_equal(dns_msg_name(bytes, size, size, name, NULL), FAIL_FORMAT);
	assert_int_equal(dns_msg_name(bytes, 22, 21, name, NULL), FAIL_FORMAT);
	assert_int_equal(dns_msg_name(bytes, size, 1000, name, NULL), FAIL_FORMAT);
}

/* Pointers to pointers: as many as a name may have labels, no more. */
static void test_msg_name_hops(void **state)
{
	uint8_t bytes[1024] = {0};
	uint8_t name[DNS_NAME_MAX];
	for (uint16_t at = 13; at < 13 + 2 * 200; at += 2) {
		put_u16(bytes + at, (uint16_t)(0xc000 | (at == 13 ? 12 : at - 2)));
	}
	assert_int_equal(dns_msg_name(bytes, sizeof(bytes), 13 + 2 * 126, name, NULL), 1);
	assert_int_equal(dns_msg_name(bytes, sizeof(bytes), 13 + 2 * 127, name, NULL), FAIL_FORMAT);
}

/* A name of 255 octets may be made of pointers, one of 256 not. */
static void test_msg_name_long(void **state)
{
	uint8_t bytes[512] = {0};
	uint8_t name[DNS_NAME_MAX];
	size_t at = 12;
	for (int i = 0; i < 3; i++, at += 64) {
		bytes[at] = 63;
	}
	bytes[at] = 0; /* 193 octets so far */
	bytes[300] = 61;
	put_u16(bytes + 362, 0xc00c);
	assert_int_equal(dns_msg_name(bytes, sizeof(bytes), 300, name, NULL), 255);
	bytes[300] = 62;
	put_u16(bytes + 363, 0xc00c);
	assert_int_equal(dns_msg_name(bytes, sizeof(bytes), 300, name, NULL), FAIL_FORMAT);
}

/* Thousands of names, each a long walk: the steps run out, and soon (T24). */
static void test_steps(void **state)
{
	static uint8_t bytes[DNS_MSG_MAX];
	struct dns_reply reply;
	size_t pos = unhex("1234 8180 0001 0000 0000 0000", bytes);
	for (int i = 0; i < 126; i++) {
		pos += unhex("0161", bytes + pos);
	}
	pos += unhex("00 0001 0001", bytes + pos);
	size_t first = pos;
	unsigned int count = 0;
	/* PTR behind PTR, both names a walk of 126 labels and a hop */
	for (; pos + 14 <= sizeof(bytes); count++) {
		pos += unhex("c00c 000c 0001 00000001 0002 c00c", bytes + pos);
	}
	put_u16(bytes + 6, (uint16_t)count);
	clock_t begin = clock();
	assert_int_equal(dns_reply_read(bytes, pos, &reply), FAIL_FORMAT);
	assert_true((double)(clock() - begin) / CLOCKS_PER_SEC < 0.5); /* sanitizers and all */

	/* the same owners with addresses, as an honest server might send them */
	count = 0;
	for (pos = first; pos + 16 <= sizeof(bytes); count++) {
		pos += unhex("c00c 0001 0001 00000001 0004 01020304", bytes + pos);
	}
	put_u16(bytes + 6, (uint16_t)count);
	assert_int_equal(dns_reply_read(bytes, pos, &reply), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_query_verdicts),     cmocka_unit_test(test_query_fields),
		cmocka_unit_test(test_query_edns),         cmocka_unit_test(test_query_echo),
		cmocka_unit_test(test_query_many_options), cmocka_unit_test(test_query_cut),
		cmocka_unit_test(test_reply_chain),        cmocka_unit_test(test_reply_verdicts),
		cmocka_unit_test(test_reply_fields),       cmocka_unit_test(test_reply_matches),
		cmocka_unit_test(test_msg_rdata),          cmocka_unit_test(test_reply_cut),
		cmocka_unit_test(test_msg_name),           cmocka_unit_test(test_msg_name_hops),
		cmocka_unit_test(test_msg_name_long),      cmocka_unit_test(test_steps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
