#include "base/fail.h"
#include "base/hash.h"
#include "forward/ask_int.h"
#include "forward/belief_int.h"
#include "forward/circle_int.h"
#include "forward/port_int.h"
#include "forward/tcp_int.h"
#include <string.h>

void ask__count(const struct try *try, enum forward_reason reason)
{
	metric_add(&try_member(try)->tally[try->q->worker->index].failures[reason], 1);
}

/* --- What stands --- */

/* A try that is waited for, so that no other is made. */
static bool ask_waits(const struct question *q)
{
	for (unsigned int i = 0; i < q->try_count; i++) {
		const struct try *try = &q->tries[i];
		if (!try->aside && (try->state == TRY_WAITING || try->state == TRY_HELD)) {
			return true;
		}
	}
	return false;
}

/* Something may still be heard, of others than this try (or NULL), though its time may be up. */
static bool ask_hears(const struct question *q, const struct try *except)
{
	for (unsigned int i = 0; i < q->try_count; i++) {
		const struct try *try = &q->tries[i];
		if (try != except && (try->port != NULL || try->stream != NULL)) {
			return true;
		}
	}
	return false;
}

/* A failed try's time is running: the same targets are not tried again at once. */
static bool ask_paced(const struct question *q)
{
	for (unsigned int i = 0; i < q->try_count; i++) {
		const struct try *try = &q->tries[i];
		if (try->state == TRY_REFUSED || (try->state == TRY_NET && try->due_ms != 0)) {
			return true;
		}
	}
	return false;
}

static bool ask_never_left(const struct question *q)
{
	for (unsigned int i = 0; i < q->try_count; i++) {
		if (q->tries[i].left) {
			return false;
		}
	}
	return true;
}

bool ask__under_way(const struct question *q)
{
	for (unsigned int i = 0; i < q->try_count; i++) {
		const struct try *try = &q->tries[i];
		if ((try->state == TRY_WAITING || try->state == TRY_REFUSED) && try->port != NULL) {
			return true;
		}
	}
	return false;
}

static bool all_useless(const struct question *q)
{
	return q->useless == (UINT64_C(1) << q->group->member_count) - 1;
}

static bool ask_may_try(const struct question *q)
{
	return q->try_count < ASK_TRIES && !q->flooded;
}

/* Why, when all is in vain. */
static int ask_why(const struct question *q)
{
	if (q->flooded || (q->try_count > 0 && q->tries[q->try_count - 1].state == TRY_HELD)) {
		return FAIL_BUSY;
	}
	if (q->useless != 0 && (all_useless(q) || !ask_hears(q, NULL))) {
		return FAIL_LAME;
	}
	return ask_never_left(q) ? FAIL_NET : FAIL_TIMEOUT;
}

/* --- Time --- */

void ask__arm(struct question *q)
{
	uint64_t due_ms = q->settled ? UINT64_MAX : q->entry.deadline_ms;
	for (unsigned int i = 0; i < q->try_count; i++) {
		const struct try *try = &q->tries[i];
		if (try->state <= TRY_NET && try->due_ms != 0 && try->due_ms < due_ms) {
			due_ms = try->due_ms;
		}
	}
	uint64_t now_ms = loop_now_ms(q->worker->loop);
	loop_timer_set(&q->timer, due_ms > now_ms ? due_ms - now_ms : 0);
}

void ask__fail(struct question *q, int why)
{
	q->why = why;
	loop_timer_set(&q->timer, 0);
}

static void try_expire(struct try *try, uint64_t now_ms)
{
	switch (try->state) {
	case TRY_HELD:
		send__unhold(try->q);
		try->q->flooded = true;
		break;
	case TRY_WAITING:
		ask__count(try, REASON_TIMEOUT);
		/* fall through */
	case TRY_REFUSED:
		try->state = TRY_SILENT;
		if (!try->q->entry.made_up) { /* some filter may drop a name so odd */
			target__silent(try_target(try), try->sent_us, now_ms);
		}
		tcp__overdue(try);
		break;
	default:
		break;
	}
	try->due_ms = 0;
}

/* Ends the tries whose time is up. True when there was one. */
static bool ask_expire(struct question *q, uint64_t now_ms)
{
	bool any = false;
	for (unsigned int i = 0; i < q->try_count; i++) {
		struct try *try = &q->tries[i];
		if (try->state <= TRY_NET && try->due_ms != 0 && try->due_ms <= now_ms) {
			try_expire(try, now_ms);
			any = true;
		}
	}
	return any;
}

