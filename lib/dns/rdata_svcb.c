/* SvcParams of SVCB and HTTPS: the part of record data that ldns reads for us, handed to it in a strict form. */
#include "dns/name_int.h"
#include "dns/rdata_int.h"
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>

#define KEY_MANDATORY 0
#define KEY_ALPN      1
#define KEY_NO_ALPN   2
#define KEY_PORT      3
#define KEY_IPV4HINT  4
#define KEY_IPV6HINT  6
#define KEY_INVALID   65535

#define KEY_TEXT_MAX 20    /* "no-default-alpn" and to spare */
#define TEXT_MAX     16384 /* four octets of ours for each of the API's 4,000 */

static const char *const key_names[] = {"mandatory", "alpn", "no-default-alpn", "port",
                                        "ipv4hint",  "ech",  "ipv6hint"};

const char *dns__svcparam_name(uint16_t key)
{
	return key < sizeof(key_names) / sizeof(key_names[0]) ? key_names[key] : NULL;
}

/* --- Text --- */

/* The parameters written out again, in the one form that we give to ldns. */
struct plain {
	char text[TEXT_MAX];
	size_t len;
	bool full;
};

static void plain_add(struct plain *p, const char *bytes, size_t len)
{
	if (sizeof(p->text) - p->len <= len) {
		p->full = true;
		return;
	}
	memcpy(p->text + p->len, bytes, len);
	p->len += len;
	p->text[p->len] = '\0';
}

/* Letters and digits and what ldns' lists are made of stand for themselves, all else as \DDD. */
static void plain_octet(struct plain *p, uint8_t octet)
{
	char buf[5];
	if (octet > 0x20 && octet < 0x7f && octet != '"' && octet != '\\') {
		plain_add(p, (const char *)&octet, 1);
		return;
	}
	snprintf(buf, sizeof(buf), "\\%03u", (unsigned int)octet);
	plain_add(p, buf, 4);
}

/* ldns cuts a port to 16 bits. */
static bool port_ok(const char *value, size_t len)
{
	unsigned int port = 0;
	for (size_t i = 0; i < len; i++) {
		if (value[i] < '0' || value[i] > '9' || port > UINT16_MAX) {
			return false;
		}
		port = port * 10 + (unsigned int)(value[i] - '0');
	}
	return len > 0 && port <= UINT16_MAX;
}

/* ldns splits a list at escaped commas too (RFC 9460, figure 8); no ALPN in use has a comma or a backslash. */
static bool alpn_plain(const char *value)
{
	return strstr(value, "\\092") == NULL;
}

/* A value in quotes or up to a blank; \ooo is octal. */
static const char *value_copy(const char **text, struct plain *p)
{
	const char *at = *text;
	bool quoted = *at == '"';
	at += quoted;
	plain_add(p, "\"", 1);
	while (*at != '\0' && (quoted ? *at != '"' : *at != ' ' && *at != '\t')) {
		int octet = (uint8_t)*at++;
		if (octet == '\\') {
			octet = dns__escape_read(&at, 8);
		}
		if (octet < 0) {
			return "a bad escape (\\ooo is octal)";
		}
		plain_octet(p, (uint8_t)octet);
	}
	if (quoted && *at != '"') {
		return "quote not closed";
	}
	plain_add(p, "\"", 1);
	*text = at + quoted;
	return NULL;
}

/*
 * False for values that ldns would take for something else: those of a known key by its number are plain octets
 * (section 2.1), ldns reads its own form. value: where the key's begins, when it has one.
 */
static bool param_plain(const char *key, const struct plain *p, size_t value)
{
	bool has = p->len > value;
	if (strncmp(key, "key", 3) == 0 && dns__svcparam_name((uint16_t)atoi(key + 3)) != NULL) {
		return false;
	}
	if (strcmp(key, key_names[KEY_PORT]) == 0) {
		return has && port_ok(p->text + value, p->len - 1 - value);
	}
	return strcmp(key, key_names[KEY_ALPN]) != 0 || !has || alpn_plain(p->text + value);
}

