/*
 * cache/restore.c - reading the file of kept answers. Sums tell damage; in spite of them no byte is believed: a
 * body is taken only if it reads as an answer behind its question.
 */
#include "cache/persist_int.h"

#include "base/fail.h"
#include "cache/cache_int.h"
#include "dns/build.h"
#include <stdlib.h>

#define RECORDS_MAX 4096
#define LIFE_MAX_S  (1u << 30) /* lives and ages stay far from where 32 bits turn over */

struct restore {
	struct cache *cache;
	uint32_t now_s;
	uint32_t elapsed_s;   /* since the file was written */
	bool clock_went_back; /* nothing is known of lives */
	bool refused;         /* an entry found no room */
	size_t count;
	uint16_t ttl_at[RECORDS_MAX];
	uint8_t message[DNS_MSG_MAX];
};

struct kept {
	uint32_t age_s;
	struct cache_key key;
	struct dns_key name;
	struct dns_body body;
};

/* --- An entry --- */

/* A name of its own, without pointers. */
static bool name_read(struct reader *r, uint8_t *ret_name)
{
	size_t left = reader_left(r);
	size_t next;
	const uint8_t *at = r->base + r->pos;
	int len = left == 0 ? FAIL_FORMAT
	                    : dns_msg_name(at, left < DNS_NAME_MAX ? left : DNS_NAME_MAX, 0,
	                                   ret_name, &next);
	if (len < 0 || next != (size_t)len) {
		r->bad = true;
		return false;
	}
	reader_take(r, next);
	return true;
}

static bool outcome_fits(const struct dns_body *body)
{
	switch (body->outcome) {
	case DNS_OUTCOME_ANSWER:
	case DNS_OUTCOME_NODATA:
		return body->rcode == DNS_RCODE_NOERROR;
	case DNS_OUTCOME_NXDOMAIN:
		return body->rcode == DNS_RCODE_NXDOMAIN;
	case DNS_OUTCOME_CHAIN:
		return body->rcode == DNS_RCODE_NOERROR && body->chain != 0 && body->count[1] == 0;
	default:
		return false;
	}
}

static bool entry_read(struct reader *r, struct kept *kept)
{
	struct dns_body *body = &kept->body;
	uint8_t name[DNS_NAME_MAX];
	kept->age_s = reader_u32(r);
	body->ttl_s = reader_u32(r);
	kept->key.origin = reader_u32(r);
	kept->key.type = reader_u16(r);
	body->rcode = reader_u16(r);
	body->size = reader_u16(r);
	body->count[0] = reader_u16(r);
	body->count[1] = reader_u16(r);
	uint8_t flags = reader_u8(r);
	kept->key.flags = flags & (CACHE_DO | CACHE_CD);
	body->authentic = (flags & ENTRY_AUTHENTIC) != 0;
	body->outcome = reader_u8(r);
	body->chain = reader_u8(r);
	body->next[0] = 0;
	if (!name_read(r, name) ||
	    (body->outcome == DNS_OUTCOME_CHAIN && !name_read(r, body->next))) {
		return false;
	}
	/* Only read from: cache__shard_put copies. */
	body->wire = (uint8_t *)(uintptr_t)reader_take(r, body->size);
	dns_key_make(&kept->name, name);
	kept->key.name = &kept->name;
	return !r->bad && flags < 8 && body->ttl_s != 0 && body->ttl_s <= LIFE_MAX_S &&
	       kept->age_s <= LIFE_MAX_S && body->chain <= DNS_CHAIN_MAX && outcome_fits(body);
}

/* Where the TTLs of a section are; none may be less than the entry's life. */
static bool ttls_find(struct restore *restore, const struct dns_reply *reply,
                      enum dns_section section, size_t base, struct dns_body *body)
{
	struct dns_walk walk;
	struct dns_rr rr;
	unsigned int count = 0;
	dns_walk_begin(&walk, reply, section);
	while (dns_walk_next(&walk, &rr)) {
		if (body->ttl_count == RECORDS_MAX || rr.ttl < body->ttl_s) {
			return false;
		}
		restore->ttl_at[body->ttl_count++] = (uint16_t)(rr.ttl_at - base);
		count++;
	}
	return count == body->count[section];
}

/* The body behind its question is an answer, whole and nothing else. */
static bool body_fits(struct restore *restore, struct kept *kept)
{
	struct dns_body *body = &kept->body;
	struct dns_build b;
	struct dns_reply reply;
	dns_build_question(&b, restore->message, DNS_MSG_MAX, 0, DNS_FLAG_QR, kept->name.name,
	                   kept->key.type);
	size_t base = b.pos;
	if (b.end - b.pos < body->size) {
		return false;
	}
	memcpy(b.wire + b.pos, body->wire, body->size);
	b.pos += body->size;
	b.count[DNS_SECTION_ANSWER] = body->count[0];
	b.count[DNS_SECTION_AUTHORITY] = body->count[1];
	size_t size = dns_build_end(&b, 0, 0, NULL);
	body->ttl_at = restore->ttl_at;
	body->ttl_count = 0;
	return dns_reply_read(restore->message, size, &reply) == 0 &&
	       ttls_find(restore, &reply, DNS_SECTION_ANSWER, base, body) &&
	       ttls_find(restore, &reply, DNS_SECTION_AUTHORITY, base, body);
}

