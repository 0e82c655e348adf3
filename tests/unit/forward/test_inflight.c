#include "fake.h"
#include "forward/worker_int.h"

#define ENTRIES 500

static void entry_init(struct inflight_entry *entry, const char *name, uint16_t qtype)
{
	memset(entry, 0, sizeof(*entry));
	entry->name_len = (uint8_t)dns_name_parse(name, entry->name);
	entry->origin = 1;
	entry->qtype = qtype;
	entry->deadline_ms = 1000 + qtype;
	list_init(&entry->waiters);
	inflight__hash(entry);
}

static enum inflight_joined join(struct inflight *table, struct inflight_entry *entry,
                                 struct waiter *waiter)
{
	uint64_t deadline_ms = 0;
	memset(waiter, 0, sizeof(*waiter));
	list_init(&waiter->link);
	inflight__hash(entry);
	enum inflight_joined joined = inflight__join(table, entry, waiter, true, &deadline_ms);
	assert_int_equal(deadline_ms, entry->deadline_ms);
	return joined;
}

static void test_same_and_not(void **state)
{
	struct inflight *table = inflight__new(100);
	struct inflight_entry first;
	struct inflight_entry entry;
	struct inflight_entry others[5];
	struct waiter waiters[8];
	struct list own;
	list_init(&own);
	entry_init(&first, "www.Example.com", 1);
	assert_int_equal(join(table, &first, &waiters[0]), INFLIGHT_FRESH);

	/* Case makes no difference. */
	entry_init(&entry, "WWW.eXample.com", 1);
	assert_int_equal(join(table, &entry, &waiters[1]), INFLIGHT_JOINED);
	assert_false(entry.open);
	assert_ptr_equal(waiters[1].entry, &first);

	/* All else does. */
	entry_init(&others[0], "wwv.example.com", 1);
	entry_init(&others[1], "www.example.com", 28);
	for (unsigned int i = 2; i < 5; i++) {
		entry_init(&others[i], "www.example.com", 1);
	}
	others[2].dnssec_ok = true;
	others[3].checking_disabled = true;
	others[4].origin = 2;
	for (unsigned int i = 0; i < 5; i++) {
		assert_int_equal(join(table, &others[i], &waiters[2 + i]), INFLIGHT_FRESH);
	}
	for (unsigned int i = 0; i < 5; i++) {
		assert_false(inflight__leave_unwanted(table, &others[i]));
		assert_true(inflight__detach(&waiters[2 + i]));
		assert_true(inflight__leave_unwanted(table, &others[i]));
	}

	assert_false(inflight__leave(table, &first, &own));
	assert_ptr_equal(list_item(own.next, struct waiter, link), &waiters[0]);
	assert_true(waiters[0].fresh);
	assert_false(waiters[1].fresh);
	assert_false(inflight__detach(&waiters[0])); /* its outcome is on the way */
	/* It has left: the same is fresh again. */
	assert_int_equal(join(table, &entry, &waiters[7]), INFLIGHT_FRESH);
	assert_true(inflight__detach(&waiters[7]));
	assert_true(inflight__leave_unwanted(table, &entry));
	inflight__free(&table);
	assert_null(table);
}

static void test_not_allowed(void **state)
{
	struct inflight *table = inflight__new(100);
	struct inflight_entry entry;
	struct inflight_entry same;
	struct waiter waiters[2] = {0};
	uint64_t deadline_ms;
	entry_init(&entry, "www.example.com", 1);
	assert_int_equal(inflight__join(table, &entry, &waiters[0], false, &deadline_ms),
	                 INFLIGHT_FULL);
	assert_null(waiters[0].entry);
	assert_int_equal(join(table, &entry, &waiters[0]), INFLIGHT_FRESH);
	/* Joining needs no place. */
	entry_init(&same, "www.example.com", 1);
	assert_int_equal(inflight__join(table, &same, &waiters[1], false, &deadline_ms),
	                 INFLIGHT_JOINED);
	assert_true(inflight__detach(&waiters[0]));
	assert_true(inflight__detach(&waiters[1]));
	assert_true(inflight__leave_unwanted(table, &entry));
	inflight__free(&table);
}

/* More entries than buckets; leaving in another order than coming. */
static void test_many(void **state)
{
	static struct inflight_entry entries[ENTRIES];
	static struct waiter waiters[ENTRIES];
	struct inflight *table = inflight__new(1);
	for (unsigned int i = 0; i < ENTRIES; i++) {
		entry_init(&entries[i], "www.example.com", (uint16_t)i);
		assert_int_equal(join(table, &entries[i], &waiters[i]), INFLIGHT_FRESH);
	}
	for (unsigned int i = 0; i < ENTRIES; i++) {
		unsigned int at = i * 77 % ENTRIES;
		struct inflight_entry again;
		struct waiter waiter;
		entry_init(&again, "www.example.com", (uint16_t)at);
		assert_int_equal(join(table, &again, &waiter), INFLIGHT_JOINED);
		assert_true(inflight__detach(&waiter));
		assert_true(inflight__detach(&waiters[at]));
		assert_true(inflight__leave_unwanted(table, &entries[at]));
	}
	inflight__quiesce(table);
	inflight__free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_and_not),
		cmocka_unit_test(test_not_allowed),
		cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
