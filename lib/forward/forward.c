#include "forward/forward.h"
#include "base/epoch.h"
#include "base/fail.h"
#include "base/mono.h"
#include "forward/ask_int.h"
#include "forward/worker_int.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define INFLIGHT_MAX 65536

struct forward *forward_new(const struct forward_opts *opts)
{
	struct forward *fwd = aligned_alloc(_Alignof(struct forward), sizeof(*fwd));
	if (fwd == NULL) {
		return NULL;
	}
	memset(fwd, 0, sizeof(*fwd));
	fwd->opts = *opts;
	if (fwd->opts.workers == 0) {
		fwd->opts.workers = 1;
	}
	if (fwd->opts.workers > FORWARD_WORKERS_MAX) {
		fwd->opts.workers = FORWARD_WORKERS_MAX;
	}
	if (fwd->opts.inflight_max == 0) {
		fwd->opts.inflight_max = INFLIGHT_MAX;
	}
	if (fwd->opts.budget_ms == 0) {
		fwd->opts.budget_ms = ASK_BUDGET_MS;
	}
	pthread_mutex_init(&fwd->admin, NULL);
	pthread_mutex_init(&fwd->circle_lock, NULL);
	random_bytes(fwd->circle_key, sizeof(fwd->circle_key));
	fwd->inflight = inflight__new(fwd->opts.inflight_max);
	int ret = group_table__new(NULL, 0, NULL, fwd->opts.workers, &fwd->table);
	if (fwd->inflight == NULL || ret != 0) {
		forward_free(&fwd);
	}
	return fwd;
}

void forward_free(struct forward **ptr)
{
	struct forward *fwd = *ptr;
	if (fwd == NULL) {
		return;
	}
	for (unsigned int i = 0; i < fwd->opts.workers; i++) {
		assert(!fwd->worker_used[i]);
	}
	inflight__free(&fwd->inflight);
	group_table__unref(&fwd->table);
	pthread_mutex_destroy(&fwd->admin);
	pthread_mutex_destroy(&fwd->circle_lock);
	free(fwd);
	*ptr = NULL;
}

int forward_set_groups(struct forward *fwd, const struct forward_group_opts *groups, size_t count)
{
	struct group_table *table;
	pthread_mutex_lock(&fwd->admin);
	struct group_table *old = fwd->table;
	int ret = group_table__new(groups, count, old, fwd->opts.workers, &table);
	if (ret == 0) {
		epoch_store(&fwd->table, table);
	}
	pthread_mutex_unlock(&fwd->admin);
	if (ret == 0) {
		/* Workers take their hold of a group inside a read section. */
		epoch_wait();
		group_table__unref(&old);
	}
	return ret;
}

/* The table held, for readers that are no workers. */
static struct group_table *table_held(struct forward *fwd)
{
	pthread_mutex_lock(&fwd->admin);
	struct group_table *table = group_table__ref(fwd->table);
	pthread_mutex_unlock(&fwd->admin);
	return table;
}

bool forward_way_out(struct forward *fwd, uint32_t origin)
{
	struct group_table *table = table_held(fwd);
	bool out = false;
	if (origin != 0) {
		const struct group *group = group_table__find(table, origin);
		out = group != NULL && group__way_out(group);
	}
	for (size_t i = 0; origin == 0 && i < table->count && !out; i++) {
		out = group__way_out(table->groups[i]);
	}
	group_table__unref(&table);
	return out;
}

/* --- What stands, for people --- */

/* One target under one rule; a rule with several domains has as many groups. */
struct row {
	const struct group *group;
	const struct target *target;
	enum forward_state state;
	uint64_t queries;
	uint64_t probes;
	uint64_t loops;
	uint64_t failures[REASON_COUNT];
};

static int by_rule(const void *a, const void *b)
{
	const struct row *ra = a;
	const struct row *rb = b;
	int order = strcmp(ra->group->rule, rb->group->rule);
	return order != 0 ? order : strcmp(ra->target->text, rb->target->text);
}

static void state_guard(const struct row *row, struct forward_target_state *state)
{
	const struct guard *guard = &row->target->guard;
	unsigned int carries = guard__bear(guard, row->group->guard, false, mono_ms());
	state->mixed_case = (carries & GUARD_CASE) != 0;
	state->cookies = (carries & GUARD_COOKIE) != 0;
	state->gives_cookies = state->cookies && guard__has_cookie(guard);
}

