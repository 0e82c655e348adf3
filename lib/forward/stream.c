#include "base/cursor.h"
#include "base/fail.h"
#include "base/mono.h"
#include "forward/stream_int.h"
#include "forward/tcp_int.h"
#include "tls/tls.h"
#include <assert.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TLS_SAY_MS  60000 /* of one target */
#define READ_ROUNDS 4     /* reads in a row, then others get their turn */

static void stream_flush(void *ctx);

/* --- Questions on it --- */

static int stream_find(const struct stream *stream, uint16_t id)
{
	for (int i = 0; i < stream->used; i++) {
		if (stream->ids[i] == id) {
			return i;
		}
	}
	return -1;
}

bool stream__takes(const struct stream *stream)
{
	unsigned int most = line__serial(stream->line) ? 1 : STREAM_QUESTIONS;
	return stream->state != STREAM_ENDING && !stream->doubted && stream->idle_ms != 0 &&
	       stream->used < most;
}

bool stream__is_idle(const struct stream *stream)
{
	return stream->open == 0 && !stream->reading;
}

static int out_add(struct stream *stream, const uint8_t *wire, size_t size)
{
	if (stream->out_room - stream->out_size < 2 + size) {
		size_t room = stream->out_room == 0 ? 1024 : stream->out_room * 2;
		uint8_t *out = realloc(stream->out, room);
		if (out == NULL) {
			return FAIL_NOMEM;
		}
		stream->out = out;
		stream->out_room = room;
	}
	put_u16(stream->out + stream->out_size, (uint16_t)size);
	memcpy(stream->out + stream->out_size + 2, wire, size);
	stream->out_size += 2 + size;
	return 0;
}

int stream__ask(struct stream *stream, struct try *try)
{
	assert(stream->used < STREAM_QUESTIONS && try->stream == NULL);
	uint8_t wire[SEND_ROOM];
	do {
		try->id = random_u16();
	} while (stream_find(stream, try->id) >= 0);
	int ret = out_add(stream, wire, send__build(try, wire));
	if (ret != 0) {
		return ret;
	}
	try->stream = stream;
	try->place = stream->used;
	stream->ids[stream->used] = try->id;
	stream->tries[stream->used] = try;
	stream->used++;
	stream->open++;
	try->warm = stream->tls != NULL && stream->state == STREAM_OPEN;
	struct list *by_use = &stream->line->worker->streams;
	list_remove(&stream->by_use);
	list_append(by_use, &stream->by_use);
	if (stream->state == STREAM_OPEN) {
		loop_timer_cancel(&stream->idle);
		if (!stream->flush.armed) {
			loop_timer_set(&stream->flush, 0);
		}
	}
	return 0;
}

/* The id at place may be given again. */
static void stream_forget(struct stream *stream, int place)
{
	int last = --stream->used;
	stream->ids[place] = stream->ids[last];
	stream->tries[place] = stream->tries[last];
	if (stream->tries[place] != NULL) {
		stream->tries[place]->place = (uint8_t)place;
	}
}

/* From the flush timer, when nobody is at work with it. */
static void stream_end_soon(struct stream *stream)
{
	stream->state = STREAM_ENDING;
	loop_timer_set(&stream->flush, 0);
}

static void stream_rest(struct stream *stream)
{
	if (stream->state != STREAM_OPEN) {
		return; /* it may stand yet, for the next question */
	}
	if (!stream->doubted && stream->idle_ms != 0) {
		loop_timer_set(&stream->idle, stream->idle_ms);
	} else {
		stream_end_soon(stream);
	}
}

void stream__leave(struct try *try)
{
	struct stream *stream = try->stream;
	try->stream = NULL;
	stream->tries[try->place] = NULL;
	stream->open--;
	if (stream->open == 0 && !stream->reading) {
		stream_rest(stream);
	}
}

void stream__overdue(struct try *try)
{
	struct stream *stream = try->stream;
	if (stream->state == STREAM_OPEN && stream->heard_us < try->sent_us) {
		stream->doubted = true;
	}
}

/* --- The end --- */

