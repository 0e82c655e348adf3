/*
 * daemon/horizond_keep.c - the cache on disk: loaded at start, written every five minutes and at the end.
 *
 * By a thread of its own: to write and sync 64 MB may take the disk a second, a large cache ten, and so long neither
 * the watchdog nor /healthz would hear of the control thread.
 */
#include "horizond_int.h"

#include "base/epoch.h"
#include "base/log.h"
#include "base/mono.h"
#include "cache/persist.h"
#include <signal.h>
#include <stdio.h>
#include <time.h>

#define KEEP_EVERY_S 300

static void keep_path(const struct settings *settings, char *ret_path, size_t size)
{
	ret_path[0] = '\0';
	if (settings->cache.persist && settings->state_dir[0] != '\0') {
		snprintf(ret_path, size, "%s/cache", settings->state_dir);
	}
}

/* Nothing was stored or flushed since it was last written: the file says it all, its ages count by the clock. */
static bool keep_unchanged(const struct cache_stats *stats, const struct keep *keep)
{
	return stats->stored == keep->stored && stats->entries == keep->entries;
}

static void keep_save(struct horizond *h, const char *path)
{
	struct keep *keep = &h->keep;
	struct cache_stats stats;
	cache_get_stats(h->cache, &stats);
	if (keep_unchanged(&stats, keep)) {
		return;
	}
	size_t count;
	uint64_t began_ms = mono_ms();
	if (cache_save(h->cache, path, began_ms / 1000, wall_s(), &count) == 0) {
		keep->stored = stats.stored;
		keep->entries = stats.entries;
		log_debug("cache", "%zu answers written to %s in %llu ms", count, path,
		          (unsigned long long)(mono_ms() - began_ms));
	}
}

static void *keep_main(void *ctx)
{
	struct horizond *h = ctx;
	struct keep *keep = &h->keep;
	char path[KEEP_PATH_MAX];
	pthread_setname_np(pthread_self(), "keep");
	epoch_thread_start();
	pthread_mutex_lock(&keep->lock);
	while (!keep->end) {
		struct timespec due;
		clock_gettime(CLOCK_MONOTONIC, &due);
		due.tv_sec += KEEP_EVERY_S;
		while (!keep->end && pthread_cond_timedwait(&keep->wake, &keep->lock, &due) == 0) {
		}
		snprintf(path, sizeof(path), "%s", keep->path);
		if (!keep->end && path[0] != '\0') {
			pthread_mutex_unlock(&keep->lock);
			keep_save(h, path);
			pthread_mutex_lock(&keep->lock);
		}
	}
	pthread_mutex_unlock(&keep->lock);
	epoch_thread_stop();
	return NULL;
}

static void keep_load(struct horizond *h)
{
	size_t count;
	if (h->keep.path[0] != '\0' &&
	    cache_load(h->cache, h->keep.path, mono_ms() / 1000, wall_s(), &count) == 0) {
		log_info("cache", "%zu answers kept from before", count);
	}
}

int horizond_keep_start(struct horizond *h)
{
	struct keep *keep = &h->keep;
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&keep->lock, NULL);
	pthread_cond_init(&keep->wake, &attr);
	pthread_condattr_destroy(&attr);
	keep_path(h->settings, keep->path, sizeof(keep->path));
	keep_load(h);

	sigset_t all;
	sigset_t before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int ret = pthread_create(&keep->thread, NULL, keep_main, h);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	keep->started = ret == 0;
	return -ret;
}

void horizond_keep_tune(struct horizond *h, const struct settings *settings)
{
	struct keep *keep = &h->keep;
	pthread_mutex_lock(&keep->lock);
	keep_path(settings, keep->path, sizeof(keep->path));
	pthread_mutex_unlock(&keep->lock);
}

void horizond_keep_stop(struct horizond *h)
{
	struct keep *keep = &h->keep;
	if (!keep->started) {
		return;
	}
	pthread_mutex_lock(&keep->lock);
	keep->end = true;
	pthread_cond_signal(&keep->wake);
	pthread_mutex_unlock(&keep->lock);
	pthread_join(keep->thread, NULL);
	keep->started = false;
	if (keep->path[0] != '\0') {
		keep_save(h, keep->path);
	}
	pthread_cond_destroy(&keep->wake);
	pthread_mutex_destroy(&keep->lock);
}
