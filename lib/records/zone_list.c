#include "records/zone_list.h"
#include "base/fail.h"
#include "records/apply.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int zone_list_add(struct zone_list *list, const struct aws_record_set *set)
{
	if (list->count == ZONE_SETS_MAX) {
		return FAIL_LIMIT;
	}
	if (list->count == list->room) {
		size_t room = list->room == 0 ? 256 : 2 * list->room;
		struct record_set *sets = reallocarray(list->sets, room, sizeof(*sets));
		if (sets == NULL) {
			return FAIL_NOMEM;
		}
		list->sets = sets;
		list->room = room;
	}
	int ret = record_set_take(list->arena, set, &list->sets[list->count]);
	if (ret == 0) {
		list->count++;
	}
	return ret;
}

static int by_place(const void *a, const void *b)
{
	const struct record_entry x = {.zone = "", .set = *(const struct record_set *)a};
	const struct record_entry y = {.zone = "", .set = *(const struct record_set *)b};
	return record_entry_compare(&x, &y);
}

int zone_list_finish(struct zone_list *list)
{
	if (list->count > 0) {
		qsort(list->sets, list->count, sizeof(*list->sets), by_place);
	}
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->sets[i].type, "SOA") == 0) {
			snprintf(list->apex, sizeof(list->apex), "%s", list->sets[i].name);
			return 0;
		}
	}
	return FAIL_FORMAT;
}

static int take(void *ctx, const struct aws_record_set *set)
{
	return zone_list_add(ctx, set);
}

int zone_list_get(const struct records_api *api, const char *id, uint64_t deadline_ms,
                  struct arena *arena, struct zone_list *ret_list, char *why, size_t why_size)
{
	struct zone_list list = {.id = id, .arena = arena};
	struct apply_patience patience = {0};
	int ret;
	do {
		list.count = 0;
		ret = api->zone(api->ctx, id, &list.private_zone);
		ret = ret != 0 ? ret : api->list(api->ctx, id, NULL, take, &list);
	} while (ret != 0 && apply_again(api, deadline_ms, ret, &patience));
	if (ret != 0) {
		const char *trouble = api->trouble(api->ctx);
		snprintf(why, why_size, "zone %s: %s", id,
		         trouble[0] == '\0' ? fail_text(ret) : trouble);
	} else {
		ret = zone_list_finish(&list);
		if (ret != 0) {
			snprintf(why, why_size,
			         "zone %s: a listing without an SOA is not all of it", id);
		}
	}
	if (ret != 0) {
		zone_list_fini(&list);
		return ret;
	}
	*ret_list = list;
	return 0;
}

void zone_list_fini(struct zone_list *list)
{
	free(list->sets);
	list->sets = NULL;
	list->count = list->room = 0;
}

/* --- Marks --- */

/* The first set of a name in the sorted list, or count. */
static size_t first_of(const struct zone_list *list, const char *name)
{
	size_t low = 0;
	size_t high = list->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(list->sets[middle].name, name) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static const struct record_set *mark_of(const struct zone_list *list, const char *name,
                                        struct owner *ret_owner)
{
	char mark[RECORD_NAME_MAX];
	if (record_mark_name(name, mark) != 0) {
		return NULL;
	}
	for (size_t i = first_of(list, mark);
	     i < list->count && strcmp(list->sets[i].name, mark) == 0; i++) {
		const struct record_set *set = &list->sets[i];
		if (strcmp(set->type, "TXT") == 0 && set->identifier == NULL && !set->odd &&
		    set->value_count == 1 && owner_txt_read(set->values[0], ret_owner)) {
			return set;
		}
	}
	return NULL;
}

/* R14 */
static bool never_ours(const struct zone_list *list, const struct record_set *set)
{
	return set->odd || strcmp(set->name, list->apex) == 0 || strcmp(set->type, "NS") == 0 ||
	       strcmp(set->type, "SOA") == 0 || strncmp(set->name, "\\052.", 5) == 0;
}

static bool is_mark_name(const char *name)
{
	return strncmp(name, "_hz.", 4) == 0;
}

/* Simple sets at a name; marks aside. */
static size_t simple_count(const struct zone_list *list, const char *name)
{
	size_t count = 0;
	for (size_t i = first_of(list, name);
	     i < list->count && strcmp(list->sets[i].name, name) == 0; i++) {
		count += list->sets[i].identifier == NULL;
	}
	return count;
}

static size_t same_count(const struct zone_list *list, const struct record_set *set)
{
	size_t count = 0;
	for (size_t i = first_of(list, set->name);
	     i < list->count && strcmp(list->sets[i].name, set->name) == 0; i++) {
		count += strcmp(list->sets[i].type, set->type) == 0;
	}
	return count;
}

static bool marked_make(const struct zone_list *list, const struct record_set *set,
                        struct marked *ret_marked)
{
	struct marked marked = {.entry = {.zone = list->id, .set = *set}};
	marked.entry.private_zone = list->private_zone;
	if (never_ours(list, set)) {
		return false;
	}
	if (set->identifier != NULL) {
		if (!owner_identifier_read(set->identifier, &marked.owner)) {
			return false;
		}
	} else if (is_mark_name(set->name)) {
		/* Goes along with its record, unless that is no more. */
		marked.left_over = true;
		if (strcmp(set->type, "TXT") != 0 || set->value_count != 1 ||
		    !owner_txt_read(set->values[0], &marked.owner) ||
		    simple_count(list, set->name + 4) > 0) {
			return false;
		}
	} else {
		const struct record_set *mark = mark_of(list, set->name, &marked.owner);
		if (mark == NULL) {
			return false;
		}
		marked.entry.has_mark = true;
		marked.entry.mark = *mark;
		marked.unclear = simple_count(list, set->name) > 1;
	}
	marked.same = same_count(list, set);
	*ret_marked = marked;
	return true;
}

int zone_list_marked(const struct zone_list *list, struct marked **ret_marked, size_t *ret_count)
{
	struct marked *marked = calloc(list->count + 1, sizeof(*marked));
	size_t count = 0;
	if (marked == NULL) {
		return FAIL_NOMEM;
	}
	for (size_t i = 0; i < list->count; i++) {
		count += marked_make(list, &list->sets[i], &marked[count]);
	}
	*ret_marked = marked;
	*ret_count = count;
	return 0;
}
