#include "base/fail.h"
#include "records/register_int.h"
#include <stdio.h>
#include <string.h>

static void change_add(struct task *task, bool create, const struct record_set *set)
{
	if (task->group.count < sizeof(task->changes) / sizeof(task->changes[0])) {
		task->changes[task->group.count++] =
			(struct record_change){.create = create, .set = *set};
	}
	task->group.changes = task->changes;
}

static void entry_add(struct task *task, bool create, const struct record_entry *entry)
{
	change_add(task, create, &entry->set);
	if (entry->has_mark) {
		change_add(task, create, &entry->mark);
	}
}

void task_plan(struct task *task)
{
	task->group.count = 0;
	task->group.changes = task->changes;
	if (task->has_old) {
		entry_add(task, false, &task->old);
	}
	if (task->wanted != NULL) {
		entry_add(task, true, task->wanted);
		task->made = *task->wanted;
		task->has_made = true;
	}
}

static bool owner_of(const struct record_entry *entry, struct owner *ret_owner)
{
	if (entry->has_mark) {
		return owner_txt_read(entry->mark.values[0], ret_owner);
	}
	return entry->set.identifier != NULL &&
	       owner_identifier_read(entry->set.identifier, ret_owner);
}

bool task_same(const struct record_entry *a, const struct record_entry *b, const char *key)
{
	struct owner x = {0};
	struct owner y = {0};
	struct record_set plain_a = a->set;
	struct record_set plain_b = b->set;
	if ((plain_a.identifier == NULL) != (plain_b.identifier == NULL) ||
	    a->has_mark != b->has_mark || !owner_of(a, &x) || !owner_of(b, &y)) {
		return false;
	}
	plain_a.identifier = plain_b.identifier = NULL;
	bool same_owner = x.digest[0] == '\0' && y.digest[0] == '\0'
	                          ? owner_same(&x, &y, key, false)
	                          : strcmp(x.fleet, y.fleet) == 0 &&
	                                    strncmp(x.digest, y.digest,
	                                            OWNER_DIGEST - OWNER_DIGEST_BOOT) == 0;
	return same_owner && record_set_equal(&plain_a, &plain_b) &&
	       (!a->has_mark || a->mark.ttl_s == b->mark.ttl_s);
}

/* --- After a look --- */

/* Whose it is, for a message. */
static void holder_text(const struct look_entry *entry, char *buf, size_t size)
{
	char owner[160];
	struct text set;
	text_init(&set, 300);
	record_set_text(&entry->entry.set, &set);
	if (entry->owned) {
		snprintf(buf, size, "%s (%s)", owner_text(&entry->owner, owner), text_get(&set));
	} else {
		snprintf(buf, size, "somebody without a mark (%s%s)", text_get(&set),
		         entry->entry.set.odd ? ", not a plain set" : "");
	}
	text_fini(&set);
}

static enum apply_end refuse(struct task *task, const struct owner *owner,
                             const struct look_entry *holder)
{
	char held_by[500];
	char ours[160];
	holder_text(holder, held_by, sizeof(held_by));
	snprintf(task->group.why, sizeof(task->group.why),
	         "it belongs to %s and is left alone; it was wanted for %s", held_by,
	         owner_text(owner, ours));
	return APPLY_REFUSED;
}

/* A holder in the way of the wanted set: any simple one, and any but multivalue ones where ours is simple. */
static bool in_the_way(const struct record_set *wanted, const struct look_entry *entry)
{
	return wanted->identifier == NULL || entry->entry.set.identifier == NULL ||
	       strcmp(wanted->identifier, entry->entry.set.identifier) == 0;
}

static bool is_ours(const struct task *task, const struct look_entry *entry,
                    const struct owner *owner, const char *key, bool by_memory)
{
	if (entry->owned) {
		return owner_same(&entry->owner, owner, key, false);
	}
	return by_memory && task->has_old && !entry->entry.set.odd &&
	       record_set_equal(&entry->entry.set, &task->old.set);
}