static void row_fill(struct row *row, const struct group *group, const struct member *member)
{
	*row = (struct row){
		.group = group,
		.target = member->target,
		.state = target__down(member->target) ? FORWARD_DOWN
	                 : member__circled(member)    ? FORWARD_LOOP
	                 : member__lame(member)       ? FORWARD_LAME
	                                              : FORWARD_UP,
	};
	row->loops = metric_get(&member->loops);
	for (unsigned int i = 0; i < member->target->workers; i++) {
		row->queries += metric_get(&member->tally[i].queries);
		row->probes += metric_get(&member->tally[i].probes);
		for (unsigned int r = 0; r < REASON_COUNT; r++) {
			row->failures[r] += metric_get(&member->tally[i].failures[r]);
		}
	}
}

/* Rows of the same rule and target, side by side, become one. Returns how many are left. */
static size_t rows_merge(struct row *rows, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || by_rule(&rows[kept - 1], &rows[i]) != 0) {
			rows[kept++] = rows[i];
			continue;
		}
		rows[kept - 1].queries += rows[i].queries;
		rows[kept - 1].probes += rows[i].probes;
		rows[kept - 1].loops += rows[i].loops;
		if (rows[i].state > rows[kept - 1].state) {
			rows[kept - 1].state = rows[i].state;
		}
		for (unsigned int r = 0; r < REASON_COUNT; r++) {
			rows[kept - 1].failures[r] += rows[i].failures[r];
		}
	}
	return kept;
}

/* In the order of rule and target. NULL: no memory, or none there. */
static struct row *rows_of(const struct group_table *table, size_t *ret_count)
{
	size_t count = 0;
	for (size_t i = 0; i < table->count; i++) {
		count += table->groups[i]->member_count;
	}
	*ret_count = 0;
	struct row *rows = calloc(count, sizeof(*rows));
	if (rows == NULL || count == 0) {
		free(rows);
		return NULL;
	}
	size_t at = 0;
	for (size_t i = 0; i < table->count; i++) {
		const struct group *group = table->groups[i];
		for (unsigned int m = 0; m < group->member_count; m++) {
			row_fill(&rows[at++], group, group->members[m]);
		}
	}
	qsort(rows, count, sizeof(*rows), by_rule);
	*ret_count = rows_merge(rows, count);
	return rows;
}

const char *forward_state_text(enum forward_state state)
{
	static const char *const words[] = {[FORWARD_UP] = "up",
	                                    [FORWARD_LAME] = "lame",
	                                    [FORWARD_LOOP] = "loop",
	                                    [FORWARD_DOWN] = "down"};
	return words[state];
}

void forward_each_target(struct forward *fwd, forward_target_fn *fn, void *ctx)
{
	struct group_table *table = table_held(fwd);
	size_t count;
	struct row *rows = rows_of(table, &count);
	for (size_t i = 0; i < count; i++) {
		struct forward_target_state state = {
			.rule = rows[i].group->rule,
			.origin = rows[i].group->origin,
			.addr = rows[i].target->addr,
			.up = !target__down(rows[i].target),
			.state = rows[i].state,
			.rtt_ms = target__rtt_us(rows[i].target) / 1000.0,
			.queries = rows[i].queries,
			.probes = rows[i].probes,
		};
		for (unsigned int r = 0; r < REASON_COUNT; r++) {
			state.failures += rows[i].failures[r];
		}
		state_guard(&rows[i], &state);
		fn(ctx, &state);
	}
	free(rows);
	group_table__unref(&table);
}

/* --- Metrics --- */

static void metric_failures(struct text *out, const struct row *row, const char *name)
{
	for (unsigned int r = 0; r < REASON_COUNT; r++) {
		const char *labels[] = {
			"rule",   row->group->rule,      "target", row->target->text,
			"reason", group__reason_text(r), NULL};
		metric_sample_u64(out, name, labels, row->failures[r]);
	}
}

enum family {
	FAMILY_QUERIES,
	FAMILY_FAILURES,
	FAMILY_PROBES,
	FAMILY_UP,
	FAMILY_LAME,
	FAMILY_RTT,
	FAMILY_COUNT,
};

