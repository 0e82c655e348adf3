/*
 * records/owner.h - whose record it is: the mark that every record of ours carries.
 *
 * Two forms, one meaning. A multivalue set has it as its SetIdentifier, "hz1/FLEET/ACCOUNT/REGION/INSTANCE/BOOT"; any
 * other has a TXT of its own at _hz.NAME, "heritage=horizon,v=1,fleet=...". In public zones the TXT can be read by
 * everyone, so there a keyed digest stands for account, region, instance and boot.
 *
 * Pure. Facts: facts/instance-records.md, C3.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OWNER_IDENTIFIER_MAX  128 /* of a SetIdentifier */
#define OWNER_DIGEST_SCOPE    10  /* characters: of account and region, */
#define OWNER_DIGEST_INSTANCE 26  /* of those and the instance, */
#define OWNER_DIGEST_BOOT     8   /* and of all with the boot */
#define OWNER_DIGEST          (OWNER_DIGEST_SCOPE + OWNER_DIGEST_INSTANCE + OWNER_DIGEST_BOOT)

struct owner {
	char fleet[33];
	char account[13];
	char region[33];
	char instance[33];
	int64_t boot_s; /* of its first registration, since 1970 */
	char digest
		[OWNER_DIGEST +
	         1]; /* of a mark read in its public form: the four above are unknown then. "": known */
};

/* The SetIdentifier. buf: OWNER_IDENTIFIER_MAX + 1. FAIL_LIMIT: longer than that. */
int owner_identifier(const struct owner *owner, char *buf);

/* Reads one; false: not one of ours. */
bool owner_identifier_read(const char *identifier, struct owner *ret_owner);

#define OWNER_TXT_MAX 256 /* one string of 255 octets; quotes come on top */

/* The value of the TXT, in its quotes. buf: OWNER_TXT_MAX + 3. key NULL: in clear. FAIL_LIMIT. */
int owner_txt(const struct owner *owner, const char *key, char *buf);

/* Reads one, in either form; false: not one of ours. */
bool owner_txt_read(const char *value, struct owner *ret_owner);

/* The digest of a public mark for an owner, boot included. buf: OWNER_DIGEST + 1. */
void owner_digest(const struct owner *owner, const char *key, char *buf);

/*
 * Whether a mark that was read is that of the owner: fleet, account, region and instance, and with boot the boot. A
 * digest is compared with the owner's own.
 */
bool owner_same(const struct owner *mark, const struct owner *owner, const char *key, bool boot);
/* The same for account and region only: is it in our scope? */
bool owner_same_scope(const struct owner *mark, const struct owner *owner, const char *key);

/* "web, i-0123 in 111122223333/eu-west-1" for messages. buf: 160. Returns buf. */
const char *owner_text(const struct owner *owner, char *buf);
