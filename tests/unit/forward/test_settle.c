#include "fake.h"
#include "forward/worker_int.h"
#include <pthread.h>

#define EACH 500

/* A worker on a thread of its own that asks EACH times the same. */
struct crew {
	pthread_t thread;
	struct rig *rig;
	struct forward_worker *worker; /* NULL: makes its own */
	pthread_barrier_t *gate;
	struct asker askers[EACH];
	bool leave_early; /* ends as soon as it has asked */
	unsigned int cancel_every;
};

static void crew_ask(struct crew *crew, struct forward_worker *worker)
{
	for (unsigned int i = 0; i < EACH; i++) {
		/* Case is the client's own, and no reason to ask twice. */
		asker_init(&crew->askers[i], RIG_ORIGIN,
		           i % 2 == 0 ? "WWW.example.com" : "www.Example.com");
		assert_int_equal(forward_ask(worker, &crew->askers[i].ask), 0);
	}
	forward_flush(worker);
	for (unsigned int i = 0; crew->cancel_every != 0 && i < EACH; i += crew->cancel_every) {
		forward_cancel(worker, &crew->askers[i].ask);
		forward_cancel(worker, &crew->askers[i].ask);
	}
}

static void *crew_run(void *ctx)
{
	struct crew *crew = ctx;
	epoch_thread_start();
	struct loop *loop = loop_new();
	struct forward_worker *worker = forward_worker_new(crew->rig->fwd, loop);
	assert_non_null(worker);
	pthread_barrier_wait(crew->gate);
	crew_ask(crew, worker);
	if (!crew->leave_early) {
		uint64_t end_ms = mono_ms() + 3000;
		size_t want = EACH;
		if (crew->cancel_every != 0) {
			want -= (EACH + crew->cancel_every - 1) / crew->cancel_every;
		}
		while (askers_told(crew->askers, EACH) < want && mono_ms() < end_ms) {
			loop_turn(loop, 5);
		}
	}
	forward_worker_free(&worker);
	loop_free(&loop);
	epoch_thread_stop();
	return NULL;
}

static void crew_start(struct rig *rig, struct crew *crews, size_t count, pthread_barrier_t *gate)
{
	pthread_barrier_init(gate, NULL, (unsigned int)count);
	for (size_t i = 0; i < count; i++) {
		crews[i].rig = rig;
		crews[i].gate = gate;
		assert_int_equal(pthread_create(&crews[i].thread, NULL, crew_run, &crews[i]), 0);
	}
}

/* The servers' side, in this thread, until the crews are through. */
static void crew_end(struct rig *rig, struct crew *crews, size_t count, pthread_barrier_t *gate)
{
	for (size_t i = 0; i < count; i++) {
		rig_until(rig, pthread_tryjoin_np(crews[i].thread, NULL) == 0, 5000);
	}
	pthread_barrier_destroy(gate);
}

/* As rig_open, with no worker in this thread. */
static void rig_open_threads(struct rig *rig)
{
	rig_open(rig, 0);
	forward_worker_free(&rig->worker);
}

/* T1: 1,000 equal questions to two workers while the upstream takes its time: one packet. */
static void test_one_packet(void **state)
{
	struct rig rig;
	static struct crew crews[2];
	pthread_barrier_t gate;
	memset(crews, 0, sizeof(crews));
	rig_open_threads(&rig);
	rig_fake(&rig, FAKE_LATE);
	rig.fake[0].late_ms = 200;
	rig_groups(&rig);
	crew_start(&rig, crews, 2, &gate);
	crew_end(&rig, crews, 2, &gate);
	unsigned int fresh = 0;
	for (unsigned int i = 0; i < 2; i++) {
		for (unsigned int j = 0; j < EACH; j++) {
			const struct asker *asker = &crews[i].askers[j];
			assert_int_equal(asker->told, 1);
			assert_int_equal(asker->why, 0);
			assert_int_equal(asker->last_octet, 7);
			assert_true(addr_equal(&asker->target, &rig.fake[0].addr));
			assert_true(asker->rtt_us >= 190000);
			fresh += asker->fresh;
		}
	}
	assert_int_equal(fresh, 1);
	assert_int_equal(rig.fake[0].packets, 1);
	rig_close(&rig);
}

static void test_failure_to_all(void **state)
{
	struct rig rig;
	static struct crew crews[2];
	pthread_barrier_t gate;
	memset(crews, 0, sizeof(crews));
	rig_open_threads(&rig);
	rig_fake(&rig, FAKE_REFUSED);
	rig_fake(&rig, FAKE_SERVFAIL);
	rig_groups(&rig);
	crew_start(&rig, crews, 2, &gate);
	crew_end(&rig, crews, 2, &gate);
	for (unsigned int i = 0; i < 2; i++) {
		for (unsigned int j = 0; j < EACH; j++) {
			const struct asker *asker = &crews[i].askers[j];
			assert_int_equal(asker->told, 1);
			assert_int_equal(asker->why, FAIL_LAME);
			assert_true(asker->has_reply);
			assert_int_equal(asker->rcode, DNS_RCODE_SERVFAIL);
			assert_non_null(strstr(asker->text, "REFUSED"));
		}
	}
	rig_close(&rig);
}

static void test_cancelled(void **state)
{
	struct rig rig;
	static struct crew crews[2];
	pthread_barrier_t gate;
	memset(crews, 0, sizeof(crews));
	rig_open_threads(&rig);
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	crews[0].cancel_every = 3;
	crews[1].cancel_every = 7;
	crew_start(&rig, crews, 2, &gate);
	crew_end(&rig, crews, 2, &gate);
	for (unsigned int i = 0; i < 2; i++) {
		for (unsigned int j = 0; j < EACH; j++) {
			bool cancelled = j % crews[i].cancel_every == 0;
			assert_int_equal(crews[i].askers[j].told, cancelled ? 0 : 1);
		}
	}
	rig_close(&rig);
}

/* A worker ends while others wait on its question, and while it waits on others'. */
static void test_worker_ends(void **state)
{
	for (unsigned int round = 0; round < 10; round++) {
		struct rig rig;
		static struct crew crews[2];
		pthread_barrier_t gate;
		memset(crews, 0, sizeof(crews));
		rig_open_threads(&rig);
		rig_fake(&rig, FAKE_ANSWER);
		rig_groups(&rig);
		crews[round % 2].leave_early = true;
		crew_start(&rig, crews, 2, &gate);
		crew_end(&rig, crews, 2, &gate);
		for (unsigned int i = 0; i < 2; i++) {
			for (unsigned int j = 0; j < EACH; j++) {
				const struct asker *asker = &crews[i].askers[j];
				assert_int_equal(asker->told, 1);
				assert_true(asker->why == 0 || asker->why == FAIL_SHUTDOWN);
			}
		}
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_packet),
		cmocka_unit_test(test_failure_to_all),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_worker_ends),
	};
	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
