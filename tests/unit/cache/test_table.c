/*
 * Readers, writers, flushes and resizes at once: for the sanitizers, and for what readers may
 * rely on.
 */
#include "base/random.h"
#include "sample.h"
#include <pthread.h>

#define MIB ((size_t)1 << 20)

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define ROUNDS 30000u
#else
#define ROUNDS 300000u
#endif
#define NAMES 20000u

struct scene {
	struct cache *cache;
	struct dns_key *names; /* folded once: making keys would be most of the work */
	uint32_t held;         /* names below it are in the cache, and stay */
	bool over;
};

static struct dns_key *names_make(unsigned int count)
{
	struct dns_key *names = calloc(count, sizeof(*names));
	assert_non_null(names);
	for (unsigned int n = 0; n < count; n++) {
		sample_nth_name(&names[n], n);
	}
	return names;
}

/*
 * Threads use plain assert(): cmocka's jumps out of the main thread only.
 *
 * Every address in an answer for name n is n + k: an answer of another, or a freed one, shows.
 */
static void check_hit(const struct cache_hit *hit, uint32_t n)
{
	uint8_t out[SAMPLE_RECORDS * SAMPLE_RR];
	assert(hit->count[0] >= 1 && hit->count[0] <= 4);
	assert(hit->size == hit->count[0] * SAMPLE_RR);
	cache_copy(hit, out, 30);
	for (unsigned int i = 0; i < hit->count[0]; i++) {
		assert(get_u32(out + i * SAMPLE_RR + 12) == n + i);
		uint32_t ttl_s = get_u32(out + i * SAMPLE_RR + 6);
		assert(ttl_s >= 1 && ttl_s <= 60);
	}
}

static void look_up(struct scene *scene, uint32_t n, uint64_t now_s)
{
	struct cache_key key = sample_key(&scene->names[n]);
	struct cache_hit hit;
	epoch_read_begin();
	if (cache_find(scene->cache, &key, now_s, &hit)) {
		check_hit(&hit, n);
	}
	epoch_read_end();
}

static void *mixed_worker(void *ctx)
{
	struct scene *scene = ctx;
	struct sample *own = malloc(sizeof(*own));
	struct draw draw;
	assert(own != NULL);
	draw_seed(&draw);
	epoch_thread_start();
	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint32_t n = draw_below(&draw, NAMES);
		uint64_t now_s = i / 1000;
		look_up(scene, n, now_s);
		if (draw_below(&draw, 3) == 0) {
			struct cache_key key = sample_key(&scene->names[n]);
			sample_addresses(own, 1 + draw_below(&draw, 4), n, 60);
			cache_store(scene->cache, &key, &own->body, now_s);
		}
	}
	epoch_thread_stop();
	free(own);
	return NULL;
}

static void *disturber(void *ctx)
{
	struct scene *scene = ctx;
	const uint8_t root[] = {0};
	struct draw draw;
	draw_seed(&draw);
	epoch_thread_start();
	for (unsigned int i = 0; !epoch_load(&scene->over); i++) {
		struct cache_opts opts = {.size_max = MIB << draw_below(&draw, 3), .stale_s = 10};
		struct text text;
		switch (i % 16) {
		case 0:
			cache_flush(scene->cache, root, true);
			break;
		case 4:
			cache_resize(scene->cache, &opts);
			break;
		case 8:
			text_init(&text, 0);
			cache_metrics(scene->cache, &text);
			text_fini(&text);
			break;
		default:
			cache_flush(scene->cache, scene->names[draw_below(&draw, NAMES)].name,
			            false);
			break;
		}
	}
	epoch_thread_stop();
	return NULL;
}

static void test_all_at_once(void **state)
{
	struct scene scene = {.cache = sample_cache(4 * MIB, 10), .names = names_make(NAMES)};
	pthread_t workers[3];
	pthread_t other;
	assert_int_equal(pthread_create(&other, NULL, disturber, &scene), 0);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(pthread_create(&workers[i], NULL, mixed_worker, &scene), 0);
	}
	for (unsigned int i = 0; i < 3; i++) {
		pthread_join(workers[i], NULL);
	}
	epoch_store(&scene.over, true);
	pthread_join(other, NULL);
	epoch_drain();
	assert_true(sample_stats(scene.cache).bytes <= 4 * MIB);

	/* Nothing is lost: without entries nothing but the tables is left. */
	const uint8_t root[] = {0};
	cache_flush(scene.cache, root, true);
	struct cache_opts opts = {.size_max = MIB};
	cache_resize(scene.cache, &opts);
	epoch_drain();
	struct cache_stats stats = sample_stats(scene.cache);
	assert_int_equal(stats.entries, 0);
	assert_true(stats.bytes <= MIB);
	cache_free(&scene.cache);
	free(scene.names);
}

