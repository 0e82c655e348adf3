/* Kept answers over a restart: what comes back, with which life, and what a damaged file does (nothing). */
#include "base/fail.h"
#include "base/log.h"
#include "cache/persist_int.h"
#include "sample.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

static char dir[64];
static char path[96];
static struct sample sample;

static int dir_make(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/horizon-persist-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/cache", dir);
	return 0;
}

static int dir_remove(void **state)
{
	char aside[128];
	unlink(path);
	snprintf(aside, sizeof(aside), "%s.damaged", path);
	unlink(aside);
	return rmdir(dir);
}

static void store(struct cache *cache, const char *text, uint16_t type, uint64_t now_s)
{
	struct dns_key name;
	sample_name(&name, text);
	struct cache_key key = sample_key(&name);
	key.type = type;
	cache_store(cache, &key, &sample.body, now_s);
}

static bool find(struct cache *cache, const char *text, uint16_t type, uint64_t now_s,
                 struct cache_hit *ret_hit)
{
	struct dns_key name;
	sample_name(&name, text);
	struct cache_key key = sample_key(&name);
	key.type = type;
	return sample_find(cache, &key, now_s, ret_hit);
}

static void save(struct cache *cache, uint64_t now_s, int64_t wall_now_s, size_t expected)
{
	size_t count = 0;
	assert_int_equal(cache_save(cache, path, now_s, wall_now_s, &count), 0);
	assert_int_equal(count, expected);
}

static struct cache *load(uint64_t now_s, int64_t wall_now_s, size_t expected)
{
	struct cache *cache = sample_cache(MIB, 1000);
	size_t count = 0;
	assert_int_equal(cache_load(cache, path, now_s, wall_now_s, &count), 0);
	assert_int_equal(count, expected);
	return cache;
}

static void put_chain(const char *target)
{
	uint8_t name[DNS_NAME_MAX];
	int len = dns_name_parse(target, name);
	struct writer w = writer_of(sample.wire, sizeof(sample.wire));
	sample_addresses(&sample, 0, 0, 120);
	writer_u16(&w, 0xc00c);
	writer_u16(&w, DNS_TYPE_CNAME);
	writer_u16(&w, DNS_CLASS_IN);
	sample.ttl_at[0] = (uint16_t)w.pos;
	writer_u32(&w, 120);
	writer_u16(&w, (uint16_t)len);
	writer_bytes(&w, name, (size_t)len);
	sample.body.size = (uint16_t)w.pos;
	sample.body.ttl_count = 1;
	sample.body.count[0] = 1;
	sample.body.outcome = DNS_OUTCOME_CHAIN;
	sample.body.chain = 1;
	memcpy(sample.body.next, name, (size_t)len);
}

/* Three answers of each kind, one failure. Written at 1000, wall clock 5000. */
static void fill_and_save(void)
{
	struct cache *cache = sample_cache(MIB, 1000);
	sample_addresses(&sample, 3, 0x0a000001, 300);
	sample.body.authentic = true;
	store(cache, "www.example.com", DNS_TYPE_A, 900);
	sample_addresses(&sample, 1, 0x0a000009, 50);
	store(cache, "stale.example.com", DNS_TYPE_A, 900);
	put_chain("there.example.net");
	store(cache, "to.example.com", DNS_TYPE_A, 990);
	struct dns_key broken;
	sample_name(&broken, "broken.example.com");
	struct cache_key key = sample_key(&broken);
	cache_fail(cache, &key, DNS_EDE_OTHER, 100, 999);
	save(cache, 1000, 5000, 3);
	cache_free(&cache);
}

static void test_comes_back(void **state)
{
	struct cache_hit hit;
	fill_and_save();
	struct cache *cache = load(7, 5010, 3); /* a new boot: the monotonic clock begins anew */
	assert_true(find(cache, "www.example.com", DNS_TYPE_A, 7, &hit));
	assert_false(hit.stale);
	assert_int_equal(hit.left_s, 300 - 110);
	assert_int_equal(hit.age_s, 110);
	assert_int_equal(hit.ttl_count, 3);
	assert_int_equal(hit.count[0], 3);
	assert_true(hit.authentic);
	uint8_t out[128];
	cache_copy(&hit, out, 30);
	sample_addresses(&sample, 3, 0x0a000001, 190);
	assert_memory_equal(out, sample.wire, hit.size);

	assert_true(find(cache, "to.example.com", DNS_TYPE_A, 7, &hit));
	assert_int_equal(hit.outcome, DNS_OUTCOME_CHAIN);
	assert_int_equal(hit.chain, 1);
	uint8_t there[DNS_NAME_MAX];
	dns_name_parse("there.example.net", there);
	assert_true(dns_name_equal(hit.next, there));

	assert_true(find(cache, "stale.example.com", DNS_TYPE_A, 7, &hit));
	assert_true(hit.stale);
	assert_false(find(cache, "broken.example.com", DNS_TYPE_A, 7, &hit));
	assert_false(find(cache, "www.example.com", DNS_TYPE_AAAA, 7, &hit));
	cache_free(&cache);
}

