/*
 * forward/tcp_int.h - questions by TCP: a worker's connections to each target.
 *
 * One connection serves all questions to a target while it has room for them; the next is opened
 * when it is full. A server that closes with questions unanswered that it had been sent before its
 * last answer does not know how to take many: for LINE_SERIAL_MS it gets one at a time on each of
 * more connections.
 *
 * Loop:   its worker's.
 * Memory: TCP_OPEN connections a worker, LINE_STREAMS (or LINE_SERIAL) to one target; for room the
 *         longest idle one goes.
 * RFC:    7766, sections 6.2.1 and 6.2.2.
 */
#pragma once

#include "forward/stream_int.h"

#define TCP_OPEN       512
#define LINE_STREAMS   8
#define LINE_SERIAL    64 /* connections, with one question each */
#define LINE_SERIAL_MS 10000
#define LINE_REST_MS   200     /* between handshakes that fail */
#define LINE_FORGET_MS 3600000 /* a session without a connection: tickets seldom live longer */

/* A worker's connections to one target. */
struct line {
	struct forward_worker *worker;
	struct target *target; /* held */
	struct list link;      /* in the worker's lines */
	struct list streams;   /* the oldest first */
	unsigned int stream_count;
	uint64_t serial_until_ms;    /* one question a connection until then */
	uint64_t rest_until_ms;      /* TLS: no handshake before, since one has failed */
	struct tls_session *session; /* TLS: resumed by the next connection */
	struct loop_timer forget;    /* without connections: when there is nothing to remember */
};

/* Sends the try's question. 0 or why not; then try->stream is set. */
int tcp__start(struct try *try);
/* The try waits no longer. Does nothing when it does not. */
void tcp__close(struct try *try);
/* Its time has run out; an answer may be heard yet. */
void tcp__overdue(struct try *try);
/* A worker's end: no try waits any more. */
void tcp__close_all(struct forward_worker *worker);

/* TLS: a connection stands on which the try would go out at once. */
bool tcp__warm(const struct try *try);

/* For streams: the connection of this try ended. again: it may be asked on another one. */
void tcp__lost(struct try *try, bool again, enum forward_reason reason);
/* The stream is about to be freed. */
void tcp__gone(struct stream *stream);
bool line__serial(const struct line *line);
