#include "zone/copy_int.h"

#include "base/fail.h"
#include "base/file.h"
#include "base/hash.h"
#include "zone/zone_int.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENDING     ".zone"
#define ENDING_NEW ".zone.new"

_Static_assert(sizeof(struct copy_head) % 8 == 0, "the block behind it is aligned");

bool zone_copy_id_fits(const char *id)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t len = strlen(id);
	return len > 0 && len < ZONE_COPY_ID_MAX && strspn(id, allowed) == len;
}

static int path_make(const char *dir, const char *id, const char *ending, char *ret_path)
{
	if (!zone_copy_id_fits(id)) {
		return -EINVAL;
	}
	int len = snprintf(ret_path, PATH_MAX, "%s/%s%s", dir, id, ending);
	return len < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* --- Writing --- */

uint64_t copy__head_sum(const struct copy_head *head)
{
	struct copy_head copy = *head;
	copy.head_sum = 0;
	return hash_sum(&copy, sizeof(copy));
}

static void head_make(const struct zone_copy *copy, const struct zone *zone, struct copy_head *head)
{
	*head = (struct copy_head){
		.magic = COPY__MAGIC,
		.version = COPY__VERSION,
		.order = COPY__ORDER,
		.size = zone->head->size,
		.sum = hash_sum(zone->block, zone->head->size),
		.looked_s = copy->looked_s,
		.changed_s = copy->changed_s,
		.flags = (copy->by_vpc ? COPY__BY_VPC : 0u) | (copy->by_tag ? COPY__BY_TAG : 0u) |
	                 (copy->associated ? COPY__ASSOCIATED : 0u),
		.known = copy->known,
	};
	snprintf(head->id, sizeof(head->id), "%s", copy->id);
	snprintf(head->vpc, sizeof(head->vpc), "%s", copy->vpc);
	snprintf(head->account, sizeof(head->account), "%s", copy->account);
	head->head_sum = copy__head_sum(head);
}

static int aside_write(const char *path, const struct zone_copy *copy, const struct zone *zone)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		return -errno;
	}
	struct copy_head head;
	head_make(copy, zone, &head);
	int ret = file_write_all(fd, &head, sizeof(head));
	ret = ret != 0 ? ret : file_write_all(fd, zone->block, zone->head->size);
	if (ret == 0 && fsync(fd) != 0) {
		ret = -errno;
	}
	if (close(fd) != 0 && ret == 0) {
		ret = -errno;
	}
	return ret;
}

int zone_copy_write(const char *dir, const struct zone_copy *copy, const struct zone *zone)
{
	char path[PATH_MAX], aside[PATH_MAX];
	int ret = path_make(dir, copy->id, ENDING, path);
	ret = ret != 0 ? ret : path_make(dir, copy->id, ENDING_NEW, aside);
	if (ret != 0) {
		return ret;
	}
	ret = aside_write(aside, copy, zone);
	if (ret == 0 && rename(aside, path) != 0) {
		ret = -errno;
	}
	if (ret != 0) {
		unlink(aside);
		return ret;
	}
	file_dir_sync(path);
	return 0;
}

/* --- Reading --- */

int copy__head_check(const struct copy_head *head, const char *id, uint64_t size,
                     const char **ret_why)
{
	*ret_why = "is no copy of a zone, or damaged";
	if (memcmp(head->magic, COPY__MAGIC, sizeof(head->magic)) != 0) {
		return FAIL_FORMAT;
	}
	*ret_why = "was written on a machine of the other byte order";
	if (head->order == __builtin_bswap32(COPY__ORDER)) {
		return FAIL_CHANGED;
	}
	*ret_why = "was written by another version";
	if (head->order == COPY__ORDER && head->version != COPY__VERSION) {
		return FAIL_CHANGED;
	}
	*ret_why = "is damaged";
	if (head->order != COPY__ORDER || head->head_sum != copy__head_sum(head) ||
	    memchr(head->id, 0, sizeof(head->id)) == NULL ||
	    memchr(head->vpc, 0, sizeof(head->vpc)) == NULL ||
	    memchr(head->account, 0, sizeof(head->account)) == NULL ||
	    head->known > ZONES_KNOWN_SOA || head->size > UINT32_MAX) {
		return FAIL_FORMAT;
	}
	*ret_why = "is of another size than it says: cut, or damaged";
	if (size - sizeof(*head) != head->size) {
		return FAIL_FORMAT;
	}
	*ret_why = "is the copy of another zone";
	return strcmp(head->id, id) == 0 ? 0 : FAIL_FORMAT;
}

int copy__block_take(const struct copy_head *head, void *block, struct zone **ret_zone,
                     const char **ret_why)
{
	bool memory = true;
	*ret_why = "is damaged";
	if (hash_sum(block, head->size) != head->sum) {
		return FAIL_FORMAT;
	}
	*ret_why = "makes no sense, though its sum is right";
	if (!zone__block_fits(block, head->size, &memory)) {
		return memory ? FAIL_FORMAT : FAIL_NOMEM;
	}
	struct zone *zone = zone__adopt(block);
	if (zone == NULL) {
		return FAIL_NOMEM;
	}
	if (!zone__cuts_fit(zone) || strcmp(zone_id(zone), head->id) != 0) {
		zone->memory = NULL; /* still the caller's */
		zone_unref(&zone);
		return FAIL_FORMAT;
	}
	*ret_zone = zone;
	return 0;
}

