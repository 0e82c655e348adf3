#include "aws/client_int.h"
#include "aws/ec2.h"
#include "base/fail.h"
#include <stdio.h>
#include <string.h>

#define NAME_LEN_MAX 256

/* The first text at one place of an answer that has lists of members. */
enum {
	TAG_RESULT = TAG_FIRST,
	TAG_LIST,
	TAG_MEMBER,
	TAG_GROUP,
	TAG_HOOK,
	TAG_TRANSITION,
};

static const struct xml_rule rules[] = {
	{TAG_ROOT, TAG_RESULT, true, "DescribeAutoScalingInstancesResult"},
	{TAG_ROOT, TAG_RESULT, true, "DescribeLifecycleHooksResult"},
	{TAG_RESULT, TAG_LIST, true, "AutoScalingInstances"},
	{TAG_RESULT, TAG_LIST, true, "LifecycleHooks"},
	{TAG_LIST, TAG_MEMBER, false, "member"},
	{TAG_MEMBER, TAG_GROUP, true, "AutoScalingGroupName"},
	{TAG_MEMBER, TAG_HOOK, true, "LifecycleHookName"},
	{TAG_MEMBER, TAG_TRANSITION, true, "LifecycleTransition"},
};

struct found {
	char group[NAME_LEN_MAX];
	char hook[NAME_LEN_MAX];
	char member_hook[NAME_LEN_MAX];
	bool ends; /* the member is a hook of termination */
};

static int on_begin(void *ctx, unsigned int tag)
{
	struct found *found = ctx;
	if (tag == TAG_MEMBER) {
		found->member_hook[0] = '\0';
		found->ends = false;
	}
	return 0;
}

static int on_end(void *ctx, unsigned int tag, char *text)
{
	struct found *found = ctx;
	if (tag == TAG_GROUP) {
		snprintf(found->group, sizeof(found->group), "%s", text);
	} else if (tag == TAG_HOOK) {
		snprintf(found->member_hook, sizeof(found->member_hook), "%s", text);
	} else if (tag == TAG_TRANSITION) {
		found->ends = strcmp(text, "autoscaling:EC2_INSTANCE_TERMINATING") == 0;
	} else if (tag == TAG_MEMBER && found->ends && found->hook[0] == '\0') {
		memcpy(found->hook, found->member_hook, sizeof(found->hook));
	}
	return 0;
}

static const struct xml_format describe_format = {
	.rules = rules,
	.rule_count = sizeof(rules) / sizeof(rules[0]),
	.begin = on_begin,
	.end = on_end,
};

static const struct xml_format complete_format = {.root = "CompleteLifecycleActionResponse",
                                                  .end = on_end};

static int describe(struct aws *aws, enum aws_operation operation, const char *name,
                    const char *value, struct found *found)
{
	const struct sigv4_pair form[] = {{name, value}};
	const struct aws_call call = {.operation = operation,
	                              .form = form,
	                              .form_count = 1,
	                              .format = &describe_format,
	                              .ctx = found};
	return aws__call(aws, &call);
}

int aws_lifecycle_complete(struct aws *aws, const char *instance_id, const char *group,
                           const char *hook)
{
	struct found found = {0};
	int ret = 0;
	snprintf(found.group, sizeof(found.group), "%s", group);
	if (group[0] == '\0') {
		ret = describe(aws, AWS_DESCRIBE_SCALING_INSTANCES, "InstanceIds.member.1",
		               instance_id, &found);
	}
	if (ret == 0 && found.group[0] == '\0') {
		aws__trouble_set(aws, "%s is in no autoscaling group", instance_id);
		return FAIL_NOTFOUND;
	}
	if (ret == 0 && hook[0] == '\0') {
		ret = describe(aws, AWS_DESCRIBE_LIFECYCLE_HOOKS, "AutoScalingGroupName",
		               found.group, &found);
	} else {
		snprintf(found.hook, sizeof(found.hook), "%s", hook);
	}
	if (ret == 0 && found.hook[0] == '\0') {
		aws__trouble_set(aws, "group %s has no hook of termination", found.group);
		return FAIL_NOTFOUND;
	}
	const struct sigv4_pair form[] = {
		{"AutoScalingGroupName", found.group},
		{"InstanceId", instance_id},
		{"LifecycleActionResult", "CONTINUE"},
		{"LifecycleHookName", found.hook},
	};
	const struct aws_call call = {.operation = AWS_COMPLETE_LIFECYCLE,
	                              .form = form,
	                              .form_count = 4,
	                              .format = &complete_format,
	                              .ctx = &found};
	return ret != 0 ? ret : aws__call(aws, &call);
}
