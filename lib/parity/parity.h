/*
 * parity/parity.h - do our copies of the zones say what the VPC resolver says?
 *
 * Draws a name of a zone now and then, for the caller to ask of the VPC resolver, and compares the answer with the
 * copy: rcode and records as sets, where a set draws by what it may draw; TTLs do not count. What a change that
 * is under way explains is no difference. A zone that differs in 3 of its last 10 samples is said to disagree,
 * until 10 in a row agree; with `fallback` its copy is then doubted (zone_doubt): asked of the VPC resolver.
 *
 * Loop:   one thread's.
 * Memory: some 600 octets a zone.
 * Time:   wall clock in seconds, handed in; random of its own.
 */
#pragma once

#include "base/text.h"
#include "dns/msg.h"
#include "zone/zones.h"
#include <stdbool.h>
#include <stdint.h>

struct parity;

enum parity_result {
	PARITY_SAME,
	PARITY_DIFFERENT,
	PARITY_UNKNOWN, /* no answer, the zone has changed lately, or the set is not ours to answer */
	PARITY_RESULTS,
};

struct parity *parity_new(void); /* NULL: no memory */
void parity_free(struct parity **parity);
void parity_tune(struct parity *parity, bool fallback);

/* What is to be asked. Holds its zone until parity_told. */
struct parity_sample {
	struct zone *zone;
	uint16_t type;
	uint8_t name[DNS_NAME_MAX + 1];
};

/* True when a question for key would be answered from this zone: no rule and no other zone takes it. */
typedef bool parity_ours_fn(void *ctx, const struct dns_key *key, const struct zone *zone);

/*
 * The next sample, of the zones by turns: those loaded and associated with our VPC. Also lets new copies of a doubted
 * zone be doubted, and forgets zones that are gone. False: nothing to ask this time.
 */
bool parity_next(struct parity *parity, const struct zones *zones, parity_ours_fn *ours, void *ctx,
                 struct parity_sample *ret_sample);

/*
 * What came of it: a checked reply to the sample's question, or NULL. zones: those of now. A difference is logged
 * with both answers, once a minute a zone.
 */
enum parity_result parity_told(struct parity *parity, struct parity_sample *sample,
                               const struct zones *zones, const struct dns_reply *reply,
                               int64_t wall_now_s);
/* The sample will not be asked after all. */
void parity_drop(struct parity_sample *sample);

/* Forgets all; no zone is doubted any more. */
void parity_forget(struct parity *parity, const struct zones *zones);

struct parity_state {
	uint64_t results[PARITY_RESULTS];
	unsigned int window;    /* samples of late: at most 10 */
	unsigned int different; /* of those */
	bool disagrees;
};
/* False: never sampled. */
bool parity_get_state(const struct parity *parity, const struct zones_entry *entry,
                      struct parity_state *ret_state);

/* horizond_parity_total{zone,result}. ctx is the struct parity. */
void parity_metrics(void *parity, struct text *out);
