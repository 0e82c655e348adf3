#include "records/json.h"
#include "base/fail.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VALUES_MAX 400

json_t *record_set_json(const struct record_set *set)
{
	json_t *values = json_array();
	for (size_t i = 0; i < set->value_count; i++) {
		json_array_append_new(values, json_string(set->values[i]));
	}
	if (json_array_size(values) != set->value_count) {
		json_decref(values);
		return NULL;
	}
	return json_pack("{s:s, s:s, s:s*, s:i, s:o}", "name", set->name, "type", set->type,
	                 "identifier", set->identifier, "ttl", (int)set->ttl_s, "values", values);
}

json_t *record_entry_json(const struct record_entry *entry)
{
	json_t *set = record_set_json(&entry->set);
	json_t *mark = entry->has_mark ? record_set_json(&entry->mark) : NULL;
	if (set == NULL || (entry->has_mark && mark == NULL)) {
		json_decref(set);
		json_decref(mark);
		return NULL;
	}
	return json_pack("{s:s, s:b, s:b, s:o, s:o*}", "zone", entry->zone, "private",
	                 entry->private_zone, "keep_on_stop", entry->keep_on_stop, "set", set,
	                 "mark", mark);
}

static int set_read(json_t *object, struct arena *arena, struct record_set *ret_set)
{
	const char *values[VALUES_MAX];
	int ttl = -1;
	json_t *list = NULL;
	struct record_set set = {0};
	if (json_unpack(object, "{s:s, s:s, s?s, s:i, s:o}", "name", &set.name, "type", &set.type,
	                "identifier", &set.identifier, "ttl", &ttl, "values", &list) != 0 ||
	    ttl < 0 || !json_is_array(list) || json_array_size(list) == 0 ||
	    json_array_size(list) > VALUES_MAX) {
		return FAIL_FORMAT;
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		values[i] = json_string_value(json_array_get(list, i));
		if (values[i] == NULL) {
			return FAIL_FORMAT;
		}
	}
	set.ttl_s = (uint32_t)ttl;
	set.values = values;
	set.value_count = json_array_size(list);
	return record_set_copy(arena, &set, ret_set);
}

int record_entry_read(const json_t *object, struct arena *arena, struct record_entry *ret_entry)
{
	struct record_entry entry = {0};
	json_t *set = NULL;
	json_t *mark = NULL;
	int private_zone = 0;
	int keep = 0;
	if (json_unpack((json_t *)(uintptr_t)object, "{s:s, s:b, s:b, s:o, s?o}", "zone",
	                &entry.zone, "private", &private_zone, "keep_on_stop", &keep, "set", &set,
	                "mark", &mark) != 0) {
		return FAIL_FORMAT;
	}
	entry.private_zone = private_zone != 0;
	entry.keep_on_stop = keep != 0;
	entry.has_mark = mark != NULL;
	int ret = set_read(set, arena, &entry.set);
	ret = ret != 0 || mark == NULL ? ret : set_read(mark, arena, &entry.mark);
	if (ret != 0) {
		return ret;
	}
	return record_entry_copy(arena, &entry, ret_entry);
}

/* --- Files --- */

static int write_all(int fd, const char *text)
{
	size_t len = strlen(text);
	while (len > 0) {
		ssize_t put = write(fd, text, len);
		if (put < 0) {
			return -errno;
		}
		text += put;
		len -= (size_t)put;
	}
	return fsync(fd) != 0 ? -errno : 0;
}

static int folder_sync(const char *path)
{
	char folder[PATH_MAX];
	snprintf(folder, sizeof(folder), "%s", path);
	char *slash = strrchr(folder, '/');
	if (slash != NULL) {
		slash[slash == folder] = '\0';
	}
	int fd = open(slash == NULL ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret = fd < 0 || fsync(fd) != 0 ? -errno : 0;
	if (fd >= 0) {
		close(fd);
	}
	return ret;
}

int json_file_write(const char *path, const json_t *object)
{
	char beside[PATH_MAX];
	char *text = json_dumps(object, JSON_INDENT(1) | JSON_SORT_KEYS);
	if (text == NULL) {
		return FAIL_NOMEM;
	}
	if (snprintf(beside, sizeof(beside), "%s.new", path) >= (int)sizeof(beside)) {
		free(text);
		return -ENAMETOOLONG;
	}
	int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int ret = fd < 0 ? -errno : write_all(fd, text);
	free(text);
	if (fd >= 0) {
		close(fd);
	}
	if (ret == 0 && rename(beside, path) != 0) {
		ret = -errno;
	}
	if (ret != 0 && fd >= 0) {
		unlink(beside);
	}
	return ret != 0 ? ret : folder_sync(path);
}
