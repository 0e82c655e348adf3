/* query/forward.c - step 5: nobody here knows; say what must be asked. */
#include "query/query_int.h"

#include <string.h>

enum step_says query__park(struct query_run *run, const uint8_t *name, uint16_t type, uint8_t flags)
{
	if (run->wait != NULL && run->wait->asked >= QUERY_ASKS_MAX) {
		return query__refuse(run, DNS_RCODE_SERVFAIL, DNS_EDE_OTHER,
		                     "too many questions upstream for one answer");
	}
	struct query_ask *ask = run->ask;
	ask->origin = run->origin;
	ask->qtype = type;
	ask->dnssec_ok = (flags & CACHE_DO) != 0;
	ask->checking_disabled = (flags & CACHE_CD) != 0;
	ask->name_len = (uint8_t)dns_name_len(name);
	memcpy(ask->name, name, ask->name_len);
	ask->bailiwick_len = (uint8_t)dns_name_len(run->bailiwick);
	memcpy(ask->bailiwick, run->bailiwick, ask->bailiwick_len);
	return STEP_PARKED;
}

enum step_says query_forward(struct query_run *run)
{
	uint8_t flags =
		(run->q.dnssec_ok ? CACHE_DO : 0) | (run->q.flags & DNS_FLAG_CD ? CACHE_CD : 0);
	return query__park(run, run->name, run->q.qtype, flags);
}
