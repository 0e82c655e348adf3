#include "base/hash.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_secrets_are_filled_and_odd(void **state)
{
	for (int i = 0; i < 4; i++) {
		assert_int_equal(hash_secret[i] & 1, 1);
		assert_true(hash_secret[i] > UINT16_MAX); /* chance of failure: 2^-48 */
	}
}

static void test_same_bytes_same_hash(void **state)
{
	const char *text = "private.corp.example";
	char copy[32];
	for (size_t len = 0; len <= strlen(text); len++) {
		memcpy(copy + 1, text, len);
		assert_true(hash_step(0, text, len) == hash_step(0, copy + 1, len));
	}
}

static void test_each_byte_and_the_length_count(void **state)
{
	uint8_t bytes[24] = {0};
	for (size_t size = 1; size <= sizeof(bytes); size++) {
		uint64_t before = hash_step(0, bytes, size);
		assert_true(before != hash_step(0, bytes, size - 1));
		for (size_t i = 0; i < size; i++) {
			bytes[i] ^= 1;
			assert_true(hash_step(0, bytes, size) != before);
			bytes[i] ^= 1;
		}
	}
}

static void test_steps_go_on(void **state)
{
	uint64_t ab = hash_step(hash_step(0, "a", 1), "b", 1);
	uint64_t ba = hash_step(hash_step(0, "b", 1), "a", 1);
	assert_true(ab != ba);
	assert_true(hash_fold(ab) == (uint32_t)(ab ^ (ab >> 32)));
}

static void test_keys_spread_over_buckets(void **state)
{
	unsigned int count[64] = {0};
	for (uint32_t i = 0; i < 64 * 256; i++) {
		count[hash_fold(hash_step(0, &i, sizeof(i))) % 64]++;
	}
	for (int i = 0; i < 64; i++) {
		assert_in_range(count[i], 128, 384); /* 256 +- 8 standard deviations */
	}
}

/* Ids on disk depend on these: they must never change. */
static void test_stable_is_stable(void **state)
{
	assert_true(hash_stable("", 0) == UINT64_C(0xefd01f60ba992926));
	assert_true(hash_stable("a", 1) == UINT64_C(0x82a2a958a9bece5b));
	assert_true(hash_stable("private.corp.example", 20) == UINT64_C(0xd7b0b13e80729854));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secrets_are_filled_and_odd),
		cmocka_unit_test(test_same_bytes_same_hash),
		cmocka_unit_test(test_each_byte_and_the_length_count),
		cmocka_unit_test(test_steps_go_on),
		cmocka_unit_test(test_keys_spread_over_buckets),
		cmocka_unit_test(test_stable_is_stable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
