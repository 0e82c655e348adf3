#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/client_int.h"
#include "aws/route53.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include "fixtures.h"
#include "tiny_http.h"
#include <errno.h>

#define KEY_ID "AKIDEXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

/* --- A service of answers prepared one by one --- */

#define ANSWERS 8

struct prepared {
	unsigned int status;
	const char *body;
	struct tiny_reply how; /* cut, quiet, ... */
	int64_t date_s;        /* 0: no Date header */
};

static struct tiny tiny;
static struct prepared prepared[ANSWERS];
static unsigned int prepared_count;
static unsigned int answered;
static char targets[ANSWERS][1024];
static char bodies[ANSWERS][1024];
static bool signatures_good;
static char token_wanted[64];

/* %XX to octets, in place. */
static char *decoded(char *text)
{
	char *to = text;
	for (char *at = text; *at != '\0'; at++) {
		unsigned int c;
		if (*at == '%' && sscanf(at + 1, "%2x", &c) == 1) {
			*to++ = (char)c;
			at += 2;
		} else {
			*to++ = *at;
		}
	}
	*to = '\0';
	return text;
}

static size_t query_read(char *query, struct sigv4_pair *pairs, size_t max)
{
	size_t count = 0;
	for (char *part = strsep(&query, "&"); part != NULL && count < max;
	     part = strsep(&query, "&")) {
		char *value = strchr(part, '=');
		assert_non_null(value);
		*value++ = '\0';
		pairs[count++] = (struct sigv4_pair){decoded(part), decoded(value)};
	}
	return count;
}

static int64_t date_read(const char *date)
{
	struct tm tm = {0};
	assert_non_null(strptime(date, "%Y%m%dT%H%M%SZ", &tm));
	return timegm(&tm);
}

/* Signs what arrived and compares. */
static bool signature_good(const struct tiny_request *request)
{
	char host[128], date[32], token[64], given[1024], made[1024], target[1024];
	struct sigv4_pair query[8];
	snprintf(target, sizeof(target), "%s", request->target);
	char *rest = target;
	const char *path = strsep(&rest, "?");
	const struct sigv4_pair headers[] = {
		{"host", tiny_header(request, "Host", host, sizeof(host))},
		{"x-amz-date", tiny_header(request, "X-Amz-Date", date, sizeof(date))},
		{"x-amz-security-token",
	         tiny_header(request, "X-Amz-Security-Token", token, sizeof(token))},
	};
	struct sigv4_request signing = {
		.method = request->method,
		.path = path,
		.normalize_path = true,
		.query = query,
		.query_count = rest == NULL ? 0 : query_read(rest, query, 8),
		.headers = headers,
		.header_count = token[0] == '\0' ? 2 : 3,
		.region = "us-east-1",
		.service = "route53",
		.access_key_id = KEY_ID,
		.secret_access_key = SECRET,
		.time_s = date_read(date),
	};
	return sigv4_sign(&signing, made, sizeof(made), NULL, NULL) == 0 &&
	       strcmp(made, tiny_header(request, "Authorization", given, sizeof(given))) == 0 &&
	       strcmp(token, token_wanted) == 0;
}

static void date_header(int64_t date_s, struct tiny_reply *reply)
{
	time_t when = (time_t)date_s;
	struct tm tm;
	gmtime_r(&when, &tm);
	strftime(reply->headers, sizeof(reply->headers), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n",
	         &tm);
}

static void answer(void *ctx, const struct tiny_request *request, struct tiny_reply *reply)
{
	if (answered == prepared_count) {
		tiny_text(reply, 500, "nothing prepared");
		return;
	}
	const struct prepared *next = &prepared[answered];
	snprintf(targets[answered], sizeof(targets[0]), "%s", request->target);
	snprintf(bodies[answered], sizeof(bodies[0]), "%s", request->body);
	signatures_good = signatures_good && signature_good(request);
	*reply = next->how;
	tiny_text(reply, next->status, next->body);
	if (next->date_s != 0) {
		date_header(next->date_s, reply);
	}
	answered++;
}

static struct prepared *prepare(unsigned int status, const char *body)
{
	assert_true(prepared_count < ANSWERS);
	prepared[prepared_count] = (struct prepared){.status = status, .body = body};
	return &prepared[prepared_count++];
}

