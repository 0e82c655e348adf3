#include "stage.h"

#include "zone/copy.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/horizon-sync-disk-XXXXXX";
static char zones_dir[64];

static struct sync_opts disk_options(const char *const *ids, size_t count)
{
	struct sync_opts opts = options(ids, count);
	opts.state_dir = folder;
	return opts;
}

static const char *file_of(const char *id)
{
	static char path[128];
	snprintf(path, sizeof(path), "%s/%s.zone", zones_dir, id);
	return path;
}

static bool is_kept(const char *id)
{
	return access(file_of(id), F_OK) == 0;
}

static void kept_wait(const char *id, bool kept)
{
	for (int i = 0; i < 10000 && is_kept(id) != kept; i++) {
		usleep(1000);
	}
	assert_int_equal(is_kept(id), kept);
}

/* The zone as published by the time that sync_start returns. */
static enum zone_source source_now(const char *id)
{
	pthread_mutex_lock(&listener.lock);
	const struct zones_entry *entry = entry_find(listener.zones, id);
	enum zone_source source = entry == NULL ? ZONE_SOURCE_NONE : entry->source;
	pthread_mutex_unlock(&listener.lock);
	return source;
}

static bool from_api(const struct zones_entry *entry)
{
	return entry != NULL && entry->source == ZONE_SOURCE_API;
}

/* Z1 is on disk, nothing runs. */
static void keep_one(void)
{
	struct sync_opts opts = disk_options(one_id, 1);
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", two_sets));
	sync_stop(&thread);
	assert_true(is_kept("Z1"));
}

static void test_served_without_the_api(void **state)
{
	struct sync_opts opts = disk_options(one_id, 1);
	char why[256];
	keep_one();
	api_set(&api, 0, "Z1", 500, "");
	start(&opts);
	assert_int_equal(source_now("Z1"), ZONE_SOURCE_DISK);
	assert_true(listener_wait(&listener, "Z1", two_sets));
	assert_true(ready(why));
	assert_true(listener_wait(&listener, "Z1", data_in_trouble));
}

/* The listing that says the same swaps nothing. */
static void test_confirmed(void **state)
{
	struct sync_opts opts = disk_options(one_id, 1);
	keep_one();
	start(&opts);
	pthread_mutex_lock(&listener.lock);
	struct zone *zone = zone_ref(entry_find(listener.zones, "Z1")->zone);
	pthread_mutex_unlock(&listener.lock);
	assert_true(listener_wait(&listener, "Z1", from_api));
	pthread_mutex_lock(&listener.lock);
	assert_ptr_equal(entry_find(listener.zones, "Z1")->zone, zone);
	pthread_mutex_unlock(&listener.lock);
	zone_unref(&zone);
}

static void test_change_is_kept(void **state)
{
	struct sync_opts opts = disk_options(one_id, 1);
	keep_one();
	api_set(&api, 0, "Z1", 200, PAGE(CORP_MORE, LAST));
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", three_sets));
	sync_stop(&thread);
	api_set(&api, 0, "Z1", 500, "");
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", three_sets));
}

static void test_damaged(void **state)
{
	static const char *const ids[] = {"Z1", "Z2"};
	struct sync_opts opts = disk_options(ids, 2);
	api_set(&api, 1, "Z2", 200, PAGE(SOA("two.example."), LAST));
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", two_sets));
	assert_true(listener_wait(&listener, "Z2", one_set));
	sync_stop(&thread);
	assert_int_equal(truncate(file_of("Z1"), 300), 0);
	api_hang(&api, 0);
	log_set_level(LOG_LEVEL_ERROR - 1);
	start(&opts);
	assert_int_equal(source_now("Z1"), ZONE_SOURCE_NONE);
	assert_int_equal(source_now("Z2"), ZONE_SOURCE_DISK);
	char aside[160];
	snprintf(aside, sizeof(aside), "%s.damaged", file_of("Z1"));
	assert_int_equal(access(aside, F_OK), 0);
	assert_false(is_kept("Z1"));
	sync_stop(&thread);
	stage_log();
	assert_int_equal(unlink(aside), 0);
}

static void test_deleted_zone_is_forgotten(void **state)
{
	struct sync_opts opts = disk_options(one_id, 1);
	keep_one();
	api_set(&api, 0, "Z9", 200, PAGE(CORP, LAST));
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", two_sets));
	assert_true(is_kept("Z1"));
	assert_true(listener_wait(&listener, "Z1", in_trouble)); /* said once */
	assert_int_equal(sync_now(thread, "Z1"), 0);
	assert_true(listener_wait(&listener, "Z1", unavailable));
	kept_wait("Z1", false);
}

/* No more in the settings: not served, and removed once the others are there. */
static void test_unwanted_zone_is_removed(void **state)
{
	static const char *const other[] = {"Z2"};
	struct sync_opts opts = disk_options(other, 1);
	keep_one();
	api_set(&api, 1, "Z2", 500, "");
	start(&opts);
	assert_int_equal(source_now("Z1"), ZONE_SOURCE_NONE);
	assert_true(listener_wait(&listener, "Z2", in_trouble));
	assert_true(is_kept("Z1"));
	api_set(&api, 1, "Z2", 200, PAGE(SOA("two.example."), LAST));
	assert_int_equal(sync_now(thread, "Z2"), 0);
	assert_true(listener_wait(&listener, "Z2", one_set));
	kept_wait("Z1", false);
}

