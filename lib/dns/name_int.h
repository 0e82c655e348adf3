/*
 * dns/name_int.h - octets folded eight at a time, and keys made straight from a packet.
 */
#pragma once

#include "dns/name.h"
#include <string.h>

/*
 * ASCII letters of eight octets in lower case; others untouched. Length octets (0..63) lie below 'A',
 * so a whole name may go through, labels and lengths alike.
 */
static inline uint64_t dns__fold8(uint64_t word)
{
	const uint64_t ones = 0x0101010101010101u;
	uint64_t low = word & (0x7f * ones);
	uint64_t from_a = low + (0x80 - 'A') * ones;     /* bit 7: at least 'A' */
	uint64_t past_z = low + (0x80 - 'Z' - 1) * ones; /* bit 7: above 'Z' */
	uint64_t upper = (from_a ^ past_z) & ~word & (0x80 * ones);
	return word | (upper >> 2);
}

static inline uint64_t dns__load8(const uint8_t *at)
{
	uint64_t word;
	memcpy(&word, at, sizeof(word));
	return word;
}

static inline bool dns__same8(const uint8_t *a, const uint8_t *b)
{
	return dns__fold8(dns__load8(a)) == dns__fold8(dns__load8(b));
}

/* The same octets, ASCII case aside. */
static inline bool dns__octets_equal(const uint8_t *a, const uint8_t *b, size_t size)
{
	if (size >= 8) { /* what is left over once more with octets before it */
		size_t last = size - 8;
		for (size_t i = 0; i < last; i += 8) {
			if (!dns__same8(a + i, b + i)) {
				return false;
			}
		}
		return dns__same8(a + last, b + last);
	}
	for (size_t i = 0; i < size; i++) {
		if (dns_fold(a[i]) != dns_fold(b[i])) {
			return false;
		}
	}
	return true;
}

/*
 * The key of the name at the start of bytes, of which room may be read. Returns the octets of the name, or 0
 * when it is compressed, has labels of another kind, runs over the room or over DNS_NAME_MAX.
 */
size_t dns__key_read(struct dns_key *key, const uint8_t *bytes, size_t room);

/*
 * The octet at *text, which stands behind a backslash: three digits of this base (8 or 10), or any other
 * character for itself. Moves *text on. -1 when there is none.
 */
int dns__escape_read(const char **text, int base);
