#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/http_int.h"
#include "aws/sigv4.h"
#include "base/fail.h"
#include "base/mono.h"
#include "tiny_http.h"

static struct tiny tiny;
static struct tiny_reply given; /* what the server answers next; body is copied */
static struct tiny_request last;

static void answer(void *ctx, const struct tiny_request *request, struct tiny_reply *reply)
{
	last = *request;
	*reply = given;
	if (given.body != NULL) {
		reply->body = malloc(given.size);
		memcpy(reply->body, given.body, given.size);
	}
}

static int begin(void **state)
{
	given = (struct tiny_reply){0};
	tiny_start(&tiny, answer, NULL);
	return 0;
}

static int end(void **state)
{
	tiny_stop(&tiny);
	return 0;
}

struct got {
	char text[4096];
	size_t len;
	size_t total;
	unsigned int status;
	int refuse;
};

static int on_body(void *ctx, unsigned int status, const char *bytes, size_t size)
{
	struct got *got = ctx;
	size_t room = sizeof(got->text) - 1 - got->len;
	size_t part = size < room ? size : room;
	memcpy(got->text + got->len, bytes, part);
	got->len += part;
	got->total += size;
	got->status = status;
	return got->refuse;
}

/* GET of /x from host (the server's port), with what `with` says. */
static int get(struct aws_http *http, const char *host, struct http_request with, struct got *got,
               struct http_reply *ret_reply)
{
	char text[320];
	struct http_url url;
	snprintf(text, sizeof(text), "http://%s:%u", host, tiny.port);
	assert_int_equal(aws_http__url(text, &url), 0);
	with.method = with.method == NULL ? "GET" : with.method;
	with.endpoint = &url;
	with.target = with.target == NULL ? "/x" : with.target;
	with.timeout_ms = with.timeout_ms == 0 ? 5000 : with.timeout_ms;
	with.reply_max = with.reply_max == 0 ? 1 << 20 : with.reply_max;
	with.body_fn = on_body;
	with.ctx = got;
	return aws_http__send(http, &with, ret_reply);
}

static void test_request_and_answer(void **state)
{
	const struct aws_http_opts opts = {0};
	struct aws_http *http = aws_http__new(&opts);
	struct got got = {0};
	struct http_reply reply = {0};
	char value[64];
	const struct sigv4_pair headers[] = {{"X-One", "1"}, {"Host", "other.example"}};
	given.body = (char *)(uintptr_t) "hello";
	given.size = 5;
	strcpy(given.headers, "Date: Fri, 02 Jan 2026 03:04:05 GMT\r\n");
	assert_int_equal(get(http, "127.0.0.1",
	                     (struct http_request){.target = "/a/../b?c=%5C052",
	                                           .headers = headers,
	                                           .header_count = 2},
	                     &got, &reply),
	                 0);
	assert_string_equal(got.text, "hello");
	assert_int_equal(reply.status, 200);
	assert_int_equal(reply.date_s, 1767323045);
	assert_string_equal(last.target, "/a/../b?c=%5C052"); /* as signed, as sent */
	assert_string_equal(tiny_header(&last, "X-One", value, sizeof(value)), "1");
	assert_string_equal(tiny_header(&last, "Host", value, sizeof(value)), "other.example");
	assert_string_equal(aws_http__trouble(http), "");
	aws_http__free(&http);
}

static void test_connection_kept(void **state)
{
	const struct aws_http_opts opts = {0};
	struct aws_http *http = aws_http__new(&opts);
	struct got got = {0};
	struct http_reply reply = {0};
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(get(http, "127.0.0.1", (struct http_request){0}, &got, &reply), 0);
	}
	assert_int_equal(tiny.connections, 1);
	aws_http__free(&http);
}

static void test_redirect_not_followed(void **state)
{
	const struct aws_http_opts opts = {0};
	struct aws_http *http = aws_http__new(&opts);
	struct got got = {0};
	struct http_reply reply = {0};
	given.status = 302;
	snprintf(given.headers, sizeof(given.headers), "Location: http://127.0.0.1:%u/y\r\n",
	         tiny.port);
	assert_int_equal(get(http, "127.0.0.1", (struct http_request){0}, &got, &reply), 0);
	assert_int_equal(reply.status, 302);
	assert_string_equal(last.target, "/x");
	aws_http__free(&http);
}

static void test_cut_at_every_octet(void **state)
{
	const struct aws_http_opts opts = {0};
	struct aws_http *http = aws_http__new(&opts);
	given.body = (char *)(uintptr_t) "0123456789";
	given.size = 10;
	given.cut = true;
	for (given.cut_at = 0; given.cut_at < 10; given.cut_at++) {
		struct got got = {0};
		struct http_reply reply = {0};
		assert_int_equal(get(http, "127.0.0.1", (struct http_request){0}, &got, &reply),
		                 FAIL_NET);
		assert_string_not_equal(aws_http__trouble(http), "");
	}
	aws_http__free(&http);
}

