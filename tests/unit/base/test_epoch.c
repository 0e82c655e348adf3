#include "base/epoch.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define READERS 3
#define SWAPS   200

struct world {
	struct epoch_head head;
	uint64_t number;
	uint64_t same; /* as number: a world half built or freed would show */
};

static struct world *present;
static bool ending;
static unsigned int freed;

static struct world *world_new(uint64_t number)
{
	struct world *world = malloc(sizeof(*world));
	assert_non_null(world);
	world->number = number;
	world->same = number;
	return world;
}

static void world_free(struct epoch_head *head)
{
	struct world *world = (struct world *)(void *)((char *)head - offsetof(struct world, head));
	world->number = 0;
	free(world);
	__atomic_fetch_add(&freed, 1, __ATOMIC_RELAXED);
}

static void *read_on(void *ctx)
{
	uintptr_t wrong = 0;
	epoch_thread_start();
	while (!__atomic_load_n(&ending, __ATOMIC_RELAXED)) {
		epoch_read_begin();
		const struct world *world = epoch_load(&present);
		if (world->number == 0 || world->number != world->same) {
			wrong++;
		}
		epoch_read_end();
	}
	epoch_thread_stop();
	return (void *)wrong;
}

static void readers_start(pthread_t *threads)
{
	ending = false;
	freed = 0;
	present = world_new(1);
	for (int i = 0; i < READERS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, read_on, NULL), 0);
	}
}

static void readers_stop(pthread_t *threads)
{
	__atomic_store_n(&ending, true, __ATOMIC_RELAXED);
	for (int i = 0; i < READERS; i++) {
		void *wrong;
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	free(present);
}

static void test_wait_lets_readers_end(void **state)
{
	pthread_t threads[READERS];
	readers_start(threads);
	for (uint64_t i = 2; i < SWAPS; i++) {
		struct world *old = present;
		epoch_store(&present, world_new(i));
		epoch_wait();
		old->number = 0;
		free(old);
	}
	readers_stop(threads);
}

static void test_deferred_are_freed_once(void **state)
{
	pthread_t threads[READERS];
	readers_start(threads);
	for (uint64_t i = 0; i < SWAPS; i++) {
		struct world *old = present;
		epoch_store(&present, world_new(i + 2));
		epoch_defer(&old->head, world_free);
	}
	epoch_drain();
	assert_int_equal(__atomic_load_n(&freed, __ATOMIC_RELAXED), SWAPS);
	readers_stop(threads);
}

static void test_sections_nest(void **state)
{
	epoch_thread_start();
	epoch_read_begin();
	epoch_read_begin();
	struct world *world = world_new(1);
	freed = 0;
	epoch_defer(&world->head, world_free);
	epoch_read_end();
	/* Still inside the outer section, so that it must be there. */
	assert_int_equal(world->number, 1);
	epoch_read_end();
	epoch_drain();
	assert_int_equal(__atomic_load_n(&freed, __ATOMIC_RELAXED), 1);
	epoch_thread_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wait_lets_readers_end),
		cmocka_unit_test(test_deferred_are_freed_once),
		cmocka_unit_test(test_sections_nest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
