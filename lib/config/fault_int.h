/*
 * config/fault_int.h - what is wrong with the files of one load, gathered first, told sorted.
 *
 * Memory: at most FAULTS_MAX are kept; the file names are borrowed and must outlive the faults.
 */
#pragma once

#include "config/settings.h"

#define FAULTS_MAX      1000
#define FAULT_QUOTE_MAX 96

struct fault {
	struct settings_place place;
	size_t seq; /* order of finding, for faults of one line */
	char *text;
};

struct faults {
	struct fault *items;
	size_t count;
	size_t room;
	size_t found;
	bool nomem;
};

void fault__add(struct faults *faults, struct settings_place place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* "FILE:LINE: text" a line, sorted by file and line; what was said twice about one place comes once. */
void fault__tell(struct faults *faults, struct text *out);
void fault__fini(struct faults *faults);

/* The text fit for a message: in backquotes, control bytes as \ooo, cut when long. buf: FAULT_QUOTE_MAX. */
const char *fault__quote(const char *text, size_t len, char *buf);
