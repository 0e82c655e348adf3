#include "control/socket.h"

#include "base/text.h"
#include "visitor.h"
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct office {
	struct loop *loop;
	struct control *control;
	char folder[32];
	char path[64];
	struct control_call *waiting;
	unsigned int calls;
};

/* Gives back what it was told. */
static void echo(void *ctx, struct control_call *call, const char *const *words, size_t count)
{
	struct office *office = ctx;
	office->calls++;
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++) {
		json_array_append_new(list, json_string(words[i]));
	}
	control_answer(call, json_pack("{s:o}", "words", list));
}

static void later(void *ctx, struct control_call *call, const char *const *words, size_t count)
{
	struct office *office = ctx;
	office->waiting = call;
}

static void refuse(void *ctx, struct control_call *call, const char *const *words, size_t count)
{
	control_refuse(call, "not %s, \"%s\"", words[1], "never\n");
}

static void faults(void *ctx, struct control_call *call, const char *const *words, size_t count)
{
	control_answer(call, json_pack("{s:i, s:s, s:[s]}", "exit", 1, "error", "a fault", "faults",
	                               "file:1: wrong"));
}

static void trusted(void *ctx, struct control_call *call, const char *const *words, size_t count)
{
	if (control_trusted(call)) {
		control_answer(call, json_object());
	} else {
		control_refuse(call, "only in part");
	}
}

static void nothing(void *ctx, struct control_call *call, const char *const *words, size_t count)
{
	control_answer(call, NULL);
}

static const struct control_command commands[] = {
	{"echo", 0, 15, echo},    {"later", 0, 0, later},     {"refuse", 1, 1, refuse},
	{"faults", 0, 2, faults}, {"nothing", 0, 0, nothing}, {"trusted", 0, 0, trusted},
};

static bool office_start(struct office *office, char *err, size_t err_size)
{
	office->control =
		control_open(office->loop, office->path, commands,
	                     sizeof(commands) / sizeof(commands[0]), office, err, err_size);
	return office->control != NULL;
}

static void office_open(struct office *office)
{
	char err[256] = "";
	*office = (struct office){.loop = loop_new(), .folder = "/tmp/control-XXXXXX"};
	assert_non_null(office->loop);
	assert_non_null(mkdtemp(office->folder));
	assert_int_equal(chmod(office->folder, 0755), 0);
	snprintf(office->path, sizeof(office->path), "%s/socket", office->folder);
	if (!office_start(office, err, sizeof(err))) {
		fail_msg("%s", err);
	}
}

static void office_close(struct office *office)
{
	control_close(&office->control);
	assert_null(office->control);
	control_close(&office->control);
	loop_free(&office->loop);
	unlink(office->path);
	assert_int_equal(rmdir(office->folder), 0);
}

/* Sends the bytes as they are; the answer is one line, one object. */
static json_t *ask_bytes(struct office *office, const char *bytes, size_t len)
{
	struct visitor visitor;
	visitor_come(&visitor, office->path);
	visitor_say(&visitor, bytes, len);
	const char *heard = visitor_wait(&visitor, office->loop);
	visitor_go(&visitor, office->loop);
	const char *end = strchr(heard, '\n');
	assert_non_null(end);
	assert_int_equal(end[1], '\0');
	json_t *answer = json_loads(heard, 0, NULL);
	assert_true(json_is_object(answer));
	return answer;
}

static json_t *ask(struct office *office, const char *line)
{
	return ask_bytes(office, line, strlen(line));
}

static void expect(struct office *office, const char *line, int status, const char *error)
{
	json_t *answer = ask(office, line);
	assert_int_equal(json_integer_value(json_object_get(answer, "exit")), status);
	const char *text = json_string_value(json_object_get(answer, "error"));
	if (error == NULL) {
		assert_null(text);
	} else {
		assert_non_null(text);
		assert_string_equal(text, error);
	}
	json_decref(answer);
}

