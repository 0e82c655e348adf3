#include "try.h"

static void test_numbers(void **state)
{
	static const struct try_case cases[] = {
		{"workers = 256;", ""},
		{"workers = 0x10;", ""},
		{"workers = 16L;", ""},
		{"workers = -1;", "t.conf:1: `workers`: `-1` is out of range; "
	                          "a whole number from 0 to 256 would be right\n"},
		{"\n\nworkers = 257;", "t.conf:3: `workers`: `257` is out of range; "
	                               "a whole number from 0 to 256 would be right\n"},
		/* What an int or a 64-bit number cannot hold must not come out as another number. */
		{"workers = 4294967297;", "t.conf:1: `workers`: `4294967297` is out of range; "
	                                  "a whole number from 0 to 256 would be right\n"},
		{"workers = 0x100000001;", "t.conf:1: `workers`: `0x100000001` is out of range; "
	                                   "a whole number from 0 to 256 would be right\n"},
		{"workers = 18446744073709551617;",
	         "t.conf:1: `workers`: `18446744073709551617` is out of range; "
	         "a whole number from 0 to 256 would be right\n"},
		{"workers = 1.5;", "t.conf:1: `workers`: `1.5` is no whole number; "
	                           "a whole number from 0 to 256 would be right\n"},
		{"workers = \"4\";", "t.conf:1: `workers` is text; "
	                             "a whole number from 0 to 256 would be right\n"},
		{"workers = true;", "t.conf:1: `workers` is true or false; "
	                            "a whole number from 0 to 256 would be right\n"},
		{"workers = [ 1 ];", "t.conf:1: `workers` is a list; "
	                             "a whole number from 0 to 256 would be right\n"},
		{"workers = { };", "t.conf:1: `workers` is a group; "
	                           "a whole number from 0 to 256 would be right\n"},
		{"vpc_packet_rate = 0;", "t.conf:1: `vpc_packet_rate`: `0` is out of range; "
	                                 "a whole number from 1 to 1000000 would be right\n"},
		{"cache = { stale_after_ms = 1801; };",
	         "t.conf:1: `stale_after_ms`: `1801` is out of range; "
	         "a whole number from 0 to 1800 would be right\n"},
	};
	try_cases(cases, COUNT_OF(cases));
}

static void test_reals(void **state)
{
	static const struct try_case cases[] = {
		{"route53 = { rate = 3; };", ""},
		{"route53 = { rate = 1e2; };", ""},
		{"route53 = { rate = .5; };", ""},
		{"route53 = { rate = 1e999; };", "t.conf:1: `rate`: `1e999` is out of range; "
	                                         "a number from 0.01 to 1000 would be right\n"},
		{"route53 = { rate = -2.0; };", "t.conf:1: `rate`: `-2.0` is out of range; "
	                                        "a number from 0.01 to 1000 would be right\n"},
		{"route53 = { rate = 0; };", "t.conf:1: `rate`: `0` is out of range; "
	                                     "a number from 0.01 to 1000 would be right\n"},
		{"route53 = { rate = \"2\"; };", "t.conf:1: `rate` is text; "
	                                         "a number from 0.01 to 1000 would be right\n"},
	};
	try_cases(cases, COUNT_OF(cases));

	struct settings *settings = try_good("route53 = { rate = 3; };");
	assert_true(settings->route53.rate == 3.0);
	settings_free(&settings);
}

static void test_sizes(void **state)
{
	static const struct {
		const char *content;
		uint64_t size;
	} good[] = {
		{"cache = { size = \"64M\"; };", 64ULL << 20},
		{"cache = { size = \"2048K\"; };", 2ULL << 20},
		{"cache = { size = \"3g\"; };", 3ULL << 30},
		{"cache = { size = \"1048577\"; };", 1048577},
		{"cache = { size = 8000000000; };", 8000000000},
	};
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct settings *settings = try_good(good[i].content);
		assert_int_equal(settings->cache.size, good[i].size);
		settings_free(&settings);
	}

