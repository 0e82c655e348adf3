#include "aws/error_int.h"
#include "aws/xml_int.h"
#include "base/fail.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
	TAG_ERRORS = TAG_FIRST,
	TAG_ERROR,
	TAG_MESSAGES,
	TAG_CODE,
	TAG_MESSAGE,
};

static const struct xml_rule rules[] = {
	{TAG_ROOT, TAG_ERROR, false, "Error"},       {TAG_ROOT, TAG_MESSAGE, false, "Message"},
	{TAG_ROOT, TAG_MESSAGES, false, "Messages"}, {TAG_ERROR, TAG_CODE, false, "Code"},
	{TAG_ERROR, TAG_MESSAGE, false, "Message"},  {TAG_MESSAGES, TAG_MESSAGE, false, "Message"},
	{TAG_ROOT, TAG_ERRORS, false, "Errors"},     {TAG_ERRORS, TAG_ERROR, false, "Error"},
};

/* The first one stays. Control bytes go: it will stand in a log and a status page. */
static void keep_first(char *buf, size_t size, const char *text)
{
	if (buf[0] != '\0') {
		return;
	}
	snprintf(buf, size, "%s", text);
	for (char *at = buf; *at != '\0'; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f) {
			*at = ' ';
		}
	}
}

/* "aws:ExpiredToken" and "com.amazon#ExpiredToken" are ExpiredToken. */
static const char *bare_code(const char *code)
{
	const char *at = code + strcspn(code, ":#");
	return *at == '\0' ? code : at + 1;
}

static int on_end(void *ctx, unsigned int tag, char *text)
{
	struct aws_error *error = ctx;
	if (tag == TAG_CODE) {
		keep_first(error->code, sizeof(error->code), bare_code(text));
	} else if (tag == TAG_MESSAGE) {
		keep_first(error->message, sizeof(error->message), text);
	}
	return 0;
}

static const struct xml_format format = {
	.rules = rules,
	.rule_count = sizeof(rules) / sizeof(rules[0]),
	.end = on_end,
};

static const char *member(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text == NULL ? "" : text;
}

/* {"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"..."}; some say Message. */
static void json_read(const char *body, size_t size, struct aws_error *ret_error)
{
	json_t *object = json_loadb(body, size, 0, NULL);
	const char *code = member(object, "__type");
	const char *message = member(object, "message");
	if (code[0] != '\0') {
		keep_first(ret_error->code, sizeof(ret_error->code), bare_code(code));
		keep_first(ret_error->message, sizeof(ret_error->message),
		           message[0] != '\0' ? message : member(object, "Message"));
	}
	json_decref(object);
}

void aws_error__read(const char *body, size_t size, struct aws_error *ret_error)
{
	*ret_error = (struct aws_error){0};
	if (size > 0 && body[0] == '{') {
		json_read(body, size, ret_error);
		return;
	}
	struct xml *xml = xml__new(&format, ret_error);
	if (xml == NULL) {
		return;
	}
	int ret = xml__feed(xml, body, size);
	const char *root = xml__root(xml);
	/* Two of the shapes have the code as their root's name; a page of HTML has none. */
	bool named = strcmp(root, "ErrorResponse") != 0 && strcmp(root, "Response") != 0 &&
	             strcasecmp(root, "html") != 0;
	if (ret == 0 && named) {
		keep_first(ret_error->code, sizeof(ret_error->code), bare_code(root));
	}
	xml__free(&xml);
}

static bool one_of(const char *code, const char *const *codes)
{
	while (*codes != NULL && strcmp(code, *codes) != 0) {
		codes++;
	}
	return *codes != NULL;
}

bool aws_error__creds(const char *code)
{
	static const char *const codes[] = {"ExpiredToken",         "ExpiredTokenException",
	                                    "InvalidClientTokenId", "UnrecognizedClientException",
	                                    "AuthFailure",          NULL};
	return one_of(code, codes);
}

bool aws_error__clock(const char *code)
{
	static const char *const codes[] = {"SignatureDoesNotMatch", "InvalidSignatureException",
	                                    "RequestExpired",        "RequestTimeTooSkewed",
	                                    "AuthFailure",           NULL};
	return one_of(code, codes);
}

/* Codes whose status alone would mislead. */
static int fail_of_code(const char *code)
{
	static const char *const throttled[] = {"Throttling",
	                                        "ThrottlingException",
	                                        "ThrottledException",
	                                        "RequestLimitExceeded",
	                                        "RequestThrottled",
	                                        "RequestThrottledException",
	                                        "SlowDown",
	                                        "TooManyRequestsException",
	                                        NULL};
	static const char *const denied[] = {"AccessDenied", "AccessDeniedException",
	                                     "NotAuthorizedException", "UnauthorizedOperation",
	                                     NULL};
	static const char *const refused[] = {"MissingAuthenticationToken",
	                                      "MissingAuthenticationTokenException",
	                                      "IncompleteSignature",
	                                      "IncompleteSignatureException",
	                                      "OptInRequired",
	                                      NULL};
	static const char *const missing[] = {"QueueDoesNotExist",
	                                      "AWS.SimpleQueueService.NonExistentQueue",
	                                      "InvalidInstanceID.NotFound",
	                                      "InvalidVpcID.NotFound",
	                                      "InvalidDhcpOptionID.NotFound",
	                                      "NotFound",
	                                      NULL};
	static const char *const changed[] = {"InvalidPaginationToken", NULL};
	if (one_of(code, throttled)) {
		return FAIL_THROTTLED;
	}
	if (one_of(code, denied)) {
		return FAIL_DENIED;
	}
	if (one_of(code, refused) || aws_error__creds(code) || aws_error__clock(code)) {
		return -EKEYREJECTED;
	}
	if (one_of(code, missing)) {
		return FAIL_NOTFOUND;
	}
	/* Of a change: the zone still takes in another; the batch does not fit what is there. */
	if (strcmp(code, "PriorRequestNotComplete") == 0) {
		return FAIL_BUSY;
	}
	if (strcmp(code, "InvalidChangeBatch") == 0) {
		return -EEXIST;
	}
	return one_of(code, changed) ? FAIL_CHANGED : 0;
}

int aws_error__fail(unsigned int status, const char *code)
{
	int ret = fail_of_code(code);
	if (ret != 0) {
		return ret;
	}
	switch (status) {
	case 400:
		return code[0] != '\0' ? -EINVAL : FAIL_REMOTE;
	case 403:
		/* Without a code it is a proxy or a gateway that speaks, not the service. */
		return code[0] != '\0' ? -EKEYREJECTED : FAIL_REMOTE;
	case 404:
		/* A zone is gone only when the service says so, not when somebody has lost its page. */
		return strncmp(code, "NoSuch", 6) == 0 ? FAIL_NOTFOUND : FAIL_REMOTE;
	case 429:
		return FAIL_THROTTLED;
	default:
		/* Other than 200 but no error: an answer that is none. */
		return status / 100 == 2 ? FAIL_FORMAT : FAIL_REMOTE;
	}
}