static struct aws *aws;
static bool cancel;

static int begin(void **state)
{
	prepared_count = 0;
	answered = 0;
	signatures_good = true;
	token_wanted[0] = '\0';
	cancel = false;
	tiny_start(&tiny, answer, NULL);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	setenv("AWS_REGION", "eu-west-1", 1);
	setenv("AWS_ACCESS_KEY_ID", KEY_ID, 1);
	setenv("AWS_SECRET_ACCESS_KEY", SECRET, 1);
	unsetenv("AWS_SESSION_TOKEN");
	setenv("HOME", "/nowhere", 1);
	tiny_export(&tiny, "AWS_ENDPOINT_URL_ROUTE_53");
	const struct aws_opts opts = {.region = "auto", .cancel = &cancel, .timeout_ms = 30000};
	aws = aws_new(&opts);
	assert_non_null(aws);
	return 0;
}

static int end(void **state)
{
	aws_free(&aws);
	tiny_stop(&tiny);
	return 0;
}

/* --- Record sets --- */

#define WEIGHTED(name, identifier)                                                                \
	"<ResourceRecordSet><Name>" name "</Name><Type>A</Type><SetIdentifier>" identifier        \
	"</SetIdentifier><Weight>1</Weight><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>" \
	"10.0.0.3</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>"
#define WEIGHTED_TXT(identifier)                                                                  \
	"<ResourceRecordSet><Name>b.</Name><Type>TXT</Type><SetIdentifier>" identifier            \
	"</SetIdentifier><Weight>1</Weight><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>" \
	"t</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>"

struct listed {
	unsigned int sets;
	char names[512];
	int refuse;
};

static int on_set(void *ctx, const struct aws_record_set *set)
{
	struct listed *listed = ctx;
	size_t len = strlen(listed->names);
	listed->sets++;
	snprintf(listed->names + len, sizeof(listed->names) - len, "%s ", set->name);
	return listed->refuse;
}

static int list(struct listed *listed, unsigned int *pages)
{
	return aws_list_record_sets(aws, "/hostedzone/Z0ABC", on_set, listed, pages);
}

static void test_pages(void **state)
{
	struct listed listed = {0};
	unsigned int pages = 0;
	prepare(200, FIXTURE_PAGE);
	prepare(200, PAGE(WEIGHTED("app.corp.example.", "green"),
	                  NEXT("\\052.x.corp.example.", "AAAA")));
	prepare(200, PAGE(SET("\\052.x.corp.example.", "AAAA", "60", "2001:db8::4"), LAST));
	assert_int_equal(list(&listed, &pages), 0);
	assert_int_equal(pages, 3);
	assert_string_equal(listed.names, "\\052.corp.example. app.corp.example. app.corp.example. "
	                                  "\\052.x.corp.example. ");
	assert_string_equal(targets[0], "/2013-04-01/hostedzone/Z0ABC/rrset?maxitems=300");
	assert_string_equal(targets[1],
	                    "/2013-04-01/hostedzone/Z0ABC/rrset?identifier=green&maxitems=300"
	                    "&name=app.corp.example.&type=A");
	assert_string_equal(targets[2], "/2013-04-01/hostedzone/Z0ABC/rrset?maxitems=300"
	                                "&name=%5C052.x.corp.example.&type=AAAA");
	assert_true(signatures_good);
	assert_int_equal(tiny.connections, 1);
	assert_string_equal(aws_trouble(aws), "");
}

static void test_markers_must_advance(void **state)
{
	struct listed listed = {0};
	prepare(200, PAGE(SOME_SET, NEXT("\\052.", "A")));
	prepare(200, PAGE(SET("\\052.", "A", "60", "10.0.0.1"), NEXT("\\053.", "A")));
	prepare(200, PAGE(SET("\\053.", "A", "60", "10.0.0.1"), NEXT("\\052.", "A")));
	assert_int_equal(list(&listed, NULL), FAIL_CHANGED);
	assert_int_equal(answered, 3);
	assert_string_equal(aws_trouble(aws), "the listing went in a circle after 3 pages");
}

/* The marker named a set: a page with none is no end of a listing. */
static void test_empty_page_after_a_marker(void **state)
{
	struct listed listed = {0};
	prepare(200, PAGE(SOME_SET, NEXT("c.", "A")));
	prepare(200, PAGE("", LAST));
	assert_int_equal(list(&listed, NULL), FAIL_CHANGED);
	assert_string_equal(aws_trouble(aws), "an empty page where c. should follow");
}

