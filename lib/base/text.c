#include "base/text.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 256

void text_init(struct text *text, size_t len_max)
{
	*text = (struct text){.len_max = len_max};
}

void text_fini(struct text *text)
{
	free(text->bytes);
	text_init(text, text->len_max);
}

/* Makes room for len more bytes and the NUL; on failure the text turns bad. */
static bool text_grow(struct text *text, size_t len)
{
	if (text->room > len && text->room - len > text->len) {
		return true;
	}
	if (len >= SIZE_MAX / 4 - text->len) {
		text->bad = true;
		return false;
	}
	size_t room = text->room == 0 ? ROOM_FIRST : text->room;
	while (room <= text->len + len) {
		room *= 2;
	}
	char *bytes = realloc(text->bytes, room);
	if (bytes == NULL) {
		text->bad = true;
		return false;
	}
	text->bytes = bytes;
	text->room = room;
	return true;
}

void text_add(struct text *text, const char *bytes, size_t len)
{
	if (text->bad) {
		return;
	}
	size_t fits = text->len_max == 0 ? SIZE_MAX : text->len_max - text->len;
	bool cut = len > fits;
	if (cut) {
		len = fits;
	}
	if (!text_grow(text, len)) {
		return;
	}
	if (len != 0) {
		memcpy(text->bytes + text->len, bytes, len);
	}
	text->len += len;
	text->bytes[text->len] = '\0';
	text->bad = cut;
}

void text_addv(struct text *text, const char *format, va_list args)
{
	char shortly[512];
	va_list again;
	va_copy(again, args);
	int len = vsnprintf(shortly, sizeof(shortly), format, args);
	if (len < 0) {
		text->bad = true;
	} else if ((size_t)len < sizeof(shortly)) {
		text_add(text, shortly, (size_t)len);
	} else {
		char *whole = malloc((size_t)len + 1);
		if (whole == NULL || vsnprintf(whole, (size_t)len + 1, format, again) != len) {
			text->bad = true;
		} else {
			text_add(text, whole, (size_t)len);
		}
		free(whole);
	}
	va_end(again);
}

void text_addf(struct text *text, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	text_addv(text, format, args);
	va_end(args);
}

const char *text_get(const struct text *text)
{
	return text->bytes == NULL ? "" : text->bytes;
}

/* Longer words than this are no typing errors. */
#define WORD_MAX 64

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * How many single letters must be added, left out, changed, or swapped with their neighbour to get
 * from a to b (Damerau-Levenshtein, optimal string alignment). Both at most WORD_MAX long.
 */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *row = rows[2];
	for (size_t j = 0; j <= b_len; j++) {
		row[j] = j;
	}
	for (size_t i = 1; i <= a_len; i++) {
		size_t *reused = before;
		before = last;
		last = row;
		row = reused;
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = least(last[j], row[j - 1]) + 1;
			row[j] = least(row[j], last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
				row[j] = least(row[j], before[j - 2] + 1);
			}
		}
	}
	return row[b_len];
}

const char *text_nearest(const char *word, const char *const *known, size_t known_count)
{
	const char *nearest = NULL;
	size_t word_len = strlen(word);
	if (word_len > WORD_MAX) {
		return NULL;
	}
	size_t allowed = word_len / 3;
	for (size_t i = 0; i < known_count; i++) {
		size_t len = strlen(known[i]);
		if (len > WORD_MAX) {
			continue;
		}
		size_t distance = edit_distance(word, word_len, known[i], len);
		if (distance < allowed || (distance == allowed && nearest == NULL)) {
			allowed = distance;
			nearest = known[i];
		}
	}
	return nearest;
}
