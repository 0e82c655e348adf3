/* query/run.c - the driver: read, take the steps, encode. */
#include "query/query_int.h"

#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAD_BLOCK 468 /* of answers by TLS, when the question was padded (RFC 8467, section 4.1) */

static query_step_fn *const steps[] = {
	query_admit, query_route, query_zone, query_cached, query_forward,
};
enum {
	STEP_ROUTE = 1,
};

const char *query_source_text(enum query_source source)
{
	static const char *const words[QUERY_SOURCES] = {
		"static", "dynamic", "reckoned", "cache", "stale", "upstream", "local",
	};
	return words[source];
}

int query_worker_init(struct query_worker *worker, const struct world_root *root,
                      struct cache *cache)
{
	memset(worker, 0, sizeof(*worker));
	worker->scratch = malloc(DNS_MSG_MAX);
	worker->refresh = calloc(QUERY_REFRESH_MAX, sizeof(*worker->refresh));
	if (worker->scratch == NULL || worker->refresh == NULL) {
		query_worker_fini(worker);
		return FAIL_NOMEM;
	}
	worker->root = root;
	worker->cache = cache;
	worker->wall_ahead_s = wall_s() - (int64_t)(mono_ms() / 1000);
	draw_seed(&worker->draw);
	return 0;
}

void query_worker_fini(struct query_worker *worker)
{
	free(worker->scratch);
	free(worker->refresh);
	worker->scratch = NULL;
	worker->refresh = NULL;
}

enum step_says query__refuse(struct query_run *run, unsigned int rcode, int ede, const char *text)
{
	run->b.pos = run->b.question_end;
	memset(run->b.count, 0, sizeof(run->b.count));
	run->b.truncated = false;
	run->rcode = rcode;
	run->ede = ede;
	run->ede_text = text;
	run->source = QUERY_FROM_LOCAL;
	return STEP_DONE;
}

/* Seen at once and not by the length of the chain: a draw could lead out of the circle, with two CNAMEs of a name. */
static bool chase_again(struct query_run *run, const uint8_t *target)
{
	memcpy(run->chased[run->chases++], run->key->name, run->key->len);
	for (unsigned int i = 0; i < run->chases; i++) {
		if (dns_name_equal(run->chased[i], target)) {
			return true;
		}
	}
	return false;
}

enum step_says query__chase(struct query_run *run, const uint8_t *target, unsigned int links)
{
	run->links += links;
	if (run->links > DNS_CHAIN_MAX) {
		return query__refuse(run, DNS_RCODE_SERVFAIL, DNS_EDE_OTHER,
		                     "CNAME chain too long");
	}
	if (chase_again(run, target)) {
		return query__refuse(run, DNS_RCODE_SERVFAIL, DNS_EDE_OTHER,
		                     "CNAME chain in a circle");
	}
	size_t len = dns_name_len(target);
	memmove(run->chase_name, target, len);
	dns_key_make(&run->chase_key, run->chase_name);
	run->name = run->chase_name;
	run->key = &run->chase_key;
	if (run->in->trace != NULL) {
		char text[DNS_NAME_TEXT_MAX];
		query__trace(run, "CNAME to %s\n", dns_name_text(target, text));
	}
	return STEP_AGAIN;
}

/* How large this answer may be: the smaller of the client's size and ours over UDP. */
static size_t run_limit(const struct query_run *run, size_t room)
{
	size_t limit = DNS_MSG_MAX;
	if (run->in->proto == QUERY_UDP) {
		limit = run->q->udp_size < DNS_UDP_OURS ? run->q->udp_size : DNS_UDP_OURS;
	}
	return limit < room ? limit : room;
}

