/*
 * sync/feed.c - the change feed: an SQS queue, polled long by a thread of its own.
 *
 * Of a message only the zone's id is used: the zone is hinted at, and the message deleted once a look that began after it
 * has ended, well or badly (a zone whose look failed is tried again anyway, and a start lists all of them). A queue that
 * does not answer is told, and zones are looked at as without it. Nobody else may read our queue: each horizond has one.
 */
#include "sync/sync_int.h"

#include "aws/queue.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include "base/random.h"
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Messages whose zone is still to be looked at; of more the hint alone is kept. */
#define HELD_MAX 1000

/* Others do not get a message for this long; one held so long is deleted: its hint stays. */
#define HIDDEN_S 120
#define HELD_MS  100000

#define POLL_S       20
#define POLL_BUSY_S  1 /* while messages are held: their deletion waits no longer */
#define MESSAGES_MAX 10

/* The queue counts as silent after so many failures in a row. */
#define FAILURES_MAX 3
#define REST_MOST_MS 30000
#define NAP_MS       100

enum feed_kind {
	FEED_SETS,    /* a zone of ours has changed */
	FEED_ZONES,   /* a zone has come or gone */
	FEED_OTHER,   /* somebody else's zone */
	FEED_UNKNOWN, /* no event of Route 53, or too large to be one */
	FEED_KINDS,
};

static const char *const kind_names[FEED_KINDS] = {"sets", "zones", "other", "unknown"};

struct held {
	char *receipt;
	char zone[SYNC_ID_MAX]; /* "": nothing to wait for */
	uint64_t heard_ms;
	bool over;
};

struct sync_feed {
	struct sync *sync;
	pthread_t thread;
	char *queue;
	struct aws *aws;
	bool cancel; /* atomic */
	unsigned int most;
	unsigned int failures;
	bool heard;
	bool told;
	uint64_t counts[FEED_KINDS]; /* metric_add */

	/* Under sync->lock */
	struct held held[HELD_MAX];
	size_t held_count;
};

/* --- What has been heard --- */

/* Under lock: a zone that we serve from the API. */
static bool ours(const struct sync *sync, const char *id)
{
	for (size_t i = 0; i < zones_count(sync->latest); i++) {
		if (strcmp(zones_get(sync->latest, i)->id, id) == 0) {
			return true;
		}
	}
	return false;
}

/* zone NULL: to be deleted at once. */
static void hold(struct sync_feed *feed, const char *receipt, const char *zone)
{
	struct held held = {
		.receipt = strdup(receipt),
		.heard_ms = mono_ms(),
		.over = zone == NULL,
	};
	snprintf(held.zone, sizeof(held.zone), "%s", zone == NULL ? "" : zone);
	pthread_mutex_lock(&feed->sync->lock);
	bool kept = held.receipt != NULL && feed->held_count < HELD_MAX;
	if (kept) {
		feed->held[feed->held_count++] = held;
	}
	pthread_mutex_unlock(&feed->sync->lock);
	if (!kept) {
		free(held.receipt); /* it will come again, and is worth one more look */
	}
}

static enum feed_kind event_take(struct sync_feed *feed, const struct aws_event *event,
                                 const char *receipt)
{
	struct sync *sync = feed->sync;
	pthread_mutex_lock(&sync->lock);
	bool known = event->zone_id[0] != '\0' && ours(sync, event->zone_id);
	pthread_mutex_unlock(&sync->lock);
	if (event->kind == AWS_EVENT_NONE) {
		hold(feed, receipt, NULL);
		return FEED_UNKNOWN;
	}
	if (event->kind == AWS_EVENT_SETS && !known) {
		hold(feed, receipt, NULL);
		return FEED_OTHER;
	}
	/* Held first: the look must not end before it is known who waits for it. */
	hold(feed, receipt, known ? event->zone_id : NULL);
	if (known) {
		sync_hint(sync, event->zone_id);
	}
	if (event->kind == AWS_EVENT_ZONES) {
		sync_hint(sync, "");
		return FEED_ZONES;
	}
	return FEED_SETS;
}

static void on_message(void *ctx, const struct aws_message *message)
{
	struct sync_feed *feed = ctx;
	struct aws_event event;
	aws_event_read(message->body, message->body_size, &event);
	enum feed_kind kind = event_take(feed, &event, message->receipt);
	metric_add(&feed->counts[kind], 1);
	log_debug("sync", "change feed: %s %s", kind_names[kind], event.zone_id);
}

