/* Each rule of deletion by its name: facts/instance-records.md, C4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fail.h"
#include "base/log.h"
#include "records/journal.h"
#include "records/sightings.h"
#include "records/sweep_plan.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACCOUNT "111122223333"
#define REGION  "eu-west-1"
#define NOW     1800000000
#define OLD     "1799990000"
#define LIVE    "i-0000000000000001a"
#define DEAD    "i-0000000000000dead"
#define CANARY  "i-0000000000000cafe"

static struct arena arena;
static struct zone_list zone;
static struct evidence evidence;
static struct records_sweep rules_of;
static struct sweep_plan plan;
static int64_t seen_s;

static const struct evidence_opts trust = {
	.fleet = "web", .key = "key", .region = REGION, .account = ACCOUNT, .canary = CANARY};

static int begin(void **state)
{
	arena_init(&arena, 4096, 0);
	zone = (struct zone_list){.id = "Z1", .private_zone = true, .arena = &arena};
	evidence = (struct evidence){.account = ACCOUNT, .arena = &arena};
	rules_of = (struct records_sweep){.grace_s = 900,
	                                  .second_look_s = 600,
	                                  .max_share = 30,
	                                  .max_number = 20,
	                                  .canary = ""};
	seen_s = NOW - 1000;
	plan = (struct sweep_plan){0};
	return 0;
}

static int end(void **state)
{
	sweep_plan_fini(&plan);
	zone_list_fini(&zone);
	evidence_fini(&evidence);
	arena_fini(&arena);
	return 0;
}

static void put_set(const struct aws_record_set *set)
{
	assert_int_equal(zone_list_add(&zone, set), 0);
}

static void put(const char *name, const char *type, const char *identifier, const char *value)
{
	const char *values[] = {value};
	const struct aws_record_set set = {.name = name,
	                                   .type = type,
	                                   .set_identifier = identifier,
	                                   .multivalue = identifier != NULL,
	                                   .has_ttl = true,
	                                   .ttl_s = 60,
	                                   .values = values,
	                                   .value_count = 1};
	put_set(&set);
}

static void put_own(const char *instance, const char *boot, const char *value)
{
	char name[64];
	char identifier[129];
	snprintf(name, sizeof(name), "%s.corp.example.", instance);
	snprintf(identifier, sizeof(identifier), "hz1/web/" ACCOUNT "/" REGION "/%s/%s", instance,
	         boot);
	put(name, "A", identifier, value);
}

static void instance(const char *id, const char *state, const char *address)
{
	struct aws_ec2_instance listed = {.id = id, .state = state};
	if (address != NULL) {
		listed.addresses[listed.address_count++] = address;
	}
	assert_int_equal(evidence_add(&evidence, &listed), 0);
}

static int64_t seen(void *ctx, const struct sweep_item *item)
{
	return seen_s;
}

/* The plan, over an SOA, a canary, and whatever was put. */
static void make(void)
{
	char why[512];
	put("corp.example.", "SOA", NULL, "a. b. 1 2 3 4 5");
	assert_int_equal(zone_list_finish(&zone), 0);
	instance(CANARY, "running", "10.9.9.9");
	assert_int_equal(evidence_finish(&evidence, &trust, why, sizeof(why)), 0);
	const struct sweep_rules rules = {.settings = &rules_of,
	                                  .fleet = "web",
	                                  .evidence = &evidence,
	                                  .now_s = NOW,
	                                  .seen = seen};
	const struct zone_list *lists[] = {&zone};
	assert_int_equal(sweep_plan_make(&rules, lists, 1, &plan), 0);
}

static enum sweep_verdict only(void)
{
	assert_int_equal(plan.count, 1);
	return plan.items[0].verdict;
}

static void test_gone_goes(void **state)
{
	put_own(DEAD, OLD, "10.0.0.1");
	make();
	assert_int_equal(only(), SWEEP_GO_ABSENT);
	assert_int_equal(plan.go, 1);
}

