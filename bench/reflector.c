/*
 * bench/reflector.c - the floor: sends every datagram back with QR set, and nothing else.
 *
 * bench_reflector ADDRESS       UDP in batches, one blocking receive a turn: no loop costs less.
 * bench_reflector -t ADDRESS    TCP: every framed message goes back, all that one read brought in
 *                               one write.
 */
#include "sock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define TCP_ROOM 65536
#define QR       0x80

struct peer {
	int fd;
	size_t have;
	uint8_t bytes[TCP_ROOM + 2];
};

__attribute__((noreturn)) static void udp_run(int fd)
{
	static struct batch batch;
	for (;;) {
		batch_ready(&batch, true);
		unsigned int count = batch_receive(&batch, fd, MSG_WAITFORONE);
		for (unsigned int i = 0; i < count; i++) {
			batch.bytes[i][2] |= QR;
			batch.iov[i].iov_len = batch.msg[i].msg_len;
		}
		batch_send(&batch, fd, count);
	}
}

static void peer_close(struct peer *peer)
{
	close(peer->fd);
	free(peer);
}

/* All whole messages that are there go back; what is left moves to the front. */
static bool peer_echo(struct peer *peer)
{
	size_t at = 0;
	while (peer->have - at > 2 + DNS_HEADER) {
		size_t len = get16(peer->bytes + at);
		if (peer->have - at < 2 + len) {
			break;
		}
		peer->bytes[at + 4] |= QR;
		at += 2 + len;
	}
	size_t sent = 0;
	while (sent < at) {
		ssize_t n = send(peer->fd, peer->bytes + sent, at - sent, MSG_NOSIGNAL);
		if (n < 0) {
			return false;
		}
		sent += (size_t)n;
	}
	memmove(peer->bytes, peer->bytes + at, peer->have - at);
	peer->have -= at;
	return true;
}

static void peer_turn(struct peer *peer)
{
	ssize_t n = recv(peer->fd, peer->bytes + peer->have, sizeof(peer->bytes) - peer->have,
	                 MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN) {
		return;
	}
	if (n > 0) {
		peer->have += (size_t)n;
	}
	if (n <= 0 || !peer_echo(peer)) {
		peer_close(peer);
	}
}

static void watch(int epoll, int fd, void *ptr)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = ptr};
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
		die("epoll_ctl");
	}
}

static void peer_accept(int epoll, int listening)
{
	int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	struct peer *peer = fd < 0 ? NULL : malloc(sizeof(*peer));
	if (peer == NULL) {
		return;
	}
	peer->fd = fd;
	peer->have = 0;
	watch(epoll, fd, peer);
}

__attribute__((noreturn)) static void tcp_run(int listening)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	watch(epoll, listening, NULL);
	for (;;) {
		struct epoll_event events[BATCH];
		int count = epoll_wait(epoll, events, BATCH, -1);
		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr == NULL) {
				peer_accept(epoll, listening);
			} else {
				peer_turn(events[i].data.ptr);
			}
		}
	}
}

int main(int argc, char **argv)
{
	bool tcp = argc == 3 && strcmp(argv[1], "-t") == 0;
	if (argc != 2 && !tcp) {
		die("usage: bench_reflector [-t] ADDRESS");
	}
	struct sockaddr_in addr = sock_addr(argv[argc - 1]);
	if (tcp) {
		tcp_run(sock_tcp_listening(&addr));
	}
	udp_run(sock_udp_bound(&addr));
}
