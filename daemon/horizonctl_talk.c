/* daemon/horizonctl_talk.c - one line to the control socket, one JSON object back. */
#include "horizonctl_int.h"

#include "control/socket.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_S 30
#define ANSWER_MAX ((size_t)64 << 20)

static json_t *trouble(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

static json_t *trouble(int status, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_t *object = json_pack("{s:i, s:o}", "exit", status, "error", control_text(text));
	if (object == NULL) {
		fprintf(stderr, "horizonctl: out of memory\n");
		exit(EXIT_REFUSED);
	}
	return object;
}

/* The request, ended by a newline; NULL: *ret_trouble says why. */
static char *request_line(const char *const *words, size_t count, size_t *ret_len,
                          json_t **ret_trouble)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++) {
		if (json_array_append_new(list, json_string(words[i])) != 0) {
			json_decref(list);
			*ret_trouble = trouble(EXIT_REFUSED, "`%s` is not UTF-8", words[i]);
			return NULL;
		}
	}
	char *line = malloc(CONTROL_LINE_MAX);
	size_t len = json_dumpb(list, line, line == NULL ? 0 : CONTROL_LINE_MAX, JSON_COMPACT);
	json_decref(list);
	if (line == NULL || len == 0 || len + 1 > CONTROL_LINE_MAX) {
		free(line);
		*ret_trouble =
			trouble(EXIT_REFUSED, "too much for one request: %d octets are allowed",
		                CONTROL_LINE_MAX);
		return NULL;
	}
	line[len] = '\n';
	*ret_len = len + 1;
	return line;
}

/* The descriptor, or -1 and *ret_trouble. */
static int daemon_reach(const char *path, json_t **ret_trouble)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	if (strlen(path) >= sizeof(addr.sun_path)) {
		*ret_trouble = trouble(EXIT_REFUSED, "%s: the socket's name is too long", path);
		return -1;
	}
	memcpy(addr.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0 &&
	    connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0) {
		return fd;
	}
	int error = errno;
	if (error == EACCES || error == EPERM) {
		*ret_trouble = trouble(EXIT_REFUSED,
		                       "%s: %s: root and members of the socket's group may ask",
		                       path, strerror(error));
	} else {
		*ret_trouble = trouble(EXIT_NO_DAEMON, "no horizond answers at %s: %s", path,
		                       strerror(error));
	}
	if (fd >= 0) {
		close(fd);
	}
	return -1;
}

/* All that comes until the other side ends; NULL: *ret_trouble. */
static char *answer_read(int fd, size_t *ret_len, json_t **ret_trouble)
{
	size_t len = 0;
	size_t room = 65536;
	char *bytes = malloc(room);
	while (bytes != NULL && len < ANSWER_MAX) {
		ssize_t got = recv(fd, bytes + len, room - len, 0);
		if (got == 0) {
			*ret_len = len;
			return bytes;
		}
		if (got < 0 && errno != EINTR) {
			*ret_trouble =
				errno == EAGAIN
					? trouble(EXIT_REFUSED, "no answer within %d s", PATIENCE_S)
					: trouble(EXIT_NO_DAEMON, "the daemon hung up: %s",
			                          strerror(errno));
			free(bytes);
			return NULL;
		}
		len += got > 0 ? (size_t)got : 0;
		if (len == room) {
			char *more = realloc(bytes, room *= 2);
			if (more == NULL) {
				break;
			}
			bytes = more;
		}
	}
	free(bytes);
	*ret_trouble = trouble(EXIT_REFUSED, "the answer is too large");
	return NULL;
}

static json_t *answer_parse(const char *bytes, size_t len)
{
	if (len == 0) {
		return trouble(EXIT_NO_DAEMON, "the daemon hung up without an answer");
	}
	json_t *answer = json_loadb(bytes, len, 0, NULL);
	if (!json_is_integer(json_object_get(answer, "exit"))) {
		json_decref(answer);
		return trouble(EXIT_REFUSED, "the answer makes no sense: is that a horizond?");
	}
	return answer;
}

static json_t *exchange(int fd, const char *line, size_t len)
{
	json_t *answer = NULL;
	/* Who is turned away has his answer before he has asked: a failed write is no reason not to read. */
	while (len > 0) {
		ssize_t sent = send(fd, line, len, MSG_NOSIGNAL);
		if (sent < 0 && errno != EINTR) {
			break;
		}
		line += sent > 0 ? sent : 0;
		len -= sent > 0 ? (size_t)sent : 0;
	}
	size_t answer_len;
	char *bytes = answer_read(fd, &answer_len, &answer);
	if (bytes != NULL) {
		answer = answer_parse(bytes, answer_len);
		free(bytes);
	}
	return answer;
}

json_t *talk(const char *socket_path, const char *const *words, size_t count)
{
	json_t *answer = NULL;
	size_t len;
	char *line = request_line(words, count, &len, &answer);
	if (line == NULL) {
		return answer;
	}
	int fd = daemon_reach(socket_path, &answer);
	if (fd >= 0) {
		answer = exchange(fd, line, len);
		close(fd);
	}
	free(line);
	return answer;
}
