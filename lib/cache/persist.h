/*
 * cache/persist.h - the last good answers in a file, for the next start.
 *
 * Answers that are alive, or stale but good, with what is left of their life by the wall clock; failures are
 * not kept. The file is written aside, synced and renamed, so there is a whole one at any moment. One
 * that is damaged, or of another version, is set aside as PATH.damaged with one line in the log.
 *
 * Loop:   any one thread that has called epoch_thread_start; takes no lock (it reads as workers do), blocks on
 *         the disk. cache_load before the first question.
 * Memory: about one answer chain over 256 KiB while writing; reading maps the file.
 * Time:   monotonic seconds as the cache has them, and the wall clock's, both handed in.
 */
#pragma once

#include "cache/cache.h"

/* Returns 0 or a failure, which has been logged; the file of before then stays. *ret_count: answers written. */
int cache_save(struct cache *cache, const char *path, uint64_t now_s, int64_t wall_now_s,
               size_t *ret_count);

/*
 * Adds what path holds. *ret_count: answers taken; those that are over by now, or do not fit, are not. Returns 0,
 * FAIL_NOTFOUND (no such file), FAIL_FORMAT (set aside) or another failure; all but FAIL_NOTFOUND have been
 * logged. When the wall clock stands before the time of writing nothing is known of lives: all is taken as stale.
 */
int cache_load(struct cache *cache, const char *path, uint64_t now_s, int64_t wall_now_s,
               size_t *ret_count);
