#include "dns/msg.h"
#include "base/fail.h"
#include "dns/layout_int.h"
#include "dns/msg_int.h"
#include "dns/name_int.h"

#define COOKIE_CLIENT 8
#define COOKIE_MIN    (8 + 8) /* client and server part (RFC 7873 section 4) */
#define COOKIE_MAX    (8 + 32)

/* Type, class, TTL and RDLENGTH behind the owner. */
#define RR_FIXED 10

int dns_msg_name(const uint8_t *wire, size_t size, size_t offset, uint8_t *ret_name,
                 size_t *ret_next)
{
	struct dns__scan scan = dns__scan_of(wire, size);
	return dns__scan_name(&scan, offset, size, ret_name, ret_next);
}

/* The fixed part at `at`; it and the data behind it are known to lie inside. Returns where the record ends. */
static size_t rr_fill(const uint8_t *wire, size_t owner, size_t at, struct dns_rr *ret_rr)
{
	uint32_t ttl = get_u32(wire + at + 4);
	ret_rr->owner = (uint16_t)owner;
	ret_rr->type = get_u16(wire + at);
	ret_rr->class = get_u16(wire + at + 2);
	ret_rr->ttl_at = (uint16_t)(at + 4);
	ret_rr->ttl = (ttl & 0x80000000u) != 0 ? 0 : ttl;
	ret_rr->rdlen = get_u16(wire + at + 8);
	ret_rr->rdata = (uint16_t)(at + RR_FIXED);
	return at + RR_FIXED + ret_rr->rdlen;
}

/* The record at *pos; moves *pos behind it. False when it runs over the message. */
static bool rr_scan(struct dns__scan *scan, size_t *pos, struct dns_rr *ret_rr)
{
	size_t at;
	if (dns__scan_name(scan, *pos, scan->size, NULL, &at) < 0 || scan->size - at < RR_FIXED ||
	    scan->size - at - RR_FIXED < get_u16(scan->wire + at + 8)) {
		return false;
	}
	*pos = rr_fill(scan->wire, *pos, at, ret_rr);
	return true;
}

/* Takes the next option. 1, 0 at the end, -1 when it runs over. */
static int option_next(struct reader *options, uint16_t *ret_code, const uint8_t **ret_data,
                       uint16_t *ret_len)
{
	if (options->pos == options->end) {
		return 0;
	}
	*ret_code = reader_u16(options);
	*ret_len = reader_u16(options);
	*ret_data = reader_take(options, *ret_len);
	return options->bad ? -1 : 1;
}

static bool cookie_size_ok(uint16_t len)
{
	return len == COOKIE_CLIENT || (len >= COOKIE_MIN && len <= COOKIE_MAX);
}

/* --- Questions --- */

/* False: an option runs over, or a cookie has no cookie's size. Of repeated options the first counts. */
static bool query_options(struct dns_query *q, const uint8_t *rdata, size_t rdlen)
{
	struct reader options = reader_of(rdata, rdlen);
	const uint8_t *data;
	uint16_t code;
	uint16_t len;
	int more;
	while ((more = option_next(&options, &code, &data, &len)) > 0) {
		switch (code) {
		case DNS_OPTION_NSID:
			q->nsid = true;
			break;
		case DNS_OPTION_KEEPALIVE:
			q->keepalive = true;
			break;
		case DNS_OPTION_PADDING:
			q->padding = true;
			break;
		case DNS_OPTION_COOKIE:
			if (!cookie_size_ok(len)) {
				return false;
			}
			if (q->cookie_len == 0) {
				q->cookie = data;
				q->cookie_len = (uint8_t)len;
			}
			break;
		default:
			break;
		}
	}
	return more == 0;
}

/* Options of a version we do not know are not ours to judge. */
static bool query_opt(struct dns_query *q, const struct dns_rr *rr)
{
	if (q->edns || q->wire[rr->owner] != 0) {
		return false;
	}
	q->edns = true;
	q->udp_size = rr->class < DNS_UDP_PLAIN ? DNS_UDP_PLAIN : rr->class;
	q->edns_version = q->wire[rr->ttl_at + 1];
	q->dnssec_ok = (q->wire[rr->ttl_at + 2] & 0x80) != 0;
	return q->edns_version != 0 || query_options(q, q->wire + rr->rdata, rr->rdlen);
}

/* An IXFR brings the SOA it has (RFC 1995 section 3); nothing else belongs before the additional section. */
static bool query_authority(const struct dns_query *q, struct dns__scan *scan, size_t *pos)
{
	uint16_t answers = get_u16(q->wire + 6);
	uint16_t count = get_u16(q->wire + 8);
	if (answers == 0 && count == 0) {
		return true;
	}
	struct dns_rr rr;
	return answers == 0 && count == 1 && q->qtype == DNS_TYPE_IXFR && rr_scan(scan, pos, &rr) &&
	       rr.type == DNS_TYPE_SOA;
}

