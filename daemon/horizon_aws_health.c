/* daemon/horizon_aws_health.c - health: puts the daemon's readiness into CloudWatch, for the alarm on it. */
#include "horizon_aws_int.h"

#include "aws/fetch.h"
#include "base/fail.h"
#include "records/alarm.h"
#include <string.h>

int command_health(struct run *run, int argc, char **argv)
{
	const struct records_alarm *settings = &run->settings->alarm;
	struct aws_instance own = {.instance_id = ""};
	const char *instance = settings->instance;
	char text[4096];
	unsigned int http = 0;
	if (argc > 1) {
		return run_usage(argv[0]);
	}
	struct aws *aws = run_aws(run);
	if (aws == NULL) {
		return EXIT_FAILED;
	}
	if (strcmp(instance, "auto") == 0) {
		aws_instance_get(aws, &own);
		instance = own.instance_id;
	}
	if (instance[0] == '\0') {
		return run_fail(EXIT_FAILED, "which instance? instance metadata does not say");
	}
	int ret = aws_fetch(aws, settings->url, "/readyz", text, sizeof(text), &http);
	bool ready = ret == 0 && http == 200;
	text[strcspn(text, "\r\n")] = '\0';
	if (ret != 0) {
		run_fail(EXIT_FAILED, "%s", aws_trouble(aws));
	} else if (!ready) {
		run_fail(EXIT_FAILED, "%s/readyz: %u %.200s", settings->url, http, text);
	}
	ret = aws_metric_put(aws, settings->namespace, ALARM_METRIC, "InstanceId", instance,
	                     ready ? "1" : "0");
	if (ret != 0) {
		return run_fail(EXIT_FAILED, "%s %s: %s", settings->namespace, ALARM_METRIC,
		                aws_trouble(aws));
	}
	printf("%s %s of %s: %d\n", settings->namespace, ALARM_METRIC, instance, ready ? 1 : 0);
	return EXIT_DONE;
}
