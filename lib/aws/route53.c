#include "aws/client_int.h"
#include "aws/route53_int.h"
#include "base/fail.h"
#include "base/hash.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZONE_ID_MAX 32

const char *route53__bare_id(const char *id)
{
	static const char prefix[] = "/hostedzone/";
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	if (strncmp(id, prefix, sizeof(prefix) - 1) == 0) {
		id += sizeof(prefix) - 1;
	}
	size_t len = strlen(id);
	return len > 0 && len <= ZONE_ID_MAX && strspn(id, allowed) == len ? id : NULL;
}

static int number_read(const char *text, uint64_t *ret_number)
{
	char *end = NULL;
	if (text[0] < '0' || text[0] > '9') {
		return FAIL_FORMAT;
	}
	errno = 0;
	*ret_number = strtoull(text, &end, 10);
	return *end != '\0' || errno != 0 ? FAIL_FORMAT : 0;
}

/* --- Markers --- */

static int markers_add(struct route53_markers *markers, uint64_t hash)
{
	for (size_t i = 0; i < markers->count; i++) {
		if (markers->seen[i] == hash) {
			return FAIL_CHANGED;
		}
	}
	if (markers->count == PAGES_MAX) {
		return FAIL_LIMIT;
	}
	if (markers->count == markers->room) {
		size_t room = markers->room == 0 ? 64 : 2 * markers->room;
		uint64_t *seen = reallocarray(markers->seen, room, sizeof(*seen));
		if (seen == NULL) {
			return FAIL_NOMEM;
		}
		markers->seen = seen;
		markers->room = room;
	}
	markers->seen[markers->count++] = hash;
	return 0;
}

int route53__advance(struct aws *aws, struct route53_markers *markers, uint64_t hash)
{
	int ret = markers_add(markers, hash);
	if (ret == FAIL_CHANGED) {
		aws__trouble_set(aws, "the listing went in a circle after %zu pages",
		                 markers->count + 1);
	} else if (ret != 0) {
		aws__trouble_set(aws, "the listing has no end: %s", fail_text(ret));
	}
	return ret;
}

/* --- Zones of a VPC --- */

enum {
	TAG_SUMMARIES = TAG_FIRST,
	TAG_SUMMARY,
	TAG_SUMMARY_ID,
	TAG_SUMMARY_NAME,
	TAG_OWNER,
	TAG_OWNER_ACCOUNT,
	TAG_OWNER_SERVICE,
	TAG_NEXT_TOKEN,
};

static const struct xml_rule summary_rules[] = {
	{TAG_ROOT, TAG_SUMMARIES, true, "HostedZoneSummaries"},
	{TAG_ROOT, TAG_NEXT_TOKEN, true, "NextToken"},
	{TAG_SUMMARIES, TAG_SUMMARY, false, "HostedZoneSummary"},
	{TAG_SUMMARY, TAG_SUMMARY_ID, true, "HostedZoneId"},
	{TAG_SUMMARY, TAG_SUMMARY_NAME, true, "Name"},
	{TAG_SUMMARY, TAG_OWNER, true, "Owner"},
	{TAG_OWNER, TAG_OWNER_ACCOUNT, true, "OwningAccount"},
	{TAG_OWNER, TAG_OWNER_SERVICE, true, "OwningService"},
};

/* Of one zone; "" is absent. */
struct zone_texts {
	char id[64];
	char name[1025];
	char account[64];
	char service[129];
};

struct summary_page {
	aws_hosted_zone_fn *fn;
	void *ctx;
	struct zone_texts zone;
	bool has_list;
	char next[1025];
};

static int text_keep(char *buf, size_t size, const char *text)
{
	return snprintf(buf, size, "%s", text) < (int)size ? 0 : FAIL_FORMAT;
}

static int summary_begin(void *ctx, unsigned int tag)
{
	struct summary_page *page = ctx;
	if (tag == TAG_SUMMARIES) {
		page->has_list = true;
	} else if (tag == TAG_SUMMARY) {
		page->zone = (struct zone_texts){0};
	}
	return 0;
}

