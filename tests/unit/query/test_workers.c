/*
 * Two workers answer from one world and one cache, while zones are swapped, names flushed and the cache resized: every
 * answer is whole and belongs to its question. For the sanitizers, and for what clients may rely on.
 *
 * Threads use plain assert(): cmocka's jumps out of the main thread only.
 */
#include "stage.h"
#include <assert.h>
#include <pthread.h>

#ifdef __SANITIZE_THREAD__
#define ROUNDS 40000u
#else
#define ROUNDS 400000u
#endif
#define NAMES 5000u

struct scene {
	struct stage stage;
	bool over;
};

/* The upstream's address of the n-th name: an answer of another question shows, and so does half of one. */
static uint32_t address_of(unsigned int n)
{
	return 0x0b000000 | n << 8 | (n * 37 & 0xff);
}

/* The question and one A record, whose address is returned. */
static uint32_t check_answer(const struct asked *asked, const uint8_t *packet)
{
	struct dns_reply reply;
	struct dns_walk walk;
	struct dns_rr rr;
	assert(asked->next == QUERY_ANSWER);
	assert(dns_reply_read(asked->out, asked->size, &reply) == 0);
	assert(reply.rcode == DNS_RCODE_NOERROR && reply.edns);
	assert(dns_reply_matches(&reply, 1, packet + DNS_HEADER_SIZE, DNS_TYPE_A, true));
	assert(reply.count[DNS_SECTION_ANSWER] == 1);
	dns_walk_begin(&walk, &reply, DNS_SECTION_ANSWER);
	assert(dns_walk_next(&walk, &rr));
	assert(rr.type == DNS_TYPE_A && rr.rdlen == 4 && rr.ttl >= 1 && rr.ttl <= 300);
	return get_u32(asked->out + rr.rdata);
}

static size_t packet_of(unsigned int n, uint8_t *packet, size_t room)
{
	char name[64];
	snprintf(name, sizeof(name), "h%u.public.example", n);
	return stage_question(name, packet, room);
}

/* A name of somebody else's: from the cache, or from the upstream and then the cache. */
static void ask_public(struct query_worker *worker, unsigned int n)
{
	uint8_t packet[512];
	struct asked asked;
	size_t size = packet_of(n, packet, sizeof(packet));
	stage_ask(worker, packet, size, &asked);
	if (asked.next == QUERY_ASK) {
		assert(dns_name_equal(asked.ask.name, packet + DNS_HEADER_SIZE));
		stage_feed(worker, &asked.ask, address_of(n));
		return;
	}
	assert(check_answer(&asked, packet) == address_of(n));
}

/* A name of the zone: of one edition or another, none in between. */
static void ask_zone(struct query_worker *worker)
{
	uint8_t packet[512];
	struct asked asked;
	size_t size = stage_question("plain.corp.example", packet, sizeof(packet));
	stage_ask(worker, packet, size, &asked);
	uint32_t address = check_answer(&asked, packet);
	assert((address & 0xffff00ff) == 0x0a000001);
}

static void *worker_main(void *ctx)
{
	struct scene *scene = ctx;
	struct query_worker worker;
	struct draw draw;
	draw_seed(&draw);
	epoch_thread_start();
	int ret = query_worker_init(&worker, scene->stage.root, scene->stage.cache);
	assert(ret == 0);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		/* Half of the questions are for the same few names, so that both workers meet there. */
		ask_public(&worker, draw_below(&draw, i % 2 == 0 ? 8 : NAMES));
		if (i % 4 == 0) {
			ask_zone(&worker);
		}
	}
	query_worker_fini(&worker);
	epoch_thread_stop();
	return NULL;
}

/* What the sync and control threads do meanwhile. */
static void *others_main(void *ctx)
{
	struct scene *scene = ctx;
	struct draw draw;
	draw_seed(&draw);
	epoch_thread_start();
	for (unsigned int i = 0; !epoch_load(&scene->over); i++) {
		struct cache_opts opts = {.size_max = (size_t)1 << 20 << draw_below(&draw, 3)};
		uint8_t packet[512];
		switch (i % 32) {
		case 0:
			stage_publish(&scene->stage, i);
			break;
		case 8:
			world_set_conf(scene->stage.root, stage_conf());
			break;
		case 16:
			cache_resize(scene->stage.cache, &opts);
			break;
		default:
			packet_of(draw_below(&draw, 8), packet, sizeof(packet));
			cache_flush(scene->stage.cache, packet + DNS_HEADER_SIZE, false);
			break;
		}
	}
	epoch_thread_stop();
	return NULL;
}

static void test_two_workers(void **state)
{
	static struct scene scene;
	pthread_t workers[2];
	pthread_t others;
	stage_open(&scene.stage, 2 << 20);
	assert_int_equal(pthread_create(&others, NULL, others_main, &scene), 0);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(pthread_create(&workers[i], NULL, worker_main, &scene), 0);
	}
	for (unsigned int i = 0; i < 2; i++) {
		pthread_join(workers[i], NULL);
	}
	epoch_store(&scene.over, true);
	pthread_join(others, NULL);
	epoch_drain();
	stage_close(&scene.stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_two_workers)};
	epoch_thread_start();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	epoch_drain();
	epoch_thread_stop();
	return failed;
}
