#include "zone_text.h"

/* Everything Route 53 has, as the API writes it. */
static void test_every_type(void **state)
{
	static const char *const lines[] = {
		"t A : 192.0.2.1",
		"t TXT : \"one\" \"tw\\042o\" | \"three\"",
		"t MX : 10 mail.example.com.",
		"t NAPTR : 100 50 \"u\" \"E2U+sip\" \"!^.*$!sip:x@y!\" .",
		"t PTR : host.example.com",
		"t SRV : 1 10 5269 host.",
		"t SPF : \"v=spf1 -all\"",
		"t AAAA : 2001:DB8:0:0:0:0:0:1",
		"t CAA : 0 issue \"ca.example\"",
		"t TLSA : 3 1 1 00ff",
		"t SSHFP : 4 2 00ff",
		"t SVCB : 0 target.",
		"t HTTPS : 1 . alpn=\"h3,h2\" port=8443",
		"c CNAME : t.example.com",
		"d NS : ns.example.net",
		"d DS : 1 8 2 00000000000000000000000000000000000000000000000000000000000000ff",
		NULL,
	};
	struct zone *zone = zone_of(lines);
	struct zone_stats stats;
	check_faults(zone, "");
	zone_get_stats(zone, &stats);
	assert_int_equal(stats.sets, 18);
	assert_int_equal(stats.types[ZONE_STATIC], 18);
	assert_int_equal(stats.names, 4);
	static const struct text_case cases[] = {
		{"t AAAA", "SET AAAA 300 2001:db8::1"},
		{"t TXT", "SET TXT 300 \"one\" \"tw\\\"o\" \"three\""},
		{"t MX", "SET MX 300 10 mail.example.com."},
	};
	CHECK_ANSWERS(zone, cases);
	zone_unref(&zone);
}

/* A value given twice is one record. */
static void test_values_once(void **state)
{
	static const char *const lines[] = {"a AAAA : ::1 | 0:0::1 | ::2 | ::1", NULL};
	static const struct text_case cases[] = {{"a AAAA", "SET AAAA 300 ::1 ::2"}};
	struct zone *zone = zone_of(lines);
	CHECK_ANSWERS(zone, cases);
	zone_unref(&zone);
}

static void test_sets_that_make_no_sense(void **state)
{
	static const char *const lines[] = {
		"v A : 10.0.0.1 | 10.0.0.300 | 10.0.0.2",
		"v TXT : \"fine\"",
		"n A",
		"both A alias=www : 10.0.0.1",
		"two CNAME : a. | b.",
		"id A id=x : 10.0.0.1",
		"noid A weight=3 : 10.0.0.1",
		"heavy A id=x weight=256 : 10.0.0.1",
		"old A ttl=2147483648 : 10.0.0.1",
		"mv A id=x multi alias=www",
		"ns NS alias=www",
		"al A alias=..",
		"www A : 10.0.0.1",
		"soa SOA : a. b. 1 2 3 4 5",
		"@ CNAME : www",
		"mix CNAME : www.example.com.",
		"mix A : 10.0.0.2",
		NULL,
	};
	struct zone *zone = zone_of(lines);
	struct fault_list list = {.len = 0};
	zone_each_fault(zone, fault_take, &list);
	static const char *const reasons[] = {
		"v.example.com. A: value \"10.0.0.300\": ",
		"\nn.example.com. A: neither values nor an alias\n",
		"\nboth.example.com. A: both values and an alias\n",
		"\ntwo.example.com. CNAME: more than one value\n",
		"\nid.example.com. A: a set identifier without a routing policy\n",
		"\nnoid.example.com. A: a routing policy without a set identifier\n",
		"\nheavy.example.com. A: a weight over 255\n",
		"\nold.example.com. A: a TTL over 2147483647\n",
		"\nmv.example.com. A: a multivalue set cannot be an alias\n",
		"\nns.example.com. NS: NS and SOA cannot be aliases\n",
		"\nal.example.com. A: the alias target is no domain name\n",
		"\nsoa.example.com. SOA: SOA below the apex\n",
		"\nexample.com. CNAME: CNAME at the apex\n",
		"\nmix.example.com. CNAME: CNAME beside other types\n",
	};
	const char *at = list.text; /* in the order of the list */
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		const char *found = strstr(at, reasons[i]);
		if (found == NULL) {
			fail_msg("not (in order) in the list: %s\n%s", reasons[i], list.text);
		}
		at = found + 1;
	}
	assert_int_equal(list.count, sizeof(reasons) / sizeof(reasons[0]));
	static const struct text_case cases[] = {
		{"v A", "SET A (fault)"},
		{"v TXT", "SET TXT 300 \"fine\""},
		{"n A", "SET A (fault)"},
		{"both A", "SET A (fault)"},
		{"two A", "CNAME CNAME (fault)"},
		{"id A", "SET A (fault)"},
		{"noid A", "SET A (fault)"},
		{"heavy A", "SET A (fault)"},
		{"old A", "SET A (fault)"},
		{"mv A", "SET A (fault)"},
		{"ns A", "CUT 0"},
		{"al A", "SET A (fault)"},
		{"soa SOA", "SET SOA (fault)"},
		{"mix A", "SET A 300 10.0.0.2"},
		{"mix TXT", "CNAME CNAME (fault)"},
		{"mix CNAME", "SET CNAME (fault)"},
		{"x.v A", "NXDOMAIN"},
		{"www A", "SET A 300 10.0.0.1"},
	};
	CHECK_ANSWERS(zone, cases);
	zone_unref(&zone);
}

