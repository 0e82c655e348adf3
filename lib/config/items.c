#include "config/load_int.h"
#include "dns/reverse.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A list being filled: room for all members of the setting, places beside them for claims.c. */
struct fill {
	struct load *load;
	const struct key *key;
	char *items;
	struct settings_place *places;
	size_t item_size;
	size_t count;
	size_t room;
};

static size_t item_size(enum key_kind kind)
{
	switch (kind) {
	case KEY_ADDRS:
		return sizeof(struct addr);
	case KEY_PREFIXES:
		return sizeof(struct prefix);
	case KEY_DOMAINS:
		return sizeof(struct settings_domain);
	default:
		return sizeof(const char *);
	}
}

/* "10.0.0.0/8" but not "0/25.2.0.192.in-addr.arpa" (RFC 2317): digits alone behind the last slash. */
static bool looks_like_cidr(const char *text)
{
	const char *slash = strrchr(text, '/');
	return slash != NULL && slash[1 + strspn(slash + 1, "0123456789")] == '\0';
}

/* Members that this text gives: a CIDR's reverse zones, else one. */
static size_t members(enum key_kind kind, const char *text)
{
	struct prefix prefix;
	if (kind == KEY_DOMAINS && looks_like_cidr(text) && prefix_parse(text, &prefix) == 0) {
		return dns_reverse_count(&prefix);
	}
	return 1;
}

static bool fill_init(struct fill *fill, struct load *load, const struct key *key,
                      const config_setting_t *setting)
{
	size_t room = 0;
	int length = config_setting_length(setting);
	for (int i = 0; i < length; i++) {
		const char *text = config_setting_get_string_elem(setting, i);
		room += text == NULL ? 0 : members(key->kind, text);
	}
	*fill = (struct fill){
		.load = load, .key = key, .item_size = item_size(key->kind), .room = room};
	fill->items = load__alloc(load, room * fill->item_size);
	fill->places = load__scratch(load, room * sizeof(*fill->places));
	return fill->items != NULL && fill->places != NULL;
}

static void add(struct fill *fill, const config_setting_t *member, const void *item)
{
	memcpy(fill->items + fill->count * fill->item_size, item, fill->item_size);
	fill->places[fill->count] = load__place(fill->load, member);
	fill->count++;
}

struct domain_ctx {
	struct fill *fill;
	const config_setting_t *member;
	const char *text;
};

static int add_domain(void *ctx, const uint8_t *name)
{
	struct domain_ctx *domain = ctx;
	struct load *load = domain->fill->load;
	uint8_t *copy = load__alloc(load, dns_name_len(name));
	if (copy == NULL) {
		return FAIL_NOMEM;
	}
	memcpy(copy, name, dns_name_len(name));
	dns_name_lower(copy);
	struct settings_domain item = {
		.name = copy, .text = domain->text, .place = load__place(load, domain->member)};
	add(domain->fill, domain->member, &item);
	return 0;
}

static void take_domain(struct fill *fill, const config_setting_t *member, const char *text)
{
	struct load *load = fill->load;
	struct domain_ctx ctx = {.fill = fill, .member = member};
	if (looks_like_cidr(text)) {
		struct prefix prefix;
		if (load__prefix(load, fill->key, member, &prefix)) {
			ctx.text = load__text(load, text);
			dns_reverse_zones(&prefix, add_domain, &ctx);
		}
		return;
	}
	uint8_t name[DNS_NAME_MAX];
	if (load__name(load, fill->key, member, text, name)) {
		ctx.text = load__text(load, text);
		add_domain(&ctx, name);
	}
}

static void take_name(struct fill *fill, const config_setting_t *member, const char *text)
{
	uint8_t name[DNS_NAME_MAX];
	if (!load__name(fill->load, fill->key, member, text, name)) {
		return;
	}
	uint8_t *copy = load__alloc(fill->load, dns_name_len(name));
	if (copy != NULL) {
		memcpy(copy, name, dns_name_len(name));
		add(fill, member, &copy);
	}
}

static void take_text(struct fill *fill, const config_setting_t *member, const char *text)
{
	const struct key *key = fill->key;
	size_t strip = key->strip == NULL ? 0 : strlen(key->strip);
	const char *rest = strip > 0 && strncmp(text, key->strip, strip) == 0 ? text + strip : text;
	if (key->check != NULL && !key->check(rest)) {
		load__wrong(fill->load, key, member, "cannot be");
		return;
	}
	const char *copy = load__text(fill->load, rest);
	add(fill, member, &copy);
}

static void take_file(struct fill *fill, const config_setting_t *member, const char *text)
{
	struct load *load = fill->load;
	const char *folder = source__file(load->source, member)->folder;
	const char *path = source__absolute(load->arena, folder, text);
	if (path == NULL) {
		load->nomem = true;
		return;
	}
	struct stat st;
	if (text[0] == '\0' || stat(path, &st) != 0) {
		load__wrong(load, fill->key, member, "is not there");
	} else if (!S_ISREG(st.st_mode)) {
		load__wrong(load, fill->key, member, "is no file");
	} else if (access(path, R_OK) != 0) {
		load__wrong(load, fill->key, member, "may not be read");
	} else {
		add(fill, member, &path);
	}
}

static void take_member(struct fill *fill, const config_setting_t *member)
{
	const char *text = config_setting_get_string(member);
	struct addr addr;
	struct prefix prefix;
	switch (fill->key->kind) {
	case KEY_ADDRS:
		if (load__addr(fill->load, fill->key, member, &addr)) {
			add(fill, member, &addr);
		}
		break;
	case KEY_PREFIXES:
		if (load__prefix(fill->load, fill->key, member, &prefix)) {
			add(fill, member, &prefix);
		}
		break;
	case KEY_DOMAINS:
		take_domain(fill, member, text);
		break;
	case KEY_NAMES:
		take_name(fill, member, text);
		break;
	case KEY_FILES:
		take_file(fill, member, text);
		break;
	default:
		take_text(fill, member, text);
		break;
	}
}

/* Too few or too many members. */
static bool count_fits(struct load *load, const struct key *key, const config_setting_t *setting)
{
	int length = config_setting_length(setting);
	if (length < key->min && !source__broken(load->source, setting)) {
		load__fault(load, setting, "`%s` is empty; at least %.0f member would be right",
		            key->name, key->min);
		return false;
	}
	if (length > key->max) {
		load__fault(load, setting, "`%s` has %d members; at most %.0f would be right",
		            key->name, length, key->max);
		return false;
	}
	return true;
}

void load__items(struct load *load, const struct key *key, const config_setting_t *setting,
                 struct key_items *ret_items)
{
	if (!config_setting_is_array(setting) && !config_setting_is_list(setting)) {
		load__wrong_type(load, key, setting);
		return;
	}
	struct fill fill;
	if (!count_fits(load, key, setting) || !fill_init(&fill, load, key, setting)) {
		return;
	}
	int length = config_setting_length(setting);
	for (int i = 0; i < length; i++) {
		const config_setting_t *member = config_setting_get_elem(setting, (unsigned int)i);
		if (config_setting_type(member) == CONFIG_TYPE_STRING) {
			take_member(&fill, member);
		} else {
			load__wrong_type(load, key, member);
		}
	}
	*ret_items = (struct key_items){.items = fill.items, .count = fill.count};
	claims__items(load, key, ret_items, fill.places);
}
