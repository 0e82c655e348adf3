/* rooms: control */
/* Whatever comes to the HTTP port: silence, or an answer whose length is what it says. */
#include "control/http.h"

#include "loop/loop.h"
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void metrics(void *ctx, struct text *out)
{
	text_addf(out, "up 1\n");
}

static bool fine(void *ctx, char *why, size_t why_size)
{
	return true;
}

static struct loop *serve(struct addr *ret_addr)
{
	char err[256];
	struct loop *loop = loop_new();
	struct http_opts opts = {.metrics = metrics, .healthy = fine, .ready = fine};
	addr_parse("127.0.0.1:0", 0, &opts.listen);
	struct http *http = http_open(loop, &opts, err, sizeof(err));
	assert(http != NULL);
	*ret_addr = opts.listen;
	addr_set_port(ret_addr, http_port(http));
	return loop;
}

static void check(const char *heard, const uint8_t *bytes, size_t size)
{
	if (heard[0] == '\0') {
		return;
	}
	assert(strncmp(heard, "HTTP/1.1 ", 9) == 0);
	const char *length = strstr(heard, "Content-Length: ");
	const char *body = strstr(heard, "\r\n\r\n");
	assert(length != NULL && body != NULL && length < body);
	bool head = size >= 5 && memcmp(bytes, "HEAD ", 5) == 0;
	assert(strlen(body + 4) == strtoul(length + 16, NULL, 10) || (head && body[4] == '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct loop *loop;
	static struct addr door;
	const struct linger at_once = {.l_onoff = 1}; /* no port is kept waiting */
	char heard[8192] = "";
	size_t len = 0;
	if (loop == NULL) {
		loop = serve(&door);
	}
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int ret = connect(fd, &door.sa, door.len);
	assert(ret == 0);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	shutdown(fd, SHUT_WR);
	for (ssize_t got = -1; got != 0 && len < sizeof(heard) - 1;) {
		loop_turn(loop, 0);
		got = recv(fd, heard + len, sizeof(heard) - 1 - len, MSG_DONTWAIT);
		if (got < 0 && errno != EAGAIN) {
			break;
		}
		len += got > 0 ? (size_t)got : 0;
		heard[len] = '\0';
	}
	check(heard, bytes, size);
	close(fd);
	return 0;
}
