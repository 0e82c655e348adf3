/*
 * sync/budget_int.h - how many API calls may be made, and how long a failure rests. Pure: time is handed in.
 *
 * AWS: 5 calls a second for an account and all who use it; facts/route53.md section 2.
 */
#pragma once

#include <stdint.h>

#define BUDGET_BURST 10

struct sync_budget {
	double most;  /* calls a second, as set */
	double rate;  /* now: less while the API throttles */
	double burst; /* calls at once: less when they were throttled */
	double tokens;
	uint64_t counted_ms;
	uint64_t rest_until_ms; /* the API throttled: no call before */
	unsigned int throttled; /* calls in a row */
};

/* Full at first. */
void sync_budget__init(struct sync_budget *budget, double rate, uint64_t now_ms);

/* What was saved up stays. */
void sync_budget__set_rate(struct sync_budget *budget, double rate, uint64_t now_ms);

/*
 * The API throttled a call: half the rate (not below a twentieth of what is set), half the burst for good, nothing saved up, and a rest for all,
 * exponential with full jitter; draw is even over 0..2^32-1. Returns the rest in milliseconds.
 */
uint64_t sync_budget__throttled(struct sync_budget *budget, uint64_t now_ms, uint32_t draw);

/* A call went well: a little more a second, up to what is set. */
void sync_budget__well(struct sync_budget *budget, uint64_t now_ms);

/* Takes one call and returns 0, or takes none and returns the milliseconds until there is one. */
uint64_t sync_budget__take(struct sync_budget *budget, uint64_t now_ms);

/*
 * How long to rest after so many failures in a row (1 or more): exponential from 1 s, at most most_ms,
 * with full jitter; draw is even over 0..2^32-1.
 */
uint64_t sync_backoff__ms(unsigned int failures, uint64_t most_ms, uint32_t draw);
