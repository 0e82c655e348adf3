/* query/world.c - the two halves of a world and their publication. */
#include "query/world.h"

#include "base/epoch.h"
#include "base/fail.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct world_conf {
	struct rules *rules;
	struct clients *clients;
	struct world_opts opts;
	char *version;
	char *server_id;
	char *region;
	const uint8_t **fallback; /* the names behind the pointers, in one piece */
	unsigned int refs;        /* guarded by the root's lock once handed over */
};

/* What readers hold, with what keeps it alive. */
struct world_kept {
	struct epoch_head head; /* first: epoch_free gets it back */
	struct world world;
	struct zones *zones;
	struct world_conf *conf;
};

struct world_root {
	struct world_kept *current;
	pthread_mutex_t lock; /* writers */
};

/* The pointers, then the names. NULL: no memory. */
static const uint8_t **names_copy(const uint8_t *const *names, size_t count)
{
	size_t size = (count + 1) * sizeof(*names);
	for (size_t i = 0; i < count; i++) {
		size += dns_name_len(names[i]);
	}
	const uint8_t **copy = calloc(1, size);
	if (copy == NULL) {
		return NULL;
	}
	uint8_t *at = (uint8_t *)(copy + count + 1);
	for (size_t i = 0; i < count; i++) {
		size_t len = dns_name_len(names[i]);
		copy[i] = memcpy(at, names[i], len);
		at += len;
	}
	return copy;
}

struct world_conf *world_conf_new(struct rules *rules, struct clients *clients,
                                  const struct world_opts *opts)
{
	struct world_conf *conf = calloc(1, sizeof(*conf));
	if (conf == NULL) {
		rules_free(&rules);
		clients_free(&clients);
		return NULL;
	}
	conf->rules = rules;
	conf->clients = clients;
	conf->refs = 1;
	conf->opts = *opts;
	conf->version = strdup(opts->version);
	conf->server_id = strdup(opts->server_id);
	conf->region = strdup(opts->region == NULL ? "" : opts->region);
	conf->fallback = names_copy(opts->fallback, opts->fallback_count);
	if (conf->version == NULL || conf->server_id == NULL || conf->region == NULL ||
	    conf->fallback == NULL) {
		world_conf_unref(&conf);
		return NULL;
	}
	conf->opts.version = conf->version;
	conf->opts.server_id = conf->server_id;
	conf->opts.region = conf->region;
	conf->opts.fallback = conf->fallback;
	return conf;
}

void world_conf_unref(struct world_conf **conf)
{
	struct world_conf *old = *conf;
	*conf = NULL;
	if (old == NULL || __atomic_sub_fetch(&old->refs, 1, __ATOMIC_ACQ_REL) != 0) {
		return;
	}
	rules_free(&old->rules);
	clients_free(&old->clients);
	free(old->version);
	free(old->server_id);
	free(old->region);
	free(old->fallback);
	free(old);
}

static struct world_conf *world_conf_ref(struct world_conf *conf)
{
	__atomic_add_fetch(&conf->refs, 1, __ATOMIC_RELAXED);
	return conf;
}

static void kept_free(struct epoch_head *head)
{
	struct world_kept *kept = (struct world_kept *)head;
	zones_unref(&kept->zones);
	world_conf_unref(&kept->conf);
	free(kept);
}

/* Takes over both references. */
static struct world_kept *kept_new(struct zones *zones, struct world_conf *conf)
{
	struct world_kept *kept = calloc(1, sizeof(*kept));
	if (kept == NULL) {
		zones_unref(&zones);
		world_conf_unref(&conf);
		return NULL;
	}
	kept->zones = zones;
	kept->conf = conf;
	kept->world = (struct world){
		.zones = zones,
		.rules = conf->rules,
		.clients = conf->clients,
		.opts = &conf->opts,
		.zone_depths = zones_depths(zones),
		.rule_depths = rules_depths(conf->rules),
	};
	return kept;
}

struct world_root *world_root_new(struct world_conf *conf)
{
	struct world_root *root = calloc(1, sizeof(*root));
	struct zones *none = root == NULL ? NULL : zones_new(NULL, 0);
	if (none == NULL) {
		world_conf_unref(&conf);
		free(root);
		return NULL;
	}
	root->current = kept_new(none, conf);
	if (root->current == NULL) {
		free(root);
		return NULL;
	}
	pthread_mutex_init(&root->lock, NULL);
	return root;
}

void world_root_free(struct world_root **root)
{
	if (*root == NULL) {
		return;
	}
	epoch_drain();
	kept_free(&(*root)->current->head);
	pthread_mutex_destroy(&(*root)->lock);
	free(*root);
	*root = NULL;
}

const struct world *world_get(const struct world_root *root)
{
	return &epoch_load(&root->current)->world;
}

/* Under the lock. Publishes and lets the old one go when its readers have. */
static int world_publish(struct world_root *root, struct zones *zones, struct world_conf *conf)
{
	struct world_kept *kept = kept_new(zones, conf);
	if (kept == NULL) {
		return FAIL_NOMEM;
	}
	struct world_kept *old = root->current;
	epoch_store(&root->current, kept);
	epoch_defer(&old->head, kept_free);
	return 0;
}

int world_set_zones(struct world_root *root, struct zones *zones)
{
	pthread_mutex_lock(&root->lock);
	int ret = world_publish(root, zones, world_conf_ref(root->current->conf));
	pthread_mutex_unlock(&root->lock);
	return ret;
}

int world_set_conf(struct world_root *root, struct world_conf *conf)
{
	pthread_mutex_lock(&root->lock);
	int ret = world_publish(root, zones_ref(root->current->zones), conf);
	pthread_mutex_unlock(&root->lock);
	return ret;
}

struct zones *world_zones(struct world_root *root)
{
	pthread_mutex_lock(&root->lock);
	struct zones *zones = zones_ref(root->current->zones);
	pthread_mutex_unlock(&root->lock);
	return zones;
}

/* For one name a private zone comes before what was not said in the settings. */
static bool yields_to_zone(const struct rule *rule)
{
	return rule->kind == RULE_AUTODEFINED || rule->kind == RULE_DELEGATED;
}

void world_route(const struct world *world, const struct dns_key *key,
                 struct world_place *ret_place)
{
	ret_place->zone = NULL;
	ret_place->rule = rules_rest(world->rules);
	bool system = false; /* a SYSTEM rule was met: only zones count from here up */
	for (unsigned int label = 0; label <= key->labels; label++) {
		uint64_t depth = dns_depth_bit(key->labels - label);
		if (((world->zone_depths | world->rule_depths) & depth) == 0) {
			continue;
		}
		const struct rule *rule = NULL;
		if (!system && (world->rule_depths & depth) != 0) {
			rule = rules_at(world->rules, key, label);
		}
		if (rule != NULL && rule->kind == RULE_SYSTEM) {
			ret_place->rule = rule;
			system = true;
			rule = NULL;
		}
		if (rule != NULL && !yields_to_zone(rule)) {
			ret_place->rule = rule;
			return;
		}
		const struct zones_entry *zone = NULL;
		if ((world->zone_depths & depth) != 0) {
			zone = zones_at(world->zones, key, label);
		}
		if (zone != NULL) {
			ret_place->zone = zone;
			ret_place->rule = NULL;
			return;
		}
		if (rule != NULL) {
			ret_place->rule = rule;
			return;
		}
	}
}