/* Own sets go, the wanted one comes with the boot of the oldest of them; unless it stands there alone already. */
static enum apply_end renew(struct task *task, const struct look_entry *entries, size_t count,
                            const bool *ours, const char *key)
{
	const struct look_entry *keep = NULL;
	for (size_t i = 0; i < count; i++) {
		if (ours[i] && entries[i].owned &&
		    task_same(&entries[i].entry, task->wanted, key) &&
		    (keep == NULL || entries[i].owner.boot_s < keep->owner.boot_s)) {
			keep = &entries[i];
		}
	}
	task->group.count = 0;
	for (size_t i = 0; i < count; i++) {
		if (ours[i] && &entries[i] != keep) {
			entry_add(task, false, &entries[i].entry);
		}
	}
	task->made = keep != NULL ? keep->entry : *task->wanted;
	task->made.private_zone = task->wanted->private_zone;
	task->made.keep_on_stop = task->wanted->keep_on_stop;
	task->has_made = true;
	if (keep == NULL) {
		entry_add(task, true, task->wanted);
	}
	return task->group.count == 0 ? APPLY_DONE : APPLY_OPEN;
}

/* Where a record is gone its mark may be left, and stands in the way of the new one. */
static enum apply_end over_mark(struct task *task, const struct record_set *mark,
                                const struct owner *marked, const struct owner *owner,
                                const char *key)
{
	const struct look_entry left = {.entry = {.zone = task->wanted->zone, .set = *mark},
	                                .owned = true,
	                                .owner = *marked};
	if (!owner_same(marked, owner, key, false)) {
		return refuse(task, owner, &left);
	}
	if (task->mark_taken) {
		task->group.fail = FAIL_CHANGED;
		snprintf(task->group.why, sizeof(task->group.why),
		         "its mark still stands for a record of another type, which goes first; "
		         "the next run writes it");
		return APPLY_FAILED;
	}
	task_plan(task);
	task->group.count = 0;
	change_add(task, false, mark);
	entry_add(task, true, task->wanted);
	return APPLY_OPEN;
}

enum apply_end task_replan(struct task *task, const struct look *look, const struct owner *owner,
                           const char *key, bool by_memory)
{
	struct look_entry entries[LOOK_SETS_MAX];
	bool ours[LOOK_SETS_MAX];
	const struct record_entry *wanted = task->wanted;
	struct owner marked = {0};
	size_t count = look_entries(look, wanted->zone, wanted->set.name, wanted->set.type, entries,
	                            LOOK_SETS_MAX);
	size_t own = 0;
	for (size_t i = 0; i < count; i++) {
		ours[i] = is_ours(task, &entries[i], owner, key, by_memory);
		own += ours[i];
		if (!ours[i] && in_the_way(&wanted->set, &entries[i])) {
			return refuse(task, owner, &entries[i]);
		}
	}
	const struct record_set *mark = look_mark(look, wanted->set.name, &marked);
	if (own == 0 && wanted->has_mark && mark != NULL) {
		return over_mark(task, mark, &marked, owner, key);
	}
	return renew(task, entries, count, ours, key);
}

enum apply_end task_replan_gone(struct task *task, const struct look *look,
                                const struct owner *owner, const char *key)
{
	struct look_entry entries[LOOK_SETS_MAX];
	const struct record_entry *old = &task->old;
	struct owner marked = {0};
	size_t count =
		look_entries(look, old->zone, old->set.name, old->set.type, entries, LOOK_SETS_MAX);
	task->group.count = 0;
	task->group.changes = task->changes;
	for (size_t i = 0; i < count; i++) {
		if (entries[i].owned && owner_same(&entries[i].owner, owner, key, false)) {
			entry_add(task, false, &entries[i].entry);
		}
	}
	const struct record_set *mark = look_mark(look, old->set.name, &marked);
	if (task->group.count == 0 && count == 0 && mark != NULL && !task->mark_taken &&
	    owner_same(&marked, owner, key, false)) {
		change_add(task, false, mark);
	}
	return task->group.count == 0 ? APPLY_DONE : APPLY_OPEN;
}
