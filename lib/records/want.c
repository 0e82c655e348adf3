#include "records/want.h"
#include "base/fail.h"
#include "config/template.h"
#include "dns/rdata.h"
#include "dns/type.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define VALUE_MAX 4001

/* One record being made. */
struct making {
	const struct records_settings *settings;
	const struct records_record *record;
	struct instance *instance;
	const struct owner *owner;
	struct want *want;
	bool nomem;
};

const char *want_key(const struct records_settings *settings, char *buf)
{
	if (settings->key[0] != '\0') {
		snprintf(buf, 300, "%s", settings->key);
	} else {
		snprintf(buf, 300, "horizon/%s", settings->fleet);
	}
	return buf;
}

__attribute__((format(printf, 3, 4))) static void fault(struct making *making, int reason,
                                                        const char *format, ...)
{
	char text[700];
	va_list args;
	int len = snprintf(text, sizeof(text), "%s:%u: ", making->record->place.file,
	                   making->record->place.line);
	va_start(args, format);
	vsnprintf(text + len, sizeof(text) - (size_t)len, format, args);
	va_end(args);
	struct want_fault *at = &making->want->faults[making->want->fault_count];
	at->text = arena_text(making->instance->arena, text);
	at->reason = reason;
	making->nomem = making->nomem || at->text == NULL;
	making->want->fault_count++;
}

/* A template with its values; false: told. */
static bool fill(struct making *making, const char *template, bool name, char *buf, size_t size)
{
	char why[200];
	making->instance->in_name = name;
	making->instance->failed = 0;
	int ret = template_fill(template, instance_value, making->instance, buf, size, why,
	                        sizeof(why));
	if (ret == FAIL_NOTFOUND && making->instance->failed != 0) {
		fault(making, making->instance->failed,
		      "`%s`: instance metadata could not be asked for {%s}", template, why);
	} else if (ret == FAIL_NOTFOUND) {
		fault(making, 0, "`%s`: this instance has no {%s}; nothing is written for it",
		      template, why);
	} else if (ret == FAIL_LIMIT) {
		fault(making, 0, "`%s`: longer than %zu bytes once filled in", template, size - 1);
	} else if (ret != 0) {
		fault(making, 0, "`%s`: %s", template, why);
	}
	return ret == 0;
}

static bool make_name(struct making *making, struct record_entry *entry)
{
	char text[RECORD_NAME_MAX];
	char name[RECORD_NAME_MAX];
	if (!fill(making, making->record->name, true, text, sizeof(text))) {
		return false;
	}
	if (record_name(text, name) != 0) {
		fault(making, 0,
		      "`%.300s` is no name; labels of 1 to 63 bytes, 255 bytes in all, would be "
		      "right",
		      text);
		return false;
	}
	entry->set.name = arena_text(making->instance->arena, name);
	making->nomem = making->nomem || entry->set.name == NULL;
	return !making->nomem;
}

/* The value as Route 53 wants it: text in quotes, names with their dot. False: it does not fit. */
static bool dress(unsigned int type, const char *value, char *buf, size_t size)
{
	size_t len = 0;
	if (type == RECORDS_TXT && value[0] != '"') {
		buf[len++] = '"';
		for (const char *at = value; *at != '\0' && len + 3 < size; at++) {
			if (*at == '"' || *at == '\\') {
				buf[len++] = '\\';
			}
			buf[len++] = *at;
		}
		buf[len++] = '"';
		buf[len] = '\0';
		return strlen(value) <= 255;
	}
	bool name = type == RECORDS_PTR || type == RECORDS_CNAME || type == RECORDS_SRV;
	size_t count = strlen(value);
	bool dot = name && count > 0 && value[count - 1] != '.';
	return snprintf(buf, size, "%s%s", value, dot ? "." : "") < (int)size;
}

