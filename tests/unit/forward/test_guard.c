#include "fake.h"
#include "forward/guard_int.h"

#define T0_MS UINT64_C(50000)
#define BOTH  (GUARD_CASE | GUARD_COOKIE)

/* --- The parts --- */

static void test_mix(void **state)
{
	uint8_t name[DNS_NAME_MAX];
	uint8_t mixed[DNS_NAME_MAX];
	int len = dns_name_parse("a-b0.Zz@[`{.example", name);
	guard__mix(name, (size_t)len, 0, mixed);
	assert_memory_equal(mixed, name, (size_t)len);
	guard__mix(name, (size_t)len, UINT64_MAX, mixed);
	assert_memory_equal(mixed, "\4A-B0\6zZ@[`{\7EXAMPLE", (size_t)len);
	/* Label lengths are never taken for letters. */
	len = dns_name_parse("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b",
	                     name);
	for (unsigned int i = 0; i < 1000; i++) {
		guard__mix(name, (size_t)len, random_u64(), mixed);
		assert_true(dns_name_equal(name, mixed));
	}
}

static void test_pauses(void **state)
{
	struct guard guard;
	guard__init(&guard);
	assert_int_equal(guard__bear(&guard, BOTH, false, T0_MS), BOTH);
	assert_int_equal(guard__bear(&guard, GUARD_CASE, false, T0_MS), GUARD_CASE);
	assert_int_equal(guard__bear(&guard, 0, false, T0_MS), 0);
	guard__case_lost(&guard, "x", T0_MS);
	guard__case_lost(&guard, "x", T0_MS);
	guard__kept(&guard, BOTH);
	guard__case_lost(&guard, "x", T0_MS);
	guard__case_lost(&guard, "x", T0_MS);
	assert_int_equal(guard__bear(&guard, BOTH, false, T0_MS), BOTH);
	guard__case_lost(&guard, "x", T0_MS);
	assert_int_equal(guard__bear(&guard, BOTH, false, T0_MS), GUARD_COOKIE);
	assert_int_equal(guard__bear(&guard, BOTH, false, T0_MS + GUARD_PAUSE_MS - 1),
	                 GUARD_COOKIE);
	/* Tried again, and one more loss is enough. */
	assert_int_equal(guard__bear(&guard, BOTH, false, T0_MS + GUARD_PAUSE_MS), BOTH);
	guard__case_lost(&guard, "x", T0_MS + GUARD_PAUSE_MS);
	assert_int_equal(guard__bear(&guard, BOTH, false, T0_MS + GUARD_PAUSE_MS), GUARD_COOKIE);

	for (unsigned int i = 0; i < GUARD_LOST_MAX; i++) {
		guard__cookie_refused(&guard, "x", T0_MS);
	}
	assert_int_equal(guard__bear(&guard, BOTH, false, T0_MS), 0);
}

/* One that never answered anything but plain questions. */
static void test_plain_alone(void **state)
{
	struct guard guard;
	guard__init(&guard);
	guard__fell(&guard, "x", T0_MS);
	assert_int_equal(guard__bear(&guard, BOTH, true, T0_MS), 0);
	assert_int_equal(guard__bear(&guard, BOTH, false, T0_MS), BOTH);
	guard__plain_up(&guard);
	guard__fell(&guard, "x", T0_MS);
	assert_int_equal(guard__bear(&guard, BOTH, false, T0_MS), 0);

	guard__init(&guard);
	guard__kept(&guard, BOTH);
	assert_int_equal(guard__bear(&guard, BOTH, true, T0_MS), BOTH);
	guard__plain_up(&guard);
	guard__fell(&guard, "x", T0_MS);
	assert_int_equal(guard__bear(&guard, BOTH, false, T0_MS), BOTH);
}

static void test_cookie_jar(void **state)
{
	struct guard guard;
	struct guard other;
	uint8_t cookie[GUARD_COOKIE_MAX];
	uint8_t given[GUARD_COOKIE_MAX];
	guard__init(&guard);
	guard__init(&other);
	assert_memory_not_equal(guard.own, other.own, 8);
	assert_int_equal(guard__cookie(&guard, cookie), 8);
	assert_false(guard__has_cookie(&guard));
	assert_true(guard__cookie_ours(&guard, cookie, 8));
	assert_false(guard__cookie_ours(&other, cookie, 8));
	assert_false(guard__cookie_ours(&guard, cookie, 7));
	memcpy(given, cookie, 8);
	for (size_t size = GUARD_COOKIE_MAX; size > 8; size -= 8) {
		memset(given + 8, (int)size, size - 8);
		guard__learn(&guard, given, size);
		assert_true(guard__has_cookie(&guard));
		assert_int_equal(guard__cookie(&guard, cookie), size);
		assert_memory_equal(cookie, given, size);
	}
	guard__learn(&guard, given, 8);
	assert_false(guard__has_cookie(&guard));
}

