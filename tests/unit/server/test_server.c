/* How the workers begin and end, and explain. */
#include "stage.h"
#include <pthread.h>

static uint8_t answer[DNS_MSG_MAX];

/* --- explain --- */

static unsigned int explained;

static void explain_done(struct server_explain *explain)
{
	__atomic_fetch_add(&explained, 1, __ATOMIC_RELEASE);
}

static struct server_explain *explain_new(const char *name)
{
	struct server_explain *explain = calloc(1, sizeof(*explain));
	explain->packet_size = question(explain->packet, 0, name, DNS_TYPE_A);
	addr_parse("127.0.0.1", 0, &explain->from);
	explain->done = explain_done;
	return explain;
}

static void explain_free(struct server_explain *explain)
{
	text_fini(&explain->trace.steps);
	free(explain);
}

static void explained_at_once_and_at_the_end(void **state)
{
	struct stage s;
	struct asked asked;
	explained = 0;
	stage_begin(&s, &(struct stage_opts){0});
	struct server_explain *at_once = explain_new("www.corp.test");
	struct server_explain *waits = explain_new("a.fwd.test");
	assert_int_equal(server_explain(s.server, at_once), 0);
	assert_int_equal(server_explain(s.server, waits), 0);
	assert_true(upstream_asked(&s, &asked, 2000));
	struct server_explain *unread = explain_new("b.fwd.test");
	assert_int_equal(server_explain(s.server, unread), 0);
	server_stop(&s.server, 0);
	assert_int_equal(explained, 3);
	assert_int_equal(rcode_of(at_once->answer), DNS_RCODE_NOERROR);
	assert_int_equal(rcode_of(waits->answer), DNS_RCODE_SERVFAIL);
	explain_free(at_once);
	explain_free(waits);
	explain_free(unread);
	stage_end(&s);
}

/* --- The end --- */

static void questions_in_flight_are_answered(void **state)
{
	struct stage s;
	struct asked asked;
	uint8_t buf[512];
	stage_begin(&s, &(struct stage_opts){.workers = 2});
	int udp = client_to(&s, SOCK_DGRAM, NULL, NULL);
	int tcp = client_to(&s, SOCK_STREAM, NULL, NULL);
	int idle = client_to(&s, SOCK_STREAM, NULL, NULL);
	size_t size = question(buf, 1, "a.fwd.test", DNS_TYPE_A);
	assert_int_equal(send(udp, buf, size, 0), size);
	tcp_ask(tcp, 2, "a.fwd.test", DNS_TYPE_A);
	assert_true(upstream_asked(&s, &asked, 2000));
	usleep(20000);
	uint64_t begun_ms = mono_ms();
	server_stop(&s.server, 3000);
	assert_true(mono_ms() - begun_ms < 2500);
	assert_true(datagram(udp, answer, sizeof(answer), 0) > 0);
	assert_int_equal(rcode_of(answer), DNS_RCODE_SERVFAIL);
	assert_true(tcp_message(tcp, answer, 100) > 0);
	assert_int_equal(rcode_of(answer), DNS_RCODE_SERVFAIL);
	assert_true(tcp_closes(idle, 0));
	close(udp);
	close(tcp);
	close(idle);
	stage_end(&s);
}

/* Asks for ever, a new name each time, until the connection ends. */
static void *asker_main(void *ctx)
{
	int fd = *(int *)ctx;
	uint8_t buf[600];
	char name[32];
	for (unsigned int i = 0;; i++) {
		snprintf(name, sizeof(name), "n%u.fwd.test", i);
		size_t size = frame(buf, (uint16_t)i, name, DNS_TYPE_A);
		if (send(fd, buf, size, MSG_NOSIGNAL) < 0) {
			return NULL;
		}
		usleep(5000);
	}
}

/* What is asked after the end began is not taken: who asks on cannot hold us. */
static void new_questions_do_not_hold_the_end(void **state)
{
	struct stage s;
	pthread_t asker;
	stage_begin(&s, &(struct stage_opts){0});
	int fd = client_to(&s, SOCK_STREAM, NULL, NULL);
	pthread_create(&asker, NULL, asker_main, &fd);
	usleep(100000);
	uint64_t begun_ms = mono_ms();
	server_stop(&s.server, 3000);
	assert_true(mono_ms() - begun_ms < 2300);
	shutdown(fd, SHUT_RDWR);
	pthread_join(asker, NULL);
	close(fd);
	stage_end(&s);
}

/* Nor can he who takes no answer: the end comes when its time is up. */
static void deaf_clients_do_not_hold_the_end(void **state)
{
	struct stage s;
	uint8_t buf[600];
	stage_begin(&s, &(struct stage_opts){0});
	int fd = client_socket(&s, SOCK_STREAM, NULL);
	int small = 4096;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	assert_int_equal(connect(fd, &s.listen.sa, s.listen.len), 0);
	size_t size = frame(buf, 1, "big.corp.test", DNS_TYPE_TXT);
	for (unsigned int i = 0; i < 3000; i++) {
		if (send(fd, buf, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
			break;
		}
	}
	usleep(50000);
	uint64_t begun_ms = mono_ms();
	server_stop(&s.server, 300);
	assert_in_range(mono_ms() - begun_ms, 290, 600);
	close(fd);
	stage_end(&s);
}

/* However short the time: no letter of the end is left to be read by nobody. */
static void ends_of_every_length(void **state)
{
	for (unsigned int drain_ms = 0; drain_ms < 40; drain_ms++) {
		struct stage s;
		stage_begin(&s, &(struct stage_opts){.workers = 2});
		server_stop(&s.server, drain_ms % 4);
		stage_end(&s);
	}
}

static void never_started(void **state)
{
	struct stage s;
	stage_begin(&s, &(struct stage_opts){0});
	struct server *other = NULL;
	char err[256];
	struct addr addr = s.listen;
	addr_parse("127.0.0.2", addr_port(&s.listen), &addr);
	struct forward_opts forward_opts = {.workers = 3};
	struct forward *forward = forward_new(&forward_opts);
	struct server_opts opts = {.listen = &addr,
	                           .listen_count = 1,
	                           .workers = 3,
	                           .root = s.root,
	                           .cache = s.cache,
	                           .forward = forward};
	assert_int_equal(server_new(&opts, &other, err, sizeof(err)), 0);
	server_stop(&other, 3000);
	addr_parse("192.0.2.77", 5399, &addr); /* nobody's */
	assert_int_not_equal(server_new(&opts, &other, err, sizeof(err)), 0);
	assert_string_equal(err, "cannot listen on 192.0.2.77:5399 (UDP): "
	                         "Cannot assign requested address");
	forward_free(&forward);
	stage_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(explained_at_once_and_at_the_end),
		cmocka_unit_test(questions_in_flight_are_answered),
		cmocka_unit_test(new_questions_do_not_hold_the_end),
		cmocka_unit_test(deaf_clients_do_not_hold_the_end),
		cmocka_unit_test(ends_of_every_length),
		cmocka_unit_test(never_started),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
