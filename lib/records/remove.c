#include "records/remove.h"
#include "base/fail.h"
#include "records/lease.h"
#include "records/look.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One deletion, or creation. */
struct job {
	struct apply_group group;
	const struct record_entry *entry;
	const char *reason; /* NULL: a creation */
	struct record_change changes[2];
	bool written; /* in the journal */
	unsigned int same;
};

struct doing {
	const struct sweep_opts *opts;
	struct sweep_report *report;
	struct journal *journal;
	struct lease lease;
	bool leased;
	int ended; /* why nothing more may be done */
};

static void job_init(struct job *job, const struct record_entry *entry, const char *reason)
{
	*job = (struct job){.entry = entry, .reason = reason};
	job->changes[0] = (struct record_change){.create = reason == NULL, .set = entry->set};
	if (entry->has_mark) {
		job->changes[1] =
			(struct record_change){.create = reason == NULL, .set = entry->mark};
	}
	job->group.zone = entry->zone;
	job->group.changes = job->changes;
	job->group.count = entry->has_mark ? 2 : 1;
	job->group.user = job;
}

/* --- Around each call --- */

static int on_before(void *ctx, const char *zone, struct apply_group *const *groups, size_t count,
                     struct record_change *extra, size_t *ret_extra)
{
	struct doing *doing = ctx;
	const struct records_api *api = doing->opts->api;
	int ret = doing->ended;
	*ret_extra = 0;
	for (size_t i = 0; i < count && ret == 0 && doing->journal != NULL; i++) {
		struct job *job = groups[i]->user;
		if (!job->written) {
			ret = journal_add(doing->journal, job->entry, job->reason,
			                  api->wall_s(api->ctx));
			job->written = ret == 0;
		}
	}
	if (ret == 0 && doing->journal != NULL) {
		ret = journal_sync(doing->journal);
	}
	if (ret == 0 && doing->leased) {
		ret = lease_changes(&doing->lease, api, doing->opts->arena, extra);
		*ret_extra = 2;
	}
	return ret;
}

static void on_taken(void *ctx, struct apply_group *const *groups, size_t count)
{
	struct doing *doing = ctx;
	if (doing->leased) {
		lease_renewed(&doing->lease);
	}
	for (size_t i = 0; i < count; i++) {
		const struct job *job = groups[i]->user;
		doing->report->deleted += job->reason != NULL;
	}
}

/* What stands where the entry is; -1 on failure, told in group.why. */
static int stands(struct doing *doing, struct apply_group *group, const struct record_entry *entry,
                  bool *ret_same, bool *ret_any)
{
	struct look *look = malloc(sizeof(*look));
	const struct records_api *api = doing->opts->api;
	int ret = look == NULL
	                  ? FAIL_NOMEM
	                  : look_at(api, entry->zone, entry->set.name, doing->opts->arena, look);
	bool set = false;
	bool mark = !entry->has_mark;
	*ret_any = false;
	for (size_t i = 0; ret == 0 && i < look->count; i++) {
		*ret_any = *ret_any || record_set_same(&look->sets[i], &entry->set);
		set = set || record_set_equal(&look->sets[i], &entry->set);
		mark = mark || record_set_equal(&look->sets[i], &entry->mark);
	}
	free(look);
	*ret_same = set && mark;
	if (ret != 0) {
		const char *trouble = api->trouble(api->ctx);
		group->fail = ret;
		snprintf(group->why, sizeof(group->why), "it cannot be looked at: %s",
		         trouble[0] == '\0' ? fail_text(ret) : trouble);
	}
	return ret;
}

static enum apply_end on_refused(void *ctx, struct apply_group *group)
{
	struct doing *doing = ctx;
	struct job *job = group->user;
	bool same = false;
	bool any = false;
	if (doing->leased) {
		int ret = lease_check(&doing->lease, doing->opts->api, doing->opts->arena);
		if (ret != 0) {
			doing->ended = ret;
			group->fail = ret;
			snprintf(group->why, sizeof(group->why),
			         "the lease is lost: this run ends");
			return APPLY_FAILED;
		}
	}
	if (stands(doing, group, job->entry, &same, &any) != 0) {
		return APPLY_FAILED;
	}
	bool create = job->reason == NULL;
	if (create ? same : !any) {
		return APPLY_DONE;
	}
	if ((create ? !any : same) && job->same++ < 2) {
		return APPLY_OPEN;
	}
	if (!same) {
		snprintf(group->why, sizeof(group->why), "%s",
		         create ? "something else stands there by now; it is left alone"
		                : "it changed since it was listed; it is left alone");
	}
	return APPLY_REFUSED;
}

