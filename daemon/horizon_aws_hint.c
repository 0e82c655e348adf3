/* daemon/horizon_aws_hint.c - tells a horizond on this machine of a change, so that it is visible at once. */
#include "horizon_aws_int.h"

#include "base/log.h"
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

/* Nobody waits long for a courtesy. */
#define PATIENCE_MS 500

/* The descriptor, or -1: no daemon, or not for us. */
static int daemon_reach(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_usec = PATIENCE_MS * 1000};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0 &&
	    connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0) {
		return fd;
	}
	if (errno != ENOENT && errno != ECONNREFUSED) {
		log_notice("records", "no hint for horizond at %s: %s", path, strerror(errno));
	}
	if (fd >= 0) {
		close(fd);
	}
	return -1;
}

void hint_send(void *ctx, const char *zone, const char *name)
{
	const struct run *run = ctx;
	char reply[512];
	json_t *words = json_pack("[s, s, s]", "hint", zone, name);
	char *line = words == NULL ? NULL : json_dumps(words, JSON_COMPACT);
	int fd = line == NULL || run->settings->control[0] == '\0'
	                 ? -1
	                 : daemon_reach(run->settings->control);
	if (fd >= 0) {
		struct iovec parts[] = {{line, strlen(line)}, {(char[]){'\n'}, 1}};
		const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
		if (sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ||
		    recv(fd, reply, sizeof(reply), 0) <= 0) {
			log_notice("records", "horizond at %s does not take a hint",
			           run->settings->control);
		}
		close(fd);
	}
	free(line);
	json_decref(words);
}
