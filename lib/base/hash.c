#include "base/hash.h"
#include "base/random.h"

uint64_t hash_secret[4];

/*
 * Early among the constructors, so that none of another room hashes before. Odd factors lose no bit
 * in the product, and are never zero.
 */
__attribute__((constructor(101))) static void hash_secret_fill(void)
{
	random_bytes(hash_secret, sizeof(hash_secret));
	for (size_t i = 0; i < sizeof(hash_secret) / sizeof(hash_secret[0]); i++) {
		hash_secret[i] |= 1;
	}
}

uint64_t hash_stable(const void *bytes, size_t size)
{
	/* FNV-1a, 64 bits. */
	const uint8_t *p = bytes;
	uint64_t state = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < size; i++) {
		state = (state ^ p[i]) * UINT64_C(0x100000001b3);
	}
	/* FNV leaves the high bits of short inputs poor; the finish of MurmurHash3 spreads them. */
	state = (state ^ (state >> 33)) * UINT64_C(0xff51afd7ed558ccd);
	state = (state ^ (state >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
	return state ^ (state >> 33);
}

/* Four lanes, so that a product need not wait for the one before; odd factors lose no bit. */
uint64_t hash_sum(const void *bytes, size_t size)
{
	static const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
	const uint8_t *p = bytes;
	uint64_t lane[4] = {1, 2, 3, 4};
	size_t left = size;
	for (; left >= 32; left -= 32, p += 32) {
		uint64_t word[4];
		memcpy(word, p, sizeof(word));
		for (size_t i = 0; i < 4; i++) {
			lane[i] = hash_mix(lane[i] ^ word[i], factor) + word[i];
		}
	}
	uint64_t state = hash_stable(p, left) ^ size;
	for (size_t i = 0; i < 4; i++) {
		state = hash_mix(state ^ lane[i], factor) + lane[i];
	}
	return state;
}
