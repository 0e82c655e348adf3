/*
 * loop/loop.h - one thread's event loop: descriptors, timers, signals (libevent inside).
 *
 * Loop:   a loop and all that was made on it belong to the thread that runs it; only loop_stop,
 *         and mailbox_post (loop/mailbox.h), may be called from elsewhere.
 * Time:   monotonic milliseconds; loop_now_ms is read once a turn.
 * Memory: callers own struct loop_fd, loop_timer and loop_signal; they must outlive their use.
 */
#pragma once

#include "base/list.h"
#include <stdbool.h>
#include <stdint.h>

struct loop;
struct event;

/* NULL when memory or descriptors are short. */
struct loop *loop_new(void);
/* Only when nothing is open on it any more. Sets *loop to NULL. NULL is fine. */
void loop_free(struct loop **loop);
/* Runs until loop_stop. Returns 0 or a negative errno. */
int loop_run(struct loop *loop);
/* Ends loop_run after the present turn. From any thread, also before loop_run. */
void loop_stop(struct loop *loop);
/* One turn: waits at most wait_ms for events, runs what is due. For tests and for draining. */
int loop_turn(struct loop *loop, unsigned int wait_ms);
/* Time at the start of this turn. */
uint64_t loop_now_ms(const struct loop *loop);

enum {
	LOOP_READ = 1,
	LOOP_WRITE = 2,
};

typedef void loop_fd_fn(void *ctx, int fd, unsigned int what);

struct loop_fd {
	struct loop *loop;
	struct event *event;
	loop_fd_fn *fn;
	void *ctx;
	int fd;
	unsigned int want;
};

/*
 * Calls fn(ctx, fd, what) while fd is ready for what is in want (level triggered). want 0 waits for
 * nothing. The descriptor stays the caller's. Returns 0 or FAIL_NOMEM.
 */
int loop_fd_open(struct loop *loop, struct loop_fd *lfd, int fd, unsigned int want, loop_fd_fn *fn,
                 void *ctx);
int loop_fd_want(struct loop_fd *lfd, unsigned int want);
/* No more callbacks; does not close the descriptor. May be called twice, and from its own callback. */
void loop_fd_close(struct loop_fd *lfd);

typedef void loop_timer_fn(void *ctx);

/*
 * A timer on the loop's wheel (1 ms grain): setting and cancelling cost a few instructions and no
 * allocation, so every question may have one. Fires at or after its time, never before.
 */
struct loop_timer {
	struct list link;
	struct loop *loop;
	uint64_t due_ms;
	loop_timer_fn *fn;
	void *ctx;
	bool armed;
};

void loop_timer_init(struct loop *loop, struct loop_timer *timer, loop_timer_fn *fn, void *ctx);
/* Fires once, delay_ms from loop_now_ms; an armed timer is moved. */
void loop_timer_set(struct loop_timer *timer, uint64_t delay_ms);
/* May be called when not armed, and from its own callback. */
void loop_timer_cancel(struct loop_timer *timer);

struct loop_signal {
	struct event *event;
	loop_timer_fn *fn;
	void *ctx;
};

/* Calls fn(ctx) on the loop for each signal number that arrives. Returns 0 or FAIL_NOMEM. */
int loop_signal_open(struct loop *loop, struct loop_signal *sig, int number, loop_timer_fn *fn,
                     void *ctx);
void loop_signal_close(struct loop_signal *sig);
