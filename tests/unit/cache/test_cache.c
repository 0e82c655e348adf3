#include "sample.h"

#define MIB ((size_t)1 << 20)

static struct sample sample;

static void test_store_and_find(void **state)
{
	struct cache *cache = sample_cache(MIB, 0);
	struct dns_key name;
	struct dns_key upper;
	struct cache_hit hit;
	sample_name(&name, "www.example.com");
	sample_name(&upper, "WWW.Example.COM");
	struct cache_key key = sample_key(&name);
	struct cache_key key_upper = sample_key(&upper);
	sample_addresses(&sample, 2, 0x0a000001, 60);
	sample.body.authentic = true;
	sample.body.chain = 3;
	cache_store(cache, &key, &sample.body, 1000);

	assert_true(sample_find(cache, &key_upper, 1010, &hit));
	assert_int_equal(hit.outcome, DNS_OUTCOME_ANSWER);
	assert_int_equal(hit.rcode, DNS_RCODE_NOERROR);
	assert_int_equal(hit.size, 2 * SAMPLE_RR);
	assert_int_equal(hit.count[0], 2);
	assert_int_equal(hit.count[1], 0);
	assert_int_equal(hit.ttl_count, 2);
	assert_int_equal(hit.chain, 3);
	assert_true(hit.authentic);
	assert_false(hit.stale);
	assert_int_equal(hit.age_s, 10);
	assert_int_equal(hit.left_s, 50);
	assert_null(hit.next);
	assert_int_equal(hit.ede, DNS_EDE_NONE);
	assert_memory_equal(hit.wire, sample.wire, hit.size);
	cache_free(&cache);
	assert_null(cache);
	cache_free(&cache);
}

/* T9: what was asked in another way, or said by another, is another answer. */
static void test_key_parts(void **state)
{
	struct cache *cache = sample_cache(MIB, 0);
	struct dns_key name;
	struct dns_key other;
	struct cache_hit hit;
	sample_name(&name, "www.example.com");
	sample_name(&other, "www.example.org");
	const struct cache_key key = sample_key(&name);
	sample_addresses(&sample, 1, 1, 60);
	cache_store(cache, &key, &sample.body, 0);

	struct cache_key not = key;
	not .flags = CACHE_CD;
	assert_false(sample_find(cache, &not, 0, &hit));
	not .flags = CACHE_DO;
	assert_false(sample_find(cache, &not, 0, &hit));
	not = key;
	not .origin = 2;
	assert_false(sample_find(cache, &not, 0, &hit));
	not = key;
	not .type = DNS_TYPE_AAAA;
	assert_false(sample_find(cache, &not, 0, &hit));
	not = key;
	not .name = &other;
	assert_false(sample_find(cache, &not, 0, &hit));
	assert_true(sample_find(cache, &key, 0, &hit));

	/* All of them beside each other. */
	for (uint8_t flags = 0; flags <= (CACHE_DO | CACHE_CD); flags++) {
		not = key;
		not .flags = flags;
		sample_addresses(&sample, 1, flags, 60);
		cache_store(cache, &not, &sample.body, 0);
	}
	for (uint8_t flags = 0; flags <= (CACHE_DO | CACHE_CD); flags++) {
		not .flags = flags;
		assert_true(sample_find(cache, &not, 0, &hit));
		assert_int_equal(hit.wire[SAMPLE_RR - 1], flags);
	}
	assert_int_equal(sample_stats(cache).entries, 4);
	cache_free(&cache);
}

static void test_chain(void **state)
{
	struct cache *cache = sample_cache(MIB, 0);
	struct dns_key name;
	struct cache_hit hit;
	sample_name(&name, "a.example.com");
	struct cache_key key = sample_key(&name);
	sample_addresses(&sample, 1, 1, 60);
	sample.body.outcome = DNS_OUTCOME_CHAIN;
	assert_true(dns_name_parse("B.example.org", sample.body.next) > 0);
	cache_store(cache, &key, &sample.body, 0);
	assert_true(sample_find(cache, &key, 0, &hit));
	assert_int_equal(hit.outcome, DNS_OUTCOME_CHAIN);
	assert_true(dns_name_equal(hit.next, sample.body.next));
	assert_memory_equal(hit.wire, sample.wire, SAMPLE_RR);
	cache_free(&cache);
}

