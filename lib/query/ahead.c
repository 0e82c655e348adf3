/* query/ahead.c - a batch of packets read ahead, so that memory is fetched for all of them at a time. */
#include "query/query_int.h"

static struct cache_key cache_key_of(const struct query_ahead *ahead)
{
	return (struct cache_key){
		.name = &ahead->q.key,
		.origin = ahead->place.rule->origin,
		.type = ahead->q.qtype,
		.flags = query__cache_flags(&ahead->q),
	};
}

/* Where the look-up will begin. */
static void ahead_read(struct query_worker *worker, struct query_ahead *ahead)
{
	ahead->verdict = dns_query_read(ahead->wire, ahead->size, &ahead->q);
	if (ahead->verdict != DNS_VERDICT_OK) {
		return;
	}
	world_route(world_get(worker->root), &ahead->q.key, &ahead->place);
	if (ahead->place.zone != NULL) {
		zone_fetch(ahead->place.zone->zone, &ahead->q.key);
	} else {
		struct cache_key key = cache_key_of(ahead);
		cache_fetch(worker->cache, &key);
	}
}

/* Where that leads to: what was fetched first is here by now. */
static void ahead_follow(struct query_worker *worker, const struct query_ahead *ahead)
{
	if (ahead->verdict != DNS_VERDICT_OK) {
		return;
	}
	if (ahead->place.zone != NULL) {
		zone_fetch_found(ahead->place.zone->zone, &ahead->q.key);
	} else {
		struct cache_key key = cache_key_of(ahead);
		cache_fetch_found(worker->cache, &key);
	}
}

void query_read_ahead(struct query_worker *worker, struct query_ahead *aheads, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		ahead_read(worker, &aheads[i]);
	}
	for (size_t i = 0; i < count; i++) {
		ahead_follow(worker, &aheads[i]);
	}
}
