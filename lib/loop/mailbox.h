/*
 * loop/mailbox.h - letters between threads, each read on the loop of the one who owns the box.
 *
 * A letter is a struct mail inside something of the sender's; posting hands it over. Letters come in
 * the order in which one sender posted them. One eventfd write wakes a sleeping loop, not one a letter.
 * Bound: the box holds letter_max; a full box refuses.
 */
#pragma once

#include <stddef.h>

struct loop;
struct mailbox;

struct mail {
	struct mail *next;
	/* Runs on the owner's loop; owns the mail from then on. */
	void (*fn)(struct mail *mail, void *ctx);
};

/* ctx is given to every letter's fn. NULL when memory or descriptors are short. */
struct mailbox *mailbox_new(struct loop *loop, size_t letter_max, void *ctx);

/* Runs fn of every letter still inside, then frees. On the owner's thread; no sender may be left. */
void mailbox_free(struct mailbox **box);

/* From any thread. 0, or FAIL_BUSY (full; the mail stays the caller's). */
int mailbox_post(struct mailbox *box, struct mail *mail);
