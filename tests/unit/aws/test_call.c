#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/client_int.h"
#include "base/fail.h"
#include "base/log.h"
#include "tiny_aws.h"
#include <errno.h>
#include <jansson.h>
#include <time.h>

/* One answer for every call; what was asked is kept. */
static unsigned int status;
static const char *body;
static struct tiny_request last;
static unsigned int asked;
static char before_names[256];

static void answer(void *ctx, const struct tiny_request *request, struct tiny_reply *reply)
{
	last = *request;
	asked++;
	tiny_text(reply, status, body);
}

static int on_before(void *ctx, const char *operation)
{
	strcat(before_names, operation);
	return 0;
}

static int begin(void **state)
{
	status = 200;
	body = "";
	asked = 0;
	before_names[0] = '\0';
	const struct aws_opts opts = {.region = "eu-west-1", .before = on_before};
	int ret = tiny_aws_begin(answer, "AWS_ENDPOINT_URL", &opts);
	setenv("AWS_SESSION_TOKEN", "TOKEN/EX+AMPLE==", 1);
	return ret;
}

static const char *header(const char *name)
{
	static char buf[1024];
	return tiny_header(&last, name, buf, sizeof(buf));
}

/* Signs what arrived, with these headers besides host, date and token. */
static bool signed_well(const char *service, const char *region, const struct sigv4_pair *more,
                        size_t more_count)
{
	char host[128], date[32], made[1024];
	struct tm tm = {0};
	struct sigv4_pair headers[8] = {
		{"host", tiny_header(&last, "Host", host, sizeof(host))},
		{"x-amz-date", tiny_header(&last, "X-Amz-Date", date, sizeof(date))},
		{"x-amz-security-token", "TOKEN/EX+AMPLE=="},
	};
	for (size_t i = 0; i < more_count; i++) {
		headers[3 + i] = more[i];
	}
	assert_non_null(strptime(date, "%Y%m%dT%H%M%SZ", &tm));
	const struct sigv4_request signing = {
		.method = "POST",
		.path = "/",
		.normalize_path = true,
		.headers = headers,
		.header_count = 3 + more_count,
		.body = last.body,
		.body_size = strlen(last.body),
		.region = region,
		.service = service,
		.access_key_id = KEY_ID,
		.secret_access_key = SECRET,
		.time_s = timegm(&tm),
	};
	assert_int_equal(sigv4_sign(&signing, made, sizeof(made), NULL, NULL), 0);
	return strcmp(made, header("Authorization")) == 0;
}

static int on_arn(void *ctx, unsigned int tag, char *text)
{
	if (tag == TAG_FIRST + 1) {
		snprintf(ctx, 128, "%s", text);
	}
	return 0;
}

static void test_query(void **state)
{
	static const struct xml_rule rules[] = {
		{TAG_ROOT, TAG_FIRST, true, "GetCallerIdentityResult"},
		{TAG_FIRST, TAG_FIRST + 1, true, "Arn"},
	};
	static const struct xml_format format = {
		.root = "GetCallerIdentityResponse",
		.space = "https://sts.amazonaws.com/doc/2011-06-15/",
		.rules = rules,
		.rule_count = 2,
		.end = on_arn,
	};
	static const struct sigv4_pair form[] = {{"Some.1.Name", "a b&c=d+\xc3\xa4~"},
	                                         {"Empty", ""}};
	static const struct sigv4_pair kind = {"Content-Type",
	                                       "application/x-www-form-urlencoded; charset=utf-8"};
	char arn[128] = "";
	const struct aws_call call = {
		.operation = AWS_CALLER_IDENTITY,
		.form = form,
		.form_count = 2,
		.format = &format,
		.ctx = arn,
	};
	body = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
	       "<GetCallerIdentityResult><Arn>arn:x</Arn></GetCallerIdentityResult>"
	       "</GetCallerIdentityResponse>";
	assert_int_equal(aws__call(aws, &call), 0);
	assert_string_equal(arn, "arn:x");
	assert_string_equal(last.method, "POST");
	assert_string_equal(last.target, "/");
	assert_string_equal(last.body, "Action=GetCallerIdentity&Empty=&Some.1.Name="
	                               "a%20b%26c%3Dd%2B%C3%A4~&Version=2011-06-15");
	assert_true(signed_well("sts", "eu-west-1", &kind, 1));
	assert_string_equal(before_names, ""); /* not a call to the API proper */
}

