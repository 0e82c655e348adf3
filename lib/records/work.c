#include "base/fail.h"
#include "base/hash.h"
#include "base/log.h"
#include "records/register_int.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TASKS_MAX    (STATE_RECORDS_MAX + RECORDS_MAX)
#define LOCK_WAIT_MS 3000

void register_report_init(struct register_report *report)
{
	*report = (struct register_report){0};
	text_init(&report->out, 0);
	text_init(&report->faults, 0);
}

void register_report_fini(struct register_report *report)
{
	text_fini(&report->out);
	text_fini(&report->faults);
}

void work_fault(struct work *work, bool ours, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	text_addv(&work->report->faults, format, args);
	va_end(args);
	text_addf(&work->report->faults, "\n");
	work->report->failed = true;
	work->report->ours = work->report->ours || ours;
}

/* --- Begin and end --- */

/*
 * Memory of another instance came with the image it was started from: only the looks at zones still hold. While metadata
 * keeps silent only what was written since the kernel started is surely ours; a boot whose id is unknown is no such proof.
 */
static void forget_others(struct work *work)
{
	struct state *state = &work->state;
	const struct instance *instance = work->opts->instance;
	char kernel[40];
	state_kernel(kernel);
	bool other = instance == NULL ? !state_kernel_same(state, kernel)
	                              : strcmp(state->instance, instance->id) != 0 ||
	                                        strcmp(state->account, instance->account) != 0 ||
	                                        strcmp(state->region, instance->region) != 0;
	if (other && state->instance[0] != '\0') {
		log_notice("records", "what is remembered is of %s%s: forgotten", state->instance,
		           instance == NULL ? ", perhaps not this instance"
		                            : ", not this instance");
	}
	if (other) {
		state->record_count = 0;
		state->boot_s = 0;
		state->instance[0] = '\0';
	}
	memcpy(state->kernel, kernel, sizeof(kernel));
}

static void know_owner(struct work *work)
{
	struct state *state = &work->state;
	const struct instance *instance = work->opts->instance;
	struct owner *owner = &work->owner;
	work->state_lost = state->instance[0] == '\0' || state->boot_s == 0;
	if (instance != NULL) {
		snprintf(state->account, sizeof(state->account), "%s", instance->account);
		snprintf(state->region, sizeof(state->region), "%s", instance->region);
		snprintf(state->instance, sizeof(state->instance), "%s", instance->id);
	}
	if (state->fleet[0] == '\0') {
		snprintf(state->fleet, sizeof(state->fleet), "%s", work->opts->settings->fleet);
	}
	if (state->boot_s == 0) {
		state->boot_s = work->opts->api->wall_s(work->opts->api->ctx);
	}
	snprintf(owner->fleet, sizeof(owner->fleet), "%s", work->opts->settings->fleet);
	snprintf(owner->account, sizeof(owner->account), "%s", state->account);
	snprintf(owner->region, sizeof(owner->region), "%s", state->region);
	snprintf(owner->instance, sizeof(owner->instance), "%s", state->instance);
	owner->boot_s = state->boot_s;
}

int work_begin(struct work *work, const struct register_opts *opts, struct register_report *report)
{
	const char *dir = opts->settings->state_dir;
	*work = (struct work){.opts = opts, .report = report};
	want_key(opts->settings, work->key);
	work->lock = state_lock(dir, "lock", LOCK_WAIT_MS);
	if (work->lock == FAIL_BUSY) {
		work_fault(work, false, "%s: another run of horizon-aws is at work", dir);
		return FAIL_BUSY;
	}
	if (work->lock < 0) {
		work_fault(work, true,
		           "%s cannot be used: %s; a folder that this user may write "
		           "would be right",
		           dir, fail_text(work->lock));
		return work->lock;
	}
	int ret = state_load(dir, opts->arena, &work->state);
	if (ret == FAIL_FORMAT) {
		log_warn("records",
		         "%s/state.json makes no sense: what it remembered is looked for", dir);
	} else if (ret != 0 && ret != FAIL_NOTFOUND) {
		work_fault(work, true, "%s/state.json cannot be read: %s", dir, fail_text(ret));
		return ret;
	}
	forget_others(work);
	know_owner(work);
	return 0;
}

void work_end(struct work *work)
{
	for (size_t i = 0; i < work->task_count; i++) {
		free(work->tasks[i]);
	}
	free(work->tasks);
	if (work->lock >= 0) {
		close(work->lock);
	}
}

