#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api.h"
#include "aws/route53.h"
#include "base/log.h"
#include "base/mono.h"
#include "zone/health.h"
#include <poll.h>
#include <unistd.h>

#define CORP      SOA("corp.example.") SET("www.corp.example.", "A", "60", "10.0.0.1")
#define CORP_MORE CORP SET("db.corp.example.", "A", "60", "10.0.0.2")

static struct api api;
static struct listener listener;
static struct sync *thread;
static char err[256];

static int begin(void **state)
{
	api_start(&api);
	listener_init(&listener);
	api_set(&api, 0, "Z1", 200, PAGE(CORP, LAST));
	thread = NULL;
	return 0;
}

static int end(void **state)
{
	sync_stop(&thread);
	api_stop(&api);
	listener_fini(&listener);
	return 0;
}

static struct sync_opts options(const char *const *ids, size_t count)
{
	return (struct sync_opts){
		.api = true,
		.vpc = "",
		.region = "auto",
		.zones = ids,
		.zone_count = count,
		.interval_s = 3600,
		.min_interval_s = 3600,
		.rate = 1000,
		.endpoint = "",
		.state_dir = "",
	};
}

static struct sync_hooks hooks(void)
{
	return (struct sync_hooks){.publish = listener_publish, .ctx = &listener};
}

static void start(const struct sync_opts *opts)
{
	const struct sync_hooks given = hooks();
	thread = sync_start(opts, &given, err, sizeof(err));
	assert_non_null(thread);
}

/* --- Conditions --- */

static size_t sets_of(const struct zones_entry *entry)
{
	struct zone_stats stats = {0};
	if (entry != NULL && entry->zone != NULL) {
		zone_get_stats(entry->zone, &stats);
	}
	return stats.sets;
}

static bool one_set(const struct zones_entry *entry)
{
	return sets_of(entry) == 1;
}

static bool two_sets(const struct zones_entry *entry)
{
	return sets_of(entry) == 2;
}

static bool three_sets(const struct zones_entry *entry)
{
	return sets_of(entry) == 3;
}

static bool loaded(const struct zones_entry *entry)
{
	return sets_of(entry) > 0;
}

static bool loaded_and_associated(const struct zones_entry *entry)
{
	return loaded(entry) && entry->associated;
}

static bool loaded_not_associated(const struct zones_entry *entry)
{
	return loaded(entry) && !entry->associated;
}

static bool in_trouble(const struct zones_entry *entry)
{
	return entry != NULL && entry->trouble[0] != '\0';
}

static bool data_in_trouble(const struct zones_entry *entry)
{
	return in_trouble(entry) && sets_of(entry) == 2;
}

static bool unavailable(const struct zones_entry *entry)
{
	return entry != NULL && entry->unavailable && entry->zone == NULL;
}

static bool absent(const struct zones_entry *entry)
{
	return entry == NULL;
}

static const char *const one_id[] = {"Z1"};

static bool ready(char *why)
{
	return sync_ready(thread, why, 256);
}

/* --- Zones by id --- */

static void test_loaded_and_ready(void **state)
{
	struct sync_opts opts = options(one_id, 1);
	char why[256];
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", two_sets));
	assert_true(ready(why));
	assert_string_equal(why, "");
	assert_true(listener_wait(&listener, "corp.example.", loaded_not_associated));
	pthread_mutex_lock(&listener.lock);
	const struct zones_entry *entry = entry_find(listener.zones, "Z1");
	assert_int_equal(entry->source, ZONE_SOURCE_API);
	assert_int_equal(entry->calls, 1);
	assert_true(wall_s() - entry->looked_s < 10);
	pthread_mutex_unlock(&listener.lock);
}

static void test_change_seen(void **state)
{
	struct sync_opts opts = options(one_id, 1);
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", two_sets));
	api_set(&api, 0, "Z1", 200, PAGE(CORP_MORE, LAST));
	assert_int_equal(sync_now(thread, "corp.example"), 0);
	assert_true(listener_wait(&listener, "Z1", three_sets));
	assert_int_equal(sync_now(thread, "other.example"), FAIL_NOTFOUND);
}

