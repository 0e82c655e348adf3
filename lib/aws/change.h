/*
 * aws/change.h - the calls that write: record sets of Route 53. Blocking, as those of aws/route53.h.
 *
 * Errors: as aws/route53.h; of a change also -EEXIST (InvalidChangeBatch: nothing of the batch was done) and FAIL_BUSY
 * (PriorRequestNotComplete). No retries here. AWS: API Reference ChangeResourceRecordSets, GetChange; facts/route53.md
 * sections 1.5, 1.6, 2.
 */
#pragma once

#include "aws/zone_list.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aws;

#define AWS_CHANGE_ID_MAX     64
#define AWS_CHANGE_VALUES_MAX 1000  /* values of one batch */
#define AWS_CHANGE_CHARS_MAX  32000 /* characters of all its values */

enum aws_change_action {
	AWS_CHANGE_CREATE, /* fails when the set exists */
	AWS_CHANGE_DELETE, /* fails unless the set is exactly so */
};

/* A simple set, or (set_identifier) a multivalue one: name, type, ttl_s and values are what is used. */
struct aws_change {
	enum aws_change_action action;
	const struct aws_record_set *set;
};

/* One batch: all or nothing. ret_change: AWS_CHANGE_ID_MAX, for aws_change_insync; "" after failure. */
int aws_change_record_sets(struct aws *aws, const char *zone_id, const struct aws_change *changes,
                           size_t count, char *ret_change);

/* GetChange: has it reached every name server? */
int aws_change_insync(struct aws *aws, const char *change_id, bool *ret_insync);

/* One page of ListResourceRecordSets that begins at a name (in the API's form). ret_more (may be NULL): others follow. */
int aws_list_record_sets_at(struct aws *aws, const char *zone_id, const char *name,
                            aws_record_set_fn *fn, void *ctx, bool *ret_more);
