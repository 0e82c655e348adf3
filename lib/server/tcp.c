/*
 * server/tcp.c - connections of clients: many questions each, answered as they become ready (RFC 7766).
 *
 * A connection that idles holds no buffer. What one read brought is worked on in the worker's own room; only a
 * message cut by the end of a read, or answers that the socket did not take, are kept with the connection.
 */
#include "server/conn_int.h"

#include "base/epoch.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include "tls/tls.h"
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONN_WAITING_MAX 128 /* questions of one connection in flight; then we read no more */
#define CONN_OUT_MAX     (256u << 10) /* answers not taken; then we read no more */
#define CONN_OUT_CAP     (1u << 20)   /* with those that were under way by then; more: the end */
#define FRAME_MS         10000 /* a message begun must end in that time, an answer be taken */
#define ACCEPT_ROUND     64
#define ACCEPT_AGAIN_MS  100 /* after the system had no room for a connection */
#define BACKLOG          1024

void conn__close(struct conn *conn)
{
	struct worker *worker = conn->worker;
	list_each (at, &conn->waiting) {
		struct parked *parked = list_item(at, struct parked, conn_link);
		list_remove(&parked->conn_link);
		parked->conn = NULL;
	}
	loop_timer_cancel(&conn->timer);
	loop_fd_close(&conn->lfd);
	if (conn->by_tls) {
		shake__end(conn, false);
		tls_free(&conn->tls);
		__atomic_fetch_sub(&worker->server->tls_conns, 1, __ATOMIC_RELAXED);
	}
	close(conn->fd);
	gate_conn_end(worker->server->gate, &conn->client);
	__atomic_fetch_sub(&worker->server->conns, 1, __ATOMIC_RELAXED);
	list_remove(&conn->link);
	free(conn->in.at);
	free(conn->out.at);
	free(conn);
}

static bool bytes_add(struct bytes *bytes, const uint8_t *add, size_t len)
{
	if (len == 0) {
		return true;
	}
	uint8_t *at = realloc(bytes->at, bytes->len + len);
	if (at == NULL) {
		return false;
	}
	memcpy(at + bytes->len, add, len);
	bytes->at = at;
	bytes->len += len;
	return true;
}

static void bytes_drop(struct bytes *bytes, size_t len)
{
	bytes->len -= len;
	if (bytes->len == 0) {
		free(bytes->at);
		bytes->at = NULL;
	} else if (len != 0) {
		memmove(bytes->at, bytes->at + len, bytes->len);
	}
}

/* It has not too much under way to go on. */
static bool conn_works(const struct conn *conn)
{
	return conn->waiting_count < CONN_WAITING_MAX && conn->out.len < CONN_OUT_MAX;
}

static bool conn_reads(const struct conn *conn)
{
	return !conn->eof && conn_works(conn);
}

/* A whole message was kept, because too much was under way. */
static bool conn_holds(const struct conn *conn)
{
	return conn->in.len >= 2 && conn->in.len - 2 >= get_u16(conn->in.at);
}

static uint64_t conn_patience_ms(const struct conn *conn)
{
	uint64_t idle_ms = (uint64_t)LIMIT(conn->worker->server, tcp_idle_s) * 1000;
	if (conn->shaking && idle_ms > SHAKE_MS) {
		return SHAKE_MS;
	}
	return conn->busy && idle_ms > FRAME_MS ? FRAME_MS : idle_ms;
}

/* After whatever has changed: what is waited for, and how long. */
static void conn_settle(struct conn *conn)
{
	if (conn->shaking) {
		bool out = conn->tls != NULL && tls_wants_write(conn->tls);
		loop_fd_want(&conn->lfd, out ? LOOP_WRITE : LOOP_READ);
		return;
	}
	bool busy = conn->in.len != 0 || conn->out.len != 0;
	if (busy && !conn->busy) {
		conn->busy = true;
		conn->active_ms = loop_now_ms(conn->worker->loop);
		loop_timer_set(&conn->timer, conn_patience_ms(conn));
	}
	conn->busy = busy;
	bool writes = conn->out.len != 0 || (conn_works(conn) && conn_holds(conn));
	loop_fd_want(&conn->lfd, (conn_reads(conn) ? LOOP_READ : 0) | (writes ? LOOP_WRITE : 0));
}

static void conn_due(void *ctx)
{
	struct conn *conn = ctx;
	uint64_t idle_ms = loop_now_ms(conn->worker->loop) - conn->active_ms;
	uint64_t patience_ms = conn_patience_ms(conn);
	if (conn->lost) {
		conn__close(conn);
	} else if (conn->waiting_count != 0 && conn->out.len == 0) {
		loop_timer_set(&conn->timer, patience_ms); /* it is we who are slow */
	} else if (idle_ms >= patience_ms) {
		if (conn->out.len != 0) {
			/* Who does not read would not see a FIN behind it all: what waits is thrown away. */
			const struct linger reset = {.l_onoff = 1};
			setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		}
		conn__close(conn);
	} else {
		loop_timer_set(&conn->timer, patience_ms - idle_ms);
	}
}

