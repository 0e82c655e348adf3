#include "aws/http_int.h"
#include "aws/sigv4.h"
#include "base/fail.h"
#include "base/mono.h"
#include "base/text.h"
#include <arpa/inet.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Waits are cut up, so that *cancel and idle get their turn. */
#define TURN_MS 100

#define CONNECT_MS      4000
#define LOW_SPEED_BYTES 64L /* a second, */
#define LOW_SPEED_S     5L  /* for that long: given up */

/* A host is asked for again after this; when nobody answers the old addresses go on. */
#define RESOLVED_MS 60000
#define HOSTS_MAX   4

struct http_host {
	char name[HTTP_HOST_MAX];
	uint16_t port;
	uint64_t asked_ms;
	char *entry; /* HOST:PORT:ADDRESS,... as CURLOPT_RESOLVE has it */
};

struct aws_http {
	struct aws_http_opts opts;
	CURLM *multi;
	CURL *easy; /* used again and again; its connections live in multi */
	struct http_host hosts[HOSTS_MAX];
	size_t host_next;
	char trouble[CURL_ERROR_SIZE + 64];
	char curl_says[CURL_ERROR_SIZE];
};

/* What is under way. */
struct transfer {
	struct aws_http *http;
	const struct http_request *request;
	size_t size; /* of the body so far */
	int64_t date_s;
	int result; /* why we ended it; 0: we did not */
	struct curl_slist *headers;
	struct curl_slist *hosts;
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void curl_begin(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct aws_http *aws_http__new(const struct aws_http_opts *opts)
{
	pthread_once(&curl_once, curl_begin);
	struct aws_http *http = calloc(1, sizeof(*http));
	if (http == NULL) {
		return NULL;
	}
	http->opts = *opts;
	http->multi = curl_multi_init();
	http->easy = curl_easy_init();
	if (http->multi == NULL || http->easy == NULL) {
		aws_http__free(&http);
	}
	return http;
}

void aws_http__free(struct aws_http **http)
{
	if (*http == NULL) {
		return;
	}
	curl_easy_cleanup((*http)->easy);
	curl_multi_cleanup((*http)->multi);
	for (size_t i = 0; i < HOSTS_MAX; i++) {
		free((*http)->hosts[i].entry);
	}
	free(*http);
	*http = NULL;
}

const char *aws_http__trouble(const struct aws_http *http)
{
	return http->trouble;
}

/* --- Host names --- */

/* Literal addresses need no resolver, and libcurl knows localhost by itself. */
static bool needs_resolving(const char *host)
{
	struct in6_addr address;
	return inet_pton(AF_INET, host, &address) != 1 &&
	       inet_pton(AF_INET6, host, &address) != 1 && strcasecmp(host, "localhost") != 0;
}

static struct http_host *host_find(struct aws_http *http, const char *name, uint16_t port)
{
	for (size_t i = 0; i < HOSTS_MAX; i++) {
		struct http_host *host = &http->hosts[i];
		if (host->entry != NULL && host->port == port && strcmp(host->name, name) == 0) {
			return host;
		}
	}
	return NULL;
}

static void host_keep(struct aws_http *http, struct http_host *host, const char *name,
                      uint16_t port, char *entry)
{
	if (host == NULL) {
		host = &http->hosts[http->host_next++ % HOSTS_MAX];
	}
	free(host->entry);
	snprintf(host->name, sizeof(host->name), "%s", name);
	host->port = port;
	host->asked_ms = mono_ms();
	host->entry = entry;
}

static char *host_entry(const char *name, uint16_t port, const struct addr *addrs, size_t count)
{
	struct text out;
	char buf[ADDR_TEXT_MAX];
	text_init(&out, 0);
	text_addf(&out, "%s:%u:", name, port);
	for (size_t i = 0; i < count; i++) {
		text_addf(&out, "%s%s", i == 0 ? "" : ",", addr_text_host(&addrs[i], buf));
	}
	if (out.bad) {
		text_fini(&out);
		return NULL;
	}
	return out.bytes;
}

/* *ret_entry: what libcurl is to be told of the host; NULL: nothing, let it find out by itself. */
static int host_resolve(struct aws_http *http, const char *name, uint16_t port,
                        const char **ret_entry)
{
	if (http->opts.resolve == NULL || !needs_resolving(name)) {
		*ret_entry = NULL;
		return 0;
	}
	struct http_host *host = host_find(http, name, port);
	if (host != NULL && mono_ms() - host->asked_ms < RESOLVED_MS) {
		*ret_entry = host->entry;
		return 0;
	}
	struct addr addrs[HTTP_RESOLVE_MAX];
	int count = http->opts.resolve(http->opts.resolve_ctx, name, addrs, HTTP_RESOLVE_MAX);
	if (count <= 0 && host != NULL) {
		*ret_entry = host->entry;
		return 0;
	}
	if (count <= 0) {
		snprintf(http->trouble, sizeof(http->trouble), "cannot resolve %s: %s", name,
		         count == 0 ? "no address" : fail_text(count));
		return FAIL_NET;
	}
	char *entry = host_entry(name, port, addrs, (size_t)count);
	if (entry == NULL) {
		return FAIL_NOMEM;
	}
	host_keep(http, host, name, port, entry);
	*ret_entry = entry;
	return 0;
}

/* --- What libcurl tells us --- */

static size_t on_header(char *bytes, size_t size, size_t count, void *ctx)
{
	struct transfer *transfer = ctx;
	static const char date[] = "date:";
	char value[64];
	size_t len = size * count;
	if (len > sizeof(date) - 1 && len - sizeof(date) + 1 < sizeof(value) &&
	    strncasecmp(bytes, date, sizeof(date) - 1) == 0) {
		snprintf(value, sizeof(value), "%.*s", (int)(len - sizeof(date) + 1),
		         bytes + sizeof(date) - 1);
		time_t when = curl_getdate(value, NULL);
		transfer->date_s = when > 0 ? when : 0;
	}
	return len;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct transfer *transfer = ctx;
	const struct http_request *request = transfer->request;
	size_t len = size * count;
	long status = 0;
	curl_easy_getinfo(transfer->http->easy, CURLINFO_RESPONSE_CODE, &status);
	if (len > request->reply_max - transfer->size) {
		transfer->result = FAIL_LIMIT;
		return 0;
	}
	transfer->size += len;
	transfer->result = request->body_fn(request->ctx, (unsigned int)status, bytes, len);
	return transfer->result == 0 ? len : 0;
}

/* --- Setting up --- */

static int fail_of(CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return 0;
	case CURLE_OPERATION_TIMEDOUT:
		return FAIL_TIMEOUT;
	case CURLE_FILESIZE_EXCEEDED:
		return FAIL_LIMIT;
	case CURLE_OUT_OF_MEMORY:
		return FAIL_NOMEM;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
		return FAIL_FORMAT;
	default:
		return FAIL_NET;
	}
}

static int headers_make(struct transfer *transfer)
{
	const struct http_request *request = transfer->request;
	for (size_t i = 0; i < request->header_count + 1; i++) {
		char *line = NULL;
		/* The last takes libcurl's "Expect: 100-continue" away: it costs a round trip. */
		int len = i == request->header_count
		                  ? asprintf(&line, "Expect:")
		                  : asprintf(&line, "%s: %s", request->headers[i].name,
		                             request->headers[i].value);
		if (len < 0) {
			return FAIL_NOMEM;
		}
		struct curl_slist *longer = curl_slist_append(transfer->headers, line);
		explicit_bzero(line, (size_t)len);
		free(line);
		if (longer == NULL) {
			return FAIL_NOMEM;
		}
		transfer->headers = longer;
	}
	return 0;
}

static void transfer_fini(struct transfer *transfer)
{
	/* Tokens and signatures stood in them. */
	for (struct curl_slist *at = transfer->headers; at != NULL; at = at->next) {
		explicit_bzero(at->data, strlen(at->data));
	}
	curl_slist_free_all(transfer->headers);
	curl_slist_free_all(transfer->hosts);
}

static int hosts_make(struct transfer *transfer)
{
	const struct http_url *url = transfer->request->endpoint;
	const char *entry = NULL;
	int ret = host_resolve(transfer->http, url->host, url->port, &entry);
	if (ret != 0 || entry == NULL) {
		return ret;
	}
	transfer->hosts = curl_slist_append(NULL, entry);
	return transfer->hosts == NULL ? FAIL_NOMEM : 0;
}

static void set_safety(CURL *easy, const struct http_request *request)
{
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, request->endpoint->scheme);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_UNRESTRICTED_AUTH, 0L);
	curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->reply_max);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
	curl_easy_setopt(
		easy, CURLOPT_CONNECTTIMEOUT_MS,
		(long)(request->timeout_ms < CONNECT_MS ? request->timeout_ms : CONNECT_MS));
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED_BYTES);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, LOW_SPEED_S + (long)request->wait_s);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* What was signed is what is sent. */
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	if (request->local) {
		curl_easy_setopt(easy, CURLOPT_PROXY, "");
	}
	const char *bundle = getenv("AWS_CA_BUNDLE");
	if (request->tls != NULL) {
		curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
		curl_easy_setopt(easy, CURLOPT_SSLCERT, request->tls->certificate);
		curl_easy_setopt(easy, CURLOPT_SSLKEY, request->tls->key);
		curl_easy_setopt(easy, CURLOPT_CAINFO, request->tls->ca);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
		curl_easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, 0L);
	} else if (bundle != NULL && bundle[0] != '\0') {
		curl_easy_setopt(easy, CURLOPT_CAINFO, bundle);
	}
}

