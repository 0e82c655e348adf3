#include "stage.h"
#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>

#define CONNECTIONS "horizond_tcp_connections "

static uint8_t answer[DNS_MSG_MAX];

static void octet_by_octet_and_many_at_once(void **state)
{
	struct stage s;
	stage_begin(&s, &(struct stage_opts){0});
	int fd = client_to(&s, SOCK_STREAM, NULL, NULL);
	uint8_t buf[600];
	size_t size = frame(buf, 1, "www.corp.test", DNS_TYPE_A);
	for (size_t i = 0; i < size; i++) {
		assert_int_equal(send(fd, buf + i, 1, MSG_NOSIGNAL), 1);
		usleep(200);
	}
	assert_true(tcp_message(fd, answer, 2000) > 0);
	assert_int_equal(get_u16(answer), 1);
	assert_int_equal(get_u16(answer + 6), 1);

	/* More in one go than one read takes. */
	static uint8_t many[200000];
	size_t len = 0;
	uint16_t count = 0;
	for (; len + 64 < sizeof(many); count++) {
		len += frame(many + len, count, "www.corp.test", DNS_TYPE_A);
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	size_t sent = 0;
	for (uint16_t got = 0; got < count;) {
		ssize_t n = send(fd, many + sent, len - sent, MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		while (got < count && readable(fd, sent == len ? 2000 : 0)) {
			assert_true(tcp_message(fd, answer, 2000) > 0);
			assert_int_equal(get_u16(answer), got++);
		}
	}
	close(fd);
	stage_end(&s);
}

/* Nobody waits for the one before him (RFC 7766 section 6.2.1.1). */
static void answers_leave_as_they_come(void **state)
{
	struct stage s;
	struct asked asked;
	stage_begin(&s, &(struct stage_opts){0});
	int fd = client_to(&s, SOCK_STREAM, NULL, NULL);
	tcp_ask(fd, 1, "a.fwd.test", DNS_TYPE_A);
	tcp_ask(fd, 2, "www.corp.test", DNS_TYPE_A);
	assert_true(tcp_message(fd, answer, 2000) > 0);
	assert_int_equal(get_u16(answer), 2);
	assert_true(upstream_asked(&s, &asked, 2000));
	upstream_answers(&s, &asked);
	assert_true(tcp_message(fd, answer, 2000) > 0);
	assert_int_equal(get_u16(answer), 1);
	assert_int_equal(rcode_of(answer), DNS_RCODE_NOERROR);
	close(fd);
	stage_end(&s);
}

/* 300 questions in one write, 128 may wait at a time, and the client has nothing more to say. */
static void half_closed_clients_get_every_answer(void **state)
{
	struct stage s;
	struct asked asked;
	stage_begin(&s, &(struct stage_opts){0});
	int fd = client_to(&s, SOCK_STREAM, NULL, NULL);
	static uint8_t many[300 * 64];
	size_t len = 0;
	for (unsigned int i = 0; i < 300; i++) {
		char name[32];
		snprintf(name, sizeof(name), "n%u.fwd.test", i);
		len += frame(many + len, (uint16_t)i, name, DNS_TYPE_A);
	}
	assert_int_equal(send(fd, many, len, MSG_NOSIGNAL), len);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	bool seen[300] = {false};
	for (unsigned int i = 0; i < 300; i++) {
		assert_true(upstream_asked(&s, &asked, 2000));
		upstream_answers(&s, &asked);
		assert_true(tcp_message(fd, answer, 2000) > 0);
		assert_int_equal(rcode_of(answer), DNS_RCODE_NOERROR);
		assert_false(seen[get_u16(answer)]);
		seen[get_u16(answer)] = true;
	}
	assert_true(tcp_closes(fd, 2000));
	assert_true(comes_to(&s, CONNECTIONS, 0));
	close(fd);
	stage_end(&s);
}

/* An answer of one record with size octets of data that has outlived its life, in the cache. */
static void keep_stale(const struct stage *s, const char *text, uint16_t type, uint16_t rdlen)
{
	static uint8_t wire[DNS_MSG_MAX] = {0xc0, 12, 0, 0, 0, 1, 0, 0, 0, 60};
	uint16_t ttl_at[] = {6};
	put_u16(wire + 2, type);
	put_u16(wire + 10, rdlen);
	uint8_t name[DNS_NAME_MAX];
	struct dns_key key;
	struct dns_body body = {.outcome = DNS_OUTCOME_ANSWER,
	                        .size = (uint16_t)(12 + rdlen),
	                        .count = {1, 0},
	                        .ttl_count = 1,
	                        .ttl_s = 60,
	                        .ttl_at = ttl_at,
	                        .wire = wire};
	dns_name_parse(text, name);
	dns_key_make(&key, name);
	struct cache_key cache_key = {.name = &key, .origin = ORIGIN_FWD, .type = type};
	cache_store(s->cache, &cache_key, &body, mono_ms() / 1000 - 600);
}

/* Who has had stale data waits no more: those behind him get their turn, at once. */
static void stale_answers_let_others_through(void **state)
{
	struct stage s;
	stage_begin(&s, &(struct stage_opts){.stale_after_ms = 10});
	keep_stale(&s, "old.fwd.test", DNS_TYPE_A, 4);
	int fd = client_to(&s, SOCK_STREAM, NULL, NULL);
	static uint8_t many[200 * 64];
	size_t len = 0;
	for (unsigned int i = 0; i < 200; i++) {
		len += frame(many + len, (uint16_t)i, "old.fwd.test", DNS_TYPE_A);
	}
	uint64_t begun_ms = mono_ms();
	assert_int_equal(send(fd, many, len, MSG_NOSIGNAL), len);
	shutdown(fd, SHUT_WR);
	for (unsigned int i = 0; i < 200; i++) {
		assert_true(tcp_message(fd, answer, 2500) > 0);
		assert_int_equal(get_u16(answer + 6), 1);
	}
	assert_true(tcp_closes(fd, 1000));
	assert_true(mono_ms() - begun_ms < 1000);
	close(fd);
	stage_end(&s);
}

/* What a client may have waiting (GATE_WAITING_MAX) is free again once it has stale data. */
static void stale_answers_free_the_client(void **state)
{
	struct stage s;
	uint8_t buf[512];
	stage_begin(&s, &(struct stage_opts){.stale_after_ms = 1});
	keep_stale(&s, "old.fwd.test", DNS_TYPE_A, 4);
	int fd = client_to(&s, SOCK_DGRAM, NULL, NULL);
	for (unsigned int i = 0; i < 1100; i++) {
		size_t size = question(buf, (uint16_t)i, "old.fwd.test", DNS_TYPE_A);
		assert_int_equal(send(fd, buf, size, 0), size);
		if (i % 100 == 99) {
			for (unsigned int j = 0; j < 100; j++) {
				assert_true(datagram(fd, answer, sizeof(answer), 2000) > 0);
				assert_int_equal(rcode_of(answer), DNS_RCODE_NOERROR);
			}
		}
	}
	close(fd);
	stage_end(&s);
}

/*
 * 128 large answers that come all at once: who reads gets them all; who does not is let go, rather than given
 * 8 MB of memory.
 */
static void large_answers_are_taken_or_end_it(void **state)
{
	struct stage s;
	stage_begin(&s, &(struct stage_opts){.stale_after_ms = 10});
	keep_stale(&s, "old.fwd.test", DNS_TYPE_NULL, 60000);
	for (unsigned int reads = 0; reads < 2; reads++) {
		int fd = client_socket(&s, SOCK_STREAM, NULL);
		int size = reads ? 4 << 20 : 4096;
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
		assert_int_equal(connect(fd, &s.listen.sa, s.listen.len), 0);
		unsigned int count = reads ? 20 : 128;
		for (unsigned int i = 0; i < count; i++) {
			tcp_ask(fd, (uint16_t)i, "old.fwd.test", DNS_TYPE_NULL);
		}
		for (unsigned int i = 0; reads && i < count; i++) {
			assert_true(tcp_message(fd, answer, 2000) > 60000);
		}
		if (reads) {
			close(fd);
		}
		assert_true(comes_to(&s, CONNECTIONS, 0));
		if (!reads) {
			close(fd);
		}
	}
	stage_end(&s);
}

static void clients_that_go_leave_nothing(void **state)
{
	struct stage s;
	struct asked asked;
	stage_begin(&s, &(struct stage_opts){.tcp_max_per_client = 2});
	for (unsigned int i = 0; i < 20; i++) {
		char name[32];
		snprintf(name, sizeof(name), "n%u.fwd.test", i);
		int fd = client_to(&s, SOCK_STREAM, NULL, NULL);
		for (uint16_t id = 0; id < 10; id++) {
			tcp_ask(fd, id, name, DNS_TYPE_A);
		}
		assert_true(upstream_asked(&s, &asked, 2000));
		struct linger reset = {.l_onoff = 1};
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
		if (i % 2 == 0) {
			assert_true(comes_to(&s, CONNECTIONS, 0));
		}
		upstream_answers(&s, &asked);
		assert_true(comes_to(&s, CONNECTIONS, 0));
	}
	assert_int_equal(counted(&s, "horizond_dropped_total{reason=\"tcp_refused\"} "), 0);
	stage_end(&s);
}

static void per_client_limit(void **state)
{
	struct stage s;
	stage_begin(&s, &(struct stage_opts){.tcp_max_per_client = 2});
	int fd[3];
	for (unsigned int i = 0; i < 3; i++) {
		fd[i] = client_to(&s, SOCK_STREAM, NULL, NULL);
	}
	assert_true(tcp_closes(fd[2], 2000));
	int other = client_to(&s, SOCK_STREAM, "127.0.0.2", NULL);
	tcp_ask(other, 1, "www.corp.test", DNS_TYPE_A);
	assert_true(tcp_message(other, answer, 2000) > 0);
	close(fd[0]);
	assert_true(comes_to(&s, CONNECTIONS, 2));
	close(fd[2]);
	fd[2] = client_to(&s, SOCK_STREAM, NULL, NULL);
	tcp_ask(fd[2], 1, "www.corp.test", DNS_TYPE_A);
	assert_true(tcp_message(fd[2], answer, 2000) > 0);
	close(fd[1]);
	close(fd[2]);
	close(other);
	stage_end(&s);
}

/* All places taken: the longest idle makes way (T21), but never for one who has had his share. */
static void the_longest_idle_makes_way(void **state)
{
	struct stage s;
	stage_begin(&s, &(struct stage_opts){.tcp_max_connections = 3, .tcp_max_per_client = 2});
	int quiet = client_to(&s, SOCK_STREAM, "127.0.0.2", NULL);
	int greedy[3];
	for (unsigned int i = 0; i < 2; i++) {
		greedy[i] = client_to(&s, SOCK_STREAM, NULL, NULL);
		tcp_ask(greedy[i], 1, "www.corp.test", DNS_TYPE_A);
		assert_true(tcp_message(greedy[i], answer, 2000) > 0);
	}
	greedy[2] = client_to(&s, SOCK_STREAM, NULL, NULL);
	assert_true(tcp_closes(greedy[2], 2000));
	assert_false(tcp_closes(quiet, 50));

	int other = client_to(&s, SOCK_STREAM, "127.0.0.4", NULL);
	tcp_ask(other, 1, "www.corp.test", DNS_TYPE_A);
	assert_true(tcp_message(other, answer, 2000) > 0);
	assert_true(tcp_closes(quiet, 2000));
	assert_int_equal(counted(&s, "horizond_dropped_total{reason=\"tcp_evicted\"} "), 1);
	for (unsigned int i = 0; i < 3; i++) {
		close(greedy[i]);
	}
	close(other);
	close(quiet);
	stage_end(&s);
}

/* A message has its whole time from its first octet, however long the connection was idle before. */
static void a_late_frame_has_its_time(void **state)
{
	struct stage s;
	stage_begin(&s, &(struct stage_opts){.tcp_idle_s = 1});
	int fd = client_to(&s, SOCK_STREAM, NULL, NULL);
	int quiet = client_to(&s, SOCK_STREAM, NULL, NULL);
	int slow = client_to(&s, SOCK_STREAM, NULL, NULL);
	uint8_t buf[600];
	size_t size = frame(buf, 1, "www.corp.test", DNS_TYPE_A);
	assert_int_equal(send(slow, buf, 1, MSG_NOSIGNAL), 1);
	usleep(700000);
	assert_int_equal(send(fd, buf, 1, MSG_NOSIGNAL), 1);
	assert_int_equal(send(slow, buf + 1, 1, MSG_NOSIGNAL), 1);
	assert_true(tcp_closes(quiet, 500));
	assert_true(tcp_closes(slow, 300)); /* octets alone win no time */
	usleep(200000);
	assert_int_equal(send(fd, buf + 1, size - 1, MSG_NOSIGNAL), size - 1);
	assert_true(tcp_message(fd, answer, 500) > 0);
	assert_true(tcp_closes(fd, 1500));
	close(fd);
	close(quiet);
	close(slow);
	stage_end(&s);
}

/* A client that asks and never reads is not served without end, nor kept. */
static void who_never_reads_is_let_go(void **state)
{
	struct stage s;
	stage_begin(&s, &(struct stage_opts){.tcp_idle_s = 1});
	int fd = client_socket(&s, SOCK_STREAM | SOCK_NONBLOCK, NULL);
	int small = 4096;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	connect(fd, &s.listen.sa, s.listen.len);
	usleep(50000);
	uint8_t buf[600];
	size_t size = frame(buf, 1, "big.corp.test", DNS_TYPE_TXT);
	uint64_t begun_ms = mono_ms();
	size_t sent = 0;
	ssize_t n = 0;
	/* Until we are told no more, or that it is over. */
	while (mono_ms() - begun_ms < 4000 && (n >= 0 || errno == EAGAIN)) {
		n = send(fd, buf, size, MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		if (n < 0) {
			usleep(10000);
		}
	}
	assert_true(n < 0 && errno != EAGAIN);
	assert_true(comes_to(&s, CONNECTIONS, 0));
	close(fd);
	stage_end(&s);
}

/* No descriptor left and no connection to close: the listener must not turn the worker in circles. */
static void out_of_descriptors(void **state)
{
	struct stage s;
	struct rlimit limit;
	struct rlimit low;
	static int taken[1024];
	unsigned int count = 0;
	stage_begin(&s, &(struct stage_opts){0});
	int client = client_socket(&s, SOCK_STREAM, NULL);
	log_set_level(-1);
	getrlimit(RLIMIT_NOFILE, &limit);
	low = limit;
	low.rlim_cur = 256;
	setrlimit(RLIMIT_NOFILE, &low);
	while (count < 1024 && (taken[count] = dup(client)) >= 0) {
		count++;
	}
	assert_int_equal(connect(client, &s.listen.sa, s.listen.len), 0);
	usleep(20000);
	struct timespec before;
	struct timespec after;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	usleep(300000);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	int64_t used_us =
		(after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000;
	assert_true(used_us < 100000);
	while (count > 0) {
		close(taken[--count]);
	}
	tcp_ask(client, 1, "www.corp.test", DNS_TYPE_A);
	assert_true(tcp_message(client, answer, 2000) > 0);
	setrlimit(RLIMIT_NOFILE, &limit);
	close(client);
	stage_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(octet_by_octet_and_many_at_once),
		cmocka_unit_test(answers_leave_as_they_come),
		cmocka_unit_test(half_closed_clients_get_every_answer),
		cmocka_unit_test(stale_answers_let_others_through),
		cmocka_unit_test(stale_answers_free_the_client),
		cmocka_unit_test(large_answers_are_taken_or_end_it),
		cmocka_unit_test(clients_that_go_leave_nothing),
		cmocka_unit_test(per_client_limit),
		cmocka_unit_test(the_longest_idle_makes_way),
		cmocka_unit_test(a_late_frame_has_its_time),
		cmocka_unit_test(who_never_reads_is_let_go),
		cmocka_unit_test(out_of_descriptors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
