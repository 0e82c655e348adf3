/*
 * stage.h - a real server on loopback with a zone, one forwarded domain, and the test as its upstream.
 *
 * corp.test is a private zone (www A, big TXT over 1232 octets); fwd.test is asked of the test's own socket, which
 * answers when the test says so.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "base/epoch.h"
#include "base/log.h"
#include "base/mono.h"
#include "dns/build.h"
#include "server/server.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ORIGIN_VPC 1
#define ORIGIN_FWD 7

/* What a test wants different; zero: the usual. */
struct stage_opts {
	const char *listen; /* "127.0.0.1" */
	unsigned int workers;
	unsigned int tcp_max_connections;
	unsigned int tcp_max_per_client;
	unsigned int tcp_idle_s;
	unsigned int stale_after_ms;
	uint32_t rate; /* of 127.0.0.3 */
};

struct stage {
	struct world_root *root;
	struct cache *cache;
	struct forward *forward;
	struct server *server;
	struct addr listen;
	int upstream;
};

static void stage_zone(struct stage *s)
{
	char text[8][251];
	const char *big[8];
	uint8_t origin[DNS_NAME_MAX];
	char err[128];
	struct zone *zone = NULL;
	for (unsigned int i = 0; i < 8; i++) {
		memset(text[i], 'a' + (int)i, sizeof(text[i]) - 1);
		text[i][0] = '"';
		text[i][249] = '"';
		text[i][250] = '\0';
		big[i] = text[i];
	}
	const char *address = "10.0.0.1";
	const char *soa = "a. b. 1 7200 900 1209600 86400";
	struct zone_record_set sets[] = {
		{.name = "corp.test",
	         .type = "SOA",
	         .ttl_s = 900,
	         .values = &soa,
	         .value_count = 1},
		{.name = "www.corp.test",
	         .type = "A",
	         .ttl_s = 60,
	         .values = &address,
	         .value_count = 1},
		{.name = "big.corp.test",
	         .type = "TXT",
	         .ttl_s = 60,
	         .values = big,
	         .value_count = 8},
	};
	dns_name_parse("corp.test", origin);
	struct zone_opts opts = {.id = "Z0TEST", .origin = origin};
	struct zone_builder *builder = zone_builder_new(&opts);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(zone_builder_add(builder, &sets[i]), 0);
	}
	assert_int_equal(zone_builder_finish(builder, &zone, err, sizeof(err)), 0);
	zone_builder_free(&builder);
	struct zones_entry entry = {
		.zone = zone, .id = "Z0TEST", .source = ZONE_SOURCE_FILE, .origin_known = true};
	memcpy(entry.origin, origin, dns_name_len(origin));
	assert_int_equal(world_set_zones(s->root, zones_new(&entry, 1)), 0);
	zone_unref(&zone);
}

static struct world_conf *stage_conf(uint32_t rate)
{
	static const struct world_opts opts = {
		.version = "test", .server_id = "", .max_ttl_s = 86400, .max_negative_ttl_s = 60};
	struct client_opts clients[] = {
		{.may = CLIENT_ALL}, {.may = CLIENT_ALL}, {.may = CLIENT_ALL, .rate = rate}};
	prefix_parse("127.0.0.0/8", &clients[0].from);
	prefix_parse("::1", &clients[1].from);
	prefix_parse("127.0.0.3", &clients[2].from);
	uint8_t domain[DNS_NAME_MAX];
	dns_name_parse("fwd.test", domain);
	struct rule_opts rule = {.kind = RULE_FORWARD,
	                         .domain = domain,
	                         .origin = ORIGIN_FWD,
	                         .text = "FORWARD fwd.test"};
	struct rule_opts rest = {.kind = RULE_DEFAULT,
	                         .domain = (const uint8_t *)"",
	                         .origin = ORIGIN_VPC,
	                         .text = "vpc"};
	return world_conf_new(rules_new(&rule, 1, &rest), clients_new(clients, 3), &opts);
}

/* A port that is free for both, as far as one can know. */
static void stage_port(struct addr *addr)
{
	struct addr bound = *addr;
	int fd = socket(addr->sa.sa_family, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, &addr->sa, addr->len), 0);
	assert_int_equal(getsockname(fd, &bound.sa, &bound.len), 0);
	addr_set_port(addr, addr_port(&bound));
	close(fd);
}

