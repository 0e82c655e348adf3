/*
 * records/lease.h - one sweeper at a time in a zone: a TXT taken, renewed and given up by compare-and-swap.
 *
 * Every batch of the holder deletes the lease as it knows it and creates the next one. Whoever lost it cannot change
 * anything more, however long it slept.
 */
#pragma once

#include "records/apply.h"

#define LEASE_S 600

struct lease {
	const char *zone;
	char name[RECORD_NAME_MAX];
	char fleet[33];
	char run[64];
	int64_t until_s; /* of the one that stands */
	int64_t next_s;  /* of the one that was last asked for; 0: none */
	bool held;
};

/* FAIL_LIMIT: the name would be too long. */
int lease_init(struct lease *lease, const char *zone, const char *apex, const char *fleet,
               const char *run);

/* Takes it, from a holder whose time is over too. FAIL_BUSY: another holds it (why). Else as the call failed. */
int lease_take(struct lease *lease, const struct records_api *api, uint64_t deadline_ms,
               struct arena *arena, char *why, size_t why_size);

/* The two changes that renew it, texts in the arena; lease_renewed after the batch was taken. 0 or FAIL_NOMEM. */
int lease_changes(struct lease *lease, const struct records_api *api, struct arena *arena,
                  struct record_change *changes);
void lease_renewed(struct lease *lease);

/* After a refusal: looks whether it is still ours. 0; FAIL_CHANGED: lost; else as the listing failed. */
int lease_check(struct lease *lease, const struct records_api *api, struct arena *arena);

/* Gives it up, as far as that can be done. */
void lease_drop(struct lease *lease, const struct records_api *api, struct arena *arena);

/* Among the sets of the zone's listing: removes the lease of a run that was killed, once its time is over. */
void lease_clean(struct lease *lease, const struct records_api *api, uint64_t deadline_ms,
                 const struct record_set *sets, size_t count);
