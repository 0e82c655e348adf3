/*
 * zone/check.c - a block that comes from outside: every offset leads to what it should before anybody follows it.
 *
 * Two walks over the nodes: the first finds where nodes and sets lie, the second follows what refers to them. What the
 * look-up takes for granted (marks of cuts, shape of data that answers compress) is held to here.
 */
#include "dns/rdata.h"
#include "zone/zone_int.h"
#include <stdlib.h>

#define VALUES_MAX ZONE_DRAW_MAX

struct check {
	const uint8_t *block;
	const struct zone_head *head;
	uint32_t size;
	const uint8_t *origin;
	uint64_t *nodes; /* a bit for each 4 octets: a node begins here, */
	uint64_t *sets;  /* a set does */
};

static void bit_set(uint64_t *bits, uint32_t offset)
{
	bits[offset / 256] |= UINT64_C(1) << (offset / 4 % 64);
}

static bool bit_get(const uint64_t *bits, uint32_t offset)
{
	return (bits[offset / 256] >> (offset / 4 % 64) & 1) != 0;
}

/* --- Parts --- */

/* count things of size octets, aligned for our structs. */
static bool array_fits(const struct check *c, uint32_t offset, uint64_t count, size_t size)
{
	return offset % 4 == 0 && offset >= sizeof(struct zone_head) && offset <= c->size &&
	       count <= (c->size - offset) / size;
}

/* 0 is no text. */
static bool text_fits(const struct check *c, uint32_t offset)
{
	if (offset == 0) {
		return true;
	}
	return offset >= sizeof(struct zone_head) && offset < c->size &&
	       memchr(c->block + offset, 0, c->size - offset) != NULL;
}

/* The octets of a name in lower case; 0: there is none. */
static size_t name_fits(const struct check *c, uint32_t offset)
{
	if (offset < sizeof(struct zone_head) || offset >= c->size) {
		return 0;
	}
	const uint8_t *name = c->block + offset;
	size_t len = dns_name_check(name, c->size - offset);
	for (size_t i = 0; i < len; i++) {
		if (dns_fold(name[i]) != name[i]) {
			return 0;
		}
	}
	return len;
}

static bool values_fit(const struct check *c, uint16_t type, uint32_t offset, unsigned int count)
{
	if (count == 0 || count > VALUES_MAX || offset < sizeof(struct zone_head)) {
		return false;
	}
	uint64_t at = offset;
	for (unsigned int i = 0; i < count; i++) {
		uint16_t len;
		if (at + sizeof(len) > c->size) {
			return false;
		}
		memcpy(&len, c->block + at, sizeof(len));
		at += sizeof(len);
		if (at + len > c->size || !dns_rdata_fits(type, c->block + at, len)) {
			return false;
		}
		at += len;
	}
	return true;
}

/* What an alias of this class leads to: a set, of the same type, and one that can be drawn if it is to be. */
static bool target_fits(const struct check *c, const struct zone_rrset *from, uint32_t offset)
{
	if (offset % 4 != 0 || offset >= c->size || !bit_get(c->sets, offset)) {
		return false;
	}
	const struct zone_rrset *set = (const void *)(c->block + offset);
	bool drawn = set->class == ZONE_STATIC && set->kind != ZONE__ALIAS;
	return set->type == from->type && (from->class != ZONE_STATIC || drawn);
}

/* --- Sets --- */

static bool member_fits(const struct check *c, const struct zone_rrset *set,
                        const struct zone_member *m)
{
	bool drawn = set->class == ZONE_STATIC;
	if (m->policy > ZONE_POLICY_CIDR || m->other >= set->count ||
	    !text_fits(c, m->identifier) || !text_fits(c, m->health) || !text_fits(c, m->region)) {
		return false;
	}
	if (m->alias == 0) {
		return values_fit(c, set->type, m->data, m->count);
	}
	if (name_fits(c, m->alias) == 0 || (drawn && set->kind == ZONE__MULTIVALUE)) {
		return false;
	}
	return m->data == 0 ? !drawn : target_fits(c, set, m->data);
}

static bool members_fit(const struct check *c, const struct zone_rrset *set)
{
	if (set->count == 0 || !array_fits(c, set->data, set->count, sizeof(struct zone_member))) {
		return false;
	}
	const struct zone_member *members = (const void *)(c->block + set->data);
	for (unsigned int i = 0; i < set->count; i++) {
		if (!member_fits(c, set, &members[i])) {
			return false;
		}
	}
	return true;
}

static bool set_fits(const struct check *c, const struct zone_rrset *set)
{
	if (set->class >= ZONE_CLASSES ||
	    (set->class == ZONE_FAULT) != (set->kind == ZONE__NOTHING)) {
		return false;
	}
	switch (set->kind) {
	case ZONE__NOTHING:
		return true;
	case ZONE__VALUES:
		return values_fit(c, set->type, set->data, set->count);
	case ZONE__ALIAS:
		return set->class == ZONE_STATIC ? target_fits(c, set, set->data)
		                                 : name_fits(c, set->data) != 0;
	case ZONE__WEIGHTED:
	case ZONE__MULTIVALUE:
	case ZONE__MEMBERS:
		return members_fit(c, set);
	default:
		return false;
	}
}

static bool sets_fit(const struct check *c, const struct zone_node *node)
{
	const struct zone_rrset *sets = zone__sets(node);
	bool ns = false;
	for (unsigned int i = 0; i < node->set_count; i++) {
		if (!set_fits(c, &sets[i])) {
			return false;
		}
		ns = ns || sets[i].type == DNS_TYPE_NS;
	}
	return ns || (node->flags & ZONE__CUT) == 0;
}

