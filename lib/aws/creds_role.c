#include "aws/client_int.h"
#include "base/fail.h"
#include "base/mono.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STS_SPACE "https://sts.amazonaws.com/doc/2011-06-15/"

/* Of a web identity, as STS has it. */
#define WEB_TOKEN_MAX 20000

enum {
	TAG_RESULT = TAG_FIRST,
	TAG_CREDENTIALS,
	TAG_ID,
	TAG_SECRET,
	TAG_TOKEN,
	TAG_EXPIRATION,
};

#define RULES(result)                                                           \
	{                                                                       \
		{TAG_ROOT, TAG_RESULT, true, result},                           \
			{TAG_RESULT, TAG_CREDENTIALS, true, "Credentials"},     \
			{TAG_CREDENTIALS, TAG_ID, true, "AccessKeyId"},         \
			{TAG_CREDENTIALS, TAG_SECRET, true, "SecretAccessKey"}, \
			{TAG_CREDENTIALS, TAG_TOKEN, true, "SessionToken"},     \
			{TAG_CREDENTIALS, TAG_EXPIRATION, true, "Expiration"},  \
	}

static const struct xml_rule assume_rules[] = RULES("AssumeRoleResult");
static const struct xml_rule web_rules[] = RULES("AssumeRoleWithWebIdentityResult");

/* Texts of the answer, ours. */
struct assumed {
	char *texts[TAG_EXPIRATION + 1];
};

static int on_end(void *ctx, unsigned int tag, char *text)
{
	struct assumed *assumed = ctx;
	if (tag < TAG_ID || tag > TAG_EXPIRATION) {
		return 0;
	}
	creds__text_free(&assumed->texts[tag]);
	assumed->texts[tag] = strdup(text);
	explicit_bzero(text, strlen(text));
	return assumed->texts[tag] == NULL ? FAIL_NOMEM : 0;
}

static const struct xml_format assume_format = {
	.root = "AssumeRoleResponse",
	.space = STS_SPACE,
	.rules = assume_rules,
	.rule_count = sizeof(assume_rules) / sizeof(assume_rules[0]),
	.end = on_end,
};

static const struct xml_format web_format = {
	.root = "AssumeRoleWithWebIdentityResponse",
	.space = STS_SPACE,
	.rules = web_rules,
	.rule_count = sizeof(web_rules) / sizeof(web_rules[0]),
	.end = on_end,
};

static int assumed_use(const struct assumed *assumed, struct creds *ret_creds, char *why,
                       size_t why_size)
{
	int64_t expires_s = 0;
	for (unsigned int tag = TAG_ID; tag <= TAG_EXPIRATION; tag++) {
		if (assumed->texts[tag] == NULL || assumed->texts[tag][0] == '\0') {
			snprintf(why, why_size, "STS: credentials that are not complete");
			return FAIL_FORMAT;
		}
	}
	if (creds__time(assumed->texts[TAG_EXPIRATION], &expires_s) != 0) {
		snprintf(why, why_size, "STS: credentials with an Expiration that is no time");
		return FAIL_FORMAT;
	}
	return creds__set(ret_creds, assumed->texts[TAG_ID], assumed->texts[TAG_SECRET],
	                  assumed->texts[TAG_TOKEN], expires_s);
}

/* "horizond-HOST": who it was, for the trail. buf: 65. */
static const char *session_name(const struct creds_role *role, char *buf)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789_+=,.@-";
	char host[56] = "";
	if (role->session_name != NULL && role->session_name[0] != '\0') {
		snprintf(buf, 65, "%s", role->session_name);
		return buf;
	}
	gethostname(host, sizeof(host) - 1);
	host[strspn(host, allowed)] = '\0';
	snprintf(buf, 65, "horizond%s%s", host[0] == '\0' ? "" : "-", host);
	return buf;
}

static int ask(struct aws *aws, struct aws_call *call, const struct creds_role *role,
               struct creds *ret_creds, char *why, size_t why_size)
{
	struct assumed assumed = {0};
	call->ctx = &assumed;
	int ret = aws__call(aws, call);
	if (ret == 0) {
		ret = assumed_use(&assumed, ret_creds, why, why_size);
	} else {
		snprintf(why, why_size, "%.96s: %.200s", role->arn, aws_trouble(aws));
		/* No such source is something else: this one is set up. */
		ret = ret == FAIL_NOTFOUND ? FAIL_REMOTE : ret;
	}
	for (unsigned int tag = TAG_ID; tag <= TAG_EXPIRATION; tag++) {
		creds__text_free(&assumed.texts[tag]);
	}
	return ret;
}

