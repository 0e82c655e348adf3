#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/client_int.h"
#include "aws/dhcp.h"
#include "base/fail.h"
#include "base/log.h"
#include "tiny_http.h"

#define SETS_MORE(inner, more)                                                         \
	"<DescribeDhcpOptionsResponse><dhcpOptionsSet>" inner "</dhcpOptionsSet>" more \
	"</DescribeDhcpOptionsResponse>"
#define SETS(inner) SETS_MORE(inner, "")
#define TAGS        "<tagSet><item><key>k</key><value>v</value></item></tagSet>"
#define SET(id, options)                              \
	"<item><dhcpOptionsId>" id "</dhcpOptionsId>" \
	"<dhcpConfigurationSet>" options "</dhcpConfigurationSet>" TAGS "</item>"
#define VALUE(value)       "<item><value>" value "</value></item>"
#define OPTION(key, value) "<item><key>" key "</key><valueSet>" VALUE(value) "</valueSet></item>"

/* One answer a call, in order; what was asked last is kept. */
static struct tiny tiny;
static const char *bodies[4];
static unsigned int asked;
static struct tiny_request last;
static struct aws *aws;
static char seen[512];

static void answer(void *ctx, const struct tiny_request *request, struct tiny_reply *reply)
{
	last = *request;
	tiny_text(reply, 200, bodies[asked < 3 ? asked : 3]);
	asked++;
}

static int begin(void **state)
{
	asked = 0;
	seen[0] = '\0';
	memset(bodies, 0, sizeof(bodies));
	tiny_start(&tiny, answer, NULL);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	tiny_export(&tiny, "AWS_ENDPOINT_URL");
	const struct aws_opts opts = {.region = "eu-west-1"};
	aws = aws_new(&opts);
	assert_non_null(aws);
	return 0;
}

static int end(void **state)
{
	aws_free(&aws);
	tiny_stop(&tiny);
	return 0;
}

static int on_set(void *ctx, const struct aws_dhcp *dhcp)
{
	size_t len = strlen(seen);
	snprintf(seen + len, sizeof(seen) - len, "%s:", dhcp->id);
	for (size_t i = 0; i < dhcp->option_count; i++) {
		len = strlen(seen);
		snprintf(seen + len, sizeof(seen) - len, " %s=%s", dhcp->options[i].key,
		         dhcp->options[i].values[0]);
	}
	len = strlen(seen);
	snprintf(seen + len, sizeof(seen) - len, " tags %zu\n", dhcp->tags.count);
	return 0;
}

static void test_sets_are_read_page_by_page(void **state)
{
	bodies[0] = SETS_MORE(
		SET("dopt-1", OPTION("domain-name", "a.example") OPTION("ntp-servers", "10.0.0.1")),
		"<nextToken>t/=</nextToken>");
	bodies[1] = SETS(SET("dopt-2", ""));
	assert_int_equal(aws_dhcp_list(aws, NULL, on_set, NULL), 0);
	assert_string_equal(seen, "dopt-1: domain-name=a.example ntp-servers=10.0.0.1 tags 1\n"
	                          "dopt-2: tags 1\n");
	assert_int_equal(asked, 2);
	assert_non_null(strstr(last.body, "NextToken=t%2F%3D"));
}

static void test_an_id_is_asked_for(void **state)
{
	bodies[0] = SETS(SET("dopt-1", ""));
	assert_int_equal(aws_dhcp_list(aws, "dopt-1", on_set, NULL), 0);
	assert_non_null(strstr(last.body, "DhcpOptionsId.1=dopt-1"));
}

static void test_answers_that_are_none(void **state)
{
	static const struct {
		const char *body;
		int ret;
	} cases[] = {
		{"<DescribeDhcpOptionsResponse/>", FAIL_FORMAT},
		{"<html>Sign in</html>", FAIL_FORMAT},
		{SETS("<item><dhcpConfigurationSet/></item>"), FAIL_FORMAT},
		{SETS(SET("dopt-1", OPTION("1", "") OPTION("2", "") OPTION("3", "") OPTION("4", "")
	                                    OPTION("5", "") OPTION("6", "") OPTION("7", "")
	                                            OPTION("8", "") OPTION("9", ""))),
	         FAIL_LIMIT},
		{"<DescribeDhcpOptionsResponse><dhcpOptionsSet>", FAIL_FORMAT},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		asked = 0;
		bodies[0] = cases[i].body;
		assert_int_equal(aws_dhcp_list(aws, NULL, on_set, NULL), cases[i].ret);
		assert_string_not_equal(aws_trouble(aws), "");
	}
}

static void test_a_set_is_made_as_it_is_wanted(void **state)
{
	static struct aws_dhcp dhcp = {.options = {{.key = "domain-name-servers",
	                                            .values = {"10.0.0.4", "fd00::4"},
	                                            .count = 2}},
	                               .option_count = 1};
	const struct aws_tag items[] = {{"Owner", "net & team"}};
	const struct aws_tags tags = {items, 1};
	char id[AWS_DHCP_ID_MAX] = "";
	bodies[0] = "<CreateDhcpOptionsResponse><dhcpOptions><dhcpOptionsId>dopt-9</dhcpOptionsId>"
		    "</dhcpOptions></CreateDhcpOptionsResponse>";
	assert_int_equal(aws_dhcp_create(aws, &dhcp, &tags, id), 0);
	assert_string_equal(id, "dopt-9");
	assert_non_null(strstr(last.body, "&DhcpConfiguration.1.Key=domain-name-servers"
	                                  "&DhcpConfiguration.1.Value.1=10.0.0.4"
	                                  "&DhcpConfiguration.1.Value.2=fd00%3A%3A4"));
	assert_non_null(strstr(last.body, "TagSpecification.1.ResourceType=dhcp-options"
	                                  "&TagSpecification.1.Tag.1.Key=Owner"
	                                  "&TagSpecification.1.Tag.1.Value=net%20%26%20team"));
	asked = 0;
	bodies[0] = "<CreateDhcpOptionsResponse/>";
	assert_int_equal(aws_dhcp_create(aws, &dhcp, &tags, id), FAIL_FORMAT);
	assert_string_equal(id, "dopt-9");
}

static void test_the_set_of_a_vpc(void **state)
{
	char id[AWS_DHCP_ID_MAX] = "";
	bodies[0] = "<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-1</vpcId>"
		    "<dhcpOptionsId>dopt-1</dhcpOptionsId></item></vpcSet></DescribeVpcsResponse>";
	assert_int_equal(aws_dhcp_of_vpc(aws, "vpc-1", id), 0);
	assert_string_equal(id, "dopt-1");
	asked = 0;
	bodies[0] = "<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>";
	assert_int_equal(aws_dhcp_of_vpc(aws, "vpc-1", id), FAIL_NOTFOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sets_are_read_page_by_page, begin, end),
		cmocka_unit_test_setup_teardown(test_an_id_is_asked_for, begin, end),
		cmocka_unit_test_setup_teardown(test_answers_that_are_none, begin, end),
		cmocka_unit_test_setup_teardown(test_a_set_is_made_as_it_is_wanted, begin, end),
		cmocka_unit_test_setup_teardown(test_the_set_of_a_vpc, begin, end),
	};
	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
