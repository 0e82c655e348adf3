#include "aws/creds_int.h"
#include "base/fail.h"
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int creds__time(const char *text, int64_t *ret_time_s)
{
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (rest == NULL) {
		return FAIL_FORMAT;
	}
	if (rest[0] == '.') {
		rest += 1 + strspn(rest + 1, "0123456789");
	}
	if (strcmp(rest, "Z") != 0 && strcmp(rest, "+00:00") != 0 && strcmp(rest, "+0000") != 0) {
		return FAIL_FORMAT;
	}
	*ret_time_s = timegm(&tm);
	return 0;
}

static const char *member(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text == NULL ? "" : text;
}

/* The library frees its strings as they are; secrets must be gone before. */
static void member_wipe(const json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name);
	if (json_is_string(value)) {
		char *text = (char *)(uintptr_t)json_string_value(value);
		explicit_bzero(text, json_string_length(value));
	}
}

/* token: the name that the source has for it. */
static int object_read(const json_t *object, const char *token, struct creds *ret_creds, char *why,
                       size_t why_size)
{
	const char *code = member(object, "Code");
	const char *id = member(object, "AccessKeyId");
	const char *secret = member(object, "SecretAccessKey");
	const char *expires = member(object, "Expiration");
	int64_t expires_s = 0;
	if (code[0] != '\0' && strcmp(code, "Success") != 0) {
		snprintf(why, why_size, "credentials refused: %.32s %.96s", code,
		         member(object, "Message"));
		return FAIL_DENIED;
	}
	if (id[0] == '\0' || secret[0] == '\0') {
		snprintf(why, why_size, "credentials without AccessKeyId or SecretAccessKey");
		return FAIL_FORMAT;
	}
	if (expires[0] != '\0' && creds__time(expires, &expires_s) != 0) {
		snprintf(why, why_size, "credentials with an Expiration that is no time");
		return FAIL_FORMAT;
	}
	return creds__set(ret_creds, id, secret, member(object, token), expires_s);
}

/* NULL with a line in why: no object. */
static json_t *object_load(const char *text, char *why, size_t why_size)
{
	json_error_t error;
	json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(object)) {
		/* The library's own message may quote the text, and with it a secret. */
		snprintf(why, why_size, "credentials that are not a JSON object (line %d)",
		         object == NULL ? error.line : 1);
		json_decref(object);
		return NULL;
	}
	return object;
}

static void object_free(json_t *object)
{
	member_wipe(object, "SecretAccessKey");
	member_wipe(object, "SessionToken");
	member_wipe(object, "Token");
	json_decref(object);
}

int creds__json(const char *text, struct creds *ret_creds, char *why, size_t why_size)
{
	json_t *object = object_load(text, why, why_size);
	if (object == NULL) {
		return FAIL_FORMAT;
	}
	int ret = object_read(object, "Token", ret_creds, why, why_size);
	object_free(object);
	return ret;
}

int creds__json_process(const char *text, struct creds *ret_creds, char *why, size_t why_size)
{
	int ret = FAIL_FORMAT;
	json_t *object = object_load(text, why, why_size);
	if (object == NULL) {
		return ret;
	}
	if (json_integer_value(json_object_get(object, "Version")) == 1) {
		ret = object_read(object, "SessionToken", ret_creds, why, why_size);
	} else {
		snprintf(why, why_size, "credential_process: its Version is not 1");
	}
	object_free(object);
	return ret;
}
