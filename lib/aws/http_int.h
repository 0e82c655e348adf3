/*
 * aws/http_int.h - one HTTP request at a time, over connections that are kept (libcurl inside).
 *
 * Loop:    none; a call blocks its thread until the answer, the time limit, or *cancel.
 * Memory:  bodies are handed on as they come; the caller says how large one may be.
 * Threats: T33. Redirects are not followed, no netrc, no cookies, no user in a URL, certificates and
 *          host names checked, TLS 1.2 at least; the only scheme allowed is the URL's own.
 */
#pragma once

#include "base/addr.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_RESOLVE_MAX 8 /* addresses of one host */
#define HTTP_HOST_MAX    256
#define HTTP_PATH_MAX    256

struct sigv4_pair;
struct aws_http;

/* The parts of an endpoint's URL. */
struct http_url {
	char scheme[8];                    /* "http", "https" */
	char host[HTTP_HOST_MAX];          /* without the brackets of an IPv6 address */
	char authority[HTTP_HOST_MAX + 8]; /* as the Host header has it: no default port */
	uint16_t port;
	char path[HTTP_PATH_MAX]; /* without a trailing slash: "" or "/prefix" */
};

struct aws_http_opts {
	const bool *cancel;      /* read atomically; may be NULL */
	void (*idle)(void *ctx); /* about every 100 ms while waiting; may be NULL */
	void *idle_ctx;
	/* As aws_opts has it. NULL: the system's. */
	int (*resolve)(void *ctx, const char *host, struct addr *ret, size_t max);
	void *resolve_ctx;
};

/* Takes a copy of opts. NULL: no memory. */
struct aws_http *aws_http__new(const struct aws_http_opts *opts);
void aws_http__free(struct aws_http **http);

/* A piece of a body; status is known by then. A non-zero return ends the call and is its result. */
typedef int http_body_fn(void *ctx, unsigned int status, const char *bytes, size_t size);

/* For one who wants to know us too; files, PEM. Only certificates of ca are taken. */
struct http_tls {
	const char *certificate;
	const char *key;
	const char *ca;
};

struct http_request {
	const char *method;
	const struct http_url *endpoint;
	const char *target; /* as sent: path (the endpoint's own included) and query */
	const struct sigv4_pair *headers;
	size_t header_count;
	const void *body; /* NULL: none */
	size_t body_size;
	unsigned int timeout_ms;
	unsigned int wait_s;        /* silence before the answer that is no sign of trouble */
	const struct http_tls *tls; /* NULL: the system's certificates, and none of ours */
	size_t reply_max;           /* FAIL_LIMIT beyond */
	bool local;                 /* instance metadata: never through a proxy */
	http_body_fn *body_fn;      /* of the reply */
	void *ctx;
};

struct http_reply {
	unsigned int status;
	int64_t date_s; /* the Date header, since 1970; 0: none */
};

/*
 * 0 whenever a whole answer came, whatever its status. Else FAIL_NET, FAIL_TIMEOUT, FAIL_LIMIT,
 * FAIL_FORMAT (no HTTP), FAIL_SHUTDOWN (*cancel), FAIL_NOMEM, or what body_fn returned.
 */
int aws_http__send(struct aws_http *http, const struct http_request *request,
                   struct http_reply *ret_reply);

/* Why the last one failed, in one line; "" after success. */
const char *aws_http__trouble(const struct aws_http *http);

/* In url.c. FAIL_FORMAT: not an http(s) URL, or one with user, query or fragment. */
int aws_http__url(const char *url, struct http_url *ret_url);
