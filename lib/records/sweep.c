#include "records/sweep.h"
#include "base/fail.h"
#include "records/json.h"
#include "records/lease.h"
#include "records/remove.h"
#include "records/sightings.h"
#include "records/state.h"
#include "records/want.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ZONES_MAX 200

/* One run: what was listed, planned, and is done. */
struct sweeping {
	const struct sweep_opts *opts;
	struct sweep_report *report;
	char run[JOURNAL_RUN_MAX];
	char key[300];
	struct zone_list zones[ZONES_MAX];
	const struct zone_list *lists[ZONES_MAX];
	size_t zone_count;
	struct evidence evidence;
	struct sightings *sightings;
	struct sweep_plan plan;
	int lock;
};

void sweep_report_init(struct sweep_report *report)
{
	*report = (struct sweep_report){0};
	text_init(&report->out, 0);
	text_init(&report->faults, 0);
}

void sweep_report_fini(struct sweep_report *report)
{
	text_fini(&report->out);
	text_fini(&report->faults);
}

/* --- Begin and end --- */

static bool begin(struct sweeping *sweeping, const struct sweep_opts *opts,
                  struct sweep_report *report)
{
	const struct records_api *api = opts->api;
	const char *dir = opts->settings->state_dir;
	*sweeping = (struct sweeping){.opts = opts, .report = report};
	want_key(opts->settings, sweeping->key);
	journal_run(api->wall_s(api->ctx), api->below(api->ctx, UINT32_MAX), sweeping->run);
	sweeping->lock = state_lock(dir, "sweep.lock", 0);
	if (sweeping->lock == FAIL_BUSY) {
		text_addf(&report->faults, "%s: another sweep of this machine is at work\n", dir);
	} else if (sweeping->lock < 0) {
		text_addf(
			&report->faults,
			"%s cannot be used: %s; a folder that this user may write would be right\n",
			dir, fail_text(sweeping->lock));
	}
	return sweeping->lock >= 0;
}

static void end(struct sweeping *sweeping)
{
	for (size_t i = 0; i < sweeping->zone_count; i++) {
		zone_list_fini(&sweeping->zones[i]);
	}
	evidence_fini(&sweeping->evidence);
	sweep_plan_fini(&sweeping->plan);
	sightings_free(&sweeping->sightings);
	if (sweeping->lock >= 0) {
		close(sweeping->lock);
	}
}

/* --- Zones --- */

static bool zone_list(struct sweeping *sweeping, const char *id)
{
	char why[512];
	struct zone_list *list = &sweeping->zones[sweeping->zone_count];
	for (size_t i = 0; i < sweeping->zone_count; i++) {
		if (strcmp(sweeping->zones[i].id, id) == 0) {
			return true;
		}
	}
	if (sweeping->zone_count == ZONES_MAX) {
		text_addf(&sweeping->report->faults, "more than %d zones\n", ZONES_MAX);
		return false;
	}
	const struct sweep_opts *opts = sweeping->opts;
	if (zone_list_get(opts->api, id, opts->deadline_ms, opts->arena, list, why, sizeof(why)) !=
	    0) {
		text_addf(&sweeping->report->faults, "%s\n", why);
		return false;
	}
	sweeping->lists[sweeping->zone_count++] = list;
	return true;
}

/* All zones of the settings; false: told. */
static bool zones_list(struct sweeping *sweeping)
{
	const struct records_settings *settings = sweeping->opts->settings;
	for (size_t i = 0; i < settings->record_count; i++) {
		if (!zone_list(sweeping, settings->records[i].zone)) {
			return false;
		}
	}
	for (size_t i = 0; i < settings->sweep.zones.count; i++) {
		if (!zone_list(sweeping, settings->sweep.zones.items[i])) {
			return false;
		}
	}
	return true;
}

static const char *apex_of(void *ctx, const char *zone)
{
	const struct sweeping *sweeping = ctx;
	for (size_t i = 0; i < sweeping->zone_count; i++) {
		if (strcmp(sweeping->zones[i].id, zone) == 0) {
			return sweeping->zones[i].apex;
		}
	}
	return "";
}

/* --- Telling --- */

