/*
 * An HTTP server of one thread on loopback, for tests of what talks HTTP: answers come from a function,
 * and can be cut, endless, or not come at all.
 */
#pragma once

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define TINY_CLIENTS 16

struct tiny_request {
	char method[16];
	char target[8192];
	char head[16384]; /* all of it, request line too */
	char body[16384]; /* NUL-ended */
};

/* Zeroes mean: status 200, nothing odd. */
struct tiny_reply {
	unsigned int status;
	char headers[512]; /* lines that end in \r\n */
	char *body;        /* malloc'ed, or NULL */
	size_t size;
	bool cut; /* the connection ends after cut_at octets of the body */
	size_t cut_at;
	bool quiet;   /* no Content-Length: the end of the connection ends the body */
	bool endless; /* the body again and again until the client has had enough */
	bool hang;    /* no answer at all */
	unsigned int delay_ms;
};

typedef void tiny_fn(void *ctx, const struct tiny_request *request, struct tiny_reply *reply);

struct tiny {
	pthread_t thread;
	int listener;
	int stop[2];
	uint16_t port;
	tiny_fn *fn;
	void *ctx;
	int clients[TINY_CLIENTS];
	unsigned int connections; /* so far */
};

/* A text body. */
__attribute__((unused)) static void tiny_text(struct tiny_reply *reply, unsigned int status,
                                              const char *text)
{
	reply->status = status;
	reply->body = strdup(text);
	reply->size = strlen(text);
}

/* Value of a header, "" when it was not sent. */
__attribute__((unused)) static const char *tiny_header(const struct tiny_request *request,
                                                       const char *name, char *buf, size_t size)
{
	size_t len = strlen(name);
	buf[0] = '\0';
	for (const char *at = strstr(request->head, "\r\n"); at != NULL; at = strstr(at, "\r\n")) {
		at += 2;
		if (strncasecmp(at, name, len) == 0 && at[len] == ':') {
			at += len + 1;
			at += strspn(at, " ");
			snprintf(buf, size, "%.*s", (int)strcspn(at, "\r"), at);
			return buf;
		}
	}
	return buf;
}

static bool tiny_send(int fd, const void *bytes, size_t size)
{
	const char *at = bytes;
	while (size > 0) {
		ssize_t n = send(fd, at, size, MSG_NOSIGNAL);
		if (n <= 0) {
			return false;
		}
		at += n;
		size -= (size_t)n;
	}
	return true;
}

/* True while the connection may go on. */
static bool tiny_answer(int fd, const struct tiny_reply *reply)
{
	char head[1024], length[64] = "";
	if (!reply->quiet && !reply->endless) {
		snprintf(length, sizeof(length), "Content-Length: %zu\r\n", reply->size);
	}
	int len = snprintf(head, sizeof(head), "HTTP/1.1 %u Some\r\n%s%s\r\n",
	                   reply->status == 0 ? 200 : reply->status, length, reply->headers);
	bool going = tiny_send(fd, head, (size_t)len);
	while (going && reply->endless) {
		going = tiny_send(fd, reply->body, reply->size);
	}
	size_t size = reply->cut && reply->cut_at < reply->size ? reply->cut_at : reply->size;
	going = going && tiny_send(fd, reply->body, size);
	return going && !reply->cut && !reply->quiet;
}

/* The rest of a body of which some came with the head. */
static bool tiny_read_body(int fd, struct tiny_request *request, const char *some)
{
	char text[16];
	size_t len = strlen(some);
	size_t size = (size_t)atoi(tiny_header(request, "Content-Length", text, sizeof(text)));
	if (size >= sizeof(request->body) || len > size) {
		return false;
	}
	memcpy(request->body, some, len);
	while (len < size) {
		ssize_t n = recv(fd, request->body + len, size - len, 0);
		if (n <= 0) {
			return false;
		}
		len += (size_t)n;
	}
	return true;
}

