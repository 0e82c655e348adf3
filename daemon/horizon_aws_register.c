/* daemon/horizon_aws_register.c - register: adds this instance's records. */
#include "horizon_aws_int.h"

#include "base/fail.h"
#include "base/mono.h"
#include "records/api_aws.h"
#include "records/register.h"
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_CHUNK (64 * 1024)

/* Metadata may not be there yet right after boot. */
#define METADATA_WAIT_MS 30000

static int report_end(struct register_report *report, int status)
{
	fputs(text_get(&report->out), stdout);
	run_lines(text_get(&report->faults));
	register_report_fini(report);
	return status;
}

/* --- register --- */

struct register_args {
	unsigned int wait_s;
	bool dry_run;
	bool boot;
};

static bool number_read(const char *text, unsigned int *ret_number)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || number > 86400) {
		return false;
	}
	*ret_number = (unsigned int)number;
	return true;
}

static bool register_args_read(int argc, char **argv, struct register_args *ret_args)
{
	static const struct option longs[] = {
		{"wait", required_argument, NULL, 'w'},
		{"dry-run", no_argument, NULL, 'n'},
		{"boot", no_argument, NULL, 'b'},
		{NULL, 0, NULL, 0},
	};
	int c;
	*ret_args = (struct register_args){0};
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'n') {
			ret_args->dry_run = true;
		} else if (c == 'b') {
			ret_args->boot = true;
		} else if (c != 'w' || !number_read(optarg, &ret_args->wait_s)) {
			return false;
		}
	}
	return optind == argc;
}

static int register_status(const struct run *run, const struct register_args *args,
                           const struct register_report *report)
{
	if (!report->failed) {
		return report->pending ? EXIT_PENDING : EXIT_DONE;
	}
	if (args->boot && !report->ours && !run->settings->fail_boot) {
		fprintf(stderr, "horizon-aws: the boot goes on; the next run tries again\n");
		return EXIT_DONE;
	}
	return EXIT_FAILED;
}

static int register_do(struct run *run, const struct register_args *args, struct arena *arena)
{
	struct records_api api;
	struct instance instance;
	struct register_report report;
	uint64_t deadline_ms = mono_ms() + UINT64_C(1000) * run->settings->deadline_s;
	uint64_t metadata_ms = mono_ms() + METADATA_WAIT_MS;
	records_api_aws(run->aws, &api);
	register_report_init(&report);
	report.changed = hint_send;
	report.changed_ctx = run;
	int ret = run_instance(run, arena, metadata_ms < deadline_ms ? metadata_ms : deadline_ms,
	                       &instance);
	if (ret != 0) {
		text_addf(&report.faults, "who this instance is cannot be known: %s\n",
		          aws_trouble(run->aws));
		report.failed = true;
		return report_end(&report, register_status(run, args, &report));
	}
	const struct register_opts opts = {
		.settings = run->settings,
		.api = &api,
		.instance = &instance,
		.arena = arena,
		.dry_run = args->dry_run,
		.wait_s = args->wait_s,
		.deadline_ms = deadline_ms,
	};
	register_run(&opts, &report);
	int status = register_status(run, args, &report);
	return report_end(&report, status);
}

int command_register(struct run *run, int argc, char **argv)
{
	struct register_args args;
	struct arena arena;
	if (!register_args_read(argc, argv, &args)) {
		return run_usage(argv[0]);
	}
	if (run_aws(run) == NULL) {
		return EXIT_FAILED;
	}
	arena_init(&arena, ARENA_CHUNK, 0);
	int status = register_do(run, &args, &arena);
	arena_fini(&arena);
	return status;
}
