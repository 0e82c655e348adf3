/*
 * stage.h - a world to ask: the zone corp.example, everything else of an upstream that the test plays.
 */
#pragma once

#include "base/epoch.h"
#include "dns/build.h"
#include "query/query.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STAGE_NOW_S 1000

/* What all workers of a server share. */
struct stage {
	struct world_root *root;
	struct cache *cache;
};

static inline void stage_add(struct zone_builder *builder, const char *name, const char *type,
                             const char *value, enum zone_policy policy, const char *id,
                             uint32_t weight)
{
	struct zone_record_set set = {.name = name,
	                              .type = type,
	                              .ttl_s = 60,
	                              .policy = policy,
	                              .set_identifier = id,
	                              .weight = weight,
	                              .values = &value,
	                              .value_count = 1};
	assert_int_equal(zone_builder_add(builder, &set), 0);
}

/* plain has the address 10.0.<edition>.1. */
static inline struct zone *stage_zone(unsigned int edition)
{
	uint8_t origin[DNS_NAME_MAX];
	char err[128];
	char plain[16];
	struct zone *zone = NULL;
	dns_name_parse("corp.example", origin);
	snprintf(plain, sizeof(plain), "10.0.%u.1", edition & 255);
	struct zone_opts opts = {.id = "Z0TEST", .origin = origin};
	struct zone_builder *b = zone_builder_new(&opts);
	stage_add(b, "corp.example", "SOA", "a. b. 1 7200 900 1209600 86400", ZONE_POLICY_SIMPLE,
	          NULL, 0);
	stage_add(b, "plain.corp.example", "A", plain, ZONE_POLICY_SIMPLE, NULL, 0);
	stage_add(b, "to.corp.example", "CNAME", "plain.corp.example", ZONE_POLICY_SIMPLE, NULL, 0);
	stage_add(b, "*.wild.corp.example", "A", "10.0.0.2", ZONE_POLICY_SIMPLE, NULL, 0);
	stage_add(b, "w.corp.example", "A", "10.0.1.1", ZONE_POLICY_WEIGHTED, "a", 10);
	stage_add(b, "w.corp.example", "A", "10.0.1.2", ZONE_POLICY_WEIGHTED, "b", 90);
	stage_add(b, "m.corp.example", "A", "10.0.2.1", ZONE_POLICY_MULTIVALUE, "a", 0);
	stage_add(b, "m.corp.example", "A", "10.0.2.2", ZONE_POLICY_MULTIVALUE, "b", 0);
	assert_int_equal(zone_builder_finish(b, &zone, err, sizeof(err)), 0);
	zone_builder_free(&b);
	return zone;
}

/* One name of each kind that the zone answers. */
static const char *const stage_names[] = {
	"plain.corp.example", "to.corp.example",   "x.wild.corp.example", "w.corp.example",
	"m.corp.example",     "none.corp.example", "wild.corp.example",
};
#define STAGE_NAMES (sizeof(stage_names) / sizeof(stage_names[0]))

static inline struct world_conf *stage_conf(void)
{
	struct rule_opts rest = {
		.kind = RULE_DEFAULT, .domain = (const uint8_t *)"", .origin = 1, .text = "vpc"};
	struct world_opts opts = {
		.version = "", .server_id = "", .max_ttl_s = 86400, .max_negative_ttl_s = 60};
	return world_conf_new(rules_new(NULL, 0, &rest), clients_new(NULL, 0), &opts);
}

/* Publishes an edition of the zone. */
static inline void stage_publish(struct stage *stage, unsigned int edition)
{
	struct zone *zone = stage_zone(edition);
	struct zones_entry entry = {
		.zone = zone, .id = "Z0TEST", .source = ZONE_SOURCE_FILE, .origin_known = true};
	memcpy(entry.origin, zone_origin(zone), dns_name_len(zone_origin(zone)));
	assert_int_equal(world_set_zones(stage->root, zones_new(&entry, 1)), 0);
	zone_unref(&zone);
}

static inline void stage_open(struct stage *stage, size_t cache_bytes)
{
	struct cache_opts cache_opts = {.size_max = cache_bytes};
	stage->root = world_root_new(stage_conf());
	stage->cache = cache_new(&cache_opts);
	stage_publish(stage, 0);
}

static inline void stage_close(struct stage *stage)
{
	world_root_free(&stage->root);
	cache_free(&stage->cache);
}

/* --- A worker of it --- */

struct asked {
	enum query_next next;
	size_t size;
	uint8_t out[DNS_UDP_OURS];
	struct query_ask ask; /* when next says so */
};

static inline size_t stage_question(const char *text, uint8_t *packet, size_t room)
{
	uint8_t name[DNS_NAME_MAX];
	struct dns_build b;
	struct dns_opt opt = {.udp_size = 1232,
	                      .ede = DNS_EDE_NONE,
	                      .keepalive = DNS_KEEPALIVE_NONE,
	                      .cookie = (const uint8_t *)"cookie8",
	                      .cookie_len = 8};
	assert_true(dns_name_parse(text, name) > 0);
	dns_build_question(&b, packet, room, 1, DNS_FLAG_RD, name, DNS_TYPE_A);
	return dns_build_end(&b, 0, 0, &opt);
}

/* As a batch of one over UDP. */
static inline void stage_ask(struct query_worker *worker, const uint8_t *packet, size_t size,
                             struct asked *ret)
{
	struct addr client = {.len = sizeof(client.in4)};
	client.in4.sin_family = AF_INET;
	client.in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	struct query_ahead ahead = {.wire = packet, .size = size};
	struct query_in in = {.wire = packet,
	                      .size = size,
	                      .client = &client,
	                      .proto = QUERY_UDP,
	                      .now_s = STAGE_NOW_S,
	                      .ahead = &ahead};
	epoch_read_begin();
	query_read_ahead(worker, &ahead, 1);
	ret->next = query_run(worker, &in, NULL, ret->out, sizeof(ret->out), &ret->size, &ret->ask);
	epoch_read_end();
}

/* The upstream gives this address; it goes into the cache. */
static inline void stage_feed(struct query_worker *worker, const struct query_ask *ask,
                              uint32_t address)
{
	uint8_t message[512];
	uint8_t rdata[4] = {(uint8_t)(address >> 24), (uint8_t)(address >> 16),
	                    (uint8_t)(address >> 8), (uint8_t)address};
	struct dns_build b;
	struct dns_reply reply;
	dns_build_question(&b, message, sizeof(message), 1, DNS_FLAG_QR | DNS_FLAG_RA, ask->name,
	                   DNS_TYPE_A);
	dns_build_rr(&b, DNS_SECTION_ANSWER, ask->name, DNS_TYPE_A, DNS_CLASS_IN, 300, rdata, 4);
	int ret = dns_reply_read(message, dns_build_end(&b, 0, 0, NULL), &reply);
	struct query_told told = {.why = ret, .reply = &reply, .keep = true};
	epoch_read_begin();
	query_feed(worker, NULL, ask, &told, STAGE_NOW_S);
	epoch_read_end();
}