static int zone_tell(const struct zone_texts *texts, struct aws_hosted_zone *zone,
                     aws_hosted_zone_fn *fn, void *ctx)
{
	zone->id = route53__bare_id(texts->id);
	zone->name = texts->name;
	zone->owning_account = texts->account[0] == '\0' ? NULL : texts->account;
	zone->owning_service = texts->service[0] == '\0' ? NULL : texts->service;
	return zone->id == NULL || zone->name[0] == '\0' ? FAIL_FORMAT : fn(ctx, zone);
}

static int summary_end(void *ctx, unsigned int tag, char *text)
{
	struct summary_page *page = ctx;
	struct zone_texts *zone = &page->zone;
	struct aws_hosted_zone told = {.private_zone = true};
	switch (tag) {
	case TAG_SUMMARY_ID:
		return text_keep(zone->id, sizeof(zone->id), text);
	case TAG_SUMMARY_NAME:
		return text_keep(zone->name, sizeof(zone->name), text);
	case TAG_OWNER_ACCOUNT:
		return text_keep(zone->account, sizeof(zone->account), text);
	case TAG_OWNER_SERVICE:
		return text_keep(zone->service, sizeof(zone->service), text);
	case TAG_SUMMARY:
		return zone_tell(zone, &told, page->fn, page->ctx);
	case TAG_NEXT_TOKEN:
		return text_keep(page->next, sizeof(page->next), text);
	default:
		return 0;
	}
}

static const struct xml_format summary_format = {
	.root = "ListHostedZonesByVPCResponse",
	.space = API_SPACE,
	.rules = summary_rules,
	.rule_count = sizeof(summary_rules) / sizeof(summary_rules[0]),
	.begin = summary_begin,
	.end = summary_end,
};

static int summary_page_get(struct aws *aws, const char *vpc_id, const char *vpc_region,
                            const char *token, struct summary_page *page)
{
	const struct sigv4_pair query[] = {
		{"maxitems", ZONES_A_PAGE},
		{"vpcid", vpc_id},
		{"vpcregion", vpc_region},
		{"nexttoken", token},
	};
	const struct aws_call call = {
		.operation = AWS_LIST_ZONES_BY_VPC,
		.method = "GET",
		.path = API_PATH "/hostedzonesbyvpc",
		.query = query,
		.query_count = token[0] == '\0' ? 3 : 4,
		.format = &summary_format,
		.ctx = page,
	};
	int ret = aws__call(aws, &call);
	if (ret == 0 && !page->has_list) {
		aws__trouble_set(aws, "a page that is not complete");
		ret = FAIL_FORMAT;
	}
	return ret;
}

int aws_list_zones_by_vpc(struct aws *aws, const char *vpc_id, const char *vpc_region,
                          aws_hosted_zone_fn *fn, void *ctx)
{
	struct route53_markers markers = {0};
	char token[sizeof(((struct summary_page *)NULL)->next)] = "";
	int ret;
	do {
		struct summary_page page = {.fn = fn, .ctx = ctx};
		ret = summary_page_get(aws, vpc_id, vpc_region, token, &page);
		memcpy(token, page.next, sizeof(token));
		if (ret == 0 && token[0] != '\0') {
			ret = route53__advance(aws, &markers, hash_step(0, token, strlen(token)));
		}
	} while (ret == 0 && token[0] != '\0');
	free(markers.seen);
	return ret;
}

/* --- One zone --- */

enum {
	TAG_ZONE = TAG_FIRST,
	TAG_ZONE_ID,
	TAG_ZONE_NAME,
	TAG_ZONE_COUNT,
	TAG_CONFIG,
	TAG_PRIVATE,
	TAG_VPCS,
	TAG_VPC,
	TAG_VPC_ID,
	TAG_VPC_REGION,
};

