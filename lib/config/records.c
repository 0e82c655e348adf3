#include "config/records.h"
#include "config/load_int.h"
#include "config/records_int.h"
#include "config/template.h"
#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/type.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

#define AT(type, member) .offset = offsetof(struct type, member)
#define KEYS(table)      .keys = (table), .count = sizeof(table) / sizeof((table)[0])

#define DAY 86400.0

#define DIGITS "0123456789"
#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

#define TAG_MAX 50 /* tags on one resource */

static const char *const types[] = {"A", "AAAA", "PTR", "CNAME", "TXT", "SRV", NULL};
static const char *const marks[] = {"set", "txt", NULL};

const char *records_type_text(unsigned int type)
{
	return types[type];
}

/* It stands in SetIdentifiers between slashes, in TXT marks between commas, and in names. */
static bool is_fleet(const char *text)
{
	return keys__only(text, LOWER DIGITS "-", 1, RECORDS_FLEET_MAX) && text[0] != '-' &&
	       text[strlen(text) - 1] != '-';
}

static bool is_folder(const char *text)
{
	return text[0] == '/' && text[1] != '\0';
}

static bool is_instance(const char *text)
{
	return text[0] == '\0' ||
	       (strncmp(text, "i-", 2) == 0 && keys__only(text + 2, DIGITS "abcdef", 8, 17));
}

static bool is_key(const char *text)
{
	return text[0] == '\0' || (strlen(text) >= 16 && strlen(text) <= 256);
}

static bool is_tag_value(const char *text)
{
	return strlen(text) <= 256;
}

static bool is_value(const char *text)
{
	return text[0] != '\0' && strlen(text) <= 4000;
}

/* --- What hangs together --- */

static void check_template(struct load *load, const config_setting_t *at, const char *key,
                           const char *text)
{
	char why[160];
	if (!template_check(text, why, sizeof(why))) {
		char quoted[FAULT_QUOTE_MAX];
		load__fault(load, at, "`%s`: %s: %s", key, fault__quote(text, strlen(text), quoted),
		            why);
	}
}

/* The text with the shortest value there can be, one octet, in place of each template. */
static void shortest(const char *text, char *buf, size_t size)
{
	size_t len = 0;
	for (const char *at = text; *at != '\0' && len + 1 < size; at++) {
		const char *end = *at == '{' ? strchr(at, '}') : NULL;
		buf[len++] = end == NULL ? *at : 'x';
		at = end == NULL ? at : end;
	}
	buf[len] = '\0';
}

/* Labels and length, with the mark's label in front where there will be one. */
static void check_name(struct load *load, const config_setting_t *at,
                       const struct records_record *record)
{
	uint8_t wire[DNS_NAME_MAX];
	char name[1100];
	char text[1110];
	char quoted[FAULT_QUOTE_MAX];
	bool txt = record->mark == RECORDS_MARK_TXT;
	fault__quote(record->name, strlen(record->name), quoted);
	shortest(record->name, name, sizeof(name));
	snprintf(text, sizeof(text), "%s%s", txt ? TEMPLATE_MARK_LABEL "." : "", name);
	if (dns_name_parse_route53(name, wire) < 0) {
		load__fault(load, at,
		            "`name`: %s is no name; labels of 1 to 63 bytes with dots between, "
		            "255 bytes in all, would be right",
		            quoted);
	} else if (dns_name_parse_route53(text, wire) < 0) {
		load__fault(load, at,
		            "`name`: with its mark's label, " TEMPLATE_MARK_LABEL
		            ", %s is longer than 255 bytes; one shorter by 4 bytes would be right",
		            quoted);
	} else if (name[0] == '*') {
		load__fault(load, at,
		            "`name`: %s is a wildcard, which no instance owns; "
		            "a plain name would be right",
		            quoted);
	}
}

/* A value without templates is data already. */
static void check_value(struct load *load, const config_setting_t *at,
                        const struct records_record *record, const char *value)
{
	static const uint16_t codes[] = {DNS_TYPE_A,     DNS_TYPE_AAAA, DNS_TYPE_PTR,
	                                 DNS_TYPE_CNAME, DNS_TYPE_TXT,  DNS_TYPE_SRV};
	uint8_t rdata[4096];
	char why[160] = "";
	char quoted[FAULT_QUOTE_MAX];
	if (strchr(value, '{') == NULL && strchr(value, '}') == NULL &&
	    dns_rdata_parse_route53(codes[record->type], value, rdata, sizeof(rdata), why,
	                            sizeof(why)) < 0) {
		load__fault(load, at, "`values`: %s is no value of type %s: %s",
		            fault__quote(value, strlen(value), quoted), types[record->type], why);
	}
}