static void test_words(void **state)
{
	struct office office;
	office_open(&office);
	json_t *answer = ask(&office, "[\"echo\", \"a b\", \"\\u00e4\\\"\\n\"]\n");
	json_t *wanted =
		json_pack("{s:i, s:[s, s, s]}", "exit", 0, "words", "echo", "a b", "\xc3\xa4\"\n");
	assert_true(json_equal(answer, wanted));
	json_decref(answer);
	json_decref(wanted);

	expect(&office, "[\"refuse\",\"so\"]\r\n", 1, "not so, \"never\n\"");
	expect(&office, "[\"faults\"]\n", 1, "a fault");
	expect(&office, "[\"nothing\"]\n", 1, "out of memory");
	office_close(&office);
}

static void test_bad_requests(void **state)
{
	static const char shape[] = "a request is one line, a JSON array of words: [\"status\"]";
	static const char *const lines[] = {
		"\n",
		"status\n",
		"\"status\"\n",
		"[]\n",
		"{\"a\":1}\n",
		"[1]\n",
		"[null]\n",
		"[[\"status\"]]\n",
		"[\"echo\"] x\n",
		"[\"echo\",\n",
		"[\"\xff\"]\n",
		"[\"a\\u0000\"]\n",
		"[\"echo\",1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6]\n",
	};
	struct office office;
	office_open(&office);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		expect(&office, lines[i], 1, shape);
	}
	expect(&office, "[\"ecko\"]\n", 2, "there is no command `ecko`; did you mean `echo`?");
	expect(&office, "[\"%s%n\"]\n", 2, "there is no command `%s%n`");
	expect(&office, "[\"later\", \"x\"]\n", 2, "`later` stands alone, without further words");
	expect(&office, "[\"refuse\"]\n", 2, "`refuse` takes 1 further word, not 0");
	expect(&office, "[\"faults\",\"\",\"\",\"\"]\n", 2,
	       "`faults` takes 0 to 2 further words, not 3");
	assert_int_equal(office.calls, 0);
	office_close(&office);
}

static void test_line_size(void **state)
{
	static const char head[] = "[\"echo\",\"";
	struct office office;
	char line[CONTROL_LINE_MAX + 100];
	office_open(&office);
	memset(line, 'x', sizeof(line));
	memcpy(line, head, strlen(head));
	memcpy(line + CONTROL_LINE_MAX - 3, "\"]\n", 3);
	json_t *answer = ask_bytes(&office, line, CONTROL_LINE_MAX);
	assert_int_equal(json_integer_value(json_object_get(answer, "exit")), 0);
	json_decref(answer);

	line[CONTROL_LINE_MAX - 3] = line[CONTROL_LINE_MAX - 2] = line[CONTROL_LINE_MAX - 1] = 'x';
	memcpy(line + CONTROL_LINE_MAX, "\"]\n", 3);
	answer = ask_bytes(&office, line, CONTROL_LINE_MAX + 3);
	assert_string_equal(json_string_value(json_object_get(answer, "error")),
	                    "a request is one line of at most 4096 octets");
	json_decref(answer);

	memset(line, '[', sizeof(line)); /* deep, too */
	line[CONTROL_LINE_MAX - 1] = '\n';
	answer = ask_bytes(&office, line, CONTROL_LINE_MAX);
	assert_int_equal(json_integer_value(json_object_get(answer, "exit")), 1);
	json_decref(answer);
	assert_int_equal(office.calls, 1);
	office_close(&office);
}

static void test_later(void **state)
{
	struct office office;
	struct visitor visitor;
	office_open(&office);
	visitor_come(&visitor, office.path);
	visitor_say(&visitor, "[\"later\"]\n", 10);
	for (unsigned int i = 0; i < 10; i++) {
		assert_int_equal(loop_turn(office.loop, 0), 0);
	}
	assert_non_null(office.waiting);
	expect(&office, "[\"faults\"]\n", 1, "a fault"); /* others are served meanwhile */
	control_answer(office.waiting, json_object());
	assert_string_equal(visitor_wait(&visitor, office.loop), "{\"exit\":0}\n");
	visitor_go(&visitor, office.loop);

	/* Nobody waits any more. */
	visitor_come(&visitor, office.path);
	visitor_say(&visitor, "[\"later\"]\n", 10);
	assert_int_equal(loop_turn(office.loop, 100), 0);
	visitor_go(&visitor, office.loop);
	control_answer(office.waiting, json_object());

	/* The answer comes after the end. */
	visitor_come(&visitor, office.path);
	visitor_say(&visitor, "[\"later\"]\n", 10);
	assert_int_equal(loop_turn(office.loop, 100), 0);
	struct control_call *call = office.waiting;
	control_close(&office.control);
	assert_string_equal(visitor_wait(&visitor, office.loop), "");
	control_refuse(call, "too late");
	visitor_go(&visitor, office.loop);
	office_close(&office);
}

