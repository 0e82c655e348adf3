#include "records/policy.h"
#include "aws/arn.h"
#include "base/fail.h"
#include "config/template.h"
#include <ctype.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CHANGE "route53:ChangeResourceRecordSets"

/* A document under way. jansson's calls take NULL for what had no memory: `bad` remembers. */
struct policy {
	json_t *statements;
	const char *partition;
	bool bad;
};

static void policy_init(struct policy *policy, const char *region)
{
	*policy =
		(struct policy){.statements = json_array(), .partition = aws_arn_partition(region)};
	policy->bad = policy->statements == NULL;
}

/* Ends it, whatever came of it. */
static int policy_print(struct policy *policy, struct text *out)
{
	bool any = json_array_size(policy->statements) > 0;
	json_t *document =
		json_pack("{s:s, s:o}", "Version", "2012-10-17", "Statement", policy->statements);
	char *text = document == NULL ? NULL : json_dumps(document, JSON_INDENT(2));
	bool bad = policy->bad || text == NULL;
	if (!bad && any) {
		text_addf(out, "%s\n", text);
	}
	free(text);
	json_decref(document);
	if (bad || out->bad) {
		return FAIL_NOMEM;
	}
	return any ? 0 : FAIL_NOTFOUND;
}

__attribute__((format(printf, 3, 4))) static void list_add(struct policy *policy, json_t *list,
                                                           const char *format, ...)
{
	struct text text;
	va_list args;
	text_init(&text, 0);
	va_start(args, format);
	text_addv(&text, format, args);
	va_end(args);
	policy->bad = policy->bad || text.bad ||
	              json_array_append_new(list, json_string(text_get(&text))) != 0;
	text_fini(&text);
}

/* Resources and condition (NULL: none) become the document's. actions end with NULL. */
static void statement_add(struct policy *policy, const char *sid, const char *const *actions,
                          json_t *resources, json_t *condition)
{
	json_t *list = json_array();
	for (size_t i = 0; actions[i] != NULL; i++) {
		list_add(policy, list, "%s", actions[i]);
	}
	json_t *made = json_pack("{s:s, s:s, s:o, s:o}", "Sid", sid, "Effect", "Allow", "Action",
	                         list, "Resource", resources);
	if (condition != NULL &&
	    (made == NULL || json_object_set_new(made, "Condition", condition) != 0)) {
		policy->bad = true;
	}
	policy->bad = policy->bad || json_array_append_new(policy->statements, made) != 0;
}

/* A resource list of one. */
static json_t *only(struct policy *policy, const char *resource)
{
	json_t *list = json_array();
	list_add(policy, list, "%s", resource);
	return list;
}

static void zone_add(struct policy *policy, json_t *list, const char *zone)
{
	list_add(policy, list, "arn:%s:route53:::hostedzone/%s", policy->partition, zone);
}

static bool list_has(const json_t *list, const char *text)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (strcmp(json_string_value(json_array_get(list, i)), text) == 0) {
			return true;
		}
	}
	return false;
}

static void list_add_once(struct policy *policy, json_t *list, const char *text)
{
	if (!list_has(list, text)) {
		list_add(policy, list, "%s", text);
	}
}

/* --- Names --- */

/* What stands for a value that each instance fills in otherwise; IAM's * goes over dots. */
static const char *value_pattern(const char *name, size_t len)
{
	static const char id[] = "instance_id";
	static const char reverse[] = "private_ipv4_reverse";
	size_t word = strcspn(name, ":}");
	word = word < len ? word : len;
	if (word == strlen(id) && strncmp(name, id, word) == 0) {
		return "i-*";
	}
	if (word == strlen(reverse) && strncmp(name, reverse, word) == 0) {
		return "*.in-addr.arpa";
	}
	return "*";
}

/* As the condition key has names: small letters, no dot at the end, all but a-z 0-9 - _ . as \ooo. */
static void byte_add(struct text *out, unsigned int byte)
{
	unsigned int small = byte < 128 ? (unsigned int)tolower((int)byte) : byte;
	if (small < 128 && (isalnum((int)small) || small == '-' || small == '_')) {
		text_addf(out, "%c", (char)small);
	} else {
		text_addf(out, "\\%03o", byte);
	}
}

