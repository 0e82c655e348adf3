/* bench/load_tcp.c - questions and answers over reused TCP connections (RFC 7766). */
#include "load_int.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNS_MAX 64
#define ROOM      65536
#define NAP_MS    20

struct conn {
	unsigned int open; /* questions outstanding */
	size_t in_len;
	size_t out_len;
	uint8_t in[2 * ROOM];
	uint8_t out[ROOM];
};

static struct conn conns[CONNS_MAX];
static struct pollfd fds[CONNS_MAX];

static void conn_open(struct run *run, unsigned int i)
{
	conns[i].open = 0;
	conns[i].in_len = 0;
	conns[i].out_len = 0;
	fds[i] = (struct pollfd){sock_tcp_connected(&run->server), POLLIN, 0};
}

static void conn_again(struct run *run, unsigned int i)
{
	run->slots.result.broken++;
	slots_drop_conn(&run->slots, (uint16_t)i);
	close(fds[i].fd);
	conn_open(run, i);
}

/* The connection's share of the window, into one write. */
static void conn_ask(struct run *run, unsigned int i, uint64_t now_ns)
{
	struct conn *conn = &conns[i];
	unsigned int share = (run->slots.window + run->conns - 1) / run->conns;
	while (conn->open < share && sizeof(conn->out) - conn->out_len > QUESTION_MAX &&
	       run_may_send(run, now_ns)) {
		struct slot *slot = slots_take(&run->slots, now_ns);
		size_t len = 2u + slot->question->len;
		slot->conn = (uint16_t)i;
		memcpy(conn->out + conn->out_len, slot->bytes, len);
		conn->out_len += len;
		conn->open++;
	}
	if (conn->out_len == 0) {
		return;
	}
	ssize_t n = send(fds[i].fd, conn->out, conn->out_len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN) {
		conn_again(run, i);
		return;
	}
	if (n > 0) {
		conn->out_len -= (size_t)n;
		memmove(conn->out, conn->out + n, conn->out_len);
	}
	fds[i].events = conn->out_len != 0 ? POLLIN | POLLOUT : POLLIN;
}

static void conn_settle(struct run *run, struct conn *conn)
{
	uint64_t now_ns = mono_ns();
	size_t at = 0;
	while (conn->in_len - at >= 2) {
		size_t len = get16(conn->in + at);
		if (conn->in_len - at < 2 + len) {
			break;
		}
		if (slots_settle(&run->slots, conn->in + at + 2, len, now_ns) != NULL) {
			conn->open--;
		}
		at += 2 + len;
	}
	conn->in_len -= at;
	memmove(conn->in, conn->in + at, conn->in_len);
}

static void conn_hear(struct run *run, unsigned int i)
{
	struct conn *conn = &conns[i];
	ssize_t n = recv(fds[i].fd, conn->in + conn->in_len, sizeof(conn->in) - conn->in_len,
	                 MSG_DONTWAIT);
	if (n > 0) {
		conn->in_len += (size_t)n;
		conn_settle(run, conn);
	} else if (n == 0 || errno != EAGAIN) {
		conn_again(run, i);
	}
}

/* Nothing has come for two seconds: nothing will. */
static bool silent(const struct run *run, uint64_t now_ns)
{
	uint64_t last_ns = run->slots.result.last_ns;
	return now_ns - (last_ns != 0 ? last_ns : run->began_ns) > 2000000000u;
}

void run_tcp(struct run *run)
{
	for (unsigned int i = 0; i < run->conns; i++) {
		conn_open(run, i);
	}
	run->began_ns = mono_ns();
	for (;;) {
		uint64_t now_ns = mono_ns();
		if (run_over(run, now_ns) || silent(run, now_ns)) {
			slots_sweep(&run->slots, now_ns, true);
			break;
		}
		for (unsigned int i = 0; i < run->conns; i++) {
			conn_ask(run, i, now_ns);
		}
		poll(fds, run->conns, run->spin || run->rate != 0 ? 0 : NAP_MS);
		for (unsigned int i = 0; i < run->conns; i++) {
			if ((fds[i].revents & ~POLLOUT) != 0) {
				conn_hear(run, i);
			}
		}
	}
}
