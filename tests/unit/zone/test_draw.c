#include "zone_text.h"

#define DRAWS 100000

static const struct zone_rrset *set_of(const struct zone *zone, const char *name)
{
	struct dns_key key;
	key_of(&key, name);
	const struct zone_rrset *set = zone_exact(zone, &key, DNS_TYPE_A);
	assert_non_null(set);
	return set;
}

/* Counts by the last octet of the first address. */
static void count_firsts(const struct zone *zone, const char *name, unsigned int draws,
                         unsigned int *ret_counts)
{
	const struct zone_rrset *set = set_of(zone, name);
	struct zone_rr rr[ZONE_DRAW_MAX];
	struct draw draw;
	draw_seed(&draw);
	memset(ret_counts, 0, 256 * sizeof(*ret_counts));
	for (unsigned int i = 0; i < draws; i++) {
		uint32_t ttl_s;
		assert_true(zone_rrset_draw(zone, set, &draw, rr, &ttl_s) > 0);
		ret_counts[rr[0].rdata[3]]++;
	}
}

/*
 * Pearson's chi-square against the expected shares. The bound is the mean plus six standard deviations of the
 * statistic (df + 6 sqrt(2 df)) and 12 for the skew of few degrees: a true draw passes but once in 10^7 runs.
 */
static void check_shares(const unsigned int *counts, const unsigned int *weights, unsigned int n)
{
	double sum = 0;
	double statistic = 0;
	unsigned int classes = 0;
	unsigned int total = 0;
	for (unsigned int i = 0; i < n; i++) {
		sum += weights[i];
		total += counts[i];
	}
	for (unsigned int i = 0; i < n; i++) {
		double expected = total * (weights[i] / sum);
		if (weights[i] == 0) {
			assert_int_equal(counts[i], 0);
			continue;
		}
		statistic += (counts[i] - expected) * (counts[i] - expected) / expected;
		classes++;
	}
	double freedom = classes - 1;
	double over = statistic - freedom - 12;
	if (over > 0 && over * over > 6 * 6 * 2 * freedom) {
		fail_msg("chi-square %f with %u classes", statistic, classes);
	}
}

static struct zone *weighted_zone(const unsigned int *weights, unsigned int n)
{
	struct zone_builder *builder = builder_of_id(TEST_ID);
	assert_int_equal(text_add(builder, TEST_SOA), 0);
	for (unsigned int i = 0; i < n; i++) {
		char line[100];
		snprintf(line, sizeof(line), "w A id=m%03u weight=%u : 10.0.0.%u", i, weights[i],
		         i);
		assert_int_equal(text_add(builder, line), 0);
	}
	return builder_zone(builder);
}

/* D13 */
static void test_weighted_shares(void **state)
{
	unsigned int cases[][101] = {
		{2, 1, 3},
		{3, 0, 1, 255},
		{1, 7},
		{2, 128, 128},
		{4, 1, 0, 0, 1},
		{5, 10, 20, 30, 40, 0},
		{8, 255, 1, 255, 1, 255, 1, 2, 254},
		{100},
	};
	enum { CASES = sizeof(cases) / sizeof(cases[0]) };
	for (unsigned int i = 1; i <= 100; i++) {
		cases[CASES - 1][i] = i * 37 % 200 + 50;
	}
	for (size_t c = 0; c < CASES; c++) {
		unsigned int counts[256];
		struct zone *zone = weighted_zone(cases[c] + 1, cases[c][0]);
		count_firsts(zone, "w", DRAWS, counts);
		check_shares(counts, cases[c] + 1, cases[c][0]);
		zone_unref(&zone);
	}
}

/* Random weights, with many zeros: none of them may ever be drawn. */
static void test_weighted_random(void **state)
{
	for (int run = 0; run < 50; run++) {
		unsigned int weights[100];
		unsigned int counts[256];
		unsigned int n = 2 + random_below(99);
		for (unsigned int i = 0; i < n; i++) {
			weights[i] = random_below(2) == 0 ? 0 : 20 + random_below(236);
		}
		weights[random_below(n)] = 255;
		struct zone *zone = weighted_zone(weights, n);
		count_firsts(zone, "w", 20000, counts);
		check_shares(counts, weights, n);
		zone_unref(&zone);
	}
}

/* D13: all zero means all equal. */
static void test_weights_all_zero(void **state)
{
	static const unsigned int zeros[5] = {0};
	static const unsigned int equal[5] = {1, 1, 1, 1, 1};
	unsigned int counts[256];
	struct zone *zone = weighted_zone(zeros, 5);
	count_firsts(zone, "w", DRAWS, counts);
	check_shares(counts, equal, 5);
	zone_unref(&zone);
}

/* More members than Route 53 allows today: still one number a draw. */
static void test_many_members(void **state)
{
	struct zone_builder *builder = builder_of_id(TEST_ID);
	assert_int_equal(text_add(builder, TEST_SOA), 0);
	for (unsigned int i = 0; i < 5000; i++) {
		char line[100];
		snprintf(line, sizeof(line), "w A id=%u weight=%u : 10.%u.0.%u", i, i % 2, i / 250,
		         i % 250);
		assert_int_equal(text_add(builder, line), 0);
	}
	struct zone *zone = builder_zone(builder);
	unsigned int counts[256];
	unsigned int weights[256] = {0};
	for (unsigned int i = 0; i < 250; i++) {
		weights[i] = i % 2;
	}
	count_firsts(zone, "w", DRAWS, counts);
	check_shares(counts, weights, 256);
	zone_unref(&zone);
}

