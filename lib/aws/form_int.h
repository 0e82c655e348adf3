/*
 * aws/form_int.h - forms whose names are counted: "Tag.1.Key", "Dimensions.member.2.Value".
 *
 * Memory: names are kept here, values are borrowed.
 */
#pragma once

#include "aws/sigv4.h"
#include "aws/tag.h"
#include <stdbool.h>

#define FORM_PAIRS_MAX 256
#define FORM_NAME_MAX  64

struct form {
	struct sigv4_pair pairs[FORM_PAIRS_MAX];
	char names[FORM_PAIRS_MAX][FORM_NAME_MAX];
	size_t count;
	bool full; /* something did not fit: the form must not be sent */
};

void form__init(struct form *form);
/* The name is what format says. */
__attribute__((format(printf, 3, 4))) void form__add(struct form *form, const char *value,
                                                     const char *format, ...);
/* Tags as "PREFIX.1.Key", "PREFIX.1.Value". */
void form__tags(struct form *form, const char *prefix, const struct aws_tags *tags);
