#include "dns/scrub.h"
#include "packet.h"
#include "vectors.h"
#include <stdlib.h>

#define ANS  DNS_SECTION_ANSWER
#define AUTH DNS_SECTION_AUTHORITY
#define ADD  DNS_SECTION_ADDITIONAL

#define SOA_TEXT "ns.example.com. admin.example.com. 1 7200 900 1209600 60"

static struct packet packet;
static uint8_t body_wire[DNS_MSG_MAX];
static uint16_t body_ttl_at[8192];
static struct dns_body body;

/* Behind a header and a question again, as a client would get it. */
static uint8_t whole[DNS_MSG_MAX];
static struct dns_reply again;

static const struct dns_scrub_opts plain = {
	.bailiwick = (const uint8_t *)"",
	.min_ttl = 0,
	.max_ttl = 86400,
	.max_negative_ttl = 900,
	.wire_room = sizeof(body_wire),
	.ttl_room = 8192,
};

static struct dns_scrub_opts below(const char *bailiwick)
{
	struct dns_scrub_opts opts = plain;
	opts.bailiwick = wire_name(bailiwick);
	return opts;
}

/* The body behind a question for name reads as an answer, and each TTL of it is known and no less than its life. */
static void check_body(const char *name, uint16_t qtype)
{
	struct dns_build b;
	dns_build_question(&b, whole, sizeof(whole), 1, DNS_FLAG_QR, wire_name(name), qtype);
	size_t base = dns_build_end(&b, 0, 0, NULL);
	assert_true(base + body.size <= sizeof(whole));
	memcpy(whole + base, body.wire, body.size);
	put_u16(whole + 6, body.count[0]);
	put_u16(whole + 8, body.count[1]);
	assert_int_equal(dns_reply_read(whole, base + body.size, &again), 0);
	assert_int_equal(body.ttl_count, body.count[0] + body.count[1]);
	unsigned int i = 0;
	for (unsigned int section = 0; section < 2; section++) {
		struct dns_walk walk;
		struct dns_rr rr;
		dns_walk_begin(&walk, &again, section);
		while (dns_walk_next(&walk, &rr)) {
			assert_int_equal(rr.ttl_at, base + body.ttl_at[i++]);
			assert_true(rr.ttl >= body.ttl_s);
		}
	}
}

static int scrub_opts(const char *name, uint16_t qtype, const struct dns_scrub_opts *opts)
{
	memset(&body, 0xee, sizeof(body));
	body.wire = body_wire;
	body.ttl_at = body_ttl_at;
	int ret = dns_scrub(&packet.reply, wire_name(name), qtype, opts, &body);
	if (ret == 0) {
		check_body(name, qtype);
	}
	return ret;
}

static void scrub(const char *name, uint16_t qtype, const struct dns_scrub_opts *opts)
{
	assert_int_equal(scrub_opts(name, qtype, opts), 0);
}

/* All records of the body: "owner ttl type data", a line each, sections divided by "--". */
static const char *body_text(void)
{
	static char text[8192];
	size_t len = 0;
	text[0] = '\0';
	for (unsigned int section = 0; section < 2; section++) {
		struct dns_walk walk;
		struct dns_rr rr;
		if (section == 1 && body.count[1] > 0) {
			len += (size_t)snprintf(text + len, sizeof(text) - len, "--\n");
		}
		dns_walk_begin(&walk, &again, section);
		while (dns_walk_next(&walk, &rr)) {
			char type[16];
			char data[512];
			dns_rdata_text(rr.type, again.wire + rr.rdata, rr.rdlen, data,
			               sizeof(data));
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s %u %s %s\n",
			                        text_at(again.wire, again.size, rr.owner), rr.ttl,
			                        dns_type_text(rr.type, type), data);
		}
	}
	return text;
}

