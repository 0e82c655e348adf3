#include "zone_text.h"

/* Facts 6.3, D12: an alias answers with its target's data and TTL, for its own type alone. */
static void test_same_zone(void **state)
{
	static const char *const lines[] = {
		"www A ttl=60 : 10.0.0.1 | 10.0.0.2",
		"www AAAA ttl=61 : ::1",
		"al A alias=www",
		"AL2 A alias=al evaluate",
		"al3 A alias=AL2.Example.COM.",
		"@ A alias=www",
		"\\052.w A alias=www",
		"\\052.t A ttl=5 : 10.0.0.5",
		"viawild A alias=some.thing.t",
		"cn CNAME ttl=7 : www.example.com",
		"alcn CNAME alias=cn",
		"txt TXT : \"x\"",
		"altxt TXT alias=txt",
		NULL,
	};
	static const struct text_case cases[] = {
		{"al A", "SET A 60 10.0.0.1 10.0.0.2"},
		{"al AAAA", "NODATA"},
		{"al ANY", "SET A 60 10.0.0.1 10.0.0.2"},
		{"al2 A", "SET A 60 10.0.0.1 10.0.0.2"},
		{"al3 A", "SET A 60 10.0.0.1 10.0.0.2"},
		{"@ A", "SET A 60 10.0.0.1 10.0.0.2"},
		{"@ AAAA", "NODATA"},
		{"q.w A", "* SET A 60 10.0.0.1 10.0.0.2"},
		{"q.w AAAA", "* NODATA"},
		{"viawild A", "SET A 5 10.0.0.5"},
		{"alcn A", "CNAME CNAME 7 www.example.com."},
		{"alcn CNAME", "SET CNAME 7 www.example.com."},
		{"altxt TXT", "SET TXT 300 \"x\""},
	};
	struct zone *zone = zone_of(lines);
	CHECK_ANSWERS(zone, cases);
	check_faults(zone, "");
	zone_unref(&zone);
}

static void test_elsewhere(void **state)
{
	static const char *const lines[] = {
		"lb A alias=dualstack.lb-1.eu-west-1.elb.amazonaws.com. zone=Z32O12XQLNTSW2",
		"other A alias=www zone=ZOTHER",
		"www A : 10.0.0.1",
		"chain A alias=lb",
		"chain2 A alias=chain",
		"hc A hc=h : 10.0.0.1",
		"tohc A alias=hc",
		"fo A id=p failover : 10.0.0.1",
		"fo A id=s failover secondary alias=lb",
		"tofo A alias=fo",
		"\\052.w A alias=lb.amazonaws.com. zone=ZELB",
		"lat A id=e latency region=eu-west-1 hc=h alias=gone",
		"wt A id=a weight=1 alias=lb.amazonaws.com. zone=ZELB",
		"wt A id=b weight=1 : 10.0.0.1",
		"wt1 A id=a weight=1 alias=lb.amazonaws.com. zone=ZELB",
		"health A hc=h alias=lb.amazonaws.com. zone=ZELB",
		NULL,
	};
	static const struct text_case cases[] = {
		{"lb A", "SET A (alias) dualstack.lb-1.eu-west-1.elb.amazonaws.com."},
		{"lb AAAA", "NODATA"},
		{"other A", "SET A (alias) www.example.com."},
		{"chain A", "SET A (alias) lb.example.com."},
		{"chain2 A", "SET A (alias) chain.example.com."},
		{"hc A", "SET A (health check)"},
		{"tohc A", "SET A (alias) hc.example.com."},
		{"fo A", "SET A (routing policy)"},
		{"tofo A", "SET A (alias) fo.example.com."},
		{"q.w A", "* SET A (alias) lb.amazonaws.com."},
		{"lat A", "SET A (routing policy) gone.example.com."},
		{"wt A", "SET A (alias)"},
		{"wt1 A", "SET A (alias) lb.amazonaws.com."},
		{"health A", "SET A (health check) lb.amazonaws.com."},
	};
	struct zone *zone = zone_of(lines);
	CHECK_ANSWERS(zone, cases);
	check_faults(zone, "");
	struct zone_stats stats;
	zone_get_stats(zone, &stats);
	assert_int_equal(stats.types[ZONE_STATIC], 3);
	assert_int_equal(stats.types[ZONE_DYNAMIC_ALIAS], 9);
	assert_int_equal(stats.types[ZONE_DYNAMIC_HEALTH], 2);
	assert_int_equal(stats.types[ZONE_DYNAMIC_POLICY], 2);
	zone_unref(&zone);
}

