#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "query/cookie_int.h"

static void octets(const char *hex, uint8_t *ret)
{
	for (size_t i = 0; hex[2 * i] != '\0'; i++) {
		unsigned int octet;
		assert_int_equal(sscanf(hex + 2 * i, "%2x", &octet), 1);
		ret[i] = (uint8_t)octet;
	}
}

static struct addr addr_of(const char *text)
{
	struct addr addr;
	assert_int_equal(addr_parse(text, 53, &addr), 0);
	return addr;
}

/* RFC 9018, appendix A: a new cookie, one renewed, one seen again, and IPv6 with a changed secret. */
static void test_rfc_9018(void **state)
{
	static const struct {
		const char *client, *secrets[2], *given;
		uint32_t time_s;
		const char *want;
		bool good;
	} cases[] = {
		{"198.51.100.100",
	         {"e5e973e5a6b2a43f48e7dc849e37bfcf", NULL},
	         "2464c4abcf10c957",
	         1559731985,
	         "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
	         false},
		{"198.51.100.100",
	         {"e5e973e5a6b2a43f48e7dc849e37bfcf", NULL},
	         "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
	         1559734385,
	         "2464c4abcf10c957010000005cf7a871d4a564a1442aca77",
	         true},
		{"2001:db8:220:1:59de:d0f4:8769:82b8",
	         {"dd3bdf9344b678b185a6f5cb60fca715", "445536bcd2513298075a5d379663c962"},
	         "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
	         1559741961,
	         "22681ab97d52c298010000005cf7c609a6bb79d16625507a",
	         true},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world_opts opts = {.cookie_secret_count = 0};
		for (unsigned int s = 0; s < 2 && cases[i].secrets[s] != NULL; s++) {
			octets(cases[i].secrets[s], opts.cookie_secrets[s]);
			opts.cookie_secret_count++;
		}
		uint8_t given[QUERY_COOKIE_SIZE];
		uint8_t want[QUERY_COOKIE_SIZE];
		uint8_t made[QUERY_COOKIE_SIZE];
		octets(cases[i].given, given);
		octets(cases[i].want, want);
		struct addr client = addr_of(cases[i].client);
		assert_int_equal(query__cookie(&opts, &client, given, strlen(cases[i].given) / 2,
		                               cases[i].time_s, made),
		                 cases[i].good);
		/* The last one is older than half an hour only by the RFC's own clock: any good one will do. */
		if (memcmp(made, given, QUERY_COOKIE_SIZE) != 0) {
			assert_memory_equal(made, want, QUERY_COOKIE_SIZE);
		}
	}
}

static void life(const struct world_opts *opts)
{
	const uint8_t client_part[8] = "someone";
	struct addr client = addr_of("10.0.0.1");
	struct addr other = addr_of("10.0.0.2");
	uint8_t cookie[QUERY_COOKIE_SIZE];
	uint8_t again[QUERY_COOKIE_SIZE];
	const uint32_t t0 = 1800000000 / 86400 * 86400 - 100; /* soon a new day */
	assert_false(query__cookie(opts, &client, client_part, 8, t0, cookie));
	assert_memory_equal(cookie, client_part, 8);
	assert_true(query__cookie(opts, &client, cookie, 24, t0 + 1800, again));
	assert_memory_equal(again, cookie, 24);
	assert_true(query__cookie(opts, &client, cookie, 24, t0 + 1801, again));
	assert_memory_not_equal(again, cookie, 24);
	assert_true(query__cookie(opts, &client, again, 24, t0 + 1801, again));
	assert_true(query__cookie(opts, &client, cookie, 24, t0 + 3600, again));
	assert_false(query__cookie(opts, &client, cookie, 24, t0 + 3601, again));
	assert_true(query__cookie(opts, &client, cookie, 24, t0 - 300, again));
	assert_false(query__cookie(opts, &client, cookie, 24, t0 - 301, again));
	assert_false(query__cookie(opts, &other, cookie, 24, t0, again));
	assert_false(query__cookie(opts, &client, cookie, 23, t0, again));
	for (unsigned int bit = 0; bit < 8 * 24; bit++) {
		cookie[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(query__cookie(opts, &client, cookie, 24, t0, again));
		assert_memory_equal(again, cookie, 8);
		cookie[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void test_life(void **state)
{
	struct world_opts opts = {.cookie_secret_count = 0};
	life(&opts);
	octets("000102030405060708090a0b0c0d0e0f", opts.cookie_secrets[0]);
	opts.cookie_secret_count = 1;
	life(&opts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc_9018),
		cmocka_unit_test(test_life),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
