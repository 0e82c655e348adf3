/* daemon/horizonctl_top.c - rates: the daemon's counters, read once a second. */
#include "horizonctl_int.h"

#include "base/mono.h"
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CLEAR_SCREEN "\033[H\033[2J"

struct look {
	uint64_t at_us;
	json_t *status;
	json_t *upstreams;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	interrupted = 1;
}

static void look_fini(struct look *look)
{
	json_decref(look->status);
	json_decref(look->upstreams);
	*look = (struct look){0};
}

/* 0, or the exit status, and the answer that says why in look->status. */
static int look_take(struct look *look, const char *socket_path)
{
	const char *status[] = {"status"};
	const char *upstreams[] = {"upstreams"};
	*look = (struct look){.status = talk(socket_path, status, 1)};
	look->at_us = mono_us();
	int exit_status = (int)number_of(look->status, "exit");
	if (exit_status != 0) {
		return exit_status;
	}
	look->upstreams = talk(socket_path, upstreams, 1);
	exit_status = (int)number_of(look->upstreams, "exit");
	if (exit_status != 0) {
		json_t *kept = look->status;
		look->status = look->upstreams;
		look->upstreams = kept;
	}
	return exit_status;
}

/* A counter that has become smaller began anew: the daemon was started, or the upstream is another. */
static double rate(double before, double after, double seconds)
{
	return after < before ? 0 : (after - before) / seconds;
}

static json_t *rates_of(const json_t *before, const json_t *after, double seconds)
{
	json_t *rates = json_object();
	const char *name;
	json_t *value;
	json_object_foreach ((json_t *)(uintptr_t)after, name, value) {
		json_object_set_new(rates, name,
		                    json_real(rate(number_of(before, name),
		                                   json_number_value(value), seconds)));
	}
	return rates;
}

static double mean_ms(const json_t *before, const json_t *after)
{
	double count = number_of(after, "count") - number_of(before, "count");
	double sum = number_of(after, "sum") - number_of(before, "sum");
	return count > 0 && sum > 0 ? sum / count * 1000 : 0;
}

/* The same target under the same rule, a look earlier. */
static const json_t *upstream_before(const json_t *list, const json_t *upstream)
{
	size_t i;
	const json_t *other;
	json_array_foreach ((json_t *)(uintptr_t)list, i, other) {
		if (strcmp(text_of(other, "rule"), text_of(upstream, "rule")) == 0 &&
		    strcmp(text_of(other, "target"), text_of(upstream, "target")) == 0) {
			return other;
		}
	}
	return upstream;
}

static json_t *upstream_rates(const json_t *before, const json_t *after, double seconds)
{
	json_t *list = json_array();
	size_t i;
	json_t *upstream;
	json_array_foreach ((json_t *)(uintptr_t)after, i, upstream) {
		const json_t *earlier = upstream_before(before, upstream);
		json_t *row = json_copy(upstream);
		static const char *const keys[] = {"queries", "failures"};
		for (size_t k = 0; k < 2; k++) {
			json_object_set_new(row, keys[k],
			                    json_real(rate(number_of(earlier, keys[k]),
			                                   number_of(upstream, keys[k]), seconds)));
		}
		json_array_append_new(list, row);
	}
	return list;
}

static json_t *rates_between(const struct look *before, const struct look *after)
{
	static const char *const families[] = {"queries", "clients", "answers", "answers_from",
	                                       "dropped"};
	double seconds = (double)(after->at_us - before->at_us) / 1e6;
	json_t *rates = json_pack("{s:i, s:f}", "exit", 0, "seconds", seconds);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		json_object_set_new(rates, families[i],
		                    rates_of(json_object_get(before->status, families[i]),
		                             json_object_get(after->status, families[i]), seconds));
	}
	json_object_set_new(rates, "mean_ms",
	                    json_real(mean_ms(json_object_get(before->status, "answer_seconds"),
	                                      json_object_get(after->status, "answer_seconds"))));
	json_object_set_new(rates, "upstreams",
	                    upstream_rates(json_object_get(before->upstreams, "upstreams"),
	                                   json_object_get(after->upstreams, "upstreams"),
	                                   seconds));
	return rates;
}

