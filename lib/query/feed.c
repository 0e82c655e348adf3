/* query/feed.c - what a waiting question was told: scrubbed once, kept beside and in the cache. */
#include "query/query_int.h"

#include "base/fail.h"
#include <stdio.h>
#include <string.h>

/*
 * How long what failed may be left alone at most (RFC 9520 section 3.2: five minutes; RFC 8767 section 5: some 30 s).
 * Silence ends when the link is back, which must be felt within seconds, and targets that are down cost little to
 * ask; one that answers, and uselessly, will do so again.
 */
#define SILENT_MOST_S 3
#define LAME_MOST_S   32

#define TTLS_MAX   4096   /* records of one answer that we look at */
#define WAIT_BYTES 262144 /* what one question may keep while it waits */

/*
 * A set that only the VPC resolver can answer may carry a draw of its own (weighted, latency, health). Kept for all
 * clients, a draw with a TTL of an hour would hold a whole fleet to one member for that hour.
 */
#define DYNAMIC_LIFE_MAX_S 60

struct query_feed {
	struct query_feed *next;
	uint32_t origin;
	uint16_t type;
	uint8_t flags;
	int ede;
	char text[128];
	struct dns_body body;
	uint8_t name_len;
	uint8_t name[]; /* lower case */
};

void query_wait_init(struct query_wait *wait)
{
	arena_init(&wait->arena, 2048, WAIT_BYTES);
	wait->feeds = NULL;
}

void query_wait_begin(struct query_wait *wait, const struct query_worker *worker)
{
	wait->draw = worker->draw_start;
	wait->asked = 0;
}

void query_wait_end(struct query_wait *wait)
{
	arena_reset(&wait->arena);
	wait->feeds = NULL;
}

void query_wait_fini(struct query_wait *wait)
{
	arena_fini(&wait->arena);
	wait->feeds = NULL;
}

static void feed_hit(const struct query_feed *feed, struct cache_hit *ret_hit)
{
	const struct dns_body *body = &feed->body;
	*ret_hit = (struct cache_hit){
		.outcome = body->outcome,
		.rcode = body->rcode,
		.size = body->size,
		.count = {body->count[0], body->count[1]},
		.ttl_count = body->ttl_count,
		.chain = body->chain,
		.authentic = body->authentic,
		.left_s = body->ttl_s,
		.wire = body->wire,
		.ttl_at = body->ttl_at,
		.next = body->next,
		.ede = feed->ede,
	};
}

bool query__fed(const struct query_wait *wait, const struct cache_key *key,
                struct cache_hit *ret_hit, const char **ret_text)
{
	for (const struct query_feed *feed = wait->feeds; feed != NULL; feed = feed->next) {
		if (feed->origin == key->origin && feed->type == key->type &&
		    feed->flags == key->flags && feed->name_len == key->name->len &&
		    memcmp(feed->name, key->name->name, feed->name_len) == 0) {
			feed_hit(feed, ret_hit);
			*ret_text = feed->text;
			return true;
		}
	}
	return false;
}

/* A name is the upstream's to speak of when we would ask the same one for it (T6). */
struct believe {
	const struct world *world;
	uint32_t origin;
};

static bool believe_name(void *ctx, const uint8_t *name)
{
	const struct believe *believe = ctx;
	struct dns_key key;
	struct world_place place;
	dns_key_make(&key, name);
	world_route(believe->world, &key, &place);
	return place.zone == NULL && place.rule->origin == believe->origin &&
	       place.rule->kind != RULE_LOCAL;
}

/* min_ttl and max_ttl are for forwarded answers: a private zone's set keeps its TTLs, and lives no longer. */
static int told_scrub(struct query_worker *worker, const struct query_ask *ask,
                      const struct dns_key *key, const struct dns_reply *reply,
                      struct dns_body *body)
{
	const struct world *world = world_get(worker->root);
	struct world_place place;
	world_route(world, key, &place);
	/* Else a missing name of the zone, asked of the public DNS: forwarded. */
	bool dynamic = place.zone != NULL && ask->origin == rules_rest(world->rules)->origin;
	struct believe believe = {.world = world, .origin = ask->origin};
	struct dns_scrub_opts opts = {
		.bailiwick = ask->bailiwick,
		.ours = believe_name,
		.ctx = &believe,
		.dnssec_ok = ask->dnssec_ok,
		.min_ttl = dynamic ? 0 : world->opts->min_ttl_s,
		.max_ttl = dynamic ? INT32_MAX : world->opts->max_ttl_s,
		.max_negative_ttl = world->opts->max_negative_ttl_s,
		.wire_room = DNS_MSG_MAX,
		.ttl_room = TTLS_MAX,
	};
	int ret = dns_scrub(reply, ask->name, ask->qtype, &opts, body);
	if (ret == 0 && dynamic && body->ttl_s > DYNAMIC_LIFE_MAX_S) {
		body->ttl_s = DYNAMIC_LIFE_MAX_S;
	}
	return ret;
}

