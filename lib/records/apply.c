#include "records/apply.h"
#include "aws/change.h"
#include "base/fail.h"
#include "base/log.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFUSALS_MAX 4 /* of one group: others may be at work on the same name */

/* --- Patience --- */

struct class
{
	uint64_t first_ms;
	uint64_t most_ms; /* for the first minutes, while the whole fleet may be starting */
	uint64_t late_ms; /* after them */
};

#define LATE_MS 120000

/* A zone is busy for about as long as one change takes; the account's limit needs more. */
static const struct class busy_class = {250, 4000, 30000};
static const struct class throttled_class = {500, 8000, 30000};
static const struct class silent_class = {500, 10000, 30000};

static const struct class *class_of(int fail)
{
	switch (fail) {
	case FAIL_BUSY:
		return &busy_class;
	case FAIL_THROTTLED:
		return &throttled_class;
	case FAIL_NET:
	case FAIL_TIMEOUT:
	case FAIL_REMOTE:
	case FAIL_FORMAT:
		return &silent_class;
	default:
		return NULL;
	}
}

bool apply_again(const struct records_api *api, uint64_t deadline_ms, int fail,
                 struct apply_patience *patience)
{
	const struct class *class = class_of(fail);
	uint64_t now_ms = api->mono_ms(api->ctx);
	if (patience->began_ms == 0) {
		patience->began_ms = now_ms;
	}
	if (class == NULL || now_ms >= deadline_ms) {
		return false;
	}
	bool late = now_ms - patience->began_ms > LATE_MS;
	uint64_t most_ms = late ? class->late_ms : class->most_ms;
	unsigned int shift = patience->tries < 16 ? patience->tries : 16;
	uint64_t cap_ms = class->first_ms << shift;
	cap_ms = cap_ms < most_ms ? cap_ms : most_ms;
	uint64_t pause_ms = 1 + api->below(api->ctx, (uint32_t)cap_ms);
	if (now_ms + pause_ms >= deadline_ms) {
		return false; /* there would be no time to ask again */
	}
	patience->tries++;
	log_debug("records", "%s: once more in %llu ms", fail_text(fail),
	          (unsigned long long)pause_ms);
	api->pause(api->ctx, pause_ms);
	return true;
}

/* --- Batches --- */

struct size {
	size_t values;
	size_t chars;
};

static struct size group_size(const struct apply_group *group)
{
	struct size size = {0};
	for (size_t i = 0; i < group->count; i++) {
		const struct record_set *set = &group->changes[i].set;
		size.values += set->value_count;
		for (size_t j = 0; j < set->value_count; j++) {
			size.chars += strlen(set->values[j]);
		}
	}
	return size;
}

/* Room for the extras is kept free. */
#define VALUES_ROOM (AWS_CHANGE_VALUES_MAX - APPLY_EXTRA)
#define CHARS_ROOM  (AWS_CHANGE_CHARS_MAX - APPLY_EXTRA * 300)

/* How many of the groups go into one batch: at least one, 0 when the first is too large by itself. */
static size_t batch_count(struct apply_group *const *groups, size_t count)
{
	struct size total = {0};
	for (size_t i = 0; i < count; i++) {
		struct size size = group_size(groups[i]);
		total.values += size.values;
		total.chars += size.chars;
		if (total.values > VALUES_ROOM || total.chars > CHARS_ROOM) {
			return i;
		}
	}
	return count;
}

static void end_all(struct apply_group *const *groups, size_t count, int fail, const char *why)
{
	for (size_t i = 0; i < count; i++) {
		groups[i]->end = APPLY_FAILED;
		groups[i]->fail = fail;
		snprintf(groups[i]->why, sizeof(groups[i]->why), "%s", why);
	}
}

/* One call. */
static int batch_call(struct apply *apply, struct apply_group *const *groups, size_t count,
                      char *ret_change)
{
	struct record_change extra[APPLY_EXTRA];
	size_t total = 0;
	size_t len = 0;
	for (size_t i = 0; i < count; i++) {
		total += groups[i]->count;
	}
	int ret = apply->before == NULL
	                  ? 0
	                  : apply->before(apply->ctx, groups[0]->zone, groups, count, extra, &len);
	if (ret != 0) {
		return ret;
	}
	struct record_change *changes = calloc(len + total, sizeof(*changes));
	if (changes == NULL) {
		return FAIL_NOMEM;
	}
	memcpy(changes, extra, len * sizeof(*changes));
	for (size_t i = 0; i < count; i++) {
		memcpy(changes + len, groups[i]->changes, groups[i]->count * sizeof(*changes));
		len += groups[i]->count;
	}
	ret = apply->api->change(apply->api->ctx, groups[0]->zone, changes, len, ret_change);
	free(changes);
	return ret;
}

/* Until it is taken, refused, or there is no hope. */
static int batch_send(struct apply *apply, struct apply_group *const *groups, size_t count)
{
	const struct records_api *api = apply->api;
	struct apply_patience patience = {0};
	char change[RECORDS_CHANGE_ID_MAX] = "";
	int ret;
	if (api->mono_ms(api->ctx) >= apply->deadline_ms) {
		end_all(groups, count, FAIL_TIMEOUT, "no time was left");
		return FAIL_TIMEOUT;
	}
	do {
		ret = batch_call(apply, groups, count, change);
	} while (ret != 0 && apply_again(api, apply->deadline_ms, ret, &patience));
	for (size_t i = 0; ret == 0 && i < count; i++) {
		groups[i]->end = APPLY_DONE;
		memcpy(groups[i]->change, change, sizeof(change));
	}
	if (ret == 0 && apply->taken != NULL) {
		apply->taken(apply->ctx, groups, count);
	}
	if (ret != 0 && ret != -EEXIST) {
		const char *why = api->trouble(api->ctx);
		end_all(groups, count, ret, why[0] == '\0' ? fail_text(ret) : why);
	}
	return ret;
}

/* A group that was refused alone. True: it has new changes. */
static bool group_refused(struct apply *apply, struct apply_group *group)
{
	snprintf(group->why, sizeof(group->why), "%s", apply->api->trouble(apply->api->ctx));
	group->end = apply->refused(apply->ctx, group);
	return group->end == APPLY_OPEN;
}

static void apply_one(struct apply *apply, struct apply_group *group)
{
	for (unsigned int i = 0; i < REFUSALS_MAX; i++) {
		if (batch_send(apply, &group, 1) != -EEXIST || !group_refused(apply, group)) {
			return;
		}
		if (group->count == 0) {
			group->end = APPLY_DONE;
			return;
		}
	}
	group->end = APPLY_FAILED;
	group->fail = FAIL_CHANGED;
	snprintf(group->why, sizeof(group->why), "it changes faster than it can be looked at");
}

/* Halves what is refused. The depth is that of a batch's size in bits. */
static void apply_some(struct apply *apply, struct apply_group *const *groups, size_t count)
{
	if (count == 1) {
		apply_one(apply, groups[0]);
		return;
	}
	if (count > 1 && batch_send(apply, groups, count) == -EEXIST) {
		apply_some(apply, groups, count / 2);
		apply_some(apply, groups + count / 2, count - count / 2);
	}
}

void apply_zone(struct apply *apply, struct apply_group *const *groups, size_t count)
{
	while (count > 0) {
		size_t batch = batch_count(groups, count);
		if (batch == 0) {
			end_all(groups, 1, FAIL_LIMIT,
			        "more values than Route 53 takes in one change: 1000, or 32,000 "
			        "characters");
			batch = 1;
		} else {
			apply_some(apply, groups, batch);
		}
		groups += batch;
		count -= batch;
	}
}
