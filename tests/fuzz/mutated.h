/*
 * tests/fuzz/mutated.h - spoiled answers of an upstream, and that they do no harm.
 *
 * A case takes a true answer to a new name of a forwarded domain, spoils it as the data says, hears it as lib/forward
 * does, and lets a client ask. What may come of it:
 *
 * - a packet that is not one well-formed answer to this very question changes nothing: SERVFAIL, or the expired true
 *   answer where there was one, and the cache has not one entry more;
 * - else only what stands in the packet, read by a second and simple reader, as a record of the name asked or of its
 *   CNAMEs within the rule; nobody can tell that the server's own data are not the true ones;
 * - all other names are answered as ever, octet for octet: of the same rule, of the rule below it, of a private zone,
 *   of the VPC resolver, one of them negative.
 */
#pragma once

#include "base/epoch.h"
#include "base/fail.h"
#include "dns/build.h"
#include "query/query.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

#define MUTATED_ORIGIN_VPC  1
#define MUTATED_ORIGIN_FWD  7
#define MUTATED_ORIGIN_DEEP 8
#define MUTATED_NOW_S       1000
#define MUTATED_EXPIRED_S   900 /* an answer of then, with a TTL of 60 */
#define MUTATED_ID          0x1234
#define MUTATED_ROOM        1024
#define MUTATED_RECORDS     128

struct mutated_name {
	uint8_t wire[DNS_NAME_MAX];
	size_t len;
};

static inline struct mutated_name mutated_name(const char *text)
{
	struct mutated_name name;
	int len = dns_name_parse(text, name.wire);
	assert(len > 0);
	name.len = (size_t)len;
	return name;
}

/* --- Packets as the second reader has them --- */

struct mutated_rr {
	unsigned int section;
	uint16_t type;
	uint16_t class;
	uint16_t rdlen;
	uint32_t ttl;
	uint8_t owner[DNS_NAME_MAX]; /* lower case */
	uint8_t rdata[MUTATED_ROOM]; /* of a CNAME: the name, lower case */
};

struct mutated_packet {
	bool fits; /* one well-formed answer to the question, with data in it or the word that there are none */
	unsigned int rcode;
	size_t count;
	struct mutated_rr rr[MUTATED_RECORDS];
};

/* Any pointers, forward ones too, so many at most. Returns the offset behind it, 0: none. */
static inline size_t mutated_read_name(const uint8_t *wire, size_t size, size_t at, uint8_t *ret)
{
	size_t end = 0;
	size_t len = 0;
	for (unsigned int hops = 0; hops < 100;) {
		if (at >= size) {
			return 0;
		}
		uint8_t label = wire[at];
		if (label >= 0xc0) {
			if (at + 2 > size) {
				return 0;
			}
			end = end == 0 ? at + 2 : end;
			at = (size_t)(label & 0x3f) << 8 | wire[at + 1];
			hops++;
			continue;
		}
		if (label >= 0x40 || at + 1 + label > size || len + 1 + label > DNS_NAME_MAX) {
			return 0;
		}
		ret[len++] = label;
		for (unsigned int i = 0; i < label; i++) {
			uint8_t c = wire[at + 1 + i];
			ret[len++] = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
		}
		at += 1u + label;
		if (label == 0) {
			return end == 0 ? at : end;
		}
	}
	return 0;
}

/* False: overruns. */
static inline bool mutated_read_rr(const uint8_t *wire, size_t size, size_t *at,
                                   struct mutated_rr *rr)
{
	size_t pos = mutated_read_name(wire, size, *at, rr->owner);
	if (pos == 0 || pos + 10 > size) {
		return false;
	}
	rr->type = get_u16(wire + pos);
	rr->class = get_u16(wire + pos + 2);
	rr->ttl = get_u32(wire + pos + 4);
	rr->rdlen = get_u16(wire + pos + 8);
	pos += 10;
	if (pos + rr->rdlen > size) {
		return false;
	}
	memcpy(rr->rdata, wire + pos, rr->rdlen);
	if (rr->type == DNS_TYPE_CNAME && rr->class == DNS_CLASS_IN) {
		size_t end = mutated_read_name(wire, size, pos, rr->rdata);
		if (end != pos + rr->rdlen) {
			return false;
		}
		rr->rdlen = (uint16_t)dns_name_len(rr->rdata);
	}
	*at = pos + get_u16(wire + pos - 2);
	return true;
}

