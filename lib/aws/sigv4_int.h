/*
 * aws/sigv4_int.h - the signing key, apart, so that its own vectors can be tried.
 */
#pragma once

#include <stdint.h>

#define SIGV4_KEY_SIZE 32

/* The key of a day (YYYYMMDD), region and service. The caller wipes it. Returns 0 or FAIL_NOMEM. */
int sigv4__key(const char *secret, const char *day, const char *region, const char *service,
               uint8_t *ret_key);
