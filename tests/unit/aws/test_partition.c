#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/partition_int.h"
#include "base/fail.h"
#include <string.h>

static void test_partitions(void **state)
{
	static const struct {
		const char *region;
		const char *host;
		const char *signing;
	} cases[] = {
		{"eu-west-1", "route53.amazonaws.com", "us-east-1"},
		{"us-east-1", "route53.amazonaws.com", "us-east-1"},
		{"", "route53.amazonaws.com", "us-east-1"},
		{"xx-new-1", "route53.amazonaws.com", "us-east-1"},
		{"cn-north-1", "route53.amazonaws.com.cn", "cn-northwest-1"},
		{"us-gov-east-1", "route53.us-gov.amazonaws.com", "us-gov-west-1"},
		{"us-iso-west-1", "route53.c2s.ic.gov", "us-iso-east-1"},
		{"us-isob-east-1", "route53.sc2s.sgov.gov", "us-isob-east-1"},
		{"us-isof-south-1", "route53.csp.hci.ic.gov", "us-isof-south-1"},
		{"eu-isoe-west-1", "route53.cloud.adc-e.uk", "eu-isoe-west-1"},
		{"eusc-de-east-1", "route53.amazonaws.eu", "eusc-de-east-1"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct partition *partition = partition__find(cases[i].region);
		assert_string_equal(partition->route53_region, cases[i].signing);
		assert_non_null(partition->suffix);
		assert_string_equal(partition__route53_host(partition, false, false),
		                    cases[i].host);
	}
}

static void test_variants(void **state)
{
	const struct partition *aws = partition__find("eu-west-1");
	assert_string_equal(partition__route53_host(aws, true, false),
	                    "route53-fips.amazonaws.com");
	assert_string_equal(partition__route53_host(aws, false, true), "route53.global.api.aws");
	assert_string_equal(partition__route53_host(aws, true, true),
	                    "route53-fips.global.api.aws");
	assert_null(partition__route53_host(partition__find("cn-north-1"), true, false));
}

/* As botocore's endpoint rules have them. */
static void test_regional_hosts(void **state)
{
	static const struct {
		const char *region, *plain, *fips, *dual, *both;
	} cases[] = {
		{"eu-west-1", "ec2.eu-west-1.amazonaws.com", "ec2-fips.eu-west-1.amazonaws.com",
	         "ec2.eu-west-1.api.aws", "ec2-fips.eu-west-1.api.aws"},
		{"cn-north-1", "ec2.cn-north-1.amazonaws.com.cn",
	         "ec2-fips.cn-north-1.amazonaws.com.cn",
	         "ec2.cn-north-1.api.amazonwebservices.com.cn",
	         "ec2-fips.cn-north-1.api.amazonwebservices.com.cn"},
		{"us-gov-west-1", "ec2.us-gov-west-1.amazonaws.com",
	         "ec2.us-gov-west-1.amazonaws.com", "ec2.us-gov-west-1.api.aws",
	         "ec2-fips.us-gov-west-1.api.aws"},
		{"us-iso-east-1", "ec2.us-iso-east-1.c2s.ic.gov",
	         "ec2-fips.us-iso-east-1.c2s.ic.gov", NULL, NULL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct partition *partition = partition__find(cases[i].region);
		const char *wanted[] = {cases[i].plain, cases[i].fips, cases[i].dual,
		                        cases[i].both};
		for (unsigned int kind = 0; kind < 4; kind++) {
			char host[128] = "";
			int ret = partition__host(partition, "ec2", cases[i].region, kind & 1,
			                          kind & 2, host, sizeof(host));
			assert_int_equal(ret, wanted[kind] == NULL ? FAIL_NOTFOUND : 0);
			assert_string_equal(host, wanted[kind] == NULL ? "" : wanted[kind]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_partitions),
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_regional_hosts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
