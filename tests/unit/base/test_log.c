#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* stderr goes through a pipe that keeps each write() apart, so that a read is one write. */
static int pipe_out = -1;
static char got[8192];

static int setup(void **state)
{
	int fds[2];
	unsetenv("JOURNAL_STREAM");
	log_set_level(LOG_LEVEL_INFO);
	int kept = dup(STDERR_FILENO);
	if (kept < 0 || pipe2(fds, O_DIRECT | O_NONBLOCK) != 0 || dup2(fds[1], STDERR_FILENO) < 0) {
		return -1;
	}
	close(fds[1]);
	pipe_out = fds[0];
	*state = (void *)(intptr_t)kept;
	return 0;
}

static int teardown(void **state)
{
	int kept = (int)(intptr_t)*state;
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(pipe_out);
	return 0;
}

/* The next write to stderr; "" when there was none. */
static const char *next_write(void)
{
	ssize_t n = read(pipe_out, got, sizeof(got) - 1);
	got[n > 0 ? n : 0] = '\0';
	return got;
}

static void test_line_with_the_time(void **state)
{
	regex_t form;
	assert_int_equal(
		regcomp(&form,
	                "^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z "
	                "warn forward: 10\\.0\\.0\\.2:53 silent for 3 tries\n$",
	                REG_EXTENDED | REG_NOSUB),
		0);
	log_warn("forward", "%s silent for %d tries", "10.0.0.2:53", 3);
	int ret = regexec(&form, next_write(), 0, NULL, 0);
	regfree(&form);
	assert_int_equal(ret, 0);
	assert_string_equal(next_write(), "");
}

static void test_line_for_the_journal(void **state)
{
	setenv("JOURNAL_STREAM", "8:1234", 1);
	log_error("sync", "first");
	log_info("sync", "second");
	assert_string_equal(next_write(), "<3>sync: first\n");
	assert_string_equal(next_write(), "<6>sync: second\n");
}

static void test_control_bytes_are_escaped(void **state)
{
	setenv("JOURNAL_STREAM", "8:1234", 1);
	log_info("query", "%s", "a\nb\x1b[31m\x7f\tz\\ \xc3\xa4");
	assert_string_equal(next_write(), "<6>query: a\\012b\\033[31m\\177\\011z\\ \xc3\xa4\n");
}

static void test_long_lines_are_cut(void **state)
{
	char text[5000];
	setenv("JOURNAL_STREAM", "8:1234", 1);
	for (size_t len = 2020; len < 2050; len++) {
		memset(text, 'x', len);
		text[len] = '\0';
		log_info("query", "%s", text);
		const char *line = next_write();
		size_t whole = strlen("<6>query: ") + len + 1;
		/* Room for the mark is kept: a line of 2045 bytes is the longest whole one. */
		if (whole <= 2045) {
			assert_int_equal(strlen(line), whole);
			assert_int_equal(line[whole - 2], 'x');
		} else {
			assert_int_equal(strlen(line), 2048);
			assert_string_equal(line + 2043, "x...\n");
		}
	}
	memset(text, '\n', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	log_info("query", "%s", text);
	const char *line = next_write();
	assert_true(strlen(line) <= 2048);
	assert_string_equal(line + strlen(line) - 8, "\\012...\n");
	assert_string_equal(next_write(), "");
}

static void test_level(void **state)
{
	log_debug("query", "not now");
	assert_string_equal(next_write(), "");
	log_set_level(LOG_LEVEL_DEBUG);
	assert_int_equal(log_get_level(), LOG_LEVEL_DEBUG);
	log_debug("query", "now");
	assert_string_not_equal(next_write(), "");
	log_set_level(LOG_LEVEL_ERROR);
	log_warn("query", "not now");
	assert_string_equal(next_write(), "");
}

static void test_level_words(void **state)
{
	enum log_level level = LOG_LEVEL_NOTICE;
	assert_false(log_level_parse("loud", &level));
	assert_false(log_level_parse("", &level));
	assert_int_equal(level, LOG_LEVEL_NOTICE);
	for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++) {
		assert_true(log_level_parse(log_level_text((enum log_level)i), &level));
		assert_int_equal(level, i);
	}
}

static void test_errno_is_kept(void **state)
{
	setenv("JOURNAL_STREAM", "8:1234", 1);
	errno = ENOENT;
	log_error("zone", "cannot open: %m");
	assert_int_equal(errno, ENOENT);
	assert_string_equal(next_write(), "<3>zone: cannot open: No such file or directory\n");
}

static void test_limit_tells_what_it_held_back(void **state)
{
	struct log_limit limit = {0};
	int allowed = 0;
	setenv("JOURNAL_STREAM", "8:1234", 1);
	for (int i = 0; i < 10; i++) {
		if (log_allowed(&limit, 3, 3600000)) {
			allowed++;
			log_warn("server", "odd packet");
			assert_string_equal(next_write(), "<4>server: odd packet\n");
		}
	}
	assert_int_equal(allowed, 3);

	limit.window_ms -= 3600000; /* as if the hour were over */
	assert_true(log_allowed(&limit, 3, 3600000));
	log_warn("server", "odd packet");
	assert_string_equal(next_write(), "<4>server: odd packet (and 7 more like it, left out)\n");
	assert_true(log_allowed(&limit, 3, 3600000));
	log_warn("server", "odd packet");
	assert_string_equal(next_write(), "<4>server: odd packet\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_line_with_the_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_line_for_the_journal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_control_bytes_are_escaped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_lines_are_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_level, setup, teardown),
		cmocka_unit_test(test_level_words),
		cmocka_unit_test_setup_teardown(test_errno_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limit_tells_what_it_held_back, setup,
	                                        teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