static void test_groups_that_make_no_sense(void **state)
{
	static const char *const lines[] = {
		"a A : 10.0.0.1",
		"a A : 10.0.0.2",
		"b A : 10.0.0.1",
		"b A id=x weight=1 : 10.0.0.2",
		"c A id=x weight=1 : 10.0.0.1",
		"c A id=y multi : 10.0.0.2",
		"d A id=x weight=1 : 10.0.0.1",
		"d A id=y weight=1 : 10.0.0.2",
		"d A id=x weight=2 : 10.0.0.3",
		"e A id=x weight=1 : 10.0.0.1",
		"e A id=y weight=1 : ten",
		"e AAAA : ::1",
		"f A id=x weight=1 : 10.0.0.1",
		"f A id=y weight=1 : 10.0.0.1",
		NULL,
	};
	struct zone *zone = zone_of(lines);
	static const struct text_case cases[] = {
		{"a A", "SET A (fault)"},      {"b A", "SET A (fault)"},
		{"c A", "SET A (fault)"},      {"d A", "SET A (fault)"},
		{"e A", "SET A (fault)"},      {"e AAAA", "SET AAAA 300 ::1"},
		{"f A", "SET A 300 10.0.0.1"}, {"e TXT", "NODATA"},
	};
	CHECK_ANSWERS(zone, cases);
	struct zone_stats stats;
	zone_get_stats(zone, &stats);
	assert_int_equal(stats.faults, 5);
	assert_int_equal(stats.types[ZONE_FAULT], 5);
	assert_int_equal(stats.types[ZONE_STATIC], 4);
	assert_int_equal(stats.sets, 16);
	zone_unref(&zone);
}

/* What has no place in the tree is named and counted; a type that nobody knows still makes the name exist. */
static void test_left_out(void **state)
{
	static const char *const lines[] = {
		"www.example.org. A : 10.0.0.1",
		"bad..name A : 10.0.0.1",
		"odd FROB : x",
		"any ANY : x",
		"opt OPT : x",
		"badexample.com. A : 10.0.0.1",
		NULL,
	};
	struct zone *zone = zone_of(lines);
	check_faults(zone, "www.example.org. A: the owner lies outside the zone\n"
	                   "bad..name.example.com A: the owner is no domain name\n"
	                   "odd.example.com FROB: the type is not one that a zone can hold\n"
	                   "any.example.com ANY: the type is not one that a zone can hold\n"
	                   "opt.example.com OPT: the type is not one that a zone can hold\n"
	                   "badexample.com. A: the owner lies outside the zone\n");
	static const struct text_case cases[] = {{"odd A", "NODATA"},
	                                         {"x.odd A", "NXDOMAIN"},
	                                         {"any ANY", "NODATA"},
	                                         {"www A", "NXDOMAIN"}};
	CHECK_ANSWERS(zone, cases);
	struct zone_stats stats;
	zone_get_stats(zone, &stats);
	assert_int_equal(stats.sets, 8);
	assert_int_equal(stats.names, 1);
	zone_unref(&zone);

	struct zone_builder *builder = builder_of_id(TEST_ID);
	assert_int_equal(zone_builder_add(builder, &(struct zone_record_set){.type = "A"}), 0);
	assert_int_equal(
		zone_builder_add(builder, &(struct zone_record_set){.name = "example.com"}), 0);
	assert_int_equal(text_add(builder, TEST_SOA), 0);
	zone = builder_zone(builder);
	check_faults(zone, " A: the owner is no domain name\n"
	                   "example.com : the type is not one that a zone can hold\n");
	zone_unref(&zone);
}

static void check_refused(struct zone_builder *builder, int code, const char *why)
{
	struct zone *zone = NULL;
	char err[200];
	assert_int_equal(zone_builder_finish(builder, &zone, err, sizeof(err)), code);
	assert_null(zone);
	assert_string_equal(err, why);
	/* emptied, and still harmless */
	assert_true(zone_builder_finish(builder, &zone, err, sizeof(err)) < 0);
	assert_true(text_add(builder, TEST_SOA) < 0);
	zone_builder_free(&builder);
	assert_null(builder);
}