static void test_half_lines(void **state)
{
	struct office office;
	office_open(&office);
	int fds[1000];
	for (size_t i = 0; i < 1000; i++) {
		struct visitor visitor;
		visitor_come(&visitor, office.path);
		visitor_say(&visitor, "[\"echo\"", 7);
		fds[i] = visitor.fd;
		if (i % 64 == 63) {
			expect(&office, "[\"faults\"]\n", 1, "a fault");
		}
	}
	expect(&office, "[\"echo\"]\n", 0, NULL);
	assert_int_equal(office.calls, 1);
	for (size_t i = 0; i < 1000; i++) {
		close(fds[i]);
	}
	office_close(&office);
}

/* --- The file --- */

static void test_mode(void **state)
{
	static const mode_t masks[] = {0, 022, 077, 0777};
	struct office office;
	struct stat st;
	char err[256];
	office_open(&office);
	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		control_close(&office.control);
		assert_int_equal(access(office.path, F_OK), -1);
		mode_t before = umask(masks[i]);
		assert_true(office_start(&office, err, sizeof(err)));
		umask(before);
		assert_int_equal(stat(office.path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0660);
		assert_true(S_ISSOCK(st.st_mode));
	}
	office_close(&office);
}

static void test_name_taken(void **state)
{
	struct office office;
	char err[256];
	char wanted[256];
	office_open(&office);

	/* Somebody answers there: ourselves. */
	struct control *first = office.control;
	assert_false(office_start(&office, err, sizeof(err)));
	snprintf(wanted, sizeof(wanted), "control socket %s: another process answers there",
	         office.path);
	assert_string_equal(err, wanted);
	office.control = first;
	control_close(&office.control);

	/* A plain file, even an empty one, is not ours to remove. */
	int fd = open(office.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_false(office_start(&office, err, sizeof(err)));
	snprintf(wanted, sizeof(wanted), "control socket %s: something else has that name",
	         office.path);
	assert_string_equal(err, wanted);
	assert_int_equal(access(office.path, F_OK), 0);
	unlink(office.path);

	/* Nor is a link, wherever it leads. */
	assert_int_equal(symlink("/tmp/nowhere", office.path), 0);
	assert_false(office_start(&office, err, sizeof(err)));
	assert_string_equal(err, wanted);
	unlink(office.path);
	office_close(&office);
}

static void test_dead_socket(void **state)
{
	struct office office;
	char err[256];
	office_open(&office);
	control_close(&office.control);
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	strcpy(addr.sun_path, office.path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 1), 0);
	close(fd);
	assert_true(office_start(&office, err, sizeof(err)));
	expect(&office, "[\"echo\"]\n", 0, NULL);

	/* One that another process has put in our place stays there. */
	unlink(office.path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	control_close(&office.control);
	assert_int_equal(access(office.path, F_OK), 0);
	close(fd);
	office_close(&office);
}

static void test_bad_path(void **state)
{
	struct office office;
	char err[512];
	office_open(&office);
	control_close(&office.control);
	char good[sizeof(office.path)];
	strcpy(good, office.path);

	snprintf(office.path, sizeof(office.path), "%s/none/socket", office.folder);
	assert_false(office_start(&office, err, sizeof(err)));
	assert_non_null(strstr(err, "No such file or directory"));

	char longer[200];
	memset(longer, 'x', sizeof(longer) - 1);
	longer[0] = '/';
	longer[sizeof(longer) - 1] = '\0';
	assert_null(control_open(office.loop, longer, commands, 1, NULL, err, sizeof(err)));
	assert_non_null(strstr(err, "the name is too long, 107 octets are allowed"));
	strcpy(office.path, good);
	office_close(&office);
}

/* --- Who may ask --- */

#define NOBODY 65534
#define GUESTS 64321

/* Asks as another user, in a process of its own. Returns the answer's "exit", or -1 when the door was shut. */
static int ask_line_as(struct office *office, const char *line, uid_t uid, gid_t gid,
                       const gid_t *more, size_t more_count)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct sockaddr_un addr = {.sun_family = AF_UNIX};
		strcpy(addr.sun_path, office->path);
		char heard[512] = "";
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (setgroups(more_count, more) != 0 || setgid(gid) != 0 || setuid(uid) != 0) {
			_exit(100);
		}
		if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
			_exit(errno == EACCES ? 101 : 102);
		}
		if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0 ||
		    recv(fd, heard, sizeof(heard) - 1, MSG_WAITALL) <= 0) {
			_exit(103);
		}
		_exit(strstr(heard, "\"exit\":0") != NULL ? 0 : 1);
	}
	int status = 0;
	while (waitpid(pid, &status, WNOHANG) == 0) {
		assert_int_equal(loop_turn(office->loop, 10), 0);
	}
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status) == 101 ? -1 : WEXITSTATUS(status);
}

