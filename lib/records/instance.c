#include "records/instance.h"
#include "base/addr.h"
#include "base/fail.h"
#include "dns/reverse.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEXT_MAX_LEN 4096
#define MACS         "meta-data/network/interfaces/macs/"
#define MACS_MAX     64

struct instance_value {
	struct instance_value *next;
	const char *name;
	const char *text; /* NULL: there is none */
};

/* --- Asking --- */

/* The first line; NULL: none, or failed. The rest of the lines stays in buf when all is true. */
static const char *ask(struct instance *instance, const char *path, char *buf, bool all)
{
	int ret = instance->get(instance->ctx, path, buf, TEXT_MAX_LEN);
	if (ret != 0 && ret != FAIL_NOTFOUND) {
		instance->failed = ret;
	}
	if (ret != 0) {
		return NULL;
	}
	if (!all) {
		buf[strcspn(buf, "\r\n")] = '\0';
	}
	return buf[0] == '\0' ? NULL : buf;
}

static const char *ask_of_mac(struct instance *instance, const char *mac, const char *what,
                              char *buf)
{
	char path[256];
	snprintf(path, sizeof(path), MACS "%s/%s", mac, what);
	return ask(instance, path, buf, false);
}

/* The MAC of the interface named by its device number or its id; buf: TEXT_MAX_LEN. */
static const char *find_mac(struct instance *instance, const char *wanted, char *buf)
{
	char macs[TEXT_MAX_LEN];
	char told[TEXT_MAX_LEN];
	const char *what = strncmp(wanted, "eni-", 4) == 0 ? "interface-id" : "device-number";
	char *rest = macs;
	if (ask(instance, MACS, macs, true) == NULL) {
		return NULL;
	}
	for (int i = 0; i < MACS_MAX && rest != NULL; i++) {
		char *mac = strsep(&rest, "\n");
		mac[strcspn(mac, "/\r")] = '\0';
		const char *is = mac[0] == '\0' ? NULL : ask_of_mac(instance, mac, what, told);
		if (is != NULL && strcmp(is, wanted) == 0) {
			snprintf(buf, TEXT_MAX_LEN, "%s", mac);
			return buf;
		}
	}
	return NULL;
}

/* --- Values --- */

static const struct {
	const char *name;
	const char *path;   /* of the instance; NULL: only by interface */
	const char *of_mac; /* of an interface; NULL: the instance's alone */
} sources[] = {
	{"instance_id", "meta-data/instance-id", NULL},
	{"private_ipv4", "meta-data/local-ipv4", "local-ipv4s"},
	{"public_ipv4", "meta-data/public-ipv4", "public-ipv4s"},
	{"ipv6", "meta-data/ipv6", "ipv6s"},
	{"mac", "meta-data/mac", NULL},
	{"az", "meta-data/placement/availability-zone", NULL},
	{"region", "meta-data/placement/region", NULL},
	{"instance_type", "meta-data/instance-type", NULL},
};

static const char *plain_value(struct instance *instance, const char *name, const char *interface,
                               char *buf)
{
	char mac[TEXT_MAX_LEN];
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		if (strcmp(sources[i].name, name) != 0) {
			continue;
		}
		if (interface == NULL) {
			const char *text = ask(instance, sources[i].path, buf, false);
			if (text != NULL || sources[i].of_mac == NULL ||
			    strcmp(name, "ipv6") != 0) {
				return text;
			}
			/* Older metadata has it by interface only. */
			return ask(instance, "meta-data/mac", mac, false) == NULL
			               ? NULL
			               : ask_of_mac(instance, mac, sources[i].of_mac, buf);
		}
		if (find_mac(instance, interface, mac) == NULL) {
			return NULL;
		}
		if (strcmp(name, "mac") == 0) {
			snprintf(buf, TEXT_MAX_LEN, "%s", mac);
			return buf;
		}
		return ask_of_mac(instance, mac, sources[i].of_mac, buf);
	}
	return NULL;
}

/* "10.0.0.4" as "10-0-0-4", or as "4.0.0.10.in-addr.arpa". */
static const char *turned(const char *address, bool reverse, char *buf)
{
	struct addr addr;
	uint8_t wire[DNS_NAME_MAX];
	if (address == NULL || addr_parse(address, 0, &addr) != 0) {
		return NULL;
	}
	if (!reverse) {
		for (char *at = buf; *at != '\0'; at++) {
			*at = *at == '.' ? '-' : *at;
		}
		return buf;
	}
	dns_reverse_addr(&addr, wire);
	char text[DNS_NAME_TEXT_MAX];
	dns_name_text(wire, text);
	snprintf(buf, TEXT_MAX_LEN, "%.*s", (int)strlen(text) - 1, text);
	return buf;
}

