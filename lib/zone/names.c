/*
 * The names of a zone in the making: each once, with those between it and the apex.
 */
#include "zone/build_int.h"
#include <stdio.h>
#include <stdlib.h>

/* The slot that holds this name, or the empty one where it belongs. */
static uint32_t *slot_of(const struct zone_builder *b, uint32_t hash, const uint8_t *name,
                         size_t len)
{
	size_t mask = b->slot_count - 1;
	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		uint32_t at = b->slots[i];
		if (at == BUILD_NONE) {
			return &b->slots[i];
		}
		const struct build_node *node = &b->nodes[at];
		if (node->hash == hash && node->name_len == len &&
		    memcmp(b->pool + node->name, name, len) == 0) {
			return &b->slots[i];
		}
	}
}

/* Keeps the table at most half full. */
static bool slots_grow(struct zone_builder *b)
{
	if (b->node_count * 2 < b->slot_count) {
		return true;
	}
	size_t count = b->slot_count == 0 ? 256 : b->slot_count * 2;
	uint32_t *slots = malloc(count * sizeof(*slots));
	if (slots == NULL) {
		b->fail = FAIL_NOMEM;
		return false;
	}
	memset(slots, 0xff, count * sizeof(*slots));
	for (uint32_t n = 0; n < b->node_count; n++) {
		size_t i = b->nodes[n].hash & (count - 1);
		while (slots[i] != BUILD_NONE) {
			i = (i + 1) & (count - 1);
		}
		slots[i] = n;
	}
	free(b->slots);
	b->slots = slots;
	b->slot_count = count;
	return true;
}

/* A new node whose octets are in the pool already. */
static uint32_t node_new(struct zone_builder *b, uint32_t *slot, uint32_t hash, uint32_t name,
                         size_t len)
{
	struct build_node *nodes =
		zone__grow(b, b->nodes, &b->node_room, b->node_count + 1, sizeof(*nodes));
	if (nodes == NULL) {
		return BUILD_NONE;
	}
	b->nodes = nodes;
	uint32_t at = (uint32_t)b->node_count++;
	nodes[at] = (struct build_node){
		.name = name,
		.hash = hash,
		.from = at,
		.parent = BUILD_NONE,
		.wild = BUILD_NONE,
		.name_len = (uint8_t)len,
	};
	*slot = at;
	return at;
}

uint32_t zone__node(struct zone_builder *b, const uint8_t *name, size_t len)
{
	/* Lists are sorted: most often the name is that of the set before. */
	if (b->set_count != 0) {
		uint32_t last = b->sets[b->set_count - 1].node;
		if (b->nodes[last].name_len == len && memcmp(build_name(b, last), name, len) == 0) {
			return last;
		}
	}
	struct dns_key key;
	dns_key_make(&key, name);
	if (!slots_grow(b)) {
		return BUILD_NONE;
	}
	uint32_t *slot = slot_of(b, key.hash[0], name, len);
	if (*slot != BUILD_NONE) {
		return *slot;
	}
	uint32_t kept = zone__keep(b, name, len);
	return b->fail != 0 ? BUILD_NONE : node_new(b, slot, key.hash[0], kept, len);
}

uint32_t zone__node_find(const struct zone_builder *b, const struct dns_key *key,
                         unsigned int label)
{
	return *slot_of(b, key->hash[label], dns_key_suffix(key, label),
	                (size_t)key->len - key->off[label]);
}

/* --- The tree --- */

/* A zone file says nowhere what zone it is of but in its SOA. */
static int origin_find(struct zone_builder *b, char *err, size_t err_size)
{
	uint32_t soas = 0;
	for (size_t i = 0; i < b->set_count; i++) {
		if (b->sets[i].type == DNS_TYPE_SOA) {
			const uint8_t *name = build_name(b, b->sets[i].node);
			memcpy(b->origin, name, dns_name_len(name));
			soas++;
		}
	}
	if (soas != 1) {
		snprintf(err, err_size, "%s SOA record: the zone's name cannot be told",
		         soas == 0 ? "no" : "more than one");
		return FAIL_FORMAT;
	}
	b->origin_known = true;
	return 0;
}

