#include "config/load_int.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ARENA_CHUNK       16384
#define INCLUDE_FILES_MAX 1000

/* What settings_load hands out; the settings come first, so settings_free finds the rest. */
struct loaded {
	struct settings settings;
	struct arena arena;
};

void load__fault(struct load *load, const config_setting_t *setting, const char *format, ...)
{
	char *text = NULL;
	va_list args;
	va_start(args, format);
	int len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0) {
		load->nomem = true;
		return;
	}
	fault__add(load->faults, load__place(load, setting), "%s", text);
	free(text);
}

struct settings_place load__place(const struct load *load, const config_setting_t *setting)
{
	return source__place(load->source, setting);
}

static void *clear_alloc(struct load *load, struct arena *arena, size_t size)
{
	void *at = arena_alloc(arena, size);
	if (at == NULL) {
		load->nomem = true;
		return NULL;
	}
	return memset(at, 0, size);
}

void *load__alloc(struct load *load, size_t size)
{
	return clear_alloc(load, load->arena, size);
}

void *load__scratch(struct load *load, size_t size)
{
	return clear_alloc(load, load->scratch, size);
}

static const char *copy_text(struct load *load, struct arena *arena, const char *text)
{
	const char *copy = arena_text(arena, text);
	if (copy == NULL) {
		load->nomem = true;
		return "";
	}
	return copy;
}

const char *load__text(struct load *load, const char *text)
{
	return copy_text(load, load->arena, text);
}

const char *load__note(struct load *load, const char *text)
{
	return copy_text(load, load->scratch, text);
}

/* Reads the open source's settings into load->settings. */
static void read_source(struct load *load, const struct source *source)
{
	load->source = source;
	load->nomem = load->nomem || source->nomem;
	if (source->parsed && !load->nomem) {
		load__group(load, &keys__all, source__root(source), load->settings);
	}
}

static void read_included(struct load *load, const char *path, const struct settings_place *wanted)
{
	struct source *source = malloc(sizeof(*source));
	if (source == NULL) {
		load->nomem = true;
		return;
	}
	source__init(source, load->arena, load->faults);
	source__load(source, path, wanted);
	read_source(load, source);
	source__fini(source);
	free(source);
}

static int is_conf(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);
	return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The folder's entries by name, or -1 (told). T40: who may write the folder may put a file there. */
static int list_folder(struct load *load, const char *path, const config_setting_t *setting,
                       struct dirent ***ret_entries)
{
	struct stat st;
	int count = stat(path, &st) != 0 ? -1 : scandir(path, ret_entries, is_conf, by_name);
	if (count < 0) {
		load__fault(load, setting,
		            "`include_dir` cannot be read: %s; a folder, or \"\", would be right",
		            strerror(errno));
		return -1;
	}
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		load__fault(load, setting,
		            "`include_dir` may be written by its group or by others; "
		            "mode 0755 or 0750 would be right");
	}
	if (count > INCLUDE_FILES_MAX) {
		load__fault(load, setting,
		            "`include_dir` holds %d files; at most %d would be right", count,
		            INCLUDE_FILES_MAX);
	}
	return count;
}

static void read_include_dir(struct load *load)
{
	const config_setting_t *setting =
		config_setting_get_member(source__root(load->source), "include_dir");
	if (setting == NULL || load->settings->include_dir[0] == '\0') {
		return;
	}
	/* As written, so that faults name the files as the admin does. */
	const struct source_file *file = source__file(load->source, setting);
	char *folder = source__join(load->scratch, file->name, config_setting_get_string(setting));
	struct settings_place place = load__place(load, setting);
	struct dirent **entries = NULL;
	int count = folder == NULL ? -1 : list_folder(load, folder, setting, &entries);
	load->main_file = file->name;
	for (int i = 0; i < count; i++) {
		char *path = source__absolute(load->scratch, folder, entries[i]->d_name);
		if (path == NULL) {
			load->nomem = true;
		} else if (i < INCLUDE_FILES_MAX) {
			read_included(load, path, &place);
		}
		free(entries[i]);
	}
	free(entries);
	load->nomem = load->nomem || folder == NULL;
}

/* All of the load but the telling. main has been loaded. */
static void read_all(struct load *load, const struct source *main)
{
	read_source(load, main);
	if (main->parsed && !load->nomem) {
		read_include_dir(load);
	}
	claims__tell(&load->domains, load->faults, "rule");
	claims__tell(&load->froms, load->faults, "client");
}

static int load_end(struct load *load, struct loaded *loaded, struct settings **ret_settings,
                    struct text *faults)
{
	int ret = 0;
	if (load->nomem || load->faults->nomem) {
		ret = FAIL_NOMEM;
	} else if (load->faults->count > 0) {
		fault__tell(load->faults, faults);
		ret = FAIL_FORMAT;
	}
	claims__fini(&load->domains);
	claims__fini(&load->froms);
	fault__fini(load->faults);
	if (ret != 0) {
		struct settings *settings = &loaded->settings;
		settings_free(&settings);
		return ret;
	}
	*ret_settings = &loaded->settings;
	return 0;
}

/* bytes NULL: from disk. */
static int load_any(const char *path, const char *bytes, size_t size,
                    struct settings **ret_settings, struct text *ret_faults)
{
	struct loaded *loaded = malloc(sizeof(*loaded));
	struct source *source = malloc(sizeof(*source));
	if (loaded == NULL || source == NULL) {
		free(loaded);
		free(source);
		return FAIL_NOMEM;
	}
	struct arena scratch;
	struct faults faults = {0};
	arena_init(&loaded->arena, ARENA_CHUNK, 0);
	arena_init(&scratch, ARENA_CHUNK, 0);
	struct load load = {.settings = &loaded->settings,
	                    .arena = &loaded->arena,
	                    .scratch = &scratch,
	                    .faults = &faults};
	source__init(source, &loaded->arena, &faults);
	if (!keys__defaults(&loaded->settings, &loaded->arena)) {
		load.nomem = true;
	} else if (bytes == NULL) {
		source__load(source, path, NULL);
		read_all(&load, source);
	} else {
		source__load_bytes(source, path, bytes, size);
		read_all(&load, source);
	}
	source__fini(source);
	free(source);
	int ret = load_end(&load, loaded, ret_settings, ret_faults);
	arena_fini(&scratch);
	return ret;
}

int settings_load(const char *path, struct settings **ret_settings, struct text *faults)
{
	return load_any(path, NULL, 0, ret_settings, faults);
}

int settings_load_bytes(const char *path, const char *bytes, size_t size,
                        struct settings **ret_settings, struct text *faults)
{
	return load_any(path, bytes == NULL ? "" : bytes, bytes == NULL ? 0 : size, ret_settings,
	                faults);
}

void settings_free(struct settings **settings)
{
	if (*settings == NULL) {
		return;
	}
	struct loaded *loaded = (struct loaded *)*settings;
	struct arena arena = loaded->arena;
	free(loaded);
	arena_fini(&arena);
	*settings = NULL;
}
