/*
 * zone/build_int.h - a zone in the making: what was listed, parsed, and what is made of it.
 *
 * builder.c takes the sets in; names.c keeps each name once and completes the tree; class.c puts the sets
 * of one (name, type) together and classes them; alias.c finds what aliases mean; layout.c writes the block.
 *
 * Memory: octets and texts in one pool that grows, everything else in arrays that refer by index; so all
 *         may move, and nothing is kept by pointer. The first failure is remembered (`fail`) and
 *         ends the building; calls after it do nothing.
 */
#pragma once

#include "base/fail.h"
#include "dns/type.h"
#include "zone/zone_int.h"

#define BUILD_NONE UINT32_MAX

struct build_node {
	uint32_t name; /* pool; lower case */
	uint32_t hash;
	uint32_t
		from; /* the node in whose name this name's octets lie; itself when it has its own */
	uint32_t parent; /* BUILD_NONE: the apex, or outside the zone */
	uint32_t wild;   /* node `*` right below, or BUILD_NONE */
	uint32_t first;  /* its sets in `order`; once classed: its groups */
	uint32_t count;
	uint32_t at; /* in the block */
	uint32_t name_at;
	uint8_t name_len;
	uint8_t flags; /* enum zone_node_flag, BUILD_OUTSIDE */
};

#define BUILD_OUTSIDE 0x80

/* Where an alias leads, as far as its zone id tells. */
enum build_home {
	BUILD_HOME_SAME,
	BUILD_HOME_OTHER,
	BUILD_HOME_BY_NAME, /* no id to go by */
};

/* One listed set. Texts and octets are pool offsets, 0: none. */
struct build_set {
	uint32_t node;
	uint32_t values;
	uint32_t values_size;
	uint32_t more;  /* what most sets have nothing of; 0: neither has this */
	uint32_t order; /* number in the list */
	uint32_t ttl_s;
	uint16_t type;
	uint16_t count; /* values */
	uint8_t policy;
	uint8_t weight;
	uint8_t flags; /* enum zone_member_flag */
	uint8_t spare;
};

struct build_more {
	uint32_t why; /* text: the set is a fault */
	uint32_t identifier;
	uint32_t health;
	uint32_t region;
	uint32_t alias;  /* name */
	uint32_t target; /* group that the alias means, or BUILD_NONE */
	uint32_t home;   /* enum build_home */
};

enum build_state {
	BUILD_NEW,
	BUILD_OPEN,
	BUILD_DONE,
};

/* One (name, type): order[first .. first + count) are its sets, by identifier. */
struct build_group {
	uint32_t first;
	uint32_t count;
	uint32_t why;  /* text of a fault */
	uint32_t goal; /* itself, or what a static alias means in the end */
	uint32_t at;   /* in the block */
	uint16_t type;
	uint8_t class;
	uint8_t state; /* of alias.c's walk */
	uint8_t depth; /* links of the longest chain of aliases from here */
};

struct build_fault {
	uint32_t order; /* number of the (first) set listed */
	uint32_t name;  /* texts */
	uint32_t type;
	uint32_t why;
};

struct zone_builder {
	int fail;
	bool origin_known;
	uint8_t origin[DNS_NAME_MAX];
	uint8_t origin_labels;
	uint32_t id; /* text */
	size_t sets_max;
	size_t bytes_max;
	uint32_t listed;
	uint64_t sum; /* of the sets' fingerprints */

	uint8_t *pool;
	size_t pool_len;
	size_t pool_room;
	struct build_node *nodes;
	size_t node_count;
	size_t node_room;
	uint32_t *slots; /* open addressing over nodes, BUILD_NONE: empty */
	size_t slot_count;
	struct build_set *sets;
	size_t set_count;
	size_t set_room;
	struct build_more *more; /* the first says: nothing */
	size_t more_count;
	size_t more_room;
	uint32_t *order; /* sets by node, then by type and identifier */
	struct build_group *groups;
	size_t group_count;
	struct build_fault *faults;
	size_t fault_count;
	size_t fault_room;
	uint32_t apex;
	uint32_t soa;           /* group */
	uint8_t scratch[65536]; /* one value's data */
};

/* --- builder.c --- */

/* array with room for need items, or NULL (then fail is set and array still the caller's). */
void *zone__grow(struct zone_builder *b, void *array, size_t *room, size_t need, size_t item_size);
/* Offset of a copy in the pool, or 0 (then fail is set). bytes must not lie in the pool. */
uint32_t zone__keep(struct zone_builder *b, const void *bytes, size_t size);
uint32_t zone__keep_text(struct zone_builder *b, const char *text);
/* A line for zone_each_fault; the texts are in the pool. */
void zone__add_fault(struct zone_builder *b, uint32_t order, uint32_t name, uint32_t type,
                     uint32_t why);
/* The same for a name and type that could be read. */
void zone__name_fault(struct zone_builder *b, uint32_t order, uint32_t node, uint16_t type,
                      uint32_t why);

static inline const char *build_text(const struct zone_builder *b, uint32_t offset)
{
	return (const char *)(b->pool + offset);
}

static inline const uint8_t *build_name(const struct zone_builder *b, uint32_t node)
{
	return b->pool + b->nodes[node].name;
}

static inline struct build_set *build_member(const struct zone_builder *b,
                                             const struct build_group *group, uint32_t i)
{
	return &b->sets[b->order[group->first + i]];
}

static inline struct build_more *build_more(const struct zone_builder *b,
                                            const struct build_set *set)
{
	return &b->more[set->more];
}

/* The node whose group it is. */
static inline uint32_t build_home_node(const struct zone_builder *b,
                                       const struct build_group *group)
{
	return build_member(b, group, 0)->node;
}

/* --- names.c --- */

/* The node of a lower-case name, made when it is new; BUILD_NONE when it could not be (fail is set). */
uint32_t zone__node(struct zone_builder *b, const uint8_t *name, size_t len);
/* The node of the suffix of key at this label, or BUILD_NONE. */
uint32_t zone__node_find(const struct zone_builder *b, const struct dns_key *key,
                         unsigned int label);
/*
 * Settles the origin, puts in the names between it and each name, and sorts the sets by name.
 * FAIL_FORMAT with err when there is no origin.
 */
int zone__tree(struct zone_builder *b, char *err, size_t err_size);

/* --- class.c --- */

/* Makes the groups and gives each its class, aliases as yet unfollowed; marks the cuts. */
int zone__class(struct zone_builder *b);
/* The group of this type at a node, or BUILD_NONE. */
uint32_t zone__group_find(const struct zone_builder *b, uint32_t node, uint16_t type);
void zone__group_fault(struct zone_builder *b, struct build_group *group, const char *why);

/* --- alias.c --- */

/* Finds what every alias means and finishes the classes. */
int zone__alias(struct zone_builder *b);

/* --- layout.c --- */

/*
 * The block, for zone__adopt. What the builder holds is given back to the system while it is written, so that a large
 * zone does not take both at once: afterwards the builder can only be freed.
 */
int zone__layout(struct zone_builder *b, void **ret_block);

/* --- fingerprint.c --- */

/*
 * A set's own fingerprint, the same in every process. values: sum of its values' hashes. name and alias:
 * wire names, or NULL when they could not be read (then their text counts).
 */
uint64_t zone__fingerprint(const struct zone_record_set *set, const uint8_t *name, size_t name_len,
                           const uint8_t *alias, size_t alias_len, uint64_t values);
uint64_t zone__fingerprint_all(const struct zone_builder *b);
