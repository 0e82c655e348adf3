#include "config/fault_int.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool faults_grow(struct faults *faults)
{
	if (faults->count < faults->room) {
		return true;
	}
	size_t room = faults->room == 0 ? 16 : faults->room * 2;
	struct fault *items = reallocarray(faults->items, room, sizeof(*items));
	if (items == NULL) {
		return false;
	}
	faults->items = items;
	faults->room = room;
	return true;
}

void fault__add(struct faults *faults, struct settings_place place, const char *format, ...)
{
	size_t seq = faults->found++;
	if (faults->count == FAULTS_MAX) {
		return;
	}
	va_list args;
	va_start(args, format);
	char *text = NULL;
	int len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0 || !faults_grow(faults)) {
		faults->nomem = true;
		if (len >= 0) {
			free(text);
		}
		return;
	}
	faults->items[faults->count++] = (struct fault){.place = place, .seq = seq, .text = text};
}

static int fault_compare(const void *a, const void *b)
{
	const struct fault *x = a;
	const struct fault *y = b;
	int order = strcmp(x->place.file, y->place.file);
	if (order != 0) {
		return order;
	}
	if (x->place.line != y->place.line) {
		return x->place.line < y->place.line ? -1 : 1;
	}
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* Said already about this line: the reverse zones of one CIDR all clash in the same words. */
static bool said_before(const struct fault *items, size_t i)
{
	for (size_t k = i; k-- > 0;) {
		if (items[k].place.line != items[i].place.line ||
		    strcmp(items[k].place.file, items[i].place.file) != 0) {
			return false;
		}
		if (strcmp(items[k].text, items[i].text) == 0) {
			return true;
		}
	}
	return false;
}

void fault__tell(struct faults *faults, struct text *out)
{
	if (faults->count == 0) {
		return;
	}
	qsort(faults->items, faults->count, sizeof(*faults->items), fault_compare);
	for (size_t i = 0; i < faults->count; i++) {
		const struct fault *fault = &faults->items[i];
		if (!said_before(faults->items, i)) {
			text_addf(out, "%s:%u: %s\n", fault->place.file, fault->place.line,
			          fault->text);
		}
	}
	if (faults->found > faults->count) {
		const struct settings_place *last = &faults->items[faults->count - 1].place;
		text_addf(out, "%s:%u: %zu more faults are not shown; mend these first\n",
		          last->file, last->line, faults->found - faults->count);
	}
}

void fault__fini(struct faults *faults)
{
	for (size_t i = 0; i < faults->count; i++) {
		free(faults->items[i].text);
	}
	free(faults->items);
	*faults = (struct faults){0};
}

const char *fault__quote(const char *text, size_t len, char *buf)
{
	char *at = buf;
	char *end = buf + FAULT_QUOTE_MAX - 9; /* room for \ooo...` and NUL */
	*at++ = '`';
	size_t i = 0;
	for (; i < len && at < end; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c < 0x20 || c == 0x7f) {
			at += sprintf(at, "\\%03o", c);
		} else {
			*at++ = (char)c;
		}
	}
	strcpy(at, i < len ? "...`" : "`");
	return buf;
}
