/*
 * daemon/horizond_flush.c - kept answers that a new table of zones makes old.
 *
 * What a zone answers from memory is never kept, so only names that are asked of the VPC resolver can have an older
 * answer in the cache: of a zone that is new, gone, or otherwise associated than before, all; of one that has
 * changed, sets that were not asked before. The others keep theirs for as long as they live: it is the last good
 * answer when the resolver falls silent.
 *
 * Until all zones have been looked at once after the start, a zone that comes is new to us alone: what the VPC
 * resolver said of its names, kept from before the restart, is as good as it was.
 */
#include "horizond_int.h"

#include "base/log.h"
#include <string.h>

struct flush {
	struct cache *cache;
	const struct zone *zone;
	const struct zone *before;
	size_t gone;
};

/* The first look at all zones is over. */
static bool flush_settled(struct horizond *h)
{
	return __atomic_load_n(&h->settled, __ATOMIC_RELAXED);
}

/* Names below it are asked: a delegation. */
static bool is_cut(const struct flush *flush, const uint8_t *name, const struct zone_rrset *set)
{
	return zone_rrset_type(set) == DNS_TYPE_NS &&
	       !dns_name_equal(name, zone_origin(flush->zone));
}

static int flush_set(void *ctx, const uint8_t *name, const struct zone_rrset *set)
{
	struct flush *flush = ctx;
	struct dns_key key;
	bool cut = is_cut(flush, name, set);
	if (zone_rrset_class(set) == ZONE_STATIC && !cut) {
		return 0;
	}
	dns_key_make(&key, name);
	const struct zone_rrset *before = zone_exact(flush->before, &key, zone_rrset_type(set));
	if (before != NULL && (cut || zone_rrset_class(before) != ZONE_STATIC)) {
		return 0;
	}
	bool wildcard = name[0] == 1 && name[1] == '*';
	flush->gone += cache_flush(flush->cache, wildcard ? name + 2 : name, cut || wildcard);
	return 0;
}

static size_t flush_entry(struct horizond *h, const struct zones_entry *now,
                          const struct zones_entry *before)
{
	struct cache *cache = h->cache;
	struct zone *zone = now == NULL ? NULL : now->zone;
	struct zone *old = before == NULL ? NULL : before->zone;
	if (zone == NULL && old == NULL) {
		return 0;
	}
	if (zone == NULL || old == NULL || now->associated != before->associated) {
		bool first = zone != NULL && !flush_settled(h);
		return first ? 0 : cache_flush(cache, zone_origin(zone != NULL ? zone : old), true);
	}
	struct flush flush = {.cache = cache, .zone = zone, .before = old};
	if (zone != old) {
		zone_each(zone, flush_set, &flush);
	}
	return flush.gone;
}

static bool same_zone(const struct zones_entry *a, const struct zones_entry *b)
{
	if (strcmp(a->id, b->id) != 0 || a->origin_known != b->origin_known) {
		return false;
	}
	return a->id[0] != '\0' || (a->origin_known && dns_name_equal(a->origin, b->origin));
}

/* Tables seldom change their order: where the entry was is looked first. */
static const struct zones_entry *entry_find(const struct zones *zones, size_t likely,
                                            const struct zones_entry *wanted)
{
	size_t count = zones_count(zones);
	if (likely < count && same_zone(zones_get(zones, likely), wanted)) {
		return zones_get(zones, likely);
	}
	for (size_t i = 0; i < count; i++) {
		if (same_zone(zones_get(zones, i), wanted)) {
			return zones_get(zones, i);
		}
	}
	return NULL;
}

void flush_changed(struct horizond *h, const struct zones *before, const struct zones *now)
{
	size_t gone = 0;
	for (size_t i = 0; i < zones_count(now); i++) {
		const struct zones_entry *entry = zones_get(now, i);
		gone += flush_entry(h, entry, entry_find(before, i, entry));
	}
	for (size_t i = 0; i < zones_count(before); i++) {
		const struct zones_entry *entry = zones_get(before, i);
		if (entry_find(now, i, entry) == NULL) {
			gone += flush_entry(h, NULL, entry);
		}
	}
	if (gone != 0) {
		log_info("horizond", "cache: %zu answers flushed, older than the zones now are",
		         gone);
	}
}
