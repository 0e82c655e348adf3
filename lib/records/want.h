/*
 * records/want.h - the records that the settings want of this instance.
 *
 * Pure but for the values, which come through the instance's own calls. Nothing that cannot carry its mark is wanted.
 */
#pragma once

#include "config/records.h"
#include "records/instance.h"
#include "records/owner.h"

/* Why a record cannot be: "FILE:LINE: ..." */
struct want_fault {
	const char *text;
	int reason; /* 0: the settings or what the instance has; else why metadata could not be asked */
};

struct want {
	struct record_entry *entries; /* those that can be */
	size_t count;
	struct want_fault *faults;
	size_t fault_count;
};

/* The key of digests in public marks. buf: 300. Returns buf. */
const char *want_key(const struct records_settings *settings, char *buf);

/* Returns 0 or FAIL_NOMEM; all memory is of the instance's arena. */
int want_make(const struct records_settings *settings, struct instance *instance,
              const struct owner *owner, struct want *ret_want);

/* The mark that a set of this owner carries: its identifier, or the TXT. FAIL_LIMIT: it cannot. */
int want_mark(const struct owner *owner, const struct records_settings *settings,
              const struct records_record *record, struct arena *arena, struct record_entry *entry);
