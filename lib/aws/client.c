#include "aws/client_int.h"
#include "aws/error_int.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 10000

/* The service allows 5 minutes; a Date header further off than this explains a refused signature. */
#define SKEW_MIN_S 240

/* Error bodies are short; of a longer one the beginning does. */
#define ERROR_BODY_MAX 16384

static const struct {
	const char *service;
	const char *name;
} operations[AWS_OPERATIONS] = {
	[AWS_LIST_RECORD_SETS] = {"route53", "ListResourceRecordSets"},
	[AWS_LIST_ZONES_BY_VPC] = {"route53", "ListHostedZonesByVPC"},
	[AWS_GET_ZONE] = {"route53", "GetHostedZone"},
	[AWS_GET_HEALTH] = {"route53", "GetHealthCheckStatus"},
};

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
	aws->opts.region = strdup(opts->region == NULL ? "" : opts->region);
	aws->opts.endpoint = strdup(opts->endpoint == NULL ? "" : opts->endpoint);
	if (aws->opts.timeout_ms == 0) {
		aws->opts.timeout_ms = TIMEOUT_MS;
	}
	return aws->opts.region != NULL && aws->opts.endpoint != NULL;
}

static bool parts_make(struct aws *aws)
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
	if (aws->imds == NULL) {
		return false;
	}
	const struct creds_source sources[] = {
		{"the environment", creds_env__fetch, NULL},
		{"instance metadata", creds_imds__fetch, aws->imds},
	};
	aws->creds = creds_chain__new(sources, sizeof(sources) / sizeof(sources[0]));
	return aws->creds != NULL;
}