static void test_weighted_sets_over_a_page_end(void **state)
{
	struct listed listed = {0};
	prepare(200,
	        PAGE(SOME_SET, NEXT("b.", "TXT") "<NextRecordIdentifier>1</NextRecordIdentifier>"));
	prepare(200, PAGE(WEIGHTED_TXT("1"),
	                  NEXT("b.", "TXT") "<NextRecordIdentifier>2</NextRecordIdentifier>"));
	prepare(200, PAGE(WEIGHTED_TXT("2"), LAST));
	assert_int_equal(list(&listed, NULL), 0);
	assert_int_equal(answered, 3);
}

/* What the marker named must come first: else something went, or came, between the pages. */
static void test_next_page_begins_elsewhere(void **state)
{
	static const char *const bodies_of_two[] = {
		PAGE(SET("d.", "A", "60", "10.0.0.1"), LAST),      /* c. is gone */
		PAGE(SET("bb.", "A", "60", "10.0.0.1"), LAST),     /* one more has come */
		PAGE(SET("c.", "AAAA", "60", "2001:db8::"), LAST), /* another type */
		PAGE(SOME_SET, LAST),                              /* the page of before */
	};
	for (size_t i = 0; i < sizeof(bodies_of_two) / sizeof(bodies_of_two[0]); i++) {
		struct listed listed = {0};
		prepared_count = answered = 0;
		prepare(200, PAGE(SOME_SET, NEXT("c.", "A")));
		prepare(200, bodies_of_two[i]);
		assert_int_equal(list(&listed, NULL), FAIL_CHANGED);
		assert_non_null(strstr(aws_trouble(aws), "does not begin where"));
	}
}

#define A(name) SET(name, "A", "60", "10.0.0.1")

