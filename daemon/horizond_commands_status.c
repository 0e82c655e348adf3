/*
 * daemon/horizond_commands_status.c - the daemon at a glance, and the counters that `horizonctl top` makes rates of.
 *
 * The workers' counters are read as /metrics shows them: so both say the same, and a counter is summed up in one place.
 */
#include "horizond_commands_int.h"

#include "base/epoch.h"
#include "base/log.h"
#include "base/mono.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- Reading our own metrics --- */

/* A line `{a="x",b="y"} 12`, from its brace on: the value of one label, and the number. */
static bool sample_read(const char *line, const char *label, char *value, size_t value_size,
                        double *ret_number)
{
	char wanted[32];
	snprintf(wanted, sizeof(wanted), "%s=\"", label);
	size_t line_len = strcspn(line, "\n");
	const char *at = memmem(line, line_len, wanted, strlen(wanted));
	const char *end = memmem(line, line_len, "} ", 2);
	if (at == NULL || end == NULL || at > end) {
		return false;
	}
	at += strlen(wanted);
	size_t len = strcspn(at, "\"");
	if (len >= value_size) {
		return false;
	}
	memcpy(value, at, len);
	value[len] = '\0';
	*ret_number = strtod(end + 2, NULL);
	return true;
}

/* Sums of a family by one of its labels: {"udp": 12, "tcp": 3}. */
static json_t *family_by(const char *metrics, const char *family, const char *label)
{
	json_t *sums = json_object();
	size_t family_len = strlen(family);
	for (const char *line = metrics; *line != '\0';) {
		char value[64];
		double number;
		if (strncmp(line, family, family_len) == 0 && line[family_len] == '{' &&
		    sample_read(line + family_len, label, value, sizeof(value), &number)) {
			json_int_t before = json_integer_value(json_object_get(sums, value));
			json_object_set_new(sums, value, json_integer(before + (json_int_t)number));
		}
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return sums;
}

/* A sample without labels; 0 when there is none. */
static double sample_of(const char *metrics, const char *name)
{
	char wanted[64];
	int len = snprintf(wanted, sizeof(wanted), "\n%s ", name);
	const char *at = strstr(metrics, wanted);
	return at == NULL ? 0 : strtod(at + len, NULL);
}

static void put_counters(struct horizond *h, json_t *answer)
{
	static const struct {
		const char *key;
		const char *family;
		const char *label;
	} families[] = {
		{"queries", "horizond_queries_total", "proto"},
		{"clients", "horizond_queries_total", "may"},
		{"answers", "horizond_answers_total", "rcode"},
		{"answers_from", "horizond_answers_from_total", "source"},
		{"dropped", "horizond_dropped_total", "reason"},
	};
	struct text metrics;
	text_init(&metrics, 0);
	server_metrics(h->server, &metrics);
	const char *text = text_get(&metrics);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		json_object_set_new(answer, families[i].key,
		                    family_by(text, families[i].family, families[i].label));
	}
	json_t *seconds =
		json_pack("{s:f, s:I}", "sum", sample_of(text, "horizond_answer_seconds_sum"),
	                  "count", (json_int_t)sample_of(text, "horizond_answer_seconds_count"));
	json_object_set_new(answer, "answer_seconds", seconds);
	text_fini(&metrics);
}

/* --- The parts --- */

static json_t *zones_part(struct horizond *h)
{
	size_t loaded = 0;
	size_t faulty = 0;
	struct zones *zones = world_zones(h->world);
	size_t count = zones_count(zones);
	for (size_t i = 0; i < count; i++) {
		const struct zone *zone = zones_get(zones, i)->zone;
		if (zone != NULL) {
			struct zone_stats stats;
			zone_get_stats(zone, &stats);
			loaded++;
			faulty += stats.faults != 0;
		}
	}
	zones_unref(&zones);
	return json_pack("{s:I, s:I, s:I}", "all", (json_int_t)count, "loaded", (json_int_t)loaded,
	                 "with_faults", (json_int_t)faulty);
}

struct upstream_sum {
	json_int_t all, up, queries, failures;
};

static void upstream_count(void *ctx, const struct forward_target_state *state)
{
	struct upstream_sum *sum = ctx;
	sum->all++;
	sum->up += state->up;
	sum->queries += (json_int_t)state->queries;
	sum->failures += (json_int_t)state->failures;
}

static json_t *upstreams_part(struct horizond *h)
{
	struct upstream_sum sum = {0};
	forward_each_target(h->forward, upstream_count, &sum);
	return json_pack("{s:I, s:I, s:I, s:I}", "all", sum.all, "up", sum.up, "queries",
	                 sum.queries, "failures", sum.failures);
}

static json_t *cache_part(struct horizond *h)
{
	struct cache_stats stats;
	cache_get_stats(h->cache, &stats);
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "bytes", (json_int_t)stats.bytes, "size",
	                 (json_int_t)h->settings->cache.size, "entries", (json_int_t)stats.entries,
	                 "stored", (json_int_t)stats.stored, "evicted", (json_int_t)stats.evicted);
}

static size_t rules_all(const struct horizond *h)
{
	epoch_read_begin();
	size_t count = rules_count(world_get(h->world)->rules);
	epoch_read_end();
	return count;
}

/* Well, ready, and if not: why. */
static void put_health(struct horizond *h, json_t *answer)
{
	char why[256] = "";
	bool healthy = horizond_healthy(h, why, sizeof(why));
	bool ready = healthy && horizond_ready(h, why, sizeof(why));
	json_object_set_new(answer, "healthy", json_boolean(healthy));
	json_object_set_new(answer, "ready", json_boolean(ready));
	put_text(answer, "why", ready ? "" : why);
}

void command_status(void *ctx, struct control_call *call, const char *const *words, size_t count)
{
	struct horizond *h = ctx;
	json_t *answer = json_pack("{s:s, s:i, s:I, s:f, s:s}", "version", HORIZON_VERSION, "pid",
	                           (int)getpid(), "started", (json_int_t)h->started_wall_s,
	                           "uptime", (double)(mono_us() - h->started_us) / 1e6, "log",
	                           log_level_text(log_get_level()));
	put_text(answer, "file", h->config_path);
	put_health(h, answer);
	json_object_set_new(answer, "reloads",
	                    json_pack("{s:I, s:I}", "ok", (json_int_t)h->reloads_ok, "refused",
	                              (json_int_t)h->reloads_bad));
	json_object_set_new(answer, "zones", zones_part(h));
	json_object_set_new(answer, "rules", json_integer((json_int_t)rules_all(h)));
	json_object_set_new(answer, "upstreams", upstreams_part(h));
	json_object_set_new(answer, "cache", cache_part(h));
	put_counters(h, answer);
	control_answer(call, answer);
}
