/*
 * forward/group_int.h - the groups of targets that rules name, and the choice among their targets.
 *
 * A table is immutable and published whole; what changes within it are the health of targets, the
 * buckets and the counters. A new table takes over from the old one every target with the same
 * address and source, every bucket of the same rate, and the counters of a group that stays.
 *
 * Loop:   found by workers inside a read section (base/epoch.h); a question holds its group.
 * Memory: everything counted by references.
 */
#pragma once

#include "base/random.h"
#include "forward/bucket_int.h"
#include "forward/forward.h"
#include "forward/target_int.h"

/* Why a try came to nothing; in the order of group__reason_text. */
enum forward_reason {
	REASON_TIMEOUT,
	REASON_SERVFAIL,
	REASON_REFUSED,
	REASON_FORMERR,
	REASON_LAME,     /* any other answer that is of no use */
	REASON_MISMATCH, /* a packet that could not be believed */
	REASON_NET,      /* not to be reached, or the connection broke */
	REASON_TLS,      /* no handshake, or not with whom it should be */
	REASON_COUNT,
};
const char *group__reason_text(enum forward_reason reason);

#define MEMBER_USELESS_MAX 5 /* useless answers in a row, each to another name, then it is lame */

/* Each worker writes its own, on a line of its own. */
struct tally {
	_Alignas(64) uint64_t queries;
	uint64_t probes; /* of those, questions of our own */
	uint64_t failures[REASON_COUNT];
};

/*
 * A target as one group's. It may be well and still of no use to the group: it refuses our address,
 * knows nothing of the rule's names, or what stands behind it is broken. Such a one is lame: it is
 * asked after those that are not, whatever the policy, until a client's question that goes to it
 * aside (member__trial) or a probe has had a useful answer. A probe says so only when it was useless
 * while the member was lame: there are servers that give their SOA and nothing else.
 */
struct member {
	uint32_t refs;
	struct target *target;
	/* Written by all workers, atomically. */
	uint32_t useless;      /* answers in a row */
	uint32_t useless_name; /* hash of the last one's name */
	uint32_t lame_ms;      /* 0: not lame; else the present wait between trials */
	uint32_t probe_ms;     /* and that between probes */
	bool probe_tells;
	uint64_t lame_since_ms;
	uint64_t trial_due_ms;
	uint64_t probe_due_ms;
	/* Loops (forward/circle_int.h). */
	uint32_t circled;      /* 1: what it is asked comes back to us */
	uint32_t circle_turn;  /* of the group's domains */
	uint32_t circle_clean; /* questions of our own in a row that did not come back */
	uint64_t circle_due_ms;
	uint64_t circle_seen_ms; /* the last one that did */
	uint64_t circle_hasten_ms;
	uint64_t circle_quiet_ms;
	uint64_t circled_since_ms;
	uint64_t loops;          /* found, and questions refused in flight */
	struct addr circle_from; /* who brought the last one back; under forward.circle_lock */
	struct tally tally[];    /* target->workers */
};

/* Wire names, one behind the other. */
struct names {
	size_t count;
	size_t size; /* octets */
	uint8_t *wire;
};

struct group {
	uint32_t refs;
	uint32_t origin;
	enum forward_policy policy;
	unsigned int guard; /* GUARD_ bits: what its questions carry, where the target bears it */
	uint32_t inflight_max;
	char *rule;
	struct names domains;
	uint8_t *probe_name; /* wire */
	uint16_t probe_type;
	struct bucket *bucket; /* NULL: no limit */
	unsigned int member_count;
	struct member *members[FORWARD_TARGETS_MAX];
	_Alignas(64) uint32_t inflight; /* questions */
};

struct group_table {
	uint32_t refs;
	size_t count;
	struct group *groups[]; /* by origin */
};

struct group *group__ref(struct group *group);
void group__unref(struct group **group);

/* old: NULL or the table to take over from. 0 or FAIL_NOMEM. */
int group_table__new(const struct forward_group_opts *opts, size_t count,
                     const struct group_table *old, unsigned int workers,
                     struct group_table **ret_table);
struct group_table *group_table__ref(struct group_table *table);
void group_table__unref(struct group_table **table);
/* Borrowed from the table. NULL: no such group. */
struct group *group_table__find(const struct group_table *table, uint32_t origin);

/*
 * The member to ask next, or -1 when all of them are in exclude (bit i: member i): those that are
 * up before those that are down, and among them as the policy says.
 */
int group__pick(const struct group *group, uint32_t exclude, struct draw *draw, uint64_t now_ms);
/* A lame member that is due for a trial, which the caller now owes it; -1: none. */
int group__trial(const struct group *group, uint32_t exclude, uint64_t now_ms);
bool group__way_out(const struct group *group);

/* --- Lame or not: member.c --- */

bool member__lame(const struct member *member);
/* What it is asked comes back to us. */
bool member__circled(const struct member *member);
/* It answered usefully, a probe or else a client's question. */
void member__useful(struct member *member, const struct group *group, bool probe, uint64_t now_ms);
/* It answered name (its hash) uselessly. word: "REFUSED", for the log. */
void member__useless(struct member *member, const struct group *group, bool probe, uint32_t name,
                     const char *word, uint64_t now_ms);
/* True for one asker, when the member is lame and has waited. */
bool member__trial(struct member *member, uint64_t now_ms);
/* The same for the prober. */
bool member__probe(struct member *member, uint64_t now_ms);
