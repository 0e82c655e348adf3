/* daemon/horizonctl_print.c - each command's answer, laid out for people. */
#include "horizonctl_int.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void print_lines(FILE *to, const json_t *lines, const char *before)
{
	size_t i;
	const json_t *line;
	json_array_foreach ((json_t *)(uintptr_t)lines, i, line) {
		fputs(before, to);
		print_clean(to, json_string_value(line) == NULL ? "" : json_string_value(line));
		fputc('\n', to);
	}
}

void print_counts(const json_t *counts, bool per_second)
{
	const char *name;
	json_t *value;
	const char *between = "";
	json_object_foreach ((json_t *)(uintptr_t)counts, name, value) {
		double number = json_number_value(value);
		if (number == 0) {
			continue;
		}
		fputs(between, stdout);
		print_clean(stdout, name);
		printf(per_second ? " %.1f" : " %.0f", number);
		between = ", ";
	}
	puts(between[0] == '\0' ? "none" : "");
}

/* --- status --- */

static void print_head(const json_t *answer)
{
	char up[SHORT_MAX];
	const char *why = text_of(answer, "why");
	printf("horizond ");
	print_clean(stdout, text_of(answer, "version"));
	printf(", pid %.0f, up %s: ", number_of(answer, "pid"),
	       duration_text(number_of(answer, "uptime"), up));
	if (json_is_true(json_object_get(answer, "ready"))) {
		puts("ready");
	} else {
		printf("%s: ",
		       json_is_true(json_object_get(answer, "healthy")) ? "not ready" : "not well");
		print_clean(stdout, why);
		putchar('\n');
	}
}

static void print_cache(const json_t *cache)
{
	char used[SHORT_MAX];
	char size[SHORT_MAX];
	printf("  cache      %s of %s, %.0f answers, %.0f pushed out\n",
	       size_text(number_of(cache, "bytes"), used),
	       size_text(number_of(cache, "size"), size), number_of(cache, "entries"),
	       number_of(cache, "evicted"));
}

void print_status(const json_t *answer, const char *const *words)
{
	const json_t *zones = json_object_get(answer, "zones");
	const json_t *upstreams = json_object_get(answer, "upstreams");
	const json_t *reloads = json_object_get(answer, "reloads");
	const json_t *seconds = json_object_get(answer, "answer_seconds");
	print_head(answer);
	printf("  settings   ");
	print_clean(stdout, text_of(answer, "file"));
	printf("\n  reloads    %.0f applied, %.0f refused\n", number_of(reloads, "ok"),
	       number_of(reloads, "refused"));
	printf("  zones      %.0f of %.0f loaded, %.0f with faults\n", number_of(zones, "loaded"),
	       number_of(zones, "all"), number_of(zones, "with_faults"));
	printf("  rules      %.0f\n", number_of(answer, "rules"));
	printf("  upstreams  %.0f of %.0f up, asked %.0f times, failed %.0f times\n",
	       number_of(upstreams, "up"), number_of(upstreams, "all"),
	       number_of(upstreams, "queries"), number_of(upstreams, "failures"));
	print_cache(json_object_get(answer, "cache"));
	printf("  questions  ");
	print_counts(json_object_get(answer, "queries"), false);
	printf("  answers    ");
	print_counts(json_object_get(answer, "answers"), false);
	printf("  from       ");
	print_counts(json_object_get(answer, "answers_from"), false);
	printf("  dropped    ");
	print_counts(json_object_get(answer, "dropped"), false);
	double count = number_of(seconds, "count");
	printf("  mean time  %.3f ms\n", count == 0 ? 0 : number_of(seconds, "sum") / count * 1000);
	printf("  log        ");
	print_clean(stdout, text_of(answer, "log"));
	putchar('\n');
}

/* --- zones --- */

static int zone_compare(const void *a, const void *b)
{
	const json_t *const *left = a;
	const json_t *const *right = b;
	int order = strcmp(text_of(*left, "name"), text_of(*right, "name"));
	return order != 0 ? order : strcmp(text_of(*left, "id"), text_of(*right, "id"));
}

/* By name; *ret_count of them. NULL: none. */
static const json_t **zones_sorted(const json_t *list, size_t *ret_count)
{
	size_t count = json_array_size(list);
	const json_t **zones = count == 0 ? NULL : calloc(count, sizeof(*zones));
	*ret_count = zones == NULL ? 0 : count;
	for (size_t i = 0; i < *ret_count; i++) {
		zones[i] = json_array_get(list, i);
	}
	if (zones != NULL) {
		qsort(zones, count, sizeof(*zones), zone_compare);
	}
	return zones;
}

