/* query/forward.c - step 5: nobody here knows; say what must be asked. */
#include "query/query_int.h"

#include <string.h>

static void ask_fill(const struct query_run *run, const uint8_t *name, uint16_t type, uint8_t flags,
                     struct query_ask *ask)
{
	ask->origin = run->origin;
	ask->qtype = type;
	ask->dnssec_ok = (flags & CACHE_DO) != 0;
	ask->checking_disabled = (flags & CACHE_CD) != 0;
	ask->name_len = (uint8_t)dns_name_len(name);
	memcpy(ask->name, name, ask->name_len);
	ask->bailiwick_len = (uint8_t)dns_name_len(run->bailiwick);
	memcpy(ask->bailiwick, run->bailiwick, ask->bailiwick_len);
}

enum step_says query__park(struct query_run *run, const uint8_t *name, uint16_t type, uint8_t flags)
{
	if (run->wait != NULL && run->wait->asked >= QUERY_ASKS_MAX) {
		return query__refuse(run, DNS_RCODE_SERVFAIL, DNS_EDE_OTHER,
		                     "too many questions upstream for one answer");
	}
	ask_fill(run, name, type, flags, run->ask);
	return STEP_PARKED;
}

enum step_says query_forward(struct query_run *run)
{
	return query__park(run, run->name, run->q->qtype, query__cache_flags(run->q));
}

void query__refresh_note(struct query_run *run)
{
	struct query_worker *worker = run->worker;
	if (worker->refresh_count < QUERY_REFRESH_MAX) {
		ask_fill(run, run->name, run->q->qtype, query__cache_flags(run->q),
		         &worker->refresh[worker->refresh_count++]);
		query__trace(run, "near its end and in use: asked for again behind\n");
	}
}

bool query_refresh(struct query_worker *worker, struct query_ask *ret_ask)
{
	if (worker->refresh_count == 0) {
		return false;
	}
	*ret_ask = worker->refresh[--worker->refresh_count];
	return true;
}
