#include "aws/client_int.h"
#include "aws/partition_int.h"
#include "aws/profile_int.h"
#include "base/fail.h"
#include "base/mono.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Instance metadata that kept silent is asked for the region again after this. */
#define REGION_AGAIN_MS 60000

static const char *variable(const char *name)
{
	const char *value = getenv(name);
	return value == NULL ? "" : value;
}

static bool switched_on(const char *name)
{
	return strcasecmp(variable(name), "true") == 0;
}

/* --- The instance --- */

/* An item that is not there is "". Other failures are returned. */
static int item_get(struct aws *aws, const char *path, char *buf, size_t size)
{
	int ret = imds__get(aws->imds, path, buf, size);
	if (ret == FAIL_NOTFOUND) {
		buf[0] = '\0';
		return 0;
	}
	if (ret != 0) {
		aws__trouble_set(aws, "%s", imds__trouble(aws->imds));
	}
	return ret;
}

/* An item of one word into a field; what cannot be one is left out. */
static int field_get(struct aws *aws, const char *path, char *buf, size_t size)
{
	char word[128];
	int ret = item_get(aws, path, word, sizeof(word));
	if (ret != 0) {
		return ret;
	}
	word[strcspn(word, "\r\n")] = '\0';
	size_t len = strlen(word);
	if (len >= size || strpbrk(word, " /?#%") != NULL) {
		len = 0;
	}
	memcpy(buf, word, len);
	buf[len] = '\0';
	return 0;
}

static void cidrs_add(struct aws_instance *instance, char *lines)
{
	const size_t max = sizeof(instance->vpc_cidrs) / sizeof(instance->vpc_cidrs[0]);
	char *rest = lines;
	for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
		struct prefix prefix;
		if (instance->vpc_cidr_count < max && prefix_parse(line, &prefix) == 0) {
			char *buf = instance->vpc_cidrs[instance->vpc_cidr_count++];
			snprintf(buf, sizeof(instance->vpc_cidrs[0]), "%s", line);
		}
	}
}

static int network_get(struct aws *aws, struct aws_instance *instance)
{
	static const char *const lists[] = {"vpc-ipv4-cidr-blocks", "vpc-ipv6-cidr-blocks"};
	char mac[32], path[128], lines[4096];
	int ret = field_get(aws, "meta-data/mac", mac, sizeof(mac));
	if (ret != 0 || mac[0] == '\0') {
		return ret;
	}
	snprintf(path, sizeof(path), "meta-data/network/interfaces/macs/%s/vpc-id", mac);
	ret = field_get(aws, path, instance->vpc_id, sizeof(instance->vpc_id));
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) && ret == 0; i++) {
		snprintf(path, sizeof(path), "meta-data/network/interfaces/macs/%s/%s", mac,
		         lists[i]);
		ret = item_get(aws, path, lines, sizeof(lines));
		if (ret == 0) {
			cidrs_add(instance, lines);
		}
	}
	return ret;
}

static int instance_ask(struct aws *aws, struct aws_instance *instance)
{
	if (imds__off(aws->imds)) {
		aws__trouble_set(aws, "instance metadata is switched off");
		return FAIL_NOTFOUND;
	}
	int ret = field_get(aws, "meta-data/instance-id", instance->instance_id,
	                    sizeof(instance->instance_id));
	if (ret == 0) {
		ret = field_get(aws, "meta-data/placement/region", instance->region,
		                sizeof(instance->region));
	}
	return ret != 0 ? ret : network_get(aws, instance);
}

int aws_instance_get(struct aws *aws, struct aws_instance *ret_instance)
{
	if (!aws->instance_known) {
		struct aws_instance instance = {0};
		int ret = instance_ask(aws, &instance);
		if (ret != 0) {
			return ret;
		}
		aws->instance = instance;
		aws->instance_known = true;
	}
	aws->trouble[0] = '\0';
	*ret_instance = aws->instance;
	return 0;
}

/* --- The region --- */

/* Of the profile in use; "" when it does not say. */
static const char *region_of_profile(struct aws *aws)
{
	char why[320];
	bool chosen;
	struct profile profile = {0};
	if (aws->profile_region[0] == '\0' &&
	    profile__load(profile__name(&chosen), &profile, why, sizeof(why)) == 0) {
		const char *region = profile.values[PROFILE_REGION];
		snprintf(aws->profile_region, REGION_MAX, "%s", region == NULL ? "" : region);
		profile__fini(&profile);
	}
	return aws->profile_region;
}

