/*
 * zone/copy.h - zones kept on disk, to answer before the API does, or in its place.
 *
 * One file a zone, DIR/ID.zone: a note of what is known of the zone, then its block as it lies in memory, under one sum.
 * It is written aside, synced and renamed, so there is a whole one at any moment, whatever ends the write. Reading checks
 * the sum and then every offset in the block; no byte is believed for its sum alone.
 *
 * Loop:   any thread that may block on the disk; never a worker.
 * Memory: reading needs that of the zone and 1/16 more; writing none.
 */
#pragma once

#include "zone/zones.h"

#define ZONE_COPY_ID_MAX 33 /* a zone's id and its end */

/* What is known of a zone beside its content. */
struct zone_copy {
	char id[ZONE_COPY_ID_MAX];
	char vpc[64];           /* whose zone it is; "": not by a VPC */
	char account[16];       /* that owns it, as far as it is known: whose role lists it */
	bool by_vpc;            /* wanted as one of the VPC's, */
	bool by_tag;            /* for its tags */
	bool associated;        /* with that VPC */
	enum zones_known known; /* how that is known */
	int64_t looked_s; /* wall clock of the listing, or of the last one that said the same */
	int64_t changed_s;
};

/* An id that can be a file's name: 1 to 32 letters and digits. */
bool zone_copy_id_fits(const char *id);

/*
 * Takes the place of the file of before, if any; that one stays when it fails. Returns 0, -errno, or -EINVAL when the id
 * does not fit.
 */
int zone_copy_write(const char *dir, const struct zone_copy *copy, const struct zone *zone);

/*
 * The copy of this id. Returns 0, FAIL_NOTFOUND, FAIL_NOMEM, -errno (it cannot be read), FAIL_FORMAT (damaged) or
 * FAIL_CHANGED (of another version or kind of machine); why: one line on failure.
 */
int zone_copy_read(const char *dir, const char *id, struct zone_copy *ret_copy,
                   struct zone **ret_zone, char *why, size_t why_size);

/* Renames a file that cannot be used to ID.zone.damaged (in place of one of before). Returns 0 or -errno. */
int zone_copy_set_aside(const char *dir, const char *id);

/* No failure when there is none. Returns 0 or -errno. */
int zone_copy_remove(const char *dir, const char *id);

/* Every copy's id, in no order, at most max; what a write left unfinished is removed. Returns 0 or -errno. */
typedef void zone_copy_fn(void *ctx, const char *id);
int zone_copy_each(const char *dir, size_t max, zone_copy_fn *fn, void *ctx);
