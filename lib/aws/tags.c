/* aws/tags.c - the private zones of the account, and what they are tagged with. */
#include "aws/route53_int.h"
#include "base/fail.h"
#include "base/hash.h"
#include "base/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int text_keep(char *buf, size_t size, const char *text)
{
	return snprintf(buf, size, "%s", text) < (int)size ? 0 : FAIL_FORMAT;
}

/* --- ListHostedZones --- */

enum {
	TAG_ZONES = TAG_FIRST,
	TAG_ZONE,
	TAG_ID,
	TAG_NAME,
	TAG_CONFIG,
	TAG_PRIVATE,
	TAG_TRUNCATED,
	TAG_MARKER,
};

static const struct xml_rule zones_rules[] = {
	{TAG_ROOT, TAG_ZONES, true, "HostedZones"},
	{TAG_ROOT, TAG_TRUNCATED, true, "IsTruncated"},
	{TAG_ROOT, TAG_MARKER, true, "NextMarker"},
	{TAG_ZONES, TAG_ZONE, false, "HostedZone"},
	{TAG_ZONE, TAG_ID, true, "Id"},
	{TAG_ZONE, TAG_NAME, true, "Name"},
	{TAG_ZONE, TAG_CONFIG, true, "Config"},
	{TAG_CONFIG, TAG_PRIVATE, true, "PrivateZone"},
};

struct zones_page {
	aws_hosted_zone_fn *fn;
	void *ctx;
	char id[64];
	char name[1025];
	bool private_zone;
	bool has_list;
	bool has_truncated;
	bool truncated;
	char next[64];
};

static int zones_begin(void *ctx, unsigned int tag)
{
	struct zones_page *page = ctx;
	page->has_list = page->has_list || tag == TAG_ZONES;
	if (tag == TAG_ZONE) {
		page->id[0] = '\0';
		page->name[0] = '\0';
		page->private_zone = false;
	}
	return 0;
}

/* Some do not know hostedzonetype, and list all: a public zone must never be served as a private one. */
static int zone_told(struct zones_page *page)
{
	if (!page->private_zone) {
		return 0;
	}
	const struct aws_hosted_zone zone = {
		.id = route53__bare_id(page->id), .name = page->name, .private_zone = true};
	return zone.id == NULL || zone.name[0] == '\0' ? FAIL_FORMAT : page->fn(page->ctx, &zone);
}

static int zones_end(void *ctx, unsigned int tag, char *text)
{
	struct zones_page *page = ctx;
	switch (tag) {
	case TAG_ID:
		return text_keep(page->id, sizeof(page->id), text);
	case TAG_NAME:
		return text_keep(page->name, sizeof(page->name), text);
	case TAG_PRIVATE:
		page->private_zone = strcmp(text, "true") == 0;
		return 0;
	case TAG_ZONE:
		return zone_told(page);
	case TAG_TRUNCATED:
		page->has_truncated = true;
		page->truncated = strcmp(text, "true") == 0;
		return 0;
	case TAG_MARKER:
		return text_keep(page->next, sizeof(page->next), text);
	default:
		return 0;
	}
}

static const struct xml_format zones_format = {
	.root = "ListHostedZonesResponse",
	.space = API_SPACE,
	.rules = zones_rules,
	.rule_count = sizeof(zones_rules) / sizeof(zones_rules[0]),
	.begin = zones_begin,
	.end = zones_end,
};

static int zones_page_get(struct aws *aws, const char *marker, struct zones_page *page)
{
	const struct sigv4_pair query[] = {
		{"hostedzonetype", "PrivateHostedZone"},
		{"maxitems", ZONES_A_PAGE},
		{"marker", marker},
	};
	const struct aws_call call = {
		.operation = AWS_LIST_ZONES,
		.path = API_PATH "/hostedzone",
		.query = query,
		.query_count = marker[0] == '\0' ? 2 : 3,
		.format = &zones_format,
		.ctx = page,
	};
	int ret = aws__call(aws, &call);
	bool whole =
		page->has_list && page->has_truncated && page->truncated == (page->next[0] != '\0');
	if (ret == 0 && !whole) {
		aws__trouble_set(aws, "a page that is not complete");
		ret = FAIL_FORMAT;
	}
	return ret;
}

