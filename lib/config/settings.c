#include "config/load_int.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INCLUDE_FILES_MAX 1000

static void read_included(struct load *load, const char *path, const struct settings_place *wanted)
{
	struct source *source = malloc(sizeof(*source));
	if (source == NULL) {
		load->nomem = true;
		return;
	}
	source__init(source, load->arena, load->faults);
	source__load(source, path, wanted);
	load__source(load, source);
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
	const struct settings *settings = load->settings;
	if (setting == NULL || settings->include_dir[0] == '\0') {
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

static const struct load_form form = {
	.root = &keys__all,
	.size = sizeof(struct settings),
	.defaults = keys__defaults,
	.after = read_include_dir,
};

int settings_load(const char *path, struct settings **ret_settings, struct text *faults)
{
	void *loaded = NULL;
	int ret = load__run(&form, path, NULL, 0, &loaded, faults);
	if (ret == 0) {
		*ret_settings = loaded;
	}
	return ret;
}

int settings_load_bytes(const char *path, const char *bytes, size_t size,
                        struct settings **ret_settings, struct text *faults)
{
	void *loaded = NULL;
	int ret = load__run(&form, path, bytes == NULL ? "" : bytes, bytes == NULL ? 0 : size,
	                    &loaded, faults);
	if (ret == 0) {
		*ret_settings = loaded;
	}
	return ret;
}

void settings_free(struct settings **settings)
{
	load__free(*settings);
	*settings = NULL;
}