/* The pattern of all names that a template can become. */
static void name_pattern(const char *template, struct text *out)
{
	for (const char *at = template; *at != '\0'; at++) {
		const char *end = *at == '{' ? strchr(at, '}') : NULL;
		if (end != NULL) {
			text_addf(out, "%s", value_pattern(at + 1, (size_t)(end - at - 1)));
			at = end;
		} else if (at[0] == '\\' && strspn(at + 1, "01234567") >= 3) {
			byte_add(out, (unsigned int)((at[1] - '0') * 64 + (at[2] - '0') * 8 +
			                             (at[3] - '0')));
			at += 3;
		} else if (*at == '.' && at[1] != '\0') {
			text_addf(out, ".");
		} else if (*at != '.') {
			byte_add(out, (unsigned char)*at);
		}
	}
}

static void pattern_add(struct policy *policy, json_t *names, const char *prefix,
                        const char *template)
{
	struct text text;
	text_init(&text, 0);
	text_addf(&text, "%s", prefix);
	name_pattern(template, &text);
	policy->bad = policy->bad || text.bad;
	list_add_once(policy, names, text_get(&text));
	text_fini(&text);
}

/* The mark's name; a pattern that begins with * holds it already. */
static void mark_pattern_add(struct policy *policy, json_t *names, const char *template)
{
	const char *end = template[0] == '{' ? strchr(template, '}') : NULL;
	if (end == NULL || value_pattern(template + 1, (size_t)(end - template - 1))[0] != '*') {
		pattern_add(policy, names, TEMPLATE_MARK_LABEL ".", template);
	}
}

/* --- Changes of record sets --- */

/*
 * The condition of a statement that changes record sets; what is empty is left open. The lists become the condition's.
 * One pair of operators over all keys: a request must satisfy every one of them.
 */
static json_t *change_condition(struct policy *policy, json_t *names, json_t *types,
                                json_t *actions)
{
	static const char *const keys[] = {CHANGE "NormalizedRecordNames", CHANGE "RecordTypes",
	                                   CHANGE "Actions"};
	json_t *lists[] = {names, types, actions};
	json_t *like = json_object();
	json_t *equals = json_object();
	json_t *null = json_object();
	for (size_t i = 0; i < 3; i++) {
		if (json_array_size(lists[i]) == 0) {
			json_decref(lists[i]);
			continue;
		}
		policy->bad = json_object_set_new(i == 0 ? like : equals, keys[i], lists[i]) != 0 ||
		              json_object_set_new(null, keys[i], json_string("false")) != 0 ||
		              policy->bad;
	}
	json_t *condition =
		json_pack("{s:o, s:o}", "ForAllValues:StringEquals", equals, "Null", null);
	if (json_object_size(like) == 0) {
		json_decref(like);
	} else {
		policy->bad =
			json_object_set_new(condition, "ForAllValues:StringLike", like) != 0 ||
			policy->bad;
	}
	policy->bad = policy->bad || condition == NULL;
	return condition;
}

/* Names and types of the records of one zone, marks included. */
static void zone_shapes(struct policy *policy, const struct records_settings *settings,
                        const char *zone, json_t *names, json_t *types)
{
	for (size_t i = 0; i < settings->record_count; i++) {
		const struct records_record *record = &settings->records[i];
		if (strcmp(record->zone, zone) != 0) {
			continue;
		}
		pattern_add(policy, names, "", record->name);
		list_add_once(policy, types, records_type_text(record->type));
		if (record->mark == RECORDS_MARK_TXT) {
			mark_pattern_add(policy, names, record->name);
			list_add_once(policy, types, "TXT");
		}
	}
}

/* Sids are letters and digits, as ids of zones are. lease: that of a sweep as well. */
static void change_add(struct policy *policy, const struct records_settings *settings,
                       const char *zone, bool lease)
{
	static const char *const change[] = {CHANGE, NULL};
	json_t *names = json_array();
	json_t *types = json_array();
	json_t *actions = json_array();
	json_t *resources = json_array();
	char sid[80];
	zone_shapes(policy, settings, zone, names, types);
	/* A zone of which the settings say no more than its id: the kinds of sets that ours are. */
	bool open = json_array_size(names) == 0;
	for (unsigned int i = 0; open && i < RECORDS_TYPES; i++) {
		list_add(policy, types, "%s", records_type_text(i));
	}
	if (lease && !open) {
		list_add(policy, names, "_hz-sweep.%s.*", settings->fleet);
		list_add_once(policy, types, "TXT");
	}
	list_add(policy, actions, "CREATE");
	list_add(policy, actions, "DELETE");
	zone_add(policy, resources, zone);
	snprintf(sid, sizeof(sid), "Change%s", zone);
	statement_add(policy, sid, change, resources,
	              change_condition(policy, names, types, actions));
}

