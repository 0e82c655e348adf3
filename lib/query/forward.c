/* query/forward.c - step 5: nobody here knows; say what must be asked. */
#include "query/query_int.h"

#include <string.h>

enum step_says query_forward(struct query_run *run)
{
	if (run->wait != NULL && run->wait->asked >= QUERY_ASKS_MAX) {
		return query__refuse(run, DNS_RCODE_SERVFAIL, DNS_EDE_OTHER,
		                     "too many questions upstream for one answer");
	}
	struct query_ask *ask = run->ask;
	ask->origin = run->origin;
	ask->qtype = run->q.qtype;
	ask->dnssec_ok = run->q.dnssec_ok;
	ask->checking_disabled = (run->q.flags & DNS_FLAG_CD) != 0;
	ask->name_len = (uint8_t)dns_name_len(run->name);
	memcpy(ask->name, run->name, ask->name_len);
	ask->bailiwick_len = (uint8_t)dns_name_len(run->bailiwick);
	memcpy(ask->bailiwick, run->bailiwick, ask->bailiwick_len);
	return STEP_PARKED;
}
