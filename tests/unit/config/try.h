/*
 * tests/unit/config/try.h - loads settings from text or from files in a folder of the test's own.
 */
#pragma once

#include "base/fail.h"
#include "config/settings.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))

/* One text and the faults that it has, all of them. */
struct try_case {
	const char *content;
	const char *faults;
};

/* The content is right; the caller frees the settings. */
static inline struct settings *try_good(const char *content)
{
	struct settings *settings = NULL;
	struct text faults;
	text_init(&faults, 0);
	int ret = settings_load_bytes("t.conf", content, strlen(content), &settings, &faults);
	assert_string_equal(text_get(&faults), "");
	assert_int_equal(ret, 0);
	assert_non_null(settings);
	text_fini(&faults);
	return settings;
}

/* Each content, called t.conf, has exactly these faults. */
static inline void try_cases(const struct try_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct settings *settings = NULL;
		struct text faults;
		text_init(&faults, 0);
		int ret = settings_load_bytes("t.conf", cases[i].content, strlen(cases[i].content),
		                              &settings, &faults);
		assert_string_equal(text_get(&faults), cases[i].faults);
		assert_int_equal(ret, cases[i].faults[0] == '\0' ? 0 : FAIL_FORMAT);
		assert_true((settings != NULL) == (ret == 0));
		settings_free(&settings);
		text_fini(&faults);
	}
}

/* An empty folder, which becomes the working directory. */
static inline void try_enter_folder(char *path, size_t size)
{
	snprintf(path, size, "/tmp/horizond-config-XXXXXX");
	umask(022);
	assert_non_null(mkdtemp(path));
	assert_int_equal(chdir(path), 0);
}

static inline void try_leave_folder(const char *path)
{
	char command[128];
	snprintf(command, sizeof(command), "rm -rf -- '%s'", path);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(system(command), 0);
}

static inline void try_write(const char *path, const char *content)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* The faults of a file; the caller frees them. */
static inline void try_faults(const char *path, struct text *ret_faults)
{
	struct settings *settings = NULL;
	text_init(ret_faults, 0);
	int ret = settings_load(path, &settings, ret_faults);
	assert_int_equal(ret, ret_faults->len == 0 ? 0 : FAIL_FORMAT);
	settings_free(&settings);
}

/* The file has exactly these faults. */
static inline void try_file(const char *path, const char *expected)
{
	struct text faults;
	try_faults(path, &faults);
	assert_string_equal(text_get(&faults), expected);
	text_fini(&faults);
}
