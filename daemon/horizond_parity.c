/* daemon/horizond_parity.c - the parity watch: one question of ours a tick to the VPC resolver, beside the copies. */
#include "horizond_int.h"

#include "base/epoch.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include <stdlib.h>
#include <string.h>

/* A question there and back. One at a time: a resolver that is slow is not asked more. */
struct watch {
	struct mail mail; /* first: how it comes back */
	struct horizond *h;
	struct loop_timer timer;
	unsigned int interval_ms;
	bool enabled;
	bool busy;
	struct parity_sample sample;
	struct server_ask ask;
};

static bool watch_ours(void *ctx, const struct dns_key *key, const struct zone *zone)
{
	const struct horizond *h = ctx;
	struct world_place place;
	epoch_read_begin();
	world_route(world_get(h->world), key, &place);
	bool ours = place.zone != NULL && place.zone->zone == zone;
	epoch_read_end();
	return ours;
}

/* On the control thread again. */
static void watch_arrives(struct mail *mail, void *ctx)
{
	struct watch *watch = (struct watch *)(void *)mail;
	struct horizond *h = watch->h;
	struct dns_reply reply;
	watch->busy = false;
	if (!watch->enabled) {
		parity_drop(&watch->sample);
		return;
	}
	bool heard = watch->ask.why == 0 &&
	             dns_reply_read(watch->ask.answer, watch->ask.answer_size, &reply) == 0;
	struct zones *zones = world_zones(h->world);
	parity_told(h->parity, &watch->sample, zones, heard ? &reply : NULL, wall_s());
	zones_unref(&zones);
}

/* On a worker's thread. */
static void watch_done(struct server_ask *ask)
{
	struct watch *watch = ask->ctx;
	if (mailbox_post(watch->h->box, &watch->mail) != 0) {
		/* The box has far more room than letters can be under way: the control thread stands still. */
		log_error("horizond", "a sample found no way back: the control thread is stuck");
	}
}

static void watch_tick(void *ctx)
{
	struct watch *watch = ctx;
	struct horizond *h = watch->h;
	loop_timer_set(&watch->timer, watch->interval_ms);
	if (watch->busy) {
		return;
	}
	struct zones *zones = world_zones(h->world);
	bool drawn = parity_next(h->parity, zones, watch_ours, h, &watch->sample);
	zones_unref(&zones);
	if (!drawn) {
		return;
	}
	watch->ask.origin = wire_vpc_origin(h->settings);
	watch->ask.qtype = watch->sample.type;
	memcpy(watch->ask.name, watch->sample.name, dns_name_len(watch->sample.name));
	watch->busy = server_ask(h->server, &watch->ask) == 0;
	if (!watch->busy) {
		parity_drop(&watch->sample);
	}
}

int horizond_parity_start(struct horizond *h)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	h->watch = watch;
	h->parity = parity_new();
	if (watch == NULL || h->parity == NULL) {
		return FAIL_NOMEM;
	}
	watch->h = h;
	watch->mail.fn = watch_arrives;
	watch->ask.done = watch_done;
	watch->ask.ctx = watch;
	loop_timer_init(h->loop, &watch->timer, watch_tick, watch);
	horizond_parity_tune(h, h->settings);
	return 0;
}

void horizond_parity_tune(struct horizond *h, const struct settings *settings)
{
	struct watch *watch = h->watch;
	watch->enabled = settings->parity.enabled;
	watch->interval_ms = (unsigned int)(1000 / settings->parity.rate);
	parity_tune(h->parity, settings->parity.fallback);
	if (watch->enabled) {
		loop_timer_set(&watch->timer, watch->interval_ms);
		return;
	}
	loop_timer_cancel(&watch->timer);
	struct zones *zones = world_zones(h->world);
	parity_forget(h->parity, zones);
	zones_unref(&zones);
}

void horizond_parity_stop(struct horizond *h)
{
	if (h->watch != NULL && h->watch->h != NULL) {
		h->watch->enabled = false; /* what is under way comes back, and is dropped */
		loop_timer_cancel(&h->watch->timer);
	}
}

void horizond_parity_free(struct horizond *h)
{
	free(h->watch);
	h->watch = NULL;
	parity_free(&h->parity);
}
