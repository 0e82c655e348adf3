#include "zone/zones.h"
#include "zone/health.h"
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* ids and index lie in the same allocation, behind the entries. */
struct zones {
	atomic_uint refs;
	uint64_t depths;
	uint32_t count;
	uint32_t slot_count; /* a power of two; at most half of them used */
	struct zones_slot *slots;
	struct health *health;
	struct zones_entry entries[];
};

struct zones_slot {
	uint32_t hash;
	uint32_t entry; /* its number + 1; 0: empty */
};

const char *zone_source_text(enum zone_source source)
{
	static const char *const texts[] = {
		[ZONE_SOURCE_NONE] = "none", [ZONE_SOURCE_API] = "api",
		[ZONE_SOURCE_DISK] = "disk", [ZONE_SOURCE_PEER] = "peer",
		[ZONE_SOURCE_FILE] = "file",
	};
	assert((size_t)source < sizeof(texts) / sizeof(texts[0]));
	return texts[source];
}

const char *zones_known_text(enum zones_known known)
{
	static const char *const texts[] = {
		[ZONES_KNOWN_NOT] = "not known yet",
		[ZONES_KNOWN_LISTING] = "by ListHostedZonesByVPC",
		[ZONES_KNOWN_SOA] = "by the SOA that the VPC resolver gives",
	};
	assert((size_t)known < sizeof(texts) / sizeof(texts[0]));
	return texts[known];
}

static uint32_t slots_for(size_t count)
{
	uint32_t slots = 4;
	while (slots < count * 2) {
		slots *= 2;
	}
	return slots;
}

/* The slot of a loaded zone of this (folded) origin of size octets, or the empty one where it belongs. */
static struct zones_slot *slot_of(const struct zones *zones, uint32_t hash, const uint8_t *origin,
                                  size_t size)
{
	uint32_t mask = zones->slot_count - 1;
	for (uint32_t i = hash & mask;; i = (i + 1) & mask) {
		struct zones_slot *slot = &zones->slots[i];
		if (slot->entry == 0 ||
		    (slot->hash == hash &&
		     memcmp(zones->entries[slot->entry - 1].origin, origin, size) == 0)) {
			return slot;
		}
	}
}

static void index_add(struct zones *zones, uint32_t number)
{
	const struct zones_entry *entry = &zones->entries[number];
	struct dns_key key;
	dns_key_make(&key, entry->origin);
	struct zones_slot *slot = slot_of(zones, dns_key_hash(&key), key.name, key.len);
	if (slot->entry != 0 &&
	    (zones->entries[slot->entry - 1].associated || !entry->associated)) {
		return;
	}
	*slot = (struct zones_slot){.hash = dns_key_hash(&key), .entry = number + 1};
	zones->depths |= dns_depth_bit(key.labels);
}

/* Returns the end of the ids so far. */
static char *entry_copy(struct zones_entry *to, const struct zones_entry *from, char *ids)
{
	const char *id = from->id == NULL ? "" : from->id;
	size_t size = strlen(id) + 1;
	*to = *from;
	to->id = memcpy(ids, id, size);
	if (to->zone != NULL) {
		zone_ref(to->zone);
		const uint8_t *origin = zone_origin(to->zone);
		memcpy(to->origin, origin, dns_name_len(origin));
		dns_name_lower(to->origin);
		to->origin_known = true;
	}
	return ids + size;
}

struct zones *zones_new(const struct zones_entry *entries, size_t count)
{
	uint32_t slot_count = slots_for(count);
	size_t size = sizeof(struct zones) + count * sizeof(*entries);
	size_t slots_at = size;
	size += slot_count * sizeof(struct zones_slot);
	size_t ids_at = size;
	for (size_t i = 0; i < count; i++) {
		size += (entries[i].id == NULL ? 0 : strlen(entries[i].id)) + 1;
	}
	uint8_t *memory = calloc(1, size);
	if (memory == NULL) {
		return NULL;
	}
	struct zones *zones = (struct zones *)(void *)memory;
	atomic_init(&zones->refs, 1);
	zones->count = (uint32_t)count;
	zones->slot_count = slot_count;
	zones->slots = (struct zones_slot *)(void *)(memory + slots_at);
	char *ids = (char *)memory + ids_at;
	for (uint32_t i = 0; i < count; i++) {
		ids = entry_copy(&zones->entries[i], &entries[i], ids);
		if (zones->entries[i].zone != NULL) {
			index_add(zones, i);
		}
	}
	return zones;
}

struct zones *zones_ref(struct zones *zones)
{
	atomic_fetch_add_explicit(&zones->refs, 1, memory_order_relaxed);
	return zones;
}

void zones_unref(struct zones **zones)
{
	struct zones *gone = *zones;
	*zones = NULL;
	if (gone == NULL || atomic_fetch_sub_explicit(&gone->refs, 1, memory_order_acq_rel) != 1) {
		return;
	}
	for (uint32_t i = 0; i < gone->count; i++) {
		zone_unref(&gone->entries[i].zone);
	}
	health_unref(&gone->health);
	free(gone);
}

const struct zones_entry *zones_at(const struct zones *zones, const struct dns_key *key,
                                   unsigned int label)
{
	const struct zones_slot *slot = slot_of(zones, key->hash[label], dns_key_suffix(key, label),
	                                        (size_t)key->len - key->off[label]);
	return slot->entry == 0 ? NULL : &zones->entries[slot->entry - 1];
}

uint64_t zones_depths(const struct zones *zones)
{
	return zones->depths;
}

size_t zones_count(const struct zones *zones)
{
	return zones->count;
}

const struct zones_entry *zones_get(const struct zones *zones, size_t i)
{
	assert(i < zones->count);
	return &zones->entries[i];
}

const struct health *zones_health(const struct zones *zones)
{
	return zones->health;
}

void zones_set_health(struct zones *zones, struct health *health)
{
	health_unref(&zones->health);
	zones->health = health;
}
