#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include "base/random.h"
#include "sync/sync_int.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* A failure rests no longer than this many intervals. */
#define REST_INTERVALS 5

/* A zone is never looked at more often, however short its listing. */
#define GAP_MS 1000

#define NICE 10

uint64_t sync_due__fail(const struct sync *sync, struct sync_due *due)
{
	uint64_t most_ms = UINT64_C(1000) * REST_INTERVALS * sync->settings->interval_s;
	due->failures++;
	uint64_t rest_ms = sync_backoff__ms(due->failures, most_ms, random_u32());
	due->at_ms = mono_ms() + rest_ms;
	return rest_ms;
}

void sync_due__good(struct sync_due *due, uint64_t start_ms, uint64_t after_ms)
{
	uint64_t now_ms = mono_ms();
	uint64_t at_ms = start_ms + after_ms;
	*due = (struct sync_due){
		.at_ms = at_ms > now_ms + GAP_MS ? at_ms : now_ms + GAP_MS,
	};
}

/* --- Orders --- */

void sync_run__attend(struct sync *sync)
{
	uint64_t now_ms = mono_ms();
	pthread_mutex_lock(&sync->lock);
	struct sync_order *order = sync->order;
	sync->order = NULL;
	sync_orders__take(sync, now_ms);
	pthread_mutex_unlock(&sync->lock);
	if (order != NULL && sync_table__apply(sync, order) != 0) {
		log_error("sync", "no memory for all zones of the new settings");
	}
	sync_publish__try(sync, now_ms);
}

/* --- Hooks of the client --- */

void sync_run__idle(void *ctx)
{
	sync_run__attend(ctx);
}

