/*
 * base/epoch.h - read-copy-update: readers without locks, writers who wait (a wrapper of liburcu).
 *
 * A thread that reads calls epoch_thread_start once, and epoch_thread_stop before it ends.
 * Between epoch_read_begin and epoch_read_end nothing it loaded is freed; the section must not
 * hold over I/O, a lock that a writer holds, or a park.
 */
#pragma once

#include <stddef.h>

struct epoch_head {
	void *opaque[3];
};

typedef void epoch_free_fn(struct epoch_head *head);

void epoch_thread_start(void);
void epoch_thread_stop(void);

void epoch_read_begin(void);
void epoch_read_end(void);

/* Waits until every section that was open at the call has ended. Never inside a section. */
void epoch_wait(void);

/* Calls fn(head) once no reader can hold it any more, on a thread of the library. */
void epoch_defer(struct epoch_head *head, epoch_free_fn *fn);

/* Waits until all that was deferred has been freed (at shutdown and in tests). */
void epoch_drain(void);

#define epoch_load(at)         __atomic_load_n((at), __ATOMIC_ACQUIRE)
#define epoch_store(at, value) __atomic_store_n((at), (value), __ATOMIC_RELEASE)
