#include "metric/metric.h"
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
	static struct text text;
	text_init(&text, 0);
	*state = &text;
	return 0;
}

static int teardown(void **state)
{
	text_fini(*state);
	return 0;
}

static void test_family(void **state)
{
	metric_family(*state, "a_total", METRIC_COUNTER, "Questions \"asked\",\nback\\slash.");
	metric_family(*state, "b", METRIC_GAUGE, "");
	metric_family(*state, "c_seconds", METRIC_HISTOGRAM, "Time.");
	assert_string_equal(text_get(*state),
	                    "# HELP a_total Questions \"asked\",\\nback\\\\slash.\n"
	                    "# TYPE a_total counter\n"
	                    "# HELP b \n"
	                    "# TYPE b gauge\n"
	                    "# HELP c_seconds Time.\n"
	                    "# TYPE c_seconds histogram\n");
}

static void test_labels(void **state)
{
	const char *const none[] = {NULL};
	const char *const two[] = {"zone", "corp.example.", "kind", "", NULL};
	const char *const odd[] = {"name", "q\"b\\n\nt\tx\x7f\xc3\xa4", NULL};
	metric_sample_u64(*state, "a", NULL, 1);
	metric_sample_u64(*state, "a", none, 2);
	metric_sample_u64(*state, "a", two, 3);
	metric_sample_u64(*state, "a", odd, 4);
	assert_string_equal(text_get(*state), "a 1\n"
	                                      "a 2\n"
	                                      "a{zone=\"corp.example.\",kind=\"\"} 3\n"
	                                      "a{name=\"q\\\"b\\\\n\\nt?x?\xc3\xa4\"} 4\n");
}

static void test_numbers(void **state)
{
	metric_sample_u64(*state, "a", NULL, UINT64_MAX);
	metric_sample(*state, "a", NULL, 0);
	metric_sample(*state, "a", NULL, 0.1);
	metric_sample(*state, "a", NULL, -2.5);
	metric_sample(*state, "a", NULL, 1767312000);
	metric_sample(*state, "a", NULL, 0.1 + 0.2);
	metric_sample(*state, "a", NULL, (double)NAN);
	metric_sample(*state, "a", NULL, (double)INFINITY);
	metric_sample(*state, "a", NULL, -(double)INFINITY);
	assert_string_equal(text_get(*state), "a 18446744073709551615\n"
	                                      "a 0\n"
	                                      "a 0.1\n"
	                                      "a -2.5\n"
	                                      "a 1767312000\n"
	                                      "a 0.30000000000000004\n"
	                                      "a NaN\n"
	                                      "a +Inf\n"
	                                      "a -Inf\n");
}

static void test_hist_bounds(void **state)
{
	static const struct {
		uint64_t us;
		unsigned int bucket;
	} cases[] = {
		{0, 0},     {1, 0},     {2, 1},        {3, 2},        {4, 2},        {5, 3},
		{1024, 10}, {1025, 11}, {4194304, 22}, {4194305, 23}, {9999999, 23}, {1u << 31, 23},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct metric_hist hist = {0};
		metric_hist_add(&hist, cases[i].us, 3);
		assert_int_equal(hist.bucket[cases[i].bucket], 3);
		assert_int_equal(hist.sum_us, cases[i].us * 3);
	}
}

static void test_hist_merges(void **state)
{
	struct metric_hist one = {0}, two = {0}, all = {0};
	metric_hist_add(&one, 10, 1);
	metric_hist_add(&two, 10, 2);
	metric_hist_add(&two, 1000, 1);
	metric_hist_merge(&all, &one);
	metric_hist_merge(&all, &two);
	assert_int_equal(all.bucket[4], 3);
	assert_int_equal(all.bucket[10], 1);
	assert_int_equal(all.sum_us, 1030);
}

static void test_hist_text(void **state)
{
	const char *const labels[] = {"via", "cache", NULL};
	struct metric_hist hist = {0};
	metric_hist_add(&hist, 1, 1);
	metric_hist_add(&hist, 3, 2);
	metric_hist_add(&hist, 5000000, 1);
	metric_sample_hist(*state, "t_seconds", labels, &hist);
	const char *got = text_get(*state);
	const char *begin = "t_seconds_bucket{via=\"cache\",le=\"1e-06\"} 1\n"
			    "t_seconds_bucket{via=\"cache\",le=\"2e-06\"} 1\n"
			    "t_seconds_bucket{via=\"cache\",le=\"4e-06\"} 3\n"
			    "t_seconds_bucket{via=\"cache\",le=\"8e-06\"} 3\n"
			    "t_seconds_bucket{via=\"cache\",le=\"1.6e-05\"} 3\n";
	const char *end = "t_seconds_bucket{via=\"cache\",le=\"4.194304\"} 3\n"
			  "t_seconds_bucket{via=\"cache\",le=\"+Inf\"} 4\n"
			  "t_seconds_sum{via=\"cache\"} 5.000007\n"
			  "t_seconds_count{via=\"cache\"} 4\n";
	assert_memory_equal(got, begin, strlen(begin));
	assert_string_equal(got + strlen(got) - strlen(end), end);
	size_t lines = 0;
	for (; *got != '\0'; got++) {
		lines += *got == '\n';
	}
	assert_int_equal(lines, METRIC_HIST_BUCKETS + 2);
}

static void test_hist_text_without_labels(void **state)
{
	struct metric_hist hist = {0};
	metric_sample_hist(*state, "t", NULL, &hist);
	assert_non_null(strstr(text_get(*state), "t_bucket{le=\"+Inf\"} 0\n"));
	assert_non_null(strstr(text_get(*state), "t_sum 0\nt_count 0\n"));
}

static uint64_t own, shared;

static void *count_on(void *ctx)
{
	for (int i = 0; i < 10000; i++) {
		metric_add_shared(&shared, 2);
		if (ctx != NULL) {
			metric_add(&own, 1);
		}
	}
	return NULL;
}

static void test_counters_over_threads(void **state)
{
	pthread_t threads[2];
	assert_int_equal(pthread_create(&threads[0], NULL, count_on, &own), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, count_on, NULL), 0);
	uint64_t last = 0;
	for (int i = 0; i < 1000; i++) {
		uint64_t now = metric_get(&own);
		assert_true(now >= last);
		last = now;
	}
	assert_int_equal(pthread_join(threads[0], NULL), 0);
	assert_int_equal(pthread_join(threads[1], NULL), 0);
	assert_int_equal(metric_get(&own), 10000);
	assert_int_equal(metric_get(&shared), 40000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_family, setup, teardown),
		cmocka_unit_test_setup_teardown(test_labels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
		cmocka_unit_test(test_hist_bounds),
		cmocka_unit_test(test_hist_merges),
		cmocka_unit_test_setup_teardown(test_hist_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hist_text_without_labels, setup, teardown),
		cmocka_unit_test(test_counters_over_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
