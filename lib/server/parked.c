/* server/parked.c - questions that wait for an upstream, and what wakes them. */
#include "server/worker_int.h"

#include "base/epoch.h"
#include "base/fail.h"
#include "base/mono.h"
#include <stdlib.h>
#include <string.h>

#define PARKED_KEEP  1024 /* free ones kept for the next */
#define ASK_LEAST_MS 50   /* with less time than that left nobody is asked any more */

static void parked_go_on(struct parked *parked);

static struct parked *parked_get(struct worker *worker)
{
	if (list_empty(&worker->parked_free)) {
		struct parked *parked = malloc(sizeof(*parked));
		if (parked != NULL) {
			query_wait_init(&parked->wait);
		}
		return parked;
	}
	struct list *at = worker->parked_free.prev; /* just used: it is in the caches yet */
	list_remove(at);
	worker->parked_free_count--;
	return list_item(at, struct parked, link);
}

/* The client waits no more, though we may. */
static void parked_settled(struct parked *parked)
{
	if (parked->counted) {
		gate_wait_end(parked->worker->server->gate, &parked->client);
		parked->counted = false;
	}
	tcp_waits_no_more(parked);
}

static void parked_free(struct parked *parked)
{
	query_wait_fini(&parked->wait);
	free(parked);
}

static void parked_end(struct parked *parked)
{
	struct worker *worker = parked->worker;
	loop_timer_cancel(&parked->timer);
	if (parked->asking) {
		forward_cancel(worker->forward, &parked->upstream);
	}
	parked_settled(parked);
	query_wait_end(&parked->wait);
	list_remove(&parked->link);
	worker->parked_count--;
	worker->parked_of[parked->rule]--;
	if (worker->parked_free_count < PARKED_KEEP) {
		list_append(&worker->parked_free, &parked->link);
		worker->parked_free_count++;
	} else {
		parked_free(parked);
	}
}

static void parked_send(struct parked *parked, const uint8_t *bytes, size_t size)
{
	struct worker *worker = parked->worker;
	uint64_t took_us = mono_us() - parked->arrived_us;
	metric_hist_add(&worker->query.counters.seconds, took_us, 1);
	parked->answered = true;
	if (parked->explain != NULL) {
		struct server_explain *explain = parked->explain;
		parked->explain = NULL;
		parked->in.trace = NULL;
		memcpy(explain->answer, bytes, size);
		explain->answer_size = size;
		explain->done(explain);
	} else if (parked->conn != NULL) {
		tcp_answer(parked->conn, bytes, size);
	} else if (parked->udp != NULL) {
		udp_answer(parked, bytes, size);
	}
	parked_settled(parked);
}

static unsigned int parked_age_ms(const struct parked *parked)
{
	uint64_t now_ms =
		loop_now_ms(parked->worker->loop); /* of this turn: it may have come after */
	uint64_t arrived_ms = parked->arrived_us / 1000;
	return now_ms > arrived_ms ? (unsigned int)(now_ms - arrived_ms) : 0;
}

static void parked_fail(struct parked *parked, const char *text)
{
	struct worker *worker = parked->worker;
	epoch_read_begin();
	size_t size = query_fail(&worker->query, &parked->in, DNS_EDE_NO_REACHABLE_AUTHORITY, text,
	                         worker->answer, DNS_MSG_MAX);
	epoch_read_end();
	parked_send(parked, worker->answer, size);
}

static void upstream_done(void *ctx, const struct forward_result *result)
{
	struct parked *parked = ctx;
	struct worker *worker = parked->worker;
	parked->asking = false;
	struct query_told told = {
		.why = result->why,
		.reply = result->reply,
		.keep = result->fresh,
		.text = result->text,
	};
	epoch_read_begin();
	int ret = query_feed(&worker->query, &parked->wait, &parked->ask, &told,
	                     loop_now_ms(worker->loop) / 1000);
	epoch_read_end();
	if (parked->answered) {
		parked_end(parked);
		return;
	}
	if (ret != 0) {
		parked_fail(parked, "no memory for this answer");
		parked_end(parked);
		return;
	}
	parked_go_on(parked);
}

