/*
 * A client in the thread of the loop that serves it: it never blocks, the loop turns in between.
 */
#pragma once

#include "loop/loop.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct visitor {
	int fd;
	bool over; /* the other side has ended */
	size_t len;
	char heard[65536];
};

static inline void visitor_connect(struct visitor *visitor, const struct sockaddr *addr,
                                   socklen_t len)
{
	*visitor = (struct visitor){.fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	assert_true(visitor->fd >= 0);
	assert_int_equal(connect(visitor->fd, addr, len), 0);
}

static inline void visitor_come(struct visitor *visitor, const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	assert_true(strlen(path) < sizeof(addr.sun_path));
	strcpy(addr.sun_path, path);
	visitor_connect(visitor, (const struct sockaddr *)&addr, sizeof(addr));
}

static inline void visitor_say(struct visitor *visitor, const char *bytes, size_t len)
{
	assert_int_equal(send(visitor->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT), len);
}

/* What has come by now; beyond the buffer it is only counted. */
static inline void visitor_hear(struct visitor *visitor)
{
	char bytes[4096];
	while (!visitor->over) {
		ssize_t got = recv(visitor->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (got < 0 && errno == EAGAIN) {
			return;
		}
		visitor->over = got <= 0;
		size_t len = got > 0 ? (size_t)got : 0;
		if (visitor->len + len < sizeof(visitor->heard)) {
			memcpy(visitor->heard + visitor->len, bytes, len);
			visitor->heard[visitor->len + len] = '\0';
		}
		visitor->len += len;
	}
}

/* Turns the loop until the other side has ended. Returns what it said. */
static inline const char *visitor_wait(struct visitor *visitor, struct loop *loop)
{
	for (unsigned int i = 0; !visitor->over && i < 1000; i++) {
		assert_int_equal(loop_turn(loop, 10), 0);
		visitor_hear(visitor);
	}
	assert_true(visitor->over);
	return visitor->heard;
}

static inline void visitor_go(struct visitor *visitor, struct loop *loop)
{
	close(visitor->fd);
	visitor->fd = -1;
	assert_int_equal(loop_turn(loop, 0), 0);
}
