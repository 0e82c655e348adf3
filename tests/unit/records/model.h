/*
 * A model of Route 53, EC2 and instance metadata behind records/api.h, and actors that take turns in it.
 *
 * Route 53: batches are atomic, CREATE fails where the set exists, DELETE unless it is equal, a name never mixes simple
 * and multivalue sets of one type. Each call may be throttled, find the zone busy, be lost on the way, or have its answer
 * lost. Time is the model's own; actors are threads of which one runs at a time, and every call is a point where another
 * may go on.
 */
#pragma once

#include "base/fail.h"
#include "base/random.h"
#include "records/api.h"
#include "records/instance.h"
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODEL_ACCOUNT   "111122223333"
#define MODEL_REGION    "eu-west-1"
#define MODEL_ACTORS    80
#define MODEL_INSTANCES 20000

struct model_set {
	char *name, *type, *identifier;
	uint32_t ttl_s;
	char **values;
	size_t value_count;
	bool foreign;
};

struct model_zone {
	const char *id;
	const char *apex;
	bool is_private;
	struct model_set *sets;
	size_t count, room;
	uint64_t busy_until_ms;
};

struct model_instance {
	char id[24];
	char state[16];
	char private_ip[16], public_ip[16];
	uint64_t born_ms, ended_ms; /* ended: terminated */
};

struct model_actor {
	pthread_t thread;
	pthread_cond_t turn;
	bool alive, running;
	uint64_t wake_ms;
	int calls_left; /* until it is killed; -1: never */
	bool killed;
	const char *trouble;
	size_t instance; /* it speaks for */
};

struct model {
	pthread_mutex_t lock;
	struct model_actor actors[MODEL_ACTORS];
	size_t actor_count, current;
	uint64_t now_ms;
	int64_t epoch_s;
	struct draw draw;
	unsigned int faults; /* percent of calls */
	struct model_zone zones[4];
	size_t zone_count;
	struct model_instance *instances;
	size_t instance_count;
	bool ec2_fails, ec2_empty;
	uint64_t calls, changes;
	void (*checked)(struct model *model, const struct model_zone *zone); /* after each change */
};

static struct model model;
static __thread struct model_actor *model_self;

static inline uint32_t model_below(uint32_t bound)
{
	return draw_below(&model.draw, bound);
}

/* --- Turns --- */

/* The next actor: one that is ready, drawn; else time goes on to the first that wakes. */
static void model_switch(void)
{
	for (;;) {
		size_t ready[MODEL_ACTORS];
		size_t count = 0;
		uint64_t next_ms = UINT64_MAX;
		for (size_t i = 0; i < model.actor_count; i++) {
			if (!model.actors[i].alive) {
				continue;
			}
			if (model.actors[i].wake_ms <= model.now_ms) {
				ready[count++] = i;
			} else if (model.actors[i].wake_ms < next_ms) {
				next_ms = model.actors[i].wake_ms;
			}
		}
		if (count > 0) {
			model.current = ready[model_below((uint32_t)count)];
			pthread_cond_signal(&model.actors[model.current].turn);
			return;
		}
		if (next_ms == UINT64_MAX) {
			model.current = SIZE_MAX;
			return;
		}
		model.now_ms = next_ms;
	}
}

static void model_yield(void)
{
	struct model_actor *self = model_self;
	if (self == NULL) {
		return;
	}
	model_switch();
	while (model.current != (size_t)(self - model.actors)) {
		pthread_cond_wait(&self->turn, &model.lock);
	}
}

static void model_sleep(uint64_t ms)
{
	if (model_self == NULL) {
		model.now_ms += ms;
		return;
	}
	model_self->wake_ms = model.now_ms + ms;
	model_yield();
}

struct model_start {
	struct model_actor *actor;
	void (*run)(void *ctx);
	void *ctx;
};

static void *model_thread(void *ctx)
{
	struct model_start start = *(struct model_start *)ctx;
	free(ctx);
	model_self = start.actor;
	pthread_mutex_lock(&model.lock);
	while (model.current != (size_t)(start.actor - model.actors)) {
		pthread_cond_wait(&start.actor->turn, &model.lock);
	}
	start.run(start.ctx);
	start.actor->alive = false;
	model_switch();
	pthread_mutex_unlock(&model.lock);
	return NULL;
}

