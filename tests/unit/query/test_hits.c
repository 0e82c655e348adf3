/*
 * The hit path allocates nothing: 100,000 questions answered from a zone (plain, weighted, multivalue, wildcard,
 * CNAME, negative) and 100,000 from the cache, with every call of malloc and its kin counted.
 */
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

#define HITS 100000

/* volatile: the compiler believes that malloc looks at nothing of ours. */
static __thread volatile bool counting;
static __thread volatile unsigned long allocations;

static void count_one(void)
{
	allocations += counting;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));
static void hook_malloc(const volatile void *at, size_t size)
{
	count_one();
}
static void hook_free(const volatile void *at)
{
}
static void count_install(void)
{
	__sanitizer_install_malloc_and_free_hooks(hook_malloc, hook_free);
}
#else
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *at, size_t size);
void *malloc(size_t size)
{
	count_one();
	return __libc_malloc(size);
}
void *calloc(size_t count, size_t size)
{
	count_one();
	return __libc_calloc(count, size);
}
void *realloc(void *at, size_t size)
{
	count_one();
	return __libc_realloc(at, size);
}
static void count_install(void)
{
}
#endif

struct stage {
	struct world_root *root;
	struct cache *cache;
	struct query_worker worker;
	struct addr client;
};

static void add(struct zone_builder *builder, const char *name, const char *type, const char *value,
                enum zone_policy policy, const char *id, uint32_t weight)
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

static struct zone *corp_zone(void)
{
	uint8_t origin[DNS_NAME_MAX];
	char err[128];
	struct zone *zone = NULL;
	dns_name_parse("corp.example", origin);
	struct zone_opts opts = {.id = "Z0TEST", .origin = origin};
	struct zone_builder *builder = zone_builder_new(&opts);
	add(builder, "corp.example", "SOA", "a. b. 1 7200 900 1209600 86400", ZONE_POLICY_SIMPLE,
	    NULL, 0);
	add(builder, "plain.corp.example", "A", "10.0.0.1", ZONE_POLICY_SIMPLE, NULL, 0);
	add(builder, "to.corp.example", "CNAME", "plain.corp.example", ZONE_POLICY_SIMPLE, NULL, 0);
	add(builder, "*.wild.corp.example", "A", "10.0.0.2", ZONE_POLICY_SIMPLE, NULL, 0);
	add(builder, "w.corp.example", "A", "10.0.1.1", ZONE_POLICY_WEIGHTED, "a", 10);
	add(builder, "w.corp.example", "A", "10.0.1.2", ZONE_POLICY_WEIGHTED, "b", 90);
	add(builder, "m.corp.example", "A", "10.0.2.1", ZONE_POLICY_MULTIVALUE, "a", 0);
	add(builder, "m.corp.example", "A", "10.0.2.2", ZONE_POLICY_MULTIVALUE, "b", 0);
	assert_int_equal(zone_builder_finish(builder, &zone, err, sizeof(err)), 0);
	zone_builder_free(&builder);
	return zone;
}

static int stage_begin(void **state)
{
	static struct stage stage;
	struct zone *zone = corp_zone();
	struct zones_entry entry = {
		.zone = zone, .id = "Z0TEST", .source = ZONE_SOURCE_FILE, .origin_known = true};
	memcpy(entry.origin, zone_origin(zone), dns_name_len(zone_origin(zone)));
	struct rule_opts rest = {
		.kind = RULE_DEFAULT, .domain = (const uint8_t *)"", .origin = 1, .text = "vpc"};
	struct world_opts opts = {
		.version = "", .server_id = "", .max_ttl_s = 86400, .max_negative_ttl_s = 60};
	struct cache_opts cache_opts = {.size_max = 1 << 20};
	stage.root = world_root_new(
		world_conf_new(rules_new(NULL, 0, &rest), clients_new(NULL, 0), &opts));
	stage.cache = cache_new(&cache_opts);
	assert_int_equal(world_set_zones(stage.root, zones_new(&entry, 1)), 0);
	zone_unref(&zone);
	assert_int_equal(query_worker_init(&stage.worker, stage.root, stage.cache), 0);
	assert_int_equal(addr_parse("127.0.0.1", 5000, &stage.client), 0);
	*state = &stage;
	return 0;
}

