#include "try.h"

#define ADDR_LIKE       "an address such as \"10.0.0.2\" or \"[fd00::2]:53\" would be right\n"
#define CIDR_LIKE       "a CIDR such as \"10.0.0.0/16\" would be right\n"
#define SYSTEM(domains) "rules = ( { type = \"SYSTEM\"; domains = [ " domains " ]; } );"

static void test_addresses(void **state)
{
	static const struct try_case cases[] = {
		{"listen = [ \"0.0.0.0\", \"[::]:5300\", \"fd00::1\", \"10.0.0.1:5300\" ];", ""},
		{"listen = [ ];",
	         "t.conf:1: `listen` is empty; at least 1 member would be right\n"},
		{"vpc_resolver = [ ];",
	         "t.conf:1: `vpc_resolver` is empty; at least 1 member would be right\n"},
		{"listen = [ \"1.2.3\",\n\"1.2.3.4:0\",\n\"[::1]\",\n\"::1:\",\n\"\",\n\"eth0\" ];",
	         "t.conf:1: `listen`: `1.2.3` is no address; " ADDR_LIKE
	         "t.conf:2: `listen`: `1.2.3.4:0` names port 0; " ADDR_LIKE
	         "t.conf:3: `listen`: `[::1]` is no address; " ADDR_LIKE
	         "t.conf:4: `listen`: `::1:` is no address; " ADDR_LIKE
	         "t.conf:5: `listen`: `` is no address; " ADDR_LIKE
	         "t.conf:6: `listen`: `eth0` is no address; " ADDR_LIKE},
		{"listen = [ \"127.0.0.1\",\n\"127.0.0.1:53\" ];",
	         "t.conf:2: `127.0.0.1:53` is listed twice (first at t.conf:1); "
	         "once would be right\n"},
	};
	try_cases(cases, COUNT_OF(cases));

	struct settings *settings = try_good("listen = [ \"10.0.0.1\", \"[fd00::1]:5300\" ];");
	char buf[ADDR_TEXT_MAX];
	assert_int_equal(settings->listen.count, 2);
	assert_string_equal(addr_text(&settings->listen.items[0], buf), "10.0.0.1:53");
	assert_string_equal(addr_text(&settings->listen.items[1], buf), "[fd00::1]:5300");
	settings_free(&settings);
}

static void test_too_many(void **state)
{
	struct text content;
	text_init(&content, 0);
	text_addf(&content, "vpc_resolver = [ \"10.0.0.1\"");
	for (int i = 2; i <= 33; i++) {
		text_addf(&content, ", \"10.0.0.%d\"", i);
	}
	text_addf(&content, " ];");
	const struct try_case one = {
		text_get(&content),
		"t.conf:1: `vpc_resolver` has 33 members; at most 32 would be right\n"};
	try_cases(&one, 1);
	text_fini(&content);
}

static void test_prefixes(void **state)
{
	static const struct try_case cases[] = {
		{"vpc_cidrs = [ \"10.0.0.0/16\", \"fd00::/8\", \"10.1.0.1\", \"0.0.0.0/0\" ];", ""},
		{"vpc_cidrs = [ \"10.0.1.0/16\",\n\"fd00::1/8\",\n\"10.255.255.255/9\" ];",
	         "t.conf:1: `10.0.1.0/16` has host bits set; \"10.0.0.0/16\" would be right\n"
	         "t.conf:2: `fd00::1/8` has host bits set; \"fd00::/8\" would be right\n"
	         "t.conf:3: `10.255.255.255/9` has host bits set; "
	         "\"10.128.0.0/9\" would be right\n"},
		{"vpc_cidrs = [ \"10.0.0.0/33\",\n\"10.0.0/8\",\n\"x\",\n\"10.0.0.0/\",\n"
	         "\"fd00::/129\" ];",
	         "t.conf:1: `vpc_cidrs`: `10.0.0.0/33` is no CIDR; " CIDR_LIKE
	         "t.conf:2: `vpc_cidrs`: `10.0.0/8` is no CIDR; " CIDR_LIKE
	         "t.conf:3: `vpc_cidrs`: `x` is no CIDR; " CIDR_LIKE
	         "t.conf:4: `vpc_cidrs`: `10.0.0.0/` is no CIDR; " CIDR_LIKE
	         "t.conf:5: `vpc_cidrs`: `fd00::/129` is no CIDR; " CIDR_LIKE},
		{"vpc_cidrs = [ \"10.0.0.0/8\", \"10.0.0.0/8\" ];",
	         "t.conf:1: `10.0.0.0/8` is listed twice (first at t.conf:1); "
	         "once would be right\n"},
	};
	try_cases(cases, COUNT_OF(cases));
}

