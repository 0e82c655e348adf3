#include "aws/client_int.h"
#include "aws/error_int.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include "base/text.h"
#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The service allows 5 minutes; a Date header further off than this explains a refused signature. */
#define SKEW_MIN_S 240

/* Error bodies are short; of a longer one the beginning does. */
#define ERROR_BODY_MAX 16384

/* --- What is sent --- */

/* Host, date and token; kind of body; X-Amz-Target; the caller's; Authorization. */
#define HEADERS_MAX (6 + CALL_HEADERS_MAX)

/* A call in the words of its protocol. */
struct message {
	const struct aws_operation_info *operation;
	const struct aws_service *service;
	const char *method;
	const char *body; /* NULL: none */
	size_t body_size;
	const char *body_kind;
	char target[96]; /* X-Amz-Target; "": not sent */
	char path[HTTP_PATH_MAX + 256];
	char *query; /* encoded; ours */
	char *form;  /* encoded; ours */
};

static void message_fini(struct message *message)
{
	free(message->query);
	if (message->form != NULL) {
		explicit_bzero(message->form, strlen(message->form)); /* tokens may stand in it */
	}
	free(message->form);
}

/* Action and Version, then the caller's. NULL: no memory. */
static char *form_make(const struct message *message, const struct aws_call *call)
{
	struct sigv4_pair *pairs = calloc(call->form_count + 2, sizeof(*pairs));
	if (pairs == NULL) {
		return NULL;
	}
	pairs[0] = (struct sigv4_pair){"Action", message->operation->name};
	pairs[1] = (struct sigv4_pair){"Version", message->service->version};
	for (size_t i = 0; i < call->form_count; i++) {
		pairs[i + 2] = call->form[i];
	}
	char *form = sigv4_query(pairs, call->form_count + 2);
	free(pairs);
	return form;
}

static void body_set(struct message *message, const struct aws_call *call)
{
	const struct aws_service *service = message->service;
	message->body = call->body;
	message->body_size = call->body_size;
	switch (service->protocol) {
	case AWS_REST_XML:
		message->body_kind = "application/xml";
		break;
	case AWS_QUERY:
		message->body = message->form;
		message->body_size = strlen(message->form);
		message->body_kind = "application/x-www-form-urlencoded; charset=utf-8";
		break;
	case AWS_JSON:
		if (call->body == NULL) {
			message->body = "{}";
			message->body_size = 2;
		}
		message->body_kind = strcmp(service->version, "1.0") == 0
		                             ? "application/x-amz-json-1.0"
		                             : "application/x-amz-json-1.1";
		snprintf(message->target, sizeof(message->target), "%s.%s", service->target,
		         message->operation->name);
		break;
	}
}

static int message_make(const struct aws_call *call, const struct http_url *endpoint,
                        struct message *message)
{
	*message = (struct message){.operation = aws_operation__get(call->operation)};
	message->service = aws_service__get(message->operation->service);
	bool rest = message->service->protocol == AWS_REST_XML;
	message->method = !rest ? "POST" : call->method != NULL ? call->method : "GET";
	int len = snprintf(message->path, sizeof(message->path), "%s%s", endpoint->path,
	                   call->path == NULL ? "/" : call->path);
	if (len < 0 || (size_t)len >= sizeof(message->path)) {
		return FAIL_LIMIT;
	}
	message->query = sigv4_query(call->query, call->query_count);
	if (message->service->protocol == AWS_QUERY) {
		message->form = form_make(message, call);
	}
	if (message->query == NULL ||
	    (message->service->protocol == AWS_QUERY && message->form == NULL)) {
		return FAIL_NOMEM;
	}
	body_set(message, call);
	return 0;
}

/* --- One attempt --- */

struct attempt {
	struct aws *aws;
	const struct aws_call *call;
	const struct message *message;
	const struct http_url *endpoint;
	const char *region;
	struct xml *xml;            /* of an XML answer */
	struct text json;           /* of a JSON answer, whole */
	char error[ERROR_BODY_MAX]; /* body of an answer that is none */
	size_t error_len;
	struct http_reply reply;
	bool again; /* the failure had a cause that is now gone */
};

static bool status_good(unsigned int status)
{
	return status == 200 || status == 201;
}

static int on_body(void *ctx, unsigned int status, const char *bytes, size_t size)
{
	struct attempt *attempt = ctx;
	if (status_good(status)) {
		if (attempt->xml != NULL) {
			return xml__feed(attempt->xml, bytes, size);
		}
		if (attempt->call->json != NULL) {
			text_add(&attempt->json, bytes, size);
		}
		return attempt->json.bad ? FAIL_NOMEM : 0;
	}
	size_t room = sizeof(attempt->error) - attempt->error_len;
	size_t part = size < room ? size : room;
	memcpy(attempt->error + attempt->error_len, bytes, part);
	attempt->error_len += part;
	return 0;
}

