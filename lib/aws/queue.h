/*
 * aws/queue.h - an SQS queue of change events: long polls, deletions, and what an event says of zones.
 *
 * Loop:    none; every call blocks its thread until the answer, the time limit, or *cancel.
 * Memory:  a poll brings ten messages of at most 1 MiB; the caller lowers that where it fails with FAIL_LIMIT.
 * Errors:  as in route53.h; FAIL_NOTFOUND: there is no such queue.
 * Threats: T35. Whoever may write to the queue can say anything: of an event only the zone's id is taken, and all that
 *          comes of it is a look at the API.
 * AWS:     SQS Developer Guide; facts/route53.md section 8.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct aws;

/* Borrowed until the callback returns. */
struct aws_message {
	const char *body; /* NUL-ended; may hold others */
	size_t body_size;
	const char *receipt; /* what it is deleted by */
};

typedef void aws_message_fn(void *ctx, const struct aws_message *message);

/*
 * Waits up to wait_s (at most 20) for messages, at most `most` (1 .. 10) of them; others do not get them for hidden_s.
 * The queue's URL says where it is asked and which Region signs, unless AWS_ENDPOINT_URL_SQS says where.
 */
int aws_queue_receive(struct aws *aws, const char *queue_url, unsigned int most,
                      unsigned int wait_s, unsigned int hidden_s, aws_message_fn *fn, void *ctx);

#define AWS_DELETE_MAX 10

/* At most AWS_DELETE_MAX. Receipts that are no longer good do no harm. */
int aws_queue_delete(struct aws *aws, const char *queue_url, const char *const *receipts,
                     size_t count);

enum aws_event_kind {
	AWS_EVENT_NONE,  /* nothing about zones, or nothing that can be read */
	AWS_EVENT_SETS,  /* the sets of a zone have changed */
	AWS_EVENT_ZONES, /* a zone has come, gone, or moved to or from a VPC */
};

struct aws_event {
	enum aws_event_kind kind;
	char zone_id[33]; /* bare; "" when it names none */
};

/* Beyond it a body is not read at all. EventBridge delivers at most 256 KiB. */
#define AWS_EVENT_MAX (512u << 10)

/* A CloudTrail record in EventBridge's envelope, as such or in an SNS notification. Never fails. */
void aws_event_read(const char *body, size_t size, struct aws_event *ret_event);