/* Zones of the records, each once, in the order of the file. A plain list of ids. */
static json_t *zones_of(struct policy *policy, const struct records_settings *settings)
{
	json_t *zones = json_array();
	for (size_t i = 0; i < settings->record_count; i++) {
		list_add_once(policy, zones, settings->records[i].zone);
	}
	return zones;
}

static json_t *zone_arns(struct policy *policy, const json_t *zones)
{
	json_t *arns = json_array();
	for (size_t i = 0; i < json_array_size(zones); i++) {
		zone_add(policy, arns, json_string_value(json_array_get(zones, i)));
	}
	return arns;
}

/* --- The documents --- */

static void drain_add(struct policy *policy)
{
	static const char *const complete[] = {"autoscaling:CompleteLifecycleAction", NULL};
	static const char *const look[] = {"autoscaling:DescribeAutoScalingInstances",
	                                   "autoscaling:DescribeLifecycleHooks", NULL};
	json_t *groups = json_array();
	list_add(policy, groups, "arn:%s:autoscaling:*:*:autoScalingGroup:*:autoScalingGroupName/*",
	         policy->partition);
	statement_add(policy, "CompleteLifecycleAction", complete, groups, NULL);
	statement_add(policy, "FindLifecycleAction", look, only(policy, "*"), NULL);
}

int policy_register(const struct records_settings *settings, const struct policy_opts *opts,
                    struct text *out)
{
	static const char *const look[] = {"route53:GetHostedZone",
	                                   "route53:ListResourceRecordSets", NULL};
	static const char *const wait[] = {"route53:GetChange", NULL};
	struct policy policy;
	policy_init(&policy, opts->region);
	json_t *zones = zones_of(&policy, settings);
	if (json_array_size(zones) > 0) {
		statement_add(&policy, "LookAtZones", look, zone_arns(&policy, zones), NULL);
	}
	for (size_t i = 0; i < json_array_size(zones); i++) {
		change_add(&policy, settings, json_string_value(json_array_get(zones, i)), false);
	}
	if (opts->wait && json_array_size(zones) > 0) {
		json_t *changes = json_array();
		list_add(&policy, changes, "arn:%s:route53:::change/*", policy.partition);
		statement_add(&policy, "WaitForChanges", wait, changes, NULL);
	}
	if (opts->drain) {
		drain_add(&policy);
	}
	json_decref(zones);
	return policy_print(&policy, out);
}

int policy_sweep(const struct records_settings *settings, const struct policy_opts *opts,
                 struct text *out)
{
	static const char *const look[] = {"route53:GetHostedZone",
	                                   "route53:ListResourceRecordSets", NULL};
	static const char *const evidence[] = {"ec2:DescribeInstances", NULL};
	struct policy policy;
	policy_init(&policy, opts->region);
	json_t *zones = zones_of(&policy, settings);
	for (size_t i = 0; i < settings->sweep.zones.count; i++) {
		list_add_once(&policy, zones, settings->sweep.zones.items[i]);
	}
	if (json_array_size(zones) > 0) {
		statement_add(&policy, "LookAtZones", look, zone_arns(&policy, zones), NULL);
		statement_add(&policy, "SeeInstances", evidence, only(&policy, "*"), NULL);
	}
	for (size_t i = 0; i < json_array_size(zones); i++) {
		change_add(&policy, settings, json_string_value(json_array_get(zones, i)), true);
	}
	json_decref(zones);
	return policy_print(&policy, out);
}

static void roles_add(struct policy *policy, const struct settings_route53 *route53)
{
	static const char *const assume[] = {"sts:AssumeRole", NULL};
	json_t *roles = json_array();
	for (size_t i = 0; i < route53->role_count; i++) {
		list_add_once(policy, roles, route53->roles[i].role_arn);
	}
	if (json_array_size(roles) > 0) {
		statement_add(policy, "AssumeRoles", assume, roles, NULL);
	} else {
		json_decref(roles);
	}
}

