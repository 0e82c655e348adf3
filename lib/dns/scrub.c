#include "dns/scrub.h"
#include "base/fail.h"
#include "base/hash.h"
#include "dns/layout_int.h"
#include "dns/msg_int.h"
#include "dns/name_int.h"

#define POINTER_MAX 0x3fff
#define RECORDS_MAX ((DNS_MSG_MAX - DNS_HEADER_SIZE) / 11) /* a root owner and ten octets each */

/* A record of the answer section. Its owner is expanded once, for the hash: a chain looks through all of them often. */
struct record {
	uint32_t hash;
	uint16_t at;
	uint16_t type;
};

/* A name that records are looked for by. */
struct owner {
	const uint8_t *name; /* expanded, where it stands */
	uint32_t hash;
	uint16_t at; /* its offset in a message with the body in place; 0: nowhere */
};

struct scrub {
	const struct dns_reply *reply;
	const struct dns_scrub_opts *opts;
	uint16_t qtype;
	struct writer out;
	size_t base; /* where the body begins in a message */
	uint16_t *ttl_at;
	size_t ttl_count;
	bool full; /* no room for more TTL offsets */
	uint32_t ttl_least;
	uint16_t count[2];
	const uint8_t
		*seen[DNS_CHAIN_MAX + 1]; /* names of the chain so far, the question's first */
	unsigned int chain;
	struct owner end; /* of the chain */
	/* the last pointer that was seen to mean an owner: an RRset of thousands need not be spelled out each time */
	uint16_t known_pointer;
	const uint8_t *known_name;
	unsigned int records;
	struct record record[RECORDS_MAX];
};

/* --- Records by owner --- */

static uint32_t name_hash(const uint8_t *name, size_t len)
{
	uint8_t folded[DNS_NAME_MAX];
	memcpy(folded, name, len);
	dns_name_lower(folded);
	return hash_fold(hash_step(0, folded, len));
}

static size_t rr_owner(const struct scrub *s, uint16_t at, uint8_t *ret_name)
{
	int len = dns_msg_name(s->reply->wire, s->reply->size, at, ret_name, NULL);
	return len > 0 ? (size_t)len : 0;
}

/* The pointer that an owner is as a whole, or 0. */
static uint16_t owner_pointer(const struct scrub *s, uint16_t at)
{
	const uint8_t *owner = s->reply->wire + at;
	return owner[0] > DNS_LABEL_MAX ? get_u16(owner) : 0;
}

/* Records of an RRset most often have the same pointer for an owner, and that to the question: hashed once. */
static void records_collect(struct scrub *s)
{
	struct dns_walk walk;
	struct dns_rr rr;
	uint32_t hash = s->end.hash;
	uint16_t pointer = s->known_pointer;
	dns_walk_begin(&walk, s->reply, DNS_SECTION_ANSWER);
	while (dns_walk_next(&walk, &rr)) {
		uint16_t now = owner_pointer(s, rr.owner);
		if (rr.class != DNS_CLASS_IN) {
			continue;
		}
		if (now == 0 || now != pointer) {
			uint8_t name[DNS_NAME_MAX];
			hash = name_hash(name, rr_owner(s, rr.owner, name));
			pointer = now;
		}
		s->record[s->records++] =
			(struct record){.hash = hash, .at = rr.owner, .type = rr.type};
	}
}

static bool record_owned(struct scrub *s, const struct record *record, const struct owner *owner)
{
	uint8_t name[DNS_NAME_MAX];
	uint16_t pointer = owner_pointer(s, record->at);
	if (record->hash != owner->hash) {
		return false;
	}
	if (pointer != 0 && pointer == s->known_pointer && owner->name == s->known_name) {
		return true;
	}
	if (rr_owner(s, record->at, name) == 0 || !dns_name_equal(name, owner->name)) {
		return false;
	}
	s->known_pointer = pointer;
	s->known_name = owner->name;
	return true;
}

/* The type that an RRSIG signs. */
static uint16_t rrsig_covers(const struct scrub *s, const struct dns_rr *rr)
{
	return get_u16(s->reply->wire + rr->rdata);
}

/* Numbers for questions and for messages, not for data (RFC 6895 section 3.1). */
static bool is_meta(uint16_t type)
{
	return type == DNS_TYPE_OPT || (type >= 128 && type <= 255);
}

/* Part of the set of this type by its own type: itself, its signature, or anything for ANY. */
static bool type_belongs(const struct scrub *s, const struct record *record, uint16_t type)
{
	if (record->type == type) {
		return true;
	}
	if (type == DNS_TYPE_ANY) {
		return !is_meta(record->type) && record->type != DNS_TYPE_DNAME &&
		       (record->type != DNS_TYPE_RRSIG || s->opts->dnssec_ok);
	}
	if (record->type != DNS_TYPE_RRSIG || !s->opts->dnssec_ok) {
		return false;
	}
	struct dns_rr rr;
	dns__rr_at(s->reply, record->at, &rr);
	return rrsig_covers(s, &rr) == type;
}

