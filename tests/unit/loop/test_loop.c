#include "base/mono.h"
#include "loop/loop.h"
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state)
{
	*state = loop_new();
	return *state == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	struct loop *loop = *state;
	loop_free(&loop);
	assert_null(loop);
	loop_free(&loop);
	return 0;
}

struct probe {
	struct loop *loop;
	struct loop_fd lfd;
	struct loop_timer timer;
	unsigned int count;
	unsigned int what;
	uint64_t at_ms;
};

static void ready(void *ctx, int fd, unsigned int what)
{
	struct probe *probe = ctx;
	assert_int_equal(fd, probe->lfd.fd);
	probe->count++;
	probe->what = what;
}

static void test_descriptors_are_level_triggered(void **state)
{
	struct probe probe = {.loop = *state};
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(loop_fd_open(*state, &probe.lfd, fds[0], LOOP_READ, ready, &probe), 0);
	assert_int_equal(loop_turn(*state, 0), 0);
	assert_int_equal(probe.count, 0);

	assert_int_equal(write(fds[1], "ab", 2), 2);
	assert_int_equal(loop_turn(*state, 1000), 0);
	assert_int_equal(loop_turn(*state, 0), 0);
	assert_int_equal(probe.count, 2); /* once a turn, until it is read */
	assert_int_equal(probe.what, LOOP_READ);

	char byte[2];
	assert_int_equal(read(fds[0], byte, 2), 2);
	assert_int_equal(loop_turn(*state, 0), 0);
	assert_int_equal(probe.count, 2);
	loop_fd_close(&probe.lfd);
	loop_fd_close(&probe.lfd);
	close(fds[0]);
	close(fds[1]);
}

static void test_wants_change(void **state)
{
	struct probe probe = {.loop = *state};
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(write(fds[1], "a", 1), 1);
	assert_int_equal(loop_fd_open(*state, &probe.lfd, fds[0], 0, ready, &probe), 0);
	static const unsigned int wants[] = {LOOP_READ, LOOP_WRITE, LOOP_READ | LOOP_WRITE, 0,
	                                     LOOP_WRITE};
	for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
		probe.what = 0;
		assert_int_equal(loop_fd_want(&probe.lfd, wants[i]), 0);
		assert_int_equal(loop_fd_want(&probe.lfd, wants[i]), 0);
		assert_int_equal(loop_turn(*state, 0), 0);
		assert_int_equal(probe.what, wants[i]);
	}
	loop_fd_close(&probe.lfd);
	close(fds[0]);
	close(fds[1]);
}

static void ready_then_close(void *ctx, int fd, unsigned int what)
{
	struct probe *probe = ctx;
	probe[0].count++;
	/* Both are ready in this turn, but only one may hear of it. */
	loop_fd_close(&probe[0].lfd);
	loop_fd_close(&probe[1].lfd);
}

static void ready_then_want(void *ctx, int fd, unsigned int what)
{
	struct probe *probe = ctx;
	probe->count++;
	assert_int_equal(loop_fd_want(&probe->lfd, 0), 0);
}

static void test_callback_may_close_and_change(void **state)
{
	struct probe *probes = calloc(2, sizeof(*probes));
	int fds[2];
	assert_non_null(probes);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(
		loop_fd_open(*state, &probes[0].lfd, fds[0], LOOP_WRITE, ready_then_close, probes),
		0);
	assert_int_equal(
		loop_fd_open(*state, &probes[1].lfd, fds[1], LOOP_WRITE, ready_then_close, probes),
		0);
	assert_int_equal(loop_turn(*state, 0), 0);
	assert_int_equal(probes[0].count, 1);

	probes[1].count = 0;
	assert_int_equal(loop_fd_open(*state, &probes[1].lfd, fds[1], LOOP_WRITE, ready_then_want,
	                              &probes[1]),
	                 0);
	assert_int_equal(loop_turn(*state, 0), 0);
	assert_int_equal(loop_turn(*state, 0), 0);
	assert_int_equal(probes[1].count, 1);
	loop_fd_close(&probes[1].lfd);
	close(fds[0]);
	close(fds[1]);
	free(probes);
}

static void test_bad_descriptor_is_refused(void **state)
{
	struct loop_fd lfd;
	int fd = dup(STDIN_FILENO);
	close(fd);
	assert_int_not_equal(loop_fd_open(*state, &lfd, fd, LOOP_READ, ready, NULL), 0);
	loop_fd_close(&lfd);
}

static void fired(void *ctx)
{
	struct probe *probe = ctx;
	probe->count++;
	probe->at_ms = loop_now_ms(probe->loop);
	/* Never before its time, whatever the clock that ended the wait. */
	assert_true(mono_ms() >= probe->timer.due_ms);
	assert_true(probe->at_ms >= probe->timer.due_ms);
}

static void turn_until_fired(struct loop *loop, const struct probe *probe, unsigned int count)
{
	uint64_t end_ms = mono_ms() + 10000;
	while (probe->count < count && mono_ms() < end_ms) {
		assert_int_equal(loop_turn(loop, 1000), 0);
	}
	assert_int_equal(probe->count, count);
}