static void test_order(void **state)
{
	static const struct {
		const char *body;
		bool good;
	} cases[] = {
		{PAGE(A("example.") A("a.example.") A("b.example."), LAST), true},
		{PAGE(A("a-b.example.") A("a.example.") A("x.a.example."), LAST), true},
		{PAGE(A("a.example.") A("ab.example."), LAST), true},
		{PAGE(A("x.a.example.") A("b.example."), LAST), true},
		{PAGE(A("b.example.") A("\\052.example."), LAST), true}, /* taken as it comes */
		{PAGE(A("b.example.") A("a.example."), LAST), false},
		{PAGE(A("a.example.") A("example."), LAST), false},
		{PAGE(A("a.example.") A("a-b.example."), LAST), false},
		{PAGE(A("a.example.") A("a.example."), LAST), false}, /* twice */
		{PAGE(A("b.example.") A("x.a.example."), LAST), false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct listed listed = {0};
		prepared_count = answered = 0;
		prepare(200, cases[i].body);
		int ret = list(&listed, NULL);
		if (ret != (cases[i].good ? 0 : FAIL_CHANGED)) {
			fail_msg("case %zu: %d, %s", i, ret, aws_trouble(aws));
		}
	}
}

/* The pages of two listings take turns on one client. */
static void test_two_listings(void **state)
{
	struct listed one = {0}, two = {0};
	bool more = false;
	struct aws_listing *a = aws_listing_new("Z0A"), *b = aws_listing_new("/hostedzone/Z0B");
	prepare(200, PAGE(SOME_SET, NEXT("c.", "A")));
	prepare(200, PAGE(A("x."), NEXT("y.", "A")));
	prepare(200, PAGE(A("c."), LAST));
	prepare(500, "");
	assert_int_equal(aws_listing_page(aws, a, on_set, &one, &more), 0);
	assert_true(more);
	assert_int_equal(aws_listing_page(aws, b, on_set, &two, &more), 0);
	assert_int_equal(aws_listing_page(aws, a, on_set, &one, &more), 0);
	assert_false(more);
	assert_int_equal(aws_listing_pages(a), 2);
	assert_string_equal(one.names, "b. c. ");
	assert_non_null(strstr(targets[2], "/Z0A/rrset?maxitems=300&name=c.&type=A"));
	assert_int_equal(aws_listing_page(aws, b, on_set, &two, &more), FAIL_REMOTE);
	assert_int_equal(aws_listing_page(aws, b, on_set, &two, &more), -EINVAL);
	assert_int_equal(aws_listing_page(aws, a, on_set, &one, &more), -EINVAL);
	aws_listing_free(&a);
	aws_listing_free(&b);
}

static void check_failure(unsigned int status, const char *body, int wanted, const char *trouble)
{
	struct listed listed = {0};
	prepared_count = 0;
	answered = 0;
	prepare(status, body);
	assert_int_equal(list(&listed, NULL), wanted);
	assert_int_equal(listed.sets, 0);
	assert_int_equal(answered, 1); /* no retries */
	if (trouble != NULL) {
		assert_string_equal(aws_trouble(aws), trouble);
	}
}

static void test_refusals(void **state)
{
	check_failure(400, ERROR_BODY("Throttling", "Rate exceeded"), FAIL_THROTTLED,
	              "throttled by the API");
	check_failure(403, ERROR_BODY("AccessDenied", "User is not authorized"), FAIL_DENIED,
	              "AccessDenied: User is not authorized");
	check_failure(404, ERROR_BODY("NoSuchHostedZone", "No hosted zone found"), FAIL_NOTFOUND,
	              "NoSuchHostedZone: No hosted zone found");
	check_failure(403,
	              "<InvalidSignatureException><Message>no</Message>"
	              "</InvalidSignatureException>",
	              -EKEYREJECTED, "InvalidSignatureException: no");
	check_failure(403, ERROR_BODY("ExpiredToken", "old"), -EKEYREJECTED, NULL);
	check_failure(400, ERROR_BODY("InvalidInput", "what?"), -EINVAL, NULL);
	check_failure(400, ERROR_BODY("InvalidPaginationToken", ""), FAIL_CHANGED, NULL);
	check_failure(500, "", FAIL_REMOTE, NULL);
	check_failure(503, "<html><body>busy</body></html>", FAIL_REMOTE, NULL);
	check_failure(302, "", FAIL_REMOTE, NULL);
	check_failure(404, "<html>where?</html>", FAIL_REMOTE, NULL);
}

/* A 200 is not data. */
static void test_answers_that_are_none(void **state)
{
	check_failure(200, "", FAIL_FORMAT, NULL);
	check_failure(200, "<html><body>sign in</body></html>", FAIL_FORMAT,
	              "the answer makes no sense: line 1: not the answer to this call");
	check_failure(200, ERROR_BODY("Throttling", ""), FAIL_FORMAT, NULL);
	check_failure(200,
	              "<ListResourceRecordSetsResponse><ResourceRecordSets/>" LAST
	              "</ListResourceRecordSetsResponse>",
	              FAIL_FORMAT,
	              "the answer makes no sense: line 1: not in the service's namespace");
	check_failure(200, "<ListHostedZonesResponse xmlns=\"" SPACE "\"/>", FAIL_FORMAT, NULL);
	check_failure(200, PAGE("", ""), FAIL_FORMAT, "a page that is not complete");
	check_failure(200, PAGE("", "<IsTruncated>true</IsTruncated>"), FAIL_CHANGED,
	              "a page that contradicts itself");
	check_failure(200, "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", FAIL_FORMAT, NULL);
	check_failure(204, "", FAIL_FORMAT, NULL);
}

static void test_cut_without_a_sign(void **state)
{
	static const char body[] = PAGE(SET("a.", "A", "60", "10.0.0.4"), LAST);
	for (size_t at = 0; at < sizeof(body) - 1; at++) {
		struct listed listed = {0};
		prepared_count = 0;
		answered = 0;
		struct prepared *one = prepare(200, body);
		one->how.cut = true;
		one->how.cut_at = at;
		one->how.quiet = at % 2 == 0;
		assert_int_equal(list(&listed, NULL), at % 2 == 0 ? FAIL_FORMAT : FAIL_NET);
	}
}

static void test_endless_answer(void **state)
{
	struct listed listed = {0};
	/* Each round is a well-formed piece of a list that never ends. */
	prepare(200, "<ListResourceRecordSetsResponse xmlns=\"" SPACE "\"><ResourceRecordSets>");
	prepared[0].how.endless = true;
	assert_int_equal(list(&listed, NULL), FAIL_LIMIT); /* nested too deep */

	prepared_count = answered = 0;
	prepare(200, "                                                                       ");
	prepared[0].how.endless = true;
	assert_int_equal(list(&listed, NULL), FAIL_LIMIT);
}

static void test_listener_ends_it(void **state)
{
	struct listed listed = {.refuse = FAIL_LIMIT};
	prepare(200, FIXTURE_PAGE);
	assert_int_equal(list(&listed, NULL), FAIL_LIMIT);
	assert_int_equal(listed.sets, 1);
}

static void test_ids(void **state)
{
	struct listed listed = {0};
	static const char *const ids[] = {
		"",          "Z/../x",       "z0abc",
		"Z0?name=a", "/hostedzone/", "Z01234567890123456789012345678901"};
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		assert_int_equal(aws_list_record_sets(aws, ids[i], on_set, &listed, NULL), -EINVAL);
	}
	assert_int_equal(answered, 0);
}

