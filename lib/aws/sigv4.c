#include "aws/sigv4.h"
#include "aws/sigv4_int.h"
#include "base/fail.h"
#include "base/text.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HASH_SIZE 32
#define HEX_SIZE  (2 * HASH_SIZE + 1)
#define DATE_SIZE 17

void sigv4_time(int64_t time_s, char *buf)
{
	time_t when = (time_t)time_s;
	struct tm tm = {0};
	gmtime_r(&when, &tm);
	if (strftime(buf, DATE_SIZE, "%Y%m%dT%H%M%SZ", &tm) == 0) {
		buf[0] = '\0'; /* a year over 9999: the service will refuse it */
	}
}

static void hex_write(const uint8_t *bytes, size_t size, char *ret_hex)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < size; i++) {
		ret_hex[2 * i] = digits[bytes[i] >> 4];
		ret_hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret_hex[2 * size] = '\0';
}

static int hash_hex(const void *bytes, size_t size, char *ret_hex)
{
	uint8_t hash[HASH_SIZE];
	if (EVP_Digest(bytes, size, hash, NULL, EVP_sha256(), NULL) != 1) {
		return FAIL_NOMEM;
	}
	hex_write(hash, sizeof(hash), ret_hex);
	return 0;
}

static bool unreserved(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.' || c == '~';
}

static void add_encoded(struct text *out, const char *plain, bool keep_slash)
{
	for (const char *at = plain; *at != '\0'; at++) {
		unsigned char c = (unsigned char)*at;
		if (unreserved(c) || (keep_slash && c == '/')) {
			text_add(out, at, 1);
		} else {
			text_addf(out, "%%%02X", c);
		}
	}
}

/* --- Query --- */

struct pair {
	char *name;
	char *value;
	size_t order; /* keeps equal names as they came */
};

static char *encoded(const char *plain)
{
	struct text out;
	text_init(&out, 0);
	text_add(&out, "", 0);
	add_encoded(&out, plain, false);
	if (out.bad) {
		text_fini(&out);
		return NULL;
	}
	return out.bytes;
}

static void pairs_free(struct pair *pairs, size_t count)
{
	for (size_t i = 0; pairs != NULL && i < count; i++) {
		free(pairs[i].name);
		if (pairs[i].value != NULL) { /* of a header: may be a session token */
			explicit_bzero(pairs[i].value, strlen(pairs[i].value));
		}
		free(pairs[i].value);
	}
	free(pairs);
}

static int by_name_and_value(const void *left, const void *right)
{
	const struct pair *a = left, *b = right;
	int order = strcmp(a->name, b->name);
	return order != 0 ? order : strcmp(a->value, b->value);
}

char *sigv4_query(const struct sigv4_pair *query, size_t count)
{
	struct text out;
	text_init(&out, 0);
	text_add(&out, "", 0);
	struct pair *pairs = calloc(count + 1, sizeof(*pairs));
	out.bad = out.bad || pairs == NULL;
	for (size_t i = 0; i < count && !out.bad; i++) {
		pairs[i].name = encoded(query[i].name);
		pairs[i].value = encoded(query[i].value);
		out.bad = pairs[i].name == NULL || pairs[i].value == NULL;
	}
	if (!out.bad) {
		qsort(pairs, count, sizeof(*pairs), by_name_and_value);
	}
	for (size_t i = 0; i < count && !out.bad; i++) {
		text_addf(&out, "%s%s=", i == 0 ? "" : "&", pairs[i].name);
		text_add(&out, pairs[i].value, strlen(pairs[i].value));
	}
	pairs_free(pairs, count);
	if (out.bad) {
		text_fini(&out);
		return NULL;
	}
	return out.bytes;
}

/* --- Path --- */

/* One segment onto the path; ".." takes the last one off, "." and empty ones change nothing. */
static size_t segment_apply(char *path, size_t len, const char *segment, size_t size)
{
	if (size == 0 || (size == 1 && segment[0] == '.')) {
		return len;
	}
	if (size == 2 && memcmp(segment, "..", 2) == 0) {
		while (len > 0 && path[len - 1] != '/') {
			len--;
		}
		return len > 0 ? len - 1 : 0;
	}
	path[len++] = '/';
	memcpy(path + len, segment, size);
	return len + size;
}

