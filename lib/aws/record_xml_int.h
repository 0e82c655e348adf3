/*
 * aws/record_xml_int.h - one page of ListResourceRecordSets, read as it comes.
 *
 * Each set goes to the caller as soon as it is complete; whether the page was one is known at its end.
 */
#pragma once

#include "aws/xml_int.h"
#include "aws/zone_list.h"
#include "base/arena.h"

extern const struct xml_format record_page_format;

/* Where the next page begins; a page's texts are kept here over the call for it. */
struct record_marker {
	char name[1025];
	char type[32];
	char identifier[129];
	bool has_identifier;
};

/* The last set seen, over the pages of a listing. */
struct record_order {
	char name[1025];
	char type[32];
	char identifier[129];
	bool any;
};

/*
 * Where the set belongs after the last one: true when it can stand there. Names in reversed labels and ASCII order, the
 * dot behind each label taking part (facts/route53.md section 1.3); names with escapes, whose order is not documented well
 * enough to refuse a zone for it, are taken as they come. Nothing may be listed twice in a row.
 */
bool record_order__follows(struct record_order *order, const struct aws_record_set *set);

/* What the format's callbacks work on. */
struct record_page {
	aws_record_set_fn *fn;
	void *ctx;

	struct arena arena; /* of the set being read */
	struct aws_record_set set;
	const char **values;
	size_t value_room;

	const struct record_marker *from; /* what must come first; NULL: the first page */
	struct record_order *order;       /* NULL: not looked at */
	const char *disorder;             /* what is wrong with the order, */
	char disorder_at[201];            /* and where */

	bool has_sets; /* the list was there, if only empty */
	size_t sets;
	bool has_truncated;
	bool truncated;
	bool has_next_name;
	bool has_next_type;
	struct record_marker next;
};

void record_page__init(struct record_page *page, aws_record_set_fn *fn, void *ctx);
void record_page__fini(struct record_page *page);

/* After its last byte: 0, FAIL_FORMAT (something required is missing), FAIL_CHANGED (it contradicts itself). */
int record_page__check(const struct record_page *page);
