/*
 * forward/ask_int.h - one question upstream, from the first packet to the outcome.
 *
 * A question makes up to ASK_TRIES tries, each one packet to one target (or one TCP exchange).
 * When a try's time is up the next target is asked, while all earlier ones may still answer: the
 * first good answer wins. An error answer moves on at once. What cannot be believed is counted
 * and ignored.
 *
 * Loop:   its worker's. Outcomes are told from timers and readers, never from within forward_ask
 *         or forward_flush.
 * Memory: from the worker's slab. A question that has its answer lingers until tries still under
 *         way have run out: what they tell about their targets is worth having.
 * RFC:    5452, section 9.1; threats T1..T5, T11, T12, T16.
 */
#pragma once

#include "dns/msg.h"
#include "forward/inflight_int.h"
#include "forward/worker_int.h"
#include "loop/loop.h"

#define ASK_TRIES         6 /* packets, TCP exchanges counted as one (T16) */
#define ASK_MISMATCHES    3 /* unbelievable packets, then UDP is not believed at all (T4) */
#define ASK_BUDGET_MS     1500
#define ASK_LINGERING_MAX 256
#define ASK_AGAIN_MIN_MS  600 /* before a question goes to a target that has it already */
#define ASK_TCP_MIN_MS    300 /* a TCP exchange takes two round trips and more */
#define ASK_TCP_MAX_MS    800

struct stream;

enum try_state {
	TRY_HELD,    /* wants a token of its group's bucket */
	TRY_WAITING, /* sent, in time */
	TRY_REFUSED, /* ICMP says nobody listens: not waited for, but counted when its time is up */
	TRY_NET,     /* not sent, or the connection broke; its time paces what comes after */
	TRY_SILENT,  /* its time is up; by UDP it may still answer */
	TRY_BAD,     /* answered uselessly */
	TRY_GOOD,
	TRY_DROPPED, /* given up: for TCP, or no token came */
};

struct
try {
	struct question *q;
	struct port *port;     /* by UDP, while an answer would be heard */
	struct stream *stream; /* by TCP, while an answer would be heard */
	uint64_t sent_us;
	uint64_t due_ms; /* 0: no longer timed */
	uint32_t rtt_us;
	uint16_t id;
	uint16_t rcode;  /* of TRY_BAD and TRY_GOOD */
	uint64_t mix;    /* GUARD_CASE: which letters were turned */
	uint8_t carries; /* GUARD_ bits */
	uint8_t place;   /* in its port or stream */
	uint8_t member;  /* of the group */
	uint8_t state;   /* enum try_state */
	bool plain;      /* without EDNS */
	bool by_tcp;
	bool left;      /* went out, as far as we know */
	bool aside;     /* a trial of a lame member: nothing waits for it */
	bool refused;   /* was TRY_REFUSED */
	bool warm;      /* by TLS, on a connection that stood: its time is a round trip */
	bool again;     /* by TCP: sent a second time, since an idle connection had gone */
	bool truncated; /* answered by UDP that the answer is too long for it */
	bool doubted; /* UDP: a reply came that lacked what the question carried. TCP: because of one */
	bool lenient; /* UDP: after such a one, and in vain by TCP: nothing is demanded */
};

struct question {
	struct inflight_entry entry;
	struct forward_worker *worker;
	struct group *group; /* held */
	struct list mine;    /* in the worker's questions */
	struct list queue;   /* in the worker's queue or held, or alone */
	struct loop_timer timer;
	uint32_t tried;      /* members asked in this round; bit i: member i */
	uint32_t useless;    /* members that answered and cannot help */
	uint32_t plain_done; /* members asked without EDNS */
	uint32_t bad_cookie; /* members that told our cookie bad once */
	int why;             /* != 0: fails so with the next timer */
	uint32_t asker;      /* who asked first */
	uint8_t try_count;
	uint8_t mismatches;
	bool settled;  /* told */
	bool lingers;  /* settled, but tries are under way */
	bool only_tcp; /* UDP is not believed any more */
	bool flooded;  /* no token came in time: nothing more is sent */
	struct try tries[ASK_TRIES];
};

static inline struct member *try_member(const struct try *try)
{
	return try->q->group->members[try->member];
}

static inline struct target *try_target(const struct try *try)
{
	return try_member(try)->target;
}

void ask__count(const struct try *try, enum forward_reason reason);

/* Sends the first packet. */
void ask__begin(struct question *q);
/*
 * Goes on after a try has come to nothing: waits for another one, asks the next target, or fails.
 */
void ask__advance(struct question *q, bool time_up);
void ask__timer(void *q);
/* Arms the timer for what is due next. */
void ask__arm(struct question *q);
/* Fails soon, from the timer. */
void ask__fail(struct question *q, int why);

/* A packet with the id of this try came on its port. */
void ask__packet(struct try *try, uint8_t *wire, size_t size, uint64_t now_us);
/*
 * A message with the id of this try came on its connection. True: it was the answer, and the try
 * waits no longer; then *ret_keepalive is what it says of idle connections (struct dns_reply).
 */
bool ask__message(struct try *try, const uint8_t *wire, size_t size, uint64_t now_us,
                  int *ret_keepalive);
/* A packet came that is no answer to this try and may have been meant to look like one. */
void ask__mismatch(struct try *try);
void ask__refused(struct try *try);
/* The connection broke; the try is no longer on it. */
void ask__broken(struct try *try, enum forward_reason reason);

/*
 * Tells all waiters. reply and winner are NULL when there is none; reply may lie in winner's
 * connection. q may be gone afterwards.
 */
void settle__question(struct question *q, int why, const struct dns_reply *reply,
                      const struct try *winner);
/* Ends a question that has left the table since nobody waits for it. */
void settle__quietly(struct question *q);
/* All its tries have ended: frees it. */
void settle__gone(struct question *q);
/* Tries that are still to be heard or to run out. */
bool ask__under_way(const struct question *q);

/* What a try is to be. */
struct try_opts {
	uint8_t member;
	bool plain;
	bool by_tcp;
	bool aside;
	bool doubted;
};
/*
 * Makes the next try of q, which has one left: then it is TRY_WAITING, TRY_HELD, TRY_NET or
 * TRY_DROPPED.
 */
void send__try(struct question *q, const struct try_opts *opts);
/* Tokens may have come: sends held tries. */
void send__held(void *worker);
/* The held try of q stops waiting for a token. False: none was. */
bool send__unhold(struct question *q);
/* The question as it is sent. buf: SEND_ROOM. Returns its size. */
#define SEND_ROOM 512
/* The name as it is sent: the asker's, or mixed into buf (DNS_NAME_MAX). */
const uint8_t *send__name(const struct try *try, uint8_t *buf);
size_t send__build(const struct try *try, uint8_t *buf);