static void test_R1_no_mark_no_delete(void **state)
{
	put("a.corp.example.", "A", NULL, "10.0.0.1");
	put("b.corp.example.", "A", "by-hand", "10.0.0.1");
	put("_hz.c.corp.example.", "TXT", NULL, "\"heritage=external-dns,external-dns/owner=x\"");
	put("c.corp.example.", "A", NULL, "10.0.0.1");
	make();
	assert_int_equal(plan.count, 0);
}

static void test_R1_mark_of_another_fleet(void **state)
{
	put("a.corp.example.", "A", "hz1/other/" ACCOUNT "/" REGION "/" DEAD "/" OLD, "10.0.0.1");
	make();
	assert_int_equal(only(), SWEEP_FLEET);
	assert_int_equal(plan.owned, 0);
}

static void test_R2_out_of_scope(void **state)
{
	put("a.corp.example.", "A", "hz1/web/999988887777/" REGION "/" DEAD "/" OLD, "10.0.0.1");
	make();
	assert_int_equal(only(), SWEEP_SCOPE);
}

static void test_R2_other_region(void **state)
{
	put("a.corp.example.", "A", "hz1/web/" ACCOUNT "/us-east-1/" DEAD "/" OLD, "10.0.0.1");
	make();
	assert_int_equal(only(), SWEEP_SCOPE);
}

static void test_R2_scope_of_a_digest(void **state)
{
	struct owner owner = {.fleet = "web", .account = ACCOUNT, .region = "us-east-1"};
	char mark[OWNER_TXT_MAX + 3];
	snprintf(owner.instance, sizeof(owner.instance), DEAD);
	assert_int_equal(owner_txt(&owner, "key", mark), 0);
	put("a.corp.example.", "A", NULL, "10.0.0.1");
	put("_hz.a.corp.example.", "TXT", NULL, mark);
	make();
	assert_int_equal(only(), SWEEP_SCOPE);
}

static int distrust(const struct evidence_opts *opts)
{
	char why[512] = "";
	int ret = evidence_finish(&evidence, opts, why, sizeof(why));
	assert_true(ret == 0 || why[0] != '\0');
	return ret;
}

static void test_R3_wrong_account(void **state)
{
	struct evidence_opts opts = trust;
	opts.account = "999988887777";
	instance(CANARY, "running", NULL);
	assert_int_equal(distrust(&opts), FAIL_CHANGED);
}

static void test_R3_state_that_nobody_knows(void **state)
{
	instance(LIVE, "hibernating-somehow", NULL);
	put_own(LIVE, OLD, "10.0.0.1");
	make();
	assert_int_equal(only(), SWEEP_STATE);
}

static void test_R4_canary_missing(void **state)
{
	instance(LIVE, "running", NULL);
	assert_int_equal(distrust(&trust), FAIL_CHANGED);
}

static void test_R4_canary_dead(void **state)
{
	instance(LIVE, "running", NULL);
	instance(CANARY, "terminated", NULL);
	assert_int_equal(distrust(&trust), FAIL_CHANGED);
}

static void test_R4_nobody_alive(void **state)
{
	assert_int_equal(distrust(&trust), FAIL_CHANGED);
}

static void test_R4_no_canary_known(void **state)
{
	struct evidence_opts opts = trust;
	opts.canary = "";
	instance(LIVE, "running", NULL);
	assert_int_equal(distrust(&opts), FAIL_CHANGED);
}

static void test_R5_terminated(void **state)
{
	instance(DEAD, "terminated", NULL);
	put_own(DEAD, OLD, "10.0.0.1");
	make();
	assert_int_equal(only(), SWEEP_GO_TERMINATED);
}

static void test_R5_shutting_down_is_not_gone(void **state)
{
	instance(DEAD, "shutting-down", NULL);
	put_own(DEAD, OLD, "10.0.0.1");
	make();
	assert_int_equal(only(), SWEEP_ENDING);
}

static void test_R5_new_and_not_yet_listed(void **state)
{
	char boot[24];
	snprintf(boot, sizeof(boot), "%d", NOW - 300);
	put_own(DEAD, boot, "10.0.0.1");
	make();
	assert_int_equal(only(), SWEEP_YOUNG);
}

