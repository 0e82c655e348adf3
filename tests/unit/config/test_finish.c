/* What hangs together: within a rule, within a group, over rules and clients of all kinds. */
#include "try.h"

#define FORWARD(rest) "{ type = \"FORWARD\"; domains = [ \"a.b\" ];\n" rest " }"

static void test_rules(void **state)
{
	static const struct try_case cases[] = {
		{"rules = ( " FORWARD("targets = [ \"10.0.0.1\" ];") " );", ""},
		{"rules = ( " FORWARD("") " );", "t.conf:1: a FORWARD rule without `targets`; "
	                                         "`targets = [ \"10.0.0.2\" ];` would be right\n"},
		{"rules = ( " FORWARD("targets = [ ];") " );",
	         "t.conf:2: `targets` is empty in a FORWARD rule; "
	         "at least one address would be right\n"},
		{"rules = ( { type = \"SYSTEM\"; domains = [ \"a.b\" ];\ntargets = [ \"10.0.0.1\" "
	         "]; } );",
	         "t.conf:2: `targets` in a SYSTEM rule, which resolves here; "
	         "none, or type \"FORWARD\", would be right\n"},
		/* A type that is none says nothing about targets. */
		{"rules = ( { type = \"forward\"; domains = [ \"a.b\" ]; } );",
	         "t.conf:1: `type`: `forward` is not known; "
	         "\"FORWARD\" or \"SYSTEM\" would be right\n"},
		{"rules = ( " FORWARD(
			 "targets = [ \"10.0.0.1\" ]; policy = \"fast\"; max_inflight = 0;"
			 "tls = \"no@name\"; source = \"x\";") " );",
	         "t.conf:2: `policy`: `fast` is not known; "
	         "\"fastest\", \"ordered\" or \"spread\" would be right\n"
	         "t.conf:2: `max_inflight`: `0` is out of range; "
	         "a whole number from 1 to 1000000 would be right\n"
	         "t.conf:2: `tls`: `no@name` cannot be; a server's name, or \"sha256/\" and the "
	         "hash of its key in base64, or several, "
	         "would be right\n"
	         "t.conf:2: `source`: `x` is no address; "
	         "an address of this machine without a port, or \"\", would be right\n"},
		{"rules = ( " FORWARD(
			 "targets = [ \"10.0.0.1\" ]; source = \"10.0.0.9:53\";") " );",
	         "t.conf:2: `source` names a port, but ports are drawn at random; "
	         "the address alone would be right\n"},
		{"rules = ( " FORWARD("targets = [ \"10.0.0.1\" ]; source = \"fd00::1\";") " );",
	         "t.conf:2: no target is of the family of `source`; "
	         "an IPv4 address would be right\n"},
		{"rules = ( { type = \"SYSTEM\"; domains = [ \"a.b\" ];\ntls = \"dns.a.b\"; } );",
	         "t.conf:2: `tls` in a SYSTEM rule, which has no targets; none, or type "
	         "\"FORWARD\", would be right\n"},
		{"rules = ( " FORWARD("targets = [ \"10.0.0.1\" ]; tls = \"sha256/"
	                              "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\";") " );",
	         ""},
	};
	try_cases(cases, COUNT_OF(cases));
}

static void test_domains_once(void **state)
{
	static const struct try_case cases[] = {
		{"rules = ( { type = \"SYSTEM\"; domains = [ \"a.b\",\n\"A.B.\" ]; } );",
	         "t.conf:2: `A.B.` is listed twice (first as `a.b` at t.conf:1); "
	         "once would be right\n"},
		{"rules = ( { type = \"SYSTEM\"; domains = [ \"a.b\" ]; },\n"
	         "{ type = \"SYSTEM\"; domains = [ \"a.b\", \"b\" ]; } );",
	         "t.conf:2: `a.b` stands in two rules (first at t.conf:1); one would be right\n"},
		{"rules = ( { type = \"SYSTEM\"; domains = [ \"10.0.0.0/8\" ]; },\n"
	         "{ type = \"SYSTEM\"; domains = [ \"10.in-addr.arpa\" ]; } );",
	         "t.conf:2: `10.in-addr.arpa` stands in two rules "
	         "(first as `10.0.0.0/8` at t.conf:1); one would be right\n"},
		/* 16 zones clash, and it is said once. */
		{"rules = ( { type = \"SYSTEM\"; domains = [ \"172.16.0.0/12\" ]; },\n"
	         "{ type = \"SYSTEM\"; domains = [ \"172.16.0.0/12\" ]; } );",
	         "t.conf:2: `172.16.0.0/12` stands in two rules (first at t.conf:1); "
	         "one would be right\n"},
		{"rules = ( { type = \"SYSTEM\"; domains = [ \"10.0.0.0/8\", \"10.1.0.0/16\" ]; } "
	         ");",
	         ""},
	};
	try_cases(cases, COUNT_OF(cases));
}

