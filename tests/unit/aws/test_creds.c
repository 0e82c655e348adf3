#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/creds_int.h"
#include "base/fail.h"
#include "base/log.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1767323045

static const char *const variables[] = {
	"AWS_ACCESS_KEY_ID",  "AWS_SECRET_ACCESS_KEY",     "AWS_SESSION_TOKEN",
	"AWS_SECURITY_TOKEN", "AWS_CREDENTIAL_EXPIRATION",
};

static int clean(void **state)
{
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		unsetenv(variables[i]);
	}
	return 0;
}

/* --- The environment --- */

static void test_environment(void **state)
{
	struct creds creds = {0};
	char why[160] = "";
	assert_int_equal(creds_env__fetch(NULL, &creds, why, sizeof(why)), FAIL_NOTFOUND);
	setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "", 1);
	assert_int_equal(creds_env__fetch(NULL, &creds, why, sizeof(why)), -EINVAL);
	assert_string_equal(why, "AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not");
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	assert_int_equal(creds_env__fetch(NULL, &creds, why, sizeof(why)), 0);
	assert_string_equal(creds.access_key_id, "AKID");
	assert_string_equal(creds.secret_access_key, "secret");
	assert_null(creds.session_token);
	assert_int_equal(creds.expires_s, 0);
	creds__fini(&creds);
}

static void test_environment_with_token(void **state)
{
	struct creds creds = {0};
	char why[160] = "";
	setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	setenv("AWS_SECURITY_TOKEN", "old name", 1);
	setenv("AWS_CREDENTIAL_EXPIRATION", "2026-01-02T03:04:05Z", 1);
	assert_int_equal(creds_env__fetch(NULL, &creds, why, sizeof(why)), 0);
	assert_string_equal(creds.session_token, "old name");
	assert_int_equal(creds.expires_s, NOW);
	creds__fini(&creds);
	setenv("AWS_SESSION_TOKEN", "token", 1);
	assert_int_equal(creds_env__fetch(NULL, &creds, why, sizeof(why)), 0);
	assert_string_equal(creds.session_token, "token");
	creds__fini(&creds);
	setenv("AWS_CREDENTIAL_EXPIRATION", "soon", 1);
	assert_int_equal(creds_env__fetch(NULL, &creds, why, sizeof(why)), -EINVAL);
}

/* --- Pieces --- */

static void test_times(void **state)
{
	static const char *const good[] = {"2026-01-02T03:04:05Z", "2026-01-02T03:04:05.678Z",
	                                   "2026-01-02T03:04:05+00:00"};
	static const char *const bad[] = {"",
	                                  "2026-01-02",
	                                  "2026-01-02T03:04:05",
	                                  "2026-01-02T03:04:05+01:00",
	                                  "2026-13-02T03:04:05Z",
	                                  "2026-01-02T03:04:05Zx"};
	int64_t time_s = 0;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(creds__time(good[i], &time_s), 0);
		assert_int_equal(time_s, NOW);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(creds__time(bad[i], &time_s), FAIL_FORMAT);
	}
}

static void test_json(void **state)
{
	struct creds creds = {0};
	char why[160] = "";
	assert_int_equal(creds__json("{\"Code\":\"Success\",\"AccessKeyId\":\"ASIA\","
	                             "\"SecretAccessKey\":\"s3\",\"Token\":\"t0\","
	                             "\"Expiration\":\"2026-01-02T03:04:05Z\"}",
	                             &creds, why, sizeof(why)),
	                 0);
	assert_string_equal(creds.access_key_id, "ASIA");
	assert_string_equal(creds.secret_access_key, "s3");
	assert_string_equal(creds.session_token, "t0");
	assert_int_equal(creds.expires_s, NOW);
	creds__fini(&creds);
}

static void test_json_refusals(void **state)
{
	static const struct {
		const char *text;
		int wanted;
	} cases[] = {
		{"", FAIL_FORMAT},
		{"<html/>", FAIL_FORMAT},
		{"[]", FAIL_FORMAT},
		{"{}", FAIL_FORMAT},
		{"{\"AccessKeyId\":\"A\"}", FAIL_FORMAT},
		{"{\"AccessKeyId\":\"A\",\"SecretAccessKey\":7}", FAIL_FORMAT},
		{"{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Expiration\":\"x\"}",
	         FAIL_FORMAT},
		{"{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"not trusted\"}",
	         FAIL_DENIED},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct creds creds = {0};
		char why[160] = "";
		assert_int_equal(creds__json(cases[i].text, &creds, why, sizeof(why)),
		                 cases[i].wanted);
		assert_null(creds.access_key_id);
		assert_string_not_equal(why, "");
	}
}

/* --- The chain --- */

struct fake {
	int ret;
	const char *id;
	int64_t expires_s;
	unsigned int asked;
};

static int fake_fetch(void *ctx, struct creds *ret_creds, char *why, size_t why_size)
{
	struct fake *fake = ctx;
	fake->asked++;
	snprintf(why, why_size, "fake says %d", fake->ret);
	return fake->ret != 0 ? fake->ret
	                      : creds__set(ret_creds, fake->id, "secret", NULL, fake->expires_s);
}

static struct creds_chain *chain_of(struct fake *a, struct fake *b)
{
	const struct creds_source sources[] = {{"a", fake_fetch, a}, {"b", fake_fetch, b}};
	return creds_chain__new(sources, 2);
}