static int stage_end(void **state)
{
	struct stage *stage = *state;
	query_worker_fini(&stage->worker);
	world_root_free(&stage->root);
	cache_free(&stage->cache);
	return 0;
}

static enum query_next ask(struct stage *stage, const uint8_t *packet, size_t size,
                           struct query_ask *ret_ask)
{
	struct query_ahead ahead = {.wire = packet, .size = size};
	struct query_in in = {.wire = packet,
	                      .size = size,
	                      .client = &stage->client,
	                      .proto = QUERY_UDP,
	                      .now_s = 1000,
	                      .ahead = &ahead};
	uint8_t out[DNS_UDP_OURS];
	size_t answer;
	epoch_read_begin();
	query_read_ahead(&stage->worker, &ahead, 1);
	enum query_next next =
		query_run(&stage->worker, &in, NULL, out, sizeof(out), &answer, ret_ask);
	epoch_read_end();
	return next;
}

static size_t question(const char *text, uint8_t *packet, size_t room)
{
	uint8_t name[DNS_NAME_MAX];
	struct dns_build b;
	struct dns_opt opt = {.udp_size = 1232, .ede = DNS_EDE_NONE, .keepalive = -1};
	assert_true(dns_name_parse(text, name) > 0);
	dns_build_question(&b, packet, room, 1, DNS_FLAG_RD, name, DNS_TYPE_A);
	return dns_build_end(&b, 0, 0, &opt);
}

static void zone_hits(void **state)
{
	static const char *const names[] = {
		"plain.corp.example", "to.corp.example",   "x.wild.corp.example", "w.corp.example",
		"m.corp.example",     "none.corp.example", "wild.corp.example",
	};
	const size_t count = sizeof(names) / sizeof(names[0]);
	uint8_t packets[16][512];
	size_t sizes[16];
	struct query_ask unused;
	for (size_t i = 0; i < count; i++) {
		sizes[i] = question(names[i], packets[i], sizeof(packets[i]));
	}
	allocations = 0;
	counting = true;
	unsigned long answered = 0;
	for (unsigned long i = 0; i < HITS; i++) {
		answered +=
			ask(*state, packets[i % count], sizes[i % count], &unused) == QUERY_ANSWER;
	}
	counting = false;
	assert_int_equal(answered, HITS);
	assert_int_equal(allocations, 0);
}

static void cache_hits(void **state)
{
	struct stage *stage = *state;
	uint8_t packet[512];
	size_t size = question("www.public.example", packet, sizeof(packet));
	struct query_ask wanted;
	assert_int_equal(ask(stage, packet, size, &wanted), QUERY_ASK);

	uint8_t message[512];
	struct dns_build b;
	struct dns_reply reply;
	dns_build_question(&b, message, sizeof(message), 1, DNS_FLAG_QR | DNS_FLAG_RA, wanted.name,
	                   DNS_TYPE_A);
	dns_build_rr(&b, DNS_SECTION_ANSWER, wanted.name, DNS_TYPE_A, DNS_CLASS_IN, 300,
	             (const uint8_t *)"\300\000\002\001", 4);
	assert_int_equal(dns_reply_read(message, dns_build_end(&b, 0, 0, NULL), &reply), 0);
	struct query_told told = {.reply = &reply, .keep = true};
	epoch_read_begin();
	assert_int_equal(query_feed(&stage->worker, NULL, &wanted, &told, 1000), 0);
	epoch_read_end();

	allocations = 0;
	counting = true;
	unsigned long answered = 0;
	for (unsigned long i = 0; i < HITS; i++) {
		answered += ask(stage, packet, size, &wanted) == QUERY_ANSWER;
	}
	counting = false;
	assert_int_equal(answered, HITS);
	assert_int_equal(allocations, 0);
}

/* The counter itself counts. */
static void counter_counts(void **state)
{
	allocations = 0;
	counting = true;
	void *volatile at = malloc(10);
	counting = false;
	free(at);
	assert_int_equal(allocations, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counter_counts),
		cmocka_unit_test(zone_hits),
		cmocka_unit_test(cache_hits),
	};
	count_install();
	epoch_thread_start();
	int failed = cmocka_run_group_tests(tests, stage_begin, stage_end);
	epoch_drain();
	epoch_thread_stop();
	return failed;
}
