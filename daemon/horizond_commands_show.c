/* daemon/horizond_commands_show.c - how things stand: zones, rules, upstreams. */
#include "horizond_commands_int.h"

#include "base/epoch.h"
#include "base/mono.h"
#include "zone/health.h"
#include <string.h>

#define FAULTS_SHOWN 1000
#define CHECKS_SHOWN 1000

/* --- zones --- */

struct fault_list {
	json_t *list;
	size_t left_out;
};

static void fault_add(void *ctx, const char *name, const char *type, const char *why)
{
	struct fault_list *faults = ctx;
	if (json_array_size(faults->list) >= FAULTS_SHOWN) {
		faults->left_out++;
		return;
	}
	json_t *fault = json_object();
	put_text(fault, "name", name);
	put_text(fault, "type", type);
	put_text(fault, "why", why);
	json_array_append_new(faults->list, fault);
}

static void put_faults(json_t *object, const struct zone *zone)
{
	struct fault_list faults = {.list = json_array()};
	if (zone != NULL) {
		zone_each_fault(zone, fault_add, &faults);
	}
	json_object_set_new(object, "fault_list", faults.list);
	json_object_set_new(object, "faults_left_out", json_integer((json_int_t)faults.left_out));
}

/* What the loaded data amount to; zeros when there are none. */
static void put_stats(json_t *object, const struct zone *zone)
{
	struct zone_stats stats = {0};
	if (zone != NULL) {
		zone_get_stats(zone, &stats);
	}
	size_t dynamic = stats.types[ZONE_DYNAMIC_ALIAS] + stats.types[ZONE_DYNAMIC_HEALTH] +
	                 stats.types[ZONE_DYNAMIC_POLICY];
	json_t *figures =
		json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "sets", (json_int_t)stats.sets,
	                  "static", (json_int_t)stats.types[ZONE_STATIC], "dynamic",
	                  (json_int_t)dynamic, "faults", (json_int_t)stats.faults, "names",
	                  (json_int_t)stats.names, "bytes", (json_int_t)stats.bytes);
	json_object_update_new(object, figures);
}

/* Why so many of each are answered as they are: (name, type) pairs by class. */
static void put_classes(json_t *object, const struct zone *zone)
{
	static const struct {
		enum zone_class class;
		const char *why;
	} rows[] = {
		{ZONE_STATIC, "answered from memory"},
		{ZONE_DYNAMIC_ALIAS, "alias to an AWS resource, another zone or a dynamic set"},
		{ZONE_DYNAMIC_HEALTH, "a health check decides"},
		{ZONE_DYNAMIC_POLICY, "failover, latency, geolocation or geoproximity"},
		{ZONE_FAULT, "cannot be read or contradicts itself (--faults)"},
	};
	struct zone_stats stats = {0};
	if (zone != NULL) {
		zone_get_stats(zone, &stats);
	}
	json_t *list = json_array();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_array_append_new(list, json_pack("{s:s, s:I, s:s}", "class",
		                                      zone_class_text(rows[i].class), "count",
		                                      (json_int_t)stats.types[rows[i].class], "why",
		                                      rows[i].why));
	}
	json_object_set_new(object, "classes", list);
}

/* Seconds since a wall clock time; null: it never was. */
static json_t *seconds_since(int64_t then_s, int64_t now_s)
{
	if (then_s == 0) {
		return json_null();
	}
	return json_integer(now_s > then_s ? now_s - then_s : 0);
}

/* Null: never compared. */
static json_t *parity_object(const struct horizond *h, const struct zones_entry *entry)
{
	struct parity_state state;
	if (!parity_get_state(h->parity, entry, &state)) {
		return json_null();
	}
	return json_pack("{s:I, s:I, s:I, s:i, s:i, s:b, s:b}", "same",
	                 (json_int_t)state.results[PARITY_SAME], "different",
	                 (json_int_t)state.results[PARITY_DIFFERENT], "unknown",
	                 (json_int_t)state.results[PARITY_UNKNOWN], "window", (int)state.window,
	                 "window_different", (int)state.different, "disagrees",
	                 (int)state.disagrees, "asked", (int)zone_doubted(entry->zone));
}

