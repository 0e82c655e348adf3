#include "control/socket.h"

#include "base/fail.h"
#include "base/list.h"
#include "base/log.h"
#include "base/text.h"
#include "control/exchange_int.h"
#include <assert.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_MODE  0660
#define BACKLOG      128
#define WORDS_MAX    16
#define COMMANDS_MAX 64
#define ERROR_MAX    2048 /* octets of an "error" */

struct control {
	struct exchange *exchange;
	const struct control_command *commands;
	size_t command_count;
	void *ctx;
	struct list calls; /* not answered yet */
	struct sockaddr_un addr;
	struct stat made; /* the socket file that is ours */
};

struct control_call {
	struct list link;
	struct exchange_peer *peer; /* NULL: gone */
};

/* --- Answers --- */

json_t *control_text(const char *text)
{
	json_t *string = json_string(text);
	if (string != NULL) {
		return string;
	}
	struct text plain;
	text_init(&plain, 0);
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		if (c < 0x80) {
			text_add(&plain, text, 1);
		} else {
			text_addf(&plain, "\\%03o", c);
		}
	}
	string = json_string(text_get(&plain));
	text_fini(&plain);
	return string;
}

/* The object as one line; NULL without memory. */
static char *line_of(json_t *object, size_t *ret_len)
{
	if (object == NULL) {
		return NULL;
	}
	if (json_object_get(object, "exit") == NULL &&
	    json_object_set_new(object, "exit", json_integer(0)) != 0) {
		return NULL;
	}
	size_t len = json_dumpb(object, NULL, 0, JSON_COMPACT);
	char *line = len == 0 ? NULL : malloc(len + 1);
	if (line == NULL || json_dumpb(object, line, len, JSON_COMPACT) != len) {
		free(line);
		return NULL;
	}
	line[len] = '\n';
	*ret_len = len + 1;
	return line;
}

static void peer_answer(struct exchange_peer *peer, json_t *object)
{
	static const char no_memory[] = "{\"exit\":1,\"error\":\"out of memory\"}\n";
	size_t len = 0;
	char *line = line_of(object, &len);
	if (line == NULL) {
		line = strdup(no_memory);
		len = sizeof(no_memory) - 1;
	}
	exchange_answer(peer, line, len);
}

static json_t *failure(int status, const char *format, va_list args)
{
	struct text why;
	text_init(&why, ERROR_MAX);
	text_addv(&why, format, args);
	json_t *object =
		json_pack("{s:i, s:o}", "exit", status, "error", control_text(text_get(&why)));
	text_fini(&why);
	return object;
}

