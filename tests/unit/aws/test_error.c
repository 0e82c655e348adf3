#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/error_int.h"
#include "base/fail.h"
#include "fixtures.h"
#include <errno.h>
#include <string.h>

static void check(const char *body, const char *code, const char *message)
{
	struct aws_error error;
	aws_error__read(body, strlen(body), &error);
	assert_string_equal(error.code, code);
	assert_string_equal(error.message, message);
}

static void test_three_shapes(void **state)
{
	check(ERROR_BODY("NoSuchHostedZone", "No hosted zone found"), "NoSuchHostedZone",
	      "No hosted zone found");
	check("<InvalidChangeBatch xmlns=\"" SPACE "\"><Messages><Message>first problem</Message>"
	      "<Message>second</Message></Messages><RequestId>1</RequestId></InvalidChangeBatch>",
	      "InvalidChangeBatch", "first problem");
	check("<InvalidSignatureException><Message>not yours</Message>"
	      "</InvalidSignatureException>",
	      "InvalidSignatureException", "not yours");
}

static void test_other_services(void **state)
{
	check("<?xml version=\"1.0\"?><Response><Errors><Error><Code>RequestLimitExceeded</Code>"
	      "<Message>Request limit exceeded.</Message></Error></Errors>"
	      "<RequestID>1</RequestID></Response>",
	      "RequestLimitExceeded", "Request limit exceeded.");
	check("{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"none\"}",
	      "QueueDoesNotExist", "none");
	check("{\"__type\":\"AccessDeniedException\",\"Message\":\"no\"}", "AccessDeniedException",
	      "no");
	check("{\"__type\":5", "", "");
}

static void test_odd_bodies(void **state)
{
	check("", "", "");
	check("<html><body><h1>502 Bad Gateway</h1></body></html>", "", "");
	check("<!DOCTYPE html><html><body>sign in<br></body></html>", "", "");
	check("{\"message\":\"Forbidden\"}", "", "");
	check(ERROR_BODY("aws:ExpiredToken", "a&#10;b"), "ExpiredToken", "a b");
	/* Cut short: what came so far does. */
	check("<ErrorResponse><Error><Code>Throttling</Code><Mess", "Throttling", "");
}

static void test_meanings(void **state)
{
	static const struct {
		unsigned int status;
		const char *code;
		int wanted;
	} cases[] = {
		{400, "Throttling", FAIL_THROTTLED},
		{400, "ThrottlingException", FAIL_THROTTLED},
		{400, "PriorRequestNotComplete", FAIL_BUSY},
		{429, "", FAIL_THROTTLED},
		{403, "AccessDenied", FAIL_DENIED},
		{403, "", FAIL_REMOTE},
		{403, "Whatever", -EKEYREJECTED},
		{403, "SignatureDoesNotMatch", -EKEYREJECTED},
		{403, "InvalidClientTokenId", -EKEYREJECTED},
		{403, "ExpiredToken", -EKEYREJECTED},
		{404, "NoSuchHostedZone", FAIL_NOTFOUND},
		{404, "", FAIL_REMOTE},
		{404, "html", FAIL_REMOTE},
		{400, "InvalidPaginationToken", FAIL_CHANGED},
		{400, "InvalidInput", -EINVAL},
		{400, "", FAIL_REMOTE},
		{500, "InternalFailure", FAIL_REMOTE},
		{503, "", FAIL_REMOTE},
		{302, "", FAIL_REMOTE},
		{204, "", FAIL_FORMAT},
		{503, "RequestLimitExceeded", FAIL_THROTTLED},
		{400, "QueueDoesNotExist", FAIL_NOTFOUND},
		{400, "AWS.SimpleQueueService.NonExistentQueue", FAIL_NOTFOUND},
		{401, "AuthFailure", -EKEYREJECTED},
		{403, "UnauthorizedOperation", FAIL_DENIED},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(aws_error__fail(cases[i].status, cases[i].code), cases[i].wanted);
	}
	assert_true(aws_error__creds("ExpiredToken"));
	assert_false(aws_error__creds("AccessDenied"));
	assert_true(aws_error__clock("RequestExpired"));
	assert_false(aws_error__clock("expiredtoken"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_three_shapes),
		cmocka_unit_test(test_other_services),
		cmocka_unit_test(test_odd_bodies),
		cmocka_unit_test(test_meanings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