static void test_least_ttl_of_a_group(void **state)
{
	static const char *const lines[] = {
		"w A id=a weight=1 ttl=60 : 10.0.0.1", "w A id=b weight=1 ttl=20 : 10.0.0.1",
		"m A id=a multi ttl=9 : 10.0.0.1", "m A id=b multi ttl=8 : 10.0.0.2", NULL};
	static const struct text_case cases[] = {{"w A", "SET A 20 10.0.0.1"},
	                                         {"m A", "SET A 8 10.0.0.1 10.0.0.2"}};
	struct zone *zone = zone_of(lines);
	CHECK_ANSWERS(zone, cases);
	zone_unref(&zone);
}

/* n values 10.0.0.0 ... as one simple set, and as n multivalue members. */
static struct zone *many_zone(unsigned int n)
{
	struct zone_builder *builder = builder_of_id(TEST_ID);
	assert_int_equal(text_add(builder, TEST_SOA), 0);
	char simple[8192] = "s A : 10.0.0.0";
	for (unsigned int i = 0; i < n; i++) {
		char line[100];
		snprintf(line, sizeof(line), "m A id=m%u multi : 10.0.0.%u", i, i);
		assert_int_equal(text_add(builder, line), 0);
		snprintf(line, sizeof(line), " | 10.0.0.%u", i);
		if (i != 0) {
			strcat(simple, line);
		}
	}
	assert_int_equal(text_add(builder, simple), 0);
	return builder_zone(builder);
}

/* Each value comes once in each answer, and first as often as any other (D14, D18). */
static void check_spread(const char *name, unsigned int n, unsigned int answered)
{
	struct zone *zone = many_zone(n);
	const struct zone_rrset *set = set_of(zone, name);
	struct zone_rr rr[ZONE_DRAW_MAX];
	struct draw draw;
	draw_seed(&draw);
	unsigned int first[256] = {0};
	unsigned int second[256] = {0};
	unsigned int any[256] = {0};
	unsigned int equal[256];
	for (unsigned int i = 0; i < DRAWS; i++) {
		bool seen[256] = {false};
		uint32_t ttl_s;
		assert_int_equal(zone_rrset_draw(zone, set, &draw, rr, &ttl_s), answered);
		for (unsigned int j = 0; j < answered; j++) {
			assert_int_equal(rr[j].rdlen, 4);
			uint8_t octet = rr[j].rdata[3];
			assert_false(seen[octet]);
			seen[octet] = true;
			any[octet]++;
		}
		first[rr[0].rdata[3]]++;
		second[rr[answered > 1 ? 1 : 0].rdata[3]]++;
	}
	for (unsigned int i = 0; i < n; i++) {
		equal[i] = 1;
	}
	check_shares(first, equal, n);
	check_shares(second, equal, n);
	check_shares(any, equal, n);
	zone_unref(&zone);
}

static void test_values_in_random_order(void **state)
{
	static const unsigned int sizes[] = {1, 2, 3, 7, 8, 9, 30, 200};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		check_spread("s", sizes[i], sizes[i]);
		check_spread("m", sizes[i], sizes[i] < 8 ? sizes[i] : 8);
	}
}

/* All 24 orders of four. */
static void test_every_order(void **state)
{
	struct zone *zone = many_zone(4);
	const struct zone_rrset *set = set_of(zone, "s");
	struct zone_rr rr[ZONE_DRAW_MAX];
	struct draw draw;
	draw_seed(&draw);
	unsigned int counts[256] = {0};
	unsigned int orders[24];
	unsigned int equal[24];
	unsigned int kinds = 0;
	for (unsigned int i = 0; i < DRAWS; i++) {
		uint32_t ttl_s;
		zone_rrset_draw(zone, set, &draw, rr, &ttl_s);
		counts[rr[0].rdata[3] << 4 | rr[1].rdata[3] << 2 | rr[2].rdata[3]]++;
	}
	for (unsigned int i = 0; i < 64; i++) {
		if (counts[i] != 0) {
			assert_true(kinds < 24);
			equal[kinds] = 1;
			orders[kinds++] = counts[i];
		}
	}
	assert_int_equal(kinds, 24);
	check_shares(orders, equal, 24);
	zone_unref(&zone);
}

/* Members of several values: whole members only, as many as an answer can hold. */
static void test_large_members(void **state)
{
	struct zone_builder *builder = builder_of_id(TEST_ID);
	assert_int_equal(text_add(builder, TEST_SOA), 0);
	for (unsigned int m = 0; m < 6; m++) {
		char line[4096];
		size_t len =
			(size_t)snprintf(line, sizeof(line), "m A id=%u multi : 10.0.%u.255", m, m);
		for (unsigned int i = 0; i < 99; i++) {
			len += (size_t)snprintf(line + len, sizeof(line) - len, " | 10.0.%u.%u", m,
			                        i);
		}
		assert_int_equal(text_add(builder, line), 0);
	}
	struct zone *zone = builder_zone(builder);
	struct zone_rr rr[ZONE_DRAW_MAX];
	struct draw draw = {{3, 4}};
	uint32_t ttl_s;
	assert_int_equal(zone_rrset_draw(zone, set_of(zone, "m"), &draw, rr, &ttl_s),
	                 ZONE_DRAW_MAX);
	zone_unref(&zone);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_weighted_shares),
		cmocka_unit_test(test_weighted_random),
		cmocka_unit_test(test_weights_all_zero),
		cmocka_unit_test(test_many_members),
		cmocka_unit_test(test_least_ttl_of_a_group),
		cmocka_unit_test(test_values_in_random_order),
		cmocka_unit_test(test_every_order),
		cmocka_unit_test(test_large_members),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