static void conn_active(struct conn *conn)
{
	conn->active_ms = loop_now_ms(conn->worker->loop);
	list_remove(&conn->link);
	list_append(&conn->worker->conns, &conn->link);
}

/* Writes now what the socket takes; the rest is kept. False: the connection is gone (not yet closed). */
static bool conn_write(struct conn *conn, const uint8_t *bytes, size_t len)
{
	if (conn->out.len == 0) {
		ssize_t n = conn__send(conn, bytes, len);
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			return false;
		}
		size_t taken = n > 0 ? (size_t)n : 0;
		bytes += taken;
		len -= taken;
	}
	return bytes_add(&conn->out, bytes, len);
}

/* The answers of this turn leave in one write. */
static bool turn_flush(struct conn *conn)
{
	struct worker *worker = conn->worker;
	bool ok =
		worker->tcp_out_len == 0 || conn_write(conn, worker->tcp_out, worker->tcp_out_len);
	worker->tcp_out_len = 0;
	return ok;
}

/* Takes from out what the socket takes. False: the connection is gone (not yet closed). */
static bool conn_push(struct conn *conn)
{
	ssize_t n = conn__send(conn, conn->out.at, conn->out.len);
	if (n < 0) {
		return errno == EAGAIN || errno == EINTR;
	}
	bytes_drop(&conn->out, (size_t)n);
	conn_active(conn);
	return true;
}

/* Not closed here, where others may be at work with it: as soon as the timers come. */
static void conn_lose(struct conn *conn)
{
	conn->lost = true;
	loop_timer_set(&conn->timer, 0);
}

/* One more answer behind those not yet taken. False: no memory, or no room left. */
static bool conn_keep(struct conn *conn, const uint8_t *length, const uint8_t *bytes, size_t size)
{
	if (conn->out.len >= CONN_OUT_MAX && (!conn_push(conn) || conn->out.len >= CONN_OUT_CAP)) {
		return false;
	}
	return bytes_add(&conn->out, length, 2) && bytes_add(&conn->out, bytes, size);
}

void tcp_answer(struct conn *conn, const uint8_t *bytes, size_t size)
{
	struct worker *worker = conn->worker;
	uint8_t length[2];
	put_u16(length, (uint16_t)size);
	if (conn->in_turn && worker->tcp_out_len + 2 + size <= TCP_OUT_ROOM) {
		memcpy(worker->tcp_out + worker->tcp_out_len, length, 2);
		memcpy(worker->tcp_out + worker->tcp_out_len + 2, bytes, size);
		worker->tcp_out_len += 2 + size;
		return;
	}
	/* Kept, and sent when the loop finds the socket writable: with whatever else comes this turn. */
	if (conn->lost || !conn_keep(conn, length, bytes, size)) {
		conn_lose(conn);
		return;
	}
	conn_settle(conn);
}

void tcp_waits(struct conn *conn, struct parked *parked)
{
	parked->conn = conn;
	list_append(&conn->waiting, &parked->conn_link);
	conn->waiting_count++;
}

/* Runs one message; its answer goes behind the others of this turn. False: write failed. */
static bool conn_question(struct conn *conn, const uint8_t *wire, size_t size, uint64_t now_s)
{
	struct worker *worker = conn->worker;
	if (TCP_OUT_ROOM - worker->tcp_out_len < 2 + DNS_MSG_MAX && !turn_flush(conn)) {
		return false;
	}
	struct query_in in = {.wire = wire,
	                      .size = size,
	                      .client = &conn->client,
	                      .proto = conn->by_tls ? QUERY_TLS : QUERY_TCP,
	                      .now_s = now_s};
	uint8_t *out = worker->tcp_out + worker->tcp_out_len;
	struct query_ask ask;
	size_t answer = 0;
	enum query_next next =
		query_run(&worker->query, &in, NULL, out + 2, DNS_MSG_MAX, &answer, &ask);
	if (next == QUERY_ASK) {
		struct parked_from from = {.conn = conn};
		if (parked_new(worker, &in, &ask, &from, worker->answer, DNS_MSG_MAX, &answer)) {
			return true;
		}
		tcp_answer(conn, worker->answer, answer);
		return true;
	}
	if (next == QUERY_ANSWER) {
		put_u16(out, (uint16_t)answer);
		worker->tcp_out_len += 2 + answer;
		worker->tcp_answers++;
	}
	return true;
}

