#include "base/addr.h"
#include "config/load_int.h"
#include "config/records.h"
#include "config/records_int.h"
#include <stdio.h>
#include <string.h>

#define AT(type, member) .offset = offsetof(struct type, member)
#define KEYS(table)      .keys = (table), .count = sizeof(table) / sizeof((table)[0])

#define DIGITS "0123456789"
#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

#define SERVERS_MAX 8 /* four of either family */
#define FAMILY_MAX  4

static bool is_id(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);
	return strcmp(text, "auto") == 0 ||
	       (strncmp(text, prefix, len) == 0 && keys__only(text + len, DIGITS "abcdef", 8, 17));
}

static bool is_vpc(const char *text)
{
	return is_id(text, "vpc-");
}

static bool is_instance(const char *text)
{
	return is_id(text, "i-");
}

/* DHCP has no ports. */
static bool is_address(const char *text)
{
	struct addr addr;
	return addr_parse(text, 0, &addr) == 0 && addr_port(&addr) == 0 && text[0] != '[';
}

static bool is_domain(const char *text)
{
	return text[0] == '\0' || keys__only(text, LOWER UPPER DIGITS "-._ ", 1, 255);
}

static bool is_topic(const char *text)
{
	return text[0] == '\0' || keys__only(text, LOWER UPPER DIGITS "-_", 1, 256);
}

static bool is_email(const char *text)
{
	const char *at = strchr(text, '@');
	return at != NULL && at != text && at[1] != '\0' && strchr(at + 1, '@') == NULL &&
	       strpbrk(text, " \t\r\n") == NULL;
}

static bool is_namespace(const char *text)
{
	return strncmp(text, "AWS/", 4) != 0 && text[0] != ':' &&
	       keys__only(text, LOWER UPPER DIGITS "-._/#:", 1, 255);
}

static bool is_url(const char *text)
{
	return strncmp(text, "http://", 7) == 0 && text[7] != '\0' &&
	       strpbrk(text, " ?#@") == NULL && strchr(text + 7, '/') == NULL;
}

/* Four of each family is what a set can hold. */
static void finish_dhcp(struct load *load, const config_setting_t *group, void *base)
{
	const struct records_dhcp *dhcp = base;
	size_t v6 = 0;
	for (size_t i = 0; i < dhcp->servers.count; i++) {
		v6 += strchr(dhcp->servers.items[i], ':') != NULL ? 1 : 0;
	}
	if (v6 > FAMILY_MAX || dhcp->servers.count - v6 > FAMILY_MAX) {
		load__fault(load, config_setting_get_member(group, "servers"),
		            "`servers` has %zu IPv4 and %zu IPv6 addresses; at most four of each "
		            "would be right",
		            dhcp->servers.count - v6, v6);
	}
}

static void finish_alarm(struct load *load, const config_setting_t *group, void *base)
{
	const struct records_alarm *alarm = base;
	if (alarm->email.count > 0 && alarm->topic[0] == '\0') {
		load__fault(
			load, config_setting_get_member(group, "email"),
			"`email` without a topic to subscribe to; topic = \"horizond\" would be "
			"right");
	}
}

static const struct key dhcp_keys[] = {
	{"vpc", KEY_TEXT, AT(records_dhcp, vpc), .check = is_vpc,
         .like = "\"auto\" or an id such as \"vpc-0123456789abcdef0\""},
	{"servers", KEY_TEXTS, AT(records_dhcp, servers), .max = SERVERS_MAX, .check = is_address,
         .like = "an address without a port such as \"10.0.0.4\""},
	{"domain", KEY_TEXT, AT(records_dhcp, domain), .check = is_domain,
         .like = "a domain such as \"corp.example\", or \"\","},
	{"ntp", KEY_TEXTS, AT(records_dhcp, ntp), .max = 8, .check = is_address,
         .like = "an address without a port such as \"169.254.169.123\""},
};
const struct key_group records__dhcp_group = {
	.noun = "dhcp", KEYS(dhcp_keys), .finish = finish_dhcp};

static const struct key alarm_keys[] = {
	{"instance", KEY_TEXT, AT(records_alarm, instance), .check = is_instance,
         .like = "\"auto\" or an id such as \"i-0123456789abcdef0\""},
	{"topic", KEY_TEXT, AT(records_alarm, topic), .check = is_topic,
         .like = "a name of letters, digits, - and _, or \"\","},
	{"email", KEY_TEXTS, AT(records_alarm, email), .max = 100, .check = is_email,
         .like = "an address such as \"ops@example.com\""},
	{"namespace", KEY_TEXT, AT(records_alarm, namespace), .check = is_namespace,
         .like = "a name such as \"horizond\" that does not begin with AWS/"},
	{"url", KEY_TEXT, AT(records_alarm, url), .check = is_url,
         .like = "a URL without a path such as \"http://127.0.0.1:9153\""},
};
const struct key_group records__alarm_group = {
	.noun = "alarm", KEYS(alarm_keys), .finish = finish_alarm};
