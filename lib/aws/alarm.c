#include "aws/alarm.h"
#include "aws/client_int.h"
#include "aws/form_int.h"
#include "base/fail.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TAG_RESULT = TAG_FIRST,
	TAG_LIST,
	TAG_MEMBER,
	TAG_NAME,
	TAG_ARN,
	TAG_DIMENSIONS,
	TAG_DIMENSION,
	TAG_DIMENSION_NAME,
	TAG_DIMENSION_VALUE,
	TAG_ACTIONS,
	TAG_ACTION,
	TAG_OK_ACTIONS,
	TAG_OK_ACTION,
	TAG_TAGS,
	TAG_TAG,
	TAG_TAG_KEY,
	TAG_TAG_VALUE,
	TAG_FIELD, /* the first of the plain fields, each at TAG_FIELD + its number */
};

static const char *const fields[AWS_ALARM_FIELDS] = {
	"AlarmDescription",   "Namespace", "MetricName",        "Dimensions",
	"Statistic",          "Period",    "EvaluationPeriods", "DatapointsToAlarm",
	"ComparisonOperator", "Threshold", "TreatMissingData",  "ActionsEnabled",
	"AlarmActions",       "OKActions",
};

const char *aws_alarm_field(enum aws_alarm_field field)
{
	return fields[field];
}

#define PLAIN(field, name)                                  \
	{                                                   \
		TAG_MEMBER, TAG_FIELD + (field), true, name \
	}

static const struct xml_rule alarm_rules[] = {
	{TAG_ROOT, TAG_RESULT, true, "DescribeAlarmsResult"},
	{TAG_RESULT, TAG_LIST, true, "MetricAlarms"},
	{TAG_LIST, TAG_MEMBER, false, "member"},
	{TAG_MEMBER, TAG_NAME, true, "AlarmName"},
	{TAG_MEMBER, TAG_ARN, true, "AlarmArn"},
	{TAG_MEMBER, TAG_DIMENSIONS, true, "Dimensions"},
	{TAG_DIMENSIONS, TAG_DIMENSION, false, "member"},
	{TAG_DIMENSION, TAG_DIMENSION_NAME, true, "Name"},
	{TAG_DIMENSION, TAG_DIMENSION_VALUE, true, "Value"},
	{TAG_MEMBER, TAG_ACTIONS, true, "AlarmActions"},
	{TAG_ACTIONS, TAG_ACTION, false, "member"},
	{TAG_MEMBER, TAG_OK_ACTIONS, true, "OKActions"},
	{TAG_OK_ACTIONS, TAG_OK_ACTION, false, "member"},
	PLAIN(AWS_ALARM_DESCRIPTION, "AlarmDescription"),
	PLAIN(AWS_ALARM_NAMESPACE, "Namespace"),
	PLAIN(AWS_ALARM_METRIC, "MetricName"),
	PLAIN(AWS_ALARM_STATISTIC, "Statistic"),
	PLAIN(AWS_ALARM_PERIOD, "Period"),
	PLAIN(AWS_ALARM_PERIODS, "EvaluationPeriods"),
	PLAIN(AWS_ALARM_DATAPOINTS, "DatapointsToAlarm"),
	PLAIN(AWS_ALARM_COMPARISON, "ComparisonOperator"),
	PLAIN(AWS_ALARM_THRESHOLD, "Threshold"),
	PLAIN(AWS_ALARM_MISSING, "TreatMissingData"),
	PLAIN(AWS_ALARM_ENABLED, "ActionsEnabled"),
};

struct reading {
	struct aws_alarm *alarm;
	bool complete; /* the list was there, if only empty */
	char dimension[256];
};

/* value, with a comma and what stands there in front. */
static int value_add(struct aws_alarm *alarm, enum aws_alarm_field field, const char *text)
{
	char *value = alarm->values[field];
	size_t len = strlen(value);
	int added =
		snprintf(value + len, AWS_ALARM_VALUE_MAX - len, "%s%s", len == 0 ? "" : ",", text);
	return added < (int)(AWS_ALARM_VALUE_MAX - len) ? 0 : FAIL_LIMIT;
}

static int on_begin(void *ctx, unsigned int tag)
{
	struct reading *reading = ctx;
	reading->complete = reading->complete || tag == TAG_LIST;
	return 0;
}

static int on_dimension(struct reading *reading, const char *text)
{
	char both[600];
	snprintf(both, sizeof(both), "%s=%s", reading->dimension, text);
	return value_add(reading->alarm, AWS_ALARM_DIMENSIONS, both);
}