int creds__assume(struct aws *aws, const struct creds *base, const struct creds_role *role,
                  struct creds *ret_creds, char *why, size_t why_size)
{
	char name[65], duration[16];
	size_t count = 2;
	struct sigv4_pair form[4] = {{"RoleArn", role->arn},
	                             {"RoleSessionName", session_name(role, name)}};
	if (role->external_id != NULL && role->external_id[0] != '\0') {
		form[count++] = (struct sigv4_pair){"ExternalId", role->external_id};
	}
	if (role->duration_s != 0) {
		snprintf(duration, sizeof(duration), "%u", role->duration_s);
		form[count++] = (struct sigv4_pair){"DurationSeconds", duration};
	}
	struct aws_call call = {
		.operation = AWS_ASSUME_ROLE,
		.creds = base,
		.form = form,
		.form_count = count,
		.format = &assume_format,
	};
	return ask(aws, &call, role, ret_creds, why, why_size);
}

int creds__assume_web(struct aws *aws, const char *token_file, const struct creds_role *role,
                      struct creds *ret_creds, char *why, size_t why_size)
{
	char name[65], duration[16];
	char *token = NULL;
	/* Read each time: it is replaced long before it ends. */
	int ret = creds__token_read(token_file, WEB_TOKEN_MAX, &token);
	if (ret != 0) {
		snprintf(why, why_size, "web identity token %.96s: %s", token_file, fail_text(ret));
		return ret;
	}
	snprintf(duration, sizeof(duration), "%u", role->duration_s);
	const struct sigv4_pair form[] = {{"RoleArn", role->arn},
	                                  {"RoleSessionName", session_name(role, name)},
	                                  {"WebIdentityToken", token},
	                                  {"DurationSeconds", duration}};
	struct aws_call call = {
		.operation = AWS_ASSUME_ROLE_WEB,
		.anonymous = true,
		.form = form,
		.form_count = role->duration_s != 0 ? 4 : 3,
		.format = &web_format,
	};
	ret = ask(aws, &call, role, ret_creds, why, why_size);
	creds__text_free(&token);
	return ret;
}

/* --- Sources --- */

int creds_web__fetch(void *ctx, struct creds *ret_creds, char *why, size_t why_size)
{
	const char *file = creds__variable("AWS_WEB_IDENTITY_TOKEN_FILE");
	const struct creds_role role = {
		.arn = creds__variable("AWS_ROLE_ARN"),
		.session_name = creds__variable("AWS_ROLE_SESSION_NAME"),
	};
	if (file == NULL) {
		snprintf(why, why_size, "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
		return FAIL_NOTFOUND;
	}
	if (role.arn == NULL) {
		snprintf(why, why_size,
		         "AWS_WEB_IDENTITY_TOKEN_FILE is set but AWS_ROLE_ARN is not");
		return -EINVAL;
	}
	return creds__assume_web(ctx, file, &role, ret_creds, why, why_size);
}

int creds_assumed__fetch(void *ctx, struct creds *ret_creds, char *why, size_t why_size)
{
	const struct aws_assumed *assumed = ctx;
	struct aws *aws = assumed->aws;
	const struct creds *base = NULL;
	const struct creds_role role = {
		.arn = assumed->role_arn,
		.external_id = assumed->external_id,
	};
	int ret = creds_chain__get(aws->creds, wall_s() + aws->skew_s, &base);
	if (ret != 0) {
		snprintf(why, why_size, "%s", creds_chain__trouble(aws->creds));
		return ret;
	}
	ret = creds__assume(aws, base, &role, ret_creds, why, why_size);
	if (ret == -EKEYREJECTED && creds_chain__renew(aws->creds, wall_s() + aws->skew_s) &&
	    creds_chain__get(aws->creds, wall_s() + aws->skew_s, &base) == 0) {
		ret = creds__assume(aws, base, &role, ret_creds, why, why_size);
	}
	return ret;
}
