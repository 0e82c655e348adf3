#include "cache/entry_int.h"
#include <assert.h>
#include <stdlib.h>

/* The offsets of TTLs are read in place as uint16_t. */
static_assert(offsetof(struct cache_entry, data) % _Alignof(uint16_t) == 0, "ttl_at is aligned");
static_assert(DNS_NAME_MAX <= UINT8_MAX, "name lengths fit");

static size_t next_len(const struct dns_body *body)
{
	return body->outcome == DNS_OUTCOME_CHAIN ? dns_name_len(body->next) : 0;
}

size_t cache__entry_size(const struct cache_key *key, const struct dns_body *body)
{
	size_t size = offsetof(struct cache_entry, data) + 2 * (size_t)body->ttl_count +
	              key->name->len + next_len(body) + body->size;
	return size > sizeof(struct cache_entry) ? size : sizeof(struct cache_entry);
}

static uint8_t *append(uint8_t *at, const void *bytes, size_t size)
{
	if (size != 0) { /* an empty body may have no bytes to point at */
		memcpy(at, bytes, size);
	}
	return at + size;
}

struct cache_entry *cache__entry_new(const struct cache_key *key, uint32_t hash,
                                     const struct dns_body *body, int ede, uint32_t now_s)
{
	assert((key->flags & ~(CACHE_DO | CACHE_CD)) == 0);
	struct cache_entry *entry = malloc(cache__entry_size(key, body));
	if (entry == NULL) {
		return NULL;
	}
	size_t next = next_len(body);
	entry->next = NULL;
	entry->hash = hash;
	entry->origin = key->origin;
	entry->stored_s = now_s;
	entry->life_s = body->ttl_s;
	entry->type = key->type;
	entry->rcode = body->rcode;
	entry->size = body->size;
	entry->count[0] = body->count[0];
	entry->count[1] = body->count[1];
	entry->ttl_count = body->ttl_count;
	entry->ede = (int16_t)ede;
	entry->name_len = key->name->len;
	entry->next_len = (uint8_t)next;
	entry->outcome = (uint8_t)body->outcome;
	entry->chain = body->chain;
	entry->flags = (uint8_t)(key->flags | (body->authentic ? ENTRY_AUTHENTIC : 0));
	entry->marks = 0;

	uint8_t *at = append(entry->data, body->ttl_at, 2 * (size_t)body->ttl_count);
	at = append(at, key->name->name, key->name->len);
	at = append(at, body->next, next);
	append(at, body->wire, body->size);
	return entry;
}
