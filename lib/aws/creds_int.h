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

struct aws;
struct aws_http;
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
 * The credentials to sign with at now_s, borrowed until the next call. Those with less than 12 to 15 minutes left (of
 * short ones: half of their life) are renewed first; when that fails the old ones go on, whatever their age: the
 * service decides. -ENOKEY when there are none; FAIL_SHUTDOWN, FAIL_NOMEM.
 */
int creds_chain__get(struct creds_chain *chain, int64_t now_s, const struct creds **ret_creds);

/* The service does not take them any more. True when the source gave others, so that another try is worth it. */
bool creds_chain__renew(struct creds_chain *chain, int64_t now_s);

/* Why there are none, in one line. */
const char *creds_chain__trouble(const struct creds_chain *chain);

/* --- Sources, in the order of the chain; each is a creds_source's fetch --- */

/* AWS_ACCESS_KEY_ID and its kin. ctx is not used. */
int creds_env__fetch(void *ctx, struct creds *ret_creds, char *why, size_t why_size);

/* The profile of AWS_PROFILE where it has a role_arn: assumed with what it names. ctx: struct aws. */
int creds_profile_role__fetch(void *ctx, struct creds *ret_creds, char *why, size_t why_size);

/* AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN. ctx: struct aws. */
int creds_web__fetch(void *ctx, struct creds *ret_creds, char *why, size_t why_size);

/* The profile's keys, else its credential_process. ctx: struct aws. */
int creds_profile__fetch(void *ctx, struct creds *ret_creds, char *why, size_t why_size);

/* AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI: ECS and EKS Pod Identity. ctx: struct aws_http. */
int creds_container__fetch(void *ctx, struct creds *ret_creds, char *why, size_t why_size);

/* The instance's role. ctx: struct imds. */
int creds_imds__fetch(void *ctx, struct creds *ret_creds, char *why, size_t why_size);

/* Another account's role, assumed with the chain's own credentials. ctx: struct aws_assumed. */
int creds_assumed__fetch(void *ctx, struct creds *ret_creds, char *why, size_t why_size);

/* --- Roles (creds_role.c) --- */

struct creds_role {
	const char *arn;
	const char *session_name; /* NULL or "": horizond-HOST */
	const char *external_id;  /* NULL or "": none */
	unsigned int duration_s;  /* 0: STS's own */
};

/* AssumeRole, signed with base, and AssumeRoleWithWebIdentity. FAIL_* with one line in why. */
int creds__assume(struct aws *aws, const struct creds *base, const struct creds_role *role,
                  struct creds *ret_creds, char *why, size_t why_size);
int creds__assume_web(struct aws *aws, const char *token_file, const struct creds_role *role,
                      struct creds *ret_creds, char *why, size_t why_size);

/* --- A program that knows credentials (creds_process.c) --- */

struct creds_process {
	const char *command; /* words, with quotes; no shell */
	const bool *cancel;  /* as aws_opts has them */
	void (*idle)(void *ctx);
	void *idle_ctx;
};

/*
 * Runs it for at most 20 s and 64 KiB of output; beyond, it and what it started are killed. What it prints is never
 * told. FAIL_* with one line in why.
 */
int creds_process__run(const struct creds_process *process, struct creds *ret_creds, char *why,
                       size_t why_size);

/* --- Pieces that sources share --- */

/* NULL when it is not set; an empty one counts as none. */
const char *creds__variable(const char *name);

/* Wipes, frees, sets to NULL. */
void creds__text_free(char **text);

/* A whole file, NUL added, the caller's to wipe and free. FAIL_LIMIT beyond max octets, -errno, FAIL_NOMEM. */
int creds__file_read(const char *path, size_t max, char **ret_text, size_t *ret_size);

/* The same for a file of one token: one line. FAIL_FORMAT. */
int creds__token_read(const char *path, size_t max, char **ret_token);

/* "2026-01-02T03:04:05Z", with or without a fraction; offsets of zero. FAIL_FORMAT. */
int creds__time(const char *text, int64_t *ret_time_s);

/*
 * The JSON that metadata and containers hand out: AccessKeyId, SecretAccessKey, Token, Expiration; a Code
 * other than "Success" is a failure. FAIL_FORMAT, FAIL_DENIED (Code), FAIL_NOMEM; why: one line.
 */
int creds__json(const char *text, struct creds *ret_creds, char *why, size_t why_size);
/* That of a credential_process: Version 1, and SessionToken instead of Token. */
int creds__json_process(const char *text, struct creds *ret_creds, char *why, size_t why_size);
