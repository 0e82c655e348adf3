/* bench/load_histo.c - a log-linear histogram of nanoseconds. */
#include "load_int.h"

#define STEP_BITS 5

/* Below 32 each value has its own step; above, each octave has 32. */
static unsigned int histo_index(uint64_t ns)
{
	if (ns < HISTO_STEPS) {
		return (unsigned int)ns;
	}
	unsigned int octave = 63u - (unsigned int)__builtin_clzll(ns) - STEP_BITS;
	unsigned int index = (octave << STEP_BITS) + (unsigned int)(ns >> octave);
	return index < HISTO_SIZE ? index : HISTO_SIZE - 1;
}

/* The middle of a step. */
static uint64_t histo_value(unsigned int index)
{
	if (index < 2 * HISTO_STEPS) {
		return index;
	}
	unsigned int octave = (index >> STEP_BITS) - 1;
	uint64_t low = (uint64_t)(HISTO_STEPS + (index & (HISTO_STEPS - 1))) << octave;
	return low + ((1ull << octave) >> 1);
}

void histo_add(struct histo *histo, uint64_t ns)
{
	histo->count[histo_index(ns)]++;
	histo->total++;
	if (ns > histo->max_ns) {
		histo->max_ns = ns;
	}
}

uint64_t histo_quantile(const struct histo *histo, double share)
{
	uint64_t wanted = (uint64_t)((double)histo->total * share);
	uint64_t seen = 0;
	for (unsigned int i = 0; i < HISTO_SIZE; i++) {
		seen += histo->count[i];
		if (seen > wanted) {
			return histo_value(i);
		}
	}
	return histo->max_ns;
}
