#include "records/dhcp.h"
#include "base/fail.h"
#include "records/json.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct aws_dhcp_option *option_find(const struct aws_dhcp *set, const char *key)
{
	for (size_t i = 0; i < set->option_count; i++) {
		if (strcmp(set->options[i].key, key) == 0) {
			return &set->options[i];
		}
	}
	return NULL;
}

static int option_set(struct aws_dhcp *set, const char *key, const char *const *values,
                      size_t count)
{
	size_t at = 0;
	while (at < set->option_count && strcmp(set->options[at].key, key) != 0) {
		at++;
	}
	if (at == AWS_DHCP_OPTIONS_MAX || count > AWS_DHCP_VALUES_MAX) {
		return FAIL_LIMIT;
	}
	struct aws_dhcp_option *option = &set->options[at];
	set->option_count += at == set->option_count ? 1 : 0;
	memset(option, 0, sizeof(*option));
	snprintf(option->key, sizeof(option->key), "%s", key);
	for (size_t i = 0; i < count; i++) {
		int len = snprintf(option->values[i], sizeof(option->values[i]), "%s", values[i]);
		if (len >= (int)sizeof(option->values[i])) {
			return FAIL_LIMIT;
		}
		option->count++;
	}
	return 0;
}

int dhcp_plan(const struct aws_dhcp *old, const struct records_dhcp *wanted,
              struct aws_dhcp *ret_set)
{
	struct aws_dhcp set = *old;
	set.id[0] = '\0';
	int ret = option_set(&set, "domain-name-servers", wanted->servers.items,
	                     wanted->servers.count);
	if (ret == 0 && wanted->domain[0] != '\0') {
		ret = option_set(&set, "domain-name", &wanted->domain, 1);
	}
	if (ret == 0 && wanted->ntp.count > 0) {
		ret = option_set(&set, "ntp-servers", wanted->ntp.items, wanted->ntp.count);
	}
	if (ret == 0) {
		*ret_set = set;
	}
	return ret;
}

static bool option_equal(const struct aws_dhcp_option *a, const struct aws_dhcp_option *b)
{
	bool equal = a != NULL && b != NULL && a->count == b->count;
	for (size_t i = 0; equal && i < a->count; i++) {
		equal = strcmp(a->values[i], b->values[i]) == 0;
	}
	return equal;
}

bool dhcp_equal(const struct aws_dhcp *a, const struct aws_dhcp *b)
{
	bool equal = a->option_count == b->option_count;
	for (size_t i = 0; equal && i < a->option_count; i++) {
		equal = option_equal(&a->options[i], option_find(b, a->options[i].key));
	}
	return equal;
}

static void option_text(char sign, const struct aws_dhcp_option *option, struct text *out)
{
	text_addf(out, "%c %s =", sign, option->key);
	for (size_t i = 0; i < option->count; i++) {
		text_addf(out, "%s %s", i == 0 ? "" : ",", option->values[i]);
	}
	text_addf(out, "\n");
}

void dhcp_diff(const struct aws_dhcp *old, const struct aws_dhcp *set, struct text *out)
{
	for (size_t i = 0; i < old->option_count; i++) {
		const struct aws_dhcp_option *option = &old->options[i];
		const struct aws_dhcp_option *now = option_find(set, option->key);
		bool same = option_equal(option, now);
		option_text(same ? ' ' : '-', option, out);
		if (!same && now != NULL) {
			option_text('+', now, out);
		}
	}
	for (size_t i = 0; i < set->option_count; i++) {
		if (option_find(old, set->options[i].key) == NULL) {
			option_text('+', &set->options[i], out);
		}
	}
}

/* --- What was before --- */

/* Ids of VPCs are letters, digits and dashes: checked by whoever gives them. */
static int memory_path(const char *dir, const char *vpc, char *buf)
{
	return snprintf(buf, PATH_MAX, "%s/dhcp-%s.json", dir, vpc) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int dhcp_memory_load(const char *dir, const char *vpc, struct dhcp_memory *ret_memory)
{
	char path[PATH_MAX];
	int ret = memory_path(dir, vpc, path);
	memset(ret_memory, 0, sizeof(*ret_memory));
	if (ret != 0 || (access(path, F_OK) != 0 && errno == ENOENT)) {
		return ret;
	}
	json_t *file = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	const char *before = json_string_value(json_object_get(file, "before"));
	const char *ours = json_string_value(json_object_get(file, "ours"));
	if (before == NULL || ours == NULL || strlen(before) >= AWS_DHCP_ID_MAX ||
	    strlen(ours) >= AWS_DHCP_ID_MAX) {
		ret = FAIL_FORMAT;
	} else {
		strcpy(ret_memory->before, before);
		strcpy(ret_memory->ours, ours);
	}
	json_decref(file);
	return ret;
}

int dhcp_memory_save(const char *dir, const char *vpc, const struct dhcp_memory *memory)
{
	char path[PATH_MAX];
	int ret = memory_path(dir, vpc, path);
	json_t *file = json_pack("{s:s, s:s}", "before", memory->before, "ours", memory->ours);
	if (ret == 0) {
		ret = file == NULL ? FAIL_NOMEM : json_file_write(path, file);
	}
	json_decref(file);
	return ret;
}

int dhcp_memory_drop(const char *dir, const char *vpc)
{
	char path[PATH_MAX];
	int ret = memory_path(dir, vpc, path);
	if (ret == 0 && unlink(path) != 0 && errno != ENOENT) {
		ret = -errno;
	}
	return ret;
}
