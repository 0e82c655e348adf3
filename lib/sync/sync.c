#include "sync/sync.h"
#include "base/fail.h"
#include "base/mono.h"
#include "sync/sync_int.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- Start and stop --- */

static void sync_free(struct sync *sync)
{
	sync_order__free(&sync->order);
	sync_table__clear(sync);
	sync_health__clear(sync);
	sync_tags__clear(sync);
	sync_settings__free(&sync->settings);
	zones_unref(&sync->latest);
	aws_free(&sync->aws);
	pthread_cond_destroy(&sync->poke);
	pthread_mutex_destroy(&sync->lock);
	free(sync);
}

/* Times of the condition are monotonic, like all of ours. */
static int poke_init(pthread_cond_t *poke)
{
	pthread_condattr_t attr;
	int ret = pthread_condattr_init(&attr);
	if (ret != 0) {
		return -ret;
	}
	ret = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	ret = ret != 0 ? ret : pthread_cond_init(poke, &attr);
	pthread_condattr_destroy(&attr);
	return -ret;
}

static struct sync *sync_new(const struct sync_hooks *hooks)
{
	struct sync *sync = calloc(1, sizeof(*sync));
	if (sync == NULL) {
		return NULL;
	}
	sync->hooks = *hooks;
	pthread_mutex_init(&sync->lock, NULL);
	if (poke_init(&sync->poke) != 0) {
		pthread_mutex_destroy(&sync->lock);
		free(sync);
		return NULL;
	}
	return sync;
}

/* Signals are for the control thread. */
static int thread_start(struct sync *sync)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int ret = pthread_create(&sync->thread, NULL, sync_run__thread, sync);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -ret;
}

struct sync *sync_start(const struct sync_opts *opts, const struct sync_hooks *hooks, char *err,
                        size_t err_size)
{
	struct sync_order *order = NULL;
	if (sync_order__new(opts, &order, err, err_size) != 0) {
		return NULL;
	}
	struct sync *sync = sync_new(hooks);
	if (sync == NULL) {
		snprintf(err, err_size, "%s", fail_text(FAIL_NOMEM));
		sync_order__free(&order);
		return NULL;
	}
	int ret = sync_table__apply(sync, order);
	ret = ret != 0 ? ret : sync_run__client(sync);
	if (ret == 0) {
		sync_disk__load(sync);
		sync_publish__try(sync, mono_ms());
		ret = sync->latest == NULL ? FAIL_NOMEM : thread_start(sync);
	}
	if (ret != 0) {
		snprintf(err, err_size, "%s", fail_text(ret));
		sync_free(sync);
		return NULL;
	}
	return sync;
}

void sync_stop(struct sync **sync)
{
	struct sync *old = *sync;
	if (old == NULL) {
		return;
	}
	pthread_mutex_lock(&old->lock);
	old->stopping = true;
	__atomic_store_n(&old->cancel, true, __ATOMIC_RELEASE);
	pthread_cond_signal(&old->poke);
	pthread_mutex_unlock(&old->lock);
	pthread_join(old->thread, NULL);
	sync_free(old);
	*sync = NULL;
}

/* --- Looking in --- */

bool sync_ready(struct sync *sync, char *why, size_t why_size)
{
	pthread_mutex_lock(&sync->lock);
	bool ready = sync->ready;
	snprintf(why, why_size, "%s", sync->why);
	pthread_mutex_unlock(&sync->lock);
	return ready;
}
