/* aws/record_list.c - the pages of ListResourceRecordSets, one after another. */
#include "aws/record_xml_int.h"
#include "aws/route53_int.h"
#include "base/fail.h"
#include "base/hash.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t marker_hash(const struct record_marker *marker)
{
	uint64_t hash = hash_step(0, marker->name, strlen(marker->name));
	hash = hash_step(hash, marker->type, strlen(marker->type));
	return hash_step(hash, marker->identifier,
	                 marker->has_identifier ? strlen(marker->identifier) + 1 : 0);
}

static int record_page_get(struct aws *aws, const char *path, struct record_page *page)
{
	const struct record_marker *from = page->from;
	struct sigv4_pair query[4] = {{"maxitems", SETS_A_PAGE}};
	size_t count = 1;
	if (from != NULL) {
		query[count++] = (struct sigv4_pair){"name", from->name};
		query[count++] = (struct sigv4_pair){"type", from->type};
		if (from->has_identifier) {
			query[count++] = (struct sigv4_pair){"identifier", from->identifier};
		}
	}
	const struct aws_call call = {
		.operation = AWS_LIST_RECORD_SETS,
		.method = "GET",
		.path = path,
		.query = query,
		.query_count = count,
		.format = &record_page_format,
		.ctx = page,
	};
	int ret = aws__call(aws, &call);
	if (page->disorder != NULL) { /* said by us, so that the rest was not read */
		aws__trouble_set(aws, "%s at %.200s", page->disorder, page->disorder_at);
		return FAIL_CHANGED;
	}
	if (ret != 0) {
		return ret;
	}
	ret = record_page__check(page);
	if (ret == 0 && from != NULL && page->sets == 0) {
		/* The page before named the set that this one begins with. */
		aws__trouble_set(aws, "an empty page where %.200s should follow", from->name);
		return FAIL_CHANGED;
	}
	if (ret != 0) {
		aws__trouble_set(aws, "a page that %s",
		                 ret == FAIL_CHANGED ? "contradicts itself" : "is not complete");
	}
	return ret;
}

/* --- A listing --- */

struct aws_listing {
	char path[128];
	struct route53_markers markers;
	struct record_marker from; /* where the next page begins */
	struct record_order order;
	unsigned int pages;
	bool done;
	bool untouched; /* the page that failed gave nothing */
};

struct aws_listing *aws_listing_new(const char *zone_id)
{
	const char *id = route53__bare_id(zone_id);
	struct aws_listing *listing = calloc(1, sizeof(*listing));
	if (listing != NULL) {
		/* An id that is none is said with the first page. */
		snprintf(listing->path, sizeof(listing->path), API_PATH "/hostedzone/%.64s/rrset",
		         id == NULL ? zone_id : id);
		listing->done = id == NULL;
	}
	return listing;
}

void aws_listing_free(struct aws_listing **listing)
{
	if (*listing != NULL) {
		free((*listing)->markers.seen);
		free(*listing);
		*listing = NULL;
	}
}

unsigned int aws_listing_pages(const struct aws_listing *listing)
{
	return listing->pages;
}

int aws_listing_page(struct aws *aws, struct aws_listing *listing, aws_record_set_fn *fn, void *ctx,
                     bool *ret_more)
{
	if (listing->done) {
		aws__trouble_set(aws, "not a zone's id, or listed already: %s", listing->path);
		return -EINVAL;
	}
	struct record_page page;
	listing->done = true;
	record_page__init(&page, fn, ctx);
	page.order = &listing->order;
	page.from = listing->pages == 0 ? NULL : &listing->from;
	int ret = record_page_get(aws, listing->path, &page);
	bool more = page.truncated;
	listing->untouched = page.sets == 0 && page.disorder == NULL;
	struct record_marker next = page.next;
	record_page__fini(&page);
	if (ret == 0 && more) {
		ret = route53__advance(aws, &listing->markers, marker_hash(&next));
	}
	if (ret != 0) {
		return ret;
	}
	listing->untouched = false;
	listing->from = next;
	listing->pages++;
	listing->done = !more;
	*ret_more = more;
	return 0;
}

bool aws_listing_resume(struct aws_listing *listing)
{
	listing->done = !listing->untouched;
	return listing->untouched;
}

int aws_list_record_sets(struct aws *aws, const char *zone_id, aws_record_set_fn *fn, void *ctx,
                         unsigned int *ret_pages)
{
	struct aws_listing *listing = aws_listing_new(zone_id);
	bool more = true;
	int ret = listing == NULL ? FAIL_NOMEM : 0;
	while (more && ret == 0) {
		ret = aws_listing_page(aws, listing, fn, ctx, &more);
	}
	if (ret == 0 && ret_pages != NULL) {
		*ret_pages = aws_listing_pages(listing);
	}
	aws_listing_free(&listing);
	return ret;
}