/* The name one label above, made inside the octets of `from`'s when nobody listed it. */
static uint32_t parent_of(struct zone_builder *b, const struct dns_key *key, unsigned int label,
                          uint32_t from, bool *ret_new)
{
	if (!slots_grow(b)) {
		return BUILD_NONE;
	}
	size_t len = (size_t)key->len - key->off[label];
	uint32_t *slot = slot_of(b, key->hash[label], dns_key_suffix(key, label), len);
	*ret_new = *slot == BUILD_NONE;
	if (!*ret_new) {
		return *slot;
	}
	/* Each takes at least its header, and a short list can have very many. */
	if (b->node_count * sizeof(struct zone_node) > b->bytes_max) {
		b->fail = FAIL_LIMIT;
		return BUILD_NONE;
	}
	uint32_t name = b->nodes[from].name + key->off[label];
	uint32_t at = node_new(b, slot, key->hash[label], name, len);
	if (at != BUILD_NONE) {
		b->nodes[at].from = from;
	}
	return at;
}

/* Links a name to the names above it, up to one that somebody else links on. */
static void node_link(struct zone_builder *b, uint32_t at)
{
	struct dns_key key;
	dns_key_make(&key, build_name(b, at));
	uint32_t child = at;
	bool fresh = true;
	for (unsigned int label = 1; fresh && label + b->origin_labels <= key.labels; label++) {
		uint32_t parent = parent_of(b, &key, label, at, &fresh);
		if (parent == BUILD_NONE) {
			return;
		}
		b->nodes[child].parent = parent;
		const uint8_t *name = build_name(b, child);
		if (name[0] == 1 && name[1] == '*') {
			b->nodes[parent].wild = child;
		}
		child = parent;
	}
}

/* Sets by node (in the order of the list), by counting. Sets outside the zone end up as faults. */
static int sets_order(struct zone_builder *b)
{
	b->order = malloc((b->set_count + 1) * sizeof(*b->order));
	if (b->order == NULL) {
		return FAIL_NOMEM;
	}
	uint32_t first = 0;
	for (size_t n = 0; n < b->node_count; n++) {
		b->nodes[n].first = first;
		first += b->nodes[n].count;
		b->nodes[n].count = 0;
	}
	for (uint32_t i = 0; i < b->set_count; i++) {
		struct build_node *node = &b->nodes[b->sets[i].node];
		b->order[node->first + node->count++] = i;
	}
	return 0;
}

/* The sets of a name outside the zone. */
static void outside_fault(struct zone_builder *b, uint32_t at)
{
	struct build_node *node = &b->nodes[at];
	node->flags |= BUILD_OUTSIDE;
	uint32_t why = node->count == 0 ? 0 : zone__keep_text(b, "the owner lies outside the zone");
	for (uint32_t i = 0; i < node->count; i++) {
		const struct build_set *set = &b->sets[b->order[node->first + i]];
		zone__name_fault(b, set->order, at, set->type, why);
	}
}

int zone__tree(struct zone_builder *b, char *err, size_t err_size)
{
	if (!b->origin_known) {
		int ret = origin_find(b, err, err_size);
		if (ret != 0) {
			return ret;
		}
	}
	b->origin_labels = (uint8_t)dns_name_labels(b->origin);
	b->apex = zone__node(b, b->origin, dns_name_len(b->origin));
	if (b->apex == BUILD_NONE) {
		return b->fail;
	}
	uint32_t listed = (uint32_t)b->node_count;
	for (size_t i = 0; i < b->set_count; i++) {
		b->nodes[b->sets[i].node].count++;
	}
	int ret = sets_order(b);
	for (uint32_t n = 0; n < listed && ret == 0; n++) {
		if (!dns_name_within(build_name(b, n), b->origin)) {
			outside_fault(b, n);
		} else {
			node_link(b, n);
		}
		ret = b->fail;
	}
	return ret;
}
