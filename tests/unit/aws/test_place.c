#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/client_int.h"
#include "base/fail.h"
#include "base/log.h"
#include "tiny_http.h"
#include <errno.h>

#define META "/latest/meta-data/"
#define NET  META "network/interfaces/macs/0e:49:61:0f:c3:11/"

struct item {
	const char *path;
	const char *text;
};

static const struct item items[] = {
	{"/latest/api/token", "TOKEN"},
	{META "instance-id", "i-0123456789abcdef0"},
	{META "placement/region", "cn-north-1"},
	{META "mac", "0e:49:61:0f:c3:11"},
	{NET "vpc-id", "vpc-0a1b2c3d"},
	{NET "vpc-ipv4-cidr-blocks", "10.0.0.0/16\nnonsense\n10.1.0.0/16"},
	{NET "vpc-ipv6-cidr-blocks", "2001:db8::/56"},
};

static struct tiny tiny;
static bool broken; /* every item but the token fails */
static unsigned int gets;

static void answer(void *ctx, const struct tiny_request *request, struct tiny_reply *reply)
{
	gets++;
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		if (strcmp(items[i].path, request->target) == 0 && (i == 0 || !broken)) {
			tiny_text(reply, 200, items[i].text);
			return;
		}
	}
	tiny_text(reply, broken ? 500 : 404, "none");
}

static int begin(void **state)
{
	static const char *const variables[] = {"AWS_REGION",
	                                        "AWS_DEFAULT_REGION",
	                                        "AWS_ENDPOINT_URL",
	                                        "AWS_ENDPOINT_URL_ROUTE_53",
	                                        "AWS_ENDPOINT_URL_STS",
	                                        "AWS_USE_FIPS_ENDPOINT",
	                                        "AWS_USE_DUALSTACK_ENDPOINT",
	                                        "AWS_EC2_METADATA_DISABLED"};
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		unsetenv(variables[i]);
	}
	broken = false;
	gets = 0;
	setenv("HOME", "/nowhere", 1);
	tiny_start(&tiny, answer, NULL);
	tiny_export(&tiny, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
	return 0;
}

static int end(void **state)
{
	tiny_stop(&tiny);
	return 0;
}

static struct aws *client(const char *region, const char *endpoint)
{
	const struct aws_opts opts = {.region = region, .endpoint = endpoint};
	struct aws *aws = aws_new(&opts);
	assert_non_null(aws);
	return aws;
}

static void test_instance(void **state)
{
	struct aws *aws = client("auto", "");
	struct aws_instance instance;
	assert_int_equal(aws_instance_get(aws, &instance), 0);
	assert_string_equal(instance.region, "cn-north-1");
	assert_string_equal(instance.vpc_id, "vpc-0a1b2c3d");
	assert_string_equal(instance.instance_id, "i-0123456789abcdef0");
	assert_int_equal(instance.vpc_cidr_count, 3);
	assert_string_equal(instance.vpc_cidrs[0], "10.0.0.0/16");
	assert_string_equal(instance.vpc_cidrs[1], "10.1.0.0/16");
	assert_string_equal(instance.vpc_cidrs[2], "2001:db8::/56");
	unsigned int before = gets;
	assert_int_equal(aws_instance_get(aws, &instance), 0);
	assert_int_equal(gets, before);
	aws_free(&aws);
}

static void test_instance_later(void **state)
{
	struct aws *aws = client("auto", "");
	struct aws_instance instance;
	broken = true;
	assert_int_equal(aws_instance_get(aws, &instance), FAIL_REMOTE);
	assert_string_not_equal(aws_trouble(aws), "");
	broken = false;
	assert_int_equal(aws_instance_get(aws, &instance), 0);
	assert_string_equal(aws_trouble(aws), "");
	aws_free(&aws);
}

static void test_no_metadata(void **state)
{
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	struct aws *aws = client("auto", "");
	struct aws_instance instance;
	char region[32];
	assert_int_equal(aws_instance_get(aws, &instance), FAIL_NOTFOUND);
	assert_int_equal(aws_region(aws, region), FAIL_NOTFOUND);
	assert_int_equal(gets, 0);
	aws_free(&aws);
}

static void check_region(const char *option, const char *wanted)
{
	char region[32];
	struct aws *aws = client(option, "");
	assert_int_equal(aws_region(aws, region), 0);
	assert_string_equal(region, wanted);
	aws_free(&aws);
}

static void test_region(void **state)
{
	check_region("auto", "cn-north-1");
	setenv("AWS_DEFAULT_REGION", "eu-west-2", 1);
	check_region("", "eu-west-2");
	setenv("AWS_REGION", "eu-west-1", 1);
	check_region("auto", "eu-west-1");
	check_region("us-east-2", "us-east-2");
}

/* Where an operation is asked, and the Region to sign for: "https://host eu-west-1". */
static void check_place(struct aws *aws, enum aws_operation operation, const char *region,
                        const char *wanted)
{
	struct http_url url;
	char signing[REGION_MAX], text[700];
	assert_int_equal(aws__place(aws, operation, region, NULL, &url, signing), 0);
	snprintf(text, sizeof(text), "%s://%s%s %s", url.scheme, url.authority, url.path, signing);
	assert_string_equal(text, wanted);
}

