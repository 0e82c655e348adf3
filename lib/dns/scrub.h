/*
 * dns/scrub.h - what of a server's answer may be believed, as a compact body ready to keep and to send.
 *
 * From a checked reply to (name, type) asked under a rule, keeps: the CNAME (DNAME-made ones included)
 * chain from name, as far as it stays within bailiwick, and the RRset of type at its end; RRSIGs of
 * those when dnssec_ok; for a negative answer the SOA in authority, if its owner is name's ancestor or
 * itself and lies within bailiwick (T6, T7). With dnssec_ok also the NSEC/NSEC3 in authority and their
 * RRSIGs, be the answer negative or (made by a wildcard, RFC 4035 section 3.1.3.3) positive. All else is
 * dropped. A chain that leaves bailiwick ends there: `next` says where to go on.
 *
 * RFC: 2308, 5452 section 6, 8020 not used (no NXDOMAIN-below).
 */
#pragma once

#include "dns/msg.h"

enum dns_outcome {
	DNS_OUTCOME_ANSWER, /* the RRset is there */
	DNS_OUTCOME_NODATA,
	DNS_OUTCOME_NXDOMAIN,
	DNS_OUTCOME_CHAIN, /* CNAMEs only: go on at next */
	DNS_OUTCOME_LAME, /* nothing usable: SERVFAIL, REFUSED, referral, NOERROR from nowhere, ... */
};

#define DNS_CHAIN_MAX 12 /* CNAMEs followed for one question, over all rules */

/*
 * The sections behind the question, written so that the message may stand behind any header and a question
 * for the same name: owner pointers count from the start of that message (question name at 12).
 */
struct dns_body {
	enum dns_outcome outcome;
	uint16_t rcode;    /* NOERROR or NXDOMAIN; for LAME what the server said */
	uint16_t size;     /* octets in wire */
	uint16_t count[2]; /* records in answer, authority */
	uint16_t ttl_count;
	uint8_t chain;    /* CNAMEs in it */
	bool authentic;   /* AD of the reply */
	uint32_t ttl_s;   /* life: least TTL of answer; negative: RFC 2308 section 5 */
	uint16_t *ttl_at; /* offsets in wire of each TTL, ttl_count of them */
	uint8_t *wire;
	uint8_t next[DNS_NAME_MAX + 1]; /* of CHAIN: the last CNAME's target */
};

/*
 * name: as asked (any case). bailiwick: wire name; "." believes everything. wire_room/ttl_room: space behind
 * ret_body->wire and ->ttl_at, which the caller set. ttl clamps: min_ttl <= ttl <= max_ttl for positive data, 0 stays 0;
 * negative at most max_negative_ttl. ours (may be NULL) is asked about each CNAME target within bailiwick: false
 * when it belongs to a private zone or to another rule below this one; the chain ends there too (T6).
 *
 * Every TTL in the body is at least ttl_s. CHAIN has no authority section, LAME has nothing at all.
 * Returns 0, or FAIL_LIMIT when the room does not do, FAIL_FORMAT (chain in a circle or over DNS_CHAIN_MAX).
 */
struct dns_scrub_opts {
	const uint8_t *bailiwick;
	bool dnssec_ok;
	uint32_t min_ttl;
	uint32_t max_ttl;
	uint32_t max_negative_ttl;
	size_t wire_room;
	size_t ttl_room;
	bool (*ours)(void *ctx, const uint8_t *name);
	void *ctx;
};
int dns_scrub(const struct dns_reply *reply, const uint8_t *name, uint16_t qtype,
              const struct dns_scrub_opts *opts, struct dns_body *ret_body);
