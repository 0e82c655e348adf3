/*
 * Bodies and keys to put into a cache: what dns_scrub makes of a small answer.
 */
#pragma once

#include "base/cursor.h"
#include "base/epoch.h"
#include "cache/cache.h"
#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SAMPLE_RECORDS 64
#define SAMPLE_RR      16 /* pointer, type, class, TTL, length, address */

struct sample {
	struct dns_body body;
	uint8_t wire[65535];
	uint16_t ttl_at[SAMPLE_RECORDS];
};

/* An A RRset of count addresses base, base + 1, ...; each TTL as given. */
static inline void sample_addresses(struct sample *sample, unsigned int count, uint32_t base,
                                    uint32_t ttl_s)
{
	assert(count <= SAMPLE_RECORDS);
	memset(&sample->body, 0, sizeof(sample->body));
	sample->body.outcome = DNS_OUTCOME_ANSWER;
	sample->body.wire = sample->wire;
	sample->body.ttl_at = sample->ttl_at;
	sample->body.ttl_s = ttl_s;
	struct writer w = writer_of(sample->wire, sizeof(sample->wire));
	for (unsigned int i = 0; i < count; i++) {
		writer_u16(&w, 0xc00c);
		writer_u16(&w, DNS_TYPE_A);
		writer_u16(&w, DNS_CLASS_IN);
		sample->ttl_at[i] = (uint16_t)w.pos;
		writer_u32(&w, ttl_s);
		writer_u16(&w, 4);
		writer_u32(&w, base + i);
	}
	sample->body.size = (uint16_t)w.pos;
	sample->body.ttl_count = (uint16_t)count;
	sample->body.count[0] = (uint16_t)count;
}

/* One record with size octets of data, more or less. */
static inline void sample_large(struct sample *sample, size_t size, uint32_t ttl_s)
{
	sample_addresses(sample, 1, 0, ttl_s);
	memset(sample->wire + SAMPLE_RR, 0x5a, size - SAMPLE_RR);
	sample->body.size = (uint16_t)size;
}

static inline void sample_name(struct dns_key *key, const char *text)
{
	uint8_t name[DNS_NAME_MAX];
	int len = dns_name_parse(text, name);
	assert(len > 0);
	dns_key_make(key, name);
}

/* The n-th of many names, 25 octets in wire form. */
static inline void sample_nth_name(struct dns_key *key, unsigned int n)
{
	char text[32];
	snprintf(text, sizeof(text), "host%07u.example.net", n);
	sample_name(key, text);
	assert(key->len == 25);
}

static inline struct cache_key sample_key(const struct dns_key *name)
{
	return (struct cache_key){.name = name, .origin = 1, .type = DNS_TYPE_A, .flags = 0};
}

/* In a section of its own. */
static inline bool sample_find(struct cache *cache, const struct cache_key *key, uint64_t now_s,
                               struct cache_hit *ret_hit)
{
	epoch_read_begin();
	bool found = cache_find(cache, key, now_s, ret_hit);
	epoch_read_end();
	return found;
}

static inline struct cache *sample_cache(size_t size_max, uint32_t stale_s)
{
	struct cache_opts opts = {.size_max = size_max, .stale_s = stale_s};
	struct cache *cache = cache_new(&opts);
	assert(cache != NULL);
	return cache;
}

static inline struct cache_stats sample_stats(struct cache *cache)
{
	struct cache_stats stats;
	cache_get_stats(cache, &stats);
	return stats;
}

static inline int sample_threads_start(void **state)
{
	epoch_thread_start();
	return 0;
}

static inline int sample_threads_stop(void **state)
{
	epoch_drain();
	epoch_thread_stop();
	return 0;
}