static const char *value_ask(struct instance *instance, const char *name, char *buf)
{
	static const char dashed[] = "private_ipv4_dashed";
	static const char reverse[] = "private_ipv4_reverse";
	char base[64];
	const char *colon = strchr(name, ':');
	const char *interface = colon == NULL ? NULL : colon + 1;
	if (strncmp(name, "tag:", 4) == 0) {
		char path[256];
		snprintf(path, sizeof(path), "meta-data/tags/instance/%s", name + 4);
		return ask(instance, path, buf, false);
	}
	snprintf(base, sizeof(base), "%.*s",
	         (int)(colon == NULL ? strlen(name) : (size_t)(colon - name)), name);
	if (strcmp(base, "account") == 0) {
		snprintf(buf, TEXT_MAX_LEN, "%s", instance->account);
		return buf[0] == '\0' ? NULL : buf;
	}
	if (strcmp(base, dashed) == 0 || strcmp(base, reverse) == 0) {
		return turned(plain_value(instance, "private_ipv4", interface, buf),
		              strcmp(base, reverse) == 0, buf);
	}
	return plain_value(instance, base, interface, buf);
}

static struct instance_value *value_find(struct instance *instance, const char *name)
{
	for (struct instance_value *value = instance->values; value != NULL; value = value->next) {
		if (strcmp(value->name, name) == 0) {
			return value;
		}
	}
	char buf[TEXT_MAX_LEN];
	instance->failed = 0;
	const char *text = value_ask(instance, name, buf);
	struct instance_value *value = arena_alloc(instance->arena, sizeof(*value));
	if (value == NULL || instance->failed != 0) {
		instance->failed = value == NULL ? FAIL_NOMEM : instance->failed;
		return NULL;
	}
	*value = (struct instance_value){
		.next = instance->values,
		.name = arena_text(instance->arena, name),
		.text = text == NULL ? NULL : arena_text(instance->arena, text),
	};
	if (value->name == NULL || (text != NULL && value->text == NULL)) {
		instance->failed = FAIL_NOMEM;
		return NULL;
	}
	instance->values = value;
	return value;
}

const char *instance_value(void *ctx, const char *name)
{
	struct instance *instance = ctx;
	struct instance_value *value = value_find(instance, name);
	if (value == NULL || value->text == NULL || !instance->in_name ||
	    strchr(value->text, ':') == NULL) {
		return value == NULL ? NULL : value->text;
	}
	char *dashed = arena_text(instance->arena, value->text);
	for (char *at = dashed; at != NULL && *at != '\0'; at++) {
		*at = *at == ':' ? '-' : *at;
	}
	return dashed;
}

/* --- Who we are --- */

/* A member of one word: letters, digits and dashes. */
static void word_take(const json_t *document, const char *key, char *buf, size_t size)
{
	const char *text = json_string_value(json_object_get(document, key));
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	if (text != NULL && strlen(text) < size && strspn(text, allowed) == strlen(text)) {
		snprintf(buf, size, "%s", text);
	}
}

static int64_t time_take(const json_t *document, const char *key)
{
	const char *text = json_string_value(json_object_get(document, key));
	struct tm tm = {0};
	return text == NULL || strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) == NULL ? 0 : timegm(&tm);
}

int instance_open(struct instance *instance, struct arena *arena, instance_get_fn *get, void *ctx)
{
	char buf[TEXT_MAX_LEN];
	*instance = (struct instance){.get = get, .ctx = ctx, .arena = arena};
	int ret = get(ctx, "dynamic/instance-identity/document", buf, sizeof(buf));
	if (ret != 0) {
		return ret;
	}
	json_t *document = json_loads(buf, 0, NULL);
	word_take(document, "accountId", instance->account, sizeof(instance->account));
	word_take(document, "region", instance->region, sizeof(instance->region));
	word_take(document, "instanceId", instance->id, sizeof(instance->id));
	instance->launched_s = time_take(document, "pendingTime");
	json_decref(document);
	return instance->account[0] == '\0' || instance->region[0] == '\0' ||
	                       instance->id[0] == '\0'
	               ? FAIL_FORMAT
	               : 0;
}

enum instance_end instance_end(struct instance *instance)
{
	char buf[TEXT_MAX_LEN];
	const char *state =
		ask(instance, "meta-data/autoscaling/target-lifecycle-state", buf, false);
	if (state != NULL && strcmp(state, "Terminated") == 0) {
		return INSTANCE_TERMINATES;
	}
	if (state != NULL && strncmp(state, "Warmed:", 7) == 0) {
		return strcmp(state, "Warmed:Terminated") == 0 ? INSTANCE_TERMINATES
		                                               : INSTANCE_STOPS;
	}
	if (ask(instance, "meta-data/spot/instance-action", buf, true) == NULL) {
		return INSTANCE_STAYS;
	}
	json_t *action = json_loads(buf, 0, NULL);
	const char *what = json_string_value(json_object_get(action, "action"));
	enum instance_end end = what != NULL && strcmp(what, "terminate") == 0 ? INSTANCE_TERMINATES
	                        : what != NULL                                 ? INSTANCE_STOPS
	                                                                       : INSTANCE_STAYS;
	json_decref(action);
	return end;
}
