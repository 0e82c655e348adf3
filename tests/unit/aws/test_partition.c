#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/partition_int.h"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_partitions),
		cmocka_unit_test(test_variants),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