static void peer_refuse(struct exchange_peer *peer, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void peer_refuse(struct exchange_peer *peer, int status, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	json_t *object = failure(status, format, args);
	va_end(args);
	peer_answer(peer, object);
	json_decref(object);
}

void control_answer(struct control_call *call, json_t *object)
{
	struct exchange_peer *peer = call->peer;
	list_remove(&call->link);
	free(call);
	if (peer != NULL) {
		peer_answer(peer, object);
	}
	json_decref(object);
}

void control_refuse(struct control_call *call, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	json_t *object = failure(1, format, args);
	va_end(args);
	control_answer(call, object);
}

/* --- A request --- */

static size_t line_whole(const char *bytes, size_t len)
{
	const char *end = memchr(bytes, '\n', len);
	return end == NULL ? 0 : (size_t)(end - bytes) + 1;
}

/* The array's members as words; 0 when that is not what it is. */
static size_t words_of(const json_t *request, const char **words)
{
	size_t count = json_array_size(request);
	if (count > WORDS_MAX) {
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		words[i] = json_string_value(json_array_get(request, i));
		if (words[i] == NULL) {
			return 0;
		}
	}
	return count;
}

static const struct control_command *command_find(const struct control *control, const char *name)
{
	for (size_t i = 0; i < control->command_count; i++) {
		if (strcmp(control->commands[i].name, name) == 0) {
			return &control->commands[i];
		}
	}
	return NULL;
}

static void unknown_refuse(const struct control *control, struct exchange_peer *peer,
                           const char *name)
{
	const char *known[COMMANDS_MAX];
	for (size_t i = 0; i < control->command_count; i++) {
		known[i] = control->commands[i].name;
	}
	const char *nearest = text_nearest(name, known, control->command_count);
	if (nearest != NULL) {
		peer_refuse(peer, 2, "there is no command `%s`; did you mean `%s`?", name, nearest);
	} else {
		peer_refuse(peer, 2, "there is no command `%s`", name);
	}
}

static void words_refuse(struct exchange_peer *peer, const struct control_command *command,
                         size_t count)
{
	if (command->args_max == 0) {
		peer_refuse(peer, 2, "`%s` stands alone, without further words", command->name);
	} else if (command->args_min == command->args_max) {
		peer_refuse(peer, 2, "`%s` takes %zu further word%s, not %zu", command->name,
		            command->args_max, command->args_max == 1 ? "" : "s", count);
	} else {
		peer_refuse(peer, 2, "`%s` takes %zu to %zu further words, not %zu", command->name,
		            command->args_min, command->args_max, count);
	}
}

static void command_run(struct control *control, struct exchange_peer *peer,
                        const char *const *words, size_t count)
{
	const struct control_command *command = command_find(control, words[0]);
	if (command == NULL) {
		unknown_refuse(control, peer, words[0]);
		return;
	}
	if (count - 1 < command->args_min || count - 1 > command->args_max) {
		words_refuse(peer, command, count - 1);
		return;
	}
	struct control_call *call = calloc(1, sizeof(*call));
	if (call == NULL) {
		peer_answer(peer, NULL);
		return;
	}
	call->peer = peer;
	list_append(&control->calls, &call->link);
	command->fn(control->ctx, call, words, count);
}

static void line_arrives(void *ctx, struct exchange_peer *peer, const char *bytes, size_t len)
{
	const char *words[WORDS_MAX];
	if (len == 0) {
		peer_refuse(peer, 1, "a request is one line of at most %d octets",
		            CONTROL_LINE_MAX);
		return;
	}
	json_t *request = json_loadb(bytes, len, 0, NULL);
	size_t count = words_of(request, words);
	if (count == 0) {
		peer_refuse(peer, 1, "a request is one line, a JSON array of words: [\"status\"]");
	} else {
		command_run(ctx, peer, words, count);
	}
	json_decref(request);
}

/* --- Who may ask --- */

/* One of the groups of the process at the other end, besides its first one. */
static bool peer_in_group(int fd, gid_t group)
{
	gid_t few[32];
	gid_t *groups = few;
	socklen_t size = sizeof(few);
	int ret = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size);
	if (ret != 0 && errno == ERANGE) { /* size says now how much it takes */
		groups = malloc(size);
		ret = groups == NULL ? -1
		                     : getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size);
	}
	bool found = false;
	for (size_t i = 0; ret == 0 && !found && i < size / sizeof(gid_t); i++) {
		found = groups[i] == group;
	}
	if (groups != few) {
		free(groups);
	}
	return found;
}

/* The user at the other end; on failure nobody. */
static struct ucred peer_user(const struct exchange_peer *peer)
{
	struct ucred user;
	socklen_t size = sizeof(user);
	if (getsockopt(exchange_fd(peer), SOL_SOCKET, SO_PEERCRED, &user, &size) != 0) {
		user = (struct ucred){.pid = 0, .uid = (uid_t)-1, .gid = (gid_t)-1};
	}
	return user;
}

static bool user_trusted(const struct ucred *user)
{
	return user->uid == 0 || user->uid == geteuid();
}

bool control_trusted(const struct control_call *call)
{
	struct ucred user = {.uid = (uid_t)-1};
	if (call->peer != NULL) {
		user = peer_user(call->peer);
	}
	return user_trusted(&user);
}

/*
 * The file's mode says the same; but a mode can be changed, and a connection handed on by whoever opened it, so
 * the other end is asked for too. The group is the file's of now: an admin may give the socket to another.
 */
static bool peer_allowed(const struct control *control, const struct exchange_peer *peer,
                         const struct ucred *user)
{
	struct stat now;
	if (user_trusted(user)) {
		return true;
	}
	if (lstat(control->addr.sun_path, &now) != 0) {
		now = control->made;
	}
	return user->gid == now.st_gid || peer_in_group(exchange_fd(peer), now.st_gid);
}

static bool peer_admit(void *ctx, struct exchange_peer *peer)
{
	static struct log_limit limit;
	struct ucred user = peer_user(peer);
	if (peer_allowed(ctx, peer, &user)) {
		return true;
	}
	if (log_allowed(&limit, 5, 60000)) {
		log_warn("control",
		         "process %d of user %u was turned away: not in the socket's group",
		         (int)user.pid, user.uid);
	}
	peer_refuse(peer, 1, "user %u may not ask: root, our own user and the socket's group may",
	            user.uid);
	return false;
}

/* --- The socket's file --- */

