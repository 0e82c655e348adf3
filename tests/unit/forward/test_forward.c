#include "fake.h"
#include "forward/worker_int.h"

/* A group whose origin stays keeps what is known of its targets, and the questions under way. */
static void test_reload_keeps(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_SILENT, FAKE_SILENT, FAKE_SILENT, FAKE_LATE, FAKE_ANSWER);
	rig_fake(&rig, FAKE_ANSWER);
	rig.fake[0].late_ms = 100;
	rig_groups(&rig);
	for (unsigned int i = 0; i < 3; i++) {
		rig_ask(&rig, "a.example");
	}
	assert_false(rig_target(&rig, 0).up);
	double rtt_ms = rig_target(&rig, 1).rtt_ms;
	assert_true(rtt_ms > 0);

	struct forward_group_opts opts;
	struct addr targets[3];
	rig_group(&rig, &opts, targets);
	opts.policy = FORWARD_SPREAD;
	opts.max_inflight = 7;
	assert_int_equal(forward_set_groups(rig.fwd, &opts, 1), 0);
	assert_false(rig_target(&rig, 0).up);
	assert_int_equal(rig_target(&rig, 0).queries, 3);
	assert_true(rig_target(&rig, 1).rtt_ms == rtt_ms);
	assert_int_equal(rig_target(&rig, 1).queries, 3);
	assert_true(rig_ask(&rig, "a.example") < 100);
	rig_close(&rig);
}

/* The rule goes while its question is under way: that one ends as if nothing had been. */
static void test_reload_under_way(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_LATE);
	rig.fake[0].late_ms = 100;
	rig_groups(&rig);
	asker_init(&rig.asker, RIG_ORIGIN, "www.example.com");
	assert_int_equal(forward_ask(rig.worker, &rig.asker.ask), 0);
	rig_until(&rig, rig.fake[0].packets == 1, 1000);
	assert_int_equal(forward_set_groups(rig.fwd, NULL, 0), 0);
	struct asker other;
	asker_init(&other, RIG_ORIGIN, "other.example.com");
	assert_int_equal(forward_ask(rig.worker, &other.ask), FAIL_NOTFOUND);
	rig_until(&rig, rig.asker.told != 0, 1000);
	rig_assert_answered(&rig);
	rig_close(&rig);
}

static void test_way_out(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	assert_false(forward_way_out(rig.fwd, 0));
	rig_fake(&rig, FAKE_SILENT);
	rig_groups(&rig);
	assert_true(forward_way_out(rig.fwd, 0));
	assert_true(forward_way_out(rig.fwd, RIG_ORIGIN));
	assert_false(forward_way_out(rig.fwd, RIG_ORIGIN + 1));
	rig_ask(&rig, "a.example");
	rig_ask(&rig, "b.example");
	assert_false(forward_way_out(rig.fwd, 0));
	assert_false(forward_way_out(rig.fwd, RIG_ORIGIN));
	rig_close(&rig);
}

/* A rule of several domains has as many groups; people see it once. */
static void test_metrics(void **state)
{
	struct rig rig;
	struct forward_group_opts opts[3];
	struct addr targets[3];
	rig_open(&rig, 0);
	rig_fake(&rig, FAKE_ANSWER);
	for (unsigned int i = 0; i < 3; i++) {
		rig_group(&rig, &opts[i], targets);
		opts[i].origin = RIG_ORIGIN + i;
	}
	opts[2].rule = "other \"rule\"";
	assert_int_equal(forward_set_groups(rig.fwd, opts, 3), 0);
	rig_ask(&rig, "a.example");
	asker_init(&rig.asker, RIG_ORIGIN + 1,
	           "a.example"); /* another origin: not the same question */
	assert_int_equal(forward_ask(rig.worker, &rig.asker.ask), 0);
	rig_until(&rig, rig.asker.told != 0, 1000);
	assert_int_equal(rig.fake[0].packets, 2);

	struct rig_look look = {.addr = &rig.fake[0].addr};
	forward_each_target(rig.fwd, rig_look_fn, &look);
	assert_int_equal(look.found, 2);
	char addr[ADDR_TEXT_MAX];
	char labels[200];
	char sample[300];
	snprintf(labels, sizeof(labels), "{rule=\"corp.example.com\",target=\"%s\"}",
	         addr_text(&rig.fake[0].addr, addr));
	snprintf(sample, sizeof(sample), "horizond_upstream_queries_total%s", labels);
	assert_true(rig_metric(&rig, sample) == 2);
	snprintf(sample, sizeof(sample), "horizond_upstream_up%s", labels);
	assert_true(rig_metric(&rig, sample) == 1);
	snprintf(sample, sizeof(sample), "horizond_upstream_rtt_seconds%s", labels);
	assert_true(rig_metric(&rig, sample) > 0 && rig_metric(&rig, sample) < 1);
	snprintf(sample, sizeof(sample),
	         "horizond_upstream_queries_total{rule=\"other \\\"rule\\\"\",target=\"%s\"}",
	         addr);
	assert_true(rig_metric(&rig, sample) == 0);
	assert_true(rig_metric(&rig, "horizond_vpc_packets_total") == 0);
	assert_true(rig_metric(&rig, "horizond_vpc_packets_held_total") == 0);
	rig_close(&rig);
}

static void test_metrics_of_none(void **state)
{
	struct rig rig;
	rig_open(&rig, 0);
	assert_true(rig_metric(&rig, "horizond_vpc_packets_total") == 0);
	forward_each_target(rig.fwd, rig_look_fn, NULL);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reload_keeps),    cmocka_unit_test(test_reload_under_way),
		cmocka_unit_test(test_way_out),         cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_metrics_of_none),
	};
	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
