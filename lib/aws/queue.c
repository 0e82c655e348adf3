#include "aws/queue.h"
#include "aws/client_int.h"
#include "base/fail.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ten messages, each octet of them escaped, but not all of both. */
#define MESSAGES_MAX (24u << 20)

/* The answer may take this much longer than the wait that was asked for. */
#define SPARE_MS 10000

/* --- Where --- */

/*
 * sqs.eu-west-1.amazonaws.com, sqs-fips.*, vpce-1.sqs.eu-west-1.vpce.amazonaws.com: what follows "sqs". The old
 * eu-west-1.queue.amazonaws.com: what stands before "queue". NULL: the client's own. buf: REGION_MAX.
 */
static const char *region_of(const char *host, char *buf)
{
	char last[REGION_MAX] = "";
	bool next = false;
	while (*host != '\0') {
		size_t len = strcspn(host, ".");
		char label[REGION_MAX];
		snprintf(label, sizeof(label), "%.*s", (int)len, host);
		bool old = strcmp(label, "queue") == 0 && last[0] != '\0';
		if (next || old) {
			snprintf(buf, REGION_MAX, "%s", next ? label : last);
			return buf;
		}
		next = strcmp(label, "sqs") == 0 || strcmp(label, "sqs-fips") == 0;
		memcpy(last, label, sizeof(last));
		host += len + (host[len] == '.');
	}
	return NULL;
}

static int call_make(struct aws *aws, const char *queue_url, struct http_url *url, char *region,
                     struct aws_call *call)
{
	if (aws_http__url(queue_url, url) != 0) {
		aws__trouble_set(aws, "route53.queue is not a URL: %.200s", queue_url);
		return -EINVAL;
	}
	call->region = region_of(url->host, region);
	url->path[0] = '\0'; /* JSON is posted to the root, the queue named within */
	call->url = url;
	return 0;
}

static int call_send(struct aws *aws, struct aws_call *call, json_t *body)
{
	char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
	json_decref(body);
	if (text == NULL) {
		return FAIL_NOMEM;
	}
	call->body = text;
	call->body_size = strlen(text);
	int ret = aws__call(aws, call);
	free(text);
	return ret;
}

/* --- Receiving --- */

struct receiving {
	aws_message_fn *fn;
	void *ctx;
};

/* An answer without messages is an empty queue. */
static int on_messages(void *ctx, const struct json_t *object)
{
	struct receiving *receiving = ctx;
	size_t i;
	const json_t *item;
	json_array_foreach (json_object_get(object, "Messages"), i, item) {
		const json_t *body = json_object_get(item, "Body");
		const char *receipt = json_string_value(json_object_get(item, "ReceiptHandle"));
		if (receipt == NULL) {
			return FAIL_FORMAT;
		}
		const struct aws_message message = {
			.body = json_is_string(body) ? json_string_value(body) : "",
			.body_size = json_string_length(body),
			.receipt = receipt,
		};
		receiving->fn(receiving->ctx, &message);
	}
	return 0;
}

int aws_queue_receive(struct aws *aws, const char *queue_url, unsigned int most,
                      unsigned int wait_s, unsigned int hidden_s, aws_message_fn *fn, void *ctx)
{
	struct http_url url;
	char region[REGION_MAX];
	struct receiving receiving = {fn, ctx};
	struct aws_call call = {
		.operation = AWS_RECEIVE_MESSAGE,
		.json = on_messages,
		.ctx = &receiving,
		.timeout_ms = wait_s * 1000 + SPARE_MS,
		.wait_s = wait_s,
		.reply_max = MESSAGES_MAX,
	};
	int ret = call_make(aws, queue_url, &url, region, &call);
	if (ret != 0) {
		return ret;
	}
	return call_send(aws, &call,
	                 json_pack("{s:s, s:i, s:i, s:i}", "QueueUrl", queue_url,
	                           "MaxNumberOfMessages", (int)most, "WaitTimeSeconds", (int)wait_s,
	                           "VisibilityTimeout", (int)hidden_s));
}

/* --- Deleting --- */

int aws_queue_delete(struct aws *aws, const char *queue_url, const char *const *receipts,
                     size_t count)
{
	struct http_url url;
	char region[REGION_MAX];
	struct aws_call call = {.operation = AWS_DELETE_MESSAGES};
	int ret = call_make(aws, queue_url, &url, region, &call);
	json_t *entries = ret == 0 ? json_array() : NULL;
	for (size_t i = 0; entries != NULL && i < count; i++) {
		char id[8];
		snprintf(id, sizeof(id), "%zu", i);
		json_array_append_new(
			entries, json_pack("{s:s, s:s}", "Id", id, "ReceiptHandle", receipts[i]));
	}
	if (entries == NULL) {
		return ret != 0 ? ret : FAIL_NOMEM;
	}
	/* Single ones may fail with the whole going well: they come again, and are deleted then. */
	return call_send(aws, &call,
	                 json_pack("{s:s, s:o}", "QueueUrl", queue_url, "Entries", entries));
}
