/*
 * forward/port_int.h - one UDP socket: a random source port, connected to one target.
 *
 * Connected, so that the kernel lets nobody but the target speak to it (T3). It carries at most
 * PORT_QUESTIONS questions or lives PORT_LIFE_MS; retired it stays open until the last of them
 * ends. Each of its questions has an id that none other on this socket ever had, so a late reply
 * is never taken for another's.
 *
 * Loop:   its worker's.
 * RFC:    5452, section 9.2 (ports and ids).
 */
#pragma once

#include "base/list.h"
#include "forward/worker_int.h"
#include "loop/loop.h"

#define PORT_QUESTIONS 64
#define PORT_LIFE_MS   10000

struct pool;
struct try;

struct port {
	struct forward_worker *worker;
	struct pool *pool;
	struct list by_age;  /* in the worker's ports */
	struct list retired; /* in the pool's retired, or alone */
	struct loop_fd lfd;
	int fd;
	uint64_t born_ms;
	unsigned int place; /* in the pool's live ports */
	bool live;          /* takes new questions */
	bool reading;       /* its own callback runs: not to be closed now */
	uint8_t used;       /* ids given */
	uint8_t open;       /* of those, still awaited */
	uint16_t ids[PORT_QUESTIONS];
	struct try *tries[PORT_QUESTIONS];
};

/* 0, or what the system said: no descriptor, no memory, no route. */
int port__open(struct forward_worker *worker, const struct target *target, struct port **ret_port);
/* Its questions learn nothing more from it. */
void port__close(struct port **port);

/* A place and an unused random id for try, which must not have one. There is room. */
void port__attach(struct port *port, struct try *try);
void port__detach(struct try *try);

/* Where random ports may lie on this machine. */
struct port_range port__range(void);

/* Room for what a worker reads at once. */
struct batch *port__batch_new(void);
void port__batch_free(struct batch **batch);
