#include "base/epoch.h"
#include "base/fail.h"
#include "base/mono.h"
#include "forward/ask_int.h"
#include "forward/circle_int.h"
#include "forward/outbox_int.h"
#include "forward/pool_int.h"
#include "forward/probe_int.h"
#include "forward/tcp_int.h"
#include "forward/worker_int.h"
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define PORTS_MIN 64
#define PORTS_MAX 8192

/* --- A worker comes and goes --- */

static void flush_due(void *worker)
{
	forward_flush(worker);
}

static void sweep_due(void *worker)
{
	pool__sweep(worker);
}

/* Half of the descriptors and half of the port range at most, over all workers. */
static unsigned int ports_at_most(const struct forward_worker *worker)
{
	struct rlimit limit;
	size_t ports = (size_t)(worker->range.high - worker->range.low) / 2;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 2 < ports) {
		ports = limit.rlim_cur / 2;
	}
	ports /= worker->fwd->opts.workers;
	if (ports < PORTS_MIN) {
		return PORTS_MIN;
	}
	return ports < PORTS_MAX ? (unsigned int)ports : PORTS_MAX;
}

/* FAIL_BUSY when there are as many as were announced. */
static int worker_number(struct forward *fwd, unsigned int *ret_index)
{
	int ret = FAIL_BUSY;
	pthread_mutex_lock(&fwd->admin);
	for (unsigned int i = 0; i < fwd->opts.workers; i++) {
		if (!fwd->worker_used[i]) {
			fwd->worker_used[i] = true;
			*ret_index = i;
			ret = 0;
			break;
		}
	}
	pthread_mutex_unlock(&fwd->admin);
	return ret;
}

static void worker_init(struct forward_worker *worker)
{
	worker->range = port__range();
	worker->port_max = ports_at_most(worker);
	draw_seed(&worker->draw);
	slab__init(&worker->question_slab, sizeof(struct question));
	slab__init(&worker->waiter_slab, sizeof(struct waiter));
	list_init(&worker->questions);
	list_init(&worker->waiters);
	list_init(&worker->queue);
	held__init(&worker->held);
	list_init(&worker->pools);
	list_init(&worker->ports);
	list_init(&worker->lines);
	list_init(&worker->streams);
	loop_timer_init(worker->loop, &worker->flush_timer, flush_due, worker);
	loop_timer_init(worker->loop, &worker->held_timer, send__held, worker);
	loop_timer_init(worker->loop, &worker->sweep_timer, sweep_due, worker);
}

struct forward_worker *forward_worker_new(struct forward *fwd, struct loop *loop)
{
	struct forward_worker *worker = calloc(1, sizeof(*worker));
	if (worker == NULL) {
		return NULL;
	}
	worker->fwd = fwd;
	worker->loop = loop;
	if (worker_number(fwd, &worker->index) != 0) {
		free(worker);
		return NULL;
	}
	worker_init(worker);
	worker->batch = port__batch_new();
	worker->outbox = outbox__new();
	worker->box = mailbox_new(loop, fwd->opts.inflight_max, worker);
	worker->prober = worker->index == 0 ? probe__start(worker) : NULL;
	if (worker->batch == NULL || worker->outbox == NULL || worker->box == NULL ||
	    (worker->index == 0 && worker->prober == NULL)) {
		forward_worker_free(&worker);
	}
	return worker;
}

/*
 * Those who wait on other workers' questions. An outcome that is on its way comes with the
 * letters.
 */
static void worker_leave_others(struct forward_worker *worker)
{
	struct list posted;
	list_init(&posted);
	while (!list_empty(&worker->waiters)) {
		struct waiter *waiter = list_item(worker->waiters.next, struct waiter, mine);
		list_remove(&waiter->mine);
		if (inflight__detach(waiter)) {
			struct forward_result result = {.why = FAIL_SHUTDOWN};
			worker__tell(waiter, &result);
		} else {
			list_append(&posted, &waiter->mine);
		}
	}
	inflight__quiesce(worker->fwd->inflight);
	if (worker->box != NULL) {
		mailbox_free(&worker->box);
	}
}

