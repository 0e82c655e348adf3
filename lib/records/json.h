/*
 * records/json.h - record entries as JSON: for the state file, the journal and output for programs.
 */
#pragma once

#include "records/set.h"
#include <jansson.h>

/* New references; NULL: no memory, or text that is no UTF-8. */
json_t *record_set_json(const struct record_set *set);
json_t *record_entry_json(const struct record_entry *entry);

/* FAIL_FORMAT, FAIL_NOMEM; texts go into the arena. */
int record_entry_read(const json_t *object, struct arena *arena, struct record_entry *ret_entry);

/*
 * Writes a file whole or not at all: beside it, fsync, rename, fsync of the folder. 0 or -errno.
 */
int json_file_write(const char *path, const json_t *object);
