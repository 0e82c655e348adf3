#include "control/exchange_int.h"

#include "base/mono.h"
#include "visitor.h"

#define REQUEST_MAX 64

/* Serves words that end in "."; the answer is the word, `repeat` times, at once or when it is told. */
struct house {
	struct loop *loop;
	struct exchange *exchange;
	char path[64];
	bool later;
	size_t repeat;
	unsigned int requests;
	unsigned int overlong;
	struct exchange_peer *waiting;
	char words[REQUEST_MAX + 1];
};

static size_t word_whole(const char *bytes, size_t len)
{
	const char *end = memchr(bytes, '.', len);
	return end == NULL ? 0 : (size_t)(end - bytes) + 1;
}

static void house_answer(struct house *house, struct exchange_peer *peer)
{
	size_t len = strlen(house->words);
	char *answer = malloc(len * house->repeat + 1);
	assert_non_null(answer);
	for (size_t i = 0; i < house->repeat; i++) {
		memcpy(answer + i * len, house->words, len);
	}
	exchange_answer(peer, answer, len * house->repeat);
}

static void word_arrives(void *ctx, struct exchange_peer *peer, const char *bytes, size_t len)
{
	struct house *house = ctx;
	if (len == 0) {
		house->overlong++;
		exchange_answer(peer, NULL, 0);
		return;
	}
	house->requests++;
	assert_int_equal(strlen(bytes), len);
	strcpy(house->words, bytes);
	if (house->later) {
		house->waiting = peer;
	} else {
		house_answer(house, peer);
	}
}

static void house_open(struct house *house, size_t peers_max, unsigned int ms)
{
	*house = (struct house){.loop = loop_new(), .repeat = 1};
	assert_non_null(house->loop);
	snprintf(house->path, sizeof(house->path), "/tmp/exchange-%d", (int)getpid());
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	strcpy(addr.sun_path, house->path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 128), 0);
	const struct exchange_opts opts = {
		.name = "test",
		.peers_max = peers_max,
		.request_max = REQUEST_MAX,
		.request_ms = ms,
		.answer_ms = ms,
		.whole = word_whole,
		.request = word_arrives,
		.ctx = house,
	};
	house->exchange = exchange_open(house->loop, fd, &opts);
	assert_non_null(house->exchange);
}

static void house_close(struct house *house)
{
	exchange_close(&house->exchange);
	assert_null(house->exchange);
	exchange_close(&house->exchange);
	unlink(house->path);
	loop_free(&house->loop);
}

static void turn(struct house *house, unsigned int times)
{
	for (unsigned int i = 0; i < times; i++) {
		assert_int_equal(loop_turn(house->loop, 0), 0);
	}
}

static void test_pieces(void **state)
{
	struct house house;
	struct visitor visitor;
	house_open(&house, 4, 10000);
	visitor_come(&visitor, house.path);
	for (const char *at = "hello"; *at != '\0'; at++) {
		visitor_say(&visitor, at, 1);
		turn(&house, 2);
	}
	assert_int_equal(house.requests, 0);
	visitor_say(&visitor, "!.and more", 10);
	assert_string_equal(visitor_wait(&visitor, house.loop), "hello!.");
	visitor_go(&visitor, house.loop);
	house_close(&house);
}

/* A client that ends its side (nc -N) still gets its answer; one that ends too early gets none. */
static void test_half_closed(void **state)
{
	struct house house;
	struct visitor visitor;
	house_open(&house, 4, 10000);
	house.later = true;
	visitor_come(&visitor, house.path);
	visitor_say(&visitor, "hello.", 6);
	shutdown(visitor.fd, SHUT_WR);
	turn(&house, 3);
	assert_non_null(house.waiting);
	house_answer(&house, house.waiting);
	assert_string_equal(visitor_wait(&visitor, house.loop), "hello.");
	visitor_go(&visitor, house.loop);

	visitor_come(&visitor, house.path);
	visitor_say(&visitor, "hell", 4);
	shutdown(visitor.fd, SHUT_WR);
	assert_string_equal(visitor_wait(&visitor, house.loop), "");
	visitor_go(&visitor, house.loop);
	assert_int_equal(house.requests, 1);
	house_close(&house);
}

static void test_overlong(void **state)
{
	struct house house;
	struct visitor visitor;
	char words[4096];
	memset(words, 'x', sizeof(words));
	house_open(&house, 4, 10000);

	words[REQUEST_MAX - 1] = '.';
	visitor_come(&visitor, house.path);
	visitor_say(&visitor, words, REQUEST_MAX);
	assert_int_equal(strlen(visitor_wait(&visitor, house.loop)), REQUEST_MAX);
	visitor_go(&visitor, house.loop);
	assert_int_equal(house.overlong, 0);

	words[REQUEST_MAX - 1] = 'x';
	words[REQUEST_MAX] = '.';
	visitor_come(&visitor, house.path);
	visitor_say(&visitor, words, sizeof(words));
	assert_string_equal(visitor_wait(&visitor, house.loop), "");
	visitor_go(&visitor, house.loop);
	assert_int_equal(house.overlong, 1);
	assert_int_equal(house.requests, 1);
	house_close(&house);
}