static int on_end(void *ctx, unsigned int tag, char *text)
{
	struct reading *reading = ctx;
	struct aws_alarm *alarm = reading->alarm;
	char number[32];
	switch (tag) {
	case TAG_NAME:
		snprintf(alarm->name, sizeof(alarm->name), "%s", text);
		return 0;
	case TAG_ARN:
		snprintf(alarm->arn, sizeof(alarm->arn), "%s", text);
		return 0;
	case TAG_DIMENSION_NAME:
		snprintf(reading->dimension, sizeof(reading->dimension), "%s", text);
		return 0;
	case TAG_DIMENSION_VALUE:
		return on_dimension(reading, text);
	case TAG_ACTION:
		return value_add(alarm, AWS_ALARM_ACTIONS, text);
	case TAG_OK_ACTION:
		return value_add(alarm, AWS_ALARM_OK_ACTIONS, text);
	case TAG_FIELD + AWS_ALARM_THRESHOLD: /* 1 comes back as 1.0 */
		snprintf(number, sizeof(number), "%g", strtod(text, NULL));
		return value_add(alarm, AWS_ALARM_THRESHOLD, number);
	default:
		return tag < TAG_FIELD ? 0 : value_add(alarm, tag - TAG_FIELD, text);
	}
}

static const struct xml_format alarm_format = {
	.root = "DescribeAlarmsResponse",
	.rules = alarm_rules,
	.rule_count = sizeof(alarm_rules) / sizeof(alarm_rules[0]),
	.begin = on_begin,
	.end = on_end,
};

int aws_alarm_get(struct aws *aws, const char *name, struct aws_alarm *ret_alarm)
{
	const struct sigv4_pair form[] = {{"AlarmNames.member.1", name},
	                                  {"AlarmTypes.member.1", "MetricAlarm"}};
	struct reading reading = {.alarm = ret_alarm};
	const struct aws_call call = {.operation = AWS_DESCRIBE_ALARMS,
	                              .form = form,
	                              .form_count = 2,
	                              .format = &alarm_format,
	                              .ctx = &reading};
	memset(ret_alarm, 0, sizeof(*ret_alarm));
	int ret = aws__call(aws, &call);
	if (ret == 0 && !reading.complete) {
		aws__trouble_set(aws, "DescribeAlarms: an answer without a list");
		return FAIL_FORMAT;
	}
	return ret == 0 && ret_alarm->name[0] == '\0' ? FAIL_NOTFOUND : ret;
}

/* --- Writing --- */

/* A list of texts with commas between, taken apart in place. */
static void list_add(struct form *form, const char *name, char *list)
{
	char *rest = list[0] == '\0' ? NULL : list;
	char *text;
	for (size_t i = 1; (text = strsep(&rest, ",")) != NULL; i++) {
		form__add(form, text, "%s.member.%zu", name, i);
	}
}

static void dimensions_add(struct form *form, char *list)
{
	char *rest = list[0] == '\0' ? NULL : list;
	char *text;
	for (size_t i = 1; (text = strsep(&rest, ",")) != NULL; i++) {
		char *name = strsep(&text, "=");
		form__add(form, name, "Dimensions.member.%zu.Name", i);
		form__add(form, text == NULL ? "" : text, "Dimensions.member.%zu.Value", i);
	}
}

/* alarm is taken apart. */
static void alarm_form(struct form *form, struct aws_alarm *alarm)
{
	form__add(form, alarm->name, "AlarmName");
	for (unsigned int i = 0; i < AWS_ALARM_FIELDS; i++) {
		if (i == AWS_ALARM_DIMENSIONS) {
			dimensions_add(form, alarm->values[i]);
		} else if (i == AWS_ALARM_ACTIONS || i == AWS_ALARM_OK_ACTIONS) {
			list_add(form, fields[i], alarm->values[i]);
		} else if (alarm->values[i][0] != '\0') {
			form__add(form, alarm->values[i], "%s", fields[i]);
		}
	}
}

int aws_alarm_put(struct aws *aws, const struct aws_alarm *alarm, const struct aws_tags *tags)
{
	struct form *form = calloc(1, sizeof(*form));
	struct aws_alarm *copy = malloc(sizeof(*copy));
	int ret = form == NULL || copy == NULL ? FAIL_NOMEM : 0;
	if (ret == 0) {
		*copy = *alarm;
		alarm_form(form, copy);
		form__tags(form, "Tags.member", tags);
		const struct aws_call call = {
			.operation = AWS_PUT_ALARM, .form = form->pairs, .form_count = form->count};
		ret = form->full ? FAIL_LIMIT : aws__call(aws, &call);
	}
	free(copy);
	free(form);
	return ret;
}

