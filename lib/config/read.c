#include "config/load_int.h"
#include <stdlib.h>
#include <string.h>

static const char *type_text(const config_setting_t *setting)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
	case CONFIG_TYPE_FLOAT:
		return "a number";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	case CONFIG_TYPE_STRING:
		return "text";
	case CONFIG_TYPE_GROUP:
		return "a group";
	default:
		return "a list";
	}
}

void load__wrong_type(struct load *load, const struct key *key, const config_setting_t *setting)
{
	struct text like;
	text_init(&like, 0);
	keys__like(key, &like);
	const char *member = config_setting_name(setting) == NULL ? "a member of " : "";
	load__fault(load, setting, "%s`%s` is %s; %s would be right", member, key->name,
	            type_text(setting), text_get(&like));
	text_fini(&like);
}

void load__wrong(struct load *load, const struct key *key, const config_setting_t *setting,
                 const char *what)
{
	char quoted[FAULT_QUOTE_MAX];
	struct text like;
	text_init(&like, 0);
	if (key->kind >= KEY_ADDRS) {
		text_addf(&like, "%s", key->like);
	} else {
		keys__like(key, &like);
	}
	load__fault(load, setting, "`%s`: %s %s; %s would be right", key->name,
	            source__quote(load->source, setting, quoted), what, text_get(&like));
	text_fini(&like);
}

static void unknown_key(struct load *load, const struct key_group *group,
                        const config_setting_t *setting)
{
	const char *known[KEY_GROUP_MAX];
	size_t count = 0;
	struct text names;
	text_init(&names, 0);
	for (size_t i = 0; i < group->count; i++) {
		if (load->main_file == NULL || group->noun != NULL || group->keys[i].include) {
			text_addf(&names, "%s%s", count == 0 ? "" : ", ", group->keys[i].name);
			known[count++] = group->keys[i].name;
		}
	}
	const char *name = config_setting_name(setting);
	const char *near = text_nearest(name, known, count);
	char quoted[FAULT_QUOTE_MAX];
	fault__quote(name, strlen(name), quoted);
	const char *where = group->noun == NULL ? "" : group->noun;
	const char *in = group->noun == NULL ? "" : " in ";
	if (near != NULL) {
		load__fault(load, setting, "unknown key %s%s%s; did you mean `%s`?", quoted, in,
		            where, near);
	} else {
		load__fault(load, setting, "unknown key %s%s%s; one of these would be right: %s",
		            quoted, in, where, text_get(&names));
	}
	text_fini(&names);
}

static const struct key *key_find(const struct key_group *group, const char *name)
{
	for (size_t i = 0; i < group->count; i++) {
		if (strcmp(group->keys[i].name, name) == 0) {
			return &group->keys[i];
		}
	}
	return NULL;
}

/* Rules and clients come from several files; a list grows by what each has. */
static void append(struct load *load, struct key_items *list, const void *more, size_t count,
                   size_t size)
{
	char *items = load__alloc(load, (list->count + count) * size);
	if (items == NULL) {
		return;
	}
	if (list->count > 0) {
		memcpy(items, list->items, list->count * size);
	}
	if (count > 0) {
		memcpy(items + list->count * size, more, count * size);
	}
	*list = (struct key_items){.items = items, .count = list->count + count};
}

static void read_list(struct load *load, const struct key *key, const config_setting_t *setting,
                      struct key_items *list)
{
	bool empty = config_setting_is_aggregate(setting) && config_setting_length(setting) == 0;
	if (!config_setting_is_list(setting) && !empty) {
		load__wrong_type(load, key, setting);
		return;
	}
	int length = config_setting_length(setting);
	if (length < key->min && !source__broken(load->source, setting)) {
		load__fault(load, setting, "`%s` is empty; %s or leaving it out would be right",
		            key->name, "at least one member");
	}
	size_t size = key->group->size;
	char *items = load__scratch(load, (size_t)length * size);
	if (items == NULL) {
		return;
	}
	size_t count = 0;
	for (int i = 0; i < length; i++) {
		const config_setting_t *member = config_setting_get_elem(setting, (unsigned int)i);
		if (!config_setting_is_group(member)) {
			load__wrong_type(load, key, member);
			continue;
		}
		memcpy(items + count * size, key->group->defaults, size);
		load__group(load, key->group, member, items + count * size);
		count++;
	}
	append(load, list, items, count, size);
}