static void expect(enum dns_outcome outcome, unsigned int rcode, uint32_t ttl_s, const char *text)
{
	assert_string_equal(body_text(), text);
	assert_int_equal(body.outcome, outcome);
	assert_int_equal(body.rcode, rcode);
	assert_int_equal(body.ttl_s, ttl_s);
}

static void begin(const char *name, uint16_t qtype)
{
	packet_begin(&packet, name, qtype, 0);
}

static void add(enum dns_section section, const char *owner, uint16_t type, uint32_t ttl,
                const char *value)
{
	packet_add(&packet, section, owner, type, ttl, value);
}

static void end(unsigned int rcode)
{
	packet_end(&packet, rcode);
}

/* --- Answers --- */

static void test_plain_answer(void **state)
{
	begin("www.example.com", DNS_TYPE_A);
	add(ANS, "www.example.com", DNS_TYPE_A, 300, "192.0.2.1");
	add(ANS, "WWW.example.com", DNS_TYPE_A, 200, "192.0.2.2");
	add(AUTH, "example.com", DNS_TYPE_NS, 100, "ns.example.com");
	add(ADD, "ns.example.com", DNS_TYPE_A, 100, "192.0.2.53");
	end(0);
	struct dns_scrub_opts opts = below("example.com");
	scrub("wWw.example.com", DNS_TYPE_A, &opts);
	/* one TTL for the set (RFC 2181 section 5.2); authority and additional gone (T6) */
	expect(DNS_OUTCOME_ANSWER, 0, 200,
	       "wWw.example.com. 200 A 192.0.2.1\nwWw.example.com. 200 A 192.0.2.2\n");
	assert_int_equal(body.chain, 0);
	assert_int_equal(body.size, 32);
	assert_false(body.authentic);
}

static void test_chain(void **state)
{
	memcpy(packet.bytes, wire_chain, sizeof(wire_chain));
	assert_int_equal(dns_reply_read(packet.bytes, sizeof(wire_chain), &packet.reply), 0);
	scrub("www.example.com", DNS_TYPE_A, &plain);
	assert_int_equal(body.outcome, DNS_OUTCOME_ANSWER);
	assert_int_equal(body.chain, 2);
	assert_int_equal(body.ttl_s, 100);
	assert_int_equal(body.count[0], 4);
	assert_int_equal(body.count[1], 0);
	assert_int_equal(body.size, 12 + 15 + 12 + 15 + 2 * 16);

	/* b.example.net lies outside: it is left to whoever answers for it */
	struct dns_scrub_opts opts = below("example.com");
	scrub("www.example.com", DNS_TYPE_A, &opts);
	expect(DNS_OUTCOME_CHAIN, 0, 200,
	       "www.example.com. 300 CNAME a.example.com.\na.example.com. 200 CNAME "
	       "b.example.net.\n");
	assert_true(dns_name_equal(body.next, wire_name("b.example.net")));
	assert_int_equal(body.chain, 2);
}

/* The order of the records does not matter. */
static void test_chain_shuffled(void **state)
{
	begin("a.x", DNS_TYPE_A);
	add(ANS, "c.x", DNS_TYPE_A, 30, "192.0.2.1");
	add(ANS, "b.x", DNS_TYPE_CNAME, 20, "c.x");
	add(ANS, "a.x", DNS_TYPE_CNAME, 10, "b.x");
	end(0);
	scrub("a.x", DNS_TYPE_A, &plain);
	expect(DNS_OUTCOME_ANSWER, 0, 10,
	       "a.x. 10 CNAME b.x.\nb.x. 20 CNAME c.x.\nc.x. 30 A 192.0.2.1\n");
}

static bool not_in_corp(void *ctx, const uint8_t *name)
{
	(*(unsigned int *)ctx)++;
	return !dns_name_within(name, wire_name("corp.x"));
}

