/*
 * server/conn_int.h - a client's connection, shared by tcp.c and shake.c.
 */
#pragma once

#include "server/worker_int.h"

#define SHAKE_MS 5000 /* a TLS handshake must end in that time */

struct tls;

struct bytes {
	uint8_t *at;
	size_t len;
};

struct conn {
	struct list link;    /* worker->conns */
	struct list waiting; /* of struct parked */
	struct worker *worker;
	struct loop_fd lfd;
	struct loop_timer timer;
	struct addr client;
	struct bytes in;  /* the beginning of a message, or messages that must wait */
	struct bytes out; /* not yet taken */
	uint64_t
		active_ms; /* the last whole message, or answer taken; or the present business' begin */
	unsigned int waiting_count;
	int fd;
	bool by_tls;
	struct tls *tls;   /* NULL: in clear, or nothing has come yet */
	struct list shake; /* in worker->shaking */
	bool busy;         /* a message has begun, or answers are not taken */
	bool lost;         /* to be closed: answers had no room */
	bool eof;          /* the client sends no more, or we hear no more */
	bool shaking;      /* hands, by TLS: no question yet */
	bool in_turn;      /* its read is being worked on: answers go to the worker's room */
};

/* tcp.c */
void conn__close(struct conn *conn);

/* --- shake.c --- */

/* A new connection by TLS: nothing is done until its client says something. */
void shake__begin(struct conn *conn);
/* Goes on with the handshake, now or in a later turn. False: the connection is to close. */
bool shake__step(struct conn *conn);
/* The handshake is over. A connection that is closed before that has failed in it. */
void shake__end(struct conn *conn, bool done);
/* From the timer of the worker. */
void shake__turn_ended(void *worker);
/* As recv and send, in clear or not. */
ssize_t conn__recv(struct conn *conn, void *bytes, size_t size);
ssize_t conn__send(struct conn *conn, const void *bytes, size_t size);
