#include "aws/form_int.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void form__init(struct form *form)
{
	form->count = 0;
	form->full = false;
}

void form__add(struct form *form, const char *value, const char *format, ...)
{
	if (form->count == FORM_PAIRS_MAX) {
		form->full = true;
		return;
	}
	char *name = form->names[form->count];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(name, FORM_NAME_MAX, format, args);
	va_end(args);
	form->full = form->full || len < 0 || len >= FORM_NAME_MAX;
	form->pairs[form->count++] = (struct sigv4_pair){name, value};
}

void form__tags(struct form *form, const char *prefix, const struct aws_tags *tags)
{
	for (size_t i = 0; i < tags->count; i++) {
		form__add(form, tags->items[i].key, "%s.%zu.Key", prefix, i + 1);
		form__add(form, tags->items[i].value, "%s.%zu.Value", prefix, i + 1);
	}
}

const char *aws_tags_find(const struct aws_tag_list *have, const char *key)
{
	for (size_t i = 0; i < have->count; i++) {
		if (strcmp(have->key[i], key) == 0) {
			return have->value[i];
		}
	}
	return NULL;
}

bool aws_tags_hold(const struct aws_tag_list *have, const struct aws_tags *wanted)
{
	for (size_t i = 0; i < wanted->count; i++) {
		const char *value = aws_tags_find(have, wanted->items[i].key);
		if (value == NULL || strcmp(value, wanted->items[i].value) != 0) {
			return false;
		}
	}
	return true;
}