/* Until then, or until somebody pokes. */
static void sleep_until(struct sync *sync, uint64_t until_ms)
{
	pthread_mutex_lock(&sync->lock);
	bool poked = sync->stopping || sync_orders__wait(sync);
	if (!poked && until_ms == SYNC_NEVER) {
		pthread_cond_wait(&sync->poke, &sync->lock);
	} else if (!poked) {
		struct timespec until = {
			.tv_sec = (time_t)(until_ms / 1000),
			.tv_nsec = (long)(until_ms % 1000) * 1000000,
		};
		pthread_cond_timedwait(&sync->poke, &sync->lock, &until);
	}
	pthread_mutex_unlock(&sync->lock);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

int sync_run__before(void *ctx, const char *operation)
{
	struct sync *sync = ctx;
	for (;;) {
		sync_run__attend(sync);
		if (__atomic_load_n(&sync->cancel, __ATOMIC_ACQUIRE)) {
			return FAIL_SHUTDOWN;
		}
		uint64_t now_ms = mono_ms();
		uint64_t wait_ms = sync_budget__take(&sync->budget, now_ms);
		if (wait_ms == 0) {
			break;
		}
		sleep_until(sync, earlier(now_ms + wait_ms, sync_publish__due_ms(sync)));
	}
	struct sync_zone *zone = sync->current;
	if (zone != NULL) {
		zone->calls++;
		if (zone->listing != NULL && aws_listing_pages(zone->listing->pages) == 0) {
			zone->listing->began_ms = mono_ms(); /* the wait for the budget left out */
		}
	}
	return 0;
}

void sync_run__after(struct sync *sync, int ret)
{
	uint64_t now_ms = mono_ms();
	if (ret == FAIL_THROTTLED) {
		bool first = sync->budget.throttled == 0;
		uint64_t rest_ms = sync_budget__throttled(&sync->budget, now_ms, random_u32());
		if (first) {
			log_warn("sync",
			         "the API throttles: all calls rest %" PRIu64
			         " ms, then at most %.2f/s "
			         "until it takes more",
			         rest_ms, sync->budget.rate);
		}
	} else if (ret == 0) {
		sync_budget__well(&sync->budget, now_ms);
	}
}

int sync_run__client(struct sync *sync)
{
	const struct sync_settings *settings = sync->settings;
	struct aws_role *roles = calloc(settings->role_count + 1, sizeof(*roles));
	if (roles == NULL) {
		return FAIL_NOMEM;
	}
	for (size_t i = 0; i < settings->role_count; i++) {
		roles[i] = (struct aws_role){settings->roles[i].role_arn,
		                             settings->roles[i].external_id};
	}
	const struct aws_opts opts = {
		.roles = roles,
		.role_count = settings->role_count,
		.region = settings->region,
		.endpoint = settings->endpoint,
		.resolve = sync->hooks.resolve,
		.resolve_ctx = sync->hooks.ctx,
		.cancel = &sync->cancel,
		.before = sync_run__before,
		.before_ctx = sync,
		.idle = sync_run__idle,
		.idle_ctx = sync,
	};
	struct aws *aws = NULL;
	if (settings->api || sync->hooks.instance != NULL) {
		aws = aws_new(&opts);
		if (aws == NULL) {
			free(roles);
			return FAIL_NOMEM;
		}
	}
	free(roles);
	pthread_mutex_lock(&sync->lock);
	struct aws *old = sync->aws;
	sync->aws = aws;
	pthread_mutex_unlock(&sync->lock);
	aws_free(&old);
	sync->aws_stale = false;
	return 0;
}

/* --- What comes next --- */

struct job {
	uint64_t at_ms;
	void (*run)(struct sync *sync); /* NULL: a look at zone */
	struct sync_zone *zone;
};

static void job_offer(struct job *job, uint64_t at_ms, void (*run)(struct sync *sync),
                      struct sync_zone *zone)
{
	if (at_ms < job->at_ms) {
		*job = (struct job){.at_ms = at_ms, .run = run, .zone = zone};
	}
}

/* What somebody waits for goes before what merely has its turn. */
static uint64_t zone_due(const struct sync_zone *zone, uint64_t now_ms)
{
	return zone->asked && zone->listing == NULL && zone->due.at_ms <= now_ms ? 0
	                                                                         : zone->due.at_ms;
}

static struct sync_zone *sooner(struct sync_zone *a, struct sync_zone *b, uint64_t now_ms)
{
	return a == NULL || zone_due(b, now_ms) < zone_due(a, now_ms) ? b : a;
}

/*
 * Listings under way take turns among themselves, and every second call begins another, so that neither a large zone
 * nor many small ones hold the rest up.
 */
static struct sync_zone *zone_next(const struct sync *sync, uint64_t now_ms)
{
	struct sync_zone *going = NULL, *fresh = NULL;
	size_t active = 0, resting = 0;
	for (size_t i = 0; i < sync->zone_count; i++) {
		struct sync_zone *zone = sync->zones[i];
		if (zone->listing != NULL) {
			going = sooner(going, zone, now_ms);
			active += zone->listing->failures == 0;
			resting += zone->listing->failures != 0;
		} else {
			fresh = sooner(fresh, zone, now_ms);
		}
	}
	if (going == NULL || fresh == NULL) {
		return going == NULL ? fresh : going;
	}
	if (active >= SYNC_LISTINGS_MAX || resting >= SYNC_RESTING_MAX) {
		return going;
	}
	bool both = zone_due(going, now_ms) <= now_ms && zone_due(fresh, now_ms) <= now_ms;
	if (both) {
		return sync->turn ? going : fresh;
	}
	return zone_due(going, now_ms) <= zone_due(fresh, now_ms) ? going : fresh;
}

/* The earliest; of equals the one that stands first, so that each gets its turn. */
static struct job job_next(const struct sync *sync)
{
	uint64_t now_ms = mono_ms();
	const struct sync_settings *settings = sync->settings;
	struct job job = {.at_ms = SYNC_NEVER};
	bool vpc_auto = settings->api && strcmp(settings->vpc, "auto") == 0;
	bool vpc_known = settings->api && settings->vpc[0] != '\0' &&
	                 (!vpc_auto || sync->instance.vpc_id[0] != '\0');
	if (!sync->instance_known && (vpc_auto || sync->hooks.instance != NULL)) {
		job_offer(&job, sync->instance_due.at_ms, sync_discover__instance, NULL);
	}
	if (vpc_known) {
		job_offer(&job, sync->discovery.at_ms, sync_discover__zones, NULL);
	}
	job_offer(&job, sync_fleet__due_ms(sync), sync_fleet__look, NULL);
	struct sync_zone *zone = zone_next(sync, now_ms);
	if (zone != NULL) {
		job_offer(&job, zone_due(zone, now_ms), NULL, zone);
	}
	job_offer(&job, sync_health__due_ms(sync), sync_health__next, NULL);
	job_offer(&job, sync_tags__due_ms(sync), sync_tags__next, NULL);
	uint64_t disk_ms = sync_disk__due_ms(sync);
	if (disk_ms <= now_ms) { /* before the next call, which may take long */
		job = (struct job){.at_ms = 0, .run = sync_disk__write};
	}
	job_offer(&job, disk_ms, sync_disk__write, NULL);
	return job;
}

static void job_run(struct sync *sync, const struct job *job)
{
	if (job->run != NULL) {
		job->run(sync);
	} else {
		sync->turn = job->zone->listing == NULL;
		sync_look__at(sync, job->zone);
	}
}

/* Orders called the last call off; the next is wanted, unless it is all over. */
static bool going_on(struct sync *sync)
{
	pthread_mutex_lock(&sync->lock);
	bool going = !sync->stopping;
	__atomic_store_n(&sync->cancel, !going, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&sync->lock);
	return going;
}

void *sync_run__thread(void *ctx)
{
	struct sync *sync = ctx;
	pthread_setname_np(pthread_self(), "sync");
	/* Whoever answers goes before whoever reads listings; on Linux this is the thread's alone. */
	setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	while (going_on(sync)) {
		sync_run__attend(sync);
		sync_feed__follow(sync);
		sync_fleet__follow(sync);
		if (sync->aws_stale && sync_run__client(sync) != 0) {
			log_error("sync", "no memory for a client of the API, trying again");
			sleep_until(sync, mono_ms() + GAP_MS);
			continue;
		}
		struct job job = job_next(sync);
		if (job.at_ms <= mono_ms()) {
			job_run(sync, &job);
		} else {
			sleep_until(sync, earlier(job.at_ms, sync_publish__due_ms(sync)));
		}
	}
	sync_feed__stop(sync);
	sync_fleet__stop(sync);
	sync_disk__finish(sync);
	return NULL;
}
