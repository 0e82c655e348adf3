#include "stage.h"

static uint8_t answer[DNS_MSG_MAX];

static size_t ask(int fd, const char *name, uint16_t type, int wait_ms)
{
	uint8_t buf[512];
	size_t size = question(buf, 7, name, type);
	assert_int_equal(send(fd, buf, size, 0), size);
	return datagram(fd, answer, sizeof(answer), wait_ms);
}

static void from_memory_and_from_upstream(void **state)
{
	struct stage s;
	struct asked asked;
	stage_begin(&s, &(struct stage_opts){0});
	int fd = client_to(&s, SOCK_DGRAM, NULL, NULL);
	assert_true(ask(fd, "www.corp.test", DNS_TYPE_A, 2000) > 0);
	assert_int_equal(get_u16(answer + 6), 1);
	assert_int_equal(get_u16(answer + 2) & DNS_FLAG_AA, DNS_FLAG_AA);

	assert_int_equal(ask(fd, "a.fwd.test", DNS_TYPE_A, 50), 0);
	assert_true(upstream_asked(&s, &asked, 2000));
	upstream_answers(&s, &asked);
	assert_true(datagram(fd, answer, sizeof(answer), 2000) > 0);
	assert_int_equal(get_u16(answer + 6), 1);
	assert_int_equal(get_u16(answer + 2) & DNS_FLAG_AA, 0);
	assert_true(ask(fd, "a.fwd.test", DNS_TYPE_A, 2000) > 0); /* kept */
	assert_false(upstream_asked(&s, &asked, 0));

	assert_true(ask(fd, "big.corp.test", DNS_TYPE_TXT, 2000) > 0);
	assert_int_equal(get_u16(answer + 2) & DNS_FLAG_TC, DNS_FLAG_TC);
	close(fd);
	stage_end(&s);
}

/* The rule's targets are gone: no silence, an answer at once. */
static void no_such_group(void **state)
{
	struct stage s;
	stage_begin(&s, &(struct stage_opts){0});
	int fd = client_to(&s, SOCK_DGRAM, NULL, NULL);
	assert_true(ask(fd, "somewhere.example", DNS_TYPE_A, 500) > 0);
	assert_int_equal(rcode_of(answer), DNS_RCODE_SERVFAIL);
	close(fd);
	stage_end(&s);
}

/* Answers leave by the address that was asked, those given at once and those that had to wait. */
static void any_address(const char *listen, const char *to)
{
	struct stage s;
	struct asked asked;
	stage_begin(&s, &(struct stage_opts){.listen = listen});
	int fd = client_to(&s, SOCK_DGRAM, NULL, to); /* connected: others' packets are not seen */
	assert_true(ask(fd, "www.corp.test", DNS_TYPE_A, 2000) > 0);
	assert_int_equal(ask(fd, "a.fwd.test", DNS_TYPE_A, 20), 0);
	assert_true(upstream_asked(&s, &asked, 2000));
	upstream_answers(&s, &asked);
	assert_true(datagram(fd, answer, sizeof(answer), 2000) > 0);
	close(fd);
	stage_end(&s);
}

static void any_address_v4(void **state)
{
	any_address("0.0.0.0", "127.0.0.2");
}

static void any_address_v6(void **state)
{
	any_address("::", "::1");
}

static void over_the_rate(void **state)
{
	struct stage s;
	unsigned int whole = 0;
	unsigned int slipped = 0;
	stage_begin(&s, &(struct stage_opts){.rate = 20});
	int fd = client_to(&s, SOCK_DGRAM, "127.0.0.3", NULL);
	for (unsigned int i = 0; i < 60; i++) {
		uint8_t buf[512];
		size_t size = question(buf, (uint16_t)i, "www.corp.test", DNS_TYPE_A);
		assert_int_equal(send(fd, buf, size, 0), size);
	}
	while (datagram(fd, answer, sizeof(answer), 200) > 0) {
		bool tc = (get_u16(answer + 2) & DNS_FLAG_TC) != 0;
		assert_int_equal(get_u16(answer + 6), tc ? 0 : 1);
		slipped += tc;
		whole += !tc;
	}
	assert_in_range(whole, 20, 30);
	assert_in_range(slipped, 15, 20);
	int tcp = client_to(&s, SOCK_STREAM, "127.0.0.3", NULL);
	tcp_ask(tcp, 1, "www.corp.test", DNS_TYPE_A);
	assert_true(tcp_message(tcp, answer, 2000) > 0);
	close(tcp);
	close(fd);
	stage_end(&s);
}

/* A client has at most a thousand waiting; the next one hears so at once, and others go on. */
static void a_thousand_wait(void **state)
{
	struct stage s;
	unsigned int refused = 0;
	stage_begin(&s, &(struct stage_opts){0});
	int fd = client_to(&s, SOCK_DGRAM, NULL, NULL);
	for (unsigned int i = 0; i < 1010; i++) {
		uint8_t buf[512];
		size_t size = question(buf, (uint16_t)i, "a.fwd.test", DNS_TYPE_A);
		assert_int_equal(send(fd, buf, size, 0), size);
		if (i % 50 == 49) {
			usleep(1000);
		}
	}
	while (refused < 10 && datagram(fd, answer, sizeof(answer), 500) > 0) {
		assert_int_equal(rcode_of(answer), DNS_RCODE_SERVFAIL);
		refused++;
	}
	assert_int_equal(refused, 10);
	int other = client_to(&s, SOCK_DGRAM, "127.0.0.2", NULL);
	assert_int_equal(ask(other, "a.fwd.test", DNS_TYPE_A, 20), 0);
	struct asked asked;
	assert_true(upstream_asked(&s, &asked, 1000));
	struct asked more;
	assert_false(upstream_asked(&s, &more, 0)); /* they were one question */
	upstream_answers(&s, &asked);
	unsigned int answered = 0;
	while (answered < 1000 && datagram(fd, answer, sizeof(answer), 500) > 0) {
		assert_int_equal(rcode_of(answer), DNS_RCODE_NOERROR);
		answered++;
	}
	assert_true(answered > 150); /* the test's own buffer may have lost some */
	assert_true(datagram(other, answer, sizeof(answer), 500) > 0);
	assert_int_equal(ask(fd, "b.fwd.test", DNS_TYPE_A, 20), 0); /* it may wait again */
	close(other);
	close(fd);
	stage_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_memory_and_from_upstream),
		cmocka_unit_test(no_such_group),
		cmocka_unit_test(any_address_v4),
		cmocka_unit_test(any_address_v6),
		cmocka_unit_test(over_the_rate),
		cmocka_unit_test(a_thousand_wait),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