/* One that goes: name, type, TTL, values, owner, reason, age (R17). */
static void go_text(const struct sweep_item *item, struct text *out)
{
	char owner[160];
	text_addf(out, "- %s ", item->marked.entry.zone);
	record_set_text(&item->marked.entry.set, out);
	text_addf(out, "; %s; %s; age %lld s\n", owner_text(&item->marked.owner, owner),
	          sweep_verdict_text(item->verdict), (long long)item->age_s);
}

static void counts_text(const struct sweep_plan *plan, struct text *out)
{
	size_t counts[SWEEP_VERDICTS] = {0};
	for (size_t i = 0; i < plan->count; i++) {
		counts[plan->items[i].verdict]++;
	}
	text_addf(out, "kept:");
	for (unsigned int i = SWEEP_GO; i < SWEEP_VERDICTS; i++) {
		if (counts[i] > 0) {
			text_addf(out, " %s %zu", sweep_verdict_text(i), counts[i]);
		}
	}
	text_addf(out, "\n");
}

static void plan_text(struct sweeping *sweeping)
{
	struct text *out = &sweeping->report->out;
	const struct sweep_plan *plan = &sweeping->plan;
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->items[i].verdict < SWEEP_GO) {
			go_text(&plan->items[i], out);
		}
	}
	counts_text(plan, out);
	text_addf(out, "plan: %s\nrun: %s\n", plan->sum, sweeping->run);
}

static json_t *item_json(const struct sweep_item *item)
{
	char owner[160];
	json_t *object = record_entry_json(&item->marked.entry);
	json_t *set = json_object_get(object, "set");
	json_object_update(object, set);
	json_object_del(object, "set");
	json_object_del(object, "keep_on_stop");
	json_object_set_new(object, "owner", json_string(owner_text(&item->marked.owner, owner)));
	json_object_set_new(object, "reason", json_string(sweep_verdict_text(item->verdict)));
	json_object_set_new(object, "age", json_integer(item->age_s));
	return object;
}

static void plan_json(struct sweeping *sweeping, const char *result)
{
	const struct sweep_plan *plan = &sweeping->plan;
	json_t *go = json_array();
	json_t *kept = json_object();
	for (size_t i = 0; i < plan->count; i++) {
		enum sweep_verdict verdict = plan->items[i].verdict;
		const char *name = sweep_verdict_text(verdict);
		if (verdict < SWEEP_GO) {
			json_array_append_new(go, item_json(&plan->items[i]));
		} else {
			json_int_t so_far = json_integer_value(json_object_get(kept, name));
			json_object_set_new(kept, name, json_integer(so_far + 1));
		}
	}
	json_t *object =
		json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:o, s:o}", "plan", plan->sum, "run",
	                  sweeping->run, "result", result, "why",
	                  text_get(&sweeping->report->faults), "owned", (int)plan->owned, "deleted",
	                  (int)sweeping->report->deleted, "deletions", go, "kept", kept);
	char *text = object == NULL ? NULL : json_dumps(object, JSON_INDENT(2));
	text_addf(&sweeping->report->out, "%s\n", text == NULL ? "{}" : text);
	free(text);
	json_decref(object);
}

/* --- Sweep --- */

static enum sweep_result unknown(struct sweeping *sweeping, const char *why)
{
	text_addf(&sweeping->report->faults, "evidence unknown, nothing is deleted: %s\n", why);
	return SWEEP_UNKNOWN;
}

/* Zones first, evidence after: who registered in between is in the evidence, not the other way round. */
static enum sweep_result look_around(struct sweeping *sweeping)
{
	const struct sweep_opts *opts = sweeping->opts;
	const struct records_settings *settings = opts->settings;
	char why[512];
	const struct evidence_opts asked = {
		.fleet = settings->fleet,
		.key = sweeping->key,
		.region = opts->region,
		.account = opts->account,
		.canary =
			settings->sweep.canary[0] != '\0' ? settings->sweep.canary : opts->instance,
	};
	if (!zones_list(sweeping)) {
		return unknown(sweeping, "a zone could not be listed whole");
	}
	if (evidence_gather(opts->api, &asked, opts->deadline_ms, opts->arena, &sweeping->evidence,
	                    why, sizeof(why)) != 0) {
		return unknown(sweeping, why);
	}
	return SWEEP_DONE;
}

