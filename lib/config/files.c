#include "config/source_int.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIPE_WAIT_MS 5000

char *source__absolute(struct arena *arena, const char *folder, const char *path)
{
	if (path[0] == '/' || folder[0] == '\0') {
		return arena_text(arena, path);
	}
	while (strncmp(path, "./", 2) == 0) {
		path += 2;
	}
	size_t folder_len = strlen(folder);
	while (folder_len > 0 && folder[folder_len - 1] == '/') {
		folder_len--;
	}
	size_t path_len = strlen(path);
	char *joined = arena_alloc(arena, folder_len + 1 + path_len + 1);
	if (joined != NULL) {
		memcpy(joined, folder, folder_len);
		joined[folder_len] = '/';
		memcpy(joined + folder_len + 1, path, path_len + 1);
	}
	return joined;
}

char *source__join(struct arena *arena, const char *from, const char *name)
{
	const char *slash = strrchr(from, '/');
	if (slash == NULL || name[0] == '/') {
		return arena_text(arena, name);
	}
	char *folder = arena_copy(arena, from, (size_t)(slash - from) + 2);
	if (folder == NULL) {
		return NULL;
	}
	folder[slash - from + 1] = '\0';
	return source__absolute(arena, folder, name);
}

/* The absolute folder of a file. */
static char *folder_of(struct arena *arena, const char *path)
{
	char cwd[PATH_MAX];
	if (path[0] != '/' && getcwd(cwd, sizeof(cwd)) == NULL) {
		strcpy(cwd, "/");
	}
	char *whole = source__absolute(arena, path[0] == '/' ? "" : cwd, path);
	if (whole == NULL) {
		return NULL;
	}
	char *slash = strrchr(whole, '/');
	slash[slash == whole ? 1 : 0] = '\0';
	return whole;
}

int source__add_file(struct source *source, const char *path, char *bytes, size_t size)
{
	struct source_file file = {
		.name = arena_text(source->arena, path),
		.folder = folder_of(source->arena, path),
		.bytes = bytes,
		.size = size,
	};
	if (file.name == NULL || file.folder == NULL) {
		source->nomem = true;
		free(bytes);
		return -1;
	}
	source->files[source->file_count] = file;
	return (int)source->file_count++;
}

/* What is wrong with the open file itself, or NULL. T40: who may write it may run it. */
static const char *file_fault(const struct stat *st, bool is_main)
{
	/* /dev/null and a shell's <(...) are useful as a main file, and nobody can put bytes in them. */
	if (is_main && (S_ISCHR(st->st_mode) || S_ISFIFO(st->st_mode))) {
		return NULL;
	}
	if (!S_ISREG(st->st_mode)) {
		return "is no file; a plain file of settings would be right";
	}
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		return "may be written by its group or by others; mode 0644 or 0640 would be right";
	}
	if (st->st_size > (off_t)SOURCE_FILE_MAX) {
		return "is larger than 4 MiB; less would be right";
	}
	return NULL;
}

/* A pipe's writer gets some time. False with errno when it takes longer. */
static bool await(int fd)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};
	int ready = poll(&pollfd, 1, PIPE_WAIT_MS);
	if (ready == 0) {
		errno = ETIMEDOUT;
	}
	return ready > 0 || (ready < 0 && errno == EINTR);
}

/* All of fd, at most SOURCE_FILE_MAX + 1 bytes; NULL with errno. */
static char *read_all(int fd, size_t size_hint, size_t *ret_size)
{
	size_t room = size_hint + 4096;
	size_t size = 0;
	char *bytes = malloc(room);
	while (bytes != NULL && size <= SOURCE_FILE_MAX) {
		if (size + 1 >= room) {
			char *more = reallocarray(bytes, room *= 2, 1);
			if (more == NULL) {
				break;
			}
			bytes = more;
		}
		ssize_t got = read(fd, bytes + size, room - size - 1);
		if (got == 0) {
			bytes[size] = '\0';
			*ret_size = size;
			return bytes;
		}
		if (got < 0 && errno != EINTR && !(errno == EAGAIN && await(fd))) {
			break;
		}
		size += got < 0 ? 0 : (size_t)got;
	}
	if (size > SOURCE_FILE_MAX) {
		errno = EFBIG;
	}
	free(bytes);
	return NULL;
}

/* Tells that path cannot be had: at its own first line when it is there, else where it is wanted. */
static int refuse(struct source *source, const char *path, const struct settings_place *wanted,
                  const char *why)
{
	char quoted[FAULT_QUOTE_MAX];
	if (wanted != NULL) {
		fault__add(source->faults, *wanted, "file %s cannot be read: %s",
		           fault__quote(path, strlen(path), quoted), why);
		return -1;
	}
	char *name = arena_text(source->arena, path);
	if (name == NULL) {
		source->nomem = true;
		return -1;
	}
	struct settings_place place = {.file = name, .line = 1};
	fault__add(source->faults, place, "the file cannot be read: %s", why);
	return -1;
}

static int tell_fault(struct source *source, const char *path, const char *what)
{
	char *name = arena_text(source->arena, path);
	if (name == NULL) {
		source->nomem = true;
		return -1;
	}
	struct settings_place place = {.file = name, .line = 1};
	fault__add(source->faults, place, "the file %s", what);
	return -1;
}

int source__read_file(struct source *source, const char *path, const struct settings_place *wanted)
{
	/* Without O_NONBLOCK a FIFO would stop a reload for good. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		return refuse(source, path, wanted, strerror(errno));
	}
	struct stat st;
	const char *fault = NULL;
	char *bytes = NULL;
	size_t size = 0;
	int ret = -1;
	if (fstat(fd, &st) != 0) {
		refuse(source, path, wanted, strerror(errno));
		goto out;
	}
	fault = file_fault(&st, wanted == NULL);
	if (fault != NULL) {
		tell_fault(source, path, fault);
		goto out;
	}
	bytes = read_all(fd, (size_t)st.st_size, &size);
	if (bytes == NULL) {
		refuse(source, path, wanted, strerror(errno));
		goto out;
	}
	ret = source__add_file(source, path, bytes, size);
out:
	close(fd);
	return ret;
}