__attribute__((unused)) static struct model_actor *model_actor_add(void (*run)(void *ctx),
                                                                   void *ctx)
{
	struct model_actor *actor = &model.actors[model.actor_count++];
	struct model_start *start = malloc(sizeof(*start));
	*actor = (struct model_actor){.alive = true, .calls_left = -1, .trouble = ""};
	*start = (struct model_start){actor, run, ctx};
	pthread_cond_init(&actor->turn, NULL);
	assert(pthread_create(&actor->thread, NULL, model_thread, start) == 0);
	return actor;
}

/* Runs all actors to their end. */
__attribute__((unused)) static void model_run(void)
{
	pthread_mutex_lock(&model.lock);
	model_switch();
	pthread_mutex_unlock(&model.lock);
	for (size_t i = 0; i < model.actor_count; i++) {
		pthread_join(model.actors[i].thread, NULL);
		pthread_cond_destroy(&model.actors[i].turn);
	}
	model.actor_count = 0;
	model.current = SIZE_MAX;
}

/* --- Sets --- */

static bool model_same(const struct model_set *a, const struct record_set *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->type, b->type) == 0 &&
	       (a->identifier == NULL) == (b->identifier == NULL) &&
	       (a->identifier == NULL || strcmp(a->identifier, b->identifier) == 0);
}

static bool model_equal(const struct model_set *a, const struct record_set *b)
{
	const struct record_set set = {.name = a->name,
	                               .type = a->type,
	                               .identifier = a->identifier,
	                               .ttl_s = a->ttl_s,
	                               .values = (const char *const *)a->values,
	                               .value_count = a->value_count};
	return record_set_equal(&set, b);
}

static struct model_set model_set_copy(const struct record_set *set)
{
	struct model_set copy = {.name = strdup(set->name),
	                         .type = strdup(set->type),
	                         .identifier =
	                                 set->identifier == NULL ? NULL : strdup(set->identifier),
	                         .ttl_s = set->ttl_s,
	                         .values = calloc(set->value_count + 1, sizeof(char *)),
	                         .value_count = set->value_count};
	for (size_t i = 0; i < set->value_count; i++) {
		copy.values[i] = strdup(set->values[i]);
	}
	return copy;
}

static void model_set_free(struct model_set *set)
{
	free(set->name);
	free(set->type);
	free(set->identifier);
	for (size_t i = 0; i < set->value_count; i++) {
		free(set->values[i]);
	}
	free(set->values);
}

static struct model_zone *model_zone_find(const char *id)
{
	for (size_t i = 0; i < model.zone_count; i++) {
		if (strcmp(model.zones[i].id, id) == 0) {
			return &model.zones[i];
		}
	}
	return NULL;
}

static struct model_set *model_find(struct model_zone *zone, const struct record_set *set)
{
	for (size_t i = 0; i < zone->count; i++) {
		if (model_same(&zone->sets[i], set)) {
			return &zone->sets[i];
		}
	}
	return NULL;
}

static void model_put(struct model_zone *zone, const struct record_set *set, bool foreign)
{
	if (zone->count == zone->room) {
		zone->room = zone->room == 0 ? 64 : 2 * zone->room;
		zone->sets = reallocarray(zone->sets, zone->room, sizeof(*zone->sets));
	}
	zone->sets[zone->count] = model_set_copy(set);
	zone->sets[zone->count++].foreign = foreign;
}

static void model_remove(struct model_zone *zone, struct model_set *set)
{
	model_set_free(set);
	*set = zone->sets[--zone->count];
}

static bool model_mixes(const struct model_zone *zone, const struct record_set *set)
{
	for (size_t i = 0; i < zone->count; i++) {
		const struct model_set *at = &zone->sets[i];
		if (strcmp(at->name, set->name) == 0 && strcmp(at->type, set->type) == 0 &&
		    (at->identifier == NULL || set->identifier == NULL)) {
			return true;
		}
	}
	return false;
}

/* All or nothing: what is done is taken back when one does not fit. */
static int model_batch(struct model_zone *zone, const struct record_change *changes, size_t count)
{
	struct model_set *undo = calloc(count + 1, sizeof(*undo));
	size_t done = 0;
	bool fits = true;
	for (; done < count && fits; done += fits) {
		struct model_set *at = model_find(zone, &changes[done].set);
		if (changes[done].create) {
			fits = at == NULL && !model_mixes(zone, &changes[done].set);
			if (fits) {
				model_put(zone, &changes[done].set, false);
			}
		} else {
			fits = at != NULL && model_equal(at, &changes[done].set);
			if (fits) {
				undo[done] = model_set_copy(&changes[done].set);
				undo[done].foreign = at->foreign;
				model_remove(zone, at);
			}
		}
	}
	for (size_t i = done; !fits && i > 0; i--) {
		if (changes[i - 1].create) {
			model_remove(zone, model_find(zone, &changes[i - 1].set));
		} else {
			model_put(zone, &changes[i - 1].set, undo[i - 1].foreign);
		}
	}
	for (size_t i = 0; i < done; i++) {
		if (!changes[i].create) {
			model_set_free(&undo[i]);
		}
	}
	free(undo);
	return fits ? 0 : -EEXIST;
}

