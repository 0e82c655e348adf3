#include "base/arena.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void test_aligned_and_apart(void **state)
{
	struct arena arena;
	uint8_t *at[200];
	arena_init(&arena, 256, 0);
	for (size_t i = 0; i < 200; i++) {
		at[i] = arena_alloc(&arena, i * 3);
		assert_non_null(at[i]);
		assert_int_equal((uintptr_t)at[i] % _Alignof(max_align_t), 0);
		memset(at[i], (int)i, i * 3);
	}
	for (size_t i = 0; i < 200; i++) {
		for (size_t j = 0; j < i * 3; j++) {
			assert_int_equal(at[i][j], i);
		}
	}
	arena_fini(&arena);
}

static void test_size_max_holds(void **state)
{
	struct arena arena;
	arena_init(&arena, 256, 1024);
	assert_non_null(arena_alloc(&arena, 1000));
	assert_null(arena_alloc(&arena, 64));
	assert_non_null(arena_alloc(&arena, 16));
	assert_int_equal(arena.used_total, 1024);
	assert_null(arena_alloc(&arena, 0));
	arena_reset(&arena);
	assert_int_equal(arena.used_total, 0);
	assert_non_null(arena_alloc(&arena, 1024));
	arena_fini(&arena);
}

static void test_absurd_sizes_are_refused(void **state)
{
	struct arena arena;
	arena_init(&arena, 256, 4096);
	volatile size_t size = SIZE_MAX; /* volatile: or the compiler sees it and warns */
	assert_null(arena_alloc(&arena, size));
	size = SIZE_MAX - 16;
	assert_null(arena_alloc(&arena, size));
	assert_int_equal(arena.used_total, 0);
	arena_fini(&arena);
}

static void test_reset_keeps_one_chunk(void **state)
{
	struct arena arena;
	arena_init(&arena, 4096, 0);
	for (int turn = 0; turn < 3; turn++) {
		for (int i = 0; i < 100; i++) {
			assert_non_null(arena_alloc(&arena, 300));
		}
		assert_non_null(arena_alloc(&arena, 10000));
		arena_reset(&arena);
	}
	/* Whether it keeps one depends on the build, but it must be fit for use. */
	struct arena_chunk *kept = arena.head;
	void *first = arena_alloc(&arena, 16);
	assert_non_null(first);
	if (kept != NULL) {
		assert_ptr_equal(arena.head, kept);
		arena_reset(&arena);
		assert_ptr_equal(arena_alloc(&arena, 16), first);
	}
	arena_fini(&arena);
	assert_null(arena.head);
	assert_non_null(arena_alloc(&arena, 1)); /* in use again */
	arena_fini(&arena);
}

static void test_first_may_be_large(void **state)
{
	struct arena arena;
	arena_init(&arena, 256, 0);
	char *large = arena_alloc(&arena, 5000);
	char *small = arena_alloc(&arena, 8);
	assert_non_null(large);
	assert_non_null(small);
	memset(large, 1, 5000);
	memset(small, 2, 8);
	assert_int_equal(large[4999], 1);
	arena_fini(&arena);
}

static void test_copies(void **state)
{
	struct arena arena;
	arena_init(&arena, 256, 64);
	char src[] = "corp.example";
	char *copy = arena_text(&arena, src);
	src[0] = 'x';
	assert_string_equal(copy, "corp.example");
	assert_memory_equal(arena_copy(&arena, "\0\1\2", 3), "\0\1\2", 3);
	assert_non_null(arena_copy(&arena, NULL, 0));
	assert_null(arena_text(&arena, "longer than what is left of it"));
	arena_fini(&arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aligned_and_apart),
		cmocka_unit_test(test_size_max_holds),
		cmocka_unit_test(test_absurd_sizes_are_refused),
		cmocka_unit_test(test_reset_keeps_one_chunk),
		cmocka_unit_test(test_first_may_be_large),
		cmocka_unit_test(test_copies),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	if (failed != 0 || getenv("HORIZON_ARENA_PLAIN") != NULL) {
		return failed;
	}
	/* Once more with a malloc for each; the switch is read when the program starts. */
	setenv("HORIZON_ARENA_PLAIN", "1", 1);
	execv("/proc/self/exe", argv);
	return 1;
}
