#include "config/load_int.h"
#include "tls/tls.h"
#include <string.h>
#include <sys/stat.h>

static const config_setting_t *member(const config_setting_t *group, const char *name)
{
	return config_setting_get_member(group, name);
}

/* Written, and with nothing in it: not merely with nothing right in it. */
static bool is_empty(const struct load *load, const config_setting_t *list)
{
	return (config_setting_is_array(list) || config_setting_is_list(list)) &&
	       config_setting_length(list) == 0 && !source__broken(load->source, list);
}

void finish__route53(struct load *load, const config_setting_t *group, void *base)
{
	struct settings_route53 *route53 = base;
	route53->present = true;
	const config_setting_t *min_interval = member(group, "min_interval");
	if (route53->min_interval_s > route53->interval_s && min_interval != NULL) {
		load__fault(load, min_interval,
		            "`min_interval` (%u) is longer than `interval` (%u); "
		            "at most `interval` would be right",
		            route53->min_interval_s, route53->interval_s);
	} else if (route53->min_interval_s > route53->interval_s) {
		route53->min_interval_s = route53->interval_s;
	}
	const config_setting_t *fallback = member(group, "public_fallback");
	const config_setting_t *resolver = member(group, "public_resolver");
	if (route53->public_fallback.count > 0 && resolver == NULL &&
	    !source__broken(load->source, group)) {
		load__fault(load, fallback,
		            "`public_fallback` without `public_resolver`; "
		            "addresses to ask there would be right");
	} else if (route53->public_fallback.count > 0 && resolver != NULL &&
	           is_empty(load, resolver)) {
		load__fault(load, resolver,
		            "`public_resolver` is empty, but `public_fallback` is not; "
		            "addresses to ask would be right");
	}
}

/* An address of ours can send to targets of its own family only. */
static void check_source(struct load *load, const config_setting_t *group,
                         const struct settings_rule *rule)
{
	const config_setting_t *source = member(group, "source");
	if (rule->source.len == 0) {
		return;
	}
	if (addr_port(&rule->source) != 0) {
		load__fault(load, source,
		            "`source` names a port, but ports are drawn at random; "
		            "the address alone would be right");
	}
	for (size_t i = 0; i < rule->targets.count; i++) {
		if (rule->targets.items[i].sa.sa_family == rule->source.sa.sa_family) {
			return;
		}
	}
	if (rule->targets.count > 0) {
		load__fault(load, source,
		            "no target is of the family of `source`; an %s address would be right",
		            rule->source.sa.sa_family == AF_INET ? "IPv6" : "IPv4");
	}
}

void finish__rule(struct load *load, const config_setting_t *group, void *base)
{
	struct settings_rule *rule = base;
	rule->place = load__place(load, group);
	const config_setting_t *type = member(group, "type");
	const config_setting_t *targets = member(group, "targets");
	const char *word = type == NULL ? NULL : config_setting_get_string(type);
	bool known = word != NULL && strcmp(word, settings_type_text(rule->type)) == 0 &&
	             !source__broken(load->source, group);
	if (known && rule->type == SETTINGS_FORWARD && targets == NULL) {
		load__fault(load, group,
		            "a FORWARD rule without `targets`; "
		            "`targets = [ \"10.0.0.2\" ];` would be right");
	} else if (known && rule->type == SETTINGS_FORWARD && is_empty(load, targets)) {
		load__fault(load, targets,
		            "`targets` is empty in a FORWARD rule; "
		            "at least one address would be right");
	} else if (known && rule->type == SETTINGS_SYSTEM && rule->targets.count > 0) {
		load__fault(load, targets,
		            "`targets` in a SYSTEM rule, which resolves here; none, or type "
		            "\"FORWARD\", would be right");
	}
	const config_setting_t *tls = member(group, "tls");
	if (known && rule->type == SETTINGS_SYSTEM && rule->tls[0] != '\0') {
		load__fault(load, tls,
		            "`tls` in a SYSTEM rule, which has no targets; none, or type "
		            "\"FORWARD\", would be right");
	}
	check_source(load, group, rule);
}

