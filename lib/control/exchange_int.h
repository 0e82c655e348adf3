/*
 * control/exchange_int.h - short exchanges: a request comes, an answer goes, the connection ends.
 *
 * The bounded machine below the control socket and HTTP: a listening socket, a fixed number of peers, each with a
 * buffer of fixed size and a time to finish in. When all places are taken, the peer who has been longest
 * without a whole request gives way, so that half requests never keep a whole one out.
 *
 * Loop:   the control thread's. exchange_close never from inside a callback.
 * Memory: peers_max times request_max, and the answers under way.
 * Threats: T39.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct loop;
struct exchange;
struct exchange_peer;

struct exchange_opts {
	const char *name; /* for logs; borrowed for good */
	size_t peers_max;
	size_t request_max;      /* octets, its end mark included */
	unsigned int request_ms; /* for the whole request */
	unsigned int answer_ms;  /* without any octet of the answer taken */
	/* A new connection. False: it was turned away with exchange_answer. NULL: all are welcome. */
	bool (*admit)(void *ctx, struct exchange_peer *peer);
	/* The octets that are one whole request; 0: not yet. */
	size_t (*whole)(const char *bytes, size_t len);
	/*
	 * Must end in exactly one exchange_answer, now or later. bytes (NUL behind them) are borrowed until then.
	 * len 0: more than request_max came and no end.
	 */
	void (*request)(void *ctx, struct exchange_peer *peer, const char *bytes, size_t len);
	void *ctx;
};

/* fd listens and does not block; it is taken over, also on failure (NULL: no memory). Copies opts. */
struct exchange *exchange_open(struct loop *loop, int fd, const struct exchange_opts *opts);
/* Ends every connection, answered or not. Sets *exchange to NULL. NULL is fine. */
void exchange_close(struct exchange **exchange);

/* The connection, to look at. */
int exchange_fd(const struct exchange_peer *peer);

/* bytes come from malloc and are taken over; NULL: the connection ends without a word. */
void exchange_answer(struct exchange_peer *peer, char *bytes, size_t len);
