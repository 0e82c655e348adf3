/*
 * base/random.h - unpredictable numbers from getrandom(), and quick ones for fair draws.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Unpredictable (getrandom through a buffer of the thread, wiped as it is used). Never fails: aborts. */
void random_bytes(void *ret_bytes, size_t size);
uint16_t random_u16(void);
uint32_t random_u32(void);
uint64_t random_u64(void);
/* Even over 0 .. bound-1; bound > 0. */
uint32_t random_below(uint32_t bound);

/*
 * Quick draws (order of answers, weights): not for ids or ports. Each worker owns its state.
 * Seeded once from random_bytes. xoshiro256** style state of our own thread: no sharing.
 */
struct draw {
	uint64_t s[2];
};
void draw_seed(struct draw *draw);

static inline uint32_t draw_u32(struct draw *draw)
{
	uint64_t s1 = draw->s[0];
	const uint64_t s0 = draw->s[1];
	const uint64_t result = s0 + s1;
	draw->s[0] = s0;
	s1 ^= s1 << 23;
	draw->s[1] = s1 ^ s0 ^ (s1 >> 18) ^ (s0 >> 5);
	return (uint32_t)(result >> 32);
}

/* Even over 0 .. bound-1 to within bound/2^32. bound > 0. */
static inline uint32_t draw_below(struct draw *draw, uint32_t bound)
{
	return (uint32_t)(((uint64_t)draw_u32(draw) * bound) >> 32);
}
