/*
 * aws/sigv4.h - AWS Signature Version 4 (OpenSSL inside).
 *
 * Pure: time and everything else are arguments. AWS: IAM User Guide, "Create a signed AWS API request";
 * facts/route53.md section 3.2.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sigv4_pair {
	const char *name;
	const char *value;
};

struct sigv4_request {
	const char *method;
	const char *path;    /* as sent (already encoded once); "" counts as "/" */
	bool normalize_path; /* take out . and .. and double slashes; every service but S3 */
	const struct sigv4_pair *query; /* plain, not encoded; any order */
	size_t query_count;
	const struct sigv4_pair *headers; /* those to sign, host included; any order and case */
	size_t header_count;
	const void *body;
	size_t body_size;
	const char *region;
	const char *service;
	const char *access_key_id;
	const char *secret_access_key;
	int64_t time_s; /* since 1970, UTC */
};

/*
 * x-amz-date (and x-amz-security-token where there is one) are among headers, put there by the caller.
 * ret_authorization: the header's value, at most size octets with NUL. Returns 0, FAIL_LIMIT, FAIL_NOMEM.
 * canonical / string_to_sign (may be NULL): malloc'ed copies, for tests.
 */
int sigv4_sign(const struct sigv4_request *request, char *ret_authorization, size_t size,
               char **ret_canonical, char **ret_string_to_sign);

/* YYYYMMDDTHHMMSSZ. buf: 17. */
void sigv4_time(int64_t time_s, char *buf);

/*
 * The query as it must be sent: encoded, sorted, joined by &. Returns malloc'ed text or NULL (memory).
 */
char *sigv4_query(const struct sigv4_pair *query, size_t count);