static void zone_row(struct table *table, const json_t *zone)
{
	char age[SHORT_MAX];
	const json_t *looked = json_object_get(zone, "age");
	table_cell(table, text_of(zone, "name"));
	table_cell(table, text_of(zone, "id"));
	table_cell(table, text_of(zone, "source"));
	table_cell(table,
	           json_is_number(looked) ? duration_text(json_number_value(looked), age) : "");
	table_cellf(table, "%.0f", number_of(zone, "sets"));
	table_cellf(table, "%.0f", number_of(zone, "static"));
	table_cellf(table, "%.0f", number_of(zone, "dynamic"));
	table_cellf(table, "%.0f", number_of(zone, "faults"));
	table_cell(table, json_is_true(json_object_get(zone, "associated")) ? "yes" : "no");
}

static void print_past(const json_t *zone, const char *key, const char *what)
{
	char past[SHORT_MAX];
	const json_t *value = json_object_get(zone, key);
	printf("%s %s", what,
	       json_is_number(value) ? duration_text(json_number_value(value), past) : "never");
	fputs(json_is_number(value) ? " ago, " : ", ", stdout);
}

/* "listed 12s ago, changed 3h ago, 34 API calls, 0 looks failed, kept on disk" */
static void print_zone_past(const json_t *zone)
{
	print_past(zone, "age", "listed");
	print_past(zone, "changed", "changed");
	printf("%.0f API calls, %.0f looks failed, %s\n", number_of(zone, "calls"),
	       number_of(zone, "failures"),
	       json_is_true(json_object_get(zone, "kept")) ? "kept on disk" : "not kept on disk");
}

/* Only a zone that was asked for by name has these. */
static void print_zone_classes(const json_t *zone)
{
	static const char *const heads[] = {"CLASS", ">SETS", "WHY", NULL};
	const json_t *list = json_object_get(zone, "classes");
	if (json_array_size(list) == 0) {
		return;
	}
	struct table table;
	size_t i;
	const json_t *row;
	table_begin(&table, heads);
	json_array_foreach ((json_t *)(uintptr_t)list, i, row) {
		table_cell(&table, text_of(row, "class"));
		table_cellf(&table, "%.0f", number_of(row, "count"));
		table_cell(&table, text_of(row, "why"));
	}
	putchar('\n');
	table_end(&table);
	printf("\n%s with our VPC (",
	       json_is_true(json_object_get(zone, "associated")) ? "associated" : "not associated");
	print_clean(stdout, text_of(zone, "association"));
	puts(json_is_true(json_object_get(zone, "reckoned"))
	             ? "): dynamic sets are reckoned, not asked of the VPC resolver"
	             : "): dynamic sets are asked of the VPC resolver");
	print_zone_past(zone);
}

static void print_zone_checks(const json_t *zone)
{
	static const char *const heads[] = {"HEALTH CHECK", "HEALTH", ">AGE", NULL};
	const json_t *list = json_object_get(zone, "health_checks");
	if (json_array_size(list) == 0) {
		return;
	}
	struct table table;
	char age[SHORT_MAX];
	size_t i;
	const json_t *check;
	table_begin(&table, heads);
	json_array_foreach ((json_t *)(uintptr_t)list, i, check) {
		const json_t *known = json_object_get(check, "age");
		table_cell(&table, text_of(check, "id"));
		table_cell(&table, text_of(check, "health"));
		table_cell(&table, json_is_number(known)
		                           ? duration_text(json_number_value(known), age)
		                           : "");
	}
	putchar('\n');
	table_end(&table);
}

static void print_zone_faults(const json_t *zone)
{
	static const char *const heads[] = {"NAME", "TYPE", "FAULT", NULL};
	const json_t *list = json_object_get(zone, "fault_list");
	if (json_array_size(list) == 0) {
		return;
	}
	struct table table;
	size_t i;
	const json_t *fault;
	table_begin(&table, heads);
	json_array_foreach ((json_t *)(uintptr_t)list, i, fault) {
		table_cell(&table, text_of(fault, "name"));
		table_cell(&table, text_of(fault, "type"));
		table_cell(&table, text_of(fault, "why"));
	}
	putchar('\n');
	table_end(&table);
	if (number_of(zone, "faults_left_out") > 0) {
		printf("and %.0f more\n", number_of(zone, "faults_left_out"));
	}
}

