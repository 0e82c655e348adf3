#include "base/random.h"
#include "loop/wheel_int.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START_MS 1000000

struct probe {
	struct loop_timer timer;
	unsigned int fired;
	struct probe *other; /* what its callback meddles with */
};

static struct wheel wheel;
static uint64_t clock_ms;
static struct probe *order[8]; /* the last to fire */
static unsigned int order_count;

static void fire_count(void *ctx)
{
	struct probe *probe = ctx;
	assert_true(probe->timer.due_ms <= clock_ms);
	assert_false(probe->timer.armed);
	probe->fired++;
	order[order_count++ % 8] = probe;
}

static void arm(struct probe *probe, uint64_t due_ms)
{
	probe->timer.due_ms = due_ms;
	wheel_add(&wheel, &probe->timer);
}

static struct probe *probe_new(loop_timer_fn *fn)
{
	struct probe *probe = calloc(1, sizeof(*probe));
	assert_non_null(probe);
	probe->timer.fn = fn;
	probe->timer.ctx = probe;
	list_init(&probe->timer.link);
	return probe;
}

static void turn_to(uint64_t now_ms)
{
	clock_ms = now_ms;
	wheel_fire(&wheel, now_ms);
}

static int setup(void **state)
{
	clock_ms = START_MS;
	order_count = 0;
	wheel_init(&wheel, START_MS);
	return 0;
}

static void test_fires_on_its_millisecond(void **state)
{
	static const uint64_t delays[] = {1,    2,    63,   64,   65,   4031,  4032, 4095,
	                                  4096, 4097, 8191, 8192, 8193, 20000, 65536};
	struct probe *probe = probe_new(fire_count);
	for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		uint64_t due_ms = wheel.turned_ms + delays[i];
		probe->fired = 0;
		arm(probe, due_ms);
		/* As the loop does: from one time that the wheel names to the next. */
		while (wheel.next_ms < due_ms) {
			turn_to(wheel.next_ms);
			assert_int_equal(probe->fired, 0);
		}
		assert_int_equal(wheel.next_ms, due_ms);
		turn_to(due_ms - 1);
		assert_int_equal(probe->fired, 0);
		turn_to(due_ms);
		assert_int_equal(probe->fired, 1);
		assert_true(wheel_empty(&wheel));
		assert_true(wheel.next_ms == WHEEL_NEVER);
	}
	free(probe);
}

static void test_late_turn_fires_all_in_order(void **state)
{
	struct probe *probes[4];
	static const uint64_t due[4] = {30, 10, 20, 10};
	for (int i = 0; i < 4; i++) {
		probes[i] = probe_new(fire_count);
		arm(probes[i], START_MS + due[i]);
	}
	turn_to(START_MS + 100000); /* many rounds later */
	assert_int_equal(order_count, 4);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(probes[i]->fired, 1);
	}
	assert_true(wheel_empty(&wheel));

	for (int i = 0; i < 4; i++) {
		arm(probes[i], clock_ms + due[i]);
	}
	order_count = 0;
	turn_to(clock_ms + 50);
	assert_ptr_equal(order[0], probes[1]);
	assert_ptr_equal(order[1], probes[3]);
	assert_ptr_equal(order[2], probes[2]);
	assert_ptr_equal(order[3], probes[0]);
	for (int i = 0; i < 4; i++) {
		free(probes[i]);
	}
}

static void test_a_slot_is_shared_by_rounds(void **state)
{
	struct probe *now = probe_new(fire_count), *later = probe_new(fire_count);
	arm(later, START_MS + 5 + WHEEL_SLOTS);
	arm(now, START_MS + 5);
	turn_to(START_MS + 5);
	assert_int_equal(now->fired, 1);
	assert_int_equal(later->fired, 0);
	turn_to(START_MS + 4 + WHEEL_SLOTS);
	assert_int_equal(later->fired, 0);
	turn_to(START_MS + 5 + WHEEL_SLOTS);
	assert_int_equal(later->fired, 1);
	free(now);
	free(later);
}

static void test_due_already_fires_with_the_next_turn(void **state)
{
	struct probe *probe = probe_new(fire_count);
	turn_to(START_MS + 50);
	arm(probe, START_MS + 50);
	assert_true(wheel.next_ms <= clock_ms);
	assert_false(wheel_empty(&wheel));
	turn_to(START_MS + 50); /* time need not have gone on */
	assert_int_equal(probe->fired, 1);
	arm(probe, START_MS);
	wheel_remove(&wheel, &probe->timer);
	turn_to(START_MS + 51);
	assert_int_equal(probe->fired, 1);
	free(probe);
}

static void test_removed_never_fires(void **state)
{
	struct probe *one = probe_new(fire_count), *two = probe_new(fire_count);
	arm(one, START_MS + 5);
	arm(two, START_MS + 5);
	wheel_remove(&wheel, &one->timer);
	assert_false(wheel_empty(&wheel)); /* two is still in the slot */
	turn_to(START_MS + 5);
	assert_int_equal(one->fired, 0);
	assert_int_equal(two->fired, 1);
	arm(two, START_MS + 9000);
	wheel_remove(&wheel, &two->timer);
	assert_true(wheel_empty(&wheel));
	free(one);
	free(two);
}

