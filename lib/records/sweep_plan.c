#include "records/sweep_plan.h"
#include "aws/digest.h"
#include "base/fail.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALL_ZONE     10 /* R9 counts from here, R10 below */
#define SMALL_ZONE_MAX 3

const char *sweep_verdict_text(enum sweep_verdict verdict)
{
	static const char *const texts[SWEEP_VERDICTS] = {
		[SWEEP_GO_TERMINATED] = "terminated", [SWEEP_GO_ABSENT] = "absent",
		[SWEEP_GO_STOPPED] = "stopped",       [SWEEP_LIVE] = "live",
		[SWEEP_FLEET] = "other-fleet",        [SWEEP_SCOPE] = "out-of-scope",
		[SWEEP_STATE] = "unknown-state",      [SWEEP_ENDING] = "shutting-down",
		[SWEEP_STOPPED] = "stopped-keeps",    [SWEEP_MOVED] = "address-moved",
		[SWEEP_FIRST] = "second-look",        [SWEEP_YOUNG] = "grace",
		[SWEEP_FEW] = "small-zone",           [SWEEP_LAST] = "last-of-name",
		[SWEEP_UNCLEAR] = "unclear",
	};
	return texts[verdict];
}

/* --- One record --- */

static bool is_address(const struct record_set *set)
{
	return strcmp(set->type, "A") == 0 || strcmp(set->type, "AAAA") == 0;
}

/* R6: an address of this live owner's record is that of another live instance. */
static bool has_moved(const struct sweep_rules *rules, const struct record_set *set,
                      const struct evidence_instance *owner)
{
	for (size_t i = 0; is_address(set) && i < set->value_count; i++) {
		if (!evidence_has_address(owner, set->values[i]) &&
		    evidence_holder(rules->evidence, set->values[i]) != NULL) {
			return true;
		}
	}
	return false;
}

/* R5: what a stopped instance may keep. */
static enum sweep_verdict stopped(const struct marked *marked,
                                  const struct evidence_instance *owner)
{
	const struct record_set *set = &marked->entry.set;
	bool own = is_address(set);
	for (size_t i = 0; own && i < set->value_count; i++) {
		own = evidence_has_address(owner, set->values[i]);
	}
	return marked->entry.private_zone || own ? SWEEP_STOPPED : SWEEP_GO_STOPPED;
}

static enum sweep_verdict by_evidence(const struct sweep_rules *rules, const struct marked *marked)
{
	const struct evidence_instance *owner = NULL;
	switch (evidence_of(rules->evidence, &marked->owner, &owner)) {
	case EVIDENCE_LIVE:
		return has_moved(rules, &marked->entry.set, owner) ? SWEEP_MOVED : SWEEP_LIVE;
	case EVIDENCE_STOPPED:
		return stopped(marked, owner);
	case EVIDENCE_ENDING:
		return SWEEP_ENDING;
	case EVIDENCE_TERMINATED:
		return SWEEP_GO_TERMINATED;
	case EVIDENCE_ABSENT:
		return SWEEP_GO_ABSENT;
	default:
		return SWEEP_STATE;
	}
}

static void judge(const struct sweep_rules *rules, struct sweep_item *item)
{
	const struct marked *marked = &item->marked;
	int64_t seen_s = rules->seen == NULL ? 0 : rules->seen(rules->seen_ctx, item);
	int64_t since_s = marked->owner.digest[0] == '\0' ? marked->owner.boot_s : seen_s;
	int64_t grace_s = rules->settings->grace_s;
	int64_t twice_s = 2 * (int64_t)marked->entry.set.ttl_s;
	item->age_s = since_s == 0 ? 0 : rules->now_s - since_s;
	if (strcmp(marked->owner.fleet, rules->fleet) != 0) {
		item->verdict = SWEEP_FLEET;
	} else if (!evidence_scope(rules->evidence, &marked->owner)) {
		item->verdict = SWEEP_SCOPE;
	} else if (marked->unclear) {
		item->verdict = SWEEP_UNCLEAR;
	} else {
		item->verdict = by_evidence(rules, marked);
	}
	item->wanted = item->verdict;
	if (item->verdict >= SWEEP_GO) {
		return;
	}
	if (item->age_s < (grace_s > twice_s ? grace_s : twice_s)) {
		item->verdict = SWEEP_YOUNG;
	} else if (seen_s == 0 || rules->now_s - seen_s < rules->settings->second_look_s) {
		item->verdict = SWEEP_FIRST;
	}
}

