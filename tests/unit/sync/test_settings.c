#include "stage.h"

#include <unistd.h>

static char folder[] = "/tmp/horizon-sync-XXXXXX";
static char path[128];
static const char *const paths[] = {path};

static void file_write(const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

#define FILE_SOA                                                                          \
	"{\"Name\":\"demo.example.\",\"Type\":\"SOA\",\"TTL\":900,\"ResourceRecords\":[{" \
	"\"Value\":\"ns.demo.example. admin.demo.example. 1 7200 900 1209600 86400\"}]}"
#define FILE_A                                                                              \
	",{\"Name\":\"www.demo.example.\",\"Type\":\"A\",\"TTL\":60,\"ResourceRecords\":[{" \
	"\"Value\":\"10.0.0.1\"}]}"
#define FILE_OF(sets) "{\"ResourceRecordSets\":[\n" sets "]}\n"

static struct sync_opts file_options(void)
{
	return (struct sync_opts){
		.zone_files = paths,
		.zone_file_count = 1,
		.vpc = "",
		.region = "",
		.endpoint = "",
		.state_dir = "",
	};
}

static void test_file_there_at_start(void **state)
{
	struct sync_opts opts = file_options();
	char why[256];
	file_write(FILE_OF(FILE_SOA FILE_A));
	start(&opts);
	/* Published before sync_start returned. */
	pthread_mutex_lock(&listener.lock);
	assert_int_equal(sets_of(entry_find(listener.zones, "demo.example.")), 2);
	assert_int_equal(entry_find(listener.zones, "demo.example.")->source, ZONE_SOURCE_FILE);
	pthread_mutex_unlock(&listener.lock);
	assert_true(ready(why));
	file_write(FILE_OF(FILE_SOA));
	assert_int_equal(sync_now(thread, "demo.example."), 0);
	assert_true(listener_wait(&listener, "demo.example.", one_set));
}

static void test_bad_file_at_start(void **state)
{
	struct sync_opts opts = file_options();
	const struct sync_hooks given = hooks();
	file_write(FILE_OF(FILE_SOA ",\n{\"Name\":\"a.demo.example.\"}"));
	assert_null(sync_start(&opts, &given, err, sizeof(err)));
	assert_non_null(strstr(err, "/zone.json:3: set `a.demo.example.` ?: Type is missing"));
	file_write(FILE_OF(""));
	assert_null(sync_start(&opts, &given, err, sizeof(err)));
	assert_non_null(strstr(err, "/zone.json: "));
}

/* --- New settings --- */

static void test_reload(void **state)
{
	static const char *const other_ids[] = {"Z1", "Z2"};
	struct sync_opts opts = options(one_id, 1);
	api_set(&api, 1, "Z2", 200, PAGE(SOA("two.example."), LAST));
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", two_sets));

	/* A zone more, and a file. */
	file_write(FILE_OF(FILE_SOA));
	opts = options(other_ids, 2);
	opts.zone_files = paths;
	opts.zone_file_count = 1;
	assert_int_equal(sync_reload(thread, &opts, err, sizeof(err)), 0);
	assert_true(listener_wait(&listener, "Z2", loaded));
	assert_true(listener_wait(&listener, "demo.example.", loaded));
	assert_int_equal(api_calls(&api, 0), 1); /* Z1 kept its data */

	/* A bad file changes nothing. */
	file_write("nonsense");
	opts.zone_count = 0;
	assert_int_equal(sync_reload(thread, &opts, err, sizeof(err)), FAIL_FORMAT);
	assert_non_null(strstr(err, "/zone.json:1: "));

	/* Z1 and the file go. */
	opts = options(other_ids + 1, 1);
	assert_int_equal(sync_reload(thread, &opts, err, sizeof(err)), 0);
	assert_true(listener_wait(&listener, "Z1", absent));
	assert_true(listener_wait(&listener, "demo.example.", absent));
	assert_true(listener_wait(&listener, "Z2", loaded));
}

/* New settings do not wait for a call that hangs, and call it off when nobody wants its answer. */
static void test_reload_in_a_call(void **state)
{
	static const char *const other_ids[] = {"Z2"};
	struct sync_opts opts = options(one_id, 1);
	api_hang(&api, 0);
	api_set(&api, 1, "Z2", 200, PAGE(SOA("two.example."), LAST));
	start(&opts);
	while (api_calls(&api, 0) == 0) {
		usleep(1000);
	}
	uint64_t start_ms = mono_ms();
	opts = options(other_ids, 1);
	assert_int_equal(sync_reload(thread, &opts, err, sizeof(err)), 0);
	assert_true(listener_wait(&listener, "Z2", loaded));
	assert_true(listener_wait(&listener, "Z1", absent));
	assert_true(mono_ms() - start_ms < 5000);
}

static void test_reload_to_another_api(void **state)
{
	struct sync_opts opts = options(one_id, 1);
	struct api other;
	char endpoint[64];
	api_hang(&api, 0);
	start(&opts);
	while (api_calls(&api, 0) == 0) {
		usleep(1000);
	}
	api_start(&other);
	api_set(&other, 0, "Z1", 200, PAGE(CORP_MORE, LAST));
	snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%u", other.server.port);
	opts.endpoint = endpoint;
	assert_int_equal(sync_reload(thread, &opts, err, sizeof(err)), 0);
	assert_true(listener_wait(&listener, "Z1", three_sets));
	sync_stop(&thread);
	api_stop(&other);
}

static int folder_make(void **state)
{
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/zone.json", folder);
	return 0;
}

static int folder_remove(void **state)
{
	unlink(path);
	return rmdir(folder);
}

int main(void)
{
	stage_log();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_file_there_at_start, begin, end),
		cmocka_unit_test_setup_teardown(test_bad_file_at_start, begin, end),
		cmocka_unit_test_setup_teardown(test_reload, begin, end),
		cmocka_unit_test_setup_teardown(test_reload_in_a_call, begin, end),
		cmocka_unit_test_setup_teardown(test_reload_to_another_api, begin, end),
	};
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