/* The health checks that the zone's sets name, each once, while its answers are reckoned. */
struct check_list {
	const struct zone *zone;
	const struct health *health;
	json_t *seen; /* id to true */
	json_t *list;
};

static void check_add(struct check_list *checks, const char *id, int64_t now_s)
{
	if (json_object_get(checks->seen, id) != NULL) {
		return;
	}
	json_object_set_new(checks->seen, id, json_true());
	const struct health_check *check = health_find(checks->health, id);
	json_t *object = json_object();
	put_text(object, "id", id);
	put_text(object, "health",
	         check == NULL ? "not known, counts as healthy"
	                       : (check->healthy ? "healthy" : "not healthy"));
	json_object_set_new(object, "age",
	                    check == NULL ? json_null() : seconds_since(check->known_s, now_s));
	json_array_append_new(checks->list, object);
}

static int checks_of_set(void *ctx, const uint8_t *name, const struct zone_rrset *set)
{
	struct check_list *checks = ctx;
	int64_t now_s = wall_s();
	for (unsigned int i = 0; i < zone_rrset_members(set); i++) {
		struct zone_member_info member;
		zone_rrset_member(checks->zone, set, i, &member);
		if (member.health_check != NULL) {
			check_add(checks, member.health_check, now_s);
		}
	}
	return json_array_size(checks->list) >= CHECKS_SHOWN;
}

static void put_checks(json_t *object, const struct zones_entry *entry, const struct health *health)
{
	struct check_list checks = {
		.zone = entry->zone, .health = health, .seen = json_object(), .list = json_array()};
	if (entry->zone != NULL && zones_reckoned(entry)) {
		zone_each(entry->zone, checks_of_set, &checks);
	}
	json_decref(checks.seen);
	json_object_set_new(object, "health_checks", checks.list);
}

static json_t *zone_object(const struct horizond *h, const struct zones_entry *entry,
                           bool with_faults)
{
	char name[DNS_NAME_TEXT_MAX] = "";
	int64_t now_s = wall_s();
	if (entry->origin_known) {
		dns_name_text(entry->origin, name);
	}
	json_t *object = json_object();
	put_text(object, "name", name);
	put_text(object, "id", entry->id);
	put_text(object, "source", zone_source_text(entry->source));
	json_object_set_new(object, "age", seconds_since(entry->looked_s, now_s));
	json_object_set_new(object, "changed", seconds_since(entry->changed_s, now_s));
	put_stats(object, entry->zone);
	json_object_set_new(object, "associated", json_boolean(entry->associated));
	put_text(object, "association", zones_known_text(entry->known));
	json_object_set_new(object, "reckoned", json_boolean(zones_reckoned(entry)));
	json_object_set_new(object, "unavailable", json_boolean(entry->unavailable));
	json_object_set_new(object, "parity", parity_object(h, entry));
	json_object_set_new(object, "calls", json_integer((json_int_t)entry->calls));
	put_text(object, "trouble", entry->trouble);
	put_text(object, "held_back", entry->held);
	json_object_set_new(object, "kept", json_boolean(entry->kept));
	json_object_set_new(object, "failures", json_integer((json_int_t)entry->failures));
	if (with_faults) {
		put_faults(object, entry->zone);
	}
	return object;
}

/* what: an id or a name. */
static bool zone_is(const struct zones_entry *entry, const char *what)
{
	uint8_t name[DNS_NAME_MAX];
	if (strcmp(entry->id, what) == 0) {
		return true;
	}
	return entry->origin_known && dns_name_parse(what, name) >= 0 &&
	       dns_name_equal(entry->origin, name);
}

