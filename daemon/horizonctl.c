/* daemon/horizonctl.c - asks the daemon over its control socket: options, commands, exit status. */
#include "horizonctl_int.h"

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOCKET_DEFAULT "/run/horizond/control"
#define WORDS_MAX      8

struct command {
	const char *name;
	size_t args_min;
	size_t args_max;
	print_fn *print;
	bool (*fits)(const char *const *words, size_t count); /* NULL: the number of words is all */
	const char *usage;
	const char *help;
};

/* NAME [TYPE] [from ADDRESS] */
static bool explain_fits(const char *const *words, size_t count)
{
	size_t at = count > 2 && strcmp(words[2], "from") != 0 ? 3 : 2;
	return at == count || (at + 2 == count && strcmp(words[at], "from") == 0);
}

static bool zones_fits(const char *const *words, size_t count)
{
	return count < 3 || strcmp(words[2], "--faults") == 0;
}

static const struct command commands[] = {
	{"status", 0, 0, print_status, NULL, "", "the daemon at a glance"},
	{"zones", 0, 2, print_zones, zones_fits, "[NAME|ID [--faults]]",
         "private zones, and what cannot be read of them"},
	{"rules", 0, 0, print_rules, NULL, "", "which names go where"},
	{"upstreams", 0, 0, print_upstreams, NULL, "",
         "the servers that are asked, and how they do"},
	{"explain", 1, 4, print_explain, explain_fits, "NAME [TYPE] [from ADDRESS]",
         "asks, and tells why the answer is what it is"},
	{"flush", 1, 1, print_flush, NULL, "NAME|SUFFIX.|all",
         "forgets cached answers: of a name; with a dot, of all below too"},
	{"sync", 0, 2, print_sync, NULL, "[ZONE [--accept]]",
         "looks at the zones now; --accept: serves what is held back of one"},
	{"check", 1, 1, print_check, NULL, "FILE",
         "has the daemon read a file of settings, and tells its faults"},
	{"diff", 0, 0, print_diff, NULL, "", "what a reload would change"},
	{"reload", 0, 0, print_reload, NULL, "", "reads the settings again"},
	{"top", 0, 0, NULL, NULL, "", "questions and answers a second, until Ctrl-C"},
	{"log", 1, 1, print_log, NULL, "LEVEL",
         "error, warn, notice, info or debug, until the next reload"},
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *to)
{
	fprintf(to, "usage: horizonctl [-s SOCKET] [--json] COMMAND\n\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		char line[64];
		snprintf(line, sizeof(line), "%s %s", commands[i].name, commands[i].usage);
		fprintf(to, "  %-36s %s\n", line, commands[i].help);
	}
	fprintf(to,
	        "\n"
	        "  -s, --socket SOCKET  control socket of the daemon (default " SOCKET_DEFAULT ")\n"
	        "  -j, --json           the answer as one JSON object\n"
	        "  -V, --version        print the version and end\n"
	        "  -h, --help           this text\n\n"
	        "Exit status: 0 done, 1 refused or failed, 2 usage, 3 no daemon.\n");
}

struct options {
	const char *socket_path;
	bool as_json;
};

/* Returns -1 to go on, else the exit status. */
static int options_read(int argc, char **argv, struct options *ret)
{
	static const struct option longs[] = {
		{"socket", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	*ret = (struct options){.socket_path = SOCKET_DEFAULT};
	int c;
	/* "+": what stands behind the command is the command's (zones NAME --faults). */
	while ((c = getopt_long(argc, argv, "+s:jVh", longs, NULL)) != -1) {
		switch (c) {
		case 's':
			ret->socket_path = optarg;
			break;
		case 'j':
			ret->as_json = true;
			break;
		case 'V':
			printf("horizonctl %s\n", HORIZON_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			fprintf(stderr, "horizonctl --help tells more\n");
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

/* NULL: usage was told. */
static const struct command *command_of(const char *const *words, size_t count)
{
	if (count == 0) {
		usage(stderr);
		return NULL;
	}
	const struct command *command = command_find(words[0]);
	if (command == NULL) {
		fprintf(stderr, "horizonctl: there is no command `");
		print_clean(stderr, words[0]);
		fprintf(stderr, "`; horizonctl --help names them\n");
		return NULL;
	}
	if (count - 1 < command->args_min || count - 1 > command->args_max ||
	    (command->fits != NULL && !command->fits(words, count))) {
		fprintf(stderr, "usage: horizonctl %s%s%s\n", command->name,
		        command->usage[0] != '\0' ? " " : "", command->usage);
		return NULL;
	}
	return command;
}

/* The daemon stands in another folder, so a file needs its whole path. NULL: it has none. */
static const char *whole_path(const char *file)
{
	static char path[2 * PATH_MAX];
	char here[PATH_MAX];
	if (file[0] == '/') {
		return file;
	}
	if (getcwd(here, sizeof(here)) == NULL || strlen(file) >= PATH_MAX) {
		return NULL;
	}
	snprintf(path, sizeof(path), "%s/%s", here, file);
	return path;
}

static void print_json(const json_t *answer)
{
	json_dumpf(answer, stdout, JSON_INDENT(2));
	putchar('\n');
}

static int finish(const struct options *options, const struct command *command,
                  const char *const *words, const json_t *answer)
{
	int status = (int)number_of(answer, "exit");
	if (options->as_json) {
		print_json(answer);
	} else if (status == 0) {
		command->print(answer, words);
	} else {
		print_lines(stderr, json_object_get(answer, "faults"), "");
		fprintf(stderr, "horizonctl: ");
		print_clean(stderr, text_of(answer, "error"));
		fputc('\n', stderr);
	}
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("horizonctl: cannot write");
		return EXIT_REFUSED;
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
	const char *words[WORDS_MAX] = {NULL};
	size_t count = (size_t)(argc - optind);
	for (size_t i = 0; i < count && i < WORDS_MAX; i++) {
		words[i] = argv[(size_t)optind + i];
	}
	const struct command *command = command_of(words, count);
	if (command == NULL) {
		return EXIT_USAGE;
	}
	if (strcmp(command->name, "top") == 0) {
		return top(options.socket_path, options.as_json);
	}
	if (strcmp(command->name, "check") == 0) {
		words[1] = whole_path(words[1]);
		if (words[1] == NULL) {
			fprintf(stderr, "horizonctl: the file's path is too long\n");
			return EXIT_REFUSED;
		}
	}
	json_t *answer = talk(options.socket_path, words, count);
	status = finish(&options, command, words, answer);
	json_decref(answer);
	return status;
}
