#include "base/fail.h"
#include "loop/loop.h"
#include "loop/mailbox.h"
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define SENDERS 4
#define LETTERS 5000

struct letter {
	struct mail mail;
	unsigned int sender;
	unsigned int number;
};

/* The owner's: touched by its loop alone. */
struct office {
	struct loop *loop;
	struct mailbox *box;
	unsigned int read;
	unsigned int stop_at;
	unsigned int next[SENDERS];
};

static void letter_read(struct mail *mail, void *ctx)
{
	struct letter *letter = (struct letter *)(void *)mail;
	struct office *office = ctx;
	assert_int_equal(letter->number, office->next[letter->sender]);
	office->next[letter->sender]++;
	free(letter);
	if (++office->read == office->stop_at) {
		loop_stop(office->loop);
	}
}

static struct letter *letter_new(unsigned int sender, unsigned int number)
{
	struct letter *letter = malloc(sizeof(*letter));
	assert_non_null(letter);
	*letter = (struct letter){.mail = {.fn = letter_read}, .sender = sender, .number = number};
	return letter;
}

static void office_open(struct office *office, size_t letter_max)
{
	*office = (struct office){.loop = loop_new()};
	assert_non_null(office->loop);
	office->box = mailbox_new(office->loop, letter_max, office);
	assert_non_null(office->box);
}

static void office_close(struct office *office)
{
	mailbox_free(&office->box);
	assert_null(office->box);
	mailbox_free(&office->box);
	loop_free(&office->loop);
}

static void test_order_is_kept(void **state)
{
	struct office office;
	office_open(&office, 100);
	for (unsigned int i = 0; i < 100; i++) {
		assert_int_equal(mailbox_post(office.box, &letter_new(0, i)->mail), 0);
	}
	assert_int_equal(office.read, 0);
	assert_int_equal(loop_turn(office.loop, 1000), 0);
	assert_int_equal(office.read, 100);
	office_close(&office);
}

static void test_full_box_refuses(void **state)
{
	struct office office;
	struct letter *refused = letter_new(0, 2);
	office_open(&office, 2);
	assert_int_equal(mailbox_post(office.box, &letter_new(0, 0)->mail), 0);
	assert_int_equal(mailbox_post(office.box, &letter_new(0, 1)->mail), 0);
	assert_int_equal(mailbox_post(office.box, &refused->mail), FAIL_BUSY);
	assert_int_equal(loop_turn(office.loop, 1000), 0);
	assert_int_equal(office.read, 2);
	assert_int_equal(mailbox_post(office.box, &refused->mail), 0);
	assert_int_equal(loop_turn(office.loop, 1000), 0);
	assert_int_equal(office.read, 3);
	office_close(&office);
}

static void test_free_reads_what_is_left(void **state)
{
	struct office office;
	office_open(&office, 10);
	for (unsigned int i = 0; i < 10; i++) {
		assert_int_equal(mailbox_post(office.box, &letter_new(0, i)->mail), 0);
	}
	office_close(&office);
	assert_int_equal(office.read, 10);
}

static void letter_forward(struct mail *mail, void *ctx)
{
	struct office *office = ctx;
	mail->fn = letter_read;
	/* Its own place in the box is free by now. */
	assert_int_equal(mailbox_post(office->box, mail), 0);
}

static void test_a_letter_may_be_posted_again(void **state)
{
	struct office office;
	struct letter *letter = letter_new(0, 0);
	letter->mail.fn = letter_forward;
	office_open(&office, 1);
	assert_int_equal(mailbox_post(office.box, &letter->mail), 0);
	assert_int_equal(loop_turn(office.loop, 1000), 0);
	assert_int_equal(office.read, 0); /* a turn later: letters cannot hold the loop */
	assert_int_equal(loop_turn(office.loop, 1000), 0);
	assert_int_equal(office.read, 1);

	letter = letter_new(0, 1);
	letter->mail.fn = letter_forward;
	assert_int_equal(mailbox_post(office.box, &letter->mail), 0);
	office_close(&office);
	assert_int_equal(office.read, 2);
}

struct sender {
	struct office *office;
	unsigned int number;
};

static void *send_all(void *ctx)
{
	struct sender *sender = ctx;
	for (unsigned int i = 0; i < LETTERS; i++) {
		struct letter *letter = letter_new(sender->number, i);
		while (mailbox_post(sender->office->box, &letter->mail) != 0) {
			sched_yield();
		}
	}
	return NULL;
}

static void test_many_senders(void **state)
{
	struct office office;
	struct sender senders[SENDERS];
	pthread_t threads[SENDERS];
	office_open(&office, 64);
	office.stop_at = SENDERS * LETTERS;
	for (unsigned int i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender){.office = &office, .number = i};
		assert_int_equal(pthread_create(&threads[i], NULL, send_all, &senders[i]), 0);
	}
	assert_int_equal(loop_run(office.loop), 0); /* hangs if a wake-up gets lost */
	for (unsigned int i = 0; i < SENDERS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(office.next[i], LETTERS);
	}
	office_close(&office);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_is_kept),
		cmocka_unit_test(test_full_box_refuses),
		cmocka_unit_test(test_free_reads_what_is_left),
		cmocka_unit_test(test_a_letter_may_be_posted_again),
		cmocka_unit_test(test_many_senders),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
