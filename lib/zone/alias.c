/*
 * Aliases to sets of the same zone: found as a question for the target's name and type would find them,
 * followed to the end, and refused where they go in a circle.
 *
 * AWS: facts/route53.md section 6.3; an alias has its target's class, with what leads out of the zone.
 */
#include "zone/build_int.h"
#include <stdlib.h>

enum found {
	FOUND_GROUP,
	FOUND_NO_TYPE, /* the name is there, the type is not */
	FOUND_NO_NAME,
	FOUND_CUT, /* at or below a delegation */
	FOUND_OUTSIDE,
};

/* As zone_lookup, on what is not laid out yet. */
static enum found target_find(const struct zone_builder *b, const uint8_t *name, uint16_t type,
                              uint32_t *ret_group)
{
	if (!dns_name_within(name, b->origin)) {
		return FOUND_OUTSIDE;
	}
	struct dns_key key;
	dns_key_make(&key, name);
	unsigned int label = 0;
	uint32_t at = zone__node_find(b, &key, label);
	while (at == BUILD_NONE) { /* ends at the apex */
		at = zone__node_find(b, &key, ++label);
	}
	if ((b->nodes[at].flags & (ZONE__CUT | ZONE__BELOW)) != 0) {
		return FOUND_CUT;
	}
	if (label != 0) {
		at = b->nodes[at].wild;
		if (at == BUILD_NONE) {
			return FOUND_NO_NAME;
		}
	}
	*ret_group = zone__group_find(b, at, type);
	return *ret_group == BUILD_NONE ? FOUND_NO_TYPE : FOUND_GROUP;
}

static const char *const found_text[] = {
	[FOUND_NO_TYPE] = "the alias target has no set of this type",
	[FOUND_NO_NAME] = "the alias target does not exist",
	[FOUND_CUT] = "the alias target is delegated to other servers",
	[FOUND_OUTSIDE] = "the alias target lies outside the zone",
};

static void dynamic_alias(struct build_group *group)
{
	if (group->class == ZONE_STATIC) {
		group->class = ZONE_DYNAMIC_ALIAS;
	}
}

/* Settles set->target. Without a zone id to go by, a name that is not here is somebody else's. */
static void alias_aim(struct zone_builder *b, struct build_group *group, struct build_more *set)
{
	if (set->home == BUILD_HOME_OTHER) {
		dynamic_alias(group);
		return;
	}
	enum found found = target_find(b, b->pool + set->alias, group->type, &set->target);
	if (found == FOUND_GROUP) {
		return;
	}
	if (set->home == BUILD_HOME_BY_NAME && found != FOUND_NO_TYPE) {
		dynamic_alias(group);
	} else if (group->class == ZONE_STATIC || group->class == ZONE_DYNAMIC_ALIAS) {
		zone__group_fault(b, group, found_text[found]);
	}
}

/* --- Following --- */

struct frame {
	uint32_t group;
	uint32_t next; /* member to look at */
};

struct stack {
	struct frame *frames;
	size_t count;
	size_t room;
};

static void stack_push(struct zone_builder *b, struct stack *stack, uint32_t group)
{
	struct frame *frames =
		zone__grow(b, stack->frames, &stack->room, stack->count + 1, sizeof(*frames));
	if (frames == NULL) {
		return;
	}
	stack->frames = frames;
	frames[stack->count++] = (struct frame){.group = group, .next = 0};
	b->groups[group].state = BUILD_OPEN;
}

/* What a finished target makes of the group that means it. */
static void target_take(struct zone_builder *b, struct build_group *group,
                        const struct build_group *target)
{
	if (target->class == ZONE_FAULT) {
		zone__group_fault(b, group, "the alias target is at fault itself");
		return;
	}
	if (target->class != ZONE_STATIC) {
		dynamic_alias(group);
	}
	if (target->depth >= group->depth) {
		group->depth = (uint8_t)(target->depth + 1);
	}
	if (group->depth > ZONE__ALIAS_MAX) {
		zone__group_fault(b, group, "a chain of more than 16 aliases");
	}
}

static void group_done(struct zone_builder *b, struct build_group *group)
{
	group->state = BUILD_DONE;
	const struct build_set *set = build_member(b, group, 0);
	if (group->class == ZONE_STATIC && set->policy == ZONE_POLICY_SIMPLE &&
	    build_more(b, set)->target != BUILD_NONE) {
		group->goal = b->groups[build_more(b, set)->target].goal;
	}
}

/* One step of the walk: the next alias of the group on top, or its end. */
static void stack_step(struct zone_builder *b, struct stack *stack)
{
	struct frame *top = &stack->frames[stack->count - 1];
	struct build_group *group = &b->groups[top->group];
	if (top->next == group->count || group->class == ZONE_FAULT) {
		group_done(b, group);
		stack->count--;
		return;
	}
	uint32_t at = build_more(b, build_member(b, group, top->next))->target;
	if (at == BUILD_NONE) {
		top->next++;
		return;
	}
	struct build_group *target = &b->groups[at];
	switch (target->state) {
	case BUILD_NEW:
		stack_push(b, stack, at); /* and look at this member again afterwards */
		return;
	case BUILD_OPEN:
		zone__group_fault(b, group, "aliases in a circle");
		break;
	default:
		target_take(b, group, target);
		break;
	}
	top->next++;
}

/* Depth first, on a stack of our own: a list can make a chain as long as itself. */
static void group_follow(struct zone_builder *b, struct stack *stack, uint32_t at)
{
	stack_push(b, stack, at);
	while (stack->count != 0 && b->fail == 0) {
		stack_step(b, stack);
	}
}

/* Sets that are not followed: what decides them is not their aliases. */
static bool group_settled(const struct build_group *group)
{
	return group->class != ZONE_STATIC && group->class != ZONE_DYNAMIC_ALIAS;
}

static void group_aim(struct zone_builder *b, struct build_group *group)
{
	bool any = false;
	for (uint32_t i = 0; group->class != ZONE_FAULT && i < group->count; i++) {
		struct build_more *set = build_more(b, build_member(b, group, i));
		if (set->alias != 0) {
			alias_aim(b, group, set);
			any = true;
		}
	}
	group->state = any && !group_settled(group) ? BUILD_NEW : BUILD_DONE;
}

int zone__alias(struct zone_builder *b)
{
	struct stack stack = {0};
	for (size_t i = 0; i < b->group_count; i++) {
		group_aim(b, &b->groups[i]);
	}
	for (uint32_t i = 0; i < b->group_count && b->fail == 0; i++) {
		if (b->groups[i].state == BUILD_NEW) {
			group_follow(b, &stack, i);
		}
	}
	free(stack.frames);
	return b->fail;
}