static void test_R5_stopped_keeps_the_private(void **state)
{
	instance(DEAD, "stopped", "10.0.0.1");
	put_own(DEAD, OLD, "10.0.0.1");
	make();
	assert_int_equal(only(), SWEEP_STOPPED);
}

static void test_R5_stopped_drops_the_public(void **state)
{
	instance(DEAD, "stopped", "10.0.0.1");
	zone.private_zone = false;
	put_own(DEAD, OLD, "203.0.113.1");
	make();
	assert_int_equal(only(), SWEEP_GO_STOPPED);
}

static void test_R5_stopped_keeps_an_elastic_address(void **state)
{
	instance(DEAD, "stopped", "203.0.113.1");
	zone.private_zone = false;
	put_own(DEAD, OLD, "203.0.113.1");
	make();
	assert_int_equal(only(), SWEEP_STOPPED);
}

static void test_R6_address_of_another(void **state)
{
	instance(LIVE, "running", "10.0.0.7");
	instance("i-0000000000000002b", "running", "10.0.0.1");
	put_own(LIVE, OLD, "10.0.0.1");
	make();
	assert_int_equal(only(), SWEEP_MOVED);
}

static void test_R7_first_sighting(void **state)
{
	seen_s = 0;
	put_own(DEAD, OLD, "10.0.0.1");
	make();
	assert_int_equal(only(), SWEEP_FIRST);
	assert_int_equal(plan.items[0].wanted, SWEEP_GO_ABSENT);
}

static void test_R7_second_too_soon(void **state)
{
	seen_s = NOW - 599;
	put_own(DEAD, OLD, "10.0.0.1");
	make();
	assert_int_equal(only(), SWEEP_FIRST);
}

static void test_R7_kept_on_disk(void **state)
{
	char dir[] = "/tmp/sightings-XXXXXX";
	char path[64];
	assert_non_null(mkdtemp(dir));
	seen_s = 0;
	put_own(DEAD, OLD, "10.0.0.1");
	put_own(LIVE, OLD, "10.0.0.2");
	instance(LIVE, "running", "10.0.0.2");
	make();
	struct sightings *first = sightings_load(dir);
	assert_int_equal(sightings_save(first, dir, &plan, NOW), 0);
	sightings_free(&first);
	struct sightings *second = sightings_load(dir);
	for (size_t i = 0; i < 2; i++) {
		bool dead = strstr(plan.items[i].marked.entry.set.name, DEAD) != NULL;
		assert_int_equal(sightings_seen(second, &plan.items[i]), dead ? NOW : 0);
		plan.items[i].wanted = SWEEP_LIVE; /* seen alive: it begins anew */
	}
	assert_int_equal(sightings_save(second, dir, &plan, NOW + 1), 0);
	assert_int_equal(sightings_seen(second, &plan.items[0]), 0);
	assert_int_equal(sightings_seen(second, &plan.items[1]), 0);
	sightings_free(&second);
	snprintf(path, sizeof(path), "%s/sightings.json", dir);
	unlink(path);
	rmdir(dir);
}

static void test_R8_grace(void **state)
{
	char boot[24];
	snprintf(boot, sizeof(boot), "%d", NOW - 899);
	instance(DEAD, "terminated", NULL);
	put_own(DEAD, boot, "10.0.0.1");
	make();
	assert_int_equal(only(), SWEEP_YOUNG);
}

static void test_R8_twice_the_ttl(void **state)
{
	const char *values[] = {"10.0.0.1"};
	const struct aws_record_set set = {.name = "a.corp.example.",
	                                   .type = "A",
	                                   .set_identifier = "hz1/web/" ACCOUNT "/" REGION "/" DEAD
	                                                     "/1799999000",
	                                   .multivalue = true,
	                                   .has_ttl = true,
	                                   .ttl_s = 600,
	                                   .values = values,
	                                   .value_count = 1};
	put_set(&set);
	make();
	assert_int_equal(only(), SWEEP_YOUNG);
}