static void test_first_that_is_set_up(void **state)
{
	struct fake a = {.ret = FAIL_NOTFOUND}, b = {.id = "B"};
	struct creds_chain *chain = chain_of(&a, &b);
	const struct creds *creds = NULL;
	assert_int_equal(creds_chain__get(chain, NOW, &creds), 0);
	assert_string_equal(creds->access_key_id, "B");
	assert_int_equal(creds_chain__get(chain, NOW + 86400, &creds), 0);
	assert_int_equal(b.asked, 1); /* they never expire */
	creds_chain__free(&chain);
}

static void test_broken_source_ends_the_search(void **state)
{
	struct fake a = {.ret = -EINVAL}, b = {.id = "B"};
	struct creds_chain *chain = chain_of(&a, &b);
	const struct creds *creds = NULL;
	assert_int_equal(creds_chain__get(chain, NOW, &creds), -ENOKEY);
	assert_int_equal(b.asked, 0);
	assert_string_equal(creds_chain__trouble(chain), "no credentials: fake says -22");
	a.ret = FAIL_NOTFOUND;
	b.ret = FAIL_TIMEOUT;
	assert_int_equal(creds_chain__get(chain, NOW, &creds), -ENOKEY);
	b.ret = FAIL_SHUTDOWN;
	assert_int_equal(creds_chain__get(chain, NOW, &creds), FAIL_SHUTDOWN);
	b.ret = 0;
	assert_int_equal(creds_chain__get(chain, NOW, &creds), 0);
	creds_chain__free(&chain);
}

static void test_renewed_ahead(void **state)
{
	struct fake a = {.id = "A", .expires_s = NOW + 3600}, b = {0};
	struct creds_chain *chain = chain_of(&a, &b);
	const struct creds *creds = NULL;
	assert_int_equal(creds_chain__get(chain, NOW, &creds), 0);
	assert_int_equal(creds_chain__get(chain, NOW + 2600, &creds), 0);
	assert_int_equal(a.asked, 1);
	a.id = "A2";
	a.expires_s = NOW + 7200;
	/* 12 to 15 minutes ahead, not all of a fleet at the same time. */
	assert_int_equal(creds_chain__get(chain, NOW + 2881, &creds), 0);
	assert_int_equal(a.asked, 2);
	assert_string_equal(creds->access_key_id, "A2");
	assert_int_equal(creds_chain__get(chain, NOW + 2882, &creds), 0);
	assert_int_equal(a.asked, 2);
	creds_chain__free(&chain);
}

/* Sessions of 15 minutes must not be renewed all the time. */
static void test_short_ones(void **state)
{
	struct fake a = {.id = "A", .expires_s = NOW + 900}, b = {0};
	struct creds_chain *chain = chain_of(&a, &b);
	const struct creds *creds = NULL;
	assert_int_equal(creds_chain__get(chain, NOW, &creds), 0);
	assert_int_equal(creds_chain__get(chain, NOW + 440, &creds), 0);
	assert_int_equal(a.asked, 1);
	a.id = "A2";
	a.expires_s = NOW + 1441;
	assert_int_equal(creds_chain__get(chain, NOW + 541, &creds), 0);
	assert_int_equal(a.asked, 2);
	assert_int_equal(creds_chain__get(chain, NOW + 980, &creds), 0);
	assert_int_equal(a.asked, 2);
	creds_chain__free(&chain);
}

static void test_old_ones_go_on(void **state)
{
	struct fake a = {.id = "A", .expires_s = NOW + 1000}, b = {0};
	struct creds_chain *chain = chain_of(&a, &b);
	const struct creds *creds = NULL;
	assert_int_equal(creds_chain__get(chain, NOW, &creds), 0);
	a.ret = FAIL_TIMEOUT;
	assert_int_equal(creds_chain__get(chain, NOW + 600, &creds), 0);
	assert_int_equal(a.asked, 2);
	assert_string_equal(creds->access_key_id, "A");
	assert_int_equal(creds_chain__get(chain, NOW + 601, &creds), 0);
	assert_int_equal(a.asked, 2); /* not at once again */
	assert_int_equal(creds_chain__get(chain, NOW + 2000, &creds), 0);
	assert_int_equal(a.asked, 3);
	assert_string_equal(creds->access_key_id, "A"); /* past their time, still all we have */
	a.ret = 0;
	a.id = "A2";
	a.expires_s = NOW + 9000;
	/* The clock was set back. */
	assert_int_equal(creds_chain__get(chain, NOW + 600, &creds), 0);
	assert_string_equal(creds->access_key_id, "A2");
	creds_chain__free(&chain);
}

static void test_renewal_on_demand(void **state)
{
	struct fake a = {.id = "A"}, b = {0};
	struct creds_chain *chain = chain_of(&a, &b);
	const struct creds *creds = NULL;
	assert_false(creds_chain__renew(chain, NOW)); /* none yet */
	assert_int_equal(creds_chain__get(chain, NOW, &creds), 0);
	assert_false(creds_chain__renew(chain, NOW)); /* the same again */
	a.id = "A2";
	assert_true(creds_chain__renew(chain, NOW));
	assert_int_equal(creds_chain__get(chain, NOW, &creds), 0);
	assert_string_equal(creds->access_key_id, "A2");
	a.ret = FAIL_NET;
	assert_false(creds_chain__renew(chain, NOW));
	creds_chain__free(&chain);
}

int main(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_environment, clean),
		cmocka_unit_test_setup(test_environment_with_token, clean),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_refusals),
		cmocka_unit_test(test_first_that_is_set_up),
		cmocka_unit_test(test_broken_source_ends_the_search),
		cmocka_unit_test(test_renewed_ahead),
		cmocka_unit_test(test_short_ones),
		cmocka_unit_test(test_old_ones_go_on),
		cmocka_unit_test(test_renewal_on_demand),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
