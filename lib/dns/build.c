#include "dns/build.h"
#include "dns/layout_int.h"
#include "dns/name_int.h"
#include <assert.h>

#define POINTER_MAX 0x3fff /* the highest offset a pointer can name */

/* What dns_opt_size counts and dns_build_end writes. */
#define OPT_FIXED     11
#define OPTION_HEADER 4
#define EDE_TEXT_MAX  160
#define NSID_MAX      128

/* --- Beginning --- */

static void build_begin(struct dns_build *b, uint8_t *buf, size_t limit, uint16_t id,
                        uint16_t flags)
{
	assert(limit >= DNS_HEADER_SIZE);
	b->wire = buf;
	b->pos = DNS_HEADER_SIZE;
	b->end = limit < DNS_MSG_MAX ? limit : DNS_MSG_MAX;
	b->room = b->end;
	memset(b->count, 0, sizeof(b->count));
	b->question_end = DNS_HEADER_SIZE;
	b->truncated = false;
	b->names = 0;
	memset(buf, 0, DNS_HEADER_SIZE);
	put_u16(buf, id);
	put_u16(buf + 2, flags);
}

/* The question has been written up to here: its name is the first to compress against. */
static void build_question_done(struct dns_build *b, size_t end)
{
	put_u16(b->wire + 4, 1);
	b->pos = end;
	b->question_end = (uint16_t)end;
	b->name_at[0] = DNS_HEADER_SIZE;
	b->names = 1;
}

void dns_build_answer(struct dns_build *b, uint8_t *buf, size_t room, size_t limit,
                      const struct dns_query *q)
{
	uint16_t kept = q->flags & (0x7800 | DNS_FLAG_RD | DNS_FLAG_CD);
	build_begin(b, buf, limit < room ? limit : room, q->id, kept | DNS_FLAG_QR | DNS_FLAG_RA);
	if (q->question_len != 0) {
		assert(b->end >= DNS_HEADER_SIZE + (size_t)q->question_len);
		memcpy(buf + DNS_HEADER_SIZE, q->wire + DNS_HEADER_SIZE, q->question_len);
		build_question_done(b, DNS_HEADER_SIZE + (size_t)q->question_len);
	}
}

void dns_build_question(struct dns_build *b, uint8_t *buf, size_t room, uint16_t id, uint16_t flags,
                        const uint8_t *name, uint16_t qtype)
{
	build_begin(b, buf, room, id, flags);
	size_t len = dns_name_len(name);
	assert(b->end >= DNS_HEADER_SIZE + len + 4);
	memcpy(buf + DNS_HEADER_SIZE, name, len);
	put_u16(buf + DNS_HEADER_SIZE + len, qtype);
	put_u16(buf + DNS_HEADER_SIZE + len + 2, DNS_CLASS_IN);
	build_question_done(b, DNS_HEADER_SIZE + len + 4);
}

void dns_build_reserve(struct dns_build *b, size_t size)
{
	b->end = b->end - b->pos > size ? b->end - size : b->pos;
}

/* --- Going back --- */

struct dns_mark dns_build_mark(const struct dns_build *b)
{
	struct dns_mark mark = {.pos = b->pos, .names = b->names};
	memcpy(mark.count, b->count, sizeof(mark.count));
	return mark;
}

void dns_build_drop(struct dns_build *b, const struct dns_mark *mark)
{
	b->pos = mark->pos;
	b->names = mark->names;
	memcpy(b->count, mark->count, sizeof(b->count));
}

void dns_build_cut(struct dns_build *b, const struct dns_mark *mark)
{
	dns_build_drop(b, mark);
	b->truncated = true;
}

/* --- Names --- */

/* A name in the message, followed through its pointers (all of them ours). */
static size_t label_at(const uint8_t *wire, size_t at)
{
	while (wire[at] > DNS_LABEL_MAX) {
		at = get_u16(wire + at) & POINTER_MAX;
	}
	return at;
}

/* Offsets of the labels of the name at `at`; the root's is not among them. Returns how many. */
static unsigned int labels_of(const uint8_t *wire, size_t at, uint16_t *ret_at)
{
	unsigned int labels = 0;
	for (at = label_at(wire, at); wire[at] != 0; at = label_at(wire, at + wire[at] + 1)) {
		ret_at[labels++] = (uint16_t)at;
	}
	return labels;
}

