#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mono.h"
#include "forward/group_int.h"
#include <stdio.h>
#include <string.h>

#define T0_MS 50000

static struct addr addrs[4];

static struct forward_group_opts group_opts(uint32_t origin, enum forward_policy policy,
                                            size_t count)
{
	return (struct forward_group_opts){
		.origin = origin,
		.rule = "corp.example.com",
		.targets = addrs,
		.target_count = count,
		.policy = policy,
		.max_inflight = 10,
	};
}

static struct group_table *table_of(const struct forward_group_opts *opts, size_t count,
                                    const struct group_table *old)
{
	struct group_table *table;
	assert_int_equal(group_table__new(opts, count, old, 2, &table), 0);
	return table;
}

static struct target *target_of(const struct group_table *table, uint32_t origin, unsigned int i)
{
	struct group *group = group_table__find(table, origin);
	assert_non_null(group);
	return group->members[i]->target;
}

static void make_down(struct target *target)
{
	for (unsigned int i = 0; i < TARGET_SILENT_MAX; i++) {
		target__silent(target, T0_MS * 1000 + 500, T0_MS);
	}
	assert_true(target__down(target));
}

/* --- The choice --- */

static void test_ordered(void **state)
{
	struct draw draw;
	draw_seed(&draw);
	struct forward_group_opts opts = group_opts(5, FORWARD_ORDERED, 3);
	struct group_table *table = table_of(&opts, 1, NULL);
	const struct group *group = group_table__find(table, 5);
	assert_int_equal(group__pick(group, 0, &draw, T0_MS), 0);
	assert_int_equal(group__pick(group, 1, &draw, T0_MS), 1);
	assert_int_equal(group__pick(group, 7, &draw, T0_MS), -1);
	make_down(target_of(table, 5, 0));
	assert_int_equal(group__pick(group, 0, &draw, T0_MS), 1);
	/* With all others gone, one that is down is still asked. */
	assert_int_equal(group__pick(group, 6, &draw, T0_MS), 0);
	make_down(target_of(table, 5, 1));
	make_down(target_of(table, 5, 2));
	assert_false(group__way_out(group));
	assert_int_equal(group__pick(group, 0, &draw, T0_MS), 0);
	group_table__unref(&table);
}

static void test_fastest(void **state)
{
	struct draw draw;
	draw_seed(&draw);
	struct forward_group_opts opts = group_opts(5, FORWARD_FASTEST, 3);
	struct group_table *table = table_of(&opts, 1, NULL);
	const struct group *group = group_table__find(table, 5);
	/* Each is measured by one question, then the first is as good as any. */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(group__pick(group, 0, &draw, T0_MS), i);
	}
	assert_int_equal(group__pick(group, 0, &draw, T0_MS), 0);
	for (unsigned int i = 0; i < 3; i++) {
		target__heard(target_of(table, 5, i), 9000 - 2000 * i, T0_MS * 1000);
	}
	for (unsigned int i = 0; i < 500; i++) {
		assert_int_equal(group__pick(group, 0, &draw, T0_MS + 10), 2);
	}
	assert_int_equal(group__pick(group, 4, &draw, T0_MS), 1);
	make_down(target_of(table, 5, 2));
	assert_int_equal(group__pick(group, 0, &draw, T0_MS + 10), 1);
	/* Long after, now and then one question looks how fast the others are by now. */
	unsigned int other = 0;
	uint64_t later_ms = T0_MS + TARGET_EXPLORE_MS;
	for (unsigned int i = 0; i < 10000; i++) {
		other += group__pick(group, 0, &draw, later_ms) != 1;
	}
	assert_int_equal(other, 1);
	group_table__unref(&table);
}

static void make_lame(const struct group *group, unsigned int i)
{
	for (uint32_t name = 0; name < MEMBER_USELESS_MAX; name++) {
		assert_false(member__lame(group->members[i]));
		member__useless(group->members[i], group, false, name, "REFUSED", T0_MS);
		member__useless(group->members[i], group, false, name, "REFUSED", T0_MS);
	}
	assert_true(member__lame(group->members[i]));
}