struct task *work_task(struct work *work, const char *zone)
{
	if (work->task_count == work->task_room) {
		size_t room = work->task_room == 0 ? 16 : 2 * work->task_room;
		struct task **tasks = room > 2 * TASKS_MAX
		                              ? NULL
		                              : reallocarray(work->tasks, room, sizeof(*tasks));
		if (tasks == NULL) {
			return NULL;
		}
		work->tasks = tasks;
		work->task_room = room;
	}
	struct task *task = calloc(1, sizeof(*task));
	if (task != NULL) {
		task->group.zone = zone;
		task->group.user = task;
		work->tasks[work->task_count++] = task;
	}
	return task;
}

/* --- Telling --- */

void work_show(struct work *work, const struct task *task)
{
	for (size_t i = 0; i < task->group.count; i++) {
		const struct record_change *change = &task->group.changes[i];
		text_addf(&work->report->out, "%c %s ", change->create ? '+' : '-',
		          task->group.zone);
		record_set_text(&change->set, &work->report->out);
		text_addf(&work->report->out, "\n");
	}
}

static const struct record_set *task_set(const struct task *task)
{
	return task->wanted != NULL ? &task->wanted->set : &task->old.set;
}

static void tell_fault(struct work *work, const struct task *task)
{
	const struct record_set *set = task_set(task);
	const struct apply_group *group = &task->group;
	bool denied = group->fail == FAIL_DENIED || group->fail == -EKEYREJECTED;
	bool ours = group->end == APPLY_REFUSED || denied || group->fail == -EINVAL ||
	            group->fail == FAIL_NOTFOUND || group->fail == FAIL_LIMIT;
	work_fault(work, ours, "%s %s in zone %s: %s", set->name, set->type, group->zone,
	           group->why);
}

/* --- Keeping the state --- */

static int keep(struct work *work)
{
	int ret = state_save(work->opts->settings->state_dir, &work->state);
	if (ret != 0) {
		log_error("records", "%s/state.json cannot be written: %s",
		          work->opts->settings->state_dir, fail_text(ret));
	}
	return ret;
}

/* Before a call: whatever comes of it, this is what may stand there. */
static int on_before(void *ctx, const char *zone, struct apply_group *const *groups, size_t count,
                     struct record_change *extra, size_t *ret_extra)
{
	struct work *work = ctx;
	bool news = false;
	*ret_extra = 0;
	for (size_t i = 0; i < count; i++) {
		const struct task *task = groups[i]->user;
		if (task->wanted == NULL) {
			continue; /* what goes is remembered until it is gone */
		}
		struct state_record *record = state_find(&work->state, task->wanted);
		news = news || record == NULL || !record->pending;
		if (record != NULL) {
			record->pending = true;
		} else if (!state_add(&work->state, task->wanted, true)) {
			return FAIL_LIMIT;
		}
	}
	return news ? keep(work) : 0;
}

static void task_done(struct work *work, const struct task *task)
{
	const struct record_entry *place = task->wanted != NULL ? task->wanted : &task->old;
	struct state_record *record = state_find(&work->state, place);
	if (!task->has_made && record != NULL) {
		state_drop(&work->state, record);
	} else if (task->has_made && record != NULL) {
		*record = (struct state_record){.entry = task->made};
	} else if (task->has_made) {
		state_add(&work->state, &task->made, false);
	}
	for (size_t i = 0; i < task->group.count; i++) {
		const struct record_change *change = &task->group.changes[i];
		work->report->created += change->create;
		work->report->deleted += !change->create;
		if (!change->create && change->set.ttl_s > work->report->ttl_max_s) {
			work->report->ttl_max_s = change->set.ttl_s;
		}
	}
}

static void on_taken(void *ctx, struct apply_group *const *groups, size_t count)
{
	struct work *work = ctx;
	for (size_t i = 0; i < count; i++) {
		const struct task *task = groups[i]->user;
		task_done(work, task);
		work_show(work, task);
		if (work->report->changed != NULL) {
			work->report->changed(work->report->changed_ctx, groups[i]->zone,
			                      task_set(task)->name);
		}
	}
	keep(work);
}

/* --- Looking --- */

/* A simple set of another type at the task's name that is remembered: the mark there is its own. */
static bool mark_taken(struct work *work, const struct task *task, const struct look *look)
{
	const struct record_set *set = task_set(task);
	for (size_t i = 0; i < look->count; i++) {
		const struct record_entry other = {.zone = task->group.zone, .set = look->sets[i]};
		const struct state_record *known = state_find(&work->state, &other);
		if (strcmp(other.set.name, set->name) == 0 &&
		    strcmp(other.set.type, set->type) != 0 && other.set.identifier == NULL &&
		    !other.set.odd && known != NULL && known->entry.has_mark) {
			return true;
		}
	}
	return false;
}

