#include "aws/client_int.h"
#include "aws/profile_int.h"
#include "base/fail.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Profiles that lead from one to another. */
#define PROFILES_MAX 8

/* Where credentials come from through profiles: those that led here. */
struct trail {
	struct aws *aws;
	const char *names[PROFILES_MAX];
	size_t count;
};

static const char *value(const struct profile *profile, enum profile_key key)
{
	return profile->values[key];
}

static bool keys_stand(const struct profile *profile)
{
	return value(profile, PROFILE_ACCESS_KEY_ID) != NULL ||
	       value(profile, PROFILE_SECRET_ACCESS_KEY) != NULL;
}

static int keys_use(const char *name, const struct profile *profile, struct creds *ret_creds,
                    char *why, size_t why_size)
{
	const char *id = value(profile, PROFILE_ACCESS_KEY_ID);
	const char *secret = value(profile, PROFILE_SECRET_ACCESS_KEY);
	if (id == NULL || secret == NULL) {
		snprintf(why, why_size, "profile %.64s: %s is missing", name,
		         id == NULL ? "aws_access_key_id" : "aws_secret_access_key");
		return -EINVAL;
	}
	return creds__set(ret_creds, id, secret, value(profile, PROFILE_SESSION_TOKEN), 0);
}

static int keys_or_process(const struct trail *trail, const char *name,
                           const struct profile *profile, struct creds *ret_creds, char *why,
                           size_t why_size)
{
	const char *command = value(profile, PROFILE_CREDENTIAL_PROCESS);
	if (keys_stand(profile)) {
		return keys_use(name, profile, ret_creds, why, why_size);
	}
	if (command != NULL) {
		const struct aws_opts *opts = &trail->aws->opts;
		const struct creds_process process = {
			.command = command,
			.cancel = opts->cancel,
			.idle = opts->idle,
			.idle_ctx = opts->idle_ctx,
		};
		return creds_process__run(&process, ret_creds, why, why_size);
	}
	snprintf(why, why_size, "profile %.64s has no credentials", name);
	return FAIL_NOTFOUND;
}

/* Something named it: that it is not there is a fault. */
static int must_be(int ret)
{
	return ret == FAIL_NOTFOUND ? -EINVAL : ret;
}

static int named_source(struct aws *aws, const char *name, struct creds *ret_creds, char *why,
                        size_t why_size)
{
	if (strcmp(name, "Environment") == 0) {
		return must_be(creds_env__fetch(NULL, ret_creds, why, why_size));
	}
	if (strcmp(name, "Ec2InstanceMetadata") == 0) {
		return must_be(creds_imds__fetch(aws->imds, ret_creds, why, why_size));
	}
	if (strcmp(name, "EcsContainer") == 0) {
		return must_be(creds_container__fetch(aws->http, ret_creds, why, why_size));
	}
	snprintf(why, why_size,
	         "credential_source %.32s: not Environment, Ec2InstanceMetadata "
	         "or EcsContainer",
	         name);
	return -EINVAL;
}

static int by_name(struct trail *trail, const char *name, struct creds *ret_creds, char *why,
                   size_t why_size);

/* The credentials that a profile's role is assumed with. */
static int base_get(struct trail *trail, const char *name, const struct profile *profile,
                    struct creds *ret_creds, char *why, size_t why_size)
{
	const char *source = value(profile, PROFILE_SOURCE_PROFILE);
	const char *other = value(profile, PROFILE_CREDENTIAL_SOURCE);
	if ((source == NULL) == (other == NULL)) {
		snprintf(why, why_size,
		         "profile %.64s: role_arn needs one of source_profile and "
		         "credential_source",
		         name);
		return -EINVAL;
	}
	if (other != NULL) {
		return named_source(trail->aws, other, ret_creds, why, why_size);
	}
	if (strcmp(source, name) == 0 && keys_stand(profile)) {
		return keys_use(name, profile, ret_creds, why, why_size); /* its own keys */
	}
	return must_be(by_name(trail, source, ret_creds, why, why_size));
}

static int duration_read(const char *text, unsigned int *ret_duration_s)
{
	char *end = NULL;
	unsigned long duration_s = text == NULL ? 0 : strtoul(text, &end, 10);
	if (text != NULL &&
	    (end == text || *end != '\0' || duration_s < 900 || duration_s > 43200)) {
		return -EINVAL;
	}
	*ret_duration_s = (unsigned int)duration_s;
	return 0;
}

static int role_use(struct trail *trail, const char *name, const struct profile *profile,
                    struct creds *ret_creds, char *why, size_t why_size)
{
	struct creds base = {0};
	const char *token_file = value(profile, PROFILE_WEB_IDENTITY_TOKEN_FILE);
	struct creds_role role = {
		.arn = value(profile, PROFILE_ROLE_ARN),
		.session_name = value(profile, PROFILE_ROLE_SESSION_NAME),
		.external_id = value(profile, PROFILE_EXTERNAL_ID),
	};
	if (duration_read(value(profile, PROFILE_DURATION_SECONDS), &role.duration_s) != 0) {
		snprintf(why, why_size, "profile %.64s: duration_seconds is not 900 to 43200",
		         name);
		return -EINVAL;
	}
	if (token_file != NULL) {
		return creds__assume_web(trail->aws, token_file, &role, ret_creds, why, why_size);
	}
	int ret = base_get(trail, name, profile, &base, why, why_size);
	if (ret == 0) {
		ret = creds__assume(trail->aws, &base, &role, ret_creds, why, why_size);
	}
	creds__fini(&base);
	return ret;
}

/* One that others lead to: its own keys come first, else its role. */
static int by_name(struct trail *trail, const char *name, struct creds *ret_creds, char *why,
                   size_t why_size)
{
	struct profile profile = {0};
	for (size_t i = 0; i < trail->count; i++) {
		if (strcmp(trail->names[i], name) == 0 || trail->count == PROFILES_MAX) {
			snprintf(why, why_size,
			         "profile %.64s: source_profile leads back to it, or "
			         "over more than %d profiles",
			         name, PROFILES_MAX);
			return -EINVAL;
		}
	}
	int ret = profile__load(name, &profile, why, why_size);
	if (ret != 0) {
		return ret;
	}
	trail->names[trail->count++] = name;
	bool role = value(&profile, PROFILE_ROLE_ARN) != NULL;
	if (role && (trail->count == 1 || !keys_stand(&profile))) {
		ret = role_use(trail, name, &profile, ret_creds, why, why_size);
	} else {
		ret = keys_or_process(trail, name, &profile, ret_creds, why, why_size);
	}
	profile__fini(&profile);
	return ret;
}

int creds_profile__fetch(void *ctx, struct creds *ret_creds, char *why, size_t why_size)
{
	bool chosen;
	struct trail trail = {.aws = ctx};
	const char *name = profile__name(&chosen);
	int ret = by_name(&trail, name, ret_creds, why, why_size);
	return chosen ? must_be(ret) : ret;
}

int creds_profile_role__fetch(void *ctx, struct creds *ret_creds, char *why, size_t why_size)
{
	bool chosen;
	struct profile profile = {0};
	int ret = profile__load(profile__name(&chosen), &profile, why, why_size);
	bool role = ret == 0 && value(&profile, PROFILE_ROLE_ARN) != NULL;
	profile__fini(&profile);
	if (ret != 0 && (chosen || ret != FAIL_NOTFOUND)) {
		return must_be(ret);
	}
	if (!role) {
		why[0] = '\0'; /* the profile's turn comes later */
		return FAIL_NOTFOUND;
	}
	return creds_profile__fetch(ctx, ret_creds, why, why_size);
}
