#include "dns/reverse.h"
#include "packet.h"

static void check_addr(const char *text, const char *want)
{
	struct addr addr;
	uint8_t name[DNS_NAME_MAX];
	char buf[DNS_NAME_TEXT_MAX];
	assert_int_equal(addr_parse(text, 53, &addr), 0);
	dns_reverse_addr(&addr, name);
	assert_string_equal(dns_name_text(name, buf), want);
}

static void test_addr(void **state)
{
	check_addr("192.0.2.1", "1.2.0.192.in-addr.arpa.");
	check_addr("255.10.0.100", "100.0.10.255.in-addr.arpa.");
	check_addr("2001:db8::567:89ab",
	           "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.");
	check_addr("::ffff:192.0.2.1", "1.2.0.192.in-addr.arpa.");
}

struct list {
	unsigned int count;
	char first[DNS_NAME_TEXT_MAX];
	char last[DNS_NAME_TEXT_MAX];
	unsigned int stop_at;
};

static int each(void *ctx, const uint8_t *name)
{
	struct list *list = ctx;
	dns_name_text(name, list->count++ == 0 ? list->first : list->last);
	return list->count == list->stop_at ? 7 : 0;
}

static void check_prefix(const char *text, unsigned int count, const char *first, const char *last)
{
	struct prefix prefix;
	struct list list = {0};
	assert_int_equal(prefix_parse(text, &prefix), 0);
	assert_int_equal(dns_reverse_count(&prefix), count);
	assert_int_equal(dns_reverse_zones(&prefix, each, &list), 0);
	assert_int_equal(list.count, count);
	assert_string_equal(list.first, first);
	assert_string_equal(count == 1 ? list.first : list.last, last);
}

static void test_zones(void **state)
{
	check_prefix("0.0.0.0/0", 1, "in-addr.arpa.", "in-addr.arpa.");
	check_prefix("10.0.0.0/8", 1, "10.in-addr.arpa.", "10.in-addr.arpa.");
	check_prefix("128.0.0.0/1", 128, "128.in-addr.arpa.", "255.in-addr.arpa.");
	check_prefix("172.16.0.0/12", 16, "16.172.in-addr.arpa.", "31.172.in-addr.arpa.");
	check_prefix("10.1.4.0/22", 4, "4.1.10.in-addr.arpa.", "7.1.10.in-addr.arpa.");
	check_prefix("192.0.2.0/24", 1, "2.0.192.in-addr.arpa.", "2.0.192.in-addr.arpa.");
	check_prefix("192.0.2.128/25", 128, "128.2.0.192.in-addr.arpa.",
	             "255.2.0.192.in-addr.arpa.");
	check_prefix("192.0.2.7", 1, "7.2.0.192.in-addr.arpa.", "7.2.0.192.in-addr.arpa.");
	check_prefix("::/0", 1, "ip6.arpa.", "ip6.arpa.");
	check_prefix("fc00::/7", 2, "c.f.ip6.arpa.", "d.f.ip6.arpa.");
	check_prefix("8000::/1", 8, "8.ip6.arpa.", "f.ip6.arpa.");
	check_prefix("fd12:3000::/20", 1, "3.2.1.d.f.ip6.arpa.", "3.2.1.d.f.ip6.arpa.");
	check_prefix("2001:db8::/32", 1, "8.b.d.0.1.0.0.2.ip6.arpa.", "8.b.d.0.1.0.0.2.ip6.arpa.");
	check_prefix("fd12:4000::/18", 4, "4.2.1.d.f.ip6.arpa.", "7.2.1.d.f.ip6.arpa.");
}

static void test_stop(void **state)
{
	struct prefix prefix;
	struct list list = {.stop_at = 3};
	assert_int_equal(prefix_parse("172.16.0.0/12", &prefix), 0);
	assert_int_equal(dns_reverse_zones(&prefix, each, &list), 7);
	assert_int_equal(list.count, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addr),
		cmocka_unit_test(test_zones),
		cmocka_unit_test(test_stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
