/*
 * bench/load.c - the load client: options, the run's end, the report (one JSON object on stdout).
 */
#include "load_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
	"usage: bench_load -q LIST [options] ADDRESS\n"
	"  -t SECONDS  how long (1)\n"
	"  -n COUNT    or how many questions\n"
	"  -w WINDOW   outstanding at once (256)\n"
	"  -r RATE     questions/s, evenly spaced; else as fast as answers come\n"
	"  -s SOCKETS  UDP sockets (1)\n"
	"  -c CONNS    TCP, over so many connections\n"
	"  -S          spin instead of sleeping\n"
	"  -e          the other side only echoes\n"
	"  -F          ask the first question until it is answered; print when\n";

struct options {
	struct run run;
	const char *list;
	unsigned int window;
	bool echo;
	bool first;
};

static unsigned int number(const char *text, unsigned int most)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);
	if (*end != '\0' || value < 1 || value > most) {
		die("not a number from 1 to %u: %s", most, text);
	}
	return (unsigned int)value;
}

static void option(struct options *options, int c)
{
	struct run *run = &options->run;
	switch (c) {
	case 'q':
		options->list = optarg;
		break;
	case 't':
		run->seconds = atof(optarg);
		break;
	case 'n':
		run->count = number(optarg, 1000000000);
		break;
	case 'w':
		options->window = number(optarg, WINDOW_MAX);
		break;
	case 'r':
		run->rate = atof(optarg);
		break;
	case 's':
		run->sockets = number(optarg, 64);
		break;
	case 'c':
		run->conns = number(optarg, 64);
		break;
	case 'S':
		run->spin = true;
		break;
	case 'e':
		options->echo = true;
		break;
	case 'F':
		options->first = true;
		break;
	default:
		fputs(usage, stderr);
		exit(2);
	}
}

bool run_may_send(const struct run *run, uint64_t now_ns)
{
	const struct slots *slots = &run->slots;
	uint64_t sent = slots->result.sent;
	if (slots->free_count == 0 || (run->count != 0 && sent >= run->count)) {
		return false;
	}
	double elapsed = (double)(now_ns - run->began_ns) / 1e9;
	if (run->count == 0 && elapsed >= run->seconds) {
		return false;
	}
	return run->rate == 0 || (double)sent < elapsed * run->rate;
}

bool run_over(const struct run *run, uint64_t now_ns)
{
	const struct slots *slots = &run->slots;
	double elapsed = (double)(now_ns - run->began_ns) / 1e9;
	bool all_sent =
		run->count != 0 ? slots->result.sent >= run->count : elapsed >= run->seconds;
	return all_sent && slots->free_count == slots->window;
}

static void report(const struct run *run)
{
	const struct result *result = &run->slots.result;
	/* To the last answer: waiting for lost ones is not the server's pace. */
	double seconds = (double)(result->last_ns - run->began_ns) / 1e9;
	if (result->last_ns == 0) {
		seconds = run->seconds;
	}
	printf("{\"seconds\": %.6f, \"sent\": %" PRIu64 ", \"answered\": %" PRIu64, seconds,
	       result->sent, result->answered);
	printf(", \"wrong\": %" PRIu64 ", \"lost\": %" PRIu64 ", \"late\": %" PRIu64
	       ", \"broken\": %" PRIu64,
	       result->wrong, result->lost, result->late, result->broken);
	printf(", \"rate\": %.1f, \"rcode\": {", (double)result->answered / seconds);
	const char *comma = "";
	for (unsigned int i = 0; i < 16; i++) {
		if (result->rcode[i] != 0) {
			printf("%s\"%u\": %" PRIu64, comma, i, result->rcode[i]);
			comma = ", ";
		}
	}
	printf("}, \"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f",
	       (double)histo_quantile(&result->histo, 0.5) / 1e3,
	       (double)histo_quantile(&result->histo, 0.9) / 1e3,
	       (double)histo_quantile(&result->histo, 0.99) / 1e3,
	       (double)histo_quantile(&result->histo, 0.999) / 1e3);
	printf(", \"max_us\": %.1f, \"first_wrong\": \"%s\"}\n", (double)result->histo.max_ns / 1e3,
	       result->first_wrong);
}

int main(int argc, char **argv)
{
	static struct options options = {.run = {.seconds = 1, .sockets = 1}, .window = 256};
	int c;
	while ((c = getopt(argc, argv, "q:t:n:w:r:s:c:SeF")) != -1) {
		option(&options, c);
	}
	if (options.list == NULL || optind + 1 != argc) {
		fputs(usage, stderr);
		return 2;
	}
	static struct list list;
	struct run *run = &options.run;
	list_load(&list, options.list);
	run->server = sock_addr(argv[optind]);
	slots_init(&run->slots, &list, options.window, options.echo);
	if (options.first) {
		uint64_t when_ns = run_first(run);
		printf("{\"first_ns\": %" PRIu64 ", \"first_wrong\": \"%s\"}\n", when_ns,
		       run->slots.result.first_wrong);
		return when_ns != 0 ? 0 : 1;
	}
	if (run->conns != 0) {
		run_tcp(run);
	} else {
		run_udp(run);
	}
	report(run);
	return 0;
}
