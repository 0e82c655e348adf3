/*
 * Finding what a zone has for a question. RFC 1034 section 4.3.2 with the wildcards of RFC 4592; all that
 * would need a second search is settled when the zone is laid out: cuts are marked on every name at and below
 * them, and a name knows the wildcard right below it.
 */
#include "zone/zone_int.h"
#include <assert.h>

/* The set of this type, or NULL. A wildcard NS set answers nobody (D11). */
static const struct zone_rrset *node_set(const struct zone_node *node, uint16_t qtype,
                                         bool wildcard)
{
	const struct zone_rrset *set = zone__sets(node);
	for (const struct zone_rrset *end = set + node->set_count; set < end; set++) {
		if ((set->type == qtype || qtype == DNS_TYPE_ANY) &&
		    !(wildcard && set->type == DNS_TYPE_NS)) {
			return set;
		}
	}
	return NULL;
}

static void node_answer(const struct zone_node *node, uint16_t qtype, bool wildcard,
                        struct zone_result *result)
{
	result->wildcard = wildcard;
	result->set = node_set(node, qtype, wildcard);
	if (result->set != NULL) {
		result->found = ZONE_FOUND_SET;
		return;
	}
	result->set = node_set(node, DNS_TYPE_CNAME, wildcard);
	result->found = result->set != NULL ? ZONE_FOUND_CNAME : ZONE_FOUND_NODATA;
}

/* The cut nearest to the apex at or above a node that has one, its label from `apex` down. */
static unsigned int cut_label(const struct zone *zone, const struct dns_key *key, unsigned int apex,
                              const struct zone_node **ret_node)
{
	unsigned int label = apex;
	const struct zone_node *node;
	do {
		assert(label > 0); /* the marks say that there is one */
		node = zone__find(zone, key, --label);
	} while (node == NULL || (node->flags & ZONE__CUT) == 0);
	*ret_node = node;
	return label;
}

/* DS belongs to the parent (RFC 4035 section 3.1.4.1). */
static bool node_delegated(const struct zone *zone, const struct dns_key *key, unsigned int apex,
                           uint16_t qtype, struct zone_result *result)
{
	const struct zone_node *cut;
	unsigned int label = cut_label(zone, key, apex, &cut);
	if (label == 0 && qtype == DNS_TYPE_DS) {
		return false;
	}
	result->found = ZONE_FOUND_DELEGATION;
	result->set = node_set(cut, DNS_TYPE_NS, false);
	result->cut_label = (uint8_t)label;
	return true;
}

void zone_lookup(const struct zone *zone, const struct dns_key *key, uint16_t qtype,
                 struct zone_result *ret_result)
{
	assert(key->labels >= zone->origin_labels);
	unsigned int apex = key->labels - zone->origin_labels;
	unsigned int label = 0;
	const struct zone_node *node = zone__at(zone, zone->head->apex);
	for (; label < apex; label++) {
		const struct zone_node *found = zone__find(zone, key, label);
		if (found != NULL) {
			node = found;
			break;
		}
	}
	*ret_result = (struct zone_result){.found = ZONE_FOUND_NXDOMAIN};
	if ((node->flags & (ZONE__CUT | ZONE__BELOW)) != 0 &&
	    node_delegated(zone, key, apex, qtype, ret_result)) {
		return;
	}
	if (label == 0) {
		node_answer(node, qtype, false, ret_result);
	} else if (node->wild != 0) {
		node_answer(zone__at(zone, node->wild), qtype, true, ret_result);
	}
}

void zone_fetch(const struct zone *zone, const struct dns_key *key)
{
	__builtin_prefetch(&zone->slots[zone__slot_of(zone, dns_key_hash(key))]);
}

void zone_fetch_found(const struct zone *zone, const struct dns_key *key)
{
	const struct zone_slot *slot = &zone->slots[zone__slot_of(zone, dns_key_hash(key))];
	if (slot->node != 0) {
		const uint8_t *node = zone__at(zone, slot->node);
		__builtin_prefetch(node);
		__builtin_prefetch(node + 64); /* most are of two lines: sets, name, values */
	}
}

const struct zone_rrset *zone_exact(const struct zone *zone, const struct dns_key *key,
                                    uint16_t type)
{
	const struct zone_node *node = zone__find(zone, key, 0);
	return node == NULL ? NULL : node_set(node, type, false);
}

/* --- A set --- */

enum zone_class zone_rrset_class(const struct zone_rrset *set)
{
	return set->class;
}

uint16_t zone_rrset_type(const struct zone_rrset *set)
{
	return set->type;
}

const uint8_t *zone_rrset_alias(const struct zone *zone, const struct zone_rrset *set)
{
	if (set->class == ZONE_STATIC) {
		return NULL;
	}
	if (set->kind == ZONE__ALIAS) {
		return zone__at(zone, set->data);
	}
	if (zone_rrset_members(set) != 1) {
		return NULL;
	}
	struct zone_member_info info;
	zone_rrset_member(zone, set, 0, &info);
	return info.alias;
}

unsigned int zone_rrset_members(const struct zone_rrset *set)
{
	bool members = set->kind == ZONE__WEIGHTED || set->kind == ZONE__MULTIVALUE ||
	               set->kind == ZONE__MEMBERS;
	return members ? set->count : 0;
}

void zone_rrset_member(const struct zone *zone, const struct zone_rrset *set, unsigned int i,
                       struct zone_member_info *ret_info)
{
	assert(i < zone_rrset_members(set));
	const struct zone_member *m = (const struct zone_member *)zone__at(zone, set->data) + i;
	*ret_info = (struct zone_member_info){
		.policy = m->policy,
		.set_identifier = zone__text(zone, m->identifier),
		.health_check = zone__text(zone, m->health),
		.region = zone__text(zone, m->region),
		.weight = m->weight,
		.failover_secondary = (m->flags & ZONE__SECONDARY) != 0,
		.alias = m->alias == 0 ? NULL : zone__at(zone, m->alias),
		.alias_evaluate_health = (m->flags & ZONE__EVALUATE) != 0,
		.ttl_s = m->ttl_s,
	};
}

void zone_soa(const struct zone *zone, struct zone_rr *ret_soa, uint32_t *ret_ttl_s,
              uint32_t *ret_negative_ttl_s)
{
	const struct zone_rrset *set = zone__at(zone, zone->head->soa);
	const uint8_t *value = zone__at(zone, set->data);
	memcpy(&ret_soa->rdlen, value, sizeof(ret_soa->rdlen));
	ret_soa->rdata = value + sizeof(ret_soa->rdlen);
	*ret_ttl_s = set->ttl_s;
	*ret_negative_ttl_s = zone->head->negative_ttl_s;
}
