#include "zone_text.h"

/* Names, wildcards and empty non-terminals: RFC 4592 section 2.2.1 turned to our purpose, and facts 6.5. */
static void test_names(void **state)
{
	static const char *const lines[] = {
		"www A ttl=60 : 10.0.0.1",
		"www AAAA ttl=61 : fd00::1",
		"alone CNAME ttl=30 : www.example.com",
		"a.b.c.d A : 10.0.0.4",
		"\\052.wild A ttl=10 : 10.1.0.1",
		"\\052.wild TXT : \"any\"",
		"here.wild A : 10.1.0.2",
		"deep.ent.wild A : 10.1.0.3",
		"x.\\052.wild A : 10.1.0.4",
		"\\052.cn CNAME : www",
		"in\\052side A : 10.2.0.1",
		"\\052.\\052.twice A : 10.2.0.2",
		"*.plain A : 10.2.0.3",
		"sub.\\052.hollow A : 10.2.0.4",
		"\\052x.starry A : 10.2.0.5",
		"0\\05724.2.0.10.in-addr.arpa.example.com. PTR : host.example.com",
		"dot\\056ted A : 10.3.0.1",
		"\\344 A : 10.3.0.2",
		"UPPER A : 10.3.0.3",
		"_sip._tcp SRV : 1 10 5269 www.example.com",
		NULL,
	};
	static const struct text_case cases[] = {
		{"www A", "SET A 60 10.0.0.1"},
		{"WwW A", "SET A 60 10.0.0.1"},
		{"www AAAA", "SET AAAA 61 fd00::1"},
		{"www TXT", "NODATA"},
		{"www ANY", "SET A 60 10.0.0.1"},
		{"x.www A", "NXDOMAIN"},
		{"none A", "NXDOMAIN"},
		{"@ A", "NODATA"},
		{"@ NS", "SET NS 172800 ns-0.awsdns-00.com. ns-512.awsdns-00.net."},
		{"alone A", "CNAME CNAME 30 www.example.com."},
		{"alone CNAME", "SET CNAME 30 www.example.com."},
		{"alone ANY", "SET CNAME 30 www.example.com."},
		/* empty non-terminals */
		{"d A", "NODATA"},
		{"c.d ANY", "NODATA"},
		{"b.c.d A", "NODATA"},
		{"a.b.c.d A", "SET A 300 10.0.0.4"},
		{"x.c.d A", "NXDOMAIN"},
		/* wildcards */
		{"q.wild A", "* SET A 10 10.1.0.1"},
		{"q.r.s.wild A", "* SET A 10 10.1.0.1"},
		{"q.wild MX", "* NODATA"},
		{"q.wild ANY", "* SET A 10 10.1.0.1"},
		{"wild A", "NODATA"},
		{"\\052.wild A", "SET A 10 10.1.0.1"},
		{"here.wild A", "SET A 300 10.1.0.2"},
		{"here.wild TXT", "NODATA"},
		{"q.here.wild A", "NXDOMAIN"},
		{"ent.wild A", "NODATA"},
		{"q.ent.wild A", "NXDOMAIN"},
		{"x.\\052.wild A", "SET A 300 10.1.0.4"},
		{"y.\\052.wild A", "NXDOMAIN"},
		{"q.cn TXT", "* CNAME CNAME 300 www."},
		{"q.cn CNAME", "* SET CNAME 300 www."},
		{"in\\052side A", "SET A 300 10.2.0.1"},
		{"inxside A", "NXDOMAIN"},
		{"q.\\052.twice A", "* SET A 300 10.2.0.2"},
		{"q.r.twice A", "* NODATA"},
		{"q.plain A", "* SET A 300 10.2.0.3"},
		{"q.hollow A", "* NODATA"},
		{"q.z.hollow A", "* NODATA"},
		{"qx.starry A", "NXDOMAIN"},
		{"\\052x.starry A", "SET A 300 10.2.0.5"},
		/* octal, not decimal (facts 1.4) */
		{"0\\05724.2.0.10.in-addr.arpa PTR", "SET PTR 300 host.example.com."},
		{"dot\\056ted A", "SET A 300 10.3.0.1"},
		{"dot.ted A", "NXDOMAIN"},
		{"\\344 A", "SET A 300 10.3.0.2"},
		{"upper A", "SET A 300 10.3.0.3"},
		{"_tcp SRV", "NODATA"},
		{"_sip._tcp SRV", "SET SRV 300 1 10 5269 www.example.com."},
	};
	struct zone *zone = zone_of(lines);
	CHECK_ANSWERS(zone, cases);
	check_faults(zone, "");
	zone_unref(&zone);
	assert_null(zone);
}

