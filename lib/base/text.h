/*
 * base/text.h - text that grows: for metrics, JSON pieces, explanations. Never on the hit path.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct text {
	char *bytes; /* always NUL-ended once something was written */
	size_t len;
	size_t room;
	size_t len_max; /* 0: none; beyond it (or without memory) `bad` is set and the rest dropped */
	bool bad;
};

void text_init(struct text *text, size_t len_max);
void text_fini(struct text *text);
void text_add(struct text *text, const char *bytes, size_t len);
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_addv(struct text *text, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
/* The text so far; "" when nothing was written. */
const char *text_get(const struct text *text);

/*
 * The known word nearest to word (by edit distance, at most a third of its length away), or NULL:
 * for "unknown key `worker`; did you mean `workers`?".
 */
const char *text_nearest(const char *word, const char *const *known, size_t known_count);
