#include "fake.h"
#include "forward/ask_int.h"
#include "forward/pool_int.h"

#define QUESTIONS 2000

/* Asks count questions with new names, at most 500 at a time under way. */
static void ask_many(struct rig *rig, struct asker *askers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char name[64];
		snprintf(name, sizeof(name), "h%zu-%zu.corp.example.com", i, rig->fake[0].packets);
		asker_init(&askers[i], RIG_ORIGIN, name);
		assert_int_equal(forward_ask(rig->worker, &askers[i].ask), 0);
		if (i % 32 == 31 || i + 1 == count) {
			forward_flush(rig->worker);
			rig_until(rig, rig->fake[0].packets > i, 2000);
		}
	}
	rig_until(rig, askers_told(askers, count) == count, 3000);
	assert_int_equal(askers_told(askers, count), count);
}

/*
 * What a forger has to guess (RFC 5452, section 9.2): ports of the whole range, at least 64 at a
 * time, none used for more than 64 questions, and ids from all over.
 */
static void test_entropy(void **state)
{
	struct rig rig;
	static struct asker askers[QUESTIONS];
	static unsigned int used[65536];
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	struct port_range range = rig.worker->range;
	ask_many(&rig, askers, QUESTIONS);
	assert_true(rig.fake[0].packets >= QUESTIONS); /* on a busy machine one may go out twice */
	assert_true(rig.worker->port_count >= 64 && rig.worker->port_count <= POOL_PORTS);

	unsigned int ports = 0;
	unsigned int upper = 0;
	unsigned int bins[64] = {0};
	for (size_t i = 0; i < QUESTIONS; i++) {
		uint16_t port = rig.fake[0].seen[i].port;
		assert_in_range(port, range.low, range.high);
		if (used[port]++ == 0) {
			ports++;
			upper += port > (range.low + range.high) / 2;
		}
		assert_true(used[port] <= 64);
		bins[rig.fake[0].seen[i].id >> 10]++;
	}
	assert_true(ports >= 64);
	/* Half of the ports in the upper half, give or take four standard deviations. */
	assert_true(upper > ports / 2 - 2 * 8 && upper < ports / 2 + 2 * 8 + ports / 8);
	/* Chi-square of 63 degrees of freedom: 120 is passed by chance once in 20,000 runs. */
	double chi = 0;
	double want = QUESTIONS / 64.0;
	for (unsigned int i = 0; i < 64; i++) {
		chi += (bins[i] - want) * (bins[i] - want) / want;
	}
	assert_true(chi < 120);
	rig_close(&rig);
}

static struct port *oldest(struct rig *rig)
{
	return list_item(rig->worker->ports.next, struct port, by_age);
}

/*
 * A port that has lived its time takes no more questions, but hears the answer that is under way.
 */
static void test_old_port(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_LATE, FAKE_ANSWER);
	rig.fake[0].late_ms = 150;
	rig_groups(&rig);
	asker_init(&rig.asker, RIG_ORIGIN, "a.example");
	assert_int_equal(forward_ask(rig.worker, &rig.asker.ask), 0);
	rig_until(&rig, rig.fake[0].packets == 1, 1000);

	struct port *port = oldest(&rig);
	assert_true(port->live);
	port->born_ms -= PORT_LIFE_MS;
	pool__sweep(rig.worker);
	assert_int_equal(rig.worker->port_count, 1);
	assert_false(port->live);
	rig_until(&rig, rig.asker.told != 0, 1000);
	rig_assert_answered(&rig);
	assert_int_equal(rig.worker->port_count, 0);

	/* Idle and old: closed at once; and the pool with its last port. */
	rig_ask(&rig, "b.example");
	assert_int_equal(rig.worker->port_count, 1);
	oldest(&rig)->born_ms -= PORT_LIFE_MS;
	pool__sweep(rig.worker);
	assert_int_equal(rig.worker->port_count, 0);
	assert_true(list_empty(&rig.worker->pools));
	rig_ask(&rig, "c.example");
	rig_assert_answered(&rig);
	rig_close(&rig);
}

