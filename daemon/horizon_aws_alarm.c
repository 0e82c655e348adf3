/* daemon/horizon_aws_alarm.c - recovery-alarm: recovers the instance, and tells somebody when the daemon is not well. */
#include "horizon_aws_int.h"

#include "aws/arn.h"
#include "aws/ec2.h"
#include "base/fail.h"
#include "base/text.h"
#include "records/alarm.h"
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* One run of the command. */
struct alarm_run {
	struct run *run;
	struct aws *aws;
	struct aws_tags tags;
	bool apply;
	bool pending; /* something differs */
	bool grouped; /* in an autoscaling group: replaced, not recovered */
	char region[32];
	char instance[32];
	char topic[AWS_ARN_MAX];
};

static int failed(const struct alarm_run *run, const char *what, int ret)
{
	const char *trouble = aws_trouble(run->aws);
	return run_fail(EXIT_FAILED, "%s: %s", what, trouble[0] == '\0' ? fail_text(ret) : trouble);
}

/* --- Where we are --- */

static int place_find(struct alarm_run *run)
{
	const char *instance = run->run->settings->alarm.instance;
	struct aws_instance own = {.instance_id = ""};
	int ret = aws_region(run->aws, run->region);
	if (ret != 0) {
		return run_fail(EXIT_FAILED, "which Region? AWS_REGION would say");
	}
	if (strcmp(instance, "auto") == 0) {
		ret = aws_instance_get(run->aws, &own);
		instance = own.instance_id;
	}
	if (ret != 0 || instance[0] == '\0') {
		return run_fail(
			EXIT_FAILED,
			"which instance? instance metadata does not say; alarm = { instance = "
			"\"i-...\"; } in %s would",
			run->run->settings_path);
	}
	char state[64];
	run->grouped = own.instance_id[0] != '\0' &&
	               aws_metadata_get(run->aws, "meta-data/autoscaling/target-lifecycle-state",
	                                state, sizeof(state)) == 0;
	snprintf(run->instance, sizeof(run->instance), "%s", instance);
	return EXIT_DONE;
}

/* --- Tags --- */

static bool tags_differ(struct alarm_run *run, const char *what, const struct aws_tag_list *have)
{
	bool differ = false;
	for (size_t i = 0; i < run->tags.count; i++) {
		const char *value = aws_tags_find(have, run->tags.items[i].key);
		if (value == NULL || strcmp(value, run->tags.items[i].value) != 0) {
			printf("%s%s%s+ tag %s = %s\n", differ ? "" : what, differ ? "" : ":\n", "",
			       run->tags.items[i].key, run->tags.items[i].value);
			differ = true;
		}
	}
	run->pending = run->pending || differ;
	return differ;
}

/* --- The topic --- */

static int topic_make(struct alarm_run *run)
{
	const char *name = run->run->settings->alarm.topic;
	printf("%s: a new topic\n", run->topic);
	run->pending = true;
	int ret = run->apply ? aws_topic_create(run->aws, name, &run->tags, run->topic) : 0;
	return ret == 0 ? EXIT_DONE : failed(run, run->topic, ret);
}

static int topic_tag(struct alarm_run *run)
{
	struct aws_tag_list have;
	int ret = aws_topic_tags(run->aws, run->topic, &have);
	if (ret == 0 && tags_differ(run, run->topic, &have) && run->apply) {
		ret = aws_topic_tag(run->aws, run->topic, &run->tags);
	}
	return ret == 0 ? EXIT_DONE : failed(run, run->topic, ret);
}

struct subscribers {
	const struct settings_texts *email;
	bool there[100];
	bool confirmed[100];
};

static int on_subscription(void *ctx, const char *protocol, const char *endpoint, bool confirmed)
{
	struct subscribers *seen = ctx;
	for (size_t i = 0; strcmp(protocol, "email") == 0 && i < seen->email->count; i++) {
		if (strcasecmp(seen->email->items[i], endpoint) == 0) {
			seen->there[i] = true;
			seen->confirmed[i] = confirmed;
		}
	}
	return 0;
}

/* Addresses that are not subscribed yet; those of others are left alone. */
static int topic_subscribe(struct alarm_run *run, bool made)
{
	struct subscribers seen = {.email = &run->run->settings->alarm.email};
	int ret = seen.email->count == 0 || (made && !run->apply)
	                  ? 0
	                  : aws_topic_subscriptions(run->aws, run->topic, on_subscription, &seen);
	for (size_t i = 0; ret == 0 && i < seen.email->count; i++) {
		const char *email = seen.email->items[i];
		if (seen.there[i]) {
			printf("%s%s", seen.confirmed[i] ? "" : email,
			       seen.confirmed[i] ? ""
			                         : ": has not confirmed its subscription yet\n");
			continue;
		}
		printf("%s:\n+ subscription %s (it gets a mail that it must confirm)\n", run->topic,
		       email);
		run->pending = true;
		if (run->apply) {
			ret = aws_topic_subscribe(run->aws, run->topic, "email", email);
		}
	}
	return ret == 0 ? EXIT_DONE : failed(run, run->topic, ret);
}

