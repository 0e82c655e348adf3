#include "records/owner.h"
#include "aws/digest.h"
#include "base/fail.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDENTIFIER_TAG "hz1"
#define HERITAGE       "heritage=horizon,v=1,fleet="

int owner_identifier(const struct owner *owner, char *buf)
{
	int len = snprintf(buf, OWNER_IDENTIFIER_MAX + 1, IDENTIFIER_TAG "/%s/%s/%s/%s/%" PRId64,
	                   owner->fleet, owner->account, owner->region, owner->instance,
	                   owner->boot_s);
	return len > OWNER_IDENTIFIER_MAX ? FAIL_LIMIT : 0;
}

/* A field up to the stop; false: empty, or too long. */
static bool field_read(const char **at, char stop, char *buf, size_t size)
{
	const char *end = strchr(*at, stop);
	size_t len = end == NULL ? 0 : (size_t)(end - *at);
	if (len == 0 || len >= size) {
		return false;
	}
	memcpy(buf, *at, len);
	buf[len] = '\0';
	*at = end + 1;
	return true;
}

static bool time_read(const char *text, int64_t *ret_time_s)
{
	size_t digits = strspn(text, "0123456789");
	if (digits == 0 || digits > 12 || text[digits] != '\0') {
		return false;
	}
	*ret_time_s = strtoll(text, NULL, 10);
	return true;
}

bool owner_identifier_read(const char *identifier, struct owner *ret_owner)
{
	static const char tag[] = IDENTIFIER_TAG "/";
	struct owner owner = {0};
	const char *at = identifier + sizeof(tag) - 1;
	if (strncmp(identifier, tag, sizeof(tag) - 1) != 0 ||
	    !field_read(&at, '/', owner.fleet, sizeof(owner.fleet)) ||
	    !field_read(&at, '/', owner.account, sizeof(owner.account)) ||
	    !field_read(&at, '/', owner.region, sizeof(owner.region)) ||
	    !field_read(&at, '/', owner.instance, sizeof(owner.instance)) ||
	    !time_read(at, &owner.boot_s)) {
		return false;
	}
	*ret_owner = owner;
	return true;
}

/* --- Digests --- */

/* The first characters of the digest's base32 (RFC 4648, small letters). */
static void base32(const uint8_t *digest, size_t count, char *buf)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	for (size_t i = 0; i < count; i++) {
		size_t bit = i * 5;
		unsigned int two = (unsigned int)digest[bit / 8] << 8 | digest[bit / 8 + 1];
		buf[i] = letters[two >> (11 - bit % 8) & 31];
	}
	buf[count] = '\0';
}

static void digest_of(const char *key, const char *text, size_t count, char *buf)
{
	uint8_t digest[AWS_DIGEST_SIZE];
	aws_hmac(key, text, strlen(text), digest);
	base32(digest, count, buf);
}

void owner_digest(const struct owner *owner, const char *key, char *buf)
{
	char text[160];
	snprintf(text, sizeof(text), "scope/%s/%s", owner->account, owner->region);
	digest_of(key, text, OWNER_DIGEST_SCOPE, buf);
	snprintf(text, sizeof(text), "instance/%s/%s/%s", owner->account, owner->region,
	         owner->instance);
	digest_of(key, text, OWNER_DIGEST_INSTANCE, buf + OWNER_DIGEST_SCOPE);
	snprintf(text, sizeof(text), "boot/%s/%s/%s/%" PRId64, owner->account, owner->region,
	         owner->instance, owner->boot_s);
	digest_of(key, text, OWNER_DIGEST_BOOT, buf + OWNER_DIGEST_SCOPE + OWNER_DIGEST_INSTANCE);
}

/* --- TXT --- */

int owner_txt(const struct owner *owner, const char *key, char *buf)
{
	int len;
	if (key == NULL) {
		len = snprintf(buf, OWNER_TXT_MAX + 3,
		               "\"" HERITAGE "%s,account=%s,region=%s,instance=%s,boot=%" PRId64
		               "\"",
		               owner->fleet, owner->account, owner->region, owner->instance,
		               owner->boot_s);
	} else {
		char digest[OWNER_DIGEST + 1];
		owner_digest(owner, key, digest);
		len = snprintf(buf, OWNER_TXT_MAX + 3, "\"" HERITAGE "%s,id=%s\"", owner->fleet,
		               digest);
	}
	return len > 255 + 2 ? FAIL_LIMIT : 0;
}

/* What stands behind NAME= in the list, up to the comma. */
static bool member_read(const char *list, const char *name, char *buf, size_t size)
{
	size_t len = strlen(name);
	for (const char *at = list; at != NULL; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, name, len) == 0 && at[len] == '=') {
			at += len + 1;
			return field_read(&at, ',', buf, size);
		}
	}
	return false;
}

bool owner_txt_read(const char *value, struct owner *ret_owner)
{
	static const char start[] = "\"" HERITAGE;
	char list[OWNER_TXT_MAX + 3];
	char boot[16];
	struct owner owner = {0};
	size_t len = strlen(value);
	if (strncmp(value, start, sizeof(start) - 1) != 0 || len > 255 + 2 ||
	    value[len - 1] != '"' || memchr(value + 1, '"', len - 2) != NULL) {
		return false;
	}
	snprintf(list, sizeof(list), "%.*s,", (int)(len - 2), value + 1);
	if (!member_read(list, "fleet", owner.fleet, sizeof(owner.fleet))) {
		return false;
	}
	if (member_read(list, "id", owner.digest, sizeof(owner.digest))) {
		*ret_owner = owner;
		return strlen(owner.digest) == OWNER_DIGEST;
	}
	if (!member_read(list, "account", owner.account, sizeof(owner.account)) ||
	    !member_read(list, "region", owner.region, sizeof(owner.region)) ||
	    !member_read(list, "instance", owner.instance, sizeof(owner.instance)) ||
	    !member_read(list, "boot", boot, sizeof(boot)) || !time_read(boot, &owner.boot_s)) {
		return false;
	}
	*ret_owner = owner;
	return true;
}

/* --- Comparing --- */

bool owner_same_scope(const struct owner *mark, const struct owner *owner, const char *key)
{
	if (mark->digest[0] != '\0') {
		char digest[OWNER_DIGEST + 1];
		owner_digest(owner, key, digest);
		return strncmp(mark->digest, digest, OWNER_DIGEST_SCOPE) == 0;
	}
	return strcmp(mark->account, owner->account) == 0 &&
	       strcmp(mark->region, owner->region) == 0;
}

bool owner_same(const struct owner *mark, const struct owner *owner, const char *key, bool boot)
{
	if (strcmp(mark->fleet, owner->fleet) != 0) {
		return false;
	}
	if (mark->digest[0] != '\0') {
		char digest[OWNER_DIGEST + 1];
		size_t count = OWNER_DIGEST - (boot ? 0 : OWNER_DIGEST_BOOT);
		owner_digest(owner, key, digest);
		return strncmp(mark->digest, digest, count) == 0;
	}
	return owner_same_scope(mark, owner, key) && strcmp(mark->instance, owner->instance) == 0 &&
	       (!boot || mark->boot_s == owner->boot_s);
}

const char *owner_text(const struct owner *owner, char *buf)
{
	if (owner->digest[0] != '\0') {
		snprintf(buf, 160, "fleet %s, id %s", owner->fleet, owner->digest);
	} else {
		snprintf(buf, 160, "fleet %s, %s in %s/%s", owner->fleet, owner->instance,
		         owner->account, owner->region);
	}
	return buf;
}
