/*
 * The choices that the documentation demands, one line each. Sources: Developer Guide "How Route 53 chooses records
 * when health checking is configured", "Weighted routing", "Failover routing", "Multivalue answer routing",
 * "Latency-based routing in private hosted zones", "Geolocation routing", "Geoproximity routing".
 */
#include "zone/choose.h"
#include "zone/place.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MEMBERS_MAX 32

/*
 * "eu-west-1 us-east-1! ...": a member each, by its place. `!` behind it: unhealthy; `=N`: weight;
 * "second": the failover secondary.
 */
static unsigned int members_read(const char *text, char *buf, size_t size,
                                 struct choose_member *members)
{
	unsigned int count = 0;
	char *rest = NULL;
	snprintf(buf, size, "%s", text);
	for (char *word = strtok_r(buf, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest)) {
		struct choose_member *member = &members[count++];
		size_t len = strlen(word);
		bool ill = word[len - 1] == '!';
		word[ill ? len - 1 : len] = '\0';
		char *weight = word[0] == 'w' ? strchr(word, '=') : NULL;
		*member = (struct choose_member){
			.region = word,
			.weight = weight == NULL ? 0 : (uint32_t)atoi(weight + 1),
			.healthy = !ill,
			.secondary = strncmp(word, "second", 6) == 0,
		};
	}
	return count;
}

struct one {
	const char *members;
	const char *region;
	int pick; /* -1: no answer */
};

static void check_ones(enum zone_policy policy, const struct one *ones, size_t count)
{
	struct draw draw;
	draw_seed(&draw);
	for (size_t i = 0; i < count; i++) {
		char buf[512];
		unsigned int picks[CHOOSE_PICKS_MAX];
		struct choose_member members[MEMBERS_MAX];
		unsigned int n = members_read(ones[i].members, buf, sizeof(buf), members);
		unsigned int got = choose_members(policy, members, n, ones[i].region, &draw, picks);
		int pick = got == 0 ? -1 : (int)picks[0];
		if (got > 1 || pick != ones[i].pick) {
			fail_msg("\"%s\" from \"%s\": %d", ones[i].members, ones[i].region, pick);
		}
	}
}

#define CHECK_ONES(policy, ones) check_ones(policy, ones, sizeof(ones) / sizeof((ones)[0]))

static void test_failover(void **state)
{
	static const struct one ones[] = {
		{"first second", "", 0},   {"second first", "", 1},   {"first! second", "", 1},
		{"first! second!", "", 0}, {"second! first!", "", 1}, {"first second!", "", 0},
		{"second", "", 0},         {"first!", "", 0},         {"", "", -1},
	};
	CHECK_ONES(ZONE_POLICY_FAILOVER, ones);
}

static void test_latency(void **state)
{
	static const struct one ones[] = {
		/* The set of the same region, wherever it stands. */
		{"us-east-1 eu-west-1 eu-west-2", "eu-west-1", 1},
		{"us-east-1 eu-west-1 eu-west-2", "us-east-1", 0},
		/* Else the nearest on the map. */
		{"us-east-1 eu-west-2", "eu-west-1", 1},
		{"us-east-1 us-west-2 eu-central-1", "us-east-2", 0},
		{"ap-southeast-1 ap-northeast-1", "ap-northeast-2", 1},
		{"eu-west-1 sa-east-1 us-east-1", "af-south-1", 1},
		/* The next best when it is ill; all ill is all well. */
		{"us-east-1 eu-west-1! eu-west-2", "eu-west-1", 2},
		{"us-east-1! eu-west-1! eu-west-2!", "eu-west-1", 1},
		/* Regions that are not on the map: our own still counts, another comes last. */
		{"eu-west-1 xx-new-1", "xx-new-1", 1},
		{"xx-new-1 eu-west-1", "us-east-1", 1},
		/* Where we are is not known: the first that is healthy. */
		{"us-east-1! eu-west-1 eu-west-2", "", 1},
	};
	CHECK_ONES(ZONE_POLICY_LATENCY, ones);
}

static void test_geolocation(void **state)
{
	static const struct one ones[] = {
		/* Subdivision before country before continent before default. */
		{"* continent:NA US US/OR US/VA", "us-west-2", 3},
		{"* continent:NA US US/VA", "us-west-2", 2},
		{"* continent:NA CA", "us-west-2", 1},
		{"* continent:EU GB", "us-west-2", 0},
		{"* continent:EU IE GB", "eu-west-1", 2},
		/* Codes that are both: Saudi Arabia is not South America. */
		{"SA *", "sa-east-1", 1},
		{"SA continent:SA", "sa-east-1", 1},
		{"US/CA *", "ca-central-1", 1},
		/* Ill: the next larger location; all ill: the smallest. */
		{"* continent:NA US US/OR!", "us-west-2", 2},
		{"* continent:NA! US! US/OR!", "us-west-2", 0},
		{"*! continent:NA! US! US/OR!", "us-west-2", 3},
		{"US/OR! GB", "us-west-2", 0},
		/* No match and no default: no answer. */
		{"GB continent:EU", "us-west-2", -1},
		/* Where we are is not known. */
		{"GB *", "", 1},
		{"GB continent:EU", "xx-new-1", -1},
	};
	CHECK_ONES(ZONE_POLICY_GEOLOCATION, ones);
}

