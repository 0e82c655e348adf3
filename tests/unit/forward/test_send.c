#include "fake.h"
#include "forward/ask_int.h"

/* --- What is sent --- */

static void sent_is(struct rig *rig, uint16_t flags, bool edns, bool dnssec_ok)
{
	const uint8_t *wire = rig->fake[0].last;
	size_t end = fake_question_end(wire);
	assert_int_equal(get_u16(wire + 2), flags);
	assert_int_equal(get_u16(wire + 4), 1);
	assert_int_equal(get_u16(wire + 6), 0);
	assert_int_equal(get_u16(wire + 8), 0);
	assert_int_equal(get_u16(wire + 10), edns ? 1 : 0);
	assert_memory_equal(wire + DNS_HEADER_SIZE, rig->asker.name, dns_name_len(rig->asker.name));
	assert_int_equal(get_u16(wire + end - 4), DNS_TYPE_A);
	assert_int_equal(get_u16(wire + end - 2), DNS_CLASS_IN);
	if (edns) {
		/* root, OPT, 1232, rcode and version 0, DO, no option */
		const uint8_t opt[] = {0, 0, 41, 0x04, 0xd0, 0, 0, dnssec_ok ? 0x80 : 0, 0, 0, 0};
		assert_int_equal(rig->fake[0].last_size, end + sizeof(opt));
		assert_memory_equal(wire + end, opt, sizeof(opt));
	} else {
		assert_int_equal(rig->fake[0].last_size, end);
	}
}

static void ask_with(struct rig *rig, bool dnssec_ok, bool checking_disabled)
{
	asker_init(&rig->asker, RIG_ORIGIN, "WWW.corp.Example.COM");
	rig->asker.ask.dnssec_ok = dnssec_ok;
	rig->asker.ask.checking_disabled = checking_disabled;
	assert_int_equal(forward_ask(rig->worker, &rig->asker.ask), 0);
	rig_until(rig, rig->asker.told != 0, 1000);
	rig_assert_answered(rig);
}

static void test_packet(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	ask_with(&rig, false, false);
	sent_is(&rig, DNS_FLAG_RD | DNS_FLAG_AD, true, false);
	ask_with(&rig, true, false);
	sent_is(&rig, DNS_FLAG_RD | DNS_FLAG_AD, true, true);
	ask_with(&rig, true, true);
	sent_is(&rig, DNS_FLAG_RD | DNS_FLAG_AD | DNS_FLAG_CD, true, true);
	rig_close(&rig);
}

static void test_packet_without_edns(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_FORMERR_EDNS);
	rig_groups(&rig);
	ask_with(&rig, false, true);
	sent_is(&rig, DNS_FLAG_RD | DNS_FLAG_AD | DNS_FLAG_CD, false, false);
	rig_close(&rig);
}

static void test_long_name(void **state)
{
	struct rig rig;
	uint8_t name[DNS_NAME_MAX + 1];
	for (unsigned int i = 0; i < 254; i += 2) {
		name[i] = 1;
		name[i + 1] = 'a';
	}
	name[254] = 0;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	asker_init(&rig.asker, RIG_ORIGIN, ".");
	rig.asker.ask.name = name;
	assert_int_equal(forward_ask(rig.worker, &rig.asker.ask), 0);
	memset(name, 'x', sizeof(name)); /* it was copied */
	rig_until(&rig, rig.asker.told != 0, 1000);
	rig_assert_answered(&rig);
	rig_close(&rig);
}

/* --- The packet budget --- */

#define FLOOD 1500

static void group_limited(struct rig *rig, unsigned int rate, unsigned int burst)
{
	struct forward_group_opts opts;
	struct addr targets[3];
	rig_group(rig, &opts, targets);
	opts.rule = "vpc";
	opts.packet_rate = rate;
	opts.packet_burst = burst;
	assert_int_equal(forward_set_groups(rig->fwd, &opts, 1), 0);
}

