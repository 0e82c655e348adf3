#include "zone/zone_int.h"
#include <assert.h>
#include <stdlib.h>

static const struct zone_node *node_next(const struct zone_node *node)
{
	return (const struct zone_node *)(const void *)((const uint8_t *)node + node->size);
}

static const struct zone_node *node_first(const struct zone *zone)
{
	return zone__at(zone, zone->head->nodes);
}

/* At most half full: a name is found with one and a half looks, its absence with two and a half. */
static bool index_make(struct zone *zone)
{
	zone->slot_count = zone->head->node_count * 2 + 1;
	zone->slots = calloc(zone->slot_count, sizeof(*zone->slots));
	if (zone->slots == NULL) {
		return false;
	}
	struct dns_key key;
	const struct zone_node *node = node_first(zone);
	for (uint32_t n = 0; n < zone->head->node_count; n++) {
		dns_key_make(&key, zone__at(zone, node->name));
		uint32_t hash = dns_key_hash(&key);
		uint32_t i = (uint32_t)(((uint64_t)hash * zone->slot_count) >> 32);
		while (zone->slots[i].node != 0) {
			i = i + 1 == zone->slot_count ? 0 : i + 1;
		}
		zone->slots[i].hash = hash;
		zone->slots[i].node = (uint32_t)((const uint8_t *)node - zone->block);
		node = node_next(node);
	}
	return true;
}

struct zone *zone__adopt(void *block)
{
	struct zone *zone = calloc(1, sizeof(*zone));
	if (zone == NULL) {
		return NULL;
	}
	zone->block = block;
	zone->head = block;
	assert(zone->head->version == ZONE__VERSION && zone->head->order == ZONE__ORDER);
	zone->origin_labels = dns_name_labels(zone__at(zone, zone->head->origin));
	atomic_init(&zone->refs, 1);
	if (!index_make(zone)) {
		free(zone);
		return NULL;
	}
	zone->memory = block;
	return zone;
}

struct zone *zone_ref(struct zone *zone)
{
	atomic_fetch_add_explicit(&zone->refs, 1, memory_order_relaxed);
	return zone;
}

void zone_unref(struct zone **zone)
{
	struct zone *gone = *zone;
	*zone = NULL;
	if (gone == NULL || atomic_fetch_sub_explicit(&gone->refs, 1, memory_order_acq_rel) != 1) {
		return;
	}
	free(gone->slots);
	free(gone->memory);
	free(gone);
}

void zone_doubt(struct zone *zone, bool doubted)
{
	atomic_store_explicit(&zone->doubted, doubted, memory_order_relaxed);
}

bool zone_doubted(const struct zone *zone)
{
	return atomic_load_explicit(&zone->doubted, memory_order_relaxed);
}

/* --- What it is --- */

const char *zone_id(const struct zone *zone)
{
	return zone__text(zone, zone->head->id);
}

const uint8_t *zone_origin(const struct zone *zone)
{
	return zone__at(zone, zone->head->origin);
}

uint64_t zone_fingerprint(const struct zone *zone)
{
	return zone->head->fingerprint;
}

const char *zone_class_text(enum zone_class class)
{
	static const char *const texts[ZONE_CLASSES] = {
		[ZONE_STATIC] = "static",
		[ZONE_DYNAMIC_ALIAS] = "alias",
		[ZONE_DYNAMIC_HEALTH] = "health check",
		[ZONE_DYNAMIC_POLICY] = "routing policy",
		[ZONE_FAULT] = "fault",
	};
	assert(class < ZONE_CLASSES);
	return texts[class];
}

void zone_get_stats(const struct zone *zone, struct zone_stats *ret_stats)
{
	const struct zone_head *head = zone->head;
	*ret_stats = (struct zone_stats){
		.sets = head->listed,
		.names = head->owners,
		.faults = head->fault_count,
		.bytes = sizeof(*zone) + head->size + zone->slot_count * sizeof(*zone->slots),
	};
	for (size_t i = 0; i < ZONE_CLASSES; i++) {
		ret_stats->types[i] = head->types[i];
	}
}

void zone_each_fault(const struct zone *zone, zone_fault_fn *fn, void *ctx)
{
	const struct zone_fault *faults = zone__at(zone, zone->head->faults);
	for (uint32_t i = 0; i < zone->head->fault_count; i++) {
		fn(ctx, zone__text(zone, faults[i].name), zone__text(zone, faults[i].type),
		   zone__text(zone, faults[i].why));
	}
}

int zone_each(const struct zone *zone, zone_each_fn *fn, void *ctx)
{
	const struct zone_node *node = node_first(zone);
	for (uint32_t n = 0; n < zone->head->node_count; n++) {
		const struct zone_rrset *sets = zone__sets(node);
		for (uint32_t i = 0; i < node->set_count; i++) {
			int ret = fn(ctx, zone__at(zone, node->name), &sets[i]);
			if (ret != 0) {
				return ret;
			}
		}
		node = node_next(node);
	}
	return 0;
}