/*
 * How many labels from the root on this known name shares with the name (labels of it at at[]). *ret_at is
 * where the shared part begins in the message.
 */
static unsigned int labels_shared(const struct dns_build *b, uint16_t known, const uint8_t *name,
                                  const uint16_t *at, unsigned int labels, uint16_t *ret_at)
{
	uint16_t known_at[DNS_LABELS_MAX];
	unsigned int left = labels_of(b->wire, known, known_at);
	unsigned int shared = 0;
	while (shared < labels && left > 0) {
		const uint8_t *a = name + at[labels - 1 - shared];
		const uint8_t *c = b->wire + known_at[left - 1];
		if (*a != *c || !dns__octets_equal(a + 1, c + 1, *a)) {
			break;
		}
		shared++;
		left--;
		*ret_at = known_at[left];
	}
	return shared;
}

/* Known names stand at or below POINTER_MAX, but their later labels need not. */
static unsigned int best_suffix(const struct dns_build *b, const uint8_t *name, const uint16_t *at,
                                unsigned int labels, uint16_t *ret_at)
{
	unsigned int best = 0;
	for (unsigned int i = 0; i < b->names && best < labels; i++) {
		uint16_t shared_at = 0;
		unsigned int shared = labels_shared(b, b->name_at[i], name, at, labels, &shared_at);
		if (shared > best && shared_at <= POINTER_MAX) {
			best = shared;
			*ret_at = shared_at;
		}
	}
	return best;
}

static bool has_room(const struct dns_build *b, size_t size)
{
	return b->end - b->pos >= size;
}

static void name_known(struct dns_build *b, size_t at)
{
	if (b->names < DNS_BUILD_NAMES && at <= POINTER_MAX) {
		b->name_at[b->names++] = (uint16_t)at;
	}
}

static bool pointer_write(struct dns_build *b, uint16_t target)
{
	if (!has_room(b, 2)) {
		return false;
	}
	put_u16(b->wire + b->pos, (uint16_t)(0xc000 | target));
	b->pos += 2;
	return true;
}

/* The name as labels, then a pointer to the longest suffix that is there already. */
static bool name_write(struct dns_build *b, const uint8_t *name)
{
	if (b->question_end > DNS_HEADER_SIZE && dns_name_equal(name, b->wire + DNS_HEADER_SIZE) &&
	    *name != 0) {
		return pointer_write(b, DNS_HEADER_SIZE);
	}
	uint16_t at[DNS_LABELS_MAX];
	uint16_t target = 0;
	unsigned int labels = 0;
	size_t len = 0;
	for (; name[len] != 0; len += (size_t)name[len] + 1) {
		at[labels++] = (uint16_t)len;
	}
	unsigned int shared = best_suffix(b, name, at, labels, &target);
	size_t literal = shared > 0 ? at[labels - shared] : len + 1;
	if (!has_room(b, literal + (shared > 0 ? 2 : 0))) {
		return false;
	}
	if (literal > 1) { /* neither a pointer alone nor the root alone is worth aiming at */
		name_known(b, b->pos);
	}
	memcpy(b->wire + b->pos, name, literal);
	b->pos += literal;
	return shared == 0 || pointer_write(b, target);
}

uint16_t dns_build_name(struct dns_build *b, const uint8_t *name)
{
	size_t at = b->pos;
	return !b->truncated && name_write(b, name) ? (uint16_t)at : 0;
}

/* --- Records --- */

/*
 * How much of the data stands before a name that may be compressed in it and ends it (RFC 1035 section 3.3, RFC
 * 3597 section 4; SRV's may not be), or -1. An SOA's names are seldom near the question's: left as they are.
 */
static int rdata_name_end(uint16_t type)
{
	switch (type) {
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_PTR:
		return 0;
	case DNS_TYPE_MX:
		return 2;
	default:
		return -1;
	}
}