/* Works on whole messages; returns how many octets were used, or -1 when the connection is to close. */
static ssize_t conn_messages(struct conn *conn, const uint8_t *bytes, size_t len)
{
	uint64_t now_s = loop_now_ms(conn->worker->loop) / 1000;
	size_t used = 0;
	bool ok = true;
	epoch_read_begin();
	while (ok && conn_works(conn) && len - used >= 2) {
		size_t size = get_u16(bytes + used);
		if (len - used - 2 < size) {
			break;
		}
		ok = conn_question(conn, bytes + used + 2, size, now_s);
		used += 2 + size;
	}
	epoch_read_end();
	refresh_start(conn->worker);
	if (used != 0 &&
	    conn->out.len == 0) { /* questions alone do not help who takes no answers */
		conn_active(conn);
	}
	return ok ? (ssize_t)used : -1;
}

/* It has all its answers. */
static bool conn_idle(const struct conn *conn)
{
	return conn->waiting_count == 0 && conn->out.len == 0 && !conn_holds(conn);
}

/* What came by now: new octets in the worker's room, behind what was kept. */
static bool conn_work(struct conn *conn, size_t got)
{
	struct worker *worker = conn->worker;
	uint64_t began_us = mono_us();
	const uint8_t *bytes = worker->tcp_in;
	size_t len = got;
	if (conn->in.len != 0) {
		if (!bytes_add(&conn->in, worker->tcp_in, got)) {
			return false;
		}
		bytes = conn->in.at;
		len = conn->in.len;
	}
	conn->in_turn = true;
	worker->tcp_answers = 0;
	ssize_t used = conn_messages(conn, bytes, len);
	metric_hist_add(&worker->query.counters.seconds, mono_us() - began_us, worker->tcp_answers);
	bool ok = used >= 0 && turn_flush(conn);
	conn->in_turn = false;
	worker->tcp_out_len = 0;
	if (!ok) {
		return false;
	}
	if (conn->in.len != 0) {
		bytes_drop(&conn->in, (size_t)used);
	} else {
		ok = bytes_add(&conn->in, bytes + used, len - (size_t)used);
	}
	return ok;
}

/* False, as below: the connection is to close. */
static bool conn_readable(struct conn *conn)
{
	/* Longer than a TLS record: nothing is left in OpenSSL that would not wake us. */
	ssize_t n = conn__recv(conn, conn->worker->tcp_in, DNS_MSG_MAX + 2);
	if (n < 0) {
		return errno == EAGAIN || errno == EINTR;
	}
	if (n == 0) {
		conn->eof = true;
		return true;
	}
	return conn_work(conn, (size_t)n);
}

/* Answers, then messages that had to wait because too much was under way. */
static bool conn_writable(struct conn *conn)
{
	if (conn->out.len != 0 && !conn_push(conn)) {
		return false;
	}
	return !conn_holds(conn) || conn_work(conn, 0);
}

static void conn_end_turn(struct conn *conn, bool ok)
{
	if (!ok || (conn->eof && conn_idle(conn))) {
		conn__close(conn);
	} else {
		conn_settle(conn);
	}
}

static void conn_ready(void *ctx, int fd, unsigned int what)
{
	struct conn *conn = ctx;
	if (conn->shaking) {
		conn_end_turn(conn, shake__step(conn));
		return;
	}
	bool ok = !(what & LOOP_WRITE) || conn_writable(conn);
	if (ok && (what & LOOP_READ) && conn_reads(conn)) {
		ok = conn_readable(conn);
	}
	conn_end_turn(conn, ok);
}

void tcp_waits_no_more(struct parked *parked)
{
	struct conn *conn = parked->conn;
	if (conn == NULL) {
		return;
	}
	parked->conn = NULL;
	list_remove(&parked->conn_link);
	conn->waiting_count--;
	if (!conn->in_turn) {
		conn_settle(conn); /* what was held may go on */
	}
}

/* Room for one more: under the limits, or the longest idle one makes way (T21). */
static bool conn_room(struct worker *worker)
{
	unsigned int most = LIMIT(worker->server, tcp_max_connections);
	if (__atomic_load_n(&worker->server->conns, __ATOMIC_RELAXED) < most) {
		return true;
	}
	list_each (at, &worker->conns) {
		struct conn *conn = list_item(at, struct conn, link);
		if (conn->waiting_count == 0) {
			metric_add(&worker->counters.tcp_evicted, 1);
			conn__close(conn);
			return true;
		}
	}
	return false;
}

static struct conn *conn_new(struct worker *worker, int fd, const struct addr *client, bool tls)
{
	struct conn *conn = calloc(1, sizeof(*conn));
	if (conn == NULL ||
	    loop_fd_open(worker->loop, &conn->lfd, fd, LOOP_READ, conn_ready, conn) != 0) {
		free(conn);
		return NULL;
	}
	conn->worker = worker;
	conn->fd = fd;
	conn->client = *client;
	conn->active_ms = loop_now_ms(worker->loop);
	list_init(&conn->waiting);
	list_append(&worker->conns, &conn->link);
	list_init(&conn->shake);
	if (tls) {
		shake__begin(conn);
	}
	loop_timer_init(worker->loop, &conn->timer, conn_due, conn);
	loop_timer_set(&conn->timer, conn_patience_ms(conn));
	__atomic_fetch_add(&worker->server->conns, 1, __ATOMIC_RELAXED);
	return conn;
}

