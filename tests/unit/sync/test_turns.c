/* The pages of several zones take turns; a page that fails does not cost those before it. */
#include "stage.h"

#include <unistd.h>

#define PAGES_LARGE 30
#define CALLS_MAX   1000

/* Each call in order: the zone's last character and the page. */
static struct {
	char zone;
	unsigned int page;
} calls[CALLS_MAX];
static unsigned int call_count;
static unsigned int refuse_page;  /* of Z1: this one is refused */
static unsigned int refuse_times; /* so often */
static unsigned int refuse_status;
static unsigned int gone_page; /* of Z1: the set that this one begins with is gone, once */

static unsigned int pages_of(const char *id)
{
	return strcmp(id, "Z1") == 0 || strcmp(id, "Z2") == 0 ? PAGES_LARGE : 1;
}

static void pages_answer(struct api *from, const char *id, const char *target,
                         struct tiny_reply *reply)
{
	unsigned int page = 0;
	char body[4096], next[512];
	const char *name = strstr(target, "name=p");
	if (name != NULL) {
		page = (unsigned int)strtoul(name + 6, NULL, 10);
	}
	if (call_count < CALLS_MAX) {
		calls[call_count].zone = id[1];
		calls[call_count].page = page;
		call_count++;
	}
	bool refused = strcmp(id, "Z1") == 0 && page == refuse_page && refuse_times > 0;
	if (refused) {
		refuse_times--;
		tiny_text(reply, refuse_status,
		          refuse_status == 400 ? ERROR_BODY("Throttling", "Rate exceeded") : "");
		return;
	}
	unsigned int shown = page;
	if (strcmp(id, "Z1") == 0 && gone_page != 0 && page == gone_page) {
		gone_page = 0;
		shown++;
	}
	snprintf(next, sizeof(next),
	         "<IsTruncated>true</IsTruncated><NextRecordName>p%03u.%s.example.</NextRecordName>"
	         "<NextRecordType>A</NextRecordType>",
	         page + 1, id);
	snprintf(body, sizeof(body),
	         "<ListResourceRecordSetsResponse xmlns=\"" SPACE "\"><ResourceRecordSets>%s%s%s"
	         "<ResourceRecordSet><Name>p%03u.%s.example.</Name><Type>A</Type><TTL>60</TTL>"
	         "<ResourceRecords><ResourceRecord><Value>10.0.0.1</Value></ResourceRecord>"
	         "</ResourceRecords></ResourceRecordSet></ResourceRecordSets>%s"
	         "</ListResourceRecordSetsResponse>",
	         page == 0 ? "<ResourceRecordSet><Name>" : "", page == 0 ? id : "",
	         page == 0 ? ".example.</Name><Type>SOA</Type><TTL>900</TTL><ResourceRecords>"
	                     "<ResourceRecord><Value>ns. admin. 1 7200 900 1209600 86400</Value>"
	                     "</ResourceRecord></ResourceRecords></ResourceRecordSet>"
	                   : "",
	         shown, id, page + 1 < pages_of(id) ? next : LAST);
	tiny_text(reply, 200, body);
}

static int turns_begin(void **state)
{
	int ret = begin(state);
	call_count = 0;
	refuse_times = 0;
	gone_page = 0;
	api.list = pages_answer;
	return ret;
}

static bool whole(const struct zones_entry *entry)
{
	return sets_of(entry) == PAGES_LARGE + 1;
}

static unsigned int calls_for(char zone, unsigned int page)
{
	unsigned int count = 0;
	pthread_mutex_lock(&api.lock);
	for (unsigned int i = 0; i < call_count; i++) {
		count += calls[i].zone == zone && calls[i].page == page;
	}
	pthread_mutex_unlock(&api.lock);
	return count;
}

/* The place of the last first page, among all calls. */
static unsigned int last_begun(void)
{
	unsigned int last = 0;
	pthread_mutex_lock(&api.lock);
	for (unsigned int i = 0; i < call_count; i++) {
		last = calls[i].page == 0 ? i : last;
	}
	pthread_mutex_unlock(&api.lock);
	return last;
}

static void test_small_zones_need_not_wait(void **state)
{
	static const char *const ids[] = {"Z1", "Z2", "Z3", "Z4", "Z5", "Z6"};
	struct sync_opts opts = options(ids, 6);
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", whole));
	assert_true(listener_wait(&listener, "Z2", whole));
	assert_true(last_begun() <= 12); /* six zones, every second call begins one */
	for (unsigned int i = 0; i < PAGES_LARGE; i++) {
		assert_int_equal(calls_for('1', i), 1);
	}
}

/* Nor do many of them hold a large one up. */
static void test_large_zone_gets_its_share(void **state)
{
	static char names[100][8];
	const char *ids[100];
	for (unsigned int i = 0; i < 100; i++) {
		snprintf(names[i], sizeof(names[i]), i == 0 ? "Z1" : "Y%u", i);
		ids[i] = names[i];
	}
	struct sync_opts opts = options(ids, 100);
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", whole));
	pthread_mutex_lock(&api.lock);
	unsigned int at = 0;
	while (calls[at].zone != '1' || calls[at].page != PAGES_LARGE - 1) {
		at++;
	}
	pthread_mutex_unlock(&api.lock);
	assert_true(at < 2 * PAGES_LARGE + 2);
}

static void refused(unsigned int status)
{
	static const char *const ids[] = {"Z1", "Z9"};
	struct sync_opts opts = options(ids, 2);
	log_set_level(LOG_LEVEL_ERROR);
	refuse_page = 10;
	refuse_times = 2;
	refuse_status = status;
	start(&opts);
	assert_true(listener_wait(&listener, "Z9", two_sets));
	assert_true(listener_wait(&listener, "Z1", whole));
	assert_int_equal(calls_for('1', 0), 1); /* not from the beginning */
	assert_int_equal(calls_for('1', 10), 3);
	assert_int_equal(calls_for('1', 11), 1);
}

static void test_throttled_page(void **state)
{
	refused(400);
}

static void test_page_with_a_fault_of_theirs(void **state)
{
	refused(503);
}

static void test_changed_under_way(void **state)
{
	struct sync_opts opts = options(one_id, 1);
	gone_page = 7;
	start(&opts);
	assert_true(listener_wait(&listener, "Z1", whole));
	assert_int_equal(calls_for('1', 0), 2);
	assert_int_equal(calls_for('1', 6), 2);
	assert_int_equal(calls_for('1', 8), 1);
}

/* A zone all of whose calls fail costs the others their turn, not their data. */
static void test_failing_zones_rest(void **state)
{
	static const char *const ids[] = {"Z1", "Z2", "Z3"};
	struct sync_opts opts = options(ids, 3);
	refuse_page = 3;
	refuse_times = 1000;
	refuse_status = 500;
	start(&opts);
	assert_true(listener_wait(&listener, "Z2", whole));
	assert_true(listener_wait(&listener, "Z3", two_sets));
	assert_true(listener_wait(&listener, "Z1", in_trouble));
	assert_true(calls_for('1', 3) < 10);
}

int main(void)
{
	stage_log();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_small_zones_need_not_wait, turns_begin, end),
		cmocka_unit_test_setup_teardown(test_large_zone_gets_its_share, turns_begin, end),
		cmocka_unit_test_setup_teardown(test_throttled_page, turns_begin, end),
		cmocka_unit_test_setup_teardown(test_page_with_a_fault_of_theirs, turns_begin, end),
		cmocka_unit_test_setup_teardown(test_changed_under_way, turns_begin, end),
		cmocka_unit_test_setup_teardown(test_failing_zones_rest, turns_begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
