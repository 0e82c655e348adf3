/* daemon/horizon_aws.c - the AWS side on any instance: options, commands, exit status. */
#include "horizon_aws_int.h"

#include "aws/ec2.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include "base/text.h"
#include <assert.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SETTINGS_DEFAULT "/etc/horizond/records.conf"

struct command {
	const char *name;
	command_fn *run;
	const char *usage;
	const char *help;
};

static const struct command commands[] = {
	{"register", command_register, "[--wait SECONDS] [--dry-run] [--boot]",
         "adds this instance's records"},
	{"deregister", command_deregister, "[--reason auto|reboot|stop|terminate] [--drain]",
         "removes what was registered"},
	{"sweep", command_sweep, "[--apply] [--plan-sum SUM] [--json]",
         "shows, or clears away, what dead machines left"},
	{"restore", command_restore, "RUN", "puts back what a run removed"},
	{"purge", command_purge, "--owner FLEET [--apply]",
         "shows, or removes, every record of a fleet"},
	{"iam-policy", command_iam_policy,
         "daemon|register|sweep|setup|health [--daemon-config FILE] [--region REGION] [--wait] "
         "[--drain]",
         "prints the least rights that a program needs"},
	{"dhcp-options", command_dhcp_options, "[--apply] [--revert[=ID]]",
         "hands the addresses of the settings to the instances of the VPC"},
	{"recovery-alarm", command_recovery_alarm, "[--apply]",
         "recovers the instance when its machine fails, and tells when the daemon is not well"},
	{"health", command_health, "", "puts the daemon's readiness into CloudWatch"},
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *to)
{
	fprintf(to, "usage: horizon-aws [-v] [-c FILE] [-t] COMMAND\n\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		fprintf(to, "  %s%s%s\n        %s\n", commands[i].name,
		        commands[i].usage[0] == '\0' ? "" : " ", commands[i].usage,
		        commands[i].help);
	}
	fprintf(to, "\n"
	            "  -c, --config FILE  settings (default " SETTINGS_DEFAULT ")\n"
	            "  -t, --test         only check the settings\n"
	            "  -v, --verbose      tell every step\n"
	            "  -V, --version      print the version and end\n"
	            "  -h, --help         this text\n\n"
	            "Exit status: 0 done or nothing to do, 1 failed, 2 usage or bad settings,\n"
	            "3 changes pending (dry run), 4 stopped by the brake, 5 evidence unknown.\n");
}

int run_usage(const char *command)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i].name, command) == 0) {
			fprintf(stderr, "usage: horizon-aws %s%s%s\n", command,
			        commands[i].usage[0] == '\0' ? "" : " ", commands[i].usage);
		}
	}
	return EXIT_USAGE;
}

