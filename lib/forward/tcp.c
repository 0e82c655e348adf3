#include "base/fail.h"
#include "forward/tcp_int.h"
#include "tls/tls.h"
#include <assert.h>
#include <stdlib.h>

/* --- Lines --- */

static void line_settle(struct line *line);

static void line_due(void *ctx)
{
	struct line *line = ctx;
	tls_session_free(&line->session);
	line_settle(line);
}

static struct line *line_for(struct forward_worker *worker, struct target *target)
{
	struct line *line = target->lines[worker->index];
	if (line != NULL) {
		return line;
	}
	line = calloc(1, sizeof(*line));
	if (line == NULL) {
		return NULL;
	}
	line->worker = worker;
	line->target = target__ref(target);
	list_init(&line->streams);
	loop_timer_init(worker->loop, &line->forget, line_due, line);
	list_append(&worker->lines, &line->link);
	target->lines[worker->index] = line;
	return line;
}

static bool line_remembers(const struct line *line)
{
	return line->session != NULL || line__serial(line) ||
	       loop_now_ms(line->worker->loop) < line->rest_until_ms;
}

/* It goes with its last connection, unless it has something to remember. */
static void line_settle(struct line *line)
{
	if (line->stream_count > 0) {
		return;
	}
	if (line_remembers(line) && !line->worker->closing) {
		if (!line->forget.armed) {
			bool session = line->session != NULL;
			loop_timer_set(&line->forget, session ? LINE_FORGET_MS : LINE_SERIAL_MS);
		}
		return;
	}
	loop_timer_cancel(&line->forget);
	tls_session_free(&line->session);
	list_remove(&line->link);
	line->target->lines[line->worker->index] = NULL;
	target__unref(&line->target);
	free(line);
}

bool line__serial(const struct line *line)
{
	return loop_now_ms(line->worker->loop) < line->serial_until_ms;
}

/* --- A connection for a question --- */

/*
 * The longest idle connection of other lines goes. The walk is short: most are idle most of the
 * time.
 */
static bool worker_make_room(struct forward_worker *worker, const struct line *line)
{
	unsigned int looked = 0;
	list_each (at, &worker->streams) {
		struct stream *stream = list_item(at, struct stream, by_use);
		if (stream->line != line && stream__is_idle(stream)) {
			stream__close(stream);
			return true;
		}
		if (++looked == 64) {
			break;
		}
	}
	return false;
}

static int line_open(struct line *line, struct stream **ret_stream)
{
	struct forward_worker *worker = line->worker;
	unsigned int most = line__serial(line) ? LINE_SERIAL : LINE_STREAMS;
	if (loop_now_ms(worker->loop) < line->rest_until_ms) {
		return FAIL_NET;
	}
	if (line->stream_count >= most) {
		return FAIL_BUSY;
	}
	if (worker->tcp_count >= TCP_OPEN && !worker_make_room(worker, line)) {
		return FAIL_BUSY;
	}
	int ret = stream__open(line, ret_stream);
	if (ret == -EMFILE && worker_make_room(worker, line)) {
		ret = stream__open(line, ret_stream);
	}
	if (ret == 0) {
		list_append(&line->streams, &(*ret_stream)->link);
		list_append(&worker->streams, &(*ret_stream)->by_use);
		loop_timer_cancel(&line->forget);
		line->stream_count++;
		worker->tcp_count++;
	}
	return ret;
}

/* The oldest connection that has room, so that the others may idle out. */
static int line_stream(struct line *line, struct stream **ret_stream)
{
	list_each (at, &line->streams) {
		struct stream *stream = list_item(at, struct stream, link);
		if (stream__takes(stream)) {
			*ret_stream = stream;
			return 0;
		}
	}
	return line_open(line, ret_stream);
}

int tcp__start(struct try *try)
{
	struct line *line = line_for(try->q->worker, try_target(try));
	struct stream *stream;
	if (line == NULL) {
		return FAIL_NOMEM;
	}
	int ret = line_stream(line, &stream);
	if (ret == 0) {
		ret = stream__ask(stream, try);
		if (ret != 0 && stream->used == 0) {
			stream__close(stream);
		}
		return ret;
	}
	line_settle(line);
	return ret;
}

void tcp__close(struct try *try)
{
	if (try->stream != NULL) {
		stream__leave(try);
	}
}

void tcp__overdue(struct try *try)
{
	if (try->stream != NULL) {
		stream__overdue(try);
	}
}

void tcp__close_all(struct forward_worker *worker)
{
	assert(worker->closing);
	while (!list_empty(&worker->streams)) {
		stream__close(list_item(worker->streams.next, struct stream, by_use));
	}
	while (!list_empty(&worker->lines)) {
		line_settle(list_item(worker->lines.next, struct line, link));
	}
	free(worker->stream_in);
	worker->stream_in = NULL;
}

/* --- What streams tell --- */

bool tcp__warm(const struct try *try)
{
	const struct target *target = try_target(try);
	const struct line *line = target->lines[try->q->worker->index];
	if (target->tls == NULL || line == NULL) {
		return false;
	}
	list_each (at, &line->streams) {
		const struct stream *stream = list_item(at, struct stream, link);
		if (stream->state == STREAM_OPEN && stream__takes(stream)) {
			return true;
		}
	}
	return false;
}

void tcp__lost(struct try *try, bool again, enum forward_reason reason)
{
	if (try->state != TRY_WAITING) {
		/* Its time had run out: nothing more will be heard of it. */
		ask__advance(try->q, false);
		return;
	}
	if (again && !try->again && !try->q->worker->closing) {
		try->again = true;
		if (tcp__start(try) == 0) {
			return;
		}
	}
	ask__broken(try, reason);
}

void tcp__gone(struct stream *stream)
{
	struct line *line = stream->line;
	list_remove(&stream->link);
	list_remove(&stream->by_use);
	line->stream_count--;
	line->worker->tcp_count--;
	line_settle(line);
}
