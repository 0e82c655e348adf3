#include "records/look.h"
#include "base/fail.h"
#include <string.h>

struct taking {
	struct look *look;
	struct arena *arena;
	const char *name;
	const char *mark; /* "": the name is too long to have one */
	bool past_name;   /* something else than the name was listed */
	bool mark_seen;
	size_t seen;
};

static int take(void *ctx, const struct aws_record_set *listed)
{
	struct taking *taking = ctx;
	bool is_name = strcmp(listed->name, taking->name) == 0;
	bool is_mark = strcmp(listed->name, taking->mark) == 0;
	taking->seen++;
	taking->past_name = taking->past_name || !is_name;
	taking->mark_seen = taking->mark_seen || is_mark;
	if (!is_name && !is_mark) {
		return 0;
	}
	if (taking->look->count == LOOK_SETS_MAX) {
		return FAIL_LIMIT;
	}
	return record_set_take(taking->arena, listed, &taking->look->sets[taking->look->count++]);
}

int look_at(const struct records_api *api, const char *zone, const char *name, struct arena *arena,
            struct look *ret_look)
{
	char mark[RECORD_NAME_MAX] = "";
	struct taking taking = {.look = ret_look, .arena = arena, .name = name, .mark = mark};
	if (record_mark_name(name, mark) != 0) {
		mark[0] = '\0';
	}
	ret_look->count = 0;
	int ret = api->list(api->ctx, zone, name, take, &taking);
	/* A full page that did not reach the mark's name: it may follow. */
	if (ret == 0 && !taking.mark_seen && taking.seen >= 100 && mark[0] != '\0') {
		taking.name = mark;
		ret = api->list(api->ctx, zone, mark, take, &taking);
	}
	return ret;
}

const struct record_set *look_mark(const struct look *look, const char *name,
                                   struct owner *ret_owner)
{
	char mark[RECORD_NAME_MAX];
	if (record_mark_name(name, mark) != 0) {
		return NULL;
	}
	for (size_t i = 0; i < look->count; i++) {
		const struct record_set *set = &look->sets[i];
		if (strcmp(set->name, mark) == 0 && strcmp(set->type, "TXT") == 0 && !set->odd &&
		    set->identifier == NULL && set->value_count == 1 &&
		    owner_txt_read(set->values[0], ret_owner)) {
			return set;
		}
	}
	return NULL;
}

size_t look_entries(const struct look *look, const char *zone, const char *name, const char *type,
                    struct look_entry *ret_entries, size_t max)
{
	size_t count = 0;
	struct owner owner = {0};
	const struct record_set *mark = look_mark(look, name, &owner);
	for (size_t i = 0; i < look->count && count < max; i++) {
		const struct record_set *set = &look->sets[i];
		if (strcmp(set->name, name) != 0 || strcmp(set->type, type) != 0) {
			continue;
		}
		struct look_entry *entry = &ret_entries[count++];
		*entry = (struct look_entry){.entry = {.zone = zone, .set = *set}};
		if (set->odd) {
			continue;
		}
		if (set->identifier != NULL) {
			entry->owned = owner_identifier_read(set->identifier, &entry->owner);
		} else if (mark != NULL) {
			entry->owned = true;
			entry->owner = owner;
			entry->entry.has_mark = true;
			entry->entry.mark = *mark;
		}
	}
	return count;
}
