#include "loop/loop.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include "loop/wheel_int.h"
#include <assert.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct turn_clock {
	uint64_t now_ms;
	bool fresh; /* read in this turn */
};

struct loop {
	struct event_base *base;
	struct loop_fd wake;  /* an eventfd: loop_stop writes it */
	struct loop_fd alarm; /* a timerfd: rings when the wheel has something due */
	uint64_t alarm_ms;    /* what it is set to; WHEEL_NEVER: nothing */
	atomic_bool stopping;
	bool in_turn;
	size_t fds_open;
	struct loop_timer patience; /* the bound of loop_turn's wait */
	/*
	 * The time is read when it is first asked for in a turn: that is after the wait, which a
	 * callback may end. Reached by pointer, since asking
	 * takes a const loop.
	 */
	struct turn_clock *clock;
	struct turn_clock clock_own;
	struct wheel wheel;
};

static void library_says(int severity, const char *text)
{
	log_line(severity >= EVENT_LOG_ERR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "loop",
	         "libevent: %s", text);
}

static void library_setup(void)
{
	event_set_log_callback(library_says);
}

static struct event_base *base_new(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, library_setup);
	struct event_config *config = event_config_new();
	if (config == NULL) {
		return NULL;
	}
	struct event_base *base = NULL;
	/* One thread a loop needs no locks; EVENT_* in the environment should change nothing. */
	if (event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0 &&
	    event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV) == 0) {
		base = event_base_new_with_config(config);
	}
	event_config_free(config);
	return base;
}

static void wake_ready(void *ctx, int fd, unsigned int what)
{
	uint64_t count;
	if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN) {
		log_error("loop", "cannot read the wake-up descriptor: %s", fail_text(-errno));
	}
}

static void alarm_ready(void *ctx, int fd, unsigned int what)
{
	/* It has ended the wait; the turn fires the timers and sets the alarm anew. */
}

static void patience_over(void *ctx)
{
	/* It has ended the wait of loop_turn. */
}

/* Opens fd, which may be a failed call's -1, on the loop; closes it again when that fails. */
static int own_open(struct loop *loop, struct loop_fd *lfd, int fd, loop_fd_fn *fn)
{
	if (fd < 0) {
		return -errno;
	}
	int ret = loop_fd_open(loop, lfd, fd, LOOP_READ, fn, loop);
	if (ret != 0) {
		close(fd);
	}
	return ret;
}

static void own_close(struct loop_fd *lfd)
{
	if (lfd->event != NULL) {
		loop_fd_close(lfd);
		close(lfd->fd);
	}
}

struct loop *loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	if (loop == NULL) {
		return NULL;
	}
	loop->clock = &loop->clock_own;
	loop->alarm_ms = WHEEL_NEVER;
	wheel_init(&loop->wheel, mono_ms());
	loop_timer_init(loop, &loop->patience, patience_over, NULL);
	loop->base = base_new();
	if (loop->base == NULL ||
	    own_open(loop, &loop->wake, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), wake_ready) != 0 ||
	    own_open(loop, &loop->alarm,
	             timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
	             alarm_ready) != 0) {
		loop_free(&loop);
	}
	return loop;
}

void loop_free(struct loop **ptr)
{
	struct loop *loop = *ptr;
	if (loop == NULL) {
		return;
	}
	assert(!loop->in_turn);
	own_close(&loop->wake);
	own_close(&loop->alarm);
	assert(loop->fds_open == 0);
	assert(wheel_empty(&loop->wheel));
	if (loop->base != NULL) {
		/*
		 * No signal, nothing of control/http.c's. What is active at this point are the last
		 * steps of connections already freed, which event_base_free takes.
		 */
		assert(event_base_get_num_events(loop->base, EVENT_BASE_COUNT_ADDED) ==
		       event_base_get_num_events(loop->base, EVENT_BASE_COUNT_ACTIVE));
		event_base_free(loop->base);
	}
	free(loop);
	*ptr = NULL;
}

/*
 * Sets the alarm to the wheel's next time. Not moved back when that has become later (a timer was
 * cancelled, as most are): one ring for nothing costs less than a system call for each. A timerfd
 * rather than an event with a timeout, since libevent reckons those by CLOCK_MONOTONIC_COARSE, of 4
 * to 10 ms grain, or else makes a system call each turn.
 */
static int alarm_set(struct loop *loop)
{
	uint64_t next_ms = loop->wheel.next_ms;
	bool rung = loop->alarm_ms <= loop->wheel.turned_ms;
	if (next_ms == loop->alarm_ms || (next_ms > loop->alarm_ms && !rung)) {
		return 0;
	}
	struct itimerspec at = {0}; /* all zero: no ring */
	if (next_ms != WHEEL_NEVER) {
		at.it_value.tv_sec = (time_t)(next_ms / 1000);
		at.it_value.tv_nsec = (long)(next_ms % 1000) * 1000000;
	}
	if (timerfd_settime(loop->alarm.fd, TFD_TIMER_ABSTIME, &at, NULL) != 0) {
		return -errno;
	}
	loop->alarm_ms = next_ms;
	return 0;
}

