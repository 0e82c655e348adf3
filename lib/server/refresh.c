/* server/refresh.c - answers in use, asked for again before they run out. Nobody waits: only the cache hears. */
#include "server/worker_int.h"

#include "base/epoch.h"
#include "base/fail.h"
#include <stdlib.h>

struct refresh {
	struct list link;
	struct worker *worker;
	struct query_ask ask;
	struct forward_ask upstream;
};

static void refresh_end(struct refresh *refresh)
{
	list_remove(&refresh->link);
	refresh->worker->refresh_count--;
	free(refresh);
}

/* A failure takes nothing away: what it was to replace is still there, and better. */
static void refresh_done(void *ctx, const struct forward_result *result)
{
	struct refresh *refresh = ctx;
	struct worker *worker = refresh->worker;
	struct query_told told = {
		.why = result->why,
		.reply = result->reply,
		.keep = result->fresh,
		.text = result->text,
	};
	epoch_read_begin();
	query_feed(&worker->query, NULL, &refresh->ask, &told, loop_now_ms(worker->loop) / 1000);
	epoch_read_end();
	refresh_end(refresh);
}

/* Refused is well: the next question after the end asks as for any name. */
static void refresh_new(struct worker *worker, const struct query_ask *ask)
{
	struct refresh *refresh =
		worker->refresh_count < REFRESH_MAX ? malloc(sizeof(*refresh)) : NULL;
	if (refresh == NULL) {
		return;
	}
	refresh->worker = worker;
	refresh->ask = *ask;
	refresh->upstream = (struct forward_ask){
		.origin = ask->origin,
		.name = refresh->ask.name,
		.qtype = ask->qtype,
		.dnssec_ok = ask->dnssec_ok,
		.checking_disabled = ask->checking_disabled,
		.spare = true,
		.done = refresh_done,
		.ctx = refresh,
	};
	list_append(&worker->refreshing, &refresh->link);
	worker->refresh_count++;
	if (forward_ask(worker->forward, &refresh->upstream) != 0) {
		refresh_end(refresh);
		return;
	}
	metric_add(&worker->counters.refreshes, 1);
	loop_timer_set(&worker->flush, 0);
}

void refresh_start(struct worker *worker)
{
	struct query_ask ask;
	while (query_refresh(&worker->query, &ask)) {
		if (!worker->draining) {
			refresh_new(worker, &ask);
		}
	}
}

void refresh_free_all(struct worker *worker)
{
	list_each (at, &worker->refreshing) {
		struct refresh *refresh = list_item(at, struct refresh, link);
		forward_cancel(worker->forward, &refresh->upstream);
		refresh_end(refresh);
	}
}
