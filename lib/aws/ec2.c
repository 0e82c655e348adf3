#include "aws/ec2.h"
#include "aws/client_int.h"
#include "base/arena.h"
#include "base/fail.h"
#include <stdio.h>
#include <string.h>

#define INSTANCES_A_PAGE "1000"
#define PAGES_MAX        1000
#define TOKEN_MAX        4096

/* --- Instances --- */

enum {
	TAG_RESERVATIONS = TAG_FIRST,
	TAG_RESERVATION,
	TAG_INSTANCES,
	TAG_INSTANCE,
	TAG_ID,
	TAG_STATE,
	TAG_STATE_NAME,
	TAG_PRIVATE,
	TAG_PUBLIC,
	TAG_V6,
	TAG_INTERFACES,
	TAG_INTERFACE,
	TAG_PRIVATES,
	TAG_PRIVATES_ITEM,
	TAG_INTERFACE_PRIVATE,
	TAG_ASSOCIATION,
	TAG_INTERFACE_PUBLIC,
	TAG_V6S,
	TAG_V6S_ITEM,
	TAG_INTERFACE_V6,
	TAG_NEXT,
};

static const struct xml_rule rules[] = {
	{TAG_ROOT, TAG_RESERVATIONS, true, "reservationSet"},
	{TAG_ROOT, TAG_NEXT, true, "nextToken"},
	{TAG_RESERVATIONS, TAG_RESERVATION, false, "item"},
	{TAG_RESERVATION, TAG_INSTANCES, true, "instancesSet"},
	{TAG_INSTANCES, TAG_INSTANCE, false, "item"},
	{TAG_INSTANCE, TAG_ID, true, "instanceId"},
	{TAG_INSTANCE, TAG_STATE, true, "instanceState"},
	{TAG_STATE, TAG_STATE_NAME, true, "name"},
	{TAG_INSTANCE, TAG_PRIVATE, true, "privateIpAddress"},
	{TAG_INSTANCE, TAG_PUBLIC, true, "ipAddress"},
	{TAG_INSTANCE, TAG_V6, true, "ipv6Address"},
	{TAG_INSTANCE, TAG_INTERFACES, true, "networkInterfaceSet"},
	{TAG_INTERFACES, TAG_INTERFACE, false, "item"},
	{TAG_INTERFACE, TAG_PRIVATES, true, "privateIpAddressesSet"},
	{TAG_PRIVATES, TAG_PRIVATES_ITEM, false, "item"},
	{TAG_PRIVATES_ITEM, TAG_INTERFACE_PRIVATE, true, "privateIpAddress"},
	{TAG_PRIVATES_ITEM, TAG_ASSOCIATION, true, "association"},
	{TAG_ASSOCIATION, TAG_INTERFACE_PUBLIC, true, "publicIp"},
	{TAG_INTERFACE, TAG_V6S, true, "ipv6AddressesSet"},
	{TAG_V6S, TAG_V6S_ITEM, false, "item"},
	{TAG_V6S_ITEM, TAG_INTERFACE_V6, true, "ipv6Address"},
};

/* One page, and the instance being read. */
struct page {
	aws_ec2_instance_fn *fn;
	void *ctx;
	struct arena arena; /* of the instance */
	struct aws_ec2_instance instance;
	bool complete; /* the list was there, if only empty */
	char next[TOKEN_MAX];
};

static int on_begin(void *ctx, unsigned int tag)
{
	struct page *page = ctx;
	page->complete = page->complete || tag == TAG_RESERVATIONS;
	if (tag == TAG_INSTANCE) {
		arena_reset(&page->arena);
		page->instance = (struct aws_ec2_instance){0};
	}
	return 0;
}

static int keep(struct page *page, const char *text, const char **ret_text)
{
	*ret_text = arena_text(&page->arena, text);
	return *ret_text == NULL ? FAIL_NOMEM : 0;
}

static int address_add(struct page *page, const char *text)
{
	struct aws_ec2_instance *instance = &page->instance;
	for (size_t i = 0; i < instance->address_count; i++) {
		if (strcmp(instance->addresses[i], text) == 0) {
			return 0;
		}
	}
	if (text[0] == '\0' || instance->address_count == AWS_EC2_ADDRESSES_MAX) {
		return 0;
	}
	return keep(page, text, &instance->addresses[instance->address_count++]);
}

