#include "records/alarm.h"
#include "aws/arn.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 3, 4))) static void
value_set(struct aws_alarm *alarm, enum aws_alarm_field field, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(alarm->values[field], sizeof(alarm->values[field]), format, args);
	va_end(args);
}

static void both(const struct alarm_place *place, const char *what, struct aws_alarm *ret_alarm)
{
	memset(ret_alarm, 0, sizeof(*ret_alarm));
	snprintf(ret_alarm->name, sizeof(ret_alarm->name), "horizond-%s-%s", what, place->instance);
	value_set(ret_alarm, AWS_ALARM_DIMENSIONS, "InstanceId=%s", place->instance);
	value_set(ret_alarm, AWS_ALARM_PERIOD, "60");
	value_set(ret_alarm, AWS_ALARM_ENABLED, "true");
}

void alarm_recover(const struct alarm_place *place, struct aws_alarm *ret_alarm)
{
	both(place, "recover", ret_alarm);
	value_set(ret_alarm, AWS_ALARM_DESCRIPTION,
	          "Moves the instance to other hardware; id and addresses stay");
	value_set(ret_alarm, AWS_ALARM_NAMESPACE, "AWS/EC2");
	value_set(ret_alarm, AWS_ALARM_METRIC, "StatusCheckFailed_System");
	value_set(ret_alarm, AWS_ALARM_STATISTIC, "Maximum");
	value_set(ret_alarm, AWS_ALARM_PERIODS, "2");
	value_set(ret_alarm, AWS_ALARM_DATAPOINTS, "2");
	value_set(ret_alarm, AWS_ALARM_COMPARISON, "GreaterThanOrEqualToThreshold");
	value_set(ret_alarm, AWS_ALARM_THRESHOLD, "1");
	value_set(ret_alarm, AWS_ALARM_MISSING, "missing");
	value_set(ret_alarm, AWS_ALARM_ACTIONS, "arn:%s:automate:%s:ec2:recover%s%s",
	          aws_arn_partition(place->region), place->region,
	          place->topic[0] == '\0' ? "" : ",", place->topic);
}

void alarm_health(const struct alarm_place *place, struct aws_alarm *ret_alarm)
{
	both(place, "health", ret_alarm);
	value_set(ret_alarm, AWS_ALARM_DESCRIPTION,
	          "horizond is not ready, or has not been heard of, for three minutes of five");
	value_set(ret_alarm, AWS_ALARM_NAMESPACE, "%s", place->space);
	value_set(ret_alarm, AWS_ALARM_METRIC, ALARM_METRIC);
	value_set(ret_alarm, AWS_ALARM_STATISTIC, "Minimum");
	value_set(ret_alarm, AWS_ALARM_PERIODS, "5");
	value_set(ret_alarm, AWS_ALARM_DATAPOINTS, "3");
	value_set(ret_alarm, AWS_ALARM_COMPARISON, "LessThanThreshold");
	value_set(ret_alarm, AWS_ALARM_THRESHOLD, "1");
	value_set(ret_alarm, AWS_ALARM_MISSING, "breaching");
	value_set(ret_alarm, AWS_ALARM_ACTIONS, "%s", place->topic);
	value_set(ret_alarm, AWS_ALARM_OK_ACTIONS, "%s", place->topic);
}

bool alarm_equal(const struct aws_alarm *a, const struct aws_alarm *b)
{
	bool equal = true;
	for (unsigned int i = 0; equal && i < AWS_ALARM_FIELDS; i++) {
		equal = strcmp(a->values[i], b->values[i]) == 0;
	}
	return equal;
}

void alarm_diff(const struct aws_alarm *old, const struct aws_alarm *wanted, struct text *out)
{
	for (unsigned int i = 0; i < AWS_ALARM_FIELDS; i++) {
		const char *was = old == NULL ? "" : old->values[i];
		const char *is = wanted->values[i];
		if (strcmp(was, is) == 0) {
			continue;
		}
		if (was[0] != '\0') {
			text_addf(out, "- %s = %s\n", aws_alarm_field(i), was);
		}
		if (is[0] != '\0') {
			text_addf(out, "+ %s = %s\n", aws_alarm_field(i), is);
		}
	}
}