static inline void mutated_read(const uint8_t *wire, size_t size, const uint8_t *question,
                                size_t question_len, struct mutated_packet *ret)
{
	ret->fits = false;
	ret->count = 0;
	ret->rcode = 0;
	if (size < DNS_HEADER_SIZE + question_len || get_u16(wire) != MUTATED_ID ||
	    (wire[2] & 0xf8) != 0x80 || (wire[2] & 2) != 0 || get_u16(wire + 4) != 1 ||
	    memcmp(wire + DNS_HEADER_SIZE, question, question_len) != 0) {
		return;
	}
	ret->rcode = wire[3] & 15;
	size_t at = DNS_HEADER_SIZE + question_len;
	for (unsigned int section = 0; section < 3; section++) {
		for (unsigned int i = 0; i < get_u16(wire + 6 + 2 * section); i++) {
			struct mutated_rr *rr = &ret->rr[ret->count];
			if (ret->count == MUTATED_RECORDS ||
			    !mutated_read_rr(wire, size, &at, rr)) {
				return;
			}
			if (rr->type == DNS_TYPE_OPT) {
				ret->rcode |= rr->ttl >> 24 << 4;
			}
			rr->section = section;
			ret->count++;
		}
	}
	ret->fits =
		at == size && (ret->rcode == DNS_RCODE_NOERROR || ret->rcode == DNS_RCODE_NXDOMAIN);
}

/* --- The world --- */

/* Other names, answered before the first case, and the answer. */
struct mutated_victim {
	const char *text;
	const char *address; /* NULL: there is no such name */
	struct mutated_name name;
	uint8_t query[300];
	size_t query_size;
	uint8_t answer[DNS_UDP_OURS];
	size_t answer_size;
};

struct mutated {
	struct world_root *root;
	struct cache *cache;
	struct query_worker worker;
	struct addr client;
	struct mutated_name fwd;
	struct mutated_name deep;
	uint64_t cases;
	uint64_t fitting; /* of them: the packet still was an answer */
	uint64_t served;  /* something of it was given */
	struct draw draw;
	struct mutated_victim victims[5];
};

static struct mutated mutated = {
	.victims = {{.text = "www.corp.test", .address = "10.0.0.1"},
                    {.text = "a.fwd.test", .address = "10.7.0.1"},
                    {.text = "x.deep.fwd.test", .address = "10.8.0.1"},
                    {.text = "www.example", .address = "192.0.2.1"},
                    {.text = "gone.fwd.test", .address = NULL}},
};
#define MUTATED_VICTIMS 5

static inline size_t mutated_question(const uint8_t *name, uint16_t type, uint8_t *out, size_t room)
{
	struct dns_build b;
	dns_build_question(&b, out, room, MUTATED_ID, DNS_FLAG_RD, name, type);
	return dns_build_end(&b, 0, 0, NULL);
}

static inline void mutated_zone(void)
{
	const char *soa = "a. b. 1 7200 900 1209600 86400";
	const char *address = "10.0.0.1";
	struct zone_record_set sets[] = {
		{.name = "corp.test",
	         .type = "SOA",
	         .ttl_s = 900,
	         .values = &soa,
	         .value_count = 1},
		{.name = "www.corp.test",
	         .type = "A",
	         .ttl_s = 60,
	         .values = &address,
	         .value_count = 1},
	};
	struct mutated_name origin = mutated_name("corp.test");
	struct zone_builder *builder =
		zone_builder_new(&(struct zone_opts){.id = "Z0", .origin = origin.wire});
	char err[128];
	struct zone *zone = NULL;
	for (size_t i = 0; i < 2; i++) {
		int ret = zone_builder_add(builder, &sets[i]);
		assert(ret == 0);
	}
	int ret = zone_builder_finish(builder, &zone, err, sizeof(err));
	assert(ret == 0);
	zone_builder_free(&builder);
	struct zones_entry entry = {
		.zone = zone, .id = "Z0", .source = ZONE_SOURCE_FILE, .origin_known = true};
	memcpy(entry.origin, origin.wire, origin.len);
	ret = world_set_zones(mutated.root, zones_new(&entry, 1));
	assert(ret == 0);
	zone_unref(&zone);
}

/* --- Asking --- */

