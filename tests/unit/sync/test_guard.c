#include "stage.h"

#include <unistd.h>

#define BODY_MAX 16384

static char bodies[2][BODY_MAX];

/* SOA, NS (when wanted), and the sets h<from> to h<to - 1>. */
static const char *body(unsigned int which, bool ns, unsigned int from, unsigned int to)
{
	char *at = bodies[which];
	at += sprintf(at, "%s%s%s",
	              "<ListResourceRecordSetsResponse xmlns=\"" SPACE "\"><ResourceRecordSets>",
	              ns ? SET("corp.example.", "NS", "900", "ns-0.awsdns-00.com.") : "",
	              SOA("corp.example."));
	for (unsigned int i = from; i < to; i++) {
		at += sprintf(at,
		              "<ResourceRecordSet><Name>h%02u.corp.example.</Name><Type>A</Type>"
		              "<TTL>60</TTL><ResourceRecords><ResourceRecord><Value>10.0.0.%u"
		              "</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>",
		              i, i);
	}
	strcpy(at, "</ResourceRecordSets>" LAST "</ListResourceRecordSetsResponse>");
	return bodies[which];
}

static size_t wanted_sets;

static bool has_sets(const struct zones_entry *entry)
{
	return sets_of(entry) == wanted_sets && entry->held[0] == '\0';
}

static bool held(const struct zones_entry *entry)
{
	return sets_of(entry) == wanted_sets && entry->held[0] != '\0';
}

static void sets_wait(size_t sets)
{
	wanted_sets = sets;
	assert_true(listener_wait(&listener, "Z1", has_sets));
}

static void held_wait(size_t sets)
{
	wanted_sets = sets;
	assert_true(listener_wait(&listener, "Z1", held));
}

/* 12 sets, SOA and NS are served. */
static void guarded(void)
{
	struct sync_opts opts = options(one_id, 1);
	opts.guard_max_loss = 30;
	opts.guard_min_sets = 10;
	api_set(&api, 0, "Z1", 200, body(0, true, 0, 12));
	log_set_level(LOG_LEVEL_ERROR - 1); /* what is held back is an error to all others */
	start(&opts);
	sets_wait(14);
}

static void look_with(const char *listing)
{
	unsigned int before = api_calls(&api, 0);
	api_set(&api, 0, "Z1", 200, listing);
	assert_int_equal(sync_now(thread, "Z1"), 0);
	while (api_calls(&api, 0) == before) {
		usleep(1000);
	}
}

static bool metric_is(int value)
{
	struct text out;
	char line[128];
	text_init(&out, 0);
	sync_metrics(thread, &out);
	snprintf(line, sizeof(line),
	         "horizond_zone_held_back{zone=\"corp.example.\",id=\"Z1\"} %d\n", value);
	bool found = strstr(text_get(&out), line) != NULL;
	text_fini(&out);
	return found;
}

static void test_held_until_seen_twice(void **state)
{
	guarded();
	assert_true(metric_is(0));
	look_with(body(1, true, 0, 6));
	held_wait(14);
	assert_true(metric_is(1));
	assert_int_equal(sync_now(thread, "Z1"), 0);
	sets_wait(8);
	assert_true(metric_is(0));
}

static void test_emptied(void **state)
{
	guarded();
	look_with(body(1, true, 0, 0));
	held_wait(14);
	assert_int_equal(sync_now(thread, "Z1"), 0);
	sets_wait(2);
}

/* As many others do not make it good. */
static void test_others_in_their_place(void **state)
{
	guarded();
	look_with(body(1, true, 20, 32));
	held_wait(14);
}

static void test_two_different_losses(void **state)
{
	guarded();
	look_with(body(1, true, 0, 6));
	held_wait(14);
	look_with(body(0, true, 0, 3));
	usleep(50000);
	held_wait(14);
	assert_int_equal(sync_now(thread, "Z1"), 0);
	sets_wait(5);
}

static void test_no_longer_so(void **state)
{
	guarded();
	look_with(body(1, true, 0, 6));
	held_wait(14);
	look_with(body(0, true, 0, 12));
	sets_wait(14);
	look_with(body(1, true, 0, 6)); /* once more is the first time again */
	held_wait(14);
}

static void test_accepted(void **state)
{
	guarded();
	assert_int_equal(sync_accept(thread, "Z1"), FAIL_NOTFOUND);
	look_with(body(1, true, 0, 6));
	held_wait(14);
	unsigned int calls = api_calls(&api, 0);
	assert_int_equal(sync_accept(thread, "other.example"), FAIL_NOTFOUND);
	assert_int_equal(sync_accept(thread, "corp.example"), 0);
	sets_wait(8);
	assert_int_equal(api_calls(&api, 0), calls);
}

static void test_small_losses_pass(void **state)
{
	guarded();
	look_with(body(1, true, 0, 8)); /* 4 of 14 */
	sets_wait(10);
	look_with(body(0, true, 0, 7)); /* 1 of 10 */
	sets_wait(9);
	look_with(body(1, true, 0, 1)); /* of less than ten: as it says */
	sets_wait(3);
}

static void test_ns_lost(void **state)
{
	guarded();
	look_with(body(1, false, 0, 12));
	held_wait(14);
	assert_int_equal(sync_now(thread, "Z1"), 0);
	sets_wait(13);
}

static int guard_end(void **state)
{
	int ret = end(state);
	stage_log();
	return ret;
}

int main(void)
{
	stage_log();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_held_until_seen_twice, begin, guard_end),
		cmocka_unit_test_setup_teardown(test_emptied, begin, guard_end),
		cmocka_unit_test_setup_teardown(test_others_in_their_place, begin, guard_end),
		cmocka_unit_test_setup_teardown(test_two_different_losses, begin, guard_end),
		cmocka_unit_test_setup_teardown(test_no_longer_so, begin, guard_end),
		cmocka_unit_test_setup_teardown(test_accepted, begin, guard_end),
		cmocka_unit_test_setup_teardown(test_small_losses_pass, begin, guard_end),
		cmocka_unit_test_setup_teardown(test_ns_lost, begin, guard_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
