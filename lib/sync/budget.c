#include "sync/budget_int.h"

#define RATE_MIN     0.01
#define RATE_LEAST   0.05 /* of what is set, however often we are throttled */
#define RATE_STEP    0.05 /* of what is set, for each call that went well */
#define REST_MOST_MS 60000

#define BACKOFF_FIRST_MS 1000
#define BACKOFF_LEAST_MS 100 /* jitter may draw next to nothing, but a loop it must not be */

static void count_up(struct sync_budget *budget, uint64_t now_ms)
{
	double passed_s = (double)(now_ms - budget->counted_ms) / 1000;
	budget->tokens += passed_s * budget->rate;
	budget->tokens = budget->tokens < budget->burst ? budget->tokens : budget->burst;
	budget->counted_ms = now_ms;
}

static double rate_checked(double rate)
{
	return rate > RATE_MIN ? rate : RATE_MIN;
}

void sync_budget__init(struct sync_budget *budget, double rate, uint64_t now_ms)
{
	*budget = (struct sync_budget){
		.most = rate_checked(rate),
		.rate = rate_checked(rate),
		.burst = BUDGET_BURST,
		.tokens = BUDGET_BURST,
		.counted_ms = now_ms,
	};
}

void sync_budget__set_rate(struct sync_budget *budget, double rate, uint64_t now_ms)
{
	count_up(budget, now_ms);
	budget->most = rate_checked(rate);
	budget->rate = budget->most;
	budget->burst = BUDGET_BURST;
}

uint64_t sync_budget__throttled(struct sync_budget *budget, uint64_t now_ms, uint32_t draw)
{
	count_up(budget, now_ms);
	double least = budget->most * RATE_LEAST;
	budget->rate = budget->rate / 2 > least ? budget->rate / 2 : least;
	budget->burst =
		budget->burst > 2 ? budget->burst / 2 : 1; /* what it takes at once is less */
	budget->tokens = 0;
	budget->throttled++;
	uint64_t rest_ms = sync_backoff__ms(budget->throttled, REST_MOST_MS, draw);
	budget->rest_until_ms = now_ms + rest_ms;
	return rest_ms;
}

void sync_budget__well(struct sync_budget *budget, uint64_t now_ms)
{
	count_up(budget, now_ms);
	budget->throttled = 0;
	budget->rate += budget->most * RATE_STEP;
	budget->rate = budget->rate < budget->most ? budget->rate : budget->most;
}

uint64_t sync_budget__take(struct sync_budget *budget, uint64_t now_ms)
{
	count_up(budget, now_ms);
	if (now_ms < budget->rest_until_ms) {
		return budget->rest_until_ms - now_ms;
	}
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
