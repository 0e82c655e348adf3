/* daemon/horizon_aws_deregister.c - deregister: removes what was registered, as far as the reason goes. */
#include "horizon_aws_int.h"

#include "aws/ec2.h"
#include "base/fail.h"
#include "base/mono.h"
#include "records/api_aws.h"
#include "records/register.h"
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARENA_CHUNK (64 * 1024)

/* All of it takes less than 5 s, whatever the network does: no call begins after the one, none lives past the other. */
#define BEGIN_MS  4000
#define CANCEL_MS 4600
#define CALL_MS   2500

#define JOBS_MS 1000

static bool cancelled;

static void on_alarm(int signal_number)
{
	__atomic_store_n(&cancelled, true, __ATOMIC_RELAXED);
}

/* ms 0: no more. */
static void alarm_set(unsigned int ms)
{
	const struct sigaction action = {.sa_handler = on_alarm};
	const struct itimerval timer = {
		.it_value = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000}};
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* --- Why the machine goes down --- */

enum goes_down {
	DOWN_NOT, /* nobody shuts it down */
	DOWN_REBOOT,
	DOWN_OFF,
};

/* All that the pipe gives within JOBS_MS. */
static void pipe_read(int fd, char *buf, size_t size)
{
	size_t len = 0;
	uint64_t until_ms = mono_ms() + JOBS_MS;
	while (len + 1 < size) {
		uint64_t now_ms = mono_ms();
		struct pollfd pollfd = {.fd = fd, .events = POLLIN};
		if (now_ms >= until_ms || poll(&pollfd, 1, (int)(until_ms - now_ms)) <= 0) {
			break;
		}
		ssize_t got = read(fd, buf + len, size - len - 1);
		if (got <= 0) {
			break;
		}
		len += (size_t)got;
	}
	buf[len] = '\0';
}

/* systemd's job queue, as systemctl prints it; "" when there is none. */
static void jobs_read(char *buf, size_t size)
{
	extern char **environ;
	char name[] = "systemctl";
	char list[] = "list-jobs";
	char plain[] = "--plain";
	char bare[] = "--no-legend";
	char *const argv[] = {name, list, plain, bare, NULL};
	int ends[2];
	pid_t pid;
	posix_spawn_file_actions_t actions;
	buf[0] = '\0';
	if (pipe2(ends, O_CLOEXEC) != 0) {
		return;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	int ret = posix_spawnp(&pid, name, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (ret == 0) {
		pipe_read(ends[0], buf, size);
		kill(pid, SIGKILL); /* done, or too slow */
		waitpid(pid, NULL, 0);
	}
	close(ends[0]);
}

/* "3 reboot.target start waiting": a job that starts one of these targets. */
static enum goes_down goes_down_find(void)
{
	static const struct {
		const char *target;
		enum goes_down down;
	} targets[] = {
		{"reboot.target", DOWN_REBOOT},      {"kexec.target", DOWN_REBOOT},
		{"soft-reboot.target", DOWN_REBOOT}, {"poweroff.target", DOWN_OFF},
		{"halt.target", DOWN_OFF},
	};
	char jobs[65536];
	jobs_read(jobs, sizeof(jobs));
	char *rest = jobs;
	for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
		char unit[256] = "";
		char type[32] = "";
		if (sscanf(line, " %*s %255s %31s", unit, type) != 2 ||
		    strcmp(type, "start") != 0) {
			continue;
		}
		for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
			if (strcmp(targets[i].target, unit) == 0) {
				return targets[i].down;
			}
		}
	}
	return DOWN_NOT;
}

/* Stop and terminate look alike to systemd; autoscaling and the spot market tell them apart. */
static enum register_reason reason_find(struct instance *instance)
{
	switch (goes_down_find()) {
	case DOWN_REBOOT:
		return REGISTER_REBOOT;
	case DOWN_OFF:
		return instance != NULL && instance_end(instance) == INSTANCE_TERMINATES
		               ? REGISTER_TERMINATE
		               : REGISTER_STOP;
	default:
		return REGISTER_TERMINATE;
	}
}