void command_zones(void *ctx, struct control_call *call, const char *const *words, size_t count)
{
	struct horizond *h = ctx;
	const char *what = count > 1 ? words[1] : NULL;
	bool with_faults = count > 2;
	if (with_faults && strcmp(words[2], "--faults") != 0) {
		control_refuse(call, "`%s` is unknown here; --faults is not", words[2]);
		return;
	}
	struct zones *zones = world_zones(h->world);
	json_t *list = json_array();
	for (size_t i = 0; i < zones_count(zones); i++) {
		const struct zones_entry *entry = zones_get(zones, i);
		if (what != NULL && !zone_is(entry, what)) {
			continue;
		}
		json_t *object = zone_object(h, entry, with_faults);
		if (what != NULL) {
			put_classes(object, entry->zone);
			put_checks(object, entry, zones_health(zones));
		}
		json_array_append_new(list, object);
	}
	zones_unref(&zones);
	if (what != NULL && json_array_size(list) == 0) {
		json_decref(list);
		control_refuse(call, "`%s` is no zone of ours, neither by name nor by id", what);
		return;
	}
	control_answer(call, json_pack("{s:o}", "zones", list));
}

/* --- rules --- */

static json_t *addr_list(const struct settings_addrs *addrs)
{
	json_t *list = json_array();
	for (size_t i = 0; i < addrs->count; i++) {
		char text[ADDR_TEXT_MAX];
		json_array_append_new(list, json_string(addr_text(&addrs->items[i], text)));
	}
	return list;
}

static json_t *rule_object(const struct horizond *h, const struct rule *rule)
{
	const struct settings *settings = h->settings;
	char domain[DNS_NAME_TEXT_MAX];
	json_t *object = json_pack("{s:s, s:s}", "kind", rule_kind_text(rule->kind), "domain",
	                           dns_name_text(rule->domain, domain));
	put_text(object, "text", rule->text);
	bool set = rule->kind == RULE_FORWARD || rule->kind == RULE_SYSTEM;
	if (set && rule->index < settings->rule_count) {
		const struct settings_rule *from = &settings->rules[rule->index];
		json_object_set_new(object, "targets", addr_list(&from->targets));
		if (rule->kind == RULE_FORWARD) {
			put_text(object, "policy", settings_policy_text(from->policy));
		}
		put_text(object, "file", from->place.file);
		json_object_set_new(object, "line", json_integer(from->place.line));
	} else if (rule->kind == RULE_DEFAULT) {
		json_object_set_new(object, "targets", addr_list(&settings->vpc_resolver));
	}
	return object;
}

/* By kind, the stronger first. */
void command_rules(void *ctx, struct control_call *call, const char *const *words, size_t count)
{
	const struct horizond *h = ctx;
	json_t *list = json_array();
	epoch_read_begin();
	const struct rules *rules = world_get(h->world)->rules;
	for (enum rule_kind kind = RULE_FORWARD; kind < RULE_DEFAULT; kind++) {
		for (size_t i = 0; i < rules_count(rules); i++) {
			const struct rule *rule = rules_get(rules, i);
			if (rule->kind == kind) {
				json_array_append_new(list, rule_object(h, rule));
			}
		}
	}
	json_array_append_new(list, rule_object(h, rules_rest(rules)));
	epoch_read_end();
	control_answer(call, json_pack("{s:o}", "rules", list));
}

/* --- upstreams --- */

static void upstream_add(void *ctx, const struct forward_target_state *state)
{
	char target[ADDR_TEXT_MAX];
	json_t *object = json_object();
	put_text(object, "rule", state->rule);
	put_text(object, "target", addr_text(&state->addr, target));
	json_object_set_new(object, "up", json_boolean(state->up));
	put_text(object, "state", forward_state_text(state->state));
	json_object_set_new(object, "rtt_ms",
	                    state->rtt_ms > 0 ? json_real(state->rtt_ms) : json_null());
	json_object_set_new(object, "mixed_case", json_boolean(state->mixed_case));
	put_text(object, "cookies",
	         state->gives_cookies ? "both ways"
	         : state->cookies     ? "sent"
	                              : "none");
	json_object_set_new(object, "queries", json_integer((json_int_t)state->queries));
	json_object_set_new(object, "probes", json_integer((json_int_t)state->probes));
	json_object_set_new(object, "failures", json_integer((json_int_t)state->failures));
	json_array_append_new(ctx, object);
}

void command_upstreams(void *ctx, struct control_call *call, const char *const *words, size_t count)
{
	const struct horizond *h = ctx;
	json_t *list = json_array();
	forward_each_target(h->forward, upstream_add, list);
	control_answer(call, json_pack("{s:o}", "upstreams", list));
}
