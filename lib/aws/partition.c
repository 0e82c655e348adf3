#include "aws/partition_int.h"
#include <stddef.h>
#include <string.h>

/* No prefix begins another, but the last one takes everything. */
static const struct partition partitions[] = {
	{"cn-",
         "amazonaws.com.cn",
         "cn-northwest-1",
         {"route53.amazonaws.com.cn", NULL, "route53.global.api.amazonwebservices.com.cn", NULL}},
	{"us-gov-",
         "amazonaws.com",
         "us-gov-west-1",
         {"route53.us-gov.amazonaws.com", "route53.us-gov.amazonaws.com", "route53.us-gov.api.aws",
          "route53.us-gov.api.aws"}},
	{"us-iso-", "c2s.ic.gov", "us-iso-east-1", {"route53.c2s.ic.gov", NULL, NULL, NULL}},
	{"us-isob-",
         "sc2s.sgov.gov",
         "us-isob-east-1",
         {"route53.sc2s.sgov.gov", NULL, NULL, NULL}},
	{"us-isof-",
         "csp.hci.ic.gov",
         "us-isof-south-1",
         {"route53.csp.hci.ic.gov", NULL, NULL, NULL}},
	{"eu-isoe-",
         "cloud.adc-e.uk",
         "eu-isoe-west-1",
         {"route53.cloud.adc-e.uk", NULL, NULL, NULL}},
	{"eusc-",
         "amazonaws.eu",
         "eusc-de-east-1",
         {"route53.amazonaws.eu", NULL, "route53.global.api.amazonwebservices.eu", NULL}},
	{"",
         "amazonaws.com",
         "us-east-1",
         {"route53.amazonaws.com", "route53-fips.amazonaws.com", "route53.global.api.aws",
          "route53-fips.global.api.aws"}},
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