/* The very zone goes on when the listing says the same. */
static void test_no_change_no_new_zone(void **state)
{
	struct sync_opts opts = options(one_id, 1);
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", two_sets));
	pthread_mutex_lock(&listener.lock);
	struct zone *zone = zone_ref(entry_find(listener.zones, "Z1")->zone);
	unsigned int published = listener.published;
	while (listener.published == published) {
		sync_now(thread, "Z1");
		pthread_cond_wait(&listener.changed, &listener.lock);
	}
	assert_true(api_calls(&api, 0) > 1);
	assert_ptr_equal(entry_find(listener.zones, "Z1")->zone, zone);
	pthread_mutex_unlock(&listener.lock);
	zone_unref(&zone);
}

/* Each fault in turn: the data stays, the trouble shows, the zone recovers. */
static void test_bad_listings_never_replace_data(void **state)
{
	static const struct {
		unsigned int status;
		const char *body;
	} bad[] = {
		{400, ERROR_BODY("Throttling", "Rate exceeded")},
		{500, ""},
		{200, "<html>sign in</html>"},
		{200, ""},
		{200, PAGE("", LAST)}, /* no SOA */
		{200, PAGE(SET("www.corp.example.", "A", "60", "10.0.0.1"), LAST)},
		{200, PAGE(CORP, NEXT("z.corp.example.", "A"))}, /* the same page for ever */
		{200, PAGE(SOA("other.example."), LAST)},        /* another zone's */
		{403, ERROR_BODY("AccessDenied", "not authorized")},
		{403, ERROR_BODY("InvalidClientTokenId", "who?")},
		{404, ERROR_BODY("NoSuchHostedZone", "once")},
	};
	struct sync_opts opts = options(one_id, 1);
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", two_sets));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		api_set(&api, 0, "Z1", bad[i].status, bad[i].body);
		assert_int_equal(sync_now(thread, "Z1"), 0);
		assert_true(listener_wait(&listener, "Z1", data_in_trouble));
		api_set(&api, 0, "Z1", 200, PAGE(CORP_MORE, LAST));
		assert_int_equal(sync_now(thread, "Z1"), 0);
		assert_true(listener_wait(&listener, "Z1", three_sets));
		api_set(&api, 0, "Z1", 200, PAGE(CORP, LAST));
		assert_int_equal(sync_now(thread, "Z1"), 0);
		assert_true(listener_wait(&listener, "Z1", two_sets));
	}
}

static void test_deleted_zone_confirmed(void **state)
{
	struct sync_opts opts = options(one_id, 1);
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", two_sets));
	api_set(&api, 0, "Z9", 200, PAGE(CORP, LAST));
	assert_int_equal(sync_now(thread, "Z1"), 0);
	assert_true(listener_wait(&listener, "Z1", data_in_trouble)); /* said once */
	assert_int_equal(sync_now(thread, "Z1"), 0);
	assert_true(listener_wait(&listener, "Z1", unavailable)); /* said twice */
}

static void test_denied_is_ready(void **state)
{
	static const char *const ids[] = {"Z1", "Z2"};
	struct sync_opts opts = options(ids, 2);
	char why[256];
	api_set(&api, 1, "Z2", 403, ERROR_BODY("AccessDenied", "not authorized"));
	start(&opts);
	assert_true(listener_wait(&listener, "Z2", unavailable));
	assert_true(listener_wait(&listener, "Z1", loaded));
	assert_true(ready(why));
}

static void test_not_ready_without_data(void **state)
{
	struct sync_opts opts = options(one_id, 1);
	char why[256];
	api_set(&api, 0, "Z1", 500, "");
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", in_trouble));
	assert_false(ready(why));
	assert_non_null(strstr(why, "zone Z1 is not loaded yet: status 500"));
	api_set(&api, 0, "Z1", 200, PAGE(CORP, LAST));
	assert_true(listener_wait(&listener, "Z1", two_sets)); /* by itself, after a rest */
	assert_true(ready(why));
}

static void test_failing_zone_holds_up_no_other(void **state)
{
	static const char *const ids[] = {"Z2", "Z1"};
	struct sync_opts opts = options(ids, 2);
	api_set(&api, 1, "Z2", 500, "");
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", two_sets));
	assert_true(listener_wait(&listener, "Z2", in_trouble));
}

static void test_stop_in_a_call(void **state)
{
	struct sync_opts opts = options(one_id, 1);
	api_hang(&api, 0);
	start(&opts);
	while (api_calls(&api, 0) == 0) {
		usleep(1000);
	}
	uint64_t start_ms = mono_ms();
	sync_stop(&thread);
	assert_true(mono_ms() - start_ms < 2000);
}

