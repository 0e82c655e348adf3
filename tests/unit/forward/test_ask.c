#include "fake.h"

static void test_answer(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	rig_ask(&rig, "www.Corp.example.com");
	rig_assert_answered(&rig);
	assert_true(addr_equal(&rig.asker.target, &rig.fake[0].addr));
	assert_true(rig.asker.rtt_us > 0 && rig.asker.rtt_us < 1000000);
	assert_string_equal(rig.asker.text, "");
	assert_int_equal(rig.fake[0].packets, 1);
	assert_null(rig.asker.ask.waiting);
	rig_close(&rig);
}

/* Without forward_flush it goes out at the end of the turn. */
static void test_unflushed(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	asker_init(&rig.asker, RIG_ORIGIN, "www.corp.example.com");
	assert_int_equal(forward_ask(rig.worker, &rig.asker.ask), 0);
	rig_until(&rig, rig.asker.told != 0, 1000);
	rig_assert_answered(&rig);
	rig_close(&rig);
}

static void test_silent_then_next(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_SILENT);
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	uint64_t took_ms = rig_ask(&rig, "www.corp.example.com");
	rig_assert_answered(&rig);
	assert_true(took_ms >= 250 && took_ms < 400);
	assert_int_equal(rig.fake[0].packets, 1);
	assert_int_equal(rig.fake[1].packets, 1);
	char want[200];
	char first[ADDR_TEXT_MAX];
	char second[ADDR_TEXT_MAX];
	snprintf(want, sizeof(want), "%s silent, %s answered", addr_text(&rig.fake[0].addr, first),
	         addr_text(&rig.fake[1].addr, second));
	assert_string_equal(rig.asker.text, want);
	rig_close(&rig);
}

/* Asked of the second after 300 ms, the first answers after all, before the second does. */
static void test_late_first_wins(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_LATE);
	rig_fake(&rig, FAKE_LATE);
	rig.fake[0].late_ms = 350;
	rig.fake[1].late_ms = 200;
	rig_groups(&rig);
	uint64_t took_ms = rig_ask(&rig, "www.corp.example.com");
	rig_assert_answered(&rig);
	assert_true(took_ms >= 340 && took_ms < 480);
	assert_true(addr_equal(&rig.asker.target, &rig.fake[0].addr));
	assert_int_equal(rig.fake[1].packets, 1);
	/* The second's answer is still heard out: it says how fast that one is. */
	assert_true(rig_target(&rig, 1).rtt_ms == 0);
	rig_until(&rig, rig_target(&rig, 1).rtt_ms != 0, 1000);
	assert_true(rig_target(&rig, 1).rtt_ms >= 190);
	assert_int_equal(rig.asker.told, 1);
	rig_close(&rig);
}

static void error_then_next(enum fake_act act, const char *reason)
{
	struct rig rig;
	const enum fake_act script[] = {act};
	rig_open(&rig, 0);
	fake_open(&rig.fake[rig.fakes++], rig.loop, script, 1);
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	uint64_t took_ms = rig_ask(&rig, "www.corp.example.com");
	rig_assert_answered(&rig);
	assert_true(took_ms < 200);
	assert_true(rig_target(&rig, 0).up);
	char addr[ADDR_TEXT_MAX];
	char sample[300];
	snprintf(sample, sizeof(sample),
	         "horizond_upstream_failures_total{rule=\"corp.example.com\",target=\"%s\",reason="
	         "\"%s\"}",
	         addr_text(&rig.fake[0].addr, addr), reason);
	assert_true(rig_metric(&rig, sample) == 1);
	rig_close(&rig);
}

static void test_error_then_next(void **state)
{
	error_then_next(FAKE_SERVFAIL, "servfail");
	error_then_next(FAKE_REFUSED, "refused");
	error_then_next(FAKE_REFERRAL, "lame");
}

static void test_all_lame(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_SERVFAIL);
	rig_fake(&rig, FAKE_REFUSED);
	rig_groups(&rig);
	uint64_t took_ms = rig_ask(&rig, "www.corp.example.com");
	assert_true(took_ms < 200);
	assert_int_equal(rig.asker.why, FAIL_LAME);
	assert_true(rig.asker.has_reply);
	assert_int_equal(rig.asker.rcode, DNS_RCODE_REFUSED);
	assert_non_null(strstr(rig.asker.text, "SERVFAIL"));
	assert_non_null(strstr(rig.asker.text, "REFUSED"));
	assert_int_equal(rig.fake[0].packets + rig.fake[1].packets, 2);
	rig_close(&rig);
}

