#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/change.h"
#include "aws/client_int.h"
#include "aws/ec2.h"
#include "base/fail.h"
#include "base/log.h"
#include "tiny_http.h"
#include <errno.h>

#define SPACE "https://route53.amazonaws.com/doc/2013-04-01/"

static struct tiny tiny;
static struct aws *aws;
static unsigned int status;
static const char *body;
static const char *second; /* of the next calls; NULL: the same */
static struct tiny_request last;
static unsigned int asked;

static void answer(void *ctx, const struct tiny_request *request, struct tiny_reply *reply)
{
	last = *request;
	tiny_text(reply, status, asked++ > 0 && second != NULL ? second : body);
}

static int begin(void **state)
{
	status = 200;
	second = NULL;
	asked = 0;
	tiny_start(&tiny, answer, NULL);
	log_set_level(LOG_LEVEL_ERROR);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	tiny_export(&tiny, "AWS_ENDPOINT_URL");
	const struct aws_opts opts = {.region = "eu-west-1"};
	aws = aws_new(&opts);
	return 0;
}

static int end(void **state)
{
	aws_free(&aws);
	tiny_stop(&tiny);
	return 0;
}

static int change(char *id)
{
	const char *values[] = {"\"a <b> & \\303\\244\"", "10.0.0.1"};
	const struct aws_record_set set = {.name = "a.corp.example.",
	                                   .type = "TXT",
	                                   .set_identifier = "hz1/web",
	                                   .ttl_s = 60,
	                                   .values = values,
	                                   .value_count = 2};
	const struct aws_record_set simple = {
		.name = "b.corp.example.", .type = "A", .values = values + 1, .value_count = 1};
	const struct aws_change changes[] = {{AWS_CHANGE_DELETE, &set},
	                                     {AWS_CHANGE_CREATE, &simple}};
	return aws_change_record_sets(aws, "/hostedzone/Z1", changes, 2, id);
}

static void test_change(void **state)
{
	char id[AWS_CHANGE_ID_MAX];
	body = "<ChangeResourceRecordSetsResponse xmlns=\"" SPACE
	       "\"><ChangeInfo><Id>/change/C123</Id>"
	       "<Status>PENDING</Status><SubmittedAt>x</SubmittedAt></ChangeInfo>"
	       "</ChangeResourceRecordSetsResponse>";
	assert_int_equal(change(id), 0);
	assert_string_equal(id, "C123");
	assert_non_null(strstr(
		last.body, "<Change><Action>DELETE</"
	                   "Action><ResourceRecordSet><Name>a.corp.example.</Name><Type>TXT</Type>"
			   "<SetIdentifier>hz1/web</SetIdentifier><MultiValueAnswer>true</"
	                   "MultiValueAnswer><TTL>60</TTL>"
			   "<ResourceRecords><ResourceRecord><Value>\"a &lt;b&gt; &amp; "
	                   "\\303\\244\"</Value></ResourceRecord>"
			   "<ResourceRecord><Value>10.0.0.1</Value></ResourceRecord></"
	                   "ResourceRecords></ResourceRecordSet></Change>"));
	assert_non_null(strstr(
		last.body, "<Action>CREATE</Action><ResourceRecordSet><Name>b.corp.example.</Name>"
			   "<Type>A</Type><TTL>0</TTL>"));
	assert_null(strstr(last.body, "UPSERT"));
}

static void test_refusals(void **state)
{
	char id[AWS_CHANGE_ID_MAX];
	status = 400;
	body = "<InvalidChangeBatch xmlns=\"" SPACE
	       "\"><Messages><Message>it exists</Message></Messages>"
	       "</InvalidChangeBatch>";
	assert_int_equal(change(id), -EEXIST);
	assert_non_null(strstr(aws_trouble(aws), "it exists"));
	assert_string_equal(id, "");
	body = "<ErrorResponse xmlns=\"" SPACE "\"><Error><Code>PriorRequestNotComplete</Code>"
	       "<Message>m</Message></Error></ErrorResponse>";
	assert_int_equal(change(id), FAIL_BUSY);
	body = "<ErrorResponse xmlns=\"" SPACE "\"><Error><Code>Throttling</Code>"
	       "<Message>Rate exceeded</Message></Error></ErrorResponse>";
	assert_int_equal(change(id), FAIL_THROTTLED);
}

static void test_insync(void **state)
{
	bool insync = false;
	body = "<GetChangeResponse xmlns=\"" SPACE "\"><ChangeInfo><Id>/change/C123</Id>"
	       "<Status>INSYNC</Status></ChangeInfo></GetChangeResponse>";
	assert_int_equal(aws_change_insync(aws, "C123", &insync), 0);
	assert_true(insync);
	assert_int_equal(aws_change_insync(aws, "../x", &insync), -EINVAL);
}

/* --- Instances --- */

#define EC2 "<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">"
#define ONE(id, more)                                                                          \
	"<item><instancesSet><item><instanceId>" id                                            \
	"</instanceId><instanceState><code>16</code><name>running</name></instanceState>" more \
	"</item></instancesSet></item>"

static char seen[512];

static int see(void *ctx, const struct aws_ec2_instance *instance)
{
	strcat(seen, instance->id);
	for (size_t i = 0; i < instance->address_count; i++) {
		strcat(seen, " ");
		strcat(seen, instance->addresses[i]);
	}
	strcat(seen, ";");
	return 0;
}

static int list(void)
{
	seen[0] = '\0';
	return aws_ec2_instances(aws, see, NULL);
}

static void test_instances(void **state)
{
	body = EC2 "<reservationSet>" ONE(
		"i-1",
		"<privateIpAddress>10.0.0.1</privateIpAddress><ipAddress>203.0.113.1</ipAddress>"
		"<networkInterfaceSet><item><privateIpAddressesSet><item><privateIpAddress>10.0.0.2"
		"</privateIpAddress><association><publicIp>203.0.113.2</publicIp></association></"
	        "item>"
		"</privateIpAddressesSet><ipv6AddressesSet><item><ipv6Address>2001:db8::1</"
	        "ipv6Address></item>"
		"</ipv6AddressesSet></item></networkInterfaceSet>") "</"
	                                                            "reservationSet><nextToken>two<"
	                                                            "/nextToken>"
								    "</DescribeInstancesResponse>";
	second = EC2
		"<reservationSet>" ONE("i-2", "") "</reservationSet></DescribeInstancesResponse>";
	assert_int_equal(list(), 0);
	assert_string_equal(seen, "i-1 10.0.0.1 203.0.113.1 10.0.0.2 203.0.113.2 2001:db8::1;i-2;");
	assert_int_equal(asked, 2);
	assert_non_null(strstr(last.body, "IncludeManagedResources=true"));
	assert_non_null(strstr(last.body, "NextToken=two"));
}

static void test_half_an_answer(void **state)
{
	body = EC2 "<reservationSet>" ONE("i-1", "");
	assert_int_equal(list(), FAIL_FORMAT);
	body = EC2 "</DescribeInstancesResponse>";
	assert_int_equal(list(), FAIL_FORMAT);
	body = EC2 "<reservationSet/><nextToken>round</nextToken></DescribeInstancesResponse>";
	assert_int_equal(list(), FAIL_CHANGED);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_change),    CASE(test_refusals),       CASE(test_insync),
		CASE(test_instances), CASE(test_half_an_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
