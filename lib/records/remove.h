/*
 * records/remove.h - the doing of a sweep or purge: journal, lease, deletions, and the other way round.
 */
#pragma once

#include "records/apply.h"
#include "records/journal.h"
#include "records/sweep.h"

struct removal {
	const struct record_entry *entry;
	const char *reason;
};

/*
 * Deletes each entry exactly as it is. zones and apexes: of every zone that occurs. lease_owner: the fleet whose lease is
 * taken. Lines go into the report. SWEEP_DONE only when all is gone.
 */
enum sweep_result remove_all(const struct sweep_opts *opts, const struct removal *removals,
                             size_t count, const char *lease_owner, const char *run,
                             const char *(*apex_of)(void *ctx, const char *zone), void *apex_ctx,
                             struct sweep_report *report);

/* Creates each entry; what stands there already, equal, is fine. */
enum sweep_result remove_undo(const struct sweep_opts *opts, const struct record_entry *entries,
                              size_t count, struct sweep_report *report);
