#include "base/fail.h"
#include "base/mono.h"
#include "dns/build.h"
#include "forward/ask_int.h"
#include "forward/outbox_int.h"
#include "forward/tcp_int.h"
#include <assert.h>

#define HELD_MAX_MS 200 /* a question waits no longer for a token */
#define PAD_BLOCK   128 /* of questions by TLS (RFC 8467, section 4.1) */
#define TCP_PACKETS 8   /* what a TCP exchange is counted as: SYN, data, ACKs, FIN, both of ours */

/* --- The packet --- */

const uint8_t *send__name(const struct try *try, uint8_t *buf)
{
	const struct inflight_entry *entry = &try->q->entry;
	if ((try->carries & GUARD_CASE) == 0) {
		return entry->name;
	}
	guard__mix(entry->name, entry->name_len, try->mix, buf);
	return buf;
}

/* No client's option goes along, so that equal questions stay equal (T8). */
size_t send__build(const struct try *try, uint8_t *buf)
{
	const struct inflight_entry *entry = &try->q->entry;
	uint16_t flags = DNS_FLAG_RD |
	                 DNS_FLAG_AD; /* tell us what you have validated (RFC 6840, section 5.7) */
	if (entry->checking_disabled) {
		flags |= DNS_FLAG_CD;
	}
	struct dns_build build;
	uint8_t mixed[DNS_NAME_MAX];
	uint8_t cookie[GUARD_COOKIE_MAX];
	dns_build_question(&build, buf, SEND_ROOM, try->id, flags, send__name(try, mixed),
	                   entry->qtype);
	if (try->plain) {
		return dns_build_end(&build, 0, DNS_RCODE_NOERROR, NULL);
	}
	struct dns_opt opt = {
		.udp_size = DNS_UDP_OURS,
		.dnssec_ok = entry->dnssec_ok,
		.ede = DNS_EDE_NONE,
		.keepalive = try->by_tcp ? DNS_KEEPALIVE_ASK : DNS_KEEPALIVE_NONE,
		.pad_block = try_target(try)->tls != NULL ? PAD_BLOCK : 0,
	};
	if ((try->carries & GUARD_COOKIE) != 0) {
		opt.cookie = cookie;
		opt.cookie_len = (uint8_t)guard__cookie(&try_target(try)->guard, cookie);
	}
	return dns_build_end(&build, 0, DNS_RCODE_NOERROR, &opt);
}

/* No target is left that this question has not gone to. */
static bool try_is_last_of_round(const struct try *try)
{
	const struct question *q = try->q;
	uint64_t asked = q->tried | q->useless | UINT64_C(1) << try->member;
	return asked == (UINT64_C(1) << q->group->member_count) - 1;
}

/*
 * How long the try is waited for before the next. Another target is asked soon; to ask the same
 * again is worth less (a resolver may only be looking far away, and each copy is a packet of its
 * budget and a forger's chance).
 */
static uint32_t try_timeout_ms(const struct try *try)
{
	const struct question *q = try->q;
	unsigned int earlier = 0;
	for (const struct try *at = q->tries; at < try; at++) {
		earlier += at->member == try->member && at->state == TRY_SILENT;
	}
	uint32_t wait_ms = target__timeout_ms(try_target(try), earlier);
	bool last = try_is_last_of_round(try);
	bool connects = try->by_tcp && !tcp__warm(try);
	if (!connects && !last) {
		return wait_ms;
	}
	wait_ms *= 2;
	if (!connects) {
		return wait_ms < ASK_AGAIN_MIN_MS ? ASK_AGAIN_MIN_MS : wait_ms;
	}
	if (wait_ms < ASK_TCP_MIN_MS) {
		wait_ms = ASK_TCP_MIN_MS;
	}
	return wait_ms < ASK_TCP_MAX_MS ? wait_ms : ASK_TCP_MAX_MS;
}

/* The token is there. */
static void try_transmit(struct try *try)
{
	struct forward_worker *worker = try->q->worker;
	uint64_t now_ms = loop_now_ms(worker->loop);
	try->sent_us = now_ms * 1000; /* by UDP told better when it leaves */
	try->due_ms = now_ms + try_timeout_ms(try);
	try->state = TRY_WAITING;
	struct tally *tally = &try_member(try)->tally[worker->index];
	metric_add(&tally->queries, 1);
	if (try->q->entry.only != 0) {
		metric_add(&tally->probes, 1);
	}
	try->left = true;
	int ret = try->by_tcp ? tcp__start(try) : outbox__put(worker->outbox, try);
	if (ret != 0) {
		try->left = false;
		try->state = TRY_NET;
		ask__count(try, REASON_NET);
	}
}

/* --- Tokens --- */

/* 0, or nanoseconds until it is worth asking again. */
static uint64_t try_token(const struct try *try)
{
	struct bucket *bucket = try->q->group->bucket;
	if (bucket == NULL) {
		return 0;
	}
	unsigned int packets = try->by_tcp ? TCP_PACKETS : 1;
	uint64_t wait_ns = bucket__take(bucket, packets, mono_us() * 1000);
	if (wait_ns == 0) {
		metric_add_shared(&try->q->worker->fwd->limited_packets, packets);
	}
	return wait_ns;
}

static void held_arm(struct forward_worker *worker, uint64_t wait_ns)
{
	loop_timer_set(&worker->held_timer, wait_ns / 1000000 + 1);
}

