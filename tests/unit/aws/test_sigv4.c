#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/sigv4.h"
#include "aws/sigv4_int.h"
#include "base/fail.h"
#include "sigv4_vectors.h"
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_ID "AKIDEXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static size_t pairs(const struct sigv4_pair *list, size_t max)
{
	size_t count = 0;
	while (count < max && list[count].name != NULL) {
		count++;
	}
	return count;
}

static void hash_hex(const char *text, char *ret_hex)
{
	unsigned char hash[32];
	assert_int_equal(EVP_Digest(text, strlen(text), hash, NULL, EVP_sha256(), NULL), 1);
	for (size_t i = 0; i < sizeof(hash); i++) {
		snprintf(ret_hex + 2 * i, 3, "%02x", hash[i]);
	}
}

static const char *signature_of(const char *authorization)
{
	const char *at = strstr(authorization, "Signature=");
	assert_non_null(at);
	return at + strlen("Signature=");
}

static void check_vector(const struct vector *vector)
{
	struct sigv4_request request = {
		.method = vector->method,
		.path = vector->path,
		.normalize_path = !vector->as_is,
		.query = vector->query,
		.query_count = pairs(vector->query, COUNT(vector->query)),
		.headers = vector->headers,
		.header_count = pairs(vector->headers, COUNT(vector->headers)),
		.body = vector->body,
		.body_size = vector->body == NULL ? 0 : strlen(vector->body),
		.region = "us-east-1",
		.service = "service",
		.access_key_id = KEY_ID,
		.secret_access_key = SECRET,
		.time_s = 1440938160, /* 2015-08-30T12:36:00Z */
	};
	char authorization[1024], wanted[512];
	char *canonical = NULL, *to_sign = NULL;
	print_message("%s\n", vector->name);
	assert_int_equal(
		sigv4_sign(&request, authorization, sizeof(authorization), &canonical, &to_sign),
		0);
	assert_string_equal(canonical, vector->canonical);
	snprintf(wanted, sizeof(wanted),
	         "AWS4-HMAC-SHA256\n20150830T123600Z\n"
	         "20150830/us-east-1/service/aws4_request\n%s",
	         vector->hash);
	assert_string_equal(to_sign, wanted);
	assert_string_equal(signature_of(authorization), vector->signature);
	free(canonical);
	free(to_sign);
}

static void test_published_suite(void **state)
{
	assert_int_equal(COUNT(vectors), 38);
	for (size_t i = 0; i < COUNT(vectors); i++) {
		check_vector(&vectors[i]);
	}
}

static void check_key(const char *day, const char *service, const char *wanted)
{
	uint8_t key[SIGV4_KEY_SIZE];
	char hex[2 * SIGV4_KEY_SIZE + 1];
	assert_int_equal(sigv4__key(SECRET, day, "us-east-1", service, key), 0);
	for (size_t i = 0; i < sizeof(key); i++) {
		snprintf(hex + 2 * i, 3, "%02x", key[i]);
	}
	assert_string_equal(hex, wanted);
}

