#include "aws/arn.h"
#include "aws/partition_int.h"
#include "base/fail.h"
#include <stdio.h>
#include <string.h>

/* No prefix begins another, but the last one takes everything. */
static const struct partition partitions[] = {
	{"cn-",
         "amazonaws.com.cn",
         "api.amazonwebservices.com.cn",
         "cn-northwest-1",
         {"route53.amazonaws.com.cn", NULL, "route53.global.api.amazonwebservices.com.cn", NULL},
         "aws-cn"},
	{"us-gov-",
         "amazonaws.com",
         "api.aws",
         "us-gov-west-1",
         {"route53.us-gov.amazonaws.com", "route53.us-gov.amazonaws.com", "route53.us-gov.api.aws",
          "route53.us-gov.api.aws"},
         "aws-us-gov"},
	{"us-iso-",
         "c2s.ic.gov",
         NULL,
         "us-iso-east-1",
         {"route53.c2s.ic.gov", NULL, NULL, NULL},
         "aws-iso"},
	{"us-isob-",
         "sc2s.sgov.gov",
         NULL,
         "us-isob-east-1",
         {"route53.sc2s.sgov.gov", NULL, NULL, NULL},
         "aws-iso-b"},
	{"us-isof-",
         "csp.hci.ic.gov",
         NULL,
         "us-isof-south-1",
         {"route53.csp.hci.ic.gov", NULL, NULL, NULL},
         "aws-iso-f"},
	{"eu-isoe-",
         "cloud.adc-e.uk",
         NULL,
         "eu-isoe-west-1",
         {"route53.cloud.adc-e.uk", NULL, NULL, NULL},
         "aws-iso-e"},
	{"eusc-",
         "amazonaws.eu",
         "api.amazonwebservices.eu",
         "eusc-de-east-1",
         {"route53.amazonaws.eu", NULL, "route53.global.api.amazonwebservices.eu", NULL},
         "aws-eusc"},
	{"",
         "amazonaws.com",
         "api.aws",
         "us-east-1",
         {"route53.amazonaws.com", "route53-fips.amazonaws.com", "route53.global.api.aws",
          "route53-fips.global.api.aws"},
         "aws"},
};

const struct partition *partition__find(const char *region)
{
	const struct partition *at = partitions;
	while (strncmp(region, at->prefix, strlen(at->prefix)) != 0) {
		at++;
	}
	return at;
}

const char *partition__route53_host(const struct partition *partition, bool fips, bool dual_stack)
{
	return partition->route53_hosts[(fips ? 1 : 0) + (dual_stack ? 2 : 0)];
}

int partition__host(const struct partition *partition, const char *service, const char *region,
                    bool fips, bool dual_stack, char *buf, size_t size)
{
	const char *suffix = dual_stack ? partition->dual_suffix : partition->suffix;
	/* The plain hosts of this partition comply. */
	bool plain = !dual_stack && strcmp(partition->prefix, "us-gov-") == 0;
	if (suffix == NULL) {
		return FAIL_NOTFOUND;
	}
	int len = snprintf(buf, size, "%s%s.%s.%s", service, fips && !plain ? "-fips" : "", region,
	                   suffix);
	return len < 0 || (size_t)len >= size ? FAIL_NOTFOUND : 0;
}

const char *aws_arn_partition(const char *region)
{
	return partition__find(region)->name;
}
