/*
 * aws/profile_int.h - the shared config and credentials files, one profile at a time.
 *
 * AWS_CONFIG_FILE (else ~/.aws/config: sections [default], [profile NAME]) and AWS_SHARED_CREDENTIALS_FILE (else
 * ~/.aws/credentials: sections [NAME]); where both say something the credentials file wins. Read anew each time:
 * an operator may have changed them.
 *
 * Memory: files of at most 1 MiB; their bytes are wiped.
 * AWS:    SDKs and Tools Reference Guide, "Shared config and credentials files"; facts/route53.md section 4.1.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum profile_key {
	PROFILE_ACCESS_KEY_ID,
	PROFILE_SECRET_ACCESS_KEY,
	PROFILE_SESSION_TOKEN,
	PROFILE_REGION,
	PROFILE_ROLE_ARN,
	PROFILE_SOURCE_PROFILE,
	PROFILE_CREDENTIAL_SOURCE,
	PROFILE_EXTERNAL_ID,
	PROFILE_ROLE_SESSION_NAME,
	PROFILE_DURATION_SECONDS,
	PROFILE_WEB_IDENTITY_TOKEN_FILE,
	PROFILE_CREDENTIAL_PROCESS,
	PROFILE_KEYS,
};

/* NULL: not set. */
struct profile {
	char *values[PROFILE_KEYS];
};

/* Wipes and frees what is inside. */
void profile__fini(struct profile *profile);

/* AWS_PROFILE, else "default". *ret_chosen: the operator named it. */
const char *profile__name(bool *ret_chosen);

/* FAIL_NOTFOUND: in neither file. Else -errno, FAIL_FORMAT, FAIL_LIMIT, FAIL_NOMEM; why: one line, nothing secret. */
int profile__load(const char *name, struct profile *ret_profile, char *why, size_t why_size);

/*
 * What text says of one profile is added to *profile, in place of what stood there. config: sections are
 * [profile NAME]. *ret_found is set when the section is there. FAIL_FORMAT with the line's number, FAIL_NOMEM.
 */
int profile__parse(const char *text, size_t size, const char *name, bool config,
                   struct profile *profile, bool *ret_found, unsigned int *ret_line);
