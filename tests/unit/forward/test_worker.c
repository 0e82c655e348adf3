#include "fake.h"
#include "forward/worker_int.h"
#include <pthread.h>

static void test_cancel(void **state)
{
	struct rig rig;
	struct asker other;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_LATE);
	rig.fake[0].late_ms = 50;
	rig_groups(&rig);
	asker_init(&rig.asker, RIG_ORIGIN, "www.example.com");
	asker_init(&other, RIG_ORIGIN, "www.example.com");
	assert_int_equal(forward_ask(rig.worker, &rig.asker.ask), 0);
	assert_int_equal(forward_ask(rig.worker, &other.ask), 0);
	forward_cancel(rig.worker, &rig.asker.ask);
	forward_cancel(rig.worker, &rig.asker.ask);
	rig_until(&rig, other.told != 0, 1000);
	assert_int_equal(other.told, 1);
	assert_int_equal(other.why, 0);
	assert_true(other.fresh); /* the first of those that were left */
	assert_int_equal(rig.asker.told, 0);
	forward_cancel(rig.worker, &other.ask); /* too late does no harm */
	assert_int_equal(rig.fake[0].packets, 1);
	rig_close(&rig);
}

/* Nobody waits any more: no more packets. */
static void test_cancel_all(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_SILENT);
	rig_groups(&rig);
	asker_init(&rig.asker, RIG_ORIGIN, "www.example.com");
	assert_int_equal(forward_ask(rig.worker, &rig.asker.ask), 0);
	rig_until(&rig, rig.fake[0].packets == 1, 1000);
	forward_cancel(rig.worker, &rig.asker.ask);
	rig_until(&rig, list_empty(&rig.worker->questions), 1000);
	assert_true(list_empty(&rig.worker->questions));
	assert_int_equal(rig.fake[0].packets, 1);
	assert_int_equal(rig.fwd->inflight_count, 0);
	rig_close(&rig);
	assert_int_equal(rig.asker.told, 0);
}

/* In its done function an asker cancels another whose outcome is the same, and asks anew. */
struct chained {
	struct rig *rig;
	struct asker *other;
	struct asker next;
};

static void chained_told(void *ctx, const struct forward_result *result)
{
	struct chained *chained = ctx;
	assert_int_equal(result->why, 0);
	forward_cancel(chained->rig->worker, &chained->other->ask);
	asker_init(&chained->next, RIG_ORIGIN, "www.example.com");
	assert_int_equal(forward_ask(chained->rig->worker, &chained->next.ask), 0);
	assert_int_equal(chained->next.told, 0);
	forward_flush(chained->rig->worker);
	assert_int_equal(chained->next.told, 0);
}

static void test_from_within_done(void **state)
{
	struct rig rig;
	struct asker first;
	struct asker other;
	struct chained chained = {.rig = &rig, .other = &other};
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	asker_init(&first, RIG_ORIGIN, "www.example.com");
	asker_init(&other, RIG_ORIGIN, "www.example.com");
	first.ask.done = chained_told;
	first.ask.ctx = &chained;
	assert_int_equal(forward_ask(rig.worker, &first.ask), 0);
	assert_int_equal(forward_ask(rig.worker, &other.ask), 0);
	rig_until(&rig, chained.next.told != 0, 1000);
	assert_int_equal(chained.next.told, 1);
	assert_int_equal(chained.next.why, 0);
	assert_int_equal(other.told, 0);
	assert_int_equal(rig.fake[0].packets, 2);
	rig_close(&rig);
}

static void test_shutdown(void **state)
{
	struct rig rig;
	struct asker askers[10];
	struct asker queued;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_SILENT);
	rig_groups(&rig);
	for (unsigned int i = 0; i < 10; i++) {
		char name[32];
		snprintf(name, sizeof(name), "h%u.example", i / 2);
		asker_init(&askers[i], RIG_ORIGIN, name);
		assert_int_equal(forward_ask(rig.worker, &askers[i].ask), 0);
	}
	rig_until(&rig, rig.fake[0].packets == 5, 1000);
	asker_init(&queued, RIG_ORIGIN, "queued.example");
	assert_int_equal(forward_ask(rig.worker, &queued.ask), 0);
	forward_worker_free(&rig.worker);
	assert_null(rig.worker);
	for (unsigned int i = 0; i < 10; i++) {
		assert_int_equal(askers[i].told, 1);
		assert_int_equal(askers[i].why, FAIL_SHUTDOWN);
	}
	assert_int_equal(queued.why, FAIL_SHUTDOWN);
	assert_int_equal(rig.fwd->inflight_count, 0);
	rig_close(&rig);
}

