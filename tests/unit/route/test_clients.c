#include "base/random.h"
#include "route/clients.h"
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct addr addr_of(const char *text)
{
	struct addr addr;
	assert_int_equal(addr_parse(text, 53, &addr), 0);
	return addr;
}

static const char *class_of(const struct clients *clients, const char *text)
{
	struct addr addr = addr_of(text);
	return clients_find(clients, &addr)->text;
}

static void opts_set(struct client_opts *opts, const char *from, enum client_may may, uint32_t rate)
{
	assert_int_equal(prefix_parse(from, &opts->from), 0);
	opts->may = may;
	opts->rate = rate;
}

static void test_longest_wins(void **state)
{
	struct client_opts opts[6];
	opts_set(&opts[0], "0.0.0.0/0", CLIENT_NOTHING, 0);
	opts_set(&opts[1], "10.0.0.0/8", CLIENT_ZONES, 100);
	opts_set(&opts[2], "10.0.0.0/16", CLIENT_ALL, 0);
	opts_set(&opts[3], "10.0.0.7/32", CLIENT_NOTHING, 0);
	opts_set(&opts[4], "255.255.255.255", CLIENT_ZONES, 0);
	opts_set(&opts[5], "fd00:1::/32", CLIENT_ALL, 5);
	struct clients *clients = clients_new(opts, 6);
	assert_non_null(clients);

	assert_string_equal(class_of(clients, "9.255.255.255"), "0.0.0.0/0 nothing");
	assert_string_equal(class_of(clients, "10.0.0.0"), "10.0.0.0/16 all");
	assert_string_equal(class_of(clients, "10.0.0.6"), "10.0.0.0/16 all");
	assert_string_equal(class_of(clients, "10.0.0.7"), "10.0.0.7/32 nothing");
	assert_string_equal(class_of(clients, "10.0.0.8"), "10.0.0.0/16 all");
	assert_string_equal(class_of(clients, "10.0.255.255"), "10.0.0.0/16 all");
	assert_string_equal(class_of(clients, "10.1.0.0"), "10.0.0.0/8 zones");
	assert_string_equal(class_of(clients, "10.255.255.255"), "10.0.0.0/8 zones");
	assert_string_equal(class_of(clients, "11.0.0.0"), "0.0.0.0/0 nothing");
	assert_string_equal(class_of(clients, "255.255.255.255"), "255.255.255.255/32 zones");
	assert_string_equal(class_of(clients, "fd00:1::1"), "fd00:1::/32 all");
	assert_string_equal(class_of(clients, "fd00:2::1"), "no prefix nothing");

	struct addr addr = addr_of("10.9.9.9");
	assert_int_equal(clients_find(clients, &addr)->may, CLIENT_ZONES);
	assert_int_equal(clients_find(clients, &addr)->rate, 100);
	clients_free(&clients);
	assert_null(clients);
	clients_free(&clients);
}