int run_fail(int status, const char *format, ...)
{
	va_list args;
	fprintf(stderr, "horizon-aws: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}

/* The account may ask 10 times a second, all callers together. */
#define PACE_BURST 15
#define PACE_MS    200

static int pace(void *ctx, const char *operation)
{
	struct run *run = ctx;
	const struct timespec nap = {.tv_nsec = PACE_MS * 1000000L};
	if (++run->calls > PACE_BURST) {
		nanosleep(&nap, NULL);
	}
	return 0;
}

struct aws *run_aws(struct run *run)
{
	if (run->aws == NULL) {
		const struct aws_opts opts = {.region = "auto",
		                              .endpoint = "",
		                              .timeout_ms = run->timeout_ms,
		                              .cancel = run->cancel,
		                              .before = run->paced ? pace : NULL,
		                              .before_ctx = run};
		run->aws = aws_new(&opts);
	}
	if (run->aws == NULL) {
		run_fail(EXIT_FAILED, "no memory for a client of the API");
	}
	return run->aws;
}

struct aws_tags run_tags(const struct run *run)
{
	static_assert(sizeof(struct aws_tag) == sizeof(struct settings_pair) &&
	                      offsetof(struct aws_tag, value) ==
	                              offsetof(struct settings_pair, value),
	              "a tag is a pair");
	const struct settings_pairs *tags = &run->settings->tags;
	return (struct aws_tags){(const struct aws_tag *)tags->items, tags->count};
}

void run_lines(const char *lines)
{
	while (*lines != '\0') {
		size_t len = strcspn(lines, "\n");
		fprintf(stderr, "horizon-aws: %.*s\n", (int)len, lines);
		lines += len + (lines[len] == '\n');
	}
}

/* Metadata throttles, too, and is slow to come up: a few tries, unless the run is in a hurry. */
#define METADATA_TRIES 5

static int metadata_get(void *ctx, const char *path, char *buf, size_t size)
{
	const struct run *run = ctx;
	const struct timespec nap = {.tv_nsec = 300000000};
	for (unsigned int tries = 1;; tries++) {
		int ret = aws_metadata_get(run->aws, path, buf, size);
		bool passing = ret == FAIL_THROTTLED || ret == FAIL_NET || ret == FAIL_TIMEOUT ||
		               ret == FAIL_REMOTE;
		if (!passing || run->cancel != NULL || tries == METADATA_TRIES) {
			return ret;
		}
		nanosleep(&nap, NULL);
	}
}

int run_instance(struct run *run, struct arena *arena, uint64_t deadline_ms,
                 struct instance *ret_instance)
{
	const struct timespec nap = {.tv_sec = 1};
	for (;;) {
		int ret = instance_open(ret_instance, arena, metadata_get, run);
		if (ret == 0 || ret == FAIL_DENIED || ret == FAIL_NOTFOUND || ret == FAIL_FORMAT ||
		    mono_ms() + 1000 >= deadline_ms) {
			return ret;
		}
		nanosleep(&nap, NULL);
	}
}

struct options {
	const char *settings_path;
	bool test;
};

/* Returns -1 to go on, else the exit status. */
static int options_read(int argc, char **argv, struct options *ret)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'}, {"test", no_argument, NULL, 't'},
		{"verbose", no_argument, NULL, 'v'},      {"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
	};
	*ret = (struct options){.settings_path = SETTINGS_DEFAULT};
	int c;
	/* "+": what stands behind the command is the command's. */
	while ((c = getopt_long(argc, argv, "+c:tvVh", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			ret->settings_path = optarg;
			break;
		case 't':
			ret->test = true;
			break;
		case 'v':
			log_set_level(LOG_LEVEL_DEBUG);
			break;
		case 'V':
			printf("horizon-aws %s\n", HORIZON_VERSION);
			return EXIT_DONE;
		case 'h':
			usage(stdout);
			return EXIT_DONE;
		default:
			fprintf(stderr, "horizon-aws --help tells more\n");
			return EXIT_USAGE;
		}
	}
	return -1;
}

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i].name, name) == 0) {
			return &commands[i];
		}
	}
	return NULL;
}

/* NULL: told. */
static struct records_settings *settings_read(const char *path)
{
	struct records_settings *settings = NULL;
	struct text faults;
	text_init(&faults, 0);
	int ret = records_settings_load(path, &settings, &faults);
	if (ret == FAIL_FORMAT) {
		fputs(text_get(&faults), stderr);
	} else if (ret != 0) {
		run_fail(EXIT_USAGE, "%s: %s", path, fail_text(ret));
	}
	text_fini(&faults);
	return settings;
}

/* Commands that read the settings themselves, with run_settings(), if they need them at all. */
static bool command_lazy(const struct command *command)
{
	return command->run == command_iam_policy;
}

const struct records_settings *run_settings(struct run *run)
{
	if (run->settings == NULL) {
		run->settings = settings_read(run->settings_path);
	}
	return run->settings;
}

static int command_run(const struct command *command, const struct options *options, int argc,
                       char **argv)
{
	struct run run = {.settings_path = options->settings_path};
	int status = EXIT_DONE;
	if ((options->test || !command_lazy(command)) && run_settings(&run) == NULL) {
		return EXIT_USAGE;
	}
	if (!options->test) {
		optind = 0; /* glibc: begin anew, with another argv */
		status = command->run(&run, argc, argv);
	}
	aws_free(&run.aws);
	records_settings_free(&run.settings);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("horizon-aws: cannot write");
		return EXIT_FAILED;
	}
	return status;
}

int main(int argc, char **argv)
{
	struct options options;
	int status = options_read(argc, argv, &options);
	if (status >= 0) {
		return status;
	}
	if (optind == argc && options.test) {
		struct records_settings *settings = settings_read(options.settings_path);
		status = settings == NULL ? EXIT_USAGE : EXIT_DONE;
		records_settings_free(&settings);
		return status;
	}
	if (optind == argc) {
		usage(stderr);
		return EXIT_USAGE;
	}
	const struct command *command = command_find(argv[optind]);
	if (command == NULL) {
		return run_fail(EXIT_USAGE,
		                "there is no command `%.60s`; horizon-aws --help names them",
		                argv[optind]);
	}
	return command_run(command, &options, argc - optind, argv + optind);
}