/* --- Calls --- */

static int model_fail(int ret, const char *trouble)
{
	if (model_self != NULL) {
		model_self->trouble = trouble;
	}
	return ret;
}

/* What befalls a call before it is heard; 0: it is heard. */
static int model_enter(void)
{
	model.calls++;
	model_sleep(5 + model_below(30));
	if (model_self != NULL && (model_self->killed || model_self->calls_left == 0)) {
		model_self->killed = true;
		return model_fail(FAIL_SHUTDOWN, "killed");
	}
	if (model_self != NULL && model_self->calls_left > 0) {
		model_self->calls_left--;
	}
	if (model_below(100) >= model.faults) {
		return model_fail(0, "");
	}
	switch (model_below(3)) {
	case 0:
		return model_fail(FAIL_THROTTLED, "Rate exceeded");
	case 1:
		return model_fail(FAIL_NET, "connection refused");
	default:
		return model_fail(FAIL_REMOTE, "InternalError");
	}
}

/* Whether the answer gets through. A kill here finds the change made, and its maker gone. */
static int model_leave(int ret)
{
	model_sleep(5 + model_below(30));
	if (model_self != NULL && model_self->calls_left == 0) {
		model_self->killed = true;
		return model_fail(FAIL_SHUTDOWN, "killed");
	}
	return model_below(100) < model.faults ? model_fail(FAIL_TIMEOUT, "no answer") : ret;
}

static int model_api_zone(void *ctx, const char *zone, bool *ret_private)
{
	int ret = model_enter();
	if (ret == 0) {
		*ret_private = model_zone_find(zone)->is_private;
	}
	return ret != 0 ? ret : model_leave(0);
}

static int model_tell(const struct model_set *set, aws_record_set_fn *fn, void *fn_ctx)
{
	const struct aws_record_set told = {.name = set->name,
	                                    .type = set->type,
	                                    .set_identifier = set->identifier,
	                                    .multivalue = set->identifier != NULL,
	                                    .has_ttl = true,
	                                    .ttl_s = set->ttl_s,
	                                    .values = (const char *const *)set->values,
	                                    .value_count = set->value_count};
	return fn(fn_ctx, &told);
}

static int model_api_list(void *ctx, const char *id, const char *name, aws_record_set_fn *fn,
                          void *fn_ctx)
{
	struct model_zone *zone = model_zone_find(id);
	char mark[RECORD_NAME_MAX] = "";
	int ret = model_enter();
	if (name != NULL && record_mark_name(name, mark) != 0) {
		mark[0] = '\0';
	}
	for (size_t i = 0; ret == 0 && i < zone->count; i++) {
		const struct model_set *set = &zone->sets[i];
		if (name == NULL || strcmp(set->name, name) == 0 || strcmp(set->name, mark) == 0) {
			ret = model_tell(set, fn, fn_ctx);
		}
	}
	return ret != 0 ? ret : model_leave(0);
}

static int model_api_change(void *ctx, const char *id, const struct record_change *changes,
                            size_t count, char *ret_change)
{
	struct model_zone *zone = model_zone_find(id);
	int ret = model_enter();
	if (ret == 0 && zone->busy_until_ms > model.now_ms) {
		return model_fail(FAIL_BUSY, "PriorRequestNotComplete");
	}
	if (ret != 0) {
		return ret;
	}
	ret = model_batch(zone, changes, count);
	model.changes += ret == 0;
	zone->busy_until_ms = model.now_ms + model_below(20);
	if (model.checked != NULL) {
		model.checked(&model, zone);
	}
	snprintf(ret_change, RECORDS_CHANGE_ID_MAX, "C%llu", (unsigned long long)model.changes);
	if (ret != 0) {
		model_fail(ret, "InvalidChangeBatch: it does not fit");
	}
	return model_leave(ret);
}

static int model_api_insync(void *ctx, const char *change, bool *ret_insync)
{
	*ret_insync = true;
	return model_enter();
}

