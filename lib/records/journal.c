#include "records/journal.h"
#include "base/fail.h"
#include "records/json.h"
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_LEN (4u << 20)

struct journal {
	char path[PATH_MAX];
	char folder[PATH_MAX];
	char run[JOURNAL_RUN_MAX];
	int fd;
};

void journal_run(int64_t now_s, uint32_t random, char *buf)
{
	struct tm tm;
	time_t now = (time_t)now_s;
	gmtime_r(&now, &tm);
	size_t len = strftime(buf, JOURNAL_RUN_MAX, "%Y%m%dT%H%M%SZ", &tm);
	snprintf(buf + len, JOURNAL_RUN_MAX - len, "-%08x", random);
}

/* A run's name names a file: letters, digits and - only. */
static bool is_run(const char *run)
{
	static const char allowed[] = "0123456789TZabcdef-";
	size_t len = strlen(run);
	return len > 0 && len < JOURNAL_RUN_MAX && strspn(run, allowed) == len;
}

struct journal *journal_open(const char *dir, const char *run)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	if (journal == NULL) {
		return NULL;
	}
	journal->fd = -1;
	snprintf(journal->run, sizeof(journal->run), "%s", run);
	snprintf(journal->folder, sizeof(journal->folder), "%s/journal", dir);
	snprintf(journal->path, sizeof(journal->path), "%s/journal/%s.json", dir, run);
	return journal;
}

static int file_open(struct journal *journal)
{
	if (journal->fd >= 0) {
		return 0;
	}
	if (mkdir(journal->folder, 0750) != 0 && errno != EEXIST) {
		return -errno;
	}
	journal->fd = open(journal->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (journal->fd < 0) {
		return -errno;
	}
	int folder = open(journal->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret = folder < 0 || fsync(folder) != 0 ? -errno : 0;
	if (folder >= 0) {
		close(folder);
	}
	return ret;
}

int journal_add(struct journal *journal, const struct record_entry *entry, const char *reason,
                int64_t now_s)
{
	int ret = file_open(journal);
	json_t *object = ret != 0 ? NULL : record_entry_json(entry);
	if (object == NULL) {
		return ret != 0 ? ret : FAIL_NOMEM;
	}
	json_object_set_new(object, "run", json_string(journal->run));
	json_object_set_new(object, "reason", json_string(reason));
	json_object_set_new(object, "time", json_integer(now_s));
	char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(object);
	if (text == NULL) {
		return FAIL_NOMEM;
	}
	struct text line;
	text_init(&line, LINE_MAX_LEN);
	text_addf(&line, "%s\n", text);
	free(text);
	if (line.bad) {
		ret = FAIL_LIMIT;
	} else if (write(journal->fd, text_get(&line), line.len) != (ssize_t)line.len) {
		ret = errno == 0 ? -EIO : -errno;
	}
	text_fini(&line);
	return ret;
}

int journal_sync(struct journal *journal)
{
	return journal->fd >= 0 && fsync(journal->fd) != 0 ? -errno : 0;
}

void journal_close(struct journal **journal)
{
	if (*journal != NULL && (*journal)->fd >= 0) {
		close((*journal)->fd);
	}
	free(*journal);
	*journal = NULL;
}

static int line_read(const char *line, struct arena *arena, journal_entry_fn *fn, void *ctx)
{
	struct record_entry entry;
	json_t *object = json_loads(line, 0, NULL);
	int ret = object == NULL ? FAIL_FORMAT : record_entry_read(object, arena, &entry);
	json_decref(object);
	return ret != 0 ? ret : fn(ctx, &entry);
}

int journal_read(const char *dir, const char *run, struct arena *arena, journal_entry_fn *fn,
                 void *ctx)
{
	char path[PATH_MAX];
	char *line = NULL;
	size_t room = 0;
	int ret = 0;
	snprintf(path, sizeof(path), "%s/journal/%s.json", dir, run);
	FILE *file = is_run(run) ? fopen(path, "re") : NULL;
	if (file == NULL) {
		return !is_run(run) || errno == ENOENT ? FAIL_NOTFOUND : -errno;
	}
	for (;;) {
		ssize_t len = getline(&line, &room, file);
		if (len <= 0 || line[len - 1] != '\n') {
			break;
		}
		ret = line_read(line, arena, fn, ctx);
		if (ret != 0) {
			break;
		}
	}
	free(line);
	fclose(file);
	return ret;
}
