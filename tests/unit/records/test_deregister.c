/* wraps: state_kernel */
/* What is remembered while instance metadata keeps silent: whose it is, the id of the boot alone tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "model.h"
#include "records/register.h"
#include "records/state.h"
#include <unistd.h>

void __wrap_state_kernel(char *buf);

static char folder[64];
static const char *kernel; /* as the machine tells it */
static struct records_settings *settings;

void __wrap_state_kernel(char *buf)
{
	snprintf(buf, 40, "%s", kernel);
}

static int begin(void **state)
{
	char conf[512];
	struct text faults;
	log_set_level(LOG_LEVEL_ERROR);
	snprintf(folder, sizeof(folder), "/tmp/deregister-XXXXXX");
	assert_non_null(mkdtemp(folder));
	text_init(&faults, 0);
	snprintf(conf, sizeof(conf),
	         "state_dir = \"%s\"; fleet = \"web\"; control = \"\";\n"
	         "records = ({ zone = \"ZPRIVATE\"; private = true; type = \"A\"; "
	         "name = \"{instance_id}.corp.example\"; values = [ \"{private_ipv4}\" ]; });\n",
	         folder);
	assert_int_equal(
		records_settings_load_bytes("records.conf", conf, strlen(conf), &settings, &faults),
		0);
	text_fini(&faults);
	model_begin(1);
	model_zone_add("ZPRIVATE", "corp.example.", true);
	struct model_instance *instance = &model.instances[model.instance_count++];
	snprintf(instance->id, sizeof(instance->id), "i-0000000000000001a");
	snprintf(instance->private_ip, sizeof(instance->private_ip), "10.0.0.1");
	return 0;
}

static int end(void **state)
{
	char path[128];
	static const char *const files[] = {"state.json", "lock"};
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		unlink(path);
	}
	rmdir(folder);
	records_settings_free(&settings);
	model_end();
	return 0;
}

static int run(bool gone, bool metadata)
{
	static size_t number;
	struct arena arena;
	struct instance instance;
	struct register_report report;
	arena_init(&arena, 65536, 0);
	register_report_init(&report);
	assert_int_equal(instance_open(&instance, &arena, model_metadata, &number), 0);
	const struct register_opts opts = {.settings = settings,
	                                   .api = &model_api,
	                                   .instance = metadata ? &instance : NULL,
	                                   .arena = &arena,
	                                   .deadline_ms = model.now_ms + 60000,
	                                   .reason = REGISTER_TERMINATE};
	int ret = gone ? deregister_run(&opts, &report) : register_run(&opts, &report);
	register_report_fini(&report);
	arena_fini(&arena);
	return ret;
}

/* Beside the SOA. */
static size_t records(void)
{
	return model.zones[0].count - 1;
}

static void registered_under(const char *boot)
{
	kernel = boot;
	assert_int_equal(run(false, true), 0);
	assert_int_equal(records(), 1);
}

static void test_same_boot(void **state)
{
	registered_under("3f1c0a52-0000-4000-8000-000000000001");
	assert_int_equal(run(true, false), 0);
	assert_int_equal(records(), 0);
}

/* Nothing is removed, and nothing forgotten: with metadata back, the records go. */
static void left_alone(void)
{
	assert_int_equal(run(true, false), FAIL_NOTFOUND);
	assert_int_equal(records(), 1);
	assert_int_equal(run(true, true), 0);
	assert_int_equal(records(), 0);
}

static void test_another_boot(void **state)
{
	registered_under("3f1c0a52-0000-4000-8000-000000000001");
	kernel = "3f1c0a52-0000-4000-8000-000000000002";
	left_alone();
}

/* Perhaps an image of an instance that lives on. */
static void test_two_unknown_boots_are_not_the_same(void **state)
{
	registered_under("");
	left_alone();
}

static void test_unknown_boot_after_a_known_one(void **state)
{
	registered_under("3f1c0a52-0000-4000-8000-000000000001");
	kernel = "";
	left_alone();
}

static void test_known_boot_after_an_unknown_one(void **state)
{
	registered_under("");
	kernel = "3f1c0a52-0000-4000-8000-000000000001";
	left_alone();
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(test_same_boot),
		EACH(test_another_boot),
		EACH(test_two_unknown_boots_are_not_the_same),
		EACH(test_unknown_boot_after_a_known_one),
		EACH(test_known_boot_after_an_unknown_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