/* Asks upstream. False: refused at once; another run knows more. */
static bool parked_ask(struct parked *parked)
{
	struct worker *worker = parked->worker;
	unsigned int age_ms = parked_age_ms(parked);
	int ret = FAIL_TIMEOUT;
	if (age_ms + ASK_LEAST_MS < SERVER_ANSWER_MS) {
		parked->upstream = (struct forward_ask){
			.origin = parked->ask.origin,
			.name = parked->ask.name,
			.qtype = parked->ask.qtype,
			.dnssec_ok = parked->ask.dnssec_ok,
			.checking_disabled = parked->ask.checking_disabled,
			.budget_ms = SERVER_ANSWER_MS - ASK_LEAST_MS - age_ms,
			.client = parked->explain == NULL ? &parked->client : NULL,
			.asker = gate_hash(&parked->client),
			.done = upstream_done,
			.ctx = parked,
		};
		ret = forward_ask(worker->forward, &parked->upstream);
	}
	if (ret == 0) {
		parked->asking = true;
		loop_timer_set(&worker->flush, 0);
		return true;
	}
	if (ret == FAIL_NOTFOUND && !parked->astray) {
		/* A reload came between our run and this: the next run sees its rules. */
		parked->astray = true;
		return false;
	}
	struct query_told told = {
		.why = ret,
		.text = ret == FAIL_LOOP ? parked->upstream.text : fail_text(ret),
	};
	epoch_read_begin();
	query_feed(&worker->query, &parked->wait, &parked->ask, &told,
	           loop_now_ms(worker->loop) / 1000);
	epoch_read_end();
	return false;
}

/* Another run, with what is known by now. */
static enum query_next parked_run(struct parked *parked, size_t *ret_size)
{
	struct worker *worker = parked->worker;
	parked->in.now_s = loop_now_ms(worker->loop) / 1000;
	epoch_read_begin();
	enum query_next next = query_run(&worker->query, &parked->in, &parked->wait, worker->answer,
	                                 DNS_MSG_MAX, ret_size, &parked->ask);
	epoch_read_end();
	refresh_start(worker);
	return next;
}

static void parked_go_on(struct parked *parked)
{
	size_t size;
	/* Each turn asks once or ends: QUERY_ASKS_MAX bounds it, this is the belt to that. */
	for (unsigned int i = 0; i <= QUERY_ASKS_MAX + 1; i++) {
		switch (parked_run(parked, &size)) {
		case QUERY_ANSWER:
			parked_send(parked, parked->worker->answer, size);
			parked_end(parked);
			return;
		case QUERY_SILENT:
			parked_end(parked);
			return;
		case QUERY_ASK:
			if (parked_ask(parked)) {
				return;
			}
		}
	}
	parked_fail(parked, "no way found to an answer");
	parked_end(parked);
}

/* The client timer (stale data will do now), then the end of all patience. */
static void parked_due(void *ctx)
{
	struct parked *parked = ctx;
	unsigned int age_ms = parked_age_ms(parked);
	if (age_ms >= SERVER_ANSWER_MS) {
		if (!parked->answered) {
			parked_fail(parked, "no answer from upstream in time");
		}
		parked_end(parked);
		return;
	}
	loop_timer_set(&parked->timer, SERVER_ANSWER_MS - age_ms);
	if (parked->answered) {
		return;
	}
	size_t size;
	struct query_ask kept =
		parked->ask; /* the run may write another; what is asked now stays */
	parked->in.impatient = true;
	if (parked_run(parked, &size) == QUERY_ANSWER) {
		parked_send(parked, parked->worker->answer, size);
	}
	parked->ask = kept;
}

