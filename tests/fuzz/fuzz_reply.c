/* rooms: dns */
#include "dns/build.h"
#include "dns/rdata.h"
#include "dns/scrub.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t wire[DNS_MSG_MAX];
static uint16_t ttl_at[8192];

static void walk_all(const struct dns_reply *reply)
{
	for (unsigned int section = 0; section < 3; section++) {
		struct dns_walk walk;
		struct dns_rr rr;
		unsigned int count = 0;
		dns_walk_begin(&walk, reply, section);
		for (; dns_walk_next(&walk, &rr); count++) {
			uint8_t name[DNS_NAME_MAX];
			char text[DNS_NAME_TEXT_MAX];
			char data[256];
			int len = dns_msg_name(reply->wire, reply->size, rr.owner, name, NULL);
			assert(len > 0 && (size_t)len == dns_name_len(name));
			assert(rr.rdata + rr.rdlen <= reply->size && rr.type != DNS_TYPE_OPT);
			dns_name_text(name, text);
			dns_rdata_text(rr.type, reply->wire + rr.rdata, rr.rdlen, data,
			               sizeof(data));
		}
		assert(count == reply->count[section]);
	}
}

/* The body behind a question reads as an answer; no TTL in it is shorter than its life. */
static void check_body(const struct dns_body *body, const uint8_t *name, uint16_t qtype)
{
	static uint8_t whole[DNS_MSG_MAX];
	struct dns_build b;
	struct dns_reply reply;
	dns_build_question(&b, whole, sizeof(whole), 1, DNS_FLAG_QR, name, qtype);
	size_t base = dns_build_end(&b, 0, 0, NULL);
	assert(base + body->size <= sizeof(whole));
	memcpy(whole + base, body->wire, body->size);
	put_u16(whole + 6, body->count[0]);
	put_u16(whole + 8, body->count[1]);
	assert(dns_reply_read(whole, base + body->size, &reply) == 0);
	assert(body->ttl_count == body->count[0] + body->count[1]);
	for (unsigned int i = 0; i < body->ttl_count; i++) {
		assert(get_u32(body->wire + body->ttl_at[i]) >= body->ttl_s);
	}
	assert(body->outcome != DNS_OUTCOME_LAME || body->size == 0);
	assert(body->outcome != DNS_OUTCOME_CHAIN || (body->chain > 0 && body->count[1] == 0));
}

static void scrub(const struct dns_reply *reply, const uint8_t *name, uint16_t qtype,
                  const uint8_t *bailiwick, bool dnssec_ok)
{
	struct dns_scrub_opts opts = {
		.bailiwick = bailiwick,
		.dnssec_ok = dnssec_ok,
		.min_ttl = 5,
		.max_ttl = 86400,
		.max_negative_ttl = 900,
		.wire_room = sizeof(wire),
		.ttl_room = sizeof(ttl_at) / sizeof(ttl_at[0]),
	};
	struct dns_body body = {.wire = wire, .ttl_at = ttl_at};
	if (dns_scrub(reply, name, qtype, &opts, &body) == 0) {
		check_body(&body, name, qtype);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_reply reply;
	uint8_t name[DNS_NAME_MAX] = "\7example";
	if (dns_reply_read(data, size, &reply) != 0) {
		return 0;
	}
	walk_all(&reply);
	if (reply.has_question) {
		dns_msg_name(reply.wire, reply.size, DNS_HEADER_SIZE, name, NULL);
	}
	const uint8_t *parent = name[0] != 0 ? name + 1 + name[0] : name;
	scrub(&reply, name, reply.qtype, (const uint8_t *)"", false);
	scrub(&reply, name, reply.qtype, parent, true);
	scrub(&reply, name, DNS_TYPE_ANY, name, true);
	return 0;
}
