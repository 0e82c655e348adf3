/*
 * records/register_int.h - one run of register or deregister: its memory, its groups, and what refusals mean.
 */
#pragma once

#include "records/apply.h"
#include "records/look.h"
#include "records/register.h"
#include "records/state.h"
#include "records/want.h"

/* What is to become of one record: what is remembered goes, what is wanted comes. Either may be NULL. */
struct task {
	struct apply_group group;
	const struct record_entry *wanted;
	struct record_entry old; /* a copy: the state moves */
	bool has_old;
	bool look;       /* its outcome is not known: look before changing anything */
	bool mark_taken; /* at the look: the mark stands for a remembered record of another type */
	struct record_entry made; /* what stands there once it is done */
	bool has_made;
	unsigned int same; /* refusals after which the look gave the very same changes */
	struct record_change changes[8 + 2 * LOOK_SETS_MAX];
};

struct work {
	const struct register_opts *opts;
	struct register_report *report;
	struct state state;
	struct owner owner;
	char key[300]; /* of digests */
	bool state_lost;
	int lock;
	struct task **tasks; /* by zone */
	size_t task_count;
	size_t task_room;
};

/* --- task.c: pure --- */

/* Changes of a task from what is remembered and wanted. */
void task_plan(struct task *task);
/* The same from what a look has found there, for a registration; APPLY_OPEN, _DONE, _REFUSED or _FAILED (group.why). */
enum apply_end task_replan(struct task *task, const struct look *look, const struct owner *owner,
                           const char *key, bool by_memory);
/* For a removal. */
enum apply_end task_replan_gone(struct task *task, const struct look *look,
                                const struct owner *owner, const char *key);
/* Same in all but the boot in the mark. */
bool task_same(const struct record_entry *a, const struct record_entry *b, const char *key);

/* --- work.c --- */

int work_begin(struct work *work, const struct register_opts *opts, struct register_report *report);
void work_end(struct work *work);
/* Room for one more; NULL: no memory. */
struct task *work_task(struct work *work, const char *zone);
/* Does all tasks, zone by zone, keeping the state; tells in the report. */
int work_do(struct work *work);
void work_fault(struct work *work, bool ours, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A look at the task's name, and what follows from it. */
enum apply_end work_look(struct work *work, struct task *task);
/* The diff of a task's changes, a line each. */
void work_show(struct work *work, const struct task *task);