/* --- On the screen --- */

static void print_rate_line(const json_t *rates, const char *label, const char *key)
{
	printf("%-16s", label);
	print_counts(json_object_get(rates, key), true);
}

static void print_upstream_rates(const json_t *list)
{
	static const char *const heads[] = {"RULE",       "TARGET",      "STATE", ">RTT",
	                                    ">QUERIES/S", ">FAILURES/S", NULL};
	struct table table;
	size_t i;
	const json_t *row;
	table_begin(&table, heads);
	json_array_foreach ((json_t *)(uintptr_t)list, i, row) {
		table_cell(&table, text_of(row, "rule"));
		table_cell(&table, text_of(row, "target"));
		table_cell(&table, json_is_true(json_object_get(row, "up")) ? "up" : "down");
		if (json_is_number(json_object_get(row, "rtt_ms"))) {
			table_cellf(&table, "%.1f ms", number_of(row, "rtt_ms"));
		} else {
			table_cell(&table, "");
		}
		table_cellf(&table, "%.1f", number_of(row, "queries"));
		table_cellf(&table, "%.1f", number_of(row, "failures"));
	}
	table_end(&table);
}

static void print_screen(const json_t *status, const json_t *rates)
{
	char up[SHORT_MAX];
	char used[SHORT_MAX];
	char size[SHORT_MAX];
	const json_t *cache = json_object_get(status, "cache");
	bool ready = json_is_true(json_object_get(status, "ready"));
	if (isatty(STDOUT_FILENO)) {
		fputs(CLEAR_SCREEN, stdout);
	}
	printf("horizond ");
	print_clean(stdout, text_of(status, "version"));
	printf(", up %s, %s", duration_text(number_of(status, "uptime"), up),
	       ready ? "ready" : "not ready: ");
	print_clean(stdout, text_of(status, "why"));
	puts("\n");
	print_rate_line(rates, "questions/s", "queries");
	print_rate_line(rates, "by clients", "clients");
	print_rate_line(rates, "answers/s", "answers");
	print_rate_line(rates, "from", "answers_from");
	print_rate_line(rates, "dropped/s", "dropped");
	printf("%-16s%.3f ms\n", "mean time", number_of(rates, "mean_ms"));
	printf("%-16s%s of %s, %.0f answers\n\n", "cache",
	       size_text(number_of(cache, "bytes"), used),
	       size_text(number_of(cache, "size"), size), number_of(cache, "entries"));
	print_upstream_rates(json_object_get(rates, "upstreams"));
	putchar('\n');
	fflush(stdout);
}

/* --- The rounds --- */

static int top_fail(const struct look *look, bool as_json, int status)
{
	if (as_json) {
		json_dumpf(look->status, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		fprintf(stderr, "horizonctl: ");
		print_clean(stderr, text_of(look->status, "error"));
		fputc('\n', stderr);
	}
	return status;
}

static void show(const struct look *before, const struct look *after, bool as_json)
{
	json_t *rates = rates_between(before, after);
	if (as_json) {
		json_dumpf(rates, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		print_screen(after->status, rates);
	}
	json_decref(rates);
}

int top(const char *socket_path, bool as_json)
{
	const struct sigaction on_int = {.sa_handler =
	                                         on_interrupt}; /* no SA_RESTART: ends the wait */
	const struct timespec second = {.tv_sec = 1};
	struct look before;
	struct look after = {0};
	sigaction(SIGINT, &on_int, NULL);
	int status = look_take(&before, socket_path);
	if (status != 0) {
		top_fail(&before, as_json, status);
	}
	bool more = status == 0;
	while (more && nanosleep(&second, NULL) == 0 && !interrupted) {
		status = look_take(&after, socket_path);
		if (status == 0) {
			show(&before, &after, as_json);
		} else if (!interrupted) {
			top_fail(&after, as_json, status);
		}
		look_fini(&before);
		before = after;
		more = status == 0 && !as_json && ferror(stdout) == 0;
	}
	look_fini(&before);
	return interrupted ? 0 : status;
}