static int on_end(void *ctx, unsigned int tag, char *text)
{
	struct page *page = ctx;
	struct aws_ec2_instance *instance = &page->instance;
	switch (tag) {
	case TAG_ID:
		return keep(page, text, &instance->id);
	case TAG_STATE_NAME:
		return keep(page, text, &instance->state);
	case TAG_PUBLIC: {
		int ret = text[0] == '\0' ? 0 : keep(page, text, &instance->public_ip);
		return ret != 0 ? ret : address_add(page, text);
	}
	case TAG_PRIVATE:
	case TAG_V6:
	case TAG_INTERFACE_PRIVATE:
	case TAG_INTERFACE_PUBLIC:
	case TAG_INTERFACE_V6:
		return address_add(page, text);
	case TAG_INSTANCE:
		return instance->id == NULL || instance->state == NULL
		               ? FAIL_FORMAT
		               : page->fn(page->ctx, instance);
	case TAG_NEXT:
		return snprintf(page->next, sizeof(page->next), "%s", text) <
		                       (int)sizeof(page->next)
		               ? 0
		               : FAIL_LIMIT;
	default:
		return 0;
	}
}

static const struct xml_format instances_format = {
	.root = "DescribeInstancesResponse",
	.rules = rules,
	.rule_count = sizeof(rules) / sizeof(rules[0]),
	.begin = on_begin,
	.end = on_end,
};

static int page_get(struct aws *aws, struct page *page, const char *token)
{
	const struct sigv4_pair form[] = {
		{"IncludeManagedResources", "true"},
		{"MaxResults", INSTANCES_A_PAGE},
		{"NextToken", token},
	};
	const struct aws_call call = {
		.operation = AWS_DESCRIBE_INSTANCES,
		.form = form,
		.form_count = token[0] == '\0' ? 2 : 3,
		.format = &instances_format,
		.ctx = page,
	};
	int ret = aws__call(aws, &call);
	if (ret == 0 && !page->complete) {
		aws__trouble_set(aws, "a list of instances that is not complete");
		ret = FAIL_FORMAT;
	}
	return ret;
}

int aws_ec2_instances(struct aws *aws, aws_ec2_instance_fn *fn, void *ctx)
{
	char token[TOKEN_MAX] = "";
	struct page page;
	int ret = 0;
	for (unsigned int pages = 0; ret == 0; pages++) {
		page = (struct page){.fn = fn, .ctx = ctx};
		arena_init(&page.arena, 4096, 1 << 20);
		ret = pages == PAGES_MAX ? FAIL_LIMIT : page_get(aws, &page, token);
		arena_fini(&page.arena);
		if (ret == 0 && page.next[0] != '\0' && strcmp(page.next, token) == 0) {
			aws__trouble_set(aws, "the list of instances goes in a circle");
			ret = FAIL_CHANGED;
		}
		if (ret == 0 && page.next[0] == '\0') {
			break;
		}
		memcpy(token, page.next, sizeof(token));
	}
	return ret;
}

/* --- The caller --- */

enum {
	TAG_IDENTITY = TAG_FIRST,
	TAG_ACCOUNT,
};

static const struct xml_rule identity_rules[] = {
	{TAG_ROOT, TAG_IDENTITY, true, "GetCallerIdentityResult"},
	{TAG_IDENTITY, TAG_ACCOUNT, true, "Account"},
};

static int on_account(void *ctx, unsigned int tag, char *text)
{
	if (tag == TAG_ACCOUNT && strlen(text) == 12 && strspn(text, "0123456789") == 12) {
		memcpy(ctx, text, 13);
	}
	return 0;
}

static const struct xml_format identity_format = {
	.root = "GetCallerIdentityResponse",
	.rules = identity_rules,
	.rule_count = sizeof(identity_rules) / sizeof(identity_rules[0]),
	.end = on_account,
};

int aws_account(struct aws *aws, char *buf)
{
	char account[13] = "";
	const struct aws_call call = {
		.operation = AWS_CALLER_IDENTITY, .format = &identity_format, .ctx = account};
	int ret = aws__call(aws, &call);
	if (ret == 0 && account[0] == '\0') {
		aws__trouble_set(aws, "an identity without an account");
		ret = FAIL_FORMAT;
	}
	if (ret == 0) {
		memcpy(buf, account, sizeof(account));
	}
	return ret;
}

int aws_metadata_get(struct aws *aws, const char *path, char *buf, size_t size)
{
	int ret = imds__get(aws->imds, path, buf, size);
	if (ret != 0) {
		aws__trouble_set(aws, "%s", imds__trouble(aws->imds));
	}
	return ret;
}
