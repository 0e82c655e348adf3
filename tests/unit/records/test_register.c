/* Settings that change while records stand: after every change to the zone, no record without a mark and the other way round. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "model.h"
#include "records/register.h"
#include <unistd.h>

#define NAME "a.corp.example."

static char folder[64];
static bool a_stays; /* no batch that deletes an A fits */

static int held_change(void *ctx, const char *zone, const struct record_change *changes,
                       size_t count, char *ret_change)
{
	for (size_t i = 0; a_stays && i < count; i++) {
		if (!changes[i].create && strcmp(changes[i].set.type, "A") == 0) {
			return -EEXIST;
		}
	}
	return model_api_change(ctx, zone, changes, count, ret_change);
}

static size_t simple_count(const struct model_zone *zone, const char *name)
{
	size_t count = 0;
	for (size_t i = 0; i < zone->count; i++) {
		count += strcmp(zone->sets[i].name, name) == 0;
	}
	return count;
}

static void check_zone(struct model *model_, const struct model_zone *zone)
{
	assert((simple_count(zone, NAME) > 0) == (simple_count(zone, "_hz." NAME) > 0));
}

static struct records_settings *settings_make(const char *type, const char *value)
{
	char conf[512];
	struct records_settings *settings = NULL;
	struct text faults;
	text_init(&faults, 0);
	snprintf(conf, sizeof(conf),
	         "state_dir = \"%s\"; fleet = \"web\"; control = \"\";\n"
	         "records = ({ zone = \"ZPRIVATE\"; private = true; type = \"%s\"; "
	         "name = \"a.corp.example\"; values = [ \"%s\" ]; mark = \"txt\"; });\n",
	         folder, type, value);
	assert_int_equal(
		records_settings_load_bytes("records.conf", conf, strlen(conf), &settings, &faults),
		0);
	text_fini(&faults);
	return settings;
}

static bool registers(const char *type, const char *value)
{
	static size_t number;
	struct records_settings *settings = settings_make(type, value);
	struct records_api api = model_api;
	struct arena arena;
	struct instance instance;
	struct register_report report;
	api.change = held_change;
	arena_init(&arena, 65536, 0);
	register_report_init(&report);
	assert_int_equal(instance_open(&instance, &arena, model_metadata, &number), 0);
	const struct register_opts opts = {.settings = settings,
	                                   .api = &api,
	                                   .instance = &instance,
	                                   .arena = &arena,
	                                   .deadline_ms = model.now_ms + 60000};
	register_run(&opts, &report);
	bool good = !report.failed;
	register_report_fini(&report);
	arena_fini(&arena);
	records_settings_free(&settings);
	return good;
}

static void forget(void)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/state.json", folder);
	unlink(path);
}

static void world_make(uint64_t seed)
{
	forget();
	model_begin(seed);
	model_zone_add("ZPRIVATE", "corp.example.", true);
	struct model_instance *instance = &model.instances[model.instance_count++];
	snprintf(instance->id, sizeof(instance->id), "i-0000000000000001a");
	model.checked = check_zone;
}

static bool stands_alone(const char *type, const char *value)
{
	const struct record_set set = {.name = NAME, .type = type};
	const struct model_set *at = model_find(&model.zones[0], &set);
	return at != NULL && strcmp(at->values[0], value) == 0 && model.zones[0].count == 3;
}

static void test_another_type_in_one_change(void **state)
{
	world_make(1);
	assert_true(registers("A", "10.0.0.1"));
	assert_true(stands_alone("A", "10.0.0.1"));
	uint64_t changes = model.changes;
	assert_true(registers("AAAA", "2001:db8::1"));
	assert_true(stands_alone("AAAA", "2001:db8::1"));
	assert_int_equal(model.changes, changes + 1);
	model_end();
}

static void test_old_type_that_cannot_go_keeps_its_mark(void **state)
{
	world_make(1);
	assert_true(registers("A", "10.0.0.1"));
	a_stays = true;
	assert_false(registers("AAAA", "2001:db8::1"));
	assert_true(stands_alone("A", "10.0.0.1"));
	a_stays = false;
	assert_true(registers("AAAA", "2001:db8::1"));
	assert_true(stands_alone("AAAA", "2001:db8::1"));
	model_end();
}

/* Calls that are throttled, lost, or whose answer is. */
static void test_another_type_in_bad_weather(void **state)
{
	for (uint64_t seed = 1; seed <= 60; seed++) {
		world_make(seed);
		model.faults = 25;
		for (unsigned int i = 0; i < 6; i++) {
			registers("A", "10.0.0.1");
			registers("AAAA", "2001:db8::1");
		}
		model.faults = 0;
		for (unsigned int i = 0; i < 3; i++) {
			registers("A", "10.0.0.2");
		}
		assert_true(stands_alone("A", "10.0.0.2"));
		model_end();
	}
}

static int folder_make(void **state)
{
	log_set_level(LOG_LEVEL_ERROR);
	snprintf(folder, sizeof(folder), "/tmp/register-XXXXXX");
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int folder_remove(void **state)
{
	char path[128];
	forget();
	snprintf(path, sizeof(path), "%s/lock", folder);
	unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_another_type_in_one_change),
		cmocka_unit_test(test_old_type_that_cannot_go_keeps_its_mark),
		cmocka_unit_test(test_another_type_in_bad_weather),
	};
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
