#include "try.h"

static void check(const char *before_text, const char *after_text, const char *expected)
{
	struct settings *before = try_good(before_text);
	struct settings *after = try_good(after_text);
	struct text lines;
	text_init(&lines, 0);
	size_t count = settings_diff(before, after, &lines);
	assert_string_equal(text_get(&lines), expected);
	size_t ends = 0;
	for (const char *at = text_get(&lines); *at != '\0'; at++) {
		ends += *at == '\n';
	}
	assert_int_equal(count, ends);
	settings_free(&before);
	settings_free(&after);
	text_fini(&lines);
}

static void test_values(void **state)
{
	check("", "", "");
	check("", "workers = 4;", "workers: 0 -> 4\n");
	check("", "cache = { size = \"128M\"; };", "cache.size: \"64M\" -> \"128M\"\n");
	check("", "parity = { enabled = true; rate = 2; };",
	      "parity.enabled: false -> true\nparity.rate: 1.0 -> 2.0\n");
	check("", "log = { level = \"debug\"; };", "log.level: \"info\" -> \"debug\"\n");
	check("", "metrics = { listen = \"\"; };", "metrics.listen: \"127.0.0.1:9153\" -> \"\"\n");
	check("", "route53 = { rate = 2.5; };", "route53: added\nroute53.rate: 2.0 -> 2.5\n");
	check("route53 = { guard = { max_loss = 5; }; };", "",
	      "route53: removed\nroute53.guard.max_loss: 5 -> 30\n");
}

static void test_lists(void **state)
{
	check("listen = [ \"127.0.0.1\" ];", "listen = [ \"10.0.0.1:5300\", \"127.0.0.1:53\" ];",
	      "listen: + \"10.0.0.1:5300\"\n");
	check("vpc_cidrs = [ \"10.0.0.0/8\", \"10.0.0.0/9\" ];", "vpc_cidrs = [ \"10.0.0.0/9\" ];",
	      "vpc_cidrs: - \"10.0.0.0/8\"\n");
	check("route53 = { zones = [ \"Z2\", \"Z1\" ]; };",
	      "route53 = { zones = [ \"Z1\", \"Z2\" ]; };", "");
}

#define RULE(domain, rest) "{ type = \"FORWARD\"; domains = [ " domain " ]; " rest " }"

static void test_rules(void **state)
{
	check("", "rules = ( " RULE("\"a.example\"", "targets = [ \"10.0.0.1\" ];") " );",
	      "rules: + FORWARD a.example. -> 10.0.0.1:53\n");
	/* Neither order nor case nor place counts. */
	check("rules = ( " RULE("\"a\", \"b\"", "targets = [ \"10.0.0.1\" ];") ");",
	      "rules = (\n\n" RULE("\"B\"", "targets = [ \"10.0.0.1\" ];") ",\n" RULE(
		      "\"a.\"", "targets = [ \"10.0.0.1\" ];") " );",
	      "");
	check("rules = ( " RULE("\"a\"", "targets = [ \"10.0.0.1\" ];") ");",
	      "rules = ( " RULE("\"a\"", "targets = [ \"10.0.0.1\", \"10.0.0.2\" ]; "
	                                 "policy = \"ordered\"; max_inflight = 5;") ");",
	      "rules: - FORWARD a. -> 10.0.0.1:53\n"
	      "rules: + FORWARD a. -> 10.0.0.1:53, 10.0.0.2:53 (policy \"ordered\", max_inflight "
	      "5)\n");
	check("rules = ( { type = \"SYSTEM\"; domains = [ \"172.16.0.0/12\" ]; } );", "",
	      "rules: - SYSTEM 172.16.0.0/12\n");
}

static void test_clients_and_roles(void **state)
{
	check("clients = ( { from = [ \"10.0.0.0/8\" ]; may = \"all\"; } );",
	      "clients = ( { from = [ \"10.0.0.0/8\" ]; may = \"zones\"; rate = 5; } );",
	      "clients: - 10.0.0.0/8 all\n"
	      "clients: + 10.0.0.0/8 zones (rate 5)\n");
	check("route53 = { };",
	      "route53 = { roles = ( { role_arn = \"arn:aws:iam::111122223333:role/x\"; "
	      "zones = [ \"Z1\" ]; } ); };",
	      "route53.roles: + arn:aws:iam::111122223333:role/x (zones [ \"Z1\" ])\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_clients_and_roles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