/* More than the budget at once: some go, some wait a little, the rest is told at once. */
static void test_budget(void **state)
{
	struct rig rig;
	static struct asker askers[FLOOD];
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_ANSWER);
	group_limited(&rig, 900, 100);
	uint64_t begin_ms = mono_ms();
	for (size_t i = 0; i < FLOOD; i++) {
		char name[64];
		snprintf(name, sizeof(name), "h%zu.example", i);
		asker_init(&askers[i], RIG_ORIGIN, name);
		assert_int_equal(forward_ask(rig.worker, &askers[i].ask), 0);
	}
	forward_flush(rig.worker);
	rig_until(&rig, askers_told(askers, FLOOD) == FLOOD, 2000);
	uint64_t took_ms = mono_ms() - begin_ms;
	assert_int_equal(askers_told(askers, FLOOD), FLOOD);
	assert_true(took_ms < 500);
	size_t answered = 0;
	for (size_t i = 0; i < FLOOD; i++) {
		if (askers[i].why == 0) {
			answered++;
			continue;
		}
		assert_int_equal(askers[i].why, FAIL_BUSY);
		assert_string_equal(askers[i].text, "packet budget of 900/s used up");
		assert_false(askers[i].has_reply);
	}
	/* 100 at once and 180 in the 200 ms that one waits. */
	assert_in_range(answered, 200, 100 + 900 * took_ms / 1000 + 1);
	assert_int_equal(rig.fake[0].packets, answered);
	assert_true(rig_metric(&rig, "horizond_vpc_packets_total") == (double)answered);
	/* All but the burst, and the few tokens that came while the rest was flushed. */
	double held = rig_metric(&rig, "horizond_vpc_packets_held_total");
	assert_true(held <= FLOOD - 100 && held >= FLOOD - 200);
	assert_true(rig_target(&rig, 0).up);
	rig_close(&rig);
}

/* One asks for more than there is, another one for little: he has it all, and at once. */
static void test_budget_is_fair(void **state)
{
	struct rig rig;
	static struct asker askers[FLOOD];
	static struct asker modest[4];
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_ANSWER);
	group_limited(&rig, 100, 10);
	for (size_t i = 0; i < FLOOD; i++) {
		char name[64];
		snprintf(name, sizeof(name), "h%zu.example", i);
		asker_init(&askers[i], RIG_ORIGIN, name);
		askers[i].ask.asker = 1;
		assert_int_equal(forward_ask(rig.worker, &askers[i].ask), 0);
	}
	forward_flush(rig.worker);
	uint64_t begin_ms = mono_ms();
	for (size_t i = 0; i < 4; i++) { /* all at once: they take turns with the other's */
		char name[64];
		snprintf(name, sizeof(name), "m%zu.example", i);
		asker_init(&modest[i], RIG_ORIGIN, name);
		modest[i].ask.asker = 2;
		assert_int_equal(forward_ask(rig.worker, &modest[i].ask), 0);
	}
	forward_flush(rig.worker);
	rig_until(&rig, askers_told(modest, 4) == 4, 1000);
	assert_true(mono_ms() - begin_ms <
	            130); /* of a hundred a second, with one of the other's for each */
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(modest[i].why, 0);
	}
	rig_until(&rig, askers_told(askers, FLOOD) == FLOOD, 2000);
	size_t answered = 0;
	for (size_t i = 0; i < FLOOD; i++) {
		answered += askers[i].why == 0;
	}
	assert_in_range(answered, 15, 40);
	rig_close(&rig);
}

/* Retransmissions count: with one token a silent server gets one packet. */
static void test_budget_counts_all(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_SILENT);
	group_limited(&rig, 1, 1);
	uint64_t took_ms = rig_ask(&rig, "www.example.com");
	assert_int_equal(rig.asker.why, FAIL_BUSY);
	assert_true(took_ms >= 1400);
	assert_int_equal(rig.fake[0].packets, 1);
	assert_true(rig_metric(&rig, "horizond_vpc_packets_total") == 1);
	rig_close(&rig);
}

static void test_budget_counts_tcp(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_TRUNCATED);
	fake_open_tcp(&rig.fake[0]);
	group_limited(&rig, 900, 100);
	rig_ask(&rig, "www.example.com");
	rig_assert_answered(&rig);
	assert_true(rig_metric(&rig, "horizond_vpc_packets_total") == 9);
	assert_true(rig_metric(&rig, "horizond_packet_budget{rule=\"vpc\"}") == 900);
	rig_close(&rig);
}

