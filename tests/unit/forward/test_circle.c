#include "fake.h"
#include "forward/circle_int.h"
#include "forward/group_int.h"

#define T0_MS 5000000

static const uint8_t corp[] = "\4corp\4test";
static const uint8_t other[] = "\5other\4test";

static struct forward *forward_of(const uint8_t *const *domains, size_t count,
                                  struct group **ret_group)
{
	struct addr targets[2];
	assert_int_equal(addr_parse("10.0.0.1", 53, &targets[0]), 0);
	assert_int_equal(addr_parse("10.0.0.2", 53, &targets[1]), 0);
	struct forward *fwd = forward_new(&(struct forward_opts){.workers = 1});
	struct forward_group_opts opts = {.origin = RIG_ORIGIN,
	                                  .rule = "corp.test",
	                                  .targets = targets,
	                                  .target_count = 2,
	                                  .domains = domains,
	                                  .domain_count = count};
	assert_int_equal(forward_set_groups(fwd, &opts, 1), 0);
	*ret_group = group_table__find(fwd->table, RIG_ORIGIN);
	return fwd;
}

static bool came_back(struct forward *fwd, const struct group *group, const uint8_t *name,
                      uint64_t now_ms)
{
	struct addr client;
	char text[CIRCLE_TEXT_MAX];
	assert_int_equal(addr_parse("10.9.9.9", 999, &client), 0);
	struct forward_ask ask = {.name = name, .client = &client};
	return circle__check(fwd, group, &ask, now_ms, text);
}

/* Only what this process has made, a moment ago, as a whole, in any case. */
static void test_names(void **state)
{
	const uint8_t *const domains[] = {corp, other};
	struct group *group;
	uint8_t name[DNS_NAME_MAX];
	uint8_t second[DNS_NAME_MAX];
	struct forward *fwd = forward_of(domains, 2, &group);
	struct forward *stranger = forward_of(domains, 2, &group);
	group = group_table__find(fwd->table, RIG_ORIGIN);
	assert_true(circle__name(fwd, group, 1, T0_MS, name));
	assert_true(circle__name(fwd, group, 1, T0_MS, second));
	assert_false(dns_name_equal(name, second));
	assert_true(dns_name_within(name, corp));
	assert_false(
		came_back(stranger, group_table__find(stranger->table, RIG_ORIGIN), name, T0_MS));
	assert_false(came_back(fwd, group, name, T0_MS + 1000 * (CIRCLE_VALID_S + 1)));
	assert_false(came_back(fwd, group, name, T0_MS - 1000));
	assert_false(came_back(fwd, group, corp, T0_MS));
	for (size_t i = 0; i < 63; i++) {
		name[i] ^= 1;
		assert_false(came_back(fwd, group, name, T0_MS));
		name[i] ^= 1;
	}
	assert_int_equal(circle__cut(group), 0);
	for (size_t i = 1; i < 63; i += 2) {
		name[i] = name[i] >= 'a' ? name[i] & 0xdf : name[i];
	}
	assert_true(came_back(fwd, group, name, T0_MS + 1000 * CIRCLE_VALID_S));
	assert_int_equal(circle__cut(group), 2);
	/* The other member goes on: the rule's questions are not refused. */
	assert_false(came_back(fwd, group, corp, T0_MS));
	forward_free(&fwd);
	forward_free(&stranger);
}

/* Cut until a question below each domain was answered and did not come back. */
static void test_cut_and_mend(void **state)
{
	const uint8_t *const domains[] = {corp, other};
	struct group *group;
	uint8_t name[DNS_NAME_MAX];
	struct forward *fwd = forward_of(domains, 2, &group);
	for (unsigned int i = 0; i < 2; i++) {
		assert_true(circle__name(fwd, group, i, T0_MS, name));
		assert_true(came_back(fwd, group, name, T0_MS));
	}
	assert_int_equal(circle__cut(group), 3);
	assert_true(came_back(fwd, group, corp, T0_MS)); /* refused at once */
	struct member *member = group->members[0];
	circle__answered(fwd, group, member, T0_MS, T0_MS + 10); /* the one that came back */
	circle__answered(fwd, group, member, T0_MS + 100, T0_MS + 110);
	assert_true(circle__name(fwd, group, 0, T0_MS, name));
	assert_true(came_back(fwd, group, name, T0_MS + 200));
	circle__answered(fwd, group, member, T0_MS + 300, T0_MS + 310);
	assert_int_equal(circle__cut(group), 3);
	circle__answered(fwd, group, member, T0_MS + 400, T0_MS + 410);
	assert_int_equal(circle__cut(group), 2);
	assert_false(came_back(fwd, group, corp, T0_MS + 500));
	forward_free(&fwd);
}

/* All domains at first, sixteen a minute later on. */
static void test_due(void **state)
{
	const uint8_t *domains[40];
	uint8_t names[40][8];
	for (size_t i = 0; i < 40; i++) {
		memcpy(names[i], "\1a\4test", 8);
		names[i][1] = (uint8_t)('0' + i);
		domains[i] = names[i];
	}
	struct group *group;
	struct forward *fwd = forward_of(domains, 40, &group);
	struct member *member = group->members[0];
	unsigned int asked = 0;
	while (circle__due(group, member, T0_MS)) {
		asked++;
	}
	assert_in_range(asked, 40, 48);
	assert_false(circle__due(group, member, T0_MS + CIRCLE_EVERY_MS * 8 / 10));
	for (asked = 0; circle__due(group, member, T0_MS + CIRCLE_EVERY_MS); asked++) {
	}
	assert_int_equal(asked, 16);
	circle__hasten(group, T0_MS + CIRCLE_EVERY_MS + 1);
	assert_true(circle__due(group, member, T0_MS + CIRCLE_EVERY_MS + 1));
	forward_free(&fwd);

	/* The VPC resolver's group has no domain, and is not looked at. */
	fwd = forward_of(NULL, 0, &group);
	assert_false(circle__due(group, group->members[0], T0_MS));
	forward_free(&fwd);
}

/* A domain so long that no label fits below it. */
static void test_no_room(void **state)
{
	uint8_t domain[DNS_NAME_MAX];
	uint8_t name[DNS_NAME_MAX];
	char text[300];
	memset(text, 'a', sizeof(text));
	for (size_t i = 60; i < sizeof(text); i += 61) {
		text[i] = '.';
	}
	text[193] = '\0';
	assert_true(dns_name_parse(text, domain) > 192);
	const uint8_t *const domains[] = {domain};
	struct group *group;
	struct forward *fwd = forward_of(domains, 1, &group);
	assert_false(circle__name(fwd, group, 0, T0_MS, name));
	forward_free(&fwd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_cut_and_mend),
		cmocka_unit_test(test_due),
		cmocka_unit_test(test_no_room),
	};
	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