/* --- Nodes --- */

static const struct zone_node *node_at(const struct check *c, uint32_t offset)
{
	return (const void *)(c->block + offset);
}

/* Its place, its name, and where its sets are. */
static bool node_fits(const struct check *c, uint32_t at)
{
	uint32_t end = c->head->faults;
	if (end - at < sizeof(struct zone_node)) {
		return false;
	}
	const struct zone_node *node = node_at(c, at);
	size_t least = sizeof(*node) + node->set_count * sizeof(struct zone_rrset);
	if (node->size % 4 != 0 || node->size < least || node->size > end - at ||
	    node->flags > (ZONE__CUT | ZONE__BELOW)) {
		return false;
	}
	size_t len = name_fits(c, node->name);
	if (len == 0 || len != node->name_len ||
	    !dns_name_within(c->block + node->name, c->origin)) {
		return false;
	}
	bit_set(c->nodes, at);
	for (uint32_t i = 0; i < node->set_count; i++) {
		bit_set(c->sets, at + (uint32_t)(sizeof(*node) + i * sizeof(struct zone_rrset)));
	}
	return true;
}

static bool nodes_find(const struct check *c)
{
	uint32_t at = c->head->nodes;
	for (uint32_t n = 0; n < c->head->node_count; n++) {
		if (!node_fits(c, at)) {
			return false;
		}
		at += node_at(c, at)->size;
	}
	return at == c->head->faults;
}

static bool nodes_follow(const struct check *c)
{
	uint32_t at = c->head->nodes;
	for (uint32_t n = 0; n < c->head->node_count; n++) {
		const struct zone_node *node = node_at(c, at);
		bool wild = node->wild == 0 || (node->wild % 4 == 0 && node->wild < c->size &&
		                                bit_get(c->nodes, node->wild));
		if (!wild || !sets_fit(c, node)) {
			return false;
		}
		at += node->size;
	}
	return true;
}

/* --- The whole --- */

static bool head_fits(struct check *c)
{
	const struct zone_head *head = c->head;
	bool texts = text_fits(c, head->id) && head->id != 0 && name_fits(c, head->origin) != 0;
	c->origin = c->block + head->origin;
	return texts && array_fits(c, head->nodes, head->node_count, sizeof(struct zone_node)) &&
	       array_fits(c, head->faults, head->fault_count, sizeof(struct zone_fault)) &&
	       head->nodes <= head->faults;
}

/* The node of the origin, above which there is no cut, and its SOA. */
static bool apex_fits(const struct check *c)
{
	const struct zone_head *head = c->head;
	if (head->apex % 4 != 0 || head->apex >= c->size || !bit_get(c->nodes, head->apex) ||
	    head->soa % 4 != 0 || head->soa >= c->size || !bit_get(c->sets, head->soa)) {
		return false;
	}
	const struct zone_rrset *soa = (const void *)(c->block + head->soa);
	const struct zone_node *apex = node_at(c, head->apex);
	return apex->flags == 0 && apex->name_len == dns_name_len(c->origin) &&
	       soa->type == DNS_TYPE_SOA && soa->kind == ZONE__VALUES && soa->count == 1;
}

static bool faults_fit(const struct check *c)
{
	const struct zone_fault *faults = (const void *)(c->block + c->head->faults);
	for (uint32_t i = 0; i < c->head->fault_count; i++) {
		const struct zone_fault *fault = &faults[i];
		if (fault->name == 0 || fault->type == 0 || fault->why == 0 ||
		    !text_fits(c, fault->name) || !text_fits(c, fault->type) ||
		    !text_fits(c, fault->why)) {
			return false;
		}
	}
	return true;
}

bool zone__block_fits(const void *block, size_t size, bool *ret_memory)
{
	struct check c = {.block = block, .head = block, .size = (uint32_t)size};
	*ret_memory = true;
	if (size < sizeof(struct zone_head) || size > UINT32_MAX || size % 4 != 0 ||
	    c.head->size != size || memcmp(c.head->magic, ZONE__MAGIC, sizeof(ZONE__MAGIC)) != 0 ||
	    c.head->version != ZONE__VERSION || c.head->order != ZONE__ORDER) {
		return false;
	}
	size_t words = size / 256 + 1;
	c.nodes = calloc(2 * words, sizeof(*c.nodes));
	if (c.nodes == NULL) {
		*ret_memory = false;
		return false;
	}
	c.sets = c.nodes + words;
	bool fits = head_fits(&c) && nodes_find(&c) && apex_fits(&c) && nodes_follow(&c) &&
	            faults_fit(&c);
	free(c.nodes);
	return fits;
}

/* Above a name that is marked as lying below a cut there must be one, or the look-up finds no end. */
bool zone__cuts_fit(const struct zone *zone)
{
	const struct zone_node *node = zone__at(zone, zone->head->nodes);
	for (uint32_t n = 0; n < zone->head->node_count; n++) {
		bool cut = (node->flags & ZONE__BELOW) == 0;
		struct dns_key key;
		if (!cut) {
			dns_key_make(&key, zone__at(zone, node->name));
		}
		for (unsigned int i = 0; !cut && i + zone->origin_labels < key.labels; i++) {
			const struct zone_node *above = zone__find(zone, &key, i);
			cut = above != NULL && (above->flags & ZONE__CUT) != 0;
		}
		if (!cut) {
			return false;
		}
		node = (const void *)((const uint8_t *)node + node->size);
	}
	return true;
}
