/* rooms: query */
#include "base/epoch.h"
#include "base/fail.h"
#include "dns/build.h"
#include "query/query.h"
#include <assert.h>

/*
 * One question through query_run, with whatever an upstream may bring, until its answer. The input: an octet of
 * switches, the packet (its length first), then one feed after the other.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ORIGIN_VPC 1
#define ORIGIN_FWD 7
#define ORIGIN_SUB 8

/* Where chains, and upstreams, like to lead. */
static const char *const names[] = {
	"www.corp.test", "out.corp.test", "loop.corp.test",   "health.corp.test",
	"big.corp.test", "fwd.test",      "a.fwd.test",       "x.sub.corp.test",
	"localhost",     "ec2.aws.test",  "w.wild.corp.test", "b.deleg.corp.test",
	"other.example", "aaaa.aws.test", "none.corp.test",   "corp.test",
};
#define NAMES (sizeof(names) / sizeof(names[0]))

static uint8_t name_wire[NAMES][DNS_NAME_MAX];
static struct world_root *root;
static struct cache *cache;
static struct query_worker worker;
static bool fed_large;         /* a chain before it may pass 64 KiB */
static struct addr clients[3]; /* all, zones, nothing */

static void zone_set(struct zone_builder *builder, const char *name, const char *type,
                     enum zone_policy policy, const char *id, const char *health,
                     const char *const *values, size_t count)
{
	struct zone_record_set set = {.name = name,
	                              .type = type,
	                              .ttl_s = 60,
	                              .policy = policy,
	                              .set_identifier = id,
	                              .weight = 10,
	                              .health_check = health,
	                              .values = values,
	                              .value_count = count};
	assert(zone_builder_add(builder, &set) == 0);
}

static void zone_one(struct zone_builder *builder, const char *name, const char *type,
                     const char *value)
{
	zone_set(builder, name, type, ZONE_POLICY_SIMPLE, NULL, NULL, &value, 1);
}

static void zones_make(void)
{
	static char text[8][251];
	const char *big[8];
	const char *value = "10.0.0.3";
	uint8_t origin[DNS_NAME_MAX];
	char err[128];
	for (unsigned int i = 0; i < 8; i++) {
		memset(text[i], 'a' + (int)i, 250);
		text[i][0] = '"';
		text[i][249] = '"';
		text[i][250] = '\0';
		big[i] = text[i];
	}
	dns_name_parse("corp.test", origin);
	struct zone_opts opts = {.id = "Z0TEST", .origin = origin};
	struct zone_builder *builder = zone_builder_new(&opts);
	zone_one(builder, "corp.test", "SOA", "a. b. 1 7200 900 1209600 86400");
	zone_one(builder, "www.corp.test", "A", "10.0.0.1");
	zone_one(builder, "out.corp.test", "CNAME", "a.fwd.test");
	zone_one(builder, "loop.corp.test", "CNAME", "pool.corp.test");
	zone_one(builder, "pool.corp.test", "CNAME", "loop.corp.test");
	zone_one(builder, "*.wild.corp.test", "CNAME", "health.corp.test");
	zone_one(builder, "deleg.corp.test", "NS", "ns.other.example");
	zone_one(builder, "mx.corp.test", "MX", "10 www.corp.test");
	zone_set(builder, "big.corp.test", "TXT", ZONE_POLICY_SIMPLE, NULL, NULL, big, 8);
	zone_set(builder, "health.corp.test", "A", ZONE_POLICY_WEIGHTED, "a", "check", &value, 1);
	zone_set(builder, "w.corp.test", "A", ZONE_POLICY_WEIGHTED, "a", NULL, &value, 1);
	struct zone *zone = NULL;
	assert(zone_builder_finish(builder, &zone, err, sizeof(err)) == 0);
	zone_builder_free(&builder);
	struct zones_entry entry = {
		.zone = zone, .id = "Z0TEST", .source = ZONE_SOURCE_FILE, .origin_known = true};
	memcpy(entry.origin, origin, dns_name_len(origin));
	assert(world_set_zones(root, zones_new(&entry, 1)) == 0);
	zone_unref(&zone);
}

static void rule(struct rule_opts *opts, uint8_t *domain, enum rule_kind kind, const char *text,
                 uint32_t origin)
{
	dns_name_parse(text, domain);
	*opts = (struct rule_opts){.kind = kind, .domain = domain, .origin = origin, .text = text};
}

