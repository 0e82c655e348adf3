#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fail.h"
#include "base/text.h"
#include "config/records.h"
#include "config/template.h"
#include <stdio.h>
#include <string.h>

static const char example[] =
	"state_dir = \"/var/lib/horizon-aws\";\n"
	"fleet = \"web\";\n"
	"tags = { Project = \"shop\"; };\n"
	"records = (\n"
	"{ zone = \"Z0PRIVATE\"; private = true; name = \"{instance_id}.web.corp.example\"; "
	"type = \"A\"; values = [ \"{private_ipv4}\" ]; },\n"
	"{ zone = \"/hostedzone/Z0PUBLIC\"; private = false; name = "
        "\"{instance_id}.web.example.com\"; "
	"type = \"A\"; values = [ \"{public_ipv4}\" ]; ttl = 30; mark = \"txt\"; });\n"
	"sweep = { apply = true; max_share = 10; };\n";

static void test_example(void **state)
{
	struct records_settings *settings = NULL;
	struct text faults;
	text_init(&faults, 0);
	assert_int_equal(records_settings_load_bytes("records.conf", example, strlen(example),
	                                             &settings, &faults),
	                 0);
	assert_string_equal(settings->fleet, "web");
	assert_int_equal(settings->tags.count, 1);
	assert_string_equal(settings->tags.items[0].value, "shop");
	assert_int_equal(settings->record_count, 2);
	assert_true(settings->records[0].keep_on_stop);
	assert_int_equal(settings->records[0].ttl_s, 60);
	assert_string_equal(settings->records[1].zone, "Z0PUBLIC");
	assert_false(settings->records[1].keep_on_stop);
	assert_int_equal(settings->records[1].mark, RECORDS_MARK_TXT);
	assert_int_equal(settings->records[1].place.line, 6);
	assert_true(settings->sweep.apply);
	assert_int_equal(settings->sweep.max_share, 10);
	assert_int_equal(settings->sweep.max_number, 20);
	records_settings_free(&settings);
	text_fini(&faults);
}

#define RECORD(text)                                                                              \
	"fleet = \"web\"; records = ( { zone = \"Z1\"; private = true; type = \"A\"; " text " } " \
	                                                                                    ");"
#define VALUES "values = [ \"{private_ipv4}\" ];"

static void test_faults(void **state)
{
	static const struct {
		const char *conf;
		const char *told;
	} cases[] = {
		{"flet = \"web\";", "did you mean `fleet`"},
		{"fleet = \"Web\";", "small letters"},
		{"records = ( { zone = \"Z1\"; private = true; type = \"A\"; name = "
	         "\"a.b\"; " VALUES " } );",
	         "without `fleet`"},
		{RECORD("name = \"{instance}.corp.example\"; " VALUES),
	         "there is no value {instance}"},
		{RECORD("name = \"{instance_id.corp.example\"; " VALUES), "a brace without"},
		{RECORD("name = \"a..b\"; " VALUES), "is no name"},
		{RECORD("name = \"*.corp.example\"; " VALUES), "wildcard"},
		{RECORD("name = "
	                "\"{az}-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
	                "b\"; " VALUES),
	         "is no name"},
		{RECORD("name = \"a.b\"; values = [ \"10.0.0.256\" ];"), "no value of type A"},
		{RECORD("name = \"a.b\"; values = [ ];"), "`values`"},
		{RECORD("name = \"a.b\"; colour = 1; " VALUES), "unknown key `colour` in a record"},
		{"fleet = \"web\"; records = ( { zone = \"Z1\"; type = \"A\"; name = "
	         "\"a.b\"; " VALUES " } );",
	         "without `private`"},
		{"fleet = \"web\"; records = ( { zone = \"Z1\"; private = true; type = \"CNAME\"; "
	         "name = \"a.b\"; "
	         "values = [ \"{az}.b\" ]; } );",
	         "a CNAME cannot be multivalue"},
		{"fleet = \"web\"; records = ( { zone = \"Z1\"; private = true; type = \"A\"; name "
	         "= \"a.b\"; " VALUES " }, "
	         "{ zone = \"Z1\"; private = false; type = \"TXT\"; name = \"a.b\"; values = [ "
	         "\"x\" ]; } );",
	         "private and public"},
		{"fleet = \"web\"; records = ( { zone = \"Z1\"; private = true; type = \"A\"; name "
	         "= \"a.b\"; mark = \"txt\"; " VALUES
	         " }, { zone = \"Z1\"; private = true; type = \"AAAA\"; name = \"A.b\"; mark = "
	         "\"txt\"; values = [ \"{ipv6}\" ]; } );",
	         "cannot stand for both"},
		{"fleet = \"web\"; sweep = { max_share = 101; };", "out of range"},
		{"tags = { Project = 3; };", "`tags`"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct records_settings *settings = NULL;
		struct text faults;
		text_init(&faults, 0);
		assert_int_equal(records_settings_load_bytes("records.conf", cases[i].conf,
		                                             strlen(cases[i].conf), &settings,
		                                             &faults),
		                 FAIL_FORMAT);
		if (strstr(text_get(&faults), cases[i].told) == NULL ||
		    strncmp(text_get(&faults), "records.conf:1: ", 16) != 0) {
			fail_msg("%s\n%s", cases[i].conf, text_get(&faults));
		}
		text_fini(&faults);
	}
}

static const char *value(void *ctx, const char *name)
{
	return strcmp(name, "instance_id") == 0 ? "i-1"
	       : strcmp(name, "tag:Name") == 0  ? "shop"
	                                        : NULL;
}

static void test_template(void **state)
{
	char buf[32];
	char why[64];
	assert_int_equal(template_fill("{instance_id}.{tag:Name}.x", value, NULL, buf, sizeof(buf),
	                               why, sizeof(why)),
	                 0);
	assert_string_equal(buf, "i-1.shop.x");
	assert_int_equal(template_fill("a{ipv6}", value, NULL, buf, sizeof(buf), why, sizeof(why)),
	                 FAIL_NOTFOUND);
	assert_string_equal(why, "ipv6");
	assert_int_equal(template_fill("{instance_id}", value, NULL, buf, 3, why, sizeof(why)),
	                 FAIL_LIMIT);
	assert_int_equal(template_fill("}", value, NULL, buf, sizeof(buf), why, sizeof(why)),
	                 FAIL_FORMAT);
	assert_true(template_check("{private_ipv4:1} {ipv6:eni-0a1b} {mac:0}", why, sizeof(why)));
	assert_false(template_check("{instance_id:1}", why, sizeof(why)));
	assert_false(template_check("{tag:}", why, sizeof(why)));
	assert_false(template_check("{private_ipv4:eth0}", why, sizeof(why)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_template),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