static void test_nxdomain_is_an_answer(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_NXDOMAIN);
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	rig_ask(&rig, "www.corp.example.com");
	assert_int_equal(rig.asker.why, 0);
	assert_int_equal(rig.asker.rcode, DNS_RCODE_NXDOMAIN);
	assert_int_equal(rig.fake[1].packets, 0);
	rig_close(&rig);
}

static void test_formerr_without_edns(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_FORMERR_EDNS, FAKE_FORMERR_BARE);
	rig_groups(&rig);
	for (unsigned int i = 1; i <= 2; i++) {
		/*
		 * The second time with EDNS again at first: a lone FORMERR says nothing for
		 * later.
		 */
		uint64_t took_ms = rig_ask(&rig, i == 1 ? "a.example" : "b.example");
		rig_assert_answered(&rig);
		assert_true(took_ms < 200);
		assert_int_equal(rig.fake[0].packets, 2 * i);
		assert_int_equal(get_u16(rig.fake[0].last + 10), 0);
	}
	rig_close(&rig);
}

/* --- What is not to be believed --- */

static void lie_then_answer(enum fake_act act, double lies)
{
	struct rig rig;
	const enum fake_act script[] = {act};
	rig_open(&rig, 0);
	fake_open(&rig.fake[rig.fakes++], rig.loop, script, 1);
	rig_groups(&rig);
	uint64_t took_ms = rig_ask(&rig, "www.corp.example.com");
	rig_assert_answered(&rig);
	assert_true(took_ms < 200);
	assert_int_equal(rig.fake[0].packets, 1);
	assert_true(rig_target(&rig, 0).up);
	assert_true(rig_target(&rig, 0).failures == lies);
	rig_close(&rig);
}

static void test_lies(void **state)
{
	lie_then_answer(FAKE_WRONG_ID, 1);
	lie_then_answer(FAKE_WRONG_NAME, 1);
	lie_then_answer(FAKE_WRONG_TYPE, 1);
	lie_then_answer(FAKE_GARBAGE, 2);
}

/* Too many lies, and the question goes on by TCP; what then comes by UDP is not believed. */
static void test_many_lies(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_WRONG_FOR_EVER);
	fake_open_tcp(&rig.fake[0]);
	rig_groups(&rig);
	uint64_t took_ms = rig_ask(&rig, "www.corp.example.com");
	rig_assert_answered(&rig);
	assert_true(took_ms < 200);
	assert_int_equal(rig.fake[0].packets, 1);
	assert_int_equal(rig.fake[0].exchanges, 1);
	assert_true(rig_target(&rig, 0).up);
	rig_close(&rig);
}

static void test_broken_body(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_BROKEN_BODY);
	fake_open_tcp(&rig.fake[0]);
	rig_groups(&rig);
	rig_ask(&rig, "www.corp.example.com");
	rig_assert_answered(&rig);
	assert_int_equal(rig.fake[0].exchanges, 1);
	rig_close(&rig);
}

/* Whatever comes: each question ends once, and the target is not thought ill of. */
static void test_mutated(void **state)
{
	struct rig rig;
	unsigned int good = 0;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_MUTATED);
	fake_open_tcp(&rig.fake[0]);
	rig_groups(&rig);
	for (unsigned int i = 0; i < 2000; i++) {
		rig_ask(&rig, "www.corp.example.com");
		good += rig.asker.why == 0;
		assert_true(rig.asker.why == 0 || rig.asker.why == FAIL_LAME);
	}
	assert_true(good > 1800); /* the rest is taken for SERVFAIL and the like */
	assert_true(rig_target(&rig, 0).up);
	rig_close(&rig);
}

/* Somebody else who knows port and id, but is not the target: the kernel keeps him out. */
static void test_wrong_source(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_LATE);
	rig.fake[0].late_ms = 100;
	rig_groups(&rig);
	asker_init(&rig.asker, RIG_ORIGIN, "www.corp.example.com");
	assert_int_equal(forward_ask(rig.worker, &rig.asker.ask), 0);
	rig_until(&rig, rig.fake[0].packets == 1, 1000);

	struct addr to = rig.fake[0].addr;
	addr_set_port(&to, rig.fake[0].seen[0].port);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint8_t reply[600];
	size_t size = fake_reply(rig.fake[0].last, 0, true, reply);
	reply[size - 1] = 66;
	for (int i = 0; i < 10; i++) {
		/* Loopback says at once that nobody takes it. */
		sendto(fd, reply, size, 0, &to.sa, to.len);
	}
	close(fd);
	rig_until(&rig, rig.asker.told != 0, 1000);
	rig_assert_answered(&rig);
	assert_true(rig_target(&rig, 0).failures == 0);
	rig_close(&rig);
}

