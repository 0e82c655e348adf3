#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/http_int.h"
#include "base/fail.h"

static void check(const char *text, const char *scheme, const char *host, const char *authority,
                  uint16_t port, const char *path)
{
	struct http_url url;
	assert_int_equal(aws_http__url(text, &url), 0);
	assert_string_equal(url.scheme, scheme);
	assert_string_equal(url.host, host);
	assert_string_equal(url.authority, authority);
	assert_int_equal(url.port, port);
	assert_string_equal(url.path, path);
}

static void test_parts(void **state)
{
	check("https://route53.amazonaws.com", "https", "route53.amazonaws.com",
	      "route53.amazonaws.com", 443, "");
	check("https://h:443/", "https", "h", "h", 443, "");
	check("http://h:443/a/b/", "http", "h", "h:443", 443, "/a/b");
	check("http://127.0.0.1:8053", "http", "127.0.0.1", "127.0.0.1:8053", 8053, "");
	check("http://[fd00:ec2::254]", "http", "fd00:ec2::254", "[fd00:ec2::254]", 80, "");
}

static void test_no_endpoints(void **state)
{
	static const char *const texts[] = {
		"",
		"h",
		"ftp://h",
		"https://u:p@h",
		"https://u@h",
		"https://",
		"https://h?a=b",
		"https://h#f",
		"file:///etc/passwd",
	};
	struct http_url url;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(aws_http__url(texts[i], &url), FAIL_FORMAT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_no_endpoints),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
