/*
 * forward/forward.h - asking upstream servers: which target, which socket, when again, whom to
 * believe.
 *
 * One struct forward for the process: groups of targets with their shared health, and the table
 * of questions in flight. One struct forward_worker a worker: sockets and timers on that worker's
 * loop. Askers of the same thing (group, name, type, DO, CD) share one question upstream,
 * whichever worker they came to. Every accepted ask ends in exactly one call of its done
 * function, on the asker's own loop and never inside forward_ask.
 *
 * Loop:   forward_worker on its worker's loop, whose thread has called epoch_thread_start;
 *         forward_set_groups from any one thread; the rest from any thread.
 * Memory: questions in flight bounded a group (max_inflight) and in all (inflight_max).
 * RFC:    5452 (which answers count), 7766 (TCP), 6891; threats T1..T5, T10..T12, T16..T18.
 */
#pragma once

#include "base/addr.h"
#include "dns/msg.h"
#include "metric/metric.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct forward;
struct forward_worker;
struct loop;

enum forward_policy {
	FORWARD_FASTEST, /* by measured round-trip time among those that are up */
	FORWARD_ORDERED, /* the first that is up */
	FORWARD_SPREAD,  /* evenly among those that are up */
};

struct forward_group_opts {
	uint32_t origin;            /* the group's name: see route/rules.h, rule.origin */
	const char *rule;           /* for logs and metrics: "corp.example.com" or "vpc" */
	const struct addr *targets; /* 1 .. FORWARD_TARGETS_MAX */
	size_t target_count;
	enum forward_policy policy;
	unsigned int max_inflight;
	/* Sent along by UDP, where the target bears it (forward/guard_int.h): */
	bool mixed_case;    /* names in random case, to be echoed exactly */
	bool cookies;       /* DNS cookies (RFC 7873) */
	struct addr source; /* len 0: any */
	/*
	 * NULL or "": plain DNS. Else by TLS alone, never in clear, with whom: as tls_peer_new takes it
	 * (RFC 7858).
	 */
	const char *tls;
	/*
	 * The names that the rule is for (wire), the first one first; copied. None: the group has no
	 * name of its own, as the VPC resolver's.
	 */
	const uint8_t *const *domains;
	size_t domain_count;
	/*
	 * A harmless question for a target that is down or lame: wire name, copied, and type. NULL: the
	 * SOA of the first domain, or the NS of the root.
	 */
	const uint8_t *probe_name;
	uint16_t probe_type;
	/* packets/s over all targets and workers, every packet counted; 0: no limit */
	unsigned int packet_rate;
	unsigned int packet_burst;
};

#define FORWARD_TARGETS_MAX 32

struct forward_opts {
	unsigned int workers;
	size_t inflight_max;    /* over all groups; 0: 65,536 */
	unsigned int budget_ms; /* an ask fails at the latest after this; 0: 1,500 */
};

struct forward *forward_new(const struct forward_opts *opts);
/* After every worker has been closed. Sets *fwd to NULL. */
void forward_free(struct forward **fwd);

/*
 * The groups from now on. A group whose origin stays keeps its health, sockets and questions in
 * flight; one that goes ends when its last question has. Returns 0 or FAIL_NOMEM (nothing
 * changed).
 */
int forward_set_groups(struct forward *fwd, const struct forward_group_opts *groups, size_t count);

/*
 * A worker's part, on its own loop (call on that thread, or before it runs). NULL: memory or
 * descriptors.
 */
struct forward_worker *forward_worker_new(struct forward *fwd, struct loop *loop);
/* Settles what is left with FAIL_SHUTDOWN (now, by calling done), closes its sockets. */
void forward_worker_free(struct forward_worker **worker);

