#include "config/keys_int.h"
#include <stdlib.h>
#include <string.h>

/* The lines of one list, before and after. */
struct lines {
	struct text *items;
	size_t count;
	bool bad;
};

struct diff {
	struct text *out;
	size_t count;
};

static void tell(struct diff *diff, const char *prefix, const char *name, const char *what)
{
	text_addf(diff->out, "%s%s: %s\n", prefix, name, what);
	diff->count++;
}

static void lines_init(struct lines *lines, size_t room)
{
	*lines = (struct lines){.items = calloc(room == 0 ? 1 : room, sizeof(struct text))};
	lines->bad = lines->items == NULL;
}

static void lines_fini(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		text_fini(&lines->items[i]);
	}
	free(lines->items);
}

static int line_compare(const void *a, const void *b)
{
	return strcmp(text_get(a), text_get(b));
}

/* Both sorted: what only one has goes, what only the other has comes. */
static void compare(struct diff *diff, const char *prefix, const char *name, struct lines *before,
                    struct lines *after)
{
	if (before->bad || after->bad) {
		return;
	}
	qsort(before->items, before->count, sizeof(struct text), line_compare);
	qsort(after->items, after->count, sizeof(struct text), line_compare);
	size_t i = 0;
	size_t k = 0;
	while (i < before->count || k < after->count) {
		int order = i == before->count  ? 1
		            : k == after->count ? -1
		                                : line_compare(&before->items[i], &after->items[k]);
		if (order == 0) {
			i++;
			k++;
			continue;
		}
		text_addf(diff->out, "%s%s: %c %s\n", prefix, name, order < 0 ? '-' : '+',
		          text_get(order < 0 ? &before->items[i++] : &after->items[k++]));
		diff->count++;
	}
}

/* A line more, empty yet; NULL when there is no room. */
static struct text *line_new(struct lines *lines)
{
	struct text *line = &lines->items[lines->count++];
	text_init(line, 0);
	return line;
}

static bool same_text(const struct text *a, const struct text *b)
{
	return strcmp(text_get(a), text_get(b)) == 0;
}

/* " (max_inflight 10)": the values of a group that differ from their defaults, some left aside. */
static void add_rest(const struct key_group *group, const void *base, const char *aside,
                     struct text *line)
{
	bool first = true;
	for (size_t i = 0; i < group->count; i++) {
		const struct key *key = &group->keys[i];
		if (strstr(aside, key->name) != NULL) {
			continue;
		}
		struct text value;
		struct text usual;
		text_init(&value, 0);
		text_init(&usual, 0);
		keys__write(key, base, &value);
		keys__write(key, group->defaults, &usual);
		if (!same_text(&value, &usual)) {
			text_addf(line, "%s%s %s", first ? " (" : ", ", key->name,
			          text_get(&value));
			first = false;
		}
		text_fini(&value);
		text_fini(&usual);
	}
	text_addf(line, "%s", first ? "" : ")");
}

/* "FORWARD corp.example.com -> 10.200.0.53:53" */
static void add_rule(const struct settings_rule *rule, const struct settings_domain *domain,
                     const struct key_group *group, struct text *line)
{
	char buf[DNS_NAME_TEXT_MAX];
	bool cidr = strchr(domain->text, '/') != NULL;
	text_addf(line, "%s %s", settings_type_text(rule->type),
	          cidr ? domain->text : dns_name_text(domain->name, buf));
	for (size_t i = 0; i < rule->targets.count; i++) {
		char addr[ADDR_TEXT_MAX];
		text_addf(line, "%s %s", i == 0 ? " ->" : ",",
		          addr_text(&rule->targets.items[i], addr));
	}
	add_rest(group, rule, "type domains targets", line);
}

static void rule_lines(const struct key_group *group, const struct key_items *list,
                       struct lines *ret_lines)
{
	const struct settings_rule *rules = list->items;
	size_t room = 0;
	for (size_t i = 0; i < list->count; i++) {
		room += rules[i].domain_count;
	}
	lines_init(ret_lines, room);
	for (size_t i = 0; i < list->count && !ret_lines->bad; i++) {
		const struct settings_domain *domains = rules[i].domains;
		for (size_t k = 0; k < rules[i].domain_count; k++) {
			if (k == 0 || domains[k].text != domains[k - 1].text) {
				add_rule(&rules[i], &domains[k], group, line_new(ret_lines));
			}
		}
	}
}