static void test_faults(void **state)
{
	static const char *const lines[] = {
		"gone A alias=nothing",
		"type A alias=txt",
		"txt TXT : \"x\"",
		"cn CNAME : txt.example.com",
		"tocn A alias=cn",
		"out A alias=www.example.org.",
		"cut NS : ns.example.net",
		"tocut A alias=host.cut",
		"self A alias=self",
		"l1 A alias=l2",
		"l2 A alias=l3",
		"l3 A alias=l1",
		"tol A alias=l2",
		"\\052.wl A alias=x.wl",
		"w A id=a weight=1 : 10.0.0.1",
		"w A id=b weight=1 alias=w2",
		"w2 A id=a weight=1 alias=w",
		"bad A : x",
		"tobad A alias=bad",
		"ent A alias=some",
		"a.some A : 10.0.0.1",
		NULL,
	};
	struct zone *zone = zone_of(lines);
	static const char *const faulty[] = {"gone", "type", "tocn",  "out", "tocut",    "self",
	                                     "l1",   "l2",   "l3",    "tol", "\\052.wl", "w",
	                                     "w2",   "bad",  "tobad", "ent"};
	for (size_t i = 0; i < sizeof(faulty) / sizeof(faulty[0]); i++) {
		char question[100];
		char out[100];
		snprintf(question, sizeof(question), "%s A", faulty[i]);
		answer_text(zone, question, out, sizeof(out));
		if (strcmp(out, "SET A (fault)") != 0) {
			fail_msg("%s: %s", question, out);
		}
	}
	struct zone_stats stats;
	zone_get_stats(zone, &stats);
	assert_int_equal(stats.faults, sizeof(faulty) / sizeof(faulty[0]));
	struct fault_list list = {.len = 0};
	zone_each_fault(zone, fault_take, &list);
	static const char *const reasons[] = {
		"gone.example.com. A: the alias target does not exist\n",
		"type.example.com. A: the alias target has no set of this type\n",
		"out.example.com. A: the alias target lies outside the zone\n",
		"tocut.example.com. A: the alias target is delegated to other servers\n",
		"self.example.com. A: aliases in a circle\n",
		"tobad.example.com. A: the alias target is at fault itself\n",
	};
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		assert_non_null(strstr(list.text, reasons[i]));
	}
	zone_unref(&zone);
}

/* The longest chain allowed, in both orders of listing; one more is a fault of its start alone. */
static void test_chain_length(void **state)
{
	for (int reverse = 0; reverse < 2; reverse++) {
		struct zone_builder *builder = builder_of_id(TEST_ID);
		assert_int_equal(text_add(builder, TEST_SOA), 0);
		for (int i = 0; i < 40; i++) {
			int n = reverse ? 39 - i : i;
			char line[100];
			snprintf(line, sizeof(line), n == 0 ? "a0 A : 10.0.0.1" : "a%d A alias=a%d",
			         n, n - 1);
			assert_int_equal(text_add(builder, line), 0);
		}
		struct zone *zone = builder_zone(builder);
		for (int i = 0; i < 40; i++) {
			char question[20];
			char out[100];
			snprintf(question, sizeof(question), "a%d A", i);
			assert_string_equal(answer_text(zone, question, out, sizeof(out)),
			                    i <= 16 ? "SET A 300 10.0.0.1" : "SET A (fault)");
		}
		zone_unref(&zone);
	}
}

/* No recursion: as long as a list can be. */
static void test_endless_chain(void **state)
{
	struct zone_builder *builder = builder_of_id(TEST_ID);
	assert_int_equal(text_add(builder, TEST_SOA), 0);
	for (int i = 0; i < 50000; i++) {
		char line[100];
		snprintf(line, sizeof(line), "a%d A alias=a%d", i, i + 1);
		assert_int_equal(text_add(builder, line), 0);
	}
	struct zone *zone = builder_zone(builder);
	struct zone_stats stats;
	zone_get_stats(zone, &stats);
	assert_int_equal(stats.faults, 50000);
	zone_unref(&zone);
}

/* Without zone ids to go by (files), a name that lies here and exists is meant. */
static void test_judged_by_name(void **state)
{
	static const char *const lines[] = {
		TEST_SOA,
		"www A ttl=60 : 10.0.0.1",
		"al A alias=www zone=ZANY",
		"lb A alias=lb.elb.amazonaws.com. zone=ZELB",
		"gone A alias=nothing",
		"type A alias=txt",
		"txt TXT : \"x\"",
		"\\052.w A ttl=6 : 10.0.0.6",
		"wild A alias=x.w",
		"sub NS : ns.example.net",
		"cut A alias=x.sub",
	};
	struct zone_builder *builder = zone_builder_new(&(struct zone_opts){.id = ""});
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(text_add(builder, lines[i]), 0);
	}
	static const struct text_case cases[] = {
		{"al A", "SET A 60 10.0.0.1"},
		{"lb A", "SET A (alias) lb.elb.amazonaws.com."},
		{"gone A", "SET A (alias) nothing.example.com."},
		{"type A", "SET A (fault)"},
		{"wild A", "SET A 6 10.0.0.6"},
		{"cut A", "SET A (alias) x.sub.example.com."},
	};
	struct zone *zone = builder_zone(builder);
	CHECK_ANSWERS(zone, cases);
	zone_unref(&zone);

	/* the same when only the alias has none */
	static const char *const no_id[] = {"www A ttl=60 : 10.0.0.1", "al A alias=www zone=",
	                                    "gone A alias=nothing zone=", NULL};
	static const struct text_case no_id_cases[] = {
		{"al A", "SET A 60 10.0.0.1"}, {"gone A", "SET A (alias) nothing.example.com."}};
	zone = zone_of(no_id);
	CHECK_ANSWERS(zone, no_id_cases);
	zone_unref(&zone);
}

