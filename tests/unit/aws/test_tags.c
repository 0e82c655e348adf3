#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/route53.h"
#include "base/fail.h"
#include "fixtures.h"
#include "tiny_http.h"

static struct tiny tiny;
static struct aws *aws;
static const char *answers[4];
static unsigned int asked;
static char targets[4][512];
static char body[2048];

static void answer(void *ctx, const struct tiny_request *request, struct tiny_reply *reply)
{
	snprintf(targets[asked], sizeof(targets[0]), "%s", request->target);
	snprintf(body, sizeof(body), "%s", request->body);
	tiny_text(reply, 200, answers[asked]);
	asked += asked < 3;
}

static int begin(void **state)
{
	asked = 0;
	tiny_start(&tiny, answer, NULL);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	setenv("AWS_REGION", "eu-west-1", 1);
	setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	tiny_export(&tiny, "AWS_ENDPOINT_URL_ROUTE_53");
	const struct aws_opts opts = {.region = "auto"};
	aws = aws_new(&opts);
	return aws == NULL;
}

static int end(void **state)
{
	aws_free(&aws);
	tiny_stop(&tiny);
	return 0;
}

static int on_zone(void *ctx, const struct aws_hosted_zone *zone)
{
	strcat(ctx, zone->id);
	strcat(ctx, " ");
	strcat(ctx, zone->name);
	strcat(ctx, " ");
	return 0;
}

#define ZONE(id, name)                                                                   \
	"<HostedZone><Id>/hostedzone/" id "</Id><Name>" name "</Name><CallerReference>c" \
	"</CallerReference><Config><PrivateZone>true</PrivateZone></Config></HostedZone>"
#define ZONES(list, tail)                                                                       \
	"<ListHostedZonesResponse xmlns=\"" SPACE "\"><HostedZones>" list "</HostedZones>" tail \
	"<MaxItems>100</MaxItems></ListHostedZonesResponse>"

static void test_private_zones(void **state)
{
	char told[256] = "";
	answers[0] = ZONES(ZONE("Z1", "one.example."),
	                   "<IsTruncated>true</IsTruncated><NextMarker>Z2</NextMarker>");
	answers[1] = ZONES(ZONE("Z2", "two.example.") "<HostedZone><Id>/hostedzone/Z3</Id><Name>"
	                                              "public.example.</Name></HostedZone>",
	                   LAST);
	assert_int_equal(aws_list_private_zones(aws, on_zone, told), 0);
	assert_string_equal(told, "Z1 one.example. Z2 two.example. ");
	assert_string_equal(targets[0], "/2013-04-01/hostedzone?hostedzonetype=PrivateHostedZone"
	                                "&maxitems=100");
	assert_non_null(strstr(targets[1], "marker=Z2"));
}

static void test_zones_that_are_not_whole(void **state)
{
	static const char *const bad[] = {
		ZONES("", ""),
		ZONES("", "<IsTruncated>true</IsTruncated>"),
		ZONES("", "<IsTruncated>false</IsTruncated><NextMarker>Z2</NextMarker>"),
		ZONES(ZONE("", "one.example."), LAST),
		"<ListHostedZonesResponse xmlns=\"" SPACE "\">" LAST "</ListHostedZonesResponse>",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char told[256] = "";
		asked = 0;
		answers[0] = bad[i];
		assert_int_equal(aws_list_private_zones(aws, on_zone, told), FAIL_FORMAT);
	}
}

static int on_tag(void *ctx, const char *zone_id, const char *key, const char *value)
{
	char *told = ctx;
	snprintf(told + strlen(told), 256 - strlen(told), "%s %s=%s;", zone_id, key, value);
	return 0;
}

static void test_tags(void **state)
{
	static const char *const ids[] = {"Z1", "/hostedzone/Z2"};
	char told[256] = "";
	answers[0] =
		"<ListTagsForResourcesResponse xmlns=\"" SPACE "\"><ResourceTagSets>"
		"<ResourceTagSet><ResourceType>hostedzone</ResourceType><ResourceId>Z1"
		"</ResourceId><Tags><Tag><Key>dns</Key><Value>horizond</Value></Tag><Tag><Key>a"
		"</Key></Tag></Tags></ResourceTagSet><ResourceTagSet><ResourceType>hostedzone"
		"</ResourceType><ResourceId>Z2</ResourceId><Tags/></ResourceTagSet>"
		"</ResourceTagSets></ListTagsForResourcesResponse>";
	assert_int_equal(aws_list_zone_tags(aws, ids, 2, on_tag, told), 0);
	assert_string_equal(told, "Z1 dns=horizond;Z1 a=;");
	assert_string_equal(targets[0], "/2013-04-01/tags/hostedzone");
	assert_non_null(strstr(body, "<ResourceId>Z1</ResourceId><ResourceId>Z2</ResourceId>"));
	asked = 0;
	answers[0] = "<ListTagsForResourcesResponse xmlns=\"" SPACE "\"/>";
	assert_int_equal(aws_list_zone_tags(aws, ids, 2, on_tag, told), FAIL_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_private_zones, begin, end),
		cmocka_unit_test_setup_teardown(test_zones_that_are_not_whole, begin, end),
		cmocka_unit_test_setup_teardown(test_tags, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
