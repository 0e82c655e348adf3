#include "aws/change.h"
#include "aws/client_int.h"
#include "aws/record_xml_int.h"
#include "aws/route53_int.h"
#include "base/fail.h"
#include "base/text.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BODY_MAX (4u << 20)

/* --- The request --- */

/* Text between tags (XML 1.0, section 2.4); control characters have no form in XML. */
static void escaped(struct text *out, const char *text)
{
	for (const char *at = text; *at != '\0'; at++) {
		switch (*at) {
		case '&':
			text_addf(out, "&amp;");
			break;
		case '<':
			text_addf(out, "&lt;");
			break;
		case '>':
			text_addf(out, "&gt;");
			break;
		case '\t':
		case '\n':
		case '\r':
			text_addf(out, "&#%d;", *at);
			break;
		default:
			text_add(out, at, 1);
			break;
		}
	}
}

static void element(struct text *out, const char *name, const char *text)
{
	text_addf(out, "<%s>", name);
	escaped(out, text);
	text_addf(out, "</%s>", name);
}

/* In the order of the schema. */
static void change_write(struct text *out, const struct aws_change *change)
{
	const struct aws_record_set *set = change->set;
	element(out, "Action", change->action == AWS_CHANGE_CREATE ? "CREATE" : "DELETE");
	text_addf(out, "<ResourceRecordSet>");
	element(out, "Name", set->name);
	element(out, "Type", set->type);
	if (set->set_identifier != NULL) {
		element(out, "SetIdentifier", set->set_identifier);
		element(out, "MultiValueAnswer", "true");
	}
	text_addf(out, "<TTL>%u</TTL><ResourceRecords>", set->ttl_s);
	for (size_t i = 0; i < set->value_count; i++) {
		text_addf(out, "<ResourceRecord>");
		element(out, "Value", set->values[i]);
		text_addf(out, "</ResourceRecord>");
	}
	text_addf(out, "</ResourceRecords></ResourceRecordSet>");
}

static void batch_write(struct text *out, const struct aws_change *changes, size_t count)
{
	text_addf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
	               "<ChangeResourceRecordSetsRequest xmlns=\"" API_SPACE "\">"
	               "<ChangeBatch><Changes>");
	for (size_t i = 0; i < count; i++) {
		text_addf(out, "<Change>");
		change_write(out, &changes[i]);
		text_addf(out, "</Change>");
	}
	text_addf(out, "</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>");
}

/* --- The answer --- */

enum {
	TAG_INFO = TAG_FIRST,
	TAG_ID,
	TAG_STATUS,
};

static const struct xml_rule info_rules[] = {
	{TAG_ROOT, TAG_INFO, true, "ChangeInfo"},
	{TAG_INFO, TAG_ID, true, "Id"},
	{TAG_INFO, TAG_STATUS, true, "Status"},
};

struct info {
	char id[AWS_CHANGE_ID_MAX];
	char status[16];
};

static int info_end(void *ctx, unsigned int tag, char *text)
{
	static const char prefix[] = "/change/";
	struct info *info = ctx;
	if (tag == TAG_ID) {
		bool long_form = strncmp(text, prefix, sizeof(prefix) - 1) == 0;
		snprintf(info->id, sizeof(info->id), "%s",
		         text + (long_form ? sizeof(prefix) - 1 : 0));
	} else if (tag == TAG_STATUS) {
		snprintf(info->status, sizeof(info->status), "%s", text);
	}
	return 0;
}

#define INFO_FORMAT(operation)                                                            \
	{                                                                                 \
		.root = operation "Response", .space = API_SPACE, .rules = info_rules,    \
		.rule_count = sizeof(info_rules) / sizeof(info_rules[0]), .end = info_end \
	}

static const struct xml_format change_format = INFO_FORMAT("ChangeResourceRecordSets");
static const struct xml_format get_format = INFO_FORMAT("GetChange");

int aws_change_record_sets(struct aws *aws, const char *zone_id, const struct aws_change *changes,
                           size_t count, char *ret_change)
{
	const char *id = route53__bare_id(zone_id);
	ret_change[0] = '\0';
	if (id == NULL) {
		aws__trouble_set(aws, "not a zone's id: %.64s", zone_id);
		return -EINVAL;
	}
	struct text body;
	char path[128];
	struct info info = {0};
	text_init(&body, BODY_MAX);
	batch_write(&body, changes, count);
	snprintf(path, sizeof(path), API_PATH "/hostedzone/%s/rrset/", id);
	const struct aws_call call = {
		.operation = AWS_CHANGE_RECORD_SETS,
		.method = "POST",
		.path = path,
		.body = text_get(&body),
		.body_size = body.len,
		.format = &change_format,
		.ctx = &info,
	};
	int ret = body.bad ? FAIL_LIMIT : aws__call(aws, &call);
	text_fini(&body);
	if (ret == 0) {
		memcpy(ret_change, info.id, sizeof(info.id));
	}
	return ret;
}

int aws_change_insync(struct aws *aws, const char *change_id, bool *ret_insync)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	char path[128];
	struct info info = {0};
	if (change_id[0] == '\0' || strspn(change_id, allowed) != strlen(change_id)) {
		aws__trouble_set(aws, "not a change's id: %.64s", change_id);
		return -EINVAL;
	}
	snprintf(path, sizeof(path), API_PATH "/change/%s", change_id);
	const struct aws_call call = {
		.operation = AWS_GET_CHANGE, .path = path, .format = &get_format, .ctx = &info};
	int ret = aws__call(aws, &call);
	if (ret == 0) {
		*ret_insync = strcmp(info.status, "INSYNC") == 0;
	}
	return ret;
}

int aws_list_record_sets_at(struct aws *aws, const char *zone_id, const char *name,
                            aws_record_set_fn *fn, void *ctx, bool *ret_more)
{
	const char *id = route53__bare_id(zone_id);
	if (id == NULL) {
		aws__trouble_set(aws, "not a zone's id: %.64s", zone_id);
		return -EINVAL;
	}
	char path[128];
	struct record_page page;
	const struct sigv4_pair query[] = {{"maxitems", SETS_A_PAGE}, {"name", name}};
	snprintf(path, sizeof(path), API_PATH "/hostedzone/%s/rrset", id);
	record_page__init(&page, fn, ctx);
	const struct aws_call call = {
		.operation = AWS_LIST_RECORD_SETS,
		.path = path,
		.query = query,
		.query_count = 2,
		.format = &record_page_format,
		.ctx = &page,
	};
	int ret = aws__call(aws, &call);
	ret = ret != 0 ? ret : record_page__check(&page);
	if (ret == 0 && ret_more != NULL) {
		*ret_more = page.truncated;
	}
	record_page__fini(&page);
	return ret;
}
