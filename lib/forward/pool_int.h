/*
 * forward/pool_int.h - a worker's sockets towards one target.
 *
 * New questions take one of up to POOL_LIVE live ports at random; while there are fewer a new one
 * is opened for each. So a forger must guess port and id, and yet a question costs a 64th of a
 * socket.
 *
 * Memory: POOL_PORTS a pool and port_max a worker, retired ones counted; for room the oldest idle
 *         one goes, then the oldest retired one.
 */
#pragma once

#include "forward/port_int.h"

#define POOL_LIVE  64
#define POOL_PORTS 256

struct pool {
	struct forward_worker *worker;
	struct target *target; /* held */
	struct list link;      /* in the worker's pools */
	struct list retired;   /* the longest retired first */
	unsigned int port_count;
	unsigned int live_count;
	struct port *live[POOL_LIVE];
};

/* A port to this target with room for a question. 0 or why not. */
int pool__port(struct forward_worker *worker, struct target *target, struct port **ret_port);
/* The port takes no more questions; it goes with its last one. */
void pool__retire(struct port *port);
/* Closes a retired port that waits for nothing any more. */
void pool__port_idle(struct port *port);
/* Once a second: ports that have lived their time, pools without ports. */
void pool__sweep(struct forward_worker *worker);
void pool__close_all(struct forward_worker *worker);