static void test_cuts(void **state)
{
	static const char *const lines[] = {
		"sub NS : ns.sub.example.com | ns.other.net",
		"sub DS : 1 8 2 0000000000000000000000000000000000000000000000000000000000000000",
		"sub A : 10.0.0.1",
		"ns.sub A : 10.0.0.2",
		"a.b.sub A : 10.0.0.3",
		"lower.sub NS : ns.other.net",
		"\\052.sub A : 10.0.0.4",
		"only NS : ns.other.net",
		"\\052.w NS : ns.other.net",
		"\\052.w A : 10.0.0.5",
		"\\052.v NS : ns.other.net",
		"aside A : 10.0.0.6",
		"broken NS : not..a.name",
		NULL,
	};
	static const struct text_case cases[] = {
		{"sub A", "CUT 0"},
		{"sub NS", "CUT 0"},
		{"sub SOA", "CUT 0"},
		{"sub DS", "SET DS 300 1 8 2 "
	                   "0000000000000000000000000000000000000000000000000000000000000000"},
		{"only DS", "NODATA"},
		{"ns.sub A", "CUT 1"},
		{"ns.sub DS", "CUT 1"},
		{"b.sub A", "CUT 1"},
		{"a.b.sub A", "CUT 2"},
		{"c.b.sub A", "CUT 2"},
		{"none.sub A", "CUT 1"},
		{"lower.sub NS", "CUT 1"},
		{"lower.sub DS", "CUT 1"},
		{"x.lower.sub NS", "CUT 2"},
		{"x.only TXT", "CUT 1"},
		/* a wildcard NS set answers nobody, and cuts nothing but its own name */
		{"q.w A", "* SET A 300 10.0.0.5"},
		{"q.w NS", "* NODATA"},
		{"q.w ANY", "* SET A 300 10.0.0.5"},
		{"q.v ANY", "* NODATA"},
		{"q.v NS", "* NODATA"},
		{"w A", "NODATA"},
		{"\\052.w A", "CUT 0"},
		{"aside A", "SET A 300 10.0.0.6"},
		{"nobody A", "NXDOMAIN"},
		{"x.broken A", "CUT 1"},
	};
	struct zone *zone = zone_of(lines);
	CHECK_ANSWERS(zone, cases);
	zone_unref(&zone);
}

static void test_glue_is_found_below_a_cut(void **state)
{
	static const char *const lines[] = {"sub NS : ns.sub.example.com", "ns.sub A : 10.0.0.2",
	                                    "\\052.sub AAAA : fd00::1", NULL};
	struct zone *zone = zone_of(lines);
	struct dns_key key;
	key_of(&key, "ns.sub");
	const struct zone_rrset *set = zone_exact(zone, &key, DNS_TYPE_A);
	assert_non_null(set);
	assert_int_equal(zone_rrset_type(set), DNS_TYPE_A);
	assert_null(zone_exact(zone, &key, DNS_TYPE_AAAA));
	key_of(&key, "other.sub");
	assert_null(zone_exact(zone, &key, DNS_TYPE_AAAA));
	zone_unref(&zone);
}

/* The apex alone, and the root as a zone of its own. */
static void test_small_zones(void **state)
{
	static const char *const none[] = {NULL};
	static const struct text_case cases[] = {
		{"@ SOA", "SET SOA 900 ns-0.awsdns-00.com. hostmaster.example.com. 1 7200 900 "
	                  "1209600 86400"},
		{"@ ANY", "SET NS 172800 ns-0.awsdns-00.com. ns-512.awsdns-00.net."},
		{"a A", "NXDOMAIN"},
		{"b.a A", "NXDOMAIN"},
	};
	struct zone *zone = zone_of(none);
	CHECK_ANSWERS(zone, cases);
	zone_unref(&zone);

	static const uint8_t root[] = {0};
	struct zone_builder *builder =
		zone_builder_new(&(struct zone_opts){.id = "Z", .origin = root});
	assert_int_equal(text_add(builder, ". SOA : a. b. 1 2 3 4 5"), 0);
	assert_int_equal(text_add(builder, "host.internal. A : 10.0.0.1"), 0);
	assert_int_equal(text_add(builder, "\\052. A : 10.0.0.2"), 0);
	static const struct text_case root_cases[] = {
		{"host.internal. A", "SET A 300 10.0.0.1"},
		{"internal. A", "NODATA"},
		{"com. A", "* SET A 300 10.0.0.2"},
		{". A", "NODATA"},
	};
	zone = builder_zone(builder);
	CHECK_ANSWERS(zone, root_cases);
	zone_unref(&zone);
}