/* So many records, of which the first `dead` have no owner any more. */
static void put_many(unsigned int count, unsigned int dead)
{
	for (unsigned int i = 0; i < count; i++) {
		char id[24];
		snprintf(id, sizeof(id), "i-%017x", i + 1);
		put_own(id, OLD, "10.0.0.1");
		if (i >= dead) {
			instance(id, "running", "10.0.0.1");
		}
	}
	make();
}

static void test_R9_share(void **state)
{
	put_many(20, 7);
	assert_int_equal(plan.brake, SWEEP_BRAKE_SHARE);
}

static void test_R9_share_not_reached(void **state)
{
	put_many(20, 6); /* 30 %, not more */
	assert_int_equal(plan.brake, SWEEP_BRAKE_OFF);
	assert_int_equal(plan.go, 6);
}

static void test_R9_number(void **state)
{
	put_many(100, 21);
	assert_int_equal(plan.brake, SWEEP_BRAKE_NUMBER);
}

static void test_R10_three_of_a_small_zone(void **state)
{
	put_many(9, 9);
	assert_int_equal(plan.go, 3);
	assert_int_equal(plan.brake, SWEEP_BRAKE_OFF);
}

static void test_R10_last_of_a_shared_name(void **state)
{
	put("web.corp.example.", "A", "hz1/web/" ACCOUNT "/" REGION "/" DEAD "/" OLD, "10.0.0.1");
	put("web.corp.example.", "A", "hz1/web/" ACCOUNT "/" REGION "/i-0000000000000beef/" OLD,
	    "10.0.0.2");
	make();
	assert_int_equal(plan.go, 1);
	assert_true(plan.items[0].verdict == SWEEP_LAST || plan.items[1].verdict == SWEEP_LAST);
}

static void test_R12_sum(void **state)
{
	char before[65];
	put_own(DEAD, OLD, "10.0.0.1");
	make();
	memcpy(before, plan.sum, sizeof(before));
	const struct record_entry *entry = &plan.items[0].marked.entry;
	char same[65];
	sweep_sum(&entry, 1, same);
	assert_string_equal(before, same);
	plan.items[0].marked.entry.set.ttl_s++;
	sweep_sum(&entry, 1, same);
	assert_string_not_equal(before, same);
}

static void test_R14_never_in_a_plan(void **state)
{
	static const char mark[] = "hz1/web/" ACCOUNT "/" REGION "/" DEAD "/" OLD;
	const char *values[] = {"10.0.0.1"};
	struct aws_record_set alias = {.name = "alias.corp.example.",
	                               .type = "A",
	                               .set_identifier = mark,
	                               .multivalue = true,
	                               .alias_name = "x.corp.example.",
	                               .alias_zone_id = "Z1"};
	struct aws_record_set weighted = {.name = "weighted.corp.example.",
	                                  .type = "A",
	                                  .set_identifier = mark,
	                                  .has_weight = true,
	                                  .weight = 1,
	                                  .has_ttl = true,
	                                  .values = values,
	                                  .value_count = 1};
	put("corp.example.", "A", mark, "10.0.0.1");
	put("\\052.corp.example.", "A", mark, "10.0.0.1");
	put("sub.corp.example.", "NS", mark, "ns.example.");
	put_set(&alias);
	put_set(&weighted);
	make();
	assert_int_equal(plan.count, 0);
}

static void test_R14_one_mark_for_two_records(void **state)
{
	put("_hz.a.corp.example.", "TXT", NULL,
	    "\"heritage=horizon,v=1,fleet=web,account=" ACCOUNT ",region=" REGION ",instance=" DEAD
	    ",boot=" OLD "\"");
	put("a.corp.example.", "A", NULL, "10.0.0.1");
	put("a.corp.example.", "AAAA", NULL, "2001:db8::1");
	make();
	assert_int_equal(plan.go, 0);
	assert_int_equal(plan.items[0].verdict, SWEEP_UNCLEAR);
}

static int count_entries(void *ctx, const struct record_entry *entry)
{
	size_t *count = ctx;
	const struct record_entry *wanted = &plan.items[*count].marked.entry;
	assert_true(record_entry_equal(entry, wanted));
	(*count)++;
	return 0;
}

