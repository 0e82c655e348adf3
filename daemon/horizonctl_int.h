/*
 * daemon/horizonctl_int.h - the parts of horizonctl: asking, laying out, top.
 *
 * A program of one shot: memory that is short ends it.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum {
	EXIT_REFUSED = 1,
	EXIT_USAGE = 2,
	EXIT_NO_DAEMON = 3,
};

/* --- horizonctl_talk.c --- */

/*
 * Asks the daemon. Always an object with "exit", and "error" when that is not 0; what went wrong on the way is
 * told in the same form.
 */
json_t *talk(const char *socket_path, const char *const *words, size_t count);

/* --- horizonctl_table.c: text for terminals --- */

/* Text of others never moves the cursor: control bytes are written as \ooo. */
void print_clean(FILE *to, const char *text);

/* Members of an object, with a value for those that are not there. */
const char *text_of(const json_t *object, const char *key);
double number_of(const json_t *object, const char *key);

#define SHORT_MAX 32
/* "12 s", "3 min", "5.1 h", "8.2 d"; "1.5 MiB". buf: SHORT_MAX. Return buf. */
const char *duration_text(double seconds, char *buf);
const char *size_text(double bytes, char *buf);

#define TABLE_COLUMNS 12

struct table {
	size_t columns;
	size_t count; /* cells */
	size_t room;
	char **cells; /* the heads are the first row */
	bool right[TABLE_COLUMNS];
};

/* heads: NULL-ended; one that begins with ">" stands over a column set flush right. */
void table_begin(struct table *table, const char *const *heads);
/* The next cell of the present row; copied. "" is shown as "-". */
void table_cell(struct table *table, const char *text);
void table_cellf(struct table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Prints and frees. */
void table_end(struct table *table);

/* --- horizonctl_print.c: an answer laid out; words are the command's --- */

typedef void print_fn(const json_t *answer, const char *const *words);
print_fn print_status;
print_fn print_zones;
print_fn print_rules;
print_fn print_upstreams;
print_fn print_explain;
print_fn print_flush;
print_fn print_sync;
print_fn print_check;
print_fn print_diff;
print_fn print_reload;
print_fn print_log;

/* "a 3, b 4": the members that are not 0. per_second: with one decimal. */
void print_counts(const json_t *counts, bool per_second);
/* Each member of a list on a line of its own. */
void print_lines(FILE *to, const json_t *lines, const char *before);

/* --- horizonctl_top.c --- */

/* Until interrupted; as_json: rates over one second, once. Returns the exit status. */
int top(const char *socket_path, bool as_json);