enum apply_end work_look(struct work *work, struct task *task)
{
	struct look *look = malloc(sizeof(*look));
	const struct register_opts *opts = work->opts;
	struct apply_patience patience = {0};
	int ret = look == NULL ? FAIL_NOMEM : 0;
	while (look != NULL) {
		ret = look_at(opts->api, task->group.zone, task_set(task)->name, opts->arena, look);
		if (ret == 0 || !apply_again(opts->api, opts->deadline_ms, ret, &patience)) {
			break;
		}
	}
	enum apply_end end = APPLY_FAILED;
	task->mark_taken = ret == 0 && mark_taken(work, task, look);
	if (ret != 0) {
		const char *why = opts->api->trouble(opts->api->ctx);
		task->group.fail = ret;
		snprintf(task->group.why, sizeof(task->group.why), "it cannot be looked at: %s",
		         why[0] == '\0' ? fail_text(ret) : why);
	} else if (task->wanted == NULL) {
		end = task_replan_gone(task, look, &work->owner, work->key);
	} else {
		end = task_replan(task, look, &work->owner, work->key, task->has_old);
	}
	free(look);
	return end;
}

/* A digest of the changes, to see whether they are others. */
static uint64_t changes_hash(const struct apply_group *group)
{
	uint64_t hash = 0;
	for (size_t i = 0; i < group->count; i++) {
		const struct record_set *set = &group->changes[i].set;
		struct text text;
		text_init(&text, 0);
		record_set_text(set, &text);
		hash = hash_step(hash + group->changes[i].create, text_get(&text), text.len);
		text_fini(&text);
	}
	return hash;
}

static enum apply_end on_refused(void *ctx, struct apply_group *group)
{
	struct work *work = ctx;
	struct task *task = group->user;
	char said[sizeof(group->why)];
	uint64_t hash = changes_hash(group);
	memcpy(said, group->why, sizeof(said));
	enum apply_end end = work_look(work, task);
	if (end == APPLY_OPEN && changes_hash(group) == hash && ++task->same > 1) {
		/* Nothing there explains it: what Route 53 said stands. */
		memcpy(group->why, said, sizeof(said));
		end = APPLY_REFUSED;
	}
	if (end == APPLY_DONE) {
		task_done(work, task);
		keep(work);
	} else if (end == APPLY_REFUSED && task->wanted != NULL && !task->has_old) {
		/* Nothing of ours was written there. */
		struct state_record *record = state_find(&work->state, task->wanted);
		if (record != NULL) {
			state_drop(&work->state, record);
			keep(work);
		}
	}
	return end;
}

/* --- Doing --- */

/* Those whose outcome was never known are looked at first. */
static void look_first(struct work *work, struct task *task)
{
	if (!task->look) {
		return;
	}
	task->group.why[0] = '\0';
	task->group.end = work_look(work, task);
	if (task->group.end == APPLY_FAILED && task->mark_taken) {
		/* What holds the mark goes in the same batch, in front of it. */
		task_plan(task);
		task->group.end = APPLY_OPEN;
	}
	if (task->group.end == APPLY_DONE) {
		task->group.count = 0;
		task_done(work, task);
	}
}

static bool zone_done_before(const struct work *work, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (strcmp(work->tasks[i]->group.zone, work->tasks[at]->group.zone) == 0) {
			return true;
		}
	}
	return false;
}

static void do_zone(struct work *work, size_t first, struct apply_group **groups)
{
	struct apply apply = {
		.api = work->opts->api,
		.deadline_ms = work->opts->deadline_ms,
		.ctx = work,
		.refused = on_refused,
		.before = on_before,
		.taken = on_taken,
	};
	size_t count = 0;
	for (size_t i = first; i < work->task_count; i++) {
		struct task *task = work->tasks[i];
		if (strcmp(task->group.zone, work->tasks[first]->group.zone) != 0) {
			continue;
		}
		look_first(work, task);
		if (task->group.end == APPLY_OPEN && task->group.count > 0) {
			groups[count++] = &task->group;
		}
	}
	if (work->opts->dry_run) {
		for (size_t i = 0; i < count; i++) {
			work_show(work, groups[i]->user);
			work->report->pending = true;
		}
		return;
	}
	apply_zone(&apply, groups, count);
}

int work_do(struct work *work)
{
	struct apply_group **groups = calloc(work->task_count + 1, sizeof(*groups));
	if (groups == NULL) {
		return FAIL_NOMEM;
	}
	for (size_t i = 0; i < work->task_count; i++) {
		if (!zone_done_before(work, i)) {
			do_zone(work, i, groups);
		}
	}
	free(groups);
	for (size_t i = 0; i < work->task_count; i++) {
		const struct task *task = work->tasks[i];
		if (task->group.end == APPLY_REFUSED || task->group.end == APPLY_FAILED) {
			tell_fault(work, task);
		}
	}
	return 0;
}
