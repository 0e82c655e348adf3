#include "base/fail.h"
#include "base/log.h"
#include "records/register_int.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Without memory on an instance that was started longer ago than this, there may be records of ours. */
#define FRESH_S 900

/* Listings that a run may spend on seeing whether all is still there. */
#define CHECKS_MAX 2

/* --- Zones --- */

/* Private or public, from memory or by one look. False: told. */
static bool zone_known(struct work *work, const char *zone, bool *ret_private)
{
	const struct register_opts *opts = work->opts;
	const struct state_zone *known = state_zone_find(&work->state, zone);
	struct apply_patience patience = {0};
	int ret = 0;
	if (known != NULL) {
		*ret_private = known->private_zone;
		return true;
	}
	do {
		ret = opts->api->zone(opts->api->ctx, zone, ret_private);
	} while (ret != 0 && apply_again(opts->api, opts->deadline_ms, ret, &patience));
	if (ret == 0) {
		char *copy = arena_text(opts->arena, zone);
		if (copy != NULL) {
			state_zone_add(&work->state, copy, *ret_private);
		}
		return true;
	}
	const char *why = opts->api->trouble(opts->api->ctx);
	bool ours = ret == FAIL_DENIED || ret == FAIL_NOTFOUND || ret == -EKEYREJECTED ||
	            ret == -EINVAL;
	work_fault(work, ours, "zone %s cannot be looked at, nothing is written into it: %s", zone,
	           why[0] == '\0' ? fail_text(ret) : why);
	return false;
}

/* The settings' place of a zone, for a message. */
static const struct records_record *record_of_zone(const struct work *work, const char *zone)
{
	const struct records_settings *settings = work->opts->settings;
	for (size_t i = 0; i < settings->record_count; i++) {
		if (strcmp(settings->records[i].zone, zone) == 0) {
			return &settings->records[i];
		}
	}
	return NULL;
}

/* Wanted entries of zones that are what the settings say; the others are told and left out. */
static void zones_check(struct work *work, struct want *want)
{
	size_t kept = 0;
	const char *bad[RECORDS_MAX];
	size_t bad_count = 0;
	for (size_t i = 0; i < want->count; i++) {
		const struct record_entry *entry = &want->entries[i];
		bool is_private = false;
		bool is_bad = false;
		for (size_t j = 0; j < bad_count; j++) {
			is_bad = is_bad || strcmp(bad[j], entry->zone) == 0;
		}
		if (!is_bad && !zone_known(work, entry->zone, &is_private)) {
			is_bad = true;
			bad[bad_count++] = entry->zone;
		} else if (!is_bad && is_private != entry->private_zone) {
			const struct records_record *record = record_of_zone(work, entry->zone);
			work_fault(work, true,
			           "%s:%u: zone %s is %s, but private = %s was said; nothing is "
			           "written into it",
			           record->place.file, record->place.line, entry->zone,
			           is_private ? "private" : "public",
			           entry->private_zone ? "true" : "false");
			is_bad = true;
			bad[bad_count++] = entry->zone;
		}
		if (!is_bad) {
			want->entries[kept++] = *entry;
		}
	}
	want->count = kept;
}

/* --- What is to be done --- */

static bool is_wanted(const struct want *want, const struct record_entry *entry)
{
	for (size_t i = 0; i < want->count; i++) {
		const struct record_entry *at = &want->entries[i];
		if (strcmp(at->zone, entry->zone) == 0 &&
		    strcmp(at->set.name, entry->set.name) == 0 &&
		    strcmp(at->set.type, entry->set.type) == 0) {
			return true;
		}
	}
	return false;
}

/* One wanted record against memory. */
static int plan_wanted(struct work *work, const struct record_entry *wanted, bool look)
{
	struct state_record *known = state_find(&work->state, wanted);
	if (known != NULL && !known->pending && task_same(&known->entry, wanted, work->key)) {
		known->entry.keep_on_stop = wanted->keep_on_stop;
		return 0;
	}
	struct task *task = work_task(work, wanted->zone);
	if (task == NULL) {
		return FAIL_NOMEM;
	}
	task->wanted = wanted;
	task->look = look || (known != NULL && known->pending);
	if (known != NULL && !known->pending) {
		task->old = known->entry;
		task->has_old = true;
	}
	task_plan(task);
	return 0;
}

/* What is remembered and wanted no more. Not when the wish is unknown for want of metadata. */
static int plan_unwanted(struct work *work, const struct want *want)
{
	for (size_t i = 0; i < work->state.record_count && want->fault_count == 0; i++) {
		struct state_record *known = &work->state.records[i];
		if (is_wanted(want, &known->entry)) {
			continue;
		}
		struct task *task = work_task(work, known->entry.zone);
		if (task == NULL) {
			return FAIL_NOMEM;
		}
		task->old = known->entry;
		task->has_old = true;
		task->look = known->pending;
		task_plan(task);
	}
	return 0;
}