/* --- In use --- */

static void guard_rig(struct rig *rig, enum fake_act act, bool mixed_case, bool cookies)
{
	static enum fake_act script[1];
	script[0] = act;
	rig_open(rig, 0);
	fake_open(&rig->fake[0], rig->loop, script, 1);
	rig->fakes = 1;
	fake_open_tcp(&rig->fake[0]);
	struct forward_group_opts opts;
	struct addr targets[3];
	rig_group(rig, &opts, targets);
	opts.mixed_case = mixed_case;
	opts.cookies = cookies;
	assert_int_equal(forward_set_groups(rig->fwd, &opts, 1), 0);
}

/* Each question in another case, each answer in the asker's. */
static void test_case_mixed(void **state)
{
	struct rig rig;
	guard_rig(&rig, FAKE_ANSWER, true, false);
	unsigned int upper = 0;
	for (unsigned int i = 0; i < 64; i++) {
		rig_ask(&rig, "wwW.corp.example.com");
		rig_assert_answered(&rig);
		assert_memory_equal(rig.asker.echoed, "\3wwW\4corp\7example\3com", 22);
		const uint8_t *name = rig.fake[0].last + DNS_HEADER_SIZE;
		upper += name[1] == 'W';
		assert_true(dns_name_equal(name, rig.asker.name));
	}
	assert_in_range(upper, 10, 54);
	assert_int_equal(rig.fake[0].packets, 64);
	rig_close(&rig);
}

static void test_case_lost(void **state)
{
	struct rig rig;
	char name[32];
	guard_rig(&rig, FAKE_LOWER, true, false);
	for (unsigned int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "W%u.corp.example.com", i);
		assert_true(rig_ask(&rig, name) < 250);
		rig_assert_answered(&rig);
		/* By TCP, three times; then as written, and what comes back is taken. */
		assert_int_equal(rig.fake[0].exchanges, i < 3 ? i + 1 : 3);
		assert_int_equal(rig.fake[0].packets, i + 1);
	}
	assert_int_equal(rig.fake[0].last[DNS_HEADER_SIZE + 1], 'W');
	assert_true(rig_target(&rig, 0).up);
	rig_close(&rig);
}

/* And no TCP: once more by UDP. */
static void test_case_lost_without_tcp(void **state)
{
	struct rig rig;
	guard_rig(&rig, FAKE_LOWER, true, true);
	loop_fd_close(&rig.fake[0].tcp_lfd);
	close(rig.fake[0].tcp_fd);
	rig.fake[0].tcp_fd = -1;
	for (unsigned int i = 0; i < 3; i++) {
		assert_true(rig_ask(&rig, "www.corp.example.com") < 250);
		rig_assert_answered(&rig);
		assert_int_equal(rig.fake[0].packets, 2 * (i + 1));
	}
	rig_close(&rig);
}

/* The same where TCP goes into a black hole. */
static void test_case_lost_with_mute_tcp(void **state)
{
	struct rig rig;
	guard_rig(&rig, FAKE_LOWER, true, true);
	rig.fake[0].tcp_mute = true;
	assert_true(rig_ask(&rig, "www.corp.example.com") < 1500);
	rig_assert_answered(&rig);
	rig_close(&rig);
}

/* A forged one with port and id right, but not the case; then the true one. */
static void test_case_forged(void **state)
{
	struct rig rig;
	guard_rig(&rig, FAKE_WRONG_CASE, true, false);
	for (unsigned int i = 0; i < 10; i++) {
		assert_true(rig_ask(&rig, "www.corp.example.com") < 200);
		rig_assert_answered(&rig);
		assert_int_equal(rig.fake[0].packets, i + 1);
	}
	/* The true ones kept it: it is still demanded. */
	unsigned int upper = 0;
	for (unsigned int i = 0; i < 10; i++) {
		rig_ask(&rig, "www.corp.example.com");
		upper += fake_is_mixed(rig.fake[0].last);
	}
	assert_true(upper > 5);
	rig_close(&rig);
}

/* It drops what it does not know: found out, and asked plainly. */
static void test_picky(void **state)
{
	struct rig rig;
	guard_rig(&rig, FAKE_PICKY, true, true);
	for (unsigned int i = 0; i < 4; i++) {
		rig_ask(&rig, "www.corp.example.com");
		rig_until(&rig, rig_target(&rig, 0).up, 600);
	}
	assert_true(rig_ask(&rig, "www.corp.example.com") < 200);
	rig_assert_answered(&rig);
	rig_close(&rig);
}