/* Within the bailiwick of "." and yet another's: a private zone, a rule below (T6). */
static void test_chain_not_ours(void **state)
{
	begin("www.y", DNS_TYPE_A);
	add(ANS, "www.y", DNS_TYPE_CNAME, 60, "lb.y");
	add(ANS, "lb.y", DNS_TYPE_CNAME, 60, "db.corp.x");
	add(ANS, "db.corp.x", DNS_TYPE_A, 60, "6.6.6.6");
	end(0);
	unsigned int asked = 0;
	struct dns_scrub_opts opts = plain;
	opts.ours = not_in_corp;
	opts.ctx = &asked;
	scrub("www.y", DNS_TYPE_A, &opts);
	expect(DNS_OUTCOME_CHAIN, 0, 60, "www.y. 60 CNAME lb.y.\nlb.y. 60 CNAME db.corp.x.\n");
	assert_true(dns_name_equal(body.next, wire_name("db.corp.x")));
	assert_int_equal(asked, 2);
}

static void test_chain_unfinished(void **state)
{
	begin("a.x", DNS_TYPE_A);
	add(ANS, "a.x", DNS_TYPE_CNAME, 10, "b.x");
	end(0);
	scrub("a.x", DNS_TYPE_A, &plain);
	expect(DNS_OUTCOME_CHAIN, 0, 10, "a.x. 10 CNAME b.x.\n");
	assert_true(dns_name_equal(body.next, wire_name("b.x")));
}

static void test_chain_bounds(void **state)
{
	begin("a.x", DNS_TYPE_A);
	add(ANS, "a.x", DNS_TYPE_CNAME, 10, "b.x");
	add(ANS, "b.x", DNS_TYPE_CNAME, 10, "A.X");
	end(0);
	assert_int_equal(scrub_opts("a.x", DNS_TYPE_A, &plain), FAIL_FORMAT);

	begin("a.x", DNS_TYPE_A);
	add(ANS, "a.x", DNS_TYPE_CNAME, 10, "a.x");
	end(0);
	assert_int_equal(scrub_opts("a.x", DNS_TYPE_A, &plain), FAIL_FORMAT);
	scrub("a.x", DNS_TYPE_CNAME, &plain); /* asked for itself it is data */
	expect(DNS_OUTCOME_ANSWER, 0, 10, "a.x. 10 CNAME a.x.\n");

	for (int links = DNS_CHAIN_MAX; links <= DNS_CHAIN_MAX + 1; links++) {
		begin("n0.x", DNS_TYPE_A);
		for (int i = 0; i < links; i++) {
			char from[16];
			char to[16];
			snprintf(from, sizeof(from), "n%d.x", i);
			snprintf(to, sizeof(to), "n%d.x", i + 1);
			add(ANS, from, DNS_TYPE_CNAME, 10, to);
		}
		end(0);
		assert_int_equal(scrub_opts("n0.x", DNS_TYPE_A, &plain),
		                 links == DNS_CHAIN_MAX ? 0 : FAIL_FORMAT);
	}
}

static void test_cname_twice(void **state)
{
	begin("a.x", DNS_TYPE_A);
	add(ANS, "a.x", DNS_TYPE_CNAME, 10, "b.x");
	add(ANS, "a.x", DNS_TYPE_CNAME, 5, "c.x");
	add(ANS, "c.x", DNS_TYPE_A, 10, "192.0.2.3");
	add(ANS, "b.x", DNS_TYPE_A, 10, "192.0.2.2");
	end(0);
	scrub("a.x", DNS_TYPE_A, &plain);
	expect(DNS_OUTCOME_ANSWER, 0, 5, "a.x. 5 CNAME b.x.\nb.x. 10 A 192.0.2.2\n");
	scrub("a.x", DNS_TYPE_CNAME, &plain);
	expect(DNS_OUTCOME_ANSWER, 0, 5, "a.x. 5 CNAME b.x.\n");
}

