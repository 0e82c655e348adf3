#include "config/load_int.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The port of an address without one. A list's member stands a level deeper than the list. */
static uint16_t default_port(const struct key *key, const config_setting_t *setting)
{
	const config_setting_t *list = config_setting_parent(setting);
	const config_setting_t *group = list == NULL ? NULL : config_setting_parent(list);
	const char *tls = NULL;
	if (key->tls_port != 0 && group != NULL &&
	    config_setting_lookup_string(group, "tls", &tls) == CONFIG_TRUE && tls[0] != '\0') {
		return key->tls_port;
	}
	return key->port;
}

bool load__addr(struct load *load, const struct key *key, const config_setting_t *setting,
                struct addr *ret_addr)
{
	const char *text = config_setting_get_string(setting);
	struct addr addr;
	if (addr_parse(text, default_port(key, setting), &addr) != 0) {
		bool cidr = strchr(text, '/') != NULL;
		load__wrong(load, key, setting, cidr ? "is a CIDR" : "is no address");
		return false;
	}
	if (addr_port(&addr) == 0 && key->port != 0) {
		load__wrong(load, key, setting, "names port 0");
		return false;
	}
	*ret_addr = addr;
	return true;
}

/* The prefix with its host bits cleared, as text; false when that is not what is wrong. */
static bool without_host_bits(const char *text, char *buf, size_t size)
{
	char host[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "/");
	if (text[len] != '/' || len >= sizeof(host)) {
		return false;
	}
	memcpy(host, text, len);
	host[len] = '\0';
	uint8_t bytes[16] = {0};
	int family = strchr(host, ':') != NULL ? AF_INET6 : AF_INET;
	char *end;
	unsigned long bits = strtoul(text + len + 1, &end, 10);
	unsigned long bits_max = family == AF_INET ? 32 : 128;
	if (inet_pton(family, host, bytes) != 1 || end == text + len + 1 || *end != '\0' ||
	    bits > bits_max) {
		return false;
	}
	for (unsigned long i = bits; i < bits_max; i++) {
		bytes[i / 8] &= (uint8_t) ~(0x80u >> (i % 8));
	}
	inet_ntop(family, bytes, host, sizeof(host));
	struct prefix prefix;
	snprintf(buf, size, "%s/%lu", host, bits);
	return prefix_parse(buf, &prefix) == 0;
}

bool load__prefix(struct load *load, const struct key *key, const config_setting_t *setting,
                  struct prefix *ret_prefix)
{
	const char *text = config_setting_get_string(setting);
	if (prefix_parse(text, ret_prefix) == 0) {
		return true;
	}
	char right[PREFIX_TEXT_MAX + 8];
	char quoted[FAULT_QUOTE_MAX];
	if (without_host_bits(text, right, sizeof(right))) {
		load__fault(load, setting, "%s has host bits set; \"%s\" would be right",
		            fault__quote(text, strlen(text), quoted), right);
	} else {
		load__wrong(load, key, setting, "is no CIDR");
	}
	return false;
}

/* What no name that someone means has in it, or NULL. Escapes (\DDD, \X) may hold anything. */
static const char *odd_name(const char *text)
{
	if (strncmp(text, "*.", 2) == 0) {
		return " is a wildcard, but all names below are meant anyway; the name without "
		       "`*.`";
	}
	for (const char *at = text; *at != '\0'; at++) {
		unsigned char c = (unsigned char)*at;
		if (c == '\\' && at[1] != '\0') {
			at++;
		} else if (c >= 0x80) {
			return " is not plain ASCII; its form in letters and digits (xn--...)";
		} else if (c <= 0x20 || strchr("*,;:=@\"'`()[]{}<>!?#%&$|^~+\\", c) != NULL) {
			return " is no name; letters, digits, `-`, `_` and dots";
		}
	}
	return NULL;
}

bool load__name(struct load *load, const struct key *key, const config_setting_t *setting,
                const char *text, uint8_t *ret_name)
{
	char quoted[FAULT_QUOTE_MAX];
	fault__quote(text, strlen(text), quoted);
	const char *odd = odd_name(text);
	struct addr addr;
	if (addr_parse(text, 53, &addr) == 0) {
		load__fault(load, setting, "%s is an address, not a name; %s would be right",
		            quoted,
		            key->kind == KEY_DOMAINS ? "a name or a CIDR such as \"10.0.0.2/32\""
		                                     : "a name");
		return false;
	}
	if (odd != NULL) {
		load__fault(load, setting, "%s%s would be right", quoted, odd);
		return false;
	}
	if (dns_name_parse(text, ret_name) < 0) {
		load__fault(
			load, setting,
			"%s is no name; labels of 1 to 63 bytes with dots between, 255 bytes in "
			"all, would be right",
			quoted);
		return false;
	}
	dns_name_lower(ret_name);
	return true;
}
