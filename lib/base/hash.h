/*
 * base/hash.h - one keyed hash for every table, seeded once a process so that nobody can aim at a bucket.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The process' secrets; filled before main() runs, never changed after. */
extern uint64_t hash_secret[4];

static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Up to 8 octets as one word that differs for any two of one size; loads of fixed size, since those are quick. */
static inline uint64_t hash_tail(const uint8_t *p, size_t size)
{
	if (size >= 4) {
		uint32_t first;
		uint32_t last;
		memcpy(&first, p, 4);
		memcpy(&last, p + size - 4, 4);
		return first | (uint64_t)last << 32;
	}
	if (size == 0) {
		return 0;
	}
	return p[0] | (uint64_t)p[size / 2] << 8 | (uint64_t)p[size - 1] << 16;
}

/* state goes on from an earlier call (or is 0): hash_step(hash_step(0, x), y) hashes x then y. */
static inline uint64_t hash_step(uint64_t state, const void *bytes, size_t size)
{
	const uint8_t *p = bytes;
	state ^= hash_secret[0] + size;
	while (size > 8) {
		uint64_t word;
		memcpy(&word, p, 8);
		state = hash_mix(state ^ word, hash_secret[1]);
		p += 8;
		size -= 8;
	}
	state = hash_mix(state ^ hash_tail(p, size), hash_secret[2]);
	/* Once more: after one product alone, 1 secret in 60 spreads numbers in sequence badly. */
	return hash_mix(state ^ hash_secret[1], hash_secret[3]);
}

/* 64 bits folded to the 32 that tables use. */
static inline uint32_t hash_fold(uint64_t state)
{
	return (uint32_t)(state ^ (state >> 32));
}

/*
 * The same in every process and on every machine (unkeyed): for ids that are compared over restarts.
 * Not for tables that a peer can fill.
 */
uint64_t hash_stable(const void *bytes, size_t size);

/*
 * Of large blocks, to see whether they were damaged: about ten times as fast, the same in every process, but not on
 * machines of the other byte order.
 */
uint64_t hash_sum(const void *bytes, size_t size);
