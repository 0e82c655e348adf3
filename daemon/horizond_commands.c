/* daemon/horizond_commands.c - what horizonctl may ask: the table, and the commands that do something. */
#include "horizond_commands_int.h"

#include "base/fail.h"
#include "base/log.h"
#include <string.h>
#include <sys/stat.h>

#define FAULTS_MAX (1 << 20) /* octets */

void put_text(json_t *object, const char *key, const char *text)
{
	json_object_set_new(object, key, control_text(text));
}

json_t *lines_list(const char *lines)
{
	json_t *list = json_array();
	while (*lines != '\0') {
		size_t len = strcspn(lines, "\n");
		char *line = strndup(lines, len);
		if (line != NULL) {
			json_array_append_new(list, control_text(line));
			free(line);
		}
		lines += len + (lines[len] == '\n');
	}
	return list;
}

/* exit 1, with every fault. */
static void answer_faults(struct control_call *call, const char *file, const struct text *faults)
{
	json_t *list = lines_list(text_get(faults));
	size_t count = json_array_size(list);
	struct text error;
	text_init(&error, 0);
	text_addf(&error, "%s: %zu fault%s", file, count, count == 1 ? "" : "s");
	json_t *answer = json_pack("{s:i, s:o}", "exit", 1, "faults", list);
	put_text(answer, "error", text_get(&error));
	put_text(answer, "file", file);
	text_fini(&error);
	control_answer(call, answer);
}

/* The settings in a file, or NULL and the call is answered. */
static struct settings *load_or_answer(struct control_call *call, const char *file)
{
	struct settings *settings = NULL;
	struct text faults;
	text_init(&faults, FAULTS_MAX);
	int ret = settings_load(file, &settings, &faults);
	if (ret != 0 && faults.len == 0) {
		control_refuse(call, "%s: %s", file, fail_text(ret));
	} else if (ret != 0) {
		answer_faults(call, file, &faults);
	}
	text_fini(&faults);
	return settings;
}

/* --- Settings --- */

static bool same_file(const struct stat *file, const char *other)
{
	struct stat st;
	return stat(other, &st) == 0 && st.st_dev == file->st_dev && st.st_ino == file->st_ino;
}

/*
 * Faults quote what they find. So whoever has come in by the socket's group alone, and might not be able to read the
 * file, or what it includes, himself, does not read it through us.
 */
static void command_check(void *ctx, struct control_call *call, const char *const *words,
                          size_t count)
{
	const struct horizond *h = ctx;
	const char *file = words[1];
	struct stat st = {0};
	bool there = stat(file, &st) == 0;
	if (file[0] != '/') {
		control_refuse(call, "%s: the file's whole path is needed, from / on", file);
		return;
	}
	if (!control_trusted(call)) {
		if (!there || !same_file(&st, h->config_path)) {
			control_refuse(call,
			               "only root has us read other files than %s; `horizond -t -c "
			               "FILE` reads one with your own rights",
			               h->config_path);
			return;
		}
		file = h->config_path; /* whatever the given path leads to by now */
	}
	/* A pipe or a terminal would hold up this thread until somebody wrote to it. */
	if (there && !S_ISREG(st.st_mode)) {
		control_refuse(call, "%s is no plain file", file);
		return;
	}
	struct settings *settings = load_or_answer(call, file);
	if (settings != NULL) {
		json_t *answer = json_pack("{s:[]}", "faults");
		put_text(answer, "file", file);
		control_answer(call, answer);
		settings_free(&settings);
	}
}

static void command_diff(void *ctx, struct control_call *call, const char *const *words,
                         size_t count)
{
	const struct horizond *h = ctx;
	struct settings *settings = load_or_answer(call, h->config_path);
	if (settings == NULL) {
		return;
	}
	struct text changes;
	text_init(&changes, 0);
	settings_diff(h->settings, settings, &changes);
	json_t *answer = json_pack("{s:o}", "changes", lines_list(text_get(&changes)));
	put_text(answer, "file", h->config_path);
	control_answer(call, answer);
	text_fini(&changes);
	settings_free(&settings);
}