static const struct {
	const char *name;
	const char *help;
	enum metric_kind kind;
} families[FAMILY_COUNT] = {
	{"horizond_upstream_queries_total", "Packets and TCP exchanges sent to a target.",
         METRIC_COUNTER},
	{"horizond_upstream_failures_total", "Tries at a target that came to nothing, and why.",
         METRIC_COUNTER},
	{"horizond_upstream_probes_total", "Of those, questions of our own.", METRIC_COUNTER},
	{"horizond_upstream_up", "1: not known to be down.", METRIC_GAUGE},
	{"horizond_upstream_lame", "1: it speaks, but says nothing of use for the rule.",
         METRIC_GAUGE},
	{"horizond_upstream_rtt_seconds", "Smoothed round-trip time; 0: never measured.",
         METRIC_GAUGE},
};

static void metric_row(struct text *out, const struct row *row, enum family family)
{
	const char *name = families[family].name;
	const char *labels[] = {"rule", row->group->rule, "target", row->target->text, NULL};
	switch (family) {
	case FAMILY_QUERIES:
		metric_sample_u64(out, name, labels, row->queries);
		break;
	case FAMILY_FAILURES:
		metric_failures(out, row, name);
		break;
	case FAMILY_UP:
		metric_sample_u64(out, name, labels, target__down(row->target) ? 0 : 1);
		break;
	case FAMILY_PROBES:
		metric_sample_u64(out, name, labels, row->probes);
		break;
	case FAMILY_LAME:
		metric_sample_u64(out, name, labels, row->state == FORWARD_LAME ? 1 : 0);
		break;
	case FAMILY_RTT:
		metric_sample(out, name, labels, target__rtt_us(row->target) / 1e6);
		break;
	case FAMILY_COUNT:
		break;
	}
}

/* Beside horizond_vpc_packets_total: how much of it is used. */
static void metric_budgets(struct text *out, const struct group_table *table)
{
	metric_family(out, "horizond_packet_budget", METRIC_GAUGE,
	              "Packets a second that a rule's targets may be sent; none: no limit.");
	for (size_t i = 0; i < table->count; i++) {
		const struct group *group = table->groups[i];
		if (group->bucket != NULL) {
			const char *labels[] = {"rule", group->rule, NULL};
			metric_sample_u64(out, "horizond_packet_budget", labels,
			                  bucket__rate(group->bucket));
		}
	}
}

/* One sample a rule: rows of one rule stand side by side. */
static void metric_loops(struct text *out, const struct row *rows, size_t count)
{
	metric_family(out, "horizond_loops_total", METRIC_COUNTER,
	              "Forwarding loops found, and questions refused that came back in flight.");
	uint64_t loops = 0;
	for (size_t i = 0; i < count; i++) {
		loops += rows[i].loops;
		if (i + 1 == count || strcmp(rows[i].group->rule, rows[i + 1].group->rule) != 0) {
			const char *labels[] = {"rule", rows[i].group->rule, NULL};
			metric_sample_u64(out, "horizond_loops_total", labels, loops);
			loops = 0;
		}
	}
}

void forward_metrics(void *ctx, struct text *out)
{
	struct forward *fwd = ctx;
	struct group_table *table = table_held(fwd);
	size_t count;
	struct row *rows = rows_of(table, &count);
	for (enum family family = 0; family < FAMILY_COUNT; family++) {
		metric_family(out, families[family].name, families[family].kind,
		              families[family].help);
		for (size_t i = 0; i < count; i++) {
			metric_row(out, &rows[i], family);
		}
	}
	metric_loops(out, rows, count);
	free(rows);
	metric_budgets(out, table);
	group_table__unref(&table);

	metric_family(out, "horizond_vpc_packets_total", METRIC_COUNTER,
	              "Packets sent under the packet budget; a TCP exchange counts as eight.");
	metric_sample_u64(out, "horizond_vpc_packets_total", NULL,
	                  metric_get(&fwd->limited_packets));
	metric_family(out, "horizond_vpc_packets_held_total", METRIC_COUNTER,
	              "Packets for which the budget had no room at once.");
	metric_sample_u64(out, "horizond_vpc_packets_held_total", NULL,
	                  metric_get(&fwd->limited_packets_held));
}
