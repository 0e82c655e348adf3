#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/siphash.h"

/* The paper's own example (key 00 .. 0f, message 00 .. 0e), and the first two of its test vectors. */
static void test_vectors(void **state)
{
	uint8_t octets[16];
	for (unsigned int i = 0; i < 16; i++) {
		octets[i] = (uint8_t)i;
	}
	assert_true(siphash_digest(octets, octets, 15) == UINT64_C(0xa129ca6149be45e5));
	assert_true(siphash_digest(octets, octets, 0) == UINT64_C(0x726fdb47dd0e0e31));
	assert_true(siphash_digest(octets, octets, 1) == UINT64_C(0x74f839c593dc67fd));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