/* One key with its value, if it has one. */
static const char *param_copy(const char **text, struct plain *p)
{
	char key[KEY_TEXT_MAX + 1] = "";
	size_t len = strspn(*text, "abcdefghijklmnopqrstuvwxyz0123456789-");
	if (len == 0 || len > KEY_TEXT_MAX) {
		return "not a key";
	}
	memcpy(key, *text, len);
	plain_add(p, " ", 1);
	plain_add(p, key, len);
	*text += len;

	size_t value = p->len + 2; /* behind the equals sign and the quote */
	if (**text == '=') {
		(*text)++;
		plain_add(p, "=", 1);
		const char *why = value_copy(text, p);
		if (why != NULL) {
			return why;
		}
	}
	if (!param_plain(key, p, value)) {
		return "a value we do not take";
	}
	return **text == '\0' || **text == ' ' || **text == '\t' ? NULL
	                                                         : "no blank between parameters";
}

static const char *params_copy(const char *text, struct plain *p)
{
	for (;;) {
		text += strspn(text, " \t");
		if (*text == '\0') {
			return p->full ? "too long" : NULL;
		}
		const char *why = param_copy(&text, p);
		if (why != NULL) {
			return why;
		}
	}
}

const char *dns__svcparams_parse(const char *text, struct writer *out)
{
	struct plain plain;
	plain.len = 0;
	plain.full = false;
	const char *why = params_copy(text, &plain);
	if (why != NULL || plain.len == 0) {
		return why;
	}
	ldns_rdf *rdf = NULL;
	ldns_status status = ldns_str2rdf_svcparams(&rdf, plain.text + 1);
	if (status != LDNS_STATUS_OK) {
		return ldns_get_errorstr_by_id(status);
	}
	why = dns__svcparams_check(ldns_rdf_data(rdf), ldns_rdf_size(rdf));
	writer_bytes(out, ldns_rdf_data(rdf), ldns_rdf_size(rdf));
	ldns_rdf_deep_free(rdf);
	return why;
}

/* --- Wire --- */

/* Moves r to this key's value. False when it is not there. */
static bool key_there(const uint8_t *params, size_t size, uint16_t key)
{
	struct reader r = reader_of(params, size);
	while (reader_left(&r) > 0) {
		uint16_t at = reader_u16(&r);
		reader_take(&r, reader_u16(&r));
		if (at == key) {
			return !r.bad;
		}
	}
	return false;
}

/* Keys in order, each once, none itself, all of them there (section 8). */
static bool mandatory_ok(struct reader list, const uint8_t *params, size_t size)
{
	uint16_t last = KEY_MANDATORY;
	if (reader_left(&list) == 0) {
		return false;
	}
	while (reader_left(&list) > 0) {
		uint16_t key = reader_u16(&list);
		if (list.bad || key <= last || !key_there(params, size, key)) {
			return false;
		}
		last = key;
	}
	return true;
}

static bool alpn_ok(struct reader list)
{
	if (reader_left(&list) == 0) {
		return false;
	}
	while (reader_left(&list) > 0) {
		uint8_t len = reader_u8(&list);
		if (len == 0 || reader_take(&list, len) == NULL) {
			return false;
		}
	}
	return true;
}

static bool param_ok(uint16_t key, struct reader value, const uint8_t *params, size_t size)
{
	size_t len = reader_left(&value);
	switch (key) {
	case KEY_MANDATORY:
		return mandatory_ok(value, params, size);
	case KEY_ALPN:
		return alpn_ok(value);
	case KEY_NO_ALPN:
		return len == 0 && key_there(params, size, KEY_ALPN);
	case KEY_PORT:
		return len == 2;
	case KEY_IPV4HINT:
		return len > 0 && len % 4 == 0;
	case KEY_IPV6HINT:
		return len > 0 && len % 16 == 0;
	default:
		return key != KEY_INVALID;
	}
}

const char *dns__svcparams_check(const uint8_t *params, size_t size)
{
	struct reader r = reader_of(params, size);
	int last = -1;
	while (reader_left(&r) > 0) {
		uint16_t key = reader_u16(&r);
		uint16_t len = reader_u16(&r);
		const uint8_t *value = reader_take(&r, len);
		if (r.bad) {
			return "parameters run over";
		}
		if (key <= last) {
			return "a key twice or out of order";
		}
		if (!param_ok(key, reader_of(value, len), params, size)) {
			return "a parameter's value does not fit its key";
		}
		last = key;
	}
	return NULL;
}
