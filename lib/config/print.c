#include "config/keys_int.h"
#include <string.h>

static void print_group(const struct key_group *group, const void *base, unsigned int depth,
                        struct text *out);

static void indent(unsigned int depth, struct text *out)
{
	for (unsigned int i = 0; i < depth; i++) {
		text_add(out, "\t", 1);
	}
}

static void print_list(const struct key *key, const void *at, unsigned int depth, struct text *out)
{
	const struct key_items *list = at;
	if (list->count < key->min) {
		indent(depth, out);
		text_addf(out, "# %s: none, so the default table\n", key->name);
		return;
	}
	indent(depth, out);
	text_addf(out, "%s = (", key->name);
	for (size_t i = 0; i < list->count; i++) {
		text_addf(out, "%s\n", i == 0 ? "" : ",");
		indent(depth + 1, out);
		text_addf(out, "{\n");
		print_group(key->group, (const char *)list->items + i * key->group->size, depth + 2,
		            out);
		indent(depth + 1, out);
		text_addf(out, "}");
	}
	if (list->count > 0) {
		text_addf(out, "\n");
		indent(depth, out);
	} else {
		text_addf(out, " ");
	}
	text_addf(out, ");\n");
}

static void print_key(const struct key *key, const void *base, unsigned int depth, struct text *out)
{
	const void *at = (const char *)base + key->offset;
	if (key->kind == KEY_LIST) {
		print_list(key, at, depth, out);
		return;
	}
	indent(depth, out);
	if (key->kind == KEY_GROUP && key->optional && !*(const bool *)at) {
		text_addf(out, "# %s: none\n", key->name);
	} else if (key->kind == KEY_GROUP) {
		text_addf(out, "%s = {\n", key->name);
		print_group(key->group, at, depth + 1, out);
		indent(depth, out);
		text_addf(out, "};\n");
	} else if (strcmp(key->name, "include_dir") == 0) {
		/* What it holds is printed below; named again, it would be there twice. */
		bool none = (*(const char *const *)at)[0] == '\0';
		text_addf(out, "include_dir = \"\";%s", none ? "" : " # all of it stands below: ");
		if (!none) {
			keys__write(key, base, out);
		}
		text_addf(out, "\n");
	} else {
		text_addf(out, "%s = ", key->name);
		keys__write(key, base, out);
		text_addf(out, ";\n");
	}
}

static void print_group(const struct key_group *group, const void *base, unsigned int depth,
                        struct text *out)
{
	for (size_t i = 0; i < group->count; i++) {
		print_key(&group->keys[i], base, depth, out);
	}
}

void settings_print(const struct settings *settings, struct text *out)
{
	print_group(&keys__all, settings, 0, out);
}