/* https://sqs.eu-west-1.amazonaws.com/111122223333/name: any Region where the host is not of that form. */
static void queue_add(struct policy *policy, const char *queue)
{
	static const char *const receive[] = {"sqs:ReceiveMessage", "sqs:DeleteMessage", NULL};
	const char *host = strstr(queue, "://");
	host = host == NULL ? queue : host + 3;
	const char *path = strchr(host, '/');
	const char *name = strrchr(queue, '/');
	const char *region = strncmp(host, "sqs.", 4) == 0 ? host + 4 : "*.";
	if (path == NULL || name == NULL || name == path) {
		return;
	}
	json_t *arns = json_array();
	list_add(policy, arns, "arn:%s:sqs:%.*s:%.*s:%s", policy->partition,
	         (int)strcspn(region, "."), region, (int)(name - path - 1), path + 1, name + 1);
	statement_add(policy, "HearChanges", receive, arns, NULL);
}

static void health_add(struct policy *policy)
{
	static const char *const status[] = {"route53:GetHealthCheckStatus", NULL};
	static const char *const metric[] = {"cloudwatch:GetMetricStatistics", NULL};
	json_t *checks = json_array();
	list_add(policy, checks, "arn:%s:route53:::healthcheck/*", policy->partition);
	statement_add(policy, "AskHealth", status, checks, NULL);
	statement_add(policy, "AskHealthOfCalculatedChecks", metric, only(policy, "*"), NULL);
}

/* A zone that is listed with a role's rights, not with ours. */
static bool by_role(const struct settings_route53 *route53, const char *zone)
{
	for (size_t i = 0; i < route53->role_count; i++) {
		const struct settings_texts *zones = &route53->roles[i].zones;
		for (size_t j = 0; j < zones->count; j++) {
			if (strcmp(zones->items[j], zone) == 0) {
				return true;
			}
		}
	}
	return false;
}

/* What it lists with its own rights: by VPC and by tag any zone may come. */
static json_t *own_zones(struct policy *policy, const struct settings_route53 *route53)
{
	json_t *zones = json_array();
	if (route53->vpc[0] != '\0' || route53->tags.count > 0) {
		zone_add(policy, zones, "*");
		return zones;
	}
	for (size_t i = 0; i < route53->zones.count; i++) {
		if (!by_role(route53, route53->zones.items[i])) {
			zone_add(policy, zones, route53->zones.items[i]);
		}
	}
	return zones;
}

static void find_add(struct policy *policy, const struct settings_route53 *route53)
{
	static const char *const find[] = {"route53:ListHostedZonesByVPC", "ec2:DescribeVpcs",
	                                   NULL};
	static const char *const account[] = {"route53:ListHostedZones", NULL};
	static const char *const tags[] = {"route53:ListTagsForResources", NULL};
	if (route53->vpc[0] != '\0') {
		statement_add(policy, "FindZones", find, only(policy, "*"), NULL);
	}
	if (route53->tags.count > 0) {
		json_t *zones = json_array();
		zone_add(policy, zones, "*");
		statement_add(policy, "FindZonesOfAccount", account, only(policy, "*"), NULL);
		statement_add(policy, "ReadTags", tags, zones, NULL);
	}
}

static void daemon_add(struct policy *policy, const struct settings_route53 *route53)
{
	static const char *const list[] = {"route53:ListResourceRecordSets", NULL};
	find_add(policy, route53);
	json_t *zones = own_zones(policy, route53);
	if (json_array_size(zones) > 0) {
		statement_add(policy, "ListZones", list, zones, NULL);
		health_add(policy);
	} else {
		json_decref(zones);
	}
	roles_add(policy, route53);
	if (route53->queue[0] != '\0') {
		queue_add(policy, route53->queue);
	}
}

int policy_daemon(const struct settings *settings, const struct policy_opts *opts, struct text *out)
{
	const struct settings_route53 *route53 = &settings->route53;
	struct policy policy;
	bool own = strcmp(route53->region, "auto") != 0;
	policy_init(&policy, own ? route53->region : opts->region);
	if (route53->present) {
		daemon_add(&policy, route53);
	}
	return policy_print(&policy, out);
}

/* --- Around it --- */

