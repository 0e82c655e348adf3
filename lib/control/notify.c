#include "control/notify.h"

#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include <inttypes.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#define STATUS_MAX 256

static void tell(const char *state)
{
	static struct log_limit limit;
	int ret = sd_notify(0, state);
	if (ret < 0 && log_allowed(&limit, 1, 60000)) {
		log_warn("notify", "cannot tell systemd how we are: %s", fail_text(ret));
	}
}

/* Each line is a variable of its own to systemd, so a status must not bring a second one. */
static const char *one_line(const char *status, char *buf)
{
	size_t len = 0;
	for (; status[len] != '\0' && len < STATUS_MAX - 1; len++) {
		unsigned char c = (unsigned char)status[len];
		buf[len] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
	}
	buf[len] = '\0';
	return buf;
}

void notify_ready(const char *status)
{
	char line[STATUS_MAX];
	char state[STATUS_MAX + 32];
	snprintf(state, sizeof(state), "READY=1\nSTATUS=%s", one_line(status, line));
	tell(state);
}

void notify_reloading(void)
{
	char state[64];
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, mono_us());
	tell(state);
}

void notify_stopping(void)
{
	tell("STOPPING=1");
}

void notify_status(const char *status)
{
	char line[STATUS_MAX];
	char state[STATUS_MAX + 32];
	snprintf(state, sizeof(state), "STATUS=%s", one_line(status, line));
	tell(state);
}

void notify_watchdog(void)
{
	tell("WATCHDOG=1");
}

uint64_t notify_watchdog_ms(void)
{
	uint64_t interval_us = 0;
	return sd_watchdog_enabled(0, &interval_us) > 0 ? interval_us / 1000 : 0;
}