/* What is in the table is found, also while its bucket is being split. */
static void *finder(void *ctx)
{
	struct scene *scene = ctx;
	struct cache_hit hit;
	struct draw draw;
	draw_seed(&draw);
	epoch_thread_start();
	while (!epoch_load(&scene->over)) {
		uint32_t held = epoch_load(&scene->held);
		if (held == 0) {
			continue;
		}
		uint32_t n = draw_below(&draw, held);
		struct cache_key key = sample_key(&scene->names[n]);
		epoch_read_begin();
		bool found = cache_find(scene->cache, &key, 0, &hit);
		if (found) {
			check_hit(&hit, n);
		}
		epoch_read_end();
		assert(found);
	}
	epoch_thread_stop();
	return NULL;
}

static void test_found_while_growing(void **state)
{
	struct scene scene = {.names = names_make(NAMES)};
	struct sample *own = malloc(sizeof(*own));
	assert_non_null(own);
	for (unsigned int round = 0; round < 3; round++) {
		pthread_t threads[2];
		scene.cache = sample_cache(64 * MIB, 0);
		scene.held = 0;
		scene.over = false;
		for (unsigned int i = 0; i < 2; i++) {
			assert_int_equal(pthread_create(&threads[i], NULL, finder, &scene), 0);
		}
		for (uint32_t n = 0; n < NAMES; n++) {
			struct cache_key key = sample_key(&scene.names[n]);
			sample_addresses(own, 1, n, 60);
			cache_store(scene.cache, &key, &own->body, 0);
			epoch_store(&scene.held, n + 1);
		}
		epoch_store(&scene.over, true);
		for (unsigned int i = 0; i < 2; i++) {
			pthread_join(threads[i], NULL);
		}
		cache_free(&scene.cache);
	}
	free(own);
	free(scene.names);
}

/* Of all who see an entry near its end one is told. */
struct refreshers {
	struct scene scene;
	uint32_t told;
	pthread_barrier_t start;
};

static void *refresher(void *ctx)
{
	struct refreshers *all = ctx;
	struct cache_hit hit;
	epoch_thread_start();
	pthread_barrier_wait(&all->start);
	for (uint32_t n = 0; n < 2000; n++) {
		struct cache_key key = sample_key(&all->scene.names[n]);
		epoch_read_begin();
		if (cache_find(all->scene.cache, &key, 59, &hit) && hit.refresh) {
			__atomic_fetch_add(&all->told, 1, __ATOMIC_RELAXED);
		}
		epoch_read_end();
	}
	epoch_thread_stop();
	return NULL;
}

static void test_one_is_told(void **state)
{
	struct refreshers all = {
		.scene = {.cache = sample_cache(4 * MIB, 0), .names = names_make(2000)}};
	struct sample *own = malloc(sizeof(*own));
	struct cache_hit hit;
	pthread_t threads[4];
	assert_non_null(own);
	for (uint32_t n = 0; n < 2000; n++) {
		struct cache_key key = sample_key(&all.scene.names[n]);
		sample_addresses(own, 1, n, 60);
		cache_store(all.scene.cache, &key, &own->body, 0);
		assert_true(sample_find(all.scene.cache, &key, 1, &hit));
	}
	pthread_barrier_init(&all.start, NULL, 4);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, refresher, &all), 0);
	}
	for (unsigned int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
	}
	pthread_barrier_destroy(&all.start);
	assert_int_equal(all.told, 2000);
	cache_free(&all.scene.cache);
	free(all.scene.names);
	free(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_at_once),
		cmocka_unit_test(test_found_while_growing),
		cmocka_unit_test(test_one_is_told),
	};
	return cmocka_run_group_tests(tests, sample_threads_start, sample_threads_stop);
}