void ask__timer(void *ctx)
{
	struct question *q = ctx;
	uint64_t now_ms = loop_now_ms(q->worker->loop);
	if (q->why != 0) {
		settle__question(q, q->why, NULL, NULL);
		return;
	}
	bool time_up = ask_expire(q, now_ms);
	if (q->settled) {
		if (ask__under_way(q)) {
			ask__arm(q);
		} else {
			settle__gone(q);
		}
		return;
	}
	if (now_ms >= q->entry.deadline_ms) {
		settle__question(q, ask_why(q), NULL, NULL);
		return;
	}
	/* Nobody waits any more: no more packets. */
	if (time_up && inflight__leave_unwanted(q->worker->fwd->inflight, &q->entry)) {
		settle__quietly(q);
		return;
	}
	ask__advance(q, time_up);
}

/* --- The next try --- */

/*
 * Each target once, then all again that are not useless; that second round only after a time-out or
 * an answer, for else two closed ports would be hammered. -1: none now.
 */
static int ask_pick(struct question *q, bool *time_up)
{
	struct forward_worker *worker = q->worker;
	if (q->entry.only != 0) {
		return q->try_count == 0 ? q->entry.only - 1 : -1;
	}
	uint64_t now_ms = loop_now_ms(worker->loop);
	int member = group__pick(q->group, q->tried | q->useless, &worker->draw, now_ms);
	if (member < 0 && (*time_up || !ask_paced(q)) && !all_useless(q)) {
		*time_up = false;
		q->tried = 0;
		member = group__pick(q->group, q->useless, &worker->draw, now_ms);
	}
	return member;
}

void ask__advance(struct question *q, bool time_up)
{
	if (q->settled || q->why != 0) {
		return;
	}
	while (!ask_waits(q)) {
		int member = ask_may_try(q) ? ask_pick(q, &time_up) : -1;
		if (member >= 0) {
			send__try(q, &(struct try_opts){
					     .member = (uint8_t)member,
					     .by_tcp = q->only_tcp,
				     });
			continue;
		}
		bool later = ask_may_try(q) && !all_useless(q) && !ask_never_left(q) &&
		             q->entry.only == 0;
		if (!later && !ask_hears(q, NULL)) {
			ask__fail(q, ask_why(q));
			return;
		}
		break;
	}
	ask__arm(q);
}

/*
 * A lame member is tried with a copy of a question that goes to a better one too: that it is of use
 * again is noticed, and nobody waits for it if it is not.
 */
static void ask_trial(struct question *q)
{
	uint64_t now_ms = loop_now_ms(q->worker->loop);
	int member = group__trial(q->group, q->tried | q->useless, now_ms);
	if (member < 0 || !ask_may_try(q)) {
		return;
	}
	send__try(q, &(struct try_opts){.member = (uint8_t)member, .aside = true});
	ask__advance(q, false);
}

void ask__begin(struct question *q)
{
	q->useless = q->entry.only != 0 ? 0 : circle__cut(q->group);
	ask__advance(q, false);
	if (q->why == 0 && q->group->member_count > 1 && q->entry.only == 0) {
		ask_trial(q);
	}
}

/* --- By TCP --- */

/* The same target again. */
static void ask_again(struct question *q, const struct try_opts *opts)
{
	send__unhold(q);
	if (ask_may_try(q)) {
		send__try(q, opts);
		struct try *try = &q->tries[q->try_count - 1];
		if (try->doubted && try->state == TRY_NET && ask_may_try(q)) {
			/* Nothing to be had by TCP: once more by UDP (forward/guard_int.h). */
			send__try(q,
			          &(struct try_opts){.member = opts->member, .plain = opts->plain});
		}
	}
	ask__advance(q, false);
}

/* Somebody is guessing, or the path garbles: this question goes on by TCP alone (T4). */
static void ask_distrust(struct question *q, uint8_t member, bool plain)
{
	q->only_tcp = true;
	for (unsigned int i = 0; i < q->try_count; i++) {
		struct try *try = &q->tries[i];
		if (!try->by_tcp && try->state <= TRY_NET) {
			try->state = TRY_DROPPED;
		}
		port__detach(try);
	}
	ask_again(q, &(struct try_opts){.member = member, .plain = plain, .by_tcp = true});
}

