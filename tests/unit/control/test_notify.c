#include "control/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* systemd's end, with a name in the abstract space: no file to clear away. */
static int manager_open(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	char name[64];
	snprintf(name, sizeof(name), "@horizond-notify-%d", (int)getpid());
	memcpy(addr.sun_path + 1, name + 1, strlen(name) - 1);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	return fd;
}

static const char *heard(int fd)
{
	static char state[1024];
	ssize_t len = recv(fd, state, sizeof(state) - 1, 0);
	assert_true(len > 0);
	state[len] = '\0';
	return state;
}

static void test_states(void **state)
{
	int fd = manager_open();
	notify_ready("running");
	assert_string_equal(heard(fd), "READY=1\nSTATUS=running");
	notify_status("12 zones");
	assert_string_equal(heard(fd), "STATUS=12 zones");
	notify_watchdog();
	assert_string_equal(heard(fd), "WATCHDOG=1");
	notify_stopping();
	assert_string_equal(heard(fd), "STOPPING=1");
	notify_reloading();
	unsigned long long since_us = 0;
	assert_int_equal(sscanf(heard(fd), "RELOADING=1\nMONOTONIC_USEC=%llu", &since_us), 1);
	assert_true(since_us > 0);
	close(fd);
	unsetenv("NOTIFY_SOCKET");
}

/* A status is one line, whatever is in it. */
static void test_status_is_one_line(void **state)
{
	char longer[2000];
	int fd = manager_open();
	notify_status("bad\nSTOPPING=1\r\x7f");
	assert_string_equal(heard(fd), "STATUS=bad STOPPING=1  ");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	notify_ready(longer);
	assert_int_equal(strlen(heard(fd)), strlen("READY=1\nSTATUS=") + 255);
	close(fd);
	unsetenv("NOTIFY_SOCKET");
}

static void test_without_systemd(void **state)
{
	unsetenv("NOTIFY_SOCKET");
	notify_ready("running");
	notify_reloading();
	notify_stopping();
	notify_status("x");
	notify_watchdog();
	unsetenv("WATCHDOG_USEC");
	assert_int_equal(notify_watchdog_ms(), 0);
}

static void test_watchdog(void **state)
{
	char pid[16];
	setenv("WATCHDOG_USEC", "30000000", 1);
	unsetenv("WATCHDOG_PID");
	assert_int_equal(notify_watchdog_ms(), 30000);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(notify_watchdog_ms(), 30000);
	setenv("WATCHDOG_PID", "1", 1); /* meant for another process */
	assert_int_equal(notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "nonsense", 1);
	unsetenv("WATCHDOG_PID");
	assert_int_equal(notify_watchdog_ms(), 0);
	unsetenv("WATCHDOG_USEC");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_status_is_one_line),
		cmocka_unit_test(test_without_systemd),
		cmocka_unit_test(test_watchdog),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