static void stage_upstream(struct stage *s)
{
	struct addr addr;
	addr_parse("127.0.0.1", 0, &addr);
	s->upstream = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(s->upstream, &addr.sa, addr.len), 0);
	assert_int_equal(getsockname(s->upstream, &addr.sa, &addr.len), 0);
	struct forward_group_opts group = {.origin = ORIGIN_FWD,
	                                   .rule = "fwd.test",
	                                   .targets = &addr,
	                                   .target_count = 1,
	                                   .max_inflight = 10000};
	assert_int_equal(forward_set_groups(s->forward, &group, 1), 0);
}

static bool stage_thread; /* a test that failed has not ended its stage */

#define OR(value, usual) ((value) != 0 ? (value) : (usual))

static void stage_begin(struct stage *s, const struct stage_opts *opts)
{
	char err[256] = "";
	unsigned int workers = OR(opts->workers, 1);
	struct forward_opts forward_opts = {.workers = workers};
	struct cache_opts cache_opts = {.size_max = 64 << 20, .stale_s = 86400};
	log_set_level(LOG_LEVEL_ERROR);
	if (!stage_thread) {
		epoch_thread_start();
		stage_thread = true;
	}
	s->root = world_root_new(stage_conf(opts->rate));
	s->cache = cache_new(&cache_opts);
	s->forward = forward_new(&forward_opts);
	stage_zone(s);
	stage_upstream(s);
	addr_parse(opts->listen != NULL ? opts->listen : "127.0.0.1", 0, &s->listen);
	stage_port(&s->listen);
	struct server_opts server_opts = {
		.listen = &s->listen,
		.listen_count = 1,
		.workers = workers,
		.tcp_max_connections = OR(opts->tcp_max_connections, 100),
		.tcp_max_per_client = OR(opts->tcp_max_per_client, 100),
		.tcp_idle_s = OR(opts->tcp_idle_s, 10),
		.stale_after_ms = OR(opts->stale_after_ms, 800),
		.root = s->root,
		.cache = s->cache,
		.forward = s->forward,
	};
	if (server_new(&server_opts, &s->server, err, sizeof(err)) != 0) {
		fail_msg("%s", err);
	}
	assert_int_equal(server_start(s->server), 0);
}

static void stage_end(struct stage *s)
{
	server_stop(&s->server, 0);
	forward_free(&s->forward);
	world_root_free(&s->root);
	cache_free(&s->cache);
	close(s->upstream);
	epoch_drain();
	epoch_thread_stop();
	stage_thread = false;
}

/* --- Packets --- */

static inline size_t question(uint8_t *buf, uint16_t id, const char *text, uint16_t type)
{
	uint8_t name[DNS_NAME_MAX];
	struct dns_build b;
	assert_true(dns_name_parse(text, name) > 0);
	dns_build_question(&b, buf, 512, id, DNS_FLAG_RD, name, type);
	return dns_build_end(&b, 0, 0, NULL);
}

