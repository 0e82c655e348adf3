/* server/ask.c - questions of our own, for other threads: a letter to a worker, which asks upstream. */
#include "server/worker_int.h"

#include "base/fail.h"
#include <stdlib.h>
#include <string.h>

struct ask {
	struct mail mail; /* first */
	struct list link; /* in worker->asks, while upstream is asked */
	struct worker *worker;
	struct server_ask *what;
	struct forward_ask upstream;
};

static void ask_end(struct ask *ask, int why)
{
	struct server_ask *what = ask->what;
	list_remove(&ask->link);
	free(ask);
	what->why = why;
	what->done(what);
}

static void ask_answered(void *ctx, const struct forward_result *result)
{
	struct ask *ask = ctx;
	ask->what->answer_size = 0;
	if (result->why == 0) {
		ask->what->answer_size = result->reply->size;
		memcpy(ask->what->answer, result->reply->wire, result->reply->size);
	}
	ask_end(ask, result->why);
}

static void ask_arrives(struct mail *mail, void *ctx)
{
	struct worker *worker = ctx;
	struct ask *ask = (struct ask *)(void *)mail;
	list_init(&ask->link);
	if (worker->forward == NULL) { /* read at the very end, with no loop left */
		ask_end(ask, FAIL_SHUTDOWN);
		return;
	}
	ask->worker = worker;
	ask->upstream = (struct forward_ask){
		.origin = ask->what->origin,
		.name = ask->what->name,
		.qtype = ask->what->qtype,
		.spare = true,
		.done = ask_answered,
		.ctx = ask,
	};
	list_append(&worker->asks, &ask->link);
	int ret = forward_ask(worker->forward, &ask->upstream);
	if (ret != 0) {
		ask_end(ask, ret);
		return;
	}
	loop_timer_set(&worker->flush, 0);
}

void ask_free_all(struct worker *worker)
{
	list_each (at, &worker->asks) {
		struct ask *ask = list_item(at, struct ask, link);
		forward_cancel(worker->forward, &ask->upstream);
		ask_end(ask, FAIL_SHUTDOWN);
	}
}

int server_ask(struct server *server, struct server_ask *what)
{
	struct ask *ask = calloc(1, sizeof(*ask));
	if (ask == NULL) {
		return FAIL_NOMEM;
	}
	ask->mail.fn = ask_arrives;
	ask->what = what;
	int ret = mailbox_post(server->workers[0].box, &ask->mail);
	if (ret != 0) {
		free(ask);
	}
	return ret;
}
