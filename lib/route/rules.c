#include "route/rules.h"
#include <stdlib.h>
#include <string.h>

struct rules {
	struct rule rest;
	struct rule *items;
	size_t count;
	uint64_t depths;
	/*
	 * By the hash of the domain: one past the place in items, 0 for an empty slot. At most
	 * half are taken.
	 */
	uint32_t *slots;
	uint32_t *hashes; /* of each item */
	uint32_t mask;
	uint8_t *bytes; /* domains and texts */
	size_t bytes_used;
};

const char *rule_kind_text(enum rule_kind kind)
{
	switch (kind) {
	case RULE_FORWARD:
		return "FORWARD";
	case RULE_SYSTEM:
		return "SYSTEM";
	case RULE_AUTODEFINED:
		return "AUTODEFINED";
	case RULE_DELEGATED:
		return "DELEGATED";
	case RULE_LOCAL:
		return "LOCAL";
	case RULE_DEFAULT:
		return "DEFAULT";
	}
	return "?";
}

/* --- Building --- */

static const uint8_t root_name[] = {0};

static const uint8_t *opts_domain(const struct rule_opts *opts)
{
	return opts->domain != NULL ? opts->domain : root_name;
}

static const char *opts_text(const struct rule_opts *opts)
{
	return opts->text != NULL ? opts->text : "";
}

static size_t opts_bytes(const struct rule_opts *opts)
{
	return dns_name_len(opts_domain(opts)) + strlen(opts_text(opts)) + 1;
}

/* Of two entries for one domain the stronger stays. */
static int kind_strength(enum rule_kind kind)
{
	switch (kind) {
	case RULE_LOCAL:
		return 3;
	case RULE_FORWARD:
	case RULE_SYSTEM:
		return 2;
	case RULE_AUTODEFINED:
	case RULE_DELEGATED:
		return 1;
	case RULE_DEFAULT:
		break;
	}
	return 0;
}

static const void *bytes_keep(struct rules *rules, const void *from, size_t size)
{
	uint8_t *at = rules->bytes + rules->bytes_used;
	memcpy(at, from, size);
	rules->bytes_used += size;
	return at;
}

static void rule_fill(struct rules *rules, struct rule *rule, const struct rule_opts *opts,
                      const struct dns_key *key)
{
	rule->kind = opts->kind;
	rule->index = opts->index;
	rule->origin = opts->origin;
	rule->label_count = key->labels;
	rule->domain = bytes_keep(rules, key->name, key->len);
	rule->text = bytes_keep(rules, opts_text(opts), strlen(opts_text(opts)) + 1);
}

/* The slot of this suffix, or the empty one where it belongs. */
static uint32_t *slot_find(const struct rules *rules, const struct dns_key *key, unsigned int label)
{
	uint32_t hash = key->hash[label];
	unsigned int labels = key->labels - label;
	size_t size = (size_t)key->len - key->off[label];
	for (uint32_t i = hash;; i++) {
		uint32_t *slot = &rules->slots[i & rules->mask];
		if (*slot == 0) {
			return slot;
		}
		const struct rule *rule = &rules->items[*slot - 1];
		if (rules->hashes[*slot - 1] == hash && rule->label_count == labels &&
		    memcmp(rule->domain, dns_key_suffix(key, label), size) == 0) {
			return slot;
		}
	}
}

static void rule_add(struct rules *rules, const struct rule_opts *opts)
{
	struct dns_key key;
	dns_key_make(&key, opts_domain(opts));
	uint32_t *slot = slot_find(rules, &key, 0);
	if (*slot != 0) {
		struct rule *old = &rules->items[*slot - 1];
		if (kind_strength(opts->kind) > kind_strength(old->kind)) {
			rule_fill(rules, old, opts, &key);
		}
		return;
	}
	rule_fill(rules, &rules->items[rules->count], opts, &key);
	rules->hashes[rules->count] = dns_key_hash(&key);
	*slot = (uint32_t)++rules->count;
	rules->depths |= dns_depth_bit(key.labels);
}

static int rules_alloc(struct rules *rules, const struct rule_opts *opts, size_t count,
                       const struct rule_opts *rest)
{
	size_t bytes = opts_bytes(rest);
	for (size_t i = 0; i < count; i++) {
		bytes += opts_bytes(&opts[i]);
	}
	size_t slots = 2;
	while (slots < 2 * count) {
		slots *= 2;
	}
	rules->mask = (uint32_t)slots - 1;
	rules->slots = calloc(slots, sizeof(*rules->slots));
	rules->items = calloc(count + 1, sizeof(*rules->items));
	rules->hashes = calloc(count + 1, sizeof(*rules->hashes));
	rules->bytes = malloc(bytes);
	bool whole = rules->slots != NULL && rules->items != NULL && rules->hashes != NULL &&
	             rules->bytes != NULL;
	return whole ? 0 : -1;
}

struct rules *rules_new(const struct rule_opts *opts, size_t count, const struct rule_opts *rest)
{
	struct rules *rules = calloc(1, sizeof(*rules));
	struct dns_key key;
	if (rules == NULL || rules_alloc(rules, opts, count, rest) != 0) {
		rules_free(&rules);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		rule_add(rules, &opts[i]);
	}
	dns_key_make(&key, opts_domain(rest));
	rule_fill(rules, &rules->rest, rest, &key);
	return rules;
}

void rules_free(struct rules **rules)
{
	if (*rules == NULL) {
		return;
	}
	free((*rules)->slots);
	free((*rules)->items);
	free((*rules)->hashes);
	free((*rules)->bytes);
	free(*rules);
	*rules = NULL;
}

/* --- Looking up --- */

const struct rule *rules_at(const struct rules *rules, const struct dns_key *key,
                            unsigned int label)
{
	uint32_t slot = *slot_find(rules, key, label);
	return slot != 0 ? &rules->items[slot - 1] : NULL;
}

const struct rule *rules_rest(const struct rules *rules)
{
	return &rules->rest;
}

uint64_t rules_depths(const struct rules *rules)
{
	return rules->depths;
}

size_t rules_count(const struct rules *rules)
{
	return rules->count;
}

const struct rule *rules_get(const struct rules *rules, size_t i)
{
	return i < rules->count ? &rules->items[i] : NULL;
}