static void test_R15_journal(void **state)
{
	char dir[] = "/tmp/journal-XXXXXX";
	char run[JOURNAL_RUN_MAX];
	char path[128];
	size_t count = 0;
	assert_non_null(mkdtemp(dir));
	put("_hz.a.corp.example.", "TXT", NULL,
	    "\"heritage=horizon,v=1,fleet=web,account=" ACCOUNT ",region=" REGION ",instance=" DEAD
	    ",boot=" OLD "\"");
	put("a.corp.example.", "TXT", NULL, "\"with \\\"quotes\\\" and \\303\\244\"");
	put_own(DEAD, OLD, "10.0.0.1");
	make();
	journal_run(NOW, 7, run);
	struct journal *journal = journal_open(dir, run);
	for (size_t i = 0; i < plan.count; i++) {
		assert_int_equal(journal_add(journal, &plan.items[i].marked.entry, "absent", NOW),
		                 0);
	}
	assert_int_equal(journal_sync(journal), 0);
	journal_close(&journal);
	/* A line cut short is of a call that was never made. */
	snprintf(path, sizeof(path), "%s/journal/%s.json", dir, run);
	FILE *file = fopen(path, "a");
	fputs("{\"zone\":\"Z1\"", file);
	fclose(file);
	assert_int_equal(journal_read(dir, run, &arena, count_entries, &count), 0);
	assert_int_equal(count, plan.count);
	assert_int_equal(journal_read(dir, "../etc/passwd", &arena, count_entries, &count),
	                 FAIL_NOTFOUND);
	unlink(path);
	snprintf(path, sizeof(path), "%s/journal", dir);
	rmdir(path);
	rmdir(dir);
}

static void test_R17_every_verdict_has_a_word(void **state)
{
	for (unsigned int i = 0; i < SWEEP_VERDICTS; i++) {
		assert_non_null(sweep_verdict_text(i));
	}
}

static void test_listing_without_soa(void **state)
{
	put_own(DEAD, OLD, "10.0.0.1");
	assert_int_equal(zone_list_finish(&zone), FAIL_FORMAT);
}

static void test_mark_left_over(void **state)
{
	put("_hz.a.corp.example.", "TXT", NULL,
	    "\"heritage=horizon,v=1,fleet=web,account=" ACCOUNT ",region=" REGION ",instance=" DEAD
	    ",boot=" OLD "\"");
	make();
	assert_int_equal(only(), SWEEP_GO_ABSENT);
	assert_true(plan.items[0].marked.left_over);
}

#define RULE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RULE(test_gone_goes),
		RULE(test_R1_no_mark_no_delete),
		RULE(test_R1_mark_of_another_fleet),
		RULE(test_R2_out_of_scope),
		RULE(test_R2_other_region),
		RULE(test_R2_scope_of_a_digest),
		RULE(test_R3_wrong_account),
		RULE(test_R3_state_that_nobody_knows),
		RULE(test_R4_canary_missing),
		RULE(test_R4_canary_dead),
		RULE(test_R4_nobody_alive),
		RULE(test_R4_no_canary_known),
		RULE(test_R5_terminated),
		RULE(test_R5_shutting_down_is_not_gone),
		RULE(test_R5_new_and_not_yet_listed),
		RULE(test_R5_stopped_keeps_the_private),
		RULE(test_R5_stopped_drops_the_public),
		RULE(test_R5_stopped_keeps_an_elastic_address),
		RULE(test_R6_address_of_another),
		RULE(test_R7_first_sighting),
		RULE(test_R7_second_too_soon),
		RULE(test_R7_kept_on_disk),
		RULE(test_R8_grace),
		RULE(test_R8_twice_the_ttl),
		RULE(test_R9_share),
		RULE(test_R9_share_not_reached),
		RULE(test_R9_number),
		RULE(test_R10_three_of_a_small_zone),
		RULE(test_R10_last_of_a_shared_name),
		RULE(test_R12_sum),
		RULE(test_R14_never_in_a_plan),
		RULE(test_R14_one_mark_for_two_records),
		RULE(test_R15_journal),
		RULE(test_R17_every_verdict_has_a_word),
		RULE(test_listing_without_soa),
		RULE(test_mark_left_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
