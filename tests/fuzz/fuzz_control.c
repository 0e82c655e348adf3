/* rooms: control */
/* Whatever comes to the control socket: silence, or one line with one object that has an "exit" (T39). */
#include "control/socket.h"

#include "loop/loop.h"
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void echo(void *ctx, struct control_call *call, const char *const *words, size_t count)
{
	if (count > 1) {
		control_refuse(call, "%s", words[1]);
	} else {
		control_answer(call, json_object());
	}
}

static const struct control_command commands[] = {{"echo", 0, 2, echo}};

static struct sockaddr_un door = {.sun_family = AF_UNIX};

static void door_remove(void)
{
	unlink(door.sun_path);
}

static struct loop *serve(void)
{
	char err[256];
	struct loop *loop = loop_new();
	snprintf(door.sun_path, sizeof(door.sun_path), "/tmp/fuzz-control-%d", (int)getpid());
	struct control *control =
		control_open(loop, door.sun_path, commands, 1, NULL, err, sizeof(err));
	assert(control != NULL);
	atexit(door_remove);
	return loop;
}

static void check(const char *heard, size_t len)
{
	if (len == 0) {
		return;
	}
	assert(heard[len - 1] == '\n' && memchr(heard, '\n', len) == heard + len - 1);
	json_t *object = json_loadb(heard, len, 0, NULL);
	assert(json_is_integer(json_object_get(object, "exit")));
	json_decref(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct loop *loop;
	char heard[65536];
	size_t len = 0;
	if (loop == NULL) {
		loop = serve();
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int ret = connect(fd, (const struct sockaddr *)&door, sizeof(door));
	assert(ret == 0);
	send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	shutdown(fd, SHUT_WR);
	for (ssize_t got = -1; got != 0 && len < sizeof(heard);) {
		loop_turn(loop, 0);
		got = recv(fd, heard + len, sizeof(heard) - len, MSG_DONTWAIT);
		len += got > 0 ? (size_t)got : 0;
	}
	check(heard, len);
	close(fd);
	return 0;
}
