/* daemon/horizon_aws_sweep.c - sweep, restore, purge: what dead machines left. */
#include "horizon_aws_int.h"

#include "base/fail.h"
#include "base/mono.h"
#include "records/api_aws.h"
#include "records/sweep.h"
#include <getopt.h>
#include <string.h>

#define ARENA_CHUNK (256 * 1024)

struct args {
	bool apply;
	bool json;
	const char *plan_sum;
	const char *owner;
};

static bool args_read(int argc, char **argv, const struct option *longs, struct args *ret_args)
{
	int c;
	*ret_args = (struct args){0};
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'a':
			ret_args->apply = true;
			break;
		case 'j':
			ret_args->json = true;
			break;
		case 'p':
			ret_args->plan_sum = optarg;
			break;
		case 'o':
			ret_args->owner = optarg;
			break;
		default:
			return false;
		}
	}
	return true;
}

static int status_of(enum sweep_result result)
{
	static const int statuses[] = {EXIT_DONE, EXIT_FAILED, EXIT_PENDING, EXIT_BRAKE,
	                               EXIT_UNKNOWN};
	return statuses[result];
}

/* What sweep, restore and purge share. */
struct sweep_run {
	struct arena arena;
	struct records_api api;
	struct instance instance;
	char region[32];
	struct sweep_opts opts;
	struct sweep_report report;
};

static bool begin(struct run *run, struct sweep_run *sweep, const struct args *args)
{
	run->paced = true;
	run->timeout_ms = run->settings->deadline_s < 10 ? 1000 * run->settings->deadline_s : 0;
	if (run_aws(run) == NULL) {
		return false;
	}
	arena_init(&sweep->arena, ARENA_CHUNK, 0);
	sweep_report_init(&sweep->report);
	records_api_aws(run->aws, &sweep->api);
	sweep->instance = (struct instance){.id = ""};
	sweep->region[0] = '\0';
	sweep->opts = (struct sweep_opts){
		.settings = run->settings,
		.api = &sweep->api,
		.arena = &sweep->arena,
		.region = sweep->region,
		.account = sweep->instance.account,
		.instance = sweep->instance.id,
		.apply = args->apply,
		.plan_sum = args->plan_sum,
		.json = args->json,
		.deadline_ms = mono_ms() + UINT64_C(1000) * run->settings->deadline_s,
	};
	return true;
}

static int end(struct sweep_run *sweep, enum sweep_result result)
{
	fputs(text_get(&sweep->report.out), stdout);
	run_lines(text_get(&sweep->report.faults));
	sweep_report_fini(&sweep->report);
	arena_fini(&sweep->arena);
	return status_of(result);
}

/* The region asked is that of the calls, whatever the instance says; its account is held against the credentials'. */
static enum sweep_result know_place(struct run *run, struct sweep_run *sweep)
{
	run_instance(run, &sweep->arena, 0, &sweep->instance);
	if (aws_region(run->aws, sweep->region) != 0) {
		text_addf(&sweep->report.faults, "evidence unknown, nothing is deleted: %s\n",
		          aws_trouble(run->aws));
		return SWEEP_UNKNOWN;
	}
	return SWEEP_DONE;
}

int command_sweep(struct run *run, int argc, char **argv)
{
	static const struct option longs[] = {
		{"apply", no_argument, NULL, 'a'},
		{"plan-sum", required_argument, NULL, 'p'},
		{"json", no_argument, NULL, 'j'},
		{NULL, 0, NULL, 0},
	};
	struct args args;
	struct sweep_run sweep;
	if (!args_read(argc, argv, longs, &args) || optind != argc) {
		return run_usage(argv[0]);
	}
	if (run->settings->fleet[0] == '\0') {
		return run_fail(EXIT_USAGE,
		                "%s: a sweep without `fleet`; whose records it may touch "
		                "would be right",
		                run->settings_path);
	}
	if (!begin(run, &sweep, &args)) {
		return EXIT_FAILED;
	}
	enum sweep_result result = know_place(run, &sweep);
	return end(&sweep, result == SWEEP_DONE ? sweep_run(&sweep.opts, &sweep.report) : result);
}

int command_restore(struct run *run, int argc, char **argv)
{
	struct args args = {0};
	struct sweep_run sweep;
	if (argc != 2) {
		return run_usage(argv[0]);
	}
	if (!begin(run, &sweep, &args)) {
		return EXIT_FAILED;
	}
	return end(&sweep, sweep_restore(&sweep.opts, argv[1], &sweep.report));
}

int command_purge(struct run *run, int argc, char **argv)
{
	static const struct option longs[] = {
		{"owner", required_argument, NULL, 'o'},
		{"apply", no_argument, NULL, 'a'},
		{NULL, 0, NULL, 0},
	};
	struct args args;
	struct sweep_run sweep;
	if (!args_read(argc, argv, longs, &args) || optind != argc || args.owner == NULL) {
		return run_usage(argv[0]);
	}
	if (!begin(run, &sweep, &args)) {
		return EXIT_FAILED;
	}
	return end(&sweep, sweep_purge(&sweep.opts, args.owner, &sweep.report));
}
