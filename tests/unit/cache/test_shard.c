/* What the cache costs, who goes when it is full, and that the bound holds. */
#include "sample.h"

#define MIB ((size_t)1 << 20)

static struct sample sample;

static void put_nth(struct cache *cache, unsigned int n, uint64_t now_s)
{
	struct dns_key name;
	sample_nth_name(&name, n);
	struct cache_key key = sample_key(&name);
	sample_addresses(&sample, 1, n, 3600);
	cache_store(cache, &key, &sample.body, DNS_EDE_NONE, now_s);
}

static bool has_nth(struct cache *cache, unsigned int n, uint64_t now_s)
{
	struct dns_key name;
	struct cache_hit hit;
	sample_nth_name(&name, n);
	struct cache_key key = sample_key(&name);
	bool found = sample_find(cache, &key, now_s, &hit);
	if (found) {
		assert_int_equal(get_u32(hit.wire + SAMPLE_RR - 4), n);
	}
	return found;
}

static void test_cost_of_an_entry(void **state)
{
	struct cache *cache = sample_cache(64 * MIB, 0);
	size_t empty = sample_stats(cache).bytes;
	assert_true(empty < 128 * 1024);
	for (unsigned int n = 0; n < 100000; n++) {
		put_nth(cache, n, 0);
	}
	struct cache_stats stats = sample_stats(cache);
	assert_int_equal(stats.entries, 100000);
	assert_true((stats.bytes - empty) / stats.entries <= 128);
	cache_free(&cache);
}

/* T23: a flood of names that nobody asks for again. */
static void test_flood_keeps_names_in_use(void **state)
{
	struct cache *cache = sample_cache(4 * MIB, 0);
	unsigned int kept = 0;
	for (unsigned int n = 0; n < 1000; n++) {
		put_nth(cache, n, 0);
	}
	for (unsigned int n = 1000; n < 201000; n++) {
		put_nth(cache, n, 0);
		has_nth(cache, n % 1000, 0);
		if (n % 1000 == 0) {
			epoch_drain();
			assert_true(sample_stats(cache).bytes <= 4 * MIB);
		}
	}
	for (unsigned int n = 0; n < 1000; n++) {
		kept += has_nth(cache, n, 0);
	}
	assert_true(kept >= 990);
	struct cache_stats stats = sample_stats(cache);
	assert_true(stats.evicted > 100000);
	/* The room is used: nearly all but the part that is kept for the dead. */
	assert_true(stats.bytes > 4 * MIB * 85 / 100);
	cache_free(&cache);
}

/* All in use: no mark protects for ever, no insert looks for long. */
static void test_all_in_use(void **state)
{
	struct cache *cache = sample_cache(MIB, 0);
	for (unsigned int n = 0; n < 30000; n++) {
		put_nth(cache, n, 0);
		has_nth(cache, n, 0);
		if (n % 100 == 0) {
			epoch_drain();
		}
	}
	assert_true(has_nth(cache, 29999, 0));
	assert_true(sample_stats(cache).entries > 5000);
	cache_free(&cache);
}

/* Entries whose time is over go first, asked for or not. */
static void test_expired_go_first(void **state)
{
	struct cache *cache = sample_cache(MIB, 0);
	unsigned int kept = 0;
	for (unsigned int n = 0; n < 3000; n++) {
		put_nth(cache, n, 0);
		has_nth(cache, n, 0);
	}
	for (unsigned int n = 3000; n < 6000; n++) {
		put_nth(cache, n, 3600);
	}
	for (unsigned int n = 6000; n < 8000; n++) {
		put_nth(cache, n, 3600);
		if (n % 100 == 0) {
			epoch_drain();
		}
	}
	for (unsigned int n = 3000; n < 8000; n++) {
		kept += has_nth(cache, n, 3600);
	}
	assert_true(kept > 4750);
	cache_free(&cache);
}