static void test_stop_in_want_of_budget(void **state)
{
	static const char *const ids[] = {"Z1", "Z2", "Z3", "Z4", "Z5", "Z6",
	                                  "Z7", "Z8", "Z9", "ZA", "ZB", "ZC"};
	struct sync_opts opts = options(ids, 12);
	opts.rate = 0.01;
	start(&opts);
	assert_true(listener_wait(&listener, "Z9", in_trouble));
	assert_true(listener_wait(&listener, "Z1", loaded)); /* published while it waits */
	sync_stop(&thread);
}

/* --- Zones of a VPC --- */

#define SUMMARY(id, name, owner)                                                                   \
	"<HostedZoneSummary><HostedZoneId>" id "</HostedZoneId><Name>" name "</Name><Owner>" owner \
	"</Owner></HostedZoneSummary>"
#define OURS   "<OwningAccount>111122223333</OwningAccount>"
#define THEIRS "<OwningService>efs.amazonaws.com</OwningService>"
#define SUMMARIES(list)                                                                \
	"<ListHostedZonesByVPCResponse xmlns=\"" SPACE "\"><HostedZoneSummaries>" list \
	"</HostedZoneSummaries><MaxItems>100</MaxItems></ListHostedZonesByVPCResponse>"

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

/* --- Zone files --- */

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

/* --- Health --- */

#define CHECKED                                                                            \
	CORP "<ResourceRecordSet><Name>f.corp.example.</Name><Type>A</Type>"               \
	     "<SetIdentifier>p</SetIdentifier><Failover>PRIMARY</Failover><TTL>60</TTL>"   \
	     "<ResourceRecords><ResourceRecord><Value>10.0.0.1</Value></ResourceRecord>"   \
	     "</ResourceRecords><HealthCheckId>c-1</HealthCheckId></ResourceRecordSet>"    \
	     "<ResourceRecordSet><Name>f.corp.example.</Name><Type>A</Type>"               \
	     "<SetIdentifier>s</SetIdentifier><Failover>SECONDARY</Failover><TTL>60</TTL>" \
	     "<ResourceRecords><ResourceRecord><Value>10.0.0.2</Value></ResourceRecord>"   \
	     "</ResourceRecords></ResourceRecordSet>"
#define OBSERVED(status)                                                          \
	"<HealthCheckObservation><Region>us-east-1</Region>"                      \
	"<IPAddress>192.0.2.1</IPAddress><StatusReport><Status>" status           \
	"</Status><CheckedTime>2026-01-02T03:04:05Z</CheckedTime></StatusReport>" \
	"</HealthCheckObservation>"
#define STATUS(observations)                                                        \
	"<?xml version=\"1.0\"?><GetHealthCheckStatusResponse xmlns=\"" SPACE "\">" \
	"<HealthCheckObservations>" observations "</HealthCheckObservations>"       \
	"</GetHealthCheckStatusResponse>"

/* Until the published table knows the check. */
static bool health_wait(const char *id, struct health_check *ret_check)
{
	const struct health_check *check = NULL;
	for (int i = 0; i < 1000 && check == NULL; i++) {
		pthread_mutex_lock(&listener.lock);
		check = listener.zones == NULL ? NULL
		                               : health_find(zones_health(listener.zones), id);
		if (check != NULL) {
			*ret_check = *check;
		}
		pthread_mutex_unlock(&listener.lock);
		poll(NULL, 0, check == NULL ? 10 : 0);
	}
	return check != NULL;
}

static unsigned int health_calls(void)
{
	pthread_mutex_lock(&api.lock);
	unsigned int calls = api.health_calls;
	pthread_mutex_unlock(&api.lock);
	return calls;
}

/* Of a zone that the VPC resolver does not know. */
static void test_health_of_checks(void **state)
{
	struct sync_opts opts = options(one_id, 1);
	api_set(&api, 0, "Z1", 200, PAGE(CHECKED, LAST));
	api.health_body = STATUS(OBSERVED("Failure: no answer") OBSERVED("Failure: x"));
	start(&opts);
	struct health_check check = {0};
	assert_true(health_wait("c-1", &check));
	assert_false(check.healthy);
	assert_true(wall_s() - check.known_s < 10);
	assert_int_equal(health_calls(), 1); /* not again before its time */
	struct text out;
	text_init(&out, 0);
	sync_metrics(thread, &out);
	assert_non_null(strstr(text_get(&out), "horizond_health_checks{state=\"unhealthy\"} 1\n"));
	text_fini(&out);
}