/* A DNAME is not believed; the CNAME made from it is. */
static void test_dname(void **state)
{
	begin("a.old.x", DNS_TYPE_A);
	add(ANS, "old.x", DNS_TYPE_DNAME, 100, "new.x");
	add(ANS, "a.old.x", DNS_TYPE_CNAME, 100, "a.new.x");
	add(ANS, "a.new.x", DNS_TYPE_A, 100, "192.0.2.1");
	end(0);
	scrub("a.old.x", DNS_TYPE_A, &plain);
	expect(DNS_OUTCOME_ANSWER, 0, 100,
	       "a.old.x. 100 CNAME a.new.x.\na.new.x. 100 A 192.0.2.1\n");
	scrub("old.x", DNS_TYPE_DNAME, &plain);
	expect(DNS_OUTCOME_ANSWER, 0, 100, "old.x. 100 DNAME new.x.\n");
}

static void test_any(void **state)
{
	begin("a.x", DNS_TYPE_ANY);
	add(ANS, "a.x", DNS_TYPE_CNAME, 30, "b.x");
	add(ANS, "a.x", DNS_TYPE_TXT, 20, "t");
	add(ANS, "a.x", DNS_TYPE_DNAME, 20, "t");
	add(ANS, "a.x", DNS_TYPE_RRSIG, 5, "# 0010 0801 00000000 00000000 00000000 0000 00 aa");
	add(ANS, "b.x", DNS_TYPE_A, 10, "192.0.2.1");
	end(0);
	scrub("a.x", DNS_TYPE_ANY, &plain);
	expect(DNS_OUTCOME_ANSWER, 0, 20, "a.x. 20 CNAME b.x.\na.x. 20 TXT \"t\"\n");
	assert_int_equal(body.chain, 0);
}

static void test_ttls(void **state)
{
	begin("a.x", DNS_TYPE_A);
	add(ANS, "a.x", DNS_TYPE_CNAME, 5, "b.x");
	add(ANS, "b.x", DNS_TYPE_A, 0x7fffffff, "192.0.2.1");
	end(0);
	struct dns_scrub_opts opts = plain;
	opts.min_ttl = 10;
	scrub("a.x", DNS_TYPE_A, &opts);
	expect(DNS_OUTCOME_ANSWER, 0, 10, "a.x. 10 CNAME b.x.\nb.x. 86400 A 192.0.2.1\n");

	begin("a.x", DNS_TYPE_A);
	add(ANS, "a.x", DNS_TYPE_CNAME, 0x80000005, "b.x");
	add(ANS, "b.x", DNS_TYPE_A, 7, "192.0.2.1");
	end(0);
	scrub("a.x", DNS_TYPE_A, &opts);
	expect(DNS_OUTCOME_ANSWER, 0, 0, "a.x. 0 CNAME b.x.\nb.x. 10 A 192.0.2.1\n");
}

/* --- Nothing there --- */

static void test_nodata(void **state)
{
	begin("www.example.com", DNS_TYPE_AAAA);
	add(AUTH, "example.com", DNS_TYPE_SOA, 900, SOA_TEXT);
	end(0);
	scrub("www.example.com", DNS_TYPE_AAAA, &plain);
	expect(DNS_OUTCOME_NODATA, 0, 60,
	       "--\nexample.com. 60 SOA "
	       "ns.example.com. admin.example.com. 1 7200 900 1209600 60\n");

	struct dns_scrub_opts opts = plain;
	opts.max_negative_ttl = 30;
	scrub("www.example.com", DNS_TYPE_AAAA, &opts);
	assert_int_equal(body.ttl_s, 30);

	begin("www.example.com", DNS_TYPE_AAAA);
	add(AUTH, "example.com", DNS_TYPE_SOA, 20, SOA_TEXT);
	end(0);
	scrub("www.example.com", DNS_TYPE_AAAA, &plain);
	assert_int_equal(body.ttl_s, 20);

	begin("www.example.com", DNS_TYPE_AAAA);
	end(0);
	scrub("www.example.com", DNS_TYPE_AAAA, &plain);
	expect(DNS_OUTCOME_NODATA, 0, 0, "");

	/* other types of the name, as some load balancers have it */
	begin("www.example.com", DNS_TYPE_AAAA);
	add(ANS, "www.example.com", DNS_TYPE_A, 20, "192.0.2.1");
	end(0);
	scrub("www.example.com", DNS_TYPE_AAAA, &plain);
	expect(DNS_OUTCOME_NODATA, 0, 0, "");
}