static int failure_ede(int why)
{
	switch (why) {
	case FAIL_TIMEOUT:
		return DNS_EDE_NO_REACHABLE_AUTHORITY;
	case FAIL_LAME:
		return DNS_EDE_NO_REACHABLE_AUTHORITY;
	case FAIL_FORMAT:
	case FAIL_LIMIT:
		return DNS_EDE_INVALID_DATA;
	case FAIL_NET:
		return DNS_EDE_NETWORK_ERROR;
	default:
		return DNS_EDE_OTHER;
	}
}

/* 0: says nothing about this question. */
static uint32_t failure_most_s(int why)
{
	switch (why) {
	case FAIL_TIMEOUT:
	case FAIL_NET:
		return SILENT_MOST_S;
	case FAIL_LAME:
	case FAIL_FORMAT:
	case FAIL_LIMIT:
		return LAME_MOST_S;
	default:
		return 0;
	}
}

/* A copy in the question's own arena, for its next run. */
static int feed_keep(struct query_wait *wait, const struct query_ask *ask,
                     const struct dns_key *key, uint8_t flags, const struct dns_body *body, int ede,
                     const char *text)
{
	struct query_feed *feed = arena_alloc(&wait->arena, sizeof(*feed) + key->len);
	if (feed == NULL) {
		return FAIL_NOMEM;
	}
	feed->origin = ask->origin;
	feed->type = ask->qtype;
	feed->flags = flags;
	feed->ede = ede;
	feed->text[0] = '\0';
	if (ede != DNS_EDE_NONE) {
		snprintf(feed->text, sizeof(feed->text), "%s",
		         text != NULL ? text : fail_text(FAIL_LAME));
	}
	feed->name_len = key->len;
	memcpy(feed->name, key->name, key->len);
	feed->body = *body;
	feed->body.wire = arena_copy(&wait->arena, body->wire, body->size);
	feed->body.ttl_at =
		arena_copy(&wait->arena, body->ttl_at, body->ttl_count * sizeof(uint16_t));
	if (feed->body.wire == NULL || feed->body.ttl_at == NULL) {
		return FAIL_NOMEM;
	}
	feed->next = wait->feeds;
	wait->feeds = feed;
	return 0;
}

int query_feed(struct query_worker *worker, struct query_wait *wait, const struct query_ask *ask,
               const struct query_told *told, uint64_t now_s)
{
	uint16_t ttl_at[TTLS_MAX];
	struct dns_body body = {.wire = worker->scratch, .ttl_at = ttl_at};
	struct dns_key key;
	dns_key_make(&key, ask->name);
	uint8_t flags = (uint8_t)((ask->dnssec_ok ? CACHE_DO : 0) |
	                          (ask->checking_disabled ? CACHE_CD : 0));
	struct cache_key cache_key = {
		.name = &key, .origin = ask->origin, .type = ask->qtype, .flags = flags};
	cache_fetch(worker->cache, &cache_key); /* on its way while the answer is read */
	int why = told->why;
	if (why == 0) {
		why = told_scrub(worker, ask, &key, told->reply, &body);
	}
	if (why == 0 && body.outcome == DNS_OUTCOME_LAME) {
		why = FAIL_LAME;
	}
	if (why != 0) {
		body = (struct dns_body){
			.outcome = DNS_OUTCOME_LAME,
			.rcode = DNS_RCODE_SERVFAIL,
			.wire = worker->scratch,
			.ttl_at = ttl_at,
		};
	}

	int ede = why == 0 ? DNS_EDE_NONE : failure_ede(why);
	if (told->keep && why == 0) {
		cache_store(worker->cache, &cache_key, &body, now_s);
	} else if (told->keep && failure_most_s(why) != 0) {
		cache_fail(worker->cache, &cache_key, ede, failure_most_s(why), now_s);
	}
	if (wait == NULL) {
		return 0;
	}
	wait->asked++;
	return feed_keep(wait, ask, &key, flags, &body, ede, told->text);
}
