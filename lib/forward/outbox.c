#include "base/fail.h"
#include "base/mono.h"
#include "forward/outbox_int.h"
#include "forward/pool_int.h"
#include <assert.h>
#include <stdlib.h>

#define SEND_REPEATS 3

struct outbox {
	bool open;
	unsigned int count;
	struct port *port; /* of all of them */
	struct target *target;
	struct try *tries[OUTBOX_MAX];
	struct mmsghdr messages[OUTBOX_MAX];
	struct iovec parts[OUTBOX_MAX];
	uint8_t bytes[OUTBOX_MAX][SEND_ROOM];
};

struct outbox *outbox__new(void)
{
	struct outbox *box = calloc(1, sizeof(*box));
	for (unsigned int i = 0; box != NULL && i < OUTBOX_MAX; i++) {
		box->parts[i].iov_base = box->bytes[i];
		box->messages[i].msg_hdr.msg_iov = &box->parts[i];
		box->messages[i].msg_hdr.msg_iovlen = 1;
	}
	return box;
}

void outbox__free(struct outbox **box)
{
	free(*box);
	*box = NULL;
}

static void try_unsent(struct try *try)
{
	port__detach(try);
	try->state = TRY_NET;
	try->left = false;
	ask__count(try, REASON_NET);
	loop_timer_set(&try->q->timer, 0);
}

static void outbox_send(struct outbox *box)
{
	unsigned int sent = 0;
	unsigned int repeats = 0;
	uint64_t now_us = mono_us();
	for (unsigned int i = 0; i < box->count; i++) {
		box->tries[i]->sent_us = now_us;
	}
	while (sent < box->count) {
		int n = sendmmsg(box->port->fd, box->messages + sent, box->count - sent,
		                 MSG_NOSIGNAL);
		if (n > 0) {
			sent += (unsigned int)n;
			repeats = 0;
			continue;
		}
		/* What an earlier packet met with is told here, instead of sending this one. */
		bool again = errno == ECONNREFUSED || errno == EINTR;
		if (!again || ++repeats == SEND_REPEATS) {
			try_unsent(box->tries[sent++]);
			repeats = 0;
		}
	}
	box->count = 0;
}

/* While the target has too few ports, each question brings one. */
static bool outbox_takes(const struct outbox *box, const struct target *target)
{
	return box->count < OUTBOX_MAX && box->target == target &&
	       box->port->used < PORT_QUESTIONS && box->port->pool->live_count == POOL_LIVE;
}

int outbox__put(struct outbox *box, struct try *try)
{
	struct target *target = try_target(try);
	if (box->count > 0 && !outbox_takes(box, target)) {
		outbox_send(box);
	}
	if (box->count == 0) {
		int ret = pool__port(try->q->worker, target, &box->port);
		if (ret != 0) {
			return ret;
		}
		box->target = target;
	}
	port__attach(box->port, try);
	box->parts[box->count].iov_len = send__build(try, box->bytes[box->count]);
	box->tries[box->count++] = try;
	if (!box->open) {
		outbox_send(box);
	}
	return 0;
}

void outbox__open(struct outbox *box)
{
	box->open = true;
}

void outbox__close(struct outbox *box)
{
	box->open = false;
	if (box->count > 0) {
		outbox_send(box);
	}
}
