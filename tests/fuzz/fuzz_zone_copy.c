/* rooms: zone */
/* A zone's copy on disk, its sums made right: what is taken must bear every look-up. */
#include "base/fail.h"
#include "base/hash.h"
#include "zone/copy_int.h"
#include "zone/zone_int.h"
#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void text_use(const char *text)
{
	assert(text == NULL || strlen(text) < SIZE_MAX);
}

static void set_use(const struct zone *zone, const struct zone_rrset *set)
{
	struct zone_rr rr[ZONE_DRAW_MAX];
	struct draw draw = {{1, 2}};
	uint32_t ttl_s;
	assert(zone_rrset_draw(zone, set, &draw, rr, &ttl_s) <= ZONE_DRAW_MAX);
	const uint8_t *alias = zone_rrset_alias(zone, set);
	assert(alias == NULL || dns_name_len(alias) <= DNS_NAME_MAX);
	for (unsigned int i = 0; i < zone_rrset_members(set); i++) {
		struct zone_member_info info;
		zone_rrset_member(zone, set, i, &info);
		text_use(info.set_identifier);
		text_use(info.health_check);
		text_use(info.region);
		unsigned int count = zone_rrset_member_draw(zone, set, i, &draw, rr, &ttl_s);
		assert(count <= ZONE_DRAW_MAX);
		for (unsigned int n = 0; n < count; n++) {
			hash_stable(rr[n].rdata, rr[n].rdlen);
		}
	}
}

/* The name itself, and one below it. */
static int name_use(void *ctx, const uint8_t *name, const struct zone_rrset *set)
{
	const struct zone *zone = ctx;
	struct zone_result result;
	struct dns_key key;
	uint8_t below[DNS_NAME_MAX + 3] = {2, 'q', 'q'};
	size_t len = dns_name_len(name);
	set_use(zone, set);
	dns_key_make(&key, name);
	zone_lookup(zone, &key, zone_rrset_type(set), &result);
	zone_lookup(zone, &key, DNS_TYPE_ANY, &result);
	zone_exact(zone, &key, zone_rrset_type(set));
	if (len + 3 <= DNS_NAME_MAX) {
		memcpy(below + 3, name, len);
		dns_key_make(&key, below);
		zone_lookup(zone, &key, DNS_TYPE_A, &result);
		assert((result.found == ZONE_FOUND_DELEGATION) <= (result.set != NULL));
	}
	return 0;
}

static void fault_use(void *ctx, const char *name, const char *type, const char *why)
{
	text_use(name);
	text_use(type);
	text_use(why);
}

static void zone_use(struct zone *zone)
{
	struct zone_rr soa;
	uint32_t ttl_s, negative_ttl_s;
	zone_soa(zone, &soa, &ttl_s, &negative_ttl_s);
	hash_stable(soa.rdata, soa.rdlen);
	zone_each(zone, name_use, zone);
	zone_each_fault(zone, fault_use, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct copy_head head;
	const char *why = NULL;
	if (size < sizeof(head)) {
		return 0;
	}
	size_t rest = size - sizeof(head);
	memcpy(&head, data, sizeof(head));
	head.id[sizeof(head.id) - 1] = '\0';
	head.size = rest;
	head.sum = hash_sum(data + sizeof(head), rest);
	head.head_sum = copy__head_sum(&head);
	if (copy__head_check(&head, head.id, size, &why) != 0) {
		assert(why != NULL);
		return 0;
	}
	void *block = malloc(rest == 0 ? 1 : rest);
	assert(block != NULL);
	memcpy(block, data + sizeof(head), rest);
	struct zone *zone = NULL;
	int ret = copy__block_take(&head, block, &zone, &why);
	if (ret != 0) {
		assert(why != NULL && zone == NULL);
		free(block);
		return 0;
	}
	zone_use(zone);
	zone_unref(&zone);
	return 0;
}
