/*
 * What can be answered from memory. Sets of one (name, type) are one group, and a group has one class;
 * when anything in it makes no sense, all of it is asked of the VPC resolver, which holds what AWS made of it.
 */
#include "zone/build_int.h"
#include <stdlib.h>

static const char *identifier_of(const struct zone_builder *b, const struct build_set *set)
{
	const struct build_more *more = build_more(b, set);
	return more->identifier == 0 ? "" : build_text(b, more->identifier);
}

static int set_compare(const void *left, const void *right, void *ctx)
{
	const struct zone_builder *b = ctx;
	const struct build_set *x = &b->sets[*(const uint32_t *)left];
	const struct build_set *y = &b->sets[*(const uint32_t *)right];
	if (x->type != y->type) {
		return x->type < y->type ? -1 : 1;
	}
	int order = strcmp(identifier_of(b, x), identifier_of(b, y));
	if (order != 0) {
		return order;
	}
	return (x->order > y->order) - (x->order < y->order);
}

/* What the sets of one (name, type) can get wrong with each other. NULL: nothing. */
static const char *group_contradiction(const struct zone_builder *b,
                                       const struct build_group *group)
{
	const struct build_set *first = build_member(b, group, 0);
	if (group->count > UINT16_MAX) {
		return "too many sets of one name and type";
	}
	for (uint32_t i = 1; i < group->count; i++) {
		const struct build_set *set = build_member(b, group, i);
		if (set->policy != first->policy) {
			return set->policy == ZONE_POLICY_SIMPLE ||
			                       first->policy == ZONE_POLICY_SIMPLE
			               ? "sets with and without a routing policy"
			               : "two routing policies";
		}
	}
	for (uint32_t i = 1; i < group->count; i++) {
		if (first->policy == ZONE_POLICY_SIMPLE) {
			return "two sets of one name and type without a routing policy";
		}
		if (strcmp(identifier_of(b, build_member(b, group, i - 1)),
		           identifier_of(b, build_member(b, group, i))) == 0) {
			return "the same set identifier twice";
		}
	}
	return NULL;
}

/* What the name does not allow. */
static const char *place_contradiction(const struct zone_builder *b,
                                       const struct build_group *group)
{
	bool apex = build_home_node(b, group) == b->apex;
	if (group->type == DNS_TYPE_SOA && !apex) {
		return "SOA below the apex";
	}
	if (group->type == DNS_TYPE_CNAME && apex) {
		return "CNAME at the apex";
	}
	return NULL;
}

void zone__group_fault(struct zone_builder *b, struct build_group *group, const char *why)
{
	group->class = ZONE_FAULT;
	if (group->why == 0) {
		group->why = zone__keep_text(b, why);
	}
}

static enum zone_class sets_class(const struct zone_builder *b, const struct build_group *group)
{
	enum zone_policy policy = build_member(b, group, 0)->policy;
	if (policy != ZONE_POLICY_SIMPLE && policy != ZONE_POLICY_WEIGHTED &&
	    policy != ZONE_POLICY_MULTIVALUE) {
		return ZONE_DYNAMIC_POLICY;
	}
	for (uint32_t i = 0; i < group->count; i++) {
		if (build_more(b, build_member(b, group, i))->health != 0) {
			return ZONE_DYNAMIC_HEALTH;
		}
	}
	return ZONE_STATIC;
}

static void group_class(struct zone_builder *b, struct build_group *group)
{
	for (uint32_t i = 0; i < group->count; i++) {
		const struct build_more *more = build_more(b, build_member(b, group, i));
		if (more->why != 0) {
			group->class = ZONE_FAULT;
			group->why = more->why;
			return;
		}
	}
	const char *why = group_contradiction(b, group);
	if (why == NULL) {
		why = place_contradiction(b, group);
	}
	if (why != NULL) {
		zone__group_fault(b, group, why);
		return;
	}
	group->class = sets_class(b, group);
}

/* The sets of a node become its groups. */
static void node_groups(struct zone_builder *b, uint32_t at)
{
	struct build_node *node = &b->nodes[at];
	uint32_t first = node->first;
	uint32_t end = first + node->count;
	if (node->count > 1) {
		qsort_r(b->order + first, node->count, sizeof(*b->order), set_compare, b);
	}
	node->first = (uint32_t)b->group_count;
	node->count = 0;
	while (first < end) {
		struct build_group *group = &b->groups[b->group_count];
		*group = (struct build_group){
			.first = first,
			.goal = (uint32_t)b->group_count,
			.type = b->sets[b->order[first]].type,
		};
		while (first < end && b->sets[b->order[first]].type == group->type) {
			group->count++;
			first++;
		}
		b->group_count++;
		node->count++;
		group_class(b, group);
	}
}

/* RFC 1034 section 3.6.2; the other types of the name are served. */
static void cname_alone(struct zone_builder *b, const struct build_node *node)
{
	for (uint32_t i = 0; node->count > 1 && i < node->count; i++) {
		struct build_group *group = &b->groups[node->first + i];
		if (group->type == DNS_TYPE_CNAME) {
			zone__group_fault(b, group, "CNAME beside other types");
		}
	}
}

uint32_t zone__group_find(const struct zone_builder *b, uint32_t node, uint16_t type)
{
	const struct build_node *at = &b->nodes[node];
	for (uint32_t i = 0; i < at->count; i++) {
		if (b->groups[at->first + i].type == type) {
			return at->first + i;
		}
	}
	return BUILD_NONE;
}

/* A name is below a cut when any name above it, the apex left out, has an NS set. */
static void mark_cuts(struct zone_builder *b)
{
	bool any = false;
	for (size_t i = 0; i < b->group_count; i++) {
		if (b->groups[i].type == DNS_TYPE_NS &&
		    build_home_node(b, &b->groups[i]) != b->apex) {
			b->nodes[build_home_node(b, &b->groups[i])].flags |= ZONE__CUT;
			any = true;
		}
	}
	for (size_t n = 0; any && n < b->node_count; n++) {
		for (uint32_t up = b->nodes[n].parent; up != BUILD_NONE; up = b->nodes[up].parent) {
			if ((b->nodes[up].flags & ZONE__CUT) != 0) {
				b->nodes[n].flags |= ZONE__BELOW;
				break;
			}
		}
	}
}

int zone__class(struct zone_builder *b)
{
	b->groups = malloc((b->set_count + 1) * sizeof(*b->groups));
	if (b->groups == NULL) {
		return FAIL_NOMEM;
	}
	for (uint32_t n = 0; n < b->node_count; n++) {
		if ((b->nodes[n].flags & BUILD_OUTSIDE) == 0) {
			node_groups(b, n);
			cname_alone(b, &b->nodes[n]);
		} else {
			b->nodes[n].count = 0;
		}
	}
	mark_cuts(b);
	return b->fail;
}