void ask__mismatch(struct try *try)
{
	struct question *q = try->q;
	ask__count(try, REASON_MISMATCH);
	if (q->settled || q->why != 0 || q->only_tcp) {
		return;
	}
	if (++q->mismatches >= ASK_MISMATCHES) {
		ask_distrust(q, try->member, try->plain);
	}
}

void ask__refused(struct try *try)
{
	if (try->state != TRY_WAITING) {
		return;
	}
	ask__count(try, REASON_NET);
	try->state = TRY_REFUSED;
	try->refused = true;
	ask__advance(try->q, false);
}

void ask__broken(struct try *try, enum forward_reason reason)
{
	ask__count(try, reason);
	try->state = TRY_NET;
	if (try->doubted) {
		ask_again(try->q, &(struct try_opts){.member = try->member, .plain = try->plain});
		return;
	}
	ask__advance(try->q, false);
}

/* --- Answers --- */

/* Of the name alone: its types stand and fall together. */
static uint32_t name_hash(const struct inflight_entry *entry)
{
	uint8_t folded[DNS_NAME_MAX + 1];
	memcpy(folded, entry->name, entry->name_len);
	dns_name_lower(folded);
	return hash_fold(hash_step(0, folded, entry->name_len));
}

/* Was the answer of use? That says whether the member is lame. */
static void ask_worth(const struct try *try, enum verdict verdict, uint64_t now_ms)
{
	const struct question *q = try->q;
	struct member *member = try_member(try);
	bool probe = q->entry.only != 0;
	char buf[16];
	if (q->entry.made_up) {
		return;
	}
	switch (verdict) {
	case VERDICT_COOKIE:
		break;
	case VERDICT_GOOD:
	case VERDICT_TRUNCATED:
		member__useful(member, q->group, probe, now_ms);
		break;
	case VERDICT_FORMERR:
		if (!try->plain) {
			break; /* perhaps it is EDNS alone */
		}
		/* fall through */
	case VERDICT_BAD:
		member__useless(member, q->group, probe, name_hash(&q->entry),
		                try->rcode == DNS_RCODE_NOERROR ? "a referral"
		                                                : dns_rcode_text(try->rcode, buf),
		                now_ms);
		break;
	}
}

static void ask_bad(struct try *try, const struct dns_reply *reply)
{
	struct question *q = try->q;
	q->useless |= UINT32_C(1) << try->member;
	bool hope = !all_useless(q) && (ask_may_try(q) || ask_hears(q, try));
	if (!hope && !ask_waits(q)) {
		settle__question(q, FAIL_LAME, reply, try);
		return;
	}
	tcp__close(try);
	ask__advance(q, false);
}

static void ask_formerr(struct try *try, const struct dns_reply *reply)
{
	struct question *q = try->q;
	uint32_t bit = UINT32_C(1) << try->member;
	if (try->plain || (q->plain_done & bit) != 0 || !ask_may_try(q)) {
		ask_bad(try, reply);
		return;
	}
	q->plain_done |= bit;
	tcp__close(try);
	ask_again(q,
	          &(struct try_opts){.member = try->member, .plain = true, .by_tcp = try->by_tcp});
}

/* Its new cookie is known by now: once more with that, then by TCP (RFC 7873 section 5.3). */
static void ask_with_cookie(const struct try *try)
{
	struct question *q = try->q;
	uint32_t bit = UINT32_C(1) << try->member;
	bool again = (q->bad_cookie & bit) != 0;
	q->bad_cookie |= bit;
	ask_again(q, &(struct try_opts){.member = try->member, .by_tcp = again});
}