/* Data that ends in a name, the name compressed. */
static bool rdata_compress(struct dns_build *b, const uint8_t *rdata, unsigned int before)
{
	if (!has_room(b, 2 + (size_t)before)) {
		return false;
	}
	size_t length_at = b->pos;
	memcpy(b->wire + b->pos + 2, rdata, before);
	b->pos += 2 + (size_t)before;
	if (!name_write(b, rdata + before)) {
		return false;
	}
	put_u16(b->wire + length_at, (uint16_t)(b->pos - length_at - 2));
	return true;
}

/* A name in the data just written may be the owner of later records: a CNAME's target, a mail host. */
static void rdata_known(struct dns_build *b, uint16_t type, size_t at, uint16_t rdlen)
{
	int offset = dns__layout_name(type, b->wire + at, rdlen);
	if (offset >= 0 && b->wire[at + (size_t)offset] != 0) {
		name_known(b, at + (size_t)offset);
	}
}

/* All behind the owner. */
static bool rr_write(struct dns_build *b, enum dns_section section, uint16_t type, uint16_t class,
                     uint32_t ttl, const uint8_t *rdata, uint16_t rdlen)
{
	if (!has_room(b, 10)) {
		return false;
	}
	uint8_t *at = b->wire + b->pos;
	put_u16(at, type);
	put_u16(at + 2, class);
	put_u32(at + 4, ttl);
	int before = rdata_name_end(type);
	if (before >= 0) {
		b->pos += 8;
		if (!rdata_compress(b, rdata, (unsigned int)before)) {
			return false;
		}
	} else {
		if (!has_room(b, 10 + (size_t)rdlen)) {
			return false;
		}
		put_u16(at + 8, rdlen);
		if (rdlen > 0) {
			memcpy(at + 10, rdata, rdlen);
		}
		if (type != DNS_TYPE_A && type != DNS_TYPE_AAAA) {
			rdata_known(b, type, b->pos + 10, rdlen);
		}
		b->pos += 10 + (size_t)rdlen;
	}
	b->count[section]++;
	return true;
}

bool dns_build_rr(struct dns_build *b, enum dns_section section, const uint8_t *owner,
                  uint16_t type, uint16_t class, uint32_t ttl, const uint8_t *rdata, uint16_t rdlen)
{
	struct dns_mark mark = dns_build_mark(b);
	if (!b->truncated && name_write(b, owner) &&
	    rr_write(b, section, type, class, ttl, rdata, rdlen)) {
		return true;
	}
	dns_build_drop(b, &mark);
	return false;
}

bool dns_build_rr_at(struct dns_build *b, enum dns_section section, uint16_t owner_at,
                     uint16_t type, uint16_t class, uint32_t ttl, const uint8_t *rdata,
                     uint16_t rdlen)
{
	assert(owner_at >= DNS_HEADER_SIZE && owner_at < b->pos);
	if (owner_at > POINTER_MAX) { /* out of a pointer's reach: written once more */
		uint8_t owner[DNS_NAME_MAX];
		int len = dns_msg_name(b->wire, b->pos, owner_at, owner, NULL);
		assert(len > 0);
		return dns_build_rr(b, section, owner, type, class, ttl, rdata, rdlen);
	}
	struct dns_mark mark = dns_build_mark(b);
	if (!b->truncated && pointer_write(b, owner_at) &&
	    rr_write(b, section, type, class, ttl, rdata, rdlen)) {
		return true;
	}
	dns_build_drop(b, &mark);
	return false;
}

/* --- The end --- */

static size_t text_size(const char *text, size_t max)
{
	return text == NULL ? 0 : strnlen(text, max);
}

size_t dns_opt_size(const struct dns_opt *opt)
{
	size_t size = OPT_FIXED;
	if (opt->cookie_len > 0) {
		size += OPTION_HEADER + (size_t)opt->cookie_len;
	}
	if (opt->keepalive != DNS_KEEPALIVE_NONE) {
		size += OPTION_HEADER + (opt->keepalive == DNS_KEEPALIVE_ASK ? 0 : 2);
	}
	if (opt->ede != DNS_EDE_NONE) {
		size += OPTION_HEADER + 2 + text_size(opt->ede_text, EDE_TEXT_MAX);
	}
	if (opt->nsid != NULL) {
		size += OPTION_HEADER + text_size(opt->nsid, NSID_MAX);
	}
	return size;
}

