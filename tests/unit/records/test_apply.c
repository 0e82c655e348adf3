#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model.h"
#include "records/apply.h"

#define GROUPS 40
#define VALUES 100

static struct apply_group groups[GROUPS];
static struct apply_group *list[GROUPS];
static struct record_change changes[GROUPS];
static char names[GROUPS][64];
static char texts[VALUES][300];
static const char *values[VALUES];
static unsigned int calls;
static size_t largest;

static int count_call(void *ctx, const char *zone, const struct record_change *batch, size_t count,
                      char *ret_change)
{
	size_t total = 0;
	size_t chars = 0;
	for (size_t i = 0; i < count; i++) {
		total += batch[i].set.value_count;
		for (size_t j = 0; j < batch[i].set.value_count; j++) {
			chars += strlen(batch[i].set.values[j]);
		}
	}
	calls++;
	largest = total > largest ? total : largest;
	assert_true(total <= 1000);
	assert_true(chars <= 32000);
	return model_api_change(ctx, zone, batch, count, ret_change);
}

static enum apply_end refuse(void *ctx, struct apply_group *group)
{
	return APPLY_REFUSED;
}

static struct records_api api;

/* Groups of a TXT set each, so many values of so many characters. */
static void make(size_t count, size_t value_count, size_t chars)
{
	for (size_t i = 0; i < value_count; i++) {
		memset(texts[i], 'x', chars);
		snprintf(texts[i], sizeof(texts[i]), "\"%03zu", i);
		texts[i][4] = 'x';
		texts[i][chars - 1] = '"';
		texts[i][chars] = '\0';
		values[i] = texts[i];
	}
	for (size_t i = 0; i < count; i++) {
		snprintf(names[i], sizeof(names[i]), "n%zu.corp.example.", i);
		changes[i] = (struct record_change){.create = true,
		                                    .set = {.name = names[i],
		                                            .type = "TXT",
		                                            .ttl_s = 60,
		                                            .values = values,
		                                            .value_count = value_count}};
		groups[i] = (struct apply_group){.zone = "Z1", .changes = &changes[i], .count = 1};
		list[i] = &groups[i];
	}
}

static void apply(size_t count)
{
	struct apply todo = {.api = &api, .deadline_ms = model.now_ms + 60000, .refused = refuse};
	calls = 0;
	largest = 0;
	apply_zone(&todo, list, count);
}

static int begin(void **state)
{
	model_begin(1);
	model_zone_add("Z1", "corp.example.", true);
	api = model_api;
	api.change = count_call;
	return 0;
}

static int end(void **state)
{
	model_end();
	return 0;
}

static void test_one_call(void **state)
{
	make(9, 100, 20);
	apply(9);
	assert_int_equal(calls, 1);
	assert_int_equal(model.zones[0].count, 10);
}

static void test_limit_of_values(void **state)
{
	make(25, 100, 12);
	apply(25);
	assert_int_equal(calls, 3);
	assert_true(largest <= 1000 && largest >= 900);
	assert_int_equal(model.zones[0].count, 26);
}

static void test_limit_of_characters(void **state)
{
	make(20, 10, 255);
	apply(20);
	assert_int_equal(calls, 2);
	assert_int_equal(model.zones[0].count, 21);
}

static void test_one_that_is_too_large(void **state)
{
	make(3, 2, 20);
	struct record_set *large = &changes[1].set;
	static const char *many[1001];
	for (size_t i = 0; i < 1001; i++) {
		many[i] = values[i % 2];
	}
	large->values = many;
	large->value_count = 1001;
	apply(3);
	assert_int_equal(groups[1].end, APPLY_FAILED);
	assert_int_equal(groups[1].fail, FAIL_LIMIT);
	assert_int_equal(groups[0].end, APPLY_DONE);
	assert_int_equal(groups[2].end, APPLY_DONE);
}

static void test_one_bad_among_many(void **state)
{
	make(32, 1, 20);
	model_put(&model.zones[0], &changes[17].set, true);
	apply(32);
	for (size_t i = 0; i < 32; i++) {
		assert_int_equal(groups[i].end, i == 17 ? APPLY_REFUSED : APPLY_DONE);
	}
	assert_true(calls <= 11); /* halves: two a step, not one a record */
}

static void test_deadline(void **state)
{
	model.faults = 100;
	make(3, 1, 20);
	apply(3);
	assert_int_equal(groups[0].end, APPLY_FAILED);
	assert_true(model.now_ms <= 60100);
	assert_true(calls < 60);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_one_call),
		CASE(test_limit_of_values),
		CASE(test_limit_of_characters),
		CASE(test_one_that_is_too_large),
		CASE(test_one_bad_among_many),
		CASE(test_deadline),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