static void test_health_denied(void **state)
{
	struct sync_opts opts = options(one_id, 1);
	api_set(&api, 0, "Z1", 200, PAGE(CHECKED, LAST));
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", loaded));
	for (int i = 0; i < 1000 && health_calls() == 0; i++) {
		poll(NULL, 0, 10);
	}
	assert_true(health_calls() > 0);
	pthread_mutex_lock(&listener.lock);
	assert_null(zones_health(listener.zones));
	pthread_mutex_unlock(&listener.lock);
}

/* The VPC resolver answers for this zone: nobody needs to know. */
static void test_health_not_needed(void **state)
{
	struct sync_opts opts = options(NULL, 0);
	opts.vpc = "vpc-1";
	api_set(&api, 0, "Z1", 200, PAGE(CHECKED, LAST));
	api_vpc(&api, SUMMARIES(SUMMARY("Z1", "corp.example.", OURS)));
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", loaded_and_associated));
	poll(NULL, 0, 200);
	assert_int_equal(health_calls(), 0);
}

/* --- Metrics --- */

static void test_metrics(void **state)
{
	struct sync_opts opts = options(one_id, 1);
	struct text out;
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", two_sets));
	text_init(&out, 0);
	sync_metrics(thread, &out);
	const char *text = text_get(&out);
	assert_non_null(strstr(text, "horizond_zone_sets{zone=\"corp.example.\",id=\"Z1\"} 2\n"));
	assert_non_null(strstr(text, "horizond_zone_faults{zone=\"corp.example.\",id=\"Z1\"} 0\n"));
	assert_non_null(
		strstr(text, "horizond_zone_held_back{zone=\"corp.example.\",id=\"Z1\"} 0\n"));
	assert_non_null(
		strstr(text, "horizond_zone_age_seconds{zone=\"corp.example.\",id=\"Z1\"} "));
	assert_non_null(strstr(text, "horizond_api_calls_total{service=\"route53\","
	                             "operation=\"ListResourceRecordSets\",result=\"ok\"} 1\n"));
	text_fini(&out);
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
	log_set_level(getenv("SYNC_TEST_LOG") != NULL ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_loaded_and_ready, begin, end),
		cmocka_unit_test_setup_teardown(test_change_seen, begin, end),
		cmocka_unit_test_setup_teardown(test_no_change_no_new_zone, begin, end),
		cmocka_unit_test_setup_teardown(test_bad_listings_never_replace_data, begin, end),
		cmocka_unit_test_setup_teardown(test_deleted_zone_confirmed, begin, end),
		cmocka_unit_test_setup_teardown(test_denied_is_ready, begin, end),
		cmocka_unit_test_setup_teardown(test_not_ready_without_data, begin, end),
		cmocka_unit_test_setup_teardown(test_failing_zone_holds_up_no_other, begin, end),
		cmocka_unit_test_setup_teardown(test_stop_in_a_call, begin, end),
		cmocka_unit_test_setup_teardown(test_stop_in_want_of_budget, begin, end),
		cmocka_unit_test_setup_teardown(test_zones_of_a_vpc, begin, end),
		cmocka_unit_test_setup_teardown(test_vpc_not_listed, begin, end),
		cmocka_unit_test_setup_teardown(test_vpc_of_the_instance, begin, end),
		cmocka_unit_test_setup_teardown(test_no_instance, begin, end),
		cmocka_unit_test_setup_teardown(test_vpc_denied, begin, end),
		cmocka_unit_test_setup_teardown(test_file_there_at_start, begin, end),
		cmocka_unit_test_setup_teardown(test_bad_file_at_start, begin, end),
		cmocka_unit_test_setup_teardown(test_reload, begin, end),
		cmocka_unit_test_setup_teardown(test_reload_in_a_call, begin, end),
		cmocka_unit_test_setup_teardown(test_reload_to_another_api, begin, end),
		cmocka_unit_test_setup_teardown(test_health_of_checks, begin, end),
		cmocka_unit_test_setup_teardown(test_health_denied, begin, end),
		cmocka_unit_test_setup_teardown(test_health_not_needed, begin, end),
		cmocka_unit_test_setup_teardown(test_metrics, begin, end),
	};
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