static bool make_value(struct making *making, struct record_entry *entry, const char *template,
                       const char **ret_value)
{
	static const uint16_t codes[] = {DNS_TYPE_A,     DNS_TYPE_AAAA, DNS_TYPE_PTR,
	                                 DNS_TYPE_CNAME, DNS_TYPE_TXT,  DNS_TYPE_SRV};
	char text[VALUE_MAX];
	char value[VALUE_MAX];
	char why[200] = "more than 255 bytes in one string";
	uint8_t rdata[DNS_RDATA_MAX];
	if (!fill(making, template, false, text, sizeof(text))) {
		return false;
	}
	if (!dress(making->record->type, text, value, sizeof(value)) ||
	    dns_rdata_parse_route53(codes[making->record->type], value, rdata, sizeof(rdata), why,
	                            sizeof(why)) < 0) {
		fault(making, 0, "`%.300s` is no value of type %s: %s", text, entry->set.type, why);
		return false;
	}
	*ret_value = arena_text(making->instance->arena, value);
	making->nomem = making->nomem || *ret_value == NULL;
	return !making->nomem;
}

static bool make_values(struct making *making, struct record_entry *entry)
{
	size_t count = making->record->values.count;
	const char **values = arena_alloc(making->instance->arena, count * sizeof(*values));
	if (values == NULL) {
		making->nomem = true;
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (!make_value(making, entry, making->record->values.items[i], &values[i])) {
			return false;
		}
		for (size_t j = 0; j < i; j++) {
			if (strcmp(values[i], values[j]) == 0) {
				fault(making, 0, "`%.300s` stands twice among the values of %s",
				      values[i], entry->set.name);
				return false;
			}
		}
	}
	entry->set.values = values;
	entry->set.value_count = count;
	return true;
}

int want_mark(const struct owner *owner, const struct records_settings *settings,
              const struct records_record *record, struct arena *arena, struct record_entry *entry)
{
	char text[RECORD_NAME_MAX];
	char key[300];
	if (record->mark == RECORDS_MARK_SET) {
		int ret = owner_identifier(owner, text);
		entry->set.identifier = ret == 0 ? arena_text(arena, text) : NULL;
		entry->has_mark = false;
		return ret == 0 && entry->set.identifier == NULL ? FAIL_NOMEM : ret;
	}
	int ret = record_mark_name(entry->set.name, text);
	entry->mark.name = ret == 0 ? arena_text(arena, text) : NULL;
	ret = ret != 0 ? ret
	               : owner_txt(owner, record->private_zone ? NULL : want_key(settings, key),
	                           text);
	const char **values = arena_alloc(arena, sizeof(*values));
	if (ret != 0 || values == NULL || entry->mark.name == NULL) {
		return ret != 0 ? ret : FAIL_NOMEM;
	}
	values[0] = arena_text(arena, text);
	entry->has_mark = true;
	entry->mark.type = "TXT";
	entry->mark.ttl_s = entry->set.ttl_s;
	entry->mark.values = values;
	entry->mark.value_count = 1;
	return values[0] == NULL ? FAIL_NOMEM : 0;
}

static void make(struct making *making)
{
	const struct records_record *record = making->record;
	struct record_entry entry = {
		.zone = record->zone,
		.private_zone = record->private_zone,
		.keep_on_stop = record->keep_on_stop,
		.set = {.type = records_type_text(record->type), .ttl_s = record->ttl_s},
	};
	if (!make_name(making, &entry) || !make_values(making, &entry)) {
		return;
	}
	int ret =
		want_mark(making->owner, making->settings, record, making->instance->arena, &entry);
	if (ret == FAIL_LIMIT) {
		fault(making, 0,
		      "`%.300s`: its mark would be too long, and without one nothing is written; "
		      "a shorter name or fleet would be right",
		      entry.set.name);
		return;
	}
	making->nomem = making->nomem || ret != 0;
	if (!making->nomem) {
		making->want->entries[making->want->count++] = entry;
	}
}

int want_make(const struct records_settings *settings, struct instance *instance,
              const struct owner *owner, struct want *ret_want)
{
	size_t count = settings->record_count;
	struct want want = {
		.entries = arena_alloc(instance->arena, (count + 1) * sizeof(*want.entries)),
		.faults = arena_alloc(instance->arena, (count + 1) * sizeof(*want.faults)),
	};
	if (want.entries == NULL || want.faults == NULL) {
		return FAIL_NOMEM;
	}
	struct making making = {
		.settings = settings, .instance = instance, .owner = owner, .want = &want};
	for (size_t i = 0; i < count; i++) {
		making.record = &settings->records[i];
		make(&making);
	}
	if (making.nomem) {
		return FAIL_NOMEM;
	}
	*ret_want = want;
	return 0;
}
