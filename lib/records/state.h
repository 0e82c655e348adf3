/*
 * records/state.h - what this instance remembers of its records: one file, written whole or not at all.
 *
 * It is written before a call that changes records, with what may be there after it, and again when the outcome is known:
 * whatever happens in between, deregister knows what to look for.
 *
 * Memory: the caller's arena.
 */
#pragma once

#include "records/set.h"

#define STATE_RECORDS_MAX 1000
#define STATE_ZONES_MAX   200

struct state_record {
	struct record_entry entry;
	bool pending; /* a call was made, its outcome is not known */
};

struct state_zone {
	const char *id;
	bool private_zone;
};

struct state {
	char fleet[33];
	char account[13];
	char region[33];
	char instance[33]; /* "": nothing remembered */
	char kernel[40];   /* the kernel's boot id when it was last written */
	int64_t boot_s;
	struct state_zone zones[STATE_ZONES_MAX];
	size_t zone_count;
	struct state_record records[STATE_RECORDS_MAX];
	size_t record_count;
	unsigned int cursor; /* which record is to be looked at next */
};

/*
 * Reads DIR/state.json. 0; FAIL_NOTFOUND: there is none; FAIL_FORMAT: it is none of ours (*ret_state is empty then, as
 * with FAIL_NOTFOUND); -errno; FAIL_NOMEM.
 */
int state_load(const char *dir, struct arena *arena, struct state *ret_state);
int state_save(const char *dir, const struct state *state);

/* The kernel's id of this boot; "": unknown. buf: 40. */
void state_kernel(char *buf);
/* Written since this boot, for sure: both ids are known, and equal. kernel: of state_kernel. */
bool state_kernel_same(const struct state *state, const char *kernel);

/* Makes the folder if it is missing and takes a lock in it; waits up to wait_ms. The descriptor, FAIL_BUSY or -errno. */
int state_lock(const char *dir, const char *name, unsigned int wait_ms);

/* NULL: not looked at yet. */
const struct state_zone *state_zone_find(const struct state *state, const char *zone);
/* False: no room. */
bool state_zone_add(struct state *state, const char *zone, bool private_zone);
/* The record at this zone, name and type, or NULL. */
struct state_record *state_find(struct state *state, const struct record_entry *entry);
bool state_add(struct state *state, const struct record_entry *entry, bool pending);
void state_drop(struct state *state, const struct state_record *record);
