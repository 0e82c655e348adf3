/*
 * records/policy.h - the least rights that each program needs, as an IAM policy made of its own settings.
 *
 * Pure. Rights to change record sets are narrowed by name, type and action. Those condition keys are multivalued, and
 * ForAllValues is true where a key is absent: so each stands with a Null guard, and changes have a statement of their
 * own, apart from the listings, whose requests carry no such key.
 *
 * The sweep makes nothing but its lease, yet may create whatever it may delete: the lease is renewed in the batch that
 * deletes, and IAM looks at a batch as a whole. The same rights serve `restore`.
 *
 * IAM cannot tie a name to the instance that asks: where a template stands the pattern has a wildcard, so the unit is
 * the fleet.
 *
 * AWS: Service Authorization Reference; Route 53 Developer Guide, "Using IAM policy conditions for fine-grained access
 * control"; facts/route53.md section 9.3.
 */
#pragma once

#include "base/text.h"
#include "config/records.h"

/* IAM stores no managed policy that is longer, white space not counted. */
#define POLICY_SIZE_MAX 6144

struct policy_opts {
	const char *region; /* "": any of the partition "aws" */
	bool wait;          /* register --wait: asks whether a change is in sync */
	bool drain; /* deregister --drain: completes the lifecycle action of the autoscaling group */
};

/*
 * Add a policy document, JSON with an end of line. Return 0; FAIL_NOTFOUND: the settings need no right at all (nothing is
 * added); FAIL_NOMEM.
 */
int policy_daemon(const struct settings *settings, const struct policy_opts *opts,
                  struct text *out);
int policy_register(const struct records_settings *settings, const struct policy_opts *opts,
                    struct text *out);
int policy_sweep(const struct records_settings *settings, const struct policy_opts *opts,
                 struct text *out);
/* dhcp-options and recovery-alarm, both with --apply: rights of whoever sets things up, not of an instance. */
int policy_setup(const struct records_settings *settings, const struct policy_opts *opts,
                 struct text *out);
int policy_health(const struct records_settings *settings, const struct policy_opts *opts,
                  struct text *out);

/* Characters of a document as IAM counts them. */
size_t policy_size(const char *document);