/* 255 octets in 127 labels: the most that a name can have. */
static void test_longest_names(void **state)
{
	struct zone_builder *builder = builder_of_id(TEST_ID);
	assert_int_equal(text_add(builder, TEST_SOA), 0);
	char owner[400] = "";
	for (int i = 0; i < 121; i++) {
		strcat(owner, "a.");
	}
	char line[500];
	snprintf(line, sizeof(line), "%sexample.com. A : 10.0.0.1", owner);
	assert_int_equal(text_add(builder, line), 0);
	struct zone *zone = builder_zone(builder);
	char out[400];
	snprintf(line, sizeof(line), "%sexample.com. A", owner);
	assert_string_equal(answer_text(zone, line, out, sizeof(out)), "SET A 300 10.0.0.1");
	for (int i = 1; i < 121; i++) {
		snprintf(line, sizeof(line), "%sexample.com. A", owner + 2 * i);
		assert_string_equal(answer_text(zone, line, out, sizeof(out)), "NODATA");
	}
	struct zone_stats stats;
	zone_get_stats(zone, &stats);
	assert_int_equal(stats.names, 2);
	zone_unref(&zone);
}

static void test_soa(void **state)
{
	static const struct {
		const char *soa;
		uint32_t ttl_s;
		uint32_t negative_ttl_s;
	} cases[] = {
		{"@ SOA ttl=900 : a. b. 1 2 3 4 86400", 900, 900},
		{"@ SOA ttl=900 : a. b. 1 2 3 4 60", 900, 60},
		{"@ SOA ttl=0 : a. b. 1 2 3 4 60", 0, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct zone_builder *builder = builder_of_id(TEST_ID);
		assert_int_equal(text_add(builder, cases[i].soa), 0);
		struct zone *zone = builder_zone(builder);
		struct zone_rr soa;
		uint32_t ttl_s;
		uint32_t negative_ttl_s;
		zone_soa(zone, &soa, &ttl_s, &negative_ttl_s);
		assert_int_equal(soa.rdlen, 26);
		assert_memory_equal(soa.rdata, "\1a\0\1b\0\0\0\0\1", 10);
		assert_int_equal(ttl_s, cases[i].ttl_s);
		assert_int_equal(negative_ttl_s, cases[i].negative_ttl_s);
		zone_unref(&zone);
	}
}

struct each_count {
	unsigned int sets;
	unsigned int stop_at;
};

static int each_take(void *ctx, const uint8_t *name, const struct zone_rrset *set)
{
	struct each_count *count = ctx;
	uint8_t origin[DNS_NAME_MAX];
	dns_name_parse("example.com", origin);
	assert_true(dns_name_within(name, origin));
	assert_true(zone_rrset_type(set) != 0);
	count->sets++;
	return count->sets == count->stop_at ? 7 : 0;
}

static void test_each(void **state)
{
	static const char *const lines[] = {"www A : 10.0.0.1", "www TXT : \"a\"",
	                                    "a.b.c A : 10.0.0.2", NULL};
	struct zone *zone = zone_of(lines);
	struct each_count count = {0};
	assert_int_equal(zone_each(zone, each_take, &count), 0);
	assert_int_equal(count.sets, 5);
	count = (struct each_count){.stop_at = 2};
	assert_int_equal(zone_each(zone, each_take, &count), 7);
	assert_int_equal(count.sets, 2);
	zone_unref(&zone);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_glue_is_found_below_a_cut),
		cmocka_unit_test(test_small_zones),
		cmocka_unit_test(test_longest_names),
		cmocka_unit_test(test_soa),
		cmocka_unit_test(test_each),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