#define SIZE_LIKE "a size from 1M to 1024G, such as 67108864 or \"64M\", would be right\n"
	static const struct try_case cases[] = {
		{"cache = { size = \"64X\"; };", "t.conf:1: `size`: `64X` is no size; " SIZE_LIKE},
		{"cache = { size = \"64MB\"; };",
	         "t.conf:1: `size`: `64MB` is no size; " SIZE_LIKE},
		{"cache = { size = \"M\"; };", "t.conf:1: `size`: `M` is no size; " SIZE_LIKE},
		{"cache = { size = \"\"; };", "t.conf:1: `size`: `` is no size; " SIZE_LIKE},
		{"cache = { size = \"-1M\"; };", "t.conf:1: `size`: `-1M` is no size; " SIZE_LIKE},
		{"cache = { size = \"1K\"; };",
	         "t.conf:1: `size`: `1K` is out of range; " SIZE_LIKE},
		{"cache = { size = 5; };", "t.conf:1: `size`: `5` is out of range; " SIZE_LIKE},
		{"cache = { size = \"99999999999999999999G\"; };",
	         "t.conf:1: `size`: `99999999999999999999G` is no size; " SIZE_LIKE},
		{"cache = { size = \"9999999999G\"; };",
	         "t.conf:1: `size`: `9999999999G` is no size; " SIZE_LIKE},
		{"cache = { size = 64.5; };", "t.conf:1: `size` is a number; " SIZE_LIKE},
		{"cache = { size = 64M; };", "t.conf:1: `64M` is neither number nor true or false; "
	                                     "text stands in quotes: \"64M\"\n"},
	};
	try_cases(cases, COUNT_OF(cases));
}

static void test_words_and_switches(void **state)
{
	static const struct try_case cases[] = {
		{"cache = { persist = FALSE; }; log = { queries = True; level = \"debug\"; };", ""},
		{"log = { queries = 1; };",
	         "t.conf:1: `queries` is a number; true or false would be right\n"},
		{"log = { queries = \"true\"; };",
	         "t.conf:1: `queries` is text; true or false would be right\n"},
		{"log = { level = \"loud\"; };",
	         "t.conf:1: `level`: `loud` is not known; "
	         "\"error\", \"warn\", \"notice\", \"info\" or \"debug\" would be right\n"},
		{"log = { level = 3; };",
	         "t.conf:1: `level` is a number; "
	         "\"error\", \"warn\", \"notice\", \"info\" or \"debug\" would be right\n"},
	};
	try_cases(cases, COUNT_OF(cases));
}

static void test_texts(void **state)
{
#define VPC_LIKE "\"auto\", a VPC id such as \"vpc-0123456789abcdef0\", or \"\", would be right\n"
#define URL_LIKE "a URL such as \"https://host.example/path\", or \"\", would be right\n"
	static const struct try_case cases[] = {
		{"route53 = { vpc = \"\"; region = \"us-gov-west-1\"; endpoint = \"\"; };", ""},
		{"route53 = { vpc = \"vpc-0a1b2c3d\"; endpoint = \"http://127.0.0.1:8080\"; };",
	         ""},
		{"route53 = { vpc = \"10.0.0.0/16\"; };",
	         "t.conf:1: `vpc`: `10.0.0.0/16` cannot be; " VPC_LIKE},
		{"route53 = { region = \"Frankfurt\"; };",
	         "t.conf:1: `region`: `Frankfurt` cannot be; "
	         "\"auto\" or a region such as \"eu-central-1\" would be right\n"},
		{"route53 = { endpoint = \"host.example\"; };",
	         "t.conf:1: `endpoint`: `host.example` cannot be; " URL_LIKE},
		{"route53 = { queue = \"https:///x\"; };",
	         "t.conf:1: `queue`: `https:///x` cannot be; " URL_LIKE},
		{"user = \"no such user\";", "t.conf:1: `user`: `no such user` cannot be; "
	                                     "a user of this machine, or \"\", would be right\n"},
		{"user = \"root\";", ""},
		{"version = 3;",
	         "t.conf:1: `version` is a number; text of at most 255 bytes would be right\n"},
		{"control = \"/tmp/012345678901234567890123456789012345678901234567890123456789"
	         "0123456789012345678901234567890123456789012\";",
	         "t.conf:1: `control`: "
	         "`/tmp/0123456789012345678901234567890123456789012345678901234"
	         "56789012345678901234567890...` cannot be; "
	         "the name of a socket of at most 107 bytes, or \"\", would be right\n"},
		/* What someone put in a file never makes a second line of a fault. */
		{"route53 = { region = \"a\\nb\\x1b[2J\"; };",
	         "t.conf:1: `region`: `a\\nb\\x1b[2J` cannot be; "
	         "\"auto\" or a region such as \"eu-central-1\" would be right\n"},
	};
	try_cases(cases, COUNT_OF(cases));
}

