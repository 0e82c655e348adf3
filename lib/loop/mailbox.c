#include "loop/mailbox.h"
#include "base/fail.h"
#include "base/log.h"
#include "loop/loop.h"
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/*
 * Senders push on a stack; the reader takes all of it and turns it round. Pushing never compares a
 * letter that could have come and gone: only the reader takes, and it takes everything.
 */
struct mailbox {
	_Atomic(struct mail *) top;
	atomic_size_t letters; /* posted and not yet run */
	size_t letter_max;
	struct loop_fd wake;
	void *ctx;
	bool reading;
};

static void mailbox_ready(void *ctx, int fd, unsigned int what);

struct mailbox *mailbox_new(struct loop *loop, size_t letter_max, void *ctx)
{
	struct mailbox *box = calloc(1, sizeof(*box));
	if (box == NULL) {
		return NULL;
	}
	box->letter_max = letter_max;
	box->ctx = ctx;
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (fd < 0) {
		free(box);
		return NULL;
	}
	if (loop_fd_open(loop, &box->wake, fd, LOOP_READ, mailbox_ready, box) != 0) {
		close(fd);
		free(box);
		return NULL;
	}
	return box;
}

/* All letters of now, the oldest first. */
static struct mail *take_all(struct mailbox *box)
{
	struct mail *newest = atomic_exchange_explicit(&box->top, NULL, memory_order_acquire);
	struct mail *oldest = NULL;
	while (newest != NULL) {
		struct mail *older = newest->next;
		newest->next = oldest;
		oldest = newest;
		newest = older;
	}
	return oldest;
}

static void read_all(struct mailbox *box)
{
	assert(!box->reading); /* a letter must not free its box */
	box->reading = true;
	struct mail *mail = take_all(box);
	while (mail != NULL) {
		struct mail *next = mail->next; /* fn may free the mail */
		atomic_fetch_sub_explicit(&box->letters, 1, memory_order_relaxed);
		mail->fn(mail, box->ctx);
		mail = next;
	}
	box->reading = false;
}

static void mailbox_ready(void *ctx, int fd, unsigned int what)
{
	struct mailbox *box = ctx;
	uint64_t count;
	/* Before the letters are taken: who finds the box empty after that wakes us again. */
	if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN) {
		log_error("loop", "cannot read a mailbox descriptor: %s", fail_text(-errno));
	}
	read_all(box);
}

void mailbox_free(struct mailbox **ptr)
{
	struct mailbox *box = *ptr;
	if (box == NULL) {
		return;
	}
	while (atomic_load_explicit(&box->top, memory_order_relaxed) != NULL) {
		read_all(box); /* again, if a letter posted one */
	}
	assert(!box->reading);
	loop_fd_close(&box->wake);
	close(box->wake.fd);
	free(box);
	*ptr = NULL;
}

/* Counts one more letter, unless the box is full. */
static bool letter_admit(struct mailbox *box)
{
	size_t letters = atomic_load_explicit(&box->letters, memory_order_relaxed);
	do {
		if (letters >= box->letter_max) {
			return false;
		}
	} while (!atomic_compare_exchange_weak_explicit(
		&box->letters, &letters, letters + 1, memory_order_relaxed, memory_order_relaxed));
	return true;
}

int mailbox_post(struct mailbox *box, struct mail *mail)
{
	if (!letter_admit(box)) {
		return FAIL_BUSY;
	}
	struct mail *top = atomic_load_explicit(&box->top, memory_order_relaxed);
	do {
		mail->next = top;
	} while (!atomic_compare_exchange_weak_explicit(&box->top, &top, mail, memory_order_release,
	                                                memory_order_relaxed));
	if (top != NULL) {
		return 0; /* whoever filled the empty box has woken the reader */
	}
	const uint64_t one = 1;
	if (write(box->wake.fd, &one, sizeof(one)) < 0 && errno != EAGAIN) {
		log_error("loop", "cannot wake a mailbox's reader: %s", fail_text(-errno));
	}
	return 0;
}
