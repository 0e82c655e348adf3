/* query/cached.c - step 4: from what this question was told, or what the cache holds. */
#include "query/query_int.h"

#include <string.h>

#define STALE_TTL_S 30 /* RFC 8767 section 4 */
#define EDE_SIZE    6  /* an extended error without text */

/* The hit's body behind the question of our own answer, as it stands: the usual case. */
static bool put_whole(struct query_run *run, const struct cache_hit *hit)
{
	struct dns_build *b = &run->b;
	if (run->links != 0 || b->pos != b->question_end || b->pos + hit->size > b->end) {
		return false;
	}
	cache_copy(hit, b->wire + b->pos, STALE_TTL_S);
	b->pos += hit->size;
	b->count[DNS_SECTION_ANSWER] += hit->count[0];
	b->count[DNS_SECTION_AUTHORITY] += hit->count[1];
	return true;
}

/* A section, RRset by RRset (neighbours of one owner and type), so that none is cut in half. */
static bool put_section(struct query_run *run, const struct dns_reply *from,
                        enum dns_section section)
{
	struct dns_walk walk;
	struct dns_rr rr;
	uint8_t owners[2][DNS_NAME_MAX];
	unsigned int turn = 0;
	uint16_t type = 0;
	struct dns_mark mark = dns_build_mark(&run->b);
	owners[1][0] = 0;
	dns_walk_begin(&walk, from, section);
	while (dns_walk_next(&walk, &rr)) {
		uint8_t *owner = owners[turn];
		if (dns_msg_name(from->wire, from->size, rr.owner, owner, NULL) < 0) {
			return false;
		}
		if (rr.type != type || !dns_name_equal(owner, owners[turn ^ 1])) {
			mark = dns_build_mark(&run->b);
		}
		type = rr.type;
		turn ^= 1;
		if (!dns_build_rr(&run->b, section, owner, rr.type, rr.class, rr.ttl,
		                  from->wire + rr.rdata, rr.rdlen)) {
			dns_build_cut(&run->b, &mark);
			return false;
		}
	}
	return true;
}

/*
 * The hit's records written anew: its body stands behind another name's question, or does not fit whole.
 * It is put back into a message of its own in the worker's scratch, and copied from there.
 */
static void put_parts(struct query_run *run, const struct cache_hit *hit)
{
	struct dns_build message;
	uint8_t *scratch = run->worker->scratch;
	dns_build_question(&message, scratch, DNS_MSG_MAX, 0, DNS_FLAG_QR, run->name, run->q.qtype);
	if (message.pos + hit->size > DNS_MSG_MAX) {
		run->b.truncated = true;
		return;
	}
	cache_copy(hit, scratch + message.pos, STALE_TTL_S);
	message.pos += hit->size;
	message.count[DNS_SECTION_ANSWER] = hit->count[0];
	message.count[DNS_SECTION_AUTHORITY] = hit->count[1];
	size_t size = dns_build_end(&message, 0, 0, NULL);
	struct dns_reply whole;
	if (dns_reply_read(scratch, size, &whole) != 0) {
		query__refuse(run, DNS_RCODE_SERVFAIL, DNS_EDE_INVALID_DATA,
		              "kept answer unreadable");
		return;
	}
	if (put_section(run, &whole, DNS_SECTION_ANSWER)) {
		put_section(run, &whole, DNS_SECTION_AUTHORITY);
	}
}

static enum step_says use_hit(struct query_run *run, const struct cache_hit *hit,
                              enum query_source source)
{
	/* Of a dynamic set the client hears that, wherever the bytes were kept. */
	run->source = hit->stale                ? QUERY_FROM_STALE
	              : run->place.zone != NULL ? QUERY_FROM_DYNAMIC
	                                        : source;
	if (hit->stale) {
		dns_build_reserve(&run->b, run->q.edns ? EDE_SIZE : 0);
		run->ede = hit->outcome == DNS_OUTCOME_NXDOMAIN ? DNS_EDE_STALE_NXDOMAIN
		                                                : DNS_EDE_STALE;
	}
	query__trace(run, "%s: %s, %u s left\n",
	             source == QUERY_FROM_CACHE ? "cache" : "upstream answer",
	             hit->stale ? "stale" : "fresh", (unsigned int)hit->left_s);
	uint8_t next[DNS_NAME_MAX];
	if (hit->outcome == DNS_OUTCOME_CHAIN) {
		memcpy(next, hit->next, dns_name_len(hit->next));
	}
	if (!put_whole(run, hit)) {
		put_parts(run, hit);
	}
	if (run->b.truncated || run->rcode == DNS_RCODE_SERVFAIL) {
		return STEP_DONE;
	}
	if (hit->outcome == DNS_OUTCOME_CHAIN) {
		return query__chase(run, next, hit->chain);
	}
	run->rcode = hit->rcode;
	return STEP_DONE;
}

/* Nothing better came: stale data if there is any, else SERVFAIL that says why. */
static enum step_says use_failure(struct query_run *run, const struct cache_hit *failure,
                                  const char *text, const struct cache_hit *stale)
{
	if (stale != NULL) {
		return use_hit(run, stale, QUERY_FROM_CACHE);
	}
	query__trace(run, "failed: %s\n", text != NULL ? text : "failed a moment ago");
	return query__refuse(run, DNS_RCODE_SERVFAIL,
	                     text != NULL ? failure->ede : DNS_EDE_CACHED_ERROR, text);
}

enum step_says query_cached(struct query_run *run)
{
	struct cache_key key = {
		.name = run->key,
		.origin = run->origin,
		.type = run->q.qtype,
		.flags = (run->q.dnssec_ok ? CACHE_DO : 0) |
	                 (run->q.flags & DNS_FLAG_CD ? CACHE_CD : 0),
	};
	struct cache_hit fed;
	const char *text = NULL;
	bool told = run->wait != NULL && query__fed(run->wait, &key, &fed, &text);
	if (told && fed.outcome != DNS_OUTCOME_LAME) {
		return use_hit(run, &fed, QUERY_FROM_UPSTREAM);
	}

	struct cache_hit hit;
	bool found = cache_find(run->worker->cache, &key, run->in->now_s, &hit);
	if (found && !hit.stale && hit.outcome != DNS_OUTCOME_LAME) {
		if (hit.refresh) {
			query__refresh_note(run);
		}
		return use_hit(run, &hit, QUERY_FROM_CACHE);
	}
	bool stale = found && hit.stale && hit.outcome != DNS_OUTCOME_LAME;
	if (told) {
		return use_failure(run, &fed, text, stale ? &hit : NULL);
	}
	if (found && !hit.stale) {
		return use_failure(run, &hit, NULL, NULL);
	}
	if (stale && run->in->impatient) {
		return use_hit(run, &hit, QUERY_FROM_CACHE);
	}
	return STEP_NEXT;
}
