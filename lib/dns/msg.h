/*
 * dns/msg.h - reading messages: questions of clients, answers of servers. Strictly, once, in place.
 *
 * Memory: everything points into the caller's bytes; nothing is allocated.
 * RFC:    1035, 6891 (EDNS), 9267 (what goes wrong), 9619 (one question).
 */
#pragma once

#include "base/cursor.h"
#include "dns/name.h"
#include "dns/type.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_HEADER_SIZE 12
#define DNS_UDP_OURS    1232 /* our EDNS payload size, both ways (DNS flag day 2020) */
#define DNS_UDP_PLAIN   512
#define DNS_MSG_MAX     65535

/* What a client's packet deserves. */
enum dns_verdict {
	DNS_VERDICT_OK,
	DNS_VERDICT_DROP,    /* under 12 octets, or an answer (QR): silence */
	DNS_VERDICT_FORMERR, /* a header could be read, the rest makes no sense */
	DNS_VERDICT_NOTIMP,  /* opcode other than QUERY: header only goes back */
	DNS_VERDICT_BADVERS, /* EDNS version over 0 */
};

/*
 * A client's question. After OK and BADVERS everything is set; after FORMERR and NOTIMP only id, flags
 * and, where question_len is not 0, the question (an answer may echo it).
 */
struct dns_query {
	const uint8_t *wire; /* the packet */
	uint16_t id;
	uint16_t flags;
	uint16_t qtype;
	uint16_t qclass;
	uint16_t question_len; /* octets of the question section: name, type, class */
	bool edns;             /* an OPT was there */
	bool dnssec_ok;
	bool nsid; /* asks for our NSID */
	bool padding;
	bool keepalive; /* edns-tcp-keepalive option present */
	uint8_t edns_version;
	uint8_t cookie_len; /* 0: none; 8 or 16..40 */
	uint16_t udp_size;  /* what the client takes over UDP: at least 512; 512 without EDNS */
	const uint8_t *cookie;
	struct dns_key key; /* the folded name; the client's own case stands in wire + 12 */
};

/* Name of the question as the client wrote it. */
static inline const uint8_t *dns_query_name(const struct dns_query *q)
{
	return q->wire + DNS_HEADER_SIZE;
}

/*
 * FORMERR: QDCOUNT other than 1, a compressed or overlong name, bytes left over, records that overrun,
 * more than one OPT, an OPT with an owner or outside the additional section, options that overrun or
 * (cookie) have a wrong length, TSIG other than last, records in answer or authority of a question
 * (an IXFR's SOA excepted). Unknown options and flags are ignored.
 */
enum dns_verdict dns_query_read(const uint8_t *wire, size_t size, struct dns_query *ret_query);

/* One record of a checked answer. Offsets are into the message; names may be compressed there. */
struct dns_rr {
	uint16_t owner; /* offset of the owner name */
	uint16_t type;
	uint16_t class;
	uint16_t rdlen;
	uint16_t rdata;  /* offset */
	uint16_t ttl_at; /* offset of the TTL field */
	uint32_t ttl;    /* bit 31 set counts as 0 (RFC 2181 section 8) */
};

enum dns_section {
	DNS_SECTION_ANSWER,
	DNS_SECTION_AUTHORITY,
	DNS_SECTION_ADDITIONAL,
};

/* A server's answer, wholly walked and checked: counts true, names inside, at most one OPT, no bytes left. */
struct dns_reply {
	const uint8_t *wire;
	uint16_t size;
	uint16_t id;
	uint16_t flags;
	uint16_t rcode; /* with the extended bits of OPT */
	uint16_t qtype;
	uint16_t qclass;
	bool has_question; /* false: QDCOUNT was 0 (some servers' FORMERR) */
	bool edns;
	uint16_t udp_size;
	uint8_t cookie_len;
	const uint8_t *cookie;
	int keepalive; /* how long an idle connection may stay, in 100 ms; -1: it does not say (RFC 7828) */
	uint16_t count[3]; /* records a section; OPT not counted */
	uint16_t start[3]; /* offset of each section's first record */
};

/*
 * 0, or FAIL_FORMAT: not an answer (QR clear), opcode other than QUERY, QDCOUNT over 1, forward pointers,
 * circles, names over 255, RDATA that overruns or (class IN, types with names in it or a fixed size, from A to
 * SVCB: dns/layout_int.h) does not end where it must, OPT twice or misplaced, TSIG/TKEY/SIG(0), bytes left.
 */
int dns_reply_read(const uint8_t *wire, size_t size, struct dns_reply *ret_reply);

/*
 * Walks a section of a checked reply: *at is 0 at first, then left to the call. False at the end.
 * OPT records are passed over.
 */
struct dns_walk {
	const struct dns_reply *reply;
	uint16_t pos;
	uint16_t left;
};
void dns_walk_begin(struct dns_walk *walk, const struct dns_reply *reply, enum dns_section section);
bool dns_walk_next(struct dns_walk *walk, struct dns_rr *ret_rr);

/*
 * Expands the name at offset of a checked message to wire form, case kept. ret_name: DNS_NAME_MAX.
 * Returns its length, or FAIL_FORMAT (also for unchecked messages: pointers only go backwards).
 * *ret_next (may be NULL): the offset behind it.
 */
int dns_msg_name(const uint8_t *wire, size_t size, size_t offset, uint8_t *ret_name,
                 size_t *ret_next);

/*
 * A record's data of a checked reply with the names in it expanded, as dns/rdata.h takes it. Returns its length, or
 * FAIL_LIMIT when room does not do.
 */
int dns_msg_rdata(const struct dns_reply *reply, const struct dns_rr *rr, uint8_t *ret_rdata,
                  size_t room);

/*
 * The reply answers this question: same id, one question, same class and type, and the very octets of
 * the name (case included, when exact_case). What the source address was is the caller's matter.
 */
bool dns_reply_matches(const struct dns_reply *reply, uint16_t id, const uint8_t *name,
                       uint16_t qtype, bool exact_case);
