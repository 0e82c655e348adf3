/* bench/sock.c - sockets, batches and time for the bench programs. */
#include "sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BUFFER (4 << 20)

void die(const char *format, ...)
{
	int code = errno;
	va_list args;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	if (code != 0) {
		fprintf(stderr, ": %s", strerror(code));
	}
	fputc('\n', stderr);
	exit(1);
}

uint64_t mono_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

struct sockaddr_in sock_addr(const char *text)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	char host[32] = "127.0.0.1";
	const char *colon = strrchr(text, ':');
	if (colon != NULL) {
		snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	}
	int port = atoi(colon != NULL ? colon + 1 : text);
	errno = 0;
	if (inet_pton(AF_INET, host, &addr.sin_addr) != 1 || port < 1 || port > 65535) {
		die("not an address with a port: %s", text);
	}
	addr.sin_port = htons((uint16_t)port);
	return addr;
}

static int udp_new(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		die("socket");
	}
	int size = BUFFER;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return fd;
}

int sock_udp_bound(const struct sockaddr_in *addr)
{
	int fd = udp_new();
	if (bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) != 0) {
		die("bind port %d", ntohs(addr->sin_port));
	}
	return fd;
}

int sock_udp_connected(const struct sockaddr_in *addr)
{
	int fd = udp_new();
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) != 0) {
		die("connect to port %d", ntohs(addr->sin_port));
	}
	return fd;
}

int sock_tcp_listening(const struct sockaddr_in *addr)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) != 0 ||
	    listen(fd, 128) != 0) {
		die("listen on TCP port %d", ntohs(addr->sin_port));
	}
	return fd;
}

int sock_tcp_connected(const struct sockaddr_in *addr)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) != 0) {
		die("connect to TCP port %d", ntohs(addr->sin_port));
	}
	int on = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

void batch_ready(struct batch *batch, bool named)
{
	for (unsigned int i = 0; i < BATCH; i++) {
		batch->iov[i] = (struct iovec){batch->bytes[i], BATCH_ROOM};
		batch->msg[i].msg_hdr = (struct msghdr){
			.msg_iov = &batch->iov[i],
			.msg_iovlen = 1,
			.msg_name = named ? &batch->from[i] : NULL,
			.msg_namelen = named ? sizeof(batch->from[i]) : 0,
		};
	}
}

unsigned int batch_receive(struct batch *batch, int fd, int flags)
{
	int n = recvmmsg(fd, batch->msg, BATCH, flags, NULL);
	if (n >= 0) {
		return (unsigned int)n;
	}
	if (errno != EAGAIN && errno != EINTR && errno != ECONNREFUSED) {
		die("recvmmsg");
	}
	return 0;
}

void batch_send(struct batch *batch, int fd, unsigned int count)
{
	unsigned int sent = 0;
	while (sent < count) {
		int n = sendmmsg(fd, batch->msg + sent, count - sent, 0);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		sent += n < 0 ? 1 : (unsigned int)n;
	}
}
