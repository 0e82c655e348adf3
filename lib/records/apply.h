/*
 * records/apply.h - the doing: groups of changes sent as few, politely, and one bad group without harm to the rest.
 *
 * A group is done whole or not at all (a record and its mark, the old and the new). As many groups of a zone as fit go
 * into one batch. Throttling, a zone that is busy, and silence are tried again with full jitter until the deadline. A
 * batch that is refused is halved until the group is found that does not fit; what to do with that one is the
 * caller's to say, after a look at what is there.
 */
#pragma once

#include "records/api.h"

enum apply_end {
	APPLY_OPEN,
	APPLY_DONE,
	APPLY_REFUSED, /* it does not fit what is there; why says what that is */
	APPLY_FAILED,  /* fail and why */
};

struct apply_group {
	const char *zone;
	const struct record_change *changes;
	size_t count;
	enum apply_end end;
	int fail;
	char why[512];
	char change[RECORDS_CHANGE_ID_MAX]; /* for insync */
	void *user;
};

struct apply {
	const struct records_api *api;
	uint64_t deadline_ms; /* of api->mono_ms: no call is begun after it */
	void *ctx;            /* of the calls below */
	/*
	 * A group was refused alone. Looks, and says what became of it: APPLY_OPEN (changes were renewed, once more),
	 * APPLY_DONE, APPLY_REFUSED or APPLY_FAILED (with why).
	 */
	enum apply_end (*refused)(void *ctx, struct apply_group *group);
	/* Before each call of a batch; may put up to APPLY_EXTRA changes in front of it. Non-zero ends all. May be NULL. */
	int (*before)(void *ctx, const char *zone, struct apply_group *const *groups, size_t count,
	              struct record_change *extra, size_t *ret_extra);
	/* After a batch was taken. May be NULL. */
	void (*taken)(void *ctx, struct apply_group *const *groups, size_t count);
};

#define APPLY_EXTRA 2

/* All groups, which are of one zone. Every one has its end after it. */
void apply_zone(struct apply *apply, struct apply_group *const *groups, size_t count);

/* Other calls with the same patience: whether to try again after a failure, having paused. */
struct apply_patience {
	unsigned int tries;
	uint64_t began_ms;
};
bool apply_again(const struct records_api *api, uint64_t deadline_ms, int fail,
                 struct apply_patience *patience);