static void test_too_large(void **state)
{
	static char lump[65536];
	const struct aws_http_opts opts = {0};
	struct aws_http *http = aws_http__new(&opts);
	struct got got = {0};
	struct http_reply reply = {0};
	given.body = lump;
	given.size = sizeof(lump);
	/* It says so itself, */
	assert_int_equal(
		get(http, "127.0.0.1", (struct http_request){.reply_max = 1000}, &got, &reply),
		FAIL_LIMIT);
	assert_int_equal(got.total, 0);
	/* or goes on for ever. */
	given.endless = true;
	assert_int_equal(
		get(http, "127.0.0.1", (struct http_request){.reply_max = 1 << 20}, &got, &reply),
		FAIL_LIMIT);
	assert_true(got.total <= 1 << 20);
	aws_http__free(&http);
}

static void test_body_fn_ends_it(void **state)
{
	const struct aws_http_opts opts = {0};
	struct aws_http *http = aws_http__new(&opts);
	struct got got = {.refuse = -77};
	struct http_reply reply = {0};
	given.body = (char *)(uintptr_t) "hello";
	given.size = 5;
	assert_int_equal(get(http, "127.0.0.1", (struct http_request){0}, &got, &reply), -77);
	aws_http__free(&http);
}

static void test_silence(void **state)
{
	const struct aws_http_opts opts = {0};
	struct aws_http *http = aws_http__new(&opts);
	struct got got = {0};
	struct http_reply reply = {0};
	given.hang = true;
	assert_int_equal(
		get(http, "127.0.0.1", (struct http_request){.timeout_ms = 50}, &got, &reply),
		FAIL_TIMEOUT);
	aws_http__free(&http);
}

static void test_nobody_there(void **state)
{
	const struct aws_http_opts opts = {0};
	struct aws_http *http = aws_http__new(&opts);
	struct got got = {0};
	struct http_reply reply = {0};
	uint16_t port = tiny.port;
	tiny.port = 1;
	assert_int_equal(get(http, "127.0.0.1", (struct http_request){0}, &got, &reply), FAIL_NET);
	tiny.port = port;
	aws_http__free(&http);
}

/* The idle hook sets the flag: the call ends long before its time. */
static bool cancel;
static unsigned int idles;

static void on_idle(void *ctx)
{
	if (++idles == 2) {
		__atomic_store_n(&cancel, true, __ATOMIC_RELEASE);
	}
}

static void test_cancel(void **state)
{
	const struct aws_http_opts opts = {.cancel = &cancel, .idle = on_idle};
	struct aws_http *http = aws_http__new(&opts);
	struct got got = {0};
	struct http_reply reply = {0};
	uint64_t start_ms = mono_ms();
	given.hang = true;
	cancel = false;
	idles = 0;
	assert_int_equal(
		get(http, "127.0.0.1", (struct http_request){.timeout_ms = 20000}, &got, &reply),
		FAIL_SHUTDOWN);
	assert_true(mono_ms() - start_ms < 5000);
	aws_http__free(&http);
}

struct names {
	int ret;
	unsigned int asked;
};

static int on_resolve(void *ctx, const char *host, struct addr *ret, size_t max)
{
	struct names *names = ctx;
	names->asked++;
	assert_string_equal(host, "api.example");
	if (names->ret > 0) {
		assert_int_equal(addr_parse("127.0.0.1", 0, ret), 0);
	}
	return names->ret;
}

static void test_resolver_of_our_own(void **state)
{
	struct names names = {.ret = FAIL_TIMEOUT};
	const struct aws_http_opts opts = {.resolve = on_resolve, .resolve_ctx = &names};
	struct aws_http *http = aws_http__new(&opts);
	struct got got = {0};
	struct http_reply reply = {0};
	assert_int_equal(get(http, "api.example", (struct http_request){0}, &got, &reply),
	                 FAIL_NET);
	assert_string_equal(aws_http__trouble(http),
	                    "cannot resolve api.example: no answer in time");
	names.ret = 1;
	assert_int_equal(get(http, "api.example", (struct http_request){0}, &got, &reply), 0);
	assert_int_equal(get(http, "api.example", (struct http_request){0}, &got, &reply), 0);
	assert_int_equal(names.asked, 2); /* kept for a while */
	/* Literal addresses are nobody's business. */
	assert_int_equal(get(http, "127.0.0.1", (struct http_request){0}, &got, &reply), 0);
	assert_int_equal(names.asked, 2);
	aws_http__free(&http);
}

static void test_put(void **state)
{
	const struct aws_http_opts opts = {0};
	struct aws_http *http = aws_http__new(&opts);
	struct got got = {0};
	struct http_reply reply = {0};
	assert_int_equal(
		get(http, "127.0.0.1", (struct http_request){.method = "PUT"}, &got, &reply), 0);
	assert_string_equal(last.method, "PUT");
	aws_http__free(&http);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_request_and_answer, begin, end),
		cmocka_unit_test_setup_teardown(test_connection_kept, begin, end),
		cmocka_unit_test_setup_teardown(test_redirect_not_followed, begin, end),
		cmocka_unit_test_setup_teardown(test_cut_at_every_octet, begin, end),
		cmocka_unit_test_setup_teardown(test_too_large, begin, end),
		cmocka_unit_test_setup_teardown(test_body_fn_ends_it, begin, end),
		cmocka_unit_test_setup_teardown(test_silence, begin, end),
		cmocka_unit_test_setup_teardown(test_nobody_there, begin, end),
		cmocka_unit_test_setup_teardown(test_cancel, begin, end),
		cmocka_unit_test_setup_teardown(test_resolver_of_our_own, begin, end),
		cmocka_unit_test_setup_teardown(test_put, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