static void entry_keep(struct restore *restore, const struct kept *kept)
{
	uint64_t age_s = (uint64_t)kept->age_s + restore->elapsed_s;
	if (restore->clock_went_back && age_s < kept->body.ttl_s) {
		age_s = kept->body.ttl_s;
	}
	uint32_t stale_s = cache__stale_of(restore->cache);
	if (age_s >= (uint64_t)kept->body.ttl_s + stale_s || age_s > LIFE_MAX_S) {
		return;
	}
	struct cache_item item = {
		.key = &kept->key,
		.hash = cache__hash(&kept->key),
		.body = &kept->body,
		.now_s = restore->now_s,
		.stored_s = restore->now_s - (uint32_t)age_s,
	};
	if (cache__shard_put(cache__shard_of(restore->cache, item.hash), &item)) {
		restore->count++;
	} else {
		restore->refused = true;
	}
}

static bool block_read(struct restore *restore, const uint8_t *bytes, size_t size)
{
	struct reader r = reader_of(bytes, size);
	struct kept kept;
	while (reader_left(&r) != 0) {
		if (!entry_read(&r, &kept) || !body_fits(restore, &kept)) {
			return false;
		}
		entry_keep(restore, &kept);
	}
	return true;
}

/* --- The whole --- */

static int head_check(const uint8_t *bytes, size_t size, const char **ret_why)
{
	*ret_why = "is no file of kept answers, or damaged";
	if (size < PERSIST_HEAD || memcmp(bytes, PERSIST_MAGIC, 8) != 0 ||
	    persist__u64(bytes + 24) != hash_stable(bytes, 24)) {
		return FAIL_FORMAT;
	}
	*ret_why = "was written by another version";
	return get_u32(bytes + 8) == PERSIST_VERSION && get_u32(bytes + 12) == 0 ? 0 : FAIL_CHANGED;
}

/* The next block behind *at, or false: damaged, or (*ret_len 0) the end. */
static bool block_next(const uint8_t *bytes, size_t size, size_t *at, size_t *ret_len)
{
	*ret_len = 1;
	if (size - *at < PERSIST_BLOCK_HEAD) {
		return false;
	}
	size_t len = get_u32(bytes + *at + 8);
	if (len > size - *at - PERSIST_BLOCK_HEAD) {
		return false;
	}
	*ret_len = len;
	*at += PERSIST_BLOCK_HEAD + len;
	return len != 0;
}

static bool blocks_whole(const uint8_t *bytes, size_t size)
{
	size_t at = PERSIST_HEAD;
	size_t len;
	bool more;
	do {
		const uint8_t *block = bytes + at;
		more = block_next(bytes, size, &at, &len);
		if ((!more && len != 0) || persist__u64(block) != hash_stable(block + 8, 4 + len)) {
			return false;
		}
	} while (more);
	return at == size;
}

static bool blocks_read(struct restore *restore, const uint8_t *bytes, size_t size)
{
	size_t at = PERSIST_HEAD;
	size_t len;
	while (block_next(bytes, size, &at, &len)) {
		if (!block_read(restore, bytes + at - len, len)) {
			return false;
		}
		if (restore->refused) {
			/* No reader is here yet, but what was evicted is freed in its own time. */
			epoch_drain();
			restore->refused = false;
		}
	}
	return true;
}

static void clock_read(struct restore *restore, int64_t written_s, int64_t wall_now_s)
{
	restore->clock_went_back = written_s > wall_now_s;
	if (!restore->clock_went_back) {
		uint64_t elapsed_s = (uint64_t)wall_now_s - (uint64_t)written_s;
		restore->elapsed_s = elapsed_s < LIFE_MAX_S ? (uint32_t)elapsed_s : LIFE_MAX_S;
	}
}

int cache__restore(struct cache *cache, const uint8_t *bytes, size_t size, uint64_t now_s,
                   int64_t wall_now_s, size_t *ret_count, const char **ret_why)
{
	int ret = head_check(bytes, size, ret_why);
	if (ret != 0) {
		return ret;
	}
	*ret_why = "is damaged";
	if (!blocks_whole(bytes, size)) {
		return FAIL_FORMAT;
	}
	struct restore *restore = calloc(1, sizeof(*restore));
	if (restore == NULL) {
		return FAIL_NOMEM;
	}
	restore->cache = cache;
	restore->now_s = (uint32_t)now_s;
	clock_read(restore, (int64_t)persist__u64(bytes + 16), wall_now_s);
	ret = blocks_read(restore, bytes, size) ? 0 : FAIL_FORMAT;
	*ret_count = restore->count;
	free(restore);
	return ret;
}