/* Lives run on while nobody runs; what is over is not taken. */
static void test_lives(void **state)
{
	struct cache_hit hit;
	fill_and_save();
	struct cache *cache = load(7, 5000 + 200, 3);
	assert_true(find(cache, "www.example.com", DNS_TYPE_A, 7, &hit));
	assert_true(hit.stale);
	cache_free(&cache);
	cache = load(7, 5000 + 949, 3);
	cache_free(&cache);
	cache = load(7, 5000 + 950, 2);
	assert_false(find(cache, "stale.example.com", DNS_TYPE_A, 7, &hit));
	cache_free(&cache);
	cache = load(7, 5000 + 100000000, 0);
	cache_free(&cache);
	cache = load(7, INT64_MAX, 0);
	cache_free(&cache);
}

/* The wall clock stands before the time of writing: all may be old. */
static void test_clock_went_back(void **state)
{
	struct cache_hit hit;
	fill_and_save();
	struct cache *cache = load(7, 4000, 3);
	assert_true(find(cache, "www.example.com", DNS_TYPE_A, 7, &hit));
	assert_true(hit.stale);
	assert_true(find(cache, "to.example.com", DNS_TYPE_A, 7, &hit));
	assert_true(hit.stale);
	cache_free(&cache);
}

static void test_no_file(void **state)
{
	struct cache *cache = sample_cache(MIB, 1000);
	size_t count = 7;
	unlink(path);
	assert_int_equal(cache_load(cache, path, 7, 5000, &count), FAIL_NOTFOUND);
	assert_int_equal(count, 0);
	assert_int_equal(cache_save(cache, "/nonexistent/cache", 7, 5000, &count), -ENOENT);
	save(cache, 7, 5000, 0);
	cache_free(&cache);
	cache = load(7, 5000, 0);
	cache_free(&cache);
}

static size_t file_read(uint8_t *bytes, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = read(fd, bytes, room);
	close(fd);
	assert_true(size > 0);
	return (size_t)size;
}

static void file_write(const uint8_t *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

static void test_set_aside(void **state)
{
	struct cache *cache = sample_cache(MIB, 1000);
	char aside[128];
	size_t count;
	snprintf(aside, sizeof(aside), "%s.damaged", path);
	file_write((const uint8_t *)"", 0);
	assert_int_equal(cache_load(cache, path, 7, 5000, &count), FAIL_FORMAT);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(aside, F_OK), 0);

	uint8_t bytes[1024];
	fill_and_save();
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	size_t size = file_read(bytes, sizeof(bytes));
	put_u32(bytes + 8, PERSIST_VERSION + 1);
	persist__put_u64(bytes + 24, hash_stable(bytes, 24));
	file_write(bytes, size);
	assert_int_equal(cache_load(cache, path, 7, 5000, &count), FAIL_CHANGED);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(sample_stats(cache).entries, 0);
	cache_free(&cache);
}

static int restore(struct cache *cache, const uint8_t *bytes, size_t size)
{
	size_t count;
	const char *why;
	uint8_t *exact = malloc(size == 0 ? 1 : size); /* so that sanitizers see its end */
	memcpy(exact, bytes, size);
	int ret = cache__restore(cache, exact, size, 7, 5010, &count, &why);
	free(exact);
	return ret;
}

