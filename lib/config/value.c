#include "config/load_int.h"
#include "dns/type.h"
#include <ctype.h>
#include <string.h>

static bool is_text(const config_setting_t *setting)
{
	return config_setting_type(setting) == CONFIG_TYPE_STRING;
}

/* A whole number; libconfig calls one that fits an int so, whatever was written. */
static bool whole(const config_setting_t *setting, int64_t *ret_number)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_INT:
		*ret_number = config_setting_get_int(setting);
		return true;
	case CONFIG_TYPE_INT64:
		*ret_number = config_setting_get_int64(setting);
		return true;
	default:
		return false;
	}
}

static bool in_range(const struct key *key, double number)
{
	return number >= key->min && number <= key->max; /* false for what is no number */
}

static void read_count(struct load *load, const struct key *key, const config_setting_t *setting,
                       unsigned int *ret_count)
{
	int64_t number;
	if (config_setting_type(setting) == CONFIG_TYPE_FLOAT) {
		load__wrong(load, key, setting, "is no whole number");
	} else if (!whole(setting, &number)) {
		load__wrong_type(load, key, setting);
	} else if (!in_range(key, (double)number)) {
		load__wrong(load, key, setting, "is out of range");
	} else {
		*ret_count = (unsigned int)number;
	}
}

static void read_real(struct load *load, const struct key *key, const config_setting_t *setting,
                      double *ret_real)
{
	int64_t number;
	double real;
	if (whole(setting, &number)) {
		real = (double)number;
	} else if (config_setting_type(setting) == CONFIG_TYPE_FLOAT) {
		real = config_setting_get_float(setting);
	} else {
		load__wrong_type(load, key, setting);
		return;
	}
	if (!in_range(key, real)) {
		load__wrong(load, key, setting, "is out of range");
		return;
	}
	*ret_real = real;
}

/* "64M": digits and at most one of K, M, G. */
static bool parse_size(const char *text, int64_t *ret_bytes)
{
	int64_t bytes = 0;
	const char *at = text;
	for (; *at >= '0' && *at <= '9'; at++) {
		if (bytes > INT64_MAX / 16) {
			return false;
		}
		bytes = bytes * 10 + (*at - '0');
	}
	static const char units[] = "KMG";
	const char *unit = *at == '\0' ? NULL : strchr(units, toupper((unsigned char)*at));
	if (at == text || (*at != '\0' && (unit == NULL || at[1] != '\0'))) {
		return false;
	}
	unsigned int shift = unit == NULL ? 0 : 10 * (unsigned int)(unit - units + 1);
	if (bytes > INT64_MAX >> shift) {
		return false;
	}
	*ret_bytes = bytes << shift;
	return true;
}

static void read_size(struct load *load, const struct key *key, const config_setting_t *setting,
                      uint64_t *ret_size)
{
	int64_t bytes;
	if (is_text(setting)) {
		if (!parse_size(config_setting_get_string(setting), &bytes)) {
			load__wrong(load, key, setting, "is no size");
			return;
		}
	} else if (!whole(setting, &bytes)) {
		load__wrong_type(load, key, setting);
		return;
	}
	if (!in_range(key, (double)bytes)) {
		load__wrong(load, key, setting, "is out of range");
		return;
	}
	*ret_size = (uint64_t)bytes;
}

static void read_switch(struct load *load, const struct key *key, const config_setting_t *setting,
                        bool *ret_switch)
{
	if (config_setting_type(setting) != CONFIG_TYPE_BOOL) {
		load__wrong_type(load, key, setting);
		return;
	}
	*ret_switch = config_setting_get_bool(setting) != CONFIG_FALSE;
}

static void read_word(struct load *load, const struct key *key, const config_setting_t *setting,
                      unsigned int *ret_word)
{
	if (!is_text(setting)) {
		load__wrong_type(load, key, setting);
		return;
	}
	const char *text = config_setting_get_string(setting);
	for (unsigned int i = 0; key->words[i] != NULL; i++) {
		if (strcmp(key->words[i], text) == 0) {
			*ret_word = key->first + i;
			return;
		}
	}
	load__wrong(load, key, setting, "is not known");
}

static void read_text(struct load *load, const struct key *key, const config_setting_t *setting,
                      const char **ret_text)
{
	const char *text = config_setting_get_string(setting);
	if (key->kind == KEY_FILE && text[0] != '\0') {
		const struct source_file *file = source__file(load->source, setting);
		text = source__absolute(load->arena, file->folder, text);
		if (text == NULL) {
			load->nomem = true;
			return;
		}
	}
	if (key->strip != NULL && strncmp(text, key->strip, strlen(key->strip)) == 0) {
		text += strlen(key->strip);
	}
	if (key->check != NULL && !key->check(text)) {
		load__wrong(load, key, setting, "cannot be");
		return;
	}
	*ret_text = load__text(load, text);
}

/* "NAME TYPE" with one kind of blank between them. */
static void read_probe(struct load *load, const struct key *key, const config_setting_t *setting,
                       struct settings_rule *rule)
{
	const char *text = config_setting_get_string(setting);
	if (text[0] == '\0') {
		return;
	}
	size_t name_len = strcspn(text, " \t");
	const char *word = text + name_len + strspn(text + name_len, " \t");
	uint16_t type;
	/* 0, OPT and 128..255 are no types of data. */
	if (name_len == 0 || !dns_type_parse(word, &type) || type == 0 || type == DNS_TYPE_OPT ||
	    (type >= 128 && type <= 255)) {
		load__wrong(load, key, setting, "cannot be");
		return;
	}
	char *name_text = load__scratch(load, name_len + 1);
	uint8_t *name = load__alloc(load, DNS_NAME_MAX);
	if (name_text == NULL || name == NULL) {
		return;
	}
	memcpy(name_text, text, name_len);
	if (load__name(load, key, setting, name_text, name)) {
		rule->probe_name = name;
		rule->probe_type = type;
	}
}

static void read_addr(struct load *load, const struct key *key, const config_setting_t *setting,
                      struct addr *ret_addr)
{
	if (config_setting_get_string(setting)[0] == '\0') {
		*ret_addr = (struct addr){.len = 0};
	} else {
		load__addr(load, key, setting, ret_addr);
	}
}

void load__value(struct load *load, const struct key *key, const config_setting_t *setting,
                 void *base)
{
	void *at = (char *)base + key->offset;
	if (key->kind >= KEY_TEXT && !is_text(setting)) {
		load__wrong_type(load, key, setting);
		return;
	}
	switch (key->kind) {
	case KEY_COUNT:
		read_count(load, key, setting, at);
		break;
	case KEY_SIZE:
		read_size(load, key, setting, at);
		break;
	case KEY_REAL:
		read_real(load, key, setting, at);
		break;
	case KEY_SWITCH:
		read_switch(load, key, setting, at);
		break;
	case KEY_WORD:
		read_word(load, key, setting, at);
		break;
	case KEY_TEXT:
	case KEY_FILE:
		read_text(load, key, setting, at);
		break;
	case KEY_ADDR:
		read_addr(load, key, setting, at);
		break;
	default:
		read_probe(load, key, setting, base);
		break;
	}
}
