#include "aws/alarm.h"
#include "aws/client_int.h"
#include "aws/form_int.h"
#include "base/fail.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES_MAX 100
#define TOKEN_MAX 2048

/* --- The topic --- */

int aws_topic_get(struct aws *aws, const char *arn)
{
	const struct sigv4_pair form[] = {{"TopicArn", arn}};
	const struct aws_call call = {.operation = AWS_GET_TOPIC, .form = form, .form_count = 1};
	return aws__call(aws, &call);
}

enum {
	TAG_RESULT = TAG_FIRST,
	TAG_ARN,
	TAG_LIST,
	TAG_MEMBER,
	TAG_PROTOCOL,
	TAG_ENDPOINT,
	TAG_SUBSCRIPTION,
	TAG_NEXT,
};

static const struct xml_rule create_rules[] = {
	{TAG_ROOT, TAG_RESULT, true, "CreateTopicResult"},
	{TAG_RESULT, TAG_ARN, true, "TopicArn"},
};

static int on_create_end(void *ctx, unsigned int tag, char *text)
{
	if (tag != TAG_ARN) {
		return 0;
	}
	return snprintf(ctx, AWS_ARN_MAX, "%s", text) < AWS_ARN_MAX ? 0 : FAIL_LIMIT;
}

static const struct xml_format create_format = {
	.root = "CreateTopicResponse",
	.rules = create_rules,
	.rule_count = sizeof(create_rules) / sizeof(create_rules[0]),
	.end = on_create_end,
};

int aws_topic_create(struct aws *aws, const char *name, const struct aws_tags *tags, char *ret_arn)
{
	char arn[AWS_ARN_MAX] = "";
	struct form *form = calloc(1, sizeof(*form));
	if (form == NULL) {
		return FAIL_NOMEM;
	}
	form__add(form, name, "Name");
	form__tags(form, "Tags.member", tags);
	const struct aws_call call = {.operation = AWS_CREATE_TOPIC,
	                              .form = form->pairs,
	                              .form_count = form->count,
	                              .format = &create_format,
	                              .ctx = arn};
	int ret = form->full ? FAIL_LIMIT : aws__call(aws, &call);
	free(form);
	if (ret == 0 && arn[0] == '\0') {
		aws__trouble_set(aws, "CreateTopic: an answer without an ARN");
		ret = FAIL_FORMAT;
	}
	if (ret == 0) {
		memcpy(ret_arn, arn, sizeof(arn));
	}
	return ret;
}

/* --- Who hears it --- */

static const struct xml_rule subscription_rules[] = {
	{TAG_ROOT, TAG_RESULT, true, "ListSubscriptionsByTopicResult"},
	{TAG_RESULT, TAG_LIST, true, "Subscriptions"},
	{TAG_RESULT, TAG_NEXT, true, "NextToken"},
	{TAG_LIST, TAG_MEMBER, false, "member"},
	{TAG_MEMBER, TAG_PROTOCOL, true, "Protocol"},
	{TAG_MEMBER, TAG_ENDPOINT, true, "Endpoint"},
	{TAG_MEMBER, TAG_SUBSCRIPTION, true, "SubscriptionArn"},
};

struct page {
	aws_subscription_fn *fn;
	void *ctx;
	bool complete;
	bool confirmed;
	char protocol[32];
	char endpoint[2049];
	char next[TOKEN_MAX];
};

static int on_begin(void *ctx, unsigned int tag)
{
	struct page *page = ctx;
	page->complete = page->complete || tag == TAG_LIST;
	return 0;
}

static int on_end(void *ctx, unsigned int tag, char *text)
{
	struct page *page = ctx;
	switch (tag) {
	case TAG_PROTOCOL:
		snprintf(page->protocol, sizeof(page->protocol), "%s", text);
		return 0;
	case TAG_ENDPOINT:
		snprintf(page->endpoint, sizeof(page->endpoint), "%s", text);
		return 0;
	case TAG_SUBSCRIPTION:
		page->confirmed = strncmp(text, "arn:", 4) == 0;
		return 0;
	case TAG_MEMBER:
		return page->fn(page->ctx, page->protocol, page->endpoint, page->confirmed);
	case TAG_NEXT:
		return snprintf(page->next, sizeof(page->next), "%s", text) < TOKEN_MAX
		               ? 0
		               : FAIL_LIMIT;
	default:
		return 0;
	}
}

static const struct xml_format subscription_format = {
	.root = "ListSubscriptionsByTopicResponse",
	.rules = subscription_rules,
	.rule_count = sizeof(subscription_rules) / sizeof(subscription_rules[0]),
	.begin = on_begin,
	.end = on_end,
};

int aws_topic_subscriptions(struct aws *aws, const char *arn, aws_subscription_fn *fn, void *ctx)
{
	char token[TOKEN_MAX] = "";
	for (unsigned int i = 0; i < PAGES_MAX; i++) {
		struct page page = {.fn = fn, .ctx = ctx};
		const struct sigv4_pair form[] = {{"TopicArn", arn}, {"NextToken", token}};
		const struct aws_call call = {.operation = AWS_LIST_SUBSCRIPTIONS,
		                              .form = form,
		                              .form_count = token[0] == '\0' ? 1 : 2,
		                              .format = &subscription_format,
		                              .ctx = &page};
		int ret = aws__call(aws, &call);
		if (ret == 0 && !page.complete) {
			aws__trouble_set(aws, "ListSubscriptionsByTopic: an answer without a list");
			return FAIL_FORMAT;
		}
		if (ret != 0 || page.next[0] == '\0') {
			return ret;
		}
		memcpy(token, page.next, sizeof(token));
	}
	return FAIL_LIMIT;
}

int aws_topic_subscribe(struct aws *aws, const char *arn, const char *protocol,
                        const char *endpoint)
{
	const struct sigv4_pair form[] = {
		{"TopicArn", arn}, {"Protocol", protocol}, {"Endpoint", endpoint}};
	const struct aws_call call = {.operation = AWS_SUBSCRIBE, .form = form, .form_count = 3};
	return aws__call(aws, &call);
}
