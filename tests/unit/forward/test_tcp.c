#include "fake.h"
#include "forward/tcp_int.h"
#include "forward/worker_int.h"

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
	rig_until(&rig, rig.worker->tcp_count == 0, 1000); /* the server closes after one */
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
	rig_until(&rig, rig.worker->tcp_count == 0, 1000); /* and is not kept */
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

/* --- Connections shared and kept --- */

#define MANY 100

/* Questions of different names, all at once. */
static void ask_many(struct rig *rig, struct asker *askers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char name[40];
		snprintf(name, sizeof(name), "host-%zu.example.com", i);
		asker_init(&askers[i], RIG_ORIGIN, name);
		assert_int_equal(forward_ask(rig->worker, &askers[i].ask), 0);
	}
	forward_flush(rig->worker);
	rig_until(rig, askers_told(askers, count) == count, 5000);
	assert_int_equal(askers_told(askers, count), count);
}

static size_t well_told(const struct asker *askers, size_t count)
{
	size_t well = 0;
	for (size_t i = 0; i < count; i++) {
		well += askers[i].why == 0 && askers[i].last_octet == 7;
	}
	return well;
}

static void stream_rig(struct rig *rig, size_t answers_a_connection)
{
	truncated_rig(rig, true);
	rig->fake[0].tcp_more = answers_a_connection - 1;
}

/* All on one connection, answered the last first. */
static void test_shared(void **state)
{
	struct rig rig;
	static struct asker askers[MANY];
	stream_rig(&rig, 1000);
	rig.fake[0].tcp_gathers = MANY - 1;
	rig_groups(&rig);
	ask_many(&rig, askers, MANY);
	assert_int_equal(well_told(askers, MANY), MANY);
	assert_int_equal(rig.fake[0].exchanges, MANY);
	assert_int_equal(rig.fake[0].connections, 1);
	assert_int_equal(rig_target(&rig, 0).failures, 0);

	/* And kept for what comes later. */
	rig.fake[0].tcp_gathers = 0;
	rig_ask(&rig, "later.example.com");
	rig_assert_answered(&rig);
	assert_int_equal(rig.fake[0].connections, 1);
	assert_int_equal(rig.worker->tcp_count, 1);
	rig_close(&rig);
}

/* More than a connection takes: a second one. */
static void test_full(void **state)
{
	struct rig rig;
	static struct asker askers[STREAM_QUESTIONS + 50];
	stream_rig(&rig, 1000);
	rig.fake[0].tcp_gathers = 20;
	rig_groups(&rig);
	ask_many(&rig, askers, STREAM_QUESTIONS + 50);
	assert_int_equal(rig.fake[0].connections, 2);
	rig_close(&rig);
}

/* And no more than so many: those that find no room go to the next target. */
static void test_bounded(void **state)
{
	struct rig rig;
	static struct asker askers[MANY];
	stream_rig(&rig, 1000);
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	rig_ask(&rig, "www.example.com");
	struct line *line = list_item(rig.worker->lines.next, struct line, link);
	line->serial_until_ms = mono_ms() + 60000;
	rig.fake[0].tcp_mute = true;
	ask_many(&rig, askers, MANY);
	assert_int_equal(well_told(askers, MANY), MANY);
	assert_int_equal(rig.fake[0].connections, LINE_SERIAL);
	rig_until(&rig, rig.worker->tcp_count == 0, 3000);
	assert_int_equal(rig.worker->tcp_count, 0);
	rig_close(&rig);
}

/* A server that answers one question and closes: asked one by one on more connections. */
static void test_one_a_connection(void **state)
{
	struct rig rig;
	static struct asker askers[40];
	stream_rig(&rig, 1);
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	ask_many(&rig, askers, 40);
	assert_int_equal(well_told(askers, 40), 40);
	size_t before = rig_target(&rig, 0).failures;
	/* By now we know. */
	ask_many(&rig, askers, 40);
	assert_int_equal(well_told(askers, 40), 40);
	assert_int_equal(rig_target(&rig, 0).failures, before);
	rig_close(&rig);
}

/* Closed while idle, as the question comes: once more on a new one, and nobody is blamed. */
static void test_closed_idle(void **state)
{
	struct rig rig;
	stream_rig(&rig, 1000);
	rig_groups(&rig);
	rig_ask(&rig, "www.example.com");
	rig_assert_answered(&rig);
	struct fake_conn *conn = list_item(rig.fake[0].conns.next, struct fake_conn, link);
	asker_init(&rig.asker, RIG_ORIGIN, "again.example.com");
	assert_int_equal(forward_ask(rig.worker, &rig.asker.ask), 0);
	forward_flush(rig.worker);
	rig_until(&rig, rig.fake[0].packets == 2, 1000);
	fake_conn_close(conn);
	uint64_t begin_ms = mono_ms();
	rig_until(&rig, rig.asker.told != 0, 2000);
	rig_assert_answered(&rig);
	assert_true(mono_ms() - begin_ms < 200);
	assert_int_equal(rig.fake[0].connections, 2);
	assert_int_equal(rig_target(&rig, 0).failures, 0);
	rig_close(&rig);
}

/* A connection on which nothing comes any more is not used again; the target is, on another. */
static void test_gone_silent(void **state)
{
	struct rig rig;
	rig_open(&rig, 4000); /* of a busy machine */
	rig_fake(&rig, FAKE_TRUNCATED);
	fake_open_tcp(&rig.fake[0]);
	rig.fake[0].tcp_more = 1000;
	rig_groups(&rig);
	rig_ask(&rig, "www.example.com");
	list_item(rig.fake[0].conns.next, struct fake_conn, link)->mute = true;
	uint64_t took_ms = rig_ask(&rig, "again.example.com");
	rig_assert_answered(&rig);
	assert_true(took_ms < 3000);
	assert_int_equal(rig.fake[0].connections, 2);
	took_ms = rig_ask(&rig, "third.example.com");
	rig_assert_answered(&rig);
	assert_true(took_ms < 200);
	rig_close(&rig);
}

