#include "base/addr.h"
#include "server/gate.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct addr host(const char *text)
{
	struct addr addr;
	assert_int_equal(addr_parse(text, 4711, &addr), 0);
	return addr;
}

static struct addr numbered(uint32_t n)
{
	struct addr addr = host("10.0.0.0");
	addr.in4.sin_addr.s_addr = htonl(0x0a000000u + n);
	return addr;
}

static void waiting_is_bounded_a_client(void **state)
{
	struct gate *gate = gate_new();
	struct addr one = host("10.0.0.1");
	struct addr mapped = host("::ffff:10.0.0.1");
	struct addr two = host("10.0.0.2");
	for (unsigned int i = 0; i < GATE_WAITING_MAX; i++) {
		assert_true(gate_wait_begin(gate, &one, 0));
	}
	assert_false(gate_wait_begin(gate, &one, 0));
	assert_false(gate_wait_begin(gate, &mapped, 0)); /* the same client */
	assert_true(gate_wait_begin(gate, &two, 0));
	gate_wait_end(gate, &one);
	assert_true(gate_wait_begin(gate, &mapped, 0));
	assert_false(gate_wait_begin(gate, &one, 0));
	gate_free(&gate);
}

static void connections_are_bounded_a_client(void **state)
{
	struct gate *gate = gate_new();
	struct addr one = host("fd00::1");
	assert_true(gate_conn_begin(gate, &one, 2, 0));
	assert_true(gate_conn_begin(gate, &one, 2, 0));
	assert_false(gate_conn_begin(gate, &one, 2, 0));
	assert_true(gate_wait_begin(gate, &one, 0)); /* counted apart */
	gate_conn_end(gate, &one);
	assert_true(gate_conn_begin(gate, &one, 2, 0));
	gate_free(&gate);
}

/* An end too many takes nothing off what the next one may have. */
static void ends_without_a_beginning_do_no_harm(void **state)
{
	struct gate *gate = gate_new();
	struct addr one = host("10.0.0.1");
	gate_conn_end(gate, &one);
	assert_true(gate_conn_begin(gate, &one, 1, 0));
	gate_conn_end(gate, &one);
	gate_conn_end(gate, &one);
	assert_true(gate_conn_begin(gate, &one, 1, 0));
	assert_false(gate_conn_begin(gate, &one, 1, 0));
	gate_free(&gate);
}

static void over_the_rate_every_second_one_slips(void **state)
{
	struct gate *gate = gate_new();
	struct addr one = host("10.0.0.1");
	for (unsigned int i = 0; i < 10; i++) {
		assert_int_equal(gate_rate(gate, &one, 10, 5000), GATE_PASS);
	}
	assert_int_equal(gate_rate(gate, &one, 10, 5000), GATE_SLIP);
	assert_int_equal(gate_rate(gate, &one, 10, 5000), GATE_DROP);
	assert_int_equal(gate_rate(gate, &one, 10, 5000), GATE_SLIP);
	assert_int_equal(gate_rate(gate, &one, 10, 5100), GATE_PASS); /* one more after 100 ms */
	assert_int_equal(gate_rate(gate, &one, 10, 5100), GATE_DROP);
	gate_free(&gate);
}

/* Workers read the clock each for itself: one may be some milliseconds behind the other. */
static void an_older_clock_fills_no_bucket(void **state)
{
	struct gate *gate = gate_new();
	struct addr one = host("10.0.0.1");
	for (unsigned int i = 0; i < 10; i++) {
		assert_int_equal(gate_rate(gate, &one, 10, 5003), GATE_PASS);
	}
	assert_int_not_equal(gate_rate(gate, &one, 10, 5000), GATE_PASS);
	assert_int_not_equal(gate_rate(gate, &one, 10, 5003), GATE_PASS);
	assert_int_not_equal(gate_rate(gate, &one, 10, 5050), GATE_PASS);
	gate_free(&gate);
}

/* Rates of strangers, long over, leave room for a client's questions and connections. */
static void spent_rates_make_room(void **state)
{
	struct gate *gate = gate_new();
	struct addr late = host("192.0.2.1");
	for (uint32_t n = 0; n < GATE_CLIENTS * 2; n++) {
		struct addr addr = numbered(n);
		gate_rate(gate, &addr, 10, 1000);
	}
	assert_true(gate_wait_begin(gate, &late, 60000));
	late = host("192.0.2.2");
	assert_true(gate_conn_begin(gate, &late, 1, 60000));
	gate_free(&gate);
}

static void the_table_is_bounded(void **state)
{
	struct gate *gate = gate_new();
	unsigned int held = 0;
	for (uint32_t n = 0; n < GATE_CLIENTS * 2; n++) {
		struct addr addr = numbered(n);
		held += gate_wait_begin(gate, &addr, 0);
	}
	assert_true(held > GATE_CLIENTS / 2 && held <= GATE_CLIENTS);
	for (uint32_t n = 0; n < GATE_CLIENTS * 2; n++) {
		struct addr addr = numbered(n);
		gate_wait_end(gate, &addr);
	}
	struct addr one = host("192.0.2.1");
	assert_true(gate_wait_begin(gate, &one, 0));
	gate_free(&gate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waiting_is_bounded_a_client),
		cmocka_unit_test(connections_are_bounded_a_client),
		cmocka_unit_test(ends_without_a_beginning_do_no_harm),
		cmocka_unit_test(over_the_rate_every_second_one_slips),
		cmocka_unit_test(an_older_clock_fills_no_bucket),
		cmocka_unit_test(spent_rates_make_room),
		cmocka_unit_test(the_table_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