/* --- All of them --- */

/* A name that says whose it is cannot be shared. */
static bool is_own_name(const struct sweep_item *item)
{
	const struct record_set *set = &item->marked.entry.set;
	char dashed[64];
	if (set->identifier == NULL || strcmp(set->type, "PTR") == 0 ||
	    strstr(set->name, item->marked.owner.instance) != NULL) {
		return true;
	}
	for (size_t i = 0; i < set->value_count; i++) {
		snprintf(dashed, sizeof(dashed), "%s", set->values[i]);
		for (char *at = dashed; *at != '\0'; at++) {
			*at = *at == '.' || *at == ':' ? '-' : *at;
		}
		if (strstr(set->name, dashed) != NULL) {
			return true;
		}
	}
	return false;
}

static bool same_place(const struct sweep_item *a, const struct sweep_item *b)
{
	const struct record_entry *x = &a->marked.entry;
	const struct record_entry *y = &b->marked.entry;
	return strcmp(x->zone, y->zone) == 0 && strcmp(x->set.name, y->set.name) == 0 &&
	       strcmp(x->set.type, y->set.type) == 0;
}

/* R10: of each shared name one set stays, whatever became of its owner. */
static void keep_last(struct sweep_plan *plan)
{
	for (size_t i = 0; i < plan->count;) {
		size_t go = 0;
		size_t last = i;
		size_t end = i;
		for (; end < plan->count && same_place(&plan->items[i], &plan->items[end]); end++) {
			bool goes = plan->items[end].verdict < SWEEP_GO;
			go += goes;
			last = goes ? end : last;
		}
		if (go > 0 && go >= plan->items[i].marked.same &&
		    !is_own_name(&plan->items[last])) {
			plan->items[last].verdict = SWEEP_LAST;
		}
		i = end;
	}
}

struct zone_count {
	size_t owned;
	size_t go;
};

static bool is_owned(const struct sweep_item *item)
{
	return item->verdict != SWEEP_FLEET && item->verdict != SWEEP_SCOPE;
}

static bool over_share(const struct sweep_rules *rules, const struct zone_count *count)
{
	return count->owned >= SMALL_ZONE &&
	       count->go * 100 > (size_t)rules->settings->max_share * count->owned;
}

static void brake(const struct sweep_rules *rules, struct sweep_plan *plan, const char *what,
                  const struct zone_count *count)
{
	if (plan->brake == SWEEP_BRAKE_OFF && over_share(rules, count)) {
		plan->brake = SWEEP_BRAKE_SHARE;
		snprintf(plan->brake_why, sizeof(plan->brake_why),
		         "%zu of %zu records of %s would go, more than max_share = %u %%",
		         count->go, count->owned, what, rules->settings->max_share);
	}
}

/* The items of one zone begin at first; returns where the next begin. */
static size_t zone_rules(const struct sweep_rules *rules, struct sweep_plan *plan, size_t first)
{
	struct zone_count count = {0};
	const char *zone = plan->items[first].marked.entry.zone;
	size_t end = first;
	for (; end < plan->count && strcmp(plan->items[end].marked.entry.zone, zone) == 0; end++) {
		count.owned += is_owned(&plan->items[end]);
	}
	for (size_t i = first; i < end; i++) {
		if (plan->items[i].verdict >= SWEEP_GO) {
			continue;
		}
		if (count.owned < SMALL_ZONE && count.go == SMALL_ZONE_MAX) {
			plan->items[i].verdict = SWEEP_FEW;
		} else {
			count.go++;
		}
	}
	plan->owned += count.owned;
	plan->go += count.go;
	char what[64];
	snprintf(what, sizeof(what), "zone %s", zone);
	brake(rules, plan, what, &count);
	return end;
}

