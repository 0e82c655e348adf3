#include "aws/creds_int.h"
#include "base/fail.h"
#include "base/mono.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMEOUT_MS 20000
#define OUTPUT_MAX 65536
#define WORDS_MAX  64

/* Waits are cut up, so that *cancel and idle get their turn. */
#define TURN_MS 100

extern char **environ;

/* --- Words --- */

/*
 * One word from *at on, into out: quotes of both kinds hold blanks together, a backslash takes the meaning from what
 * follows but within single quotes. False: a quote without an end.
 */
static bool word_read(const char **at, char **out)
{
	char quote = '\0';
	for (; **at != '\0'; (*at)++) {
		char c = **at;
		if (c == quote && quote != '\0') {
			quote = '\0';
		} else if (quote == '\0' && (c == '"' || c == '\'')) {
			quote = c;
		} else if (quote == '\0' && (c == ' ' || c == '\t')) {
			break;
		} else {
			if (c == '\\' && quote != '\'' && (*at)[1] != '\0') {
				c = *++(*at);
			}
			*(*out)++ = c;
		}
	}
	*(*out)++ = '\0';
	return quote == '\0';
}

/* Into one block: argv, then the words. NULL with *ret: FAIL_FORMAT (none, too many, an open quote), FAIL_NOMEM. */
static char **words_split(const char *command, int *ret)
{
	char **argv = calloc(1, (WORDS_MAX + 1) * sizeof(*argv) + 2 * strlen(command) + 2);
	*ret = FAIL_NOMEM;
	if (argv == NULL) {
		return NULL;
	}
	char *out = (char *)(argv + WORDS_MAX + 1);
	size_t count = 0;
	bool good = true;
	for (const char *at = command; good;) {
		at += strspn(at, " \t");
		if (*at == '\0') {
			break;
		}
		good = count < WORDS_MAX;
		if (good) {
			argv[count++] = out;
			good = word_read(&at, &out);
		}
	}
	if (!good || count == 0) {
		free(argv);
		*ret = FAIL_FORMAT;
		return NULL;
	}
	*ret = 0;
	return argv;
}

/* --- The program --- */

struct run {
	const struct creds_process *process;
	pid_t pid;
	int out; /* our end of its output */
	char text[OUTPUT_MAX + 1];
	size_t len;
};

static int attributes_set(posix_spawnattr_t *attr, posix_spawn_file_actions_t *actions, int out)
{
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	/* A group of its own: what it starts ends with it. Our thread has all signals blocked. */
	int ret = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
	                                                 POSIX_SPAWN_SETSIGDEF);
	ret = ret != 0 ? ret : posix_spawnattr_setpgroup(attr, 0);
	ret = ret != 0 ? ret : posix_spawnattr_setsigmask(attr, &none);
	ret = ret != 0 ? ret : posix_spawnattr_setsigdefault(attr, &all);
	ret = ret != 0 ? ret
	               : posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
	ret = ret != 0 ? ret : posix_spawn_file_actions_adddup2(actions, out, 1);
	return ret != 0 ? ret
	                : posix_spawn_file_actions_addopen(actions, 2, "/dev/null", O_WRONLY, 0);
}

static int spawn(struct run *run, char **argv)
{
	int ends[2];
	posix_spawnattr_t attr;
	posix_spawn_file_actions_t actions;
	if (pipe2(ends, O_CLOEXEC) != 0) {
		return -errno;
	}
	int ret = posix_spawnattr_init(&attr);
	if (ret == 0) {
		ret = posix_spawn_file_actions_init(&actions);
		if (ret == 0) {
			ret = attributes_set(&attr, &actions, ends[1]);
			ret = ret != 0 ? ret
			               : posix_spawnp(&run->pid, argv[0], &actions, &attr, argv,
			                              environ);
			posix_spawn_file_actions_destroy(&actions);
		}
		posix_spawnattr_destroy(&attr);
	}
	close(ends[1]);
	if (ret != 0) {
		close(ends[0]);
		return -ret;
	}
	run->out = ends[0];
	return 0;
}

/* What is there now. *ret_end: it has closed its output. */
static int some_read(struct run *run, bool *ret_end)
{
	ssize_t n = read(run->out, run->text + run->len, OUTPUT_MAX + 1 - run->len);
	if (n < 0) {
		return errno == EINTR ? 0 : -errno;
	}
	run->len += (size_t)n;
	*ret_end = n == 0;
	return run->len > OUTPUT_MAX ? FAIL_LIMIT : 0;
}

static bool cancelled(const struct creds_process *process)
{
	return process->cancel != NULL && __atomic_load_n(process->cancel, __ATOMIC_ACQUIRE);
}

/* All of its output, then its end; *ret_status as waitpid has it. */
static int run_watch(struct run *run, int *ret_status)
{
	const struct creds_process *process = run->process;
	uint64_t until_ms = mono_ms() + TIMEOUT_MS;
	bool end = false;
	for (;;) {
		if (cancelled(process)) {
			return FAIL_SHUTDOWN;
		}
		if (mono_ms() >= until_ms) {
			return FAIL_TIMEOUT;
		}
		struct pollfd fd = {.fd = end ? -1 : run->out, .events = POLLIN};
		int ready = poll(&fd, 1, end ? 10 : TURN_MS);
		if (ready > 0) {
			int ret = some_read(run, &end);
			if (ret != 0) {
				return ret;
			}
		}
		if (end && waitpid(run->pid, ret_status, WNOHANG) == run->pid) {
			run->pid = 0;
			return 0;
		}
		if (process->idle != NULL) {
			process->idle(process->idle_ctx);
		}
	}
}

static int run_to_end(struct run *run, char **argv, char *why, size_t why_size)
{
	int status = 0;
	int ret = spawn(run, argv);
	if (ret != 0) {
		snprintf(why, why_size, "credential_process: %.96s: %s", argv[0], fail_text(ret));
		return ret;
	}
	ret = run_watch(run, &status);
	close(run->out);
	if (run->pid > 0) {
		kill(-run->pid, SIGKILL);
		waitpid(run->pid, NULL, 0);
	}
	if (ret != 0) {
		snprintf(why, why_size, "credential_process: %s", fail_text(ret));
	} else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		/* What it printed may hold secrets: it is not told. */
		snprintf(why, why_size, "credential_process: %s %d",
		         WIFEXITED(status) ? "exit status" : "ended by signal",
		         WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
		ret = FAIL_REMOTE;
	}
	return ret;
}

int creds_process__run(const struct creds_process *process, struct creds *ret_creds, char *why,
                       size_t why_size)
{
	int ret = 0;
	char **argv = words_split(process->command, &ret);
	if (argv == NULL) {
		snprintf(why, why_size,
		         "credential_process: not 1 to %d words: a quote without an "
		         "end?",
		         WORDS_MAX);
		return ret == FAIL_NOMEM ? ret : -EINVAL;
	}
	struct run *run = calloc(1, sizeof(*run));
	ret = FAIL_NOMEM;
	if (run != NULL) {
		run->process = process;
		ret = run_to_end(run, argv, why, why_size);
		if (ret == 0) {
			run->text[run->len] = '\0';
			ret = creds__json_process(run->text, ret_creds, why, why_size);
		}
		explicit_bzero(run, sizeof(*run));
	}
	free(run);
	free(argv);
	return ret == FAIL_NOTFOUND ? FAIL_REMOTE : ret;
}
