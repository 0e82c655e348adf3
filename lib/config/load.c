#include "config/load_int.h"
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_CHUNK 16384

/* What load__run hands out begins at settings. */
struct loaded {
	struct arena arena;
	alignas(max_align_t) char settings[];
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

void load__source(struct load *load, const struct source *source)
{
	load->source = source;
	load->nomem = load->nomem || source->nomem;
	if (source->parsed && !load->nomem) {
		load__group(load, load->root, source__root(source), load->settings);
	}
}

/* All of the load but the telling. main has been loaded. */
static void read_all(struct load *load, const struct load_form *form, const struct source *main)
{
	load__source(load, main);
	if (main->parsed && !load->nomem && form->after != NULL) {
		form->after(load);
	}
	claims__tell(&load->domains, load->faults, "rule");
	claims__tell(&load->froms, load->faults, "client");
}

static int load_end(struct load *load, struct text *faults)
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
	return ret;
}

int load__run(const struct load_form *form, const char *path, const char *bytes, size_t size,
              void **ret_settings, struct text *ret_faults)
{
	struct loaded *loaded = malloc(sizeof(*loaded) + form->size);
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
	struct load load = {.root = form->root,
	                    .settings = loaded->settings,
	                    .arena = &loaded->arena,
	                    .scratch = &scratch,
	                    .faults = &faults};
	source__init(source, &loaded->arena, &faults);
	if (!form->defaults(loaded->settings, &loaded->arena)) {
		load.nomem = true;
	} else if (bytes == NULL) {
		source__load(source, path, NULL);
		read_all(&load, form, source);
	} else {
		source__load_bytes(source, path, bytes, size);
		read_all(&load, form, source);
	}
	source__fini(source);
	free(source);
	int ret = load_end(&load, ret_faults);
	arena_fini(&scratch);
	if (ret != 0) {
		load__free(loaded->settings);
		return ret;
	}
	*ret_settings = loaded->settings;
	return 0;
}

void load__free(void *settings)
{
	if (settings == NULL) {
		return;
	}
	struct loaded *loaded =
		(struct loaded *)((char *)settings - offsetof(struct loaded, settings));
	arena_fini(&loaded->arena);
	free(loaded);
}