/* Lame: after those that are well, before those that are down; whatever the round-trip time. */
static void test_lame(void **state)
{
	struct draw draw;
	draw_seed(&draw);
	struct forward_group_opts opts = group_opts(5, FORWARD_FASTEST, 3);
	struct group_table *table = table_of(&opts, 1, NULL);
	const struct group *group = group_table__find(table, 5);
	for (unsigned int i = 0; i < 3; i++) {
		target__heard(target_of(table, 5, i), 1000 + 2000 * i, T0_MS * 1000);
	}
	make_lame(group, 0);
	for (unsigned int i = 0; i < 500; i++) {
		assert_int_equal(group__pick(group, 0, &draw, T0_MS + TARGET_EXPLORE_MS / 2), 1);
	}
	make_down(target_of(table, 5, 1));
	make_down(target_of(table, 5, 2));
	assert_int_equal(group__pick(group, 0, &draw, T0_MS + 10), 0);
	assert_true(group__way_out(group));
	target__heard(target_of(table, 5, 1), 1000, (T0_MS + 1) * 1000);

	/* One question at a time goes to it aside, and none to those that are asked already. */
	assert_int_equal(group__trial(group, 0, T0_MS + 199), -1);
	assert_int_equal(group__trial(group, 1, T0_MS + 200), -1);
	assert_int_equal(group__trial(group, 0, T0_MS + 200), 0);
	assert_int_equal(group__trial(group, 0, T0_MS + 200), -1);
	assert_int_equal(group__trial(group, 0, T0_MS + 599), -1);
	assert_int_equal(group__trial(group, 0, T0_MS + 600), 0);
	member__useful(group->members[0], group, false, T0_MS + 700);
	assert_false(member__lame(group->members[0]));
	assert_int_equal(group__trial(group, 0, T0_MS + 9000), -1);
	group_table__unref(&table);
}

/* One name that fails is not enough, nor are many with a useful answer between. */
static void test_not_lame(void **state)
{
	struct forward_group_opts opts = group_opts(5, FORWARD_ORDERED, 1);
	struct group_table *table = table_of(&opts, 1, NULL);
	const struct group *group = group_table__find(table, 5);
	struct member *member = group->members[0];
	for (unsigned int i = 0; i < 100; i++) {
		member__useless(member, group, false, 7, "SERVFAIL", T0_MS);
	}
	assert_false(member__lame(member));
	for (uint32_t i = 0; i < 100; i++) {
		member__useless(member, group, false, i, "SERVFAIL", T0_MS);
		if (i % (MEMBER_USELESS_MAX - 1) == 0) {
			member__useful(member, group, false, T0_MS);
		}
	}
	assert_false(member__lame(member));
	group_table__unref(&table);
}

/* A probe that is answered while clients' questions are not proves nothing. */
static void test_lame_probes(void **state)
{
	struct forward_group_opts opts = group_opts(5, FORWARD_ORDERED, 2);
	struct group_table *table = table_of(&opts, 1, NULL);
	const struct group *group = group_table__find(table, 5);
	struct member *member = group->members[0];
	assert_false(member__probe(member, T0_MS + 9000));
	make_lame(group, 0);
	assert_false(member__probe(member, T0_MS + 199));
	assert_true(member__probe(member, T0_MS + 200));
	assert_false(member__probe(member, T0_MS + 300));
	member__useful(member, group, true, T0_MS + 300);
	assert_true(member__lame(member));
	member__useless(member, group, true, 1, "REFUSED", T0_MS + 600);
	member__useful(member, group, true, T0_MS + 1000);
	assert_false(member__lame(member));
	group_table__unref(&table);
}

