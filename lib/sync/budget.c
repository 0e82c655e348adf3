#include "sync/budget_int.h"

#define RATE_MIN 0.01

#define BACKOFF_FIRST_MS 1000
#define BACKOFF_LEAST_MS 100 /* jitter may draw next to nothing, but a loop it must not be */

static void count_up(struct sync_budget *budget, uint64_t now_ms)
{
	double passed_s = (double)(now_ms - budget->counted_ms) / 1000;
	budget->tokens += passed_s * budget->rate;
	budget->tokens = budget->tokens < BUDGET_BURST ? budget->tokens : BUDGET_BURST;
	budget->counted_ms = now_ms;
}

static double rate_checked(double rate)
{
	return rate > RATE_MIN ? rate : RATE_MIN;
}

void sync_budget__init(struct sync_budget *budget, double rate, uint64_t now_ms)
{
	*budget = (struct sync_budget){
		.rate = rate_checked(rate),
		.tokens = BUDGET_BURST,
		.counted_ms = now_ms,
	};
}

void sync_budget__set_rate(struct sync_budget *budget, double rate, uint64_t now_ms)
{
	count_up(budget, now_ms);
	budget->rate = rate_checked(rate);
}

uint64_t sync_budget__take(struct sync_budget *budget, uint64_t now_ms)
{
	count_up(budget, now_ms);
	if (budget->tokens >= 1) {
		budget->tokens -= 1;
		return 0;
	}
	double wait_ms = (1 - budget->tokens) / budget->rate * 1000;
	return (uint64_t)wait_ms + ((double)(uint64_t)wait_ms < wait_ms);
}

uint64_t sync_backoff__ms(unsigned int failures, uint64_t most_ms, uint32_t draw)
{
	uint64_t most = BACKOFF_FIRST_MS;
	for (unsigned int i = 1; i < failures && most < most_ms; i++) {
		most *= 2;
	}
	most = most < most_ms ? most : most_ms;
	uint64_t drawn = most * draw >> 32;
	return drawn > BACKOFF_LEAST_MS ? drawn : BACKOFF_LEAST_MS;
}
