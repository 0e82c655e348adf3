#include "base/siphash.h"
#include <string.h>

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, unsigned int by)
{
	return x << by | x >> (64 - by);
}

static uint64_t word_of(const uint8_t *at)
{
	uint64_t word = 0;
	for (unsigned int i = 0; i < 8; i++) {
		word |= (uint64_t)at[i] << (8 * i);
	}
	return word;
}

static void round_of(struct state *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 = rotate(s->v2, 32);
}

static void word_in(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	round_of(s);
	round_of(s);
	s->v0 ^= word;
}

uint64_t siphash_digest(const uint8_t key[SIPHASH_KEY], const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	uint64_t k0 = word_of(key);
	uint64_t k1 = word_of(key + 8);
	struct state s = {
		.v0 = k0 ^ UINT64_C(0x736f6d6570736575),
		.v1 = k1 ^ UINT64_C(0x646f72616e646f6d),
		.v2 = k0 ^ UINT64_C(0x6c7967656e657261),
		.v3 = k1 ^ UINT64_C(0x7465646279746573),
	};
	size_t whole = size - size % 8;
	for (size_t i = 0; i < whole; i += 8) {
		word_in(&s, word_of(at + i));
	}
	uint8_t last[8] = {0};
	if (size > whole) {
		memcpy(last, at + whole, size - whole);
	}
	last[7] = (uint8_t)size;
	word_in(&s, word_of(last));
	s.v2 ^= 0xff;
	for (unsigned int i = 0; i < 4; i++) {
		round_of(&s);
	}
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
