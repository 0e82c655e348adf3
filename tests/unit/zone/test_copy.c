/*
 * The copy on disk. write, fsync, rename and open of this program stand before libc's, so that each of them can fail, or be
 * the last thing that the process does.
 */
#include "zone_text.h"

#include "base/mono.h"
#include "zone/copy_int.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char dir[] = "/tmp/horizon-copy-XXXXXX";
static char path[256];
static char why[512];

/* --- Trouble at the nth call --- */

static int calls_left = -1; /* before the trouble; -1: none */
static bool deadly;
static int trouble_errno;

static bool trouble(void)
{
	return calls_left >= 0 && calls_left-- == 0;
}

static long fail_or_die(void)
{
	if (deadly) {
		raise(SIGKILL);
	}
	errno = trouble_errno;
	return -1;
}

/* Half of it is written before the end. */
ssize_t write(int fd, const void *bytes, size_t size)
{
	bool end = trouble();
	long n = syscall(SYS_write, fd, bytes, end ? size / 2 : size);
	return end ? fail_or_die() : n;
}

int fsync(int fd)
{
	return (int)(trouble() ? fail_or_die() : syscall(SYS_fsync, fd));
}

int rename(const char *from, const char *to)
{
	return (int)(trouble() ? fail_or_die() : syscall(SYS_rename, from, to));
}

int unlink(const char *name)
{
	return (int)(deadly && trouble() ? fail_or_die() : syscall(SYS_unlink, name));
}

/* --- Samples --- */

static const char *const lines[] = {
	"www A : 10.0.0.1 | 10.0.0.2",
	"mx MX : 10 www.example.com.",
	"\\052.dev TXT ttl=5 : \"any\"",
	"deep.er.still.x AAAA : 2001:db8::1",
	"w A id=a weight=1 : 10.1.0.1",
	"w A id=b weight=3 alias=www",
	"m A multi id=a : 10.2.0.1",
	"m A multi id=b : 10.2.0.2",
	"f A failover id=p hc=c-1 : 10.3.0.1",
	"f A failover secondary id=s : 10.3.0.2",
	"l A latency region=eu-west-1 id=e : 10.4.0.1",
	"elb A alias=lb-1.eu-west-1.elb.amazonaws.com. zone=Z32O12XQLNTSW2",
	"same A alias=www",
	"sub NS : ns.sub.example.com.",
	"ns.sub A : 10.5.0.1",
	"bad A : not an address",
	"loop A alias=loop",
	"c CNAME : www.example.com.",
	NULL,
};

static struct zone_copy copy_of(int64_t looked_s)
{
	return (struct zone_copy){
		.id = TEST_ID,
		.vpc = "vpc-1",
		.account = "111122223333",
		.by_vpc = true,
		.associated = true,
		.known = ZONES_KNOWN_LISTING,
		.looked_s = looked_s,
		.changed_s = 17,
	};
}

static void keep(const char *const *sets, int64_t looked_s)
{
	struct zone *zone = zone_of(sets);
	struct zone_copy copy = copy_of(looked_s);
	assert_int_equal(zone_copy_write(dir, &copy, zone), 0);
	zone_unref(&zone);
}

static int read_back(struct zone_copy *copy, struct zone **zone)
{
	why[0] = '\0';
	*zone = NULL;
	return zone_copy_read(dir, TEST_ID, copy, zone, why, sizeof(why));
}

static uint8_t *file_get(size_t *ret_size)
{
	struct stat st;
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	uint8_t *bytes = malloc((size_t)st.st_size);
	assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
	close(fd);
	*ret_size = (size_t)st.st_size;
	return bytes;
}

static void file_put(const uint8_t *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

/* --- Tests --- */

static int fault_count(void *ctx, const uint8_t *name, const struct zone_rrset *set)
{
	size_t *count = ctx;
	(*count)++;
	return 0;
}

static void test_round_trip(void **state)
{
	static const char *const questions[] = {
		"www A",    "mx MX",  "x.dev TXT", "er.still.x A", "deep.er.still.x AAAA",
		"f A",      "l A",    "elb A",     "same A",       "ns.sub A",
		"bad A",    "loop A", "c A",       "none A",       "@ SOA",
		"www AAAA", "@ NS",   "m AAAA",
	};
	struct zone *zone = zone_of(lines), *back;
	struct zone_copy copy = copy_of(1234), told;
	assert_int_equal(zone_copy_write(dir, &copy, zone), 0);
	assert_int_equal(read_back(&told, &back), 0);
	assert_string_equal(told.id, TEST_ID);
	assert_string_equal(told.vpc, "vpc-1");
	assert_string_equal(told.account, "111122223333");
	assert_true(told.by_vpc && !told.by_tag && told.associated);
	assert_int_equal(told.known, ZONES_KNOWN_LISTING);
	assert_int_equal(told.looked_s, 1234);
	assert_int_equal(told.changed_s, 17);
	assert_true(zone_fingerprint(back) == zone_fingerprint(zone));
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		char a[20000], b[20000];
		answer_text(zone, questions[i], a, sizeof(a));
		answer_text(back, questions[i], b, sizeof(b));
		assert_string_equal(a, b);
	}
	size_t before = 0, after = 0;
	zone_each(zone, fault_count, &before);
	zone_each(back, fault_count, &after);
	assert_int_equal(before, after);
	zone_unref(&zone);
	zone_unref(&back);
}