/* The id of one question with the name of another: not believed, the right one is. */
static void test_other_name(void **state)
{
	struct rig rig;
	stream_rig(&rig, 1000);
	rig.fake[0].tcp_other_name = true;
	rig_groups(&rig);
	for (unsigned int i = 0; i < 10; i++) {
		rig_ask(&rig, "www.example.com");
		rig_assert_answered(&rig);
	}
	assert_int_equal(rig.fake[0].connections, 1);
	assert_int_equal(rig_target(&rig, 0).failures, 10);
	rig_close(&rig);
}

/* As long as it can be, at once and octet by octet. */
static void test_longest(void **state)
{
	struct rig rig;
	stream_rig(&rig, 1000);
	rig.fake[0].tcp_longest = true;
	rig_groups(&rig);
	rig_ask(&rig, "www.example.com");
	rig_assert_answered(&rig);
	assert_int_equal(rig.fake[0].connections, 1);
	rig.fake[0].tcp_longest = false;
	rig.fake[0].tcp_drips = true;
	static struct asker askers[MANY];
	ask_many(&rig, askers, MANY);
	assert_int_equal(well_told(askers, MANY), MANY);
	assert_int_equal(rig.fake[0].connections, 1);
	rig_close(&rig);
}

/* A length that cannot be ends the connection; the next target is asked. */
static void test_lying_length(void **state)
{
	struct rig rig;
	stream_rig(&rig, 1000);
	rig.fake[0].tcp_lies = true;
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	uint64_t took_ms = rig_ask(&rig, "www.example.com");
	rig_assert_answered(&rig);
	assert_true(took_ms < 200);
	assert_int_equal(rig.worker->tcp_count, 0);
	rig_close(&rig);
}

/* Whatever comes on connections: each question ends once, most well, and nothing is left over. */
static void test_mutated(void **state)
{
	struct rig rig;
	static struct asker askers[20];
	size_t well = 0;
	stream_rig(&rig, 1000);
	rig.fake[0].tcp_mutates = true;
	rig.fake[0].tcp_drips = true;
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	for (unsigned int i = 0; i < 40; i++) {
		ask_many(&rig, askers, 20);
		for (size_t j = 0; j < 20; j++) {
			assert_int_equal(askers[j].told, 1);
			well += askers[j].why == 0;
		}
	}
	assert_true(well > 700);
	rig_close(&rig);
}

/* With no room for one more connection the longest idle one goes, of whichever target. */
static void test_makes_room(void **state)
{
	struct rig rig;
	stream_rig(&rig, 1000);
	rig_fake(&rig, FAKE_TRUNCATED);
	fake_open_tcp(&rig.fake[1]);
	rig.fake[1].tcp_more = 1000;
	struct forward_group_opts opts[2];
	struct addr targets[3];
	rig_group(&rig, &opts[0], targets);
	opts[1] = opts[0];
	opts[1].origin++;
	opts[1].targets++;
	opts[0].target_count = opts[1].target_count = 1;
	assert_int_equal(forward_set_groups(rig.fwd, opts, 2), 0);
	rig_ask(&rig, "www.example.com");
	rig_assert_answered(&rig);
	unsigned int open = rig.worker->tcp_count;
	assert_int_equal(open, 1);
	rig.worker->tcp_count = TCP_OPEN; /* as if there were so many */
	asker_init(&rig.asker, RIG_ORIGIN + 1, "www.example.com");
	assert_int_equal(forward_ask(rig.worker, &rig.asker.ask), 0);
	forward_flush(rig.worker);
	rig_until(&rig, rig.asker.told != 0, 3000);
	rig_assert_answered(&rig);
	assert_int_equal(rig.worker->tcp_count, TCP_OPEN);
	assert_int_equal(rig.fake[1].connections, 1);
	rig.worker->tcp_count = 1;
	rig_close(&rig);
}

/* An idle connection goes by itself. */
static void test_idle(void **state)
{
	struct rig rig;
	stream_rig(&rig, 1000);
	rig_groups(&rig);
	rig_ask(&rig, "www.example.com");
	struct stream *stream = list_item(rig.worker->streams.next, struct stream, by_use);
	rig_until(&rig, stream->idle.armed, 1000);
	assert_true(stream->idle.armed);
	assert_null(stream->out);
	assert_null(stream->in);
	loop_timer_set(&stream->idle, 10);
	rig_until(&rig, rig.worker->tcp_count == 0, 1000);
	assert_int_equal(rig.worker->tcp_count, 0);
	assert_true(list_empty(&rig.worker->lines));
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truncated),     cmocka_unit_test(test_junk_first),
		cmocka_unit_test(test_junk_only),     cmocka_unit_test(test_refused),
		cmocka_unit_test(test_refused_alone), cmocka_unit_test(test_mute),
		cmocka_unit_test(test_end),           cmocka_unit_test(test_shared),
		cmocka_unit_test(test_full),          cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_closed_idle),   cmocka_unit_test(test_one_a_connection),
		cmocka_unit_test(test_gone_silent),   cmocka_unit_test(test_other_name),
		cmocka_unit_test(test_longest),       cmocka_unit_test(test_lying_length),
		cmocka_unit_test(test_idle),          cmocka_unit_test(test_mutated),
		cmocka_unit_test(test_makes_room),
	};
	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