static struct try *held_try(struct question *q)
{
	for (unsigned int i = 0; i < q->try_count; i++) {
		if (q->tries[i].state == TRY_HELD) {
			return &q->tries[i];
		}
	}
	return NULL;
}

bool send__unhold(struct question *q)
{
	struct try *try = held_try(q);
	if (try == NULL) {
		return false;
	}
	held__remove(&q->worker->held, q);
	try->state = TRY_DROPPED;
	return true;
}

/* So many that the last one's token comes well in time. */
static bool held_has_room(const struct question *q)
{
	return q->worker->held.count <=
	       (uint64_t)bucket__rate(q->group->bucket) * HELD_MAX_MS * 3 / 4000;
}

/* A place for q's try; somebody else's if that is fair. */
static bool held_make_room(const struct question *q)
{
	if (held_has_room(q)) {
		return true;
	}
	struct held *held = &q->worker->held;
	/* While they are sent nobody is taken out: it might be the next of the walk. */
	struct question *victim = held->walked ? NULL : held__victim(held, q->asker);
	if (victim == NULL) {
		return false;
	}
	send__unhold(victim);
	victim->flooded = true;
	ask__advance(victim, false);
	return true;
}

/* Waits for a token; or not, when none will come in time. */
static void try_hold(struct try *try, uint64_t wait_ns)
{
	struct question *q = try->q;
	struct forward_worker *worker = q->worker;
	metric_add_shared(&worker->fwd->limited_packets_held, 1);
	if (wait_ns > HELD_MAX_MS * UINT64_C(1000000) || !held_make_room(q)) {
		try->state = TRY_DROPPED;
		q->flooded = true;
		return;
	}
	try->state = TRY_HELD;
	try->due_ms = loop_now_ms(worker->loop) + HELD_MAX_MS;
	held__add(&worker->held, q);
	if (worker->held.count == 1) {
		held_arm(worker, wait_ns);
	}
}

/* A bucket found empty, and when it is worth looking again; 0: none so far. */
struct dry {
	const struct bucket *bucket;
	uint64_t wait_ns;
};

/* Of the others none leaves the list meanwhile (held->walked); who tries its next target comes behind. */
static void held_send(struct forward_worker *worker, struct list *list, struct dry *dry)
{
	list_each (at, list) {
		struct question *q = list_item(at, struct question, queue);
		if (q->group->bucket == dry->bucket) {
			continue;
		}
		struct try *try = held_try(q);
		assert(try != NULL);
		uint64_t wait_ns = try_token(try);
		if (wait_ns != 0) {
			dry->bucket = q->group->bucket;
			if (dry->wait_ns == 0 || wait_ns < dry->wait_ns) {
				dry->wait_ns = wait_ns;
			}
			continue;
		}
		held__remove(&worker->held, q);
		try_transmit(try);
		ask__advance(q, false);
	}
}

void send__held(void *ctx)
{
	struct forward_worker *worker = ctx;
	struct dry dry = {.bucket = NULL};
	worker->held.walked = true;
	for (unsigned int i = 0; i < HELD_TURNS; i++) {
		held_send(worker, &worker->held.turn[i], &dry);
	}
	worker->held.walked = false;
	if (worker->held.count > 0) {
		held_arm(worker, dry.wait_ns);
	}
}

/* --- A try --- */

/* Of this member came a reply that was doubted, and by TCP it could not be had. */
static bool try_is_lenient(const struct try *try)
{
	for (const struct try *at = try->q->tries; at < try; at++) {
		if (at->member == try->member && at->by_tcp && at->doubted &&
		    at->state >= TRY_NET && at->state != TRY_GOOD) {
			return true;
		}
	}
	return false;
}

/* What the question is to carry against forgers. By TCP nothing needs to be; a cookie is learnt. */
static void try_guard(struct try *try, uint64_t now_ms)
{
	const struct target *target = try_target(try);
	unsigned int want = try->q->group->guard;
	try->lenient = !try->by_tcp && try_is_lenient(try);
	if (try->by_tcp || try->lenient) {
		want &= GUARD_COOKIE;
	}
	if (try->plain) {
		want &= GUARD_CASE;
	}
	try->carries = (uint8_t)guard__bear(&target->guard, want, target__down(target), now_ms);
	if ((try->carries & GUARD_CASE) != 0) {
		try->mix = random_u64();
	}
}

void send__try(struct question *q, const struct try_opts *opts)
{
	assert(q->try_count < ASK_TRIES);
	struct try *try = &q->tries[q->try_count++];
	*try = (struct try){
		.q = q,
		.member = opts->member,
		.plain = opts->plain,
		.by_tcp = opts->by_tcp || q->group->members[opts->member]->target->tls != NULL,
		.aside = opts->aside,
		.doubted = opts->doubted,
	};
	try_guard(try, loop_now_ms(q->worker->loop));
	q->tried |= UINT32_C(1) << opts->member;
	bool queued = q->group->bucket != NULL && q->worker->held.count > 0;
	uint64_t wait_ns = queued ? 1 : try_token(try);
	if (wait_ns == 0) {
		try_transmit(try);
	} else if (opts->aside) {
		try->state = TRY_DROPPED; /* no trial is worth a question's token */
	} else {
		try_hold(try, wait_ns);
	}
}
