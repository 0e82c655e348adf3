#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fail.h"
#include "records/owner.h"
#include <string.h>

static const struct owner web = {
	.fleet = "web",
	.account = "111122223333",
	.region = "eu-west-1",
	.instance = "i-0123456789abcdef0",
	.boot_s = 1800000000,
};

static void test_identifier(void **state)
{
	char text[OWNER_IDENTIFIER_MAX + 1];
	struct owner read = {0};
	assert_int_equal(owner_identifier(&web, text), 0);
	assert_string_equal(text, "hz1/web/111122223333/eu-west-1/i-0123456789abcdef0/1800000000");
	assert_true(owner_identifier_read(text, &read));
	assert_memory_equal(&read, &web, sizeof(web));
}

static void test_not_ours(void **state)
{
	static const char *const texts[] = {
		"",
		"hz1",
		"hz1/",
		"hz1/web",
		"blue",
		"hz2/web/111122223333/eu-west-1/i-0/1",
		"hz1/web/111122223333/eu-west-1/i-0/",
		"hz1/web/111122223333/eu-west-1/i-0/1x",
		"hz1/web/111122223333/eu-west-1/i-0",
		"hz1//111122223333/eu-west-1/i-0/1",
		"hz1/web/1111222233334/eu-west-1/i-0/1",
		"hz1/web/111122223333/eu-west-1/i-0/1/2",
	};
	struct owner read;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_false(owner_identifier_read(texts[i], &read));
	}
}

static void test_txt(void **state)
{
	char text[OWNER_TXT_MAX + 3];
	struct owner read = {0};
	assert_int_equal(owner_txt(&web, NULL, text), 0);
	assert_string_equal(text,
	                    "\"heritage=horizon,v=1,fleet=web,account=111122223333,"
	                    "region=eu-west-1,instance=i-0123456789abcdef0,boot=1800000000\"");
	assert_true(owner_txt_read(text, &read));
	assert_memory_equal(&read, &web, sizeof(web));
}

static void test_public_txt(void **state)
{
	char text[OWNER_TXT_MAX + 3];
	struct owner read = {0};
	struct owner reborn = web;
	struct owner other = web;
	reborn.boot_s++;
	other.instance[5]++;
	assert_int_equal(owner_txt(&web, "key", text), 0);
	assert_null(strstr(text, "1111"));
	assert_null(strstr(text, "eu-west"));
	assert_null(strstr(text, "i-0123"));
	assert_true(owner_txt_read(text, &read));
	assert_true(owner_same(&read, &web, "key", true));
	assert_false(owner_same(&read, &web, "another key", false));
	assert_true(owner_same(&read, &reborn, "key", false));
	assert_false(owner_same(&read, &reborn, "key", true));
	assert_false(owner_same(&read, &other, "key", false));
	assert_true(owner_same_scope(&read, &other, "key"));
}

static void test_txt_not_ours(void **state)
{
	static const char *const texts[] = {
		"",
		"\"\"",
		"\"heritage=external-dns,external-dns/owner=a\"",
		"\"heritage=horizon,v=2,fleet=web,id=x\"",
		"\"heritage=horizon,v=1,fleet=web\"",
		"\"heritage=horizon,v=1,fleet=web,id=short\"",
		"\"heritage=horizon,v=1,fleet=web\" \"account=1\"",
		"\"heritage=horizon-sweep,v=1,fleet=web,run=1,until=2\"",
		"heritage=horizon,v=1,fleet=web,account=1,region=a,instance=i,boot=1",
	};
	struct owner read;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_false(owner_txt_read(texts[i], &read));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identifier),   cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_txt),          cmocka_unit_test(test_public_txt),
		cmocka_unit_test(test_txt_not_ours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
