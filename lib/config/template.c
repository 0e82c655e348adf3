#include "config/template.h"
#include "base/fail.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

#define NAME_MAX_LEN 160 /* "tag:" and 128 characters of a tag's name */

static const char *const names[] = {
	"instance_id",          "private_ipv4", "public_ipv4", "ipv6",   "private_ipv4_dashed",
	"private_ipv4_reverse", "mac",          "az",          "region", "account",
	"instance_type",
};
#define NAME_COUNT (sizeof(names) / sizeof(names[0]))

/* Those that each interface has of its own. */
static const char *const of_interface[] = {
	"private_ipv4", "public_ipv4", "ipv6", "private_ipv4_dashed", "private_ipv4_reverse", "mac",
};

static bool is_known(const char *name)
{
	for (size_t i = 0; i < NAME_COUNT; i++) {
		if (strcmp(names[i], name) == 0) {
			return true;
		}
	}
	return false;
}

static bool is_interface(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	if (strncmp(text, "eni-", 4) == 0) {
		size_t len = strlen(text + 4);
		return len > 0 && strspn(text + 4, "0123456789abcdef") == len;
	}
	return digits > 0 && digits < 4 && text[digits] == '\0';
}

static bool is_of_interface(const char *name, const char *colon)
{
	for (size_t i = 0; i < sizeof(of_interface) / sizeof(of_interface[0]); i++) {
		if (strncmp(name, of_interface[i], (size_t)(colon - name)) == 0 &&
		    strlen(of_interface[i]) == (size_t)(colon - name)) {
			return is_interface(colon + 1);
		}
	}
	return false;
}

static bool is_value(const char *name)
{
	const char *colon = strchr(name, ':');
	if (strncmp(name, "tag:", 4) == 0) {
		return name[4] != '\0';
	}
	return colon == NULL ? is_known(name) : is_of_interface(name, colon);
}

/* The name between the braces at text; NULL with why set. *ret_end: behind the closing one. */
static const char *name_at(const char *text, char *name, const char **ret_end, char *why,
                           size_t why_size)
{
	const char *end = text[0] == '{' ? strchr(text, '}') : NULL;
	if (end == NULL) {
		snprintf(why, why_size,
		         "a brace without its other one; {instance_id} would be right");
		return NULL;
	}
	size_t len = (size_t)(end - text) - 1;
	if (len >= NAME_MAX_LEN) {
		snprintf(why, why_size, "a value's name of %zu bytes; at most %d would be right",
		         len, NAME_MAX_LEN - 1);
		return NULL;
	}
	memcpy(name, text + 1, len);
	name[len] = '\0';
	if (!is_value(name)) {
		const char *near = text_nearest(name, names, NAME_COUNT);
		if (near != NULL) {
			snprintf(why, why_size, "there is no value {%s}; did you mean {%s}?", name,
			         near);
		} else {
			snprintf(why, why_size,
			         "there is no value {%s}; one such as {instance_id} or {tag:NAME} "
			         "would be right",
			         name);
		}
		return NULL;
	}
	*ret_end = end + 1;
	return name;
}

static bool add(char *buf, size_t size, size_t *len, const char *bytes, size_t count)
{
	if (size - *len <= count) {
		return false;
	}
	memcpy(buf + *len, bytes, count);
	*len += count;
	buf[*len] = '\0';
	return true;
}

/* value NULL: only looked at. */
static int walk(const char *text, template_value_fn *value, void *ctx, char *buf, size_t size,
                char *why, size_t why_size)
{
	char name[NAME_MAX_LEN];
	size_t len = 0;
	while (*text != '\0') {
		size_t plain = strcspn(text, "{}");
		if (value != NULL && !add(buf, size, &len, text, plain)) {
			return FAIL_LIMIT;
		}
		text += plain;
		if (*text == '\0') {
			break;
		}
		if (name_at(text, name, &text, why, why_size) == NULL) {
			return FAIL_FORMAT;
		}
		const char *filled = value == NULL ? "" : value(ctx, name);
		if (filled == NULL || (value != NULL && filled[0] == '\0')) {
			snprintf(why, why_size, "%s", name);
			return FAIL_NOTFOUND;
		}
		if (value != NULL && !add(buf, size, &len, filled, strlen(filled))) {
			return FAIL_LIMIT;
		}
	}
	return 0;
}

bool template_check(const char *text, char *why, size_t why_size)
{
	return walk(text, NULL, NULL, NULL, 0, why, why_size) == 0;
}

int template_fill(const char *text, template_value_fn *value, void *ctx, char *buf, size_t size,
                  char *why, size_t why_size)
{
	buf[0] = '\0';
	why[0] = '\0';
	return walk(text, value, ctx, buf, size, why, why_size);
}
