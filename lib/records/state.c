#include "records/state.h"
#include "base/fail.h"
#include "records/json.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define VERSION 1

static int path_of(const char *dir, const char *name, char *buf)
{
	return snprintf(buf, PATH_MAX, "%s/%s", dir, name) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* --- Reading --- */

static bool word_read(const json_t *object, const char *key, char *buf, size_t size)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text != NULL && snprintf(buf, size, "%s", text) < (int)size;
}

static int zones_read(const json_t *zones, struct arena *arena, struct state *state)
{
	const char *id;
	json_t *is_private;
	json_object_foreach ((json_t *)(uintptr_t)zones, id, is_private) {
		const char *copy = arena_text(arena, id);
		if (copy == NULL) {
			return FAIL_NOMEM;
		}
		if (!state_zone_add(state, copy, json_is_true(is_private))) {
			return FAIL_FORMAT;
		}
	}
	return 0;
}

static int records_read(const json_t *records, struct arena *arena, struct state *state)
{
	size_t i;
	json_t *object;
	json_array_foreach (records, i, object) {
		struct record_entry entry;
		int ret = record_entry_read(object, arena, &entry);
		if (ret != 0) {
			return ret;
		}
		if (!state_add(state, &entry, json_is_true(json_object_get(object, "pending")))) {
			return FAIL_FORMAT;
		}
	}
	return 0;
}

static int state_read(const json_t *object, struct arena *arena, struct state *state)
{
	if (json_integer_value(json_object_get(object, "version")) != VERSION ||
	    !word_read(object, "fleet", state->fleet, sizeof(state->fleet)) ||
	    !word_read(object, "account", state->account, sizeof(state->account)) ||
	    !word_read(object, "region", state->region, sizeof(state->region)) ||
	    !word_read(object, "instance", state->instance, sizeof(state->instance))) {
		return FAIL_FORMAT;
	}
	word_read(object, "kernel", state->kernel, sizeof(state->kernel));
	state->boot_s = json_integer_value(json_object_get(object, "boot"));
	state->cursor = (unsigned int)json_integer_value(json_object_get(object, "cursor"));
	int ret = zones_read(json_object_get(object, "zones"), arena, state);
	return ret != 0 ? ret : records_read(json_object_get(object, "records"), arena, state);
}

int state_load(const char *dir, struct arena *arena, struct state *ret_state)
{
	char path[PATH_MAX];
	memset(ret_state, 0, sizeof(*ret_state));
	int ret = path_of(dir, "state.json", path);
	if (ret != 0) {
		return ret;
	}
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		return errno == ENOENT ? FAIL_NOTFOUND : -errno;
	}
	json_t *object = json_loadf(file, JSON_REJECT_DUPLICATES, NULL);
	fclose(file);
	ret = object == NULL ? FAIL_FORMAT : state_read(object, arena, ret_state);
	json_decref(object);
	if (ret != 0) {
		memset(ret_state, 0, sizeof(*ret_state));
	}
	return ret;
}

/* --- Writing --- */

static json_t *state_json(const struct state *state)
{
	json_t *zones = json_object();
	json_t *records = json_array();
	for (size_t i = 0; i < state->zone_count; i++) {
		json_object_set_new(zones, state->zones[i].id,
		                    json_boolean(state->zones[i].private_zone));
	}
	for (size_t i = 0; i < state->record_count; i++) {
		json_t *record = record_entry_json(&state->records[i].entry);
		json_object_set_new(record, "pending", json_boolean(state->records[i].pending));
		json_array_append_new(records, record);
	}
	if (json_array_size(records) != state->record_count) {
		json_decref(records);
		json_decref(zones);
		return NULL;
	}
	return json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:I, s:i, s:o, s:o}", "version", VERSION,
	                 "kernel", state->kernel, "fleet", state->fleet, "account", state->account,
	                 "region", state->region, "instance", state->instance, "boot",
	                 (json_int_t)state->boot_s, "cursor", (int)state->cursor, "zones", zones,
	                 "records", records);
}

int state_save(const char *dir, const struct state *state)
{
	char path[PATH_MAX];
	int ret = path_of(dir, "state.json", path);
	json_t *object = ret != 0 ? NULL : state_json(state);
	if (object == NULL) {
		return ret != 0 ? ret : FAIL_NOMEM;
	}
	ret = json_file_write(path, object);
	json_decref(object);
	return ret;
}

void state_kernel(char *buf)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, buf, 39);
	buf[len > 0 ? len : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	if (fd >= 0) {
		close(fd);
	}
}

bool state_kernel_same(const struct state *state, const char *kernel)
{
	return kernel[0] != '\0' && strcmp(state->kernel, kernel) == 0;
}

int state_lock(const char *dir, const char *name, unsigned int wait_ms)
{
	char path[PATH_MAX];
	int ret = path_of(dir, name, path);
	if (ret != 0) {
		return ret;
	}
	if (mkdir(dir, 0750) != 0 && errno != EEXIST) {
		return -errno;
	}
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		return -errno;
	}
	const struct timespec nap = {.tv_nsec = 20 * 1000000};
	for (unsigned int waited_ms = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited_ms += 20) {
		if (errno != EWOULDBLOCK || waited_ms >= wait_ms) {
			ret = errno == EWOULDBLOCK ? FAIL_BUSY : -errno;
			close(fd);
			return ret;
		}
		nanosleep(&nap, NULL);
	}
	return fd;
}

/* --- Members --- */

const struct state_zone *state_zone_find(const struct state *state, const char *zone)
{
	for (size_t i = 0; i < state->zone_count; i++) {
		if (strcmp(state->zones[i].id, zone) == 0) {
			return &state->zones[i];
		}
	}
	return NULL;
}

bool state_zone_add(struct state *state, const char *zone, bool private_zone)
{
	if (state->zone_count == STATE_ZONES_MAX) {
		return false;
	}
	state->zones[state->zone_count++] =
		(struct state_zone){.id = zone, .private_zone = private_zone};
	return true;
}

struct state_record *state_find(struct state *state, const struct record_entry *entry)
{
	for (size_t i = 0; i < state->record_count; i++) {
		const struct record_entry *at = &state->records[i].entry;
		if (strcmp(at->zone, entry->zone) == 0 &&
		    strcmp(at->set.name, entry->set.name) == 0 &&
		    strcmp(at->set.type, entry->set.type) == 0) {
			return &state->records[i];
		}
	}
	return NULL;
}

bool state_add(struct state *state, const struct record_entry *entry, bool pending)
{
	if (state->record_count == STATE_RECORDS_MAX) {
		return false;
	}
	state->records[state->record_count++] =
		(struct state_record){.entry = *entry, .pending = pending};
	return true;
}

void state_drop(struct state *state, const struct state_record *record)
{
	size_t at = (size_t)(record - state->records);
	memmove(&state->records[at], &state->records[at + 1],
	        (state->record_count - at - 1) * sizeof(state->records[0]));
	state->record_count--;
}
