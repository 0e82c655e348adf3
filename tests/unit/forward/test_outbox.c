#include "fake.h"
#include "forward/outbox_int.h"
#include "forward/pool_int.h"

#define MANY 256

static void ask_flush(struct rig *rig, struct asker *askers, size_t from, size_t count)
{
	for (size_t i = from; i < from + count; i++) {
		char name[64];
		snprintf(name, sizeof(name), "h%zu.corp.example.com", i);
		asker_init(&askers[i], RIG_ORIGIN, name);
		assert_int_equal(forward_ask(rig->worker, &askers[i].ask), 0);
	}
	forward_flush(rig->worker);
}

/* How many ports the first server has seen, from this packet on. */
static unsigned int ports_seen(const struct rig *rig, size_t from)
{
	unsigned int ports = 0;
	for (size_t i = from; i < rig->fake[0].packets; i++) {
		bool known = false;
		for (size_t j = from; j < i; j++) {
			known |= rig->fake[0].seen[j].port == rig->fake[0].seen[i].port;
		}
		ports += !known;
	}
	return ports;
}

static void wait_answered(struct rig *rig, const struct asker *askers, size_t count)
{
	rig_until(rig, askers_told(askers, count) == count, 3000);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(askers[i].told, 1);
		assert_int_equal(askers[i].why, 0);
		assert_int_equal(askers[i].last_octet, 7);
	}
}

/* The first questions bring the ports; then those of one turn share one, each with an id of its own. */
static void test_together(void **state)
{
	struct rig rig;
	static struct asker askers[MANY];
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	ask_flush(&rig, askers, 0, POOL_LIVE);
	wait_answered(&rig, askers, POOL_LIVE);
	assert_int_equal(ports_seen(&rig, 0), POOL_LIVE);

	for (size_t at = POOL_LIVE; at < MANY; at += OUTBOX_MAX) {
		size_t before = rig.fake[0].packets;
		ask_flush(&rig, askers, at, OUTBOX_MAX);
		wait_answered(&rig, askers, at + OUTBOX_MAX);
		/* The port drawn may have been near its end, and another followed. */
		assert_in_range(ports_seen(&rig, before), 1, 2);
	}
	rig_close(&rig);
}

/* More than a batch in one turn. */
static void test_many(void **state)
{
	struct rig rig;
	static struct asker askers[MANY + 1];
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	ask_flush(&rig, askers, 0, MANY + 1);
	wait_answered(&rig, askers, MANY + 1);
	rig_close(&rig);
}

/* Questions to several servers in turn do not get into each other's packets. */
static void test_targets_in_turn(void **state)
{
	struct rig rig;
	static struct asker askers[MANY];
	struct addr targets[3];
	struct forward_group_opts opts;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_ANSWER);
	rig_fake(&rig, FAKE_ANSWER);
	rig_group(&rig, &opts, targets);
	opts.policy = FORWARD_SPREAD;
	assert_int_equal(forward_set_groups(rig.fwd, &opts, 1), 0);
	ask_flush(&rig, askers, 0, MANY);
	wait_answered(&rig, askers, MANY);
	assert_true(rig.fake[0].packets > 0 && rig.fake[1].packets > 0);
	rig_close(&rig);
}

/* Makes every port's socket one that sends nothing: it has no target. */
static void break_ports(struct rig *rig)
{
	list_each (at, &rig->worker->ports) {
		struct port *port = list_item(at, struct port, by_age);
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		assert_true(fd >= 0);
		assert_int_equal(dup2(fd, port->fd), port->fd);
		close(fd);
	}
}

/* What the system refuses to send goes to the next target at once. */
static void test_unsent(void **state)
{
	struct rig rig;
	static struct asker askers[POOL_LIVE + OUTBOX_MAX];
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_ANSWER);
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	ask_flush(&rig, askers, 0, POOL_LIVE);
	wait_answered(&rig, askers, POOL_LIVE);
	assert_int_equal(rig.fake[0].packets, POOL_LIVE);
	break_ports(&rig);

	ask_flush(&rig, askers, POOL_LIVE, OUTBOX_MAX);
	for (unsigned int i = 0; i < 10; i++) {
		loop_turn(rig.loop, 0); /* no time-out: it does not wait */
	}
	assert_int_equal(rig.fake[1].packets, OUTBOX_MAX);
	wait_answered(&rig, askers, POOL_LIVE + OUTBOX_MAX);
	assert_int_equal(rig.fake[0].packets, POOL_LIVE);
	assert_string_equal(askers[POOL_LIVE].text + strlen(askers[POOL_LIVE].text) - 8,
	                    "answered");
	assert_non_null(strstr(askers[POOL_LIVE].text, " unreachable, "));
	assert_int_equal(rig_target(&rig, 0).failures, OUTBOX_MAX);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_together),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_targets_in_turn),
		cmocka_unit_test(test_unsent),
	};
	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