static int set_request(CURL *easy, const struct http_request *request)
{
	char *url = NULL;
	if (asprintf(&url, "%s://%s%s", request->endpoint->scheme, request->endpoint->authority,
	             request->target) < 0) {
		return FAIL_NOMEM;
	}
	CURLcode code = curl_easy_setopt(easy, CURLOPT_URL, url); /* copied */
	free(url);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "horizond/" HORIZON_VERSION);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	if (request->body != NULL) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	return fail_of(code);
}

static void set_callbacks(struct aws_http *http, struct transfer *transfer)
{
	CURL *easy = http->easy;
	http->curl_says[0] = '\0';
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->curl_says);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
	if (transfer->hosts != NULL) {
		curl_easy_setopt(easy, CURLOPT_RESOLVE, transfer->hosts);
	}
}

static int transfer_set_up(struct transfer *transfer)
{
	struct aws_http *http = transfer->http;
	int ret = hosts_make(transfer);
	if (ret == 0) {
		ret = headers_make(transfer);
	}
	if (ret != 0) {
		return ret;
	}
	curl_easy_reset(http->easy);
	set_safety(http->easy, transfer->request);
	set_callbacks(http, transfer);
	return set_request(http->easy, transfer->request);
}

/* --- Under way --- */

static bool cancelled(const struct aws_http *http)
{
	return http->opts.cancel != NULL && __atomic_load_n(http->opts.cancel, __ATOMIC_ACQUIRE);
}

