#include "base/epoch.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define EPOCH_TSAN 1
#else
#define EPOCH_TSAN 0
/* The read side as inline code: two loads and a store where membarrier() is at hand. */
#define _LGPL_SOURCE
#endif

#include <assert.h>
#include <urcu.h>

/*
 * The library orders readers before the end of a grace period through membarrier(), which
 * ThreadSanitizer does not see: it is told here. A section's end releases, what follows the grace
 * period acquires.
 */
#if EPOCH_TSAN
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
static char epoch_order;
#define epoch_order_release() __tsan_release(&epoch_order)
#define epoch_order_acquire() __tsan_acquire(&epoch_order)

/* What the library keeps for itself (rcu_barrier's counters), it orders likewise. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "called_from_lib:liburcu.so\n";
}
#else
#define epoch_order_release() ((void)0)
#define epoch_order_acquire() ((void)0)
#endif

/* What an epoch_head holds. Its fn is kept apart, so that none is called through another's type. */
struct deferred {
	struct rcu_head rcu;
	epoch_free_fn *fn;
};
static_assert(sizeof(struct deferred) == sizeof(struct epoch_head), "epoch_head fits");
static_assert(_Alignof(struct deferred) <= _Alignof(struct epoch_head), "epoch_head is aligned");

void epoch_thread_start(void)
{
	rcu_register_thread();
}

void epoch_thread_stop(void)
{
	epoch_order_release();
	rcu_unregister_thread();
}

void epoch_read_begin(void)
{
	rcu_read_lock();
}

void epoch_read_end(void)
{
	epoch_order_release();
	rcu_read_unlock();
}

void epoch_wait(void)
{
	synchronize_rcu();
	epoch_order_acquire();
}

static void deferred_run(struct rcu_head *rcu)
{
	struct deferred *deferred = (struct deferred *)(void *)rcu; /* its first member */
	epoch_order_acquire();
	deferred->fn((struct epoch_head *)(void *)deferred);
	epoch_order_release(); /* for whoever drains */
}

void epoch_defer(struct epoch_head *head, epoch_free_fn *fn)
{
	struct deferred *deferred = (struct deferred *)(void *)head;
	deferred->fn = fn;
	epoch_order_release(); /* the deferring thread's own stores, too */
	call_rcu(&deferred->rcu, deferred_run);
}

void epoch_drain(void)
{
	rcu_barrier();
	epoch_order_acquire();
}