/* "10.0.0.0/16 all (rate 100)" */
static void client_lines(const struct key_group *group, const struct key_items *list,
                         struct lines *ret_lines)
{
	const struct settings_client *clients = list->items;
	size_t room = 0;
	for (size_t i = 0; i < list->count; i++) {
		room += clients[i].from.count;
	}
	lines_init(ret_lines, room);
	for (size_t i = 0; i < list->count && !ret_lines->bad; i++) {
		for (size_t k = 0; k < clients[i].from.count; k++) {
			char buf[PREFIX_TEXT_MAX];
			struct text *line = line_new(ret_lines);
			text_addf(line, "%s %s", prefix_text(&clients[i].from.items[k], buf),
			          settings_may_text(clients[i].may));
			add_rest(group, &clients[i], "from may", line);
		}
	}
}

static void role_lines(const struct key_group *group, const struct key_items *list,
                       struct lines *ret_lines)
{
	const struct settings_role *roles = list->items;
	lines_init(ret_lines, list->count);
	for (size_t i = 0; i < list->count && !ret_lines->bad; i++) {
		struct text *line = line_new(ret_lines);
		text_addf(line, "%s", roles[i].role_arn);
		add_rest(group, &roles[i], "role_arn", line);
	}
}

static void value_lines(const struct key *key, const struct key_items *list,
                        struct lines *ret_lines)
{
	lines_init(ret_lines, list->count);
	for (size_t i = 0; i < list->count && !ret_lines->bad; i++) {
		keys__write_item(key, list, i, line_new(ret_lines));
	}
}

static void list_lines(const struct key *key, const void *base, struct lines *ret_lines)
{
	const struct key_items *list = (const void *)((const char *)base + key->offset);
	if (key->kind != KEY_LIST) {
		value_lines(key, list, ret_lines);
	} else if (strcmp(key->name, "rules") == 0) {
		rule_lines(key->group, list, ret_lines);
	} else if (strcmp(key->name, "clients") == 0) {
		client_lines(key->group, list, ret_lines);
	} else {
		role_lines(key->group, list, ret_lines);
	}
}

static void diff_list(struct diff *diff, const char *prefix, const struct key *key,
                      const void *before, const void *after)
{
	struct lines old_lines;
	struct lines new_lines;
	list_lines(key, before, &old_lines);
	list_lines(key, after, &new_lines);
	compare(diff, prefix, key->name, &old_lines, &new_lines);
	lines_fini(&old_lines);
	lines_fini(&new_lines);
}

static void diff_value(struct diff *diff, const char *prefix, const struct key *key,
                       const void *before, const void *after)
{
	struct text old_text;
	struct text new_text;
	text_init(&old_text, 0);
	text_init(&new_text, 0);
	keys__write(key, before, &old_text);
	keys__write(key, after, &new_text);
	if (!same_text(&old_text, &new_text)) {
		text_addf(&old_text, " -> %s", text_get(&new_text));
		tell(diff, prefix, key->name, text_get(&old_text));
	}
	text_fini(&old_text);
	text_fini(&new_text);
}

static void diff_group(struct diff *diff, const char *prefix, const struct key_group *group,
                       const void *before, const void *after)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct key *key = &group->keys[i];
		if (key->kind == KEY_GROUP) {
			const char *old_base = (const char *)before + key->offset;
			const char *new_base = (const char *)after + key->offset;
			struct text inner;
			text_init(&inner, 0);
			text_addf(&inner, "%s%s.", prefix, key->name);
			if (key->optional && *(const bool *)old_base != *(const bool *)new_base) {
				tell(diff, prefix, key->name,
				     *(const bool *)new_base ? "added" : "removed");
			}
			diff_group(diff, text_get(&inner), key->group, old_base, new_base);
			text_fini(&inner);
		} else if (key->kind >= KEY_ADDRS) {
			diff_list(diff, prefix, key, before, after);
		} else if (strcmp(key->name, "include_dir") != 0) {
			/* What the folder holds counts, not its name. */
			diff_value(diff, prefix, key, before, after);
		}
	}
}

size_t settings_diff(const struct settings *before, const struct settings *after, struct text *out)
{
	struct diff diff = {.out = out};
	diff_group(&diff, "", &keys__all, before, after);
	return diff.count;
}