static void command_reload(void *ctx, struct control_call *call, const char *const *words,
                           size_t count)
{
	struct horizond *h = ctx;
	struct text faults;
	text_init(&faults, FAULTS_MAX);
	if (horizond_reload(h, &faults)) {
		json_t *answer = json_pack("{s:b}", "reloaded", true);
		put_text(answer, "file", h->config_path);
		control_answer(call, answer);
	} else if (faults.len == 0) {
		control_refuse(call, "%s was not taken; the log says why", h->config_path);
	} else {
		answer_faults(call, h->config_path, &faults);
	}
	text_fini(&faults);
}

static void command_log(void *ctx, struct control_call *call, const char *const *words,
                        size_t count)
{
	enum log_level level;
	/* Syslog's own word for it is taken too. */
	const char *word = strcmp(words[1], "warning") == 0 ? "warn" : words[1];
	if (!log_level_parse(word, &level)) {
		control_refuse(call,
		               "`%s` is no log level; error, warn, notice, info and debug are",
		               word);
		return;
	}
	const char *before = log_level_text(log_get_level());
	log_set_level(level);
	log_notice("horizond", "log level %s, was %s (horizonctl)", word, before);
	control_answer(call, json_pack("{s:s, s:s}", "level", word, "before", before));
}

/* --- Data --- */

/*
 * NAME: this name alone. NAME. with its dot: all that lies at and below it. So one dot decides how much goes,
 * as in a path the slash.
 */
static void command_flush(void *ctx, struct control_call *call, const char *const *words,
                          size_t count)
{
	struct horizond *h = ctx;
	uint8_t name[DNS_NAME_MAX] = {0};
	char text[DNS_NAME_TEXT_MAX];
	const char *what = words[1];
	bool all = strcmp(what, "all") == 0;
	if (!all && dns_name_parse(what, name) < 0) {
		control_refuse(call, "`%s` is neither `all` nor a name", what);
		return;
	}
	/* A dot behind an odd number of backslashes is a letter of the last label. */
	size_t len = strlen(what);
	size_t slashes = 0;
	while (len >= 2 + slashes && what[len - 2 - slashes] == '\\') {
		slashes++;
	}
	bool below = all || (what[len - 1] == '.' && slashes % 2 == 0);
	size_t gone = cache_flush(h->cache, name, below);
	dns_name_text(name, text);
	log_notice("horizond", "cache: %zu answers of %s%s flushed (horizonctl)", gone, text,
	           below ? " and below" : "");
	control_answer(call, json_pack("{s:s, s:b, s:I}", "name", text, "below", below, "flushed",
	                               (json_int_t)gone));
}

static void command_sync(void *ctx, struct control_call *call, const char *const *words,
                         size_t count)
{
	struct horizond *h = ctx;
	const char *zone = count > 1 ? words[1] : "";
	bool accept = count > 2 && strcmp(words[2], "--accept") == 0;
	if ((count > 2 && !accept) || zone[0] == '-') {
		control_refuse(call, "`%s` is unknown here; ZONE, and behind it --accept, are not",
		               words[count - 1]);
		return;
	}
	int ret = accept ? sync_accept(h->sync, zone) : sync_now(h->sync, zone);
	if (ret == FAIL_NOTFOUND && accept) {
		control_refuse(call, "nothing is held back of `%s`, so there is nothing to accept",
		               zone);
	} else if (ret == FAIL_NOTFOUND) {
		control_refuse(call, "`%s` is no zone of ours, neither by name nor by id", zone);
	} else if (ret != 0) {
		control_refuse(call, "sync: %s", fail_text(ret));
	} else {
		json_t *answer = json_object();
		put_text(answer, "zone", zone);
		json_object_set_new(answer, "accepted", json_boolean(accept));
		control_answer(call, answer);
	}
}

/* --- The table --- */

const struct control_command horizond_commands[] = {
	{"status", 0, 0, command_status},   {"zones", 0, 2, command_zones},
	{"rules", 0, 0, command_rules},     {"upstreams", 0, 0, command_upstreams},
	{"explain", 1, 4, command_explain}, {"flush", 1, 1, command_flush},
	{"sync", 0, 2, command_sync},       {"check", 1, 1, command_check},
	{"diff", 0, 0, command_diff},       {"reload", 0, 0, command_reload},
	{"log", 1, 1, command_log},         {"hint", 2, 2, command_hint},
};
const size_t horizond_command_count = sizeof(horizond_commands) / sizeof(horizond_commands[0]);
