/*
 * records/sweep.h - clears away what machines left that are gone, puts back what a run removed, and purges a fleet.
 *
 * A deletion is a compare-and-swap: DELETE of the set exactly as listed, which fails when its owner came back. Each batch
 * also renews the lease, a TXT at _hz-sweep.FLEET.ZONE, so that a run that lost it can change nothing (R16).
 */
#pragma once

#include "base/text.h"
#include "config/records.h"
#include "records/api.h"

enum sweep_result {
	SWEEP_DONE, /* or nothing to do */
	SWEEP_FAILED,
	SWEEP_PENDING, /* dry run: records would go */
	SWEEP_BRAKED,
	SWEEP_UNKNOWN, /* R3 */
};

struct sweep_opts {
	const struct records_settings *settings;
	const struct records_api *api;
	struct arena *arena;
	const char *region;   /* whose instances are asked for */
	const char *account;  /* as instance metadata says; "": unknown */
	const char *instance; /* the sweeper's own; "": not on one */
	bool apply;
	const char *plan_sum; /* apply only when the plan has this sum; NULL: whatever it has */
	bool json;
	uint64_t deadline_ms; /* of api->mono_ms, for evidence and changes */
};

struct sweep_report {
	struct text out;
	struct text faults;
	size_t deleted;
};

void sweep_report_init(struct sweep_report *report);
void sweep_report_fini(struct sweep_report *report);

enum sweep_result sweep_run(const struct sweep_opts *opts, struct sweep_report *report);
/* CREATE of all that the run deleted; what stands there by now is left alone. */
enum sweep_result sweep_restore(const struct sweep_opts *opts, const char *run,
                                struct sweep_report *report);
/* Every record with a mark of that fleet, in the zones of the settings; no evidence is asked for. */
enum sweep_result sweep_purge(const struct sweep_opts *opts, const char *fleet,
                              struct sweep_report *report);
