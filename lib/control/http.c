#include "control/http.h"

#include "base/fail.h"
#include "control/exchange_int.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG         128
#define CONNECTIONS_MAX 64
#define HEAD_MAX        4096
#define REQUEST_MS      10000
#define WHY_MAX         256

#define TYPE_TEXT    "text/plain; charset=utf-8"
#define TYPE_METRICS "text/plain; version=0.0.4; charset=utf-8"

struct http {
	struct exchange *exchange;
	struct http_opts opts;
	uint16_t port;
};

/* --- Answers --- */

struct reply {
	int status;
	const char *type;
	bool head_only;
	struct text body;
};

static const char *status_text(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 431:
		return "Request Header Fields Too Large";
	case 503:
		return "Service Unavailable";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Internal Server Error";
	}
}

static void reply_send(struct exchange_peer *peer, const struct reply *reply)
{
	struct text out;
	text_init(&out, 0);
	text_addf(&out,
	          "HTTP/1.1 %d %s\r\n"
	          "Content-Type: %s\r\n"
	          "Content-Length: %zu\r\n"
	          "%s"
	          "Cache-Control: no-store\r\n"
	          "X-Content-Type-Options: nosniff\r\n"
	          "Connection: close\r\n"
	          "\r\n",
	          reply->status, status_text(reply->status), reply->type, reply->body.len,
	          reply->status == 405 ? "Allow: GET, HEAD\r\n" : "");
	if (!reply->head_only) {
		text_add(&out, text_get(&reply->body), reply->body.len);
	}
	if (out.bad) {
		text_fini(&out); /* no memory: the connection ends without a word */
	}
	exchange_answer(peer, out.bytes, out.len); /* bytes are taken over */
}

static void fill_error(struct reply *reply, int status)
{
	reply->status = status;
	text_addf(&reply->body, "%d %s\n", status, status_text(status));
}

static void fill_metrics(const struct http *http, struct reply *reply)
{
	reply->type = TYPE_METRICS;
	http->opts.metrics(http->opts.ctx, &reply->body);
	if (reply->body.bad) { /* half the figures would be taken for all of them */
		text_fini(&reply->body);
		reply->type = TYPE_TEXT;
		fill_error(reply, 500);
	}
}

static void fill_state(const struct http *http, struct reply *reply,
                       bool (*good)(void *ctx, char *why, size_t why_size))
{
	char why[WHY_MAX] = "";
	if (good(http->opts.ctx, why, sizeof(why))) {
		text_addf(&reply->body, "ok\n");
	} else {
		reply->status = 503;
		text_addf(&reply->body, "%s\n", why);
	}
}

/* --- Requests --- */

static size_t head_whole(const char *bytes, size_t len)
{
	const char *end = memmem(bytes, len, "\r\n\r\n", 4);
	if (end != NULL) {
		return (size_t)(end - bytes) + 4;
	}
	end = memmem(bytes, len, "\n\n", 2); /* RFC 9112, section 2.2: a lone LF will do */
	return end == NULL ? 0 : (size_t)(end - bytes) + 2;
}

struct word {
	const char *at;
	size_t len;
};

static bool word_is(const struct word *word, const char *text)
{
	return word->len == strlen(text) && memcmp(word->at, text, word->len) == 0;
}

/* The next word of a line, one blank before it. */
static struct word word_next(const char **at)
{
	struct word word = {.at = *at, .len = strcspn(*at, " \r\n")};
	*at += word.len;
	if (**at == ' ') {
		(*at)++;
	}
	return word;
}

/* The path alone: no scheme and host (a proxy's form), no query. */
static struct word path_of(struct word target)
{
	static const char scheme[] = "http://";
	const size_t scheme_len = sizeof(scheme) - 1;
	if (target.len > scheme_len && strncasecmp(target.at, scheme, scheme_len) == 0) {
		const char *path = memchr(target.at + scheme_len, '/', target.len - scheme_len);
		size_t skipped = path == NULL ? target.len : (size_t)(path - target.at);
		target.at += skipped;
		target.len -= skipped;
	}
	const char *query = memchr(target.at, '?', target.len);
	if (query != NULL) {
		target.len = (size_t)(query - target.at);
	}
	return target;
}