static void test_zones_without_soa(void **state)
{
	struct zone_builder *builder = builder_of_id(TEST_ID);
	check_refused(builder, FAIL_FORMAT, "example.com. has no SOA at its apex");

	builder = builder_of_id(TEST_ID);
	assert_int_equal(text_add(builder, "@ SOA : a. b."), 0);
	check_refused(builder, FAIL_FORMAT, "example.com. has no readable SOA at its apex");

	builder = builder_of_id(TEST_ID);
	assert_int_equal(text_add(builder, TEST_SOA), 0);
	assert_int_equal(text_add(builder, TEST_SOA), 0);
	check_refused(builder, FAIL_FORMAT, "example.com. has no readable SOA at its apex");

	builder = zone_builder_new(&(struct zone_opts){.id = ""});
	check_refused(builder, FAIL_FORMAT, "no SOA record: the zone's name cannot be told");

	builder = zone_builder_new(&(struct zone_opts){.id = ""});
	assert_int_equal(text_add(builder, TEST_SOA), 0);
	assert_int_equal(text_add(builder, "sub SOA : a. b. 1 2 3 4 5"), 0);
	check_refused(builder, FAIL_FORMAT,
	              "more than one SOA record: the zone's name cannot be told");
}

/* The origin of a zone file is known only at its end: what came before is judged by it. */
static void test_zone_file(void **state)
{
	struct zone_builder *builder = zone_builder_new(&(struct zone_opts){.id = ""});
	assert_int_equal(text_add(builder, "www A : 10.0.0.1"), 0);
	assert_int_equal(text_add(builder, "www.other.org. A : 10.0.0.1"), 0);
	assert_int_equal(text_add(builder, TEST_SOA), 0);
	assert_int_equal(text_add(builder, "a.b A : 10.0.0.2"), 0);
	struct zone *zone = builder_zone(builder);
	uint8_t origin[DNS_NAME_MAX];
	dns_name_parse("example.com", origin);
	assert_true(dns_name_equal(zone_origin(zone), origin));
	assert_string_equal(zone_id(zone), "");
	check_faults(zone, "www.other.org. A: the owner lies outside the zone\n");
	static const struct text_case cases[] = {{"www A", "SET A 300 10.0.0.1"},
	                                         {"b A", "NODATA"}};
	CHECK_ANSWERS(zone, cases);
	zone_unref(&zone);
}

static void test_limits(void **state)
{
	uint8_t origin[DNS_NAME_MAX];
	dns_name_parse("EXAMPLE.com", origin);
	struct zone_builder *builder =
		zone_builder_new(&(struct zone_opts){.id = "Z", .origin = origin, .sets_max = 2});
	assert_int_equal(text_add(builder, TEST_SOA), 0);
	assert_int_equal(text_add(builder, "www A : 10.0.0.1"), 0);
	assert_int_equal(text_add(builder, "w A : 10.0.0.1"), FAIL_LIMIT);
	check_refused(builder, FAIL_LIMIT, "the zone is larger than allowed");

	builder = zone_builder_new(&(struct zone_opts){.id = "Z", .origin = origin, .sets_max = 2});
	assert_int_equal(text_add(builder, TEST_SOA), 0);
	assert_int_equal(text_add(builder, "www A : 10.0.0.1"), 0);
	struct zone *zone = builder_zone(builder);
	assert_string_equal(zone_id(zone), "Z");
	zone_unref(&zone);

	/* refused while listing, and (names in between cost, too) while laying out */
	builder = zone_builder_new(
		&(struct zone_opts){.id = "Z", .origin = origin, .bytes_max = 2000});
	int ret = text_add(builder, TEST_SOA);
	for (int i = 0; i < 100 && ret == 0; i++) {
		char line[100];
		snprintf(line, sizeof(line), "host%d A : 10.0.0.1", i);
		ret = text_add(builder, line);
	}
	assert_int_equal(ret, FAIL_LIMIT);
	zone_builder_free(&builder);

	builder = zone_builder_new(
		&(struct zone_opts){.id = "Z", .origin = origin, .bytes_max = 500});
	assert_int_equal(text_add(builder, TEST_SOA), 0);
	assert_int_equal(text_add(builder, "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o A : 10.0.0.1"), 0);
	check_refused(builder, FAIL_LIMIT, "the zone is larger than allowed");
}