/* Members that are aliases, of groups that are drawn themselves. */
static void test_weighted_aliases(void **state)
{
	static const char *const lines[] = {
		"w A id=a weight=0 ttl=1 : 10.0.0.9",
		"w A id=b weight=5 alias=x",
		"x A id=a weight=7 alias=y",
		"x A id=b weight=0 alias=www",
		"y A ttl=44 id=a multi : 10.0.0.1",
		"y A ttl=44 id=b multi : 10.0.0.2",
		"www A ttl=60 : 10.0.0.3",
		"tow A alias=w",
		NULL,
	};
	static const struct text_case cases[] = {
		{"w A", "SET A 44 10.0.0.1 10.0.0.2"},
		{"x A", "SET A 44 10.0.0.1 10.0.0.2"},
		{"tow A", "SET A 44 10.0.0.1 10.0.0.2"},
	};
	struct zone *zone = zone_of(lines);
	CHECK_ANSWERS(zone, cases);
	check_faults(zone, "");
	zone_unref(&zone);
}

static const struct zone_rrset *set_of(const struct zone *zone, const char *name, uint16_t type)
{
	struct dns_key key;
	key_of(&key, name);
	const struct zone_rrset *set = zone_exact(zone, &key, type);
	assert_non_null(set);
	return set;
}

/* Nothing that was listed of a dynamic set is lost: where it cannot be asked for, it is reckoned. */
static void test_members(void **state)
{
	static const char *const lines[] = {
		"fo A id=two failover secondary alias=www evaluate ttl=0",
		"fo A id=one failover hc=abc ttl=60 : 10.0.0.1 | 10.0.0.2",
		"lat A id=e latency region=eu-west-1 alias=lb.amazonaws.com. zone=ZELB",
		"www A ttl=30 : 10.0.0.3",
		"w A id=w weight=200 : 10.0.0.4",
		NULL,
	};
	struct zone *zone = zone_of(lines);
	struct zone_member_info info;
	struct zone_rr rr[ZONE_DRAW_MAX];
	struct draw draw = {{1, 2}};
	uint32_t ttl_s;
	char out[100];

	const struct zone_rrset *set = set_of(zone, "fo", DNS_TYPE_A);
	assert_int_equal(zone_rrset_members(set), 2);
	zone_rrset_member(zone, set, 0, &info);
	assert_int_equal(info.policy, ZONE_POLICY_FAILOVER);
	assert_string_equal(info.set_identifier, "one");
	assert_string_equal(info.health_check, "abc");
	assert_null(info.region);
	assert_null(info.alias);
	assert_false(info.failover_secondary);
	assert_int_equal(info.ttl_s, 60);
	unsigned int count = zone_rrset_member_draw(zone, set, 0, &draw, rr, &ttl_s);
	rrs_text(rr, count, DNS_TYPE_A, out, sizeof(out));
	assert_string_equal(out, "10.0.0.1 10.0.0.2");
	assert_int_equal(ttl_s, 60);
	zone_rrset_member(zone, set, 1, &info);
	assert_string_equal(info.set_identifier, "two");
	assert_null(info.health_check);
	assert_string_equal(dns_name_text(info.alias, out), "www.example.com.");
	assert_true(info.failover_secondary);
	assert_true(info.alias_evaluate_health);
	count = zone_rrset_member_draw(zone, set, 1, &draw, rr, &ttl_s);
	rrs_text(rr, count, DNS_TYPE_A, out, sizeof(out));
	assert_string_equal(out, "10.0.0.3");
	assert_int_equal(ttl_s, 30);

	set = set_of(zone, "lat", DNS_TYPE_A);
	assert_int_equal(zone_rrset_members(set), 1);
	zone_rrset_member(zone, set, 0, &info);
	assert_string_equal(info.region, "eu-west-1");
	assert_int_equal(info.policy, ZONE_POLICY_LATENCY);
	assert_int_equal(zone_rrset_member_draw(zone, set, 0, &draw, rr, &ttl_s), 0);

	set = set_of(zone, "w", DNS_TYPE_A);
	zone_rrset_member(zone, set, 0, &info);
	assert_int_equal(info.weight, 200);
	assert_int_equal(zone_rrset_members(set_of(zone, "www", DNS_TYPE_A)), 0);
	zone_unref(&zone);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_zone),        cmocka_unit_test(test_elsewhere),
		cmocka_unit_test(test_faults),           cmocka_unit_test(test_chain_length),
		cmocka_unit_test(test_endless_chain),    cmocka_unit_test(test_judged_by_name),
		cmocka_unit_test(test_weighted_aliases), cmocka_unit_test(test_members),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