static void conn_accept(struct tcp_listener *listener, int fd, const struct addr *client)
{
	struct worker *worker = listener->worker;
	struct server *server = worker->server;
	/* Who has had his share displaces nobody: the gate comes first. */
	bool counted = gate_conn_begin(server->gate, client, LIMIT(server, tcp_max_per_client),
	                               loop_now_ms(worker->loop));
	bool room = counted && conn_room(worker);
	int one = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (room && conn_new(worker, fd, client, listener->tls) != NULL) {
		metric_add(&worker->counters.tcp_accepted, 1);
		return;
	}
	if (counted) {
		gate_conn_end(server->gate, client);
	}
	metric_add(&worker->counters.tcp_refused, 1);
	close(fd);
}

static void listener_again(void *ctx)
{
	struct tcp_listener *listener = ctx;
	loop_fd_want(&listener->lfd, LOOP_READ);
}

/* The system has no room for one more: the longest idle makes way. False: there is none, a pause. */
static bool listener_room(struct tcp_listener *listener, int error)
{
	static struct log_limit limit;
	struct worker *worker = listener->worker;
	if (log_allowed(&limit, 1, 10000)) {
		log_error("server",
		          "no room for TCP connections (%s): raise LimitNOFILE or lower "
		          "tcp.max_connections",
		          fail_text(-error));
	}
	if ((error == EMFILE || error == ENFILE) && !list_empty(&worker->conns)) {
		metric_add(&worker->counters.tcp_evicted, 1);
		conn__close(list_item(worker->conns.next, struct conn, link));
		return true;
	}
	loop_fd_want(&listener->lfd, 0);
	loop_timer_set(&listener->again, ACCEPT_AGAIN_MS);
	return false;
}

static void listener_ready(void *ctx, int fd, unsigned int what)
{
	struct tcp_listener *listener = ctx;
	for (unsigned int i = 0; i < ACCEPT_ROUND; i++) {
		struct addr client = {.len = sizeof(client.in6)};
		int conn = accept4(fd, &client.sa, &client.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (conn >= 0) {
			conn_accept(listener, conn, &client);
			continue;
		}
		switch (errno) {
		case EMFILE:
		case ENFILE:
		case ENOBUFS:
		case ENOMEM:
			if (!listener_room(listener, errno)) {
				return;
			}
			break;
		case EAGAIN:
			return;
		default:
			break; /* a client that has gone again */
		}
	}
}

int tcp_socket(const struct addr *addr, char *err, size_t err_size)
{
	char text[ADDR_TEXT_MAX];
	int one = 1;
	int ret = 0;
	int fd = socket(addr->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) != 0 ||
	    (addr->sa.sa_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) != 0) ||
	    bind(fd, &addr->sa, addr->len) != 0 || listen(fd, BACKLOG) != 0) {
		ret = -errno;
		snprintf(err, err_size, "cannot listen on %s (TCP): %s", addr_text(addr, text),
		         fail_text(ret));
		if (fd >= 0) {
			close(fd);
		}
		return ret;
	}
	return fd;
}

int tcp_open(struct tcp_listener *listener, struct worker *worker, int fd, bool tls)
{
	listener->worker = worker;
	listener->tls = tls;
	loop_timer_init(worker->loop, &worker->turned, shake__turn_ended, worker);
	listener->fd = fd;
	loop_timer_init(worker->loop, &listener->again, listener_again, listener);
	return loop_fd_open(worker->loop, &listener->lfd, fd, LOOP_READ, listener_ready, listener);
}

void tcp_close(struct tcp_listener *listener)
{
	if (listener->fd >= 0) {
		loop_timer_cancel(&listener->again);
		loop_fd_close(&listener->lfd);
		close(listener->fd);
		listener->fd = -1;
	}
}

void tcp_close_all(struct worker *worker, bool idle_only)
{
	list_each (at, &worker->conns) {
		struct conn *conn = list_item(at, struct conn, link);
		if (!idle_only || conn_idle(conn)) {
			conn__close(conn);
		}
	}
}

void tcp_drain_all(struct worker *worker)
{
	list_each (at, &worker->conns) {
		struct conn *conn = list_item(at, struct conn, link);
		bool ok = !conn->shaking && (!conn_reads(conn) || conn_readable(conn));
		conn->eof = true;
		conn_end_turn(conn, ok);
	}
}
