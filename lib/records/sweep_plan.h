/*
 * records/sweep_plan.h - what of the marked records is to go, and why, and why the rest stays. Pure.
 *
 * Rules: facts/instance-records.md C4, R1 to R14. A record goes only when every one of them lets it.
 */
#pragma once

#include "base/text.h"
#include "config/records.h"
#include "records/evidence.h"
#include "records/zone_list.h"

enum sweep_verdict {
	SWEEP_GO_TERMINATED, /* EC2 says so */
	SWEEP_GO_ABSENT,     /* EC2 does not know it, and it is old enough (R5) */
	SWEEP_GO_STOPPED,    /* stopped, and the public address is not its own any more (R5) */
	SWEEP_GO,            /* from here on: what stays */
	SWEEP_LIVE = SWEEP_GO,
	SWEEP_FLEET,   /* R1: of another fleet */
	SWEEP_SCOPE,   /* R2: of an account or Region that we cannot list */
	SWEEP_STATE,   /* R3: EC2 gives a state that we do not know */
	SWEEP_ENDING,  /* R5: shutting down */
	SWEEP_STOPPED, /* R5: stopped; private, or the address is still its own */
	SWEEP_MOVED, /* R6: alive, but the address is another's: its own register puts that right */
	SWEEP_FIRST, /* R7: seen so for the first time, or not long enough ago */
	SWEEP_YOUNG, /* R8, R5 */
	SWEEP_FEW,   /* R10: more than three of a small zone */
	SWEEP_LAST,  /* R10: the last set of a shared name */
	SWEEP_UNCLEAR, /* R14: one mark for several records */
	SWEEP_VERDICTS,
};

struct sweep_item {
	struct marked marked;
	enum sweep_verdict verdict;
	enum sweep_verdict wanted; /* what it was before R7, R8, R10 kept it */
	int64_t age_s;             /* since its boot stamp; for digests since the first sighting */
};

enum sweep_brake {
	SWEEP_BRAKE_OFF,
	SWEEP_BRAKE_SHARE,  /* R9: more than max_share percent, of a zone or of all */
	SWEEP_BRAKE_NUMBER, /* R9: more than max_number */
};

struct sweep_plan {
	struct sweep_item *items; /* of all zones, by zone, name, type, identifier */
	size_t count;
	size_t owned; /* of our fleet and in our scope */
	size_t go;
	enum sweep_brake brake;
	char brake_why[200];
	char sum[65];
};

/* When an item was first seen gone, as remembered; 0: not at all. */
typedef int64_t sweep_seen_fn(void *ctx, const struct sweep_item *item);

struct sweep_rules {
	const struct records_sweep *settings;
	const char *fleet;
	const struct evidence *evidence;
	int64_t now_s;
	sweep_seen_fn *seen;
	void *seen_ctx;
};

/* Lists may be of several zones. FAIL_NOMEM. */
int sweep_plan_make(const struct sweep_rules *rules, const struct zone_list *const *lists,
                    size_t count, struct sweep_plan *ret_plan);
void sweep_plan_fini(struct sweep_plan *plan);

/* One line that is the same exactly when the record is: zone, name, type, identifier, TTL, values, and its mark's. */
void sweep_entry_line(const struct record_entry *entry, struct text *out);
/* The sum over those lines. sum: 65. */
void sweep_sum(const struct record_entry *const *entries, size_t count, char *sum);

/* "terminated", "live", ... */
const char *sweep_verdict_text(enum sweep_verdict verdict);
