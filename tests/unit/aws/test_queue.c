#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/client_int.h"
#include "aws/queue.h"
#include "base/fail.h"
#include "base/log.h"
#include "tiny_aws.h"

static unsigned int status;
static const char *body;
static struct tiny_request last;
static char heard[512];

static void answer(void *ctx, const struct tiny_request *request, struct tiny_reply *reply)
{
	last = *request;
	tiny_text(reply, status, body);
}

static int begin(void **state)
{
	status = 200;
	body = "";
	heard[0] = '\0';
	const struct aws_opts opts = {.region = "eu-west-1"};
	return tiny_aws_begin(answer, "AWS_ENDPOINT_URL_SQS", &opts);
}

static void on_message(void *ctx, const struct aws_message *message)
{
	snprintf(heard + strlen(heard), sizeof(heard) - strlen(heard), "%s=%.*s(%zu) ",
	         message->receipt, (int)message->body_size, message->body, message->body_size);
}

static int receive(const char *url)
{
	return aws_queue_receive(aws, url, 10, 0, 30, on_message, NULL);
}

static void check_region(const char *url, const char *region)
{
	char authorization[512], wanted[64];
	assert_int_equal(receive(url), 0);
	snprintf(wanted, sizeof(wanted), "/%s/sqs/aws4_request", region);
	assert_non_null(strstr(
		tiny_header(&last, "Authorization", authorization, sizeof(authorization)), wanted));
}

/* The queue's own Region signs, wherever we are. */
static void test_region(void **state)
{
	check_region("https://sqs.us-east-1.amazonaws.com/1/q", "us-east-1");
	check_region("https://sqs.cn-north-1.amazonaws.com.cn/1/q", "cn-north-1");
	check_region("https://sqs-fips.us-east-2.amazonaws.com/1/q", "us-east-2");
	check_region("https://sqs.ap-south-1.api.aws/1/q", "ap-south-1");
	check_region("https://vpce-0a-b.sqs.us-west-2.vpce.amazonaws.com/1/q", "us-west-2");
	check_region("https://eu-central-1.queue.amazonaws.com/1/q", "eu-central-1");
	check_region("http://127.0.0.1:1/1/q", "eu-west-1");
}

/* Without another endpoint the queue's host itself is asked, at its root. */
static void test_own_host(void **state)
{
	char url[64];
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/1/q", tiny.port);
	unsetenv("AWS_ENDPOINT_URL_SQS");
	assert_int_equal(receive(url), 0);
	assert_string_equal(last.target, "/");
	assert_non_null(strstr(last.body, "\"WaitTimeSeconds\":0"));
	assert_non_null(strstr(last.body, "\"MaxNumberOfMessages\":10"));
	assert_non_null(strstr(last.body, "/1/q\""));
	assert_int_equal(receive("nowhere"), -EINVAL);
}

static void test_messages(void **state)
{
	body = "{\"Messages\":[{\"MessageId\":\"1\",\"ReceiptHandle\":\"r1\",\"Body\":\"a\\\"b\"},"
	       "{\"ReceiptHandle\":\"r2\"},{\"ReceiptHandle\":\"r3\",\"Body\":7}]}";
	assert_int_equal(receive("http://127.0.0.1:1/1/q"), 0);
	assert_string_equal(heard, "r1=a\"b(3) r2=(0) r3=(0) ");
	heard[0] = '\0';
	body = "{}";
	assert_int_equal(receive("http://127.0.0.1:1/1/q"), 0);
	body = "{\"Messages\":[{\"Body\":\"a\"}]}";
	assert_int_equal(receive("http://127.0.0.1:1/1/q"), FAIL_FORMAT);
	assert_string_equal(heard, "");
	status = 400;
	body = "{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"none\"}";
	assert_int_equal(receive("http://127.0.0.1:1/1/q"), FAIL_NOTFOUND);
}

static void test_deleting(void **state)
{
	static const char *const receipts[] = {"r1", "r\"2"};
	body = "{\"Successful\":[{\"Id\":\"0\"}],\"Failed\":[{\"Id\":\"1\"}]}";
	assert_int_equal(aws_queue_delete(aws, "http://127.0.0.1:1/1/q", receipts, 2), 0);
	assert_non_null(strstr(last.body, "{\"Id\":\"0\",\"ReceiptHandle\":\"r1\"}"));
	assert_non_null(strstr(last.body, "{\"Id\":\"1\",\"ReceiptHandle\":\"r\\\"2\"}"));
	char target[64];
	assert_string_equal(tiny_header(&last, "X-Amz-Target", target, sizeof(target)),
	                    "AmazonSQS.DeleteMessageBatch");
}