/* What upstream has for the question asked; NULL: silence. */
struct mutated_upstream {
	const struct mutated_name *name; /* asked about this one; others are met with silence */
	const uint8_t *wire;
	size_t size;
};

/* As lib/forward hears a datagram: what is not believed is as if it had not come. */
static inline void mutated_hear(const struct mutated_upstream *from, const struct query_ask *ask,
                                struct dns_reply *reply, struct query_told *told)
{
	told->why = FAIL_TIMEOUT;
	if (from->wire == NULL || !dns_name_equal(from->name->wire, ask->name) ||
	    dns_reply_read(from->wire, from->size, reply) != 0 ||
	    !dns_reply_matches(reply, MUTATED_ID, ask->name, ask->qtype, true)) {
		return;
	}
	bool useful = (reply->flags & DNS_FLAG_TC) == 0 &&
	              (reply->rcode == DNS_RCODE_NOERROR || reply->rcode == DNS_RCODE_NXDOMAIN);
	told->why = useful ? 0 : FAIL_LAME;
	told->reply = reply;
}

/* A client's question until its answer. Returns the answer's size. */
static inline size_t mutated_ask(const uint8_t *query, size_t query_size, uint64_t now_s,
                                 const struct mutated_upstream *from, uint8_t *out)
{
	struct query_in in = {.wire = query,
	                      .size = query_size,
	                      .client = &mutated.client,
	                      .proto = QUERY_UDP,
	                      .now_s = now_s};
	struct query_wait wait;
	struct query_ask ask;
	size_t size = 0;
	enum query_next next =
		query_run(&mutated.worker, &in, NULL, out, DNS_UDP_OURS, &size, &ask);
	query_wait_init(&wait);
	query_wait_begin(&wait, &mutated.worker);
	for (unsigned int asks = 0; next == QUERY_ASK; asks++) {
		assert(asks <= QUERY_ASKS_MAX);
		struct dns_reply reply;
		struct query_told told = {.keep = true};
		mutated_hear(from, &ask, &reply, &told);
		int ret = query_feed(&mutated.worker, &wait, &ask, &told, now_s);
		assert(ret == 0);
		next = query_run(&mutated.worker, &in, &wait, out, DNS_UDP_OURS, &size, &ask);
	}
	query_wait_fini(&wait);
	assert(next == QUERY_ANSWER);
	return size;
}

/* --- True answers --- */

enum mutated_kind {
	MUTATED_A,
	MUTATED_AAAA,
	MUTATED_TXT,
	MUTATED_CHAIN,      /* CNAME and its target's A, both in the rule */
	MUTATED_CHAIN_DEEP, /* CNAME to a name of the rule below */
	MUTATED_CHAIN_ZONE, /* CNAME to a private name */
	MUTATED_NXDOMAIN,
	MUTATED_NODATA,
	MUTATED_KINDS,
};

static inline uint16_t mutated_qtype(enum mutated_kind kind)
{
	return kind == MUTATED_AAAA  ? DNS_TYPE_AAAA
	       : kind == MUTATED_TXT ? DNS_TYPE_TXT
	                             : DNS_TYPE_A;
}

static inline void mutated_soa(struct dns_build *b)
{
	uint8_t rdata[22] = {0};
	rdata[21] = 60; /* minimum */
	dns_build_rr(b, DNS_SECTION_AUTHORITY, mutated.fwd.wire, DNS_TYPE_SOA, DNS_CLASS_IN, 60,
	             rdata, 22);
}

static inline void mutated_cname(struct dns_build *b, const struct mutated_name *from,
                                 const struct mutated_name *to)
{
	dns_build_rr(b, DNS_SECTION_ANSWER, from->wire, DNS_TYPE_CNAME, DNS_CLASS_IN, 60, to->wire,
	             (uint16_t)to->len);
}

