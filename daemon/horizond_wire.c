/* daemon/horizond_wire.c - settings as the file has them, to what each room takes. */
#include "horizond_int.h"

#include "base/fail.h"
#include "base/log.h"
#include "tls/tls.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t root_name[1] = {0};

#define PUBLIC_INFLIGHT 1000 /* as a rule has by default */

#define DELEGATED_INFLIGHT 1000 /* as a rule's max_inflight by default */
#define VPC_BURST          100 /* packets; with the default rate never over 1000 in a second (CONTRACT) */

uint32_t wire_vpc_origin(const struct settings *settings)
{
	return rule_origin(root_name, settings->vpc_resolver.items, settings->vpc_resolver.count);
}

/* Of the group that speaks for the public DNS: under a name that no rule can have. */
static uint32_t public_origin(const struct settings *settings)
{
	static const uint8_t name[] = "\017public fallback";
	const struct settings_addrs *resolver = &settings->route53.public_resolver;
	return rule_origin(name, resolver->items, resolver->count);
}

/* A growing list of rules for rules_new, which copies what they point to. */
struct rule_list {
	struct rule_opts *items;
	size_t count;
	size_t room;
	const struct settings *settings;
	uint32_t vpc_origin;
	enum rule_kind kind; /* of those that list_name adds */
};

static int list_add(struct rule_list *list, const struct rule_opts *opts)
{
	if (list->count == list->room) {
		size_t room = list->room == 0 ? 64 : list->room * 2;
		struct rule_opts *items = realloc(list->items, room * sizeof(*items));
		if (items == NULL) {
			return FAIL_NOMEM;
		}
		list->items = items;
		list->room = room;
	}
	struct rule_opts *item = &list->items[list->count];
	*item = *opts;
	uint8_t *domain = malloc(DNS_NAME_MAX);
	item->domain = domain;
	item->text = strdup(opts->text);
	if (domain == NULL || item->text == NULL) {
		free(domain);
		free((void *)(uintptr_t)item->text);
		return FAIL_NOMEM;
	}
	memcpy(domain, opts->domain, dns_name_len(opts->domain));
	list->count++;
	return 0;
}

static void list_fini(struct rule_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free((void *)(uintptr_t)list->items[i].domain);
		free((void *)(uintptr_t)list->items[i].text);
	}
	free(list->items);
}

/* An autodefined or local name. */
static int list_name(void *ctx, const uint8_t *name)
{
	struct rule_list *list = ctx;
	char domain[DNS_NAME_TEXT_MAX];
	char text[DNS_NAME_TEXT_MAX + 32];
	snprintf(text, sizeof(text), "%s %s", rule_kind_text(list->kind),
	         dns_name_text(name, domain));
	struct rule_opts opts = {
		.kind = list->kind, .domain = name, .origin = list->vpc_origin, .text = text};
	return list_add(list, &opts);
}