/* A reply that answers the very question of this try. */
static void ask_reply(struct try *try, const struct dns_reply *reply, uint64_t now_us)
{
	struct question *q = try->q;
	enum forward_reason reason;
	enum verdict verdict = belief__judge(try, reply, &reason);
	bool timed = (!try->by_tcp || try->warm) &&
	             (verdict == VERDICT_GOOD || verdict == VERDICT_TRUNCATED);
	try->rtt_us = now_us > try->sent_us ? (uint32_t)(now_us - try->sent_us) : 1;
	target__heard(try_target(try), timed ? try->rtt_us : 0, now_us);

	port__detach(try);
	try->rcode = reply->rcode;
	try->state = verdict == VERDICT_GOOD ? TRY_GOOD : TRY_BAD;
	try->truncated = verdict == VERDICT_TRUNCATED;
	if (verdict == VERDICT_BAD || verdict == VERDICT_FORMERR) {
		ask__count(try, reason);
	}
	ask_worth(try, verdict, now_us / 1000);
	if (q->settled || q->why != 0) {
		tcp__close(try);
		return; /* the timer sees to the rest */
	}
	switch (verdict) {
	case VERDICT_GOOD:
		settle__question(q, 0, reply, try);
		break;
	case VERDICT_TRUNCATED:
		ask_again(q, &(struct try_opts){
				     .member = try->member, .plain = try->plain, .by_tcp = true});
		break;
	case VERDICT_FORMERR:
		ask_formerr(try, reply);
		break;
	case VERDICT_COOKIE:
		ask_with_cookie(try);
		break;
	case VERDICT_BAD:
		ask_bad(try, reply);
		break;
	}
}

/* --- What came --- */

/*
 * By TCP nobody else can answer. The wait by UDP goes on: the doubtful reply may have been a
 * forger's, and the true one be on its way.
 */
static void ask_doubt(struct try *try)
{
	struct question *q = try->q;
	ask__count(try, REASON_MISMATCH);
	if (q->settled || q->why != 0 || try->doubted) {
		return;
	}
	try->doubted = true;
	ask_again(q, &(struct try_opts){.member = try->member,
	                                .plain = try->plain,
	                                .by_tcp = true,
	                                .doubted = true});
}

/* What the target bears is learnt from what it answered. */
static void ask_learn(const struct try *try, const struct dns_reply *reply, uint64_t now_ms)
{
	const struct question *q = try->q;
	struct target *target = try_target(try);
	if (try->by_tcp || try->lenient || q->group->guard == 0) {
		return;
	}
	if (try->carries != 0) {
		guard__kept(&target->guard, reply->rcode == DNS_RCODE_FORMERR
		                                    ? try->carries & GUARD_CASE
		                                    : try->carries);
	} else if (target__down(target)) {
		guard__plain_up(&target->guard);
	}
	for (const struct try *at = q->tries; at < try && try->plain; at++) {
		if (at->member == try->member && at->rcode == DNS_RCODE_FORMERR &&
		    (at->carries & GUARD_COOKIE) != 0 && reply->rcode != DNS_RCODE_FORMERR) {
			guard__cookie_refused(&target->guard, target->text, now_ms);
			break;
		}
	}
}

void ask__packet(struct try *try, uint8_t *wire, size_t size, uint64_t now_us)
{
	struct question *q = try->q;
	struct dns_reply reply;
	if (dns_reply_read(wire, size, &reply) == 0) {
		switch (belief__of(try, &reply, now_us / 1000)) {
		case BELIEF_YES:
			if ((try->carries & GUARD_CASE) != 0 && reply.has_question) {
				/* Names that point into it are in the asker's case then. */
				memcpy(wire + DNS_HEADER_SIZE, q->entry.name, q->entry.name_len);
			}
			ask_learn(try, &reply, now_us / 1000);
			ask_reply(try, &reply, now_us);
			break;
		case BELIEF_NO:
			ask__mismatch(try);
			break;
		case BELIEF_DOUBT:
			ask_doubt(try);
			break;
		}
		return;
	}
	if (!belief__echoed(try, wire, size) || q->settled || q->why != 0) {
		ask__mismatch(try);
		return;
	}
	/*
	 * The right head with a body that makes no sense, or is longer than we take: by TCP
	 * (T12).
	 */
	ask__count(try, REASON_MISMATCH);
	ask_distrust(q, try->member, try->plain);
}

bool ask__message(struct try *try, const uint8_t *wire, size_t size, uint64_t now_us,
                  int *ret_keepalive)
{
	struct dns_reply reply;
	if (dns_reply_read(wire, size, &reply) != 0 ||
	    belief__of(try, &reply, now_us / 1000) != BELIEF_YES) {
		ask__count(try, REASON_MISMATCH);
		return false;
	}
	*ret_keepalive = reply.keepalive;
	ask_reply(try, &reply, now_us);
	return true;
}
