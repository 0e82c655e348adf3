/*
 * records/look.h - what stands at one name, and whose it is.
 */
#pragma once

#include "records/api.h"
#include "records/owner.h"

#define LOOK_SETS_MAX \
	300 /* at a name and at its mark's; Route 53 allows 100 of one name and type */

struct look {
	struct record_set sets[LOOK_SETS_MAX];
	size_t count;
};

/*
 * One listing, two when many names lie between a name and its mark's. Only sets of exactly these two names are
 * taken. Errors as the listing; FAIL_LIMIT: more sets than there can be.
 */
int look_at(const struct records_api *api, const char *zone, const char *name, struct arena *arena,
            struct look *ret_look);

/*
 * The sets of a type at the name as entries: each with its owner, when it has a mark. A simple set takes the TXT at the
 * mark's name for its own. Sets that ours never are (alias, weight) have no owner.
 */
struct look_entry {
	struct record_entry entry;
	bool owned;
	struct owner owner;
};
size_t look_entries(const struct look *look, const char *zone, const char *name, const char *type,
                    struct look_entry *ret_entries, size_t max);

/* The TXT of a mark at the name, or NULL: with a record gone, it may be all that is left. */
const struct record_set *look_mark(const struct look *look, const char *name,
                                   struct owner *ret_owner);
