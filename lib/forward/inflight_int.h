/*
 * forward/inflight_int.h - questions sent upstream and not yet settled, and who waits for them.
 *
 * Askers of the same thing share one entry, whichever worker they came to (T1: every duplicate is
 * a forger's chance). The key is the full name, never a hash alone.
 *
 * Loop:   shared by all workers. One lock a shard, the innermost of all, held for a few
 *         instructions and never in a callback. A waiter is attached to an entry under that lock;
 *         once it is not, it is its own worker's alone, or on its way there in a letter.
 * Memory: entries and waiters lie in what their workers own; the table itself has a fixed size.
 */
#pragma once

#include "base/addr.h"
#include "base/list.h"
#include "dns/name.h"
#include "loop/loop.h"
#include "loop/mailbox.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct answer_copy;
struct forward_ask;
struct forward_worker;
struct inflight;

/*
 * What is asked. Embedded in the question (forward/ask_int.h); its owner is the worker that asks
 * upstream.
 */
struct inflight_entry {
	struct inflight_entry *next; /* in its bucket */
	struct list waiters;
	struct forward_worker *owner;
	uint64_t hash;
	struct addr asker;    /* the first one; len 0: we ourselves */
	uint64_t deadline_ms; /* for joiners: it ends then at the latest */
	uint32_t origin;
	uint16_t qtype;
	bool dnssec_ok;
	bool checking_disabled;
	bool open; /* in the table: may be joined */
	/* Part of the key: 0, or 1 + the member of the group that alone is asked (a probe). */
	uint8_t only;
	bool made_up;     /* as forward_ask has it */
	bool from_target; /* asker is one of the targets that are asked */
	uint8_t name_len;
	uint8_t name[DNS_NAME_MAX + 1]; /* as the first asker wrote it */
};

/* One asker. */
struct waiter {
	struct list link;             /* in its entry, or in the settler's hands */
	struct list mine;             /* all waiters of this worker */
	struct inflight_entry *entry; /* attached to; NULL: no longer */
	struct inflight *table;
	struct forward_worker *worker;
	struct forward_ask *ask; /* NULL: cancelled */
	struct loop_timer timer; /* when its own time is up before the question's is */
	unsigned int shard;
	bool fresh;
	/* On the way to its worker: the head of a chain of mates is the letter. */
	struct mail mail;
	struct waiter *mate;
	struct answer_copy *copy;
};

/* entries_max: buckets are made for so many; more would only be slower. NULL: no memory. */
struct inflight *inflight__new(size_t entries_max);
/* It is empty. */
void inflight__free(struct inflight **table);

/* Fills the hash of an entry whose key is set. */
void inflight__hash(struct inflight_entry *entry);

enum inflight_joined {
	INFLIGHT_FRESH,  /* the entry is in the table: a packet must be sent */
	INFLIGHT_JOINED, /* waiter waits on another entry like it; *ret_deadline_ms is that one's */
	INFLIGHT_FULL,   /* nobody has asked it and a new one was not allowed */
	INFLIGHT_CIRCLE, /* somebody has asked it, and now a target asks it back */
};
enum inflight_joined inflight__join(struct inflight *table, struct inflight_entry *entry,
                                    struct waiter *waiter, bool may_add, uint64_t *ret_deadline_ms);

/* True: the waiter was attached and is no longer. False: its outcome is on the way. */
bool inflight__detach(struct waiter *waiter);

/* When nobody waits: takes the entry out of the table and returns true. */
bool inflight__leave_unwanted(struct inflight *table, struct inflight_entry *entry);

/*
 * Takes the entry out of the table, marks the first waiter as the fresh one, and moves the
 * owner's own waiters to ret_own. True when waiters of other workers stay attached, for
 * inflight__send.
 */
bool inflight__leave(struct inflight *table, struct inflight_entry *entry, struct list *ret_own);

/*
 * Posts a letter to each worker that still has waiters on the entry: fn finds the first waiter by
 * its mail and the others by mate. Each letter holds copy, which may be NULL.
 */
void inflight__send(struct inflight *table, struct inflight_entry *entry, struct answer_copy *copy,
                    void (*fn)(struct mail *mail, void *ctx));

/* In settle.c: what a letter brings. NULL is fine. */
struct answer_copy *settle__copy_ref(struct answer_copy *copy);

/* After this no letter is being posted to a worker that has no waiter any more. */
void inflight__quiesce(struct inflight *table);
