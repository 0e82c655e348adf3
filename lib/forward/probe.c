#include "base/epoch.h"
#include "base/fail.h"
#include "base/mono.h"
#include "forward/circle_int.h"
#include "forward/probe_int.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct prober {
	struct forward_worker *worker;
	struct loop_timer timer;
	unsigned int count; /* under way */
	uint64_t held_ms;   /* since then no probe found room in a packet budget; 0: they do */
};

struct probe {
	struct prober *prober;
	struct group *group; /* held */
	unsigned int member;
	bool circle;
	uint64_t sent_ms;
	struct forward_ask ask;
	uint8_t name[DNS_NAME_MAX + 1];
};

/* What it says of health is known to target and member by now. */
static void probe_done(void *ctx, const struct forward_result *result)
{
	struct probe *probe = ctx;
	struct forward_worker *worker = probe->prober->worker;
	if (probe->circle && (result->why == 0 || result->why == FAIL_LAME)) {
		circle__answered(worker->fwd, probe->group, probe->group->members[probe->member],
		                 probe->sent_ms, loop_now_ms(worker->loop));
	}
	probe->prober->count--;
	group__unref(&probe->group);
	free(probe);
}

/* circle: whether it comes back; else whether the member speaks, and usefully. */
static struct probe *probe_new(struct prober *prober, struct group *group, unsigned int member,
                               bool circle)
{
	struct probe *probe = calloc(1, sizeof(*probe));
	if (probe == NULL) {
		return NULL;
	}
	probe->prober = prober;
	probe->member = member;
	probe->circle = circle;
	probe->sent_ms = loop_now_ms(prober->worker->loop);
	probe->ask = (struct forward_ask){
		.origin = group->origin,
		.name = probe->name,
		.qtype = circle ? DNS_TYPE_SOA : group->probe_type,
		.budget_ms = PROBE_BUDGET_MS,
		.spare = circle,
		.only = (uint8_t)(member + 1),
		.made_up = circle,
		.done = probe_done,
		.ctx = probe,
	};
	const struct forward *fwd = prober->worker->fwd;
	if (!circle) {
		memcpy(probe->name, group->probe_name, dns_name_len(group->probe_name));
	} else if (!circle__name(fwd, group, member, probe->sent_ms, probe->name)) {
		free(probe);
		return NULL;
	}
	probe->group = group__ref(group);
	prober->count++;
	return probe;
}

/* What cannot be sent now is due again in time. */
static void probe_send(struct prober *prober, struct group *group, unsigned int member, bool circle)
{
	struct probe *probe = probe_new(prober, group, member, circle);
	if (probe != NULL && worker__ask(prober->worker, group__ref(group), &probe->ask) != 0) {
		prober->count--;
		group__unref(&probe->group);
		free(probe);
	}
}

/* The group's bucket has something to spare, or clients have had it all for long enough. */
static bool probe_room(struct prober *prober, const struct group *group, uint64_t now_ms)
{
	if (group->bucket == NULL || bucket__calm(group->bucket, mono_us() * 1000)) {
		prober->held_ms = 0;
		return true;
	}
	if (prober->held_ms == 0) {
		prober->held_ms = now_ms;
	}
	if (now_ms - prober->held_ms < PROBE_SPARE_MS) {
		return false;
	}
	prober->held_ms = 0;
	return true;
}

static void probe_member(struct prober *prober, struct group *group, unsigned int i,
                         uint64_t now_ms)
{
	struct member *member = group->members[i];
	bool down = target__down(member->target);
	if (down || member__lame(member)) {
		bool due = probe_room(prober, group, now_ms) &&
		           (down ? target__probe(member->target, now_ms)
		                 : member__probe(member, now_ms));
		if (due) {
			probe_send(prober, group, i, false);
		}
	}
	if (!down && circle__due(group, member, now_ms)) {
		probe_send(prober, group, i, true);
	}
}

static void probe_group(struct prober *prober, struct group *group, uint64_t now_ms)
{
	for (unsigned int i = 0; i < group->member_count && prober->count < PROBES_MAX; i++) {
		probe_member(prober, group, i, now_ms);
	}
}

static void prober_tick(void *ctx)
{
	struct prober *prober = ctx;
	struct forward_worker *worker = prober->worker;
	epoch_read_begin();
	struct group_table *table = group_table__ref(epoch_load(&worker->fwd->table));
	epoch_read_end();
	for (size_t i = 0; i < table->count; i++) {
		probe_group(prober, table->groups[i], loop_now_ms(worker->loop));
	}
	group_table__unref(&table);
	loop_timer_set(&prober->timer, PROBE_TICK_MS);
}

struct prober *probe__start(struct forward_worker *worker)
{
	struct prober *prober = calloc(1, sizeof(*prober));
	if (prober == NULL) {
		return NULL;
	}
	prober->worker = worker;
	loop_timer_init(worker->loop, &prober->timer, prober_tick, prober);
	loop_timer_set(&prober->timer, PROBE_TICK_MS);
	return prober;
}

void probe__stop(struct prober **ptr)
{
	struct prober *prober = *ptr;
	if (prober != NULL) {
		assert(prober->count == 0);
		loop_timer_cancel(&prober->timer);
		free(prober);
	}
	*ptr = NULL;
}
