#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/form_int.h"
#include <string.h>

static struct form form;

static void test_names_are_counted(void **state)
{
	const struct aws_tag items[] = {{"Project", "shop"}, {"Owner", ""}};
	const struct aws_tags tags = {items, 2};
	form__init(&form);
	form__add(&form, "x", "A.%u.B", 7u);
	form__tags(&form, "Tags.member", &tags);
	assert_int_equal(form.count, 5);
	assert_string_equal(form.pairs[0].name, "A.7.B");
	assert_string_equal(form.pairs[1].name, "Tags.member.1.Key");
	assert_string_equal(form.pairs[4].name, "Tags.member.2.Value");
	assert_string_equal(form.pairs[4].value, "");
	assert_false(form.full);
}

static void test_what_does_not_fit_is_told(void **state)
{
	char name[FORM_NAME_MAX + 1];
	form__init(&form);
	for (unsigned int i = 0; i < FORM_PAIRS_MAX; i++) {
		form__add(&form, "", "N.%u", i);
	}
	assert_false(form.full);
	form__add(&form, "", "N");
	assert_true(form.full);
	assert_int_equal(form.count, FORM_PAIRS_MAX);
	form__init(&form);
	memset(name, 'n', FORM_NAME_MAX);
	name[FORM_NAME_MAX] = '\0';
	form__add(&form, "", "%s", name);
	assert_true(form.full);
}

static void test_tags_that_are_there(void **state)
{
	static struct aws_tag_list have = {.key = {"a", "b"}, .value = {"1", "2"}, .count = 2};
	const struct aws_tag one[] = {{"b", "2"}};
	const struct aws_tag other[] = {{"a", "2"}};
	const struct aws_tag none[] = {{"c", "3"}};
	assert_true(aws_tags_hold(&have, &(struct aws_tags){NULL, 0}));
	assert_true(aws_tags_hold(&have, &(struct aws_tags){one, 1}));
	assert_false(aws_tags_hold(&have, &(struct aws_tags){other, 1}));
	assert_false(aws_tags_hold(&have, &(struct aws_tags){none, 1}));
	assert_string_equal(aws_tags_find(&have, "a"), "1");
	assert_null(aws_tags_find(&have, "A"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_counted),
		cmocka_unit_test(test_what_does_not_fit_is_told),
		cmocka_unit_test(test_tags_that_are_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