void sync_feed__looked(struct sync *sync, const char *zone_id, uint64_t began_ms)
{
	pthread_mutex_lock(&sync->lock);
	struct sync_feed *feed = sync->feeding;
	for (size_t i = 0; feed != NULL && i < feed->held_count; i++) {
		struct held *held = &feed->held[i];
		if (held->heard_ms <= began_ms && strcmp(held->zone, zone_id) == 0) {
			held->over = true;
		}
	}
	pthread_mutex_unlock(&sync->lock);
}

/* --- Deleting --- */

/* Takes up to AWS_DELETE_MAX receipts that are over out of the table. */
static size_t receipts_take(struct sync_feed *feed, char **receipts)
{
	size_t count = 0;
	uint64_t now_ms = mono_ms();
	pthread_mutex_lock(&feed->sync->lock);
	for (size_t i = feed->held_count; i > 0 && count < AWS_DELETE_MAX; i--) {
		struct held *held = &feed->held[i - 1];
		if (held->over || now_ms - held->heard_ms > HELD_MS) {
			receipts[count++] = held->receipt;
			*held = feed->held[--feed->held_count];
		}
	}
	pthread_mutex_unlock(&feed->sync->lock);
	return count;
}

static int delete_some(struct sync_feed *feed, bool *ret_more)
{
	char *receipts[AWS_DELETE_MAX];
	size_t count = receipts_take(feed, receipts);
	int ret = 0;
	if (count > 0) {
		ret = aws_queue_delete(feed->aws, feed->queue, (const char *const *)receipts,
		                       count);
	}
	for (size_t i = 0; i < count; i++) {
		free(receipts[i]);
	}
	*ret_more = count == AWS_DELETE_MAX;
	return ret;
}

static int delete_all(struct sync_feed *feed)
{
	bool more = true;
	int ret = 0;
	while (more && ret == 0) {
		ret = delete_some(feed, &more);
	}
	return ret;
}

/* --- The thread --- */

static bool cancelled(const struct sync_feed *feed)
{
	return __atomic_load_n(&feed->cancel, __ATOMIC_ACQUIRE);
}

static void rest(const struct sync_feed *feed, uint64_t rest_ms)
{
	const struct timespec nap = {.tv_nsec = NAP_MS * 1000000L};
	for (uint64_t ms = 0; ms < rest_ms && !cancelled(feed); ms += NAP_MS) {
		nanosleep(&nap, NULL);
	}
}

static void poll_good(struct sync_feed *feed)
{
	if (feed->told) {
		log_notice("sync", "change feed %s is heard again", feed->queue);
	} else if (!feed->heard) {
		log_info("sync", "change feed %s is heard: quiet zones are listed once in %d s",
		         feed->queue, SYNC_FEED_INTERVAL_S);
	}
	feed->heard = true;
	feed->told = false;
	feed->failures = 0;
	feed->most = MESSAGES_MAX;
	sync_set_feed(feed->sync, true);
}

static void poll_failed(struct sync_feed *feed, int ret)
{
	if (ret == FAIL_SHUTDOWN) {
		return;
	}
	if (ret == FAIL_LIMIT && feed->most > 1) {
		feed->most = 1; /* large messages: one by one */
		return;
	}
	feed->failures++;
	if (feed->failures >= FAILURES_MAX || !feed->heard) {
		sync_set_feed(feed->sync, false);
		if (!feed->told) {
			log_warn("sync",
			         "change feed %s is silent: %s; zones are looked at in their own "
			         "time until it is back",
			         feed->queue, aws_trouble(feed->aws));
		}
		feed->told = true;
	}
	rest(feed, sync_backoff__ms(feed->failures, REST_MOST_MS, random_u32()));
}

static bool holding(struct sync_feed *feed)
{
	pthread_mutex_lock(&feed->sync->lock);
	bool any = feed->held_count > 0;
	pthread_mutex_unlock(&feed->sync->lock);
	return any;
}

/* Whether the queue answers is known at once, later polls are long. */
static unsigned int poll_wait_s(struct sync_feed *feed)
{
	if (!feed->heard || feed->failures > 0) {
		return 0;
	}
	return holding(feed) ? POLL_BUSY_S : POLL_S;
}

