#include "cache/entry_int.h"
#include <assert.h>

/* The offsets of TTLs are read in place as uint16_t. */
static_assert(offsetof(struct cache_entry, data) % _Alignof(uint16_t) == 0, "ttl_at is aligned");
static_assert(DNS_NAME_MAX <= UINT8_MAX, "name lengths fit");

static size_t span(size_t ttl_count, size_t name_len, size_t next_len, size_t size)
{
	size_t bytes =
		offsetof(struct cache_entry, data) + 2 * ttl_count + name_len + next_len + size;
	return (bytes + 7) & ~(size_t)7;
}

static size_t next_len(const struct dns_body *body)
{
	return body->outcome == DNS_OUTCOME_CHAIN ? dns_name_len(body->next) : 0;
}

size_t cache__entry_span(const struct cache_entry *entry)
{
	return span(entry->ttl_count, entry->name_len, entry->next_len, entry->size);
}

size_t cache__entry_span_of(const struct cache_key *key, const struct dns_body *body)
{
	return span(body->ttl_count, key->name->len, next_len(body), body->size);
}

static uint8_t *append(uint8_t *at, const void *bytes, size_t size)
{
	if (size != 0) { /* an empty body may have no bytes to point at */
		memcpy(at, bytes, size);
	}
	return at + size;
}

void cache__entry_fill(struct cache_entry *entry, const struct cache_key *key, uint32_t hash,
                       const struct dns_body *body, uint32_t now_s)
{
	assert((key->flags & ~(CACHE_DO | CACHE_CD)) == 0);
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
}

void cache__entry_copy(struct cache_entry *to, const struct cache_entry *from)
{
	/* Readers may be setting marks meanwhile; one that is lost does no harm. */
	static_assert(offsetof(struct cache_entry, marks) + 1 == offsetof(struct cache_entry, data),
	              "marks stand last");
	memcpy(to, from, offsetof(struct cache_entry, marks));
	to->marks = cache__entry_marked(from, ENTRY_TOLD) ? ENTRY_TOLD : 0;
	memcpy(to->data, from->data, cache__entry_span(from) - offsetof(struct cache_entry, data));
}