static int turn(struct loop *loop, int flags)
{
	assert(!loop->in_turn); /* not from a callback */
	if (!list_empty(&loop->wheel.ready)) {
		flags |= EVLOOP_NONBLOCK;
	} else {
		int ret = alarm_set(loop);
		if (ret != 0) {
			return ret;
		}
	}

	loop->in_turn = true;
	errno = 0;
	/* ONCE goes with NONBLOCK too: without, libevent stays while any descriptor is ready. */
	int ret = event_base_loop(loop->base, EVLOOP_ONCE | flags);
	if (ret < 0) {
		ret = errno != 0 ? -errno : -EIO;
	} else {
		ret = 0;
		wheel_fire(&loop->wheel, loop_now_ms(loop));
	}
	loop->in_turn = false;
	loop->clock->fresh = false;
	return ret;
}

int loop_run(struct loop *loop)
{
	int ret = 0;
	while (ret == 0 && !atomic_load(&loop->stopping)) {
		ret = turn(loop, 0);
	}
	atomic_store(&loop->stopping, false);
	return ret;
}

void loop_stop(struct loop *loop)
{
	const uint64_t one = 1;
	atomic_store(&loop->stopping, true);
	/* EAGAIN: the counter is full, so the loop is being woken already. */
	if (write(loop->wake.fd, &one, sizeof(one)) < 0 && errno != EAGAIN) {
		log_error("loop", "cannot wake a loop: %s", fail_text(-errno));
	}
}

int loop_turn(struct loop *loop, unsigned int wait_ms)
{
	if (wait_ms == 0) {
		return turn(loop, EVLOOP_NONBLOCK);
	}
	loop_timer_set(&loop->patience, wait_ms);
	int ret = turn(loop, 0);
	loop_timer_cancel(&loop->patience);
	return ret;
}

uint64_t loop_now_ms(const struct loop *loop)
{
	struct turn_clock *clock = loop->clock;
	if (!clock->fresh) {
		clock->now_ms = mono_ms();
		clock->fresh = loop->in_turn;
	}
	return clock->now_ms;
}

static void fd_ready(evutil_socket_t fd, short events, void *arg)
{
	struct loop_fd *lfd = arg;
	unsigned int what = 0;
	if (events & EV_READ) {
		what |= LOOP_READ;
	}
	if (events & EV_WRITE) {
		what |= LOOP_WRITE;
	}
	lfd->fn(lfd->ctx, fd, what);
}

static short fd_events(unsigned int want)
{
	int events = EV_PERSIST;
	if (want & LOOP_READ) {
		events |= EV_READ;
	}
	if (want & LOOP_WRITE) {
		events |= EV_WRITE;
	}
	return (short)events;
}

int loop_fd_open(struct loop *loop, struct loop_fd *lfd, int fd, unsigned int want, loop_fd_fn *fn,
                 void *ctx)
{
	*lfd = (struct loop_fd){.loop = loop, .fn = fn, .ctx = ctx, .fd = fd, .want = want};
	lfd->event = event_new(loop->base, fd, fd_events(want), fd_ready, lfd);
	if (lfd->event == NULL) {
		return FAIL_NOMEM;
	}
	if (want != 0 && event_add(lfd->event, NULL) != 0) {
		event_free(lfd->event);
		lfd->event = NULL;
		return FAIL_NOMEM;
	}
	loop->fds_open++;
	return 0;
}

int loop_fd_want(struct loop_fd *lfd, unsigned int want)
{
	if (want == lfd->want) {
		return 0;
	}
	/* The wants of a pending event are fixed, so it must leave the base in between. */
	lfd->want = 0;
	if (event_del(lfd->event) != 0 || event_assign(lfd->event, lfd->loop->base, lfd->fd,
	                                               fd_events(want), fd_ready, lfd) != 0) {
		return FAIL_NOMEM;
	}
	if (want != 0 && event_add(lfd->event, NULL) != 0) {
		return FAIL_NOMEM;
	}
	lfd->want = want;
	return 0;
}

void loop_fd_close(struct loop_fd *lfd)
{
	if (lfd->event != NULL) {
		event_free(lfd->event);
		lfd->event = NULL;
		lfd->want = 0;
		lfd->loop->fds_open--;
	}
}

void loop_timer_init(struct loop *loop, struct loop_timer *timer, loop_timer_fn *fn, void *ctx)
{
	*timer = (struct loop_timer){.loop = loop, .fn = fn, .ctx = ctx};
	list_init(&timer->link);
}

void loop_timer_set(struct loop_timer *timer, uint64_t delay_ms)
{
	loop_timer_cancel(timer);
	uint64_t now_ms = loop_now_ms(timer->loop);
	uint64_t delay_max_ms = WHEEL_NEVER - 1 - now_ms;
	timer->due_ms = now_ms + (delay_ms < delay_max_ms ? delay_ms : delay_max_ms);
	wheel_add(&timer->loop->wheel, timer);
}

void loop_timer_cancel(struct loop_timer *timer)
{
	if (timer->armed) {
		wheel_remove(&timer->loop->wheel, timer);
	}
}

static void signal_came(evutil_socket_t number, short events, void *arg)
{
	struct loop_signal *sig = arg;
	sig->fn(sig->ctx);
}

int loop_signal_open(struct loop *loop, struct loop_signal *sig, int number, loop_timer_fn *fn,
                     void *ctx)
{
	*sig = (struct loop_signal){.fn = fn, .ctx = ctx};
	sig->event = evsignal_new(loop->base, number, signal_came, sig);
	if (sig->event == NULL || evsignal_add(sig->event, NULL) != 0) {
		loop_signal_close(sig);
		return FAIL_NOMEM;
	}
	return 0;
}

void loop_signal_close(struct loop_signal *sig)
{
	if (sig->event != NULL) {
		event_free(sig->event);
		sig->event = NULL;
	}
}