static void test_timers_fire_once_and_not_early(void **state)
{
	struct probe probe = {.loop = *state};
	loop_timer_init(*state, &probe.timer, fired, &probe);
	for (unsigned int i = 0; i < 20; i++) {
		uint64_t begun_ms = mono_ms();
		loop_timer_set(&probe.timer, i % 5);
		turn_until_fired(*state, &probe, i + 1);
		assert_true(mono_ms() >= begun_ms + i % 5);
		assert_false(probe.timer.armed);
	}
	/* Nothing is due, and the alarm that has rung does not ring on. */
	uint64_t begun_ms = mono_ms();
	assert_int_equal(loop_turn(*state, 20), 0);
	assert_true(mono_ms() >= begun_ms + 19);
	assert_int_equal(probe.count, 20);
}

static void test_timers_move_and_cancel(void **state)
{
	struct probe near = {.loop = *state}, far = {.loop = *state};
	loop_timer_init(*state, &near.timer, fired, &near);
	loop_timer_init(*state, &far.timer, fired, &far);
	loop_timer_cancel(&near.timer);
	loop_timer_set(&near.timer, 5000);
	loop_timer_set(&far.timer, UINT64_MAX);
	assert_int_equal(loop_turn(*state, 0), 0);
	loop_timer_set(&near.timer, 3600000);
	loop_timer_set(&far.timer, 5); /* nearer than anything the alarm is set to */
	turn_until_fired(*state, &far, 1);
	loop_timer_cancel(&near.timer);
	loop_timer_cancel(&near.timer);
	assert_int_equal(near.count, 0);
}

static void fire_again(void *ctx)
{
	struct probe *probe = ctx;
	fired(ctx);
	if (probe->count < 1000) {
		loop_timer_set(&probe->timer, 0);
	}
}

static void test_at_once_shares_with_descriptors(void **state)
{
	struct probe busy = {.loop = *state}, timer = {.loop = *state};
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(loop_fd_open(*state, &busy.lfd, fds[0], LOOP_WRITE, ready, &busy), 0);
	loop_timer_init(*state, &timer.timer, fire_again, &timer);
	loop_timer_set(&timer.timer, 0);
	turn_until_fired(*state, &timer, 1000);
	/* One turn each: had they waited for the next millisecond, there would be many more. */
	assert_in_range(busy.count, 999, 1002);
	loop_fd_close(&busy.lfd);
	close(fds[0]);
	close(fds[1]);
}

static void fired_late(void *ctx)
{
	struct probe *probe = ctx;
	uint64_t before_ms = loop_now_ms(probe->loop);
	uint64_t end_us = mono_us() + 3000;
	while (mono_us() < end_us) {
		assert_true(loop_now_ms(probe->loop) == before_ms);
	}
	probe->count++;
}

static void test_time_stands_within_a_turn(void **state)
{
	struct probe probe = {.loop = *state};
	loop_timer_init(*state, &probe.timer, fired_late, &probe);
	loop_timer_set(&probe.timer, 0);
	turn_until_fired(*state, &probe, 1);
	uint64_t now_ms = loop_now_ms(*state);
	assert_true(now_ms <= mono_ms());
}

static void test_turn_waits_no_longer_than_told(void **state)
{
	uint64_t begun_ms = mono_ms();
	assert_int_equal(loop_turn(*state, 20), 0);
	uint64_t took_ms = mono_ms() - begun_ms;
	assert_in_range(took_ms, 19, 10000);
}

static void stop_own(void *ctx)
{
	struct probe *probe = ctx;
	probe->count++;
	loop_stop(probe->loop);
}

static void test_stop_before_and_within_run(void **state)
{
	struct probe probe = {.loop = *state};
	loop_stop(*state);
	assert_int_equal(loop_run(*state), 0);
	/* The stop is used up: the next run runs. */
	loop_timer_init(*state, &probe.timer, stop_own, &probe);
	loop_timer_set(&probe.timer, 1);
	assert_int_equal(loop_run(*state), 0);
	assert_int_equal(probe.count, 1);
}

static void *stop_elsewhere(void *ctx)
{
	loop_stop(ctx);
	return NULL;
}

static void test_stop_from_another_thread(void **state)
{
	for (int i = 0; i < 50; i++) {
		pthread_t thread;
		assert_int_equal(pthread_create(&thread, NULL, stop_elsewhere, *state), 0);
		assert_int_equal(loop_run(*state), 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
	}
}

static void test_signals_come_to_the_loop(void **state)
{
	struct probe probe = {.loop = *state};
	struct loop_signal sig;
	assert_int_equal(loop_signal_open(*state, &sig, SIGUSR1, stop_own, &probe), 0);
	for (unsigned int i = 1; i <= 3; i++) {
		assert_int_equal(raise(SIGUSR1), 0);
		assert_int_equal(loop_run(*state), 0);
		assert_int_equal(probe.count, i);
	}
	loop_signal_close(&sig);
	loop_signal_close(&sig);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_descriptors_are_level_triggered), TEST(test_wants_change),
		TEST(test_callback_may_close_and_change),   TEST(test_bad_descriptor_is_refused),
		TEST(test_timers_fire_once_and_not_early),  TEST(test_timers_move_and_cancel),
		TEST(test_at_once_shares_with_descriptors), TEST(test_time_stands_within_a_turn),
		TEST(test_turn_waits_no_longer_than_told),  TEST(test_stop_before_and_within_run),
		TEST(test_stop_from_another_thread),        TEST(test_signals_come_to_the_loop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