/* Those to sign: how many. */
static size_t headers_set(const struct attempt *attempt, const struct creds *creds,
                          const char *date, struct sigv4_pair *headers)
{
	const struct aws_call *call = attempt->call;
	const struct message *message = attempt->message;
	size_t count = 0;
	headers[count++] = (struct sigv4_pair){"Host", attempt->endpoint->authority};
	headers[count++] = (struct sigv4_pair){"X-Amz-Date", date};
	if (creds != NULL && creds->session_token != NULL) {
		headers[count++] =
			(struct sigv4_pair){"X-Amz-Security-Token", creds->session_token};
	}
	if (message->body != NULL) {
		headers[count++] = (struct sigv4_pair){"Content-Type", message->body_kind};
	}
	if (message->target[0] != '\0') {
		headers[count++] = (struct sigv4_pair){"X-Amz-Target", message->target};
	}
	assert(call->header_count <= CALL_HEADERS_MAX);
	for (size_t i = 0; i < call->header_count; i++) {
		headers[count++] = call->headers[i];
	}
	return count;
}

static int authorize(const struct attempt *attempt, const struct creds *creds, int64_t now_s,
                     const struct sigv4_pair *headers, size_t count, char *buf, size_t size)
{
	const struct message *message = attempt->message;
	const struct sigv4_request signing = {
		.method = message->method,
		.path = message->path,
		.normalize_path = true,
		.query = attempt->call->query,
		.query_count = attempt->call->query_count,
		.headers = headers,
		.header_count = count,
		.body = message->body,
		.body_size = message->body_size,
		.region = attempt->region,
		.service = message->service->name,
		.access_key_id = creds->access_key_id,
		.secret_access_key = creds->secret_access_key,
		.time_s = now_s,
	};
	return sigv4_sign(&signing, buf, size, NULL, NULL);
}

