/* daemon/horizond_reload.c - SIGHUP: the file read again, applied whole or not at all. */
#include "horizond_int.h"

#include "base/epoch.h"
#include "base/fail.h"
#include "base/log.h"
#include "control/notify.h"
#include "tls/tls.h"
#include <stdio.h>
#include <string.h>

/* Logs each line of text. */
static void log_lines(enum log_level level, const char *lines)
{
	while (*lines != '\0') {
		size_t len = strcspn(lines, "\n");
		log_line(level, "config", "%.*s", (int)len, lines);
		lines += len + (lines[len] == '\n');
	}
}

static bool same_addrs(const struct settings_addrs *a, const struct settings_addrs *b)
{
	if (a->count != b->count) {
		return false;
	}
	for (size_t i = 0; i < a->count; i++) {
		if (!addr_equal(&a->items[i], &b->items[i])) {
			return false;
		}
	}
	return true;
}

static bool same_addr(const struct addr *a, const struct addr *b)
{
	return a->len == b->len && (a->len == 0 || addr_equal(a, b));
}

/* What a running process cannot change: said, not silently left. */
static void say_restart(const struct settings *old, const struct settings *new)
{
	const struct {
		const char *name;
		bool same;
	} fixed[] = {
		{"listen", same_addrs(&old->listen, &new->listen)},
		{"tls.listen", same_addrs(&old->tls.listen, &new->tls.listen)},
		{"workers", old->workers == new->workers},
		{"user", strcmp(old->user, new->user) == 0},
		{"control", strcmp(old->control, new->control) == 0},
		{"metrics.listen", same_addr(&old->metrics_listen, &new->metrics_listen)},
	};
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		if (!fixed[i].same) {
			log_warn("config", "%s changed: this takes effect with a restart",
			         fixed[i].name);
		}
	}
}

/* The steps that can fail come first; each leaves what runs as it was. */
static int reload_apply(struct horizond *h, const struct settings *settings,
                        struct tls_host **ret_tls, struct text *faults)
{
	char err[512];
	if (wire_tls(h, settings, ret_tls, err, sizeof(err)) != 0) {
		text_addf(faults, "%s: tls: %s\n", h->config_path, err);
		return FAIL_FORMAT;
	}
	struct world_conf *conf = wire_world_conf(h, settings);
	if (conf == NULL) {
		text_addf(faults, "%s: out of memory\n", h->config_path);
		return FAIL_NOMEM;
	}
	struct sync_opts sync_opts;
	snprintf(err, sizeof(err), "%s: out of memory", h->config_path);
	int ret = wire_sync_opts(settings, &sync_opts);
	if (ret == 0) {
		ret = sync_reload(h->sync, &sync_opts, err, sizeof(err));
		wire_sync_opts_free(&sync_opts);
	}
	if (ret == 0) {
		/*
		 * A rule's targets must be there when the first question follows it, and until the last one has:
		 * new groups beside the old, then the new rules, then the new groups alone.
		 */
		snprintf(err, sizeof(err), "%s: out of memory", h->config_path);
		ret = wire_forward_groups(h, settings, h->settings);
	}
	if (ret != 0) {
		text_addf(faults, "%s\n", err);
		world_conf_unref(&conf);
		return ret;
	}
	ret = world_set_conf(h->world, conf);
	if (ret == 0) {
		epoch_wait(); /* nobody follows the old rules any more */
		if (wire_forward_groups(h, settings, NULL) != 0) {
			log_warn("config", "out of memory: old targets stay until the next reload");
		}
	} else {
		text_addf(faults, "%s\n", err);
	}
	return ret;
}

/* What cannot fail. Takes over *tls. */
static void reload_tune(struct horizond *h, const struct settings *settings, struct tls_host **tls)
{
	if (*tls != NULL && h->tls != NULL) {
		tls_host_unref(&h->tls);
		h->tls = *tls;
		*tls = NULL;
	}
	tls_host_unref(tls); /* there is no listener yet to show it */
	struct server_opts server_opts;
	wire_server_opts(h, settings, 0, &server_opts);
	server_tune(h->server, &server_opts);
	struct cache_opts cache_opts = wire_cache_opts(settings);
	cache_resize(h->cache, &cache_opts);
	horizond_keep_tune(h, settings);
	horizond_parity_tune(h, settings);
	horizond_peer_follow(h, settings);
	tls_trust_load(); /* a CA that was added meanwhile counts from now on */
	log_set_level(settings->log_level);
	horizond_set_resolvers(h, settings);
}

bool horizond_reload(struct horizond *h, struct text *faults)
{
	notify_reloading();
	struct settings *settings = NULL;
	struct tls_host *tls = NULL;
	size_t before = faults->len;
	int ret = settings_load(h->config_path, &settings, faults);
	if (ret == 0) {
		ret = reload_apply(h, settings, &tls, faults);
	}
	if (ret != 0) {
		tls_host_unref(&tls);
		h->reloads_bad++;
		log_lines(LOG_LEVEL_ERROR, text_get(faults) + before);
		log_error("config", "reload refused: %s has faults; nothing was changed",
		          h->config_path);
		settings_free(&settings);
		notify_ready("running with the settings of before: the file has faults");
		return false;
	}

	struct text diff;
	text_init(&diff, 65536);
	size_t changes = settings_diff(h->settings, settings, &diff);
	log_lines(LOG_LEVEL_INFO, text_get(&diff));
	text_fini(&diff);
	say_restart(h->settings, settings);

	reload_tune(h, settings, &tls);
	settings_free(&h->settings);
	h->settings = settings;
	h->reloads_ok++;
	log_notice("config", "%s read again: %zu change%s", h->config_path, changes,
	           changes == 1 ? "" : "s");
	notify_ready("running");
	return true;
}

void horizond_set_resolvers(struct horizond *h, const struct settings *settings)
{
	pthread_mutex_lock(&h->instance_lock);
	h->resolver_count = settings->vpc_resolver.count;
	memcpy(h->resolvers, settings->vpc_resolver.items,
	       h->resolver_count * sizeof(h->resolvers[0]));
	pthread_mutex_unlock(&h->instance_lock);
}

void horizond_rewire(struct horizond *h)
{
	struct zones *zones = world_zones(h->world);
	struct delegations found;
	int ret = delegations_find(zones, &found);
	zones_unref(&zones);
	if (ret == 0) {
		delegations_fini(&h->delegations);
		h->delegations = found;
		ret = wire_forward_groups(h, h->settings, NULL);
	}
	struct world_conf *conf = ret == 0 ? wire_world_conf(h, h->settings) : NULL;
	if (conf == NULL || world_set_conf(h->world, conf) != 0) {
		log_error("horizond",
		          "out of memory: autodefined and delegated names stay as they were");
	}
}
