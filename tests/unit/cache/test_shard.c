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
	cache_store(cache, &key, &sample.body, now_s);
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
	assert_true((stats.bytes - empty) / stats.entries <= 112);
	cache_free(&cache);
}

/*
 * Stores run faster here than readers leave elsewhere: what was evicted must not fill its part
 * for long.
 */
static void let_readers_leave(struct cache *cache, size_t size_max, unsigned int n)
{
	if (n % 16 == 0 && sample_stats(cache).bytes > size_max - size_max / 32) {
		epoch_drain();
	}
}

/* T23: a flood of names that nobody asks for again. */
static void test_flood_keeps_names_in_use(void **state)
{
	struct cache *cache = sample_cache(8 * MIB, 0);
	unsigned int kept = 0;
	for (unsigned int n = 0; n < 1000; n++) {
		put_nth(cache, n, 0);
	}
	for (unsigned int n = 1000; n < 121000; n++) {
		put_nth(cache, n, 0);
		has_nth(cache, n % 1000, 0);
		let_readers_leave(cache, 8 * MIB, n);
		assert_true(n % 1000 != 0 || sample_stats(cache).bytes <= 8 * MIB);
	}
	for (unsigned int n = 0; n < 1000; n++) {
		kept += has_nth(cache, n, 0);
	}
	assert_int_equal(kept, 1000);
	struct cache_stats stats = sample_stats(cache);
	assert_int_equal(stats.stored, 121000);
	assert_int_equal(stats.evicted, 121000 - stats.entries);
	/* The room is used: nearly all but the part for those who wait for their readers. */
	assert_true(stats.bytes > 8 * MIB * 90 / 100);
	assert_true(stats.entries > 70000);
	cache_free(&cache);
}

/* Being spared moves an entry; who was told to refresh it stays the only one. */
/*
 * One rule's flood pushes out its own names, not what the other rules have and few ask for. When all of them have more
 * than their share, the least used go, as ever.
 */
static void test_flood_of_one_rule(void **state)
{
	struct cache *cache = sample_cache(8 * MIB, 0);
	struct dns_key name;
	struct cache_hit hit;
	const unsigned int rules = 5;
	const unsigned int names = 1000;
	for (unsigned int n = 0; n < rules * names; n++) {
		sample_nth_name(&name, n);
		struct cache_key key = sample_key(&name);
		key.origin = 100 + n % rules;
		sample_addresses(&sample, 1, n, 3600);
		cache_store(cache, &key, &sample.body, 0);
	}
	for (unsigned int n = 0; n < 500000; n++) {
		put_nth(cache, 1000000 + n, n / 10000);
		let_readers_leave(cache, 8 * MIB, n);
	}
	unsigned int kept = 0;
	for (unsigned int n = 0; n < rules * names; n++) {
		sample_nth_name(&name, n);
		struct cache_key key = sample_key(&name);
		key.origin = 100 + n % rules;
		kept += sample_find(cache, &key, 60, &hit);
	}
	assert_int_equal(kept, rules * names);
	assert_true(has_nth(cache, 1499999, 60)); /* and the flood goes through, still */
	assert_false(has_nth(cache, 1000000, 60));
	assert_true(sample_stats(cache).bytes <= 8 * MIB);
	cache_free(&cache);
}

static void test_told_once_though_moved(void **state)
{
	struct cache *cache = sample_cache(4 * MIB, 0);
	struct dns_key name;
	struct cache_hit hit;
	unsigned int told = 0;
	put_nth(cache, 0, 0);
	sample_nth_name(&name, 0);
	struct cache_key key = sample_key(&name);
	for (unsigned int n = 1; n < 120000; n++) {
		put_nth(cache, n, 3590);
		assert_true(sample_find(cache, &key, 3590, &hit));
		told += hit.refresh;
		let_readers_leave(cache, 4 * MIB, n);
	}
	assert_int_equal(told, 1);
	cache_free(&cache);
}

/* All in use: no mark protects for ever, and each store finds room, at the cost of others. */
static void test_all_in_use(void **state)
{
	struct cache *cache = sample_cache(8 * MIB, 0);
	for (unsigned int n = 0; n < 100000; n++) {
		put_nth(cache, n, 0);
		assert_true(has_nth(cache, n, 0));
		let_readers_leave(cache, 8 * MIB, n);
	}
	assert_true(sample_stats(cache).entries > 70000);
	cache_free(&cache);
}

/*
 * Names that are refreshed all the time leave room to others, and make the cache no larger than
 * they are.
 */
static void test_refreshes_leave_no_waste(void **state)
{
	struct cache *cache = sample_cache(4 * MIB, 0);
	for (unsigned int n = 0; n < 100000; n++) {
		put_nth(cache, n % 5000, 0);
		let_readers_leave(cache, 4 * MIB, n);
	}
	epoch_drain();
	assert_int_equal(sample_stats(cache).entries, 5000);
	assert_true(sample_stats(cache).bytes < 2 * MIB);

	for (unsigned int n = 0; n < 30000; n++) {
		put_nth(cache, 10000 + n, 0);
		put_nth(cache, 2 * n % 1000, 0);
		put_nth(cache, (2 * n + 1) % 1000, 0);
		let_readers_leave(cache, 4 * MIB, n);
	}
	assert_true(sample_stats(cache).entries > 25000);
	cache_free(&cache);
}

