#include "fake.h"
#include "forward/ask_int.h"

static void truncated_rig(struct rig *rig, bool tcp)
{
	rig_open(rig, 0);
	rig_fake(rig, FAKE_TRUNCATED);
	if (tcp) {
		fake_open_tcp(&rig->fake[0]);
	}
}

static void test_truncated(void **state)
{
	struct rig rig;
	truncated_rig(&rig, true);
	rig_groups(&rig);
	uint64_t took_ms = rig_ask(&rig, "www.example.com");
	rig_assert_answered(&rig);
	assert_true(took_ms < 200);
	assert_int_equal(rig.fake[0].packets, 1);
	assert_int_equal(rig.fake[0].exchanges, 1);
	assert_int_equal(rig.worker->tcp_count, 0);
	/* The round trip of the connection is no measure of the target's. */
	assert_true(rig_target(&rig, 0).rtt_ms > 0);
	rig_close(&rig);
}

/* A message of another id on the connection does not end the waiting. */
static void test_junk_first(void **state)
{
	struct rig rig;
	truncated_rig(&rig, true);
	rig.fake[0].junk_first = 2;
	rig_groups(&rig);
	rig_ask(&rig, "www.example.com");
	rig_assert_answered(&rig);
	assert_int_equal(rig_target(&rig, 0).failures, 2);
	rig_close(&rig);
}

/* But only so many are read. */
static void test_junk_only(void **state)
{
	struct rig rig;
	truncated_rig(&rig, true);
	rig.fake[0].junk_first = 3;
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	uint64_t took_ms = rig_ask(&rig, "www.example.com");
	rig_assert_answered(&rig);
	assert_true(took_ms < 200);
	assert_int_equal(rig.fake[1].packets, 1);
	rig_close(&rig);
}

/* No TCP there, or it hangs up: the next target. */
static void test_refused(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct rig rig;
		truncated_rig(&rig, i == 1);
		rig.fake[0].tcp_hangs_up = true;
		rig_fake(&rig, FAKE_ANSWER);
		rig_groups(&rig);
		uint64_t took_ms = rig_ask(&rig, "www.example.com");
		rig_assert_answered(&rig);
		assert_true(took_ms < 200);
		assert_non_null(strstr(rig.asker.text, "TCP failed"));
		assert_true(rig_target(&rig, 0).up);
		rig_close(&rig);
	}
}

/*
 * The only target, and its TCP fails: tried again, but no more than six times, not one after the
 * other.
 */
static void test_refused_alone(void **state)
{
	struct rig rig;
	truncated_rig(&rig, true);
	rig.fake[0].tcp_hangs_up = true;
	rig_groups(&rig);
	uint64_t took_ms = rig_ask(&rig, "www.example.com");
	assert_int_not_equal(rig.asker.why, 0);
	assert_true(took_ms <= 1700);
	assert_true(rig.fake[0].packets + rig.fake[0].exchanges <= ASK_TRIES);
	rig_close(&rig);
}

static void test_mute(void **state)
{
	struct rig rig;
	truncated_rig(&rig, true);
	rig.fake[0].tcp_mute = true;
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	uint64_t took_ms = rig_ask(&rig, "www.example.com");
	rig_assert_answered(&rig);
	assert_true(took_ms >= ASK_TCP_MIN_MS - 10 && took_ms < ASK_TCP_MAX_MS + 100);
	assert_int_equal(rig.worker->tcp_count, 0);
	rig_close(&rig);
}

/* The worker ends in the middle of an exchange. */
static void test_end(void **state)
{
	struct rig rig;
	truncated_rig(&rig, true);
	rig.fake[0].tcp_mute = true;
	rig_groups(&rig);
	asker_init(&rig.asker, RIG_ORIGIN, "www.example.com");
	assert_int_equal(forward_ask(rig.worker, &rig.asker.ask), 0);
	rig_until(&rig, rig.fake[0].exchanges == 1, 1000);
	assert_int_equal(rig.worker->tcp_count, 1);
	rig_close(&rig);
	assert_int_equal(rig.asker.told, 1);
	assert_int_equal(rig.asker.why, FAIL_SHUTDOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truncated),     cmocka_unit_test(test_junk_first),
		cmocka_unit_test(test_junk_only),     cmocka_unit_test(test_refused),
		cmocka_unit_test(test_refused_alone), cmocka_unit_test(test_mute),
		cmocka_unit_test(test_end),
	};
	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
