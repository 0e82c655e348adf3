/*
 * The rules of deletion that are kept while it is done, each by its name: facts/instance-records.md, C4. Those that make
 * the plan are in test_sweep_plan.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "model.h"
#include "records/sweep.h"
#include <ftw.h>
#include <sys/stat.h>

#define CANARY    "i-0ca00000000000000"
#define OLD       "1799990000"
#define LEASE     "_hz-sweep.web.corp.example."
#define CALLS_MAX 32
#define LINES_MAX 16

/* A batch as Route 53 heard it: "- NAME TYPE" or "+ NAME TYPE" a line. */
struct call {
	const char *zone;
	char lines[LINES_MAX][100];
	size_t count;
	int result;
};

static char folder[64];
static struct records_settings *settings;
static struct records_api api;
static struct sweep_report report;
static struct call calls[CALLS_MAX];
static size_t call_count;
static void (*after_listing)(void);      /* once, when EC2 is asked */
static void (*before_call)(size_t call); /* each change batch, from 0 */

static int heard_instances(void *ctx, aws_ec2_instance_fn *fn, void *fn_ctx)
{
	if (after_listing != NULL) {
		after_listing();
		after_listing = NULL;
	}
	return model_api_instances(ctx, fn, fn_ctx);
}

static int heard_change(void *ctx, const char *zone, const struct record_change *changes,
                        size_t count, char *ret_change)
{
	if (before_call != NULL) {
		before_call(call_count);
	}
	assert_true(call_count < CALLS_MAX && count <= LINES_MAX);
	struct call *call = &calls[call_count++];
	*call = (struct call){.zone = zone, .count = count};
	for (size_t i = 0; i < count; i++) {
		snprintf(call->lines[i], sizeof(call->lines[i]), "%c %s %s",
		         changes[i].create ? '+' : '-', changes[i].set.name, changes[i].set.type);
	}
	call->result = model_api_change(ctx, zone, changes, count, ret_change);
	return call->result;
}

/* --- The world --- */

static void put(const char *zone, const char *name, const char *type, const char *value)
{
	const char *values[] = {value};
	const struct record_set set = {
		.name = name, .type = type, .ttl_s = 60, .values = values, .value_count = 1};
	model_put(model_zone_find(zone), &set, false);
}

static struct model_set *find(const char *zone, const char *name, const char *type)
{
	const struct record_set set = {.name = name, .type = type};
	return model_find(model_zone_find(zone), &set);
}

static const char *name_of(unsigned int number)
{
	static char name[64];
	snprintf(name, sizeof(name), "i-%017x.corp.example.", number);
	return name;
}

static const char *mark_of(unsigned int number)
{
	static char name[64];
	snprintf(name, sizeof(name), "_hz.i-%017x.corp.example.", number);
	return name;
}

static void put_mark(const char *zone, unsigned int number, const char *boot)
{
	char text[200];
	snprintf(text, sizeof(text),
	         "\"heritage=horizon,v=1,fleet=web,account=" MODEL_ACCOUNT ",region=" MODEL_REGION
	         ",instance=i-%017x,boot=%s\"",
	         number, boot);
	put(zone, mark_of(number), "TXT", text);
}

/* A record of an instance that is gone, with its mark. */
static void put_dead(const char *zone, unsigned int number)
{
	put(zone, name_of(number), "A", "10.0.0.1");
	put_mark(zone, number, OLD);
}

static void put_lease(const char *until)
{
	char text[100];
	snprintf(text, sizeof(text),
	         "\"heritage=horizon-sweep,v=1,fleet=web,run=another,until=%s\"", until);
	put("ZA", LEASE, "TXT", text);
}

static bool stands(const char *zone, unsigned int number)
{
	bool record = find(zone, name_of(number), "A") != NULL;
	assert_true(record == (find(zone, mark_of(number), "TXT") != NULL));
	return record;
}