static void *feed_thread(void *ctx)
{
	struct sync_feed *feed = ctx;
	pthread_setname_np(pthread_self(), "feed");
	while (!cancelled(feed)) {
		int ret = aws_queue_receive(feed->aws, feed->queue, feed->most, poll_wait_s(feed),
		                            HIDDEN_S, on_message, feed);
		ret = ret != 0 ? ret : delete_all(feed);
		if (ret == 0) {
			poll_good(feed);
		} else {
			poll_failed(feed, ret);
		}
	}
	return NULL;
}

/* --- Start and stop, on the side thread --- */

static void feed_free(struct sync_feed *feed)
{
	if (feed == NULL) {
		return;
	}
	for (size_t i = 0; i < feed->held_count; i++) {
		free(feed->held[i].receipt);
	}
	aws_free(&feed->aws);
	free(feed->queue);
	free(feed);
}

static struct sync_feed *feed_new(struct sync *sync)
{
	struct sync_feed *feed = calloc(1, sizeof(*feed));
	if (feed == NULL) {
		return NULL;
	}
	const struct aws_opts opts = {
		.region = sync->settings->region,
		.resolve = sync->hooks.resolve,
		.resolve_ctx = sync->hooks.ctx,
		.cancel = &feed->cancel,
	};
	feed->sync = sync;
	feed->most = MESSAGES_MAX;
	feed->queue = strdup(sync->settings->queue);
	feed->aws = aws_new(&opts);
	if (feed->queue == NULL || feed->aws == NULL) {
		feed_free(feed);
		return NULL;
	}
	return feed;
}

static int feed_start(struct sync *sync)
{
	sigset_t all, before;
	struct sync_feed *feed = feed_new(sync);
	if (feed == NULL) {
		return FAIL_NOMEM;
	}
	pthread_mutex_lock(&sync->lock);
	sync->feeding = feed;
	pthread_mutex_unlock(&sync->lock);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int ret = pthread_create(&feed->thread, NULL, feed_thread, feed);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (ret != 0) {
		pthread_mutex_lock(&sync->lock);
		sync->feeding = NULL;
		pthread_mutex_unlock(&sync->lock);
		feed_free(feed);
	}
	return -ret;
}

void sync_feed__stop(struct sync *sync)
{
	struct sync_feed *feed = sync->feeding;
	if (feed == NULL) {
		return;
	}
	__atomic_store_n(&feed->cancel, true, __ATOMIC_RELEASE);
	pthread_join(feed->thread, NULL);
	pthread_mutex_lock(&sync->lock);
	sync->feeding = NULL;
	pthread_mutex_unlock(&sync->lock);
	feed_free(feed);
	sync_set_feed(sync, false);
}

void sync_feed__follow(struct sync *sync)
{
	const char *queue = sync->settings->api ? sync->settings->queue : "";
	const char *now = sync->feeding == NULL ? "" : sync->feeding->queue;
	if (strcmp(queue, now) == 0) {
		return;
	}
	sync_feed__stop(sync);
	if (queue[0] != '\0') {
		int ret = feed_start(sync);
		if (ret != 0) {
			log_error("sync", "change feed %s cannot be heard: %s", queue,
			          fail_text(ret));
		}
	}
}

const struct aws *sync_feed__aws(const struct sync *sync)
{
	return sync->feeding == NULL ? NULL : sync->feeding->aws;
}

void sync_feed__metrics(const struct sync *sync, struct text *out)
{
	const struct sync_feed *feed = sync->feeding;
	if (feed == NULL) {
		return;
	}
	bool heard = __atomic_load_n(&sync->feed, __ATOMIC_RELAXED);
	metric_family(out, "horizond_feed_heard", METRIC_GAUGE, "1 while the change feed answers.");
	metric_sample(out, "horizond_feed_heard", NULL, heard ? 1 : 0);
	metric_family(out, "horizond_feed_messages_total", METRIC_COUNTER,
	              "Messages of the change feed by what they told.");
	for (unsigned int i = 0; i < FEED_KINDS; i++) {
		const char *labels[] = {"kind", kind_names[i], NULL};
		metric_sample_u64(out, "horizond_feed_messages_total", labels,
		                  metric_get(&feed->counts[i]));
	}
}
