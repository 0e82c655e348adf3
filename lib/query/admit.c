/* query/admit.c - step 1: may this client ask, and is it a question that we take? */
#include "query/query_int.h"

/* Types that are no data: transfers, signatures of messages, obsolete mail queries (T30). */
static bool type_refused(uint16_t type)
{
	switch (type) {
	case DNS_TYPE_OPT:
	case DNS_TYPE_TKEY:
	case DNS_TYPE_TSIG:
	case DNS_TYPE_IXFR:
	case DNS_TYPE_AXFR:
	case DNS_TYPE_MAILB:
	case DNS_TYPE_MAILA:
		return true;
	default:
		return false;
	}
}

/*
 * Over its rate? Over UDP alone, and without a good cookie: who comes by TCP, as TC asks for, or brings
 * our cookie back, has shown his address.
 */
static enum query_rate admit_rate(const struct query_run *run)
{
	const struct query_worker *worker = run->worker;
	if (run->client->rate == 0 || run->wait != NULL || run->in->proto != QUERY_UDP ||
	    run->cookie_good || worker->rate == NULL) {
		return QUERY_RATE_PASS;
	}
	return worker->rate(worker->rate_ctx, run->in->client, run->client->rate);
}

enum step_says query_admit(struct query_run *run)
{
	run->client = clients_find(run->world->clients, run->in->client);
	if (run->wait == NULL) {
		metric_add(&run->worker->counters.queries[run->in->proto][run->client->may], 1);
	}
	query__trace(run, "client: %s\n", run->client->text);
	if (run->client->may == CLIENT_NOTHING) {
		return query__refuse(run, DNS_RCODE_REFUSED, DNS_EDE_PROHIBITED,
		                     "no client class allows this address");
	}
	switch (admit_rate(run)) {
	case QUERY_RATE_PASS:
		break;
	case QUERY_RATE_SLIP:
		run->b.truncated = true;
		return STEP_DONE;
	case QUERY_RATE_DROP:
		return STEP_SILENT;
	}
	if (run->q->qclass == DNS_CLASS_CH) {
		if (run->client->may != CLIENT_ALL) {
			return query__refuse(run, DNS_RCODE_REFUSED, DNS_EDE_PROHIBITED,
			                     "this client may ask for private zones only");
		}
		return query_local_chaos(run);
	}
	if (run->q->qclass != DNS_CLASS_IN) {
		return query__refuse(run, DNS_RCODE_REFUSED, DNS_EDE_NOT_SUPPORTED,
		                     "class is not IN");
	}
	if (type_refused(run->q->qtype)) {
		return query__refuse(run, DNS_RCODE_REFUSED, DNS_EDE_NOT_SUPPORTED,
		                     "type cannot be asked here");
	}
	return STEP_NEXT;
}