static inline size_t mutated_truth(enum mutated_kind kind, const struct mutated_name *name,
                                   bool edns, uint8_t *out)
{
	struct dns_build b;
	struct mutated_name target;
	char text[64];
	const struct dns_opt opt = {.udp_size = 1232, .ede = DNS_EDE_NONE, .keepalive = -1};
	dns_build_question(&b, out, MUTATED_ROOM, MUTATED_ID, DNS_FLAG_QR | DNS_FLAG_RD, name->wire,
	                   mutated_qtype(kind));
	if (edns) {
		dns_build_reserve(&b, dns_opt_size(&opt));
	}
	switch (kind) {
	case MUTATED_A:
		dns_build_rr_at(&b, DNS_SECTION_ANSWER, 12, DNS_TYPE_A, DNS_CLASS_IN, 60,
		                (const uint8_t *)"\12\7\1\1", 4);
		dns_build_rr_at(&b, DNS_SECTION_ANSWER, 12, DNS_TYPE_A, DNS_CLASS_IN, 60,
		                (const uint8_t *)"\12\7\1\2", 4);
		break;
	case MUTATED_AAAA:
		dns_build_rr_at(&b, DNS_SECTION_ANSWER, 12, DNS_TYPE_AAAA, DNS_CLASS_IN, 60,
		                (const uint8_t *)"\375\0\1\2\3\4\5\6\7\10\11\12\13\14\15", 16);
		break;
	case MUTATED_TXT:
		dns_build_rr_at(&b, DNS_SECTION_ANSWER, 12, DNS_TYPE_TXT, DNS_CLASS_IN, 60,
		                (const uint8_t *)"\4true\5words", 11);
		break;
	case MUTATED_CHAIN:
		snprintf(text, sizeof(text), "t%llx.fwd.test", (unsigned long long)mutated.cases);
		target = mutated_name(text);
		mutated_cname(&b, name, &target);
		dns_build_rr(&b, DNS_SECTION_ANSWER, target.wire, DNS_TYPE_A, DNS_CLASS_IN, 60,
		             (const uint8_t *)"\12\7\1\3", 4);
		break;
	case MUTATED_CHAIN_DEEP:
		mutated_cname(&b, name, &mutated.victims[2].name);
		break;
	case MUTATED_CHAIN_ZONE:
		mutated_cname(&b, name, &mutated.victims[0].name);
		break;
	default:
		mutated_soa(&b);
	}
	unsigned int rcode = kind == MUTATED_NXDOMAIN ? DNS_RCODE_NXDOMAIN : DNS_RCODE_NOERROR;
	return dns_build_end(&b, 0, rcode, edns ? &opt : NULL);
}

static inline void mutated_victim_ask(struct mutated_victim *victim)
{
	uint8_t truth[MUTATED_ROOM];
	struct dns_build b;
	victim->name = mutated_name(victim->text);
	victim->query_size = mutated_question(victim->name.wire, DNS_TYPE_A, victim->query,
	                                      sizeof(victim->query));
	dns_build_question(&b, truth, sizeof(truth), MUTATED_ID, DNS_FLAG_QR, victim->name.wire,
	                   DNS_TYPE_A);
	if (victim->address != NULL) {
		struct addr addr;
		int ret = addr_parse(victim->address, 0, &addr);
		assert(ret == 0);
		dns_build_rr_at(&b, DNS_SECTION_ANSWER, 12, DNS_TYPE_A, DNS_CLASS_IN, 80000,
		                (const uint8_t *)&addr.in4.sin_addr, 4);
	} else {
		mutated_soa(&b);
	}
	size_t size = dns_build_end(
		&b, 0, victim->address != NULL ? DNS_RCODE_NOERROR : DNS_RCODE_NXDOMAIN, NULL);
	struct mutated_upstream from = {.name = &victim->name, .wire = truth, .size = size};
	victim->answer_size = mutated_ask(victim->query, victim->query_size, MUTATED_NOW_S, &from,
	                                  victim->answer);
	assert((victim->answer[3] & 15) ==
	       (victim->address != NULL ? DNS_RCODE_NOERROR : DNS_RCODE_NXDOMAIN));
}