static void test_signing_key(void **state)
{
	check_key("20150830", "iam",
	          "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
	check_key("20260102", "route53",
	          "e547e081f4e8dc5f2e0213b10e009586544c668a0d43f6896dea389e656e970a");
}

/* Made with botocore: facts sheet, section 3.2. */
static struct sigv4_request route53_request(void)
{
	return (struct sigv4_request){
		.method = "GET",
		.path = "/2013-04-01/hostedzone",
		.normalize_path = true,
		.region = "us-east-1",
		.service = "route53",
		.access_key_id = KEY_ID,
		.secret_access_key = SECRET,
		.time_s = 1767323045, /* 2026-01-02T03:04:05Z */
	};
}

static void test_route53_plain(void **state)
{
	const struct sigv4_pair headers[] = {
		{"host", "route53.amazonaws.com"},
		{"x-amz-date", "20260102T030405Z"},
	};
	struct sigv4_request request = route53_request();
	request.headers = headers;
	request.header_count = COUNT(headers);
	char authorization[1024], hash[65];
	char *canonical = NULL;
	assert_int_equal(
		sigv4_sign(&request, authorization, sizeof(authorization), &canonical, NULL), 0);
	hash_hex(canonical, hash);
	assert_string_equal(hash,
	                    "1781022740e9b73e726115be0dcab15381f39b99a814a4de871db8745b2e0d5a");
	assert_string_equal(
		authorization,
		"AWS4-HMAC-SHA256 "
		"Credential=AKIDEXAMPLE/20260102/us-east-1/route53/aws4_request, "
		"SignedHeaders=host;x-amz-date, "
		"Signature=12fc146527c76fd997151ba566a1cd60a47503e1c6bf6bb15aea1ede1a512684");
	free(canonical);
}

static void test_route53_query_and_token(void **state)
{
	const struct sigv4_pair headers[] = {
		{"X-Amz-Security-Token", "TOKEN/EX+AMPLE=="},
		{"X-Amz-Date", "20260102T030405Z"},
		{"Host", "route53.amazonaws.com"},
	};
	const struct sigv4_pair query[] = {
		{"type", "A"},
		{"name", "\\052.example.com."},
		{"maxitems", "300"},
		{"identifier", "blue one"},
	};
	struct sigv4_request request = route53_request();
	request.path = "/2013-04-01/hostedzone/Z0123456789ABCDEFGHIJ/rrset";
	request.headers = headers;
	request.header_count = COUNT(headers);
	request.query = query;
	request.query_count = COUNT(query);
	char authorization[1024], hash[65];
	char *canonical = NULL;
	assert_int_equal(
		sigv4_sign(&request, authorization, sizeof(authorization), &canonical, NULL), 0);
	hash_hex(canonical, hash);
	assert_string_equal(hash,
	                    "f5cd3337d1771bf1b0a64c80154a6b6c49b972b32c0e4457480818909ab2a047");
	assert_string_equal(signature_of(authorization),
	                    "ca4a59fc715b10302044b5c11f7421f80fcdef8b36ec6f937370994453cf5965");
	free(canonical);
}

static void test_query_as_sent(void **state)
{
	const struct sigv4_pair query[] = {
		{"b", "2"}, {"a", "x y+z"}, {"b", "1"}, {"name", "\\052.a~b."}, {"empty", ""},
	};
	char *text = sigv4_query(query, COUNT(query));
	assert_string_equal(text, "a=x%20y%2Bz&b=1&b=2&empty=&name=%5C052.a~b.");
	free(text);
	text = sigv4_query(NULL, 0);
	assert_string_equal(text, "");
	free(text);
}

/* What was encoded once for sending is encoded again for signing. */
static void test_path_encoded_again(void **state)
{
	const struct sigv4_pair headers[] = {{"host", "h"}};
	struct sigv4_request request = route53_request();
	request.headers = headers;
	request.header_count = 1;
	request.path = "/a%3Ab/../c%20d";
	char authorization[1024];
	char *canonical = NULL;
	assert_int_equal(
		sigv4_sign(&request, authorization, sizeof(authorization), &canonical, NULL), 0);
	assert_memory_equal(canonical, "GET\n/c%2520d\n", 13);
	free(canonical);
}

static void test_room(void **state)
{
	const struct sigv4_pair headers[] = {{"host", "h"}};
	struct sigv4_request request = route53_request();
	request.headers = headers;
	request.header_count = 1;
	char authorization[32];
	assert_int_equal(sigv4_sign(&request, authorization, sizeof(authorization), NULL, NULL),
	                 FAIL_LIMIT);
}

static void test_time(void **state)
{
	char buf[17];
	sigv4_time(1767323045, buf);
	assert_string_equal(buf, "20260102T030405Z");
	sigv4_time(0, buf);
	assert_string_equal(buf, "19700101T000000Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published_suite),
		cmocka_unit_test(test_signing_key),
		cmocka_unit_test(test_route53_plain),
		cmocka_unit_test(test_route53_query_and_token),
		cmocka_unit_test(test_query_as_sent),
		cmocka_unit_test(test_path_encoded_again),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
