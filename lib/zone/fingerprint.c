/*
 * A zone's fingerprint is made of its sets' fingerprints by adding them up, so that the order of the list
 * does not count and a set listed twice does. Unkeyed: it is compared over restarts and between machines.
 */
#include "base/hash.h"
#include "zone/build_int.h"
#include <endian.h>

/* "" and no text at all mean the same in a list. */
static uint64_t text_hash(const char *text)
{
	return text == NULL || text[0] == '\0' ? 0 : hash_stable(text, strlen(text));
}

/* In one byte order, so that machines agree. */
static uint64_t parts_hash(uint64_t *parts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		parts[i] = htole64(parts[i]);
	}
	return hash_stable(parts, count * sizeof(*parts));
}

static uint64_t name_hash(const uint8_t *name, size_t len, const char *text)
{
	return name == NULL ? text_hash(text) : hash_stable(name, len);
}

static uint64_t type_hash(const char *word)
{
	uint16_t type;
	return word != NULL && dns_type_parse(word, &type) ? type : text_hash(word);
}

uint64_t zone__fingerprint(const struct zone_record_set *set, const uint8_t *name, size_t name_len,
                           const uint8_t *alias, size_t alias_len, uint64_t values)
{
	bool is_alias = set->alias_name != NULL;
	uint64_t numbers = (uint64_t)set->ttl_s << 32 | (uint64_t)set->policy << 16 |
	                   (uint64_t)(set->fault != NULL) << 3 | (uint64_t)is_alias << 2 |
	                   (uint64_t)set->alias_evaluate_health << 1 |
	                   (uint64_t)set->failover_secondary;
	uint64_t parts[] = {
		name_hash(name, name_len, set->name),
		type_hash(set->type),
		numbers,
		set->weight,
		text_hash(set->set_identifier),
		text_hash(set->health_check),
		text_hash(set->region),
		is_alias ? name_hash(alias, alias_len, set->alias_name) : 0,
		text_hash(set->alias_zone_id),
		values,
	};
	return parts_hash(parts, sizeof(parts) / sizeof(parts[0]));
}

uint64_t zone__fingerprint_all(const struct zone_builder *b)
{
	const char *id = build_text(b, b->id);
	uint64_t parts[] = {
		b->sum,
		b->listed,
		hash_stable(b->origin, dns_name_len(b->origin)),
		text_hash(id),
	};
	return parts_hash(parts, sizeof(parts) / sizeof(parts[0]));
}
