#include "aws/http_int.h"
#include "aws/imds_int.h"
#include "aws/sigv4.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TIMEOUT_MS 2000

/* A token is asked to live 6 h, the most there is, and left a minute early. */
#define TOKEN_LIFE_TEXT "21600"
#define TOKEN_LIFE_MS   (UINT64_C(21600) * 1000)
#define TOKEN_SPARE_MS  60000

#define TOKEN_MAX 1024

struct imds {
	struct aws_http *http;
	bool off;
	struct http_url endpoint;
	char token[TOKEN_MAX]; /* "": none */
	uint64_t token_until_ms;
	char trouble[256];
};

__attribute__((format(printf, 2, 3))) static void trouble_set(struct imds *imds, const char *format,
                                                              ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(imds->trouble, sizeof(imds->trouble), format, args);
	va_end(args);
}

static bool is_word(const char *value, const char *word)
{
	return value != NULL && strcasecmp(value, word) == 0;
}

/* An address of the operator's own is for tests: whoever sets it gets our trust, so it is said aloud. */
static void endpoint_choose(struct imds *imds)
{
	const char *own = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	const char *mode = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
	const char *url =
		is_word(mode, "ipv6") ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
	if (own != NULL && own[0] != '\0') {
		log_notice("aws", "instance metadata is asked of %s (environment)", own);
		url = own;
	}
	if (aws_http__url(url, &imds->endpoint) != 0) {
		log_error("aws", "AWS_EC2_METADATA_SERVICE_ENDPOINT is no URL: %s", url);
		imds->off = true;
	}
}

struct imds *imds__new(struct aws_http *http)
{
	struct imds *imds = calloc(1, sizeof(*imds));
	if (imds == NULL) {
		return NULL;
	}
	imds->http = http;
	imds->off = is_word(getenv("AWS_EC2_METADATA_DISABLED"), "true");
	if (!imds->off) {
		endpoint_choose(imds);
	}
	return imds;
}

void imds__free(struct imds **imds)
{
	if (*imds == NULL) {
		return;
	}
	explicit_bzero(*imds, sizeof(**imds));
	free(*imds);
	*imds = NULL;
}

bool imds__off(const struct imds *imds)
{
	return imds->off;
}

const char *imds__trouble(const struct imds *imds)
{
	return imds->trouble;
}

struct body {
	char *buf;
	size_t size;
	size_t len;
};

static int on_body(void *ctx, unsigned int status, const char *bytes, size_t size)
{
	struct body *body = ctx;
	if (status != 200) {
		return 0; /* error pages are of no interest */
	}
	if (size >= body->size - body->len) {
		return FAIL_LIMIT;
	}
	memcpy(body->buf + body->len, bytes, size);
	body->len += size;
	return 0;
}

static int fail_of_status(unsigned int status)
{
	switch (status) {
	case 200:
		return 0;
	case 403:
		return FAIL_DENIED;
	case 404:
		return FAIL_NOTFOUND;
	case 429:
	case 503:
		return FAIL_THROTTLED;
	default:
		return FAIL_REMOTE;
	}
}

/* One request; on success buf holds its text. *ret_status is 0 when no answer came. */
static int ask(struct imds *imds, const char *method, const char *target,
               const struct sigv4_pair *header, char *buf, size_t size, unsigned int *ret_status)
{
	struct body body = {.buf = buf, .size = size};
	struct http_request request = {
		.method = method,
		.endpoint = &imds->endpoint,
		.target = target,
		.headers = header,
		.header_count = 1,
		.timeout_ms = TIMEOUT_MS,
		.reply_max = 1 << 20,
		.local = true,
		.body_fn = on_body,
		.ctx = &body,
	};
	struct http_reply reply = {0};
	int ret = aws_http__send(imds->http, &request, &reply);
	*ret_status = reply.status;
	if (ret != 0) {
		trouble_set(imds, "instance metadata: %s", aws_http__trouble(imds->http));
		return ret;
	}
	buf[body.len] = '\0';
	ret = fail_of_status(reply.status);
	if (ret != 0) {
		trouble_set(imds, "instance metadata: status %u for %s", reply.status, target);
	} else if (strlen(buf) != body.len) {
		trouble_set(imds, "instance metadata: %s is no text", target);
		ret = FAIL_FORMAT;
	}
	return ret;
}

/* What may stand in a header: no blanks, no line ends. */
static bool token_good(const char *token)
{
	for (const char *at = token; *at != '\0'; at++) {
		if (*at <= ' ' || *at > '~') {
			return false;
		}
	}
	return token[0] != '\0';
}

static int token_ensure(struct imds *imds)
{
	const struct sigv4_pair life = {"X-aws-ec2-metadata-token-ttl-seconds", TOKEN_LIFE_TEXT};
	unsigned int status = 0;
	uint64_t now_ms = mono_ms();
	if (imds->token[0] != '\0' && now_ms < imds->token_until_ms) {
		return 0;
	}
	int ret = ask(imds, "PUT", "/latest/api/token", &life, imds->token, sizeof(imds->token),
	              &status);
	if (ret == 0 && !token_good(imds->token)) {
		trouble_set(imds, "instance metadata: an answer that is no token");
		ret = FAIL_FORMAT;
	}
	if (ret != 0) {
		imds->token[0] = '\0';
		/* No token service is no metadata at all, not a missing item. */
		return ret == FAIL_NOTFOUND ? FAIL_REMOTE : ret;
	}
	imds->token_until_ms = now_ms + TOKEN_LIFE_MS - TOKEN_SPARE_MS;
	return 0;
}

int imds__get(struct imds *imds, const char *path, char *buf, size_t size)
{
	char target[512];
	unsigned int status = 0;
	if (imds->off) {
		trouble_set(imds, "instance metadata is switched off");
		return FAIL_NOTFOUND;
	}
	if (snprintf(target, sizeof(target), "%s/latest/%s", imds->endpoint.path, path) >=
	    (int)sizeof(target)) {
		return FAIL_LIMIT;
	}
	for (unsigned int tries = 0;; tries++) {
		int ret = token_ensure(imds);
		if (ret != 0) {
			return ret;
		}
		const struct sigv4_pair token = {"X-aws-ec2-metadata-token", imds->token};
		ret = ask(imds, "GET", target, &token, buf, size, &status);
		if (status != 401 || tries > 0) {
			return ret;
		}
		imds->token[0] = '\0'; /* forgotten or run out: one more with a new one */
	}
}
