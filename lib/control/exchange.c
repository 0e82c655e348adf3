#include "control/exchange_int.h"

#include "base/fail.h"
#include "base/list.h"
#include "base/log.h"
#include "loop/loop.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPT_BATCH 64   /* connections a turn: signals and timers come in between */
#define PAUSE_MS     1000 /* after accept() has failed for want of descriptors */
#define LINGER_MS    2000 /* for a peer to take note of the end */

enum peer_state {
	PEER_READING,
	PEER_WAITING, /* for the answer */
	PEER_WRITING,
	PEER_LEAVING, /* all is sent; what still comes is thrown away until the peer hangs up */
};

struct exchange_peer {
	struct list link;
	struct exchange *exchange;
	struct loop_fd lfd;
	struct loop_timer timer;
	enum peer_state state;
	size_t len;
	char *answer;
	size_t answer_len;
	size_t answer_sent;
	char request[]; /* request_max, and NUL */
};

struct exchange {
	struct loop *loop;
	struct exchange_opts opts;
	struct loop_fd lfd;
	struct loop_timer pause;
	struct list peers; /* the oldest first */
	size_t peer_count;
};

/* --- Listening, and not --- */

/* Peers stay in the kernel's queue. A pause without an end in time ends when a peer leaves. */
static void listen_pause(struct exchange *exchange, unsigned int ms)
{
	loop_fd_want(&exchange->lfd, 0);
	if (ms != 0) {
		loop_timer_set(&exchange->pause, ms);
	}
}

static void listen_resume(void *ctx)
{
	struct exchange *exchange = ctx;
	loop_timer_cancel(&exchange->pause);
	if (loop_fd_want(&exchange->lfd, LOOP_READ) != 0) {
		loop_timer_set(&exchange->pause, PAUSE_MS);
	}
}

/* --- A peer --- */

static void peer_free(struct exchange_peer *peer)
{
	struct exchange *exchange = peer->exchange;
	list_remove(&peer->link);
	exchange->peer_count--;
	loop_timer_cancel(&peer->timer);
	loop_fd_close(&peer->lfd);
	close(peer->lfd.fd);
	free(peer->answer);
	free(peer);
	if (exchange->lfd.want == 0 && !exchange->pause.armed) {
		listen_resume(exchange);
	}
}

static void peer_late(void *ctx)
{
	struct exchange_peer *peer = ctx;
	log_debug(peer->exchange->opts.name, "a client took too long and was cut off");
	peer_free(peer);
}

/*
 * A socket closed with octets unread resets the connection, and the answer may be lost on its way. So the end is
 * told first, and what comes until the peer hangs up is thrown away.
 */
static void peer_leave(struct exchange_peer *peer)
{
	peer->state = PEER_LEAVING;
	shutdown(peer->lfd.fd, SHUT_WR);
	loop_timer_set(&peer->timer, LINGER_MS);
	if (loop_fd_want(&peer->lfd, LOOP_READ) != 0) {
		peer_free(peer);
	}
}

static void peer_write(struct exchange_peer *peer)
{
	while (peer->answer_sent < peer->answer_len) {
		ssize_t sent = send(peer->lfd.fd, peer->answer + peer->answer_sent,
		                    peer->answer_len - peer->answer_sent, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR) {
			continue;
		}
		if (sent < 0 && errno == EAGAIN && loop_fd_want(&peer->lfd, LOOP_WRITE) == 0) {
			return;
		}
		if (sent < 0) {
			peer_free(peer);
			return;
		}
		peer->answer_sent += (size_t)sent;
		loop_timer_set(&peer->timer, peer->exchange->opts.answer_ms);
	}
	peer_leave(peer);
}

int exchange_fd(const struct exchange_peer *peer)
{
	return peer->lfd.fd;
}

void exchange_answer(struct exchange_peer *peer, char *bytes, size_t len)
{
	assert(peer->state == PEER_READING || peer->state == PEER_WAITING);
	if (bytes == NULL) {
		peer_free(peer);
		return;
	}
	peer->state = PEER_WRITING;
	peer->answer = bytes;
	peer->answer_len = len;
	loop_timer_set(&peer->timer, peer->exchange->opts.answer_ms);
	peer_write(peer);
}

/* Nobody listens to the peer until it has its answer: it may send on, or hang up. */
static void peer_ask(struct exchange_peer *peer, size_t len)
{
	peer->state = PEER_WAITING;
	loop_timer_cancel(&peer->timer);
	if (loop_fd_want(&peer->lfd, 0) != 0) {
		peer_free(peer);
		return;
	}
	peer->exchange->opts.request(peer->exchange->opts.ctx, peer, peer->request, len);
}

static void peer_read(struct exchange_peer *peer)
{
	const struct exchange_opts *opts = &peer->exchange->opts;
	while (peer->len < opts->request_max) {
		ssize_t got = recv(peer->lfd.fd, peer->request + peer->len,
		                   opts->request_max - peer->len, 0);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0 && errno == EAGAIN) {
			return;
		}
		if (got <= 0) {
			peer_free(peer);
			return;
		}
		peer->len += (size_t)got;
		size_t whole = opts->whole(peer->request, peer->len);
		if (whole != 0) {
			peer->request[whole] = '\0';
			peer_ask(peer, whole);
			return;
		}
	}
	peer_ask(peer, 0);
}

