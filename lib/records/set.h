/*
 * records/set.h - record sets as Route 53 has them, and a record of ours together with its mark.
 *
 * Memory: texts and values belong to an arena of the caller's, as does everything that is copied here.
 */
#pragma once

#include "aws/zone_list.h"
#include "base/arena.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_NAME_MAX 1025 /* four characters an octet, and NUL */

struct record_set {
	const char *name; /* as the API gives names back: small letters, \ooo, dot at the end */
	const char *type; /* "A" */
	const char *identifier; /* NULL: a simple set; else a multivalue one */
	uint32_t ttl_s;
	const char *const *values;
	size_t value_count;
	bool odd; /* listed with members that ours never have (alias, weight, health check): never touched */
};

/* What is registered, removed and restored as one: a set, and the TXT that marks it unless its identifier does. */
struct record_entry {
	const char *zone;
	bool private_zone;
	bool keep_on_stop;
	struct record_set set;
	bool has_mark;
	struct record_set mark;
};

/* Text of settings (dot at the end optional) to the API's form. buf: RECORD_NAME_MAX. FAIL_FORMAT: no name. */
int record_name(const char *text, char *buf);

/* "_hz." in front. buf: RECORD_NAME_MAX. FAIL_LIMIT: over 255 octets then. */
int record_mark_name(const char *name, char *buf);

/* Copies. Return 0 or FAIL_NOMEM. */
int record_set_take(struct arena *arena, const struct aws_record_set *listed,
                    struct record_set *ret_set);
int record_set_copy(struct arena *arena, const struct record_set *set, struct record_set *ret_set);
int record_entry_copy(struct arena *arena, const struct record_entry *entry,
                      struct record_entry *ret_entry);

/* Same name and type, and identifier. */
bool record_set_same(const struct record_set *a, const struct record_set *b);
/* Same in all: a DELETE of the one removes the other. Order of values aside. */
bool record_set_equal(const struct record_set *a, const struct record_set *b);
bool record_entry_equal(const struct record_entry *a, const struct record_entry *b);
/* By zone, name, type and identifier. */
int record_entry_compare(const struct record_entry *a, const struct record_entry *b);

/* "NAME TTL TYPE VALUE, VALUE" and the identifier in brackets. */
void record_set_text(const struct record_set *set, struct text *out);