static int begin(void **state)
{
	char conf[512];
	struct text faults;
	log_set_level(LOG_LEVEL_ERROR);
	snprintf(folder, sizeof(folder), "/tmp/sweep-XXXXXX");
	assert_non_null(mkdtemp(folder));
	text_init(&faults, 0);
	snprintf(conf, sizeof(conf),
	         "state_dir = \"%s\"; fleet = \"web\"; control = \"\";\n"
	         "sweep = { apply = true; zones = [ \"ZA\", \"ZB\" ]; };\n",
	         folder);
	int ret =
		records_settings_load_bytes("records.conf", conf, strlen(conf), &settings, &faults);
	if (ret != 0) {
		fail_msg("%s", text_get(&faults));
	}
	text_fini(&faults);
	model_begin(1);
	model_zone_add("ZA", "corp.example.", true);
	model_zone_add("ZB", "corp.example.", true);
	struct model_instance *canary = &model.instances[model.instance_count++];
	snprintf(canary->id, sizeof(canary->id), CANARY);
	snprintf(canary->state, sizeof(canary->state), "running");
	snprintf(canary->private_ip, sizeof(canary->private_ip), "10.9.9.9");
	api = model_api;
	api.instances = heard_instances;
	api.change = heard_change;
	after_listing = NULL;
	before_call = NULL;
	call_count = 0;
	sweep_report_init(&report);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *walk)
{
	return remove(path);
}

