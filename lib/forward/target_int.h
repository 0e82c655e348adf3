/*
 * forward/target_int.h - one server asked from one source: how fast it is and whether it speaks
 * at all.
 *
 * A circuit breaker stands before each target:
 *   closed     it is up, and clients' questions go to it.
 *   open       TARGET_SILENT_MAX tries in a row were silent: it is down. Clients' questions go to
 *              the group's other targets, and to this one only when those are down too (or have
 *              failed the question already).
 *   half-open  one probe is on its way (forward/probe_int.h), TARGET_REST_MIN_MS after the break
 *              and then at growing intervals up to TARGET_REST_MAX_MS, one over all workers and
 *              groups. Any matching reply, to whatever question, closes it again.
 * Whether what it says is of use is another matter: see struct member in forward/group_int.h.
 *
 * One object for the process, whichever groups name the server, so that all learn from each
 * other. It changes on evidence alone (T11): a reply that matched its question, or a question
 * that stayed without one for a whole time-out. A forged packet or an ICMP message proves
 * nothing.
 *
 * Loop:   shared by all workers; single numbers, read and written atomically. Two replies that
 *         cross may lose a sample, which does no harm.
 * RFC:    6298 (the estimate).
 */
#pragma once

#include "base/addr.h"
#include "base/log.h"
#include "forward/guard_int.h"
#include <stdbool.h>
#include <stdint.h>

#define TARGET_TIMEOUT_MIN_MS     80
#define TARGET_TIMEOUT_MAX_MS     400
#define TARGET_TIMEOUT_UNKNOWN_MS 300
#define TARGET_SILENT_MAX         3 /* silent tries in a row, then it counts as down */
#define TARGET_REST_MIN_MS        200
#define TARGET_REST_MAX_MS        2000
#define TARGET_EXPLORE_MS         30000 /* a target not heard for so long may be measured anew */

struct line;
struct pool;
struct tls_peer;

struct target {
	uint32_t refs;
	unsigned int workers;
	struct addr addr;
	struct addr source; /* len 0: any */
	char text[ADDR_TEXT_MAX];
	char *tls;             /* by TLS alone, with whom (tls/tls.h); NULL: in clear */
	struct tls_peer *peer; /* the same, understood */
	struct log_limit tls_limit;

	struct guard guard; /* written by all workers, seldom */

	/* Health: written by all workers. */
	_Alignas(64)
		uint64_t rtt;   /* smoothed time << 32 | its variation, in us; 0: never measured */
	uint64_t heard_us;      /* the last matching reply */
	uint64_t rest_until_ms; /* down: not probed before */
	uint64_t down_since_ms;
	uint64_t explore_ms; /* not measured anew before */
	uint32_t rest_ms;    /* 0: up */
	uint32_t silent;     /* tries in a row */

	struct line **lines; /* one a worker: its connections (tcp_int.h) */

	/* One a worker, which alone looks at it. */
	_Alignas(64) struct pool *pools[];
};

/* NULL: no memory. */
struct target *target__new(const struct addr *addr, const struct addr *source,
                           unsigned int workers);
struct target *target__ref(struct target *target);
void target__unref(struct target **target);
bool target__is(const struct target *target, const struct addr *addr, const struct addr *source);

/* Right after target__new: spoken to by TLS alone. tls: as tls_peer_new takes it. 0 or FAIL_NOMEM. */
int target__set_tls(struct target *target, const char *tls);
/* It is spoken to so; NULL or "": in clear. */
bool target__speaks(const struct target *target, const char *tls);

/* A reply matched. rtt_us 0: says nothing about the round trip (it came by TCP, or is an error). */
void target__heard(struct target *target, uint32_t rtt_us, uint64_t now_us);
/* The question sent at sent_us had no reply within its time-out. */
void target__silent(struct target *target, uint64_t sent_us, uint64_t now_ms);

bool target__down(const struct target *target);
/* True for one prober, when the target is down and has rested: the next rest is longer. */
bool target__probe(struct target *target, uint64_t now_ms);
/* True for one asker a second, when the target was never measured or not for long. */
bool target__explore(struct target *target, uint64_t now_ms);

/* Smoothed round-trip time; 0: never measured. */
uint32_t target__rtt_us(const struct target *target);
/*
 * How long a question waits before the next one goes out; twice as long for each earlier try
 * here.
 */
uint32_t target__timeout_ms(const struct target *target, unsigned int earlier);

/* Moves *at from a time that has come to a later one; of several askers one wins. */
bool target__turn(uint64_t *at, uint64_t now_ms, uint64_t later_ms);
