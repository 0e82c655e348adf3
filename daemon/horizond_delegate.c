/*
 * daemon/horizond_delegate.c - delegations below private zones' apexes, followed where glue in the zone says how.
 *
 * An NS set below the apex whose servers have addresses in the same zone makes a rule of its own: names below the cut
 * are asked of those addresses. A rule of the settings for the name, or a private zone, comes before it (D9).
 */
#include "horizond_int.h"

#include "base/fail.h"
#include "base/log.h"
#include "dns/type.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DELEGATIONS_MAX 1024 /* of all zones; more are left to the VPC resolver, and said */

struct search {
	const struct zone *zone;
	struct delegations *found;
	struct draw draw;
	size_t left_out;
};

static void target_add(struct delegation *delegation, uint16_t type, const uint8_t *rdata)
{
	if (delegation->target_count == DELEGATION_TARGETS) {
		return;
	}
	struct addr *addr = &delegation->targets[delegation->target_count++];
	memset(addr, 0, sizeof(*addr));
	if (type == DNS_TYPE_A) {
		addr->in4.sin_family = AF_INET;
		memcpy(&addr->in4.sin_addr, rdata, 4);
		addr->len = sizeof(addr->in4);
	} else {
		addr->in6.sin6_family = AF_INET6;
		memcpy(&addr->in6.sin6_addr, rdata, 16);
		addr->len = sizeof(addr->in6);
	}
	addr_set_port(addr, 53);
}

/* The addresses that the zone has for one of the servers. */
static void server_add(struct search *search, struct delegation *delegation, const uint8_t *server)
{
	static const uint16_t types[] = {DNS_TYPE_A, DNS_TYPE_AAAA};
	struct dns_key key;
	if (!dns_name_within(server, zone_origin(search->zone))) {
		return;
	}
	dns_key_make(&key, server);
	for (unsigned int i = 0; i < 2; i++) {
		const struct zone_rrset *set = zone_exact(search->zone, &key, types[i]);
		struct zone_rr rr[ZONE_DRAW_MAX];
		uint32_t ttl_s;
		if (set == NULL || zone_rrset_class(set) != ZONE_STATIC) {
			continue;
		}
		unsigned int count = zone_rrset_draw(search->zone, set, &search->draw, rr, &ttl_s);
		for (unsigned int j = 0; j < count; j++) {
			target_add(delegation, types[i], rr[j].rdata);
		}
	}
}

/* The draw gives them in any order; the same set must look the same each time. */
static int by_addr(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct addr));
}

static int set_look(void *ctx, const uint8_t *name, const struct zone_rrset *set)
{
	struct search *search = ctx;
	struct delegations *found = search->found;
	if (zone_rrset_type(set) != DNS_TYPE_NS ||
	    dns_name_equal(name, zone_origin(search->zone)) ||
	    zone_rrset_class(set) != ZONE_STATIC) {
		return 0;
	}
	struct delegation delegation = {.target_count = 0};
	struct zone_rr rr[ZONE_DRAW_MAX];
	uint32_t ttl_s;
	unsigned int count = zone_rrset_draw(search->zone, set, &search->draw, rr, &ttl_s);
	for (unsigned int i = 0; i < count; i++) {
		server_add(search, &delegation, rr[i].rdata);
	}
	if (delegation.target_count == 0) {
		return 0;
	}
	if (found->count == DELEGATIONS_MAX) {
		search->left_out++;
		return 0;
	}
	struct delegation *items =
		reallocarray(found->items, found->count + 1, sizeof(*found->items));
	if (items == NULL) {
		return FAIL_NOMEM;
	}
	found->items = items;
	memcpy(delegation.domain, name, dns_name_len(name));
	qsort(delegation.targets, delegation.target_count, sizeof(struct addr), by_addr);
	found->items[found->count++] = delegation;
	return 0;
}

int delegations_find(const struct zones *zones, struct delegations *ret_found)
{
	struct delegations found = {.count = 0};
	struct search search = {.found = &found};
	int ret = 0;
	draw_seed(&search.draw);
	for (size_t i = 0; ret == 0 && i < zones_count(zones); i++) {
		search.zone = zones_get(zones, i)->zone;
		if (search.zone != NULL) {
			ret = zone_each(search.zone, set_look, &search);
		}
	}
	if (ret != 0) {
		delegations_fini(&found);
		return ret;
	}
	if (search.left_out != 0) {
		log_warn(
			"horizond",
			"%zu delegations beyond the %d that are followed: left to the VPC resolver",
			search.left_out, DELEGATIONS_MAX);
	}
	*ret_found = found;
	return 0;
}

void delegations_fini(struct delegations *delegations)
{
	free(delegations->items);
	*delegations = (struct delegations){.count = 0};
}
