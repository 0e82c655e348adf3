/*
 * forward/worker_int.h - what the files of this room share: the process' part and a worker's.
 */
#pragma once

#include "base/list.h"
#include "base/random.h"
#include "forward/forward.h"
#include "forward/group_int.h"
#include "forward/held_int.h"
#include "forward/inflight_int.h"
#include "forward/slab_int.h"
#include "loop/loop.h"
#include <pthread.h>

struct batch;
struct mailbox;
struct outbox;
struct prober;
struct question;

#define FORWARD_WORKERS_MAX 256

struct forward {
	struct forward_opts opts;
	struct inflight *inflight;
	struct group_table *table; /* published (base/epoch.h); changed under admin */
	/* Guards the slow path: a change of the table, and its readers who are no workers. */
	pthread_mutex_t admin;
	pthread_mutex_t circle_lock; /* circle_from of all members; the innermost */
	uint8_t circle_key[16];      /* drawn at start: which of the circle's questions are ours */
	bool worker_used[FORWARD_WORKERS_MAX];
	/* Written by all workers. */
	_Alignas(64) size_t inflight_count;
	uint64_t limited_packets;      /* sent by groups with a bucket */
	uint64_t limited_packets_held; /* of those, found no token at once */
};

/* The range that random source ports are drawn from. */
struct port_range {
	uint16_t low;
	uint16_t high;
};

struct forward_worker {
	struct forward *fwd;
	struct loop *loop;
	struct mailbox *box; /* letters: what became of questions that other workers asked */
	unsigned int index;
	bool closing;
	struct draw draw;

	struct slab question_slab;
	struct slab waiter_slab;
	struct list questions; /* asked by this worker, not yet settled or lingering */
	struct list waiters;
	size_t waiting;
	unsigned int lingering;

	struct list queue; /* questions that nothing was sent for yet */
	struct loop_timer flush_timer;
	struct held held; /* questions that want a token */
	struct loop_timer held_timer;

	struct list pools;
	struct list ports; /* the oldest first */
	unsigned int port_count;
	unsigned int port_max;
	struct port_range range;
	struct loop_timer sweep_timer;
	struct batch *batch;
	struct outbox *outbox;

	struct list lines;   /* connections to each target */
	struct list streams; /* all connections, the longest unused first */
	unsigned int tcp_count;
	uint8_t *stream_in;    /* what one read brings; NULL: none was read yet */
	struct prober *prober; /* the first worker's alone; else NULL */
	char refusal[160];     /* why the last ask was refused */
};

/*
 * forward_ask of a group at hand, whose reference it takes over, also when it fails. A question to
 * one member alone (ask->only) is counted in the bounds but not stopped by them.
 */
int worker__ask(struct forward_worker *worker, struct group *group, struct forward_ask *ask);
/* A question has left: its places in the bounds are free again. */
void worker__release(struct forward_worker *worker, struct group *group);
/* Gives an accepted asker its outcome and forgets him. why as in struct forward_result. */
void worker__tell(struct waiter *waiter, struct forward_result *result);
