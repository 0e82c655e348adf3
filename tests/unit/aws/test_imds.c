#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/creds_int.h"
#include "aws/http_int.h"
#include "aws/imds_int.h"
#include "base/fail.h"
#include "base/log.h"
#include "tiny_http.h"

#define ROLE_PATH "/latest/meta-data/iam/security-credentials/"

/* Instance metadata, as far as these tests need it. */
struct metadata {
	const char *token;       /* the one it takes now */
	const char *token_given; /* what PUT hands out; NULL: token */
	unsigned int token_status;
	unsigned int puts;
	unsigned int gets;
	unsigned int status; /* of every GET; 0: as it should be */
	const char *credentials;
};

static struct tiny tiny;
static struct metadata metadata;
static struct aws_http *http;
static struct imds *imds;

static void token_answer(const struct tiny_request *request, struct tiny_reply *reply)
{
	char life[32];
	metadata.puts++;
	tiny_header(request, "X-aws-ec2-metadata-token-ttl-seconds", life, sizeof(life));
	if (strcmp(request->method, "PUT") != 0 || strcmp(life, "21600") != 0) {
		tiny_text(reply, 400, "bad");
	} else {
		tiny_text(reply, metadata.token_status,
		          metadata.token_given != NULL ? metadata.token_given : metadata.token);
	}
}

static void answer(void *ctx, const struct tiny_request *request, struct tiny_reply *reply)
{
	char token[256];
	if (strcmp(request->target, "/latest/api/token") == 0) {
		token_answer(request, reply);
		return;
	}
	metadata.gets++;
	tiny_header(request, "X-aws-ec2-metadata-token", token, sizeof(token));
	if (metadata.status != 0) {
		snprintf(reply->headers, sizeof(reply->headers),
		         "Location: http://127.0.0.1:%u/elsewhere\r\n", tiny.port);
		tiny_text(reply, metadata.status, "no");
	} else if (strcmp(token, metadata.token) != 0) {
		tiny_text(reply, 401, "who?");
	} else if (strcmp(request->target, "/latest/meta-data/instance-id") == 0) {
		tiny_text(reply, 200, "i-0123");
	} else if (strcmp(request->target, ROLE_PATH) == 0) {
		tiny_text(reply, 200, "horizon-role\n");
	} else if (strcmp(request->target, ROLE_PATH "horizon-role") == 0) {
		tiny_text(reply, 200, metadata.credentials);
	} else {
		tiny_text(reply, 404, "none");
	}
}

static int begin(void **state)
{
	const struct aws_http_opts opts = {0};
	metadata = (struct metadata){.token = "TOKEN-1==", .credentials = "{}"};
	unsetenv("AWS_EC2_METADATA_DISABLED");
	tiny_start(&tiny, answer, NULL);
	tiny_export(&tiny, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
	http = aws_http__new(&opts);
	imds = imds__new(http);
	return 0;
}

static int end(void **state)
{
	imds__free(&imds);
	aws_http__free(&http);
	tiny_stop(&tiny);
	return 0;
}

static char buf[128];

static int instance_id(void)
{
	buf[0] = '\0';
	return imds__get(imds, "meta-data/instance-id", buf, sizeof(buf));
}

static void test_token_first_and_kept(void **state)
{
	assert_int_equal(instance_id(), 0);
	assert_string_equal(buf, "i-0123");
	assert_int_equal(instance_id(), 0);
	assert_int_equal(metadata.puts, 1);
	assert_int_equal(metadata.gets, 2);
	assert_int_equal(tiny.connections, 1);
}

static void test_token_lost(void **state)
{
	assert_int_equal(instance_id(), 0);
	metadata.token = "TOKEN-2==";
	assert_int_equal(instance_id(), 0);
	assert_int_equal(metadata.puts, 2);
	assert_int_equal(metadata.gets, 3);
}

static void test_token_never_right(void **state)
{
	metadata.token_given = "OTHER";
	assert_int_equal(instance_id(), FAIL_REMOTE);
	assert_int_equal(metadata.puts, 2);
	assert_int_equal(metadata.gets, 2);
}

/* Version 1 would have answered: it is not asked. */
static void test_no_fallback(void **state)
{
	metadata.token_status = 403;
	assert_int_equal(instance_id(), FAIL_DENIED);
	metadata.token_status = 404;
	assert_int_equal(instance_id(), FAIL_REMOTE);
	metadata.token_status = 200;
	metadata.token_given = "<html>\r\nsign in</html>";
	assert_int_equal(instance_id(), FAIL_FORMAT);
	metadata.token_given = "";
	assert_int_equal(instance_id(), FAIL_FORMAT);
	assert_int_equal(metadata.gets, 0);
}

static void test_statuses(void **state)
{
	static const struct {
		unsigned int status;
		int wanted;
	} cases[] = {
		{404, FAIL_NOTFOUND}, {403, FAIL_DENIED}, {503, FAIL_THROTTLED},
		{500, FAIL_REMOTE},   {302, FAIL_REMOTE},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		metadata.status = cases[i].status;
		metadata.gets = 0;
		assert_int_equal(instance_id(), cases[i].wanted);
		assert_int_equal(metadata.gets, 1); /* a redirect is not followed */
	}
}

static void test_switched_off(void **state)
{
	imds__free(&imds);
	setenv("AWS_EC2_METADATA_DISABLED", "True", 1);
	imds = imds__new(http);
	assert_true(imds__off(imds));
	assert_int_equal(instance_id(), FAIL_NOTFOUND);
	assert_int_equal(metadata.puts, 0);
}

static void test_too_long(void **state)
{
	char small[4];
	assert_int_equal(imds__get(imds, "meta-data/instance-id", small, sizeof(small)),
	                 FAIL_LIMIT);
}

static void test_credentials(void **state)
{
	struct creds creds = {0};
	char why[160] = "";
	metadata.credentials =
		"{\"Code\":\"Success\",\"Type\":\"AWS-HMAC\",\"AccessKeyId\":\"ASIA1\","
		"\"SecretAccessKey\":\"secret\",\"Token\":\"token\","
		"\"Expiration\":\"2026-01-02T03:04:05Z\"}";
	assert_int_equal(creds_imds__fetch(imds, &creds, why, sizeof(why)), 0);
	assert_string_equal(creds.access_key_id, "ASIA1");
	assert_string_equal(creds.session_token, "token");
	assert_int_equal(creds.expires_s, 1767323045);
	creds__fini(&creds);
}

/* A failure that comes as a success. */
static void test_credentials_refused(void **state)
{
	struct creds creds = {0};
	char why[160] = "";
	metadata.credentials = "{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"no\"}";
	assert_int_equal(creds_imds__fetch(imds, &creds, why, sizeof(why)), FAIL_DENIED);
	assert_string_equal(why, "credentials refused: AssumeRoleUnauthorizedAccess no");
	metadata.status = 404;
	assert_int_equal(creds_imds__fetch(imds, &creds, why, sizeof(why)), FAIL_NOTFOUND);
}

int main(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_token_first_and_kept, begin, end),
		cmocka_unit_test_setup_teardown(test_token_lost, begin, end),
		cmocka_unit_test_setup_teardown(test_token_never_right, begin, end),
		cmocka_unit_test_setup_teardown(test_no_fallback, begin, end),
		cmocka_unit_test_setup_teardown(test_statuses, begin, end),
		cmocka_unit_test_setup_teardown(test_switched_off, begin, end),
		cmocka_unit_test_setup_teardown(test_too_long, begin, end),
		cmocka_unit_test_setup_teardown(test_credentials, begin, end),
		cmocka_unit_test_setup_teardown(test_credentials_refused, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
