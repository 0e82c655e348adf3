#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/profile_int.h"
#include "base/fail.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64], config[96], credentials[96];

static void file_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int begin(void **state)
{
	strcpy(folder, "/tmp/test_profile.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(config, sizeof(config), "%s/config", folder);
	snprintf(credentials, sizeof(credentials), "%s/credentials", folder);
	setenv("AWS_CONFIG_FILE", config, 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", credentials, 1);
	unsetenv("AWS_PROFILE");
	return 0;
}

static int end(void **state)
{
	unlink(config);
	unlink(credentials);
	rmdir(folder);
	return 0;
}

static void check(const char *text, const char *name, bool is_config, const char *id)
{
	struct profile profile = {0};
	bool found = false;
	unsigned int line = 0;
	assert_int_equal(
		profile__parse(text, strlen(text), name, is_config, &profile, &found, &line), 0);
	assert_int_equal(found, id != NULL);
	if (id != NULL) {
		assert_non_null(profile.values[PROFILE_ACCESS_KEY_ID]);
		assert_string_equal(profile.values[PROFILE_ACCESS_KEY_ID], id);
	}
	profile__fini(&profile);
}

static void test_sections(void **state)
{
	static const char text[] = "# comment\n"
				   "; another\n"
				   "[default]\n"
				   "aws_access_key_id = A\n"
				   "\n"
				   "[profile b]\r\n"
				   "AWS_Access_Key_ID=B\r\n"
				   "s3 =\n"
				   "  aws_access_key_id = nested\n"
				   "\tregion = nested\n"
				   "[ profile \"c d\" ]\n"
				   "aws_access_key_id  =  C=D==  \n"
				   "[sso-session e]\n"
				   "aws_access_key_id = E\n"
				   "[services x]\n"
				   "[f]\n"
				   "aws_access_key_id = F";
	check(text, "default", true, "A");
	check(text, "b", true, "B");
	check(text, "c d", true, "C=D==");
	check(text, "e", true, NULL);
	check(text, "f", true, NULL); /* the config file says "profile f" */
	check(text, "f", false, "F");
	check(text, "b", false, NULL);
	check("[profile default]\naws_access_key_id=X\n", "default", true, "X");
}

static void test_no_profile_file(void **state)
{
	static const char *const texts[] = {"[a", "[a]\nno key\n", "[a]\n= value\n", "<html>\n"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct profile profile = {0};
		bool found = false;
		unsigned int line = 0;
		assert_int_equal(profile__parse(texts[i], strlen(texts[i]), "a", false, &profile,
		                                &found, &line),
		                 FAIL_FORMAT);
		assert_int_equal(line, i == 1 || i == 2 ? 2 : 1);
		profile__fini(&profile);
	}
	struct profile profile = {0};
	bool found = false;
	unsigned int line = 0;
	assert_int_equal(profile__parse("[a]\n\0", 5, "a", false, &profile, &found, &line),
	                 FAIL_FORMAT);
}

static void test_two_files(void **state)
{
	struct profile profile = {0};
	char why[320] = "";
	file_write(config, "[profile a]\nregion = eu-west-1\naws_access_key_id = config\n"
	                   "role_arn = arn\n");
	file_write(credentials, "[a]\naws_access_key_id = credentials\n");
	assert_int_equal(profile__load("a", &profile, why, sizeof(why)), 0);
	assert_string_equal(profile.values[PROFILE_REGION], "eu-west-1");
	assert_string_equal(profile.values[PROFILE_ACCESS_KEY_ID], "credentials");
	assert_string_equal(profile.values[PROFILE_ROLE_ARN], "arn");
	assert_null(profile.values[PROFILE_SECRET_ACCESS_KEY]);
	profile__fini(&profile);
	assert_int_equal(profile__load("b", &profile, why, sizeof(why)), FAIL_NOTFOUND);
	assert_string_equal(why, "no profile b");

	file_write(credentials, "[a]\nsecret without equals\n");
	assert_int_equal(profile__load("a", &profile, why, sizeof(why)), FAIL_FORMAT);
	assert_non_null(strstr(why, "credentials:2: neither"));
	assert_null(strstr(why, "secret"));
}

static void test_no_files(void **state)
{
	struct profile profile = {0};
	bool chosen;
	char why[320] = "";
	assert_int_equal(profile__load("default", &profile, why, sizeof(why)), FAIL_NOTFOUND);
	assert_string_equal(profile__name(&chosen), "default");
	assert_false(chosen);
	setenv("AWS_PROFILE", "p", 1);
	assert_string_equal(profile__name(&chosen), "p");
	assert_true(chosen);
	setenv("AWS_CONFIG_FILE", folder, 1); /* a folder is no file */
	assert_int_not_equal(profile__load("p", &profile, why, sizeof(why)), FAIL_NOTFOUND);
	/* Endless ones neither. */
	setenv("AWS_CONFIG_FILE", "/dev/zero", 1);
	assert_int_equal(profile__load("p", &profile, why, sizeof(why)), FAIL_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_no_profile_file),
		cmocka_unit_test_setup_teardown(test_two_files, begin, end),
		cmocka_unit_test_setup_teardown(test_no_files, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
