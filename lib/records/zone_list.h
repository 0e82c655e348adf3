/*
 * records/zone_list.h - a zone listed whole, and the records in it that carry a mark of ours.
 */
#pragma once

#include "records/api.h"
#include "records/owner.h"

#define ZONE_SETS_MAX 1000000

struct zone_list {
	const char *id;
	bool private_zone;
	char apex[RECORD_NAME_MAX]; /* as its SOA has it */
	struct record_set *sets;    /* by name, type and identifier */
	size_t count;
	size_t room;
	struct arena *arena;
};

/* Adds one set; for zone_list_get and for tests. */
int zone_list_add(struct zone_list *list, const struct aws_record_set *set);
/* Sorts, and finds the apex. FAIL_FORMAT: there is no SOA, so that is not the whole zone. */
int zone_list_finish(struct zone_list *list);

/* Looks at the zone and lists all of it, again until deadline_ms where that may help. why: one line on failure. */
int zone_list_get(const struct records_api *api, const char *id, uint64_t deadline_ms,
                  struct arena *arena, struct zone_list *ret_list, char *why, size_t why_size);
void zone_list_fini(struct zone_list *list);

/* A record with a mark, of whatever fleet. */
struct marked {
	struct record_entry entry;
	struct owner owner;
	size_t same;  /* sets of this name and type in the zone */
	bool unclear; /* more than one simple set at the mark's name: whose it is cannot be said */
	bool left_over; /* a mark without its record: the entry's set is the TXT itself */
};

/*
 * All of them, in the list's order. R14: apex, NS, SOA, wildcards, aliases and sets with a policy of their own are
 * never among them. ret_marked: malloc'ed, the caller's. FAIL_NOMEM.
 */
int zone_list_marked(const struct zone_list *list, struct marked **ret_marked, size_t *ret_count);