void forward_worker_free(struct forward_worker **ptr)
{
	struct forward_worker *worker = *ptr;
	if (worker == NULL) {
		return;
	}
	worker->closing = true;
	while (!list_empty(&worker->questions)) {
		struct question *q = list_item(worker->questions.next, struct question, mine);
		if (q->settled) {
			settle__gone(q);
		} else {
			settle__question(q, FAIL_SHUTDOWN, NULL, NULL);
		}
	}
	probe__stop(&worker->prober);
	worker_leave_others(worker);
	pool__close_all(worker);
	tcp__close_all(worker);
	loop_timer_cancel(&worker->flush_timer);
	loop_timer_cancel(&worker->held_timer);
	slab__fini(&worker->question_slab);
	slab__fini(&worker->waiter_slab);
	port__batch_free(&worker->batch);
	outbox__free(&worker->outbox);
	pthread_mutex_lock(&worker->fwd->admin);
	worker->fwd->worker_used[worker->index] = false;
	pthread_mutex_unlock(&worker->fwd->admin);
	free(worker);
	*ptr = NULL;
}

/* --- Asking --- */

static struct group *group_held(struct forward *fwd, uint32_t origin)
{
	epoch_read_begin();
	const struct group_table *table = epoch_load(&fwd->table);
	struct group *group = group_table__find(table, origin);
	if (group != NULL) {
		group__ref(group);
	}
	epoch_read_end();
	return group;
}

/*
 * A place for one more question. Counted first, so that workers that come together cannot pass
 * the bound.
 */
static bool worker_reserve(struct forward_worker *worker, struct group *group, bool always)
{
	struct forward *fwd = worker->fwd;
	uint32_t here = __atomic_add_fetch(&group->inflight, 1, __ATOMIC_RELAXED);
	size_t all = __atomic_add_fetch(&fwd->inflight_count, 1, __ATOMIC_RELAXED);
	if (always || (here <= group->inflight_max && all <= fwd->opts.inflight_max)) {
		return true;
	}
	worker__release(worker, group);
	return false;
}

void worker__release(struct forward_worker *worker, struct group *group)
{
	__atomic_sub_fetch(&group->inflight, 1, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&worker->fwd->inflight_count, 1, __ATOMIC_RELAXED);
}

static void waiter_free(struct waiter *waiter)
{
	struct forward_worker *worker = waiter->worker;
	loop_timer_cancel(&waiter->timer);
	list_remove(&waiter->mine);
	worker->waiting--;
	slab__put(&worker->waiter_slab, waiter);
}

void worker__tell(struct waiter *waiter, struct forward_result *result)
{
	struct forward_ask *ask = waiter->ask;
	result->fresh = waiter->fresh;
	waiter_free(waiter);
	if (ask != NULL) {
		ask->waiting = NULL;
		ask->done(ask->ctx, result);
	}
}

/* Its own time is up before the question's. */
static void waiter_due(void *ctx)
{
	struct waiter *waiter = ctx;
	if (inflight__detach(waiter)) {
		struct forward_result result = {.why = FAIL_TIMEOUT};
		worker__tell(waiter, &result);
	}
}

static struct waiter *waiter_new(struct forward_worker *worker, struct forward_ask *ask)
{
	struct waiter *waiter = slab__get(&worker->waiter_slab);
	if (waiter == NULL) {
		return NULL;
	}
	*waiter = (struct waiter){.worker = worker, .ask = ask};
	list_init(&waiter->link);
	list_append(&worker->waiters, &waiter->mine);
	worker->waiting++;
	loop_timer_init(worker->loop, &waiter->timer, waiter_due, waiter);
	return waiter;
}

static struct question *question_new(struct forward_worker *worker, const struct forward_ask *ask,
                                     struct group *group, uint64_t deadline_ms)
{
	struct question *q = slab__get(&worker->question_slab);
	if (q == NULL) {
		return NULL;
	}
	/*
	 * What stands before the name and behind it; the name itself and the tries are filled as
	 * they come.
	 */
	memset(q, 0, offsetof(struct question, entry.name));
	memset(&q->worker, 0, offsetof(struct question, tries) - offsetof(struct question, worker));
	q->worker = worker;
	q->group = group;
	q->entry.owner = worker;
	q->entry.deadline_ms = deadline_ms;
	q->entry.origin = ask->origin;
	q->asker = ask->asker;
	q->entry.qtype = ask->qtype;
	q->entry.dnssec_ok = ask->dnssec_ok;
	q->entry.checking_disabled = ask->checking_disabled;
	q->entry.only = ask->only;
	q->entry.made_up = ask->made_up;
	if (ask->client != NULL) {
		q->entry.asker = *ask->client;
		q->entry.from_target = circle__is_target(group, ask->client);
	}
	size_t len = dns_name_len(ask->name);
	q->entry.name_len = (uint8_t)len;
	memcpy(q->entry.name, ask->name, len);
	inflight__hash(&q->entry);
	list_init(&q->entry.waiters);
	list_init(&q->mine);
	list_init(&q->queue);
	loop_timer_init(worker->loop, &q->timer, ask__timer, q);
	return q;
}