/* --- Credentials and clock --- */

static void test_no_credentials(void **state)
{
	struct listed listed = {0};
	unsetenv("AWS_ACCESS_KEY_ID");
	unsetenv("AWS_SECRET_ACCESS_KEY");
	assert_int_equal(list(&listed, NULL), -ENOKEY);
	assert_string_equal(aws_trouble(aws),
	                    "no credentials: AWS_ACCESS_KEY_ID is not set; "
	                    "AWS_WEB_IDENTITY_TOKEN_FILE is not set; no profile default; "
	                    "AWS_CONTAINER_CREDENTIALS_*_URI is not set; "
	                    "instance metadata is switched off");
	assert_int_equal(answered, 0);
}

static void test_expired_token_renewed_once(void **state)
{
	struct listed listed = {0};
	setenv("AWS_SESSION_TOKEN", "old", 1);
	strcpy(token_wanted, "old");
	prepare(200, PAGE("", LAST));
	assert_int_equal(list(&listed, NULL), 0);

	/* The source has a new one: tried with it. */
	setenv("AWS_SESSION_TOKEN", "new", 1);
	prepare(403, ERROR_BODY("ExpiredToken", "old"));
	prepare(200, PAGE("", LAST));
	assert_int_equal(list(&listed, NULL), 0);
	assert_int_equal(answered, 3);
	assert_false(signatures_good); /* the last one had another token */
	strcpy(token_wanted, "new");
	signatures_good = true;

	/* It has none: not tried again. */
	prepare(403, ERROR_BODY("ExpiredToken", "old"));
	assert_int_equal(list(&listed, NULL), -EKEYREJECTED);
	assert_int_equal(answered, 4);
	assert_true(signatures_good);
}

static void test_wrong_clock_corrected(void **state)
{
	struct listed listed = {0};
	prepare(403, ERROR_BODY("SignatureDoesNotMatch", "Signature expired"))->date_s =
		wall_s() + 3600;
	prepare(200, PAGE("", LAST));
	assert_int_equal(list(&listed, NULL), 0);
	assert_int_equal(answered, 2);
	assert_in_range(aws->skew_s, 3595, 3605);
	assert_true(signatures_good);
}

static void test_clock_not_to_blame(void **state)
{
	struct listed listed = {0};
	prepare(403, ERROR_BODY("SignatureDoesNotMatch", "no"))->date_s = wall_s() + 100;
	assert_int_equal(list(&listed, NULL), -EKEYREJECTED);
	prepare(403, ERROR_BODY("SignatureDoesNotMatch", "no"));
	assert_int_equal(list(&listed, NULL), -EKEYREJECTED);
	/* Corrected once and still refused: that is that. */
	prepare(403, ERROR_BODY("RequestExpired", "no"))->date_s = wall_s() - 7200;
	prepare(403, ERROR_BODY("RequestExpired", "no"))->date_s = wall_s() - 7200;
	assert_int_equal(list(&listed, NULL), -EKEYREJECTED);
	assert_int_equal(answered, 4);
}

/* --- Budget and end --- */

struct budget {
	int ret;
	char names[128];
};

static int on_before(void *ctx, const char *operation)
{
	struct budget *budget = ctx;
	strcat(budget->names, operation);
	strcat(budget->names, " ");
	return budget->ret;
}

