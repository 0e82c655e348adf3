/*
 * daemon/horizon_aws_int.h - the parts of horizon-aws: one file a command, one line a command in the table.
 */
#pragma once

#include "aws/route53.h"
#include "aws/tag.h"
#include "config/records.h"
#include "records/api.h"
#include "records/instance.h"
#include <stdbool.h>
#include <stdio.h>

/* Exit statuses; EXIT_FAILED covers everything that is not one of the others. */
enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,   /* or bad settings */
	EXIT_PENDING = 3, /* dry run: changes would be made */
	EXIT_BRAKE = 4,
	EXIT_UNKNOWN = 5, /* the evidence does not say */
};

/* One run of the program. */
struct run {
	struct records_settings
		*settings; /* NULL until read, for those commands that need none at first */
	const char *settings_path;
	struct aws *aws;         /* NULL until run_aws */
	unsigned int timeout_ms; /* of one call; 0: the client's own */
	const bool *cancel;      /* as aws_opts has it; may be NULL */
	bool paced;         /* after a burst, half of what the account may ask is left to others */
	unsigned int calls; /* of a paced run, so far */
};

/* The settings, read when first asked for. NULL: faulty or not there (told). */
const struct records_settings *run_settings(struct run *run);

/* A client, made when first asked for; region and credentials are looked for when first needed. NULL: no memory (told). */
struct aws *run_aws(struct run *run);

/* One line to stderr, "horizon-aws: ..."; returns the status, so that it can be returned at once. */
int run_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "usage: horizon-aws COMMAND ARGS" to stderr; returns EXIT_USAGE. */
int run_usage(const char *command);

/* The tags of the settings, borrowed from them. */
struct aws_tags run_tags(const struct run *run);

/* Prints lines to stderr, each with the program's name in front. */
void run_lines(const char *lines);

/*
 * Who this instance is, from metadata; asked again until deadline_ms (monotonic) while it keeps silent. Values go into the
 * arena. 0, or why not.
 */
int run_instance(struct run *run, struct arena *arena, uint64_t deadline_ms,
                 struct instance *ret_instance);

/*
 * A register_changed_fn (ctx: struct run): a horizond on this machine hears of the change over its control socket, whose
 * mode says who may. Silence, and no daemon at all, are fine.
 */
void hint_send(void *ctx, const char *zone, const char *name);

/* argv[0] is the command's name, optind is 1. Returns the exit status. */
typedef int command_fn(struct run *run, int argc, char **argv);

command_fn command_register;
command_fn command_deregister;
command_fn command_sweep;
command_fn command_restore;
command_fn command_purge;
command_fn command_iam_policy;
command_fn command_dhcp_options;
command_fn command_recovery_alarm;
command_fn command_health;
