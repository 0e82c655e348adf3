#include "base/fail.h"
#include "forward/ask_int.h"
#include "forward/port_int.h"
#include "forward/tcp_int.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- An outcome for other workers --- */

struct answer_copy {
	uint32_t refs;
	struct forward_result result;
	struct dns_reply reply;
	struct addr target;
	uint8_t wire[];
};

static struct answer_copy *copy_new(const struct forward_result *result)
{
	size_t size = result->reply == NULL ? 0 : result->reply->size;
	struct answer_copy *copy = malloc(sizeof(*copy) + size);
	if (copy == NULL) {
		return NULL;
	}
	copy->refs = 1;
	copy->result = *result;
	if (result->target != NULL) {
		copy->target = *result->target;
		copy->result.target = &copy->target;
	}
	if (result->reply != NULL) {
		memcpy(copy->wire, result->reply->wire, size);
		copy->reply = *result->reply;
		copy->reply.wire = copy->wire;
		if (copy->reply.cookie != NULL) {
			copy->reply.cookie =
				copy->wire + (copy->reply.cookie - result->reply->wire);
		}
		copy->result.reply = &copy->reply;
	}
	return copy;
}

struct answer_copy *settle__copy_ref(struct answer_copy *copy)
{
	if (copy != NULL) {
		__atomic_fetch_add(&copy->refs, 1, __ATOMIC_RELAXED);
	}
	return copy;
}

static void copy_unref(struct answer_copy *copy)
{
	if (copy != NULL && __atomic_sub_fetch(&copy->refs, 1, __ATOMIC_ACQ_REL) == 0) {
		free(copy);
	}
}

/* On the loop of the worker whose waiters these are. */
static void letter_read(struct mail *mail, void *ctx)
{
	struct waiter *waiter = list_item(mail, struct waiter, mail);
	struct answer_copy *copy = waiter->copy;
	while (waiter != NULL) {
		struct waiter *mate = waiter->mate;
		struct forward_result result = {.why = FAIL_NOMEM};
		if (copy != NULL) {
			result = copy->result;
		}
		worker__tell(waiter, &result);
		waiter = mate;
	}
	copy_unref(copy);
}

/* --- The outcome in words --- */

static const char *try_word(const struct try *try, char *buf)
{
	if (try->truncated) {
		return "truncated";
	}
	switch (try->state) {
	case TRY_BAD:
		return try->rcode == DNS_RCODE_NOERROR ? "lame" : dns_rcode_text(try->rcode, buf);
	case TRY_GOOD:
		return "answered";
	case TRY_NET:
		if (!try->by_tcp) {
			return "unreachable";
		}
		return try_target(try)->tls != NULL ? "TLS failed" : "TCP failed";
	case TRY_HELD:
	case TRY_DROPPED:
		return NULL;
	default:
		return try->refused ? "port closed" : "silent";
	}
}

/* What the last try of this member came to; earlier ones say no more. NULL: nothing to say. */
static const char *member_word(const struct question *q, unsigned int member, char *buf)
{
	for (unsigned int i = q->try_count; i > 0; i--) {
		const struct try *try = &q->tries[i - 1];
		const char *word = try->member == member ? try_word(try, buf) : NULL;
		if (word != NULL) {
			return word;
		}
	}
	return NULL;
}

static void result_text(const struct question *q, struct forward_result *result)
{
	const size_t room = sizeof(result->text);
	size_t len = 0;
	uint32_t said = 0;
	if (result->why == FAIL_BUSY) {
		snprintf(result->text, room, "packet budget of %u/s used up",
		         bucket__rate(q->group->bucket));
		return;
	}
	for (unsigned int i = 0; i < q->try_count && len < room; i++) {
		unsigned int member = q->tries[i].member;
		char buf[16];
		const char *word = member_word(q, member, buf);
		if (word == NULL || (said >> member & 1) != 0) {
			continue;
		}
		said |= UINT32_C(1) << member;
		int n = snprintf(result->text + len, room - len, "%s%s %s", len == 0 ? "" : ", ",
		                 q->group->members[member]->target->text, word);
		len += n > 0 ? (size_t)n : 0;
	}
}

static struct forward_result result_of(const struct question *q, int why,
                                       const struct dns_reply *reply, const struct try *winner)
{
	struct forward_result result = {.why = why, .reply = reply};
	if (winner == NULL && q->try_count > 0) {
		winner = &q->tries[q->try_count - 1];
	}
	if (winner != NULL) {
		result.target = &try_target(winner)->addr;
		result.rtt_us = reply != NULL ? winner->rtt_us : 0;
	}
	/* The plain case needs no words, and is to cost nothing. */
	if (why != 0 || q->try_count > 1) {
		result_text(q, &result);
	}
	return result;
}

/* --- Settling --- */

void settle__gone(struct question *q)
{
	struct forward_worker *worker = q->worker;
	for (unsigned int i = 0; i < q->try_count; i++) {
		port__detach(&q->tries[i]);
		tcp__close(&q->tries[i]);
	}
	loop_timer_cancel(&q->timer);
	list_remove(&q->mine);
	list_remove(&q->queue);
	if (q->lingers) {
		worker->lingering--;
	}
	group__unref(&q->group);
	slab__put(&worker->question_slab, q);
}

/* Tries still under way are heard out, for what they tell about their targets; the others end. */
static void settle_linger(struct question *q)
{
	struct forward_worker *worker = q->worker;
	for (unsigned int i = 0; i < q->try_count; i++) {
		struct try *try = &q->tries[i];
		if (try->by_tcp && try->state == TRY_WAITING) {
			try->state = TRY_DROPPED;
		}
		tcp__close(try);
		if (try->state != TRY_WAITING && try->state != TRY_REFUSED) {
			port__detach(try);
		}
	}
	if (worker->closing || worker->lingering >= ASK_LINGERING_MAX || !ask__under_way(q)) {
		settle__gone(q);
		return;
	}
	q->lingers = true;
	worker->lingering++;
	ask__arm(q);
}

void settle__quietly(struct question *q)
{
	send__unhold(q);
	q->settled = true;
	worker__release(q->worker, q->group);
	settle_linger(q);
}

void settle__question(struct question *q, int why, const struct dns_reply *reply,
                      const struct try *winner)
{
	struct inflight *table = q->worker->fwd->inflight;
	struct forward_result result = result_of(q, why, reply, winner);
	struct list own;
	list_init(&own);

	loop_timer_cancel(&q->timer);
	send__unhold(q);
	bool others = inflight__leave(table, &q->entry, &own);
	q->settled = true;
	worker__release(q->worker, q->group);
	if (others) {
		struct answer_copy *copy = copy_new(&result);
		inflight__send(table, &q->entry, copy, letter_read);
		copy_unref(copy);
	}
	while (!list_empty(&own)) {
		struct waiter *waiter = list_item(own.next, struct waiter, link);
		list_remove(&waiter->link);
		worker__tell(waiter, &result);
	}
	settle_linger(q);
}