/* Of silent servers' ports only so many stay open, whatever they wait for. */
static void test_bound_of_a_pool(void **state)
{
	struct rig rig;
	static struct asker askers[QUESTIONS];
	rig_open(&rig, 250);
	rig_fake(&rig, FAKE_SILENT);
	rig_groups(&rig);
	for (size_t i = 0; i < QUESTIONS; i++) {
		char name[64];
		snprintf(name, sizeof(name), "h%zu.example", i);
		asker_init(&askers[i], RIG_ORIGIN, name);
		assert_int_equal(forward_ask(rig.worker, &askers[i].ask), 0);
		forward_flush(rig.worker);
		/* Retire live ports as if long had passed, each with its question open. */
		if (rig.worker->port_count > 0 && i % 3 == 0) {
			oldest(&rig)->born_ms -= PORT_LIFE_MS;
			pool__sweep(rig.worker);
		}
		assert_true(rig.worker->port_count <= POOL_PORTS);
		if (i > 200) {
			/* Age every port, so that each question opens a new one. */
			list_each (at, &rig.worker->ports) {
				list_item(at, struct port, by_age)->born_ms -= PORT_LIFE_MS;
			}
		}
	}
	rig_until(&rig, askers[QUESTIONS - 1].told != 0, 3000);
	for (size_t i = 0; i < QUESTIONS; i++) {
		assert_int_equal(askers[i].told, 1);
		assert_int_equal(askers[i].why, FAIL_TIMEOUT);
	}
	rig_close(&rig);
}

/* A worker's bound: the oldest idle port makes room; without one, live ports are shared by more. */
static void test_bound_of_a_worker(void **state)
{
	struct rig rig;
	static struct asker askers[40];
	rig_open(&rig, 250);
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	rig.worker->port_max = 8;
	ask_many(&rig, askers, 40);
	assert_int_equal(rig.worker->port_count, 8);
	rig_close(&rig);

	rig_open(&rig, 250);
	rig_fake(&rig, FAKE_SILENT);
	rig_groups(&rig);
	rig.worker->port_max = 8;
	ask_many(&rig, askers, 40);
	for (size_t i = 0; i < 40; i++) {
		assert_int_equal(askers[i].why, FAIL_TIMEOUT);
	}
	assert_int_equal(rig.worker->port_count, 8);
	rig_close(&rig);
}

/* Ids on one port are all different, also from those that have been answered. */
static void test_ids(void **state)
{
	struct rig rig;
	static struct asker askers[64];
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_ANSWER);
	rig_groups(&rig);
	rig.worker->port_max = 1;
	ask_many(&rig, askers, 64);
	const struct fake_seen *seen = rig.fake[0].seen;
	for (size_t i = 0; i < 64; i++) {
		for (size_t j = 0; j < i; j++) {
			assert_true(seen[i].port != seen[j].port || seen[i].id != seen[j].id);
		}
	}
	assert_int_equal(seen[0].port, seen[31].port);
	/* A port that has had its 64 is gone. */
	assert_int_equal(rig.worker->port_count, rig.fake[0].packets == 64 ? 0 : 1);
	rig_close(&rig);
}

static void test_source(void **state)
{
	struct rig rig;
	struct addr targets[3];
	struct forward_group_opts opts;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_ANSWER);
	rig_group(&rig, &opts, targets);
	assert_int_equal(addr_parse("127.0.0.9", 0, &opts.source), 0);
	assert_int_equal(forward_set_groups(rig.fwd, &opts, 1), 0);
	rig_ask(&rig, "www.example.com");
	rig_assert_answered(&rig);
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	assert_int_equal(getsockname(oldest(&rig)->fd, (struct sockaddr *)&from, &len), 0);
	assert_int_equal(ntohl(from.sin_addr.s_addr), 0x7f000009);
	rig_close(&rig);
}

static void test_ipv6(void **state)
{
	struct rig rig;
	struct addr target;
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(addr_parse("::1", 0, &target), 0);
	if (fd < 0 || bind(fd, &target.sa, target.len) != 0) {
		close(fd);
		skip();
	}
	getsockname(fd, &target.sa, &target.len);
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_ANSWER);
	fake_shut(&rig.fake[0]);
	rig.fake[0].fd = fd;
	rig.fake[0].addr = target;
	assert_int_equal(
		loop_fd_open(rig.loop, &rig.fake[0].lfd, fd, LOOP_READ, fake_ready, &rig.fake[0]),
		0);
	rig_groups(&rig);
	rig_ask(&rig, "www.example.com");
	rig_assert_answered(&rig);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entropy),
		cmocka_unit_test(test_old_port),
		cmocka_unit_test(test_bound_of_a_pool),
		cmocka_unit_test(test_bound_of_a_worker),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_source),
		cmocka_unit_test(test_ipv6),
	};
	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