static inline void mutated_setup(void)
{
	static const struct world_opts opts = {.version = "",
	                                       .server_id = "",
	                                       .max_ttl_s = 86400,
	                                       .max_negative_ttl_s = 60,
	                                       .keepalive_s = 10};
	epoch_thread_start();
	mutated.fwd = mutated_name("fwd.test");
	mutated.deep = mutated_name("deep.fwd.test");
	struct rule_opts rules[3] = {
		{.kind = RULE_FORWARD,
	         .domain = mutated.fwd.wire,
	         .origin = MUTATED_ORIGIN_FWD,
	         .text = "fwd.test"},
		{.kind = RULE_FORWARD,
	         .domain = mutated.deep.wire,
	         .origin = MUTATED_ORIGIN_DEEP,
	         .text = "deep.fwd.test"},
		{.kind = RULE_DEFAULT,
	         .domain = (const uint8_t *)"",
	         .origin = MUTATED_ORIGIN_VPC,
	         .text = "vpc"},
	};
	struct client_opts may = {.may = CLIENT_ALL};
	addr_parse("10.0.0.9", 4711, &mutated.client);
	prefix_parse("10.0.0.0/8", &may.from);
	mutated.root = world_root_new(
		world_conf_new(rules_new(rules, 2, &rules[2]), clients_new(&may, 1), &opts));
	mutated.cache = cache_new(&(struct cache_opts){.size_max = 1 << 20, .stale_s = 3600});
	mutated_zone();
	int ret = query_worker_init(&mutated.worker, mutated.root, mutated.cache);
	assert(ret == 0);
	epoch_read_begin();
	for (size_t i = 0; i < MUTATED_VICTIMS; i++) {
		mutated_victim_ask(&mutated.victims[i]);
	}
	epoch_read_end();
}

/* --- Spoiling --- */

struct mutated_data {
	uint8_t wire[MUTATED_ROOM];
	size_t size;
};

static inline void mutated_insert(struct mutated_data *data, size_t at, const uint8_t *bytes,
                                  size_t count)
{
	if (data->size + count <= sizeof(data->wire)) {
		memmove(data->wire + at + count, data->wire + at, data->size - at);
		memcpy(data->wire + at, bytes, count);
		data->size += count;
	}
}

static inline void mutated_delete(struct mutated_data *data, size_t at, size_t count)
{
	count = count < data->size - at ? count : data->size - at;
	memmove(data->wire + at, data->wire + at + count, data->size - at - count);
	data->size -= count;
}

/* A false record about a victim, whole and counted: at the end, in whichever section. */
static inline void mutated_poison(struct mutated_data *data, struct reader *r)
{
	const struct mutated_victim *victim = &mutated.victims[reader_u8(r) % MUTATED_VICTIMS];
	uint8_t how = reader_u8(r);
	struct writer w = writer_of(data->wire + data->size, sizeof(data->wire) - data->size);
	const uint8_t *owner = (how & 8) != 0 ? mutated.fwd.wire : victim->name.wire;
	writer_bytes(&w, owner, dns_name_len(owner));
	writer_u16(&w, (how & 16) != 0 ? DNS_TYPE_NS : DNS_TYPE_A);
	writer_u16(&w, DNS_CLASS_IN);
	writer_u32(&w, 86400);
	writer_u16(&w, (how & 16) != 0 ? (uint16_t)victim->name.len : 4);
	writer_bytes(&w, (how & 16) != 0 ? victim->name.wire : (const uint8_t *)"\6\6\6\6",
	             (how & 16) != 0 ? victim->name.len : 4);
	if (!w.bad) {
		uint8_t *count = data->wire + 6 + 2 * (how % 3);
		data->size += w.pos;
		put_u16(count, (uint16_t)(get_u16(count) + 1));
	}
}

static inline void mutated_spoil_once(struct mutated_data *data, struct reader *r)
{
	static const uint8_t telling[] = {0, 1, 12, 0x3f, 0x40, 0x80, 0xc0, 0xff};
	uint8_t how = reader_u8(r) % 11;
	size_t at = data->size == 0 ? 0 : reader_u16(r) % data->size;
	uint8_t value = reader_u8(r);
	if (data->size < DNS_HEADER_SIZE + 2) {
		return;
	}
	switch (how) {
	case 0:
	case 1:
		data->wire[at] ^= (uint8_t)(1u << value % 8);
		break;
	case 2:
		data->wire[at] = telling[value % sizeof(telling)];
		break;
	case 3:
		mutated_delete(data, at, 1u + value % 8);
		break;
	case 4:
		mutated_insert(data, at, telling, 1u + value % 8);
		break;
	case 5: { /* again what stands there: a record, a label, a piece of either */
		uint8_t bytes[64];
		size_t count = 1u + value % 64;
		count = count < data->size - at ? count : data->size - at;
		memcpy(bytes, data->wire + at, count);
		mutated_insert(data, (value & 64) != 0 ? data->size : at, bytes, count);
		break;
	}
	case 6:
		data->size = at;
		break;
	case 7:
		data->wire[5 + 2 * (value % 4)] =
			(uint8_t)(data->wire[5 + 2 * (value % 4)] + (value >> 7) * 2 - 1);
		break;
	case 8:
	case 9:
		mutated_poison(data, r);
		break;
	default: /* a pointer somewhere */
		if (at + 2 <= data->size) {
			put_u16(data->wire + at, (uint16_t)(0xc000 | value));
		}
	}
}