void stream__close(struct stream *stream)
{
	assert(!stream->reading);
	for (unsigned int i = 0; i < stream->used; i++) {
		if (stream->tries[i] != NULL) {
			stream->tries[i]->stream = NULL;
		}
	}
	loop_timer_cancel(&stream->flush);
	loop_timer_cancel(&stream->idle);
	loop_fd_close(&stream->lfd);
	tls_free(&stream->tls);
	close(stream->fd);
	tcp__gone(stream);
	free(stream->in);
	free(stream->out);
	free(stream);
}

/*
 * Tells those who wait. A connection that had served may have been closed for its idleness just
 * when the question came; that is nobody's fault, and it is asked once more.
 */
static void stream_break(struct stream *stream, enum forward_reason reason)
{
	struct try *tries[STREAM_QUESTIONS];
	struct line *line = stream->line;
	bool served = stream->messages > 0;
	unsigned int count = 0;
	for (unsigned int i = 0; i < stream->used; i++) {
		struct try *try = stream->tries[i];
		if (try == NULL) {
			continue;
		}
		tries[count++] = try;
		if (try->state == TRY_WAITING && try->sent_us < stream->heard_us) {
			/* It took one, and left the others that lay there. */
			line->serial_until_ms = loop_now_ms(line->worker->loop) + LINE_SERIAL_MS;
		}
	}
	stream__close(stream);
	for (unsigned int i = 0; i < count; i++) {
		tcp__lost(tries[i], served, reason);
	}
}

/* A connection that never stood. By TLS nothing else tells of the target's health. */
static void stream_fail(struct stream *stream)
{
	struct line *line = stream->line;
	struct target *target = line->target;
	uint64_t now_ms = loop_now_ms(line->worker->loop);
	if (target->tls == NULL) {
		stream_break(stream, REASON_NET);
		return;
	}
	bool shook = stream->state == STREAM_SHAKING;
	if (shook && log_allowed(&target->tls_limit, 1, TLS_SAY_MS)) {
		const char *why = tls_error(stream->tls);
		log_warn("forward", "%s by TLS: %s", target->text,
		         why[0] != '\0' ? why
		                        : "no handshake in time: does it speak TLS on this port?");
	}
	if (shook) {
		/* It would end in the same way again, and costs more than a connection refused. */
		line->rest_until_ms = now_ms + LINE_REST_MS;
	}
	target__silent(target, mono_us(), now_ms);
	stream_break(stream, shook ? REASON_TLS : REASON_NET);
}

static void stream_idle(void *ctx)
{
	struct stream *stream = ctx;
	if (stream->state == STREAM_OPEN) {
		stream__close(stream);
	} else {
		stream_fail(stream);
	}
}

/* --- Octets, in clear or not: as recv and send, but failures are negative --- */

static ssize_t stream_recv(struct stream *stream, uint8_t *room, size_t size)
{
	if (stream->tls != NULL) {
		return tls_recv(stream->tls, room, size);
	}
	ssize_t n = recv(stream->fd, room, size, 0);
	return n >= 0 ? n : errno == EINTR ? -EAGAIN : -errno;
}

static ssize_t stream_put(struct stream *stream, const uint8_t *bytes, size_t size)
{
	if (stream->tls == NULL) {
		ssize_t n = send(stream->fd, bytes, size, MSG_NOSIGNAL);
		return n >= 0 ? n : errno == EINTR ? -EAGAIN : -errno;
	}
	ssize_t n = tls_send(stream->tls, bytes, size);
	stream->out_waits = n == -EAGAIN && !tls_wants_write(stream->tls);
	return n;
}

/* --- Sending --- */

/* 0, or broken. */
static int stream_send(struct stream *stream)
{
	size_t sent = 0;
	while (sent < stream->out_size) {
		ssize_t n = stream_put(stream, stream->out + sent, stream->out_size - sent);
		if (n == -EAGAIN) {
			break;
		}
		if (n < 0) {
			return (int)n;
		}
		sent += (size_t)n;
	}
	stream->out_size -= sent;
	if (stream->out_size == 0) {
		free(stream->out);
		stream->out = NULL;
		stream->out_room = 0;
	} else {
		memmove(stream->out, stream->out + sent, stream->out_size);
	}
	return 0;
}