static void test_cookies(void **state)
{
	struct rig rig;
	const uint8_t *cookie;
	guard_rig(&rig, FAKE_COOKIE, false, true);
	rig_ask(&rig, "www.corp.example.com");
	rig_assert_answered(&rig);
	assert_int_equal(fake_cookie(rig.fake[0].last, &cookie), 8);
	for (unsigned int i = 0; i < 3; i++) {
		rig_ask(&rig, "www.corp.example.com");
		rig_assert_answered(&rig);
		assert_true(fake_cookie_back(rig.fake[0].last));
	}
	/* One without is not believed by UDP; by TCP it is, and it gives none there: no more asked for. */
	static const enum fake_act plain[] = {FAKE_ANSWER};
	rig.fake[0].script = plain;
	rig_ask(&rig, "www.corp.example.com");
	rig_assert_answered(&rig);
	assert_int_equal(rig.fake[0].exchanges, 1);
	rig_ask(&rig, "www.corp.example.com");
	rig_assert_answered(&rig);
	assert_int_equal(rig.fake[0].exchanges, 1);
	assert_int_equal(fake_cookie(rig.fake[0].last, &cookie), 8);
	rig_close(&rig);
}

static void test_cookie_forged(void **state)
{
	struct rig rig;
	guard_rig(&rig, FAKE_COOKIE_FORGED, true, true);
	for (unsigned int i = 0; i < 3; i++) {
		rig_ask(&rig, "www.corp.example.com");
		rig_assert_answered(&rig);
		assert_int_equal(rig.fake[0].packets, i + 1);
		assert_int_equal(rig.fake[0].exchanges, 0);
	}
	rig_close(&rig);
}

static void test_bad_cookie(void **state)
{
	struct rig rig;
	guard_rig(&rig, FAKE_COOKIE_NEEDED, false, true);
	rig_ask(&rig, "www.corp.example.com");
	rig_assert_answered(&rig);
	assert_int_equal(rig.fake[0].packets, 2);
	assert_int_equal(rig.fake[0].exchanges, 0);
	rig_ask(&rig, "www.corp.example.com");
	assert_int_equal(rig.fake[0].packets, 3);
	rig_close(&rig);

	guard_rig(&rig, FAKE_COOKIE_NEVER, false, true);
	rig_ask(&rig, "www.corp.example.com");
	rig_assert_answered(&rig);
	assert_int_equal(rig.fake[0].packets, 2);
	assert_int_equal(rig.fake[0].exchanges, 1);
	rig_close(&rig);
}

static void test_cookie_formerr(void **state)
{
	struct rig rig;
	const uint8_t *cookie;
	guard_rig(&rig, FAKE_FORMERR_COOKIE, true, true);
	for (unsigned int i = 0; i < 6; i++) {
		rig_ask(&rig, "www.corp.example.com");
		rig_assert_answered(&rig);
		assert_int_equal(rig.fake[0].packets, i < 3 ? 2 * (i + 1) : 3 + i + 1);
	}
	/* With EDNS, without a cookie. */
	assert_int_equal(get_u16(rig.fake[0].last + 10), 1);
	assert_int_equal(fake_cookie(rig.fake[0].last, &cookie), 0);
	rig_close(&rig);
}

/*
 * Whatever comes, with all demands made: each question ends once, rightly or as lame, and it stays up.
 * HORIZON_MUTATED=350000 makes it more than a million mutated answers (a minute or two).
 */
static void test_mutated(void **state)
{
	struct rig rig;
	unsigned int good = 0;
	const char *given = getenv("HORIZON_MUTATED");
	unsigned int count = given != NULL ? (unsigned int)atoi(given) : 2000;
	guard_rig(&rig, FAKE_MUTATED, true, true);
	for (unsigned int i = 0; i < count; i++) {
		rig_ask(&rig, "www.corp.example.com");
		good += rig.asker.why == 0;
		assert_true(rig.asker.why == 0 || rig.asker.why == FAIL_LAME);
	}
	assert_true(good > count / 10 * 9);
	assert_true(rig_target(&rig, 0).up);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mix),
		cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_plain_alone),
		cmocka_unit_test(test_cookie_jar),
		cmocka_unit_test(test_case_mixed),
		cmocka_unit_test(test_case_lost),
		cmocka_unit_test(test_case_lost_without_tcp),
		cmocka_unit_test(test_case_lost_with_mute_tcp),
		cmocka_unit_test(test_case_forged),
		cmocka_unit_test(test_picky),
		cmocka_unit_test(test_cookies),
		cmocka_unit_test(test_cookie_forged),
		cmocka_unit_test(test_bad_cookie),
		cmocka_unit_test(test_cookie_formerr),
		cmocka_unit_test(test_mutated),
	};
	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
