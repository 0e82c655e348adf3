#include "aws/creds_int.h"
#include "aws/http_int.h"
#include "aws/sigv4.h"
#include "base/fail.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TIMEOUT_MS 2000
#define ANSWER_MAX 16384
#define TOKEN_MAX  16384

#define RELATIVE_BASE "http://169.254.170.2"

/* Hosts that may be asked without TLS: what they say stays on this machine (facts 4.3). */
static bool host_local(const char *host)
{
	static const char *const hosts[] = {"169.254.170.2", "169.254.170.23"};
	struct in_addr in;
	struct in6_addr in6, eks;
	if (strcasecmp(host, "localhost") == 0) {
		return true;
	}
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		if (strcmp(host, hosts[i]) == 0) {
			return true;
		}
	}
	if (inet_pton(AF_INET, host, &in) == 1) {
		return ntohl(in.s_addr) >> 24 == 127;
	}
	inet_pton(AF_INET6, "fd00:ec2::23", &eks);
	return inet_pton(AF_INET6, host, &in6) == 1 &&
	       (IN6_IS_ADDR_LOOPBACK(&in6) || memcmp(&in6, &eks, sizeof(eks)) == 0);
}

/* FAIL_NOTFOUND: neither variable is set. ret_target: the rest, query included; HTTP_PATH_MAX. */
static int place(struct http_url *ret_url, char *ret_target, char *why, size_t why_size)
{
	char text[1024];
	const char *relative = creds__variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = creds__variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	if (relative == NULL && full == NULL) {
		snprintf(why, why_size, "AWS_CONTAINER_CREDENTIALS_*_URI is not set");
		return FAIL_NOTFOUND;
	}
	const char *variable = relative != NULL ? "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
	                                        : "AWS_CONTAINER_CREDENTIALS_FULL_URI";
	int len = snprintf(text, sizeof(text), "%s%s", relative != NULL ? RELATIVE_BASE : "",
	                   relative != NULL ? relative : full);
	bool good =
		len > 0 && (size_t)len < sizeof(text) && (relative == NULL || relative[0] == '/');
	char *query = strchr(text, '?');
	char *rest = query == NULL ? strdup("") : strdup(query);
	if (rest == NULL) {
		return FAIL_NOMEM;
	}
	if (query != NULL) {
		*query = '\0';
	}
	good = good && aws_http__url(text, ret_url) == 0 && strpbrk(rest, " #\r\n") == NULL;
	len = good ? snprintf(ret_target, HTTP_PATH_MAX, "%s%s",
	                      ret_url->path[0] == '\0' ? "/" : ret_url->path, rest)
	           : -1;
	free(rest);
	if (len < 0 || len >= HTTP_PATH_MAX) {
		snprintf(why, why_size, "%s is no URL", variable);
		return -EINVAL;
	}
	if (strcmp(ret_url->scheme, "https") != 0 && !host_local(ret_url->host)) {
		snprintf(why, why_size, "%s: %.64s may be asked over https only", variable,
		         ret_url->host);
		return -EINVAL;
	}
	return 0;
}

/* The file is read each time, and comes before the variable. *ret_token NULL: none is asked for. */
static int token_get(char **ret_token, char *why, size_t why_size)
{
	const char *file = creds__variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *token = creds__variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	*ret_token = NULL;
	if (file != NULL) {
		int ret = creds__token_read(file, TOKEN_MAX, ret_token);
		if (ret != 0) {
			snprintf(why, why_size, "container token %.96s: %s", file, fail_text(ret));
		}
		return ret == FAIL_NOTFOUND ? -ENOENT : ret;
	}
	if (token == NULL) {
		return 0;
	}
	if (strpbrk(token, "\r\n") != NULL) {
		snprintf(why, why_size, "AWS_CONTAINER_AUTHORIZATION_TOKEN has a line end in it");
		return -EINVAL;
	}
	*ret_token = strdup(token);
	return *ret_token == NULL ? FAIL_NOMEM : 0;
}

struct answer {
	char text[ANSWER_MAX];
	size_t len;
};

static int on_body(void *ctx, unsigned int status, const char *bytes, size_t size)
{
	struct answer *answer = ctx;
	if (status != 200) {
		return 0; /* error pages are of no interest */
	}
	if (size >= sizeof(answer->text) - answer->len) {
		return FAIL_LIMIT;
	}
	memcpy(answer->text + answer->len, bytes, size);
	answer->len += size;
	return 0;
}

static int ask(struct aws_http *http, const struct http_url *url, const char *target,
               const char *token, struct creds *ret_creds, char *why, size_t why_size)
{
	struct answer answer = {.len = 0};
	const struct sigv4_pair header = {"Authorization", token};
	struct http_reply reply = {0};
	const struct http_request request = {
		.method = "GET",
		.endpoint = url,
		.target = target,
		.headers = &header,
		.header_count = token == NULL ? 0 : 1,
		.timeout_ms = TIMEOUT_MS,
		.reply_max = 1 << 20,
		.local = host_local(url->host),
		.body_fn = on_body,
		.ctx = &answer,
	};
	int ret = aws_http__send(http, &request, &reply);
	if (ret != 0) {
		snprintf(why, why_size, "container credentials: %.128s", aws_http__trouble(http));
	} else if (reply.status != 200) {
		snprintf(why, why_size, "container credentials: status %u from %.96s", reply.status,
		         url->authority);
		ret = reply.status == 401 || reply.status == 403 ? FAIL_DENIED : FAIL_REMOTE;
	} else {
		answer.text[answer.len] = '\0';
		ret = creds__json(answer.text, ret_creds, why, why_size);
	}
	explicit_bzero(&answer, sizeof(answer));
	return ret;
}

int creds_container__fetch(void *ctx, struct creds *ret_creds, char *why, size_t why_size)
{
	struct http_url url;
	char target[HTTP_PATH_MAX];
	char *token = NULL;
	int ret = place(&url, target, why, why_size);
	if (ret == 0) {
		ret = token_get(&token, why, why_size);
	}
	if (ret == 0) {
		ret = ask(ctx, &url, target, token, ret_creds, why, why_size);
	}
	creds__text_free(&token);
	return ret;
}
