#include "forward/bucket_int.h"
#include <stdlib.h>

struct bucket {
	uint32_t refs;
	unsigned int rate;
	unsigned int burst;
	uint64_t interval_ns;  /* one token */
	uint64_t tolerance_ns; /* how far full_ns may lie ahead and one more packet still go */
	/* Written by every worker: on a line of its own. */
	_Alignas(64) uint64_t full_ns;
};

static unsigned int burst_of(unsigned int rate, unsigned int burst)
{
	if (burst == 0) {
		burst = rate / 9;
	}
	return burst == 0 ? 1 : burst;
}

struct bucket *bucket__new(unsigned int rate, unsigned int burst, bool full, uint64_t now_ns)
{
	struct bucket *bucket = aligned_alloc(_Alignof(struct bucket), sizeof(*bucket));
	if (bucket == NULL) {
		return NULL;
	}
	burst = burst_of(rate, burst);
	/* Rounded up: at worst a packet in some million too few, never one too many. */
	uint64_t interval_ns = (UINT64_C(1000000000) + rate - 1) / rate;
	*bucket = (struct bucket){
		.refs = 1,
		.rate = rate,
		.burst = burst,
		.interval_ns = interval_ns,
		.tolerance_ns = (burst - 1) * interval_ns,
		.full_ns = full ? now_ns : now_ns + burst * interval_ns,
	};
	return bucket;
}

struct bucket *bucket__ref(struct bucket *bucket)
{
	__atomic_fetch_add(&bucket->refs, 1, __ATOMIC_RELAXED);
	return bucket;
}

void bucket__unref(struct bucket **ptr)
{
	struct bucket *bucket = *ptr;
	if (bucket != NULL && __atomic_sub_fetch(&bucket->refs, 1, __ATOMIC_ACQ_REL) == 0) {
		free(bucket);
	}
	*ptr = NULL;
}

unsigned int bucket__rate(const struct bucket *bucket)
{
	return bucket->rate;
}

bool bucket__like(const struct bucket *bucket, unsigned int rate, unsigned int burst)
{
	return bucket->rate == rate && bucket->burst == burst_of(rate, burst);
}

uint64_t bucket__take(struct bucket *bucket, unsigned int packets, uint64_t now_ns)
{
	if (packets > bucket->burst) {
		packets = bucket->burst;
	}
	uint64_t full_ns = __atomic_load_n(&bucket->full_ns, __ATOMIC_RELAXED);
	uint64_t after_ns;
	do {
		uint64_t from_ns = full_ns > now_ns ? full_ns : now_ns;
		uint64_t last_ns = from_ns + (packets - 1) * bucket->interval_ns;
		if (last_ns > now_ns + bucket->tolerance_ns) {
			return last_ns - bucket->tolerance_ns - now_ns;
		}
		after_ns = from_ns + packets * bucket->interval_ns;
	} while (!__atomic_compare_exchange_n(&bucket->full_ns, &full_ns, after_ns, true,
	                                      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return 0;
}

bool bucket__calm(const struct bucket *bucket, uint64_t now_ns)
{
	uint64_t full_ns = __atomic_load_n(&bucket->full_ns, __ATOMIC_RELAXED);
	return full_ns <= now_ns + bucket->tolerance_ns / 2;
}
