/*
 * aws/client_int.h - one signed call to a service: credentials, budget, signature, answer, what went wrong.
 *
 * Services (route53.c and its like) name an operation, its path and query, and the format of its answer.
 */
#pragma once

#include "aws/creds_int.h"
#include "aws/http_int.h"
#include "aws/imds_int.h"
#include "aws/route53.h"
#include "aws/sigv4.h"
#include "aws/xml_int.h"

#define REPLY_MAX  (16u << 20)
#define REGION_MAX 32

/* To add one: a line here, a line in the table of client.c. */
enum aws_operation {
	AWS_LIST_RECORD_SETS,
	AWS_LIST_ZONES_BY_VPC,
	AWS_GET_ZONE,
	AWS_GET_HEALTH,
	AWS_GET_METRIC,
	AWS_OPERATIONS,
};

/* How a call ended, as the counter has it. */
enum aws_result {
	AWS_RESULT_OK,
	AWS_RESULT_THROTTLED,
	AWS_RESULT_DENIED, /* by policy, or keys not taken */
	AWS_RESULT_NOTFOUND,
	AWS_RESULT_REMOTE,
	AWS_RESULT_NET,
	AWS_RESULT_TIMEOUT,
	AWS_RESULT_FORMAT,
	AWS_RESULT_OTHER,
	AWS_RESULTS,
};

struct aws {
	struct aws_opts opts; /* with texts of its own */
	struct aws_http *http;
	struct imds *imds;
	struct creds_chain *creds;

	char region[REGION_MAX];  /* "": not found yet */
	uint64_t region_asked_ms; /* 0: never */
	struct aws_instance instance;
	bool instance_known;

	struct http_url endpoint; /* of Route 53 */
	const char *signing_region;
	bool endpoint_known;        /* for good: the region is known too */
	struct http_url monitoring; /* CloudWatch, where Route 53 writes its metrics */
	bool monitoring_known;

	int64_t skew_s; /* the service's clock less ours */
	char trouble[320];
	uint64_t calls[AWS_OPERATIONS][AWS_RESULTS];
};

struct aws_call {
	enum aws_operation operation;
	const char *method;
	const char *path; /* behind the endpoint's own; "/" for services that have but one */
	const struct sigv4_pair *query;
	size_t query_count;
	const struct xml_format *format; /* of the answer, */
	void *ctx;                       /* and what its callbacks get */
};

/* One call; its answer goes through call->format. Failures as in route53.h, with trouble set. */
int aws__call(struct aws *aws, const struct aws_call *call);

/* One line for aws_trouble(). */
__attribute__((format(printf, 2, 3))) void aws__trouble_set(struct aws *aws, const char *format,
                                                            ...);

/* In place.c: where Route 53 is. 0 with aws->endpoint and signing_region set; -EINVAL. */
int aws__endpoint(struct aws *aws);
/* The same for CloudWatch: aws->monitoring. After aws__endpoint; signed with the same region. */
int aws__monitoring(struct aws *aws);