static void run_opt(const struct query_run *run, struct dns_opt *ret_opt)
{
	const struct world_opts *opts = run->world->opts;
	*ret_opt = (struct dns_opt){
		.udp_size = DNS_UDP_OURS,
		.dnssec_ok = run->q->dnssec_ok,
		.ede = run->ede,
		.ede_text = run->ede_text,
		.nsid = run->q->nsid && opts->server_id[0] != '\0' ? opts->server_id : NULL,
		.keepalive = -1,
	};
	if (run->q->cookie_len != 0) {
		ret_opt->cookie = run->cookie;
		ret_opt->cookie_len = sizeof(run->cookie);
	}
	if (run->q->keepalive && run->in->proto != QUERY_UDP) {
		ret_opt->keepalive = (int)(opts->keepalive_s * 10);
	}
	if (run->q->padding && run->in->proto == QUERY_TLS) {
		ret_opt->pad_block = PAD_BLOCK;
	}
}

/* One line a question, where the admin asked for it. */
static void run_log(const struct query_run *run)
{
	static const char *const protos[QUERY_PROTOS] = {"udp", "tcp", "tls"};
	if (!__atomic_load_n(&run->worker->log_queries, __ATOMIC_RELAXED) ||
	    run->q->question_len == 0) {
		return;
	}
	char from[ADDR_TEXT_MAX];
	char name[DNS_NAME_TEXT_MAX];
	char type[16];
	char rcode[16];
	log_info("query", "%s %s %s %s %s %s", addr_text(run->in->client, from),
	         protos[run->in->proto], dns_name_text(dns_query_name(run->q), name),
	         dns_type_text(run->q->qtype, type), dns_rcode_text(run->rcode, rcode),
	         query_source_text(run->source));
}

/*
 * AD is passed on from the servers of FORWARD rules, who may validate what they hold, to clients who show that they
 * look at it (RFC 6840, section 5.8). Of private names, of stale data and of what the VPC resolver says it is clear.
 */
static bool run_authentic(const struct query_run *run)
{
	bool asked = run->q->dnssec_ok || (run->q->flags & DNS_FLAG_AD) != 0;
	bool theirs = run->source == QUERY_FROM_CACHE || run->source == QUERY_FROM_UPSTREAM;
	return asked && theirs && run->authentic && !run->doubted && !run->aa;
}

static size_t run_encode(struct query_run *run)
{
	struct query_counters *counters = &run->worker->counters;
	metric_add(&counters->answers[run->rcode < QUERY_RCODES ? run->rcode : QUERY_RCODES - 1],
	           1);
	metric_add(&counters->from[run->source], 1);
	struct query_trace *trace = run->in->trace;
	if (trace != NULL) {
		trace->source = run->source;
		trace->rcode = run->rcode;
	}
	run_log(run);
	uint16_t flags = (run->aa ? DNS_FLAG_AA : 0) | (run_authentic(run) ? DNS_FLAG_AD : 0);
	if (!run->q->edns) {
		return dns_build_end(&run->b, flags, run->rcode, NULL);
	}
	struct dns_opt opt;
	run_opt(run, &opt);
	return dns_build_end(&run->b, flags, run->rcode, &opt);
}

static void run_cookie(struct query_run *run)
{
	int64_t wall = (int64_t)run->in->now_s + run->worker->wall_ahead_s;
	run->cookie_good = query__cookie(run->world->opts, run->in->client, run->q->cookie,
	                                 run->q->cookie_len, (uint32_t)wall, run->cookie);
}

/* Header and question; room kept for the OPT that a client with EDNS gets. */
static void run_begin(struct query_run *run, uint8_t *out, size_t room)
{
	run->rcode = DNS_RCODE_NOERROR;
	run->ede = DNS_EDE_NONE;
	run->ede_text = NULL;
	run->source = QUERY_FROM_LOCAL;
	run->aa = false;
	run->authentic = false;
	run->doubted = false;
	dns_build_answer(&run->b, out, room, run_limit(run, room), run->q);
	run->cookie_good = false;
	if (run->q->edns) {
		struct dns_opt opt;
		if (run->q->cookie_len != 0) {
			run_cookie(run);
		}
		run_opt(run, &opt);
		dns_build_reserve(&run->b, dns_opt_size(&opt));
	}
}