static const struct xml_rule zone_rules[] = {
	{TAG_ROOT, TAG_ZONE, true, "HostedZone"},
	{TAG_ZONE, TAG_ZONE_ID, true, "Id"},
	{TAG_ZONE, TAG_ZONE_NAME, true, "Name"},
	{TAG_ZONE, TAG_ZONE_COUNT, true, "ResourceRecordSetCount"},
	{TAG_ZONE, TAG_CONFIG, true, "Config"},
	{TAG_CONFIG, TAG_PRIVATE, true, "PrivateZone"},
	{TAG_ROOT, TAG_VPCS, true, "VPCs"},
	{TAG_VPCS, TAG_VPC, false, "VPC"},
	{TAG_VPC, TAG_VPC_ID, true, "VPCId"},
	{TAG_VPC, TAG_VPC_REGION, true, "VPCRegion"},
};

struct zone_answer {
	struct zone_texts texts;
	struct aws_hosted_zone zone;
	bool has_zone;
	char vpc_id[64];
	char vpc_region[REGION_MAX];
	int (*vpc_fn)(void *ctx, const char *vpc_id, const char *vpc_region);
	void *ctx;
};

static int zone_begin(void *ctx, unsigned int tag)
{
	struct zone_answer *answer = ctx;
	if (tag == TAG_VPC) {
		answer->vpc_id[0] = '\0';
		answer->vpc_region[0] = '\0';
	}
	answer->has_zone = answer->has_zone || tag == TAG_ZONE;
	return 0;
}

static int zone_end(void *ctx, unsigned int tag, char *text)
{
	struct zone_answer *answer = ctx;
	switch (tag) {
	case TAG_ZONE_ID:
		return text_keep(answer->texts.id, sizeof(answer->texts.id), text);
	case TAG_ZONE_NAME:
		return text_keep(answer->texts.name, sizeof(answer->texts.name), text);
	case TAG_ZONE_COUNT:
		return number_read(text, &answer->zone.set_count);
	case TAG_PRIVATE:
		answer->zone.private_zone = strcmp(text, "true") == 0;
		return 0;
	case TAG_VPC_ID:
		return text_keep(answer->vpc_id, sizeof(answer->vpc_id), text);
	case TAG_VPC_REGION:
		return text_keep(answer->vpc_region, sizeof(answer->vpc_region), text);
	case TAG_VPC:
		return answer->vpc_fn == NULL
		               ? 0
		               : answer->vpc_fn(answer->ctx, answer->vpc_id, answer->vpc_region);
	default:
		return 0;
	}
}

static const struct xml_format zone_format = {
	.root = "GetHostedZoneResponse",
	.space = API_SPACE,
	.rules = zone_rules,
	.rule_count = sizeof(zone_rules) / sizeof(zone_rules[0]),
	.begin = zone_begin,
	.end = zone_end,
};

int aws_get_zone(struct aws *aws, const char *zone_id, aws_hosted_zone_fn *fn, void *ctx,
                 int (*vpc_fn)(void *ctx, const char *vpc_id, const char *vpc_region))
{
	const char *id = route53__bare_id(zone_id);
	if (id == NULL) {
		aws__trouble_set(aws, "not a zone's id: %.64s", zone_id);
		return -EINVAL;
	}
	char path[128];
	snprintf(path, sizeof(path), API_PATH "/hostedzone/%s", id);
	struct zone_answer answer = {.vpc_fn = vpc_fn, .ctx = ctx};
	const struct aws_call call = {
		.operation = AWS_GET_ZONE,
		.method = "GET",
		.path = path,
		.format = &zone_format,
		.ctx = &answer,
	};
	int ret = aws__call(aws, &call);
	if (ret != 0) {
		return ret;
	}
	const char *told = route53__bare_id(answer.texts.id);
	if (!answer.has_zone || told == NULL || strcmp(told, id) != 0) {
		aws__trouble_set(aws, "an answer about another zone: %.64s", answer.texts.id);
		return FAIL_FORMAT;
	}
	return zone_tell(&answer.texts, &answer.zone, fn, ctx);
}
