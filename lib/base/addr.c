#include "base/addr.h"
#include "base/fail.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Digits only, no sign, no leading zero, at most max. */
static bool parse_number(const char *text, unsigned long max, unsigned long *ret_number)
{
	if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0')) {
		return false;
	}
	unsigned long number = 0;
	for (const char *p = text; *p != '\0'; p++) {
		if (*p < '0' || *p > '9') {
			return false;
		}
		number = number * 10 + (unsigned long)(*p - '0');
		if (number > max) {
			return false;
		}
	}
	*ret_number = number;
	return true;
}

/* An interface by name or by number. */
static bool parse_scope(const char *text, uint32_t *ret_scope)
{
	unsigned long number;
	if (parse_number(text, UINT32_MAX, &number)) {
		*ret_scope = (uint32_t)number;
		return true;
	}
	*ret_scope = if_nametoindex(text);
	return *ret_scope != 0;
}

static int parse_in4(const char *host, uint16_t port, struct addr *ret_addr)
{
	struct addr addr = {.len = sizeof(addr.in4)};
	addr.in4.sin_family = AF_INET;
	addr.in4.sin_port = htons(port);
	if (inet_pton(AF_INET, host, &addr.in4.sin_addr) != 1) {
		return FAIL_FORMAT;
	}
	*ret_addr = addr;
	return 0;
}

/* Changes host: cuts it at the scope. */
static int parse_in6(char *host, uint16_t port, struct addr *ret_addr)
{
	struct addr addr = {.len = sizeof(addr.in6)};
	addr.in6.sin6_family = AF_INET6;
	addr.in6.sin6_port = htons(port);
	char *percent = strchr(host, '%');
	if (percent != NULL) {
		*percent = '\0';
		if (!parse_scope(percent + 1, &addr.in6.sin6_scope_id)) {
			return FAIL_FORMAT;
		}
	}
	if (inet_pton(AF_INET6, host, &addr.in6.sin6_addr) != 1) {
		return FAIL_FORMAT;
	}
	*ret_addr = addr;
	return 0;
}

/* Splits buf into a host and, where the text has one, a port. */
static int split(char *buf, char **ret_host, const char **ret_port, bool *ret_is_in6)
{
	char *colon = strchr(buf, ':');
	*ret_host = buf;
	*ret_port = NULL;
	*ret_is_in6 = false;
	if (buf[0] == '[') {
		char *close = strchr(buf, ']');
		if (close == NULL || close[1] != ':') {
			return FAIL_FORMAT;
		}
		*close = '\0';
		*ret_host = buf + 1;
		*ret_port = close + 2;
		*ret_is_in6 = true;
	} else if (colon != NULL && strchr(colon + 1, ':') != NULL) {
		*ret_is_in6 = true;
	} else if (colon != NULL) {
		*colon = '\0';
		*ret_port = colon + 1;
	}
	return 0;
}

int addr_parse(const char *text, uint16_t port, struct addr *ret_addr)
{
	char buf[ADDR_TEXT_MAX];
	size_t len = strlen(text);
	if (len >= sizeof(buf)) {
		return FAIL_FORMAT;
	}
	memcpy(buf, text, len + 1);

	char *host;
	const char *port_text;
	bool is_in6;
	int ret = split(buf, &host, &port_text, &is_in6);
	if (ret != 0) {
		return ret;
	}
	unsigned long number = port;
	if (port_text != NULL && !parse_number(port_text, UINT16_MAX, &number)) {
		return FAIL_FORMAT;
	}
	return is_in6 ? parse_in6(host, (uint16_t)number, ret_addr)
	              : parse_in4(host, (uint16_t)number, ret_addr);
}

/* The host at buf; returns its length. */
static size_t write_host(const struct addr *addr, char *buf)
{
	if (addr->len == 0) {
		return (size_t)snprintf(buf, ADDR_TEXT_MAX, "none");
	}
	if (addr->sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &addr->in4.sin_addr, buf, ADDR_TEXT_MAX);
		return strlen(buf);
	}
	inet_ntop(AF_INET6, &addr->in6.sin6_addr, buf, ADDR_TEXT_MAX);
	size_t len = strlen(buf);
	char name[IF_NAMESIZE];
	uint32_t scope = addr->in6.sin6_scope_id;
	if (scope != 0 && if_indextoname(scope, name) != NULL) {
		len += (size_t)snprintf(buf + len, ADDR_TEXT_MAX - len, "%%%s", name);
	} else if (scope != 0) {
		len += (size_t)snprintf(buf + len, ADDR_TEXT_MAX - len, "%%%u",
		                        (unsigned int)scope);
	}
	return len;
}

const char *addr_text_host(const struct addr *addr, char *buf)
{
	write_host(addr, buf);
	return buf;
}

const char *addr_text(const struct addr *addr, char *buf)
{
	size_t brackets = addr->len != 0 && addr->sa.sa_family == AF_INET6 ? 1 : 0;
	char host[ADDR_TEXT_MAX];
	size_t len = write_host(addr, host);
	char *at = buf;
	if (brackets != 0) {
		*at++ = '[';
	}
	memcpy(at, host, len);
	at += len;
	if (brackets != 0) {
		*at++ = ']';
	}
	*at = '\0';
	if (addr->len != 0) {
		snprintf(at, (size_t)(buf + ADDR_TEXT_MAX - at), ":%u",
		         (unsigned int)addr_port(addr));
	}
	return buf;
}

