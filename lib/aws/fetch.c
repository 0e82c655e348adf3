#include "aws/fetch.h"
#include "aws/client_int.h"
#include "base/fail.h"
#include <string.h>

#define FETCH_MS 5000

struct buffer {
	char *bytes;
	size_t len;
	size_t size;
};

static int on_body(void *ctx, unsigned int status, const char *bytes, size_t size)
{
	struct buffer *buffer = ctx;
	if (size >= buffer->size - buffer->len) {
		return FAIL_LIMIT;
	}
	memcpy(buffer->bytes + buffer->len, bytes, size);
	buffer->len += size;
	buffer->bytes[buffer->len] = '\0';
	return 0;
}

int aws_fetch(struct aws *aws, const char *url, const char *path, char *buf, size_t size,
              unsigned int *ret_status)
{
	struct http_url endpoint;
	struct buffer buffer = {.bytes = buf, .size = size};
	struct http_reply reply;
	int ret = aws_http__url(url, &endpoint);
	if (ret != 0) {
		aws__trouble_set(aws, "not a URL: %.200s", url);
		return ret;
	}
	buf[0] = '\0';
	const struct http_request request = {.method = "GET",
	                                     .endpoint = &endpoint,
	                                     .target = path,
	                                     .timeout_ms = FETCH_MS,
	                                     .reply_max = size,
	                                     .local = true,
	                                     .body_fn = on_body,
	                                     .ctx = &buffer};
	ret = aws_http__send(aws->http, &request, &reply);
	if (ret != 0) {
		aws__trouble_set(aws, "%s%s: %s", url, path, aws_http__trouble(aws->http));
		return ret;
	}
	*ret_status = reply.status;
	return 0;
}