static void test_no_copy(void **state)
{
	struct zone_copy copy;
	struct zone *zone;
	assert_int_equal(zone_copy_remove(dir, TEST_ID), 0);
	assert_int_equal(read_back(&copy, &zone), FAIL_NOTFOUND);
	assert_int_equal(zone_copy_remove(dir, TEST_ID), 0);
	copy = copy_of(0);
	snprintf(copy.id, sizeof(copy.id), "../etc");
	zone = zone_of(lines);
	assert_int_equal(zone_copy_write(dir, &copy, zone), -EINVAL);
	zone_unref(&zone);
}

/* No octet may be other than it was, none may lack. */
static void test_every_damage_is_seen(void **state)
{
	struct zone_copy copy;
	struct zone *zone;
	size_t size;
	keep(lines, 1);
	uint8_t *bytes = file_get(&size);
	size_t step = size / 997 + 1; /* in a fifth of a second */
	for (size_t at = 0; at < size; at += at < 256 ? 1 : step) {
		bytes[at] ^= 0x40;
		file_put(bytes, size);
		int ret = read_back(&copy, &zone);
		if (ret != FAIL_FORMAT && ret != FAIL_CHANGED) {
			fail_msg("octet %zu: %d", at, ret);
		}
		bytes[at] ^= 0x40;
	}
	for (size_t len = 0; len < size; len += len < 300 ? 1 : step) {
		file_put(bytes, len);
		assert_int_equal(read_back(&copy, &zone), FAIL_FORMAT);
	}
	bytes = realloc(bytes, size + 1);
	bytes[size] = 0;
	file_put(bytes, size + 1);
	assert_int_equal(read_back(&copy, &zone), FAIL_FORMAT);
	file_put(bytes, size);
	assert_int_equal(read_back(&copy, &zone), 0);
	zone_unref(&zone);
	free(bytes);
}

static void head_put(const struct copy_head *head, uint8_t *bytes, size_t size)
{
	struct copy_head copy = *head;
	copy.head_sum = copy__head_sum(&copy);
	memcpy(bytes, &copy, sizeof(copy));
	file_put(bytes, size);
}

static void test_strangers(void **state)
{
	struct zone_copy copy;
	struct zone *zone;
	struct copy_head head, other;
	size_t size;
	keep(lines, 1);
	uint8_t *bytes = file_get(&size);
	memcpy(&head, bytes, sizeof(head));
	other = head;
	other.version++;
	head_put(&other, bytes, size);
	assert_int_equal(read_back(&copy, &zone), FAIL_CHANGED);
	assert_non_null(strstr(why, "another version"));
	other = head;
	other.order = __builtin_bswap32(head.order);
	other.version = __builtin_bswap32(head.version);
	head_put(&other, bytes, size);
	assert_int_equal(read_back(&copy, &zone), FAIL_CHANGED);
	assert_non_null(strstr(why, "other byte order"));
	other = head;
	snprintf(other.id, sizeof(other.id), "Z0OTHER");
	head_put(&other, bytes, size);
	assert_int_equal(read_back(&copy, &zone), FAIL_FORMAT);
	assert_non_null(strstr(why, "another zone"));
	free(bytes);

	assert_int_equal(zone_copy_set_aside(dir, TEST_ID), 0);
	assert_int_equal(read_back(&copy, &zone), FAIL_NOTFOUND);
	char aside[300];
	snprintf(aside, sizeof(aside), "%s.damaged", path);
	assert_int_equal(unlink(aside), 0);
	unlink(path);
	assert_int_equal(symlink("/dev/zero", path), 0); /* no way to have us read others' files */
	assert_int_equal(read_back(&copy, &zone), -ELOOP);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(read_back(&copy, &zone), FAIL_FORMAT);
	unlink(path);
}

static void note_id(void *ctx, const char *id)
{
	strcat(ctx, id);
}