/* "arn:PARTITION:REST". */
static json_t *resource(struct policy *policy, const char *rest)
{
	json_t *list = json_array();
	list_add(policy, list, "arn:%s:%s", policy->partition, rest);
	return list;
}

static void dhcp_add(struct policy *policy, const struct records_settings *settings)
{
	static const char *const look[] = {"ec2:DescribeVpcs", "ec2:DescribeDhcpOptions", NULL};
	static const char *const make[] = {"ec2:CreateDhcpOptions", NULL};
	static const char *const make_tagged[] = {"ec2:CreateDhcpOptions", "ec2:CreateTags", NULL};
	static const char *const associate[] = {"ec2:AssociateDhcpOptions", NULL};
	const char *vpc = settings->dhcp.vpc;
	statement_add(policy, "SeeOptionSets", look, only(policy, "*"), NULL);
	statement_add(policy, "MakeOptionSets", settings->tags.count > 0 ? make_tagged : make,
	              resource(policy, "ec2:*:*:dhcp-options/*"), NULL);
	json_t *both = resource(policy, "ec2:*:*:dhcp-options/*");
	list_add(policy, both, "arn:%s:ec2:*:*:vpc/%s", policy->partition,
	         strcmp(vpc, "auto") == 0 ? "*" : vpc);
	statement_add(policy, "AssociateOptionSets", associate, both, NULL);
}

static void alarms_add(struct policy *policy, const struct records_settings *settings)
{
	static const char *const see[] = {"cloudwatch:DescribeAlarms", NULL};
	static const char *const make[] = {"cloudwatch:PutMetricAlarm",
	                                   "cloudwatch:ListTagsForResource", NULL};
	static const char *const make_tagged[] = {"cloudwatch:PutMetricAlarm",
	                                          "cloudwatch:ListTagsForResource",
	                                          "cloudwatch:TagResource", NULL};
	bool tags = settings->tags.count > 0;
	statement_add(policy, "SeeAlarms", see, resource(policy, "cloudwatch:*:*:alarm:*"), NULL);
	statement_add(policy, "MakeAlarms", tags ? make_tagged : make,
	              resource(policy, "cloudwatch:*:*:alarm:horizond-*"), NULL);
}

static void topic_add(struct policy *policy, const struct records_settings *settings)
{
	static const char *const topic[] = {"sns:GetTopicAttributes", "sns:CreateTopic",
	                                    "sns:ListTagsForResource", NULL};
	static const char *const tag[] = {"sns:TagResource", NULL};
	static const char *const subscribe[] = {"sns:ListSubscriptionsByTopic", "sns:Subscribe",
	                                        NULL};
	char rest[300];
	if (settings->alarm.topic[0] == '\0') {
		return;
	}
	snprintf(rest, sizeof(rest), "sns:*:*:%s", settings->alarm.topic);
	statement_add(policy, "MakeTopic", topic, resource(policy, rest), NULL);
	if (settings->tags.count > 0) {
		statement_add(policy, "TagTopic", tag, resource(policy, rest), NULL);
	}
	if (settings->alarm.email.count > 0) {
		statement_add(policy, "Subscribe", subscribe, resource(policy, rest), NULL);
	}
}

int policy_setup(const struct records_settings *settings, const struct policy_opts *opts,
                 struct text *out)
{
	struct policy policy;
	policy_init(&policy, opts->region);
	dhcp_add(&policy, settings);
	alarms_add(&policy, settings);
	topic_add(&policy, settings);
	return policy_print(&policy, out);
}

int policy_health(const struct records_settings *settings, const struct policy_opts *opts,
                  struct text *out)
{
	static const char *const put[] = {"cloudwatch:PutMetricData", NULL};
	struct policy policy;
	policy_init(&policy, opts->region);
	json_t *condition = json_pack("{s:{s:s}}", "StringEquals", "cloudwatch:namespace",
	                              settings->alarm.namespace);
	policy.bad = policy.bad || condition == NULL;
	statement_add(&policy, "PutHealth", put, only(&policy, "*"), condition);
	return policy_print(&policy, out);
}

size_t policy_size(const char *document)
{
	size_t size = 0;
	for (const char *at = document; *at != '\0'; at++) {
		size += isspace((unsigned char)*at) ? 0 : 1;
	}
	return size;
}