/* Dot segments taken out (RFC 3986 section 5.2.4), runs of slashes made one. Not for an empty path. */
static char *path_normalized(const char *path)
{
	size_t size = strlen(path);
	char *out = malloc(size + 2);
	if (out == NULL) {
		return NULL;
	}
	size_t len = 0;
	for (const char *at = path; *at != '\0';) {
		at += *at == '/';
		size_t last = strcspn(at, "/");
		len = segment_apply(out, len, at, last);
		at += last;
	}
	if (len == 0 || path[size - 1] == '/') {
		out[len++] = '/';
	}
	out[len] = '\0';
	return out;
}

static bool add_path(struct text *out, const struct sigv4_request *request)
{
	const char *path = request->path[0] == '\0' ? "/" : request->path;
	if (!request->normalize_path) {
		add_encoded(out, path, true);
		return true;
	}
	char *normalized = path_normalized(path);
	if (normalized == NULL) {
		return false;
	}
	add_encoded(out, normalized, true);
	free(normalized);
	return true;
}

/* --- Headers --- */

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Ends trimmed, inner runs of blanks (folded lines too) made one space. */
static char *value_trimmed(const char *value)
{
	char *out = malloc(strlen(value) + 1);
	if (out == NULL) {
		return NULL;
	}
	size_t len = 0;
	bool gap = false;
	for (; *value != '\0'; value++) {
		if (blank(*value)) {
			gap = len > 0;
			continue;
		}
		if (gap) {
			out[len++] = ' ';
			gap = false;
		}
		out[len++] = *value;
	}
	out[len] = '\0';
	return out;
}

static char *name_lower(const char *name)
{
	char *out = strdup(name);
	for (char *at = out; at != NULL && *at != '\0'; at++) {
		if (*at >= 'A' && *at <= 'Z') {
			*at = (char)(*at - 'A' + 'a');
		}
	}
	return out;
}

static int by_name_and_order(const void *left, const void *right)
{
	const struct pair *a = left, *b = right;
	int order = strcmp(a->name, b->name);
	return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

/* Sorted, ready to be written; NULL: no memory. */
static struct pair *headers_sorted(const struct sigv4_request *request)
{
	size_t count = request->header_count;
	struct pair *headers = calloc(count + 1, sizeof(*headers));
	if (headers == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		headers[i].name = name_lower(request->headers[i].name);
		headers[i].value = value_trimmed(request->headers[i].value);
		headers[i].order = i;
		if (headers[i].name == NULL || headers[i].value == NULL) {
			pairs_free(headers, count);
			return NULL;
		}
	}
	qsort(headers, count, sizeof(*headers), by_name_and_order);
	return headers;
}

/* name:value lines; the values of one name joined by commas. names: joined by semicolons. */
static void add_headers(struct text *out, struct text *names, const struct pair *headers,
                        size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool again = i > 0 && strcmp(headers[i].name, headers[i - 1].name) == 0;
		if (again) {
			text_add(out, ",", 1);
		} else {
			text_addf(out, "%s%s:", i == 0 ? "" : "\n", headers[i].name);
			text_addf(names, "%s%s", i == 0 ? "" : ";", headers[i].name);
		}
		text_add(out, headers[i].value, strlen(headers[i].value));
	}
	text_add(out, "\n", 1);
}

/* --- Signature --- */

static int canonical_write(const struct sigv4_request *request, struct text *out,
                           struct text *names)
{
	char body_hash[HEX_SIZE];
	char *query = sigv4_query(request->query, request->query_count);
	struct pair *headers = headers_sorted(request);
	int ret = query == NULL || headers == NULL ? FAIL_NOMEM : 0;
	if (ret == 0) {
		ret = hash_hex(request->body == NULL ? "" : request->body, request->body_size,
		               body_hash);
	}
	if (ret == 0) {
		text_addf(out, "%s\n", request->method);
		out->bad = !add_path(out, request) || out->bad;
		text_addf(out, "\n%s\n", query);
		add_headers(out, names, headers, request->header_count);
		text_addf(out, "\n%s\n%s", text_get(names), body_hash);
		ret = out->bad || names->bad ? FAIL_NOMEM : 0;
	}
	pairs_free(headers, request->header_count);
	free(query);
	return ret;
}