static void test_folder(void **state)
{
	char ids[200] = "", aside[300], odd[300];
	keep(lines, 1);
	snprintf(aside, sizeof(aside), "%s.new", path);
	snprintf(odd, sizeof(odd), "%s/readme", dir);
	close(open(aside, O_CREAT, 0600));
	close(open(odd, O_CREAT, 0600));
	assert_int_equal(zone_copy_each(dir, 10, note_id, ids), 0);
	assert_string_equal(ids, TEST_ID);
	assert_int_equal(access(aside, F_OK), -1);
	assert_int_equal(unlink(odd), 0);
	ids[0] = '\0';
	assert_int_equal(zone_copy_each("/nonexistent", 10, note_id, ids), 0);
	assert_string_equal(ids, "");
}

static const char *const other_lines[] = {"www A : 10.9.9.9", "more A : 10.0.0.3", NULL};

/* What is on disk is the one zone or the other, and a next write goes well. */
static void whole(uint64_t one, uint64_t two)
{
	struct zone_copy copy;
	struct zone *zone;
	char ids[200] = "";
	assert_int_equal(zone_copy_each(dir, 10, note_id, ids), 0);
	int ret = read_back(&copy, &zone);
	if (ret != 0) {
		fail_msg("%s", why);
	}
	assert_true(zone_fingerprint(zone) == one || zone_fingerprint(zone) == two);
	zone_unref(&zone);
}

static void test_killed_at_each_step(void **state)
{
	struct zone *zone = zone_of(lines), *other = zone_of(other_lines);
	struct zone_copy copy = copy_of(2);
	int status = 0, step = 0;
	assert_int_equal(zone_copy_write(dir, &copy, zone), 0);
	do {
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			calls_left = step;
			deadly = true;
			_exit(zone_copy_write(dir, &copy, other) == 0 ? 0 : 1);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		whole(zone_fingerprint(zone), zone_fingerprint(other));
		step++;
	} while (WIFSIGNALED(status));
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(step > 4); /* two writes, two syncs, one rename */
	zone_unref(&zone);
	zone_unref(&other);
}

static void test_failing_at_each_step(void **state)
{
	struct zone *zone = zone_of(lines), *other = zone_of(other_lines);
	struct zone_copy copy = copy_of(2);
	int step = 0, failures = 0;
	trouble_errno = ENOSPC;
	assert_int_equal(zone_copy_write(dir, &copy, zone), 0);
	do {
		calls_left = step++;
		int ret = zone_copy_write(dir, &copy, other);
		assert_true(ret == 0 || ret == -ENOSPC);
		failures += ret != 0;
		whole(zone_fingerprint(zone), zone_fingerprint(other));
		char aside[300];
		snprintf(aside, sizeof(aside), "%s.new", path);
		assert_int_equal(access(aside, F_OK), -1);
	} while (calls_left < 0);
	calls_left = -1;
	assert_int_equal(failures, 4); /* all but the folder's sync */
	zone_unref(&zone);
	zone_unref(&other);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

/* 100,000 sets are there in far less than 100 ms. */
static void test_large(void **state)
{
	struct zone_builder *builder = builder_of_id(TEST_ID);
	assert_int_equal(text_add(builder, TEST_SOA), 0);
	for (unsigned int i = 0; i < (SANITIZED ? 5000 : 100000); i++) {
		char name[64], value[32];
		const char *values[] = {value};
		snprintf(name, sizeof(name), "ip-10-%u-%u-%u.internal.example.com.", i >> 16,
		         (i >> 8) & 255, i & 255);
		snprintf(value, sizeof(value), "10.%u.%u.%u", i >> 16, (i >> 8) & 255, i & 255);
		struct zone_record_set set = {
			.name = name, .type = "A", .ttl_s = 60, .values = values, .value_count = 1};
		assert_int_equal(zone_builder_add(builder, &set), 0);
	}
	struct zone *zone = builder_zone(builder), *back;
	struct zone_copy copy = copy_of(3);
	assert_int_equal(zone_copy_write(dir, &copy, zone), 0);
	struct timespec begin, end;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	assert_int_equal(read_back(&copy, &back), 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	double ms = (double)(end.tv_sec - begin.tv_sec) * 1e3 +
	            (double)(end.tv_nsec - begin.tv_nsec) / 1e6;
	struct zone_stats stats;
	zone_get_stats(back, &stats);
	printf("%zu sets, %zu bytes: read in %.1f ms of CPU\n", stats.sets, stats.bytes, ms);
	assert_true(SANITIZED || ms < 100);
	zone_unref(&zone);
	zone_unref(&back);
}

static int folder_make(void **state)
{
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/" TEST_ID ".zone", dir);
	return 0;
}

static int folder_remove(void **state)
{
	unlink(path);
	return rmdir(dir);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_no_copy),
		cmocka_unit_test(test_every_damage_is_seen),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_folder),
		cmocka_unit_test(test_killed_at_each_step),
		cmocka_unit_test(test_failing_at_each_step),
		cmocka_unit_test(test_large),
	};
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