static void question_queue(struct forward_worker *worker, struct question *q)
{
	list_append(&worker->questions, &q->mine);
	list_append(&worker->queue, &q->queue);
	if (!worker->flush_timer.armed) {
		loop_timer_set(&worker->flush_timer, 0);
	}
}

/* Waits on q, or on the same question of whoever asked it first; then q is not needed. */
static int ask_join(struct forward_worker *worker, struct question *q, struct waiter *waiter)
{
	uint64_t mine_ms = q->entry.deadline_ms;
	uint64_t its_ms;
	int ret = 0;
	bool room = worker_reserve(worker, q->group, q->entry.only != 0);
	switch (inflight__join(worker->fwd->inflight, &q->entry, waiter, room, &its_ms)) {
	case INFLIGHT_FRESH:
		question_queue(worker, q);
		return 0;
	case INFLIGHT_JOINED:
		if (mine_ms < its_ms) {
			loop_timer_set(&waiter->timer, mine_ms - loop_now_ms(worker->loop));
		}
		break;
	case INFLIGHT_FULL:
		waiter_free(waiter);
		settle__gone(q);
		return FAIL_BUSY;
	case INFLIGHT_CIRCLE:
		circle__refuse(worker->fwd, q->group, &q->entry.asker, loop_now_ms(worker->loop),
		               worker->refusal);
		waiter_free(waiter);
		ret = FAIL_LOOP;
		break;
	}
	if (room) {
		worker__release(worker, q->group);
	}
	settle__gone(q);
	return ret;
}

int forward_ask(struct forward_worker *worker, struct forward_ask *ask)
{
	ask->waiting = NULL;
	if (worker->closing || worker->waiting >= worker->fwd->opts.inflight_max) {
		return FAIL_BUSY;
	}
	struct group *group = group_held(worker->fwd, ask->origin);
	if (group == NULL) {
		return FAIL_NOTFOUND;
	}
	ask->text = worker->refusal;
	if (circle__check(worker->fwd, group, ask, loop_now_ms(worker->loop), worker->refusal)) {
		group__unref(&group);
		return FAIL_LOOP;
	}
	return worker__ask(worker, group, ask);
}

int worker__ask(struct forward_worker *worker, struct group *group, struct forward_ask *ask)
{
	ask->hopeless = !group__way_out(group);
	if (ask->spare && group->bucket != NULL && !bucket__calm(group->bucket, mono_us() * 1000)) {
		group__unref(&group);
		return FAIL_BUSY;
	}
	unsigned int budget_ms = ask->budget_ms != 0 ? ask->budget_ms : worker->fwd->opts.budget_ms;
	uint64_t deadline_ms = loop_now_ms(worker->loop) + budget_ms;
	struct question *q = question_new(worker, ask, group, deadline_ms);
	if (q == NULL) {
		group__unref(&group);
		return FAIL_NOMEM;
	}
	struct waiter *waiter = waiter_new(worker, ask);
	if (waiter == NULL) {
		settle__gone(q);
		return FAIL_NOMEM;
	}
	int ret = ask_join(worker, q, waiter);
	if (ret == 0) {
		ask->waiting = waiter;
	}
	return ret;
}

void forward_cancel(struct forward_worker *worker, struct forward_ask *ask)
{
	struct waiter *waiter = ask->waiting;
	if (waiter == NULL) {
		return;
	}
	ask->waiting = NULL;
	waiter->ask = NULL;
	if (inflight__detach(waiter)) {
		waiter_free(waiter);
	}
}

void forward_flush(struct forward_worker *worker)
{
	loop_timer_cancel(&worker->flush_timer);
	outbox__open(worker->outbox);
	while (!list_empty(&worker->queue)) {
		struct question *q = list_item(worker->queue.next, struct question, queue);
		list_remove(&q->queue);
		ask__begin(q);
	}
	outbox__close(worker->outbox);
}
