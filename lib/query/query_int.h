/*
 * query/query_int.h - one run of one question, shared by the steps.
 */
#pragma once

#include "dns/build.h"
#include "dns/scrub.h"
#include "query/cookie_int.h"
#include "query/query.h"

enum step_says {
	STEP_NEXT,   /* go on with the step below */
	STEP_AGAIN,  /* a CNAME was followed: back to route with the new name */
	STEP_DONE,   /* the answer is complete: encode */
	STEP_SILENT, /* nothing goes back */
	STEP_PARKED, /* run->ask says what must be asked first */
};

struct query_run {
	struct query_worker *worker;
	const struct query_in *in;
	struct query_wait *wait;
	const struct world *world;
	const struct client_class *client;
	struct draw *draw;
	struct query_ask *ask;

	/* The name in question: the client's at first, then each CNAME's target. */
	const struct dns_key *key;
	const uint8_t *name; /* the same, in its sender's case */
	unsigned int links;  /* CNAMEs followed */
	unsigned int chases; /* how often that led to another name */
	struct world_place place;
	uint32_t origin;          /* whom cache and forward ask for, and ... */
	const uint8_t *bailiwick; /* ... what that one may speak for */

	unsigned int rcode;
	int ede;
	const char *ede_text;
	enum query_source source;
	bool aa;
	bool authentic;   /* all that was put so far came validated, by a FORWARD rule */
	bool doubted;     /* something of it did not */
	bool cookie_good; /* the client brought a cookie of ours: its address is no other's */
	uint8_t cookie[QUERY_COOKIE_SIZE]; /* of a question with a cookie: goes back */

	struct dns_query *q;
	struct dns_build b;
	struct dns_key chase_key;
	uint8_t chase_name[DNS_NAME_MAX + 1];
	uint8_t chased[DNS_CHAIN_MAX + 1][DNS_NAME_MAX]; /* the names that led on, lower case */
};

typedef enum step_says query_step_fn(struct query_run *run);

query_step_fn query_admit;   /* admit.c: may this client ask this at all? */
query_step_fn query_route;   /* route.c: zone, rule, or ourselves */
query_step_fn query_zone;    /* zone.c: from a private zone's copy */
query_step_fn query_cached;  /* cached.c: from what was fed, or the cache */
query_step_fn query_forward; /* forward.c: say what must be asked */

/* local.c: names that are ours by themselves (localhost, CHAOS, ANY of others' names). */
enum step_says query_local_name(struct query_run *run);
enum step_says query_local_chaos(struct query_run *run);
enum step_says query_local_any(struct query_run *run);

/* Ends with this rcode and extended error, all sections empty. */
enum step_says query__refuse(struct query_run *run, unsigned int rcode, int ede, const char *text);

/* Goes on at target, a CNAME's; STEP_AGAIN, or the end when the chain is too long. */
enum step_says query__chase(struct query_run *run, const uint8_t *target, unsigned int links);

/* One record of the present name. False when it did not fit. */
static inline bool query__put(struct query_run *run, uint16_t type, uint32_t ttl_s,
                              const uint8_t *rdata, uint16_t rdlen)
{
	if (run->links == 0) {
		return dns_build_rr_at(&run->b, DNS_SECTION_ANSWER, DNS_HEADER_SIZE, type,
		                       DNS_CLASS_IN, ttl_s, rdata, rdlen);
	}
	return dns_build_rr(&run->b, DNS_SECTION_ANSWER, run->name, type, DNS_CLASS_IN, ttl_s,
	                    rdata, rdlen);
}

/* zone.c: no such name (NXDOMAIN) or no such type (NOERROR), with the zone's SOA. */
enum step_says query__negative(struct query_run *run, const struct zone *zone, unsigned int rcode);

/* reckon.c: a dynamic set of a zone that the VPC resolver does not know: the choice is made here. */
enum step_says query__reckon(struct query_run *run, const struct zone *zone,
                             const struct zone_result *result);
/* target.c: what the VPC resolver has for the alias target, under the alias's own name and type. */
enum step_says query__target(struct query_run *run, const struct zone *zone,
                             const struct zone_result *result, const uint8_t *target);

/* --- cached.c --- */

#define QUERY_STALE_TTL_S 30 /* RFC 8767 section 4 */

enum query_find {
	QUERY_FIND_HIT,    /* an answer to give; stale when nothing better can come in time */
	QUERY_FIND_FAILED, /* it was asked for in vain: hit->ede and text say why */
	QUERY_FIND_NOTHING,
};

struct query_found {
	const struct cache_hit *hit; /* one of those below */
	struct cache_hit told;
	struct cache_hit kept;
	enum query_source source; /* of a hit */
	const char *text;         /* NULL: failed a moment ago, for somebody else */
};

/* What this question was told, or the cache holds, about key. */
enum query_find query__find(struct query_run *run, const struct cache_key *key,
                            struct query_found *ret);
/* SERVFAIL that says why. */
enum step_says query__failed(struct query_run *run, const struct query_found *failure);
/* An extended error for a stale hit, and room for it. */
void query__say_stale(struct query_run *run, const struct cache_hit *hit);
/*
 * A hit's body put back behind the question that it answers, in a message of its own in the worker's scratch.
 * FAIL_LIMIT, FAIL_FORMAT.
 */
int query__scratch(struct query_run *run, const struct cache_hit *hit, const uint8_t *name,
                   uint16_t type, struct dns_reply *ret_reply);

/* forward.c: says what must be asked of run->origin, which may speak for run->bailiwick. flags: CACHE_DO, CACHE_CD. */
enum step_says query__park(struct query_run *run, const uint8_t *name, uint16_t type,
                           uint8_t flags);
/* forward.c: notes that what was just given from the cache must be asked for again; without room it is left. */
void query__refresh_note(struct query_run *run);

/* What of the question itself goes upstream, and keeps answers apart. */
static inline uint8_t query__cache_flags(const struct dns_query *q)
{
	return (uint8_t)((q->dnssec_ok ? CACHE_DO : 0) | (q->flags & DNS_FLAG_CD ? CACHE_CD : 0));
}

/* A line of explain; costs a test when nobody asked. */
#define query__trace(run, ...)                                            \
	do {                                                              \
		if ((run)->in->trace != NULL) {                           \
			text_addf(&(run)->in->trace->steps, __VA_ARGS__); \
		}                                                         \
	} while (0)

/* feed.c: what this question was told about key, as a hit. */
bool query__fed(const struct query_wait *wait, const struct cache_key *key,
                struct cache_hit *ret_hit, const char **ret_text);