/* Of the one transfer that has ended. */
static CURLcode outcome(struct aws_http *http)
{
	int left = 0;
	CURLMsg *message = curl_multi_info_read(http->multi, &left);
	return message != NULL && message->msg == CURLMSG_DONE ? message->data.result
	                                                       : CURLE_RECV_ERROR;
}

/* Until it has ended, one way or another. */
static int transfer_drive(struct transfer *transfer)
{
	struct aws_http *http = transfer->http;
	int running = 1;
	while (running > 0) {
		if (cancelled(http)) {
			return FAIL_SHUTDOWN;
		}
		CURLMcode code = curl_multi_perform(http->multi, &running);
		if (code == CURLM_OK && running > 0) {
			code = curl_multi_poll(http->multi, NULL, 0, TURN_MS, NULL);
		}
		if (code != CURLM_OK) {
			snprintf(http->trouble, sizeof(http->trouble), "%s",
			         curl_multi_strerror(code));
			return FAIL_NET;
		}
		if (http->opts.idle != NULL) {
			http->opts.idle(http->opts.idle_ctx);
		}
	}
	CURLcode code = outcome(http);
	if (transfer->result != 0) {
		return transfer->result;
	}
	if (code != CURLE_OK) {
		snprintf(http->trouble, sizeof(http->trouble), "%s",
		         http->curl_says[0] != '\0' ? http->curl_says : curl_easy_strerror(code));
	}
	return fail_of(code);
}

int aws_http__send(struct aws_http *http, const struct http_request *request,
                   struct http_reply *ret_reply)
{
	struct transfer transfer = {.http = http, .request = request};
	http->trouble[0] = '\0';
	int ret = transfer_set_up(&transfer);
	if (ret != 0) {
		goto out;
	}
	if (curl_multi_add_handle(http->multi, http->easy) != CURLM_OK) {
		ret = FAIL_NOMEM;
		goto out;
	}
	ret = transfer_drive(&transfer);
	if (ret == 0) {
		long status = 0;
		curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
		*ret_reply = (struct http_reply){.status = (unsigned int)status,
		                                 .date_s = transfer.date_s};
	}
	curl_multi_remove_handle(http->multi, http->easy);
out:
	/* The handle still points at what ends here. */
	curl_easy_reset(http->easy);
	transfer_fini(&transfer);
	if (ret != 0 && http->trouble[0] == '\0') {
		snprintf(http->trouble, sizeof(http->trouble), "%s", fail_text(ret));
	}
	return ret;
}