static void test_bounds(void **state)
{
	struct rig rig;
	struct forward_group_opts opts;
	struct addr targets[3];
	struct asker askers[6];
	static const char *const names[] = {"a.example", "b.example", "a.example", "c.example"};
	rig_open(&rig, 300);
	rig_fake(&rig, FAKE_SILENT);
	rig_group(&rig, &opts, targets);
	opts.max_inflight = 2;
	assert_int_equal(forward_set_groups(rig.fwd, &opts, 1), 0);
	/* Who joins needs no place of his own. */
	for (unsigned int i = 0; i < 3; i++) {
		asker_init(&askers[i], RIG_ORIGIN, names[i]);
		assert_int_equal(forward_ask(rig.worker, &askers[i].ask), 0);
	}
	asker_init(&askers[3], RIG_ORIGIN, names[3]);
	assert_int_equal(forward_ask(rig.worker, &askers[3].ask), FAIL_BUSY);
	assert_int_equal(rig.fwd->inflight_count, 2);
	rig_until(&rig, askers_told(askers, 3) == 3, 1000);
	assert_int_equal(askers[3].told, 0);
	assert_int_equal(forward_ask(rig.worker, &askers[3].ask), 0);

	asker_init(&askers[4], RIG_ORIGIN + 1, "a.example");
	assert_int_equal(forward_ask(rig.worker, &askers[4].ask), FAIL_NOTFOUND);
	rig_close(&rig);
}

static void test_bound_of_all(void **state)
{
	struct loop *loop = loop_new();
	struct forward *fwd = forward_new(&(struct forward_opts){.inflight_max = 3});
	struct forward_worker *worker = forward_worker_new(fwd, loop);
	struct addr target;
	struct asker askers[4];
	assert_int_equal(addr_parse("127.0.0.1:9", 0, &target), 0);
	struct forward_group_opts opts = {
		.origin = RIG_ORIGIN, .rule = "x", .targets = &target, .target_count = 1};
	assert_int_equal(forward_set_groups(fwd, &opts, 1), 0);
	for (unsigned int i = 0; i < 4; i++) {
		char name[32];
		snprintf(name, sizeof(name), "h%u.example", i);
		asker_init(&askers[i], RIG_ORIGIN, name);
		assert_int_equal(forward_ask(worker, &askers[i].ask), i < 3 ? 0 : FAIL_BUSY);
	}
	/* As many workers as were announced. */
	assert_null(forward_worker_new(fwd, loop));
	forward_worker_free(&worker);
	worker = forward_worker_new(fwd, loop);
	assert_non_null(worker);
	forward_worker_free(&worker);
	forward_free(&fwd);
	loop_free(&loop);
}

/* Who joins with less time than the question has left is told when his own is up. */
static void test_short_of_time(void **state)
{
	struct rig rig;
	struct asker hasty;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_LATE);
	rig.fake[0].late_ms = 200;
	rig_groups(&rig);
	asker_init(&rig.asker, RIG_ORIGIN, "www.example.com");
	asker_init(&hasty, RIG_ORIGIN, "www.example.com");
	hasty.ask.budget_ms = 60;
	uint64_t begin_ms = mono_ms();
	assert_int_equal(forward_ask(rig.worker, &rig.asker.ask), 0);
	assert_int_equal(forward_ask(rig.worker, &hasty.ask), 0);
	rig_until(&rig, rig.asker.told != 0, 1000);
	rig_assert_answered(&rig);
	assert_int_equal(hasty.told, 1);
	assert_int_equal(hasty.why, FAIL_TIMEOUT);
	assert_true(hasty.told_ms - begin_ms >= 60 && hasty.told_ms - begin_ms < 180);
	rig_close(&rig);
}

/* --- All at once --- */

#define STORM_WORKERS 3
#define STORM_ASKERS  200
#define STORM_MS      1200

struct storm {
	pthread_t thread;
	struct forward *fwd;
	struct draw draw;
	struct asker askers[STORM_ASKERS];
	bool busy[STORM_ASKERS];
	size_t asked;
	size_t told;
	size_t good;
};