/* --- Nobody there --- */

static void test_port_closed(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_ANSWER);
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	fake_shut(&rig.fake[0]);
	uint64_t took_ms = rig_ask(&rig, "www.corp.example.com");
	rig_assert_answered(&rig);
	assert_true(took_ms < 200);
	assert_non_null(strstr(rig.asker.text, "port closed"));
	rig_close(&rig);
}

/* The only target: the hint is not final, and it is tried again when its time is up. */
static void test_port_closed_for_a_while(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	fake_shut(&rig.fake[0]);
	asker_init(&rig.asker, RIG_ORIGIN, "www.corp.example.com");
	assert_int_equal(forward_ask(rig.worker, &rig.asker.ask), 0);
	rig_until(&rig, false, 100);
	assert_int_equal(rig.asker.told, 0);
	fake_listen(&rig.fake[0]);
	rig_until(&rig, rig.asker.told != 0, 2000);
	rig_assert_answered(&rig);
	rig_close(&rig);
}

static void test_unreachable(void **state)
{
	struct rig rig;
	struct addr target;
	rig_open(&rig, 0);
	assert_int_equal(addr_parse("255.255.255.255", 53, &target),
	                 0); /* not without asking for it */
	struct forward_group_opts opts = {
		.origin = RIG_ORIGIN, .rule = "x", .targets = &target, .target_count = 1};
	assert_int_equal(forward_set_groups(rig.fwd, &opts, 1), 0);
	uint64_t took_ms = rig_ask(&rig, "www.corp.example.com");
	assert_int_equal(rig.asker.why, FAIL_NET);
	assert_false(rig.asker.has_reply);
	assert_true(took_ms < 200);
	assert_true(forward_way_out(rig.fwd, RIG_ORIGIN));
	rig_close(&rig);
}

static void test_no_targets(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_groups(&rig);
	rig_ask(&rig, "www.corp.example.com");
	assert_int_equal(rig.asker.why, FAIL_NET);
	rig_close(&rig);
}

static void test_budget(void **state)
{
	struct rig rig;
	rig_open(&rig, 700);
	rig_fake(&rig, FAKE_SILENT);
	rig_groups(&rig);
	uint64_t took_ms = rig_ask(&rig, "www.corp.example.com");
	assert_int_equal(rig.asker.why, FAIL_TIMEOUT);
	assert_true(took_ms >= 700 && took_ms < 850);
	assert_non_null(strstr(rig.asker.text, "silent"));
	assert_int_equal(rig.fake[0].packets,
	                 2); /* 0 and 300 ms; the next would have been at 700 */
	rig_close(&rig);
}

static void test_own_budget(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_SILENT);
	rig_groups(&rig);
	asker_init(&rig.asker, RIG_ORIGIN, "www.corp.example.com");
	rig.asker.ask.budget_ms = 120;
	uint64_t begin_ms = mono_ms();
	assert_int_equal(forward_ask(rig.worker, &rig.asker.ask), 0);
	rig_until(&rig, rig.asker.told != 0, 2000);
	assert_int_equal(rig.asker.why, FAIL_TIMEOUT);
	assert_true(rig.asker.told_ms - begin_ms >= 120 && rig.asker.told_ms - begin_ms < 250);
	rig_close(&rig);
}

/*
 * The only target of a rule has its time: few packets to a server that may only be slow; down all
 * the same.
 */
static void test_only_target_silent(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_ANSWER, FAKE_ANSWER, FAKE_ANSWER, FAKE_SILENT);
	rig_groups(&rig);
	rig_ask(&rig, "a.example");
	rig_ask(&rig, "b.example");
	rig_ask(&rig, "c.example");
	uint64_t took_ms = rig_ask(&rig, "d.example");
	assert_int_equal(rig.asker.why, FAIL_TIMEOUT);
	assert_int_equal(rig.fake[0].packets, 3 + 3);
	assert_true(took_ms >= 1500 && took_ms < 1700);
	rig_ask(&rig, "e.example");
	assert_false(rig_target(&rig, 0).up);
	assert_false(forward_way_out(rig.fwd, RIG_ORIGIN));
	rig_close(&rig);
}

/* --- Down, and back --- */

