#include "try.h"

static void test_empty_gives_defaults(void **state)
{
	struct settings *settings = try_good("");
	char buf[ADDR_TEXT_MAX];
	assert_int_equal(settings->listen.count, 2);
	assert_string_equal(addr_text(&settings->listen.items[0], buf), "127.0.0.1:53");
	assert_string_equal(addr_text(&settings->listen.items[1], buf), "[::1]:53");
	assert_int_equal(settings->workers, 0);
	assert_string_equal(settings->user, "");
	assert_string_equal(settings->state_dir, "/var/lib/horizond");
	assert_string_equal(settings->include_dir, "");
	assert_int_equal(settings->vpc_resolver.count, 1);
	assert_string_equal(addr_text(&settings->vpc_resolver.items[0], buf), "169.254.169.253:53");
	assert_int_equal(settings->vpc_packet_rate, 900);
	assert_int_equal(settings->vpc_cidrs.count, 0);
	assert_string_equal(settings->version, "");
	assert_string_equal(settings->server_id, "");
	assert_int_equal(settings->zone_files.count, 0);
	assert_int_equal(settings->rule_count, 0);
	assert_int_equal(settings->client_count, 0);
	assert_string_equal(addr_text(&settings->metrics_listen, buf), "127.0.0.1:9153");
	assert_string_equal(settings->control, "/run/horizond/control");
	assert_int_equal(settings->log_level, LOG_LEVEL_INFO);
	assert_false(settings->log_queries);
	settings_free(&settings);
	assert_null(settings);
	settings_free(&settings);
}

static void test_defaults_of_groups(void **state)
{
	struct settings *settings = try_good("");
	const struct settings_route53 *route53 = &settings->route53;
	assert_false(route53->present);
	assert_string_equal(route53->vpc, "auto");
	assert_string_equal(route53->region, "auto");
	assert_int_equal(route53->interval_s, 60);
	assert_int_equal(route53->min_interval_s, 5);
	assert_true(route53->rate == 2.0);
	assert_string_equal(route53->endpoint, "");
	assert_string_equal(route53->queue, "");
	assert_int_equal(route53->guard_max_loss, 30);
	assert_int_equal(route53->guard_min_sets, 10);
	assert_int_equal(settings->cache.size, 64 << 20);
	assert_int_equal(settings->cache.min_ttl_s, 0);
	assert_int_equal(settings->cache.max_ttl_s, 86400);
	assert_int_equal(settings->cache.max_negative_ttl_s, 60);
	assert_int_equal(settings->cache.serve_stale_s, 86400);
	assert_int_equal(settings->cache.stale_after_ms, 800);
	assert_true(settings->cache.persist);
	assert_int_equal(settings->tcp.max_connections, 10000);
	assert_int_equal(settings->tcp.max_per_client, 100);
	assert_int_equal(settings->tcp.idle_s, 10);
	settings_free(&settings);

	settings = try_good("route53 = { };");
	assert_true(settings->route53.present);
	settings_free(&settings);
}

static void test_rules_and_clients(void **state)
{
	struct settings *settings = try_good(
		"rules = (\n"
		"  { type = \"FORWARD\"; domains = [ \"corp.example.com\", \"10.0.0.0/8\" ];\n"
		"    targets = [ \"10.200.0.53\", \"10.200.1.53:5353\" ];\n"
		"    policy = \"ordered\"; max_inflight = 7; probe = \"corp.example.com SOA\";\n"
		"    tls = \"dns.example.com\"; source = \"10.0.0.9\"; },\n"
		"  { type = \"SYSTEM\"; domains = [ \"aws.corp.example.com\" ]; }\n"
		");\n"
		"clients = (\n"
		"  { from = [ \"10.0.0.0/16\" ]; may = \"all\"; rate = 100; },\n"
		"  { from = [ \"10.200.0.0/15\" ]; may = \"zones\"; },\n"
		"  { from = [ \"0.0.0.0/0\", \"::/0\" ]; may = \"nothing\"; }\n"
		");");
	char buf[ADDR_TEXT_MAX];
	assert_int_equal(settings->rule_count, 2);
	const struct settings_rule *rule = &settings->rules[0];
	assert_int_equal(rule->type, SETTINGS_FORWARD);
	assert_int_equal(rule->domain_count, 2);
	assert_memory_equal(rule->domains[0].name, "\4corp\7example\3com", 18);
	assert_string_equal(rule->domains[1].text, "10.0.0.0/8");
	assert_int_equal(rule->targets.count, 2);
	assert_string_equal(addr_text(&rule->targets.items[1], buf), "10.200.1.53:5353");
	assert_int_equal(rule->policy, SETTINGS_ORDERED);
	assert_int_equal(rule->max_inflight, 7);
	assert_int_equal(rule->probe_type, 6);
	assert_string_equal(rule->tls, "dns.example.com");
	assert_string_equal(addr_text_host(&rule->source, buf), "10.0.0.9");
	assert_int_equal(addr_port(&rule->source), 0);
	assert_int_equal(rule->place.line, 2);
	assert_string_equal(rule->place.file, "t.conf");
	rule = &settings->rules[1];
	assert_int_equal(rule->type, SETTINGS_SYSTEM);
	assert_int_equal(rule->max_inflight, 1000);
	assert_int_equal(rule->source.len, 0);
	assert_null(rule->probe_name);
	assert_int_equal(rule->place.line, 6);
	assert_int_equal(settings->client_count, 3);
	assert_int_equal(settings->clients[0].rate, 100);
	assert_int_equal(settings->clients[1].may, SETTINGS_ZONES);
	assert_int_equal(settings->clients[2].from.count, 2);
	assert_int_equal(settings->clients[2].place.line, 11);
	settings_free(&settings);
}

/* A bad load leaves what it was given alone. */
static void test_bad_changes_nothing(void **state)
{
	struct settings *settings = try_good("workers = 3;");
	struct settings *kept = settings;
	struct text faults;
	text_init(&faults, 0);
	int ret = settings_load_bytes("t.conf", "workers = 999;", 14, &settings, &faults);
	assert_int_equal(ret, FAIL_FORMAT);
	assert_ptr_equal(settings, kept);
	assert_int_equal(settings->workers, 3);
	settings_free(&settings);
	text_fini(&faults);
}

/* A flood of faults is cut, and says so. */
static void test_many_faults(void **state)
{
	struct text content;
	text_init(&content, 0);
	text_addf(&content, "rules = (\n");
	for (int i = 0; i < 1500; i++) {
		text_addf(&content, "{ type = \"x\"; domains = [ \"d%d\" ]; },\n", i);
	}
	text_addf(&content, ");");
	struct settings *settings = NULL;
	struct text faults;
	text_init(&faults, 0);
	int ret = settings_load_bytes("t.conf", content.bytes, content.len, &settings, &faults);
	assert_int_equal(ret, FAIL_FORMAT);
	assert_non_null(strstr(text_get(&faults), "t.conf:1001: 500 more faults are not shown; "
	                                          "mend these first\n"));
	text_fini(&faults);
	text_fini(&content);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_gives_defaults),
		cmocka_unit_test(test_defaults_of_groups),
		cmocka_unit_test(test_rules_and_clients),
		cmocka_unit_test(test_bad_changes_nothing),
		cmocka_unit_test(test_many_faults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