static int list_setting(struct rule_list *list, const struct settings_rule *rule, size_t index)
{
	for (size_t i = 0; i < rule->domain_count; i++) {
		char text[DNS_NAME_TEXT_MAX + 32];
		snprintf(text, sizeof(text), "%s %s", settings_type_text(rule->type),
		         rule->domains[i].text);
		bool forward = rule->type == SETTINGS_FORWARD;
		struct rule_opts opts = {
			.kind = forward ? RULE_FORWARD : RULE_SYSTEM,
			.domain = rule->domains[i].name,
			.origin = forward ? rule_origin(rule->domains[0].name, rule->targets.items,
		                                        rule->targets.count)
		                          : list->vpc_origin,
			.index = (uint32_t)index,
			.text = text,
		};
		int ret = list_add(list, &opts);
		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}

static int list_autodefined(struct rule_list *list, struct horizond *h)
{
	pthread_mutex_lock(&h->instance_lock);
	const struct settings *settings = list->settings;
	const struct prefix *cidrs = settings->vpc_cidrs.items;
	size_t count = settings->vpc_cidrs.count;
	if (count == 0) {
		cidrs = h->vpc_cidrs;
		count = h->vpc_cidr_count;
	}
	const char *region = settings->route53.region;
	if (strcmp(region, "auto") == 0) {
		region = h->region;
	}
	list->kind = RULE_AUTODEFINED;
	int ret = rules_autodefined(region, cidrs, count, list_name, list);
	pthread_mutex_unlock(&h->instance_lock);
	return ret;
}

static uint32_t delegation_origin(const struct delegation *delegation)
{
	return rule_origin(delegation->domain, delegation->targets, delegation->target_count);
}

static int list_delegations(struct rule_list *list, const struct delegations *delegations)
{
	int ret = 0;
	for (size_t i = 0; ret == 0 && i < delegations->count; i++) {
		const struct delegation *delegation = &delegations->items[i];
		char domain[DNS_NAME_TEXT_MAX];
		char text[DNS_NAME_TEXT_MAX + 32];
		snprintf(text, sizeof(text), "DELEGATED %s, by glue",
		         dns_name_text(delegation->domain, domain));
		struct rule_opts opts = {
			.kind = RULE_DELEGATED,
			.domain = delegation->domain,
			.origin = delegation_origin(delegation),
			.text = text,
		};
		ret = list_add(list, &opts);
	}
	return ret;
}

static struct rules *wire_rules(struct horizond *h, const struct settings *settings)
{
	struct rule_list list = {.settings = settings, .vpc_origin = wire_vpc_origin(settings)};
	struct rules *rules = NULL;
	int ret = 0;
	for (size_t i = 0; ret == 0 && i < settings->rule_count; i++) {
		ret = list_setting(&list, &settings->rules[i], i);
	}
	if (ret == 0) {
		ret = list_autodefined(&list, h);
	}
	if (ret == 0) {
		ret = list_delegations(&list, &h->delegations);
	}
	if (ret == 0) {
		list.kind = RULE_LOCAL;
		ret = rules_local(list_name, &list);
	}
	if (ret == 0) {
		struct rule_opts rest = {.kind = RULE_DEFAULT,
		                         .domain = root_name,
		                         .origin = list.vpc_origin,
		                         .text = "the rest, to the VPC resolver"};
		rules = rules_new(list.items, list.count, &rest);
	}
	list_fini(&list);
	return rules;
}

static struct clients *wire_clients(const struct settings *settings)
{
	size_t count = 0;
	for (size_t i = 0; i < settings->client_count; i++) {
		count += settings->clients[i].from.count;
	}
	struct client_opts *opts = calloc(count + 1, sizeof(*opts));
	if (opts == NULL) {
		return NULL;
	}
	size_t at = 0;
	for (size_t i = 0; i < settings->client_count; i++) {
		const struct settings_client *client = &settings->clients[i];
		for (size_t j = 0; j < client->from.count; j++) {
			opts[at++] = (struct client_opts){
				.from = client->from.items[j],
				.may = (enum client_may)client->may,
				.rate = client->rate,
			};
		}
	}
	struct clients *clients = clients_new(opts, count);
	free(opts);
	return clients;
}

/* The VPC's: of the settings, else what instance metadata told so far. */
static void wire_region(struct horizond *h, const struct settings *settings, char *ret_region)
{
	const char *region = settings->route53.region;
	pthread_mutex_lock(&h->instance_lock);
	snprintf(ret_region, sizeof(h->region), "%s",
	         strcmp(region, "auto") == 0 ? h->region : region);
	pthread_mutex_unlock(&h->instance_lock);
}

static void wire_cookie_secrets(const struct settings *settings, struct world_opts *opts)
{
	size_t count = settings->cookie_secrets.count;
	opts->cookie_secret_count = count < WORLD_COOKIE_SECRETS ? count : WORLD_COOKIE_SECRETS;
	for (unsigned int i = 0; i < opts->cookie_secret_count; i++) {
		const char *digits = settings->cookie_secrets.items[i];
		for (unsigned int octet = 0; octet < sizeof(opts->cookie_secrets[i]); octet++) {
			const char pair[3] = {digits[2 * octet], digits[2 * octet + 1], '\0'};
			opts->cookie_secrets[i][octet] = (uint8_t)strtoul(pair, NULL, 16);
		}
	}
}

struct world_conf *wire_world_conf(struct horizond *h, const struct settings *settings)
{
	struct rules *rules = wire_rules(h, settings);
	struct clients *clients = wire_clients(settings);
	if (rules == NULL || clients == NULL) {
		rules_free(&rules);
		clients_free(&clients);
		return NULL;
	}
	char region[sizeof(h->region)];
	wire_region(h, settings, region);
	struct world_opts opts = {
		.version = settings->version,
		.server_id = settings->server_id,
		.region = region,
		.fallback = settings->route53.public_fallback.items,
		.fallback_count = settings->route53.public_fallback.count,
		.fallback_origin = public_origin(settings),
		.min_ttl_s = settings->cache.min_ttl_s,
		.max_ttl_s = settings->cache.max_ttl_s,
		.max_negative_ttl_s = settings->cache.max_negative_ttl_s,
		.keepalive_s = settings->tcp.idle_s,
	};
	wire_cookie_secrets(settings, &opts);
	return world_conf_new(rules, clients, &opts);
}

/* The rule's names, in one row of pointers for all rules. Returns where the next one's go. */
static const uint8_t **rule_domains(const struct settings_rule *rule, const uint8_t **room,
                                    struct forward_group_opts *group)
{
	group->domains = room;
	group->domain_count = rule->domain_count;
	for (size_t i = 0; i < rule->domain_count; i++) {
		*room++ = rule->domains[i].name;
	}
	return room;
}

static size_t domains_of(const struct settings *settings)
{
	size_t count = 0;
	for (size_t i = 0; settings != NULL && i < settings->rule_count; i++) {
		count += settings->rules[i].domain_count;
	}
	return count;
}

static size_t groups_add(struct forward_group_opts *groups, const struct settings *settings,
                         const uint8_t ***room)
{
	groups[0] = (struct forward_group_opts){
		.origin = wire_vpc_origin(settings),
		.rule = "vpc",
		.targets = settings->vpc_resolver.items,
		.target_count = settings->vpc_resolver.count,
		.policy = FORWARD_FASTEST,
		.max_inflight = 10000,
		.packet_rate = settings->vpc_packet_rate,
		.packet_burst = VPC_BURST,
	};
	size_t count = 1;
	const struct settings_route53 *route53 = &settings->route53;
	if (route53->public_fallback.count != 0) {
		groups[count++] = (struct forward_group_opts){
			.origin = public_origin(settings),
			.rule = "public",
			.targets = route53->public_resolver.items,
			.target_count = route53->public_resolver.count,
			.policy = FORWARD_FASTEST,
			.max_inflight = PUBLIC_INFLIGHT,
			.mixed_case = true,
			.cookies = true,
		};
	}
	for (size_t i = 0; i < settings->rule_count; i++) {
		const struct settings_rule *rule = &settings->rules[i];
		if (rule->type != SETTINGS_FORWARD) {
			continue;
		}
		groups[count++] = (struct forward_group_opts){
			.origin = rule_origin(rule->domains[0].name, rule->targets.items,
		                              rule->targets.count),
			.rule = rule->domains[0].text,
			.targets = rule->targets.items,
			.target_count = rule->targets.count,
			.policy = (enum forward_policy)rule->policy,
			.max_inflight = rule->max_inflight,
			.source = rule->source,
			.tls = rule->tls,
			.probe_name = rule->probe_name,
			.probe_type = rule->probe_type,
			.mixed_case = rule->mixed_case,
			.cookies = rule->cookies,
		};
		*room = rule_domains(rule, *room, &groups[count - 1]);
	}
	return count;
}

static int by_origin(const void *a, const void *b)
{
	const struct forward_group_opts *ga = a;
	const struct forward_group_opts *gb = b;
	return ga->origin < gb->origin ? -1 : ga->origin > gb->origin;
}

int wire_forward_groups(struct horizond *h, const struct settings *settings,
                        const struct settings *also)
{
	size_t most = 2 + settings->rule_count + (also != NULL ? 2 + also->rule_count : 0) +
	              h->delegations.count;
	struct forward_group_opts *groups = calloc(most, sizeof(*groups));
	const uint8_t **names = calloc(
		domains_of(settings) + domains_of(also) + 1 + h->delegations.count, sizeof(*names));
	const uint8_t **room = names;
	if (groups == NULL || names == NULL) {
		free(groups);
		free(names);
		return FAIL_NOMEM;
	}
	size_t own = groups_add(groups, settings, &room);
	size_t count = own;
	if (also != NULL) {
		qsort(groups, own, sizeof(*groups), by_origin);
		size_t end = own + groups_add(groups + own, also, &room);
		for (size_t i = own; i < end; i++) {
			if (bsearch(&groups[i], groups, own, sizeof(*groups), by_origin) == NULL) {
				groups[count++] = groups[i];
			}
		}
	}
	for (size_t i = 0; i < h->delegations.count; i++) {
		const struct delegation *delegation = &h->delegations.items[i];
		*room = delegation->domain;
		groups[count++] = (struct forward_group_opts){
			.domains = room++,
			.domain_count = 1,
			.origin = delegation_origin(delegation),
			.rule = "delegated",
			.targets = delegation->targets,
			.target_count = delegation->target_count,
			.policy = FORWARD_FASTEST,
			.max_inflight = DELEGATED_INFLIGHT,
			.mixed_case = true,
			.cookies = true,
		};
	}
	int ret = forward_set_groups(h->forward, groups, count);
	free(groups);
	free(names);
	return ret;
}

int wire_tls(struct horizond *h, const struct settings *settings, struct tls_host **ret_host,
             char *err, size_t err_size)
{
	*ret_host = NULL;
	if (settings->tls.listen.count == 0) {
		return 0;
	}
	int ret = tls_host_new(settings->tls.certificate, settings->tls.key, h->tls, ret_host, err,
	                       err_size);
	if (ret == 0 && tls_host_expired(*ret_host)) {
		log_warn("tls", "certificate %s has expired: clients will refuse it; renew it",
		         settings->tls.certificate);
	}
	return ret;
}

void wire_server_opts(struct horizond *h, const struct settings *settings, unsigned int workers,
                      struct server_opts *ret_opts)
{
	*ret_opts = (struct server_opts){
		.listen = settings->listen.items,
		.listen_count = settings->listen.count,
		.tls_listen = settings->tls.listen.items,
		.tls_listen_count = settings->tls.listen.count,
		.tls = h->tls,
		.workers = workers,
		.tcp_max_connections = settings->tcp.max_connections,
		.tcp_max_per_client = settings->tcp.max_per_client,
		.tcp_idle_s = settings->tcp.idle_s,
		.stale_after_ms = settings->cache.stale_after_ms,
		.log_queries = settings->log_queries,
		.root = h->world,
		.cache = h->cache,
		.forward = h->forward,
	};
}

struct cache_opts wire_cache_opts(const struct settings *settings)
{
	return (struct cache_opts){
		.size_max = settings->cache.size,
		.stale_s = settings->cache.serve_stale_s,
	};
}

static void role_set(const struct settings_role *from, struct sync_role *role)
{
	*role = (struct sync_role){
		.role_arn = from->role_arn,
		.external_id = from->external_id,
		.accounts = from->accounts.items,
		.account_count = from->accounts.count,
		.zones = from->zones.items,
		.zone_count = from->zones.count,
	};
}

int wire_sync_opts(const struct settings *settings, struct sync_opts *ret_opts)
{
	const struct settings_route53 *route53 = &settings->route53;
	struct sync_role *roles = calloc(route53->role_count + 1, sizeof(*roles));
	if (roles == NULL) {
		return FAIL_NOMEM;
	}
	for (size_t i = 0; i < route53->role_count; i++) {
		role_set(&route53->roles[i], &roles[i]);
	}
	*ret_opts = (struct sync_opts){
		.api = route53->present,
		.vpc = route53->vpc,
		.region = route53->region,
		.zones = route53->zones.items,
		.zone_count = route53->zones.count,
		.tags = route53->tags.items,
		.tag_count = route53->tags.count,
		.zone_files = settings->zone_files.items,
		.zone_file_count = settings->zone_files.count,
		.interval_s = route53->interval_s,
		.min_interval_s = route53->min_interval_s,
		.rate = route53->rate,
		.guard_max_loss = route53->guard_max_loss,
		.guard_min_sets = route53->guard_min_sets,
		.endpoint = route53->endpoint,
		.queue = route53->queue,
		.roles = roles,
		.role_count = route53->role_count,
		.state_dir = settings->state_dir,
		.peers = settings->peer.from.items,
		.peer_count = settings->peer.from.count,
		.peer_name = settings->peer.name,
		.peer_certificate = settings->peer.certificate,
		.peer_key = settings->peer.key,
		.peer_ca = settings->peer.ca,
	};
	return 0;
}

void wire_sync_opts_free(struct sync_opts *opts)
{
	free((void *)(uintptr_t)opts->roles);
	opts->roles = NULL;
}