static unsigned int stream_wants(const struct stream *stream)
{
	switch (stream->state) {
	case STREAM_CONNECTING:
		return LOOP_WRITE;
	case STREAM_SHAKING:
		return tls_wants_write(stream->tls) ? LOOP_WRITE : LOOP_READ;
	default:
		return LOOP_READ | (stream->out_size != 0 && !stream->out_waits ? LOOP_WRITE : 0);
	}
}

/* After whatever has happened. ret != 0: broken. */
static void stream_settle(struct stream *stream, int ret)
{
	if (ret == 0 && stream->state != STREAM_ENDING) {
		ret = loop_fd_want(&stream->lfd, stream_wants(stream));
	}
	if (ret != 0 && stream->state < STREAM_OPEN) {
		stream_fail(stream);
	} else if (ret != 0) {
		stream_break(stream, REASON_NET);
	} else if (stream->open == 0 && stream->state == STREAM_OPEN && !stream->idle.armed) {
		stream_rest(stream);
	}
}

static void stream_flush(void *ctx)
{
	struct stream *stream = ctx;
	if (stream->state == STREAM_ENDING) {
		stream_break(stream, REASON_NET);
		return;
	}
	stream_settle(stream, stream_send(stream));
}

/* --- Reading --- */

/* Nothing that is asked on this connection: somebody is confused, or lies (T22). */
static int stream_stray(struct stream *stream)
{
	for (unsigned int i = 0; i < stream->used; i++) {
		if (stream->tries[i] != NULL) {
			ask__count(stream->tries[i], REASON_MISMATCH);
			break;
		}
	}
	return ++stream->strays >= STREAM_STRAYS ? FAIL_FORMAT : 0;
}

static int stream_message(struct stream *stream, const uint8_t *wire, size_t size, uint64_t now_us)
{
	if (size < DNS_HEADER_SIZE) {
		return FAIL_FORMAT;
	}
	int place = stream_find(stream, get_u16(wire));
	if (place < 0) {
		return stream_stray(stream);
	}
	struct try *try = stream->tries[place];
	int keepalive = -1;
	if (try != NULL && !ask__message(try, wire, size, now_us, &keepalive)) {
		return ++stream->strays >= STREAM_STRAYS ? FAIL_FORMAT : 0;
	}
	stream_forget(stream, place);
	stream->strays = 0;
	stream->messages++;
	stream->heard_us = now_us;
	stream->doubted = false;
	if (keepalive >= 0) {
		uint32_t idle_ms = (uint32_t)keepalive * 100;
		stream->idle_ms = idle_ms < STREAM_IDLE_MAX_MS ? idle_ms : STREAM_IDLE_MAX_MS;
	}
	return 0;
}

/* A message that comes in pieces. Returns how much of bytes was used, or a failure. */
static ssize_t stream_piece(struct stream *stream, const uint8_t *bytes, size_t size,
                            uint64_t now_us)
{
	if (stream->in_got < sizeof(stream->head)) {
		stream->head[stream->in_got++] = bytes[0];
		if (stream->in_got < sizeof(stream->head)) {
			return 1;
		}
		stream->in_size = get_u16(stream->head);
		if (stream->in_size < DNS_HEADER_SIZE) {
			return FAIL_FORMAT;
		}
		stream->in = malloc(stream->in_size);
		return stream->in == NULL ? FAIL_NOMEM : 1;
	}
	size_t at = stream->in_got - sizeof(stream->head);
	size_t part = stream->in_size - at < size ? stream->in_size - at : size;
	memcpy(stream->in + at, bytes, part);
	stream->in_got += (uint32_t)part;
	if (at + part < stream->in_size) {
		return (ssize_t)part;
	}
	int ret = stream_message(stream, stream->in, stream->in_size, now_us);
	free(stream->in);
	stream->in = NULL;
	stream->in_got = 0;
	return ret != 0 ? ret : (ssize_t)part;
}

static int stream_bytes(struct stream *stream, const uint8_t *bytes, size_t size)
{
	uint64_t now_us = mono_us();
	ssize_t used = 0;
	for (; size > 0 && stream->state != STREAM_ENDING; bytes += used, size -= (size_t)used) {
		size_t whole = size < 2 ? SIZE_MAX : 2 + (size_t)get_u16(bytes);
		if (stream->in_got == 0 && whole <= size) {
			int ret = stream_message(stream, bytes + 2, whole - 2, now_us);
			used = ret != 0 ? ret : (ssize_t)whole;
		} else {
			used = stream_piece(stream, bytes, size, now_us);
		}
		if (used < 0) {
			return (int)used;
		}
	}
	return 0;
}

