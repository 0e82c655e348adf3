#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/alarm.h"
#include "aws/client_int.h"
#include "base/fail.h"
#include "base/log.h"
#include "tiny_aws.h"

#define ALARMS(inner)                                                        \
	"<DescribeAlarmsResponse><DescribeAlarmsResult><MetricAlarms>" inner \
	"</MetricAlarms></DescribeAlarmsResult></DescribeAlarmsResponse>"

static const char *bodies[3];
static unsigned int status;
static unsigned int asked;
static struct tiny_request last;

static void answer(void *ctx, const struct tiny_request *request, struct tiny_reply *reply)
{
	last = *request;
	tiny_text(reply, status, bodies[asked < 2 ? asked : 2]);
	asked++;
}

static int begin(void **state)
{
	asked = 0;
	status = 200;
	const struct aws_opts opts = {.region = "eu-west-1"};
	return tiny_aws_begin(answer, "AWS_ENDPOINT_URL", &opts);
}

static void test_an_alarm_is_read(void **state)
{
	static struct aws_alarm alarm;
	bodies[0] = ALARMS(
		"<member><AlarmName>a</AlarmName><AlarmArn>arn:x</AlarmArn><Period>60</Period>"
		"<Threshold>1.0</Threshold><Dimensions><member><Name>InstanceId</Name>"
		"<Value>i-1</Value></member><member><Name>B</Name><Value>c</Value></member>"
		"</Dimensions><AlarmActions><member>one</member><member>two</member></AlarmActions>"
		"<OKActions/><ActionsEnabled>true</ActionsEnabled></member>");
	assert_int_equal(aws_alarm_get(aws, "a", &alarm), 0);
	assert_string_equal(alarm.arn, "arn:x");
	assert_string_equal(alarm.values[AWS_ALARM_THRESHOLD], "1");
	assert_string_equal(alarm.values[AWS_ALARM_DIMENSIONS], "InstanceId=i-1,B=c");
	assert_string_equal(alarm.values[AWS_ALARM_ACTIONS], "one,two");
	assert_string_equal(alarm.values[AWS_ALARM_OK_ACTIONS], "");
	assert_string_equal(alarm.values[AWS_ALARM_ENABLED], "true");
	assert_string_equal(alarm.values[AWS_ALARM_MISSING], "");
}

static void test_none_and_no_answer_are_two_things(void **state)
{
	static struct aws_alarm alarm;
	bodies[0] = ALARMS("");
	assert_int_equal(aws_alarm_get(aws, "a", &alarm), FAIL_NOTFOUND);
	asked = 0;
	bodies[0] = "<DescribeAlarmsResponse/>";
	assert_int_equal(aws_alarm_get(aws, "a", &alarm), FAIL_FORMAT);
}

static void test_an_alarm_is_written(void **state)
{
	static struct aws_alarm alarm = {.name = "a"};
	const struct aws_tag items[] = {{"k", "v"}};
	const struct aws_tags tags = {items, 1};
	strcpy(alarm.values[AWS_ALARM_DIMENSIONS], "InstanceId=i-1");
	strcpy(alarm.values[AWS_ALARM_ACTIONS], "arn:one,arn:two");
	strcpy(alarm.values[AWS_ALARM_PERIOD], "60");
	bodies[0] = "<PutMetricAlarmResponse/>";
	assert_int_equal(aws_alarm_put(aws, &alarm, &tags), 0);
	assert_string_equal(last.body,
	                    "Action=PutMetricAlarm&AlarmActions.member.1=arn%3Aone"
	                    "&AlarmActions.member.2=arn%3Atwo&AlarmName=a"
	                    "&Dimensions.member.1.Name=InstanceId&Dimensions.member.1.Value=i-1"
	                    "&Period=60&Tags.member.1.Key=k&Tags.member.1.Value=v"
	                    "&Version=2010-08-01");
	assert_string_equal(alarm.values[AWS_ALARM_ACTIONS], "arn:one,arn:two");
}

static void test_tags(void **state)
{
	static struct aws_tag_list tags;
	bodies[0] =
		"<ListTagsForResourceResponse><ListTagsForResourceResult><Tags>"
		"<member><Key>a</Key><Value>1</Value></member><member><Key>b</Key><Value/></member>"
		"</Tags></ListTagsForResourceResult></ListTagsForResourceResponse>";
	assert_int_equal(aws_topic_tags(aws, "arn", &tags), 0);
	assert_int_equal(tags.count, 2);
	assert_string_equal(aws_tags_find(&tags, "b"), "");
}

static int on_subscription(void *ctx, const char *protocol, const char *endpoint, bool confirmed)
{
	size_t len = strlen(ctx);
	snprintf((char *)ctx + len, 256 - len, "%s %s %d;", protocol, endpoint, confirmed);
	return 0;
}

static void test_subscriptions_page_by_page(void **state)
{
	char seen[256] = "";
#define PAGE(rest)                                                                \
	"<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult>" rest \
	"</ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>"
	bodies[0] = PAGE("<Subscriptions><member><Protocol>email</Protocol><Endpoint>a@b</Endpoint>"
	                 "<SubscriptionArn>PendingConfirmation</SubscriptionArn></member>"
	                 "</Subscriptions><NextToken>2</NextToken>");
	bodies[1] = PAGE("<Subscriptions><member><Protocol>sqs</Protocol><Endpoint>q</Endpoint>"
	                 "<SubscriptionArn>arn:x</SubscriptionArn></member></Subscriptions>");
	assert_int_equal(aws_topic_subscriptions(aws, "arn", on_subscription, seen), 0);
	assert_string_equal(seen, "email a@b 0;sqs q 1;");
	asked = 0;
	bodies[0] = PAGE("");
	assert_int_equal(aws_topic_subscriptions(aws, "arn", on_subscription, seen), FAIL_FORMAT);
}

static void test_a_topic_that_is_not_there(void **state)
{
	char arn[AWS_ARN_MAX] = "old";
	status = 404;
	bodies[0] = bodies[1] = "<ErrorResponse><Error><Type>Sender</Type><Code>NotFound</Code>"
				"<Message>Topic does not exist</Message></Error></ErrorResponse>";
	assert_int_equal(aws_topic_get(aws, "arn"), FAIL_NOTFOUND);
	status = 200;
	asked = 0;
	bodies[0] = "<CreateTopicResponse/>";
	assert_int_equal(aws_topic_create(aws, "t", &(struct aws_tags){NULL, 0}, arn), FAIL_FORMAT);
	assert_string_equal(arn, "old");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_an_alarm_is_read, begin, end),
		cmocka_unit_test_setup_teardown(test_none_and_no_answer_are_two_things, begin, end),
		cmocka_unit_test_setup_teardown(test_an_alarm_is_written, begin, end),
		cmocka_unit_test_setup_teardown(test_tags, begin, end),
		cmocka_unit_test_setup_teardown(test_subscriptions_page_by_page, begin, end),
		cmocka_unit_test_setup_teardown(test_a_topic_that_is_not_there, begin, end),
	};
	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