int aws_list_private_zones(struct aws *aws, aws_hosted_zone_fn *fn, void *ctx)
{
	struct route53_markers markers = {0};
	char marker[64] = "";
	int ret;
	do {
		struct zones_page page = {.fn = fn, .ctx = ctx};
		ret = zones_page_get(aws, marker, &page);
		memcpy(marker, page.next, sizeof(marker));
		if (ret == 0 && marker[0] != '\0') {
			ret = route53__advance(aws, &markers, hash_step(0, marker, strlen(marker)));
		}
	} while (ret == 0 && marker[0] != '\0');
	free(markers.seen);
	return ret;
}

/* --- ListTagsForResources --- */

enum {
	TAG_SETS = TAG_FIRST,
	TAG_SET,
	TAG_RESOURCE,
	TAG_TAGS,
	TAG_TAG,
	TAG_KEY,
	TAG_VALUE,
};

static const struct xml_rule tags_rules[] = {
	{TAG_ROOT, TAG_SETS, true, "ResourceTagSets"},
	{TAG_SETS, TAG_SET, false, "ResourceTagSet"},
	{TAG_SET, TAG_RESOURCE, true, "ResourceId"},
	{TAG_SET, TAG_TAGS, true, "Tags"},
	{TAG_TAGS, TAG_TAG, false, "Tag"},
	{TAG_TAG, TAG_KEY, true, "Key"},
	{TAG_TAG, TAG_VALUE, true, "Value"},
};

/* Each zone's id comes before its tags (API Reference, ResourceTagSet); else they are nobody's. */
struct tags_answer {
	aws_tag_fn *fn;
	void *ctx;
	char id[64];
	char key[513];
	char value[1025];
	bool has_list;
};

static int tags_begin(void *ctx, unsigned int tag)
{
	struct tags_answer *answer = ctx;
	answer->has_list = answer->has_list || tag == TAG_SETS;
	if (tag == TAG_SET) {
		answer->id[0] = '\0';
	} else if (tag == TAG_TAG) {
		answer->key[0] = '\0';
		answer->value[0] = '\0';
	}
	return 0;
}

static int tags_end(void *ctx, unsigned int tag, char *text)
{
	struct tags_answer *answer = ctx;
	switch (tag) {
	case TAG_RESOURCE:
		return text_keep(answer->id, sizeof(answer->id), text);
	case TAG_KEY:
		return text_keep(answer->key, sizeof(answer->key), text);
	case TAG_VALUE:
		return text_keep(answer->value, sizeof(answer->value), text);
	case TAG_TAG:
		return answer->id[0] == '\0'
		               ? FAIL_FORMAT
		               : answer->fn(answer->ctx, answer->id, answer->key, answer->value);
	default:
		return 0;
	}
}

static const struct xml_format tags_format = {
	.root = "ListTagsForResourcesResponse",
	.space = API_SPACE,
	.rules = tags_rules,
	.rule_count = sizeof(tags_rules) / sizeof(tags_rules[0]),
	.begin = tags_begin,
	.end = tags_end,
};

int aws_list_zone_tags(struct aws *aws, const char *const *ids, size_t count, aws_tag_fn *fn,
                       void *ctx)
{
	struct tags_answer answer = {.fn = fn, .ctx = ctx};
	struct text body;
	text_init(&body, 4096);
	text_addf(&body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
	                 "<ListTagsForResourcesRequest xmlns=\"" API_SPACE "\"><ResourceIds>");
	for (size_t i = 0; i < count; i++) {
		const char *id = route53__bare_id(ids[i]);
		text_addf(&body, "<ResourceId>%s</ResourceId>", id == NULL ? "" : id);
	}
	text_addf(&body, "</ResourceIds></ListTagsForResourcesRequest>");
	const struct aws_call call = {
		.operation = AWS_LIST_TAGS,
		.method = "POST",
		.path = API_PATH "/tags/hostedzone",
		.body = text_get(&body),
		.body_size = body.len,
		.format = &tags_format,
		.ctx = &answer,
	};
	int ret = body.bad ? FAIL_LIMIT : aws__call(aws, &call);
	text_fini(&body);
	if (ret == 0 && !answer.has_list) {
		aws__trouble_set(aws, "an answer that is not complete");
		ret = FAIL_FORMAT;
	}
	return ret;
}