static void setup(void)
{
	static const struct world_opts opts = {.version = "v",
	                                       .server_id = "id",
	                                       .max_ttl_s = 86400,
	                                       .max_negative_ttl_s = 60,
	                                       .keepalive_s = 10};
	struct rule_opts rules[5];
	uint8_t domains[4][DNS_NAME_MAX];
	struct client_opts may[3] = {
		{.may = CLIENT_ALL}, {.may = CLIENT_ZONES}, {.may = CLIENT_NOTHING}};
	struct cache_opts cache_opts = {.size_max = 1 << 20, .stale_s = 3600};
	epoch_thread_start();
	for (size_t i = 0; i < NAMES; i++) {
		dns_name_parse(names[i], name_wire[i]);
	}
	for (size_t i = 0; i < 3; i++) {
		static const char *const from[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3"};
		addr_parse(from[i], 4711, &clients[i]);
		prefix_parse(from[i], &may[i].from);
	}
	rule(&rules[0], domains[0], RULE_FORWARD, "fwd.test", ORIGIN_FWD);
	rule(&rules[1], domains[1], RULE_FORWARD, "sub.corp.test", ORIGIN_SUB);
	rule(&rules[2], domains[2], RULE_SYSTEM, "aws.test", ORIGIN_VPC);
	rule(&rules[3], domains[3], RULE_LOCAL, "localhost", ORIGIN_VPC);
	rules[4] = (struct rule_opts){.kind = RULE_DEFAULT,
	                              .domain = (const uint8_t *)"",
	                              .origin = ORIGIN_VPC,
	                              .text = "vpc"};
	root = world_root_new(
		world_conf_new(rules_new(rules, 4, &rules[4]), clients_new(may, 3), &opts));
	cache = cache_new(&cache_opts);
	zones_make();
	assert(query_worker_init(&worker, root, cache) == 0);
}

/* --- What the upstream says --- */

/* A record as the data has it: owner and data from the names we know, or raw octets. */
static void feed_rr(struct dns_build *b, const struct query_ask *ask, struct reader *r)
{
	uint8_t how = reader_u8(r);
	const uint8_t *owner = (how & 1) != 0 ? ask->name : name_wire[reader_u8(r) % NAMES];
	const uint8_t *target = name_wire[reader_u8(r) % NAMES];
	enum dns_section section = (how & 2) != 0 ? DNS_SECTION_AUTHORITY : DNS_SECTION_ANSWER;
	uint32_t ttl = (how & 4) != 0 ? reader_u32(r) : 60;
	uint8_t soa[DNS_NAME_MAX + 21] = {0};
	static uint8_t large[60000];
	switch (how >> 3 & 7) {
	case 0:
	case 1:
		dns_build_rr(b, section, owner, DNS_TYPE_CNAME, DNS_CLASS_IN, ttl, target,
		             (uint16_t)dns_name_len(target));
		break;
	case 2:
		dns_build_rr(b, section, owner, DNS_TYPE_A, DNS_CLASS_IN, ttl,
		             (const uint8_t *)"\300\0\2\1", 4);
		break;
	case 3:
		dns_build_rr(b, DNS_SECTION_AUTHORITY, owner, DNS_TYPE_SOA, DNS_CLASS_IN, ttl, soa,
		             22);
		break;
	case 4:
		dns_build_rr(b, section, owner, DNS_TYPE_NULL, DNS_CLASS_IN, ttl, large,
		             (uint16_t)(reader_u8(r) * 200));
		break;
	case 5:
		dns_build_rr(b, section, target, DNS_TYPE_DNAME, DNS_CLASS_IN, ttl, owner,
		             (uint16_t)dns_name_len(owner));
		break;
	default: {
		uint16_t type = (how & 64) != 0 ? ask->qtype : reader_u16(r);
		uint8_t len = reader_u8(r);
		const uint8_t *rdata = reader_take(r, len);
		if (rdata != NULL &&
		    b->end - b->pos > 300) { /* as it is: the builder takes valid data only */
			uint8_t *at = b->wire + b->pos;
			put_u16(at, 0xc000 | DNS_HEADER_SIZE);
			put_u16(at + 2, type);
			put_u16(at + 4, DNS_CLASS_IN);
			put_u32(at + 6, ttl);
			put_u16(at + 10, len);
			memcpy(at + 12, rdata, len);
			b->pos += 12 + (size_t)len;
			b->count[DNS_SECTION_ANSWER] += b->count[DNS_SECTION_AUTHORITY] == 0;
			b->count[DNS_SECTION_AUTHORITY] += b->count[DNS_SECTION_AUTHORITY] != 0;
		}
	}
	}
}

static void feed(struct query_wait *wait, const struct query_ask *ask, struct reader *r)
{
	static const int failures[] = {FAIL_TIMEOUT, FAIL_LAME,  FAIL_BUSY,
	                               FAIL_NET,     FAIL_NOMEM, FAIL_NOTFOUND};
	static uint8_t wire[DNS_MSG_MAX];
	uint8_t how = reader_left(r) != 0 ? reader_u8(r) : 0;
	struct query_told told = {.keep = (how & 1) != 0, .text = (how & 2) != 0 ? "so" : NULL};
	struct dns_build b;
	struct dns_reply reply;
	uint16_t flags = DNS_FLAG_QR;
	dns_build_question(&b, wire, sizeof(wire), 1, flags, ask->name, ask->qtype);
	for (unsigned int i = 0; i < (how >> 4) && reader_left(r) != 0; i++) {
		feed_rr(&b, ask, r);
	}
	size_t size = dns_build_end(&b, 0, (how & 4) != 0 ? DNS_RCODE_NXDOMAIN : 0, NULL);
	if ((how >> 4) == 0 || dns_reply_read(wire, size, &reply) != 0) {
		told.why = failures[(how >> 2) % 6];
	} else {
		told.reply = &reply;
		fed_large = fed_large || size > 32768;
	}
	query_feed(&worker, wait, ask, &told, 1000);
}

/* --- What the client hears --- */

static bool in_zone(const struct dns_query *q)
{
	struct world_place place;
	world_route(world_get(root), &q->key, &place);
	return place.zone != NULL;
}

static void check(const struct query_in *in, const uint8_t *out, size_t size)
{
	struct dns_query q;
	struct dns_reply reply;
	enum dns_verdict verdict = dns_query_read(in->wire, in->size, &q);
	assert(verdict != DNS_VERDICT_DROP);
	uint16_t flags = get_u16(out + 2);
	assert(get_u16(out) == get_u16(in->wire) && (flags & DNS_FLAG_QR) && (flags & DNS_FLAG_RA));
	if (in->proto == QUERY_UDP) {
		size_t most = verdict == DNS_VERDICT_OK ? q.udp_size : DNS_UDP_PLAIN;
		assert(size <= (most < DNS_UDP_OURS ? most : DNS_UDP_OURS));
	} else {
		assert((flags & DNS_FLAG_TC) == 0 || fed_large);
	}
	if (verdict != DNS_VERDICT_OK) {
		assert((flags & DNS_FLAG_AA) == 0 && get_u16(out + 6) == 0);
		return;
	}
	assert(dns_reply_read(out, size, &reply) == 0);
	assert(memcmp(out + DNS_HEADER_SIZE, in->wire + DNS_HEADER_SIZE, q.question_len) == 0);
	assert((flags & DNS_FLAG_RD) == (q.flags & DNS_FLAG_RD) && reply.edns == q.edns);
	unsigned int who = (unsigned int)(in->client - clients);
	bool refused = reply.rcode == DNS_RCODE_REFUSED;
	bool zone = q.qclass == DNS_CLASS_IN && in_zone(&q);
	assert(!refused || reply.count[0] + reply.count[1] + reply.count[2] == 0);
	assert(refused || who == 0 || (who == 1 && zone));
	assert(refused || ((flags & DNS_FLAG_AA) != 0) == zone);
	assert(reply.rcode == DNS_RCODE_NOERROR || reply.rcode == DNS_RCODE_NXDOMAIN || refused ||
	       reply.rcode == DNS_RCODE_SERVFAIL);
}

static void run(const struct query_in *in, struct reader *r)
{
	static uint8_t out[DNS_MSG_MAX];
	struct query_ask ask;
	struct query_wait wait;
	size_t size = 0;
	size_t room = in->proto == QUERY_UDP ? DNS_UDP_OURS : DNS_MSG_MAX;
	enum query_next next = query_run(&worker, in, NULL, out, room, &size, &ask);
	query_wait_init(&wait, &worker);
	for (unsigned int asks = 0; next == QUERY_ASK; asks++) {
		assert(asks <= QUERY_ASKS_MAX);
		feed(&wait, &ask, r);
		next = query_run(&worker, in, &wait, out, DNS_MSG_MAX, &size, &ask);
	}
	query_wait_fini(&wait);
	if (next == QUERY_ANSWER) {
		check(in, out, size);
		size = query_fail(&worker, in, DNS_EDE_OTHER, "no more", out, room);
		if (size != 0) {
			assert((get_u16(out + 2) & 15) == DNS_RCODE_SERVFAIL);
		}
	}
	while (query_refresh(&worker, &ask)) {
		feed(NULL, &ask, r);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	if (!ready) {
		setup();
		ready = true;
	}
	struct reader r = reader_of(data, size);
	uint8_t how = reader_u8(&r);
	uint16_t len = reader_u8(&r);
	const uint8_t *wire = reader_take(&r, len);
	if (wire == NULL) {
		return 0;
	}
	struct query_in in = {
		.wire = wire,
		.size = len,
		.client = &clients[(how >> 2) % 4 == 0 ? 0 : (how >> 2) % 4 - 1],
		.proto = (how & 1) != 0 ? QUERY_TCP : QUERY_UDP,
		.now_s = 1000,
		.impatient = (how & 2) != 0,
	};
	worker.draw = (struct draw){{1, 2}}; /* the same each time */
	fed_large = false;
	epoch_read_begin();
	run(&in, &r);
	in.now_s += (how & 32) != 0   ? 100
	            : (how & 64) != 0 ? 55
	                              : 0; /* stale, near its end, or fresh */
	run(&in, &r);
	epoch_read_end();
	cache_flush(cache, (const uint8_t *)"", true);
	return 0;
}
