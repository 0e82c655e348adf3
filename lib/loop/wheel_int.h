/*
 * loop/wheel_int.h - the timing wheel: timers by the millisecond at which they are due.
 *
 * One slot a millisecond, 4096 of them; a timer further away than one round stays in its slot until
 * its round comes. A bitmap of the slots in use finds the next due one without a walk.
 *
 * Memory: nothing is allocated; timers are linked through themselves.
 * Time:   milliseconds, always handed in by the caller.
 */
#pragma once

#include "loop/loop.h"
#include <stdbool.h>
#include <stdint.h>

#define WHEEL_SLOTS 4096
#define WHEEL_WORDS (WHEEL_SLOTS / 64)
#define WHEEL_NEVER UINT64_MAX

struct wheel {
	uint64_t turned_ms;  /* all that was due until then has fired */
	uint64_t next_ms;    /* nothing fires before; a cancelled timer may leave it too early */
	struct list ready;   /* set for turned_ms or earlier: fire with the next turn */
	uint64_t words_used; /* bit i: slots_used[i] is not 0 */
	uint64_t slots_used[WHEEL_WORDS];
	struct list slots[WHEEL_SLOTS];
};

void wheel_init(struct wheel *wheel, uint64_t now_ms);
bool wheel_empty(const struct wheel *wheel);

/* Puts the timer, which is in no wheel, where its due_ms says. */
void wheel_add(struct wheel *wheel, struct loop_timer *timer);
void wheel_remove(struct wheel *wheel, struct loop_timer *timer);

/*
 * Fires what is due at now_ms, in the order of due_ms. The callbacks may add, remove and free any
 * timer; what they add fires with a later call at the earliest.
 */
void wheel_fire(struct wheel *wheel, uint64_t now_ms);
