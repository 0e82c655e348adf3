#include "base/list.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct member {
	int number;
	struct list link;
};

static void fill(struct list *head, struct member *members, int count)
{
	list_init(head);
	for (int i = 0; i < count; i++) {
		members[i].number = i;
		list_append(head, &members[i].link);
	}
}

static void test_keeps_the_order(void **state)
{
	struct list head;
	struct member members[4];
	fill(&head, members, 4);
	int expected = 0;
	list_each (at, &head) {
		assert_int_equal(list_item(at, struct member, link)->number, expected++);
	}
	assert_int_equal(expected, 4);
}

static void test_removing_twice_does_no_harm(void **state)
{
	struct list head;
	struct member members[2];
	fill(&head, members, 2);
	list_remove(&members[0].link);
	list_remove(&members[0].link);
	assert_ptr_equal(head.next, &members[1].link);
	assert_ptr_equal(head.prev, &members[1].link);
	list_remove(&members[1].link);
	assert_true(list_empty(&head));
}

static void test_body_may_remove_its_own(void **state)
{
	struct list head;
	struct member members[5];
	fill(&head, members, 5);
	list_each (at, &head) {
		if (list_item(at, struct member, link)->number % 2 == 0) {
			list_remove(at);
		}
	}
	assert_ptr_equal(head.next, &members[1].link);
	assert_ptr_equal(head.next->next, &members[3].link);
	assert_ptr_equal(head.prev, &members[3].link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps_the_order),
		cmocka_unit_test(test_removing_twice_does_no_harm),
		cmocka_unit_test(test_body_may_remove_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