/* --- What came of it --- */

static inline bool mutated_stands_in(const struct mutated_packet *packet, unsigned int section,
                                     const struct mutated_rr *rr)
{
	for (size_t i = 0; i < packet->count; i++) {
		const struct mutated_rr *at = &packet->rr[i];
		if (at->section == section && at->type == rr->type && at->class == rr->class &&
		    at->rdlen == rr->rdlen && dns_name_equal(at->owner, rr->owner) &&
		    memcmp(at->rdata, rr->rdata, rr->rdlen) == 0) {
			return true;
		}
	}
	return false;
}

/* The rule's own: neither the rule below, nor anybody else's. */
static inline bool mutated_is_ours(const uint8_t *name)
{
	return dns_name_within(name, mutated.fwd.wire) && !dns_name_within(name, mutated.deep.wire);
}

/* A true record of a name that the packet could not speak for, or that was known before. */
static inline bool mutated_is_victims(const struct mutated_rr *rr)
{
	for (size_t i = 0; i < MUTATED_VICTIMS; i++) {
		const struct mutated_victim *victim = &mutated.victims[i];
		if (victim->address != NULL && dns_name_equal(victim->name.wire, rr->owner)) {
			return rr->type == DNS_TYPE_A && rr->rdlen == 4 &&
			       memcmp(rr->rdata, victim->answer + victim->answer_size - 4, 4) == 0;
		}
	}
	return false;
}

struct mutated_case {
	struct mutated_name name;
	uint16_t qtype;
	uint8_t query[300];
	size_t query_size;
	bool known; /* the true answer is there, expired */
	struct mutated_packet truth;
	struct mutated_packet packet;
};

static inline bool mutated_may_say(const struct mutated_case *c, unsigned int section,
                                   const struct mutated_rr *rr)
{
	if (mutated_is_ours(rr->owner)) {
		return (c->packet.fits && mutated_stands_in(&c->packet, section, rr)) ||
		       (c->known && mutated_stands_in(&c->truth, section, rr)) ||
		       (section == 0 ? mutated_is_victims(rr) : true);
	}
	return section != 0 || mutated_is_victims(rr);
}

static inline void mutated_check_records(const struct mutated_case *c, const uint8_t *out,
                                         size_t size)
{
	static struct mutated_packet answer;
	uint8_t at[DNS_NAME_MAX];
	mutated_read(out, size, c->query + DNS_HEADER_SIZE, c->query_size - DNS_HEADER_SIZE,
	             &answer);
	assert(answer.fits);
	memcpy(at, c->name.wire, c->name.len);
	for (size_t i = 0; i < answer.count; i++) {
		const struct mutated_rr *rr = &answer.rr[i];
		assert(rr->section < 2 && rr->class == DNS_CLASS_IN && rr->ttl <= 86400);
		assert(mutated_may_say(c, rr->section, rr));
		if (rr->section != 0) {
			assert(rr->type == DNS_TYPE_SOA && dns_name_within(at, rr->owner));
			continue;
		}
		assert(dns_name_equal(rr->owner, at) &&
		       (rr->type == c->qtype || rr->type == DNS_TYPE_CNAME));
		if (rr->type == DNS_TYPE_CNAME) {
			memcpy(at, rr->rdata, rr->rdlen);
		}
	}
}

/* It denies the name, or may be taken so: with an SOA, without any answer, or with answers of another type alone. */
static inline bool mutated_denies(const struct mutated_packet *packet, const uint8_t *name)
{
	bool denies = packet->rcode == DNS_RCODE_NXDOMAIN;
	bool answers = false;
	for (size_t i = 0; i < packet->count; i++) {
		const struct mutated_rr *rr = &packet->rr[i];
		answers = answers || rr->section == 0;
		denies = denies || (rr->section == 1 && rr->type == DNS_TYPE_SOA) ||
		         (rr->section == 0 && rr->class == DNS_CLASS_IN &&
		          dns_name_equal(rr->owner, name));
	}
	return denies || !answers;
}