static void check_endpoint(const char *option, const char *host, const char *signing)
{
	struct aws *aws = client("auto", option);
	char wanted[300];
	snprintf(wanted, sizeof(wanted), "%s %s", host, signing);
	check_place(aws, AWS_LIST_RECORD_SETS, NULL, wanted);
	aws_free(&aws);
}

static void test_endpoint(void **state)
{
	check_endpoint("", "https://route53.amazonaws.com.cn", "cn-northwest-1");
	setenv("AWS_REGION", "us-gov-west-1", 1);
	check_endpoint("", "https://route53.us-gov.amazonaws.com", "us-gov-west-1");
	setenv("AWS_REGION", "eu-west-1", 1);
	check_endpoint("", "https://route53.amazonaws.com", "us-east-1");
	setenv("AWS_USE_FIPS_ENDPOINT", "true", 1);
	setenv("AWS_USE_DUALSTACK_ENDPOINT", "true", 1);
	check_endpoint("", "https://route53-fips.global.api.aws", "us-east-1");
	setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1", 1);
	check_endpoint("", "http://127.0.0.1:1", "us-east-1");
	setenv("AWS_ENDPOINT_URL_ROUTE_53", "http://127.0.0.1:2/p/", 1);
	check_endpoint("", "http://127.0.0.1:2/p", "us-east-1");
	check_endpoint("http://127.0.0.1:3", "http://127.0.0.1:3", "us-east-1");
}

static void test_endpoint_that_cannot_be(void **state)
{
	struct http_url url;
	char region[REGION_MAX];
	struct aws *aws = client("cn-north-1", "");
	setenv("AWS_USE_FIPS_ENDPOINT", "true", 1);
	assert_int_equal(aws__place(aws, AWS_GET_ZONE, NULL, NULL, &url, region), -EINVAL);
	aws_free(&aws);
	aws = client("eu-west-1", "nowhere");
	assert_int_equal(aws__place(aws, AWS_GET_ZONE, NULL, NULL, &url, region), -EINVAL);
	assert_string_equal(aws_trouble(aws), "endpoint is not a URL: nowhere");
	aws_free(&aws);
}

/* The region may become known later; silence is not waited for at every call. */
static void test_endpoint_before_the_region(void **state)
{
	struct aws *aws = client("auto", "");
	broken = true;
	check_place(aws, AWS_GET_ZONE, NULL, "https://route53.amazonaws.com us-east-1");
	unsigned int before = gets;
	check_place(aws, AWS_GET_ZONE, NULL, "https://route53.amazonaws.com us-east-1");
	assert_int_equal(gets, before);
	broken = false;
	struct aws_instance instance;
	assert_int_equal(aws_instance_get(aws, &instance), 0);
	check_place(aws, AWS_GET_ZONE, NULL, "https://route53.amazonaws.com.cn cn-northwest-1");
	aws_free(&aws);
}

/* Other services live in every Region. */
static void test_other_services(void **state)
{
	struct http_url url;
	char region[REGION_MAX];
	struct aws *aws = client("eu-west-1", "http://127.0.0.1:3"); /* of Route 53 alone */
	check_place(aws, AWS_RECEIVE_MESSAGE, NULL,
	            "https://sqs.eu-west-1.amazonaws.com eu-west-1");
	check_place(aws, AWS_RECEIVE_MESSAGE, "us-gov-east-1",
	            "https://sqs.us-gov-east-1.amazonaws.com us-gov-east-1");
	check_place(aws, AWS_GET_METRIC, NULL,
	            "https://monitoring.us-east-1.amazonaws.com us-east-1");
	setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1", 1);
	setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:2", 1);
	check_place(aws, AWS_RECEIVE_MESSAGE, NULL, "http://127.0.0.1:1 eu-west-1");
	check_place(aws, AWS_CALLER_IDENTITY, NULL, "http://127.0.0.1:2 eu-west-1");
	aws_free(&aws);

	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	aws = client("auto", "");
	assert_int_equal(aws__place(aws, AWS_RECEIVE_MESSAGE, NULL, NULL, &url, region),
	                 FAIL_NOTFOUND);
	assert_string_equal(aws_trouble(aws), "region unknown: set AWS_REGION or route53.region");
	check_place(aws, AWS_ASSUME_ROLE, NULL, "http://127.0.0.1:2 us-east-1");
	aws_free(&aws);
}

int main(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_instance, begin, end),
		cmocka_unit_test_setup_teardown(test_instance_later, begin, end),
		cmocka_unit_test_setup_teardown(test_no_metadata, begin, end),
		cmocka_unit_test_setup_teardown(test_region, begin, end),
		cmocka_unit_test_setup_teardown(test_endpoint, begin, end),
		cmocka_unit_test_setup_teardown(test_endpoint_that_cannot_be, begin, end),
		cmocka_unit_test_setup_teardown(test_endpoint_before_the_region, begin, end),
		cmocka_unit_test_setup_teardown(test_other_services, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