static void test_too_many_values(void **state)
{
	char line[16000] = "many A : 10.0.0.0";
	size_t len = strlen(line);
	for (int i = 1; i <= ZONE_DRAW_MAX; i++) {
		if (i == ZONE_DRAW_MAX) {
			const char *const lines[] = {line, NULL};
			struct zone *zone = zone_of(lines);
			check_faults(zone, "");
			zone_unref(&zone);
		}
		len += (size_t)snprintf(line + len, sizeof(line) - len, " | 10.0.%d.%d", i / 256,
		                        i % 256);
	}
	const char *const lines[] = {line, NULL};
	struct zone *zone = zone_of(lines);
	check_faults(zone, "many.example.com. A: more than 400 values\n");
	zone_unref(&zone);
}

static uint64_t fingerprint_of(const char *const *lines, size_t first)
{
	struct zone_builder *builder = builder_of_id(TEST_ID);
	size_t count = 0;
	while (lines[count] != NULL) {
		count++;
	}
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(text_add(builder, lines[(first + i) % count]), 0);
	}
	struct zone *zone = builder_zone(builder);
	uint64_t print = zone_fingerprint(zone);
	zone_unref(&zone);
	return print;
}

static void test_fingerprint_is_of_the_content(void **state)
{
	static const char *const one[] = {TEST_SOA,
	                                  "a A : 10.0.0.1 | 10.0.0.2",
	                                  "w A id=x weight=1 : 10.0.0.1",
	                                  "w A id=y weight=2 : 10.0.0.2",
	                                  "x..y A : 1",
	                                  "z FROB : 1",
	                                  "e A : nonsense",
	                                  NULL};
	static const char *const same[] = {"A A : 10.0.0.2 | 10.0.0.1",
	                                   TEST_SOA,
	                                   "e A : nonsense",
	                                   "w A id=y weight=2 : 10.0.0.2",
	                                   "x..y A : 1",
	                                   "w A id=x weight=1 : 10.0.0.1",
	                                   "z FROB : 1",
	                                   NULL};
	uint64_t print = fingerprint_of(one, 0);
	for (size_t i = 0; i < 7; i++) {
		assert_true(fingerprint_of(one, i) == print);
		assert_true(fingerprint_of(same, i) == print);
	}
}

/* Each line is another zone than each other line. */
static void test_fingerprint_sees_all_that_counts(void **state)
{
	static const char *const variants[] = {
		"a A : 10.0.0.1",
		"b A : 10.0.0.1",
		"a TXT : 10.0.0.1",
		"a A ttl=301 : 10.0.0.1",
		"a A : 10.0.0.2",
		"a A : 10.0.0.1 | 10.0.0.2",
		"a A hc=h1 : 10.0.0.1",
		"a A hc=h2 : 10.0.0.1",
		"a A id=x weight=1 : 10.0.0.1",
		"a A id=y weight=1 : 10.0.0.1",
		"a A id=x weight=2 : 10.0.0.1",
		"a A id=x multi : 10.0.0.1",
		"a A id=x failover : 10.0.0.1",
		"a A id=x failover secondary : 10.0.0.1",
		"a A id=x latency region=eu-west-1 : 10.0.0.1",
		"a A id=x latency region=eu-west-2 : 10.0.0.1",
		"a A id=x geo region=eu-west-2 : 10.0.0.1",
		"a A alias=b",
		"a A alias=c",
		"a A alias=b zone=ZOTHER",
		"a A alias=b evaluate",
		"a A",
		"a A : nonsense",
		"a A : more",
		"a FROB : 1",
		"a FRAB : 1",
		"a..b A : 1",
		"a..c A : 1",
	};
	enum { COUNT = sizeof(variants) / sizeof(variants[0]) };
	uint64_t prints[COUNT];
	for (size_t i = 0; i < COUNT; i++) {
		const char *const lines[] = {TEST_SOA, variants[i], NULL};
		prints[i] = fingerprint_of(lines, 0);
		for (size_t j = 0; j < i; j++) {
			assert_true(prints[i] != prints[j]);
		}
	}
	const char *const twice[] = {TEST_SOA, variants[0], variants[0], NULL};
	assert_true(fingerprint_of(twice, 0) != prints[0]);
}

/* The number itself is kept on disk: the same on every machine, for ever. */
static void test_fingerprint_is_stable(void **state)
{
	static const char *const lines[] = {TEST_SOA, "a A : 10.0.0.1", NULL};
	uint64_t print = fingerprint_of(lines, 0);
	assert_int_equal(print, UINT64_C(0x3739f2ef7a0024ab));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type),
		cmocka_unit_test(test_values_once),
		cmocka_unit_test(test_sets_that_make_no_sense),
		cmocka_unit_test(test_groups_that_make_no_sense),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_zones_without_soa),
		cmocka_unit_test(test_zone_file),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_too_many_values),
		cmocka_unit_test(test_fingerprint_is_of_the_content),
		cmocka_unit_test(test_fingerprint_sees_all_that_counts),
		cmocka_unit_test(test_fingerprint_is_stable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