static void test_mapped_is_ipv4(void **state)
{
	struct client_opts opts[2];
	opts_set(&opts[0], "::/0", CLIENT_ALL, 0);
	opts_set(&opts[1], "10.0.0.0/8", CLIENT_ZONES, 0);
	struct clients *clients = clients_new(opts, 2);
	assert_string_equal(class_of(clients, "::ffff:10.1.2.3"), "10.0.0.0/8 zones");
	assert_string_equal(class_of(clients, "::ffff:11.1.2.3"), "no prefix nothing");
	assert_string_equal(class_of(clients, "11.1.2.3"), "no prefix nothing");
	assert_string_equal(class_of(clients, "::1"), "::/0 all");
	assert_string_equal(class_of(clients, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
	                    "::/0 all");
	clients_free(&clients);
}

static void test_default(void **state)
{
	static const char *const may[] = {
		"127.0.0.1",   "::1",        "10.255.0.1",  "172.16.0.1",      "172.31.255.255",
		"192.168.4.4", "100.64.0.1", "100.127.1.1", "169.254.169.253", "fd12::1",
		"fc00::1",     "fe80::1",    "febf::1",     "::ffff:10.0.0.1",
	};
	static const char *const may_not[] = {
		"8.8.8.8",     "172.15.255.255", "172.32.0.0",  "192.169.0.1", "100.63.255.255",
		"100.128.0.0", "128.0.0.1",      "2001:db8::1", "fec0::1",     "::2",
		"0.0.0.0",     "::ffff:8.8.8.8",
	};
	struct clients *clients = clients_new(NULL, 0);
	for (size_t i = 0; i < sizeof(may) / sizeof(may[0]); i++) {
		struct addr addr = addr_of(may[i]);
		assert_int_equal(clients_find(clients, &addr)->may, CLIENT_ALL);
		assert_int_equal(clients_find(clients, &addr)->rate, 0);
	}
	for (size_t i = 0; i < sizeof(may_not) / sizeof(may_not[0]); i++) {
		struct addr addr = addr_of(may_not[i]);
		assert_int_equal(clients_find(clients, &addr)->may, CLIENT_NOTHING);
	}
	struct addr none = {.len = 0};
	assert_int_equal(clients_find(clients, &none)->may, CLIENT_NOTHING);
	clients_free(&clients);
}

/* The first of two equal prefixes stays; the settings call it an error. */
static void test_same_prefix_twice(void **state)
{
	struct client_opts opts[4];
	opts_set(&opts[0], "10.0.0.0/8", CLIENT_ZONES, 0);
	opts_set(&opts[1], "10.0.0.0/8", CLIENT_ALL, 0);
	opts_set(&opts[2], "::/0", CLIENT_ALL, 0);
	opts_set(&opts[3], "::/0", CLIENT_ZONES, 0);
	struct clients *clients = clients_new(opts, 4);
	assert_string_equal(class_of(clients, "10.0.0.1"), "10.0.0.0/8 zones");
	assert_string_equal(class_of(clients, "::1"), "::/0 all");
	clients_free(&clients);
}

/* A random prefix near others: few bits are free, so that they nest and touch. */
static struct prefix random_prefix(struct draw *draw)
{
	struct prefix prefix = {.family = draw_below(draw, 2) == 0 ? AF_INET : AF_INET6};
	unsigned int width = prefix.family == AF_INET ? 32 : 128;
	prefix.bits = (uint8_t)draw_below(draw, width + 1);
	for (unsigned int i = 0; i < prefix.bits; i++) {
		if (draw_below(draw, 8) == 0) {
			prefix.bytes[i / 8] |= (uint8_t)(0x80 >> (i % 8));
		}
	}
	return prefix;
}

/* An address at the edge of a prefix, or just out of it. */
static struct addr edge_of(struct draw *draw, const struct prefix *prefix)
{
	uint8_t bytes[16];
	unsigned int width = prefix->family == AF_INET ? 4 : 16;
	memcpy(bytes, prefix->bytes, sizeof(bytes));
	if (draw_below(draw, 2) == 0) {
		for (unsigned int i = prefix->bits; i < width * 8; i++) {
			bytes[i / 8] |= (uint8_t)(0x80 >> (i % 8));
		}
	}
	int step = (int)draw_below(draw, 3) - 1;
	for (unsigned int i = width; i-- > 0 && step != 0;) {
		int value = bytes[i] + step;
		bytes[i] = (uint8_t)value;
		step = value < 0 ? -1 : value > 255 ? 1 : 0;
	}
	struct addr addr;
	memset(&addr, 0, sizeof(addr));
	if (prefix->family == AF_INET) {
		addr.in4.sin_family = AF_INET;
		memcpy(&addr.in4.sin_addr, bytes, 4);
		addr.len = sizeof(addr.in4);
	} else {
		addr.in6.sin6_family = AF_INET6;
		memcpy(&addr.in6.sin6_addr, bytes, 16);
		addr.len = sizeof(addr.in6);
	}
	return addr;
}

/* The plain way: look at each prefix, keep the longest, of equal ones the first. */
static const struct client_opts *find_plainly(const struct client_opts *opts, size_t count,
                                              const struct addr *addr)
{
	const struct client_opts *best = NULL;
	for (size_t i = 0; i < count; i++) {
		if (prefix_holds(&opts[i].from, addr) &&
		    (best == NULL || opts[i].from.bits > best->from.bits)) {
			best = &opts[i];
		}
	}
	return best;
}

static void test_against_the_plain_way(void **state)
{
	struct draw draw;
	draw_seed(&draw);
	for (unsigned int round = 0; round < 200; round++) {
		struct client_opts opts[40];
		size_t count = 1 + draw_below(&draw, 40);
		for (size_t i = 0; i < count; i++) {
			opts[i].from = random_prefix(&draw);
			opts[i].may = CLIENT_ALL;
			opts[i].rate = (uint32_t)i + 1;
		}
		struct clients *clients = clients_new(opts, count);
		for (unsigned int i = 0; i < 200; i++) {
			struct addr addr =
				edge_of(&draw, &opts[draw_below(&draw, (uint32_t)count)].from);
			const struct client_opts *best = find_plainly(opts, count, &addr);
			const struct client_class *class = clients_find(clients, &addr);
			assert_int_equal(class->rate, best != NULL ? best->rate : 0);
		}
		clients_free(&clients);
	}
}

static void test_may_text(void **state)
{
	assert_string_equal(client_may_text(CLIENT_NOTHING), "nothing");
	assert_string_equal(client_may_text(CLIENT_ZONES), "zones");
	assert_string_equal(client_may_text(CLIENT_ALL), "all");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_longest_wins),
		cmocka_unit_test(test_mapped_is_ipv4),
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_same_prefix_twice),
		cmocka_unit_test(test_against_the_plain_way),
		cmocka_unit_test(test_may_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