static bool hmac(const void *key, size_t key_size, const char *text, uint8_t *ret_hash)
{
	return HMAC(EVP_sha256(), key, (int)key_size, (const unsigned char *)text, strlen(text),
	            ret_hash, NULL) != NULL;
}

int sigv4__key(const char *secret, const char *day, const char *region, const char *service,
               uint8_t *ret_key)
{
	uint8_t key[HASH_SIZE];
	char *start = NULL;
	int size = asprintf(&start, "AWS4%s", secret);
	if (size < 0) {
		return FAIL_NOMEM;
	}
	bool done = hmac(start, (size_t)size, day, key) &&
	            hmac(key, sizeof(key), region, ret_key) &&
	            hmac(ret_key, HASH_SIZE, service, key) &&
	            hmac(key, sizeof(key), "aws4_request", ret_key);
	explicit_bzero(start, (size_t)size);
	explicit_bzero(key, sizeof(key));
	free(start);
	return done ? 0 : FAIL_NOMEM;
}

static int signature_write(const struct sigv4_request *request, const char *day,
                           const char *to_sign, char *ret_hex)
{
	uint8_t key[SIGV4_KEY_SIZE];
	uint8_t signature[HASH_SIZE];
	int ret =
		sigv4__key(request->secret_access_key, day, request->region, request->service, key);
	if (ret == 0 && !hmac(key, sizeof(key), to_sign, signature)) {
		ret = FAIL_NOMEM;
	}
	if (ret == 0) {
		hex_write(signature, sizeof(signature), ret_hex);
	}
	explicit_bzero(key, sizeof(key));
	return ret;
}

static int string_to_sign_write(const struct sigv4_request *request, const struct text *canonical,
                                const char *date, struct text *out)
{
	char hash[HEX_SIZE];
	int ret = hash_hex(canonical->bytes, canonical->len, hash);
	if (ret != 0) {
		return ret;
	}
	text_addf(out, "AWS4-HMAC-SHA256\n%s\n%.8s/%s/%s/aws4_request\n%s", date, date,
	          request->region, request->service, hash);
	return out->bad ? FAIL_NOMEM : 0;
}

static int authorization_write(const struct sigv4_request *request, const char *date,
                               const char *names, const char *signature, char *ret, size_t size)
{
	int len = snprintf(ret, size,
	                   "AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request, "
	                   "SignedHeaders=%s, Signature=%s",
	                   request->access_key_id, date, request->region, request->service, names,
	                   signature);
	return len < 0 || (size_t)len >= size ? FAIL_LIMIT : 0;
}

/* Hands text over as a malloc'ed string when it is wanted, else wipes it: it may hold a token. */
static void text_give(struct text *text, int ret, char **ret_copy)
{
	if (ret == 0 && ret_copy != NULL) {
		*ret_copy = text->bytes;
		text_init(text, 0);
	} else if (text->bytes != NULL) {
		explicit_bzero(text->bytes, text->room);
	}
	text_fini(text);
}

int sigv4_sign(const struct sigv4_request *request, char *ret_authorization, size_t size,
               char **ret_canonical, char **ret_string_to_sign)
{
	char date[DATE_SIZE], day[9], signature[HEX_SIZE];
	struct text canonical, names, to_sign;
	text_init(&canonical, 0);
	text_init(&names, 0);
	text_init(&to_sign, 0);
	sigv4_time(request->time_s, date);
	snprintf(day, sizeof(day), "%.8s", date);

	int ret = canonical_write(request, &canonical, &names);
	if (ret == 0) {
		ret = string_to_sign_write(request, &canonical, date, &to_sign);
	}
	if (ret == 0) {
		ret = signature_write(request, day, text_get(&to_sign), signature);
	}
	if (ret == 0) {
		ret = authorization_write(request, date, text_get(&names), signature,
		                          ret_authorization, size);
	}
	text_give(&canonical, ret, ret_canonical);
	text_give(&to_sign, ret, ret_string_to_sign);
	text_fini(&names);
	return ret;
}
