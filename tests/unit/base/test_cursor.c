#include "base/cursor.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_reads_network_order(void **state)
{
	static const uint8_t bytes[] = {0x01, 0x02, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
	struct reader r = reader_of(bytes, sizeof(bytes));
	assert_int_equal(reader_u8(&r), 0x01);
	assert_int_equal(reader_u16(&r), 0x0203);
	assert_int_equal(reader_u32(&r), 0xf4f5f6f7);
	assert_int_equal(reader_left(&r), 0);
	assert_false(r.bad);
}

static void test_short_read_stays_bad(void **state)
{
	static const uint8_t bytes[] = {1, 2, 3};
	struct reader r = reader_of(bytes, sizeof(bytes));
	assert_int_equal(reader_u32(&r), 0);
	assert_true(r.bad);
	/* There are bytes left, but what they mean is not known any more. */
	assert_int_equal(reader_u8(&r), 0);
	assert_int_equal(reader_u16(&r), 0);
	assert_int_equal(reader_left(&r), 0);
	assert_null(reader_take(&r, 0));
	assert_int_equal(r.pos, 0);
}

static void test_takes_up_to_the_end(void **state)
{
	static const uint8_t bytes[] = {1, 2, 3};
	struct reader r = reader_of(bytes, sizeof(bytes));
	assert_ptr_equal(reader_take(&r, 3), bytes);
	assert_ptr_equal(reader_take(&r, 0), bytes + 3);
	assert_false(r.bad);
	assert_null(reader_take(&r, SIZE_MAX));
	assert_true(r.bad);
}

static void test_writes_network_order(void **state)
{
	static const uint8_t expected[] = {0x01, 0x02, 0x03, 0xf4, 0xf5, 0xf6, 0xf7, 'a', 'b'};
	uint8_t bytes[sizeof(expected)];
	struct writer w = writer_of(bytes, sizeof(bytes));
	writer_u8(&w, 0x01);
	writer_u16(&w, 0x0203);
	writer_u32(&w, 0xf4f5f6f7);
	writer_bytes(&w, "ab", 2);
	writer_bytes(&w, NULL, 0);
	assert_false(w.bad);
	assert_int_equal(w.pos, sizeof(expected));
	assert_memory_equal(bytes, expected, sizeof(expected));
	assert_int_equal(get_u16(bytes + 1), 0x0203);
	assert_int_equal(get_u32(bytes + 3), 0xf4f5f6f7);
}

static void test_full_writer_drops_the_rest(void **state)
{
	uint8_t bytes[4] = {0, 0, 0, 0xee};
	struct writer w = writer_of(bytes, 3);
	writer_u16(&w, 0x0102);
	writer_u32(&w, 0x03040506);
	assert_true(w.bad);
	writer_u8(&w, 9); /* would fit, but not in its place */
	assert_int_equal(w.pos, 2);
	assert_int_equal(bytes[2], 0);
	assert_int_equal(bytes[3], 0xee);
	assert_null(writer_room(&w, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_network_order),
		cmocka_unit_test(test_short_read_stays_bad),
		cmocka_unit_test(test_takes_up_to_the_end),
		cmocka_unit_test(test_writes_network_order),
		cmocka_unit_test(test_full_writer_drops_the_rest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