int aws_metric_put(struct aws *aws, const char *space, const char *metric, const char *dimension,
                   const char *dimension_value, const char *value)
{
	const struct sigv4_pair form[] = {
		{"Namespace", space},
		{"MetricData.member.1.MetricName", metric},
		{"MetricData.member.1.Value", value},
		{"MetricData.member.1.Unit", "Count"},
		{"MetricData.member.1.Dimensions.member.1.Name", dimension},
		{"MetricData.member.1.Dimensions.member.1.Value", dimension_value},
	};
	const struct aws_call call = {.operation = AWS_PUT_METRIC,
	                              .form = form,
	                              .form_count = sizeof(form) / sizeof(form[0])};
	return aws__call(aws, &call);
}

/* --- Tags: CloudWatch and SNS speak alike but for a letter --- */

static const struct xml_rule tag_rules[] = {
	{TAG_ROOT, TAG_RESULT, true, "ListTagsForResourceResult"},
	{TAG_RESULT, TAG_TAGS, true, "Tags"},
	{TAG_TAGS, TAG_TAG, false, "member"},
	{TAG_TAG, TAG_TAG_KEY, true, "Key"},
	{TAG_TAG, TAG_TAG_VALUE, true, "Value"},
};

static int on_tag_begin(void *ctx, unsigned int tag)
{
	struct aws_tag_list *tags = ctx;
	if (tag == TAG_TAG && tags->count == AWS_TAGS_MAX) {
		return FAIL_LIMIT;
	}
	tags->count += tag == TAG_TAG ? 1 : 0;
	return 0;
}

static int on_tag_end(void *ctx, unsigned int tag, char *text)
{
	struct aws_tag_list *tags = ctx;
	if (tag == TAG_TAG_KEY) {
		snprintf(tags->key[tags->count - 1], sizeof(tags->key[0]), "%s", text);
	} else if (tag == TAG_TAG_VALUE) {
		snprintf(tags->value[tags->count - 1], sizeof(tags->value[0]), "%s", text);
	}
	return 0;
}

static const struct xml_format tags_format = {
	.root = "ListTagsForResourceResponse",
	.rules = tag_rules,
	.rule_count = sizeof(tag_rules) / sizeof(tag_rules[0]),
	.begin = on_tag_begin,
	.end = on_tag_end,
};

static int tags_get(struct aws *aws, enum aws_operation operation, const char *name,
                    const char *arn, struct aws_tag_list *ret_tags)
{
	const struct sigv4_pair form[] = {{name, arn}};
	const struct aws_call call = {.operation = operation,
	                              .form = form,
	                              .form_count = 1,
	                              .format = &tags_format,
	                              .ctx = ret_tags};
	ret_tags->count = 0;
	return aws__call(aws, &call);
}

static int tags_put(struct aws *aws, enum aws_operation operation, const char *name,
                    const char *arn, const struct aws_tags *tags)
{
	struct form *form = calloc(1, sizeof(*form));
	if (form == NULL) {
		return FAIL_NOMEM;
	}
	form__add(form, arn, "%s", name);
	form__tags(form, "Tags.member", tags);
	const struct aws_call call = {
		.operation = operation, .form = form->pairs, .form_count = form->count};
	int ret = form->full ? FAIL_LIMIT : aws__call(aws, &call);
	free(form);
	return ret;
}

int aws_alarm_tags(struct aws *aws, const char *arn, struct aws_tag_list *ret_tags)
{
	return tags_get(aws, AWS_LIST_ALARM_TAGS, "ResourceARN", arn, ret_tags);
}

int aws_alarm_tag(struct aws *aws, const char *arn, const struct aws_tags *tags)
{
	return tags_put(aws, AWS_TAG_ALARM, "ResourceARN", arn, tags);
}

int aws_topic_tags(struct aws *aws, const char *arn, struct aws_tag_list *ret_tags)
{
	return tags_get(aws, AWS_LIST_TOPIC_TAGS, "ResourceArn", arn, ret_tags);
}

int aws_topic_tag(struct aws *aws, const char *arn, const struct aws_tags *tags)
{
	return tags_put(aws, AWS_TAG_TOPIC, "ResourceArn", arn, tags);
}