static void test_probe_question(void **state)
{
	static const uint8_t corp[] = "\4corp\4test";
	static const uint8_t other[] = "\5other\4test";
	const uint8_t *const domains[] = {corp, other};
	struct forward_group_opts opts = group_opts(5, FORWARD_ORDERED, 1);
	struct group_table *old = table_of(&opts, 1, NULL);
	struct group *group = group_table__find(old, 5);
	assert_int_equal(group->probe_name[0], 0);
	assert_int_equal(group->probe_type, 2); /* NS */

	opts.domains = domains;
	opts.domain_count = 2;
	struct group_table *table = table_of(&opts, 1, old);
	group_table__unref(&old);
	group = group_table__find(table, 5);
	assert_memory_equal(group->probe_name, corp, sizeof(corp));
	assert_int_equal(group->probe_type, 6); /* SOA */
	assert_int_equal(group->domains.count, 2);
	assert_memory_equal(group->domains.wire + sizeof(corp), other, sizeof(other));

	old = table;
	opts.probe_name = other;
	opts.probe_type = 15;
	table = table_of(&opts, 1, old);
	assert_ptr_not_equal(group_table__find(table, 5), group);
	group = group_table__find(table, 5);
	assert_memory_equal(group->probe_name, other, sizeof(other));
	assert_int_equal(group->probe_type, 15);
	group_table__unref(&old);
	group_table__unref(&table);
}

static void test_spread(void **state)
{
	struct draw draw;
	draw_seed(&draw);
	struct forward_group_opts opts = group_opts(5, FORWARD_SPREAD, 4);
	struct group_table *table = table_of(&opts, 1, NULL);
	const struct group *group = group_table__find(table, 5);
	make_down(target_of(table, 5, 3));
	unsigned int picked[4] = {0};
	for (unsigned int i = 0; i < 9000; i++) {
		picked[group__pick(group, 0, &draw, T0_MS)]++;
	}
	for (unsigned int i = 0; i < 3; i++) {
		assert_in_range(picked[i], 2700, 3300);
	}
	assert_int_equal(picked[3], 0);
	group_table__unref(&table);
}

/* --- The table --- */

static void test_find(void **state)
{
	struct forward_group_opts opts[50];
	for (uint32_t i = 0; i < 50; i++) {
		opts[i] = group_opts((i * 7919) % 50 * 1000 + 3, FORWARD_ORDERED, 1 + i % 3);
	}
	struct group_table *table = table_of(opts, 50, NULL);
	for (uint32_t i = 0; i < 50; i++) {
		struct group *group = group_table__find(table, opts[i].origin);
		assert_non_null(group);
		assert_int_equal(group->origin, opts[i].origin);
		assert_int_equal(group->member_count, opts[i].target_count);
		/* Groups with a target in common share it. */
		assert_ptr_equal(group->members[0]->target, table->groups[0]->members[0]->target);
	}
	assert_null(group_table__find(table, 0));
	assert_null(group_table__find(table, 4));
	assert_null(group_table__find(table, UINT32_MAX));
	group_table__unref(&table);

	table = table_of(NULL, 0, NULL);
	assert_null(group_table__find(table, 3));
	group_table__unref(&table);
}

static void test_twice(void **state)
{
	struct addr same[2] = {addrs[0], addrs[0]};
	struct forward_group_opts opts[2] = {group_opts(5, FORWARD_ORDERED, 2),
	                                     group_opts(5, FORWARD_ORDERED, 2)};
	opts[0].targets = same;
	opts[1].targets = same;
	struct group_table *table = table_of(opts, 2, NULL);
	assert_int_equal(table->count, 1);
	assert_int_equal(table->groups[0]->member_count, 1);
	group_table__unref(&table);
}