static int topic_do(struct alarm_run *run)
{
	const char *name = run->run->settings->alarm.topic;
	char account[13];
	if (name[0] == '\0') {
		return EXIT_DONE;
	}
	int ret = aws_account(run->aws, account);
	if (ret != 0) {
		return failed(run, "which account?", ret);
	}
	snprintf(run->topic, sizeof(run->topic), "arn:%s:sns:%s:%s:%s",
	         aws_arn_partition(run->region), run->region, account, name);
	ret = aws_topic_get(run->aws, run->topic);
	if (ret != 0 && ret != FAIL_NOTFOUND) {
		return failed(run, run->topic, ret);
	}
	bool made = ret == FAIL_NOTFOUND;
	int status = made ? topic_make(run) : topic_tag(run);
	return status == EXIT_DONE ? topic_subscribe(run, made) : status;
}

/* --- The alarms --- */

static int alarm_tags(struct alarm_run *run, const struct aws_alarm *old)
{
	struct aws_tag_list have;
	int ret = aws_alarm_tags(run->aws, old->arn, &have);
	if (ret == 0 && tags_differ(run, old->name, &have) && run->apply) {
		ret = aws_alarm_tag(run->aws, old->arn, &run->tags);
	}
	return ret == 0 ? EXIT_DONE : failed(run, old->name, ret);
}

static int alarm_do(struct alarm_run *run, const struct aws_alarm *wanted)
{
	struct aws_alarm old;
	struct text text;
	int ret = aws_alarm_get(run->aws, wanted->name, &old);
	if (ret != 0 && ret != FAIL_NOTFOUND) {
		return failed(run, wanted->name, ret);
	}
	bool there = ret == 0;
	ret = 0;
	if (!there || !alarm_equal(&old, wanted)) {
		text_init(&text, 0);
		alarm_diff(there ? &old : NULL, wanted, &text);
		printf("%s: %s\n%s", wanted->name, there ? "differs" : "a new alarm",
		       text_get(&text));
		text_fini(&text);
		run->pending = true;
		ret = run->apply ? aws_alarm_put(run->aws, wanted, &run->tags) : 0;
	}
	if (ret != 0) {
		return failed(run, wanted->name, ret);
	}
	return there ? alarm_tags(run, &old) : EXIT_DONE;
}

static int alarms_do(struct alarm_run *run)
{
	const struct alarm_place place = {.region = run->region,
	                                  .instance = run->instance,
	                                  .topic = run->topic,
	                                  .space = run->run->settings->alarm.namespace};
	struct aws_alarm alarm;
	int status = EXIT_DONE;
	if (run->grouped) {
		printf("%s is in an autoscaling group, which replaces it: no alarm recovers it\n",
		       run->instance);
	} else {
		alarm_recover(&place, &alarm);
		status = alarm_do(run, &alarm);
	}
	if (status == EXIT_DONE) {
		alarm_health(&place, &alarm);
		status = alarm_do(run, &alarm);
	}
	return status;
}

int command_recovery_alarm(struct run *run, int argc, char **argv)
{
	static const struct option longs[] = {{"apply", no_argument, NULL, 'a'},
	                                      {NULL, 0, NULL, 0}};
	struct alarm_run alarm = {.run = run, .tags = run_tags(run)};
	int c;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c != 'a') {
			return run_usage(argv[0]);
		}
		alarm.apply = true;
	}
	if (optind != argc) {
		return run_usage(argv[0]);
	}
	alarm.aws = run_aws(run);
	int status = alarm.aws == NULL ? EXIT_FAILED : place_find(&alarm);
	if (status == EXIT_DONE) {
		status = topic_do(&alarm);
	}
	if (status == EXIT_DONE) {
		status = alarms_do(&alarm);
	}
	if (status != EXIT_DONE) {
		return status;
	}
	if (!alarm.pending) {
		printf("%s: nothing to do\n", alarm.instance);
	} else if (!alarm.apply) {
		printf("nothing was changed: --apply does it\n");
		return EXIT_PENDING;
	}
	return EXIT_DONE;
}