static bool record_belongs(struct scrub *s, const struct record *record, const struct owner *owner,
                           uint16_t type)
{
	return record->hash == owner->hash && type_belongs(s, record, type) &&
	       record_owned(s, record, owner);
}

/* Whether owner has anything of this type (signatures alone do not count), and the set's TTL: its least. */
static bool set_find(struct scrub *s, const struct owner *owner, uint16_t type, uint32_t *ret_ttl)
{
	bool found = false;
	uint32_t least = UINT32_MAX;
	for (unsigned int i = 0; i < s->records; i++) {
		const struct record *record = &s->record[i];
		if (!record_belongs(s, record, owner, type)) {
			continue;
		}
		struct dns_rr rr;
		dns__rr_at(s->reply, record->at, &rr);
		least = rr.ttl < least ? rr.ttl : least;
		found = found || rr.type == type || type == DNS_TYPE_ANY;
	}
	*ret_ttl = least;
	return found;
}

/* --- Writing --- */

static uint32_t ttl_clamp(const struct dns_scrub_opts *opts, uint32_t ttl)
{
	if (ttl == 0) {
		return 0;
	}
	ttl = ttl < opts->min_ttl ? opts->min_ttl : ttl;
	return ttl > opts->max_ttl ? opts->max_ttl : ttl;
}

static void owner_write(struct scrub *s, const struct owner *owner)
{
	if (owner->name[0] != 0 && owner->at != 0 && owner->at <= POINTER_MAX) {
		writer_u16(&s->out, (uint16_t)(0xc000 | owner->at));
	} else {
		writer_bytes(&s->out, owner->name, dns_name_len(owner->name));
	}
}

/* Returns the offset of the data in the body; meaningless once out is bad. */
static size_t rr_write(struct scrub *s, enum dns_section section, const struct owner *owner,
                       const struct dns_rr *rr, uint32_t ttl)
{
	owner_write(s, owner);
	writer_u16(&s->out, rr->type);
	writer_u16(&s->out, DNS_CLASS_IN);
	if (s->ttl_count < s->opts->ttl_room) {
		s->ttl_at[s->ttl_count++] = (uint16_t)s->out.pos;
	} else {
		s->full = true;
	}
	writer_u32(&s->out, ttl);
	uint8_t *rdlen = writer_room(&s->out, 2);
	size_t at = s->out.pos;
	dns__rdata_expand(s->reply->wire, s->reply->size, rr->type, rr->rdata, rr->rdlen, &s->out);
	if (!s->out.bad && rdlen != NULL) {
		put_u16(rdlen, (uint16_t)(s->out.pos - at));
	}
	s->count[section]++;
	s->ttl_least = ttl < s->ttl_least ? ttl : s->ttl_least;
	return at;
}

/*
 * The set of this type into the answer. A name has one CNAME; of more the first counts. Returns the offset in the
 * body of the first record's data.
 */
static size_t set_write(struct scrub *s, const struct owner *owner, uint16_t type, uint32_t ttl)
{
	size_t first = 0;
	for (unsigned int i = 0; i < s->records; i++) {
		const struct record *record = &s->record[i];
		bool again = first != 0 && record->type == DNS_TYPE_CNAME;
		if (again || !record_belongs(s, record, owner, type)) {
			continue;
		}
		struct dns_rr rr;
		dns__rr_at(s->reply, record->at, &rr);
		size_t at = rr_write(s, DNS_SECTION_ANSWER, owner, &rr, ttl_clamp(s->opts, ttl));
		if (first == 0 && rr.type == type) {
			first = at;
		}
	}
	return first;
}

/* --- The chain --- */

static bool is_ours(const struct dns_scrub_opts *opts, const uint8_t *name)
{
	return dns_name_within(name, opts->bailiwick) &&
	       (opts->ours == NULL || opts->ours(opts->ctx, name));
}

/* The chain goes on at the CNAME target that was written here. */
static int chain_extend(struct scrub *s, size_t target)
{
	const uint8_t *name = s->out.base + target;
	if (s->chain == DNS_CHAIN_MAX) {
		return FAIL_FORMAT;
	}
	for (unsigned int i = 0; i <= s->chain; i++) {
		if (dns_name_equal(name, s->seen[i])) {
			return FAIL_FORMAT;
		}
	}
	s->seen[++s->chain] = name;
	s->end = (struct owner){
		.name = name,
		.hash = name_hash(name, dns_name_len(name)),
		.at = (uint16_t)(s->base + target),
	};
	return 0;
}

