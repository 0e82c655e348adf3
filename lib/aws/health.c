#include "aws/client_int.h"
#include "base/fail.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* An endpoint is healthy when more than this share of the checkers say so. */
#define HEALTHY_PERCENT 18

#define CHECK_ID_MAX 64

enum {
	TAG_OBSERVATIONS = TAG_FIRST,
	TAG_OBSERVATION,
	TAG_REPORT,
	TAG_STATUS,
};

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

int aws_get_health(struct aws *aws, const char *check_id, bool *ret_healthy)
{
	char path[128];
	struct observations seen = {0};
	if (!check_id_good(check_id)) {
		aws__trouble_set(aws, "not a health check's id: %.64s", check_id);
		return -EINVAL;
	}
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
