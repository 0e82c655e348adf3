/*
 * aws/digest.h - SHA-256 and its keyed form (OpenSSL inside), for marks and sums.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define AWS_DIGEST_SIZE 32

/* Never fail: no digest, no program. */
void aws_sha256(const void *bytes, size_t size, uint8_t *ret_digest);
/* RFC 2104 with SHA-256. */
void aws_hmac(const char *key, const void *bytes, size_t size, uint8_t *ret_digest);
/* Lower-case hexadecimal. buf: 2 * AWS_DIGEST_SIZE + 1. Returns buf. */
const char *aws_digest_text(const uint8_t *digest, char *buf);