/* It cannot wait: stale data if there is any, else SERVFAIL. The caller stands in an epoch section. */
static bool parked_refused(struct worker *worker, const struct query_in *in, const char *text,
                           uint8_t *out, size_t room, size_t *ret_size)
{
	struct query_in now = *in;
	struct query_wait wait;
	struct query_ask unused;
	now.impatient = true;
	query_wait_init(&wait);
	query_wait_begin(&wait, &worker->query);
	enum query_next next = query_run(&worker->query, &now, &wait, out, room, ret_size, &unused);
	query_wait_fini(&wait);
	if (next != QUERY_ANSWER) {
		metric_add(&worker->counters.dropped_waiting, 1);
		*ret_size = query_fail(&worker->query, in, DNS_EDE_OTHER, text, out, room);
	}
	return false;
}

static void parked_from_set(struct parked *parked, const struct parked_from *from)
{
	parked->udp = from->udp;
	parked->control_len = 0;
	if (from->udp != NULL && from->udp->any) {
		parked->control_len = from->msg->msg_controllen;
		memcpy(&parked->control, from->msg->msg_control, parked->control_len);
	}
	parked->explain = from->explain;
	parked->conn = NULL;
	list_init(&parked->conn_link);
	if (from->conn != NULL) {
		tcp_waits(from->conn, parked);
	}
}

/* How long before stale data will do: at once where every target is known to be down (it is asked all the same). */
static unsigned int parked_patience_ms(const struct parked *parked)
{
	if (parked->asking && parked->upstream.hopeless) {
		return 0;
	}
	unsigned int stale_ms = LIMIT(parked->worker->server, stale_after_ms);
	return stale_ms < SERVER_ANSWER_MS ? stale_ms : SERVER_ANSWER_MS;
}

bool parked_new(struct worker *worker, const struct query_in *in, const struct query_ask *ask,
                const struct parked_from *from, uint8_t *out, size_t room, size_t *ret_size)
{
	if (worker->parked_count >= PARKED_MAX) {
		return parked_refused(worker, in, "too many questions waiting", out, room,
		                      ret_size);
	}
	unsigned int rule = ask->origin % PARKED_RULES;
	if (worker->parked_of[rule] >= PARKED_RULE) {
		return parked_refused(worker, in, "too many questions of this rule waiting", out,
		                      room, ret_size);
	}
	struct parked *parked = parked_get(worker);
	if (parked == NULL) {
		return parked_refused(worker, in, "out of memory", out, room, ret_size);
	}
	parked->counted = from->explain == NULL;
	if (parked->counted &&
	    !gate_wait_begin(worker->server->gate, in->client, loop_now_ms(worker->loop))) {
		parked_free(parked);
		return parked_refused(worker, in, "too many questions of this client waiting", out,
		                      room, ret_size);
	}
	parked->worker = worker;
	list_append(&worker->parked, &parked->link);
	worker->parked_count++;
	worker->parked_of[rule]++;
	parked->rule = (uint8_t)rule;
	query_wait_begin(&parked->wait, &worker->query);
	parked->client = *in->client;
	parked->asking = false;
	parked->answered = false;
	parked->astray = false;
	parked->arrived_us = mono_us();
	parked->in = *in;
	parked->in.client = &parked->client;
	parked->in.ahead = NULL;
	loop_timer_init(worker->loop, &parked->timer, parked_due, parked);
	parked_from_set(parked, from);
	parked->in.wire = arena_copy(&parked->wait.arena, in->wire, in->size);
	parked->ask = *ask;
	if (parked->in.wire == NULL) {
		parked_end(parked);
		return parked_refused(worker, in, "out of memory", out, room, ret_size);
	}
	if (parked_ask(parked)) {
		loop_timer_set(&parked->timer, parked_patience_ms(parked));
	} else {
		loop_timer_set(&parked->timer, SERVER_ANSWER_MS);
		parked_go_on(parked); /* may end it */
	}
	return true;
}

void parked_free_all(struct worker *worker)
{
	list_each (at, &worker->parked) {
		struct parked *parked = list_item(at, struct parked, link);
		if (!parked->answered) {
			parked_fail(parked, "the server is shutting down");
		}
		parked_end(parked);
	}
	list_each (at, &worker->parked_free) {
		parked_free(list_item(at, struct parked, link));
	}
	list_init(&worker->parked_free);
	worker->parked_free_count = 0;
}
