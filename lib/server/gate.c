/* server/gate.c - client addresses in use, in shards of short chains. */
#include "server/gate.h"

#include "base/hash.h"
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SHARDS       64
#define SHARD_MAX    (GATE_CLIENTS / SHARDS)
#define BUCKETS      256
#define RATE_IDLE_MS 2000 /* a bucket is full again by then: nothing to remember */
#define CLEAN_MAX \
	8 /* chains cleaned for one newcomer to a full shard: a flood of them must stay cheap */

struct client {
	struct client *next;
	uint8_t host[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint32_t waiting;
	uint32_t conns;
	uint32_t milli_tokens_used; /* of the bucket: 1000 a question */
	bool slip;                  /* the next one over the rate is dropped, not slipped */
	uint64_t seen_ms;
};

struct shard {
	pthread_mutex_t lock;
	struct client *bucket[BUCKETS];
	unsigned int count;
	unsigned int hand; /* the chain that is cleaned next */
};

struct gate {
	struct shard shard[SHARDS];
};

struct gate *gate_new(void)
{
	struct gate *gate = calloc(1, sizeof(*gate));
	if (gate == NULL) {
		return NULL;
	}
	for (unsigned int i = 0; i < SHARDS; i++) {
		pthread_mutex_init(&gate->shard[i].lock, NULL);
	}
	return gate;
}

void gate_free(struct gate **gate)
{
	struct gate *old = *gate;
	*gate = NULL;
	if (old == NULL) {
		return;
	}
	for (unsigned int i = 0; i < SHARDS; i++) {
		for (unsigned int b = 0; b < BUCKETS; b++) {
			struct client *next;
			for (struct client *c = old->shard[i].bucket[b]; c != NULL; c = next) {
				next = c->next;
				free(c);
			}
		}
		pthread_mutex_destroy(&old->shard[i].lock);
	}
	free(old);
}

static void host_bytes(const struct addr *addr, uint8_t *ret_host)
{
	memset(ret_host, 0, 16);
	if (addr->sa.sa_family == AF_INET) {
		ret_host[10] = 0xff;
		ret_host[11] = 0xff;
		memcpy(ret_host + 12, &addr->in4.sin_addr, 4);
	} else {
		memcpy(ret_host, &addr->in6.sin6_addr, 16);
	}
}

uint32_t gate_hash(const struct addr *client)
{
	uint8_t host[16];
	host_bytes(client, host);
	return hash_fold(hash_step(0, host, sizeof(host)));
}

static bool client_done(const struct client *c, uint64_t now_ms)
{
	return c->waiting == 0 && c->conns == 0 &&
	       (c->milli_tokens_used == 0 || now_ms > c->seen_ms + RATE_IDLE_MS);
}

/* Frees what nobody needs in this bucket. */
static void bucket_clean(struct shard *shard, unsigned int b, uint64_t now_ms)
{
	for (struct client **at = &shard->bucket[b]; *at != NULL;) {
		struct client *c = *at;
		if (client_done(c, now_ms)) {
			*at = c->next;
			free(c);
			shard->count--;
		} else {
			at = &c->next;
		}
	}
}

/* Under the shard's lock. create: NULL then means that there is no room. */
static struct client *client_find(struct shard *shard, unsigned int b, const uint8_t *host,
                                  bool create, uint64_t now_ms)
{
	for (struct client *c = shard->bucket[b]; c != NULL; c = c->next) {
		if (memcmp(c->host, host, 16) == 0) {
			return c;
		}
	}
	if (!create) {
		return NULL;
	}
	bucket_clean(shard, b, now_ms);
	for (unsigned int i = 0; shard->count >= SHARD_MAX && i < CLEAN_MAX; i++) {
		bucket_clean(shard, shard->hand, now_ms);
		shard->hand = (shard->hand + 1) % BUCKETS;
	}
	struct client *c = shard->count >= SHARD_MAX ? NULL : calloc(1, sizeof(*c));
	if (c != NULL) {
		memcpy(c->host, host, 16);
		c->next = shard->bucket[b];
		shard->bucket[b] = c;
		shard->count++;
	}
	return c;
}

/* The address' place in the table, its shard locked. */
struct place {
	struct shard *shard;
	unsigned int bucket;
	uint8_t host[16];
};

static struct place place_lock(struct gate *gate, const struct addr *addr)
{
	struct place place;
	host_bytes(addr, place.host);
	uint64_t hash = hash_step(0, place.host, 16);
	place.shard = &gate->shard[hash % SHARDS];
	place.bucket = (unsigned int)(hash >> 32) % BUCKETS;
	pthread_mutex_lock(&place.shard->lock);
	return place;
}

/* Counts field up to max. */
static bool count_begin(struct gate *gate, const struct addr *addr, size_t field, uint32_t max,
                        uint64_t now_ms)
{
	struct place place = place_lock(gate, addr);
	struct client *c = client_find(place.shard, place.bucket, place.host, true, now_ms);
	bool ok = false;
	if (c != NULL) {
		uint32_t *count = (uint32_t *)(void *)((char *)c + field);
		ok = *count < max;
		*count += ok;
	}
	pthread_mutex_unlock(&place.shard->lock);
	return ok;
}

static void count_end(struct gate *gate, const struct addr *addr, size_t field)
{
	struct place place = place_lock(gate, addr);
	struct client *c = client_find(place.shard, place.bucket, place.host, false, 0);
	if (c != NULL) {
		uint32_t *count = (uint32_t *)(void *)((char *)c + field);
		*count -= *count > 0;
		if (client_done(c, 0)) {
			bucket_clean(place.shard, place.bucket, 0);
		}
	}
	pthread_mutex_unlock(&place.shard->lock);
}

bool gate_wait_begin(struct gate *gate, const struct addr *client, uint64_t now_ms)
{
	return count_begin(gate, client, offsetof(struct client, waiting), GATE_WAITING_MAX,
	                   now_ms);
}

void gate_wait_end(struct gate *gate, const struct addr *client)
{
	count_end(gate, client, offsetof(struct client, waiting));
}

bool gate_conn_begin(struct gate *gate, const struct addr *client, unsigned int max,
                     uint64_t now_ms)
{
	return count_begin(gate, client, offsetof(struct client, conns), max, now_ms);
}

void gate_conn_end(struct gate *gate, const struct addr *client)
{
	count_end(gate, client, offsetof(struct client, conns));
}

enum gate_verdict gate_rate(struct gate *gate, const struct addr *client, uint32_t rate,
                            uint64_t now_ms)
{
	struct place place = place_lock(gate, client);
	struct client *c = client_find(place.shard, place.bucket, place.host, true, now_ms);
	enum gate_verdict verdict = GATE_DROP;
	if (c != NULL) {
		/* Another worker's clock may have been read a little later than ours. */
		uint64_t back = now_ms > c->seen_ms ? (now_ms - c->seen_ms) * rate : 0;
		c->milli_tokens_used =
			back >= c->milli_tokens_used ? 0 : c->milli_tokens_used - (uint32_t)back;
		c->seen_ms = now_ms > c->seen_ms ? now_ms : c->seen_ms;
		if ((uint64_t)c->milli_tokens_used + 1000 <= (uint64_t)rate * 1000) {
			c->milli_tokens_used += 1000;
			verdict = GATE_PASS;
		} else {
			c->slip = !c->slip;
			verdict = c->slip ? GATE_SLIP : GATE_DROP;
		}
	}
	pthread_mutex_unlock(&place.shard->lock);
	return verdict;
}