/* New ones are not listed for a while, those that ended are for an hour. */
static int model_api_instances(void *ctx, aws_ec2_instance_fn *fn, void *fn_ctx)
{
	int ret = model_enter();
	if (ret == 0 && model.ec2_fails) {
		return model_fail(FAIL_TIMEOUT, "no answer");
	}
	for (size_t i = 0; ret == 0 && i < model.instance_count && !model.ec2_empty; i++) {
		const struct model_instance *at = &model.instances[i];
		bool ended = strcmp(at->state, "terminated") == 0;
		if (ended && model.now_ms - at->ended_ms > 3600000) {
			continue;
		}
		if (!ended && model.now_ms - at->born_ms < at->born_ms % 300000) {
			continue;
		}
		struct aws_ec2_instance told = {.id = at->id, .state = at->state};
		if (!ended) {
			told.addresses[told.address_count++] = at->private_ip;
		}
		if (strcmp(at->state, "running") == 0) {
			told.public_ip = at->public_ip;
			told.addresses[told.address_count++] = at->public_ip;
		}
		ret = fn(fn_ctx, &told);
	}
	return ret != 0 ? ret : model_leave(0);
}

static int model_api_account(void *ctx, char *buf)
{
	snprintf(buf, 13, MODEL_ACCOUNT);
	return model_enter();
}

static const char *model_api_trouble(void *ctx)
{
	return model_self == NULL ? "" : model_self->trouble;
}

static int64_t model_api_wall(void *ctx)
{
	return model.epoch_s + (int64_t)(model.now_ms / 1000);
}

static uint64_t model_api_mono(void *ctx)
{
	return model.now_ms;
}

static void model_api_pause(void *ctx, uint64_t ms)
{
	model_sleep(ms);
}

static uint32_t model_api_below(void *ctx, uint32_t bound)
{
	return bound == 0 ? 0 : model_below(bound);
}

static const struct records_api model_api = {
	.zone = model_api_zone,
	.list = model_api_list,
	.change = model_api_change,
	.insync = model_api_insync,
	.instances = model_api_instances,
	.account = model_api_account,
	.trouble = model_api_trouble,
	.wall_s = model_api_wall,
	.mono_ms = model_api_mono,
	.pause = model_api_pause,
	.below = model_api_below,
};

/* Instance metadata of the actor's instance. */
__attribute__((unused)) static int model_metadata(void *ctx, const char *path, char *buf,
                                                  size_t size)
{
	const struct model_instance *instance = &model.instances[*(size_t *)ctx];
	if (strcmp(path, "dynamic/instance-identity/document") == 0) {
		snprintf(buf, size,
		         "{\"accountId\":\"%s\",\"region\":\"%s\",\"instanceId\":\"%s\"}",
		         MODEL_ACCOUNT, MODEL_REGION, instance->id);
	} else if (strcmp(path, "meta-data/instance-id") == 0) {
		snprintf(buf, size, "%s", instance->id);
	} else if (strcmp(path, "meta-data/local-ipv4") == 0) {
		snprintf(buf, size, "%s", instance->private_ip);
	} else if (strcmp(path, "meta-data/public-ipv4") == 0) {
		snprintf(buf, size, "%s", instance->public_ip);
	} else {
		return FAIL_NOTFOUND;
	}
	return 0;
}

static void model_begin(uint64_t seed)
{
	memset(&model, 0, sizeof(model));
	pthread_mutex_init(&model.lock, NULL);
	model.current = SIZE_MAX;
	model.epoch_s = 1800000000;
	model.draw.s[0] = seed * 0x9e3779b97f4a7c15u + 1;
	model.draw.s[1] = seed ^ 0xd1b54a32d192ed03u;
	model.instances = calloc(MODEL_INSTANCES, sizeof(*model.instances));
}

static struct model_zone *model_zone_add(const char *id, const char *apex, bool is_private)
{
	static const char *const soa[] = {"ns.example. admin.example. 1 7200 900 1209600 86400"};
	struct model_zone *zone = &model.zones[model.zone_count++];
	*zone = (struct model_zone){.id = id, .apex = apex, .is_private = is_private};
	const struct record_set set = {
		.name = apex, .type = "SOA", .ttl_s = 900, .values = soa, .value_count = 1};
	model_put(zone, &set, true);
	return zone;
}

static void model_end(void)
{
	for (size_t i = 0; i < model.zone_count; i++) {
		for (size_t j = 0; j < model.zones[i].count; j++) {
			model_set_free(&model.zones[i].sets[j]);
		}
		free(model.zones[i].sets);
	}
	free(model.instances);
	pthread_mutex_destroy(&model.lock);
}
