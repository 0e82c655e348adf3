/* query/cookie.c - server cookies, made and checked without state. */
#include "query/cookie_int.h"

#include "base/cursor.h"
#include "base/random.h"
#include "base/siphash.h"
#include <string.h>

#define VERSION_1 0x01000000u /* and three octets of 0 */
#define DAY_S     86400
#define HASH_AT   16 /* client's cookie, version, time: then the digest */

/* Of servers without secrets in their settings; drawn before main() runs. */
static uint8_t own_secret[SIPHASH_KEY];

__attribute__((constructor)) static void own_secret_draw(void)
{
	random_bytes(own_secret, sizeof(own_secret));
}

/* The secret of the day that a cookie of that time was made on. */
static void secret_of_day(uint32_t time_s, uint8_t *ret_secret)
{
	uint32_t words[2] = {time_s / DAY_S, 0};
	for (unsigned int i = 0; i < 2; i++) {
		words[1] = i;
		uint64_t half = siphash_digest(own_secret, words, sizeof(words));
		memcpy(ret_secret + 8 * i, &half, 8);
	}
}

/* cookie: the first HASH_AT octets stand. */
static uint64_t digest(const uint8_t *cookie, const struct addr *client, const uint8_t *secret)
{
	uint8_t bytes[HASH_AT + 16];
	size_t size = 4;
	memcpy(bytes, cookie, HASH_AT);
	if (client->sa.sa_family == AF_INET) {
		memcpy(bytes + HASH_AT, &client->in4.sin_addr, size);
	} else {
		size = 16;
		memcpy(bytes + HASH_AT, &client->in6.sin6_addr, size);
	}
	return siphash_digest(secret, bytes, HASH_AT + size);
}

static void digest_write(uint64_t value, uint8_t *at)
{
	for (unsigned int i = 0; i < 8; i++) {
		at[i] = (uint8_t)(value >> (8 * i));
	}
}

static bool digest_good(const struct world_opts *opts, const struct addr *client,
                        const uint8_t *given)
{
	uint8_t want[8];
	uint8_t secret[SIPHASH_KEY];
	if (opts->cookie_secret_count == 0) {
		secret_of_day(get_u32(given + 12), secret);
		digest_write(digest(given, client, secret), want);
		return memcmp(want, given + HASH_AT, 8) == 0;
	}
	bool good = false;
	for (unsigned int i = 0; i < opts->cookie_secret_count; i++) {
		digest_write(digest(given, client, opts->cookie_secrets[i]), want);
		good = good || memcmp(want, given + HASH_AT, 8) == 0;
	}
	return good;
}

bool query__cookie(const struct world_opts *opts, const struct addr *client, const uint8_t *given,
                   size_t size, uint32_t wall_s, uint8_t *ret_cookie)
{
	bool good = false;
	if (size == QUERY_COOKIE_SIZE && get_u32(given + 8) == VERSION_1) {
		int32_t age_s = (int32_t)(wall_s - get_u32(given + 12)); /* RFC 1982 */
		good = age_s <= QUERY_COOKIE_LIFE_S && age_s >= -QUERY_COOKIE_AHEAD &&
		       digest_good(opts, client, given);
		if (good && age_s <= QUERY_COOKIE_RENEW) {
			memcpy(ret_cookie, given, QUERY_COOKIE_SIZE);
			return true;
		}
	}
	uint8_t secret[SIPHASH_KEY];
	const uint8_t *with = opts->cookie_secrets[0];
	if (opts->cookie_secret_count == 0) {
		secret_of_day(wall_s, secret);
		with = secret;
	}
	memcpy(ret_cookie, given, QUERY_COOKIE_CLIENT);
	put_u32(ret_cookie + 8, VERSION_1);
	put_u32(ret_cookie + 12, wall_s);
	digest_write(digest(ret_cookie, client, with), ret_cookie + HASH_AT);
	return good;
}
