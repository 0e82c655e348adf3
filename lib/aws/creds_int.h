/*
 * aws/creds_int.h - credentials: where they come from, and their renewal ahead of expiry.
 *
 * A list of sources is asked in order; the first that is set up here gives the credentials and is
 * then the one they are renewed from. A source that is set up but broken ends the search: going on
 * to the next would make us somebody else.
 *
 * Memory: secrets are wiped before they are freed, and never logged.
 * AWS:    AWS SDKs and Tools Reference Guide; facts/route53.md section 4.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct imds;

struct creds {
	char *access_key_id;
	char *secret_access_key;
	char *session_token; /* NULL: none */
	int64_t expires_s;   /* since 1970; 0: never */
};

/* Wipes and frees what is inside. */
void creds__fini(struct creds *creds);

/* Copies; a token of NULL or "" is none. FAIL_NOMEM. */
int creds__set(struct creds *ret_creds, const char *access_key_id, const char *secret_access_key,
               const char *session_token, int64_t expires_s);

struct creds_source {
	const char *name; /* as an operator knows it */
	/* 0; FAIL_NOTFOUND: not set up here; else the search ends. why: one line on any failure. */
	int (*fetch)(void *ctx, struct creds *ret_creds, char *why, size_t why_size);
	void *ctx;
};

#define CREDS_SOURCES_MAX 8

struct creds_chain;

/* sources are copied. NULL: no memory. */
struct creds_chain *creds_chain__new(const struct creds_source *sources, size_t count);
void creds_chain__free(struct creds_chain **chain);

/*
 * The credentials to sign with at now_s, borrowed until the next call. Those with less than 15 minutes
 * left are renewed first; when that fails the old ones go on, whatever their age: the service
 * decides. -ENOKEY when there are none; FAIL_SHUTDOWN, FAIL_NOMEM.
 */
int creds_chain__get(struct creds_chain *chain, int64_t now_s, const struct creds **ret_creds);

/* The service does not take them any more. True when the source gave others, so that another try is worth it. */
bool creds_chain__renew(struct creds_chain *chain);

/* Why there are none, in one line. */
const char *creds_chain__trouble(const struct creds_chain *chain);

/* --- Sources --- */

/* AWS_ACCESS_KEY_ID and its kin. ctx is not used. */
int creds_env__fetch(void *ctx, struct creds *ret_creds, char *why, size_t why_size);

/* The instance's role. ctx: struct imds. */
int creds_imds__fetch(void *ctx, struct creds *ret_creds, char *why, size_t why_size);

/* --- Pieces that sources share --- */

/* "2026-01-02T03:04:05Z", with or without a fraction; offsets of zero. FAIL_FORMAT. */
int creds__time(const char *text, int64_t *ret_time_s);

/*
 * The JSON that metadata and containers hand out: AccessKeyId, SecretAccessKey, Token, Expiration; a Code
 * other than "Success" is a failure. FAIL_FORMAT, FAIL_DENIED (Code), FAIL_NOMEM; why: one line.
 */
int creds__json(const char *text, struct creds *ret_creds, char *why, size_t why_size);