/* An entry whose time is over is not spared, asked for or not. */
static void test_expired_are_not_spared(void **state)
{
	struct cache *cache = sample_cache(4 * MIB, 0);
	unsigned int kept = 0;
	for (unsigned int n = 0; n < 30000; n++) {
		put_nth(cache, n, 0);
		has_nth(cache, n, 0);
	}
	for (unsigned int n = 30000; n < 60000; n++) {
		put_nth(cache, n, 3600);
		let_readers_leave(cache, 4 * MIB, n);
	}
	for (unsigned int n = 30000; n < 60000; n++) {
		kept += has_nth(cache, n, 3600);
	}
	assert_int_equal(kept, 30000);
	assert_int_equal(sample_stats(cache).evicted, 0);
	cache_free(&cache);
}

static void put_large(struct cache *cache, unsigned int n, size_t size)
{
	struct dns_key name;
	sample_nth_name(&name, n);
	struct cache_key key = sample_key(&name);
	sample_large(&sample, size, 3600);
	put_u32(sample.wire + SAMPLE_RR - 4, n);
	cache_store(cache, &key, &sample.body, 0);
	assert_true(n % 16 != 0 || sample_stats(cache).bytes <= 64 * MIB);
}

/* T23: large answers, more than fit, before and behind small ones. */
static void test_large_answers(void **state)
{
	struct cache *cache = sample_cache(64 * MIB, 0);
	for (unsigned int n = 0; n < 1500; n++) {
		put_large(cache, n, 60000);
		let_readers_leave(cache, 64 * MIB, n);
	}
	assert_true(sample_stats(cache).entries > 900);
	for (unsigned int n = 10000; n < 110000; n++) {
		put_nth(cache, n, 0);
		let_readers_leave(cache, 64 * MIB, n);
	}
	assert_true(sample_stats(cache).entries > 100000);
	for (unsigned int n = 0; n < 1500; n++) {
		put_large(cache, n, 60000);
		let_readers_leave(cache, 64 * MIB, n);
	}
	assert_true(has_nth(cache, 1499, 0));
	cache_free(&cache);
}

/* A large answer in use has its second chance, too. */
static void test_large_in_use_is_spared(void **state)
{
	struct cache *cache = sample_cache(64 * MIB, 0);
	put_large(cache, 0, 60000);
	for (unsigned int n = 1; n < 1500; n++) {
		assert_true(has_nth(cache, 0, 0));
		put_large(cache, n, 60000);
		let_readers_leave(cache, 64 * MIB, n);
	}
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
	epoch_read_end();
	epoch_drain();
	assert_true(stats.bytes <= 4 * MIB);
	assert_true(stats.stored < 100000);
	assert_true(stats.entries > 30000);
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
	cache_store(cache, &key, &sample.body, 0);
	assert_false(sample_find(cache, &key, 0, &hit));
	sample_large(&sample, 1200, 3600);
	cache_store(cache, &key, &sample.body, 0);
	assert_true(sample_find(cache, &key, 0, &hit));
	cache_free(&cache);
}

static void test_resize(void **state)
{
	struct cache *cache = sample_cache(64 * MIB, 0);
	struct cache_opts small = {.size_max = 2 * MIB};
	struct cache_opts large = {.size_max = 64 * MIB};
	unsigned int kept = 0;
	for (unsigned int n = 0; n < 100000; n++) {
		put_nth(cache, n, 0);
	}
	assert_int_equal(sample_stats(cache).entries, 100000);
	cache_resize(cache, &small);
	epoch_drain();
	struct cache_stats stats = sample_stats(cache);
	assert_true(stats.bytes <= small.size_max);
	assert_true(stats.entries > 12000); /* its table is not larger than they need */
	for (unsigned int n = 0; n < 100000; n++) {
		kept += has_nth(cache, n, 0);
	}
	assert_int_equal(kept, stats.entries);

	cache_resize(cache, &large);
	for (unsigned int n = 0; n < 100000; n++) {
		put_nth(cache, n, 0);
	}
	assert_int_equal(sample_stats(cache).entries, 100000);
	for (unsigned int n = 0; n < 100000; n++) {
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
		cmocka_unit_test(test_flood_of_one_rule),
		cmocka_unit_test(test_told_once_though_moved),
		cmocka_unit_test(test_all_in_use),
		cmocka_unit_test(test_refreshes_leave_no_waste),
		cmocka_unit_test(test_expired_are_not_spared),
		cmocka_unit_test(test_large_answers),
		cmocka_unit_test(test_large_in_use_is_spared),
		cmocka_unit_test(test_bound_holds_with_a_stuck_reader),
		cmocka_unit_test(test_too_large_is_left_out),
		cmocka_unit_test(test_resize),
		cmocka_unit_test(test_least_size),
	};
	return cmocka_run_group_tests(tests, sample_threads_start, sample_threads_stop);
}