/* One portion; the loop comes back for more, and the timer ends it. */
static void peer_discard(struct exchange_peer *peer)
{
	ssize_t got = recv(peer->lfd.fd, peer->request, peer->exchange->opts.request_max, 0);
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
		peer_free(peer);
	}
}

static void peer_ready(void *ctx, int fd, unsigned int what)
{
	struct exchange_peer *peer = ctx;
	switch (peer->state) {
	case PEER_READING:
		peer_read(peer);
		break;
	case PEER_WAITING:
		break;
	case PEER_WRITING:
		peer_write(peer);
		break;
	case PEER_LEAVING:
		peer_discard(peer);
		break;
	}
}

/* --- New ones --- */

static struct exchange_peer *peer_oldest(const struct exchange *exchange, enum peer_state state)
{
	list_each (at, &exchange->peers) {
		struct exchange_peer *peer = list_item(at, struct exchange_peer, link);
		if (peer->state == state) {
			return peer;
		}
	}
	return NULL;
}

/* Who gives way to a new one when all places are taken: NULL when all are being served. */
static struct exchange_peer *peer_idle(const struct exchange *exchange)
{
	struct exchange_peer *peer = peer_oldest(exchange, PEER_LEAVING);
	return peer != NULL ? peer : peer_oldest(exchange, PEER_READING);
}

static struct exchange_peer *peer_new(struct exchange *exchange, int fd)
{
	struct exchange_peer *peer = calloc(1, sizeof(*peer) + exchange->opts.request_max + 1);
	if (peer == NULL) {
		return NULL;
	}
	peer->exchange = exchange;
	if (loop_fd_open(exchange->loop, &peer->lfd, fd, LOOP_READ, peer_ready, peer) != 0) {
		free(peer);
		return NULL;
	}
	loop_timer_init(exchange->loop, &peer->timer, peer_late, peer);
	loop_timer_set(&peer->timer, exchange->opts.request_ms);
	list_append(&exchange->peers, &peer->link);
	exchange->peer_count++;
	return peer;
}

/*
 * What was sent along with the connecting is read at once: so a flood of connections that say nothing pushes out
 * none that speaks.
 */
static void peer_welcome(struct exchange *exchange, int fd)
{
	const struct exchange_opts *opts = &exchange->opts;
	if (exchange->peer_count == opts->peers_max) {
		peer_free(peer_idle(exchange));
	}
	struct exchange_peer *peer = peer_new(exchange, fd);
	if (peer == NULL) {
		close(fd);
		return;
	}
	if (opts->admit == NULL || opts->admit(opts->ctx, peer)) {
		peer_read(peer);
	}
}

/* Errors of the connection itself; the listening socket is well. */
static bool accept_passes(int error)
{
	return error == EINTR || error == ECONNABORTED || error == EPROTO || error == EPERM ||
	       error == ENETDOWN || error == EHOSTUNREACH || error == ENETUNREACH;
}

static void listen_ready(void *ctx, int fd, unsigned int what)
{
	static struct log_limit limit;
	struct exchange *exchange = ctx;
	for (unsigned int i = 0; i < ACCEPT_BATCH; i++) {
		if (exchange->peer_count == exchange->opts.peers_max &&
		    peer_idle(exchange) == NULL) {
			listen_pause(exchange, 0);
			return;
		}
		int peer_fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (peer_fd >= 0) {
			peer_welcome(exchange, peer_fd);
		} else if (errno == EAGAIN) {
			return;
		} else if (!accept_passes(errno)) {
			int error = errno;
			if (log_allowed(&limit, 1, 60000)) {
				log_warn(exchange->opts.name, "cannot accept a connection: %s",
				         fail_text(-error));
			}
			listen_pause(exchange, PAUSE_MS);
			return;
		}
	}
}

/* --- All of it --- */

struct exchange *exchange_open(struct loop *loop, int fd, const struct exchange_opts *opts)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	if (exchange == NULL) {
		close(fd);
		return NULL;
	}
	exchange->loop = loop;
	exchange->opts = *opts;
	list_init(&exchange->peers);
	loop_timer_init(loop, &exchange->pause, listen_resume, exchange);
	if (loop_fd_open(loop, &exchange->lfd, fd, LOOP_READ, listen_ready, exchange) != 0) {
		close(fd);
		free(exchange);
		return NULL;
	}
	return exchange;
}

void exchange_close(struct exchange **ptr)
{
	struct exchange *exchange = *ptr;
	if (exchange == NULL) {
		return;
	}
	*ptr = NULL;
	list_each (at, &exchange->peers) {
		peer_free(list_item(at, struct exchange_peer, link));
	}
	loop_timer_cancel(&exchange->pause);
	loop_fd_close(&exchange->lfd);
	close(exchange->lfd.fd);
	free(exchange);
}
