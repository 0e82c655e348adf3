/* wraps: malloc calloc realloc aligned_alloc free malloc_usable_size mmap munmap */
/*
 * What workers share stays unwritten while questions hit: zones, rules, clients and cache lie in memory of their own,
 * which is made read-only, and a hundred thousand hits go on. A store is what a write would come to: it is caught.
 */
#include "stage.h"
#include <signal.h>
#include <sys/mman.h>

#define HITS  100000
#define ROOM  ((size_t)64 << 20)
#define NAMES 1000

/* --- Memory of what is shared: everything that is allocated while the stage is built --- */

static struct {
	uint8_t *bytes;
	size_t used;
	bool takes;
} shared;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *at, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
void __real_free(void *at);
size_t __real_malloc_usable_size(void *at);
void *__real_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset);
int __real_munmap(void *at, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *at, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
void __wrap_free(void *at);
size_t __wrap_malloc_usable_size(void *at);
void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset);
int __wrap_munmap(void *at, size_t size);

static bool is_shared(const void *at)
{
	uintptr_t from = (uintptr_t)shared.bytes;
	return (uintptr_t)at >= from && (uintptr_t)at < from + ROOM;
}

/* Never given back; fresh, so it is zero. Before each piece stands its size. */
static void *shared_take(size_t align, size_t size)
{
	size_t at = (shared.used + sizeof(size_t) + align - 1) / align * align;
	assert_true(at + size <= ROOM);
	shared.used = at + size;
	memcpy(shared.bytes + at - sizeof(size), &size, sizeof(size));
	return shared.bytes + at;
}

void *__wrap_malloc(size_t size)
{
	return shared.takes ? shared_take(64, size) : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return shared.takes ? shared_take(64, count * size) : __real_calloc(count, size);
}

size_t __wrap_malloc_usable_size(void *at)
{
	size_t size;
	if (!is_shared(at)) {
		return __real_malloc_usable_size(at);
	}
	memcpy(&size, (uint8_t *)at - sizeof(size), sizeof(size));
	return size;
}

void *__wrap_realloc(void *at, size_t size)
{
	if (!shared.takes && !is_shared(at)) {
		return __real_realloc(at, size);
	}
	void *to = __wrap_malloc(size);
	size_t had = at == NULL ? 0 : __wrap_malloc_usable_size(at);
	if (had != 0) {
		memcpy(to, at, had < size ? had : size);
	}
	return to;
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
	return shared.takes ? shared_take(align, size) : __real_aligned_alloc(align, size);
}

void __wrap_free(void *at)
{
	if (!is_shared(at)) {
		__real_free(at);
	}
}

void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
	return shared.takes ? shared_take(4096, size)
	                    : __real_mmap(at, size, prot, flags, fd, offset);
}

int __wrap_munmap(void *at, size_t size)
{
	return is_shared(at) ? 0 : __real_munmap(at, size);
}

/* --- Writes are caught --- */

static sigjmp_buf caught;
static volatile sig_atomic_t writes;

static void on_fault(int number, siginfo_t *info, void *context)
{
	writes = writes + 1;
	if (!is_shared(info->si_addr)) {
		abort(); /* a fault of another kind */
	}
	siglongjmp(caught, 1);
}

/* cmocka has a handler of its own, which comes back in the end. */
static void shared_protect(bool on)
{
	static struct sigaction cmockas;
	struct sigaction ours = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	if (on) {
		sigaction(SIGSEGV, &ours, &cmockas);
	} else {
		sigaction(SIGSEGV, &cmockas, NULL);
	}
	assert_int_equal(mprotect(shared.bytes, ROOM, on ? PROT_READ : PROT_READ | PROT_WRITE), 0);
}

/* --- The play --- */

struct play {
	struct stage stage;
	struct query_worker worker;
	uint8_t packets[NAMES + STAGE_NAMES][512];
	size_t sizes[NAMES + STAGE_NAMES];
};

static void play_open(struct play *play)
{
	struct asked asked;
	shared.bytes =
		__real_mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(shared.bytes, MAP_FAILED);
	shared.takes = true;
	stage_open(&play->stage, 8 << 20);
	shared.takes = false;
	assert_int_equal(query_worker_init(&play->worker, play->stage.root, play->stage.cache), 0);
	for (size_t i = 0; i < NAMES + STAGE_NAMES; i++) {
		char name[64];
		snprintf(name, sizeof(name), "h%zu.public.example", i);
		play->sizes[i] = stage_question(i < STAGE_NAMES ? stage_names[i] : name,
		                                play->packets[i], sizeof(play->packets[i]));
		/* An entry's first hit marks it as in use; the others find it so. */
		shared.takes = true;
		for (unsigned int n = 0; n < 2; n++) {
			stage_ask(&play->worker, play->packets[i], play->sizes[i], &asked);
			if (asked.next == QUERY_ASK) {
				stage_feed(&play->worker, &asked.ask, (uint32_t)i);
			}
		}
		shared.takes = false;
	}
	epoch_drain(); /* what building has thrown away is written to when it goes, by another thread */
}

static void play_close(struct play *play)
{
	query_worker_fini(&play->worker);
	stage_close(&play->stage);
	epoch_drain();
	__real_munmap(shared.bytes, ROOM);
}

static void test_hits_write_nothing_shared(void **state)
{
	static struct play play;
	struct asked asked;
	volatile unsigned long answered = 0;
	play_open(&play);
	writes = 0;
	shared_protect(true);
	for (unsigned long i = 0; i < HITS && sigsetjmp(caught, 1) == 0; i++) {
		size_t n = i % (NAMES + STAGE_NAMES);
		stage_ask(&play.worker, play.packets[n], play.sizes[n], &asked);
		answered += asked.next == QUERY_ANSWER;
	}
	shared_protect(false);
	assert_int_equal(writes, 0);
	assert_int_equal(answered, HITS);
	play_close(&play);
}

/* The trap is there: memory of the cache is among what is guarded, and a write to it is seen. */
static void test_writes_are_caught(void **state)
{
	static struct play play;
	struct asked asked;
	uint8_t packet[512];
	play_open(&play);
	size_t size = stage_question("fresh.public.example", packet, sizeof(packet));
	stage_ask(&play.worker, packet, size, &asked);
	assert_int_equal(asked.next, QUERY_ASK);
	writes = 0;
	shared_protect(true);
	if (sigsetjmp(caught, 1) == 0) {
		cache_flush(play.stage.cache, asked.ask.name, false);
	}
	shared_protect(false);
	assert_int_equal(writes, 1);
	play_close(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hits_write_nothing_shared),
		cmocka_unit_test(test_writes_are_caught),
	};
	epoch_thread_start();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	epoch_drain();
	epoch_thread_stop();
	return failed;
}