/* What came of an ask. */
struct forward_result {
	/* 0: reply is set; FAIL_TIMEOUT, _LAME, _BUSY, _NET, _SHUTDOWN, _NOMEM */
	int why;
	/* Checked, matches the question; for FAIL_LAME the last answer or NULL. Borrowed. */
	const struct dns_reply *reply;
	const struct addr *target; /* who spoke last; may be NULL. Borrowed. */
	bool fresh;                /* this asker is the one who should keep it in the cache */
	uint32_t rtt_us;
	/*
	 * One line for extended errors and explain, empty when the first packet was answered well:
	 * "10.200.0.53:53 silent, 10.200.1.53:53 REFUSED".
	 */
	char text[96];
};

typedef void forward_done_fn(void *ctx, const struct forward_result *result);

/* Embedded in what the asker owns; must live until done or forward_cancel. */
struct forward_ask {
	/* Set by the asker: */
	uint32_t origin; /* which group */
	/* wire, as the client wrote it (sent folded or 0x20'd, echoed exactly); copied */
	const uint8_t *name;
	uint16_t qtype;
	bool dnssec_ok;
	bool checking_disabled;
	unsigned int budget_ms;    /* at most this long; 0: the default */
	const struct addr *client; /* who asks; NULL: we ourselves. Borrowed for the call. */
	uint32_t
		asker; /* a hash of whom it is for: who asks much gives way to who asks little; 0: nobody */
	bool spare; /* no client waits: refused (FAIL_BUSY) while clients use half of the packet rate's burst */
	forward_done_fn *done;
	void *ctx;
	/* Set by forward_ask when it returns 0: */
	bool hopeless; /* every target is known to be down; they are asked all the same */
	/* And for FAIL_LOOP: the way in words, borrowed until the worker's next forward_ask. */
	const char *text;
	/* forward's own: */
	uint8_t only; /* 0, or 1 + the member of the group that alone is asked; leave it 0 */
	bool made_up; /* no server has heard of the name: the answer says nothing of its worth */
	void *waiting;
};

/*
 * 0: done will be called later. FAIL_BUSY (a bound is reached), FAIL_NOTFOUND (no such group),
 * FAIL_LOOP (it came from one of the targets, or would come back to us), FAIL_NOMEM: done is never
 * called.
 */
int forward_ask(struct forward_worker *worker, struct forward_ask *ask);
/* done will not be called any more. */
void forward_cancel(struct forward_worker *worker, struct forward_ask *ask);

/*
 * Sends what forward_ask has queued since the last call, in batches. The worker calls it once a
 * turn, after its batch of questions; what was not flushed goes out at the end of the turn
 * anyway.
 */
void forward_flush(struct forward_worker *worker);

/*
 * How a target stands for one rule. DOWN: silent, asked by probes alone while another target is not
 * (forward/target_int.h). LAME: it speaks, and says nothing of use for this rule; asked after those
 * that do. LOOP: what it is asked for this rule comes back to us; not asked (forward/circle_int.h).
 */
enum forward_state {
	FORWARD_UP,
	FORWARD_LAME,
	FORWARD_LOOP,
	FORWARD_DOWN,
};
const char *forward_state_text(enum forward_state state); /* "up" */

/* A target as it stands now, for horizonctl and metrics. */
struct forward_target_state {
	const char *rule; /* borrowed until the call returns */
	uint32_t origin;
	struct addr addr;
	bool up; /* it speaks: not DOWN */
	enum forward_state state;
	/* What questions by UDP carry now: wanted by the rule, and borne by the target. */
	bool mixed_case;
	bool cookies;
	bool gives_cookies; /* it has given us one */
	double rtt_ms;      /* smoothed; 0: never measured */
	uint64_t queries;   /* probes among them */
	uint64_t probes;
	uint64_t failures;
};
typedef void forward_target_fn(void *ctx, const struct forward_target_state *state);
void forward_each_target(struct forward *fwd, forward_target_fn *fn, void *ctx);

/* True when some target of this group (0: of any group) is not known to be down. */
bool forward_way_out(struct forward *fwd, uint32_t origin);

/* Prometheus text of all that CONTRACT names horizond_upstream_* and horizond_vpc_packets_*. */
void forward_metrics(void *fwd, struct text *out);
