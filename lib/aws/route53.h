/*
 * aws/route53.h - the calls of the Route 53 API that horizond makes. Blocking: for the side thread only.
 *
 * Loop:   none; every call blocks its thread until the answer, the time limit, or *cancel.
 * Memory: answers are read as a stream (expat); bodies bounded at 16 MiB, element text at 64 KiB, depth 16.
 * Errors: FAIL_THROTTLED, FAIL_DENIED (AccessDenied), FAIL_NOTFOUND (NoSuchHostedZone, confirmed 404), FAIL_REMOTE (5xx),
 *         FAIL_NET, FAIL_TIMEOUT, FAIL_FORMAT (an answer that is none: T35), FAIL_LIMIT (beyond a bound above), FAIL_CHANGED,
 *         FAIL_SHUTDOWN (cancelled), -ENOKEY (no credentials), -EKEYREJECTED (credentials or signature not taken),
 *         -EINVAL (the request was not understood). No retries here but one with new credentials after ExpiredToken and one
 *         after a clock found wrong; the caller owns the budget.
 */
#pragma once

#include "aws/zone_list.h"
#include "base/addr.h"
#include "metric/metric.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aws;

/* A role of another account, assumed with the client's own credentials. */
struct aws_role {
	const char *role_arn;
	const char *external_id; /* "" or NULL: none */
};

struct aws_opts {
	const char
		*region; /* "auto" or "": AWS_REGION, AWS_DEFAULT_REGION, then instance metadata */
	const char
		*endpoint; /* "": AWS_ENDPOINT_URL_ROUTE_53, AWS_ENDPOINT_URL, then by partition */
	/*
	 * Addresses of an API host (never through ourselves): up to max into ret, ports left aside. Returns how many,
	 * or FAIL_*. Blocking; asked at most once a minute. NULL: the system's resolver.
	 */
	int (*resolve)(void *ctx, const char *host, struct addr *ret, size_t max);
	void *resolve_ctx;
	const struct aws_role *roles; /* copied; see aws_with */
	size_t role_count;
	unsigned int timeout_ms; /* one call; 0: 10,000 */
	const bool *
		cancel; /* set by another thread (atomically) to end what is under way; may be NULL */
	/* Called before each call to the API proper with its name; blocks for the budget. Non-zero: not made. May be NULL. */
	int (*before)(void *ctx, const char *operation);
	void *before_ctx;
	/* Called about every 100 ms on the calling thread while a call is waited for; makes no call itself. May be NULL. */
	void (*idle)(void *ctx);
	void *idle_ctx;
};

/*
 * Credentials and region are looked for when first needed: environment, profile with a role, web identity, profile,
 * container, instance metadata (facts/route53.md section 4). NULL: no memory.
 */
struct aws *aws_new(const struct aws_opts *opts);
void aws_free(struct aws **aws);

/* From now on calls are signed with the role of this number, from SIZE_MAX with the client's own credentials. */
void aws_with(struct aws *aws, size_t role);

/* The last failure in one line an operator can act on; "" after success. */
const char *aws_trouble(const struct aws *aws);

/*
 * A zone's record sets, page by page, so that the pages of several zones can take turns. NULL: no memory. May outlive
 * nothing of aws, and needs none of it to be freed.
 */
struct aws_listing;
struct aws_listing *aws_listing_new(const char *zone_id);
void aws_listing_free(struct aws_listing **listing);

/*
 * The next page; each set to fn. *ret_more: there are pages left. FAIL_CHANGED when a marker does not advance, a page
 * contradicts itself, does not begin with the set that the page before named, or its sets stand out of order. After a
 * failure nothing that was listed counts, and the listing is to be freed; but see aws_listing_resume.
 */
int aws_listing_page(struct aws *aws, struct aws_listing *listing, aws_record_set_fn *fn, void *ctx,
                     bool *ret_more);
/*
 * After a page that failed before anything of it was handed to fn (FAIL_THROTTLED, FAIL_REMOTE, FAIL_NET, ...): the
 * same page may be asked for again. False: the listing is lost.
 */
bool aws_listing_resume(struct aws_listing *listing);
/* Pages read so far. */
unsigned int aws_listing_pages(const struct aws_listing *listing);

/* All of them in one go. *ret_pages (may be NULL): pages read. */
int aws_list_record_sets(struct aws *aws, const char *zone_id, aws_record_set_fn *fn, void *ctx,
                         unsigned int *ret_pages);

/* All private zones associated with a VPC, other accounts' and services' included. */
int aws_list_zones_by_vpc(struct aws *aws, const char *vpc_id, const char *vpc_region,
                          aws_hosted_zone_fn *fn, void *ctx);

/* The private zones of the account whose credentials are used. */
int aws_list_private_zones(struct aws *aws, aws_hosted_zone_fn *fn, void *ctx);

/* ListTagsForResources: the tags of up to AWS_TAG_IDS_MAX zones, each to fn; a non-zero return ends it. */
#define AWS_TAG_IDS_MAX 10
typedef int aws_tag_fn(void *ctx, const char *zone_id, const char *key, const char *value);
int aws_list_zone_tags(struct aws *aws, const char *const *ids, size_t count, aws_tag_fn *fn,
                       void *ctx);

/* One zone; text in *fn's argument is borrowed. vpc_fn (may be NULL) hears each VPC of a private zone. */
int aws_get_zone(struct aws *aws, const char *zone_id, aws_hosted_zone_fn *fn, void *ctx,
                 int (*vpc_fn)(void *ctx, const char *vpc_id, const char *vpc_region));

/*
 * GetHealthCheckStatus: healthy when more than 18 % of the checkers say so. For calculated checks, and when the role
 * may not ask that: CloudWatch's HealthCheckStatus. FAIL_NOTFOUND: no such check, or one that nobody has checked yet.
 */
int aws_get_health(struct aws *aws, const char *check_id, bool *ret_healthy);

/* What instance metadata says of us (IMDSv2); each field "" when unknown. Asked once, kept. */
struct aws_instance {
	char region[32];
	char vpc_id[32];
	char instance_id[32];
	char vpc_cidrs[16][64]; /* IPv4 and IPv6 CIDR blocks of the VPC */
	unsigned int vpc_cidr_count;
};
int aws_instance_get(struct aws *aws, struct aws_instance *ret_instance);

/* The region calls are reckoned with ("auto" resolved), or FAIL_NOTFOUND. buf: 32. */
int aws_region(struct aws *aws, char *buf);

/* horizond_api_calls_total{service,operation,result} of one client, or of two together (other may be NULL); thread-safe. */
void aws_metrics(void *aws, struct text *out);
void aws_metrics_sum(const struct aws *aws, const struct aws *other, struct text *out);
