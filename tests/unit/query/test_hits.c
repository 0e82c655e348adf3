/*
 * The hit path allocates nothing: 100,000 questions answered from a zone (plain, weighted, multivalue, wildcard,
 * CNAME, negative) and 100,000 from the cache, with every call of malloc and its kin counted.
 */
#include "stage.h"

#define HITS 100000

/* volatile: the compiler believes that malloc looks at nothing of ours. */
static __thread volatile bool counting;
static __thread volatile unsigned long allocations;

static void count_one(void)
{
	allocations += counting;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));
static void hook_malloc(const volatile void *at, size_t size)
{
	count_one();
}
static void hook_free(const volatile void *at)
{
}
static void count_install(void)
{
	__sanitizer_install_malloc_and_free_hooks(hook_malloc, hook_free);
}
#else
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *at, size_t size);
void *malloc(size_t size)
{
	count_one();
	return __libc_malloc(size);
}
void *calloc(size_t count, size_t size)
{
	count_one();
	return __libc_calloc(count, size);
}
void *realloc(void *at, size_t size)
{
	count_one();
	return __libc_realloc(at, size);
}
static void count_install(void)
{
}
#endif

struct theatre {
	struct stage stage;
	struct query_worker worker;
};

static int theatre_open(void **state)
{
	static struct theatre theatre;
	stage_open(&theatre.stage, 1 << 20);
	assert_int_equal(
		query_worker_init(&theatre.worker, theatre.stage.root, theatre.stage.cache), 0);
	*state = &theatre;
	return 0;
}

static int theatre_close(void **state)
{
	struct theatre *theatre = *state;
	query_worker_fini(&theatre->worker);
	stage_close(&theatre->stage);
	return 0;
}

static void zone_hits(void **state)
{
	struct theatre *theatre = *state;
	uint8_t packets[STAGE_NAMES][512];
	size_t sizes[STAGE_NAMES];
	struct asked asked;
	for (size_t i = 0; i < STAGE_NAMES; i++) {
		sizes[i] = stage_question(stage_names[i], packets[i], sizeof(packets[i]));
	}
	allocations = 0;
	counting = true;
	unsigned long answered = 0;
	for (unsigned long i = 0; i < HITS; i++) {
		stage_ask(&theatre->worker, packets[i % STAGE_NAMES], sizes[i % STAGE_NAMES],
		          &asked);
		answered += asked.next == QUERY_ANSWER;
	}
	counting = false;
	assert_int_equal(answered, HITS);
	assert_int_equal(allocations, 0);
}

static void cache_hits(void **state)
{
	struct theatre *theatre = *state;
	uint8_t packet[512];
	size_t size = stage_question("www.public.example", packet, sizeof(packet));
	struct asked asked;
	stage_ask(&theatre->worker, packet, size, &asked);
	assert_int_equal(asked.next, QUERY_ASK);
	stage_feed(&theatre->worker, &asked.ask, 0xc0000201);

	allocations = 0;
	counting = true;
	unsigned long answered = 0;
	for (unsigned long i = 0; i < HITS; i++) {
		stage_ask(&theatre->worker, packet, size, &asked);
		answered += asked.next == QUERY_ANSWER;
	}
	counting = false;
	assert_int_equal(answered, HITS);
	assert_int_equal(allocations, 0);
}

/* The counter itself counts. */
static void counter_counts(void **state)
{
	allocations = 0;
	counting = true;
	void *volatile at = malloc(10);
	counting = false;
	free(at);
	assert_int_equal(allocations, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counter_counts),
		cmocka_unit_test(zone_hits),
		cmocka_unit_test(cache_hits),
	};
	count_install();
	epoch_thread_start();
	int failed = cmocka_run_group_tests(tests, theatre_open, theatre_close);
	epoch_drain();
	epoch_thread_stop();
	return failed;
}