static void print_zone_trouble(const json_t *zone)
{
	const char *trouble = text_of(zone, "trouble");
	const char *name = text_of(zone, "name");
	if (trouble[0] != '\0') {
		print_clean(stdout, name[0] != '\0' ? name : text_of(zone, "id"));
		fputs(json_is_true(json_object_get(zone, "unavailable"))
		              ? ": asked of the VPC resolver: "
		              : ": ",
		      stdout);
		print_clean(stdout, trouble);
		putchar('\n');
	}
}

static void print_zone_held(const json_t *zone)
{
	const char *held = text_of(zone, "held_back");
	if (held[0] != '\0') {
		print_clean(stdout, text_of(zone, "name"));
		fputs(": HELD BACK: ", stdout);
		print_clean(stdout, held);
		fputs("; `horizonctl sync ", stdout);
		print_clean(stdout, text_of(zone, "id"));
		puts(" --accept` serves it now");
	}
}

static void print_zone_parity(const json_t *zone)
{
	const json_t *parity = json_object_get(zone, "parity");
	if (!json_is_true(json_object_get(parity, "disagrees"))) {
		return;
	}
	print_clean(stdout, text_of(zone, "name"));
	printf(": disagrees with the VPC resolver in %.0f of the last %.0f samples%s\n",
	       number_of(parity, "window_different"), number_of(parity, "window"),
	       json_is_true(json_object_get(parity, "asked")) ? "; asked of it instead" : "");
}

void print_zones(const json_t *answer, const char *const *words)
{
	static const char *const heads[] = {"NAME",    "ID",       "SOURCE",  ">AGE",       ">SETS",
	                                    ">STATIC", ">DYNAMIC", ">FAULTS", "ASSOCIATED", NULL};
	size_t count;
	const json_t **zones = zones_sorted(json_object_get(answer, "zones"), &count);
	if (count == 0) {
		puts("no zones");
		return;
	}
	struct table table;
	table_begin(&table, heads);
	for (size_t i = 0; i < count; i++) {
		zone_row(&table, zones[i]);
	}
	table_end(&table);
	for (size_t i = 0; i < count; i++) {
		print_zone_trouble(zones[i]);
		print_zone_held(zones[i]);
		print_zone_parity(zones[i]);
	}
	for (size_t i = 0; i < count; i++) {
		print_zone_classes(zones[i]);
		print_zone_checks(zones[i]);
		print_zone_faults(zones[i]);
	}
	free(zones);
}

/* --- rules and upstreams --- */

/* "10.0.0.1:53 10.0.0.2:53" into one cell. */
static void cell_of_list(struct table *table, const json_t *list)
{
	char text[2048] = "";
	size_t len = 0;
	for (size_t i = 0; i < json_array_size(list) && len < sizeof(text); i++) {
		const char *item = json_string_value(json_array_get(list, i));
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i == 0 ? "" : " ",
		                        item == NULL ? "?" : item);
	}
	table_cell(table, text);
}

void print_rules(const json_t *answer, const char *const *words)
{
	static const char *const heads[] = {"KIND",   "DOMAIN",     "TARGETS",
	                                    "POLICY", "WRITTEN AT", NULL};
	struct table table;
	size_t i;
	const json_t *rule;
	table_begin(&table, heads);
	json_array_foreach (json_object_get(answer, "rules"), i, rule) {
		table_cell(&table, text_of(rule, "kind"));
		table_cell(&table, text_of(rule, "domain"));
		cell_of_list(&table, json_object_get(rule, "targets"));
		table_cell(&table, text_of(rule, "policy"));
		if (text_of(rule, "file")[0] != '\0') {
			table_cellf(&table, "%s:%.0f", text_of(rule, "file"),
			            number_of(rule, "line"));
		} else {
			table_cell(&table, "");
		}
	}
	table_end(&table);
}

