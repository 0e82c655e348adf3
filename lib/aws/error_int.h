/*
 * aws/error_int.h - what a service says when it does not answer: four shapes of XML, JSON, or nothing.
 *
 * Source: facts/route53.md sections 1.7, 8.2, 9.2. Bodies of errors are read leniently: whatever code and message
 * can be found are used, and the HTTP status decides where there is no code.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct aws_error {
	char code[64]; /* "" when none was found */
	char message[192];
};

/* Never fails. */
void aws_error__read(const char *body, size_t size, struct aws_error *ret_error);

/* FAIL_* for a status and code; see route53.h. */
int aws_error__fail(unsigned int status, const char *code);

/* The service no longer takes these credentials; others may do. */
bool aws_error__creds(const char *code);

/* The signature may have failed for a wrong clock alone. */
bool aws_error__clock(const char *code);
