/*
 * bench/load_list.c - the list of questions.
 *
 * File, little end first: "HZBENCH1", u32 count; then each question: u16 length, u16 end of its
 * question section, u8 rcode, u8 least records, u8 offset of fresh digits, u8 zero, the message.
 */
#include "load_int.h"

#include <endian.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAGIC "HZBENCH1"
#define HEAD  8

static uint16_t le16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static const uint8_t *file_map(const char *path, size_t *ret_size)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0) {
		die("%s", path);
	}
	void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (map == MAP_FAILED) {
		die("%s", path);
	}
	close(fd);
	*ret_size = (size_t)st.st_size;
	return map;
}

static bool question_read(struct question *q, const uint8_t *at, size_t room)
{
	if (room < HEAD) {
		return false;
	}
	*q = (struct question){
		.bytes = at + HEAD,
		.len = le16(at),
		.end = le16(at + 2),
		.rcode = at[4],
		.least = at[5],
		.fresh = at[6],
	};
	return q->len <= room - HEAD && q->len + 2u <= QUESTION_MAX && q->end <= q->len &&
	       q->end > DNS_HEADER && (unsigned int)q->fresh + FRESH_DIGITS <= q->len;
}

void list_load(struct list *list, const char *path)
{
	size_t size;
	const uint8_t *map = file_map(path, &size);
	if (size < 12 || memcmp(map, MAGIC, 8) != 0) {
		die("%s: not a list of questions", path);
	}
	list->count = le16(map + 8) | (unsigned int)le16(map + 10) << 16;
	list->items = calloc(list->count, sizeof(*list->items));
	list->at = 0;
	/* 48 bits: no two runs draw the same names. */
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	list->fresh = ((uint64_t)now.tv_sec << 28) ^ ((uint64_t)now.tv_nsec >> 4);
	size_t at = 12;
	for (unsigned int i = 0; i < list->count; i++) {
		if (list->items == NULL || !question_read(&list->items[i], map + at, size - at)) {
			die("%s: question %u cannot be read", path, i);
		}
		at += HEAD + list->items[i].len;
	}
}

const struct question *list_next(struct list *list)
{
	const struct question *q = &list->items[list->at];
	list->at = list->at + 1 == list->count ? 0 : list->at + 1;
	return q;
}