void print_upstreams(const json_t *answer, const char *const *words)
{
	static const char *const heads[] = {"RULE",     "TARGET",  "STATE",     ">RTT",
	                                    ">QUERIES", ">PROBES", ">FAILURES", NULL};
	struct table table;
	size_t i;
	const json_t *upstream;
	table_begin(&table, heads);
	json_array_foreach (json_object_get(answer, "upstreams"), i, upstream) {
		table_cell(&table, text_of(upstream, "rule"));
		table_cell(&table, text_of(upstream, "target"));
		table_cell(&table, text_of(upstream, "state"));
		if (json_is_number(json_object_get(upstream, "rtt_ms"))) {
			table_cellf(&table, "%.1f ms", number_of(upstream, "rtt_ms"));
		} else {
			table_cell(&table, "");
		}
		table_cellf(&table, "%.0f", number_of(upstream, "queries"));
		table_cellf(&table, "%.0f", number_of(upstream, "probes"));
		table_cellf(&table, "%.0f", number_of(upstream, "failures"));
	}
	table_end(&table);
}

/* --- explain --- */

static void print_fact(const char *label, const char *value)
{
	if (value[0] != '\0') {
		printf("  %-9s", label);
		print_clean(stdout, value);
		putchar('\n');
	}
}

static void print_section(const char *label, const json_t *lines)
{
	if (json_array_size(lines) != 0) {
		printf("\n%s\n", label);
		print_lines(stdout, lines, "  ");
	}
}

static void print_extended(const json_t *error)
{
	if (json_is_object(error)) {
		printf("  %-9s%.0f ", "error", number_of(error, "code"));
		print_clean(stdout, text_of(error, "text"));
		putchar('\n');
	}
}

static void print_flags(const json_t *flags)
{
	printf("  %-9s", "flags");
	for (size_t i = 0; i < json_array_size(flags); i++) {
		printf("%s%s", i == 0 ? "" : " ", json_string_value(json_array_get(flags, i)));
	}
	putchar('\n');
}

/* Who asks what, the way it went, what came of it. */
void print_explain(const json_t *answer, const char *const *words)
{
	print_clean(stdout, text_of(answer, "from"));
	fputs(" asks for ", stdout);
	print_clean(stdout, text_of(answer, "name"));
	putchar(' ');
	print_clean(stdout, text_of(answer, "type"));
	putchar('\n');
	print_fact("client", text_of(answer, "client"));
	print_fact("zone", text_of(answer, "zone"));
	print_fact("class", text_of(answer, "class"));
	print_fact("rule", text_of(answer, "rule"));
	print_fact("source", text_of(answer, "source"));
	print_fact("rcode", text_of(answer, "rcode"));
	print_extended(json_object_get(answer, "extended_error"));
	print_flags(json_object_get(answer, "flags"));
	print_section("The way it went", json_object_get(answer, "steps"));
	print_section("Answer", json_object_get(answer, "answer"));
	print_section("Authority", json_object_get(answer, "authority"));
	print_section("Additional", json_object_get(answer, "additional"));
}

/* --- Things done --- */

void print_flush(const json_t *answer, const char *const *words)
{
	double gone = number_of(answer, "flushed");
	printf("%.0f answer%s forgotten: ", gone, gone == 1 ? "" : "s");
	print_clean(stdout, text_of(answer, "name"));
	puts(json_is_true(json_object_get(answer, "below")) ? " and all below" : " alone");
}

void print_sync(const json_t *answer, const char *const *words)
{
	const char *zone = text_of(answer, "zone");
	print_clean(stdout, zone[0] == '\0' ? "all zones" : zone);
	if (json_is_true(json_object_get(answer, "accepted"))) {
		puts(": what was held back is served now");
	} else {
		puts(zone[0] == '\0' ? " are looked at now" : " is looked at now");
	}
}

static void print_file(const json_t *answer, const char *what)
{
	print_clean(stdout, text_of(answer, "file"));
	puts(what);
}

void print_check(const json_t *answer, const char *const *words)
{
	print_file(answer, " has no faults");
}

void print_diff(const json_t *answer, const char *const *words)
{
	const json_t *changes = json_object_get(answer, "changes");
	if (json_array_size(changes) == 0) {
		fputs("no changes: ", stdout);
		print_file(answer, " says what the daemon runs with");
	} else {
		print_lines(stdout, changes, "");
	}
}

void print_reload(const json_t *answer, const char *const *words)
{
	print_file(answer, " was read again and applied");
}

void print_log(const json_t *answer, const char *const *words)
{
	fputs("log level ", stdout);
	print_clean(stdout, text_of(answer, "level"));
	fputs(", was ", stdout);
	print_clean(stdout, text_of(answer, "before"));
	putchar('\n');
}