static int on_zone(void *ctx, const struct aws_hosted_zone *zone)
{
	char *out = ctx;
	sprintf(out + strlen(out), "%s %s%s%s%s%s\n", zone->id, zone->name,
	        zone->owning_account == NULL ? "" : " account=",
	        zone->owning_account == NULL ? "" : zone->owning_account,
	        zone->owning_service == NULL ? "" : " service=",
	        zone->owning_service == NULL ? "" : zone->owning_service);
	return 0;
}

static void test_budget_asked_first(void **state)
{
	struct budget budget = {.ret = FAIL_SHUTDOWN};
	struct listed listed = {0};
	aws->opts.before = on_before;
	aws->opts.before_ctx = &budget;
	assert_int_equal(list(&listed, NULL), FAIL_SHUTDOWN);
	assert_int_equal(answered, 0);
	budget.ret = 0;
	prepare(200, FIXTURE_PAGE);
	prepare(200, PAGE(WEIGHTED("app.corp.example.", "green"), LAST));
	assert_int_equal(list(&listed, NULL), 0);
	assert_string_equal(budget.names, "ListResourceRecordSets ListResourceRecordSets "
	                                  "ListResourceRecordSets ");
}

static void test_cancelled(void **state)
{
	struct listed listed = {0};
	__atomic_store_n(&cancel, true, __ATOMIC_RELEASE);
	assert_int_equal(list(&listed, NULL), FAIL_SHUTDOWN);
}

/* --- Zones --- */

#define SUMMARIES(list, tail)                                                          \
	"<ListHostedZonesByVPCResponse xmlns=\"" SPACE "\"><HostedZoneSummaries>" list \
	"</HostedZoneSummaries><MaxItems>100</MaxItems>" tail "</ListHostedZonesByVPCResponse>"

#define SUMMARY(id, name, owner)                                                                   \
	"<HostedZoneSummary><HostedZoneId>" id "</HostedZoneId><Name>" name "</Name><Owner>" owner \
	"</Owner></HostedZoneSummary>"

static void test_zones_of_a_vpc(void **state)
{
	char out[512] = "";
	prepare(200, SUMMARIES(SUMMARY("Z1", "corp.example.",
	                               "<OwningAccount>111122223333</OwningAccount>"),
	                       "<NextToken>a/b+c==</NextToken>"));
	prepare(200, SUMMARIES(SUMMARY("Z2", "efs.example.",
	                               "<OwningService>efs.amazonaws.com</OwningService>"),
	                       ""));
	assert_int_equal(aws_list_zones_by_vpc(aws, "vpc-1", "eu-west-1", on_zone, out), 0);
	assert_string_equal(out, "Z1 corp.example. account=111122223333\n"
	                         "Z2 efs.example. service=efs.amazonaws.com\n");
	assert_string_equal(targets[0], "/2013-04-01/hostedzonesbyvpc?maxitems=100&vpcid=vpc-1"
	                                "&vpcregion=eu-west-1");
	assert_string_equal(targets[1], "/2013-04-01/hostedzonesbyvpc?maxitems=100"
	                                "&nexttoken=a%2Fb%2Bc%3D%3D&vpcid=vpc-1"
	                                "&vpcregion=eu-west-1");
	assert_true(signatures_good);
}

static int vpc_zones(const char *body)
{
	char out[512] = "";
	prepared_count = answered = 0;
	prepare(200, body);
	prepare(200, body);
	return aws_list_zones_by_vpc(aws, "vpc-1", "eu-west-1", on_zone, out);
}

static void test_zones_of_a_vpc_badly(void **state)
{
	assert_int_equal(vpc_zones(SUMMARIES("", "")), 0);
	assert_int_equal(vpc_zones(SUMMARIES("", "<NextToken>same</NextToken>")), FAIL_CHANGED);
	assert_int_equal(vpc_zones("<ListHostedZonesByVPCResponse xmlns=\"" SPACE "\"/>"),
	                 FAIL_FORMAT);
	assert_int_equal(vpc_zones(SUMMARIES(SUMMARY("../x", "corp.example.", ""), "")),
	                 FAIL_FORMAT);
	assert_int_equal(vpc_zones(SUMMARIES(SUMMARY("Z1", "", ""), "")), FAIL_FORMAT);
}