void finish__client(struct load *load, const config_setting_t *group, void *base)
{
	struct settings_client *client = base;
	client->place = load__place(load, group);
}

void finish__cache(struct load *load, const config_setting_t *group, void *base)
{
	const struct settings_cache *cache = base;
	if (cache->min_ttl_s > cache->max_ttl_s) {
		const config_setting_t *min_ttl = member(group, "min_ttl");
		load__fault(load, min_ttl != NULL ? min_ttl : member(group, "max_ttl"),
		            "`min_ttl` (%u) is over `max_ttl` (%u); at most that would be right",
		            cache->min_ttl_s, cache->max_ttl_s);
	}
}

void finish__tls(struct load *load, const config_setting_t *group, void *base)
{
	const struct settings_tls *tls = base;
	const config_setting_t *listen = member(group, "listen");
	const config_setting_t *certificate = member(group, "certificate");
	const config_setting_t *key = member(group, "key");
	if (tls->listen.count == 0 || source__broken(load->source, group)) {
		return;
	}
	if (tls->certificate[0] == '\0' || tls->key[0] == '\0') {
		load__fault(load, listen,
		            "`tls` listens without `%s`; the name of a PEM file would be right",
		            tls->certificate[0] == '\0' ? "certificate" : "key");
		return;
	}
	char err[512];
	struct tls_host *host = NULL;
	int ret = tls_host_new(tls->certificate, tls->key, NULL, &host, err, sizeof(err));
	if (ret == FAIL_NOMEM) {
		load->nomem = true;
	} else if (ret != 0) {
		/* It names the file; the certificate is looked at first. */
		bool of_key = strncmp(err, tls->key, strlen(tls->key)) == 0;
		load__fault(load, of_key ? key : certificate, "%s", err);
	}
	tls_host_unref(&host);
}

/* Both would have part of the other's connections. */
static void check_tls_listen(struct load *load, const config_setting_t *root,
                             const struct settings *settings)
{
	for (size_t i = 0; i < settings->tls.listen.count; i++) {
		for (size_t j = 0; j < settings->listen.count; j++) {
			if (addr_equal(&settings->tls.listen.items[i],
			               &settings->listen.items[j])) {
				load__fault(load, member(member(root, "tls"), "listen"),
				            "`tls.listen` has an address of `listen`; "
				            "another port would be right");
				return;
			}
		}
	}
}

/* Both ways want all three files. */
void finish__peer(struct load *load, const config_setting_t *group, void *base)
{
	const struct settings_peer *peer = base;
	const char *missing = peer->certificate[0] == '\0' ? "certificate"
	                      : peer->key[0] == '\0'       ? "key"
	                      : peer->ca[0] == '\0'        ? "ca"
	                                                   : NULL;
	if (missing != NULL && peer->listen.count + peer->from.count > 0) {
		load__fault(load, group, "`%s` is missing: a PEM file would be right", missing);
	}
}

/* The metrics port must be free of the DNS listeners (which have TCP, too). */
static void check_metrics(struct load *load, const config_setting_t *root,
                          const struct settings *settings)
{
	const config_setting_t *metrics = member(root, "metrics");
	const config_setting_t *listen = metrics != NULL && config_setting_is_group(metrics)
	                                         ? member(metrics, "listen")
	                                         : NULL;
	for (size_t i = 0; listen != NULL && i < settings->listen.count; i++) {
		if (addr_equal(&settings->listen.items[i], &settings->metrics_listen)) {
			load__fault(load, listen,
			            "`metrics.listen` is an address of `listen`; "
			            "another port would be right");
			return;
		}
	}
}

void finish__all(struct load *load, const config_setting_t *root, void *base)
{
	const struct settings *settings = base;
	check_metrics(load, root, settings);
	check_tls_listen(load, root, settings);
	const config_setting_t *state_dir = member(root, "state_dir");
	struct stat st;
	if (state_dir != NULL && settings->state_dir[0] != '\0' &&
	    stat(settings->state_dir, &st) == 0 && !S_ISDIR(st.st_mode)) {
		load__fault(load, state_dir,
		            "`state_dir` is no folder; a folder, or a name that is "
		            "free for one, would be right");
	}
}