/* What is wrong with the packet itself. */
static size_t run_verdict(struct query_run *run, enum dns_verdict verdict, uint8_t *out,
                          size_t room)
{
	run->client = clients_find(run->world->clients, run->in->client);
	metric_add(&run->worker->counters.queries[run->in->proto][run->client->may], 1);
	if (verdict != DNS_VERDICT_BADVERS) {
		run->q->edns = false;
		run->q->udp_size = DNS_UDP_PLAIN;
	}
	if (verdict == DNS_VERDICT_NOTIMP) {
		run->q->question_len = 0;
	}
	run_begin(run, out, room);
	run->rcode = verdict == DNS_VERDICT_NOTIMP    ? DNS_RCODE_NOTIMP
	             : verdict == DNS_VERDICT_BADVERS ? DNS_RCODE_BADVERS
	                                              : DNS_RCODE_FORMERR;
	return run_encode(run);
}

/* Each run tells its whole story, the last one's stays. */
static void run_trace_begin(const struct query_run *run)
{
	struct query_trace *trace = run->in->trace;
	if (trace != NULL) {
		text_fini(&trace->steps);
		text_init(&trace->steps, 16384);
		trace->rule[0] = '\0';
		trace->zone[0] = '\0';
		trace->class[0] = '\0';
	}
}

static void run_trace_end(const struct query_run *run)
{
	struct query_trace *trace = run->in->trace;
	if (trace != NULL) {
		snprintf(trace->client, sizeof(trace->client), "%s", run->client->text);
	}
}

static enum step_says run_steps(struct query_run *run)
{
	const unsigned int count = sizeof(steps) / sizeof(steps[0]);
	enum step_says says = STEP_NEXT;
	for (unsigned int i = 0; i < count;) {
		says = steps[i](run);
		if (says != STEP_NEXT && says != STEP_AGAIN) {
			break;
		}
		i = says == STEP_AGAIN ? STEP_ROUTE : i + 1;
	}
	return says;
}

enum query_next query_run(struct query_worker *worker, const struct query_in *in,
                          struct query_wait *wait, uint8_t *out, size_t room, size_t *ret_size,
                          struct query_ask *ret_ask)
{
	struct query_run run; /* not cleared: 4 KB that the steps fill as they go */
	run.worker = worker;
	run.in = in;
	run.wait = wait;
	run.ask = ret_ask;
	run.world = world_get(worker->root);

	struct dns_query own;
	run.q = in->ahead != NULL ? &in->ahead->q : &own;
	enum dns_verdict verdict =
		in->ahead != NULL ? in->ahead->verdict : dns_query_read(in->wire, in->size, &own);
	if (verdict == DNS_VERDICT_DROP) {
		metric_add(&worker->counters.silent, 1);
		return QUERY_SILENT;
	}
	if (verdict != DNS_VERDICT_OK) {
		*ret_size = run_verdict(&run, verdict, out, room);
		return QUERY_ANSWER;
	}

	struct draw again;
	if (wait == NULL) {
		worker->draw_start = worker->draw;
		run.draw = &worker->draw;
	} else {
		again = wait->draw;
		run.draw = &again;
	}
	run.key = &run.q->key;
	run.name = dns_query_name(run.q);
	run.links = 0;
	run.chases = 0;
	run_begin(&run, out, room);

	run_trace_begin(&run);
	enum step_says says = run_steps(&run);
	run_trace_end(&run);
	if (says == STEP_PARKED) {
		return QUERY_ASK;
	}
	if (says == STEP_SILENT) {
		return QUERY_SILENT;
	}
	*ret_size = run_encode(&run);
	return QUERY_ANSWER;
}

size_t query_fail(struct query_worker *worker, const struct query_in *in, int ede, const char *text,
                  uint8_t *out, size_t room)
{
	struct query_run run;
	struct dns_query own;
	run.worker = worker;
	run.in = in;
	run.world = world_get(worker->root);
	run.q = &own;
	enum dns_verdict verdict = dns_query_read(in->wire, in->size, run.q);
	if (verdict != DNS_VERDICT_OK) {
		return 0; /* cannot be: such a packet never waits */
	}
	run_begin(&run, out, room);
	struct world_place place;
	world_route(run.world, &run.q->key, &place);
	run.aa = place.zone != NULL;
	query__refuse(&run, DNS_RCODE_SERVFAIL, ede, text);
	return run_encode(&run);
}