static enum sweep_result plan(struct sweeping *sweeping)
{
	const struct sweep_opts *opts = sweeping->opts;
	int64_t now_s = opts->api->wall_s(opts->api->ctx);
	sweeping->sightings = sightings_load(opts->settings->state_dir);
	const struct sweep_rules rules = {
		.settings = &opts->settings->sweep,
		.fleet = opts->settings->fleet,
		.evidence = &sweeping->evidence,
		.now_s = now_s,
		.seen = sightings_seen,
		.seen_ctx = sweeping->sightings,
	};
	int ret = sweeping->sightings == NULL
	                  ? FAIL_NOMEM
	                  : sweep_plan_make(&rules, sweeping->lists, sweeping->zone_count,
	                                    &sweeping->plan);
	if (ret == 0) {
		ret = sightings_save(sweeping->sightings, opts->settings->state_dir,
		                     &sweeping->plan, now_s);
	}
	if (ret != 0) {
		text_addf(&sweeping->report->faults, "%s/sightings.json: %s\n",
		          opts->settings->state_dir, fail_text(ret));
		return SWEEP_FAILED;
	}
	return SWEEP_DONE;
}

static enum sweep_result apply(struct sweeping *sweeping)
{
	const struct sweep_plan *made = &sweeping->plan;
	struct removal *removals = calloc(made->go + 1, sizeof(*removals));
	size_t count = 0;
	if (removals == NULL) {
		return SWEEP_FAILED;
	}
	for (size_t i = 0; i < made->count; i++) {
		const struct sweep_item *item = &made->items[i];
		if (item->verdict < SWEEP_GO) {
			removals[count++] = (struct removal){
				.entry = &item->marked.entry,
				.reason = sweep_verdict_text(item->verdict),
			};
		}
	}
	enum sweep_result result =
		remove_all(sweeping->opts, removals, count, sweeping->opts->settings->fleet,
	                   sweeping->run, apex_of, sweeping, sweeping->report);
	free(removals);
	return result;
}

/* With nothing to delete nobody takes the lease that a killed run left, so it is looked for. */
static void leases_clean(struct sweeping *sweeping)
{
	const struct sweep_opts *opts = sweeping->opts;
	struct lease lease;
	for (size_t i = 0; i < sweeping->zone_count && opts->apply && opts->settings->sweep.apply;
	     i++) {
		const struct zone_list *list = &sweeping->zones[i];
		if (lease_init(&lease, list->id, list->apex, opts->settings->fleet,
		               sweeping->run) == 0) {
			lease_clean(&lease, opts->api, opts->deadline_ms, list->sets, list->count);
		}
	}
}

/* Both switches, the sum, the brake: then it is done. */
static enum sweep_result decide(struct sweeping *sweeping)
{
	const struct sweep_opts *opts = sweeping->opts;
	const struct sweep_plan *made = &sweeping->plan;
	struct text *faults = &sweeping->report->faults;
	if (made->brake != SWEEP_BRAKE_OFF) {
		text_addf(faults, "the brake holds, nothing is deleted: %s\n", made->brake_why);
		return SWEEP_BRAKED;
	}
	if (opts->plan_sum != NULL && strcmp(opts->plan_sum, made->sum) != 0) {
		text_addf(faults,
		          "the plan is not the one that was approved, nothing is deleted\n");
		return SWEEP_FAILED;
	}
	if (made->go == 0) {
		leases_clean(sweeping);
		return SWEEP_DONE;
	}
	if (!opts->apply) {
		return SWEEP_PENDING;
	}
	if (!opts->settings->sweep.apply) {
		text_addf(faults,
		          "--apply alone deletes nothing: sweep.apply = true in the settings "
		          "is the other switch\n");
		return SWEEP_PENDING;
	}
	return apply(sweeping);
}

static const char *result_text(enum sweep_result result)
{
	static const char *const texts[] = {"done", "failed", "pending", "brake", "unknown"};
	return texts[result];
}

enum sweep_result sweep_run(const struct sweep_opts *opts, struct sweep_report *report)
{
	struct sweeping *sweeping = malloc(sizeof(*sweeping));
	enum sweep_result result = SWEEP_FAILED;
	if (sweeping == NULL) {
		return SWEEP_FAILED;
	}
	if (begin(sweeping, opts, report)) {
		result = look_around(sweeping);
		bool known = result == SWEEP_DONE;
		result = known ? plan(sweeping) : result;
		known = result == SWEEP_DONE;
		result = known ? decide(sweeping) : result;
		if (opts->json) {
			plan_json(sweeping, result_text(result));
		} else if (known) {
			plan_text(sweeping);
		}
	}
	end(sweeping);
	free(sweeping);
	return result;
}

