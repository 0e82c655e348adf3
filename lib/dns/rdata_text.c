/* Record data as presentation text: for logs, explanations and parity, from any source, so nothing is trusted. */
#include "dns/name_int.h"
#include "dns/rdata.h"
#include "dns/rdata_int.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>

/* Text that stops growing at the end of its buffer. */
struct sheet {
	char *buf;
	size_t size;
	size_t len;
};

static void sheet_add(struct sheet *sheet, const char *bytes, size_t len)
{
	size_t left = sheet->size - 1 - sheet->len;
	len = len < left ? len : left;
	memcpy(sheet->buf + sheet->len, bytes, len);
	sheet->len += len;
	sheet->buf[sheet->len] = '\0';
}

static void sheet_text(struct sheet *sheet, const char *text)
{
	sheet_add(sheet, text, strlen(text));
}

static void sheet_number(struct sheet *sheet, unsigned int number)
{
	char buf[12];
	snprintf(buf, sizeof(buf), "%u", number);
	sheet_text(sheet, buf);
}

static void sheet_hex(struct sheet *sheet, const uint8_t *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < size && sheet->len < sheet->size - 1; i++) {
		char pair[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};
		sheet_add(sheet, pair, 2);
	}
}

/* What stands between quotes. item: one of a list there, whose own commas take a second escape (RFC 9460, A.1). */
static void sheet_octets(struct sheet *sheet, const uint8_t *bytes, size_t size, bool item)
{
	for (size_t i = 0; i < size && sheet->len < sheet->size - 1; i++) {
		char buf[8];
		uint8_t c = bytes[i];
		if (item && (c == ',' || c == '\\')) {
			snprintf(buf, sizeof(buf), c == ',' ? "\\\\," : "\\\\\\\\");
		} else if (c == '"' || c == '\\') {
			snprintf(buf, sizeof(buf), "\\%c", c);
		} else if (c >= ' ' && c < 0x7f) {
			snprintf(buf, sizeof(buf), "%c", c);
		} else {
			snprintf(buf, sizeof(buf), "\\%03u", (unsigned int)c);
		}
		sheet_text(sheet, buf);
	}
}

static void sheet_quoted(struct sheet *sheet, const uint8_t *bytes, size_t size)
{
	sheet_text(sheet, "\"");
	sheet_octets(sheet, bytes, size, false);
	sheet_text(sheet, "\"");
}

static bool ip_write(struct sheet *sheet, int family, struct reader *r)
{
	char buf[INET6_ADDRSTRLEN];
	const uint8_t *bytes = reader_take(r, family == AF_INET ? 4 : 16);
	if (bytes == NULL) {
		return false;
	}
	inet_ntop(family, bytes, buf, sizeof(buf));
	sheet_text(sheet, buf);
	return true;
}

static bool name_write(struct sheet *sheet, struct reader *r)
{
	char buf[DNS_NAME_TEXT_MAX];
	size_t len = dns_name_check(r->base + r->pos, reader_left(r));
	if (len == 0) {
		return false;
	}
	sheet_text(sheet, dns_name_text(reader_take(r, len), buf));
	return true;
}

static bool string_write(struct sheet *sheet, struct reader *r)
{
	uint8_t len = reader_u8(r);
	const uint8_t *bytes = reader_take(r, len);
	if (bytes == NULL) {
		return false;
	}
	sheet_quoted(sheet, bytes, len);
	return true;
}

/* Only what can be read back without quotes. */
static bool tag_write(struct sheet *sheet, struct reader *r)
{
	uint8_t len = reader_u8(r);
	const uint8_t *bytes = reader_take(r, len);
	for (size_t i = 0; bytes != NULL && i < len; i++) {
		if (!isascii(bytes[i]) || !isalnum(bytes[i])) {
			return false;
		}
	}
	if (bytes == NULL || len == 0) {
		return false;
	}
	sheet_octets(sheet, bytes, len, false);
	return true;
}

static bool strings_write(struct sheet *sheet, struct reader *r)
{
	do {
		if (!string_write(sheet, r)) {
			return false;
		}
		if (reader_left(r) > 0) {
			sheet_text(sheet, " ");
		}
	} while (reader_left(r) > 0);
	return true;
}

/* --- SvcParams --- */

#define KEY_MANDATORY 0
#define KEY_ALPN      1
#define KEY_PORT      3
#define KEY_IPV4HINT  4
#define KEY_ECH       5
#define KEY_IPV6HINT  6

static void key_write(struct sheet *sheet, uint16_t key)
{
	const char *name = dns__svcparam_name(key);
	if (name != NULL && key != KEY_ECH) { /* ech is base64 by name, plain octets by number */
		sheet_text(sheet, name);
		return;
	}
	sheet_text(sheet, "key");
	sheet_number(sheet, key);
}

