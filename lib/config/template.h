/*
 * config/template.h - text with values of the instance in it: "{instance_id}.web.example.com".
 *
 * Pure. The settings check templates, lib/records fills them in; `{{` and `}}` have no meaning, so a brace always
 * begins or ends a value's name.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* In front of a name stands its mark: "_hz.NAME". */
#define TEMPLATE_MARK_LABEL "_hz"

/*
 * The values there are: instance_id, private_ipv4, public_ipv4, ipv6, private_ipv4_dashed, private_ipv4_reverse, mac,
 * az, region, account, instance_type, each also of a named interface as "private_ipv4:1" (by its device number) or
 * "private_ipv4:eni-...", and "tag:NAME".
 */

/* Whether every value named in text is one that there is. why: what is wrong, and what would be right. */
bool template_check(const char *text, char *why, size_t why_size);

/* The value of a name, borrowed; NULL: the instance has none. */
typedef const char *template_value_fn(void *ctx, const char *name);

/*
 * Writes text with its values into buf. Returns 0; FAIL_NOTFOUND: no value (its name in why, may be cut), FAIL_LIMIT:
 * longer than size, FAIL_FORMAT: no template (template_check).
 */
int template_fill(const char *text, template_value_fn *value, void *ctx, char *buf, size_t size,
                  char *why, size_t why_size);
