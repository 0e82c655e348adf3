#include "aws/creds_int.h"
#include "aws/imds_int.h"
#include "base/fail.h"
#include <stdio.h>
#include <string.h>

#define FOLDER "meta-data/iam/security-credentials/"

/* A role's name as IAM allows it; it becomes part of a path. */
static bool role_good(const char *role)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789+=,.@_-";
	size_t len = strlen(role);
	return len > 0 && len <= 64 && strspn(role, allowed) == len;
}

int creds_imds__fetch(void *ctx, struct creds *ret_creds, char *why, size_t why_size)
{
	struct imds *imds = ctx;
	char role[128], path[sizeof(FOLDER) + sizeof(role)], json[16384];
	int ret = imds__get(imds, FOLDER, role, sizeof(role));
	if (ret != 0) {
		snprintf(why, why_size, "%s", imds__trouble(imds));
		return ret;
	}
	role[strcspn(role, "\r\n")] = '\0'; /* a list, of one */
	if (!role_good(role)) {
		snprintf(why, why_size, "instance metadata: not a role's name");
		return FAIL_FORMAT;
	}
	snprintf(path, sizeof(path), "%s%s", FOLDER, role);
	ret = imds__get(imds, path, json, sizeof(json));
	if (ret != 0) {
		snprintf(why, why_size, "%s", imds__trouble(imds));
	} else {
		ret = creds__json(json, ret_creds, why, why_size);
	}
	explicit_bzero(json, sizeof(json));
	return ret;
}
