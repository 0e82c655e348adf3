#include "aws/creds_int.h"
#include "aws/profile_int.h"
#include "base/fail.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FILE_MAX (1u << 20)
#define BLANKS   " \t\r"

static const char *const keys[PROFILE_KEYS] = {
	[PROFILE_ACCESS_KEY_ID] = "aws_access_key_id",
	[PROFILE_SECRET_ACCESS_KEY] = "aws_secret_access_key",
	[PROFILE_SESSION_TOKEN] = "aws_session_token",
	[PROFILE_REGION] = "region",
	[PROFILE_ROLE_ARN] = "role_arn",
	[PROFILE_SOURCE_PROFILE] = "source_profile",
	[PROFILE_CREDENTIAL_SOURCE] = "credential_source",
	[PROFILE_EXTERNAL_ID] = "external_id",
	[PROFILE_ROLE_SESSION_NAME] = "role_session_name",
	[PROFILE_DURATION_SECONDS] = "duration_seconds",
	[PROFILE_WEB_IDENTITY_TOKEN_FILE] = "web_identity_token_file",
	[PROFILE_CREDENTIAL_PROCESS] = "credential_process",
};

void profile__fini(struct profile *profile)
{
	for (size_t i = 0; i < PROFILE_KEYS; i++) {
		creds__text_free(&profile->values[i]);
	}
}

const char *profile__name(bool *ret_chosen)
{
	const char *name = creds__variable("AWS_PROFILE");
	*ret_chosen = name != NULL;
	return name == NULL ? "default" : name;
}

/* --- Lines --- */

/* A piece of the text, borrowed. */
struct span {
	const char *at;
	size_t len;
};

static struct span trimmed(struct span span)
{
	while (span.len > 0 && strchr(BLANKS, span.at[0]) != NULL) {
		span.at++;
		span.len--;
	}
	while (span.len > 0 && strchr(BLANKS, span.at[span.len - 1]) != NULL) {
		span.len--;
	}
	return span;
}

static struct span unquoted(struct span span)
{
	bool quoted = span.len >= 2 && (span.at[0] == '"' || span.at[0] == '\'') &&
	              span.at[span.len - 1] == span.at[0];
	return quoted ? (struct span){span.at + 1, span.len - 2} : span;
}

static bool span_is(struct span span, const char *text)
{
	return strlen(text) == span.len && memcmp(span.at, text, span.len) == 0;
}

/* inside: what stands between the brackets. */
static bool section_is(struct span inside, const char *name, bool config)
{
	static const char word[] = "profile";
	const size_t len = sizeof(word) - 1;
	inside = trimmed(inside);
	if (!config || (strcmp(name, "default") == 0 && span_is(inside, name))) {
		return span_is(unquoted(inside), name);
	}
	if (inside.len <= len || memcmp(inside.at, word, len) != 0 ||
	    strchr(BLANKS, inside.at[len]) == NULL) {
		return false;
	}
	return span_is(unquoted(trimmed((struct span){inside.at + len, inside.len - len})), name);
}

static int value_set(struct profile *profile, struct span key, struct span value)
{
	size_t i = 0;
	while (i < PROFILE_KEYS &&
	       (strlen(keys[i]) != key.len || strncasecmp(keys[i], key.at, key.len) != 0)) {
		i++;
	}
	if (i == PROFILE_KEYS) {
		return 0; /* of no interest */
	}
	creds__text_free(&profile->values[i]);
	if (value.len > 0) {
		profile->values[i] = strndup(value.at, value.len);
	}
	return value.len > 0 && profile->values[i] == NULL ? FAIL_NOMEM : 0;
}

struct reading {
	const char *name;
	bool config;
	struct profile *profile;
	bool inside; /* the section that is wanted */
	bool found;
};