static void test_geoproximity(void **state)
{
	static const struct one ones[] = {
		{"us-east-1 eu-west-2", "eu-west-1", 1},
		{"us-west-2-lax-1 eu-west-2", "us-west-1", 0},
		{"48.86,2.35 40.71,-74.01", "eu-west-3", 0},
		{"48.86,2.35 40.71,-74.01", "us-east-1", 1},
		/* 463 km to London, 1193 to Frankfurt: a bias of 99 makes 12 of them, one of -99 46300. */
		{"eu-west-2 eu-central-1:bias=99", "eu-west-1", 1},
		{"eu-west-2:bias=-99 eu-central-1", "eu-west-1", 1},
		{"eu-west-2:bias=-50 eu-central-1", "eu-west-1", 0},
		{"eu-west-2! eu-central-1", "eu-west-1", 1},
		{"nowhere eu-central-1", "eu-west-1", 1},
	};
	CHECK_ONES(ZONE_POLICY_GEOPROXIMITY, ones);
}

/* Private zones have no IP-based routing. */
static void test_cidr(void **state)
{
	static const struct one ones[] = {{"a b", "eu-west-1", -1}};
	CHECK_ONES(ZONE_POLICY_CIDR, ones);
}

static void count_picks(enum zone_policy policy, const char *text, unsigned int draws,
                        unsigned int *ret_counts)
{
	char buf[512];
	struct draw draw;
	struct choose_member members[MEMBERS_MAX];
	unsigned int picks[CHOOSE_PICKS_MAX];
	unsigned int n = members_read(text, buf, sizeof(buf), members);
	draw_seed(&draw);
	memset(ret_counts, 0, MEMBERS_MAX * sizeof(*ret_counts));
	for (unsigned int i = 0; i < draws; i++) {
		unsigned int got = choose_members(policy, members, n, "", &draw, picks);
		for (unsigned int p = 0; p < got; p++) {
			assert_true(picks[p] < n);
			ret_counts[picks[p]]++;
		}
	}
}

/* Six standard deviations of n draws with this share. */
static void check_share(unsigned int count, unsigned int draws, double share)
{
	double off = count - draws * share;
	if (off * off > 36 * draws * share * (1 - share) + 1e-9) {
		fail_msg("%u of %u instead of a share of %f", count, draws, share);
	}
}

static void test_weighted(void **state)
{
	static const struct {
		const char *members;
		double shares[4];
	} cases[] = {
		{"w=1 w=3", {0.25, 0.75}},
		{"w=0 w=3", {0, 1}},
		{"w=0 w=0 w=0 w=0", {0.25, 0.25, 0.25, 0.25}},
		{"w=1 w=3! w=1", {0.5, 0, 0.5}},
		/* Zeros serve when all others are ill, equally. */
		{"w=0 w=3! w=0 w=9!", {0.5, 0, 0.5, 0}},
		/* All ill: as if all were well. */
		{"w=0! w=3! w=1!", {0, 0.75, 0.25}},
		{"w=0! w=3! w=0", {0, 0, 1}},
	};
	const unsigned int draws = 100000;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned int counts[MEMBERS_MAX];
		count_picks(ZONE_POLICY_WEIGHTED, cases[i].members, draws, counts);
		for (unsigned int m = 0; m < 4; m++) {
			check_share(counts[m], draws, cases[i].shares[m]);
		}
	}
}

static void test_multivalue(void **state)
{
	unsigned int counts[MEMBERS_MAX];
	count_picks(ZONE_POLICY_MULTIVALUE, "a b! c", 100, counts);
	assert_int_equal(counts[0], 100);
	assert_int_equal(counts[1], 0);
	assert_int_equal(counts[2], 100);
	/* All ill: up to eight of them. */
	count_picks(ZONE_POLICY_MULTIVALUE, "a! b!", 100, counts);
	assert_int_equal(counts[0] + counts[1], 200);
	/* Eight of twelve healthy ones, each as often as another. */
	count_picks(ZONE_POLICY_MULTIVALUE, "a b c d e! f g h i j k l m", 10000, counts);
	assert_int_equal(counts[4], 0);
	for (unsigned int m = 0; m < 13; m++) {
		check_share(counts[m], 10000, m == 4 ? 0 : 8.0 / 12);
	}
}

static void test_simple(void **state)
{
	static const struct one ones[] = {{"a", "", 0}, {"a!", "", 0}};
	CHECK_ONES(ZONE_POLICY_SIMPLE, ones);
}

static void test_places(void **state)
{
	assert_null(place_find(""));
	assert_null(place_find("eu-west-10"));
	assert_string_equal(place_find("us-west-2-lax-1")->region, "us-west-2");
	const struct place *dublin = place_find("eu-west-1");
	double km = place_distance(51.5, -0.1, dublin);
	assert_true(km > 440 && km < 480);
	/* The far side of the earth: half its girth, and no number that is none. */
	km = place_distance(-53.3, 173.7, dublin);
	assert_true(km > 20000 && km < 20030);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_simple),       cmocka_unit_test(test_weighted),
		cmocka_unit_test(test_multivalue),   cmocka_unit_test(test_failover),
		cmocka_unit_test(test_latency),      cmocka_unit_test(test_geolocation),
		cmocka_unit_test(test_geoproximity), cmocka_unit_test(test_cidr),
		cmocka_unit_test(test_places),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
