#include "aws/dhcp.h"
#include "aws/client_int.h"
#include "aws/form_int.h"
#include "base/fail.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES_MAX 1000
#define TOKEN_MAX 4096

enum {
	TAG_SETS = TAG_FIRST,
	TAG_SET,
	TAG_ID,
	TAG_OPTIONS,
	TAG_OPTION,
	TAG_KEY,
	TAG_VALUES,
	TAG_VALUE_ITEM,
	TAG_VALUE,
	TAG_TAGS,
	TAG_TAG,
	TAG_TAG_KEY,
	TAG_TAG_VALUE,
	TAG_NEXT,
};

/* Of DescribeDhcpOptions (a list) and CreateDhcpOptions (the one that was made). */
static const struct xml_rule set_rules[] = {
	{TAG_ROOT, TAG_SETS, true, "dhcpOptionsSet"},
	{TAG_ROOT, TAG_SET, true, "dhcpOptions"},
	{TAG_ROOT, TAG_NEXT, true, "nextToken"},
	{TAG_SETS, TAG_SET, false, "item"},
	{TAG_SET, TAG_ID, true, "dhcpOptionsId"},
	{TAG_SET, TAG_OPTIONS, true, "dhcpConfigurationSet"},
	{TAG_OPTIONS, TAG_OPTION, false, "item"},
	{TAG_OPTION, TAG_KEY, true, "key"},
	{TAG_OPTION, TAG_VALUES, true, "valueSet"},
	{TAG_VALUES, TAG_VALUE_ITEM, false, "item"},
	{TAG_VALUE_ITEM, TAG_VALUE, true, "value"},
	{TAG_SET, TAG_TAGS, true, "tagSet"},
	{TAG_TAGS, TAG_TAG, false, "item"},
	{TAG_TAG, TAG_TAG_KEY, true, "key"},
	{TAG_TAG, TAG_TAG_VALUE, true, "value"},
};

struct page {
	aws_dhcp_fn *fn; /* NULL: only the id is wanted */
	void *ctx;
	struct aws_dhcp dhcp; /* being read */
	bool complete;        /* the list was there, if only empty */
	char next[TOKEN_MAX];
};

/* A text that does not fit is no text of ours to guess at. */
static int keep(char *buf, size_t size, const char *text)
{
	return snprintf(buf, size, "%s", text) < (int)size ? 0 : FAIL_LIMIT;
}

static int on_begin(void *ctx, unsigned int tag)
{
	struct page *page = ctx;
	struct aws_dhcp *dhcp = &page->dhcp;
	page->complete = page->complete || tag == TAG_SETS;
	if (tag == TAG_SET) {
		memset(dhcp, 0, sizeof(*dhcp));
	} else if (tag == TAG_OPTION && dhcp->option_count == AWS_DHCP_OPTIONS_MAX) {
		return FAIL_LIMIT;
	} else if (tag == TAG_OPTION) {
		dhcp->option_count++;
	} else if (tag == TAG_TAG && dhcp->tags.count == AWS_TAGS_MAX) {
		return FAIL_LIMIT;
	} else if (tag == TAG_TAG) {
		dhcp->tags.count++;
	}
	return 0;
}

static int on_value(struct aws_dhcp_option *option, const char *text)
{
	if (option->count == AWS_DHCP_VALUES_MAX) {
		return FAIL_LIMIT;
	}
	return keep(option->values[option->count++], sizeof(option->values[0]), text);
}

static int on_end(void *ctx, unsigned int tag, char *text)
{
	struct page *page = ctx;
	struct aws_dhcp *dhcp = &page->dhcp;
	struct aws_tag_list *tags = &dhcp->tags;
	/* The one being read, once one has begun. */
	size_t at = dhcp->option_count == 0 ? 0 : dhcp->option_count - 1;
	size_t tag_at = tags->count == 0 ? 0 : tags->count - 1;
	switch (tag) {
	case TAG_ID:
		return keep(dhcp->id, sizeof(dhcp->id), text);
	case TAG_KEY:
		return keep(dhcp->options[at].key, sizeof(dhcp->options[at].key), text);
	case TAG_VALUE:
		return on_value(&dhcp->options[at], text);
	case TAG_TAG_KEY:
		return keep(tags->key[tag_at], sizeof(tags->key[0]), text);
	case TAG_TAG_VALUE:
		return keep(tags->value[tag_at], sizeof(tags->value[0]), text);
	case TAG_NEXT:
		return keep(page->next, sizeof(page->next), text);
	case TAG_SET:
		if (dhcp->id[0] == '\0') {
			return FAIL_FORMAT;
		}
		return page->fn == NULL ? 0 : page->fn(page->ctx, dhcp);
	default:
		return 0;
	}
}

static const struct xml_format list_format = {
	.root = "DescribeDhcpOptionsResponse",
	.rules = set_rules,
	.rule_count = sizeof(set_rules) / sizeof(set_rules[0]),
	.begin = on_begin,
	.end = on_end,
};

static const struct xml_format create_format = {
	.root = "CreateDhcpOptionsResponse",
	.rules = set_rules,
	.rule_count = sizeof(set_rules) / sizeof(set_rules[0]),
	.begin = on_begin,
	.end = on_end,
};

