#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fail.h"
#include "records/dhcp.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct aws_dhcp old;
static struct aws_dhcp set;
static const char *servers[] = {"10.0.0.4", "10.0.1.4"};

static void option(struct aws_dhcp *dhcp, const char *key, const char *first, const char *second)
{
	struct aws_dhcp_option *made = &dhcp->options[dhcp->option_count++];
	memset(made, 0, sizeof(*made));
	snprintf(made->key, sizeof(made->key), "%s", key);
	snprintf(made->values[0], sizeof(made->values[0]), "%s", first);
	made->count = second == NULL ? 1 : 2;
	snprintf(made->values[1], sizeof(made->values[1]), "%s", second == NULL ? "" : second);
}

static int begin(void **state)
{
	memset(&old, 0, sizeof(old));
	memset(&set, 0, sizeof(set));
	strcpy(old.id, "dopt-1");
	option(&old, "domain-name", "eu-west-1.compute.internal", NULL);
	option(&old, "domain-name-servers", "AmazonProvidedDNS", NULL);
	option(&old, "ntp-servers", "169.254.169.123", NULL);
	return 0;
}

static void diff(const char *expected)
{
	struct text text;
	text_init(&text, 0);
	dhcp_diff(&old, &set, &text);
	assert_string_equal(text_get(&text), expected);
	text_fini(&text);
}

static void test_what_is_not_named_stays(void **state)
{
	const struct records_dhcp wanted = {.servers = {servers, 2}, .domain = ""};
	assert_int_equal(dhcp_plan(&old, &wanted, &set), 0);
	assert_string_equal(set.id, "");
	diff("  domain-name = eu-west-1.compute.internal\n"
	     "- domain-name-servers = AmazonProvidedDNS\n"
	     "+ domain-name-servers = 10.0.0.4, 10.0.1.4\n"
	     "  ntp-servers = 169.254.169.123\n");
	assert_false(dhcp_equal(&old, &set));
}

static void test_what_is_named_is_replaced_or_added(void **state)
{
	const struct records_dhcp wanted = {
		.servers = {servers, 1}, .domain = "corp.example", .ntp = {servers, 1}};
	old.option_count = 0;
	assert_int_equal(dhcp_plan(&old, &wanted, &set), 0);
	diff("+ domain-name-servers = 10.0.0.4\n"
	     "+ domain-name = corp.example\n"
	     "+ ntp-servers = 10.0.0.4\n");
}

static void test_order_of_servers_counts_order_of_options_does_not(void **state)
{
	option(&set, "ntp-servers", "169.254.169.123", NULL);
	option(&set, "domain-name-servers", "AmazonProvidedDNS", NULL);
	option(&set, "domain-name", "eu-west-1.compute.internal", NULL);
	assert_true(dhcp_equal(&old, &set));
	old.option_count = set.option_count = 0;
	option(&old, "domain-name-servers", "10.0.0.4", "10.0.1.4");
	option(&set, "domain-name-servers", "10.0.1.4", "10.0.0.4");
	assert_false(dhcp_equal(&old, &set));
}

static void test_a_full_set_takes_no_more(void **state)
{
	const struct records_dhcp wanted = {.servers = {servers, 1}, .domain = ""};
	old.option_count = 0;
	for (unsigned int i = 0; i < AWS_DHCP_OPTIONS_MAX; i++) {
		char key[16];
		snprintf(key, sizeof(key), "key-%u", i);
		option(&old, key, "x", NULL);
	}
	assert_int_equal(dhcp_plan(&old, &wanted, &set), FAIL_LIMIT);
}

static void test_memory(void **state)
{
	char dir[] = "/tmp/test_dhcp.XXXXXX";
	char path[128];
	struct dhcp_memory memory;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(dhcp_memory_load(dir, "vpc-1", &memory), 0);
	assert_string_equal(memory.before, "");
	strcpy(memory.before, "dopt-1");
	strcpy(memory.ours, "dopt-2");
	assert_int_equal(dhcp_memory_save(dir, "vpc-1", &memory), 0);
	memset(&memory, 0, sizeof(memory));
	assert_int_equal(dhcp_memory_load(dir, "vpc-1", &memory), 0);
	assert_string_equal(memory.before, "dopt-1");
	assert_string_equal(memory.ours, "dopt-2");
	assert_int_equal(dhcp_memory_drop(dir, "vpc-1"), 0);
	assert_int_equal(dhcp_memory_drop(dir, "vpc-1"), 0);
	assert_int_equal(dhcp_memory_load(dir, "vpc-1", &memory), 0);
	assert_string_equal(memory.before, "");
	snprintf(path, sizeof(path), "%s/dhcp-vpc-1.json", dir);
	FILE *file = fopen(path, "w");
	fputs("{\"before\": 5}", file);
	fclose(file);
	assert_int_equal(dhcp_memory_load(dir, "vpc-1", &memory), FAIL_FORMAT);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_what_is_not_named_stays, begin),
		cmocka_unit_test_setup(test_what_is_named_is_replaced_or_added, begin),
		cmocka_unit_test_setup(test_order_of_servers_counts_order_of_options_does_not,
	                               begin),
		cmocka_unit_test_setup(test_a_full_set_takes_no_more, begin),
		cmocka_unit_test_setup(test_memory, begin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