static void test_clients(void **state)
{
	static const struct try_case cases[] = {
		{"clients = ( { from = [ \"0.0.0.0/0\", \"::/0\" ]; may = \"nothing\"; } );", ""},
		{"clients = ( { from = [ \"10.0.0.0/8\" ]; may = \"all\"; },\n"
	         "{ from = [ \"10.0.0.0/8\" ]; may = \"zones\"; } );",
	         "t.conf:2: `10.0.0.0/8` stands in two clients (first at t.conf:1); "
	         "one would be right\n"},
		{"clients = ( { from = [ \"10.0.0.0/8\", \"10.0.0.0/8\" ]; may = \"all\"; } );",
	         "t.conf:1: `10.0.0.0/8` is listed twice (first at t.conf:1); "
	         "once would be right\n"},
		{"clients = ( { from = [ ]; may = \"some\"; rate = -1; } );",
	         "t.conf:1: `from` is empty; at least 1 member would be right\n"
	         "t.conf:1: `may`: `some` is not known; "
	         "\"nothing\", \"zones\" or \"all\" would be right\n"
	         "t.conf:1: `rate`: `-1` is out of range; "
	         "a whole number from 0 to 1000000000 would be right\n"},
	};
	try_cases(cases, COUNT_OF(cases));
}

static void test_route53(void **state)
{
	static const struct try_case cases[] = {
		{"route53 = { };", ""},
		{"route53 = { interval = 2; };", ""},
		{"route53 = { interval = 10;\nmin_interval = 20; };",
	         "t.conf:2: `min_interval` (20) is longer than `interval` (10); "
	         "at most `interval` would be right\n"},
		{"route53 = {\npublic_fallback = [ \"a.b\" ]; };",
	         "t.conf:2: `public_fallback` without `public_resolver`; "
	         "addresses to ask there would be right\n"},
		{"route53 = { public_fallback = [ \"a.b\" ];\npublic_resolver = [ ]; };",
	         "t.conf:2: `public_resolver` is empty, but `public_fallback` is not; "
	         "addresses to ask would be right\n"},
	};
	try_cases(cases, COUNT_OF(cases));

	struct settings *settings = try_good("route53 = { interval = 2; };");
	assert_int_equal(settings->route53.min_interval_s, 2);
	settings_free(&settings);
}

static void test_cache(void **state)
{
	static const struct try_case cases[] = {
		{"cache = { min_ttl = 60; max_ttl = 60; };", ""},
		{"cache = { min_ttl = 61;\nmax_ttl = 60; };",
	         "t.conf:1: `min_ttl` (61) is over `max_ttl` (60); at most that would be right\n"},
	};
	try_cases(cases, COUNT_OF(cases));
}

static void test_peer(void **state)
{
	static const struct try_case cases[] = {
		{"peer = { name = \"a.b\"; };", ""},
		{"peer = { listen = [ \"10.0.0.1\" ]; certificate = \"/c\"; key = \"/k\"; ca = "
	         "\"/a\"; };",
	         ""},
		{"peer = { from = [ \"10.0.0.1\" ]; certificate = \"/c\"; key = \"/k\"; };",
	         "t.conf:1: `ca` is missing: a PEM file would be right\n"},
	};
	try_cases(cases, COUNT_OF(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),   cmocka_unit_test(test_domains_once),
		cmocka_unit_test(test_clients), cmocka_unit_test(test_route53),
		cmocka_unit_test(test_cache),   cmocka_unit_test(test_peer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
