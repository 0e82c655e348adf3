/*
 * cache/persist_int.h - the file of kept answers.
 *
 *   head   magic (8), version (4), reserved (4), wall clock in seconds (8), sum of these (8)
 *   block  sum (8) of length and bytes, length (4), bytes: whole entries; one of length 0 ends the file
 *   entry  age, life, origin (4 each), type, rcode, size, answers, authorities (2 each), flags, outcome,
 *          chain (1 each), name, of CHAIN the next name, body
 *
 * Numbers are big-endian; sums are hash_stable's. Offsets of TTLs are found again in the body when it is read.
 */
#pragma once

#include "base/cursor.h"
#include "base/hash.h"
#include "cache/persist.h"

#define PERSIST_MAGIC      "HZcache\n"
#define PERSIST_VERSION    1u
#define PERSIST_HEAD       32u
#define PERSIST_BLOCK_HEAD 12u
#define PERSIST_ENTRY_HEAD 25u

/*
 * The bytes of a file. Returns 0, FAIL_FORMAT (damaged; *ret_why says how: nothing was taken unless an entry makes
 * no sense in spite of its sum), FAIL_CHANGED (another version) or FAIL_NOMEM.
 */
int cache__restore(struct cache *cache, const uint8_t *bytes, size_t size, uint64_t now_s,
                   int64_t wall_now_s, size_t *ret_count, const char **ret_why);

static inline uint64_t persist__u64(const uint8_t *at)
{
	return (uint64_t)get_u32(at) << 32 | get_u32(at + 4);
}

static inline void persist__put_u64(uint8_t *at, uint64_t value)
{
	put_u32(at, (uint32_t)(value >> 32));
	put_u32(at + 4, (uint32_t)value);
}
