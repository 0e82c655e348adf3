/*
 * daemon/horizond_commands_int.h - the commands behind the table of horizond_commands.c, and what they share.
 */
#pragma once

#include "horizond_int.h"

/* A member of an answer. */
void put_text(json_t *object, const char *key, const char *text);
/* Lines, each ended by a newline, as a list. */
json_t *lines_list(const char *lines);

/* horizond_commands_show.c: how things stand. */
control_fn command_zones;
control_fn command_rules;
control_fn command_upstreams;

/* horizond_commands_status.c */
control_fn command_status;

/* horizond_commands_explain.c: why this answer? */
control_fn command_explain;

/* horizond_commands_hint.c */
control_fn command_hint;
