#include "dns/rdata.h"
#include "base/fail.h"
#include "dns/layout_int.h"
#include "dns/name_int.h"
#include "dns/rdata_int.h"
#include "dns/type.h"
#include <arpa/inet.h>
#include <stdio.h>

#define U8(name)                    \
	{                           \
		DNS__FIELD_U8, name \
	}
#define U16(name)                    \
	{                            \
		DNS__FIELD_U16, name \
	}
#define U32(name)                    \
	{                            \
		DNS__FIELD_U32, name \
	}
#define NAME(name)                    \
	{                             \
		DNS__FIELD_NAME, name \
	}
#define STRING(name)                    \
	{                               \
		DNS__FIELD_STRING, name \
	}
#define HEX(name)                    \
	{                            \
		DNS__FIELD_HEX, name \
	}
#define END                          \
	{                            \
		DNS__FIELD_END, NULL \
	}

const struct dns__field *dns__fields_of(uint16_t type)
{
	static const struct dns__field a[] = {{DNS__FIELD_IP4, "address"}, END};
	static const struct dns__field aaaa[] = {{DNS__FIELD_IP6, "address"}, END};
	static const struct dns__field name[] = {NAME("target"), END};
	static const struct dns__field soa[] = {
		NAME("server"), NAME("mailbox"), U32("serial"),  U32("refresh"),
		U32("retry"),   U32("expire"),   U32("minimum"), END};
	static const struct dns__field mx[] = {U16("preference"), NAME("host"), END};
	static const struct dns__field txt[] = {{DNS__FIELD_STRINGS, "string"}, END};
	static const struct dns__field srv[] = {U16("priority"), U16("weight"), U16("port"),
	                                        NAME("target"), END};
	static const struct dns__field naptr[] = {U16("order"),
	                                          U16("preference"),
	                                          STRING("flags"),
	                                          STRING("services"),
	                                          STRING("regexp"),
	                                          NAME("replacement"),
	                                          END};
	static const struct dns__field ds[] = {U16("key tag"), U8("algorithm"), U8("digest type"),
	                                       HEX("digest"), END};
	static const struct dns__field sshfp[] = {U8("algorithm"), U8("type"), HEX("fingerprint"),
	                                          END};
	static const struct dns__field tlsa[] = {U8("usage"), U8("selector"), U8("matching type"),
	                                         HEX("data"), END};
	static const struct dns__field caa[] = {
		U8("flags"), {DNS__FIELD_TAG, "tag"}, {DNS__FIELD_VALUE, "value"}, END};
	static const struct dns__field svcb[] = {
		U16("priority"), NAME("target"), {DNS__FIELD_PARAMS, "parameters"}, END};

	switch (type) {
	case DNS_TYPE_A:
		return a;
	case DNS_TYPE_AAAA:
		return aaaa;
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_PTR:
	case DNS_TYPE_DNAME:
		return name;
	case DNS_TYPE_SOA:
		return soa;
	case DNS_TYPE_MX:
		return mx;
	case DNS_TYPE_TXT:
	case DNS_TYPE_SPF:
		return txt;
	case DNS_TYPE_SRV:
		return srv;
	case DNS_TYPE_NAPTR:
		return naptr;
	case DNS_TYPE_DS:
		return ds;
	case DNS_TYPE_SSHFP:
		return sshfp;
	case DNS_TYPE_TLSA:
		return tlsa;
	case DNS_TYPE_CAA:
		return caa;
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS:
		return svcb;
	default:
		return NULL;
	}
}

/* --- Text, a word at a time --- */