struct aws *aws_new(const struct aws_opts *opts)
{
	struct aws *aws = calloc(1, sizeof(*aws));
	if (aws != NULL && (!opts_copy(aws, opts) || !parts_make(aws))) {
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
	creds_chain__free(&old->creds);
	imds__free(&old->imds);
	aws_http__free(&old->http);
	free((char *)(uintptr_t)old->opts.region); /* our copies */
	free((char *)(uintptr_t)old->opts.endpoint);
	free(old);
	*aws = NULL;
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

void aws_metrics(void *ctx, struct text *out)
{
	const struct aws *aws = ctx;
	metric_family(out, "horizond_api_calls_total", METRIC_COUNTER,
	              "Calls to the AWS API by how they ended.");
	for (unsigned int i = 0; i < AWS_OPERATIONS; i++) {
		for (unsigned int j = 0; j < AWS_RESULTS; j++) {
			const char *labels[] = {
				"service", operations[i].service, "operation", operations[i].name,
				"result",  result_names[j],       NULL};
			metric_sample_u64(out, "horizond_api_calls_total", labels,
			                  metric_get(&aws->calls[i][j]));
		}
	}
}

/* --- A call --- */

struct attempt {
	struct aws *aws;
	const struct aws_call *call;
	struct xml *xml;
	char error[ERROR_BODY_MAX]; /* body of an answer other than 200 */
	size_t error_len;
	struct http_reply reply;
	bool again; /* the failure had a cause that is now gone */
};

static int on_body(void *ctx, unsigned int status, const char *bytes, size_t size)
{
	struct attempt *attempt = ctx;
	if (status == 200) {
		return xml__feed(attempt->xml, bytes, size);
	}
	size_t room = sizeof(attempt->error) - attempt->error_len;
	size_t part = size < room ? size : room;
	memcpy(attempt->error + attempt->error_len, bytes, part);
	attempt->error_len += part;
	return 0;
}

/* Signs and sends. The credentials are fresh, and the time is taken at the last moment. */
static int attempt_send(struct attempt *attempt, const struct creds *creds, const char *path,
                        const char *query)
{
	struct aws *aws = attempt->aws;
	char date[17], authorization[1024], target[8192];
	int64_t now_s = wall_s() + aws->skew_s;
	sigv4_time(now_s, date);
	struct sigv4_pair headers[4] = {
		{"Host", aws->endpoint.authority},
		{"X-Amz-Date", date},
		{"X-Amz-Security-Token", creds->session_token},
	};
	size_t count = creds->session_token == NULL ? 2 : 3;
	const struct sigv4_request signing = {
		.method = attempt->call->method,
		.path = path,
		.normalize_path = true,
		.query = attempt->call->query,
		.query_count = attempt->call->query_count,
		.headers = headers,
		.header_count = count,
		.region = aws->signing_region,
		.service = operations[attempt->call->operation].service,
		.access_key_id = creds->access_key_id,
		.secret_access_key = creds->secret_access_key,
		.time_s = now_s,
	};
	int ret = sigv4_sign(&signing, authorization, sizeof(authorization), NULL, NULL);
	if (ret != 0) {
		return ret;
	}
	headers[count++] = (struct sigv4_pair){"Authorization", authorization};
	if (snprintf(target, sizeof(target), "%s%s%s", path, query[0] == '\0' ? "" : "?", query) >=
	    (int)sizeof(target)) {
		return FAIL_LIMIT;
	}
	const struct http_request request = {
		.method = attempt->call->method,
		.endpoint = &aws->endpoint,
		.target = target,
		.headers = headers,
		.header_count = count,
		.timeout_ms = aws->opts.timeout_ms,
		.reply_max = REPLY_MAX,
		.body_fn = on_body,
		.ctx = attempt,
	};
	return aws_http__send(aws->http, &request, &attempt->reply);
}

/* A refused signature and a Date far from our time: go on by the service's clock. */
static bool clock_corrected(struct attempt *attempt)
{
	struct aws *aws = attempt->aws;
	int64_t skew_s = attempt->reply.date_s - wall_s();
	if (attempt->reply.date_s == 0 || llabs(skew_s - aws->skew_s) <= SKEW_MIN_S) {
		return false;
	}
	log_warn("aws", "our clock is %lld s %s the service's: signing by theirs, set ours right",
	         (long long)llabs(skew_s), skew_s < 0 ? "ahead of" : "behind");
	aws->skew_s = skew_s;
	return true;
}

static int refusal_read(struct attempt *attempt)
{
	struct aws_error error;
	struct aws *aws = attempt->aws;
	aws_error__read(attempt->error, attempt->error_len, &error);
	int ret = aws_error__fail(attempt->reply.status, error.code);
	if (error.code[0] == '\0') {
		aws__trouble_set(aws, "status %u without a reason from %s", attempt->reply.status,
		                 aws->endpoint.authority);
	} else if (ret == FAIL_THROTTLED) {
		aws__trouble_set(aws, "throttled by the API");
	} else {
		aws__trouble_set(aws, "%s%s%s", error.code, error.message[0] == '\0' ? "" : ": ",
		                 error.message);
	}
	attempt->again = (aws_error__clock(error.code) && clock_corrected(attempt)) ||
	                 (aws_error__creds(error.code) && creds_chain__renew(aws->creds));
	return ret;
}

static int attempt_end(struct attempt *attempt, int ret)
{
	struct aws *aws = attempt->aws;
	if (ret == 0 && attempt->reply.status != 200) {
		return refusal_read(attempt);
	}
	if (ret == 0) {
		ret = xml__finish(attempt->xml);
	}
	const char *reading = xml__trouble(attempt->xml);
	if (reading[0] != '\0') {
		aws__trouble_set(aws, "%s: %s",
		                 ret == FAIL_FORMAT ? "the answer makes no sense"
		                                    : "reading the answer",
		                 reading);
	} else if (ret != 0) {
		aws__trouble_set(aws, "%s: %s", aws->endpoint.authority,
		                 aws_http__trouble(aws->http));
	}
	return ret;
}

/* Credentials, budget, and off it goes. */
static int attempt_make(struct attempt *attempt, const char *path, const char *query)
{
	struct aws *aws = attempt->aws;
	const struct creds *creds = NULL;
	enum aws_operation operation = attempt->call->operation;
	int ret = creds_chain__get(aws->creds, wall_s() + aws->skew_s, &creds);
	if (ret != 0) {
		aws__trouble_set(aws, "%s", creds_chain__trouble(aws->creds));
		return ret;
	}
	if (aws->opts.before != NULL) {
		ret = aws->opts.before(aws->opts.before_ctx, operations[operation].name);
	}
	if (ret != 0) {
		aws__trouble_set(aws, "%s", fail_text(ret));
		return ret;
	}
	ret = attempt_end(attempt, attempt_send(attempt, creds, path, query));
	metric_add(&aws->calls[operation][result_of(ret)], 1);
	return ret;
}

static int call_try(struct aws *aws, const struct aws_call *call, const char *path,
                    const char *query, bool *ret_again)
{
	struct attempt *attempt = calloc(1, sizeof(*attempt));
	if (attempt == NULL) {
		return FAIL_NOMEM;
	}
	int ret = FAIL_NOMEM;
	attempt->aws = aws;
	attempt->call = call;
	attempt->xml = xml__new(call->format, call->ctx);
	if (attempt->xml != NULL) {
		ret = attempt_make(attempt, path, query);
	}
	*ret_again = attempt->again;
	xml__free(&attempt->xml);
	free(attempt);
	return ret;
}

int aws__call(struct aws *aws, const struct aws_call *call)
{
	int ret = aws__endpoint(aws);
	if (ret != 0) {
		return ret;
	}
	char path[HTTP_PATH_MAX + 256];
	snprintf(path, sizeof(path), "%s%s", aws->endpoint.path, call->path);
	char *query = sigv4_query(call->query, call->query_count);
	if (query == NULL) {
		return FAIL_NOMEM;
	}
	bool again = false;
	ret = call_try(aws, call, path, query, &again);
	if (ret != 0 && again) {
		ret = call_try(aws, call, path, query, &again);
	}
	free(query);
	if (ret == 0) {
		aws->trouble[0] = '\0';
	} else if (aws->trouble[0] == '\0') {
		aws__trouble_set(aws, "%s", fail_text(ret));
	}
	return ret;
}
