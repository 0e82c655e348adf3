/* query/cached.c - step 4: from what this question was told, or what the cache holds. */
#include "query/query_int.h"

#include "base/fail.h"
#include <string.h>

#define EDE_SIZE 6 /* an extended error without text */

/* The hit's body behind the question of our own answer, as it stands: the usual case. */
static bool put_whole(struct query_run *run, const struct cache_hit *hit)
{
	struct dns_build *b = &run->b;
	if (run->links != 0 || b->pos != b->question_end || b->pos + hit->size > b->end) {
		return false;
	}
	cache_copy(hit, b->wire + b->pos, QUERY_STALE_TTL_S);
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

int query__scratch(struct query_run *run, const struct cache_hit *hit, const uint8_t *name,
                   uint16_t type, struct dns_reply *ret_reply)
{
	struct dns_build message;
	uint8_t *scratch = run->worker->scratch;
	dns_build_question(&message, scratch, DNS_MSG_MAX, 0, DNS_FLAG_QR, name, type);
	if (message.pos + hit->size > DNS_MSG_MAX) {
		return FAIL_LIMIT;
	}
	cache_copy(hit, scratch + message.pos, QUERY_STALE_TTL_S);
	message.pos += hit->size;
	message.count[DNS_SECTION_ANSWER] = hit->count[0];
	message.count[DNS_SECTION_AUTHORITY] = hit->count[1];
	size_t size = dns_build_end(&message, 0, 0, NULL);
	return dns_reply_read(scratch, size, ret_reply);
}

/* The hit's records written anew: its body stands behind another name's question, or does not fit whole. */
static void put_parts(struct query_run *run, const struct cache_hit *hit)
{
	struct dns_reply whole;
	int ret = query__scratch(run, hit, run->name, run->q->qtype, &whole);
	if (ret == FAIL_LIMIT) {
		run->b.truncated = true;
		return;
	}
	if (ret != 0) {
		query__refuse(run, DNS_RCODE_SERVFAIL, DNS_EDE_INVALID_DATA,
		              "kept answer unreadable");
		return;
	}
	if (put_section(run, &whole, DNS_SECTION_ANSWER)) {
		put_section(run, &whole, DNS_SECTION_AUTHORITY);
	}
}

void query__say_stale(struct query_run *run, const struct cache_hit *hit)
{
	if (hit->stale) {
		dns_build_reserve(&run->b, run->q->edns ? EDE_SIZE : 0);
		run->ede = hit->outcome == DNS_OUTCOME_NXDOMAIN ? DNS_EDE_STALE_NXDOMAIN
		                                                : DNS_EDE_STALE;
	}
}

static enum step_says use_hit(struct query_run *run, const struct cache_hit *hit,
                              enum query_source source)
{
	/* Of a dynamic set the client hears that, wherever the bytes were kept. */
	run->source = hit->stale                ? QUERY_FROM_STALE
	              : run->place.zone != NULL ? QUERY_FROM_DYNAMIC
	                                        : source;
	if (hit->authentic && run->place.zone == NULL && run->place.rule->kind == RULE_FORWARD) {
		run->authentic = true;
	} else {
		run->doubted = true;
	}
	query__say_stale(run, hit);
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

enum query_find query__find(struct query_run *run, const struct cache_key *key,
                            struct query_found *ret)
{
	ret->text = NULL;
	ret->source = QUERY_FROM_UPSTREAM;
	ret->hit = &ret->told;
	bool told = run->wait != NULL && query__fed(run->wait, key, &ret->told, &ret->text);
	if (told && ret->told.outcome != DNS_OUTCOME_LAME) {
		return QUERY_FIND_HIT;
	}

	const struct cache_hit *kept = &ret->kept;
	bool found = cache_find(run->worker->cache, key, run->in->now_s, &ret->kept);
	bool good = found && kept->outcome != DNS_OUTCOME_LAME;
	if (good && (!kept->stale || told || run->in->impatient || kept->failed)) {
		ret->hit = kept;
		ret->source = QUERY_FROM_CACHE;
		return QUERY_FIND_HIT;
	}
	if (told) {
		return QUERY_FIND_FAILED;
	}
	if (found && !good) {
		ret->hit = kept;
		return QUERY_FIND_FAILED;
	}
	return QUERY_FIND_NOTHING;
}

enum step_says query__failed(struct query_run *run, const struct query_found *failure)
{
	const char *text = failure->text;
	query__trace(run, "failed: %s\n", text != NULL ? text : "failed a moment ago");
	return query__refuse(run, DNS_RCODE_SERVFAIL,
	                     text != NULL ? failure->hit->ede : DNS_EDE_CACHED_ERROR, text);
}

enum step_says query_cached(struct query_run *run)
{
	struct cache_key key = {
		.name = run->key,
		.origin = run->origin,
		.type = run->q->qtype,
		.flags = query__cache_flags(run->q),
	};
	struct query_found found;
	switch (query__find(run, &key, &found)) {
	case QUERY_FIND_HIT:
		if (found.hit->refresh) {
			query__refresh_note(run);
		}
		return use_hit(run, found.hit, found.source);
	case QUERY_FIND_FAILED:
		return query__failed(run, &found);
	case QUERY_FIND_NOTHING:
		break;
	}
	return STEP_NEXT;
}
