/*
 * aws/imds_int.h - instance metadata, version 2 only: a session token first, then everything with it.
 *
 * AWS:     EC2 User Guide, "Use IMDSv2"; facts/route53.md section 4.2.
 * Threats: T32. Fixed addresses (another one only from the environment, and logged), no proxy, no
 *          redirects, 2 s a request; a refused or silent token request never falls back to version 1.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct aws_http;
struct imds;

/* Reads AWS_EC2_METADATA_*. http is borrowed. NULL: no memory. */
struct imds *imds__new(struct aws_http *http);
void imds__free(struct imds **imds);

/* Switched off by the environment. */
bool imds__off(const struct imds *imds);

/*
 * The text at path (below /latest/), NUL-ended. FAIL_NOTFOUND: no such thing, or metadata is switched
 * off; FAIL_DENIED (403), FAIL_THROTTLED, FAIL_REMOTE, FAIL_FORMAT (holds NUL), FAIL_LIMIT (over size), or as aws_http__send.
 */
int imds__get(struct imds *imds, const char *path, char *buf, size_t size);

/* Why the last one failed, in one line. */
const char *imds__trouble(const struct imds *imds);
