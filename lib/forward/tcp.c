#include "base/cursor.h"
#include "base/fail.h"
#include "base/mono.h"
#include "forward/tcp_int.h"
#include <assert.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

struct tcp {
	struct try *try;
	struct loop_fd lfd;
	int fd;
	bool connected;
	uint8_t messages; /* read so far */
	uint8_t head[2];  /* the length of what comes */
	uint16_t in_size;
	size_t got; /* of head and message */
	uint8_t *in;
	size_t out_size;
	size_t sent;
	uint8_t out[2 + SEND_ROOM];
};

void tcp__close(struct try *try)
{
	struct tcp *tcp = try->tcp;
	if (tcp == NULL) {
		return;
	}
	try->tcp = NULL;
	try->q->worker->tcp_count--;
	loop_fd_close(&tcp->lfd);
	close(tcp->fd);
	free(tcp->in);
	free(tcp);
}

static void tcp_broken(struct tcp *tcp)
{
	struct try *try = tcp->try;
	tcp__close(try);
	ask__broken(try);
}

/* --- Sending --- */

/* 0, 1: not all yet, or -1: broken. */
static int tcp_send(struct tcp *tcp)
{
	while (tcp->sent < tcp->out_size) {
		ssize_t n = send(tcp->fd, tcp->out + tcp->sent, tcp->out_size - tcp->sent,
		                 MSG_NOSIGNAL);
		if (n < 0) {
			return errno == EAGAIN || errno == EINTR ? 1 : -1;
		}
		tcp->sent += (size_t)n;
	}
	return 0;
}

static void tcp_writable(struct tcp *tcp)
{
	int error = 0;
	socklen_t len = sizeof(error);
	if (!tcp->connected) {
		if (getsockopt(tcp->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0) {
			tcp_broken(tcp);
			return;
		}
		tcp->connected = true;
	}
	int ret = tcp_send(tcp);
	if (ret < 0 || (ret == 0 && loop_fd_want(&tcp->lfd, LOOP_READ) != 0)) {
		tcp_broken(tcp);
	}
}

/* --- Reading --- */

/*
 * Reads what is missing of the length or of the message, never more. 0: something came; 1: not now;
 * -1: broken or at its end.
 */
static int tcp_recv(struct tcp *tcp)
{
	uint8_t *at = tcp->head + tcp->got;
	size_t want = sizeof(tcp->head) - tcp->got;
	if (tcp->got >= sizeof(tcp->head)) {
		at = tcp->in + (tcp->got - sizeof(tcp->head));
		want = sizeof(tcp->head) + tcp->in_size - tcp->got;
	}
	ssize_t n = recv(tcp->fd, at, want, 0);
	if (n > 0) {
		tcp->got += (size_t)n;
		return 0;
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 1 : -1;
}

/* The length is known: makes room. */
static int tcp_begin_message(struct tcp *tcp)
{
	tcp->in_size = get_u16(tcp->head);
	if (tcp->in_size < DNS_HEADER_SIZE || tcp->messages++ == TCP_MESSAGES) {
		return FAIL_FORMAT;
	}
	free(tcp->in);
	tcp->in = malloc(tcp->in_size);
	return tcp->in == NULL ? FAIL_NOMEM : 0;
}

static void tcp_readable(struct tcp *tcp)
{
	int ret;
	while ((ret = tcp_recv(tcp)) == 0) {
		if (tcp->got == sizeof(tcp->head) && tcp_begin_message(tcp) != 0) {
			ret = -1;
			break;
		}
		if (tcp->got < sizeof(tcp->head) + tcp->in_size || tcp->got == sizeof(tcp->head)) {
			continue;
		}
		if (ask__message(tcp->try, tcp->in, tcp->in_size, mono_us())) {
			return; /* tcp is gone */
		}
		tcp->got = 0;
	}
	if (ret < 0) {
		tcp_broken(tcp);
	}
}

static void tcp_ready(void *ctx, int fd, unsigned int what)
{
	struct tcp *tcp = ctx;
	if ((what & LOOP_WRITE) != 0) {
		tcp_writable(tcp);
	} else {
		tcp_readable(tcp);
	}
}

/* --- Opening --- */

static int fd_connect(const struct target *target)
{
	int one = 1;
	int fd = socket(target->addr.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return -errno;
	}
	int ret = setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (ret == 0 && target->source.len != 0) {
		ret = setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
		if (ret == 0) {
			struct addr from = target->source;
			addr_set_port(&from, 0);
			ret = bind(fd, &from.sa, from.len);
		}
	}
	if (ret == 0) {
		ret = connect(fd, &target->addr.sa, target->addr.len);
	}
	if (ret != 0 && errno != EINPROGRESS) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

int tcp__start(struct try *try)
{
	struct forward_worker *worker = try->q->worker;
	if (worker->tcp_count >= TCP_OPEN) {
		return FAIL_BUSY;
	}
	struct tcp *tcp = calloc(1, sizeof(*tcp));
	if (tcp == NULL) {
		return FAIL_NOMEM;
	}
	tcp->try = try;
	tcp->fd = fd_connect(try_target(try));
	int ret = tcp->fd < 0 ? tcp->fd : 0;
	if (ret == 0) {
		ret = loop_fd_open(worker->loop, &tcp->lfd, tcp->fd, LOOP_WRITE, tcp_ready, tcp);
		if (ret != 0) {
			close(tcp->fd);
		}
	}
	if (ret != 0) {
		free(tcp);
		return ret;
	}
	try->id = random_u16();
	size_t size = send__build(try, tcp->out + 2);
	put_u16(tcp->out, (uint16_t)size);
	tcp->out_size = 2 + size;
	try->tcp = tcp;
	worker->tcp_count++;
	return 0;
}
