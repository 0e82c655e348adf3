/*
 * records/instance.h - what this instance says of itself: the values of templates, from instance metadata (IMDSv2).
 *
 * A value is asked for when a template first names it, and kept for the run.
 *
 * AWS: EC2 User Guide, "Instance metadata categories"; facts/route53.md section 9.1.
 */
#pragma once

#include "records/set.h"

/* Text at a path below /latest/: 0, FAIL_NOTFOUND (there is no such thing), or another failure. */
typedef int instance_get_fn(void *ctx, const char *path, char *buf, size_t size);

struct instance_value;

struct instance {
	instance_get_fn *get;
	void *ctx;
	struct arena *arena;
	struct instance_value *values;
	int failed;   /* a value could not be asked for; the last reason */
	bool in_name; /* the next values are for a name: no colons */
	char account[13];
	char region[33];
	char id[33];
	int64_t launched_s; /* since 1970; 0: not said */
};

/* Who we are. Returns 0, or why that cannot be known. get and ctx are kept. */
int instance_open(struct instance *instance, struct arena *arena, instance_get_fn *get, void *ctx);

/*
 * A template_value_fn (ctx: struct instance). NULL with instance->failed 0: this instance has none; else metadata could
 * not be asked.
 */
const char *instance_value(void *ctx, const char *name);

enum instance_end {
	INSTANCE_STAYS, /* nothing said */
	INSTANCE_STOPS,
	INSTANCE_TERMINATES,
};

/* What autoscaling and the spot market have in mind for it. */
enum instance_end instance_end(struct instance *instance);
