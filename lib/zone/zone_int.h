/*
 * zone/zone_int.h - the block that a zone is, and the index over it.
 *
 * The block is flat: offsets from its first octet, no pointers, numbers in this machine's order. It can be
 * written to disk and mapped back as it is. The index is not part of it, because it is keyed with the
 * process' own secret: zone__adopt makes it anew from the nodes. Offset 0 is the head, so it says "none".
 *
 *   head | node, node, ... | faults
 *   node: struct zone_node, its sets by type, its name, what the sets refer to; next at +size
 *
 * A name without sets of its own (an empty non-terminal) has its octets inside a longer name.
 */
#pragma once

#include "dns/type.h"
#include "zone/zone.h"
#include <stdatomic.h>
#include <string.h>

#define ZONE__MAGIC     "horzone"
#define ZONE__VERSION   1
#define ZONE__ORDER     0x01020304u /* reads differently on a machine of the other byte order */
#define ZONE__ALIAS_MAX 16          /* links of one chain of aliases */
#define ZONE__MULTI_MAX 8           /* members in one multivalue answer */

struct zone_head {
	char magic[8];
	uint32_t version;
	uint32_t order;
	uint64_t size;
	uint64_t fingerprint;
	uint32_t id;     /* text */
	uint32_t origin; /* name */
	uint32_t nodes;  /* the first node */
	uint32_t node_count;
	uint32_t apex;
	uint32_t soa; /* struct zone_rrset */
	uint32_t negative_ttl_s;
	uint32_t faults; /* array of struct zone_fault */
	uint32_t fault_count;
	uint32_t listed;
	uint32_t owners; /* names that have sets */
	uint32_t types[ZONE_CLASSES];
};

enum zone_node_flag {
	ZONE__CUT = 1,   /* has an NS set below the apex */
	ZONE__BELOW = 2, /* lies below such a name */
};

struct zone_node {
	uint32_t size; /* octets to the next node */
	uint32_t name;
	uint32_t wild; /* the node `*` right below this one */
	uint16_t set_count;
	uint8_t name_len;
	uint8_t flags;
};

enum zone_kind {
	ZONE__NOTHING, /* a fault: no data is kept */
	ZONE__VALUES,  /* data: values; count of them */
	ZONE__ALIAS, /* data: static: the set meant in the end (never an alias); else the target's name */
	ZONE__WEIGHTED, /* data: members, as are the next two; count of them */
	ZONE__MULTIVALUE,
	ZONE__MEMBERS,
};

/* Values: each two octets of length (in this machine's order) and the data, unaligned. */
struct zone_rrset {
	uint16_t type;
	uint8_t class;
	uint8_t kind;
	uint32_t ttl_s;
	uint32_t data;
	uint16_t count;
	uint16_t spare;
};

enum zone_member_flag {
	ZONE__SECONDARY = 1,
	ZONE__EVALUATE = 2,
};

/* cut and other: Walker's alias method, see draw.c. */
struct zone_member {
	uint32_t data; /* values; with alias != 0: the set meant, or 0 */
	uint32_t ttl_s;
	uint32_t cut;
	uint16_t other;
	uint16_t count;      /* values */
	uint32_t identifier; /* texts, or 0 */
	uint32_t health;
	uint32_t region;
	uint32_t alias; /* name, or 0 */
	uint8_t weight;
	uint8_t policy;
	uint8_t flags;
	uint8_t spare;
};

struct zone_fault {
	uint32_t name; /* texts */
	uint32_t type;
	uint32_t why;
};

struct zone_slot {
	uint32_t hash;
	uint32_t node; /* 0: empty */
};

struct zone {
	const uint8_t *block;
	const struct zone_head *head;
	struct zone_slot *slots;
	uint32_t slot_count;
	uint32_t origin_labels;
	atomic_uint refs;
	atomic_bool doubted;
	void *memory; /* what to free: the block's own */
};

/*
 * A zone of a finished block, which becomes the zone's own (malloc). NULL when memory is short: the block
 * is then still the caller's.
 */
struct zone *zone__adopt(void *block);

/*
 * A block from outside (aligned for 8 octets) that zone__adopt may have. *ret_memory is false when there was too little
 * memory to say.
 */
bool zone__block_fits(const void *block, size_t size, bool *ret_memory);
/* What only the index can tell of such a zone: its marks of cuts are right. */
bool zone__cuts_fit(const struct zone *zone);

static inline const void *zone__at(const struct zone *zone, uint32_t offset)
{
	return zone->block + offset;
}

static inline const char *zone__text(const struct zone *zone, uint32_t offset)
{
	return offset == 0 ? NULL : (const char *)(zone->block + offset);
}

static inline const struct zone_rrset *zone__sets(const struct zone_node *node)
{
	return (const struct zone_rrset *)(const void *)(node + 1);
}

static inline uint32_t zone__slot_of(const struct zone *zone, uint32_t hash)
{
	return (uint32_t)(((uint64_t)hash * zone->slot_count) >> 32);
}

/* The node of the suffix of key that begins at label, or NULL. */
static inline const struct zone_node *zone__find(const struct zone *zone, const struct dns_key *key,
                                                 unsigned int label)
{
	uint32_t hash = key->hash[label];
	size_t len = (size_t)key->len - key->off[label];
	uint32_t i = zone__slot_of(zone, hash);
	for (;;) {
		const struct zone_slot *slot = &zone->slots[i];
		if (slot->node == 0) {
			return NULL;
		}
		if (slot->hash == hash) {
			const struct zone_node *node = zone__at(zone, slot->node);
			if (node->name_len == len &&
			    memcmp(zone__at(zone, node->name), key->name + key->off[label], len) ==
			            0) {
				return node;
			}
		}
		i = i + 1 == zone->slot_count ? 0 : i + 1;
	}
}