static void fire_and_free_other(void *ctx)
{
	struct probe *probe = ctx;
	fire_count(ctx);
	if (probe->other != NULL) {
		struct probe *other = probe->other;
		assert_true(other->timer.armed); /* it waits for its turn in this very turn */
		wheel_remove(&wheel, &other->timer);
		free(other);
	}
}

static void test_callback_may_free_others_due(void **state)
{
	struct probe *first = probe_new(fire_and_free_other);
	struct probe *neighbour = probe_new(fire_and_free_other);
	struct probe *third = probe_new(fire_and_free_other);
	struct probe *last = probe_new(fire_and_free_other);
	first->other = neighbour;
	third->other = last;
	arm(first, START_MS + 5);
	arm(neighbour, START_MS + 5);
	arm(third, START_MS + 6);
	arm(last, START_MS + 7);
	turn_to(START_MS + 7);
	assert_int_equal(order_count, 2);
	assert_int_equal(first->fired, 1);
	assert_int_equal(third->fired, 1);
	assert_true(wheel_empty(&wheel));
	free(first);
	free(third);
}

static void fire_and_free_self(void *ctx)
{
	fire_count(ctx);
	free(ctx);
}

static void fire_and_move(void *ctx)
{
	struct probe *probe = ctx;
	fire_count(ctx);
	if (probe->other != NULL) {
		wheel_remove(&wheel, &probe->other->timer);
		arm(probe->other, clock_ms + 10);
	}
	arm(probe, clock_ms); /* at once again, but not in this turn */
}

static void test_callback_may_move_timers(void **state)
{
	struct probe *mover = probe_new(fire_and_move), *moved = probe_new(fire_count);
	struct probe *own = probe_new(fire_and_free_self);
	mover->other = moved;
	arm(mover, START_MS + 5);
	arm(own, START_MS + 5);
	arm(moved, START_MS + 5);
	turn_to(START_MS + 5);
	assert_int_equal(mover->fired, 1);
	assert_int_equal(moved->fired, 0);
	mover->other = NULL;
	turn_to(START_MS + 5);
	assert_int_equal(mover->fired, 2);
	wheel_remove(&wheel, &mover->timer);
	turn_to(START_MS + 15);
	assert_int_equal(moved->fired, 1);
	assert_true(wheel_empty(&wheel));
	free(mover);
	free(moved);
}

#define CROWD 500

/* Against a list that is simply searched: the same must be armed and have fired at each step. */
static void test_agrees_with_a_plain_list(void **state)
{
	static struct probe *crowd[CROWD];
	static unsigned int expected[CROWD];
	memset(expected, 0, sizeof(expected));
	for (int i = 0; i < CROWD; i++) {
		crowd[i] = probe_new(fire_count);
	}
	for (int step = 0; step < 3000; step++) {
		for (int i = 0; i < 20; i++) {
			struct loop_timer *timer = &crowd[random_below(CROWD)]->timer;
			if (timer->armed) {
				wheel_remove(&wheel, timer);
			}
			if (random_below(4) != 0) {
				arm(timer->ctx,
				    clock_ms + random_below(step % 3 == 0 ? 20000 : 300));
			}
		}
		uint64_t nearest_ms = WHEEL_NEVER;
		for (int i = 0; i < CROWD; i++) {
			if (crowd[i]->timer.armed && crowd[i]->timer.due_ms < nearest_ms) {
				nearest_ms = crowd[i]->timer.due_ms;
			}
		}
		assert_true(wheel.next_ms <= nearest_ms);
		uint64_t now_ms = clock_ms + random_below(step % 50 == 0 ? 6000 : 30);
		for (int i = 0; i < CROWD; i++) {
			expected[i] += crowd[i]->timer.armed && crowd[i]->timer.due_ms <= now_ms;
		}
		turn_to(now_ms);
		for (int i = 0; i < CROWD; i++) {
			assert_int_equal(crowd[i]->fired, expected[i]);
		}
	}
	for (int i = 0; i < CROWD; i++) {
		if (crowd[i]->timer.armed) {
			wheel_remove(&wheel, &crowd[i]->timer);
		}
		free(crowd[i]);
	}
	assert_true(wheel_empty(&wheel));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_fires_on_its_millisecond, setup),
		cmocka_unit_test_setup(test_late_turn_fires_all_in_order, setup),
		cmocka_unit_test_setup(test_a_slot_is_shared_by_rounds, setup),
		cmocka_unit_test_setup(test_due_already_fires_with_the_next_turn, setup),
		cmocka_unit_test_setup(test_removed_never_fires, setup),
		cmocka_unit_test_setup(test_callback_may_free_others_due, setup),
		cmocka_unit_test_setup(test_callback_may_move_timers, setup),
		cmocka_unit_test_setup(test_agrees_with_a_plain_list, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