/* The settings' own, else the environment's, else the profile's; "" when none says. */
static const char *region_told(struct aws *aws)
{
	const char *region = aws->opts.region;
	if (region[0] != '\0' && strcmp(region, "auto") != 0) {
		return region;
	}
	region = variable("AWS_REGION");
	region = region[0] != '\0' ? region : variable("AWS_DEFAULT_REGION");
	return region[0] != '\0' ? region : region_of_profile(aws);
}

/* From instance metadata, which is not asked again too soon when it keeps silent. */
static const char *region_found(struct aws *aws)
{
	uint64_t now_ms = mono_ms();
	if (!aws->instance_known && aws->region_asked_ms != 0 &&
	    now_ms - aws->region_asked_ms < REGION_AGAIN_MS) {
		return "";
	}
	aws->region_asked_ms = now_ms;
	struct aws_instance instance;
	return aws_instance_get(aws, &instance) == 0 ? aws->instance.region : "";
}

int aws_region(struct aws *aws, char *buf)
{
	if (aws->region[0] == '\0') {
		const char *region = region_told(aws);
		region = region[0] != '\0' ? region : region_found(aws);
		if (region[0] == '\0' || strlen(region) >= sizeof(aws->region)) {
			aws__trouble_set(aws, "region unknown: set AWS_REGION or route53.region");
			return FAIL_NOTFOUND;
		}
		memcpy(aws->region, region, strlen(region) + 1);
	}
	memcpy(buf, aws->region, sizeof(aws->region));
	return 0;
}

/* --- The endpoint --- */

/* The operator's own, in the order of the SDKs; "": none. */
static const char *endpoint_told(const struct aws *aws, enum aws_service_id id)
{
	char name[64];
	const char *url = id == AWS_ROUTE53 ? aws->opts.endpoint : "";
	if (url[0] == '\0') {
		snprintf(name, sizeof(name), "AWS_ENDPOINT_URL_%s", aws_service__get(id)->variable);
		url = variable(name);
	}
	return url[0] != '\0' ? url : variable("AWS_ENDPOINT_URL");
}

/* By the rules of the partition. FAIL_NOTFOUND: it does not offer that. */
static int host_of(enum aws_service_id id, const struct partition *partition, const char *region,
                   char *buf, size_t size)
{
	bool fips = switched_on("AWS_USE_FIPS_ENDPOINT");
	bool dual_stack = switched_on("AWS_USE_DUALSTACK_ENDPOINT");
	if (id != AWS_ROUTE53) {
		return partition__host(partition, aws_service__get(id)->name, region, fips,
		                       dual_stack, buf, size);
	}
	const char *host = partition__route53_host(partition, fips, dual_stack);
	if (host == NULL) {
		return FAIL_NOTFOUND;
	}
	snprintf(buf, size, "%s", host);
	return 0;
}

/* The Region to sign for, and whose host is asked. "" where it is not known and must be. */
static void region_choose(struct aws *aws, const struct aws_operation_info *info,
                          const char *wanted, char *ret_region)
{
	char ours[REGION_MAX] = "";
	/* Without a region the commercial partition it is: Route 53 has one endpoint there for all. */
	aws_region(aws, ours);
	/* STS lives everywhere, but must be found before metadata has told where we are. */
	bool home = info->home || info->service == AWS_ROUTE53 ||
	            (info->service == AWS_STS && ours[0] == '\0');
	const char *region = home             ? partition__find(ours)->route53_region
	                     : wanted != NULL ? wanted
	                                      : ours;
	snprintf(ret_region, REGION_MAX, "%s", region);
}

int aws__place(struct aws *aws, enum aws_operation operation, const char *region,
               const struct http_url *known, struct http_url *ret_url, char *ret_region)
{
	const struct aws_operation_info *info = aws_operation__get(operation);
	const char *told = endpoint_told(aws, info->service);
	char url[HTTP_HOST_MAX + 16], host[HTTP_HOST_MAX];
	region_choose(aws, info, region, ret_region);
	if (ret_region[0] == '\0') {
		return FAIL_NOTFOUND; /* aws_region has said so */
	}
	if (told[0] == '\0' && known != NULL) {
		*ret_url = *known;
		return 0;
	}
	if (told[0] == '\0') {
		if (host_of(info->service, partition__find(ret_region), ret_region, host,
		            sizeof(host)) != 0) {
			aws__trouble_set(aws, "no FIPS or dual-stack endpoint of %s for %s",
			                 aws_service__get(info->service)->name, ret_region);
			return -EINVAL;
		}
		snprintf(url, sizeof(url), "https://%s", host);
		told = url;
	}
	if (aws_http__url(told, ret_url) != 0) {
		aws__trouble_set(aws, "endpoint is not a URL: %.200s", told);
		return -EINVAL;
	}
	return 0;
}
