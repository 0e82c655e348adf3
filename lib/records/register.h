/*
 * records/register.h - adds this instance's records, and takes them away again.
 *
 * What is wanted (records/want.h) and what is remembered (records/state.h) give the changes, without a look at the zone:
 * CREATE fails where somebody else is, DELETE where something changed. Only a batch that was refused, or a memory that
 * was lost, costs a listing of the name. Nothing is ever overwritten.
 *
 * Rules: facts/instance-records.md, C2; marks as in CONTRACT.
 */
#pragma once

#include "base/text.h"
#include "config/records.h"
#include "records/api.h"
#include "records/instance.h"
#include "records/owner.h"

enum register_reason {
	REGISTER_REBOOT,    /* all stays */
	REGISTER_STOP,      /* what has keep_on_stop stays */
	REGISTER_TERMINATE, /* all goes */
};

struct register_opts {
	const struct records_settings *settings;
	const struct records_api *api;
	struct instance *
		instance; /* opened; NULL: metadata keeps silent (deregister goes by its memory alone) */
	struct arena *arena;
	bool dry_run;
	unsigned int wait_s;         /* register: for INSYNC; 0: does not wait */
	uint64_t deadline_ms;        /* of api->mono_ms */
	enum register_reason reason; /* of deregister */
};

/* Tells of a change that was made, so that a forwarder may look. May be NULL. */
typedef void register_changed_fn(void *ctx, const char *zone, const char *name);

struct register_report {
	struct text out;    /* lines for stdout: what was, or would be, done */
	struct text faults; /* lines for stderr */
	bool pending;       /* dry run: there are changes */
	bool failed;
	bool ours; /* failed by the settings, by a record of somebody else, or for rights: later will not help */
	size_t created;
	size_t deleted;
	uint32_t ttl_max_s; /* of what was deleted */
	register_changed_fn *changed;
	void *changed_ctx;
};

void register_report_init(struct register_report *report);
void register_report_fini(struct register_report *report);

/* 0, or FAIL_* when it could not even begin (told in the report); single failures are in the report. */
int register_run(const struct register_opts *opts, struct register_report *report);
int deregister_run(const struct register_opts *opts, struct register_report *report);