uint16_t addr_port(const struct addr *addr)
{
	if (addr->len == 0) {
		return 0;
	}
	return ntohs(addr->sa.sa_family == AF_INET ? addr->in4.sin_port : addr->in6.sin6_port);
}

void addr_set_port(struct addr *addr, uint16_t port)
{
	if (addr->len == 0) {
		return;
	}
	if (addr->sa.sa_family == AF_INET) {
		addr->in4.sin_port = htons(port);
	} else {
		addr->in6.sin6_port = htons(port);
	}
}

bool addr_equal_host(const struct addr *a, const struct addr *b)
{
	if (a->len == 0 || b->len == 0) {
		return a->len == b->len;
	}
	if (a->sa.sa_family != b->sa.sa_family) {
		return false;
	}
	if (a->sa.sa_family == AF_INET) {
		return a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr;
	}
	return a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
	       memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(a->in6.sin6_addr)) == 0;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_equal_host(a, b) && addr_port(a) == addr_port(b);
}

static const uint8_t mapped_head[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/*
 * The address' own bytes, 4 or 16 of them; an IPv4-mapped one counts as IPv4. Returns the family, 0
 * for no address.
 */
static uint8_t addr_bytes(const struct addr *addr, const uint8_t **ret_bytes)
{
	if (addr->len == 0) {
		return 0;
	}
	if (addr->sa.sa_family == AF_INET) {
		*ret_bytes = (const uint8_t *)&addr->in4.sin_addr;
		return AF_INET;
	}
	if (addr->sa.sa_family != AF_INET6) {
		return 0;
	}
	*ret_bytes = addr->in6.sin6_addr.s6_addr;
	if (memcmp(*ret_bytes, mapped_head, sizeof(mapped_head)) == 0) {
		*ret_bytes += sizeof(mapped_head);
		return AF_INET;
	}
	return AF_INET6;
}

static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	if (memcmp(a, b, bits / 8) != 0) {
		return false;
	}
	unsigned int rest = bits % 8;
	return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) >> (8 - rest)) == 0;
}

bool prefix_holds(const struct prefix *prefix, const struct addr *addr)
{
	const uint8_t *bytes;
	uint8_t family = addr_bytes(addr, &bytes);
	return family != 0 && family == prefix->family &&
	       bits_equal(prefix->bytes, bytes, prefix->bits);
}

bool addr_is_any(const struct addr *addr)
{
	static const uint8_t zero[16];
	const uint8_t *bytes;
	uint8_t family = addr_bytes(addr, &bytes);
	return family != 0 && memcmp(bytes, zero, family == AF_INET ? 4 : 16) == 0;
}

bool addr_is_loopback(const struct addr *addr)
{
	static const struct prefix in4 = {.bytes = {127}, .bits = 8, .family = AF_INET};
	static const struct prefix in6 = {.bytes = {[15] = 1}, .bits = 128, .family = AF_INET6};
	return prefix_holds(&in4, addr) || prefix_holds(&in6, addr);
}

static bool host_bits_clear(const struct prefix *prefix)
{
	static const uint8_t zero[16];
	struct prefix host = *prefix;
	size_t from = prefix->bits / 8;
	if (prefix->bits % 8 != 0) {
		host.bytes[from] &= (uint8_t)(0xff >> (prefix->bits % 8));
	}
	return memcmp(host.bytes + from, zero, sizeof(host.bytes) - from) == 0;
}

/* Addresses are compared as IPv4 when they are IPv4-mapped, so such a prefix must be IPv4, too. */
static void prefix_unmap(struct prefix *prefix)
{
	if (prefix->family == AF_INET6 && prefix->bits >= 96 &&
	    memcmp(prefix->bytes, mapped_head, sizeof(mapped_head)) == 0) {
		struct prefix in4 = {.bits = prefix->bits - 96, .family = AF_INET};
		memcpy(in4.bytes, prefix->bytes + sizeof(mapped_head), 4);
		*prefix = in4;
	}
}

int prefix_parse(const char *text, struct prefix *ret_prefix)
{
	char host[PREFIX_TEXT_MAX];
	size_t len = strcspn(text, "/");
	if (len >= sizeof(host)) {
		return FAIL_FORMAT;
	}
	memcpy(host, text, len);
	host[len] = '\0';

	struct prefix prefix = {.family = strchr(host, ':') != NULL ? AF_INET6 : AF_INET};
	if (inet_pton(prefix.family, host, prefix.bytes) != 1) {
		return FAIL_FORMAT;
	}
	unsigned long bits_max = prefix.family == AF_INET ? 32 : 128;
	unsigned long bits = bits_max;
	if (text[len] == '/' && !parse_number(text + len + 1, bits_max, &bits)) {
		return FAIL_FORMAT;
	}
	prefix.bits = (uint8_t)bits;
	if (!host_bits_clear(&prefix)) {
		return FAIL_FORMAT;
	}
	prefix_unmap(&prefix);
	*ret_prefix = prefix;
	return 0;
}

const char *prefix_text(const struct prefix *prefix, char *buf)
{
	inet_ntop(prefix->family, prefix->bytes, buf, PREFIX_TEXT_MAX);
	size_t len = strlen(buf);
	snprintf(buf + len, PREFIX_TEXT_MAX - len, "/%u", (unsigned int)prefix->bits);
	return buf;
}
