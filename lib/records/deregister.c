#include "base/fail.h"
#include "records/register_int.h"
#include <stdlib.h>
#include <string.h>

static bool goes(const struct work *work, const struct record_entry *entry)
{
	switch (work->opts->reason) {
	case REGISTER_REBOOT:
		return false;
	case REGISTER_STOP:
		return !entry->keep_on_stop;
	default:
		return true;
	}
}

static int plan_entry(struct work *work, const struct record_entry *entry, bool look)
{
	if (!goes(work, entry)) {
		return 0;
	}
	struct task *task = work_task(work, entry->zone);
	if (task == NULL) {
		return FAIL_NOMEM;
	}
	task->old = *entry;
	task->has_old = true;
	task->look = look;
	task_plan(task);
	return 0;
}

/* With memory lost the settings tell the names, and a listing of each finds what is ours. */
static int plan_lost(struct work *work)
{
	struct want want = {0};
	if (work->opts->instance == NULL) {
		work_fault(work, false,
		           "nothing is remembered and instance metadata keeps silent: "
		           "what was registered is left to the sweep");
		return FAIL_NOTFOUND;
	}
	int ret = want_make(work->opts->settings, work->opts->instance, &work->owner, &want);
	for (size_t i = 0; i < want.count && ret == 0; i++) {
		ret = plan_entry(work, &want.entries[i], true);
	}
	return ret;
}

static int plan(struct work *work)
{
	if (work->state_lost) {
		return plan_lost(work);
	}
	int ret = 0;
	for (size_t i = 0; i < work->state.record_count && ret == 0; i++) {
		const struct state_record *record = &work->state.records[i];
		ret = plan_entry(work, &record->entry, record->pending);
	}
	return ret;
}

/* With nothing left the next registration is a first one. */
static void forget(struct work *work)
{
	if (work->state.record_count == 0) {
		work->state.boot_s = 0;
	}
	state_save(work->opts->settings->state_dir, &work->state);
}

int deregister_run(const struct register_opts *opts, struct register_report *report)
{
	struct work *work = malloc(sizeof(*work));
	if (work == NULL) {
		return FAIL_NOMEM;
	}
	int ret = work_begin(work, opts, report);
	ret = ret != 0 ? ret : plan(work);
	ret = ret != 0 ? ret : work_do(work);
	if (ret == 0) {
		forget(work);
	}
	if (ret != 0 && !report->failed) {
		work_fault(work, false, "%s", fail_text(ret));
	}
	work_end(work);
	free(work);
	return ret;
}