/* Cut anywhere, with any bit turned, or with more behind it: told, and nothing taken. */
static void test_damage(void **state)
{
	uint8_t bytes[1024];
	fill_and_save();
	size_t size = file_read(bytes, sizeof(bytes) - 1);
	struct cache *cache = sample_cache(MIB, 1000);
	for (size_t cut = 0; cut < size; cut++) {
		assert_int_equal(restore(cache, bytes, cut), FAIL_FORMAT);
	}
	for (size_t bit = 0; bit < 8 * size; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(restore(cache, bytes, size), FAIL_FORMAT);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	bytes[size] = 0;
	assert_int_equal(restore(cache, bytes, size + 1), FAIL_FORMAT);
	assert_int_equal(sample_stats(cache).entries, 0);
	assert_int_equal(restore(cache, bytes, size), 0);
	assert_int_equal(sample_stats(cache).entries, 3);
	cache_free(&cache);
}

/* The same with sums that fit: what is taken all the same can be copied, and its lives make sense. */
static void test_forged(void **state)
{
	uint8_t bytes[1024];
	fill_and_save();
	size_t size = file_read(bytes, sizeof(bytes));
	size_t len = get_u32(bytes + PERSIST_HEAD + 8);
	uint8_t *block = bytes + PERSIST_HEAD;
	for (size_t bit = 0; bit < 8 * len; bit++) {
		struct cache *cache = sample_cache(MIB, 1000);
		struct cache_hit hit;
		uint8_t out[512];
		uint8_t *at = block + PERSIST_BLOCK_HEAD + bit / 8;
		*at ^= (uint8_t)(1u << bit % 8);
		persist__put_u64(block, hash_stable(block + 8, 4 + len));
		restore(cache, bytes, size);
		if (find(cache, "www.example.com", DNS_TYPE_A, 7, &hit)) {
			assert_true(hit.size < sizeof(out));
			cache_copy(&hit, out, 30);
		}
		*at ^= (uint8_t)(1u << bit % 8);
		cache_free(&cache);
	}
}

struct writers {
	struct cache *cache;
	bool stop;
};

static void *writer_run(void *ctx)
{
	struct writers *writers = ctx;
	struct sample *mine = malloc(sizeof(*mine));
	epoch_thread_start();
	for (unsigned int n = 0; !__atomic_load_n(&writers->stop, __ATOMIC_RELAXED); n++) {
		struct dns_key name;
		sample_nth_name(&name, n % 40000);
		struct cache_key key = sample_key(&name);
		sample_addresses(mine, 1 + n % 3, n, 300);
		cache_store(writers->cache, &key, &mine->body, 1000);
	}
	epoch_thread_stop();
	free(mine);
	return NULL;
}

/* Workers store, and tables grow, while it is written: each file is whole, and what stood still is in it. */
static void test_while_written_to(void **state)
{
	struct writers writers = {.cache = sample_cache(8 * MIB, 1000)};
	sample_addresses(&sample, 3, 0x0a000001, 300);
	store(writers.cache, "www.example.com", DNS_TYPE_A, 1000);
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, writer_run, &writers), 0);
	for (unsigned int i = 0; i < 8; i++) {
		struct cache_hit hit;
		size_t count;
		assert_int_equal(cache_save(writers.cache, path, 1000, 5000, &count), 0);
		struct cache *cache = sample_cache(16 * MIB, 1000);
		size_t loaded;
		assert_int_equal(cache_load(cache, path, 7, 5000, &loaded), 0);
		assert_int_equal(loaded, count);
		assert_true(find(cache, "www.example.com", DNS_TYPE_A, 7, &hit));
		cache_free(&cache);
	}
	__atomic_store_n(&writers.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	cache_free(&writers.cache);
}

/* More than fits: the bound holds, and the load goes well. */
static void test_into_a_smaller_one(void **state)
{
	struct cache *cache = sample_cache(8 * MIB, 1000);
	for (unsigned int n = 0; n < 40000; n++) {
		struct dns_key name;
		sample_nth_name(&name, n);
		struct cache_key key = sample_key(&name);
		sample_addresses(&sample, 1, n, 300);
		cache_store(cache, &key, &sample.body, 1000);
	}
	save(cache, 1000, 5000, sample_stats(cache).entries);
	cache_free(&cache);
	cache = sample_cache(MIB, 1000);
	size_t count;
	assert_int_equal(cache_load(cache, path, 7, 5000, &count), 0);
	assert_true(sample_stats(cache).entries > 1000);
	assert_true(sample_stats(cache).bytes <= MIB);
	cache_free(&cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_lives),
		cmocka_unit_test(test_clock_went_back),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_set_aside),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_while_written_to),
		cmocka_unit_test(test_into_a_smaller_one),
	};
	dir_make(NULL);
	epoch_thread_start();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	epoch_drain();
	epoch_thread_stop();
	return dir_remove(NULL) != 0 || failed;
}