/* Into memory of our own: a file that is mapped and then cut would end us when it is read. */
static int block_read(int fd, const struct copy_head *head, struct zone **ret_zone,
                      const char **ret_why)
{
	void *block = malloc(head->size == 0 ? 1 : head->size);
	if (block == NULL) {
		return FAIL_NOMEM;
	}
	int ret = file_read_all(fd, block, head->size);
	ret = ret != 0 ? ret : copy__block_take(head, block, ret_zone, ret_why);
	if (ret != 0) {
		free(block);
	}
	return ret;
}

static int file_read(int fd, const char *id, struct copy_head *head, struct zone **ret_zone,
                     const char **ret_why)
{
	struct stat st;
	if (fstat(fd, &st) != 0) {
		return -errno;
	}
	*ret_why = "is no copy of a zone, or cut short";
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size < sizeof(*head)) {
		return FAIL_FORMAT;
	}
	int ret = file_read_all(fd, head, sizeof(*head));
	ret = ret != 0 ? ret : copy__head_check(head, id, (uint64_t)st.st_size, ret_why);
	return ret != 0 ? ret : block_read(fd, head, ret_zone, ret_why);
}

static void copy_tell(const struct copy_head *head, struct zone_copy *ret_copy)
{
	*ret_copy = (struct zone_copy){
		.by_vpc = (head->flags & COPY__BY_VPC) != 0,
		.by_tag = (head->flags & COPY__BY_TAG) != 0,
		.associated = (head->flags & COPY__ASSOCIATED) != 0,
		.known = (enum zones_known)head->known,
		.looked_s = head->looked_s,
		.changed_s = head->changed_s,
	};
	snprintf(ret_copy->id, sizeof(ret_copy->id), "%s", head->id);
	snprintf(ret_copy->vpc, sizeof(ret_copy->vpc), "%s", head->vpc);
	snprintf(ret_copy->account, sizeof(ret_copy->account), "%s", head->account);
}

int zone_copy_read(const char *dir, const char *id, struct zone_copy *ret_copy,
                   struct zone **ret_zone, char *why, size_t why_size)
{
	char path[PATH_MAX];
	struct copy_head head;
	const char *fault = "";
	int ret = path_make(dir, id, ENDING, path);
	int fd = ret != 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		ret = ret != 0 ? ret : errno == ENOENT ? FAIL_NOTFOUND : -errno;
		snprintf(why, why_size, "%s/%s" ENDING ": %s", dir, id, fail_text(ret));
		return ret;
	}
	ret = file_read(fd, id, &head, ret_zone, &fault);
	close(fd);
	if (ret == 0) {
		copy_tell(&head, ret_copy);
		return 0;
	}
	bool told = ret == FAIL_FORMAT || ret == FAIL_CHANGED;
	snprintf(why, why_size, "%s %s", path, told ? fault : fail_text(ret));
	return ret;
}

/* --- The folder --- */

int zone_copy_set_aside(const char *dir, const char *id)
{
	char path[PATH_MAX], aside[PATH_MAX];
	int ret = path_make(dir, id, ENDING, path);
	ret = ret != 0 ? ret : path_make(dir, id, ENDING ".damaged", aside);
	if (ret == 0 && rename(path, aside) != 0) {
		ret = -errno;
	}
	return ret;
}

int zone_copy_remove(const char *dir, const char *id)
{
	char path[PATH_MAX];
	int ret = path_make(dir, id, ENDING, path);
	if (ret == 0 && unlink(path) != 0 && errno != ENOENT) {
		ret = -errno;
	}
	return ret;
}

/* "Z0ABC" of "Z0ABC.zone". False: it is no such file. */
static bool id_of(const char *file, const char *ending, char *ret_id)
{
	size_t len = strlen(file);
	size_t tail = strlen(ending);
	if (len <= tail || len - tail >= ZONE_COPY_ID_MAX ||
	    strcmp(file + len - tail, ending) != 0) {
		return false;
	}
	memcpy(ret_id, file, len - tail);
	ret_id[len - tail] = '\0';
	return zone_copy_id_fits(ret_id);
}

int zone_copy_each(const char *dir, size_t max, zone_copy_fn *fn, void *ctx)
{
	DIR *folder = opendir(dir);
	if (folder == NULL) {
		return errno == ENOENT ? 0 : -errno;
	}
	size_t count = 0;
	for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
		char id[ZONE_COPY_ID_MAX];
		if (id_of(entry->d_name, ENDING_NEW, id)) {
			unlinkat(dirfd(folder), entry->d_name, 0);
		} else if (id_of(entry->d_name, ENDING, id) && count < max) {
			count++;
			fn(ctx, id);
		}
	}
	closedir(folder);
	return 0;
}