static void test_down_and_back(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_SILENT, FAKE_SILENT, FAKE_SILENT, FAKE_ANSWER);
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	for (unsigned int i = 0; i < 3; i++) {
		rig_ask(&rig, "a.example");
		rig_assert_answered(&rig);
	}
	assert_false(rig_target(&rig, 0).up);
	assert_true(forward_way_out(rig.fwd, 0));
	assert_int_equal(rig_target(&rig, 0).state, FORWARD_DOWN);
	/* The other one is asked at once, and no question of clients goes there; but a probe does. */
	for (unsigned int i = 0; i < 5; i++) {
		assert_true(rig_ask(&rig, "a.example") < 100);
	}
	assert_int_equal(rig.fake[0].packets, 3);
	rig_until(&rig, rig_target(&rig, 0).up, 1000);
	assert_true(rig_target(&rig, 0).up);
	assert_int_equal(rig.fake[0].packets, 4);
	assert_int_equal(rig_target(&rig, 0).probes, 1);
	assert_memory_equal(rig.fake[0].last + DNS_HEADER_SIZE, "\0\0\2\0\1", 5); /* . NS */
	rig_ask(&rig, "a.example");
	assert_int_equal(rig.fake[0].packets, 5);
	rig_close(&rig);
}

/* Probed at growing intervals, and no more than that. */
static void test_stays_down(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_SILENT);
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	for (unsigned int i = 0; i < 3; i++) {
		rig_ask(&rig, "a.example");
	}
	assert_false(rig_target(&rig, 0).up);
	rig_until(&rig, false, 1700);
	/* After 0.2, 0.6, 1.4 s and a tick each. */
	assert_in_range(rig.fake[0].packets, 3 + 2, 3 + 3);
	assert_int_equal(rig_target(&rig, 0).probes, rig.fake[0].packets - 3);
	rig_close(&rig);
}

/* It refuses all, quickly: not asked first any more, and shown as what it is. */
static void test_lame_and_back(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_REFUSED, FAKE_REFUSED, FAKE_REFUSED, FAKE_REFUSED, FAKE_REFUSED,
	         FAKE_REFUSED, FAKE_ANSWER);
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	char name[32];
	for (unsigned int i = 0; i < 5; i++) {
		assert_int_equal(rig_target(&rig, 0).state, FORWARD_UP);
		snprintf(name, sizeof(name), "n%u.example", i);
		rig_ask(&rig, name);
		rig_assert_answered(&rig);
	}
	assert_int_equal(rig_target(&rig, 0).state, FORWARD_LAME);
	assert_true(rig_target(&rig, 0).up);
	rig_ask(&rig, "a.example");
	rig_assert_answered(&rig);
	assert_int_equal(rig.fake[0].packets, 5);
	/* A probe is refused as well; the next one is answered. */
	rig_until(&rig, rig_target(&rig, 0).state == FORWARD_UP, 2000);
	assert_int_equal(rig_target(&rig, 0).state, FORWARD_UP);
	assert_int_equal(rig.fake[0].packets, 7);
	assert_int_equal(rig_target(&rig, 0).probes, 2);
	rig_close(&rig);
}

/* It has an answer to probes and none to clients: a client's question, asked aside, tells. */
static void test_lame_but_for_probes(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_SERVFAIL, FAKE_SERVFAIL, FAKE_SERVFAIL, FAKE_SERVFAIL, FAKE_SERVFAIL,
	         FAKE_ANSWER);
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	char name[32];
	for (unsigned int i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		rig_ask(&rig, name);
	}
	rig_until(&rig, rig.fake[0].packets == 6, 1000);
	rig_until(&rig, false, 50);
	assert_int_equal(rig_target(&rig, 0).probes, 1);
	assert_int_equal(rig_target(&rig, 0).state, FORWARD_LAME);
	rig_ask(&rig, "a.example");
	rig_assert_answered(&rig);
	rig_until(&rig, rig_target(&rig, 0).state == FORWARD_UP, 1000);
	assert_int_equal(rig_target(&rig, 0).state, FORWARD_UP);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_unflushed),
		cmocka_unit_test(test_silent_then_next),
		cmocka_unit_test(test_late_first_wins),
		cmocka_unit_test(test_error_then_next),
		cmocka_unit_test(test_all_lame),
		cmocka_unit_test(test_nxdomain_is_an_answer),
		cmocka_unit_test(test_formerr_without_edns),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_many_lies),
		cmocka_unit_test(test_broken_body),
		cmocka_unit_test(test_mutated),
		cmocka_unit_test(test_wrong_source),
		cmocka_unit_test(test_no_targets),
		cmocka_unit_test(test_port_closed),
		cmocka_unit_test(test_port_closed_for_a_while),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_own_budget),
		cmocka_unit_test(test_only_target_silent),
		cmocka_unit_test(test_down_and_back),
		cmocka_unit_test(test_stays_down),
		cmocka_unit_test(test_lame_and_back),
		cmocka_unit_test(test_lame_but_for_probes),
	};
	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
