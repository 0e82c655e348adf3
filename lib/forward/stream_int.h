/*
 * forward/stream_int.h - one connection to a target, shared by many questions (RFC 7766, section 6.2.1).
 *
 * Questions go out as they come and are answered in any order. Each has a random id that no other
 * on this connection has until its answer has come, however late, so that an answer is never taken
 * for another's; then the question must match as well. Octets may come in any pieces; a length
 * that lies, or too many messages that answer nothing, end the connection.
 *
 * Loop:   its worker's. Nothing blocks; the tries' own times bound the waiting.
 * Memory: STREAM_QUESTIONS questions in flight, those not yet taken by the system, and one message
 *         cut by the end of a read (64 KiB). An idle connection holds no buffer.
 * RFC:    7766; 7828 (how long an idle connection stays); threats T21, T22.
 */
#pragma once

#include "forward/ask_int.h"

#define STREAM_QUESTIONS   128
#define STREAM_STRAYS      3     /* messages that answer nothing, without a good one between */
#define STREAM_IDLE_MS     10000 /* kept without a question, unless the server says otherwise */
#define STREAM_IDLE_TLS_MS 30000 /* by TLS, which costs more to begin */
#define STREAM_IDLE_MAX_MS 60000 /* whatever it says */
#define STREAM_BEGIN_MS    3000  /* a connection that does not stand by then is given up */
#define STREAM_READ_SIZE   65536 /* what is read at once, into the worker's room */

struct line;

enum stream_state {
	STREAM_CONNECTING,
	STREAM_SHAKING, /* hands, by TLS */
	STREAM_OPEN,
	STREAM_ENDING, /* broken or given up; its flush timer ends it */
};

struct stream {
	struct line *line;
	struct list link;   /* in the line's streams */
	struct list by_use; /* in the worker's streams, the longest unused first */
	struct loop_fd lfd;
	struct loop_timer flush; /* what was asked this turn leaves in one piece */
	struct loop_timer idle;  /* without a question, or before it stands, for so long */
	struct tls *tls;         /* NULL: in clear */
	int fd;
	uint8_t state;  /* enum stream_state */
	bool reading;   /* its messages are being worked on: not to be freed */
	bool out_waits; /* for something to read, before more can be sent (TLS) */
	bool doubted;   /* a question's time ran out and nothing was heard since it was sent */
	uint8_t strays; /* in a row */
	uint8_t used;   /* ids in use */
	uint8_t open;   /* of those, still waited for */
	uint32_t messages;
	uint32_t idle_ms;
	uint64_t heard_us; /* the last message */
	uint16_t ids[STREAM_QUESTIONS];
	struct try *tries[STREAM_QUESTIONS]; /* NULL: nobody waits any more */
	uint8_t head[2];                     /* the length of a message that came in pieces */
	uint16_t in_size;
	uint32_t in_got; /* of head and message */
	uint8_t *in;
	uint8_t *out;
	size_t out_size;
	size_t out_room;
};

/* Begins to connect. 0 or why not. */
int stream__open(struct line *line, struct stream **ret_stream);
/* It takes one more question now. */
bool stream__takes(const struct stream *stream);
/* Gives try an id and sends its question with what else is asked this turn. 0 or FAIL_NOMEM. */
int stream__ask(struct stream *stream, struct try *try);
/* Nobody waits for this try's answer any more. */
void stream__leave(struct try *try);
/* The try's time has run out; it goes on listening unless that is in vain. */
void stream__overdue(struct try *try);
bool stream__is_idle(const struct stream *stream);
/* It waits for nothing, or nobody is to be told. */
void stream__close(struct stream *stream);