static enum dns_verdict query_records(struct dns_query *q, size_t size, size_t pos)
{
	struct dns__scan scan = dns__scan_of(q->wire, size);
	if (!query_authority(q, &scan, &pos)) {
		return DNS_VERDICT_FORMERR;
	}
	for (unsigned int left = get_u16(q->wire + 10); left > 0; left--) {
		struct dns_rr rr;
		if (!rr_scan(&scan, &pos, &rr) || (rr.type == DNS_TYPE_TSIG && left != 1) ||
		    (rr.type == DNS_TYPE_OPT && !query_opt(q, &rr))) {
			return DNS_VERDICT_FORMERR;
		}
	}
	if (pos != size) {
		return DNS_VERDICT_FORMERR;
	}
	return q->edns_version == 0 ? DNS_VERDICT_OK : DNS_VERDICT_BADVERS;
}

/* All but the key, which is large and written whole when there is a question. */
static void query_clear(struct dns_query *q, const uint8_t *wire)
{
	q->wire = wire;
	q->id = get_u16(wire);
	q->flags = get_u16(wire + 2);
	q->qtype = 0;
	q->qclass = 0;
	q->question_len = 0;
	q->edns = false;
	q->dnssec_ok = false;
	q->nsid = false;
	q->padding = false;
	q->keepalive = false;
	q->edns_version = 0;
	q->cookie_len = 0;
	q->udp_size = DNS_UDP_PLAIN;
	q->cookie = NULL;
}

enum dns_verdict dns_query_read(const uint8_t *wire, size_t size, struct dns_query *ret_query)
{
	struct dns_query *q = ret_query;
	if (size < DNS_HEADER_SIZE || size > DNS_MSG_MAX ||
	    (get_u16(wire + 2) & DNS_FLAG_QR) != 0) {
		return DNS_VERDICT_DROP;
	}
	query_clear(q, wire);
	if (DNS_OPCODE(q->flags) != 0) {
		return DNS_VERDICT_NOTIMP;
	}
	if (get_u16(wire + 4) != 1) {
		return DNS_VERDICT_FORMERR;
	}
	size_t len = dns__key_read(&q->key, wire + DNS_HEADER_SIZE, size - DNS_HEADER_SIZE);
	size_t pos = DNS_HEADER_SIZE + len;
	if (len == 0 || size - pos < 4) {
		return DNS_VERDICT_FORMERR;
	}
	q->qtype = get_u16(wire + pos);
	q->qclass = get_u16(wire + pos + 2);
	q->question_len = (uint16_t)(len + 4);
	pos += 4;
	if (size == pos) { /* no records; the counts must say so too */
		bool empty = get_u16(wire + 6) == 0 && get_u32(wire + 8) == 0;
		return empty ? DNS_VERDICT_OK : DNS_VERDICT_FORMERR;
	}
	return query_records(q, size, pos);
}

/* --- Answers --- */

static bool reply_question(struct dns_reply *reply, struct dns__scan *scan, size_t *pos)
{
	if (!reply->has_question) {
		return true;
	}
	size_t begin = *pos;
	int len = dns__scan_name(scan, begin, scan->size, NULL, pos);
	/* There is nothing before it to point to. */
	if (len < 0 || *pos - begin != (size_t)len || scan->size - *pos < 4) {
		return false;
	}
	reply->qtype = get_u16(scan->wire + *pos);
	reply->qclass = get_u16(scan->wire + *pos + 2);
	*pos += 4;
	return true;
}

static bool reply_opt(struct dns_reply *reply, const struct dns_rr *rr)
{
	if (reply->edns || reply->wire[rr->owner] != 0) {
		return false;
	}
	reply->edns = true;
	reply->udp_size = rr->class < DNS_UDP_PLAIN ? DNS_UDP_PLAIN : rr->class;
	reply->rcode |= (uint16_t)(reply->wire[rr->ttl_at] << 4);

	struct reader options = reader_of(reply->wire + rr->rdata, rr->rdlen);
	const uint8_t *data;
	uint16_t code;
	uint16_t len;
	int more;
	while ((more = option_next(&options, &code, &data, &len)) > 0) {
		if (code == DNS_OPTION_KEEPALIVE && len == 2) {
			reply->keepalive = get_u16(data);
		}
		if (code != DNS_OPTION_COOKIE || reply->cookie_len != 0) {
			continue;
		}
		if (!cookie_size_ok(len)) {
			return false;
		}
		reply->cookie = data;
		reply->cookie_len = (uint8_t)len;
	}
	return more == 0;
}

/* Signatures over the message itself: we never ask for any, so none is meant for us (T31). */
static bool is_signature(const struct dns_reply *reply, const struct dns_rr *rr)
{
	switch (rr->type) {
	case DNS_TYPE_TSIG:
	case DNS_TYPE_TKEY:
		return true;
	case DNS_TYPE_SIG:
		return rr->rdlen < 2 || get_u16(reply->wire + rr->rdata) == 0;
	default:
		return false;
	}
}

