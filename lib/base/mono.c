#include "base/mono.h"
#include <assert.h>
#include <time.h>

static struct timespec read_clock(clockid_t id)
{
	struct timespec now;
	int ret = clock_gettime(id, &now);
	assert(ret == 0); /* fails for an unknown clock only */
	(void)ret;
	return now;
}

uint64_t mono_us(void)
{
	struct timespec now = read_clock(CLOCK_MONOTONIC);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int64_t wall_s(void)
{
	return read_clock(CLOCK_REALTIME).tv_sec;
}

int64_t wall_ms(void)
{
	struct timespec now = read_clock(CLOCK_REALTIME);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