static void test_ids(void **state)
{
#define ZONE_LIKE "a zone id such as \"Z0123456789ABCDEFGHIJ\" would be right\n"
	static const struct try_case cases[] = {
		{"route53 = { zones = [ \"Z0PRIVATE\", \"/hostedzone/Z1\" ]; };", ""},
		{"route53 = { zones = [ \"corp.example.com\",\n\"z1\",\n\"\",\n\"/hostedzone/\" ]; "
	         "};",
	         "t.conf:1: `zones`: `corp.example.com` cannot be; " ZONE_LIKE
	         "t.conf:2: `zones`: `z1` cannot be; " ZONE_LIKE
	         "t.conf:3: `zones`: `` cannot be; " ZONE_LIKE
	         "t.conf:4: `zones`: `/hostedzone/` cannot be; " ZONE_LIKE},
		{"route53 = { zones = [ \"Z1\",\n\"/hostedzone/Z1\" ]; };",
	         "t.conf:2: `Z1` is listed twice (first at t.conf:1); once would be right\n"},
		{"route53 = { roles = ( { role_arn = \"arn:aws-cn:iam::111122223333:role/a/b\";\n"
	         "accounts = [ \"1111\" ]; zones = [ \"x\" ]; external_id = \"x\"; } ); };",
	         "t.conf:2: `accounts`: `1111` cannot be; "
	         "an account of 12 digits such as \"111122223333\" would be right\n"
	         "t.conf:2: `zones`: `x` cannot be; " ZONE_LIKE
	         "t.conf:2: `external_id`: `x` cannot be; "
	         "text of 2 to 1224 letters, digits and +=,.@:/-_ would be right\n"},
		{"route53 = { roles = ( { role_arn = \"arn:aws:iam::1111:role/a\"; } ); };",
	         "t.conf:1: `role_arn`: `arn:aws:iam::1111:role/a` cannot be; a role such as "
	         "\"arn:aws:iam::111122223333:role/NAME\" would be right\n"},
	};
	try_cases(cases, COUNT_OF(cases));

	struct settings *settings = try_good("route53 = { zones = [ \"/hostedzone/Z1\" ]; };");
	assert_string_equal(settings->route53.zones.items[0], "Z1");
	settings_free(&settings);
}

static void test_names(void **state)
{
#define NAME_LIKE \
	"a name such as \"corp.example.com\" or a CIDR such as \"10.0.0.0/8\" would be right\n"
	static const struct try_case cases[] = {
		{SYSTEM("\"a.example\", \"b.example.\", \"_x._tcp.c\", \".\", "
	                "\"0/25.2.0.192.in-addr.arpa\""),
	         ""},
		{SYSTEM("\"*.a.example\""),
	         "t.conf:1: `*.a.example` is a wildcard, but all names below are meant anyway; "
	         "the name without `*.` would be right\n"},
		{SYSTEM("\"10.0.0.2\""),
	         "t.conf:1: `10.0.0.2` is an address, not a name; "
	         "a name or a CIDR such as \"10.0.0.2/32\" would be right\n"},
		{SYSTEM("\"a b\""), "t.conf:1: `a b` is no name; "
	                            "letters, digits, `-`, `_` and dots would be right\n"},
		{SYSTEM("\"b\303\274ro.example\""),
	         "t.conf:1: `b\303\274ro.example` is not plain ASCII; "
	         "its form in letters and digits (xn--...) would be right\n"},
		{SYSTEM("\"a..b\",\n\"\",\n\".a\""),
	         "t.conf:1: `a..b` is no name; labels of 1 to 63 bytes with dots between, "
	         "255 bytes in all, would be right\n"
	         "t.conf:2: `` is no name; labels of 1 to 63 bytes with dots between, "
	         "255 bytes in all, would be right\n"
	         "t.conf:3: `.a` is no name; labels of 1 to 63 bytes with dots between, "
	         "255 bytes in all, would be right\n"},
		{SYSTEM("\"10.1.0.0/8\""),
	         "t.conf:1: `10.1.0.0/8` has host bits set; \"10.0.0.0/8\" would be right\n"},
		{SYSTEM("\"10.0.0.0/99\""),
	         "t.conf:1: `domains`: `10.0.0.0/99` is no CIDR; " NAME_LIKE},
		{"route53 = { public_fallback = [ \"10.0.0.0\" ];\npublic_resolver = [ \"1.1.1.1\" "
	         "]; };",
	         "t.conf:1: `10.0.0.0` is an address, not a name; a name would be right\n"},
	};
	try_cases(cases, COUNT_OF(cases));
}

static void test_cidrs_become_zones(void **state)
{
	static const struct {
		const char *content;
		const char *first;
		const char *last;
		size_t count;
	} cases[] = {
		{SYSTEM("\"10.0.0.0/8\""), "10.in-addr.arpa.", "10.in-addr.arpa.", 1},
		{SYSTEM("\"172.16.0.0/12\""), "16.172.in-addr.arpa.", "31.172.in-addr.arpa.", 16},
		{SYSTEM("\"192.0.2.128/25\""), "128.2.0.192.in-addr.arpa.",
	         "255.2.0.192.in-addr.arpa.", 128},
		{SYSTEM("\"fd00::/8\""), "d.f.ip6.arpa.", "d.f.ip6.arpa.", 1},
		{SYSTEM("\"0.0.0.0/0\""), "in-addr.arpa.", "in-addr.arpa.", 1},
		{SYSTEM("\"Corp.EXAMPLE\""), "corp.example.", "corp.example.", 1},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct settings *settings = try_good(cases[i].content);
		const struct settings_rule *rule = &settings->rules[0];
		char buf[DNS_NAME_TEXT_MAX];
		assert_int_equal(rule->domain_count, cases[i].count);
		assert_string_equal(dns_name_text(rule->domains[0].name, buf), cases[i].first);
		assert_string_equal(dns_name_text(rule->domains[rule->domain_count - 1].name, buf),
		                    cases[i].last);
		settings_free(&settings);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_prefixes),  cmocka_unit_test(test_ids),
		cmocka_unit_test(test_names),     cmocka_unit_test(test_cidrs_become_zones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