static int on_vpc(void *ctx, const char *vpc_id, const char *vpc_region)
{
	char *out = ctx;
	sprintf(out + strlen(out), "%s in %s\n", vpc_id, vpc_region);
	return 0;
}

#define ZONE(id)                                                                   \
	"<GetHostedZoneResponse xmlns=\"" SPACE "\"><HostedZone><Id>" id "</Id>"   \
	"<Name>corp.example.</Name><CallerReference>x</CallerReference><Config>"   \
	"<Comment>c</Comment><PrivateZone>true</PrivateZone></Config>"             \
	"<ResourceRecordSetCount>1234</ResourceRecordSetCount></HostedZone><VPCs>" \
	"<VPC><VPCRegion>eu-west-1</VPCRegion><VPCId>vpc-1</VPCId></VPC>"          \
	"<VPC><VPCRegion>us-east-1</VPCRegion><VPCId>vpc-2</VPCId></VPC></VPCs>"   \
	"</GetHostedZoneResponse>"

static int on_whole_zone(void *ctx, const struct aws_hosted_zone *zone)
{
	assert_true(zone->private_zone);
	assert_int_equal(zone->set_count, 1234);
	return on_zone(ctx, zone);
}

static void test_one_zone(void **state)
{
	char out[512] = "";
	prepare(200, ZONE("/hostedzone/Z1"));
	assert_int_equal(aws_get_zone(aws, "Z1", on_whole_zone, out, on_vpc), 0);
	assert_string_equal(out, "vpc-1 in eu-west-1\nvpc-2 in us-east-1\nZ1 corp.example.\n");
	prepare(200, ZONE("/hostedzone/Z2"));
	assert_int_equal(aws_get_zone(aws, "Z1", on_whole_zone, out, NULL), FAIL_FORMAT);
	assert_string_equal(aws_trouble(aws), "an answer about another zone: /hostedzone/Z2");
}

/* --- Health --- */

#define OBSERVED(status)                                                          \
	"<HealthCheckObservation><Region>r</Region><StatusReport><Status>" status \
	"</Status></StatusReport></HealthCheckObservation>"
#define STATUS(observations)                                                        \
	"<?xml version=\"1.0\"?><GetHealthCheckStatusResponse xmlns=\"" SPACE "\">" \
	"<HealthCheckObservations>" observations "</HealthCheckObservations>"       \
	"</GetHealthCheckStatusResponse>"
#define GOOD OBSERVED("Success: HTTP Status Code 200, OK")
#define BAD  OBSERVED("Failure: Connection timed out.")

static void test_health(void **state)
{
	bool healthy = false;
	prepare(200, STATUS(GOOD BAD BAD BAD));
	assert_int_equal(aws_get_health(aws, "0f0e-1", &healthy), 0);
	assert_true(healthy); /* 25 % */
	assert_string_equal(targets[0], "/2013-04-01/healthcheck/0f0e-1/status");
	prepare(200, STATUS(GOOD BAD BAD BAD BAD BAD));
	assert_int_equal(aws_get_health(aws, "c", &healthy), 0);
	assert_false(healthy); /* 17 % */
	prepare(200, STATUS(""));
	assert_int_equal(aws_get_health(aws, "c", &healthy), FAIL_NOTFOUND);
	prepare(404, ERROR_BODY("NoSuchHealthCheck", "none"));
	assert_int_equal(aws_get_health(aws, "c", &healthy), FAIL_NOTFOUND);
	assert_int_equal(aws_get_health(aws, "../hostedzone", &healthy), -EINVAL);
	assert_int_equal(answered, 4);
}

#define POINT(time, value) \
	"<member><Minimum>" value "</Minimum><Timestamp>" time "</Timestamp></member>"
#define POINTS(points)                                                                            \
	"<GetMetricStatisticsResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\">" \
	"<GetMetricStatisticsResult><Datapoints>" points "</Datapoints><Label>HealthCheckStatus"  \
	"</Label></GetMetricStatisticsResult></GetMetricStatisticsResponse>"