static int on_json(void *ctx, const struct json_t *object)
{
	*(json_int_t *)ctx = json_integer_value(json_object_get(object, "n"));
	return 0;
}

static void test_json(void **state)
{
	static const struct sigv4_pair more[] = {{"x-amzn-query-mode", "true"}};
	static const struct sigv4_pair kinds[] = {{"Content-Type", "application/x-amz-json-1.0"},
	                                          {"X-Amz-Target", "AmazonSQS.ReceiveMessage"},
	                                          {"x-amzn-query-mode", "true"}};
	json_int_t n = -1;
	struct aws_call call = {
		.operation = AWS_RECEIVE_MESSAGE,
		.region = "us-east-2",
		.body = "{\"QueueUrl\":\"x\"}",
		.body_size = 16,
		.headers = more,
		.header_count = 1,
		.json = on_json,
		.ctx = &n,
	};
	body = "{\"n\":7}";
	assert_int_equal(aws__call(aws, &call), 0);
	assert_int_equal(n, 7);
	assert_string_equal(last.body, "{\"QueueUrl\":\"x\"}");
	assert_string_equal(header("X-Amz-Target"), "AmazonSQS.ReceiveMessage");
	assert_true(signed_well("sqs", "us-east-2", kinds, 3));

	body = ""; /* an empty answer is an empty object */
	assert_int_equal(aws__call(aws, &call), 0);
	assert_int_equal(n, 0);
	call.body = NULL;
	call.json = NULL;
	assert_int_equal(aws__call(aws, &call), 0);
	assert_string_equal(last.body, "{}");
}

static void check_json(const char *text, int wanted, size_t max)
{
	json_int_t n = 0;
	const struct aws_call call = {
		.operation = AWS_RECEIVE_MESSAGE,
		.json = on_json,
		.ctx = &n,
		.reply_max = max,
	};
	body = text;
	assert_int_equal(aws__call(aws, &call), wanted);
}

static void test_json_that_is_none(void **state)
{
	check_json("[]", FAIL_FORMAT, 0);
	assert_string_equal(aws_trouble(aws), "the answer makes no sense: not a JSON object");
	check_json("{\"n\":", FAIL_FORMAT, 0);
	check_json("{\"n\":1,\"n\":2}", FAIL_FORMAT, 0);
	check_json("<html/>", FAIL_FORMAT, 0);
	check_json("{\"n\":1}                                                             ",
	           FAIL_LIMIT, 64);
}

static void test_refusals(void **state)
{
	status = 400;
	check_json("{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"none\"}",
	           FAIL_NOTFOUND, 0);
	assert_string_equal(aws_trouble(aws), "QueueDoesNotExist: none");
	check_json("{\"__type\":\"ThrottlingException\"}", FAIL_THROTTLED, 0);
	status = 403;
	check_json("<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
	           "<Message>no</Message></Error></ErrorResponse>",
	           FAIL_DENIED, 0);
	status = 503;
	check_json("<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>slow"
	           "</Message></Error></Errors></Response>",
	           FAIL_THROTTLED, 0);
	assert_int_equal(asked, 4); /* no retries */
}

/* A REST body, as a change to records has it. */
static void test_rest_body(void **state)
{
	const struct aws_call call = {
		.operation = AWS_GET_ZONE,
		.method = "POST",
		.path = "/",
		.body = "<a/>",
		.body_size = 4,
	};
	static const struct sigv4_pair kind = {"Content-Type", "application/xml"};
	status = 201;
	assert_int_equal(aws__call(aws, &call), 0);
	assert_string_equal(last.body, "<a/>");
	assert_true(signed_well("route53", "us-east-1", &kind, 1));
	assert_string_equal(before_names, "GetHostedZone");
}

int main(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_query, begin, end),
		cmocka_unit_test_setup_teardown(test_json, begin, end),
		cmocka_unit_test_setup_teardown(test_json_that_is_none, begin, end),
		cmocka_unit_test_setup_teardown(test_refusals, begin, end),
		cmocka_unit_test_setup_teardown(test_rest_body, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