static inline int client_socket(const struct stage *s, int kind, const char *from)
{
	struct addr addr;
	int fd = socket(s->listen.sa.sa_family, kind | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	if (from != NULL) {
		addr_parse(from, 0, &addr);
		assert_int_equal(bind(fd, &addr.sa, addr.len), 0);
	}
	return fd;
}

/* A client connected to the server's port at this address (NULL: the one it listens on). */
static inline int client_to(const struct stage *s, int kind, const char *from, const char *to)
{
	struct addr addr = s->listen;
	if (to != NULL) {
		addr_parse(to, addr_port(&s->listen), &addr);
	}
	int fd = client_socket(s, kind, from);
	assert_int_equal(connect(fd, &addr.sa, addr.len), 0);
	return fd;
}

static inline bool readable(int fd, int wait_ms)
{
	struct pollfd at = {.fd = fd, .events = POLLIN};
	return poll(&at, 1, wait_ms) == 1;
}

/* Octets of the next datagram; 0 when none came in time. */
static inline size_t datagram(int fd, uint8_t *buf, size_t room, int wait_ms)
{
	ssize_t n = readable(fd, wait_ms) ? recv(fd, buf, room, 0) : 0;
	return n > 0 ? (size_t)n : 0;
}

/* --- TCP --- */

static inline size_t frame(uint8_t *buf, uint16_t id, const char *name, uint16_t type)
{
	size_t size = question(buf + 2, id, name, type);
	put_u16(buf, (uint16_t)size);
	return size + 2;
}

static inline void tcp_ask(int fd, uint16_t id, const char *name, uint16_t type)
{
	uint8_t buf[600];
	size_t size = frame(buf, id, name, type);
	assert_int_equal(send(fd, buf, size, MSG_NOSIGNAL), size);
}

/* False: closed, or nothing in time. */
static inline bool tcp_octets(int fd, uint8_t *buf, size_t size, int wait_ms)
{
	while (size > 0) {
		ssize_t n = readable(fd, wait_ms) ? recv(fd, buf, size, 0) : 0;
		if (n <= 0) {
			return false;
		}
		buf += n;
		size -= (size_t)n;
	}
	return true;
}

/* Size of the next message, or 0. */
static inline size_t tcp_message(int fd, uint8_t *buf, int wait_ms)
{
	uint8_t length[2];
	if (!tcp_octets(fd, length, 2, wait_ms)) {
		return 0;
	}
	return tcp_octets(fd, buf, get_u16(length), wait_ms) ? get_u16(length) : 0;
}

/* The server closes this connection within that time, without a word more. */
static inline bool tcp_closes(int fd, int wait_ms)
{
	uint8_t octet;
	return readable(fd, wait_ms) && recv(fd, &octet, 1, 0) <= 0;
}

/* --- The upstream's part --- */

struct asked {
	uint8_t wire[1500];
	size_t size;
	struct addr from;
};

/* False: nobody asked in time. */
static inline bool upstream_asked(const struct stage *s, struct asked *ret, int wait_ms)
{
	ret->from.len = sizeof(ret->from.in6);
	ssize_t n = readable(s->upstream, wait_ms)
	                    ? recvfrom(s->upstream, ret->wire, sizeof(ret->wire), 0, &ret->from.sa,
	                               &ret->from.len)
	                    : 0;
	ret->size = n > 0 ? (size_t)n : 0;
	return n > 0;
}

/* 192.0.2.1 for whatever was asked. */
static inline void upstream_answers(const struct stage *s, const struct asked *asked)
{
	static const uint8_t address[4] = {192, 0, 2, 1};
	uint8_t buf[1500];
	struct dns_query q;
	struct dns_build b;
	assert_int_equal(dns_query_read(asked->wire, asked->size, &q), DNS_VERDICT_OK);
	dns_build_answer(&b, buf, sizeof(buf), sizeof(buf), &q);
	dns_build_rr_at(&b, DNS_SECTION_ANSWER, DNS_HEADER_SIZE, DNS_TYPE_A, DNS_CLASS_IN, 60,
	                address, 4);
	size_t size = dns_build_end(&b, 0, 0, NULL);
	assert_int_equal(sendto(s->upstream, buf, size, 0, &asked->from.sa, asked->from.len), size);
}

static inline unsigned int rcode_of(const uint8_t *wire)
{
	return get_u16(wire + 2) & 15;
}

/* A counter's value in the server's metrics: `horizond_dropped_total{reason="rate"}`. */
static inline unsigned long counted(struct stage *s, const char *sample)
{
	struct text out;
	text_init(&out, 0);
	server_metrics(s->server, &out);
	char line[128];
	snprintf(line, sizeof(line), "\n%s", sample);
	const char *at = strstr(text_get(&out), line);
	assert_non_null(at);
	unsigned long value = strtoul(at + strlen(line), NULL, 10);
	text_fini(&out);
	return value;
}

/* The counter reaches this value within two seconds. */
static inline bool comes_to(struct stage *s, const char *sample, unsigned long value)
{
	for (unsigned int i = 0; i < 1000 && counted(s, sample) != value; i++) {
		usleep(2000);
	}
	return counted(s, sample) == value;
}