/* The latest point counts, in whichever order they come. */
static void test_health_by_metric(void **state)
{
	bool healthy = true;
	tiny_export(&tiny, "AWS_ENDPOINT_URL_CLOUDWATCH");
	prepare(400, ERROR_BODY("InvalidInput", "calculated"));
	prepare(200, POINTS(POINT("2026-01-02T03:04:00Z", "1.0") POINT(
			     "2026-01-02T03:06:00Z", "0.0") POINT("2026-01-02T03:05:00Z", "1.0")));
	assert_int_equal(aws_get_health(aws, "c", &healthy), 0);
	assert_false(healthy);
	assert_string_equal(targets[1], "/");
	assert_non_null(strstr(bodies[1], "Action=GetMetricStatistics&"));
	assert_non_null(strstr(bodies[1], "Dimensions.member.1.Value=c&"));
	prepare(403, ERROR_BODY("AccessDenied", "no"));
	prepare(200, POINTS(POINT("2026-01-02T03:04:00Z", "1.0")));
	assert_int_equal(aws_get_health(aws, "c", &healthy), 0);
	assert_true(healthy);
	prepare(400, ERROR_BODY("InvalidInput", "calculated"));
	prepare(200, POINTS(""));
	assert_int_equal(aws_get_health(aws, "c", &healthy), FAIL_NOTFOUND);
	prepare(403, ERROR_BODY("AccessDenied", "no"));
	prepare(403, ERROR_BODY("AccessDenied", "no"));
	assert_int_equal(aws_get_health(aws, "c", &healthy), FAIL_DENIED);
	unsetenv("AWS_ENDPOINT_URL_CLOUDWATCH");
}

/* --- Counting --- */

static void test_counters(void **state)
{
	struct listed listed = {0};
	struct text out;
	prepare(200, PAGE("", LAST));
	prepare(400, ERROR_BODY("Throttling", ""));
	prepare(400, ERROR_BODY("Throttling", ""));
	list(&listed, NULL);
	list(&listed, NULL);
	list(&listed, NULL);
	text_init(&out, 0);
	aws_metrics(aws, &out);
	assert_non_null(strstr(text_get(&out),
	                       "horizond_api_calls_total{service=\"route53\","
	                       "operation=\"ListResourceRecordSets\",result=\"ok\"} 1\n"));
	assert_non_null(strstr(text_get(&out),
	                       "horizond_api_calls_total{service=\"route53\","
	                       "operation=\"ListResourceRecordSets\",result=\"throttled\"} 2\n"));
	text_fini(&out);
}

int main(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pages, begin, end),
		cmocka_unit_test_setup_teardown(test_markers_must_advance, begin, end),
		cmocka_unit_test_setup_teardown(test_empty_page_after_a_marker, begin, end),
		cmocka_unit_test_setup_teardown(test_weighted_sets_over_a_page_end, begin, end),
		cmocka_unit_test_setup_teardown(test_next_page_begins_elsewhere, begin, end),
		cmocka_unit_test_setup_teardown(test_order, begin, end),
		cmocka_unit_test_setup_teardown(test_two_listings, begin, end),
		cmocka_unit_test_setup_teardown(test_refusals, begin, end),
		cmocka_unit_test_setup_teardown(test_answers_that_are_none, begin, end),
		cmocka_unit_test_setup_teardown(test_cut_without_a_sign, begin, end),
		cmocka_unit_test_setup_teardown(test_endless_answer, begin, end),
		cmocka_unit_test_setup_teardown(test_listener_ends_it, begin, end),
		cmocka_unit_test_setup_teardown(test_ids, begin, end),
		cmocka_unit_test_setup_teardown(test_no_credentials, begin, end),
		cmocka_unit_test_setup_teardown(test_expired_token_renewed_once, begin, end),
		cmocka_unit_test_setup_teardown(test_wrong_clock_corrected, begin, end),
		cmocka_unit_test_setup_teardown(test_clock_not_to_blame, begin, end),
		cmocka_unit_test_setup_teardown(test_budget_asked_first, begin, end),
		cmocka_unit_test_setup_teardown(test_cancelled, begin, end),
		cmocka_unit_test_setup_teardown(test_zones_of_a_vpc, begin, end),
		cmocka_unit_test_setup_teardown(test_zones_of_a_vpc_badly, begin, end),
		cmocka_unit_test_setup_teardown(test_one_zone, begin, end),
		cmocka_unit_test_setup_teardown(test_health, begin, end),
		cmocka_unit_test_setup_teardown(test_health_by_metric, begin, end),
		cmocka_unit_test_setup_teardown(test_counters, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
