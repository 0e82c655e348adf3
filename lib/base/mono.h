/*
 * base/mono.h - monotonic time (CLOCK_MONOTONIC), and the wall clock where a file or AWS needs it.
 */
#pragma once

#include <stdint.h>

uint64_t mono_us(void);
static inline uint64_t mono_ms(void)
{
	return mono_us() / 1000;
}

/* Seconds and milliseconds since 1970 (CLOCK_REALTIME). */
int64_t wall_s(void);
int64_t wall_ms(void);
