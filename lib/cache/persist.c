/* cache/persist.c - writing the file of kept answers, and its place on the disk. */
#include "cache/persist_int.h"

#include "base/fail.h"
#include "base/file.h"
#include "base/log.h"
#include "cache/cache_int.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_ROOM ((size_t)256 << 10) /* a block is written once it has this many octets */

struct saver {
	struct cache *cache;
	int fd;
	int ret; /* first failure */
	uint32_t now_s;
	uint32_t stale_s;
	uint8_t *block; /* its head first */
	size_t used;
	size_t room;
	size_t count; /* entries in all blocks so far */
};

/* --- Entries --- */

/* Room for size octets more in the block, or NULL: no memory, and the entry is left out. */
static uint8_t *block_room(struct saver *saver, size_t size)
{
	if (saver->room - saver->used < size) {
		size_t room = 2 * saver->room + size;
		uint8_t *block = realloc(saver->block, room);
		if (block == NULL) {
			return NULL;
		}
		saver->block = block;
		saver->room = room;
	}
	uint8_t *at = saver->block + saver->used;
	saver->used += size;
	return at;
}

static void entry_save(struct saver *saver, const struct cache_entry *entry)
{
	uint32_t age_s = cache__entry_age(entry, saver->now_s);
	if (cache__entry_over(entry, age_s, saver->stale_s)) {
		return;
	}
	/* name, next and wire stand behind one another */
	size_t tail = (size_t)entry->name_len + entry->next_len + entry->size;
	uint8_t *at = block_room(saver, PERSIST_ENTRY_HEAD + tail);
	if (at == NULL) {
		return;
	}
	struct writer w = writer_of(at, PERSIST_ENTRY_HEAD + tail);
	writer_u32(&w, age_s);
	writer_u32(&w, entry->life_s);
	writer_u32(&w, entry->origin);
	writer_u16(&w, entry->type);
	writer_u16(&w, entry->rcode);
	writer_u16(&w, entry->size);
	writer_u16(&w, entry->count[0]);
	writer_u16(&w, entry->count[1]);
	writer_u8(&w, entry->flags);
	writer_u8(&w, entry->outcome);
	writer_u8(&w, entry->chain);
	writer_bytes(&w, cache__entry_name(entry), tail);
	saver->count++;
}

/* As readers do: a chain that was split meanwhile is gone through again. */
static void bucket_save(struct saver *saver, struct cache_shard *shard, uint32_t i)
{
	size_t used = saver->used;
	size_t count = saver->count;
	bool same = false;
	for (unsigned int look = 0; look < SHARD_LOOKS && !same; look++) {
		saver->used = used;
		saver->count = count;
		epoch_read_begin();
		uint32_t shape = epoch_load(&shard->shape);
		struct cache_entry *entry =
			i < shape >> 1 ? epoch_load(cache__bucket(shard, i)) : NULL;
		for (; entry != NULL; entry = epoch_load(&entry->next)) {
			entry_save(saver, entry);
		}
		same = (shape & 1) == 0 && epoch_load(&shard->shape) == shape;
		epoch_read_end();
	}
}

/* --- Blocks --- */

static void block_begin(struct saver *saver)
{
	saver->used = PERSIST_BLOCK_HEAD;
}

/* An empty one ends the file. */
static void block_write(struct saver *saver)
{
	size_t size = saver->used - PERSIST_BLOCK_HEAD;
	put_u32(saver->block + 8, (uint32_t)size);
	persist__put_u64(saver->block, hash_stable(saver->block + 8, saver->used - 8));
	if (saver->ret == 0) {
		saver->ret = file_write_all(saver->fd, saver->block, saver->used);
	}
	block_begin(saver);
}

static void head_write(struct saver *saver, int64_t wall_now_s)
{
	uint8_t head[PERSIST_HEAD] = PERSIST_MAGIC;
	put_u32(head + 8, PERSIST_VERSION);
	put_u32(head + 12, 0);
	persist__put_u64(head + 16, (uint64_t)wall_now_s);
	persist__put_u64(head + 24, hash_stable(head, 24));
	saver->ret = file_write_all(saver->fd, head, sizeof(head));
}