/* Where the chain came to. */
enum chain_end {
	CHAIN_AT_SET,
	CHAIN_AT_NOTHING,
	CHAIN_OUTSIDE,
};

/* Returns a chain_end, or a failure. */
static int chain_follow(struct scrub *s)
{
	for (;;) {
		uint32_t ttl;
		if (set_find(s, &s->end, s->qtype, &ttl)) {
			set_write(s, &s->end, s->qtype, ttl);
			return CHAIN_AT_SET;
		}
		if (s->qtype == DNS_TYPE_ANY || !set_find(s, &s->end, DNS_TYPE_CNAME, &ttl)) {
			return CHAIN_AT_NOTHING;
		}
		size_t target = set_write(s, &s->end, DNS_TYPE_CNAME, ttl);
		if (s->out.bad) {
			return FAIL_LIMIT;
		}
		int ret = chain_extend(s, target);
		if (ret != 0) {
			return ret;
		}
		if (!is_ours(s->opts, s->end.name)) {
			return CHAIN_OUTSIDE;
		}
	}
}

/* --- Authority --- */

/* The SOA that says how long the end of the chain has nothing: of a zone around it, within bailiwick. */
static bool soa_find(const struct scrub *s, struct dns_rr *ret_rr, uint8_t *ret_owner)
{
	struct dns_walk walk;
	dns_walk_begin(&walk, s->reply, DNS_SECTION_AUTHORITY);
	while (dns_walk_next(&walk, ret_rr)) {
		if (ret_rr->type == DNS_TYPE_SOA && ret_rr->class == DNS_CLASS_IN &&
		    rr_owner(s, ret_rr->owner, ret_owner) > 0 &&
		    dns_name_within(s->end.name, ret_owner) &&
		    dns_name_within(ret_owner, s->opts->bailiwick)) {
			return true;
		}
	}
	return false;
}

/* The life of a denial (RFC 2308 section 5). */
static uint32_t soa_ttl(const struct scrub *s, const struct dns_rr *soa)
{
	uint32_t minimum = get_u32(s->reply->wire + soa->rdata + soa->rdlen - 4);
	uint32_t ttl = soa->ttl < minimum ? soa->ttl : minimum;
	return ttl < s->opts->max_negative_ttl ? ttl : s->opts->max_negative_ttl;
}

/* Denials of existence with their signatures, and those of the SOA (soa may be NULL), for clients who validate. */
static void proofs_write(struct scrub *s, const struct owner *soa, uint32_t ttl_max)
{
	struct dns_walk walk;
	struct dns_rr rr;
	dns_walk_begin(&walk, s->reply, DNS_SECTION_AUTHORITY);
	while (s->opts->dnssec_ok && dns_walk_next(&walk, &rr)) {
		bool signature = rr.type == DNS_TYPE_RRSIG;
		uint8_t name[DNS_NAME_MAX];
		if (rr.class != DNS_CLASS_IN || rr_owner(s, rr.owner, name) == 0) {
			continue;
		}
		uint16_t type = signature ? rrsig_covers(s, &rr) : rr.type;
		uint32_t ttl = ttl_clamp(s->opts, rr.ttl);
		ttl = ttl < ttl_max ? ttl : ttl_max;
		if (type == DNS_TYPE_SOA && signature && soa != NULL &&
		    dns_name_equal(name, soa->name)) {
			rr_write(s, DNS_SECTION_AUTHORITY, soa, &rr, ttl);
		} else if ((type == DNS_TYPE_NSEC || type == DNS_TYPE_NSEC3) &&
		           dns_name_within(name, s->opts->bailiwick)) {
			struct owner owner = {.name = name};
			rr_write(s, DNS_SECTION_AUTHORITY, &owner, &rr, ttl);
		}
	}
}

/* The SOA with its proofs; false when there is none to be believed. */
static bool denial_write(struct scrub *s)
{
	uint8_t name[DNS_NAME_MAX];
	struct dns_rr soa;
	if (!soa_find(s, &soa, name)) {
		return false;
	}
	size_t above = dns_name_len(s->end.name) - dns_name_len(name);
	struct owner owner = {.name = name, .at = (uint16_t)(s->end.at + above)};
	uint32_t ttl = soa_ttl(s, &soa);
	rr_write(s, DNS_SECTION_AUTHORITY, &owner, &soa, ttl);
	proofs_write(s, &owner, ttl);
	return true;
}

/* --- What it comes to --- */

