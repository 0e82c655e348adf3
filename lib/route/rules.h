/*
 * route/rules.h - forwarding rules: which names go where. An immutable table, swapped whole.
 *
 * The most specific name wins over all kinds (D1, D3). This table answers for rules and for names
 * that are ours to hand to the VPC resolver (autodefined); the walk over rules and zones together
 * is query/'s.
 *
 * AWS: facts/peers-and-semantics.md D3..D7; Route 53 Developer Guide, "Domain names that Resolver
 * creates autodefined system rules for".
 */
#pragma once

#include "base/addr.h"
#include "dns/name.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rule_kind {
	RULE_FORWARD,
	RULE_SYSTEM,      /* back to local resolution: private zones, else the VPC resolver */
	RULE_AUTODEFINED, /* to the VPC resolver; loses to a private zone of the same name */
	RULE_DELEGATED, /* below a cut in a private zone, to the servers of its glue; as AUTODEFINED */
	RULE_LOCAL,     /* localhost and loopback reverse names: answered by ourselves */
	RULE_DEFAULT, /* the rest: the VPC resolver */
};
const char *rule_kind_text(enum rule_kind kind);

/* One rule as the daemon hands it over; a rule with several domains has one entry a domain. */
struct rule_opts {
	enum rule_kind kind;
	const uint8_t *domain; /* wire name */
	uint32_t origin;       /* of the answers: see rule.origin */
	uint32_t index;        /* the rule's place in the settings */
	const char *text;      /* for logs and explain: "FORWARD corp.example.com" */
};

struct rule {
	enum rule_kind kind;
	uint32_t index;
	/*
	 * Says who spoke: equal exactly when the same targets are asked under the same rule. Part
	 * of the cache's key, so that a changed rule forgets and an unchanged one keeps; and the
	 * name by which forward/ knows its group of targets.
	 */
	uint32_t origin;
	uint8_t label_count;
	const uint8_t *domain; /* wire, lower case */
	const char *text;
};

struct rules;

/*
 * A table of count rules and a default for all the rest. Of two entries for one domain the
 * stronger kind stays (LOCAL over FORWARD/SYSTEM over AUTODEFINED/DELEGATED). NULL when memory is short. A
 * rest without domain stands for the root. All is copied.
 */
struct rules *rules_new(const struct rule_opts *opts, size_t count, const struct rule_opts *rest);
void rules_free(struct rules **rules);

/* The rule whose domain is exactly key's suffix at this label, or NULL. */
const struct rule *rules_at(const struct rules *rules, const struct dns_key *key,
                            unsigned int label);
/* The rule for what no other matches. */
const struct rule *rules_rest(const struct rules *rules);
/*
 * Which numbers of labels occur among the rules' domains: bit n for n labels, bit 63 for 63 and more. Suffixes of other
 * lengths need no look.
 */
uint64_t rules_depths(const struct rules *rules);
size_t rules_count(const struct rules *rules);
const struct rule *rules_get(const struct rules *rules, size_t i);

/* An id for answers of these targets under this domain; stable over restarts (hash_stable). */
uint32_t rule_origin(const uint8_t *domain, const struct addr *targets, size_t target_count);

/*
 * The names that the VPC resolver defines itself (D6), for a region and the VPC's own CIDRs;
 * region NULL or "": without the EC2 names. Calls each(ctx, name). A non-zero return ends and is
 * returned. FAIL_FORMAT: the region makes no name.
 */
int rules_autodefined(const char *region, const struct prefix *cidrs, size_t cidr_count,
                      int (*each)(void *ctx, const uint8_t *name), void *ctx);
/* localhost, its reverse names (RFC 6761 section 6.3): for RULE_LOCAL. */
int rules_local(int (*each)(void *ctx, const uint8_t *name), void *ctx);
