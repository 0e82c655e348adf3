/*
 * aws/route53_int.h - what the files that speak to Route 53 share: ids, and where the next page begins.
 */
#pragma once

#include "aws/client_int.h"
#include <stddef.h>
#include <stdint.h>

#define API_PATH  "/2013-04-01"
#define API_SPACE "https://route53.amazonaws.com/doc/2013-04-01/"

#define SETS_A_PAGE  "300"
#define ZONES_A_PAGE "100"

/* Pages of one listing. The largest zone that is taken fills a third of them. */
#define PAGES_MAX 10000

/* "/hostedzone/Z..." and "Z..." name the same zone. NULL: no id. */
const char *route53__bare_id(const char *id);

/*
 * Hashes of the markers that led to the pages so far. One that comes again would have us go in a
 * circle, as a stand-in was seen to do for weighted sets (T35).
 */
struct route53_markers {
	uint64_t *seen; /* to be freed */
	size_t count;
	size_t room;
};

/* 0, FAIL_CHANGED (a circle), FAIL_LIMIT, FAIL_NOMEM; the trouble is set. */
int route53__advance(struct aws *aws, struct route53_markers *markers, uint64_t hash);