static void check_kind(struct load *load, const config_setting_t *group,
                       const struct records_record *record)
{
	const config_setting_t *mark = config_setting_get_member(group, "mark");
	const config_setting_t *values = config_setting_get_member(group, "values");
	if (record->type == RECORDS_CNAME && record->mark == RECORDS_MARK_SET) {
		load__fault(load, mark != NULL ? mark : group,
		            "a CNAME cannot be multivalue, so it cannot carry the mark itself; "
		            "mark = \"txt\" would be right");
	}
	if (record->type == RECORDS_CNAME && record->values.count > 1) {
		load__fault(load, values, "a CNAME with %zu values; one value would be right",
		            record->values.count);
	}
}

static void finish_record(struct load *load, const config_setting_t *group, void *base)
{
	struct records_record *record = base;
	const config_setting_t *name = config_setting_get_member(group, "name");
	const config_setting_t *values = config_setting_get_member(group, "values");
	record->place = load__place(load, group);
	if (config_setting_get_member(group, "keep_on_stop") == NULL) {
		record->keep_on_stop = record->private_zone;
	}
	if (name != NULL && record->name[0] != '\0') {
		check_template(load, name, "name", record->name);
		check_name(load, name, record);
	}
	for (size_t i = 0; i < record->values.count; i++) {
		check_template(load, values, "values", record->values.items[i]);
		check_value(load, values, record, record->values.items[i]);
	}
	check_kind(load, group, record);
}

/* Two that would be the same set, or one zone said to be both kinds. */
static void check_pair(struct load *load, const config_setting_t *at,
                       const struct records_record *first, const struct records_record *second)
{
	if (strcmp(first->zone, second->zone) != 0) {
		return;
	}
	if (first->private_zone != second->private_zone) {
		load__fault(load, at,
		            "zone %s is said to be private and public (first at %s:%u); one of "
		            "them would be right",
		            second->zone, first->place.file, first->place.line);
	}
	if (first->type != second->type && first->mark == RECORDS_MARK_TXT &&
	    second->mark == RECORDS_MARK_TXT && strcasecmp(first->name, second->name) == 0) {
		load__fault(
			load, at,
			"`%s` in zone %s has two records with mark = \"txt\" (first at %s:%u), "
			"but one TXT cannot stand for both; mark = \"set\" for one of them would "
			"be right",
			second->name, second->zone, first->place.file, first->place.line);
	}
	if (first->type == second->type && strcasecmp(first->name, second->name) == 0) {
		load__fault(load, at,
		            "`%s` %s stands twice in zone %s (first at %s:%u); once, with all its "
		            "values, would be right",
		            second->name, types[second->type], second->zone, first->place.file,
		            first->place.line);
	}
}

static void finish_all(struct load *load, const config_setting_t *group, void *base)
{
	const struct records_settings *settings = base;
	const config_setting_t *list = config_setting_get_member(group, "records");
	if (list == NULL) {
		return;
	}
	if (settings->record_count > 0 && settings->fleet[0] == '\0' &&
	    config_setting_get_member(group, "fleet") == NULL) {
		load__fault(load, list,
		            "`records` without `fleet`, which is part of every mark; "
		            "fleet = \"web\" would be right");
	}
	if (settings->record_count > RECORDS_MAX) {
		load__fault(load, list, "`records` has %zu members; at most %d would be right",
		            settings->record_count, RECORDS_MAX);
		return;
	}
	for (size_t i = 0; i < settings->record_count; i++) {
		for (size_t j = 0; j < i; j++) {
			check_pair(load, config_setting_get_elem(list, (unsigned int)i),
			           &settings->records[j], &settings->records[i]);
		}
	}
}

/* --- The table --- */

static const struct key record_keys[] = {
	{"zone", KEY_TEXT, AT(records_record, zone), .required = true, .check = keys__is_zone_id,
         .strip = "/hostedzone/", .like = "a zone id such as \"Z0123456789ABCDEFGHIJ\""},
	{"private", KEY_SWITCH, AT(records_record, private_zone), .required = true},
	{"name", KEY_TEXT, AT(records_record, name), .required = true, .check = is_value,
         .like = "a name such as \"{instance_id}.web.example.com\""},
	{"type", KEY_WORD, AT(records_record, type), .required = true, .words = types},
	{"values", KEY_TEXTS, AT(records_record, values), .required = true, .min = 1,
         .max = RECORDS_VALUES_MAX, .check = is_value,
         .like = "a value such as \"{private_ipv4}\""},
	{"ttl", KEY_COUNT, AT(records_record, ttl_s), .max = 7 * DAY},
	{"mark", KEY_WORD, AT(records_record, mark), .words = marks},
	{"keep_on_stop", KEY_SWITCH, AT(records_record, keep_on_stop)},
};
static const struct records_record record_defaults = {.zone = "", .name = "", .ttl_s = 60};
static const struct key_group record_group = {.noun = "a record",
                                              KEYS(record_keys),
                                              &record_defaults,
                                              sizeof(record_defaults),
                                              finish_record};