/* A Value being read. Each read moves `at` on and returns NULL, or says what is wrong. */
struct value {
	const char *at;
	struct writer out;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static const char *blanks_pass(const char *at)
{
	while (is_blank(*at)) {
		at++;
	}
	return at;
}

/* Copies the next word as it stands. False when there is none, or when it does not fit. */
static bool word_take(struct value *v, char *buf, size_t size)
{
	size_t len = strcspn(v->at, " \t");
	if (len == 0 || len >= size) {
		return false;
	}
	memcpy(buf, v->at, len);
	buf[len] = '\0';
	v->at += len;
	return true;
}

/* Digits alone: neither signs nor wrap-around (ldns takes -1 for 65535 and 65536 for 0). */
static const char *number_read(struct value *v, uint32_t max, unsigned int size)
{
	uint64_t number = 0;
	const char *start = v->at;
	for (; *v->at >= '0' && *v->at <= '9' && number <= max; v->at++) {
		number = number * 10 + (uint64_t)(*v->at - '0');
	}
	if (v->at == start || (*v->at != '\0' && !is_blank(*v->at))) {
		return "not a number";
	}
	if (number > max) {
		return "number too large";
	}
	for (unsigned int i = size; i-- > 0;) {
		writer_u8(&v->out, (uint8_t)(number >> (8 * i)));
	}
	return NULL;
}

static const char *ip_read(struct value *v, int family, size_t size)
{
	char word[INET6_ADDRSTRLEN];
	uint8_t bytes[16];
	if (!word_take(v, word, sizeof(word)) || inet_pton(family, word, bytes) != 1) {
		return family == AF_INET ? "not an IPv4 address" : "not an IPv6 address";
	}
	writer_bytes(&v->out, bytes, size);
	return NULL;
}

static const char *name_read(struct value *v)
{
	char word[DNS_NAME_TEXT_MAX];
	uint8_t name[DNS_NAME_MAX];
	int len = word_take(v, word, sizeof(word)) ? dns_name_parse_route53(word, name) : -1;
	if (len < 0) {
		return "not a domain name";
	}
	writer_bytes(&v->out, name, (size_t)len);
	return NULL;
}

/*
 * A string in quotes, or a word for one; \ooo is octal. Its octets are written, as many as max. *ret_len:
 * how many there were.
 */
static const char *octets_read(struct value *v, size_t max, size_t *ret_len)
{
	bool quoted = *v->at == '"';
	size_t len = 0;
	v->at += quoted;
	while (*v->at != '\0' && (quoted ? *v->at != '"' : !is_blank(*v->at))) {
		int octet = (uint8_t)*v->at++;
		if (octet == '\\') {
			octet = dns__escape_read(&v->at, 8);
		} else if (octet < ' ' && octet != '\t') {
			return "a control character";
		}
		if (octet < 0) {
			return "a bad escape (\\ooo is octal)";
		}
		if (len++ == max) {
			return "string over 255 octets";
		}
		writer_u8(&v->out, (uint8_t)octet);
	}
	if (quoted && *v->at != '"') {
		return "quote not closed";
	}
	v->at += quoted;
	if (*v->at != '\0' && !is_blank(*v->at)) {
		return "no blank behind the quote";
	}
	*ret_len = len;
	return NULL;
}

static const char *string_read(struct value *v)
{
	size_t len = 0;
	uint8_t *at = writer_room(&v->out, 1);
	if (*v->at == '\0') {
		return "missing";
	}
	const char *why = octets_read(v, 255, &len);
	if (why == NULL && at != NULL) {
		*at = (uint8_t)len;
	}
	return why;
}

static const char *strings_read(struct value *v)
{
	const char *why;
	do {
		why = string_read(v);
		v->at = blanks_pass(v->at);
	} while (why == NULL && *v->at != '\0');
	return why;
}

static const char *tag_read(struct value *v)
{
	size_t len =
		strspn(v->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
	if (len == 0 || len > 255 || !is_blank(v->at[len])) {
		return "not letters and digits";
	}
	writer_u8(&v->out, (uint8_t)len);
	writer_bytes(&v->out, v->at, len);
	v->at += len;
	return NULL;
}

static const char *value_read(struct value *v)
{
	size_t len;
	return *v->at == '\0' ? "missing" : octets_read(v, DNS_RDATA_MAX, &len);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Blanks may stand between digits; a digit too few is refused, not filled up (as ldns does). */
static const char *hex_read(struct value *v)
{
	unsigned int digits = 0;
	int high = 0;
	for (; *v->at != '\0'; v->at++) {
		int digit = hex_digit(*v->at);
		if (is_blank(*v->at)) {
			continue;
		}
		if (digit < 0) {
			return "not hexadecimal";
		}
		if (digits++ % 2 == 0) {
			high = digit;
		} else {
			writer_u8(&v->out, (uint8_t)(high << 4 | digit));
		}
	}
	if (digits == 0) {
		return "missing";
	}
	return digits % 2 == 0 ? NULL : "an odd number of hexadecimal digits";
}

static const char *params_read(struct value *v)
{
	const char *why = dns__svcparams_parse(v->at, &v->out);
	v->at += strlen(v->at);
	return why;
}

static const char *field_read(struct value *v, enum dns__field_kind kind)
{
	switch (kind) {
	case DNS__FIELD_U8:
		return number_read(v, UINT8_MAX, 1);
	case DNS__FIELD_U16:
		return number_read(v, UINT16_MAX, 2);
	case DNS__FIELD_U32:
		return number_read(v, UINT32_MAX, 4);
	case DNS__FIELD_IP4:
		return ip_read(v, AF_INET, 4);
	case DNS__FIELD_IP6:
		return ip_read(v, AF_INET6, 16);
	case DNS__FIELD_NAME:
		return name_read(v);
	case DNS__FIELD_STRING:
		return string_read(v);
	case DNS__FIELD_STRINGS:
		return strings_read(v);
	case DNS__FIELD_TAG:
		return tag_read(v);
	case DNS__FIELD_VALUE:
		return value_read(v);
	case DNS__FIELD_HEX:
		return hex_read(v);
	case DNS__FIELD_PARAMS:
		return params_read(v);
	case DNS__FIELD_END:
		break;
	}
	return NULL;
}

/* --- The doors --- */

static int refuse(char *err, size_t err_size, uint16_t type, const char *field, const char *why)
{
	char buf[16];
	if (err_size > 0) {
		snprintf(err, err_size, "%s %s: %s", dns_type_text(type, buf), field, why);
	}
	return FAIL_FORMAT;
}

int dns_rdata_parse_route53(uint16_t type, const char *value, uint8_t *ret_rdata, size_t room,
                            char *err, size_t err_size)
{
	const struct dns__field *field = dns__fields_of(type);
	if (field == NULL) {
		return refuse(err, err_size, type, "value", "a type we cannot read");
	}
	struct value v = {
		.at = value,
		.out = writer_of(ret_rdata, room < DNS_RDATA_MAX ? room : DNS_RDATA_MAX),
	};
	for (; field->kind != DNS__FIELD_END; field++) {
		v.at = blanks_pass(v.at);
		const char *why = field_read(&v, field->kind);
		if (why != NULL) {
			return refuse(err, err_size, type, field->name, why);
		}
	}
	if (*blanks_pass(v.at) != '\0') {
		return refuse(err, err_size, type, "value", "more text than the type has fields");
	}
	return v.out.bad ? FAIL_LIMIT : (int)v.out.pos;
}

int dns_rdata_target(uint16_t type, const uint8_t *rdata, size_t rdlen)
{
	switch (type) {
	case DNS_TYPE_NS:
	case DNS_TYPE_MX:
	case DNS_TYPE_SRV:
		return dns__layout_name(type, rdata, rdlen);
	default:
		return -1;
	}
}
