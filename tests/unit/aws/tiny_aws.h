/*
 * A client of the API whose every call comes to a tiny HTTP server of the test's own: with keys from the
 * environment, without instance metadata, without settings of the user's.
 */
#pragma once

#include "aws/route53.h"
#include "tiny_http.h"

#define KEY_ID "AKIDEXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

static struct tiny tiny;
static struct aws *aws;

/* endpoint: the environment variable that gets the server's address. */
static int tiny_aws_begin(tiny_fn *fn, const char *endpoint, const struct aws_opts *opts)
{
	tiny_start(&tiny, fn, NULL);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	setenv("AWS_REGION", "eu-west-1", 1);
	setenv("AWS_ACCESS_KEY_ID", KEY_ID, 1);
	setenv("AWS_SECRET_ACCESS_KEY", SECRET, 1);
	unsetenv("AWS_SESSION_TOKEN");
	unsetenv("AWS_ENDPOINT_URL");
	setenv("HOME", "/nowhere", 1);
	tiny_export(&tiny, endpoint);
	aws = aws_new(opts);
	return aws == NULL;
}

/* The teardown of each test. */
static int end(void **state)
{
	(void)state;
	aws_free(&aws);
	tiny_stop(&tiny);
	return 0;
}