/*
 * A held question that is answered late after all, or cancelled, or caught by the end, leaves in
 * order.
 */
static void test_held_then_settled(void **state)
{
	struct rig rig;
	struct asker other;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_LATE, FAKE_SILENT);
	rig.fake[0].late_ms = 650;
	group_limited(&rig, 6, 1);
	asker_init(&other, RIG_ORIGIN, "other.example");
	asker_init(&rig.asker, RIG_ORIGIN, "www.example.com");
	assert_int_equal(forward_ask(rig.worker, &rig.asker.ask), 0);
	forward_flush(rig.worker);
	rig_until(&rig, false, 550);
	/* It takes the token for which the first one's second try, at 600 ms, then waits. */
	assert_int_equal(forward_ask(rig.worker, &other.ask), 0);
	forward_flush(rig.worker);
	rig_until(&rig, rig.worker->held.count == 1, 200);
	assert_int_equal(rig.worker->held.count, 1);
	rig_until(&rig, rig.asker.told != 0, 1000);
	rig_assert_answered(&rig);
	assert_int_equal(rig.worker->held.count, 0);

	/* And one that is held when all ends. */
	struct asker last;
	asker_init(&last, RIG_ORIGIN, "last.example");
	forward_cancel(rig.worker, &other.ask);
	assert_int_equal(forward_ask(rig.worker, &last.ask), 0);
	forward_flush(rig.worker);
	rig_close(&rig);
	assert_int_equal(last.told, 1);
	assert_int_equal(last.why, FAIL_SHUTDOWN);
	assert_int_equal(other.told, 0);
}

static void ask_of(struct rig *rig, struct asker *asker, uint32_t origin, uint32_t who)
{
	static unsigned int number;
	char name[64];
	snprintf(name, sizeof(name), "q%u.example", number++);
	asker_init(asker, origin, name);
	asker->ask.asker = who;
	assert_int_equal(forward_ask(rig->worker, &asker->ask), 0);
	forward_flush(rig->worker);
}

/*
 * Tokens have come, and the packet of the last but one cannot be sent: for what it tries next there
 * is no room, and the very next in the list, the youngest of who has most, would have to give way.
 */
static void test_held_room_in_a_round(void **state)
{
	enum { FIRST = RIG_ORIGIN, SECOND };
	static struct asker askers[32];
	struct forward_group_opts opts[2];
	struct addr targets[3], unsendable[2];
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_ANSWER);
	rig_group(&rig, &opts[0], targets);
	opts[1] = opts[0];
	opts[0].packet_rate = 200;
	opts[0].packet_burst = 1;
	unsendable[1] = targets[0];
	unsendable[0] = targets[0];
	unsendable[0].in4.sin_addr.s_addr = INADDR_BROADCAST;
	opts[1].origin = SECOND;
	opts[1].targets = unsendable;
	opts[1].target_count = 2;
	opts[1].packet_rate = 80;
	opts[1].packet_burst = 4;
	assert_int_equal(forward_set_groups(rig.fwd, opts, 2), 0);
	size_t n = 0;
	ask_of(&rig, &askers[n++], SECOND, 9); /* all tokens */
	ask_of(&rig, &askers[n++], FIRST, 9);
	while (n < 22) {
		ask_of(&rig, &askers[n++], FIRST, 1);
	}
	while (n < 29) {
		ask_of(&rig, &askers[n++], FIRST, 5);
	}
	ask_of(&rig, &askers[n++], SECOND, 5);
	ask_of(&rig, &askers[n++], FIRST, 1);
	ask_of(&rig, &askers[n++], FIRST, 1); /* gives way to the very first, which tries again */
	assert_in_range(rig.worker->held.count, 20, 31);
	usleep(60000);
	rig_until(&rig, askers_told(askers, n) == n, 2000);
	assert_int_equal(askers_told(askers, n), n);
	assert_int_equal(rig.worker->held.count, 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packet),
		cmocka_unit_test(test_packet_without_edns),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_budget_is_fair),
		cmocka_unit_test(test_budget_counts_all),
		cmocka_unit_test(test_budget_counts_tcp),
		cmocka_unit_test(test_held_then_settled),
		cmocka_unit_test(test_held_room_in_a_round),
	};
	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
