/*
 * records/journal.h - every record that is deleted, as a line of JSON, written and synced before the call (R15).
 *
 * One file a run, DIR/journal/RUN.json, so that `restore RUN` finds it.
 */
#pragma once

#include "records/set.h"

#define JOURNAL_RUN_MAX 40

struct journal;

/* "20260102T030405Z-1a2b3c4d". buf: JOURNAL_RUN_MAX. */
void journal_run(int64_t now_s, uint32_t random, char *buf);

/* The file is made with the first entry. NULL: no memory. */
struct journal *journal_open(const char *dir, const char *run);
/* Not yet on disk before journal_sync. reason: one word. 0, -errno or FAIL_NOMEM. */
int journal_add(struct journal *journal, const struct record_entry *entry, const char *reason,
                int64_t now_s);
int journal_sync(struct journal *journal);
void journal_close(struct journal **journal);

typedef int journal_entry_fn(void *ctx, const struct record_entry *entry);

/*
 * All entries of a run. 0; FAIL_NOTFOUND: no such run; FAIL_FORMAT: a line that is none (the last one may be cut short:
 * then its call was never made); what fn returned.
 */
int journal_read(const char *dir, const char *run, struct arena *arena, journal_entry_fn *fn,
                 void *ctx);