static int ask_as(struct office *office, uid_t uid, gid_t gid, const gid_t *more, size_t more_count)
{
	return ask_line_as(office, "[\"echo\"]\n", uid, gid, more, more_count);
}

static void test_peers(void **state)
{
	if (geteuid() != 0) {
		skip();
	}
	struct office office;
	const gid_t others[] = {1, 2, 3};
	gid_t many[200];
	office_open(&office);
	assert_int_equal(chown(office.path, (uid_t)-1, GUESTS), 0);
	assert_int_equal(ask_as(&office, 0, 0, NULL, 0), 0);
	assert_int_equal(ask_as(&office, NOBODY, NOBODY, others, 3), -1); /* by the mode */
	assert_int_equal(ask_as(&office, NOBODY, GUESTS, NULL, 0), 0);
	for (gid_t i = 0; i < 200; i++) {
		many[i] = 64200 + i;
	}
	assert_int_equal(ask_as(&office, NOBODY, NOBODY, many, 200), 0);

	/* Whatever has become of the mode. */
	assert_int_equal(chmod(office.path, 0666), 0);
	assert_int_equal(ask_as(&office, NOBODY, NOBODY, others, 3), 1);
	assert_int_equal(ask_as(&office, NOBODY, NOBODY, many, 100), 1);
	assert_int_equal(ask_as(&office, NOBODY, GUESTS, NULL, 0), 0);
	assert_int_equal(office.calls, 4);

	assert_int_equal(ask_line_as(&office, "[\"trusted\"]\n", 0, 0, NULL, 0), 0);
	assert_int_equal(ask_line_as(&office, "[\"trusted\"]\n", NOBODY, GUESTS, NULL, 0), 1);
	office_close(&office);
}

static void test_text(void **state)
{
	json_t *text = control_text("na\xc3\xafve \"\n\x1b");
	assert_string_equal(json_string_value(text), "na\xc3\xafve \"\n\x1b");
	json_decref(text);
	text = control_text("bad \xff, cut \xc3");
	assert_string_equal(json_string_value(text), "bad \\377, cut \\303");
	json_decref(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),      cmocka_unit_test(test_bad_requests),
		cmocka_unit_test(test_line_size),  cmocka_unit_test(test_later),
		cmocka_unit_test(test_half_lines), cmocka_unit_test(test_mode),
		cmocka_unit_test(test_name_taken), cmocka_unit_test(test_dead_socket),
		cmocka_unit_test(test_bad_path),   cmocka_unit_test(test_peers),
		cmocka_unit_test(test_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