static void test_addresses(void **state)
{
#define METRICS_LIKE "an address with port such as \"127.0.0.1:9153\", or \"\", would be right\n"
	static const struct try_case cases[] = {
		{"metrics = { listen = \"\"; };", ""},
		{"metrics = { listen = \"[::1]:9000\"; };", ""},
		{"metrics = { listen = \"localhost:9000\"; };",
	         "t.conf:1: `listen`: `localhost:9000` is no address; " METRICS_LIKE},
		{"metrics = { listen = \"127.0.0.1:70000\"; };",
	         "t.conf:1: `listen`: `127.0.0.1:70000` is no address; " METRICS_LIKE},
		{"metrics = { listen = \"127.0.0.1:0\"; };",
	         "t.conf:1: `listen`: `127.0.0.1:0` names port 0; " METRICS_LIKE},
		{"metrics = { listen = \"10.0.0.0/8\"; };",
	         "t.conf:1: `listen`: `10.0.0.0/8` is a CIDR; " METRICS_LIKE},
		{"metrics = { listen = 9153; };", "t.conf:1: `listen` is a number; " METRICS_LIKE},
		{"listen = [ \"127.0.0.1:5300\" ]; metrics = { listen = \"127.0.0.1:5300\"; };",
	         "t.conf:1: `metrics.listen` is an address of `listen`; "
	         "another port would be right\n"},
	};
	try_cases(cases, COUNT_OF(cases));
}

static void test_probes(void **state)
{
#define RULE(rest)                                                                                 \
	"rules = ( { type = \"FORWARD\"; domains = [ \"a.b\" ]; targets = [ \"10.0.0.1\" ]; " rest \
	" } );"
#define PROBE_LIKE "a name and a type such as \"corp.example.com SOA\" would be right\n"
	static const struct try_case cases[] = {
		{RULE("probe = \"\";"), ""},
		{RULE("probe = \"a.b SOA\";"), ""},
		{RULE("probe = \". \\tTYPE65280\";"), ""},
		{RULE("probe = \"a.b\";"), "t.conf:1: `probe`: `a.b` cannot be; " PROBE_LIKE},
		{RULE("probe = \"a.b SAO\";"),
	         "t.conf:1: `probe`: `a.b SAO` cannot be; " PROBE_LIKE},
		{RULE("probe = \"a.b ANY\";"),
	         "t.conf:1: `probe`: `a.b ANY` cannot be; " PROBE_LIKE},
		{RULE("probe = \" SOA\";"), "t.conf:1: `probe`: ` SOA` cannot be; " PROBE_LIKE},
		{RULE("probe = \"a..b SOA\";"),
	         "t.conf:1: `a..b` is no name; labels of 1 to 63 bytes with dots between, "
	         "255 bytes in all, would be right\n"},
	};
	try_cases(cases, COUNT_OF(cases));

	struct settings *settings = try_good(RULE("probe = \"Corp.Example MX\";"));
	const struct settings_rule *rule = &settings->rules[0];
	assert_memory_equal(rule->probe_name, "\4corp\7example", 14);
	assert_int_equal(rule->probe_type, 15);
	settings_free(&settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_reals),
		cmocka_unit_test(test_sizes),   cmocka_unit_test(test_words_and_switches),
		cmocka_unit_test(test_texts),   cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_probes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