/* --- The command --- */

struct args {
	bool reason_known;
	enum register_reason reason;
	bool drain;
};

static bool reason_read(const char *word, struct args *args)
{
	static const char *const words[] = {"reboot", "stop",
	                                    "terminate"}; /* as the enum has them */
	args->reason_known = strcmp(word, "auto") != 0;
	for (unsigned int i = 0; i < 3; i++) {
		if (strcmp(words[i], word) == 0) {
			args->reason = (enum register_reason)i;
			return true;
		}
	}
	return !args->reason_known;
}

static bool args_read(int argc, char **argv, struct args *ret_args)
{
	static const struct option longs[] = {
		{"reason", required_argument, NULL, 'r'},
		{"drain", no_argument, NULL, 'd'},
		{NULL, 0, NULL, 0},
	};
	int c;
	*ret_args = (struct args){0};
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'd') {
			ret_args->drain = true;
		} else if (c != 'r' || !reason_read(optarg, ret_args)) {
			return false;
		}
	}
	return optind == argc;
}

/* Answers that are out there live for one TTL; then the instance may go. */
static int drain(struct run *run, const struct records_api *api, const struct instance *instance,
                 uint32_t ttl_s)
{
	if (instance == NULL) {
		return run_fail(
			EXIT_FAILED,
			"the lifecycle action cannot be completed: instance metadata keeps silent");
	}
	printf("waiting %u s, one TTL\n", ttl_s);
	fflush(stdout);
	api->pause(api->ctx, UINT64_C(1000) * ttl_s);
	char group[256] = "";
	aws_metadata_get(run->aws, "meta-data/tags/instance/aws:autoscaling:groupName", group,
	                 sizeof(group));
	int ret = aws_lifecycle_complete(run->aws, instance->id, group, "");
	if (ret != 0) {
		return run_fail(EXIT_FAILED, "the lifecycle action of %s is not completed: %s",
		                instance->id, aws_trouble(run->aws));
	}
	printf("the lifecycle action of %s is completed\n", instance->id);
	return EXIT_DONE;
}

static int deregister_do(struct run *run, const struct args *args, struct arena *arena)
{
	struct records_api api;
	struct instance instance;
	struct register_report report;
	uint64_t deadline_ms = mono_ms() + BEGIN_MS;
	records_api_aws(run->aws, &api);
	register_report_init(&report);
	report.changed = hint_send;
	report.changed_ctx = run;
	bool known = run_instance(run, arena, 0, &instance) == 0;
	const struct register_opts opts = {
		.settings = run->settings,
		.api = &api,
		.instance = known ? &instance : NULL,
		.arena = arena,
		.deadline_ms = deadline_ms,
		.reason = args->reason_known ? args->reason : reason_find(known ? &instance : NULL),
	};
	deregister_run(&opts, &report);
	alarm_set(0);
	__atomic_store_n(&cancelled, false, __ATOMIC_RELAXED);
	fputs(text_get(&report.out), stdout);
	run_lines(text_get(&report.faults));
	int status = report.failed ? EXIT_FAILED : EXIT_DONE;
	if (report.failed) {
		run_fail(EXIT_FAILED, "what is left is left to the sweep");
	}
	if (args->drain) {
		int drained = drain(run, &api, opts.instance, report.ttl_max_s);
		status = drained != EXIT_DONE ? drained : status;
	}
	register_report_fini(&report);
	return status;
}

int command_deregister(struct run *run, int argc, char **argv)
{
	struct args args;
	struct arena arena;
	if (!args_read(argc, argv, &args)) {
		return run_usage(argv[0]);
	}
	alarm_set(CANCEL_MS);
	run->timeout_ms = CALL_MS;
	run->cancel = &cancelled;
	if (run_aws(run) == NULL) {
		return EXIT_FAILED;
	}
	arena_init(&arena, ARENA_CHUNK, 0);
	int status = deregister_do(run, &args, &arena);
	arena_fini(&arena);
	return status;
}