/* Nothing to do, as far as we remember: a few records in turn are looked at, all of them when one is amiss. */
static int plan_checks(struct work *work, const struct want *want)
{
	size_t checks = want->count < CHECKS_MAX ? want->count : CHECKS_MAX;
	bool amiss = false;
	for (size_t i = 0; i < want->count && (i < checks || amiss); i++) {
		const struct record_entry *wanted =
			&want->entries[(work->state.cursor + i) % want->count];
		struct state_record *known = state_find(&work->state, wanted);
		struct task *task = work_task(work, wanted->zone);
		if (task == NULL) {
			return FAIL_NOMEM;
		}
		task->wanted = wanted;
		if (known != NULL) {
			task->old = known->entry;
			task->has_old = true;
		}
		task->group.end = work_look(work, task);
		amiss = amiss || task->group.end == APPLY_OPEN;
	}
	work->state.cursor =
		want->count == 0 ? 0 : (unsigned int)((work->state.cursor + checks) % want->count);
	return 0;
}

/* --- Waiting --- */

static void wait_insync(struct work *work)
{
	const struct register_opts *opts = work->opts;
	const struct records_api *api = opts->api;
	uint64_t until_ms = api->mono_ms(api->ctx) + UINT64_C(1000) * opts->wait_s;
	uint64_t pause_ms = 1000;
	for (size_t i = 0; i < work->task_count;) {
		const struct apply_group *group = &work->tasks[i]->group;
		bool insync =
			group->end != APPLY_DONE || group->change[0] == '\0' ||
			(i > 0 && strcmp(group->change, work->tasks[i - 1]->group.change) == 0);
		int ret = insync ? 0 : api->insync(api->ctx, group->change, &insync);
		if (ret == 0 && insync) {
			i++;
			continue;
		}
		uint64_t now_ms = api->mono_ms(api->ctx);
		if (now_ms >= until_ms || ret == FAIL_DENIED) {
			work_fault(work, ret == FAIL_DENIED,
			           "written, but not seen INSYNC within %u s: %s", opts->wait_s,
			           ret == 0 ? "still PENDING" : api->trouble(api->ctx));
			return;
		}
		uint64_t left_ms = until_ms - now_ms;
		api->pause(api->ctx, pause_ms < left_ms ? pause_ms : left_ms);
		pause_ms = pause_ms < 8000 ? 2 * pause_ms : 15000;
	}
}

/* --- Register --- */

static bool long_running(const struct work *work)
{
	const struct records_api *api = work->opts->api;
	int64_t launched_s = work->opts->instance->launched_s;
	return launched_s != 0 && api->wall_s(api->ctx) - launched_s > FRESH_S;
}

static int plan(struct work *work, struct want *want)
{
	int ret = want_make(work->opts->settings, work->opts->instance, &work->owner, want);
	if (ret != 0) {
		return ret;
	}
	for (size_t i = 0; i < want->fault_count; i++) {
		work_fault(work, want->faults[i].reason == 0, "%s", want->faults[i].text);
	}
	bool look = work->state_lost && long_running(work);
	size_t known = work->state.record_count;
	zones_check(work, want);
	/* What goes is first: where a name's type changes its mark goes with the old record, then comes with the new one. */
	ret = plan_unwanted(work, want);
	for (size_t i = 0; i < want->count && ret == 0; i++) {
		ret = plan_wanted(work, &want->entries[i], look);
	}
	if (ret == 0 && work->task_count == 0 && known > 0) {
		ret = plan_checks(work, want);
	}
	return ret;
}

int register_run(const struct register_opts *opts, struct register_report *report)
{
	struct work *work = malloc(sizeof(*work));
	struct want want = {0};
	if (work == NULL) {
		return FAIL_NOMEM;
	}
	int ret = work_begin(work, opts, report);
	ret = ret != 0 ? ret : plan(work, &want);
	if (ret == 0 && !opts->dry_run) {
		/* The looks at zones, and who we are. */
		ret = state_save(opts->settings->state_dir, &work->state);
		if (ret != 0) {
			work_fault(work, true,
			           "%s/state.json cannot be written: %s; nothing is "
			           "registered that would not be remembered",
			           opts->settings->state_dir, fail_text(ret));
		}
	}
	ret = ret != 0 ? ret : work_do(work);
	if (ret == 0 && opts->wait_s > 0 && !opts->dry_run) {
		wait_insync(work);
	}
	if (ret != 0 && !report->failed) {
		work_fault(work, false, "%s", fail_text(ret));
	}
	work_end(work);
	free(work);
	return ret;
}
