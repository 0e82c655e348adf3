#include "aws/creds_int.h"
#include "base/fail.h"
#include <errno.h>
#include <stdio.h>

int creds_env__fetch(void *ctx, struct creds *ret_creds, char *why, size_t why_size)
{
	const char *id = creds__variable("AWS_ACCESS_KEY_ID");
	const char *secret = creds__variable("AWS_SECRET_ACCESS_KEY");
	const char *token = creds__variable("AWS_SESSION_TOKEN");
	const char *expires = creds__variable("AWS_CREDENTIAL_EXPIRATION");
	int64_t expires_s = 0;
	if (id == NULL && secret == NULL) {
		snprintf(why, why_size, "AWS_ACCESS_KEY_ID is not set");
		return FAIL_NOTFOUND;
	}
	if (id == NULL || secret == NULL) {
		snprintf(why, why_size, "%s is set but %s is not",
		         id != NULL ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
		         id == NULL ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY");
		return -EINVAL;
	}
	if (expires != NULL && creds__time(expires, &expires_s) != 0) {
		snprintf(why, why_size, "AWS_CREDENTIAL_EXPIRATION is no time: %s", expires);
		return -EINVAL;
	}
	if (token == NULL) {
		token = creds__variable("AWS_SECURITY_TOKEN"); /* its old name */
	}
	return creds__set(ret_creds, id, secret, token, expires_s);
}