static int section_read(struct reading *reading, struct span line)
{
	const char *end = memchr(line.at, ']', line.len);
	if (end == NULL) {
		return FAIL_FORMAT;
	}
	const struct span inside = {line.at + 1, (size_t)(end - line.at) - 1};
	reading->inside = section_is(inside, reading->name, reading->config);
	reading->found = reading->found || reading->inside;
	return 0;
}

static int line_read(struct reading *reading, struct span line)
{
	struct span text = trimmed(line);
	if (text.len == 0 || text.at[0] == '#' || text.at[0] == ';') {
		return 0;
	}
	if (line.at[0] == ' ' || line.at[0] == '\t') {
		return 0; /* of a section nested in a value */
	}
	if (text.at[0] == '[') {
		return section_read(reading, text);
	}
	const char *equals = memchr(text.at, '=', text.len);
	if (equals == NULL || equals == text.at) {
		return FAIL_FORMAT;
	}
	const struct span key = {text.at, (size_t)(equals - text.at)};
	const struct span value = {equals + 1, text.len - key.len - 1};
	return reading->inside ? value_set(reading->profile, trimmed(key), trimmed(value)) : 0;
}

int profile__parse(const char *text, size_t size, const char *name, bool config,
                   struct profile *profile, bool *ret_found, unsigned int *ret_line)
{
	struct reading reading = {.name = name, .config = config, .profile = profile};
	unsigned int number = 0;
	int ret = memchr(text, '\0', size) != NULL ? FAIL_FORMAT : 0;
	for (size_t at = 0; at < size && ret == 0;) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t len = end == NULL ? size - at : (size_t)(end - text) - at;
		number++;
		ret = line_read(&reading, (struct span){text + at, len});
		at += len + 1;
	}
	*ret_found = *ret_found || reading.found;
	*ret_line = number;
	return ret;
}

/* --- Files --- */

/* NULL: nowhere, or no memory. */
static char *path_of(const char *variable, const char *file)
{
	char *path = NULL;
	const char *told = creds__variable(variable);
	const char *home = creds__variable("HOME");
	if (told != NULL) {
		return strdup(told);
	}
	if (home == NULL || asprintf(&path, "%s/.aws/%s", home, file) < 0) {
		return NULL;
	}
	return path;
}

/* A file that is not there says nothing. */
static int file_add(const char *path, const char *name, bool config, struct profile *profile,
                    bool *ret_found, char *why, size_t why_size)
{
	char *text = NULL;
	size_t size = 0;
	unsigned int line = 0;
	if (path == NULL) {
		return 0;
	}
	int ret = creds__file_read(path, FILE_MAX, &text, &size);
	if (ret == -ENOENT || ret == -ENOTDIR) {
		return 0;
	}
	if (ret != 0) {
		snprintf(why, why_size, "%s: %s", path, fail_text(ret));
		return ret;
	}
	ret = profile__parse(text, size, name, config, profile, ret_found, &line);
	if (ret == FAIL_FORMAT) {
		snprintf(why, why_size, "%s:%u: neither [SECTION] nor KEY = VALUE", path, line);
	} else if (ret != 0) {
		snprintf(why, why_size, "%s: %s", path, fail_text(ret));
	}
	explicit_bzero(text, size);
	free(text);
	return ret;
}

int profile__load(const char *name, struct profile *ret_profile, char *why, size_t why_size)
{
	struct profile profile = {0};
	bool found = false;
	char *config = path_of("AWS_CONFIG_FILE", "config");
	char *credentials = path_of("AWS_SHARED_CREDENTIALS_FILE", "credentials");
	int ret = file_add(config, name, true, &profile, &found, why, why_size);
	if (ret == 0) {
		ret = file_add(credentials, name, false, &profile, &found, why, why_size);
	}
	if (ret == 0 && !found) {
		snprintf(why, why_size, "no profile %.64s", name);
		ret = FAIL_NOTFOUND;
	}
	free(config);
	free(credentials);
	if (ret != 0) {
		profile__fini(&profile);
		return ret;
	}
	*ret_profile = profile;
	return 0;
}