static void test_nxdomain(void **state)
{
	memcpy(packet.bytes, wire_nxdomain, sizeof(wire_nxdomain));
	assert_int_equal(dns_reply_read(packet.bytes, sizeof(wire_nxdomain), &packet.reply), 0);
	scrub("no.such.example.com", DNS_TYPE_A, &plain);
	expect(DNS_OUTCOME_NXDOMAIN, 3, 600,
	       "--\nexample.com. 600 SOA ns.example.com. admin.example.com. 1 7200 900 1209600 "
	       "600\n");
	assert_true(body.authentic);

	struct dns_scrub_opts opts = plain;
	opts.dnssec_ok = true;
	scrub("no.such.example.com", DNS_TYPE_A, &opts);
	assert_int_equal(body.outcome, DNS_OUTCOME_NXDOMAIN);
	assert_int_equal(body.count[1], 4); /* SOA, NSEC and their signatures */
	opts.bailiwick = wire_name("such.example.com");
	scrub("no.such.example.com", DNS_TYPE_A, &opts);
	assert_int_equal(body.count[1], 0);
	assert_int_equal(body.ttl_s, 0);
}

/* The SOA must be of a zone around the name, inside the bailiwick (T7). */
static void test_foreign_soa(void **state)
{
	static const struct {
		const char *soa;
		const char *bailiwick;
		bool believed;
	} cases[] = {
		{"corp.x", "corp.x", true},     {"a.corp.x", "corp.x", true},
		{"n.a.corp.x", "corp.x", true}, {"x", "corp.x", false},
		{".", "corp.x", false},         {".", ".", true},
		{"b.corp.x", "corp.x", false},  {"y", ".", false},
		{"m.n.a.corp.x", ".", false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin("n.a.corp.x", DNS_TYPE_A);
		add(AUTH, cases[i].soa, DNS_TYPE_SOA, 900, SOA_TEXT);
		end(DNS_RCODE_NXDOMAIN);
		struct dns_scrub_opts opts = below(cases[i].bailiwick);
		scrub("n.a.corp.x", DNS_TYPE_A, &opts);
		assert_int_equal(body.outcome, DNS_OUTCOME_NXDOMAIN);
		assert_int_equal(body.ttl_s, cases[i].believed ? 60 : 0);
		assert_int_equal(body.count[1], cases[i].believed);
	}
}

static void test_chain_to_nothing(void **state)
{
	begin("a.corp.x", DNS_TYPE_A);
	add(ANS, "a.corp.x", DNS_TYPE_CNAME, 100, "b.corp.x");
	add(AUTH, "corp.x", DNS_TYPE_SOA, 900, SOA_TEXT);
	end(DNS_RCODE_NXDOMAIN);
	struct dns_scrub_opts opts = below("corp.x");
	scrub("a.corp.x", DNS_TYPE_A, &opts);
	expect(DNS_OUTCOME_NXDOMAIN, 3, 60,
	       "a.corp.x. 100 CNAME b.corp.x.\n--\ncorp.x. 60 SOA ns.example.com. "
	       "admin.example.com. 1 7200 900 "
	       "1209600 60\n");
	assert_int_equal(body.chain, 1);

	put_u16(packet.bytes + 2, get_u16(packet.bytes + 2) & 0xfff0); /* NOERROR */
	assert_int_equal(dns_reply_read(packet.bytes, packet.size, &packet.reply), 0);
	scrub("a.corp.x", DNS_TYPE_A, &opts);
	assert_int_equal(body.outcome, DNS_OUTCOME_NODATA);
	assert_int_equal(body.ttl_s, 60);

	/* no SOA: the chain is kept for this once */
	begin("a.corp.x", DNS_TYPE_A);
	add(ANS, "a.corp.x", DNS_TYPE_CNAME, 100, "b.corp.x");
	end(DNS_RCODE_NXDOMAIN);
	scrub("a.corp.x", DNS_TYPE_A, &opts);
	expect(DNS_OUTCOME_NXDOMAIN, 3, 0, "a.corp.x. 100 CNAME b.corp.x.\n");

	/* what a server of corp.x says about the names of others does not count */
	begin("a.corp.x", DNS_TYPE_A);
	add(ANS, "a.corp.x", DNS_TYPE_CNAME, 100, "b.other.x");
	add(AUTH, "x", DNS_TYPE_SOA, 900, SOA_TEXT);
	end(DNS_RCODE_NXDOMAIN);
	scrub("a.corp.x", DNS_TYPE_A, &opts);
	expect(DNS_OUTCOME_CHAIN, 0, 100, "a.corp.x. 100 CNAME b.other.x.\n");
}

/* An NXDOMAIN that brings the data all the same. */
static void test_nxdomain_with_data(void **state)
{
	begin("a.x", DNS_TYPE_A);
	add(ANS, "a.x", DNS_TYPE_A, 100, "192.0.2.1");
	end(DNS_RCODE_NXDOMAIN);
	scrub("a.x", DNS_TYPE_A, &plain);
	expect(DNS_OUTCOME_ANSWER, 0, 100, "a.x. 100 A 192.0.2.1\n");
}

static void test_lame(void **state)
{
	static const unsigned int rcodes[] = {1, 2, 4, 5, 9};
	for (size_t i = 0; i < sizeof(rcodes) / sizeof(rcodes[0]); i++) {
		begin("a.x", DNS_TYPE_A);
		add(ANS, "a.x", DNS_TYPE_A, 100, "192.0.2.1");
		end(rcodes[i]);
		scrub("a.x", DNS_TYPE_A, &plain);
		expect(DNS_OUTCOME_LAME, rcodes[i], 0, "");
		assert_int_equal(body.size, 0);
	}
	/* a referral */
	begin("a.x", DNS_TYPE_A);
	add(AUTH, "x", DNS_TYPE_NS, 100, "ns.x");
	add(ADD, "ns.x", DNS_TYPE_A, 100, "6.6.6.6");
	end(0);
	scrub("a.x", DNS_TYPE_A, &plain);
	expect(DNS_OUTCOME_LAME, 0, 0, "");
	/* the same from one who is in charge: an empty answer */
	put_u16(packet.bytes + 2, get_u16(packet.bytes + 2) | DNS_FLAG_AA);
	assert_int_equal(dns_reply_read(packet.bytes, packet.size, &packet.reply), 0);
	scrub("a.x", DNS_TYPE_A, &plain);
	expect(DNS_OUTCOME_NODATA, 0, 0, "");
	/* an answer to another question */
	begin("a.x", DNS_TYPE_A);
	add(ANS, "b.x", DNS_TYPE_A, 100, "6.6.6.6");
	end(0);
	scrub("a.x", DNS_TYPE_A, &plain);
	expect(DNS_OUTCOME_LAME, 0, 0, "");
	/* the name's, in another class: that denies nothing either */
	begin("a.x", DNS_TYPE_A);
	add(ANS, "a.x", DNS_TYPE_A, 100, "6.6.6.6");
	end(0);
	put_u16(packet.bytes + packet.reply.start[ANS] + 4, 3);
	assert_int_equal(dns_reply_read(packet.bytes, packet.size, &packet.reply), 0);
	scrub("a.x", DNS_TYPE_A, &plain);
	expect(DNS_OUTCOME_LAME, 0, 0, "");
}

/* --- Signatures --- */

#define ZEROES   "0000000000000000000000000000"
#define SIG_A    "# 0001 0801 00000000 00000000 00000000 0000 00 aa"
#define SIG_TXT  "# 0010 0801 00000000 00000000 00000000 0000 00 bb"
#define SIG_NSEC "# 002f 0801 00000000 00000000 00000000 0000 00 cc"
#define SIG_NS   "# 0002 0801 00000000 00000000 00000000 0000 00 dd"

static void test_signatures(void **state)
{
	begin("a.x", DNS_TYPE_A);
	add(ANS, "a.x", DNS_TYPE_A, 100, "192.0.2.1");
	add(ANS, "a.x", DNS_TYPE_RRSIG, 90, SIG_A);
	add(ANS, "a.x", DNS_TYPE_RRSIG, 80, SIG_TXT);
	add(ANS, "b.x", DNS_TYPE_RRSIG, 80, SIG_A);
	add(AUTH, "*.x", DNS_TYPE_NSEC, 70, "# 0178 00 0001 40");
	add(AUTH, "*.x", DNS_TYPE_RRSIG, 70, SIG_NSEC);
	add(AUTH, "x", DNS_TYPE_NS, 70, "ns.x");
	add(AUTH, "x", DNS_TYPE_RRSIG, 70, SIG_NS);
	end(0);
	scrub("a.x", DNS_TYPE_A, &plain);
	expect(DNS_OUTCOME_ANSWER, 0, 100, "a.x. 100 A 192.0.2.1\n");

	struct dns_scrub_opts opts = plain;
	opts.dnssec_ok = true;
	scrub("a.x", DNS_TYPE_A, &opts);
	expect(DNS_OUTCOME_ANSWER, 0, 70,
	       "a.x. 90 A 192.0.2.1\n"
	       "a.x. 90 RRSIG \\# 20 00010801" ZEROES "00aa\n--\n"
	       "*.x. 70 NSEC \\# 6 017800000140\n"
	       "*.x. 70 RRSIG \\# 20 002f0801" ZEROES "00cc\n");
}

static void test_signatures_alone(void **state)
{
	struct dns_scrub_opts opts = plain;
	opts.dnssec_ok = true;
	begin("a.x", DNS_TYPE_A);
	add(ANS, "a.x", DNS_TYPE_RRSIG, 90, SIG_A);
	end(0);
	scrub("a.x", DNS_TYPE_A, &opts); /* a signature of nothing is no answer */
	expect(DNS_OUTCOME_NODATA, 0, 0, "");
	scrub("a.x", DNS_TYPE_RRSIG, &opts);
	assert_int_equal(body.outcome, DNS_OUTCOME_ANSWER);
	assert_int_equal(body.count[0], 1);
}

/* --- Bytes and room --- */

/* Names in data come out whole, whatever the pointers were; unknown data stays as it is. */
static void test_expansion(void **state)
{
	memcpy(packet.bytes, wire_zoo, sizeof(wire_zoo));
	assert_int_equal(dns_reply_read(packet.bytes, sizeof(wire_zoo), &packet.reply), 0);
	struct dns_scrub_opts opts = plain;
	opts.dnssec_ok = true;
	scrub("zoo.example.com", DNS_TYPE_ANY, &opts);
	assert_int_equal(body.count[0], packet.reply.count[0] - 1); /* the DNAME */
	scrub("zoo.example.com", DNS_TYPE_PTR, &plain);
	expect(DNS_OUTCOME_ANSWER, 0, 60, "zoo.example.com. 60 PTR host.zoo.example.com.\n");
	scrub("zoo.example.com", DNS_TYPE_SRV, &plain);
	expect(DNS_OUTCOME_ANSWER, 0, 60, "zoo.example.com. 60 SRV 1 2 443 srv.example.com.\n");
	scrub("zoo.example.com", 65280, &plain);
	expect(DNS_OUTCOME_ANSWER, 0, 60, "zoo.example.com. 60 TYPE65280 \\# 3 010203\n");
}

static void test_room(void **state)
{
	memcpy(packet.bytes, wire_chain, sizeof(wire_chain));
	assert_int_equal(dns_reply_read(packet.bytes, sizeof(wire_chain), &packet.reply), 0);
	scrub("www.example.com", DNS_TYPE_A, &plain);
	size_t need = body.size;
	uint8_t *exact = NULL;
	for (size_t room = 0; room <= need; room++) {
		free(exact);
		exact = malloc(room + 1);
		struct dns_scrub_opts opts = plain;
		opts.wire_room = room;
		struct dns_body tight = {.wire = exact, .ttl_at = body_ttl_at};
		assert_int_equal(dns_scrub(&packet.reply, wire_name("www.example.com"), DNS_TYPE_A,
		                           &opts, &tight),
		                 room == need ? 0 : FAIL_LIMIT);
	}
	free(exact);
	for (size_t room = 0; room <= 4; room++) {
		struct dns_scrub_opts opts = plain;
		opts.ttl_room = room;
		assert_int_equal(scrub_opts("www.example.com", DNS_TYPE_A, &opts),
		                 room == 4 ? 0 : FAIL_LIMIT);
	}
}

/* A large answer with the CNAME at its end: the target stands beyond the reach of pointers. */
static void test_far(void **state)
{
	begin("a.x", DNS_TYPE_TXT);
	add(ANS, "a.x", DNS_TYPE_CNAME, 10, "b.x");
	for (int i = 0; i < 3000; i++) {
		add(ANS, "b.x", DNS_TYPE_TXT, 10, "0123456");
	}
	end(0);
	scrub("a.x", DNS_TYPE_TXT, &plain);
	assert_int_equal(body.count[0], 3001);

	/* links large enough: three names of 255 octets and 60 KB of signatures between them */
	struct dns_scrub_opts opts = plain;
	opts.dnssec_ok = true;
	begin("a.x", DNS_TYPE_A);
	add(ANS, "a.x", DNS_TYPE_CNAME, 10, "b.x");
	static char sig[3000] = "# 0005 0801 00000000 00000000 00000000 0000 00 ";
	memset(sig + strlen(sig), 'a', 2000);
	for (int i = 0; i < 17; i++) {
		add(ANS, "a.x", DNS_TYPE_RRSIG, 10, sig);
	}
	add(ANS, "b.x", DNS_TYPE_CNAME, 10, "c.x");
	add(ANS, "c.x", DNS_TYPE_A, 10, "192.0.2.1");
	add(AUTH, "c.x", DNS_TYPE_NSEC, 10, "# 0178 00 0001 40");
	end(0);
	scrub("a.x", DNS_TYPE_A, &opts);
	assert_int_equal(body.outcome, DNS_OUTCOME_ANSWER);
	assert_true(body.size > 0x4000);
	assert_int_equal(body.count[0], 20);
	assert_int_equal(body.count[1], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_answer),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_chain_shuffled),
		cmocka_unit_test(test_chain_not_ours),
		cmocka_unit_test(test_chain_unfinished),
		cmocka_unit_test(test_chain_bounds),
		cmocka_unit_test(test_cname_twice),
		cmocka_unit_test(test_dname),
		cmocka_unit_test(test_any),
		cmocka_unit_test(test_ttls),
		cmocka_unit_test(test_nodata),
		cmocka_unit_test(test_nxdomain),
		cmocka_unit_test(test_foreign_soa),
		cmocka_unit_test(test_chain_to_nothing),
		cmocka_unit_test(test_nxdomain_with_data),
		cmocka_unit_test(test_lame),
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_signatures_alone),
		cmocka_unit_test(test_expansion),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_far),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