static void test_ttl_counts_down(void **state)
{
	struct cache *cache = sample_cache(MIB, 100);
	struct dns_key name;
	struct cache_hit hit;
	uint8_t out[64];
	sample_name(&name, "www.example.com");
	struct cache_key key = sample_key(&name);
	sample_addresses(&sample, 2, 1, 60);
	put_u32(sample.wire + sample.ttl_at[1], 90); /* life is the least TTL */
	cache_store(cache, &key, &sample.body, 500);

	assert_true(sample_find(cache, &key, 559, &hit));
	assert_false(hit.stale);
	cache_copy(&hit, out, 30);
	assert_int_equal(get_u32(out + hit.ttl_at[0]), 1);
	assert_int_equal(get_u32(out + hit.ttl_at[1]), 31);
	assert_int_equal(get_u32(out + 12), 1); /* the address is untouched */

	/* A worker whose clock is behind the storer's. */
	assert_true(sample_find(cache, &key, 499, &hit));
	assert_int_equal(hit.age_s, 0);
	cache_copy(&hit, out, 30);
	assert_int_equal(get_u32(out + hit.ttl_at[0]), 60);

	/* What min_ttl kept longer than it said gives no 0 and no huge number. */
	sample_addresses(&sample, 1, 1, 5);
	sample.body.ttl_s = 20;
	cache_store(cache, &key, &sample.body, 500);
	assert_true(sample_find(cache, &key, 515, &hit));
	cache_copy(&hit, out, 30);
	assert_int_equal(get_u32(out + hit.ttl_at[0]), 1);
	cache_free(&cache);
}

/* T15: bounded, marked, with a TTL of its own. */
static void test_stale(void **state)
{
	struct cache *cache = sample_cache(MIB, 100);
	struct dns_key name;
	struct cache_hit hit;
	uint8_t out[64];
	sample_name(&name, "www.example.com");
	struct cache_key key = sample_key(&name);
	sample_addresses(&sample, 1, 1, 60);
	cache_store(cache, &key, &sample.body, 500);

	assert_true(sample_find(cache, &key, 560, &hit));
	assert_true(hit.stale);
	assert_false(hit.refresh);
	assert_int_equal(hit.left_s, 0);
	cache_copy(&hit, out, 30);
	assert_int_equal(get_u32(out + hit.ttl_at[0]), 30);
	cache_copy(&hit, out, 0);
	assert_int_equal(get_u32(out + hit.ttl_at[0]), 0);
	assert_true(sample_find(cache, &key, 659, &hit));
	assert_false(sample_find(cache, &key, 660, &hit));

	struct cache_opts none = {.size_max = MIB, .stale_s = 0};
	cache_resize(cache, &none);
	assert_false(sample_find(cache, &key, 560, &hit));
	assert_true(sample_find(cache, &key, 559, &hit));
	cache_free(&cache);
}

static void test_zero_ttl_is_not_kept(void **state)
{
	struct cache *cache = sample_cache(MIB, 100);
	struct dns_key name;
	struct cache_hit hit;
	sample_name(&name, "www.example.com");
	struct cache_key key = sample_key(&name);
	sample_addresses(&sample, 1, 1, 0);
	cache_store(cache, &key, &sample.body, 500);
	assert_false(sample_find(cache, &key, 500, &hit));
	assert_int_equal(sample_stats(cache).entries, 0);
	cache_free(&cache);
}

/* T13: a new answer stands for itself, with its own life. */
static void test_replace(void **state)
{
	struct cache *cache = sample_cache(MIB, 0);
	struct dns_key name;
	struct cache_hit hit;
	sample_name(&name, "www.example.com");
	struct cache_key key = sample_key(&name);
	sample_addresses(&sample, 1, 1, 60);
	cache_store(cache, &key, &sample.body, 0);
	sample_addresses(&sample, 3, 7, 10);
	cache_store(cache, &key, &sample.body, 30);
	assert_true(sample_find(cache, &key, 30, &hit));
	assert_int_equal(hit.count[0], 3);
	assert_int_equal(hit.left_s, 10);
	assert_false(sample_find(cache, &key, 40, &hit));
	assert_int_equal(sample_stats(cache).entries, 1);
	assert_int_equal(sample_stats(cache).stored, 2);
	cache_free(&cache);
}

