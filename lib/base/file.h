/*
 * base/file.h - what whoever keeps a file whole needs: all bytes written, a new name that outlives a power cut.
 *
 * Blocking: never on a worker.
 */
#pragma once

#include <stddef.h>

/* Writes all of it. Returns 0 or -errno. */
int file_write_all(int fd, const void *bytes, size_t size);

/* Reads exactly size octets. Returns 0, -errno, or FAIL_FORMAT when the file ends before. */
int file_read_all(int fd, void *bytes, size_t size);

/*
 * So that the name of path is there after a power cut: syncs its folder. Not every file system lets us; then it is left
 * at that.
 */
void file_dir_sync(const char *path);
