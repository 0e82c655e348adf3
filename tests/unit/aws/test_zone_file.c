#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/zone_list.h"
#include "base/fail.h"
#include "base/text.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/horizon-zone-file-XXXXXX";
static char path[128];
static char err[256];

struct seen {
	struct text text;
	unsigned int sets;
	int refuse;
};

static int on_set(void *ctx, const struct aws_record_set *set)
{
	struct seen *seen = ctx;
	struct text *out = &seen->text;
	seen->sets++;
	text_addf(out, "%s %s", set->name, set->type);
	text_addf(out, "%s%s", set->set_identifier ? " id=" : "",
	          set->set_identifier ? set->set_identifier : "");
	if (set->has_ttl) {
		text_addf(out, " ttl=%u", set->ttl_s);
	}
	if (set->has_weight) {
		text_addf(out, " weight=%u", set->weight);
	}
	if (set->alias_name != NULL) {
		text_addf(out, " alias=%s/%s%s", set->alias_zone_id, set->alias_name,
		          set->alias_evaluate_health ? " health" : "");
	}
	if (set->geo_country != NULL) {
		text_addf(out, " geo=%s/%s", set->geo_country,
		          set->geo_subdivision ? set->geo_subdivision : "");
	}
	text_addf(out, "%s%s%s", set->multivalue ? " multi" : "", set->has_cidr ? " cidr" : "",
	          set->has_geoproximity ? " near" : "");
	if (set->proximity_latitude != NULL) {
		text_addf(out, "=%s,%s bias=%d", set->proximity_latitude, set->proximity_longitude,
		          set->proximity_bias);
	}
	for (size_t i = 0; i < set->value_count; i++) {
		text_addf(out, " [%s]", set->values[i]);
	}
	text_addf(out, "\n");
	return seen->refuse;
}

static void write_file(const char *text, size_t size)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static int read_text(const char *text, struct seen *seen)
{
	write_file(text, strlen(text));
	text_init(&seen->text, 0);
	err[0] = '\0';
	return aws_zone_file_read(path, on_set, seen, err, sizeof(err));
}

static void test_saved_output(void **state)
{
	struct seen seen = {0};
	assert_int_equal(
		read_text("{\n"
	                  "    \"ResourceRecordSets\": [\n"
	                  "        {\"Name\": \"\\\\052.corp.example.\", \"Type\": \"A\", "
	                  "\"TTL\": 60, \"ResourceRecords\": [{\"Value\": \"10.0.0.1\"}, "
	                  "{\"Value\": \"10.0.0.2\"}]},\n"
	                  "        {\"Name\": \"t.\", \"Type\": \"TXT\", \"TTL\": 0,\n"
	                  "         \"ResourceRecords\": [{\"Value\": \"\\\"a\\\\344 b\\\"\"}]},\n"
	                  "        {\"Name\": \"app.\", \"Type\": \"A\", \"SetIdentifier\": "
	                  "\"blue\", \"Weight\": 10, \"AliasTarget\": {\"HostedZoneId\": \"Z0\", "
	                  "\"DNSName\": \"be.\", \"EvaluateTargetHealth\": true}},\n"
	                  "        {\"Name\": \"g.\", \"Type\": \"A\", \"GeoLocation\": "
	                  "{\"CountryCode\": \"US\", \"SubdivisionCode\": \"CA\"}, "
	                  "\"MultiValueAnswer\": true, \"CidrRoutingConfig\": {}, "
	                  "\"GeoProximityLocation\": {\"Bias\": -5, \"Coordinates\": "
	                  "{\"Latitude\": \"1.5\", \"Longitude\": \"2\"}}, \"Newer\": [1, {\"a\": "
	                  "2}], "
	                  "\"Region\": null}\n"
	                  "    ],\n"
	                  "    \"IsTruncated\": false, \"MaxItems\": \"100\", "
	                  "\"NextToken\": null, \"Number\": -1.5e3\n"
	                  "}\n",
	                  &seen),
		0);
	assert_string_equal(text_get(&seen.text),
	                    "\\052.corp.example. A ttl=60 [10.0.0.1] [10.0.0.2]\n"
	                    "t. TXT ttl=0 [\"a\\344 b\"]\n"
	                    "app. A id=blue weight=10 alias=Z0/be. health\n"
	                    "g. A geo=US/CA multi cidr near=1.5,2 bias=-5\n");
	text_fini(&seen.text);
}

static void test_no_sets(void **state)
{
	struct seen seen = {0};
	assert_int_equal(read_text("{\"ResourceRecordSets\":[]}", &seen), 0);
	assert_int_equal(seen.sets, 0);
	text_fini(&seen.text);
}

static void check_fault(const char *text, const char *where)
{
	struct seen seen = {0};
	char wanted[320];
	snprintf(wanted, sizeof(wanted), "%s:%s", path, where);
	assert_int_equal(read_text(text, &seen), FAIL_FORMAT);
	if (strncmp(err, wanted, strlen(wanted)) != 0) {
		fail_msg("`%s` does not begin with `%s`", err, wanted);
	}
	text_fini(&seen.text);
}