/* The header of an option of size octets, when all of it fits. */
static bool option_begin(struct writer *w, uint16_t code, size_t size)
{
	if (w->end - w->pos < OPTION_HEADER + size) {
		return false;
	}
	writer_u16(w, code);
	writer_u16(w, (uint16_t)size);
	return true;
}

/* In the order of their worth; an extended error goes without its text rather than not at all. */
static void options_write(struct writer *w, const struct dns_opt *opt)
{
	if (opt->cookie_len > 0 && option_begin(w, DNS_OPTION_COOKIE, opt->cookie_len)) {
		writer_bytes(w, opt->cookie, opt->cookie_len);
	}
	if (opt->keepalive == DNS_KEEPALIVE_ASK) {
		option_begin(w, DNS_OPTION_KEEPALIVE, 0);
	} else if (opt->keepalive >= 0 && option_begin(w, DNS_OPTION_KEEPALIVE, 2)) {
		writer_u16(w, (uint16_t)opt->keepalive);
	}
	if (opt->ede != DNS_EDE_NONE) {
		size_t size = text_size(opt->ede_text, EDE_TEXT_MAX);
		if (w->end - w->pos < OPTION_HEADER + 2 + size) {
			size = 0;
		}
		if (option_begin(w, DNS_OPTION_EDE, 2 + size)) {
			writer_u16(w, (uint16_t)opt->ede);
			writer_bytes(w, opt->ede_text, size);
		}
	}
	if (opt->nsid != NULL) {
		size_t size = text_size(opt->nsid, NSID_MAX);
		if (option_begin(w, DNS_OPTION_NSID, size)) {
			writer_bytes(w, opt->nsid, size);
		}
	}
}

/* The last option: as many zeros as the block wants, or as there is room for. */
static void padding_write(struct writer *w, size_t block)
{
	static const uint8_t zeros[512];
	size_t full = (w->pos + OPTION_HEADER + block - 1) / block * block;
	size_t end = full < w->end ? full : w->end;
	if (end < w->pos + OPTION_HEADER) {
		return;
	}
	size_t size = end - w->pos - OPTION_HEADER;
	option_begin(w, DNS_OPTION_PADDING, size);
	while (size > 0) {
		size_t part = size < sizeof(zeros) ? size : sizeof(zeros);
		writer_bytes(w, zeros, part);
		size -= part;
	}
}

/* False when not even an empty OPT fits. */
static bool opt_write(struct dns_build *b, unsigned int rcode, const struct dns_opt *opt)
{
	if (b->room - b->pos < OPT_FIXED) {
		return false;
	}
	struct writer w = writer_of(b->wire, b->room);
	w.pos = b->pos;
	writer_u8(&w, 0);
	writer_u16(&w, DNS_TYPE_OPT);
	writer_u16(&w, opt->udp_size);
	writer_u8(&w, (uint8_t)(rcode >> 4));
	writer_u8(&w, 0);
	writer_u16(&w, opt->dnssec_ok ? 0x8000 : 0);
	writer_u16(&w, 0);
	options_write(&w, opt);
	if (opt->pad_block != 0) {
		padding_write(&w, opt->pad_block);
	}
	put_u16(b->wire + b->pos + 9, (uint16_t)(w.pos - b->pos - OPT_FIXED));
	b->pos = w.pos;
	b->count[DNS_SECTION_ADDITIONAL]++;
	return true;
}

size_t dns_build_end(struct dns_build *b, uint16_t extra_flags, unsigned int rcode,
                     const struct dns_opt *opt)
{
	bool extended = opt != NULL && opt_write(b, rcode, opt);
	assert(rcode <= 15 || extended);
	uint16_t flags = get_u16(b->wire + 2);
	flags |= extra_flags | (b->truncated ? DNS_FLAG_TC : 0) | (rcode & 15);
	put_u16(b->wire + 2, flags);
	for (unsigned int i = 0; i < 3; i++) {
		put_u16(b->wire + 6 + 2 * i, b->count[i]);
	}
	return b->pos;
}