static int page_get(struct aws *aws, const char *id, const char *token, struct page *page)
{
	struct sigv4_pair form[1] = {{"DhcpOptionsId.1", id}};
	if (id == NULL) {
		form[0] = (struct sigv4_pair){"NextToken", token};
	}
	const struct aws_call call = {.operation = AWS_DESCRIBE_DHCP_OPTIONS,
	                              .form = form,
	                              .form_count = form[0].value[0] == '\0' ? 0 : 1,
	                              .format = &list_format,
	                              .ctx = page};
	int ret = aws__call(aws, &call);
	if (ret == 0 && !page->complete) {
		aws__trouble_set(aws, "DescribeDhcpOptions: an answer without a list");
		return FAIL_FORMAT;
	}
	return ret;
}

int aws_dhcp_list(struct aws *aws, const char *id, aws_dhcp_fn *fn, void *ctx)
{
	char token[TOKEN_MAX] = "";
	struct page *page = calloc(1, sizeof(*page));
	int ret = page == NULL ? FAIL_NOMEM : 0;
	for (unsigned int i = 0; ret == 0; i++) {
		*page = (struct page){.fn = fn, .ctx = ctx};
		ret = i == PAGES_MAX ? FAIL_LIMIT : page_get(aws, id, token, page);
		if (ret != 0 || page->next[0] == '\0') {
			break;
		}
		memcpy(token, page->next, sizeof(token));
	}
	free(page);
	return ret;
}

int aws_dhcp_create(struct aws *aws, const struct aws_dhcp *dhcp, const struct aws_tags *tags,
                    char *ret_id)
{
	struct form *form = calloc(1, sizeof(*form));
	struct page *page = calloc(1, sizeof(*page));
	int ret = form == NULL || page == NULL ? FAIL_NOMEM : 0;
	if (ret != 0) {
		goto out;
	}
	for (size_t i = 0; i < dhcp->option_count; i++) {
		const struct aws_dhcp_option *option = &dhcp->options[i];
		form__add(form, option->key, "DhcpConfiguration.%zu.Key", i + 1);
		for (size_t j = 0; j < option->count; j++) {
			form__add(form, option->values[j], "DhcpConfiguration.%zu.Value.%zu", i + 1,
			          j + 1);
		}
	}
	if (tags->count > 0) {
		form__add(form, "dhcp-options", "TagSpecification.1.ResourceType");
		form__tags(form, "TagSpecification.1.Tag", tags);
	}
	const struct aws_call call = {.operation = AWS_CREATE_DHCP_OPTIONS,
	                              .form = form->pairs,
	                              .form_count = form->count,
	                              .format = &create_format,
	                              .ctx = page};
	ret = form->full ? FAIL_LIMIT : aws__call(aws, &call);
	if (ret == 0 && page->dhcp.id[0] == '\0') {
		aws__trouble_set(aws, "CreateDhcpOptions: an answer without an id");
		ret = FAIL_FORMAT;
	}
	if (ret == 0) {
		memcpy(ret_id, page->dhcp.id, AWS_DHCP_ID_MAX);
	}
out:
	free(page);
	free(form);
	return ret;
}

int aws_dhcp_associate(struct aws *aws, const char *vpc_id, const char *id)
{
	const struct sigv4_pair form[] = {{"VpcId", vpc_id}, {"DhcpOptionsId", id}};
	const struct aws_call call = {
		.operation = AWS_ASSOCIATE_DHCP_OPTIONS, .form = form, .form_count = 2};
	return aws__call(aws, &call);
}

int aws_ec2_tag(struct aws *aws, const char *id, const struct aws_tags *tags)
{
	struct form *form = calloc(1, sizeof(*form));
	if (form == NULL) {
		return FAIL_NOMEM;
	}
	form__add(form, id, "ResourceId.1");
	form__tags(form, "Tag", tags);
	const struct aws_call call = {
		.operation = AWS_CREATE_TAGS, .form = form->pairs, .form_count = form->count};
	int ret = form->full ? FAIL_LIMIT : aws__call(aws, &call);
	free(form);
	return ret;
}

/* --- The VPC --- */

static const struct xml_rule vpc_rules[] = {
	{TAG_ROOT, TAG_SETS, true, "vpcSet"},
	{TAG_SETS, TAG_SET, false, "item"},
	{TAG_SET, TAG_ID, true, "dhcpOptionsId"},
};

static int on_vpc_end(void *ctx, unsigned int tag, char *text)
{
	return tag == TAG_ID ? keep(ctx, AWS_DHCP_ID_MAX, text) : 0;
}

static const struct xml_format vpc_format = {
	.root = "DescribeVpcsResponse",
	.rules = vpc_rules,
	.rule_count = sizeof(vpc_rules) / sizeof(vpc_rules[0]),
	.end = on_vpc_end,
};

int aws_dhcp_of_vpc(struct aws *aws, const char *vpc_id, char *ret_id)
{
	const struct sigv4_pair form[] = {{"VpcId.1", vpc_id}};
	char id[AWS_DHCP_ID_MAX] = "";
	const struct aws_call call = {.operation = AWS_DESCRIBE_VPCS,
	                              .form = form,
	                              .form_count = 1,
	                              .format = &vpc_format,
	                              .ctx = id};
	int ret = aws__call(aws, &call);
	if (ret == 0 && id[0] == '\0') {
		aws__trouble_set(aws, "DescribeVpcs: %s is not in the answer", vpc_id);
		ret = FAIL_NOTFOUND;
	}
	if (ret == 0) {
		memcpy(ret_id, id, sizeof(id));
	}
	return ret;
}