/* A group whose keys are the admin's own. */
static void read_pairs(struct load *load, const struct key *key, const config_setting_t *setting,
                       struct key_items *ret_items)
{
	if (!config_setting_is_group(setting)) {
		load__wrong_type(load, key, setting);
		return;
	}
	int length = config_setting_length(setting);
	if (length > key->max) {
		load__fault(load, setting, "`%s` has %d members; at most %.0f would be right",
		            key->name, length, key->max);
		return;
	}
	struct settings_pair *pairs = load__alloc(load, (size_t)length * sizeof(*pairs));
	size_t count = 0;
	for (int i = 0; i < length && pairs != NULL; i++) {
		const config_setting_t *member = config_setting_get_elem(setting, (unsigned int)i);
		const char *value = config_setting_get_string(member);
		if (value == NULL) {
			load__wrong_type(load, key, member);
		} else if (key->check != NULL && !key->check(value)) {
			load__wrong(load, key, member, "cannot be");
		} else {
			pairs[count].name = load__text(load, config_setting_name(member));
			pairs[count++].value = load__text(load, value);
		}
	}
	*ret_items = (struct key_items){.items = pairs, .count = count};
}

static void read_key(struct load *load, const struct key *key, const config_setting_t *setting,
                     void *base)
{
	void *at = (char *)base + key->offset;
	if (key->kind == KEY_GROUP) {
		if (config_setting_is_group(setting)) {
			load__group(load, key->group, setting, at);
		} else {
			load__wrong_type(load, key, setting);
		}
	} else if (key->kind == KEY_PAIRS) {
		read_pairs(load, key, setting, at);
	} else if (key->kind == KEY_LIST) {
		read_list(load, key, setting, at);
	} else if (key->kind >= KEY_ADDRS) {
		load__items(load, key, setting, at);
	} else {
		load__value(load, key, setting, base);
	}
}

static void tell_missing(struct load *load, const struct key_group *group,
                         const config_setting_t *setting)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct key *key = &group->keys[i];
		if (!key->required || config_setting_get_member(setting, key->name) != NULL) {
			continue;
		}
		struct text like;
		text_init(&like, 0);
		keys__like(key, &like);
		load__fault(load, setting, "%s without `%s`; %s would be right", group->noun,
		            key->name, text_get(&like));
		text_fini(&like);
	}
}

void load__group(struct load *load, const struct key_group *group, const config_setting_t *setting,
                 void *base)
{
	bool broken = !config_setting_is_root(setting) && source__broken(load->source, setting);
	int length = config_setting_length(setting);
	for (int i = 0; i < length; i++) {
		const config_setting_t *member = config_setting_get_elem(setting, (unsigned int)i);
		const struct key *key = key_find(group, config_setting_name(member));
		bool elsewhere = key != NULL && load->main_file != NULL && group->noun == NULL &&
		                 !key->include;
		if (elsewhere) {
			load__fault(load, member,
			            "`%s` may not stand in a file of include_dir; "
			            "in %s it would be right",
			            key->name, load->main_file);
		} else if (key != NULL) {
			read_key(load, key, member, base);
		} else if (!broken || key_find(load->root, config_setting_name(member)) == NULL) {
			/* In a group that was never closed stand the settings behind it, too. */
			unknown_key(load, group, member);
		}
	}
	if (!broken) {
		tell_missing(load, group, setting);
	}
	if (group->finish != NULL) {
		group->finish(load, setting, base);
	}
}
