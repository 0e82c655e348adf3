#include "base/log.h"
#include "base/mono.h"
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_SIZE 2048

static atomic_int level_now = LOG_LEVEL_INFO;

/* How many lines the limit held back before the one that this thread may write now. */
static _Thread_local unsigned int held_back;

static const struct {
	enum log_level level;
	const char *word;
} level_words[] = {
	{LOG_LEVEL_ERROR, "error"}, {LOG_LEVEL_WARN, "warn"},   {LOG_LEVEL_NOTICE, "notice"},
	{LOG_LEVEL_INFO, "info"},   {LOG_LEVEL_DEBUG, "debug"},
};
#define LEVEL_COUNT (sizeof(level_words) / sizeof(level_words[0]))

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&level_now, (int)level, memory_order_relaxed);
}

enum log_level log_get_level(void)
{
	return (enum log_level)atomic_load_explicit(&level_now, memory_order_relaxed);
}

bool log_level_parse(const char *word, enum log_level *ret_level)
{
	for (size_t i = 0; i < LEVEL_COUNT; i++) {
		if (strcmp(word, level_words[i].word) == 0) {
			*ret_level = level_words[i].level;
			return true;
		}
	}
	return false;
}

const char *log_level_text(enum log_level level)
{
	for (size_t i = 0; i < LEVEL_COUNT; i++) {
		if (level == level_words[i].level) {
			return level_words[i].word;
		}
	}
	return "unknown";
}

/* What stands before "room: text". Returns its length. */
static size_t line_head(char *line, size_t size, enum log_level level)
{
	int len;
	if (getenv("JOURNAL_STREAM") != NULL) {
		len = snprintf(line, size, "<%d>", (int)level);
	} else {
		int64_t now_ms = wall_ms();
		time_t now_s = (time_t)(now_ms / 1000);
		struct tm tm = {0};
		gmtime_r(&now_s, &tm);
		len = snprintf(line, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %s ",
		               tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
		               tm.tm_sec, (int)(now_ms % 1000), log_level_text(level));
	}
	return len < 0 ? 0 : (size_t)len;
}

struct line {
	char bytes[LINE_MAX_SIZE];
	size_t len;
	bool cut;
};

/* Keeps four bytes free, for "..." and the line's end. */
static void line_add(struct line *line, const char *text)
{
	for (; *text != '\0' && !line->cut; text++) {
		unsigned char c = (unsigned char)*text;
		size_t need = c < 0x20 || c == 0x7f ? 4 : 1;
		if (need > sizeof(line->bytes) - 4 - line->len) {
			line->cut = true;
		} else if (need == 1) {
			line->bytes[line->len++] = (char)c;
		} else {
			line->bytes[line->len++] = '\\';
			line->bytes[line->len++] = (char)('0' + (c >> 6));
			line->bytes[line->len++] = (char)('0' + ((c >> 3) & 7));
			line->bytes[line->len++] = (char)('0' + (c & 7));
		}
	}
}

static void line_write(struct line *line)
{
	if (line->cut) {
		memcpy(line->bytes + line->len, "...", 3);
		line->len += 3;
	}
	line->bytes[line->len++] = '\n';
	ssize_t n;
	do {
		n = write(STDERR_FILENO, line->bytes, line->len);
	} while (n < 0 && errno == EINTR);
	/* When stderr takes no more there is nobody left to tell. */
}

void log_line(enum log_level level, const char *room, const char *format, ...)
{
	unsigned int held = held_back;
	held_back = 0;
	if (level > log_get_level()) {
		return;
	}

	int errno_kept = errno; /* for %m, and because logging should change nothing */
	char text[LINE_MAX_SIZE];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);

	struct line line;
	line.cut = false;
	line.len = line_head(line.bytes, sizeof(line.bytes), level);
	line_add(&line, room);
	line_add(&line, ": ");
	line_add(&line, len < 0 ? "(unreadable)" : text);
	if (held > 0) {
		snprintf(text, sizeof(text), " (and %u more like it, left out)", held);
		line_add(&line, text);
	}
	line_write(&line);
	errno = errno_kept;
}

bool log_allowed(struct log_limit *limit, unsigned int burst, unsigned int interval_ms)
{
	unsigned long now_ms = (unsigned long)mono_ms();
	unsigned long window_ms = __atomic_load_n(&limit->window_ms, __ATOMIC_RELAXED);
	unsigned int count;
	held_back = 0;

	/* The thread that moves the window on counts anew; others may be off by a few lines. */
	if ((window_ms == 0 || now_ms - window_ms >= interval_ms) &&
	    __atomic_compare_exchange_n(&limit->window_ms, &window_ms, now_ms, false,
	                                __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
		count = __atomic_exchange_n(&limit->count, 1, __ATOMIC_RELAXED);
		held_back = count > burst ? count - burst : 0;
		return burst > 0;
	}

	count = __atomic_load_n(&limit->count, __ATOMIC_RELAXED);
	if (count < UINT_MAX / 2) { /* never wraps round to a new permission */
		count = __atomic_add_fetch(&limit->count, 1, __ATOMIC_RELAXED);
	}
	return count <= burst;
}
