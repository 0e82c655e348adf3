/*
 * base/log.h - one line an event, to stderr.
 *
 * Under systemd (JOURNAL_STREAM set) a line begins with its "<level>" mark, else with the time.
 * A line reads "room: what happened, to what, what to do". Control bytes in it are written as \ooo,
 * so that a name from the network never makes a second line. Thread-safe; a line is one write().
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>

enum log_level {
	LOG_LEVEL_ERROR = 3, /* numbers as syslog has them */
	LOG_LEVEL_WARN = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/* Lines above the level are not written. Default: LOG_LEVEL_INFO. May be called at any time. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* "error", "warn", "notice", "info", "debug" to a level; false for any other word. */
bool log_level_parse(const char *word, enum log_level *ret_level);
const char *log_level_text(enum log_level level);

void log_line(enum log_level level, const char *room, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(room, ...)  log_line(LOG_LEVEL_ERROR, room, __VA_ARGS__)
#define log_warn(room, ...)   log_line(LOG_LEVEL_WARN, room, __VA_ARGS__)
#define log_notice(room, ...) log_line(LOG_LEVEL_NOTICE, room, __VA_ARGS__)
#define log_info(room, ...)   log_line(LOG_LEVEL_INFO, room, __VA_ARGS__)
#define log_debug(room, ...)  log_line(LOG_LEVEL_DEBUG, room, __VA_ARGS__)

/*
 * For events that a peer can cause at will: true at most burst times in each interval of
 * interval_ms; says with the next allowed one how many were left out. One static limit a place.
 */
struct log_limit {
	unsigned long window_ms; /* start of the interval, monotonic */
	unsigned int count;
};
bool log_allowed(struct log_limit *limit, unsigned int burst, unsigned int interval_ms);
