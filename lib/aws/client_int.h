/*
 * aws/client_int.h - one signed call to a service: credentials, budget, signature, answer, what went wrong.
 *
 * Those who call (route53.c and its like) name an operation of service_int.h, what it is given, and how its answer
 * is read; endpoint, signature, retries and the three protocols are call.c's.
 */
#pragma once

#include "aws/creds_int.h"
#include "aws/http_int.h"
#include "aws/imds_int.h"
#include "aws/route53.h"
#include "aws/service_int.h"
#include "aws/sigv4.h"
#include "aws/xml_int.h"

#define REPLY_MAX  (16u << 20)
#define REGION_MAX 32

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

/* A role of another account, and what was got for it. */
struct aws_assumed {
	struct aws *aws;
	char *role_arn;
	char *external_id; /* "": none */
	struct creds_chain *creds;
};

struct aws {
	struct aws_opts opts; /* with texts of its own, roles left out */
	struct aws_http *http;
	struct imds *imds;
	struct creds_chain *creds;
	struct aws_assumed *assumed; /* opts.role_count of them */
	struct creds_chain
		*with; /* whose credentials the calls are signed with: one of those above */

	char region[REGION_MAX];         /* "": not found yet */
	char profile_region[REGION_MAX]; /* "": it says none */
	uint64_t region_asked_ms;        /* 0: never */
	struct aws_instance instance;
	bool instance_known;

	int64_t skew_s; /* the service's clock less ours */
	char trouble[320];
	uint64_t calls[AWS_OPERATIONS][AWS_RESULTS];
};

/* Headers of a call beyond those that every call has. */
#define CALL_HEADERS_MAX 4

/* A JSON answer: borrowed, always an object. A non-zero return is the call's result. */
struct json_t;
typedef int aws_json_fn(void *ctx, const struct json_t *object);

/* All zero but the operation is a good beginning. Everything is borrowed for the call. */
struct aws_call {
	enum aws_operation operation;
	const char *region; /* of a regional service; NULL: as service_int.h says */
	const struct http_url
		*url; /* asked here, unless the operator says where; NULL: by its Region */
	const struct creds *creds; /* NULL: those of aws_with() */
	bool anonymous;            /* not signed at all */

	/* AWS_REST_XML */
	const char *method; /* NULL: GET; the other protocols always POST */
	const char *path;   /* behind the endpoint's own; NULL: "/" */
	const struct sigv4_pair *query;
	size_t query_count;

	/* AWS_QUERY: plain texts, encoded here; Action and Version are put ahead of them */
	const struct sigv4_pair *form;
	size_t form_count;

	/* AWS_REST_XML, AWS_JSON (where NULL is {}) */
	const char *body;
	size_t body_size;

	const struct sigv4_pair *headers; /* more, signed as well; at most CALL_HEADERS_MAX */
	size_t header_count;

	/* The answer: one of these, or neither when 200 is all there is to know. */
	const struct xml_format *format;
	aws_json_fn *json;
	void *ctx; /* what their callbacks get */

	unsigned int timeout_ms; /* 0: the client's */
	unsigned int wait_s;     /* the service may keep silent so long before it answers */
	size_t reply_max;        /* 0: REPLY_MAX */
};

/*
 * One call; its answer goes through call->format or call->json. Failures as in route53.h, with trouble set;
 * FAIL_NOTFOUND also for a regional service while the region is not known.
 */
int aws__call(struct aws *aws, const struct aws_call *call);

/* One line for aws_trouble(). */
__attribute__((format(printf, 2, 3))) void aws__trouble_set(struct aws *aws, const char *format,
                                                            ...);
/* "ok", "throttled", ... counted for an operation. */
void aws__count(struct aws *aws, enum aws_operation operation, int ret);

/*
 * In place.c: where an operation is asked, and the Region to sign for. region and known: as in struct aws_call (url).
 * ret_region: REGION_MAX. -EINVAL (no such endpoint, or not a URL), FAIL_NOTFOUND (region not known).
 */
int aws__place(struct aws *aws, enum aws_operation operation, const char *region,
               const struct http_url *known, struct http_url *ret_url, char *ret_region);
