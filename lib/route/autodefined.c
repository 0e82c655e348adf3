/*
 * Names that are nobody's rule: what the VPC resolver defines itself, and what never leaves a
 * machine.
 */
#include "base/fail.h"
#include "dns/reverse.h"
#include "route/rules.h"
#include <stdio.h>
#include <string.h>

typedef int name_fn(void *ctx, const uint8_t *name);

static int name_tell(const char *text, name_fn *each, void *ctx)
{
	uint8_t name[DNS_NAME_MAX];
	int ret = dns_name_parse(text, name);
	return ret < 0 ? ret : each(ctx, name);
}

static int names_tell(const char *const *texts, size_t count, name_fn *each, void *ctx)
{
	int ret = 0;
	for (size_t i = 0; i < count && ret == 0; i++) {
		ret = name_tell(texts[i], each, ctx);
	}
	return ret;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define LOOPBACK6 "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa"

static int region_tell(const char *region, name_fn *each, void *ctx)
{
	static const char *const below[] = {"compute.internal", "compute.amazonaws.com"};
	static const char *const us_east_1[] = {"ec2.internal", "compute-1.internal",
	                                        "compute-1.amazonaws.com"};
	char text[DNS_NAME_TEXT_MAX];
	for (size_t i = 0; i < COUNT(below); i++) {
		int len = snprintf(text, sizeof(text), "%s.%s", region, below[i]);
		int ret = len < (int)sizeof(text) ? name_tell(text, each, ctx) : FAIL_FORMAT;
		if (ret != 0) {
			return ret;
		}
	}
	if (strcmp(region, "us-east-1") != 0) {
		return 0;
	}
	return names_tell(us_east_1, COUNT(us_east_1), each, ctx);
}

/* Whatever the VPC's own addresses are (D6). */
static int reverse_tell(name_fn *each, void *ctx)
{
	static const char *const texts[] = {
		"10.in-addr.arpa", "168.192.in-addr.arpa", "254.169.254.169.in-addr.arpa",
		"localdomain",     "0." LOOPBACK6,
	};
	int ret = names_tell(texts, COUNT(texts), each, ctx);
	for (unsigned int i = 16; i <= 31 && ret == 0; i++) {
		char text[32];
		snprintf(text, sizeof(text), "%u.172.in-addr.arpa", i);
		ret = name_tell(text, each, ctx);
	}
	return ret;
}

int rules_autodefined(const char *region, const struct prefix *cidrs, size_t cidr_count,
                      int (*each)(void *ctx, const uint8_t *name), void *ctx)
{
	int ret = region != NULL && region[0] != '\0' ? region_tell(region, each, ctx) : 0;
	if (ret == 0) {
		ret = reverse_tell(each, ctx);
	}
	for (size_t i = 0; i < cidr_count && ret == 0; i++) {
		ret = dns_reverse_zones(&cidrs[i], each, ctx);
	}
	return ret;
}

int rules_local(int (*each)(void *ctx, const uint8_t *name), void *ctx)
{
	static const char *const texts[] = {"localhost", "127.in-addr.arpa", "1." LOOPBACK6};
	return names_tell(texts, COUNT(texts), each, ctx);
}