static void plan_finish(const struct sweep_rules *rules, struct sweep_plan *plan)
{
	keep_last(plan);
	for (size_t i = 0; i < plan->count;) {
		i = zone_rules(rules, plan, i);
	}
	const struct zone_count all = {.owned = plan->owned, .go = plan->go};
	brake(rules, plan, "all zones", &all);
	if (plan->brake == SWEEP_BRAKE_OFF && plan->go > rules->settings->max_number) {
		plan->brake = SWEEP_BRAKE_NUMBER;
		snprintf(plan->brake_why, sizeof(plan->brake_why),
		         "%zu records would go, more than max_number = %u", plan->go,
		         rules->settings->max_number);
	}
}

static int by_entry(const void *a, const void *b)
{
	const struct sweep_item *x = a;
	const struct sweep_item *y = b;
	return record_entry_compare(&x->marked.entry, &y->marked.entry);
}

static int items_add(const struct sweep_rules *rules, const struct zone_list *list,
                     struct sweep_plan *plan)
{
	struct marked *marked = NULL;
	size_t count = 0;
	int ret = zone_list_marked(list, &marked, &count);
	if (ret != 0) {
		return ret;
	}
	struct sweep_item *items =
		reallocarray(plan->items, plan->count + count + 1, sizeof(*items));
	if (items != NULL) {
		plan->items = items;
	}
	for (size_t i = 0; items != NULL && i < count; i++) {
		struct sweep_item *item = &plan->items[plan->count++];
		*item = (struct sweep_item){.marked = marked[i]};
		judge(rules, item);
	}
	free(marked);
	return items == NULL ? FAIL_NOMEM : 0;
}

static int plan_sum(struct sweep_plan *plan)
{
	const struct record_entry **go = calloc(plan->go + 1, sizeof(*go));
	size_t count = 0;
	if (go == NULL) {
		return FAIL_NOMEM;
	}
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->items[i].verdict < SWEEP_GO) {
			go[count++] = &plan->items[i].marked.entry;
		}
	}
	sweep_sum(go, count, plan->sum);
	free(go);
	return 0;
}

int sweep_plan_make(const struct sweep_rules *rules, const struct zone_list *const *lists,
                    size_t count, struct sweep_plan *ret_plan)
{
	struct sweep_plan plan = {0};
	int ret = 0;
	for (size_t i = 0; i < count && ret == 0; i++) {
		ret = items_add(rules, lists[i], &plan);
	}
	if (ret == 0 && plan.count > 0) {
		qsort(plan.items, plan.count, sizeof(*plan.items), by_entry);
	}
	if (ret == 0) {
		plan_finish(rules, &plan);
		ret = plan_sum(&plan);
	}
	if (ret != 0) {
		sweep_plan_fini(&plan);
		return ret;
	}
	*ret_plan = plan;
	return 0;
}

void sweep_plan_fini(struct sweep_plan *plan)
{
	free(plan->items);
	plan->items = NULL;
	plan->count = 0;
}

/* --- The sum --- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void set_line(const struct record_set *set, struct text *out)
{
	const char **values = calloc(set->value_count + 1, sizeof(*values));
	text_addf(out, "\t%s\t%s\t%s\t%u", set->name, set->type,
	          set->identifier == NULL ? "" : set->identifier, set->ttl_s);
	for (size_t i = 0; values != NULL && i < set->value_count; i++) {
		values[i] = set->values[i];
	}
	if (values != NULL) {
		qsort(values, set->value_count, sizeof(*values), by_text);
	}
	for (size_t i = 0; values != NULL && i < set->value_count; i++) {
		text_addf(out, "\t%s", values[i]);
	}
	free(values);
}

void sweep_entry_line(const struct record_entry *entry, struct text *out)
{
	text_addf(out, "%s", entry->zone);
	set_line(&entry->set, out);
	if (entry->has_mark) {
		set_line(&entry->mark, out);
	}
	text_addf(out, "\n");
}

void sweep_sum(const struct record_entry *const *entries, size_t count, char *sum)
{
	uint8_t digest[AWS_DIGEST_SIZE];
	struct text lines;
	text_init(&lines, 0);
	for (size_t i = 0; i < count; i++) {
		sweep_entry_line(entries[i], &lines);
	}
	aws_sha256(text_get(&lines), lines.len, digest);
	aws_digest_text(digest, sum);
	text_fini(&lines);
}