/* Whether it is still left alone at that time. */
static bool failed_at(struct cache *cache, const struct cache_key *key, uint64_t now_s)
{
	struct cache_hit hit;
	return sample_find(cache, key, now_s, &hit) &&
	       (hit.outcome == DNS_OUTCOME_LAME || hit.failed);
}

static void test_failures(void **state)
{
	struct cache *cache = sample_cache(MIB, 100);
	struct dns_key name;
	struct cache_hit hit;
	sample_name(&name, "www.example.com");
	struct cache_key key = sample_key(&name);
	cache_fail(cache, &key, DNS_EDE_NO_REACHABLE_AUTHORITY, 8, 0);
	assert_true(sample_find(cache, &key, 1, &hit));
	assert_int_equal(hit.outcome, DNS_OUTCOME_LAME);
	assert_int_equal(hit.rcode, DNS_RCODE_SERVFAIL);
	assert_int_equal(hit.ede, DNS_EDE_NO_REACHABLE_AUTHORITY);
	assert_int_equal(hit.size, 0);
	assert_int_equal(hit.left_s, 1);
	assert_false(hit.stale);
	cache_copy(&hit, NULL, 30);
	assert_false(sample_find(cache, &key, 2, &hit)); /* never stale */
	assert_int_equal(sample_stats(cache).entries, 0);

	/* Other types, flags and origins have nothing to do with it. */
	cache_fail(cache, &key, DNS_EDE_OTHER, 8, 100);
	struct cache_key other = key;
	other.type++;
	assert_false(sample_find(cache, &other, 100, &hit));
	other = key;
	other.flags ^= CACHE_DO;
	assert_false(sample_find(cache, &other, 100, &hit));
	other = key;
	other.origin++;
	assert_false(sample_find(cache, &other, 100, &hit));

	/* A good answer ends it, and goes before it, alive or stale. */
	sample_addresses(&sample, 1, 1, 60);
	cache_store(cache, &key, &sample.body, 101);
	assert_true(sample_find(cache, &key, 101, &hit));
	assert_int_equal(hit.outcome, DNS_OUTCOME_ANSWER);
	assert_false(hit.failed);
	cache_fail(cache, &key, DNS_EDE_NETWORK_ERROR, 8, 170);
	assert_true(sample_find(cache, &key, 171, &hit));
	assert_int_equal(hit.outcome, DNS_OUTCOME_ANSWER);
	assert_true(hit.stale && hit.failed);
	assert_true(sample_find(cache, &key, 172, &hit));
	assert_true(hit.stale && !hit.failed);
	cache_fail(cache, &key, DNS_EDE_NETWORK_ERROR, 8, 300);
	assert_true(sample_find(cache, &key, 300, &hit));
	assert_int_equal(hit.outcome, DNS_OUTCOME_LAME);
	cache_free(&cache);
}

/* 2, 4, 8, 8 seconds; what fails meanwhile adds nothing; a while without, or an answer, and it begins anew. */
static void test_failures_back_off(void **state)
{
	struct cache *cache = sample_cache(MIB, 0);
	struct dns_key name;
	sample_name(&name, "www.example.com");
	struct cache_key key = sample_key(&name);
	uint64_t now_s = 0xfffffff8; /* the clock's low bits begin again on the way */
	const unsigned int pauses[] = {2, 4, 8, 8};
	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		cache_fail(cache, &key, DNS_EDE_OTHER, 8, now_s);
		cache_fail(cache, &key, DNS_EDE_OTHER, 8, now_s + 1);
		assert_true(failed_at(cache, &key, now_s + pauses[i] - 1));
		now_s += pauses[i];
		assert_false(failed_at(cache, &key, now_s));
	}
	now_s += 8 * 2;
	cache_fail(cache, &key, DNS_EDE_OTHER, 8, now_s);
	assert_false(failed_at(cache, &key, now_s + 2));
	cache_fail(cache, &key, DNS_EDE_OTHER, 8, now_s + 2);
	assert_true(failed_at(cache, &key, now_s + 5));
	sample_addresses(&sample, 1, 1, 1);
	cache_store(cache, &key, &sample.body, now_s + 6);
	cache_fail(cache, &key, DNS_EDE_OTHER, 8, now_s + 7);
	assert_false(failed_at(cache, &key, now_s + 9));
	cache_fail(cache, &key, DNS_EDE_OTHER, 8, now_s + 20);
	cache_flush(cache, name.name, false);
	assert_false(failed_at(cache, &key, now_s + 20));
	cache_free(&cache);
}