/* --- Events --- */

static void check_event(const char *text, enum aws_event_kind kind, const char *zone)
{
	struct aws_event event;
	aws_event_read(text, strlen(text), &event);
	assert_int_equal(event.kind, kind);
	assert_string_equal(event.zone_id, zone);
}

#define EVENT(name, rest)                                                                    \
	"{\"source\":\"aws.route53\",\"detail\":{\"eventSource\":\"route53.amazonaws.com\"," \
	"\"eventName\":\"" name "\"" rest "}}"
#define CHANGED(id) \
	EVENT("ChangeResourceRecordSets", ",\"requestParameters\":{\"hostedZoneId\":\"" id "\"}")

static void test_events(void **state)
{
	check_event(CHANGED("Z0ABC"), AWS_EVENT_SETS, "Z0ABC");
	check_event(CHANGED("/hostedzone/Z0ABC"), AWS_EVENT_SETS, "Z0ABC");
	check_event(EVENT("DeleteHostedZone", ",\"requestParameters\":{\"id\":\"Z1\"}"),
	            AWS_EVENT_ZONES, "Z1");
	check_event(EVENT("CreateHostedZone", ""), AWS_EVENT_ZONES, "");
	check_event(EVENT("AssociateVPCWithHostedZone",
	                  ",\"requestParameters\":{\"hostedZoneId\":\"Z2\"}"),
	            AWS_EVENT_ZONES, "Z2");
	/* By way of a topic. */
	check_event(
		"{\"Type\":\"Notification\",\"Message\":\"{\\\"detail\\\":{\\\"eventSource\\\":"
		"\\\"route53.amazonaws.com.cn\\\",\\\"eventName\\\":\\\"CreateHostedZone\\\"}}\"}",
		AWS_EVENT_ZONES, "");
}

static void test_no_events(void **state)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{\"detail\":[]}",
		EVENT("ListHostedZones", ""),
		EVENT("ChangeResourceRecordSets", ""),
		EVENT("ChangeResourceRecordSets", ",\"requestParameters\":[]"),
		EVENT("ChangeResourceRecordSets",
	              ",\"errorCode\":\"AccessDenied\",\"requestParameters\":{\"hostedZoneId\":"
	              "\"Z1\"}"),
		CHANGED("z0abc"),
		CHANGED("Z0/../Z\\n"),
		CHANGED("Z01234567890123456789012345678901234"),
		"{\"detail\":{\"eventSource\":\"ec2.amazonaws.com\",\"eventName\":"
		"\"CreateHostedZone\"}}",
		"{\"Type\":\"Notification\",\"Message\":7}",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		check_event(texts[i], AWS_EVENT_NONE, "");
	}
}

/* Large, deep, endless: never read, or given up. */
static void test_hostile_events(void **state)
{
	const size_t size = AWS_EVENT_MAX + 1;
	char *text = malloc(size + 1);
	struct aws_event event;
	assert_non_null(text);
	memset(text, '[', size);
	text[size] = '\0';
	aws_event_read(text, size, &event);
	assert_int_equal(event.kind, AWS_EVENT_NONE);
	aws_event_read(text, size - 1, &event);
	assert_int_equal(event.kind, AWS_EVENT_NONE);
	static const char good[] = CHANGED("Z0ABC");
	for (size_t len = 0; len < sizeof(good) - 1; len++) {

		char *exact = malloc(len + 1);
		memcpy(exact, good, len);
		aws_event_read(exact, len, &event);
		assert_int_equal(event.kind, AWS_EVENT_NONE);
		free(exact);
	}
	free(text);
}

int main(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_region, begin, end),
		cmocka_unit_test_setup_teardown(test_own_host, begin, end),
		cmocka_unit_test_setup_teardown(test_messages, begin, end),
		cmocka_unit_test_setup_teardown(test_deleting, begin, end),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_no_events),
		cmocka_unit_test(test_hostile_events),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
