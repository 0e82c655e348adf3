/*
 * aws/alarm.h - CloudWatch alarms and metrics, and the SNS topics that hear of them. Blocking, as aws/route53.h.
 *
 * AWS: API Reference CloudWatch DescribeAlarms, PutMetricAlarm, PutMetricData, TagResource; SNS CreateTopic, Subscribe;
 * facts/route53.md sections 9.4, 9.5. Errors as aws/route53.h.
 */
#pragma once

#include "aws/tag.h"
#include <stdint.h>

struct aws;

/* What an alarm is made of, in the order in which differences are shown. */
enum aws_alarm_field {
	AWS_ALARM_DESCRIPTION,
	AWS_ALARM_NAMESPACE,
	AWS_ALARM_METRIC,
	AWS_ALARM_DIMENSIONS, /* "InstanceId=i-...", comma between */
	AWS_ALARM_STATISTIC,
	AWS_ALARM_PERIOD,     /* seconds */
	AWS_ALARM_PERIODS,    /* that are looked at */
	AWS_ALARM_DATAPOINTS, /* of them that must be bad */
	AWS_ALARM_COMPARISON,
	AWS_ALARM_THRESHOLD,
	AWS_ALARM_MISSING,
	AWS_ALARM_ENABLED, /* "true", "false" */
	AWS_ALARM_ACTIONS, /* ARNs, comma between */
	AWS_ALARM_OK_ACTIONS,
	AWS_ALARM_FIELDS,
};

#define AWS_ALARM_NAME_MAX  256
#define AWS_ALARM_VALUE_MAX 2048
#define AWS_ARN_MAX         512

struct aws_alarm {
	char name[AWS_ALARM_NAME_MAX];
	char arn[AWS_ARN_MAX];                              /* of one that is there */
	char values[AWS_ALARM_FIELDS][AWS_ALARM_VALUE_MAX]; /* "": not set */
};

/* As the API has it: "EvaluationPeriods". */
const char *aws_alarm_field(enum aws_alarm_field field);

/* FAIL_NOTFOUND: no alarm of that name. */
int aws_alarm_get(struct aws *aws, const char *name, struct aws_alarm *ret_alarm);
/* Makes it, or puts it in the place of the one that is there; tags count only when it is made. */
int aws_alarm_put(struct aws *aws, const struct aws_alarm *alarm, const struct aws_tags *tags);
int aws_alarm_tags(struct aws *aws, const char *arn, struct aws_tag_list *ret_tags);
int aws_alarm_tag(struct aws *aws, const char *arn, const struct aws_tags *tags);

/* One value of now, with one dimension. */
int aws_metric_put(struct aws *aws, const char *space, const char *metric, const char *dimension,
                   const char *dimension_value, const char *value);

/* FAIL_NOTFOUND: there is no such topic. */
int aws_topic_get(struct aws *aws, const char *arn);
/* ret_arn: AWS_ARN_MAX. */
int aws_topic_create(struct aws *aws, const char *name, const struct aws_tags *tags, char *ret_arn);
int aws_topic_tags(struct aws *aws, const char *arn, struct aws_tag_list *ret_tags);
int aws_topic_tag(struct aws *aws, const char *arn, const struct aws_tags *tags);
/* A subscription; confirmed: the address has said yes. */
typedef int aws_subscription_fn(void *ctx, const char *protocol, const char *endpoint,
                                bool confirmed);
int aws_topic_subscriptions(struct aws *aws, const char *arn, aws_subscription_fn *fn, void *ctx);
int aws_topic_subscribe(struct aws *aws, const char *arn, const char *protocol,
                        const char *endpoint);
