#include "config/keys_int.h"
#include "dns/type.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text in quotes, as libconfig reads it back. */
static void write_quoted(const char *text, struct text *out)
{
	text_add(out, "\"", 1);
	for (const char *at = text; *at != '\0'; at++) {
		unsigned char c = (unsigned char)*at;
		if (c == '"' || c == '\\') {
			text_addf(out, "\\%c", c);
		} else if (c < 0x20 || c == 0x7f) {
			text_addf(out, "\\x%02x", c);
		} else {
			text_add(out, at, 1);
		}
	}
	text_add(out, "\"", 1);
}

/* A wire name without its last dot, but "." for the root. */
static void write_name(const uint8_t *name, const char *behind, struct text *out)
{
	char buf[DNS_NAME_TEXT_MAX + 24];
	dns_name_text(name, buf);
	size_t len = strlen(buf);
	if (len > 1) {
		buf[--len] = '\0';
	}
	snprintf(buf + len, sizeof(buf) - len, "%s", behind);
	write_quoted(buf, out);
}

static void write_addr(const struct addr *addr, bool has_port, struct text *out)
{
	char buf[ADDR_TEXT_MAX];
	write_quoted(addr->len == 0 ? ""
	             : has_port     ? addr_text(addr, buf)
	                            : addr_text_host(addr, buf),
	             out);
}

/* 67108864 as "64M". */
static void write_size(uint64_t size, struct text *out)
{
	static const char units[] = "GMK";
	for (unsigned int i = 0; i < 3; i++) {
		unsigned int shift = 30 - 10 * i;
		if (size != 0 && size % (1ULL << shift) == 0) {
			text_addf(out, "\"%" PRIu64 "%c\"", size >> shift, units[i]);
			return;
		}
	}
	text_addf(out, "%" PRIu64, size);
}

/* As short as it reads back the same, and always as a float. */
static void write_real(double real, struct text *out)
{
	char buf[40];
	for (int digits = 6; digits <= 17; digits += 11) {
		snprintf(buf, sizeof(buf), "%.*g", digits, real);
		if (strtod(buf, NULL) == real) {
			break;
		}
	}
	text_addf(out, "%s%s", buf, strpbrk(buf, ".e") == NULL ? ".0" : "");
}

static void write_probe(const struct settings_rule *rule, struct text *out)
{
	if (rule->probe_name == NULL) {
		text_addf(out, "\"\"");
		return;
	}
	char type[16];
	char behind[20];
	snprintf(behind, sizeof(behind), " %s", dns_type_text(rule->probe_type, type));
	write_name(rule->probe_name, behind, out);
}

void keys__write_item(const struct key *key, const struct key_items *items, size_t i,
                      struct text *out)
{
	const char *const *texts = items->items;
	char buf[PREFIX_TEXT_MAX];
	switch (key->kind) {
	case KEY_ADDRS:
		write_addr((const struct addr *)items->items + i, true, out);
		break;
	case KEY_PREFIXES:
		write_quoted(prefix_text((const struct prefix *)items->items + i, buf), out);
		break;
	case KEY_NAMES:
		write_name((const uint8_t *)texts[i], "", out);
		break;
	case KEY_DOMAINS:
		write_quoted(((const struct settings_domain *)items->items)[i].text, out);
		break;
	default:
		write_quoted(texts[i], out);
		break;
	}
}

/* The reverse zones of one CIDR are written as the one text they came from. */
static bool is_repeat(const struct key *key, const struct key_items *items, size_t i)
{
	const struct settings_domain *domains = items->items;
	return key->kind == KEY_DOMAINS && i > 0 && domains[i].text == domains[i - 1].text;
}

static void write_items(const struct key *key, const struct key_items *items, struct text *out)
{
	text_addf(out, "[ ");
	for (size_t i = 0; i < items->count; i++) {
		if (!is_repeat(key, items, i)) {
			text_addf(out, "%s", i == 0 ? "" : ", ");
			keys__write_item(key, items, i, out);
		}
	}
	text_addf(out, "%s]", items->count == 0 ? "" : " ");
}

static const char *word_of(const struct key *key, const void *at)
{
	unsigned int word;
	memcpy(&word, at, sizeof(word));
	return key->words[word - key->first];
}

void keys__write(const struct key *key, const void *base, struct text *out)
{
	const void *at = (const char *)base + key->offset;
	switch (key->kind) {
	case KEY_COUNT:
		text_addf(out, "%u", *(const unsigned int *)at);
		break;
	case KEY_SIZE:
		write_size(*(const uint64_t *)at, out);
		break;
	case KEY_REAL:
		write_real(*(const double *)at, out);
		break;
	case KEY_SWITCH:
		text_addf(out, "%s", *(const bool *)at ? "true" : "false");
		break;
	case KEY_WORD:
		write_quoted(word_of(key, at), out);
		break;
	case KEY_TEXT:
	case KEY_FILE:
		write_quoted(*(const char *const *)at, out);
		break;
	case KEY_ADDR:
		write_addr(at, key->port != 0, out);
		break;
	case KEY_PROBE:
		write_probe(base, out);
		break;
	default:
		write_items(key, at, out);
		break;
	}
}
