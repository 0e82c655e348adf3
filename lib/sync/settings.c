#include "base/fail.h"
#include "sync/sync_int.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTERVAL_DEFAULT_S 60

void sync_settings__texts_free(char **texts, size_t count)
{
	for (size_t i = 0; texts != NULL && i < count; i++) {
		free(texts[i]);
	}
	free(texts);
}

void sync_settings__free(struct sync_settings **settings)
{
	struct sync_settings *old = *settings;
	if (old == NULL) {
		return;
	}
	free(old->vpc);
	free(old->region);
	free(old->endpoint);
	free(old->state_dir);
	free(old->queue);
	free(old->peers);
	free(old->peer_name);
	free(old->peer_certificate);
	free(old->peer_key);
	free(old->peer_ca);
	sync_settings__texts_free(old->zones, old->zone_count);
	sync_settings__texts_free(old->tags, old->tag_count);
	sync_settings__texts_free(old->zone_files, old->zone_file_count);
	sync_roles__free(old);
	free(old);
	*settings = NULL;
}

const char *sync_settings__bare_id(const char *id)
{
	const char *slash = strrchr(id, '/');
	return slash == NULL ? id : slash + 1;
}

static const char *same_text(const char *text)
{
	return text;
}

char **sync_settings__texts(const char *const *texts, size_t count,
                            const char *(*what)(const char *))
{
	char **copy = calloc(count + 1, sizeof(*copy));
	for (size_t i = 0; copy != NULL && i < count; i++) {
		copy[i] = strdup(what(texts[i]));
		if (copy[i] == NULL) {
			sync_settings__texts_free(copy, count);
			return NULL;
		}
	}
	return copy;
}

static char *text_copy(const char *text)
{
	return strdup(text == NULL ? "" : text);
}

struct sync_settings *sync_settings__new(const struct sync_opts *opts)
{
	struct sync_settings *settings = calloc(1, sizeof(*settings));
	if (settings == NULL) {
		return NULL;
	}
	settings->api = opts->api;
	settings->vpc = text_copy(opts->vpc);
	settings->region = text_copy(opts->region);
	settings->endpoint = text_copy(opts->endpoint);
	settings->state_dir = text_copy(opts->state_dir);
	settings->queue = text_copy(opts->queue);
	settings->peer_count = opts->peer_count;
	settings->peers = calloc(opts->peer_count + 1, sizeof(*settings->peers));
	settings->peer_name = text_copy(opts->peer_name);
	settings->peer_certificate = text_copy(opts->peer_certificate);
	settings->peer_key = text_copy(opts->peer_key);
	settings->peer_ca = text_copy(opts->peer_ca);
	if (settings->peers != NULL && opts->peer_count > 0) {
		memcpy(settings->peers, opts->peers, opts->peer_count * sizeof(*opts->peers));
	}
	settings->zone_count = opts->api ? opts->zone_count : 0;
	settings->zones =
		sync_settings__texts(opts->zones, settings->zone_count, sync_settings__bare_id);
	settings->tag_count = opts->api ? opts->tag_count : 0;
	settings->tags = sync_settings__texts(opts->tags, settings->tag_count, same_text);
	settings->zone_file_count = opts->zone_file_count;
	settings->zone_files =
		sync_settings__texts(opts->zone_files, opts->zone_file_count, same_text);
	settings->interval_s = opts->interval_s == 0 ? INTERVAL_DEFAULT_S : opts->interval_s;
	settings->min_interval_s =
		opts->min_interval_s == 0 || opts->min_interval_s > settings->interval_s
			? settings->interval_s
			: opts->min_interval_s;
	settings->rate = opts->rate;
	settings->guard_max_loss = opts->guard_max_loss;
	settings->guard_min_sets = opts->guard_min_sets;
	if (settings->vpc == NULL || settings->region == NULL || settings->endpoint == NULL ||
	    settings->state_dir == NULL || settings->queue == NULL || settings->peers == NULL ||
	    settings->peer_name == NULL || settings->peer_certificate == NULL ||
	    settings->peer_key == NULL || settings->peer_ca == NULL || settings->zones == NULL ||
	    settings->tags == NULL || settings->zone_files == NULL ||
	    !sync_roles__copy(settings, opts)) {
		sync_settings__free(&settings);
	}
	return settings;
}

bool sync_settings__same_api(const struct sync_settings *a, const struct sync_settings *b)
{
	return a->api == b->api && strcmp(a->region, b->region) == 0 &&
	       strcmp(a->endpoint, b->endpoint) == 0 && strcmp(a->vpc, b->vpc) == 0 &&
	       sync_roles__same(a, b);
}

bool sync_settings__same_tags(const struct sync_settings *a, const struct sync_settings *b)
{
	if (a->tag_count != b->tag_count) {
		return false;
	}
	for (size_t i = 0; i < a->tag_count; i++) {
		if (strcmp(a->tags[i], b->tags[i]) != 0) {
			return false;
		}
	}
	return true;
}

/* --- Orders --- */

struct sync_settings *sync_order__use_up(struct sync_order **order)
{
	struct sync_order *old = *order;
	struct sync_settings *settings = old->settings;
	for (size_t i = 0; old->files != NULL && i < settings->zone_file_count; i++) {
		zone_unref(&old->files[i]);
	}
	free(old->files);
	free(old);
	*order = NULL;
	return settings;
}

void sync_order__free(struct sync_order **order)
{
	if (*order != NULL) {
		struct sync_settings *settings = sync_order__use_up(order);
		sync_settings__free(&settings);
	}
}

int sync_order__new(const struct sync_opts *opts, struct sync_order **ret_order, char *err,
                    size_t err_size)
{
	struct sync_order *order = calloc(1, sizeof(*order));
	if (order == NULL) {
		snprintf(err, err_size, "%s", fail_text(FAIL_NOMEM));
		return FAIL_NOMEM;
	}
	int ret = FAIL_NOMEM;
	order->settings = sync_settings__new(opts);
	if (order->settings != NULL) {
		order->files = calloc(opts->zone_file_count + 1, sizeof(struct zone *));
	}
	if (order->files == NULL) {
		snprintf(err, err_size, "%s", fail_text(ret));
		goto out;
	}
	ret = 0;
	for (size_t i = 0; i < opts->zone_file_count && ret == 0; i++) {
		ret = sync_file__read(order->settings->zone_files[i], &order->files[i], err,
		                      err_size);
	}
	if (ret == 0) {
		*ret_order = order; /* the caller's now */
		order = NULL;
	}
out:
	sync_order__free(&order);
	return ret;
}