/* A million names that fail: not one answer goes, nor does memory grow; the last ones are known. */
static void test_failures_flood(void **state)
{
	struct cache *cache = sample_cache(MIB, 0);
	struct dns_key name;
	struct cache_hit hit;
	sample_addresses(&sample, 1, 1, 600);
	for (unsigned int i = 0; i < 1000; i++) {
		sample_nth_name(&name, i);
		struct cache_key key = sample_key(&name);
		cache_store(cache, &key, &sample.body, 0);
	}
	size_t bytes = sample_stats(cache).bytes;
	unsigned int known = 0;
	for (unsigned int i = 1000; i < 1001000; i++) {
		sample_nth_name(&name, i);
		struct cache_key key = sample_key(&name);
		cache_fail(cache, &key, DNS_EDE_OTHER, 8, i / 100000);
	}
	for (unsigned int i = 1000000; i < 1001000; i++) {
		sample_nth_name(&name, i);
		struct cache_key key = sample_key(&name);
		known += failed_at(cache, &key, 10);
	}
	assert_true(known > 700);
	for (unsigned int i = 0; i < 1000; i++) {
		sample_nth_name(&name, i);
		struct cache_key key = sample_key(&name);
		assert_true(sample_find(cache, &key, 10, &hit));
		assert_int_equal(hit.outcome, DNS_OUTCOME_ANSWER);
	}
	assert_int_equal(sample_stats(cache).bytes, bytes);
	cache_free(&cache);
}

/*
 * Stores an answer of this life at 0, asks at each of the given ages; returns at which one was
 * told.
 */
static int told_at(uint32_t life_s, const uint32_t *ages, size_t count)
{
	struct cache *cache = sample_cache(MIB, 100);
	struct dns_key name;
	struct cache_hit hit;
	int told = -1;
	sample_name(&name, "www.example.com");
	struct cache_key key = sample_key(&name);
	sample_addresses(&sample, 1, 1, life_s);
	cache_store(cache, &key, &sample.body, 0);
	for (size_t i = 0; i < count; i++) {
		assert_true(sample_find(cache, &key, ages[i], &hit));
		if (hit.refresh) {
			assert_int_equal(told, -1); /* one only */
			told = (int)ages[i];
		}
	}
	cache_free(&cache);
	return told;
}

