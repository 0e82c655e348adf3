#include "base/text.h"
#include "control/allowance_int.h"
#include "control/http.h"
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A driver with these statistics, the value of each its place + 1000. */
static struct {
	const char *interface;
	const char *const *names;
	uint32_t count;
	bool grows; /* one more comes between names and values */
	unsigned int calls;
} driver;

static int fake_ioctl(int fd, unsigned long number, void *arg)
{
	const struct ifreq *request = arg;
	assert_int_equal(fd, 77);
	assert_int_equal(number, SIOCETHTOOL);
	driver.calls++;
	if (strcmp(request->ifr_name, driver.interface) != 0) {
		errno = EOPNOTSUPP;
		return -1;
	}
	void *command = request->ifr_data;
	uint32_t cmd;
	memcpy(&cmd, command, sizeof(cmd));
	if (cmd == ETHTOOL_GSSET_INFO) {
		struct ethtool_sset_info *info = command;
		assert_int_equal(info->sset_mask, 1u << ETH_SS_STATS);
		info->sset_mask = driver.count != 0 ? info->sset_mask : 0;
		memcpy(info->data, &driver.count, sizeof(driver.count));
		return 0;
	}
	if (cmd == ETHTOOL_GSTRINGS) {
		struct ethtool_gstrings *names = command;
		names->len = driver.count;
		for (uint32_t i = 0; i < driver.count; i++) {
			memset(names->data + i * ETH_GSTRING_LEN, 0, ETH_GSTRING_LEN);
			snprintf((char *)names->data + i * ETH_GSTRING_LEN, ETH_GSTRING_LEN, "%s",
			         driver.names != NULL ? driver.names[i] : "queue");
		}
		driver.count += driver.grows;
		return 0;
	}
	assert_int_equal(cmd, ETHTOOL_GSTATS);
	struct ethtool_stats *stats = command;
	stats->n_stats = driver.count;
	for (uint32_t i = 0; i < driver.count; i++) {
		stats->data[i] = i + 1000;
	}
	return 0;
}

static bool read_driver(const char *const *names, uint32_t count, struct allowance *ret)
{
	driver.interface = "ens5";
	driver.names = names;
	driver.count = count;
	driver.calls = 0;
	return allowance__read(fake_ioctl, 77, "ens5", ret);
}

static void test_both(void **state)
{
	static const char *const names[] = {
		"tx_timeout", "pps_allowance_exceeded", "conntrack_allowance_exceeded",
		"linklocal_allowance_exceeded", "conntrack_allowance_available"};
	struct allowance found;
	driver.grows = false;
	assert_true(read_driver(names, 5, &found));
	assert_true(found.known[ALLOWANCE_LINKLOCAL] && found.known[ALLOWANCE_CONNTRACK]);
	assert_int_equal(found.exceeded[ALLOWANCE_CONNTRACK], 1002);
	assert_int_equal(found.exceeded[ALLOWANCE_LINKLOCAL], 1003);
	assert_int_equal(driver.calls, 3);
}

/* Older drivers have only some. */
static void test_one(void **state)
{
	static const char *const names[] = {"linklocal_allowance_exceeded", "tx_timeout"};
	struct allowance found;
	driver.grows = false;
	assert_true(read_driver(names, 2, &found));
	assert_true(found.known[ALLOWANCE_LINKLOCAL] && !found.known[ALLOWANCE_CONNTRACK]);
	assert_int_equal(found.exceeded[ALLOWANCE_LINKLOCAL], 1000);
}

static void test_none(void **state)
{
	static const char *const names[] = {"rx_packets", "tx_packets", "linklocal_allowance"};
	struct allowance found = {.exceeded = {7, 7}};
	driver.grows = false;
	assert_false(read_driver(names, 3, &found));
	assert_int_equal(driver.calls, 2); /* values of no use are not asked for */
	assert_false(read_driver(names, 0, &found));
	assert_false(read_driver(NULL, 4000, &found)); /* more than we have room for */
	assert_int_equal(driver.calls, 1);
	assert_false(allowance__read(fake_ioctl, 77, "lo", &found)); /* no ethtool at all */
	assert_int_equal(found.exceeded[0], 7);
}

/* Queues may be added meanwhile: then the places are not to be trusted. */
static void test_changes_meanwhile(void **state)
{
	static const char *const names[] = {"linklocal_allowance_exceeded", "tx_timeout", "new"};
	struct allowance found = {.exceeded = {7, 7}};
	driver.grows = true;
	assert_false(read_driver(names, 2, &found));
	assert_int_equal(found.exceeded[0], 7);
}

/* Here, where no interface offers them: not a word, rather than a zero that says all is well. */
static void test_absent(void **state)
{
	struct text out;
	text_init(&out, 0);
	http_allowance_metrics(&out);
	http_allowance_metrics(&out);
	const char *text = text_get(&out);
	assert_true(*text == '\0' || strstr(text, "interface=\"") != NULL);
	text_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both),   cmocka_unit_test(test_one),
		cmocka_unit_test(test_none),   cmocka_unit_test(test_changes_meanwhile),
		cmocka_unit_test(test_absent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
