#include "stage.h"

#include <unistd.h>

/* Returns when the VPC's zones have been asked for once more. */
static void discover_again(void)
{
	unsigned int before = api_vpc_calls(&api);
	assert_int_equal(sync_now(thread, ""), 0);
	while (api_vpc_calls(&api) == before) {
		usleep(1000);
	}
}

static void test_zones_of_a_vpc(void **state)
{
	struct sync_opts opts = options(NULL, 0);
	char why[256];
	opts.vpc = "vpc-1";
	api_vpc(&api, SUMMARIES(SUMMARY("Z1", "corp.example.", OURS)
	                                SUMMARY("Z2", "fs-1.efs.example.", THEIRS)));
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", loaded_and_associated));
	assert_true(listener_wait(&listener, "Z2", unavailable));
	assert_true(ready(why));
	assert_int_equal(api_calls(&api, 1), 0);

	/* One more comes, */
	api_set(&api, 2, "Z3", 200, PAGE(SOA("three.example."), LAST));
	api_vpc(&api,
	        SUMMARIES(SUMMARY("Z1", "corp.example.", OURS) SUMMARY("Z3", "three.example.", OURS)
	                          SUMMARY("Z2", "fs-1.efs.example.", THEIRS)));
	assert_int_equal(sync_now(thread, ""), 0);
	assert_true(listener_wait(&listener, "Z3", loaded_and_associated));

	/* one goes: believed the second time. */
	api_vpc(&api, SUMMARIES(SUMMARY("Z3", "three.example.", OURS)));
	discover_again();
	assert_true(listener_wait(&listener, "Z1", loaded_and_associated));
	discover_again();
	assert_true(listener_wait(&listener, "Z1", absent));
	assert_true(listener_wait(&listener, "Z2", absent));
	assert_true(listener_wait(&listener, "Z3", loaded_and_associated));
}

static void test_vpc_not_listed(void **state)
{
	struct sync_opts opts = options(one_id, 1);
	char why[256];
	opts.vpc = "vpc-1";
	api_vpc(&api, "<html/>");
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", loaded_not_associated));
	assert_false(ready(why));
	assert_non_null(strstr(why, "the VPC's zones are not listed yet"));
	api_vpc(&api, SUMMARIES(""));
	while (!ready(why)) {
		usleep(1000);
	}
}

static char instance_told[64];

static void on_instance(void *ctx, const struct aws_instance *instance)
{
	snprintf(instance_told, sizeof(instance_told), "%s %s %s", instance->instance_id,
	         instance->vpc_id, instance->vpc_cidrs[0]);
}

static void test_vpc_of_the_instance(void **state)
{
	struct sync_opts opts = options(NULL, 0);
	struct sync_hooks given = hooks();
	opts.vpc = "auto";
	given.instance = on_instance;
	api_vpc(&api, SUMMARIES(SUMMARY("Z1", "corp.example.", OURS)));
	unsetenv("AWS_EC2_METADATA_DISABLED");
	unsetenv("AWS_REGION");
	thread = sync_start(&opts, &given, err, sizeof(err));
	assert_non_null(thread);
	assert_true(listener_wait(&listener, "Z1", loaded_and_associated));
	sync_stop(&thread);
	assert_string_equal(instance_told, "i-0123 vpc-auto 10.0.0.0/16");
	assert_string_equal(api.vpc_target, "/2013-04-01/hostedzonesbyvpc?maxitems=100"
	                                    "&vpcid=vpc-auto&vpcregion=eu-west-1");
}

/* Off EC2 the zones in the settings are all there is. */
static void test_no_instance(void **state)
{
	struct sync_opts opts = options(one_id, 1);
	char why[256];
	opts.vpc = "auto";
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", loaded));
	assert_true(ready(why));
	assert_int_equal(api_vpc_calls(&api), 0);
}

static uint8_t soa_given[512];
static size_t soa_len;

static int on_soa(void *ctx, const uint8_t *origin, uint8_t *buf, size_t size, size_t *ret_len)
{
	pthread_mutex_lock(&listener.lock);
	memcpy(buf, soa_given, soa_len);
	*ret_len = soa_len;
	pthread_mutex_unlock(&listener.lock);
	return *ret_len == 0 ? FAIL_NOTFOUND : 0;
}

/* Without the right to list them the SOA that the VPC resolver gives decides. */
static void test_vpc_denied(void **state)
{
	struct sync_opts opts = options(one_id, 1);
	struct sync_hooks given = hooks();
	char why[256];
	opts.vpc = "vpc-1";
	api_vpc(&api, NULL);
	soa_len = 0;
	given.vpc_soa = on_soa;
	thread = sync_start(&opts, &given, err, sizeof(err));
	assert_non_null(thread);
	assert_true(listener_wait(&listener, "Z1", loaded_not_associated));
	while (!ready(why)) {
		usleep(1000);
	}
	pthread_mutex_lock(&listener.lock);
	struct zone_rr soa;
	uint32_t ttl_s, negative_ttl_s;
	zone_soa(entry_find(listener.zones, "Z1")->zone, &soa, &ttl_s, &negative_ttl_s);
	memcpy(soa_given, soa.rdata, soa.rdlen);
	soa_given[1] ^= 0x20; /* the case of a name does not count, */
	soa_len = soa.rdlen;
	pthread_mutex_unlock(&listener.lock);
	assert_int_equal(sync_now(thread, "Z1"), 0);
	assert_true(listener_wait(&listener, "Z1", loaded_and_associated));
	pthread_mutex_lock(&listener.lock);
	soa_given[soa_len - 1] ^= 1; /* a number does */
	pthread_mutex_unlock(&listener.lock);
	assert_int_equal(sync_now(thread, "Z1"), 0);
	assert_true(listener_wait(&listener, "Z1", loaded_not_associated));
}

int main(void)
{
	stage_log();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_zones_of_a_vpc, begin, end),
		cmocka_unit_test_setup_teardown(test_vpc_not_listed, begin, end),
		cmocka_unit_test_setup_teardown(test_vpc_of_the_instance, begin, end),
		cmocka_unit_test_setup_teardown(test_no_instance, begin, end),
		cmocka_unit_test_setup_teardown(test_vpc_denied, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
