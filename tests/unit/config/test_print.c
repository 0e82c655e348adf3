#include "try.h"

static void print(const char *content, struct text *ret_text)
{
	struct settings *settings = try_good(content);
	text_init(ret_text, 0);
	settings_print(settings, ret_text);
	settings_free(&settings);
}

/* What is printed says all, and reads back as the same. */
static void round_trip(const char *content)
{
	struct text first;
	struct text second;
	print(content, &first);
	print(text_get(&first), &second);
	assert_string_equal(text_get(&first), text_get(&second));

	struct settings *before = try_good(content);
	struct settings *after = try_good(text_get(&first));
	struct text lines;
	text_init(&lines, 0);
	assert_int_equal(settings_diff(before, after, &lines), 0);
	assert_string_equal(text_get(&lines), "");
	settings_free(&before);
	settings_free(&after);
	text_fini(&lines);
	text_fini(&first);
	text_fini(&second);
}

static void test_round_trips(void **state)
{
	round_trip("");
	round_trip("route53 = { };");
	round_trip("route53 = { rate = 0.1; zones = [ \"/hostedzone/Z1\" ]; interval = 2;\n"
	           "public_fallback = [ \"Corp.Example.\", \".\" ]; public_resolver = [ "
	           "\"fd00::1\" ];\n"
	           "roles = ( { role_arn = \"arn:aws:iam::111122223333:role/x\"; external_id = "
	           "\"a@b\";\n"
	           "accounts = [ \"111122223333\" ]; zones = [ \"Z2\" ]; } ); };");
	round_trip(
		"rules = ( { type = \"FORWARD\"; domains = [ \"a.b\", \"172.16.0.0/12\", \".\" ];\n"
		"targets = [ \"10.0.0.1\", \"[fd00::1]:54\" ]; policy = \"spread\"; source = "
		"\"fd00::2\";\n"
		"probe = \"x\\\\\\\\032y.example TYPE99\"; tls = \"a.b\"; } );");
	round_trip("clients = ( { from = [ \"10.0.0.0/8\", \"fd00::/8\" ]; may = \"zones\"; rate = "
	           "9; } );");
	round_trip("version = \"a\\\"b\\\\c\\x01d\\n\"; server_id = \"caf\303\251\"; state_dir = "
	           "\"\";");
	round_trip("cookie_secrets = [ \"00112233445566778899aAbBcCdDeEfF\", "
	           "\"ffffffffffffffffffffffffffffffff\" ];");
	round_trip("cache = { size = 1048577; persist = false; }; metrics = { listen = \"\"; };\n"
	           "log = { level = \"debug\"; queries = true; }; control = \"\";\n"
	           "parity = { enabled = true; rate = 0.25; fallback = true; };"
	           "peer = { listen = [ \"10.0.0.1\" ]; from = [ \"10.0.0.2:1\" ]; name = \"f\";"
	           "certificate = \"/c\"; key = \"/k\"; ca = \"/a\"; };");
}

static void test_default_text(void **state)
{
	struct text text;
	print("", &text);
	assert_string_equal(text_get(&text), "listen = [ \"127.0.0.1:53\", \"[::1]:53\" ];\n"
	                                     "workers = 0;\n"
	                                     "user = \"\";\n"
	                                     "state_dir = \"/var/lib/horizond\";\n"
	                                     "include_dir = \"\";\n"
	                                     "vpc_resolver = [ \"169.254.169.253:53\" ];\n"
	                                     "vpc_packet_rate = 900;\n"
	                                     "vpc_cidrs = [ ];\n"
	                                     "version = \"\";\n"
	                                     "server_id = \"\";\n"
	                                     "cookie_secrets = [ ];\n"
	                                     "# route53: none\n"
	                                     "zone_files = [ ];\n"
	                                     "rules = ( );\n"
	                                     "# clients: none, so the default table\n"
	                                     "cache = {\n"
	                                     "\tsize = \"64M\";\n"
	                                     "\tmin_ttl = 0;\n"
	                                     "\tmax_ttl = 86400;\n"
	                                     "\tmax_negative_ttl = 60;\n"
	                                     "\tserve_stale = 86400;\n"
	                                     "\tstale_after_ms = 800;\n"
	                                     "\tpersist = true;\n"
	                                     "};\n"
	                                     "tcp = {\n"
	                                     "\tmax_connections = 10000;\n"
	                                     "\tmax_per_client = 100;\n"
	                                     "\tidle = 10;\n"
	                                     "};\n"
	                                     "tls = {\n"
	                                     "\tlisten = [ ];\n"
	                                     "\tcertificate = \"\";\n"
	                                     "\tkey = \"\";\n"
	                                     "};\n"
	                                     "parity = {\n"
	                                     "\tenabled = false;\n"
	                                     "\trate = 1.0;\n"
	                                     "\tfallback = false;\n"
	                                     "};\n"
	                                     "peer = {\n"
	                                     "\tlisten = [ ];\n"
	                                     "\tfrom = [ ];\n"
	                                     "\tname = \"horizond\";\n"
	                                     "\tcertificate = \"\";\n"
	                                     "\tkey = \"\";\n"
	                                     "\tca = \"\";\n"
	                                     "};\n"
	                                     "metrics = {\n"
	                                     "\tlisten = \"127.0.0.1:9153\";\n"
	                                     "};\n"
	                                     "control = \"/run/horizond/control\";\n"
	                                     "log = {\n"
	                                     "\tlevel = \"info\";\n"
	                                     "\tqueries = false;\n"
	                                     "};\n");
	text_fini(&text);
}

/* The printed text stands for itself: rules of include_dir are in it once. */
static void test_include_dir_is_merged(void **state)
{
	char folder[64];
	try_enter_folder(folder, sizeof(folder));
	mkdir("conf.d", 0755);
	try_write("main.conf", "include_dir = \"conf.d\";");
	try_write("conf.d/1.conf", "rules = ( { type = \"SYSTEM\"; domains = [ \"a.b\" ]; } );");
	struct settings *settings = NULL;
	struct text text;
	text_init(&text, 0);
	assert_int_equal(settings_load("main.conf", &settings, &text), 0);
	settings_print(settings, &text);
	struct settings *again = try_good(text_get(&text));
	assert_int_equal(again->rule_count, 1);
	struct text lines;
	text_init(&lines, 0);
	assert_int_equal(settings_diff(settings, again, &lines), 0);
	settings_free(&settings);
	settings_free(&again);
	text_fini(&text);
	text_fini(&lines);
	try_leave_folder(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_default_text),
		cmocka_unit_test(test_include_dir_is_merged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
