/*
 * dns/build.h - writing messages: owner names compressed, no RRset cut in half.
 *
 * Memory: the caller's buffer. A builder compresses against the question name and up to
 *         DNS_BUILD_NAMES names written before, so work stays in proportion to the message (T24).
 * RFC:    1035 section 4.1.4, 2181 section 9 (TC), 6891, 8914.
 */
#pragma once

#include "base/cursor.h"
#include "dns/msg.h"

#define DNS_BUILD_NAMES 32

struct dns_build {
	uint8_t *wire;
	size_t pos;
	size_t end;  /* limit: room for OPT already taken off (dns_build_reserve) */
	size_t room; /* what the whole message may have: the buffer's, or less by its limit */
	uint16_t count[3];
	uint16_t question_end;
	bool truncated; /* an RRset did not fit: TC will be set, nothing more is added */
	uint8_t names;
	uint16_t name_at[DNS_BUILD_NAMES]; /* where names begin; each suffix may be aimed at */
};

/*
 * Begins an answer to q: header (id, opcode, RD and CD of the question; QR, RA; AA, AD and rcode come with
 * dns_build_end), and the question echoed octet for octet when q->question_len is not 0.
 * limit: the largest size the answer may have (UDP size or 65535); at most room.
 */
void dns_build_answer(struct dns_build *b, uint8_t *buf, size_t room, size_t limit,
                      const struct dns_query *q);

/* Begins a question of ours: random or given id, RD as told. name: wire, case as given. */
void dns_build_question(struct dns_build *b, uint8_t *buf, size_t room, uint16_t id, uint16_t flags,
                        const uint8_t *name, uint16_t qtype);

/* Keeps size octets of the limit for what comes last (OPT). Before any record. */
void dns_build_reserve(struct dns_build *b, size_t size);

/* A place to go back to when the RRset begun here does not fit. */
struct dns_mark {
	size_t pos;
	uint16_t count[3];
	uint8_t names;
};
struct dns_mark dns_build_mark(const struct dns_build *b);
/* Takes back all since the mark and sets truncated. */
void dns_build_cut(struct dns_build *b, const struct dns_mark *mark);
/* Takes back all since the mark, without TC: additional data may be left out (RFC 2181 section 9). */
void dns_build_drop(struct dns_build *b, const struct dns_mark *mark);

/*
 * One record. owner: wire name (compressed here; keep case). rdata: uncompressed wire form.
 * False when it does not fit: the caller cuts or drops back to its mark.
 */
bool dns_build_rr(struct dns_build *b, enum dns_section section, const uint8_t *owner,
                  uint16_t type, uint16_t class, uint32_t ttl, const uint8_t *rdata,
                  uint16_t rdlen);

/* The same with an owner already in the message at this offset (12: the question's name). */
bool dns_build_rr_at(struct dns_build *b, enum dns_section section, uint16_t owner_at,
                     uint16_t type, uint16_t class, uint32_t ttl, const uint8_t *rdata,
                     uint16_t rdlen);

/* A name, compressed as an owner would be. Returns its offset in the message, or 0 when it does not fit. */
uint16_t dns_build_name(struct dns_build *b, const uint8_t *name);

#define DNS_KEEPALIVE_NONE (-1)
#define DNS_KEEPALIVE_ASK  (-2) /* the empty option of a question */

/* What an OPT says. */
struct dns_opt {
	uint16_t udp_size;
	bool dnssec_ok;
	int ede;              /* DNS_EDE_NONE: no extended error */
	const char *ede_text; /* or NULL; cut at 160 octets */
	const char *nsid;     /* or NULL; cut at 128 octets */
	const uint8_t *cookie;
	uint8_t cookie_len;
	int keepalive; /* DNS_KEEPALIVE_NONE, _ASK, or in 100 ms (RFC 7828) */
	/*
	 * Fills the message up to a multiple of so many octets where there is room (RFC 7830, 8467);
	 * 0: no padding. Not part of dns_opt_size.
	 */
	uint16_t pad_block;
};

/* Octets that dns_build_end will need for this OPT. */
size_t dns_opt_size(const struct dns_opt *opt);

/*
 * Ends the message: OPT (NULL: none; rcodes over 15 need one), counts, flags (AA, AD as given; TC when truncated),
 * rcode. Returns the message's size. With opt, dns_opt_size(opt) must have been reserved; text that
 * no longer fits is left out.
 */
size_t dns_build_end(struct dns_build *b, uint16_t extra_flags, unsigned int rcode,
                     const struct dns_opt *opt);
