/*
 * forward/outbox_int.h - questions of one turn that leave by one port, in one system call.
 *
 * While it is open, each packet is written here and the next ones to the same target go behind it, as long as
 * their port takes questions; then they are sent together. Closed, each packet is sent at once.
 *
 * Loop:   its worker's. It is closed whenever the loop goes on, so no try ends while it lies here.
 */
#pragma once

#include "forward/ask_int.h"

#define OUTBOX_MAX 32

struct outbox;

struct outbox *outbox__new(void); /* NULL: no memory */
void outbox__free(struct outbox **box);

/*
 * Gives try a port and an id, and sends it now or with those that follow. Returns 0, or why it found no port. What the
 * system does not take is told by the question's timer, which then fires at once: the try is TRY_NET.
 */
int outbox__put(struct outbox *box, struct try *try);
void outbox__open(struct outbox *box);
void outbox__close(struct outbox *box);