/* T23: large answers, more than fit; the bound holds without anybody waiting for the readers. */
static void test_large_answers(void **state)
{
	struct cache *cache = sample_cache(64 * MIB, 0);
	struct dns_key name;
	for (unsigned int n = 0; n < 5000; n++) {
		sample_nth_name(&name, n);
		struct cache_key key = sample_key(&name);
		sample_large(&sample, 60000, 3600);
		cache_store(cache, &key, &sample.body, DNS_EDE_NONE, 0);
		assert_true(sample_stats(cache).bytes <= 64 * MIB);
	}
	epoch_drain();
	assert_true(sample_stats(cache).entries > 800);
	cache_free(&cache);
}

/* Readers that never leave: what they may see stays, so stores must stop rather than grow. */
static void test_bound_holds_with_a_stuck_reader(void **state)
{
	struct cache *cache = sample_cache(4 * MIB, 0);
	epoch_read_begin();
	for (unsigned int n = 0; n < 100000; n++) {
		put_nth(cache, n, 0);
	}
	struct cache_stats stats = sample_stats(cache);
	assert_true(stats.bytes <= 4 * MIB + 64 * 512); /* graves being filled */
	assert_true(stats.stored < 100000);
	epoch_read_end();
	epoch_drain();
	put_nth(cache, 200000, 0);
	assert_true(has_nth(cache, 200000, 0));
	cache_free(&cache);
}

static void test_too_large_is_left_out(void **state)
{
	struct cache *cache = sample_cache(MIB, 0);
	struct dns_key name;
	struct cache_hit hit;
	sample_nth_name(&name, 1);
	struct cache_key key = sample_key(&name);
	sample_large(&sample, 60000, 3600);
	cache_store(cache, &key, &sample.body, DNS_EDE_NONE, 0);
	assert_false(sample_find(cache, &key, 0, &hit));
	sample_large(&sample, 1200, 3600);
	cache_store(cache, &key, &sample.body, DNS_EDE_NONE, 0);
	assert_true(sample_find(cache, &key, 0, &hit));
	cache_free(&cache);
}

static void test_resize(void **state)
{
	struct cache *cache = sample_cache(64 * MIB, 0);
	struct cache_opts small = {.size_max = 2 * MIB};
	struct cache_opts large = {.size_max = 64 * MIB};
	unsigned int kept = 0;
	for (unsigned int n = 0; n < 200000; n++) {
		put_nth(cache, n, 0);
	}
	assert_int_equal(sample_stats(cache).entries, 200000);
	cache_resize(cache, &small);
	epoch_drain();
	struct cache_stats stats = sample_stats(cache);
	assert_true(stats.bytes <= small.size_max);
	assert_true(stats.entries > 12000); /* its table is not larger than they need */
	for (unsigned int n = 0; n < 200000; n++) {
		kept += has_nth(cache, n, 0);
	}
	assert_int_equal(kept, stats.entries);

	cache_resize(cache, &large);
	for (unsigned int n = 0; n < 200000; n++) {
		put_nth(cache, n, 0);
	}
	assert_int_equal(sample_stats(cache).entries, 200000);
	for (unsigned int n = 0; n < 200000; n++) {
		assert_true(has_nth(cache, n, 0));
	}
	cache_free(&cache);
}

/* A limit under 1 MiB counts as 1 MiB. */
static void test_least_size(void **state)
{
	struct cache *cache = sample_cache(0, 0);
	put_nth(cache, 1, 0);
	assert_true(has_nth(cache, 1, 0));
	cache_free(&cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cost_of_an_entry),
		cmocka_unit_test(test_flood_keeps_names_in_use),
		cmocka_unit_test(test_all_in_use),
		cmocka_unit_test(test_expired_go_first),
		cmocka_unit_test(test_large_answers),
		cmocka_unit_test(test_bound_holds_with_a_stuck_reader),
		cmocka_unit_test(test_too_large_is_left_out),
		cmocka_unit_test(test_resize),
		cmocka_unit_test(test_least_size),
	};
	return cmocka_run_group_tests(tests, sample_threads_start, sample_threads_stop);
}
