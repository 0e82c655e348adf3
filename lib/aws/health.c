#include "aws/client_int.h"
#include "base/fail.h"
#include "base/mono.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* An endpoint is healthy when more than this share of the checkers say so. */
#define HEALTHY_PERCENT 18

#define CHECK_ID_MAX 64

enum {
	TAG_OBSERVATIONS = TAG_FIRST,
	TAG_OBSERVATION,
	TAG_REPORT,
	TAG_STATUS,
};

/* --- What the checkers say --- */

static const struct xml_rule rules[] = {
	{TAG_ROOT, TAG_OBSERVATIONS, true, "HealthCheckObservations"},
	{TAG_OBSERVATIONS, TAG_OBSERVATION, false, "HealthCheckObservation"},
	{TAG_OBSERVATION, TAG_REPORT, true, "StatusReport"},
	{TAG_REPORT, TAG_STATUS, true, "Status"},
};

struct observations {
	bool has_list;
	unsigned int count;
	unsigned int good;
};

static int on_begin(void *ctx, unsigned int tag)
{
	struct observations *seen = ctx;
	seen->has_list = seen->has_list || tag == TAG_OBSERVATIONS;
	return 0;
}

/* Free text that begins with "Success:" or "Failure:". */
static int on_end(void *ctx, unsigned int tag, char *text)
{
	struct observations *seen = ctx;
	if (tag == TAG_STATUS) {
		text += strspn(text, " \t\r\n");
		seen->count++;
		seen->good += strncmp(text, "Success", 7) == 0;
	}
	return 0;
}

static const struct xml_format format = {
	.root = "GetHealthCheckStatusResponse",
	.space = "https://route53.amazonaws.com/doc/2013-04-01/",
	.rules = rules,
	.rule_count = sizeof(rules) / sizeof(rules[0]),
	.begin = on_begin,
	.end = on_end,
};

static bool check_id_good(const char *id)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-";
	size_t len = strlen(id);
	return len > 0 && len <= CHECK_ID_MAX && strspn(id, allowed) == len;
}

static int status_get(struct aws *aws, const char *check_id, bool *ret_healthy)
{
	char path[128];
	struct observations seen = {0};
	snprintf(path, sizeof(path), "/2013-04-01/healthcheck/%s/status", check_id);
	const struct aws_call call = {
		.operation = AWS_GET_HEALTH,
		.method = "GET",
		.path = path,
		.format = &format,
		.ctx = &seen,
	};
	int ret = aws__call(aws, &call);
	if (ret == 0 && !seen.has_list) {
		aws__trouble_set(aws, "an answer without observations");
		ret = FAIL_FORMAT;
	} else if (ret == 0 && seen.count == 0) {
		aws__trouble_set(aws, "nobody has checked %s yet", check_id);
		ret = FAIL_NOTFOUND;
	}
	if (ret == 0) {
		*ret_healthy = seen.good * 100 > seen.count * HEALTHY_PERCENT;
	}
	return ret;
}

/* --- The metric --- */

#define METRIC_WINDOW_S 300 /* a minute each; the last one that is there counts */

enum {
	TAG_RESULT = TAG_FIRST,
	TAG_POINTS,
	TAG_POINT,
	TAG_TIME,
	TAG_VALUE,
};

static const struct xml_rule metric_rules[] = {
	{TAG_ROOT, TAG_RESULT, true, "GetMetricStatisticsResult"},
	{TAG_RESULT, TAG_POINTS, true, "Datapoints"},
	{TAG_POINTS, TAG_POINT, false, "member"},
	{TAG_POINT, TAG_TIME, true, "Timestamp"},
	{TAG_POINT, TAG_VALUE, true, "Minimum"},
};

/* Points come in any order. */
struct points {
	char time[40]; /* of the point being read: 2026-01-02T03:04:00Z, which sorts as text */
	double value;
	char last_time[40];
	double last_value;
};

static int on_point_end(void *ctx, unsigned int tag, char *text)
{
	struct points *points = ctx;
	switch (tag) {
	case TAG_TIME:
		snprintf(points->time, sizeof(points->time), "%s", text);
		break;
	case TAG_VALUE:
		points->value = strtod(text, NULL);
		break;
	case TAG_POINT:
		if (strcmp(points->time, points->last_time) > 0) {
			memcpy(points->last_time, points->time, sizeof(points->time));
			points->last_value = points->value;
		}
		break;
	default:
		break;
	}
	return 0;
}

static const struct xml_format metric_format = {
	.root = "GetMetricStatisticsResponse",
	.rules = metric_rules,
	.rule_count = sizeof(metric_rules) / sizeof(metric_rules[0]),
	.end = on_point_end,
};

static void time_text(int64_t when_s, char *buf, size_t size)
{
	time_t when = (time_t)when_s;
	struct tm tm = {0};
	gmtime_r(&when, &tm);
	strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* Namespace AWS/Route53, HealthCheckStatus: 1 or 0, for checks of every type (facts 1.8). */
static int metric_get_status(struct aws *aws, const char *check_id, bool *ret_healthy)
{
	char from[32], to[32];
	int64_t now_s = wall_s() + aws->skew_s;
	struct points points = {0};
	time_text(now_s - METRIC_WINDOW_S, from, sizeof(from));
	time_text(now_s, to, sizeof(to));
	const struct sigv4_pair form[] = {
		{"Namespace", "AWS/Route53"},
		{"MetricName", "HealthCheckStatus"},
		{"Dimensions.member.1.Name", "HealthCheckId"},
		{"Dimensions.member.1.Value", check_id},
		{"StartTime", from},
		{"EndTime", to},
		{"Period", "60"},
		{"Statistics.member.1", "Minimum"},
	};
	const struct aws_call call = {
		.operation = AWS_GET_METRIC,
		.form = form,
		.form_count = sizeof(form) / sizeof(form[0]),
		.format = &metric_format,
		.ctx = &points,
	};
	int ret = aws__call(aws, &call);
	if (ret == 0 && points.last_time[0] == '\0') {
		aws__trouble_set(aws, "CloudWatch has no HealthCheckStatus of %s", check_id);
		ret = FAIL_NOTFOUND;
	}
	if (ret == 0) {
		*ret_healthy = points.last_value >= 1;
	}
	return ret;
}

int aws_get_health(struct aws *aws, const char *check_id, bool *ret_healthy)
{
	if (!check_id_good(check_id)) {
		aws__trouble_set(aws, "not a health check's id: %.64s", check_id);
		return -EINVAL;
	}
	int ret = status_get(aws, check_id, ret_healthy);
	/* A calculated check, or a role that may not ask Route 53. */
	if (ret == -EINVAL || ret == FAIL_DENIED) {
		ret = metric_get_status(aws, check_id, ret_healthy);
	}
	return ret;
}