static bool is_referral(const struct dns_reply *reply)
{
	struct dns_walk walk;
	struct dns_rr rr;
	if ((reply->flags & DNS_FLAG_AA) != 0) {
		return false;
	}
	dns_walk_begin(&walk, reply, DNS_SECTION_AUTHORITY);
	while (dns_walk_next(&walk, &rr)) {
		if (rr.type == DNS_TYPE_NS) {
			return true;
		}
	}
	return false;
}

/* An answer section that says nothing about the name (in our class) is an answer to another question. */
static bool is_beside(struct scrub *s)
{
	for (unsigned int i = 0; i < s->records; i++) {
		if (record_owned(s, &s->record[i], &s->end)) {
			return false;
		}
	}
	return s->reply->count[DNS_SECTION_ANSWER] > 0;
}

/* The chain ended at a name without the type, and inside. */
static enum dns_outcome nothing_outcome(struct scrub *s)
{
	bool denied = denial_write(s);
	if (!denied) {
		s->ttl_least =
			s->chain > 0 && s->reply->rcode == DNS_RCODE_NOERROR ? s->ttl_least : 0;
	}
	if (s->reply->rcode == DNS_RCODE_NXDOMAIN) {
		return DNS_OUTCOME_NXDOMAIN;
	}
	if (denied) {
		return DNS_OUTCOME_NODATA;
	}
	if (s->chain > 0) {
		return DNS_OUTCOME_CHAIN;
	}
	return is_referral(s->reply) || is_beside(s) ? DNS_OUTCOME_LAME : DNS_OUTCOME_NODATA;
}

static int scrub_outcome(struct scrub *s)
{
	if (s->reply->rcode != DNS_RCODE_NOERROR && s->reply->rcode != DNS_RCODE_NXDOMAIN) {
		return DNS_OUTCOME_LAME;
	}
	records_collect(s);
	int end = chain_follow(s);
	switch (end) {
	case CHAIN_AT_SET:
		proofs_write(s, NULL, UINT32_MAX);
		return DNS_OUTCOME_ANSWER;
	case CHAIN_AT_NOTHING:
		return (int)nothing_outcome(s);
	case CHAIN_OUTSIDE:
		return DNS_OUTCOME_CHAIN;
	default:
		return end;
	}
}

static void body_fill(const struct scrub *s, enum dns_outcome outcome, struct dns_body *body)
{
	bool lame = outcome == DNS_OUTCOME_LAME;
	body->outcome = outcome;
	body->rcode = outcome == DNS_OUTCOME_NXDOMAIN ? DNS_RCODE_NXDOMAIN : DNS_RCODE_NOERROR;
	body->rcode = lame ? s->reply->rcode : body->rcode;
	body->size = lame ? 0 : (uint16_t)s->out.pos;
	body->count[0] = lame ? 0 : s->count[0];
	body->count[1] = lame ? 0 : s->count[1];
	body->ttl_count = lame ? 0 : (uint16_t)s->ttl_count;
	body->chain = lame ? 0 : (uint8_t)s->chain;
	body->authentic = (s->reply->flags & DNS_FLAG_AD) != 0;
	body->ttl_s = lame ? 0 : s->ttl_least;
	body->next[0] = 0;
	if (outcome == DNS_OUTCOME_CHAIN) {
		memcpy(body->next, s->end.name, dns_name_len(s->end.name));
	}
}

int dns_scrub(const struct dns_reply *reply, const uint8_t *name, uint16_t qtype,
              const struct dns_scrub_opts *opts, struct dns_body *ret_body)
{
	size_t len = dns_name_len(name);
	size_t base = DNS_HEADER_SIZE + len + 4;
	size_t room = DNS_MSG_MAX - base; /* no message holds more, and offsets stay in 16 bits */

	struct scrub s; /* not cleared as a whole: record[] is 47 KiB */
	s.reply = reply;
	s.opts = opts;
	s.qtype = qtype;
	s.out = writer_of(ret_body->wire, opts->wire_room < room ? opts->wire_room : room);
	s.base = base;
	s.ttl_at = ret_body->ttl_at;
	s.ttl_count = 0;
	s.full = false;
	s.ttl_least = UINT32_MAX;
	memset(s.count, 0, sizeof(s.count));
	s.seen[0] = name;
	s.chain = 0;
	s.end = (struct owner){.name = name, .hash = name_hash(name, len), .at = DNS_HEADER_SIZE};
	bool asked = reply->has_question && dns_name_equal(reply->wire + DNS_HEADER_SIZE, name);
	s.known_pointer = asked ? 0xc000 | DNS_HEADER_SIZE : 0;
	s.known_name = name;
	s.records = 0;

	int outcome = scrub_outcome(&s);
	if (outcome < 0) {
		return outcome;
	}
	if (s.out.bad || s.full) {
		return FAIL_LIMIT;
	}
	body_fill(&s, (enum dns_outcome)outcome, ret_body);
	return 0;
}
