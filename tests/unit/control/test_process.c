#include "base/mono.h"
#include "control/http.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmocka.h>

/* The value of a sample without labels. */
static double sample(const struct text *out, const char *name)
{
	char line[128];
	snprintf(line, sizeof(line), "\n%s ", name);
	const char *at = strstr(text_get(out), line);
	assert_non_null(at);
	return strtod(at + strlen(line), NULL);
}

static void test_figures(void **state)
{
	struct text out;
	text_init(&out, 0);
	prctl(PR_SET_NAME, "a) b (c"); /* stands in the file that is read */
	http_process_metrics(&out);
	assert_false(out.bad);
	assert_true(sample(&out, "process_cpu_seconds_total") >= 0);
	assert_true(sample(&out, "process_cpu_seconds_total") < 60);
	double resident = sample(&out, "process_resident_memory_bytes");
	assert_true(resident > 100000);
	assert_true(sample(&out, "process_virtual_memory_bytes") >= resident);
	assert_true(sample(&out, "process_threads") >= 1);
	assert_true(sample(&out, "process_threads") < 10);
	assert_true(sample(&out, "process_open_fds") >= 1);
	assert_true(sample(&out, "process_open_fds") < sample(&out, "process_max_fds"));
	double age_s = (double)wall_s() - sample(&out, "process_start_time_seconds");
	assert_true(age_s > -2 && age_s < 60);
	text_fini(&out);
}

static void test_descriptors(void **state)
{
	struct text before, after;
	text_init(&before, 0);
	text_init(&after, 0);
	http_process_metrics(&before);
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	http_process_metrics(&after);
	close(fd);
	assert_true(sample(&after, "process_open_fds") == sample(&before, "process_open_fds") + 1);
	assert_true(sample(&after, "process_start_time_seconds") ==
	            sample(&before, "process_start_time_seconds"));
	text_fini(&before);
	text_fini(&after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_descriptors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
