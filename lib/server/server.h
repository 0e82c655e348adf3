/*
 * server/server.h - the workers: listeners, batches, TCP connections, and questions that wait.
 *
 * One thread a worker, each with its own loop, its own SO_REUSEPORT sockets for every listen address,
 * and its own part of forward/. A question is run (query/), answered from memory at once, or parked
 * until an upstream has spoken.
 *
 * Loop:   server_* calls come from the control thread.
 * Memory: bounded: questions waiting (in all and a client), connections (in all and a client), bytes a connection.
 * RFC:    7766 (TCP), 7828 (keepalive), 7858 (TLS), 8767 (the client timer); threats T19, T21, T22.
 */
#pragma once

#include "base/addr.h"
#include "cache/cache.h"
#include "forward/forward.h"
#include "query/query.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server;
struct tls_host;

struct server_opts {
	const struct addr *listen;
	size_t listen_count;
	const struct addr *tls_listen; /* DNS over TLS (RFC 7858); none unless tls is set */
	size_t tls_listen_count;
	struct tls_host *tls; /* what is shown there; borrowed. NULL with server_tune: as it was */
	unsigned int workers; /* at least 1 */
	unsigned int tcp_max_connections;
	unsigned int tcp_max_per_client;
	unsigned int tcp_idle_s;
	unsigned int stale_after_ms;
	bool log_queries;
	const struct world_root *root;
	struct cache *cache;
	struct forward *forward;
};

/*
 * Each question has its answer by then: data, stale data, or SERVFAIL. DESIGN section 4 promises 1.8 s to the client;
 * the rest is for a busy machine to get it out.
 */
#define SERVER_ANSWER_MS 1650

/*
 * Opens every socket (so that privileges may be dropped after it) and prepares the workers. Returns 0 or a failure
 * with one line in err ("cannot listen on 10.0.0.2:53 (UDP): Address already in use").
 */
int server_new(const struct server_opts *opts, struct server **ret_server, char *err,
               size_t err_size);

/* Starts the threads. */
int server_start(struct server *server);

/* New limits and switches of a reload (listen and workers stay as they are). */
void server_tune(struct server *server, const struct server_opts *opts);

/* No new questions; those in flight are answered for at most drain_ms; threads ended, all freed. */
void server_stop(struct server **server, unsigned int drain_ms);

/* Every worker has turned its loop since the last call: for the watchdog. */
bool server_alive(struct server *server);

/* horizond_queries_total and what else the workers count. ctx is the server. */
void server_metrics(void *server, struct text *out);

/*
 * Runs one question as if from had sent it and tells how it was answered. Handed over until done runs, on a
 * worker's thread: done must pass it on (a mailbox) and not linger.
 */
struct server_explain {
	uint8_t packet[512]; /* the question */
	size_t packet_size;
	struct addr from;
	struct query_trace trace;
	uint8_t answer[DNS_MSG_MAX];
	size_t answer_size;
	void (*done)(struct server_explain *explain);
	void *ctx;
};
/* FAIL_BUSY: the worker's box is full. */
int server_explain(struct server *server, struct server_explain *explain);

/*
 * One question of our own upstream, past zones and cache; it stands behind those of clients. Handed over until done
 * runs, on a worker's thread or (at the end) on that of server_stop: done must pass it on and not linger.
 */
struct server_ask {
	uint32_t origin;
	uint16_t qtype;
	uint8_t name[DNS_NAME_MAX + 1]; /* wire */
	int why;                        /* 0: answer holds a checked reply to the question */
	size_t answer_size;
	uint8_t answer[DNS_MSG_MAX];
	void (*done)(struct server_ask *ask);
	void *ctx;
};
/* FAIL_BUSY: the worker's box is full; FAIL_NOMEM. */
int server_ask(struct server *server, struct server_ask *ask);