static bool tiny_read(int fd, struct tiny_request *request)
{
	size_t len = 0;
	while (len < sizeof(request->head) - 1) {
		ssize_t n = recv(fd, request->head + len, sizeof(request->head) - 1 - len, 0);
		if (n <= 0) {
			return false;
		}
		len += (size_t)n;
		request->head[len] = '\0';
		const char *end = strstr(request->head, "\r\n\r\n");
		if (end != NULL) {
			return tiny_read_body(fd, request, end + 4) &&
			       sscanf(request->head, "%15s %8191s", request->method,
			              request->target) == 2;
		}
	}
	return false;
}

static bool tiny_serve(struct tiny *tiny, int fd)
{
	struct tiny_request *request = calloc(1, sizeof(*request));
	struct tiny_reply reply = {0};
	bool going = tiny_read(fd, request);
	if (going) {
		tiny->fn(tiny->ctx, request, &reply);
		usleep(1000 * reply.delay_ms);
		going = reply.hang || tiny_answer(fd, &reply);
	}
	free(reply.body);
	free(request);
	return going;
}

static void tiny_accept(struct tiny *tiny)
{
	int on = 1;
	int fd = accept(tiny->listener, NULL, NULL);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	for (size_t i = 0; fd >= 0 && i < TINY_CLIENTS; i++) {
		if (tiny->clients[i] < 0) {
			tiny->clients[i] = fd;
			__atomic_add_fetch(&tiny->connections, 1, __ATOMIC_RELAXED);
			return;
		}
	}
	close(fd);
}

static void *tiny_run(void *arg)
{
	struct tiny *tiny = arg;
	for (;;) {
		struct pollfd fds[TINY_CLIENTS + 2] = {
			{.fd = tiny->listener, .events = POLLIN},
			{.fd = tiny->stop[0], .events = POLLIN},
		};
		for (size_t i = 0; i < TINY_CLIENTS; i++) {
			fds[i + 2] = (struct pollfd){.fd = tiny->clients[i], .events = POLLIN};
		}
		poll(fds, TINY_CLIENTS + 2, -1);
		if (fds[1].revents != 0) {
			return NULL;
		}
		for (size_t i = 0; i < TINY_CLIENTS; i++) {
			if (fds[i + 2].revents != 0 && !tiny_serve(tiny, tiny->clients[i])) {
				close(tiny->clients[i]);
				tiny->clients[i] = -1;
			}
		}
		if (fds[0].revents != 0) {
			tiny_accept(tiny);
		}
	}
}

__attribute__((unused)) static void tiny_start(struct tiny *tiny, tiny_fn *fn, void *ctx)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(in);
	*tiny = (struct tiny){.fn = fn, .ctx = ctx};
	for (size_t i = 0; i < TINY_CLIENTS; i++) {
		tiny->clients[i] = -1;
	}
	tiny->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(tiny->listener >= 0);
	assert(bind(tiny->listener, (const struct sockaddr *)&in, sizeof(in)) == 0);
	assert(listen(tiny->listener, 16) == 0);
	assert(getsockname(tiny->listener, (struct sockaddr *)&in, &len) == 0);
	tiny->port = ntohs(in.sin_port);
	assert(pipe(tiny->stop) == 0);
	assert(pthread_create(&tiny->thread, NULL, tiny_run, tiny) == 0);
}

__attribute__((unused)) static void tiny_stop(struct tiny *tiny)
{
	assert(write(tiny->stop[1], "", 1) == 1);
	pthread_join(tiny->thread, NULL);
	for (size_t i = 0; i < TINY_CLIENTS; i++) {
		if (tiny->clients[i] >= 0) {
			close(tiny->clients[i]);
		}
	}
	close(tiny->listener);
	close(tiny->stop[0]);
	close(tiny->stop[1]);
}

/* Sets an environment variable to the server's address. */
__attribute__((unused)) static void tiny_export(const struct tiny *tiny, const char *name)
{
	char url[64];
	snprintf(url, sizeof(url), "http://127.0.0.1:%u", tiny->port);
	setenv(name, url, 1);
}
