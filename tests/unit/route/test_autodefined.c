#include "base/fail.h"
#include "dns/reverse.h"
#include "route/rules.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct heard {
	char *names; /* each with its dot, a space behind it */
	size_t len;
	unsigned int count;
	unsigned int stop_at; /* 0: never */
};

static int hear(void *ctx, const uint8_t *name)
{
	struct heard *heard = ctx;
	char text[DNS_NAME_TEXT_MAX];
	dns_name_text(name, text);
	size_t len = strlen(text);
	heard->names = realloc(heard->names, heard->len + len + 2);
	memcpy(heard->names + heard->len, text, len);
	memcpy(heard->names + heard->len + len, " ", 2);
	heard->len += len + 1;
	heard->count++;
	return heard->count == heard->stop_at ? -5 : 0;
}

static bool was_heard(const struct heard *heard, const char *name)
{
	size_t len = strlen(name);
	for (const char *at = heard->names; (at = strstr(at, name)) != NULL; at++) {
		if ((at == heard->names || at[-1] == ' ') && at[len] == ' ') {
			return true;
		}
	}
	return false;
}

#define ALWAYS 21u /* reverse zones of private networks and the rest that every VPC has */

static void test_region(void **state)
{
	struct heard heard = {0};
	assert_int_equal(rules_autodefined("eu-central-1", NULL, 0, hear, &heard), 0);
	assert_int_equal(heard.count, ALWAYS + 2);
	assert_true(was_heard(&heard, "eu-central-1.compute.internal."));
	assert_true(was_heard(&heard, "eu-central-1.compute.amazonaws.com."));
	assert_true(was_heard(&heard, "10.in-addr.arpa."));
	assert_true(was_heard(&heard, "16.172.in-addr.arpa."));
	assert_true(was_heard(&heard, "31.172.in-addr.arpa."));
	assert_false(was_heard(&heard, "15.172.in-addr.arpa."));
	assert_false(was_heard(&heard, "32.172.in-addr.arpa."));
	assert_true(was_heard(&heard, "168.192.in-addr.arpa."));
	assert_true(was_heard(&heard, "254.169.254.169.in-addr.arpa."));
	assert_false(was_heard(&heard, "ec2.internal."));
	free(heard.names);
}

static void test_us_east_1(void **state)
{
	struct heard heard = {0};
	assert_int_equal(rules_autodefined("us-east-1", NULL, 0, hear, &heard), 0);
	assert_int_equal(heard.count, ALWAYS + 5);
	assert_true(was_heard(&heard, "ec2.internal."));
	assert_true(was_heard(&heard, "compute-1.internal."));
	assert_true(was_heard(&heard, "compute-1.amazonaws.com."));
	free(heard.names);
}

static void test_no_region(void **state)
{
	struct heard heard = {0};
	assert_int_equal(rules_autodefined(NULL, NULL, 0, hear, &heard), 0);
	assert_int_equal(heard.count, ALWAYS);
	assert_int_equal(rules_autodefined("", NULL, 0, hear, &heard), 0);
	assert_int_equal(heard.count, 2 * ALWAYS);
	free(heard.names);
}

static void test_bad_region(void **state)
{
	struct heard heard = {0};
	char longest[2000];
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(rules_autodefined("a..b", NULL, 0, hear, &heard), FAIL_FORMAT);
	assert_int_equal(rules_autodefined(longest, NULL, 0, hear, &heard), FAIL_FORMAT);
	assert_int_equal(heard.count, 0);
}

/* D6: a rule for 10.in-addr.arpa must leave the VPC's own addresses to the VPC resolver. */
static void test_cidrs(void **state)
{
	struct heard heard = {0};
	struct prefix cidrs[3];
	assert_int_equal(prefix_parse("10.20.0.0/16", &cidrs[0]), 0);
	assert_int_equal(prefix_parse("10.30.4.0/23", &cidrs[1]), 0);
	assert_int_equal(prefix_parse("2001:db8:1:100::/56", &cidrs[2]), 0);
	assert_int_equal(rules_autodefined("eu-central-1", cidrs, 3, hear, &heard), 0);
	assert_int_equal(heard.count, ALWAYS + 2 + 1 + 2 + 1);
	assert_true(was_heard(&heard, "20.10.in-addr.arpa."));
	assert_true(was_heard(&heard, "4.30.10.in-addr.arpa."));
	assert_true(was_heard(&heard, "5.30.10.in-addr.arpa."));
	assert_true(was_heard(&heard, "1.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."));
	free(heard.names);
}

static void test_each_may_end_it(void **state)
{
	for (unsigned int stop = 1; stop <= ALWAYS + 6; stop++) {
		struct heard heard = {.stop_at = stop};
		struct prefix cidr;
		assert_int_equal(prefix_parse("10.20.0.0/16", &cidr), 0);
		assert_int_equal(rules_autodefined("us-east-1", &cidr, 1, hear, &heard), -5);
		assert_int_equal(heard.count, stop);
		free(heard.names);
	}
}

static void test_local(void **state)
{
	struct heard heard = {0};
	struct addr loopback;
	uint8_t name[DNS_NAME_MAX];
	char text[DNS_NAME_TEXT_MAX];
	assert_int_equal(rules_local(hear, &heard), 0);
	assert_int_equal(heard.count, 3);
	assert_true(was_heard(&heard, "localhost."));
	assert_true(was_heard(&heard, "127.in-addr.arpa."));
	assert_int_equal(addr_parse("::1", 0, &loopback), 0);
	dns_reverse_addr(&loopback, name);
	assert_true(was_heard(&heard, dns_name_text(name, text)));
	free(heard.names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_region),    cmocka_unit_test(test_us_east_1),
		cmocka_unit_test(test_no_region), cmocka_unit_test(test_bad_region),
		cmocka_unit_test(test_cidrs),     cmocka_unit_test(test_each_may_end_it),
		cmocka_unit_test(test_local),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