static void request_answer(const struct http *http, const char *line, struct reply *reply)
{
	struct word method = word_next(&line);
	struct word target = word_next(&line);
	struct word version = word_next(&line);
	if (target.len == 0 || version.len != 8 || memcmp(version.at, "HTTP/", 5) != 0 ||
	    strspn(line, "\r\n") == 0) {
		fill_error(reply, 400);
		return;
	}
	reply->head_only = word_is(&method, "HEAD");
	struct word path = path_of(target);
	if (!word_is(&version, "HTTP/1.1") && !word_is(&version, "HTTP/1.0")) {
		fill_error(reply, 505);
	} else if (!reply->head_only && !word_is(&method, "GET")) {
		fill_error(reply, 405);
	} else if (word_is(&path, "/metrics")) {
		fill_metrics(http, reply);
	} else if (word_is(&path, "/healthz")) {
		fill_state(http, reply, http->opts.healthy);
	} else if (word_is(&path, "/readyz")) {
		fill_state(http, reply, http->opts.ready);
	} else {
		fill_error(reply, 404);
	}
}

static void request_arrives(void *ctx, struct exchange_peer *peer, const char *bytes, size_t len)
{
	struct reply reply = {.status = 200, .type = TYPE_TEXT};
	text_init(&reply.body, 0);
	if (len == 0) {
		fill_error(&reply, 431);
	} else {
		request_answer(ctx, bytes, &reply);
	}
	reply_send(peer, &reply);
	text_fini(&reply.body);
}

/* --- All of it --- */

/* Returns the descriptor, or a failure. */
static int listen_open(const struct addr *addr, uint16_t *ret_port)
{
	const int on = 1;
	struct addr bound = {.len = sizeof(bound.in6)};
	int fd = socket(addr->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return -errno;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(fd, &addr->sa, addr->len) != 0 || listen(fd, BACKLOG) != 0 ||
	    getsockname(fd, &bound.sa, &bound.len) != 0) {
		int error = errno;
		close(fd);
		return -error;
	}
	*ret_port = addr_port(&bound);
	return fd;
}

struct http *http_open(struct loop *loop, const struct http_opts *opts, char *err, size_t err_size)
{
	char where[ADDR_TEXT_MAX];
	struct http *http = calloc(1, sizeof(*http));
	if (http == NULL) {
		snprintf(err, err_size, "%s", fail_text(FAIL_NOMEM));
		return NULL;
	}
	http->opts = *opts;
	const struct exchange_opts exchange_opts = {
		.name = "http",
		.peers_max = CONNECTIONS_MAX,
		.request_max = HEAD_MAX,
		.request_ms = REQUEST_MS,
		.answer_ms = REQUEST_MS,
		.whole = head_whole,
		.request = request_arrives,
		.ctx = http,
	};
	int fd = listen_open(&opts->listen, &http->port);
	if (fd < 0) {
		snprintf(err, err_size, "cannot listen on %s (HTTP, metrics.listen): %s",
		         addr_text(&opts->listen, where), fail_text(fd));
		free(http);
		return NULL;
	}
	http->exchange = exchange_open(loop, fd, &exchange_opts);
	if (http->exchange == NULL) {
		snprintf(err, err_size, "%s", fail_text(FAIL_NOMEM));
		free(http);
		return NULL;
	}
	return http;
}

void http_close(struct http **ptr)
{
	struct http *http = *ptr;
	if (http == NULL) {
		return;
	}
	*ptr = NULL;
	exchange_close(&http->exchange);
	free(http);
}

uint16_t http_port(const struct http *http)
{
	return http->port;
}
