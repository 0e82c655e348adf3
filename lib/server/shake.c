/* server/shake.c - TLS on connections of clients (RFC 7858): the handshake, and octets in clear or not. */
#include "server/conn_int.h"

#include "base/log.h"
#include "tls/tls.h"
#include <errno.h>

#define SHAKING_MAX 256 /* handshakes of a worker under way */
#define SHAKES_TURN 4   /* steps of them in one turn */

/* One more handshake: the oldest that does not come to its end makes way (T42). */
void shake__begin(struct conn *conn)
{
	struct worker *worker = conn->worker;
	if (worker->shaking_count >= SHAKING_MAX) {
		conn__close(list_item(worker->shaking.next, struct conn, shake));
	}
	conn->by_tls = true;
	conn->shaking = true;
	list_append(&worker->shaking, &conn->shake);
	worker->shaking_count++;
	__atomic_fetch_add(&worker->server->tls_conns, 1, __ATOMIC_RELAXED);
}

void shake__end(struct conn *conn, bool done)
{
	struct worker *worker = conn->worker;
	if (!conn->shaking) {
		return;
	}
	conn->shaking = false;
	list_remove(&conn->shake);
	worker->shaking_count--;
	if (!done) {
		metric_add(&worker->counters.tls_failed, 1);
	} else if (tls_resumed(conn->tls)) {
		metric_add(&worker->counters.tls_resumed, 1);
	} else {
		metric_add(&worker->counters.tls_full, 1);
	}
}

void shake__turn_ended(void *ctx)
{
	struct worker *worker = ctx;
	worker->shakes = 0;
}

/*
 * A handshake costs as much as a hundred questions and more: a turn has a few, the others are ready still
 * in the next.
 */
static bool shake_allowed(struct worker *worker)
{
	if (worker->shakes == 0) {
		loop_timer_set(&worker->turned, 0);
	}
	return worker->shakes++ < SHAKES_TURN;
}

bool shake__step(struct conn *conn)
{
	if (!shake_allowed(conn->worker)) {
		return true;
	}
	if (conn->tls == NULL) {
		struct tls_host *host = server_tls(conn->worker->server);
		conn->tls = tls_accept(host, conn->fd);
		tls_host_unref(&host);
		if (conn->tls == NULL) {
			return false;
		}
	}
	int ret = tls_handshake(conn->tls);
	if (ret == 0) {
		shake__end(conn, true);
		conn->active_ms = loop_now_ms(conn->worker->loop);
	} else if (ret != -EAGAIN) {
		char client[ADDR_TEXT_MAX];
		log_debug("server", "TLS with %s: %s", addr_text(&conn->client, client),
		          tls_error(conn->tls));
		return false;
	}
	return true;
}

ssize_t conn__recv(struct conn *conn, void *bytes, size_t size)
{
	if (conn->tls == NULL) {
		return recv(conn->fd, bytes, size, 0);
	}
	ssize_t n = tls_recv(conn->tls, bytes, size);
	errno = n < 0 ? (int)-n : 0;
	return n < 0 ? -1 : n;
}

ssize_t conn__send(struct conn *conn, const void *bytes, size_t size)
{
	if (conn->tls == NULL) {
		return send(conn->fd, bytes, size, MSG_NOSIGNAL);
	}
	ssize_t n = tls_send(conn->tls, bytes, size);
	errno = n < 0 ? (int)-n : 0;
	return n < 0 ? -1 : n;
}
