/* forward/member.c - of use to its group or not. */
#include "base/log.h"
#include "forward/group_int.h"

#define LAME_WAIT_MIN_MS 200 /* between trials, and between probes */
#define LAME_WAIT_MAX_MS 2000

#define get(at)        __atomic_load_n((at), __ATOMIC_RELAXED)
#define set(at, value) __atomic_store_n((at), (value), __ATOMIC_RELAXED)

bool member__lame(const struct member *member)
{
	return get(&member->lame_ms) != 0;
}

bool member__circled(const struct member *member)
{
	return get(&member->circled) != 0;
}

void member__useful(struct member *member, const struct group *group, bool probe, uint64_t now_ms)
{
	if (get(&member->useless) != 0 && !probe) {
		set(&member->useless, 0);
	}
	if (!member__lame(member) || (probe && !get(&member->probe_tells))) {
		return;
	}
	if (__atomic_exchange_n(&member->lame_ms, 0, __ATOMIC_RELAXED) != 0) {
		uint64_t since_ms = get(&member->lame_since_ms);
		set(&member->useless, 0);
		log_notice("forward", "%s is of use again for %s after %.1f s",
		           member->target->text, group->rule,
		           now_ms > since_ms ? (double)(now_ms - since_ms) / 1000 : 0.0);
	}
}

static void member_lame(struct member *member, const struct group *group, const char *word,
                        uint64_t now_ms)
{
	uint32_t well = 0;
	set(&member->probe_tells, false);
	set(&member->probe_ms, LAME_WAIT_MIN_MS);
	set(&member->lame_since_ms, now_ms);
	set(&member->trial_due_ms, now_ms + LAME_WAIT_MIN_MS);
	set(&member->probe_due_ms, now_ms + LAME_WAIT_MIN_MS);
	if (__atomic_compare_exchange_n(&member->lame_ms, &well, LAME_WAIT_MIN_MS, false,
	                                __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
		log_warn("forward",
		         "%s answers, but of no use for %s (%s to the last of %u questions): lame, "
		         "asked after other targets until it is",
		         member->target->text, group->rule, word, MEMBER_USELESS_MAX);
	}
}

void member__useless(struct member *member, const struct group *group, bool probe, uint32_t name,
                     const char *word, uint64_t now_ms)
{
	if (member__lame(member)) {
		if (probe) {
			set(&member->probe_tells, true);
		}
		return;
	}
	/* One name that nobody can answer is no fault of the server's. */
	if (get(&member->useless) != 0 && get(&member->useless_name) == name) {
		return;
	}
	set(&member->useless_name, name);
	if (__atomic_add_fetch(&member->useless, 1, __ATOMIC_RELAXED) >= MEMBER_USELESS_MAX) {
		member_lame(member, group, word, now_ms);
	}
}

/* Of those who ask when it is due, one; the next wait is longer. */
static bool lame_turn(const struct member *member, uint64_t *due_ms, uint32_t *wait_ms,
                      uint64_t now_ms)
{
	if (!member__lame(member)) {
		return false;
	}
	uint32_t longer_ms = get(wait_ms) * 2;
	if (longer_ms > LAME_WAIT_MAX_MS) {
		longer_ms = LAME_WAIT_MAX_MS;
	}
	if (!target__turn(due_ms, now_ms, now_ms + longer_ms)) {
		return false;
	}
	uint32_t before_ms = get(wait_ms);
	/* A useful answer may have set it to 0 meanwhile. */
	return before_ms == 0 || __atomic_compare_exchange_n(wait_ms, &before_ms, longer_ms, false,
	                                                     __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

bool member__trial(struct member *member, uint64_t now_ms)
{
	return lame_turn(member, &member->trial_due_ms, &member->lame_ms, now_ms);
}

bool member__probe(struct member *member, uint64_t now_ms)
{
	return lame_turn(member, &member->probe_due_ms, &member->probe_ms, now_ms);
}