#define TOLD_AT(life_s, ...)                             \
	told_at(life_s, (const uint32_t[]){__VA_ARGS__}, \
	        sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void test_refresh(void **state)
{
	assert_int_equal(TOLD_AT(100, 5, 90, 91, 92, 93), 91);
	assert_int_equal(TOLD_AT(100, 95), -1); /* asked once: not in use */
	assert_int_equal(TOLD_AT(100, 95, 96, 97), 96);
	assert_int_equal(TOLD_AT(100, 1, 50, 90), -1);   /* not near its end */
	assert_int_equal(TOLD_AT(100, 1, 150, 151), -1); /* too late: stale */
	assert_int_equal(TOLD_AT(10, 1, 7, 8, 9), 8);
	assert_int_equal(TOLD_AT(9, 1, 7, 8), 8);
	assert_int_equal(TOLD_AT(3, 0, 1, 2), 2);
	assert_int_equal(TOLD_AT(2, 0, 1), -1); /* too short to be worth it */
	assert_int_equal(TOLD_AT(4000000000u, 1, 3500000000u), -1);
}

/* A refreshed entry may be refreshed again. */
static void test_refresh_again(void **state)
{
	struct cache *cache = sample_cache(MIB, 0);
	struct dns_key name;
	struct cache_hit hit;
	sample_name(&name, "www.example.com");
	struct cache_key key = sample_key(&name);
	for (uint32_t at = 0; at < 300; at += 95) {
		sample_addresses(&sample, 1, 1, 100);
		cache_store(cache, &key, &sample.body, at);
		assert_true(sample_find(cache, &key, at + 1, &hit));
		assert_true(sample_find(cache, &key, at + 94, &hit));
		assert_true(hit.refresh);
		assert_true(sample_find(cache, &key, at + 94, &hit));
		assert_false(hit.refresh);
	}
	cache_free(&cache);
}

static void flush_fill(struct cache *cache)
{
	const char *names[] = {"example.com",    "www.example.com", "a.b.example.com",
	                       "wwwexample.com", "example.org",     "com"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct dns_key name;
		sample_name(&name, names[i]);
		struct cache_key key = sample_key(&name);
		for (uint16_t type = 1; type <= 20; type++) {
			key.type = type;
			key.origin = type * 7919u;
			key.flags = type & 3;
			sample_addresses(&sample, 1, 1, 60);
			cache_store(cache, &key, &sample.body, 0);
		}
	}
}

static size_t flush_text(struct cache *cache, const char *text, bool below)
{
	uint8_t name[DNS_NAME_MAX];
	assert_true(dns_name_parse(text, name) > 0);
	return cache_flush(cache, name, below);
}

static void test_flush(void **state)
{
	struct cache *cache = sample_cache(MIB, 0);
	flush_fill(cache);
	assert_int_equal(sample_stats(cache).entries, 6 * 20);
	assert_int_equal(flush_text(cache, "WWW.example.com", false), 20);
	assert_int_equal(flush_text(cache, "WWW.example.com", false), 0);
	assert_int_equal(flush_text(cache, "nobody.example.com", false), 0);
	assert_int_equal(flush_text(cache, "Example.com", true), 40);
	assert_int_equal(flush_text(cache, "wwwexample.com", false), 20);
	assert_int_equal(flush_text(cache, ".", false), 0);
	assert_int_equal(flush_text(cache, ".", true), 40);
	assert_int_equal(sample_stats(cache).entries, 0);
	flush_fill(cache);
	assert_int_equal(sample_stats(cache).entries, 6 * 20);
	cache_free(&cache);
}

/* One name among very many: found in its own buckets, all types of it, and nothing else. */
static void test_flush_name_among_many(void **state)
{
	struct cache *cache = sample_cache(16 * MIB, 0);
	struct dns_key name;
	for (unsigned int n = 0; n < 20000; n++) {
		sample_nth_name(&name, n);
		struct cache_key key = sample_key(&name);
		sample_addresses(&sample, 1, n, 60);
		cache_store(cache, &key, &sample.body, 0);
		key.type = DNS_TYPE_AAAA;
		cache_store(cache, &key, &sample.body, 0);
	}
	for (unsigned int n = 0; n < 20000; n += 7) {
		sample_nth_name(&name, n);
		assert_int_equal(cache_flush(cache, name.name, false), 2);
	}
	assert_int_equal(sample_stats(cache).entries, 2 * (20000 - 2858));
	cache_free(&cache);
}

static void test_metrics(void **state)
{
	struct cache *cache = sample_cache(MIB, 0);
	struct text out;
	flush_fill(cache);
	text_init(&out, 0);
	cache_metrics(cache, &out);
	assert_non_null(strstr(text_get(&out), "# TYPE horizond_cache_entries gauge\n"
	                                       "horizond_cache_entries 120\n"));
	assert_non_null(strstr(text_get(&out), "\nhorizond_cache_bytes "));
	text_fini(&out);
	cache_free(&cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_store_and_find),
		cmocka_unit_test(test_key_parts),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_ttl_counts_down),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_zero_ttl_is_not_kept),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_failures_back_off),
		cmocka_unit_test(test_failures_flood),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_refresh_again),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_flush_name_among_many),
		cmocka_unit_test(test_metrics),
	};
	return cmocka_run_group_tests(tests, sample_threads_start, sample_threads_stop);
}
