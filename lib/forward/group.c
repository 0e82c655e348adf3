#include "forward/group_int.h"
#include <stdlib.h>

static const char *const reason_texts[REASON_COUNT] = {
	[REASON_TIMEOUT] = "timeout", [REASON_SERVFAIL] = "servfail",
	[REASON_REFUSED] = "refused", [REASON_FORMERR] = "formerr",
	[REASON_LAME] = "lame",       [REASON_MISMATCH] = "mismatch",
	[REASON_NET] = "net",         [REASON_TLS] = "tls",
};

const char *group__reason_text(enum forward_reason reason)
{
	return reason_texts[reason];
}

static void member_unref(struct member **ptr)
{
	struct member *member = *ptr;
	if (member != NULL && __atomic_sub_fetch(&member->refs, 1, __ATOMIC_ACQ_REL) == 0) {
		target__unref(&member->target);
		free(member);
	}
	*ptr = NULL;
}

struct group *group__ref(struct group *group)
{
	__atomic_fetch_add(&group->refs, 1, __ATOMIC_RELAXED);
	return group;
}

void group__unref(struct group **ptr)
{
	struct group *group = *ptr;
	if (group != NULL && __atomic_sub_fetch(&group->refs, 1, __ATOMIC_ACQ_REL) == 0) {
		for (unsigned int i = 0; i < group->member_count; i++) {
			member_unref(&group->members[i]);
		}
		bucket__unref(&group->bucket);
		free(group->domains.wire);
		free(group->probe_name);
		free(group->rule);
		free(group);
	}
	*ptr = NULL;
}

struct group_table *group_table__ref(struct group_table *table)
{
	__atomic_fetch_add(&table->refs, 1, __ATOMIC_RELAXED);
	return table;
}

void group_table__unref(struct group_table **ptr)
{
	struct group_table *table = *ptr;
	if (table != NULL && __atomic_sub_fetch(&table->refs, 1, __ATOMIC_ACQ_REL) == 0) {
		for (size_t i = 0; i < table->count; i++) {
			group__unref(&table->groups[i]);
		}
		free(table);
	}
	*ptr = NULL;
}

struct group *group_table__find(const struct group_table *table, uint32_t origin)
{
	size_t low = 0;
	size_t high = table->count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		struct group *group = table->groups[mid];
		if (group->origin == origin) {
			return group;
		}
		if (group->origin < origin) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return NULL;
}

/* --- The choice --- */

static bool excluded(uint32_t exclude, unsigned int i)
{
	return (exclude >> i & 1) != 0;
}

/*
 * Who is fastest is known of those alone who are asked: now and then one question goes to a target
 * that was never measured, or not for long.
 */
static int pick_unmeasured(const struct group *group, struct draw *draw, uint64_t now_ms)
{
	bool anew = (draw_u32(draw) & 63) == 0;
	for (unsigned int i = 0; i < group->member_count; i++) {
		struct target *target = group->members[i]->target;
		bool wanted = (anew || target__rtt_us(target) == 0) && !target__down(target) &&
		              !member__lame(group->members[i]);
		if (wanted && target__explore(target, now_ms)) {
			return (int)i;
		}
	}
	return -1;
}

/* Less is better. */
static uint32_t member_cost(const struct group *group, unsigned int i, struct draw *draw)
{
	uint32_t rtt_us;
	switch (group->policy) {
	case FORWARD_FASTEST:
		rtt_us = target__rtt_us(group->members[i]->target);
		return rtt_us != 0 ? rtt_us : TARGET_TIMEOUT_UNKNOWN_MS * 1000;
	case FORWARD_SPREAD:
		return draw_u32(draw) >> 1;
	case FORWARD_ORDERED:
		break;
	}
	return i;
}

int group__pick(const struct group *group, uint32_t exclude, struct draw *draw, uint64_t now_ms)
{
	if (exclude == 0 && group->policy == FORWARD_FASTEST && group->member_count > 1) {
		int unmeasured = pick_unmeasured(group, draw, now_ms);
		if (unmeasured >= 0) {
			return unmeasured;
		}
	}
	int best = -1;
	uint64_t best_cost = 0;
	for (unsigned int i = 0; i < group->member_count; i++) {
		if (excluded(exclude, i)) {
			continue;
		}
		uint64_t cost = member_cost(group, i, draw);
		if (target__down(group->members[i]->target)) {
			cost |= UINT64_C(2) << 32;
		} else if (member__lame(group->members[i])) {
			cost |= UINT64_C(1) << 32;
		}
		if (best < 0 || cost < best_cost) {
			best = (int)i;
			best_cost = cost;
		}
	}
	return best;
}

int group__trial(const struct group *group, uint32_t exclude, uint64_t now_ms)
{
	for (unsigned int i = 0; i < group->member_count; i++) {
		if (!excluded(exclude, i) && member__trial(group->members[i], now_ms)) {
			return (int)i;
		}
	}
	return -1;
}

bool group__way_out(const struct group *group)
{
	for (unsigned int i = 0; i < group->member_count; i++) {
		if (!target__down(group->members[i]->target)) {
			return true;
		}
	}
	return false;
}
