/* daemon/horizon_aws_policy.c - iam-policy: prints the least rights that a program needs. */
#include "horizon_aws_int.h"

#include "base/fail.h"
#include "base/text.h"
#include "records/policy.h"
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define DAEMON_SETTINGS "/etc/horizond/horizond.conf"

struct policy_command {
	struct policy_opts opts;
	const char *program;
	const char *daemon_settings;
};

/* The Region of the environment; whoever runs this need not be an instance. */
static const char *region_default(void)
{
	const char *region = getenv("AWS_REGION");
	if (region == NULL || region[0] == '\0') {
		region = getenv("AWS_DEFAULT_REGION");
	}
	return region == NULL ? "" : region;
}

/* False: not understood. */
static bool options_read(int argc, char **argv, struct policy_command *ret)
{
	static const struct option longs[] = {
		{"daemon-config", required_argument, NULL, 'd'},
		{"region", required_argument, NULL, 'r'},
		{"wait", no_argument, NULL, 'w'},
		{"drain", no_argument, NULL, 'D'},
		{NULL, 0, NULL, 0},
	};
	*ret = (struct policy_command){.opts = {.region = region_default()},
	                               .daemon_settings = DAEMON_SETTINGS};
	int c;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'd':
			ret->daemon_settings = optarg;
			break;
		case 'r':
			ret->opts.region = optarg;
			break;
		case 'w':
			ret->opts.wait = true;
			break;
		case 'D':
			ret->opts.drain = true;
			break;
		default:
			return false;
		}
	}
	ret->program = optind == argc - 1 ? argv[optind] : NULL;
	return ret->program != NULL;
}

/* Returns as policy_daemon does; -1: told already. */
static int daemon_policy(const struct policy_command *command, struct text *out)
{
	struct settings *settings = NULL;
	struct text faults;
	text_init(&faults, 0);
	int ret = settings_load(command->daemon_settings, &settings, &faults);
	if (ret == FAIL_FORMAT) {
		fputs(text_get(&faults), stderr);
	} else if (ret != 0) {
		run_fail(EXIT_USAGE, "%s: %s", command->daemon_settings, fail_text(ret));
	}
	text_fini(&faults);
	if (ret != 0) {
		return -1;
	}
	ret = policy_daemon(settings, &command->opts, out);
	settings_free(&settings);
	return ret;
}

static int policy_status(const struct policy_command *command, int ret, const char *path,
                         const struct text *out)
{
	if (ret == FAIL_NOTFOUND) {
		return run_fail(EXIT_USAGE, "%s: %s needs no rights with these settings", path,
		                command->program);
	}
	if (ret != 0) {
		return run_fail(EXIT_FAILED, "iam-policy: %s", fail_text(ret));
	}
	size_t size = policy_size(text_get(out));
	if (size > POLICY_SIZE_MAX) {
		run_fail(EXIT_FAILED,
		         "the policy has %zu characters, a managed one may have %d: attach its "
		         "statements as several policies",
		         size, POLICY_SIZE_MAX);
	}
	fputs(text_get(out), stdout);
	return EXIT_DONE;
}

typedef int policy_fn(const struct records_settings *settings, const struct policy_opts *opts,
                      struct text *out);

/* Those that take their settings from records.conf. */
static const struct program {
	const char *name;
	policy_fn *policy;
} programs[] = {
	{"register", policy_register},
	{"sweep", policy_sweep},
	{"setup", policy_setup},
	{"health", policy_health},
};

static const struct program *program_find(const char *name)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		if (strcmp(programs[i].name, name) == 0) {
			return &programs[i];
		}
	}
	return NULL;
}

int command_iam_policy(struct run *run, int argc, char **argv)
{
	struct policy_command command;
	struct text out;
	if (!options_read(argc, argv, &command)) {
		return run_usage(argv[0]);
	}
	const struct program *program = program_find(command.program);
	const char *path = program == NULL ? command.daemon_settings : run->settings_path;
	int ret = -1;
	text_init(&out, 0);
	if (program == NULL && strcmp(command.program, "daemon") != 0) {
		text_fini(&out);
		return run_usage(argv[0]);
	}
	if (program == NULL) {
		ret = daemon_policy(&command, &out);
	} else if (run_settings(run) != NULL) {
		ret = program->policy(run->settings, &command.opts, &out);
	}
	int status = ret == -1 ? EXIT_USAGE : policy_status(&command, ret, path, &out);
	text_fini(&out);
	return status;
}