/* --- All of a zone --- */

static void job_tell(struct doing *doing, const struct job *job)
{
	if (job->group.end == APPLY_DONE) {
		return;
	}
	text_addf(&doing->report->faults, "%s %s in zone %s: %s\n", job->entry->set.name,
	          job->entry->set.type, job->entry->zone, job->group.why);
}

static void do_zone(struct doing *doing, struct job *jobs, size_t count)
{
	struct apply apply = {
		.api = doing->opts->api,
		.deadline_ms = doing->opts->deadline_ms,
		.ctx = doing,
		.refused = on_refused,
		.before = on_before,
		.taken = on_taken,
	};
	struct apply_group **groups = calloc(count, sizeof(*groups));
	if (groups == NULL) {
		return;
	}
	for (size_t i = 0; i < count; i++) {
		groups[i] = &jobs[i].group;
	}
	apply_zone(&apply, groups, count);
	free(groups);
}

static size_t zone_end(const struct job *jobs, size_t first, size_t count)
{
	size_t end = first;
	while (end < count && strcmp(jobs[end].entry->zone, jobs[first].entry->zone) == 0) {
		end++;
	}
	return end;
}

static enum sweep_result result_of(struct doing *doing, const struct job *jobs, size_t count)
{
	enum sweep_result result = SWEEP_DONE;
	for (size_t i = 0; i < count; i++) {
		job_tell(doing, &jobs[i]);
		if (jobs[i].group.end != APPLY_DONE) {
			result = SWEEP_FAILED;
		}
	}
	return result;
}

static bool zone_leased(struct doing *doing, const char *zone, const char *apex, const char *fleet,
                        const char *run)
{
	char why[512] = "its lease would have too long a name";
	int ret = lease_init(&doing->lease, zone, apex, fleet, run);
	if (ret == 0) {
		ret = lease_take(&doing->lease, doing->opts->api, doing->opts->deadline_ms,
		                 doing->opts->arena, why, sizeof(why));
	}
	if (ret != 0) {
		text_addf(&doing->report->faults, "nothing is removed in zone %s: %s\n", zone, why);
	}
	return ret == 0;
}

enum sweep_result remove_all(const struct sweep_opts *opts, const struct removal *removals,
                             size_t count, const char *lease_owner, const char *run,
                             const char *(*apex_of)(void *ctx, const char *zone), void *apex_ctx,
                             struct sweep_report *report)
{
	struct doing doing = {.opts = opts, .report = report, .leased = true};
	struct job *jobs = calloc(count + 1, sizeof(*jobs));
	enum sweep_result result = SWEEP_FAILED;
	doing.journal = journal_open(opts->settings->state_dir, run);
	if (jobs == NULL || doing.journal == NULL) {
		goto out;
	}
	for (size_t i = 0; i < count; i++) {
		job_init(&jobs[i], removals[i].entry, removals[i].reason);
		snprintf(jobs[i].group.why, sizeof(jobs[i].group.why), "not removed");
	}
	for (size_t first = 0; first < count && doing.ended == 0;) {
		size_t end = zone_end(jobs, first, count);
		const char *zone = jobs[first].entry->zone;
		if (zone_leased(&doing, zone, apex_of(apex_ctx, zone), lease_owner, run)) {
			do_zone(&doing, jobs + first, end - first);
			lease_drop(&doing.lease, opts->api, opts->arena);
		}
		first = end;
	}
	result = result_of(&doing, jobs, count);
out:
	journal_close(&doing.journal);
	free(jobs);
	return result;
}

enum sweep_result remove_undo(const struct sweep_opts *opts, const struct record_entry *entries,
                              size_t count, struct sweep_report *report)
{
	struct doing doing = {.opts = opts, .report = report};
	struct job *jobs = calloc(count + 1, sizeof(*jobs));
	if (jobs == NULL) {
		return SWEEP_FAILED;
	}
	for (size_t i = 0; i < count; i++) {
		job_init(&jobs[i], &entries[i], NULL);
	}
	for (size_t first = 0; first < count;) {
		size_t end = zone_end(jobs, first, count);
		do_zone(&doing, jobs + first, end - first);
		first = end;
	}
	enum sweep_result result = result_of(&doing, jobs, count);
	free(jobs);
	return result;
}
