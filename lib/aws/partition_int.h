/*
 * aws/partition_int.h - which part of AWS a Region belongs to, and where Route 53 lives there.
 *
 * Source: facts/route53.md section 3.1 (botocore's endpoint rules).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct partition {
	const char *prefix;         /* of its Regions' names */
	const char *suffix;         /* of its regional services' hosts */
	const char *dual_suffix;    /* of those that speak IPv6 too; NULL: none */
	const char *route53_region; /* the one to sign with: Route 53 is global in its partition */
	const char *route53_hosts[4]; /* plain, FIPS, dual stack, both; NULL: not offered there */
	const char *name;             /* in ARNs */
};

/* Never NULL: a Region that nobody knows yet counts as one of the commercial partition. */
const struct partition *partition__find(const char *region);

/* NULL when the partition does not offer it so: better no call than one that breaks the rule. */
const char *partition__route53_host(const struct partition *partition, bool fips, bool dual_stack);

/* The host of a regional service: "sts.eu-west-1.amazonaws.com". FAIL_NOTFOUND, as above. */
int partition__host(const struct partition *partition, const char *service, const char *region,
                    bool fips, bool dual_stack, char *buf, size_t size);