static void test_takes_over(void **state)
{
	struct forward_group_opts opts[2] = {group_opts(5, FORWARD_ORDERED, 2),
	                                     group_opts(6, FORWARD_ORDERED, 1)};
	struct group_table *old = table_of(opts, 2, NULL);
	struct group *before = group_table__find(old, 5);
	make_down(target_of(old, 5, 1));
	before->members[1]->tally[0].queries = 11;

	/* Nothing changed: the same group. */
	struct group_table *table = table_of(opts, 2, old);
	assert_ptr_equal(group_table__find(table, 5), before);
	group_table__unref(&old);

	/* Another policy, a target less and one more: counters and health of the one that stays. */
	opts[0].policy = FORWARD_SPREAD;
	opts[0].targets = &addrs[1];
	struct group_table *next = table_of(opts, 1, table);
	group_table__unref(&table);
	struct group *after = group_table__find(next, 5);
	assert_int_equal(after->policy, FORWARD_SPREAD);
	assert_int_equal(after->members[0]->tally[0].queries, 11);
	assert_true(target__down(after->members[0]->target));
	assert_false(target__down(after->members[1]->target));
	assert_null(group_table__find(next, 6));

	/* Under another origin: health without counters. */
	opts[0].origin = 99;
	table = table_of(opts, 1, next);
	group_table__unref(&next);
	after = group_table__find(table, 99);
	assert_int_equal(after->members[0]->tally[0].queries, 0);
	assert_true(target__down(after->members[0]->target));
	group_table__unref(&table);
}

static void test_source_makes_another(void **state)
{
	struct forward_group_opts opts[2] = {group_opts(5, FORWARD_ORDERED, 1),
	                                     group_opts(6, FORWARD_ORDERED, 1)};
	assert_int_equal(addr_parse("127.0.0.9", 0, &opts[1].source), 0);
	struct group_table *table = table_of(opts, 2, NULL);
	assert_ptr_not_equal(target_of(table, 5, 0), target_of(table, 6, 0));
	group_table__unref(&table);
}

/* One budget for our interface, whatever rules share it, and a reload does not fill it. */
static void test_buckets(void **state)
{
	struct forward_group_opts opts[3] = {group_opts(5, FORWARD_ORDERED, 1),
	                                     group_opts(6, FORWARD_ORDERED, 1),
	                                     group_opts(7, FORWARD_ORDERED, 1)};
	for (unsigned int i = 0; i < 2; i++) {
		opts[i].packet_rate = 900;
		opts[i].packet_burst = 100;
	}
	struct group_table *old = table_of(opts, 3, NULL);
	struct bucket *bucket = group_table__find(old, 5)->bucket;
	assert_non_null(bucket);
	assert_ptr_equal(group_table__find(old, 6)->bucket, bucket);
	assert_null(group_table__find(old, 7)->bucket);
	assert_int_equal(bucket__take(bucket, 100, mono_us() * 1000), 0);

	opts[2].packet_rate = 900;
	opts[2].packet_burst = 100;
	opts[1].packet_rate = 500;
	struct group_table *table = table_of(opts, 3, old);
	assert_ptr_equal(group_table__find(table, 5)->bucket, bucket);
	assert_ptr_equal(group_table__find(table, 7)->bucket, bucket);
	struct bucket *slower = group_table__find(table, 6)->bucket;
	assert_int_equal(bucket__rate(slower), 500);
	assert_true(bucket__take(slower, 50, mono_us() * 1000) != 0); /* empty at first */
	group_table__unref(&old);
	group_table__unref(&table);
}

static int setup(void **state)
{
	log_set_level(LOG_LEVEL_ERROR);
	for (unsigned int i = 0; i < 4; i++) {
		char text[32];
		snprintf(text, sizeof(text), "10.0.0.%u", i + 1);
		if (addr_parse(text, 53, &addrs[i]) != 0) {
			return -1;
		}
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ordered),     cmocka_unit_test(test_fastest),
		cmocka_unit_test(test_spread),      cmocka_unit_test(test_find),
		cmocka_unit_test(test_twice),       cmocka_unit_test(test_takes_over),
		cmocka_unit_test(test_buckets),     cmocka_unit_test(test_source_makes_another),
		cmocka_unit_test(test_lame),        cmocka_unit_test(test_not_lame),
		cmocka_unit_test(test_lame_probes), cmocka_unit_test(test_probe_question),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
