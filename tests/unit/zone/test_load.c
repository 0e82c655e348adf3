/*
 * 100,000 A sets: how long to load, how large, how fast to ask. Limits: 1 s of CPU (not under sanitizers,
 * which make it several times slower), 40 MB.
 */
#include "zone_text.h"
#include <time.h>

#define SETS    100000
#define LOOKUPS 2000000

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

static double cpu_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void host_name(char *out, size_t size, unsigned int i)
{
	snprintf(out, size, "ip-10-%u-%u-%u.internal.example.com.", i >> 16, (i >> 8) & 255,
	         i & 255);
}

/* In the order of the list, or (step > 1, prime) in disorder. */
static struct zone *load(unsigned int step)
{
	struct zone_builder *builder = builder_of_id(TEST_ID);
	assert_int_equal(text_add(builder, TEST_SOA), 0);
	for (unsigned int n = 0; n < SETS; n++) {
		unsigned int i = (unsigned int)((uint64_t)n * step % SETS);
		char name[64];
		char value[32];
		const char *values[] = {value};
		host_name(name, sizeof(name), i);
		snprintf(value, sizeof(value), "10.%u.%u.%u", i >> 16, (i >> 8) & 255, i & 255);
		struct zone_record_set set = {
			.name = name, .type = "A", .ttl_s = 60, .values = values, .value_count = 1};
		assert_int_equal(zone_builder_add(builder, &set), 0);
	}
	return builder_zone(builder);
}

static void ask(const struct zone *zone, const struct dns_key *keys, unsigned int count,
                const char *what)
{
	struct zone_rr rr[ZONE_DRAW_MAX];
	struct draw draw = {{1, 2}};
	unsigned int found = 0;
	unsigned int lookups = SANITIZED ? count : LOOKUPS;
	double begin = cpu_s();
	for (unsigned int i = 0; i < lookups; i++) {
		struct zone_result result;
		uint32_t ttl_s;
		zone_lookup(zone, &keys[i % count], DNS_TYPE_A, &result);
		if (result.set != NULL) {
			found += zone_rrset_draw(zone, result.set, &draw, rr, &ttl_s);
		}
	}
	printf("%s: %.1f ns a look-up and draw\n", what, (cpu_s() - begin) * 1e9 / lookups);
	assert_true(found == lookups || found == 0);
}

static void test_load(void **state)
{
	double begin = cpu_s();
	struct zone *zone = load(1);
	double used = cpu_s() - begin;
	struct zone_stats stats;
	zone_get_stats(zone, &stats);
	assert_int_equal(stats.types[ZONE_STATIC], SETS + 1);
	assert_int_equal(stats.names, SETS + 1);
	printf("%zu sets: %.3f s of CPU, %zu bytes, %.1f bytes a set\n", stats.sets, used,
	       stats.bytes, (double)stats.bytes / (double)stats.sets);
	assert_true(stats.bytes < 40000000);
	assert_true(stats.bytes < 160 * stats.sets);
	assert_true(SANITIZED || used < 1.0);

	enum { KEYS = 20000 };
	struct dns_key *keys = malloc(KEYS * sizeof(*keys));
	assert_non_null(keys);
	for (unsigned int i = 0; i < KEYS; i++) {
		char name[64];
		host_name(name, sizeof(name), i * 7919 % SETS);
		key_of(&keys[i], name);
	}
	ask(zone, keys, 1, "one name");
	ask(zone, keys, 100, "100 names");
	ask(zone, keys, KEYS, "20,000 names");
	for (unsigned int i = 0; i < KEYS; i++) {
		char name[64];
		snprintf(name, sizeof(name), "none-%u.internal.example.com.", i);
		key_of(&keys[i], name);
	}
	ask(zone, keys, KEYS, "20,000 names that are not there");
	free(keys);
	zone_unref(&zone);
}

/* What was given back to the system while the block was written was not needed any more. */
static void check_values(unsigned int step)
{
	struct zone *zone = load(step);
	for (unsigned int i = 0; i < SETS; i += 37) {
		char name[64], value[32], text[64];
		struct dns_key key;
		struct zone_result result;
		struct zone_rr rr[ZONE_DRAW_MAX];
		struct draw draw = {{1, 2}};
		uint32_t ttl_s;
		host_name(name, sizeof(name), i);
		key_of(&key, name);
		zone_lookup(zone, &key, DNS_TYPE_A, &result);
		assert_int_equal(result.found, ZONE_FOUND_SET);
		assert_int_equal(zone_rrset_draw(zone, result.set, &draw, rr, &ttl_s), 1);
		snprintf(value, sizeof(value), "10.%u.%u.%u", i >> 16, (i >> 8) & 255, i & 255);
		assert_string_equal(
			dns_rdata_text(DNS_TYPE_A, rr[0].rdata, rr[0].rdlen, text, sizeof(text)),
			value);
	}
	zone_unref(&zone);
}

static void test_order_of_the_list(void **state)
{
	check_values(1);
	check_values(7919);
	check_values(99991);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_order_of_the_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