/* Returns true when some answer was given. */
static inline bool mutated_check(const struct mutated_case *c, const uint8_t *out, size_t size)
{
	assert(size >= DNS_HEADER_SIZE && memcmp(out + 12, c->query + 12, c->query_size - 12) == 0);
	unsigned int rcode = out[3] & 15;
	if (rcode == DNS_RCODE_SERVFAIL) {
		assert(get_u16(out + 6) == 0 && get_u16(out + 8) == 0);
		return false;
	}
	assert(c->packet.fits || c->known);
	assert(rcode == DNS_RCODE_NOERROR || rcode == DNS_RCODE_NXDOMAIN);
	assert(get_u16(out + 6) != 0 || c->known || mutated_denies(&c->packet, c->name.wire));
	mutated_check_records(c, out, size);
	return true;
}

static inline void mutated_check_victims(void)
{
	uint8_t out[DNS_UDP_OURS];
	struct mutated_upstream nobody = {.wire = NULL};
	for (size_t i = 0; i < MUTATED_VICTIMS; i++) {
		const struct mutated_victim *victim = &mutated.victims[i];
		size_t size =
			mutated_ask(victim->query, victim->query_size, MUTATED_NOW_S, &nobody, out);
		assert(size == victim->answer_size && memcmp(out, victim->answer, size) == 0);
	}
}

static inline void mutated_case_run(struct mutated_case *c, const struct mutated_data *data,
                                    bool spoiled)
{
	uint8_t out[DNS_UDP_OURS];
	struct cache_stats before;
	struct cache_stats after;
	struct mutated_upstream from = {.name = &c->name, .wire = data->wire, .size = data->size};
	mutated_read(data->wire, data->size, c->query + 12, c->query_size - 12, &c->packet);
	mutated.fitting += c->packet.fits;
	cache_get_stats(mutated.cache, &before);
	size_t size = mutated_ask(c->query, c->query_size, MUTATED_NOW_S, &from, out);
	cache_get_stats(mutated.cache, &after);
	bool given = mutated_check(c, out, size);
	mutated.served += given;
	assert(given || spoiled); /* the true answer is given */
	if (!c->packet.fits) {
		assert(given == c->known && after.stored == before.stored);
	}
	/* And once more, from what was kept. */
	struct mutated_upstream nobody = {.wire = NULL};
	size = mutated_ask(c->query, c->query_size, MUTATED_NOW_S, &nobody, out);
	mutated_check(c, out, size);
}

/* One case. Every byte of data decides something; missing ones are 0. */
static inline void mutated_one(const uint8_t *bytes, size_t size)
{
	static struct mutated_case c;
	struct mutated_data data;
	struct reader r = reader_of(bytes, size);
	uint8_t how = reader_u8(&r);
	enum mutated_kind kind = how % MUTATED_KINDS;
	unsigned int times = reader_u8(&r) % 7;
	char text[64];
	mutated.cases++;
	snprintf(text, sizeof(text), "c%llx.fwd.test", (unsigned long long)mutated.cases);
	c.name = mutated_name(text);
	c.qtype = mutated_qtype(kind);
	c.known = (how & 64) != 0;
	c.query_size = mutated_question(c.name.wire, c.qtype, c.query, sizeof(c.query));
	data.size = mutated_truth(kind, &c.name, (how & 128) != 0, data.wire);
	mutated_read(data.wire, data.size, c.query + 12, c.query_size - 12, &c.truth);
	assert(c.truth.fits);
	mutated.worker.draw = (struct draw){{1, 2}};

	epoch_read_begin();
	if (c.known) {
		uint8_t out[DNS_UDP_OURS];
		struct mutated_upstream from = {
			.name = &c.name, .wire = data.wire, .size = data.size};
		mutated_ask(c.query, c.query_size, MUTATED_EXPIRED_S, &from, out);
	}
	for (unsigned int i = 0; i < times; i++) {
		mutated_spoil_once(&data, &r);
	}
	mutated_case_run(&c, &data, times != 0);
	mutated_check_victims();
	epoch_read_end();
	struct query_ask unused;
	while (query_refresh(&mutated.worker, &unused)) {
	}
	cache_flush(mutated.cache, c.name.wire,
	            false); /* else the cache is full of names in use in the end */
	if (mutated.cases % 64 == 0) {
		epoch_drain(); /* what was evicted is gone, so that there is room for what comes */
	}
}
