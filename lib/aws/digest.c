#include "aws/digest.h"
#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

void aws_sha256(const void *bytes, size_t size, uint8_t *ret_digest)
{
	unsigned int len = 0;
	int ok = EVP_Digest(bytes, size, ret_digest, &len, EVP_sha256(), NULL);
	assert(ok == 1 && len == AWS_DIGEST_SIZE);
}

void aws_hmac(const char *key, const void *bytes, size_t size, uint8_t *ret_digest)
{
	unsigned int len = 0;
	const uint8_t *made =
		HMAC(EVP_sha256(), key, (int)strlen(key), bytes, size, ret_digest, &len);
	assert(made != NULL && len == AWS_DIGEST_SIZE);
}

const char *aws_digest_text(const uint8_t *digest, char *buf)
{
	for (size_t i = 0; i < AWS_DIGEST_SIZE; i++) {
		snprintf(buf + 2 * i, 3, "%02x", digest[i]);
	}
	return buf;
}
