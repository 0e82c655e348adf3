/*
 * config/source_int.h - one settings file and what it includes, as libconfig's tree.
 *
 * In three steps: files.c reads the files (T40: checks first), mend.c makes one run of tokens of them
 * and repairs what it can, so that one slip does not hide the next; tree.c has libconfig parse
 * that, one token a line, so that each setting's line leads back to where it was written.
 */
#pragma once

#include "base/arena.h"
#include "config/scan_int.h"
#include <libconfig.h>

#define SOURCE_FILE_MAX    (4UL << 20) /* bytes of one file */
#define SOURCE_FILES_MAX   256         /* of one source */
#define SOURCE_NESTING_MAX 64
#define SOURCE_INCLUDE_MAX 8
#define SOURCE_KEYS_MAX    256 /* of one group: libconfig compares each new one with all before */
#define SOURCE_TOKENS_MAX  (4UL << 20)

struct source_file {
	const char *name;   /* as told in faults */
	const char *folder; /* absolute: what relative names in it start from */
	char *bytes;        /* ends with a NUL that size does not count */
	size_t size;
};

struct source {
	struct arena *arena; /* file names: they outlive the source */
	struct faults *faults;
	struct source_file files[SOURCE_FILES_MAX];
	unsigned int file_count;
	struct token *tokens;
	size_t token_count;
	size_t token_room;
	config_t tree;
	bool parsed; /* tree is there */
	bool nomem;
};

/* Takes nothing yet. */
void source__init(struct source *source, struct arena *arena, struct faults *faults);
void source__fini(struct source *source);

/*
 * Reads a file and parses it. wanted: the place that names it; NULL for the main file. False when it
 * cannot be read (told) or memory is short. Faults in the text are told, and what is right beside
 * them is in the tree.
 */
bool source__load(struct source *source, const char *path, const struct settings_place *wanted);
/* The same with the main file's bytes given. */
bool source__load_bytes(struct source *source, const char *path, const char *bytes, size_t size);

const config_setting_t *source__root(const struct source *source);
struct settings_place source__place(const struct source *source, const config_setting_t *setting);
/* A part of this group, list or array was left out, so nothing can be said to be missing in it. */
bool source__broken(const struct source *source, const config_setting_t *setting);
/* The value as written, quoted for a message; of several only the first. buf: FAULT_QUOTE_MAX. */
const char *source__quote(const struct source *source, const config_setting_t *setting, char *buf);
/* The file in which the setting stands. */
const struct source_file *source__file(const struct source *source,
                                       const config_setting_t *setting);

/*
 * files.c: the file's bytes, checked. wanted: where the file is asked for; NULL for the main file.
 * The index in source->files, or -1 (told, or out of memory).
 */
int source__read_file(struct source *source, const char *path, const struct settings_place *wanted);
int source__add_file(struct source *source, const char *path, char *bytes, size_t size);
/* name against the folder of the file `from`: as shown (FILE in faults). NULL: no memory. */
char *source__join(struct arena *arena, const char *from, const char *name);
/* path made absolute against a folder; both joined plainly. NULL: no memory. */
char *source__absolute(struct arena *arena, const char *folder, const char *path);

/* mend.c: the tokens of a file, its includes in their place. */
void source__mend(struct source *source, unsigned int file);
struct settings_place source__token_place(const struct source *source, const struct token *token);
const char *source__token_quote(const struct token *token, char *buf);

/* tree.c: parses the tokens, which mend.c has left in right order. */
bool source__parse(struct source *source);
/* A number that is neither float nor true or false. */
bool source__is_whole(const struct token *token);