static void test_faults_have_lines(void **state)
{
	check_fault("", "1: `{` expected");
	check_fault("[]", "1: `{` expected");
	check_fault("{}", "1: no `ResourceRecordSets`");
	check_fault("{\n\"ResourceRecordSets\": {}}", "2: `[` expected");
	check_fault("{\n\"ResourceRecordSets\" []}", "2: `:` expected");
	check_fault("{\n\"ResourceRecordSets\": [\n{\"Name\": \"a.\",\n\"Type\" \"A\"}]}", "4: ");
	check_fault("{\"ResourceRecordSets\": [\n\n{\"Name\": \"a.\"}]}",
	            "3: set `a.` ?: Type is missing");
	check_fault("{\"ResourceRecordSets\": [\n7]}", "2: a record set that is not");
	check_fault("{\"ResourceRecordSets\": [\n{\"Name\":\"a.\",\"Type\":\"A\"}\n{}]}",
	            "3: `]` expected or a comma");
	check_fault("{\"ResourceRecordSets\": [{\"Name\":\"a.\",\"Type\":\"A\"}",
	            "1: `]` expected");
	check_fault("{\"ResourceRecordSets\": []", "1: `}` expected");
	check_fault("{\"ResourceRecordSets\": []}\n{}", "2: more text");
	check_fault("{\"ResourceRecordSets\": [],\n\"ResourceRecordSets\": []}", "2: `Resource");
	check_fault("{\"a\": 1,\n 7: 2}", "2: a name expected");
}

static void test_faults_inside_sets(void **state)
{
#define FAULT(members, what)                                                                      \
	check_fault("{\"ResourceRecordSets\": [\n{\"Name\":\"a.\",\"Type\":\"A\"," members "}]}", \
	            "2: set `a.` A: " what)
	FAULT("\"TTL\":\"60\"", "TTL is not a whole number");
	FAULT("\"TTL\":-1", "TTL is not a whole number");
	FAULT("\"Weight\":4294967296", "Weight is not a whole number");
	FAULT("\"Region\":1", "Region is not a text");
	FAULT("\"MultiValueAnswer\":\"true\"", "MultiValueAnswer is neither");
	FAULT("\"AliasTarget\":\"b.\"", "AliasTarget is not an object");
	FAULT("\"AliasTarget\":{}", "AliasTarget has no DNSName");
	FAULT("\"AliasTarget\":{\"DNSName\":3}", "DNSName is not a text");
	FAULT("\"ResourceRecords\":{}", "ResourceRecords is not a list");
	FAULT("\"ResourceRecords\":[\"1.2.3.4\"]", "ResourceRecords has an item without");
	FAULT("\"GeoLocation\":[]", "GeoLocation is not an object");
#undef FAULT
}

static void test_listing_cut_off(void **state)
{
	check_fault("{\"ResourceRecordSets\": [],\n\"IsTruncated\": true}", "2: `IsTruncated`");
	check_fault("{\"ResourceRecordSets\": [],\n\"NextRecordName\": \"b.\"}",
	            "2: `NextRecordName`");
	check_fault("{\"NextToken\": \"x\",\"ResourceRecordSets\": []}", "1: `NextToken`");
}

static void test_callback_ends_it(void **state)
{
	struct seen seen = {.refuse = FAIL_LIMIT};
	assert_int_equal(read_text("{\"ResourceRecordSets\": [\n{\"Name\":\"a.\",\"Type\":\"A\"},"
	                           "{\"Name\":\"b.\",\"Type\":\"A\"}]}",
	                           &seen),
	                 FAIL_LIMIT);
	assert_int_equal(seen.sets, 1);
	assert_non_null(strstr(err, ":2: set `a.` A: too large"));
	text_fini(&seen.text);
}

static void test_files(void **state)
{
	struct seen seen = {0};
	char none[160];
	snprintf(none, sizeof(none), "%s/none", folder);
	assert_int_equal(aws_zone_file_read(none, on_set, &seen, err, sizeof(err)), -ENOENT);
	assert_int_equal(aws_zone_file_read(folder, on_set, &seen, err, sizeof(err)), FAIL_FORMAT);
	assert_int_equal(mkfifo(none, 0600), 0);
	assert_int_equal(aws_zone_file_read(none, on_set, &seen, err, sizeof(err)), FAIL_FORMAT);
	unlink(none);
	write_file("{\"ResourceRecordSets\":[]}\0", 26);
	assert_int_equal(aws_zone_file_read(path, on_set, &seen, err, sizeof(err)), FAIL_FORMAT);
}

static int folder_make(void **state)
{
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/zone.json", folder);
	return 0;
}

static int folder_remove(void **state)
{
	unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_saved_output),
		cmocka_unit_test(test_no_sets),
		cmocka_unit_test(test_faults_have_lines),
		cmocka_unit_test(test_faults_inside_sets),
		cmocka_unit_test(test_listing_cut_off),
		cmocka_unit_test(test_callback_ends_it),
		cmocka_unit_test(test_files),
	};
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