/* The answer is larger than all buffers between, and the client takes its time. */
static void test_large_answer(void **state)
{
	struct house house;
	struct visitor visitor;
	house_open(&house, 4, 10000);
	house.repeat = 1000000;
	visitor_come(&visitor, house.path);
	visitor_say(&visitor, "hello.", 6);
	turn(&house, 10);
	visitor_wait(&visitor, house.loop);
	assert_int_equal(visitor.len, 6000000);
	visitor_go(&visitor, house.loop);
	house_close(&house);
}

/* Neither who never ends his request nor who never takes his answer stays. */
static void test_too_slow(void **state)
{
	struct house house;
	struct visitor silent, deaf;
	house_open(&house, 4, 20);
	house.repeat = 1000000;
	visitor_come(&silent, house.path);
	visitor_say(&silent, "hell", 4);
	visitor_come(&deaf, house.path);
	visitor_say(&deaf, "hello.", 6);
	uint64_t since_ms = mono_ms();
	assert_string_equal(visitor_wait(&silent, house.loop), "");
	assert_true(mono_ms() - since_ms >= 19);
	while (mono_ms() - since_ms < 60) {
		loop_turn(house.loop, 10);
	}
	visitor_wait(&deaf, house.loop);
	assert_true(deaf.len < 6000000);
	visitor_go(&silent, house.loop);
	visitor_go(&deaf, house.loop);
	house_close(&house);
}

/* A thousand that say half a word each keep out none who says a whole one. */
static void test_flood_of_halves(void **state)
{
	struct house house;
	house_open(&house, 8, 10000);
	struct visitor *many = calloc(1000, sizeof(*many));
	assert_non_null(many);
	for (unsigned int i = 0; i < 1000; i++) {
		visitor_come(&many[i], house.path);
		visitor_say(&many[i], "hell", 4);
		if (i % 100 == 99) {
			struct visitor visitor;
			visitor_come(&visitor, house.path);
			visitor_say(&visitor, "hello.", 6);
			assert_string_equal(visitor_wait(&visitor, house.loop), "hello.");
			visitor_go(&visitor, house.loop);
		}
	}
	assert_int_equal(house.requests, 10);

	/* The last ones are still welcome to end their word. */
	visitor_say(&many[999], "o.", 2);
	assert_string_equal(visitor_wait(&many[999], house.loop), "hello.");
	for (unsigned int i = 0; i < 1000; i++) {
		close(many[i].fd);
	}
	free(many);
	house_close(&house);
}

/* Whose request is being worked on is never put out: the next ones wait in the queue. */
static void test_all_served(void **state)
{
	struct house house;
	struct visitor first, second;
	house_open(&house, 1, 10000);
	house.later = true;
	visitor_come(&first, house.path);
	visitor_say(&first, "one.", 4);
	turn(&house, 3);
	visitor_come(&second, house.path);
	visitor_say(&second, "two.", 4);
	turn(&house, 10);
	assert_int_equal(house.requests, 1);
	house.later = false;
	house_answer(&house, house.waiting);
	assert_string_equal(visitor_wait(&first, house.loop), "one.");
	visitor_go(&first, house.loop);
	assert_string_equal(visitor_wait(&second, house.loop), "two.");
	visitor_go(&second, house.loop);
	house_close(&house);
}

static void test_close_with_all_kinds(void **state)
{
	struct house house;
	struct visitor reading, waiting, writing;
	house_open(&house, 8, 10000);
	visitor_come(&reading, house.path);
	visitor_say(&reading, "hell", 4);
	turn(&house, 2);
	house.repeat = 1000000;
	visitor_come(&writing, house.path);
	visitor_say(&writing, "hello.", 6);
	turn(&house, 2);
	house.later = true;
	visitor_come(&waiting, house.path);
	visitor_say(&waiting, "hello.", 6);
	turn(&house, 2);
	assert_int_equal(house.requests, 2);
	house_close(&house);
	close(reading.fd);
	close(waiting.fd);
	close(writing.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),     cmocka_unit_test(test_half_closed),
		cmocka_unit_test(test_overlong),   cmocka_unit_test(test_large_answer),
		cmocka_unit_test(test_too_slow),   cmocka_unit_test(test_flood_of_halves),
		cmocka_unit_test(test_all_served), cmocka_unit_test(test_close_with_all_kinds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
