/* daemon/horizonctl_table.c - tables, and values short enough to stand in them. */
#include "horizonctl_int.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *memory)
{
	if (memory == NULL) {
		fprintf(stderr, "horizonctl: out of memory\n");
		exit(EXIT_REFUSED);
	}
	return memory;
}

/* --- Text --- */

/* Octets of the control character at text: C0, DEL, or one of C1 in UTF-8; 0: it is none. */
static size_t control_len(const char *text)
{
	unsigned char c = (unsigned char)text[0];
	if (c < 0x20 || c == 0x7f) {
		return 1;
	}
	return c == 0xc2 && ((unsigned char)text[1] & 0xe0) == 0x80 ? 2 : 0;
}

/* A copy with control characters as \ooo. */
static char *clean(const char *text)
{
	char *copy = must(malloc(strlen(text) * 4 + 1));
	size_t len = 0;
	while (*text != '\0') {
		size_t odd = control_len(text);
		if (odd == 0) {
			copy[len++] = *text++;
		}
		for (; odd > 0; odd--) {
			len += (size_t)sprintf(copy + len, "\\%03o", (unsigned char)*text++);
		}
	}
	copy[len] = '\0';
	return copy;
}

void print_clean(FILE *to, const char *text)
{
	char *copy = clean(text);
	fputs(copy, to);
	free(copy);
}

const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text == NULL ? "" : text;
}

double number_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

const char *duration_text(double seconds, char *buf)
{
	if (seconds < 120) {
		snprintf(buf, SHORT_MAX, "%.0f s", seconds);
	} else if (seconds < 7200) {
		snprintf(buf, SHORT_MAX, "%.0f min", seconds / 60);
	} else if (seconds < 48 * 3600) {
		snprintf(buf, SHORT_MAX, "%.1f h", seconds / 3600);
	} else {
		snprintf(buf, SHORT_MAX, "%.1f d", seconds / 86400);
	}
	return buf;
}

const char *size_text(double bytes, char *buf)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
	size_t unit = 0;
	while (bytes >= 1024 && unit < 3) {
		bytes /= 1024;
		unit++;
	}
	snprintf(buf, SHORT_MAX, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
	return buf;
}

/* --- Tables --- */

/* Places on the screen: UTF-8's continuation octets take none. */
static size_t width_of(const char *text)
{
	size_t width = 0;
	for (; *text != '\0'; text++) {
		width += ((unsigned char)*text & 0xc0) != 0x80;
	}
	return width;
}

void table_begin(struct table *table, const char *const *heads)
{
	*table = (struct table){0};
	size_t columns = 0;
	while (heads[columns] != NULL) {
		columns++;
	}
	for (size_t i = 0; i < columns; i++) {
		table->right[i] = heads[i][0] == '>';
		table_cell(table, heads[i] + table->right[i]);
	}
	table->columns = columns;
}

void table_cell(struct table *table, const char *text)
{
	if (table->count == table->room) {
		table->room = table->room == 0 ? 64 : table->room * 2;
		table->cells = must(realloc(table->cells, table->room * sizeof(char *)));
	}
	table->cells[table->count++] = clean(text[0] == '\0' ? "-" : text);
}

void table_cellf(struct table *table, const char *format, ...)
{
	char text[256];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	table_cell(table, text);
}

static void cell_print(const char *cell, size_t width, bool right, bool last)
{
	int pad = (int)(width - width_of(cell));
	if (right) {
		printf("%*s%s", pad, "", cell);
	} else {
		printf("%s%*s", cell, last ? 0 : pad, "");
	}
	fputs(last ? "\n" : "  ", stdout);
}

void table_end(struct table *table)
{
	size_t widths[TABLE_COLUMNS] = {0};
	for (size_t i = 0; i < table->count; i++) {
		size_t width = width_of(table->cells[i]);
		size_t column = i % table->columns;
		widths[column] = width > widths[column] ? width : widths[column];
	}
	for (size_t i = 0; i < table->count; i++) {
		size_t column = i % table->columns;
		cell_print(table->cells[i], widths[column], table->right[column],
		           column + 1 == table->columns);
		free(table->cells[i]);
	}
	free(table->cells);
	*table = (struct table){0};
}
