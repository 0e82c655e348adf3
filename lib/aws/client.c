#include "aws/client_int.h"
#include "base/fail.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 10000

static const char *const result_names[AWS_RESULTS] = {
	[AWS_RESULT_OK] = "ok",           [AWS_RESULT_THROTTLED] = "throttled",
	[AWS_RESULT_DENIED] = "denied",   [AWS_RESULT_NOTFOUND] = "not_found",
	[AWS_RESULT_REMOTE] = "remote",   [AWS_RESULT_NET] = "net",
	[AWS_RESULT_TIMEOUT] = "timeout", [AWS_RESULT_FORMAT] = "format",
	[AWS_RESULT_OTHER] = "other",
};

/* --- A client --- */

static bool opts_copy(struct aws *aws, const struct aws_opts *opts)
{
	aws->opts = *opts;
	aws->opts.roles = NULL;
	aws->opts.region = strdup(opts->region == NULL ? "" : opts->region);
	aws->opts.endpoint = strdup(opts->endpoint == NULL ? "" : opts->endpoint);
	if (aws->opts.timeout_ms == 0) {
		aws->opts.timeout_ms = TIMEOUT_MS;
	}
	return aws->opts.region != NULL && aws->opts.endpoint != NULL;
}

static bool assumed_make(struct aws *aws, const struct aws_role *role, struct aws_assumed *assumed)
{
	const struct creds_source source = {"an assumed role", creds_assumed__fetch, assumed};
	assumed->aws = aws;
	assumed->role_arn = strdup(role->role_arn);
	assumed->external_id = strdup(role->external_id == NULL ? "" : role->external_id);
	assumed->creds = creds_chain__new(&source, 1);
	return assumed->role_arn != NULL && assumed->external_id != NULL && assumed->creds != NULL;
}

static bool creds_make(struct aws *aws, const struct aws_opts *opts)
{
	const struct creds_source sources[] = {
		{"the environment", creds_env__fetch, NULL},
		{"the profile's role", creds_profile_role__fetch, aws},
		{"a web identity", creds_web__fetch, aws},
		{"the profile", creds_profile__fetch, aws},
		{"the container", creds_container__fetch, aws->http},
		{"instance metadata", creds_imds__fetch, aws->imds},
	};
	aws->creds = creds_chain__new(sources, sizeof(sources) / sizeof(sources[0]));
	aws->assumed = calloc(opts->role_count + 1, sizeof(*aws->assumed));
	bool made = aws->creds != NULL && aws->assumed != NULL;
	for (size_t i = 0; i < opts->role_count && made; i++) {
		made = assumed_make(aws, &opts->roles[i], &aws->assumed[i]);
	}
	aws->with = aws->creds;
	return made;
}

static bool parts_make(struct aws *aws, const struct aws_opts *opts)
{
	const struct aws_http_opts http_opts = {
		.cancel = aws->opts.cancel,
		.idle = aws->opts.idle,
		.idle_ctx = aws->opts.idle_ctx,
		.resolve = aws->opts.resolve,
		.resolve_ctx = aws->opts.resolve_ctx,
	};
	aws->http = aws_http__new(&http_opts);
	aws->imds = aws->http == NULL ? NULL : imds__new(aws->http);
	return aws->imds != NULL && creds_make(aws, opts);
}

struct aws *aws_new(const struct aws_opts *opts)
{
	struct aws *aws = calloc(1, sizeof(*aws));
	if (aws != NULL && (!opts_copy(aws, opts) || !parts_make(aws, opts))) {
		aws_free(&aws);
	}
	return aws;
}

void aws_free(struct aws **aws)
{
	struct aws *old = *aws;
	if (old == NULL) {
		return;
	}
	for (size_t i = 0; old->assumed != NULL && i < old->opts.role_count; i++) {
		creds_chain__free(&old->assumed[i].creds);
		free(old->assumed[i].role_arn);
		free(old->assumed[i].external_id);
	}
	free(old->assumed);
	creds_chain__free(&old->creds);
	imds__free(&old->imds);
	aws_http__free(&old->http);
	free((char *)(uintptr_t)old->opts.region); /* our copies */
	free((char *)(uintptr_t)old->opts.endpoint);
	free(old);
	*aws = NULL;
}

void aws_with(struct aws *aws, size_t role)
{
	aws->with = role < aws->opts.role_count ? aws->assumed[role].creds : aws->creds;
}

const char *aws_trouble(const struct aws *aws)
{
	return aws->trouble;
}

void aws__trouble_set(struct aws *aws, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(aws->trouble, sizeof(aws->trouble), format, args);
	va_end(args);
}

/* --- Counting --- */

static enum aws_result result_of(int ret)
{
	switch (ret) {
	case 0:
		return AWS_RESULT_OK;
	case FAIL_THROTTLED:
	case FAIL_BUSY:
		return AWS_RESULT_THROTTLED;
	case FAIL_DENIED:
	case -EKEYREJECTED:
		return AWS_RESULT_DENIED;
	case FAIL_NOTFOUND:
		return AWS_RESULT_NOTFOUND;
	case FAIL_REMOTE:
		return AWS_RESULT_REMOTE;
	case FAIL_NET:
		return AWS_RESULT_NET;
	case FAIL_TIMEOUT:
		return AWS_RESULT_TIMEOUT;
	case FAIL_FORMAT:
	case FAIL_LIMIT:
		return AWS_RESULT_FORMAT;
	default:
		return AWS_RESULT_OTHER;
	}
}

void aws__count(struct aws *aws, enum aws_operation operation, int ret)
{
	metric_add(&aws->calls[operation][result_of(ret)], 1);
}

void aws_metrics(void *ctx, struct text *out)
{
	aws_metrics_sum(ctx, NULL, out);
}

void aws_metrics_sum(const struct aws *aws, const struct aws *other, struct text *out)
{
	metric_family(out, "horizond_api_calls_total", METRIC_COUNTER,
	              "Calls to the AWS API by how they ended.");
	for (unsigned int i = 0; i < AWS_OPERATIONS; i++) {
		const struct aws_operation_info *info = aws_operation__get(i);
		const struct aws_service *service = aws_service__get(info->service);
		for (unsigned int j = 0; j < AWS_RESULTS; j++) {
			const char *labels[] = {"service", service->name,   "operation", info->name,
			                        "result",  result_names[j], NULL};
			uint64_t count = metric_get(&aws->calls[i][j]) +
			                 (other == NULL ? 0 : metric_get(&other->calls[i][j]));
			metric_sample_u64(out, "horizond_api_calls_total", labels, count);
		}
	}
}
