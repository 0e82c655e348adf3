#include "base/random.h"
#include "base/fail.h"
#include "base/log.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* One system call serves some hundred ids and ports. */
#define POOL_SIZE 1024

static _Thread_local struct {
	uint8_t bytes[POOL_SIZE];
	size_t left; /* unused bytes, at the end of bytes */
} pool;

static void fetch(uint8_t *ret_bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = getrandom(ret_bytes, size, 0);
		if (n < 0 && errno != EINTR) {
			/* Guessable ids would be worse than no service. */
			log_error("base", "no random numbers from the system: %s",
			          fail_text(-errno));
			abort();
		}
		if (n > 0) {
			ret_bytes += n;
			size -= (size_t)n;
		}
	}
}

void random_bytes(void *ret_bytes, size_t size)
{
	if (size > POOL_SIZE / 4) {
		fetch(ret_bytes, size);
		return;
	}
	if (pool.left < size) {
		fetch(pool.bytes, POOL_SIZE);
		pool.left = POOL_SIZE;
	}
	uint8_t *from = pool.bytes + POOL_SIZE - pool.left;
	memcpy(ret_bytes, from, size);
	/* What was handed out must not be found in memory later. */
	explicit_bzero(from, size);
	pool.left -= size;
}

uint16_t random_u16(void)
{
	uint16_t value;
	random_bytes(&value, sizeof(value));
	return value;
}

uint32_t random_u32(void)
{
	uint32_t value;
	random_bytes(&value, sizeof(value));
	return value;
}

uint64_t random_u64(void)
{
	uint64_t value;
	random_bytes(&value, sizeof(value));
	return value;
}

uint32_t random_below(uint32_t bound)
{
	assert(bound > 0);
	/* A product whose low half is below this belongs to values that come once too often. */
	uint32_t surplus = -bound % bound;
	uint64_t product;
	do {
		product = (uint64_t)random_u32() * bound;
	} while ((uint32_t)product < surplus);
	return (uint32_t)(product >> 32);
}

void draw_seed(struct draw *draw)
{
	do {
		random_bytes(draw->s, sizeof(draw->s));
	} while (draw->s[0] == 0 && draw->s[1] == 0); /* all zero would stay zero */
}