static const struct key sweep_keys[] = {
	{"apply", KEY_SWITCH, AT(records_sweep, apply)},
	{"grace", KEY_COUNT, AT(records_sweep, grace_s), .max = 30 * DAY},
	{"second_look", KEY_COUNT, AT(records_sweep, second_look_s), .max = 30 * DAY},
	{"max_share", KEY_COUNT, AT(records_sweep, max_share), .max = 100},
	{"max_number", KEY_COUNT, AT(records_sweep, max_number), .max = 10000},
	{"canary", KEY_TEXT, AT(records_sweep, canary), .check = is_instance,
         .like = "the id of an instance such as \"i-0123456789abcdef0\", or \"\","},
	{"zones", KEY_TEXTS, AT(records_sweep, zones), .max = 100, .check = keys__is_zone_id,
         .strip = "/hostedzone/", .like = "a zone id such as \"Z0123456789ABCDEFGHIJ\""},
};
static const struct key_group sweep_group = {.noun = "sweep", KEYS(sweep_keys)};

static const struct key all_keys[] = {
	{"state_dir", KEY_FILE, AT(records_settings, state_dir), .check = is_folder,
         .like = "a folder such as \"/var/lib/horizon-aws\""},
	{"fleet", KEY_TEXT, AT(records_settings, fleet), .check = is_fleet,
         .like = "a name of 1 to 32 small letters, digits and -"},
	{"key", KEY_TEXT, AT(records_settings, key), .check = is_key,
         .like = "text of 16 to 256 bytes that no one else knows, or \"\","},
	{"tags", KEY_PAIRS, AT(records_settings, tags), .max = TAG_MAX, .check = is_tag_value,
         .like = "text of at most 256 bytes"},
	{"records", KEY_LIST, AT(records_settings, records), .group = &record_group},
	{"sweep", KEY_GROUP, AT(records_settings, sweep), .group = &sweep_group},
	{"dhcp", KEY_GROUP, AT(records_settings, dhcp), .group = &records__dhcp_group},
	{"alarm", KEY_GROUP, AT(records_settings, alarm), .group = &records__alarm_group},
	{"deadline", KEY_COUNT, AT(records_settings, deadline_s), .min = 1, .max = DAY},
	{"fail_boot", KEY_SWITCH, AT(records_settings, fail_boot)},
	{"control", KEY_FILE, AT(records_settings, control), .check = keys__is_socket,
         .like = "the name of horizond's control socket, or \"\","},
};
static const struct key_group all_group = {KEYS(all_keys), .finish = finish_all};

static_assert(offsetof(struct records_settings, record_count) ==
                      offsetof(struct records_settings, records) + sizeof(void *),
              "lists begin as struct key_items does");

static bool defaults(void *ret_settings, struct arena *arena)
{
	*(struct records_settings *)ret_settings = (struct records_settings){
		.state_dir = "/var/lib/horizon-aws",
		.fleet = "",
		.key = "",
		.sweep = {.grace_s = 900,
	                  .second_look_s = 600,
	                  .max_share = 30,
	                  .max_number = 20,
	                  .canary = ""},
		.dhcp = {.vpc = "auto", .domain = ""},
		.alarm = {.instance = "auto",
	                  .topic = "horizond",
	                  .namespace = "horizond",
	                  .url = "http://127.0.0.1:9153"},
		.deadline_s = 600,
		.control = "/run/horizond/control",
	};
	return true;
}

static const struct load_form form = {
	.root = &all_group,
	.size = sizeof(struct records_settings),
	.defaults = defaults,
};

int records_settings_load(const char *path, struct records_settings **ret_settings,
                          struct text *faults)
{
	void *loaded = NULL;
	int ret = load__run(&form, path, NULL, 0, &loaded, faults);
	if (ret == 0) {
		*ret_settings = loaded;
	}
	return ret;
}

int records_settings_load_bytes(const char *path, const char *bytes, size_t size,
                                struct records_settings **ret_settings, struct text *faults)
{
	void *loaded = NULL;
	int ret = load__run(&form, path, bytes, size, &loaded, faults);
	if (ret == 0) {
		*ret_settings = loaded;
	}
	return ret;
}

void records_settings_free(struct records_settings **settings)
{
	load__free(*settings);
	*settings = NULL;
}
