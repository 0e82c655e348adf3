/*
 * aws/fetch.h - a plain page of a server close by, such as the daemon's own health: no signature, no proxy.
 */
#pragma once

#include <stddef.h>

struct aws;

/* GET of path at url ("http://127.0.0.1:9153"). The text goes into buf, NUL-ended. Errors as aws/route53.h. */
int aws_fetch(struct aws *aws, const char *url, const char *path, char *buf, size_t size,
              unsigned int *ret_status);
