#include "dns/name.h"
#include "base/fail.h"
#include "base/hash.h"
#include "dns/name_int.h"
#include <string.h>

size_t dns_name_len(const uint8_t *name)
{
	const uint8_t *at = name;
	while (*at != 0) {
		at += *at + 1;
	}
	return (size_t)(at - name) + 1;
}

size_t dns_name_check(const uint8_t *bytes, size_t room)
{
	size_t pos = 0;
	if (room > DNS_NAME_MAX) {
		room = DNS_NAME_MAX;
	}
	while (pos < room && bytes[pos] <= DNS_LABEL_MAX) {
		if (bytes[pos] == 0) {
			return pos + 1;
		}
		pos += (size_t)bytes[pos] + 1;
	}
	return 0;
}

unsigned int dns_name_labels(const uint8_t *name)
{
	unsigned int labels = 0;
	for (; *name != 0; name += *name + 1) {
		labels++;
	}
	return labels;
}

/* --- Presentation form --- */

static int digit_of(char c, int base)
{
	return c >= '0' && c < '0' + base ? c - '0' : -1;
}

int dns__escape_read(const char **text, int base)
{
	const char *at = *text;
	if (at[0] == '\0') {
		return -1;
	}
	if (digit_of(at[0], 10) < 0) {
		*text = at + 1;
		return (uint8_t)at[0];
	}
	int value = 0;
	for (int i = 0; i < 3; i++) {
		int digit = digit_of(at[i], base);
		if (digit < 0) {
			return -1;
		}
		value = value * base + digit;
	}
	*text = at + 3;
	return value <= 255 ? value : -1;
}

/* One octet of a label. Blanks, control characters and raw 8-bit octets are slips of the pen: refused. */
static int octet_read(const char **text, int base)
{
	char c = **text;
	if (c == '\\') {
		(*text)++;
		return dns__escape_read(text, base);
	}
	if (c <= ' ' || c >= 0x7f) {
		return -1;
	}
	(*text)++;
	return c;
}

/* A label up to its dot or the end of the text; its octets go behind *at. Returns how many, or -1. */
static int label_read(const char **text, int base, uint8_t *at, size_t room)
{
	int count = 0;
	while (**text != '\0' && **text != '.') {
		int octet = octet_read(text, base);
		if (octet < 0 || count == DNS_LABEL_MAX || (size_t)count + 1 >= room) {
			return -1;
		}
		at[++count] = (uint8_t)octet;
	}
	return count > 0 ? count : -1;
}

static int name_parse(const char *text, int base, uint8_t *ret_name)
{
	if (text[0] == '.' && text[1] == '\0') {
		ret_name[0] = 0;
		return 1;
	}
	uint8_t name[DNS_NAME_MAX];
	size_t pos = 0;
	do {
		/* the root's octet is kept free */
		int count = label_read(&text, base, name + pos, DNS_NAME_MAX - 1 - pos);
		if (count < 0) {
			return FAIL_FORMAT;
		}
		name[pos] = (uint8_t)count;
		pos += (size_t)count + 1;
		if (*text == '.') {
			text++;
		}
	} while (*text != '\0');
	name[pos++] = 0;
	memcpy(ret_name, name, pos);
	return (int)pos;
}

int dns_name_parse(const char *text, uint8_t *ret_name)
{
	return name_parse(text, 10, ret_name);
}

int dns_name_parse_route53(const char *text, uint8_t *ret_name)
{
	return name_parse(text, 8, ret_name);
}

/* Octets that stand for themselves in every reader of names: zone files, shells' quotes, logs (T38). */
static bool is_plain(uint8_t c)
{
	return c > 0x20 && c < 0x7f && strchr(".\"\\;()@$", c) == NULL;
}

const char *dns_name_text(const uint8_t *name, char *buf)
{
	char *out = buf;
	if (*name == 0) {
		*out++ = '.';
	}
	while (*name != 0) {
		for (unsigned int left = *name++; left > 0; left--) {
			uint8_t c = *name++;
			if (is_plain(c)) {
				*out++ = (char)c;
				continue;
			}
			*out++ = '\\';
			*out++ = (char)('0' + c / 100);
			*out++ = (char)('0' + c / 10 % 10);
			*out++ = (char)('0' + c % 10);
		}
		*out++ = '.';
	}
	*out = '\0';
	return buf;
}

/* --- Comparison --- */

bool dns_name_equal(const uint8_t *a, const uint8_t *b)
{
	if (a == b) {
		return true;
	}
	size_t size = dns_name_len(a);
	return dns_name_len(b) == size && dns__octets_equal(a, b, size);
}

bool dns_name_within(const uint8_t *name, const uint8_t *zone)
{
	size_t left = dns_name_len(name);
	size_t size = dns_name_len(zone);
	while (left > size) {
		left -= (size_t)*name + 1;
		name += *name + 1;
	}
	return left == size && dns_name_equal(name, zone);
}

void dns_name_lower(uint8_t *name)
{
	size_t size = dns_name_len(name);
	size_t i = 0;
	for (; i + 8 <= size; i += 8) {
		uint64_t word = dns__fold8(dns__load8(name + i));
		memcpy(name + i, &word, sizeof(word));
	}
	for (; i < size; i++) {
		name[i] = dns_fold(name[i]);
	}
}

/* --- Keys --- */

/* Folds in steps of eight; key->name has room for the last step whole, what lies behind len is nobody's. */
static void key_fold(struct dns_key *key, const uint8_t *bytes, size_t len)
{
	memcpy(key->name, bytes, len);
	for (size_t i = 0; i < len; i += 8) {
		uint64_t word = dns__fold8(dns__load8(key->name + i));
		memcpy(key->name + i, &word, sizeof(word));
	}
}

static void key_hash(struct dns_key *key)
{
	uint64_t state = 0;
	key->hash[key->labels] = hash_fold(state);
	for (unsigned int i = key->labels; i-- > 0;) {
		const uint8_t *label = key->name + key->off[i];
		state = hash_step(state, label, (size_t)*label + 1);
		key->hash[i] = hash_fold(state);
	}
}

size_t dns__key_read(struct dns_key *key, const uint8_t *bytes, size_t room)
{
	size_t pos = 0;
	unsigned int labels = 0;
	if (room > DNS_NAME_MAX) {
		room = DNS_NAME_MAX;
	}
	for (;;) {
		if (pos >= room || bytes[pos] > DNS_LABEL_MAX) {
			return 0;
		}
		key->off[labels] = (uint8_t)pos;
		if (bytes[pos] == 0) {
			break;
		}
		labels++;
		pos += (size_t)bytes[pos] + 1;
	}
	key->len = (uint8_t)(pos + 1);
	key->labels = (uint8_t)labels;
	key_fold(key, bytes, pos + 1);
	key_hash(key);
	return pos + 1;
}

void dns_key_make(struct dns_key *ret_key, const uint8_t *name)
{
	dns__key_read(ret_key, name, DNS_NAME_MAX);
}
