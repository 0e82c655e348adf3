/*
 * control/http.h - /metrics, /healthz and /readyz over HTTP. GET and HEAD only; one request a connection.
 *
 * A server of our own on the machine of the control socket (exchange_int.h): libevent's evhttp can bound neither
 * the number of connections nor the time of a request, and the listener may stand in a network.
 *
 * Loop: the control thread's. Bounded: 64 connections, headers 4 KiB, no bodies, 10 s a request.
 * RFC:  9110, 9112.
 */
#pragma once

#include "base/addr.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>

struct loop;
struct http;

struct http_opts {
	struct addr listen;
	void (*metrics)(void *ctx, struct text *out);           /* Prometheus text 0.0.4 */
	bool (*healthy)(void *ctx, char *why, size_t why_size); /* false: 503 with why */
	bool (*ready)(void *ctx, char *why, size_t why_size);
	void *ctx;
};

/* NULL: one line in err. */
struct http *http_open(struct loop *loop, const struct http_opts *opts, char *err, size_t err_size);
void http_close(struct http **http);
/* The port that it listens on, where opts left that to the system (0). */
uint16_t http_port(const struct http *http);

/* process_* metrics (CPU, memory, descriptors, threads, start time) of ourselves. */
void http_process_metrics(struct text *out);

/*
 * horizond_allowance_exceeded_total{interface,allowance="linklocal|conntrack"}: packets that the cloud dropped, of the
 * interfaces whose driver counts them (ENA); nothing where none does. Looked up every ten seconds at most.
 */
void http_allowance_metrics(struct text *out);
