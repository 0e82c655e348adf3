#include "stage.h"

#include "zone/health.h"
#include <poll.h>

#define CHECKED                                                                       \
	SOA("corp.example.")                                                          \
	"<ResourceRecordSet><Name>f.corp.example.</Name><Type>A</Type>"               \
	"<SetIdentifier>p</SetIdentifier><Failover>PRIMARY</Failover><TTL>60</TTL>"   \
	"<ResourceRecords><ResourceRecord><Value>10.0.0.1</Value></ResourceRecord>"   \
	"</ResourceRecords><HealthCheckId>c-1</HealthCheckId></ResourceRecordSet>"    \
	"<ResourceRecordSet><Name>f.corp.example.</Name><Type>A</Type>"               \
	"<SetIdentifier>s</SetIdentifier><Failover>SECONDARY</Failover><TTL>60</TTL>" \
	"<ResourceRecords><ResourceRecord><Value>10.0.0.2</Value></ResourceRecord>"   \
	"</ResourceRecords></ResourceRecordSet>" SET("www.corp.example.", "A", "60", "10.0.0.1")
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

int main(void)
{
	stage_log();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_health_of_checks, begin, end),
		cmocka_unit_test_setup_teardown(test_health_denied, begin, end),
		cmocka_unit_test_setup_teardown(test_health_not_needed, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