/* 0, or broken or at its end. */
static int stream_read(struct stream *stream)
{
	uint8_t *room = stream->line->worker->stream_in;
	int ret = 0;
	stream->reading = true;
	bool more = true;
	for (unsigned int i = 1; ret == 0 && more; i++) {
		ssize_t n = stream_recv(stream, room, STREAM_READ_SIZE);
		if (n < 0) {
			ret = n == -EAGAIN ? 0 : (int)n;
			break;
		}
		ret = n == 0 ? FAIL_NET : stream_bytes(stream, room, (size_t)n);
		if (stream->tls != NULL) {
			/* What lies in OpenSSL would not wake us: at most a record. */
			more = i < READ_ROUNDS || tls_pending(stream->tls);
		} else {
			more = i < READ_ROUNDS && n == STREAM_READ_SIZE;
		}
	}
	stream->reading = false;
	return ret;
}

static void stream_stands(struct stream *stream)
{
	stream->state = STREAM_OPEN;
	loop_timer_cancel(&stream->idle);
	if (stream->open == 0) {
		stream->out_size = 0; /* who asked has gone */
		stream->used = 0;
	}
}

static int stream_connected(struct stream *stream)
{
	int error = 0;
	socklen_t len = sizeof(error);
	if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) {
		return -errno;
	}
	if (error == 0 && stream->tls != NULL) {
		stream->state = STREAM_SHAKING;
	} else if (error == 0) {
		stream_stands(stream);
	}
	return -error;
}

static int stream_shake(struct stream *stream)
{
	int ret = tls_handshake(stream->tls);
	if (ret == 0) {
		stream_stands(stream);
	}
	return ret == -EAGAIN ? 0 : ret;
}

static void stream_ready(void *ctx, int fd, unsigned int what)
{
	struct stream *stream = ctx;
	int ret = 0;
	if (stream->state == STREAM_CONNECTING) {
		ret = stream_connected(stream);
	}
	if (ret == 0 && stream->state == STREAM_SHAKING) {
		ret = stream_shake(stream);
	}
	if (ret == 0 && (what & LOOP_READ) != 0 && stream->state == STREAM_OPEN) {
		ret = stream_read(stream);
	}
	if (ret == 0 && stream->out_size != 0 && stream->state == STREAM_OPEN) {
		ret = stream_send(stream);
	}
	stream_settle(stream, ret);
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

int stream__open(struct line *line, struct stream **ret_stream)
{
	struct forward_worker *worker = line->worker;
	if (worker->stream_in == NULL && (worker->stream_in = malloc(STREAM_READ_SIZE)) == NULL) {
		return FAIL_NOMEM;
	}
	struct stream *stream = calloc(1, sizeof(*stream));
	if (stream == NULL) {
		return FAIL_NOMEM;
	}
	stream->line = line;
	stream->idle_ms = line->target->tls != NULL ? STREAM_IDLE_TLS_MS : STREAM_IDLE_MS;
	list_init(&stream->link);
	list_init(&stream->by_use);
	loop_timer_init(worker->loop, &stream->flush, stream_flush, stream);
	loop_timer_init(worker->loop, &stream->idle, stream_idle, stream);
	stream->fd = fd_connect(line->target);
	int ret = stream->fd < 0 ? stream->fd : 0;
	if (ret == 0 && line->target->tls != NULL) {
		stream->tls = tls_connect(line->target->peer, stream->fd, &line->session);
		if (stream->tls == NULL) {
			close(stream->fd);
			ret = FAIL_NOMEM;
		}
	}
	if (ret == 0) {
		ret = loop_fd_open(worker->loop, &stream->lfd, stream->fd, LOOP_WRITE, stream_ready,
		                   stream);
		if (ret != 0) {
			tls_free(&stream->tls);
			close(stream->fd);
		}
	}
	if (ret != 0) {
		free(stream);
		return ret;
	}
	loop_timer_set(&stream->idle, STREAM_BEGIN_MS);
	*ret_stream = stream;
	return 0;
}
