#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "records/alarm.h"
#include <string.h>

#define TOPIC "arn:aws-cn:sns:cn-north-1:111122223333:t"

static const struct alarm_place place = {
	.region = "cn-north-1", .instance = "i-1", .topic = TOPIC, .space = "dns"};
static struct aws_alarm a, b;

static void test_recover(void **state)
{
	alarm_recover(&place, &a);
	assert_string_equal(a.name, "horizond-recover-i-1");
	assert_string_equal(a.values[AWS_ALARM_ACTIONS],
	                    "arn:aws-cn:automate:cn-north-1:ec2:recover," TOPIC);
	assert_string_equal(a.values[AWS_ALARM_METRIC], "StatusCheckFailed_System");
	struct alarm_place silent = place;
	silent.topic = "";
	alarm_recover(&silent, &a);
	assert_string_equal(a.values[AWS_ALARM_ACTIONS],
	                    "arn:aws-cn:automate:cn-north-1:ec2:recover");
}

static void test_no_figure_is_a_bad_one(void **state)
{
	alarm_health(&place, &a);
	assert_string_equal(a.values[AWS_ALARM_MISSING], "breaching");
	assert_string_equal(a.values[AWS_ALARM_NAMESPACE], "dns");
	assert_string_equal(a.values[AWS_ALARM_METRIC], ALARM_METRIC);
	assert_string_equal(a.values[AWS_ALARM_OK_ACTIONS], TOPIC);
}

static void test_difference(void **state)
{
	struct text text;
	alarm_health(&place, &a);
	alarm_health(&place, &b);
	assert_true(alarm_equal(&a, &b));
	strcpy(b.values[AWS_ALARM_PERIOD], "300");
	b.values[AWS_ALARM_MISSING][0] = '\0';
	assert_false(alarm_equal(&a, &b));
	text_init(&text, 0);
	alarm_diff(&b, &a, &text);
	assert_string_equal(text_get(&text), "- Period = 300\n+ Period = 60\n"
	                                     "+ TreatMissingData = breaching\n");
	text_fini(&text);
	text_init(&text, 0);
	alarm_diff(NULL, &a, &text);
	assert_null(strstr(text_get(&text), "- "));
	text_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recover),
		cmocka_unit_test(test_no_figure_is_a_bad_one),
		cmocka_unit_test(test_difference),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