static void keep_one_of_vpc(const char *vpc)
{
	struct sync_opts opts = disk_options(NULL, 0);
	opts.vpc = vpc;
	api_vpc(&api, SUMMARIES(SUMMARY("Z1", "corp.example.", OURS)));
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", loaded_and_associated));
	sync_stop(&thread);
	assert_true(is_kept("Z1"));
}

static void test_zone_of_the_vpc(void **state)
{
	struct sync_opts opts = disk_options(NULL, 0);
	char why[256];
	keep_one_of_vpc("vpc-1");
	api_vpc(&api, NULL);
	opts.vpc = "vpc-1";
	start(&opts);
	assert_int_equal(source_now("Z1"), ZONE_SOURCE_DISK);
	assert_true(listener_wait(&listener, "Z1", loaded_and_associated));
	assert_true(ready(why));
}

/* A zone of another VPC is not served from disk, nor kept when ours has none of it. */
static void test_zone_of_another_vpc(void **state)
{
	struct sync_opts opts = disk_options(NULL, 0);
	keep_one_of_vpc("vpc-1");
	api_vpc(&api, SUMMARIES(""));
	opts.vpc = "vpc-2";
	start(&opts);
	assert_int_equal(source_now("Z1"), ZONE_SOURCE_NONE);
	kept_wait("Z1", false);
}

/* Named in the settings it is served, but not believed to be associated. */
static void test_named_zone_of_another_vpc(void **state)
{
	struct sync_opts opts = disk_options(one_id, 1);
	keep_one_of_vpc("vpc-1");
	api_vpc(&api, NULL);
	api_set(&api, 0, "Z1", 500, "");
	opts.vpc = "vpc-2";
	start(&opts);
	assert_int_equal(source_now("Z1"), ZONE_SOURCE_DISK);
	assert_true(listener_wait(&listener, "Z1", loaded_not_associated));
}

/* A disk that was cloned into another VPC: known once metadata answers. */
static void test_cloned_disk(void **state)
{
	struct sync_opts opts = disk_options(NULL, 0);
	keep_one_of_vpc("vpc-other");
	setenv("AWS_EC2_METADATA_DISABLED", "false", 1);
	api_vpc(&api, NULL);
	opts.vpc = "auto";
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", absent));
	kept_wait("Z1", false);
}

static void test_disk_in_trouble(void **state)
{
	struct sync_opts opts = disk_options(one_id, 1);
	char why[256];
	int fd = open(zones_dir, O_CREAT | O_WRONLY, 0600); /* a file where the folder should be */
	assert_true(fd >= 0);
	close(fd);
	log_set_level(LOG_LEVEL_ERROR - 1);
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", two_sets));
	assert_true(ready(why));
	char better[128];
	snprintf(better, sizeof(better), "%s/better", folder);
	assert_int_equal(unlink(zones_dir), 0);
	assert_int_equal(mkdir(better, 0700), 0);
	opts.state_dir = better;
	assert_int_equal(sync_reload(thread, &opts, err, sizeof(err)), 0);
	snprintf(zones_dir, sizeof(zones_dir), "%s/zones", better);
	kept_wait("Z1", true);
	sync_stop(&thread);
	stage_log();
	unlink(file_of("Z1"));
	rmdir(zones_dir);
	rmdir(better);
}

static int disk_begin(void **state)
{
	snprintf(folder, sizeof(folder), "/tmp/horizon-sync-disk-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(zones_dir, sizeof(zones_dir), "%s/zones", folder);
	return begin(state);
}

static int disk_end(void **state)
{
	int ret = end(state);
	snprintf(zones_dir, sizeof(zones_dir), "%s/zones", folder);
	unlink(file_of("Z1"));
	unlink(file_of("Z2"));
	rmdir(zones_dir);
	return ret != 0 ? ret : rmdir(folder); /* nothing else was left there */
}

int main(void)
{
	stage_log();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_served_without_the_api, disk_begin, disk_end),
		cmocka_unit_test_setup_teardown(test_confirmed, disk_begin, disk_end),
		cmocka_unit_test_setup_teardown(test_change_is_kept, disk_begin, disk_end),
		cmocka_unit_test_setup_teardown(test_damaged, disk_begin, disk_end),
		cmocka_unit_test_setup_teardown(test_deleted_zone_is_forgotten, disk_begin,
	                                        disk_end),
		cmocka_unit_test_setup_teardown(test_unwanted_zone_is_removed, disk_begin,
	                                        disk_end),
		cmocka_unit_test_setup_teardown(test_zone_of_the_vpc, disk_begin, disk_end),
		cmocka_unit_test_setup_teardown(test_zone_of_another_vpc, disk_begin, disk_end),
		cmocka_unit_test_setup_teardown(test_named_zone_of_another_vpc, disk_begin,
	                                        disk_end),
		cmocka_unit_test_setup_teardown(test_cloned_disk, disk_begin, disk_end),
		cmocka_unit_test_setup_teardown(test_disk_in_trouble, disk_begin, disk_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