/* True when nobody answers at the address: the socket is what a dead process left behind. */
static bool socket_is_dead(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return false;
	}
	bool dead = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) != 0 &&
	            errno == ECONNREFUSED;
	close(fd);
	return dead;
}

/* Clears the way for a new socket. */
static int path_clear(const struct sockaddr_un *addr, char *err, size_t err_size)
{
	const char *path = addr->sun_path;
	struct stat st;
	if (lstat(path, &st) != 0) {
		return 0; /* or bind() will say what is wrong */
	}
	if (!S_ISSOCK(st.st_mode)) {
		snprintf(err, err_size, "control socket %s: something else has that name", path);
		return -EEXIST;
	}
	if (!socket_is_dead(addr)) {
		snprintf(err, err_size, "control socket %s: another process answers there", path);
		return -EADDRINUSE;
	}
	if (unlink(path) != 0) {
		int error = errno;
		snprintf(err, err_size, "control socket %s: cannot remove the dead one: %s", path,
		         fail_text(-error));
		return -error;
	}
	return 0;
}

/*
 * The file gets the mode of the descriptor less the umask: narrower than it should be for a moment, never wider,
 * and the umask of the other threads stays as it is.
 */
static int socket_bind(int fd, const struct sockaddr_un *addr, struct stat *ret_made)
{
	if (fchmod(fd, SOCKET_MODE) != 0 ||
	    bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) != 0) {
		return -errno;
	}
	if (chmod(addr->sun_path, SOCKET_MODE) != 0 || lstat(addr->sun_path, ret_made) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		int error = errno;
		unlink(addr->sun_path);
		return -error;
	}
	return 0;
}

/* Returns the descriptor, or a failure with one line in err. */
static int socket_make(struct control *control, const char *path, char *err, size_t err_size)
{
	struct sockaddr_un *addr = &control->addr;
	addr->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(addr->sun_path)) {
		snprintf(err, err_size,
		         "control socket %s: the name is too long, %zu octets are allowed", path,
		         sizeof(addr->sun_path) - 1);
		return -ENAMETOOLONG;
	}
	memcpy(addr->sun_path, path, strlen(path) + 1);
	int ret = path_clear(addr, err, err_size);
	if (ret != 0) {
		return ret;
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ret = fd < 0 ? -errno : socket_bind(fd, addr, &control->made);
	if (ret == 0) {
		return fd;
	}
	snprintf(err, err_size, "control socket %s: %s", path, fail_text(ret));
	if (fd >= 0) {
		close(fd);
	}
	return ret;
}

/* Only the file that we made: by now another process may have put its own there. */
static void socket_remove(const struct control *control)
{
	struct stat now;
	const char *path = control->addr.sun_path;
	if (lstat(path, &now) == 0 && now.st_dev == control->made.st_dev &&
	    now.st_ino == control->made.st_ino && unlink(path) != 0) {
		log_info("control", "%s is left behind: %s", path, fail_text(-errno));
	}
}

/* --- All of it --- */

struct control *control_open(struct loop *loop, const char *path,
                             const struct control_command *commands, size_t count, void *ctx,
                             char *err, size_t err_size)
{
	assert(count <= COMMANDS_MAX);
	struct control *control = calloc(1, sizeof(*control));
	if (control == NULL) {
		snprintf(err, err_size, "%s", fail_text(FAIL_NOMEM));
		return NULL;
	}
	*control = (struct control){.commands = commands, .command_count = count, .ctx = ctx};
	list_init(&control->calls);
	struct exchange_opts opts = {
		.name = "control",
		.peers_max = CONTROL_CLIENTS,
		.request_max = CONTROL_LINE_MAX,
		.request_ms = CONTROL_IDLE_S * 1000,
		.answer_ms = CONTROL_IDLE_S * 1000,
		.admit = peer_admit,
		.whole = line_whole,
		.request = line_arrives,
		.ctx = control,
	};
	int fd = socket_make(control, path, err, err_size);
	if (fd < 0) {
		free(control);
		return NULL;
	}
	control->exchange = exchange_open(loop, fd, &opts);
	if (control->exchange == NULL) {
		snprintf(err, err_size, "%s", fail_text(FAIL_NOMEM));
		socket_remove(control);
		free(control);
		return NULL;
	}
	return control;
}

void control_close(struct control **ptr)
{
	struct control *control = *ptr;
	if (control == NULL) {
		return;
	}
	*ptr = NULL;
	socket_remove(control);
	list_each (at, &control->calls) {
		/* Each is on its own now, until its answer comes. */
		list_item(at, struct control_call, link)->peer = NULL;
		list_remove(at);
	}
	exchange_close(&control->exchange);
	free(control);
}
