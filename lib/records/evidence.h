/*
 * records/evidence.h - which instances there are, and what that says of an owner.
 *
 * Three values, never two: an owner lives, is gone, or it is not known. Every doubt about the whole answer (an error, a
 * page that is missing, another account, a canary that is not in it) makes all of it unknown: nothing is deleted on it.
 *
 * Facts: facts/instance-records.md C4, R3 to R6.
 */
#pragma once

#include "records/api.h"
#include "records/owner.h"

enum evidence_state {
	EVIDENCE_LIVE, /* pending, running, stopping */
	EVIDENCE_STOPPED,
	EVIDENCE_ENDING, /* shutting-down: not yet gone */
	EVIDENCE_TERMINATED,
	EVIDENCE_ABSENT,  /* not listed */
	EVIDENCE_UNKNOWN, /* a state that we do not know */
};

struct evidence_instance {
	struct owner owner; /* instance, account and region; for digests */
	char digest[OWNER_DIGEST + 1];
	enum evidence_state state;
	const char *const *addresses;
	size_t address_count;
};

#define EVIDENCE_INSTANCES_MAX 200000

struct evidence {
	char account[13];
	char region[33];
	const char *fleet;
	const char *key;                     /* of digests */
	struct evidence_instance *instances; /* by id */
	size_t count;
	size_t room;
	size_t live;
	struct arena *arena;
};

struct evidence_opts {
	const char *fleet;
	const char *key;
	const char *region;
	const char *account; /* as instance metadata says; "": unknown */
	const char *canary;  /* an instance that must be listed and live */
};

/* Adds one; for evidence_gather and for tests. FAIL_LIMIT, FAIL_NOMEM. */
int evidence_add(struct evidence *evidence, const struct aws_ec2_instance *instance);
/* Call once all are added. 0, or FAIL_CHANGED with why: the evidence is not to be trusted. */
int evidence_finish(struct evidence *evidence, const struct evidence_opts *opts, char *why,
                    size_t why_size);

/*
 * Asks who we are and for every instance. 0, or a failure with why in one line: then nothing at all is known. Tries
 * again until deadline_ms where that may help. Texts of opts are borrowed.
 */
int evidence_gather(const struct records_api *api, const struct evidence_opts *opts,
                    uint64_t deadline_ms, struct arena *arena, struct evidence *ret_evidence,
                    char *why, size_t why_size);
void evidence_fini(struct evidence *evidence);

/* What is known of the owner of a mark in our scope. ret_instance (may be NULL): the one listed, or NULL. */
enum evidence_state evidence_of(const struct evidence *evidence, const struct owner *mark,
                                const struct evidence_instance **ret_instance);
/* The live instance that has an address, or NULL. */
const struct evidence_instance *evidence_holder(const struct evidence *evidence,
                                                const char *address);
bool evidence_has_address(const struct evidence_instance *instance, const char *address);
/* R2: the mark is of the account and Region that was asked. */
bool evidence_scope(const struct evidence *evidence, const struct owner *mark);