static int end(void **state)
{
	sweep_report_fini(&report);
	records_settings_free(&settings);
	model_end();
	return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static enum sweep_result sweep(bool apply)
{
	struct arena arena;
	arena_init(&arena, 65536, 0);
	sweep_report_fini(&report);
	sweep_report_init(&report);
	const struct sweep_opts opts = {.settings = settings,
	                                .api = &api,
	                                .arena = &arena,
	                                .region = MODEL_REGION,
	                                .account = MODEL_ACCOUNT,
	                                .instance = CANARY,
	                                .apply = apply,
	                                .deadline_ms = model.now_ms + 60000};
	enum sweep_result result = sweep_run(&opts, &report);
	arena_fini(&arena);
	return result;
}

/* The first sighting (R7), and time for the second. */
static void seen_before(void)
{
	assert_int_equal(sweep(false), SWEEP_DONE);
	model.now_ms += 1000000;
}

static void assert_fault(const char *text)
{
	if (strstr(text_get(&report.faults), text) == NULL) {
		fail_msg("not said: %s\n%s", text, text_get(&report.faults));
	}
}

static bool says(const struct call *call, char sign, const char *name, const char *type)
{
	char line[100];
	snprintf(line, sizeof(line), "%c %s %s", sign, name, type);
	for (size_t i = 0; i < call->count; i++) {
		if (strcmp(call->lines[i], line) == 0) {
			return true;
		}
	}
	return false;
}

/* --- R11 --- */

static void test_R11_dry_run_without_apply(void **state)
{
	put_dead("ZA", 1);
	seen_before();
	assert_int_equal(sweep(false), SWEEP_PENDING);
	assert_int_equal(call_count, 0);
	assert_true(stands("ZA", 1));
}

static void test_R11_apply_without_the_setting(void **state)
{
	put_dead("ZA", 1);
	settings->sweep.apply = false;
	seen_before();
	assert_int_equal(sweep(true), SWEEP_PENDING);
	assert_fault("sweep.apply = true in the settings is the other switch");
	assert_int_equal(call_count, 0);
	assert_true(stands("ZA", 1));
}

static void test_R11_both_switches(void **state)
{
	put_dead("ZA", 1);
	seen_before();
	assert_int_equal(sweep(true), SWEEP_DONE);
	assert_false(stands("ZA", 1));
	assert_int_equal(report.deleted, 1);
}

/* --- R13 --- */

static void edit_second(void)
{
	find("ZA", name_of(2), "A")->ttl_s = 61;
}

static void test_R13_failed_group_is_left_and_told(void **state)
{
	put_dead("ZA", 1);
	put_dead("ZA", 2);
	put_dead("ZA", 3);
	seen_before();
	after_listing = edit_second;
	assert_int_equal(sweep(true), SWEEP_FAILED);
	assert_fault("changed since it was listed; it is left alone");
	assert_false(stands("ZA", 1));
	assert_true(stands("ZA", 2));
	assert_false(stands("ZA", 3));
	assert_int_equal(report.deleted, 2);
}

/* However a refused batch is cut, a name and its mark stay together. */
static void test_R13_one_name_a_group(void **state)
{
	size_t alone = 0;
	for (unsigned int i = 1; i <= 3; i++) {
		put_dead("ZA", i);
	}
	seen_before();
	after_listing = edit_second;
	sweep(true);
	for (size_t i = 0; i < call_count; i++) {
		size_t names = 0;
		for (unsigned int j = 1; j <= 3; j++) {
			bool record = says(&calls[i], '-', name_of(j), "A");
			assert_true(record == says(&calls[i], '-', mark_of(j), "TXT"));
			names += record;
		}
		alone += names == 1;
	}
	assert_true(alone >= 3);
}

static void another_mark(void)
{
	model_remove(model_zone_find("ZA"), find("ZA", mark_of(1), "TXT"));
	put_mark("ZA", 1, "1800000001");
}

/* The record is as it was, but its mark says that its owner came back. */
static void test_R13_mark_changed_keeps_its_record(void **state)
{
	put_dead("ZA", 1);
	seen_before();
	after_listing = another_mark;
	assert_int_equal(sweep(true), SWEEP_FAILED);
	assert_true(stands("ZA", 1));
	assert_int_equal(report.deleted, 0);
}

/* --- R16 --- */

static void test_R16_lease_of_another(void **state)
{
	put_dead("ZA", 1);
	seen_before();
	put_lease("1900000000");
	assert_int_equal(sweep(true), SWEEP_FAILED);
	assert_fault("another sweep is at work in zone ZA");
	assert_true(stands("ZA", 1));
	assert_non_null(find("ZA", LEASE, "TXT"));
}

static void test_R16_lease_that_ran_out(void **state)
{
	put_dead("ZA", 1);
	seen_before();
	put_lease(OLD);
	assert_int_equal(sweep(true), SWEEP_DONE);
	assert_false(stands("ZA", 1));
	assert_null(find("ZA", LEASE, "TXT"));
}

static void test_R16_every_deletion_renews_the_lease(void **state)
{
	size_t deletions = 0;
	put_dead("ZA", 1);
	put_dead("ZA", 2);
	put_dead("ZB", 3);
	seen_before();
	after_listing = edit_second;
	sweep(true);
	for (size_t i = 0; i < call_count; i++) {
		bool deletes = false;
		for (unsigned int j = 1; j <= 3; j++) {
			deletes = deletes || says(&calls[i], '-', name_of(j), "A");
		}
		deletions += deletes;
		assert_true(!deletes || (says(&calls[i], '-', LEASE, "TXT") &&
		                         says(&calls[i], '+', LEASE, "TXT")));
	}
	assert_true(deletions >= 4);
	assert_null(find("ZA", LEASE, "TXT"));
	assert_null(find("ZB", LEASE, "TXT"));
}

static void steal(void)
{
	model_remove(model_zone_find("ZA"), find("ZA", LEASE, "TXT"));
	put_lease("1900000000");
}

/* Call 0 takes the lease. */
static void steal_at_first(size_t call)
{
	if (call == 1) {
		steal();
	}
}

static void test_R16_lost_lease_ends_the_run(void **state)
{
	put_dead("ZA", 1);
	put_dead("ZA", 2);
	put_dead("ZB", 3);
	seen_before();
	before_call = steal_at_first;
	assert_int_equal(sweep(true), SWEEP_FAILED);
	assert_fault("the lease is lost");
	assert_true(stands("ZA", 1) && stands("ZA", 2) && stands("ZB", 3));
	assert_int_equal(report.deleted, 0);
	for (size_t i = 0; i < call_count; i++) {
		assert_string_equal(calls[i].zone, "ZA");
	}
	/* The lease is the other's by now. */
	assert_non_null(strstr(find("ZA", LEASE, "TXT")->values[0], "run=another"));
}

static void steal_after_one(size_t call)
{
	if (call > 0 && calls[call - 1].result == 0 &&
	    says(&calls[call - 1], '-', name_of(1), "A")) {
		steal();
	}
}

static void test_R16_lost_lease_in_the_middle(void **state)
{
	put_dead("ZA", 1);
	put_dead("ZA", 2);
	put_dead("ZA", 3);
	seen_before();
	after_listing = edit_second; /* so that the first one goes in a batch of its own */
	before_call = steal_after_one;
	assert_int_equal(sweep(true), SWEEP_FAILED);
	assert_fault("the lease is lost");
	assert_false(stands("ZA", 1));
	assert_true(stands("ZA", 2) && stands("ZA", 3));
	assert_int_equal(report.deleted, 1);
}

#define RULE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RULE(test_R11_dry_run_without_apply),
		RULE(test_R11_apply_without_the_setting),
		RULE(test_R11_both_switches),
		RULE(test_R13_failed_group_is_left_and_told),
		RULE(test_R13_one_name_a_group),
		RULE(test_R13_mark_changed_keeps_its_record),
		RULE(test_R16_lease_of_another),
		RULE(test_R16_lease_that_ran_out),
		RULE(test_R16_every_deletion_renews_the_lease),
		RULE(test_R16_lost_lease_ends_the_run),
		RULE(test_R16_lost_lease_in_the_middle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