/* Signs (but with creds NULL) and sends. The credentials are fresh, and the time is taken at the last moment. */
static int attempt_send(struct attempt *attempt, const struct creds *creds)
{
	struct aws *aws = attempt->aws;
	const struct aws_call *call = attempt->call;
	const struct message *message = attempt->message;
	char date[17], authorization[1024], target[8192];
	struct sigv4_pair headers[HEADERS_MAX];
	int64_t now_s = wall_s() + aws->skew_s;
	sigv4_time(now_s, date);
	size_t count = headers_set(attempt, creds, date, headers);
	if (creds != NULL) {
		int ret = authorize(attempt, creds, now_s, headers, count, authorization,
		                    sizeof(authorization));
		if (ret != 0) {
			return ret;
		}
		headers[count++] = (struct sigv4_pair){"Authorization", authorization};
	}
	int len = snprintf(target, sizeof(target), "%s%s%s", message->path,
	                   message->query[0] == '\0' ? "" : "?", message->query);
	if (len < 0 || (size_t)len >= sizeof(target)) {
		return FAIL_LIMIT;
	}
	const struct http_request request = {
		.method = message->method,
		.endpoint = attempt->endpoint,
		.target = target,
		.headers = headers,
		.header_count = count,
		.body = message->body,
		.body_size = message->body_size,
		.wait_s = call->wait_s,
		.timeout_ms = call->timeout_ms != 0 ? call->timeout_ms : aws->opts.timeout_ms,
		.reply_max = call->reply_max != 0 ? call->reply_max : REPLY_MAX,
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

/* What stood in the way may be gone now: another try is worth it. */
static bool cause_gone(struct attempt *attempt, const char *code)
{
	struct aws *aws = attempt->aws;
	bool old = aws_error__creds(code);
	/* By a clock that is wrong, credentials end at the wrong time too. */
	if ((old || aws_error__clock(code)) && clock_corrected(attempt)) {
		return true;
	}
	bool ours = attempt->call->creds == NULL && !attempt->call->anonymous;
	return old && ours && creds_chain__renew(aws->with, wall_s() + aws->skew_s);
}

static int refusal_read(struct attempt *attempt)
{
	struct aws_error error;
	struct aws *aws = attempt->aws;
	aws_error__read(attempt->error, attempt->error_len, &error);
	int ret = aws_error__fail(attempt->reply.status, error.code);
	if (error.code[0] == '\0') {
		aws__trouble_set(aws, "status %u without a reason from %s", attempt->reply.status,
		                 attempt->endpoint->authority);
	} else if (ret == FAIL_THROTTLED) {
		aws__trouble_set(aws, "throttled by the API");
	} else {
		aws__trouble_set(aws, "%s%s%s", error.code, error.message[0] == '\0' ? "" : ": ",
		                 error.message);
	}
	attempt->again = cause_gone(attempt, error.code);
	return ret;
}

/* The whole answer is there; one without a body is an empty object. */
static int json_read(struct attempt *attempt)
{
	json_error_t error;
	const struct text *text = &attempt->json;
	json_t *object =
		text->len == 0 ? json_object()
			       : json_loadb(text->bytes, text->len, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(object)) {
		json_decref(object);
		aws__trouble_set(attempt->aws, "the answer makes no sense: not a JSON object");
		return FAIL_FORMAT;
	}
	int ret = attempt->call->json(attempt->call->ctx, object);
	json_decref(object);
	return ret;
}

static int attempt_end(struct attempt *attempt, int ret)
{
	struct aws *aws = attempt->aws;
	if (ret == 0 && !status_good(attempt->reply.status)) {
		return refusal_read(attempt);
	}
	if (ret == 0 && attempt->call->json != NULL) {
		return json_read(attempt);
	}
	if (ret == 0 && attempt->xml != NULL) {
		ret = xml__finish(attempt->xml);
	}
	const char *reading = attempt->xml == NULL ? "" : xml__trouble(attempt->xml);
	if (reading[0] != '\0') {
		aws__trouble_set(aws, "%s: %s",
		                 ret == FAIL_FORMAT ? "the answer makes no sense"
		                                    : "reading the answer",
		                 reading);
	} else if (ret != 0) {
		aws__trouble_set(aws, "%s: %s", attempt->endpoint->authority,
		                 aws_http__trouble(aws->http));
	}
	return ret;
}

/* *ret_creds NULL: the call is not signed. */
static int creds_find(struct attempt *attempt, const struct creds **ret_creds)
{
	struct aws *aws = attempt->aws;
	const struct aws_call *call = attempt->call;
	*ret_creds = call->creds;
	if (call->creds != NULL || call->anonymous) {
		return 0;
	}
	/* A source may itself make calls with this client: they are over when it returns. */
	int ret = creds_chain__get(aws->with, wall_s() + aws->skew_s, ret_creds);
	if (ret != 0) {
		aws__trouble_set(aws, "%s", creds_chain__trouble(aws->with));
	}
	return ret;
}

/* Credentials, budget, and off it goes. */
static int attempt_make(struct attempt *attempt)
{
	struct aws *aws = attempt->aws;
	const struct message *message = attempt->message;
	const struct creds *creds = NULL;
	int ret = creds_find(attempt, &creds);
	if (ret != 0) {
		return ret;
	}
	if (aws->opts.before != NULL && !message->service->unmetered) {
		ret = aws->opts.before(aws->opts.before_ctx, message->operation->name);
	}
	if (ret != 0) {
		aws__trouble_set(aws, "%s", fail_text(ret));
		return ret;
	}
	ret = attempt_end(attempt, attempt_send(attempt, creds));
	aws__count(aws, attempt->call->operation, ret);
	return ret;
}

static int attempt_once(struct aws *aws, const struct aws_call *call, const struct message *message,
                        const struct http_url *endpoint, const char *region, bool *ret_again)
{
	struct attempt *attempt = calloc(1, sizeof(*attempt));
	if (attempt == NULL) {
		return FAIL_NOMEM;
	}
	attempt->aws = aws;
	attempt->call = call;
	attempt->message = message;
	attempt->endpoint = endpoint;
	attempt->region = region;
	text_init(&attempt->json, 0);
	if (call->format != NULL) {
		attempt->xml = xml__new(call->format, call->ctx);
	}
	int ret = FAIL_NOMEM;
	if (call->format == NULL || attempt->xml != NULL) {
		ret = attempt_make(attempt);
	}
	*ret_again = attempt->again;
	xml__free(&attempt->xml);
	text_fini(&attempt->json);
	free(attempt);
	return ret;
}

int aws__call(struct aws *aws, const struct aws_call *call)
{
	struct http_url endpoint;
	struct message message;
	char region[REGION_MAX];
	bool again = false;
	int ret = aws__place(aws, call->operation, call->region, call->url, &endpoint, region);
	if (ret != 0) {
		return ret;
	}
	ret = message_make(call, &endpoint, &message);
	if (ret == 0) {
		ret = attempt_once(aws, call, &message, &endpoint, region, &again);
	}
	if (ret != 0 && again) {
		ret = attempt_once(aws, call, &message, &endpoint, region, &again);
	}
	message_fini(&message);
	if (ret == 0) {
		aws->trouble[0] = '\0';
	} else if (aws->trouble[0] == '\0') {
		aws__trouble_set(aws, "%s", fail_text(ret));
	}
	return ret;
}