/* --- Purge --- */

static enum sweep_result purge(struct sweeping *sweeping, const char *fleet)
{
	const struct sweep_opts *opts = sweeping->opts;
	size_t total = 0;
	enum sweep_result result = SWEEP_FAILED;
	struct marked *all[ZONES_MAX] = {NULL};
	size_t counts[ZONES_MAX] = {0};
	bool bad = false;
	for (size_t i = 0; i < sweeping->zone_count; i++) {
		bad = bad || zone_list_marked(sweeping->lists[i], &all[i], &counts[i]) != 0;
		total += counts[i];
	}
	struct removal *removals = calloc(total + 1, sizeof(*removals));
	const struct record_entry **entries = calloc(total + 1, sizeof(*entries));
	size_t count = 0;
	for (size_t i = 0; removals != NULL && i < sweeping->zone_count; i++) {
		for (size_t j = 0; j < counts[i]; j++) {
			if (strcmp(all[i][j].owner.fleet, fleet) == 0 && !all[i][j].unclear) {
				removals[count++] = (struct removal){&all[i][j].entry, "purge"};
			}
		}
	}
	if (!bad && removals != NULL && entries != NULL) {
		for (size_t i = 0; i < count; i++) {
			entries[i] = removals[i].entry;
			text_addf(&sweeping->report->out, "- %s ", entries[i]->zone);
			record_set_text(&entries[i]->set, &sweeping->report->out);
			text_addf(&sweeping->report->out, "\n");
		}
		sweep_sum(entries, count, sweeping->plan.sum);
		text_addf(&sweeping->report->out, "plan: %s\nrun: %s\n", sweeping->plan.sum,
		          sweeping->run);
		result = count == 0     ? SWEEP_DONE
		         : !opts->apply ? SWEEP_PENDING
		                        : remove_all(opts, removals, count, fleet, sweeping->run,
		                                     apex_of, sweeping, sweeping->report);
	}
	for (size_t i = 0; i < sweeping->zone_count; i++) {
		free(all[i]);
	}
	free(removals);
	free(entries);
	return result;
}

enum sweep_result sweep_purge(const struct sweep_opts *opts, const char *fleet,
                              struct sweep_report *report)
{
	struct sweeping *sweeping = malloc(sizeof(*sweeping));
	enum sweep_result result = SWEEP_FAILED;
	if (sweeping != NULL && begin(sweeping, opts, report)) {
		result = zones_list(sweeping) ? purge(sweeping, fleet) : SWEEP_FAILED;
	}
	if (sweeping != NULL) {
		end(sweeping);
	}
	free(sweeping);
	return result;
}

/* --- Restore --- */

struct taken {
	struct record_entry *entries;
	size_t count;
	size_t room;
};

static int take_entry(void *ctx, const struct record_entry *entry)
{
	struct taken *taken = ctx;
	if (taken->count == taken->room) {
		size_t room = taken->room == 0 ? 64 : 2 * taken->room;
		struct record_entry *entries = reallocarray(taken->entries, room, sizeof(*entries));
		if (entries == NULL) {
			return FAIL_NOMEM;
		}
		taken->entries = entries;
		taken->room = room;
	}
	taken->entries[taken->count++] = *entry;
	return 0;
}

static int by_entry(const void *a, const void *b)
{
	return record_entry_compare(a, b);
}

enum sweep_result sweep_restore(const struct sweep_opts *opts, const char *run,
                                struct sweep_report *report)
{
	struct taken taken = {0};
	enum sweep_result result = SWEEP_FAILED;
	int ret = journal_read(opts->settings->state_dir, run, opts->arena, take_entry, &taken);
	if (ret != 0) {
		text_addf(&report->faults, "run %.60s in %s/journal: %s\n", run,
		          opts->settings->state_dir,
		          ret == FAIL_NOTFOUND ? "there is none" : fail_text(ret));
	} else {
		if (taken.count > 0) {
			qsort(taken.entries, taken.count, sizeof(*taken.entries), by_entry);
		}
		result = remove_undo(opts, taken.entries, taken.count, report);
		text_addf(&report->out, "%zu records of run %s\n", taken.count, run);
	}
	free(taken.entries);
	return result;
}