/* One item of a list, known to be well-formed. */
static void item_write(struct sheet *sheet, uint16_t key, struct reader *r)
{
	uint8_t len;
	switch (key) {
	case KEY_MANDATORY:
		key_write(sheet, reader_u16(r));
		break;
	case KEY_IPV4HINT:
		ip_write(sheet, AF_INET, r);
		break;
	case KEY_IPV6HINT:
		ip_write(sheet, AF_INET6, r);
		break;
	default: /* KEY_ALPN */
		len = reader_u8(r);
		sheet_octets(sheet, reader_take(r, len), len, true);
		break;
	}
}

static void param_write(struct sheet *sheet, uint16_t key, struct reader value)
{
	key_write(sheet, key);
	if (reader_left(&value) == 0) {
		return;
	}
	sheet_text(sheet, "=\"");
	switch (key) {
	case KEY_PORT:
		sheet_number(sheet, reader_u16(&value));
		break;
	case KEY_MANDATORY:
	case KEY_ALPN:
	case KEY_IPV4HINT:
	case KEY_IPV6HINT:
		item_write(sheet, key, &value);
		while (reader_left(&value) > 0) {
			sheet_text(sheet, ",");
			item_write(sheet, key, &value);
		}
		break;
	default:
		sheet_octets(sheet, value.base, value.end, false);
		break;
	}
	sheet_text(sheet, "\"");
}

static bool params_write(struct sheet *sheet, struct reader *r)
{
	if (dns__svcparams_check(r->base + r->pos, reader_left(r)) != NULL) {
		return false;
	}
	while (reader_left(r) > 0) {
		uint16_t key = reader_u16(r);
		uint16_t len = reader_u16(r);
		param_write(sheet, key, reader_of(reader_take(r, len), len));
		if (reader_left(r) > 0) {
			sheet_text(sheet, " ");
		}
	}
	return true;
}

/* --- Fields --- */

/* False when the data does not hold such a field. */
static bool field_write(struct sheet *sheet, enum dns__field_kind kind, struct reader *r)
{
	size_t left = reader_left(r);
	switch (kind) {
	case DNS__FIELD_U8:
		sheet_number(sheet, reader_u8(r));
		return !r->bad;
	case DNS__FIELD_U16:
		sheet_number(sheet, reader_u16(r));
		return !r->bad;
	case DNS__FIELD_U32:
		sheet_number(sheet, reader_u32(r));
		return !r->bad;
	case DNS__FIELD_IP4:
		return ip_write(sheet, AF_INET, r);
	case DNS__FIELD_IP6:
		return ip_write(sheet, AF_INET6, r);
	case DNS__FIELD_NAME:
		return name_write(sheet, r);
	case DNS__FIELD_STRING:
		return string_write(sheet, r);
	case DNS__FIELD_STRINGS:
		return strings_write(sheet, r);
	case DNS__FIELD_TAG:
		return tag_write(sheet, r);
	case DNS__FIELD_VALUE:
		sheet_quoted(sheet, reader_take(r, left), left);
		return true;
	case DNS__FIELD_HEX:
		sheet_hex(sheet, reader_take(r, left), left);
		return left > 0;
	case DNS__FIELD_PARAMS:
		return params_write(sheet, r);
	case DNS__FIELD_END:
		break;
	}
	return false;
}

static bool fields_write(struct sheet *sheet, const struct dns__field *field, struct reader *r)
{
	if (field == NULL) {
		return false;
	}
	for (bool first = true; field->kind != DNS__FIELD_END; field++, first = false) {
		if (!first && (field->kind != DNS__FIELD_PARAMS || reader_left(r) > 0)) {
			sheet_text(sheet, " ");
		}
		if (!field_write(sheet, field->kind, r)) {
			return false;
		}
	}
	return reader_left(r) == 0;
}

const char *dns_rdata_text(uint16_t type, const uint8_t *rdata, size_t rdlen, char *buf,
                           size_t size)
{
	if (size == 0) {
		return "";
	}
	buf[0] = '\0';
	struct sheet sheet = {.buf = buf, .size = size};
	struct reader r = reader_of(rdata, rdlen);
	if (!fields_write(&sheet, dns__fields_of(type), &r)) {
		sheet.len = 0;
		sheet_text(&sheet, "\\# ");
		sheet_number(&sheet, (unsigned int)rdlen);
		sheet_text(&sheet, rdlen > 0 ? " " : "");
		sheet_hex(&sheet, rdata, rdlen);
	}
	return buf;
}