static void storm_step(struct storm *storm, struct forward_worker *worker, unsigned int i)
{
	struct asker *asker = &storm->askers[i];
	if (storm->busy[i] && asker->told == 0) {
		if (draw_below(&storm->draw, 200) == 0) {
			forward_cancel(worker, &asker->ask);
			storm->busy[i] = false;
			storm->told++;
		}
		return;
	}
	if (storm->busy[i]) {
		assert_int_equal(asker->told, 1);
		storm->told++;
		storm->good += asker->why == 0;
		assert_true(asker->why != 0 || asker->last_octet == 7 || asker->rcode != 0);
	}
	char name[32];
	snprintf(name, sizeof(name), "h%u.example", draw_below(&storm->draw, 50));
	asker_init(asker, RIG_ORIGIN, name);
	asker->ask.budget_ms = 50 + draw_below(&storm->draw, 400);
	storm->busy[i] = forward_ask(worker, &asker->ask) == 0;
	storm->asked += storm->busy[i];
}

static void *storm_run(void *ctx)
{
	struct storm *storm = ctx;
	epoch_thread_start();
	struct loop *loop = loop_new();
	struct forward_worker *worker = forward_worker_new(storm->fwd, loop);
	uint64_t end_ms = mono_ms() + STORM_MS;
	while (mono_ms() < end_ms) {
		for (unsigned int n = 0; n < 20; n++) {
			storm_step(storm, worker, draw_below(&storm->draw, STORM_ASKERS));
		}
		forward_flush(worker);
		loop_turn(loop, 1);
	}
	forward_worker_free(&worker);
	for (unsigned int i = 0; i < STORM_ASKERS; i++) {
		if (storm->busy[i]) {
			assert_int_equal(storm->askers[i].told, 1);
			storm->told++;
		}
	}
	loop_free(&loop);
	epoch_thread_stop();
	return NULL;
}

/*
 * Three workers ask the same few names, cancel, and end, of servers of all kinds; rules change
 * meanwhile.
 */
static void test_storm(void **state)
{
	struct rig rig;
	static struct storm storms[STORM_WORKERS];
	memset(storms, 0, sizeof(storms));
	memset(&rig, 0, sizeof(rig));
	rig.loop = loop_new();
	rig.fwd = forward_new(&(struct forward_opts){.workers = STORM_WORKERS});
	rig_fake(&rig, FAKE_ANSWER, FAKE_WRONG_ID, FAKE_SILENT, FAKE_TRUNCATED, FAKE_SERVFAIL,
	         FAKE_GARBAGE, FAKE_ANSWER, FAKE_BROKEN_BODY, FAKE_FORMERR_BARE);
	rig_fake(&rig, FAKE_SILENT, FAKE_REFUSED, FAKE_ANSWER, FAKE_WRONG_FOR_EVER);
	for (unsigned int i = 0; i < 2; i++) {
		rig.fake[i].script_repeats = true;
		fake_open_tcp(&rig.fake[i]);
	}
	rig_groups(&rig);
	for (unsigned int i = 0; i < STORM_WORKERS; i++) {
		storms[i].fwd = rig.fwd;
		draw_seed(&storms[i].draw);
		pthread_create(&storms[i].thread, NULL, storm_run, &storms[i]);
	}
	unsigned int turn = 0;
	for (unsigned int i = 0; i < STORM_WORKERS; i++) {
		while (pthread_tryjoin_np(storms[i].thread, NULL) != 0) {
			struct forward_group_opts opts;
			struct addr targets[3];
			loop_turn(rig.loop, 2);
			rig_group(&rig, &opts, targets);
			opts.policy = (enum forward_policy)(++turn % 3);
			opts.target_count = 1 + turn / 3 % 2;
			opts.packet_rate = turn % 5 == 0 ? 20000 : 0;
			assert_int_equal(forward_set_groups(rig.fwd, &opts, 1), 0);
			assert_true(rig_metric(&rig, "horizond_vpc_packets_total") >= 0);
			forward_way_out(rig.fwd, RIG_ORIGIN);
		}
	}
	for (unsigned int i = 0; i < STORM_WORKERS; i++) {
		assert_true(storms[i].asked > 300);
		assert_int_equal(storms[i].told, storms[i].asked);
		assert_true(storms[i].good >
		            storms[i].asked / 8); /* answers have 50 to 450 ms here */
	}
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cancel),           cmocka_unit_test(test_cancel_all),
		cmocka_unit_test(test_from_within_done), cmocka_unit_test(test_shutdown),
		cmocka_unit_test(test_bounds),           cmocka_unit_test(test_bound_of_all),
		cmocka_unit_test(test_short_of_time),    cmocka_unit_test(test_storm),
	};
	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
