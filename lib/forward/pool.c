#include "base/fail.h"
#include "forward/pool_int.h"
#include <assert.h>
#include <stdlib.h>

#define SWEEP_MS 1000

static struct pool *pool_for(struct forward_worker *worker, struct target *target)
{
	struct pool *pool = target->pools[worker->index];
	if (pool != NULL) {
		return pool;
	}
	pool = calloc(1, sizeof(*pool));
	if (pool == NULL) {
		return NULL;
	}
	pool->worker = worker;
	pool->target = target__ref(target);
	list_init(&pool->retired);
	list_append(&worker->pools, &pool->link);
	target->pools[worker->index] = pool;
	if (!worker->sweep_timer.armed) {
		loop_timer_set(&worker->sweep_timer, SWEEP_MS);
	}
	return pool;
}

static void pool_free(struct pool *pool)
{
	assert(pool->port_count == 0);
	list_remove(&pool->link);
	pool->target->pools[pool->worker->index] = NULL;
	target__unref(&pool->target);
	free(pool);
}

void pool__retire(struct port *port)
{
	struct pool *pool = port->pool;
	if (!port->live) {
		return;
	}
	struct port *last = pool->live[--pool->live_count];
	pool->live[port->place] = last;
	last->place = port->place;
	port->live = false;
	list_append(&pool->retired, &port->retired);
	pool__port_idle(port);
}

static void pool_drop(struct port *port)
{
	struct pool *pool = port->pool;
	if (port->live) {
		struct port *last = pool->live[--pool->live_count];
		pool->live[port->place] = last;
		last->place = port->place;
	}
	list_remove(&port->retired);
	list_remove(&port->by_age);
	pool->port_count--;
	pool->worker->port_count--;
	port__close(&port);
}

void pool__port_idle(struct port *port)
{
	if (!port->live && port->open == 0 && !port->reading) {
		pool_drop(port);
	}
}

/*
 * The oldest port that waits for nothing goes. The walk is short: most are idle most of the time.
 */
static bool worker_make_room(struct forward_worker *worker)
{
	unsigned int looked = 0;
	list_each (at, &worker->ports) {
		struct port *port = list_item(at, struct port, by_age);
		if (port->open == 0 && !port->reading) {
			pool_drop(port);
			return true;
		}
		if (++looked == 64) {
			break;
		}
	}
	return false;
}

/* The longest retired port goes, whatever it still waits for: that has had the most time. */
static bool pool_make_room(struct pool *pool)
{
	list_each (at, &pool->retired) {
		struct port *port = list_item(at, struct port, retired);
		if (!port->reading) {
			pool_drop(port);
			return true;
		}
	}
	return false;
}

static int pool_open(struct pool *pool, struct port **ret_port)
{
	struct forward_worker *worker = pool->worker;
	if (pool->port_count >= POOL_PORTS && !pool_make_room(pool)) {
		return FAIL_BUSY;
	}
	if (worker->port_count >= worker->port_max && !worker_make_room(worker)) {
		return FAIL_BUSY;
	}
	struct port *port;
	int ret = port__open(worker, pool->target, &port);
	if (ret == -EMFILE && worker_make_room(worker)) {
		ret = port__open(worker, pool->target, &port);
	}
	if (ret != 0) {
		return ret;
	}
	port->pool = pool;
	port->live = true;
	port->place = pool->live_count;
	pool->live[pool->live_count++] = port;
	pool->port_count++;
	worker->port_count++;
	list_append(&worker->ports, &port->by_age);
	*ret_port = port;
	return 0;
}

int pool__port(struct forward_worker *worker, struct target *target, struct port **ret_port)
{
	struct pool *pool = pool_for(worker, target);
	if (pool == NULL) {
		return FAIL_NOMEM;
	}
	uint64_t now_ms = loop_now_ms(worker->loop);
	while (pool->live_count == POOL_LIVE) {
		struct port *port = pool->live[random_below(POOL_LIVE)];
		if (now_ms - port->born_ms < PORT_LIFE_MS) {
			*ret_port = port;
			return 0;
		}
		pool__retire(port);
	}
	int ret = pool_open(pool, ret_port);
	if (ret != 0 && pool->live_count > 0) {
		/* Fewer ports than we want are better than no question. */
		*ret_port = pool->live[random_below(pool->live_count)];
		return 0;
	}
	return ret;
}

void pool__sweep(struct forward_worker *worker)
{
	uint64_t now_ms = loop_now_ms(worker->loop);
	list_each (at, &worker->ports) {
		struct port *port = list_item(at, struct port, by_age);
		if (now_ms - port->born_ms < PORT_LIFE_MS) {
			break; /* all others are younger */
		}
		pool__retire(port);
	}
	list_each (at, &worker->pools) {
		struct pool *pool = list_item(at, struct pool, link);
		if (pool->port_count == 0) {
			pool_free(pool);
		}
	}
	if (!list_empty(&worker->pools)) {
		loop_timer_set(&worker->sweep_timer, SWEEP_MS);
	}
}

void pool__close_all(struct forward_worker *worker)
{
	while (!list_empty(&worker->ports)) {
		pool_drop(list_item(worker->ports.next, struct port, by_age));
	}
	while (!list_empty(&worker->pools)) {
		pool_free(list_item(worker->pools.next, struct pool, link));
	}
	loop_timer_cancel(&worker->sweep_timer);
}