static void cache_write(struct saver *saver)
{
	block_begin(saver);
	for (unsigned int s = 0; s < SHARDS; s++) {
		struct cache_shard *shard = &saver->cache->shards[s];
		/* The table may grow meanwhile; what is split then moves up, to where we still come. */
		for (uint32_t i = 0; i < cache__shard_buckets(shard) && saver->ret == 0; i++) {
			bucket_save(saver, shard, i);
			if (saver->used >= BLOCK_ROOM) {
				block_write(saver);
			}
		}
	}
	if (saver->used > PERSIST_BLOCK_HEAD) {
		block_write(saver);
	}
	block_write(saver);
}

/* --- The file --- */

static int file_write(struct saver *saver, const char *aside, int64_t wall_now_s)
{
	saver->fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (saver->fd < 0) {
		return -errno;
	}
	saver->room = BLOCK_ROOM + 2 * (size_t)DNS_MSG_MAX;
	saver->block = malloc(saver->room);
	if (saver->block == NULL) {
		saver->ret = FAIL_NOMEM;
	} else {
		head_write(saver, wall_now_s);
		cache_write(saver);
		free(saver->block);
	}
	if (saver->ret == 0 && fsync(saver->fd) != 0) {
		saver->ret = -errno;
	}
	if (close(saver->fd) != 0 && saver->ret == 0) {
		saver->ret = -errno;
	}
	return saver->ret;
}

int cache_save(struct cache *cache, const char *path, uint64_t now_s, int64_t wall_now_s,
               size_t *ret_count)
{
	struct saver saver = {
		.cache = cache, .now_s = (uint32_t)now_s, .stale_s = cache__stale_of(cache)};
	char aside[PATH_MAX];
	int len = snprintf(aside, sizeof(aside), "%s.new", path);
	int ret = len < 0 || (size_t)len >= sizeof(aside) ? -ENAMETOOLONG
	                                                  : file_write(&saver, aside, wall_now_s);
	if (ret == 0 && rename(aside, path) != 0) {
		ret = -errno;
	}
	if (ret != 0) {
		log_error("cache", "answers cannot be kept in %s: %s; the file of before stays",
		          path, fail_text(ret));
		unlink(aside);
		return ret;
	}
	file_dir_sync(path);
	*ret_count = saver.count;
	return 0;
}

static void set_aside(const char *path, const char *why)
{
	char aside[PATH_MAX];
	snprintf(aside, sizeof(aside), "%s.damaged", path);
	bool done = rename(path, aside) == 0;
	log_error("cache", "%s: %s; %s %s, and answers are asked for anew", path, why,
	          done ? "set aside as" : "cannot be set aside as", aside);
}

/* The whole file in memory (or none, when it is empty), as long as nobody unmaps it. */
static int file_map(const char *path, uint8_t **ret_bytes, size_t *ret_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return errno == ENOENT ? FAIL_NOTFOUND : -errno;
	}
	struct stat st;
	int ret = fstat(fd, &st) == 0 ? 0 : -errno;
	void *bytes = NULL;
	if (ret == 0 && st.st_size > 0) {
		bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		ret = bytes == MAP_FAILED ? -errno : 0;
	}
	close(fd);
	if (ret == 0) {
		*ret_bytes = bytes;
		*ret_size = (size_t)st.st_size;
	}
	return ret;
}

int cache_load(struct cache *cache, const char *path, uint64_t now_s, int64_t wall_now_s,
               size_t *ret_count)
{
	uint8_t *bytes = NULL;
	size_t size = 0;
	const char *why = "";
	*ret_count = 0;
	int ret = file_map(path, &bytes, &size);
	if (ret == FAIL_NOTFOUND) {
		return ret;
	}
	if (ret != 0) {
		log_error("cache", "kept answers cannot be read from %s: %s", path, fail_text(ret));
		return ret;
	}
	ret = cache__restore(cache, bytes, size, now_s, wall_now_s, ret_count, &why);
	if (bytes != NULL) {
		munmap(bytes, size);
	}
	if (ret == FAIL_FORMAT || ret == FAIL_CHANGED) {
		set_aside(path, why);
	} else if (ret != 0) {
		log_error("cache", "kept answers cannot be read from %s: %s", path, fail_text(ret));
	}
	return ret;
}