static bool reply_section(struct dns_reply *reply, struct dns__scan *scan, unsigned int section,
                          size_t *pos)
{
	unsigned int count = get_u16(reply->wire + 6 + 2 * section);
	reply->start[section] = (uint16_t)*pos;
	reply->count[section] = (uint16_t)count;
	for (; count > 0; count--) {
		struct dns_rr rr;
		if (!rr_scan(scan, pos, &rr) || is_signature(reply, &rr)) {
			return false;
		}
		if (rr.type == DNS_TYPE_OPT) {
			if (section != DNS_SECTION_ADDITIONAL || !reply_opt(reply, &rr)) {
				return false;
			}
			reply->count[section]--;
			continue;
		}
		if (rr.class == DNS_CLASS_IN &&
		    !dns__scan_rdata(scan, rr.type, rr.rdata, rr.rdlen)) {
			return false;
		}
	}
	return true;
}

int dns_reply_read(const uint8_t *wire, size_t size, struct dns_reply *ret_reply)
{
	if (size < DNS_HEADER_SIZE || size > DNS_MSG_MAX) {
		return FAIL_FORMAT;
	}
	struct dns_reply reply = {
		.wire = wire,
		.size = (uint16_t)size,
		.id = get_u16(wire),
		.flags = get_u16(wire + 2),
		.udp_size = DNS_UDP_PLAIN,
		.keepalive = -1,
	};
	uint16_t questions = get_u16(wire + 4);
	if ((reply.flags & DNS_FLAG_QR) == 0 || DNS_OPCODE(reply.flags) != 0 || questions > 1) {
		return FAIL_FORMAT;
	}
	reply.rcode = DNS_RCODE(reply.flags);
	reply.has_question = questions == 1;

	struct dns__scan scan = dns__scan_of(wire, size);
	size_t pos = DNS_HEADER_SIZE;
	if (!reply_question(&reply, &scan, &pos)) {
		return FAIL_FORMAT;
	}
	for (unsigned int section = 0; section < 3; section++) {
		if (!reply_section(&reply, &scan, section, &pos)) {
			return FAIL_FORMAT;
		}
	}
	if (pos != size) {
		return FAIL_FORMAT;
	}
	*ret_reply = reply;
	return 0;
}

/* --- Walking --- */

void dns_walk_begin(struct dns_walk *walk, const struct dns_reply *reply, enum dns_section section)
{
	walk->reply = reply;
	walk->pos = reply->start[section];
	walk->left = reply->count[section];
}

/* Behind a name that was checked before. */
static inline size_t name_pass(const uint8_t *wire, size_t at)
{
	while (wire[at] != 0 && wire[at] <= DNS_LABEL_MAX) {
		at += (size_t)wire[at] + 1;
	}
	return at + (wire[at] == 0 ? 1 : 2);
}

void dns__rr_at(const struct dns_reply *reply, uint16_t at, struct dns_rr *ret_rr)
{
	rr_fill(reply->wire, at, name_pass(reply->wire, at), ret_rr);
}

bool dns_walk_next(struct dns_walk *walk, struct dns_rr *ret_rr)
{
	if (walk->left == 0) {
		return false;
	}
	do {
		dns__rr_at(walk->reply, walk->pos, ret_rr);
		walk->pos = (uint16_t)(ret_rr->rdata + ret_rr->rdlen);
	} while (ret_rr->type == DNS_TYPE_OPT);
	walk->left--;
	return true;
}

bool dns_reply_matches(const struct dns_reply *reply, uint16_t id, const uint8_t *name,
                       uint16_t qtype, bool exact_case)
{
	if (reply->id != id || !reply->has_question || reply->qtype != qtype ||
	    reply->qclass != DNS_CLASS_IN) {
		return false;
	}
	/* A question is never compressed: dns_reply_read has seen to that. */
	const uint8_t *asked = reply->wire + DNS_HEADER_SIZE;
	size_t len = dns_name_len(name);
	return exact_case ? reply->size >= DNS_HEADER_SIZE + len && memcmp(asked, name, len) == 0
	                  : dns_name_equal(asked, name);
}

int dns_msg_rdata(const struct dns_reply *reply, const struct dns_rr *rr, uint8_t *ret_rdata,
                  size_t room)
{
	struct writer out = writer_of(ret_rdata, room);
	if (rr->class == DNS_CLASS_IN) {
		dns__rdata_expand(reply->wire, reply->size, rr->type, rr->rdata, rr->rdlen, &out);
	} else { /* its shape was not checked: other classes have others (RFC 1035 section 3.4) */
		writer_bytes(&out, reply->wire + rr->rdata, rr->rdlen);
	}
	return out.bad ? FAIL_LIMIT : (int)out.pos;
}
