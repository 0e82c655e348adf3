/*
 * control/notify.h - telling systemd how we are (sd_notify). Without systemd every call does nothing.
 */
#pragma once

#include <stdint.h>

void notify_ready(const char *status); /* READY=1 and STATUS= */
void notify_reloading(void);           /* RELOADING=1 with MONOTONIC_USEC= */
void notify_stopping(void);
void notify_status(const char *status); /* one line: what would end it becomes a blank */
void notify_watchdog(void);
/* The longest silence that systemd bears, in ms (half of it is a good pace); 0: no watchdog. */
uint64_t notify_watchdog_ms(void);
