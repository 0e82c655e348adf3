#include "control/http.h"

#include "visitor.h"
#include <poll.h>

struct site {
	struct loop *loop;
	struct http *http;
	struct addr addr;
	bool good;
	bool spoiled;
	unsigned int looks;
};

static void metrics(void *ctx, struct text *out)
{
	struct site *site = ctx;
	site->looks++;
	text_addf(out, "horizond_zones 3\n");
	out->bad = site->spoiled;
}

static bool healthy(void *ctx, char *why, size_t why_size)
{
	const struct site *site = ctx;
	snprintf(why, why_size, "worker 1 stands still");
	return site->good;
}

static bool ready(void *ctx, char *why, size_t why_size)
{
	snprintf(why, why_size, "zone Z1 has not been loaded");
	return false;
}

static void site_open(struct site *site, const char *where)
{
	char err[256] = "";
	*site = (struct site){.loop = loop_new()};
	assert_non_null(site->loop);
	assert_int_equal(addr_parse(where, 0, &site->addr), 0);
	const struct http_opts opts = {
		.listen = site->addr,
		.metrics = metrics,
		.healthy = healthy,
		.ready = ready,
		.ctx = site,
	};
	site->http = http_open(site->loop, &opts, err, sizeof(err));
	if (site->http == NULL) {
		fail_msg("%s", err);
	}
	addr_set_port(&site->addr, http_port(site->http));
}

static void site_close(struct site *site)
{
	http_close(&site->http);
	assert_null(site->http);
	http_close(&site->http);
	loop_free(&site->loop);
}

/* Returns the whole answer; good until the next call. */
static const char *get_bytes(struct site *site, const char *request, size_t len)
{
	static struct visitor visitor;
	visitor_connect(&visitor, &site->addr.sa, site->addr.len);
	visitor_say(&visitor, request, len);
	visitor_wait(&visitor, site->loop);
	visitor_go(&visitor, site->loop);
	return visitor.heard;
}

static const char *get(struct site *site, const char *request)
{
	return get_bytes(site, request, strlen(request));
}

static const char *body_of(const char *answer)
{
	const char *body = strstr(answer, "\r\n\r\n");
	assert_non_null(body);
	return body + 4;
}

static void expect(struct site *site, const char *request, const char *status, const char *body)
{
	const char *answer = get(site, request);
	char line[64];
	snprintf(line, sizeof(line), "HTTP/1.1 %s\r\n", status);
	assert_memory_equal(answer, line, strlen(line));
	assert_string_equal(body_of(answer), body);
	const char *length = strstr(answer, "Content-Length: ");
	assert_non_null(length);
	if (strncmp(request, "HEAD", 4) != 0) {
		assert_int_equal(strtoul(length + 16, NULL, 10), strlen(body));
	}
	assert_non_null(strstr(answer, "Connection: close\r\n"));
}

static void test_pages(void **state)
{
	struct site site;
	site_open(&site, "127.0.0.1:0");
	const char *answer = get(&site, "GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n");
	assert_string_equal(answer, "HTTP/1.1 200 OK\r\n"
	                            "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
	                            "Content-Length: 17\r\n"
	                            "Cache-Control: no-store\r\n"
	                            "X-Content-Type-Options: nosniff\r\n"
	                            "Connection: close\r\n"
	                            "\r\n"
	                            "horizond_zones 3\n");
	expect(&site, "GET /metrics?x=/healthz HTTP/1.0\n\n", "200 OK", "horizond_zones 3\n");
	expect(&site, "GET http://a.b:1/metrics HTTP/1.1\r\n\r\n", "200 OK", "horizond_zones 3\n");
	expect(&site, "HEAD /metrics HTTP/1.1\r\n\r\n", "200 OK", "");
	assert_int_equal(site.looks, 4);
	expect(&site, "GET /healthz HTTP/1.1\r\n\r\n", "503 Service Unavailable",
	       "worker 1 stands still\n");
	site.good = true;
	expect(&site, "GET /healthz HTTP/1.1\r\n\r\n", "200 OK", "ok\n");
	expect(&site, "GET /readyz HTTP/1.1\r\n\r\n", "503 Service Unavailable",
	       "zone Z1 has not been loaded\n");
	expect(&site, "HEAD /readyz HTTP/1.1\r\n\r\n", "503 Service Unavailable", "");
	site.spoiled = true;
	expect(&site, "GET /metrics HTTP/1.1\r\n\r\n", "500 Internal Server Error",
	       "500 Internal Server Error\n");
	site_close(&site);
}

static void test_wrong_requests(void **state)
{
	static const char *const bad[] = {
		"\r\n\r\n",
		"GET\r\n\r\n",
		"GET /metrics\r\n\r\n",
		"GET  /metrics HTTP/1.1\r\n\r\n",
		"GET /metrics HTTP/1.1 x\r\n\r\n",
		"GET /metrics HTTP/1.10\r\n\r\n",
		"GET /metrics \r\nHTTP/1.1\r\n\r\n",
		"GET /metrics ICAP/1.0\r\n\r\n",
	};
	struct site site;
	site_open(&site, "127.0.0.1:0");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		expect(&site, bad[i], "400 Bad Request", "400 Bad Request\n");
	}
	expect(&site, "GET / HTTP/1.1\r\n\r\n", "404 Not Found", "404 Not Found\n");
	expect(&site, "GET /metricsx HTTP/1.1\r\n\r\n", "404 Not Found", "404 Not Found\n");
	expect(&site, "GET /metrics/../x HTTP/1.1\r\n\r\n", "404 Not Found", "404 Not Found\n");
	expect(&site, "GET /%n%s HTTP/1.1\r\n\r\n", "404 Not Found", "404 Not Found\n");
	expect(&site, "GET http://host HTTP/1.1\r\n\r\n", "404 Not Found", "404 Not Found\n");
	expect(&site, "POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
	       "405 Method Not Allowed", "405 Method Not Allowed\n");
	assert_non_null(
		strstr(get(&site, "get /metrics HTTP/1.1\r\n\r\n"), "\r\nAllow: GET, HEAD\r\n"));
	expect(&site, "GET /metrics HTTP/2.0\r\n\r\n", "505 HTTP Version Not Supported",
	       "505 HTTP Version Not Supported\n");
	const char *answer = get_bytes(&site, "GET /met\0rics HTTP/1.1\r\n\r\n", 26);
	assert_memory_equal(answer, "HTTP/1.1 400 ", 13);
	assert_int_equal(site.looks, 0);
	site_close(&site);
}

static void test_head_too_large(void **state)
{
	struct site site;
	char request[8192];
	site_open(&site, "127.0.0.1:0");
	memset(request, 'x', sizeof(request));
	memcpy(request, "GET /metrics HTTP/1.1\r\nX: ", 26);
	memcpy(request + 4092, "\r\n\r\n", 4);
	assert_memory_equal(get_bytes(&site, request, 4096), "HTTP/1.1 200 ", 13);
	memset(request + 4092, 'x', 4);
	memcpy(request + sizeof(request) - 4, "\r\n\r\n", 4);
	assert_memory_equal(get_bytes(&site, request, sizeof(request)), "HTTP/1.1 431 ", 13);
	site_close(&site);
}

/* More connections that say nothing than there are places: the one that asks is answered. */
static void test_silent_connections(void **state)
{
	struct site site;
	struct visitor *many = calloc(300, sizeof(*many));
	assert_non_null(many);
	site_open(&site, "127.0.0.1:0");
	for (unsigned int i = 0; i < 300; i++) {
		visitor_connect(&many[i], &site.addr.sa, site.addr.len);
		if (i % 100 == 99) {
			expect(&site, "HEAD /metrics HTTP/1.1\r\n\r\n", "200 OK", "");
		}
	}
	for (unsigned int i = 0; i < 300; i++) {
		close(many[i].fd);
	}
	free(many);
	site_close(&site);
}

static void test_ipv6(void **state)
{
	struct addr addr;
	assert_int_equal(addr_parse("[::1]:0", 0, &addr), 0);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool there = fd >= 0 && bind(fd, &addr.sa, addr.len) == 0;
	close(fd);
	if (!there) {
		skip();
	}
	struct site site;
	site_open(&site, "[::1]:0");
	expect(&site, "HEAD /metrics HTTP/1.1\r\n\r\n", "200 OK", "");
	site_close(&site);
}

static void test_port_taken(void **state)
{
	struct site site;
	char err[256];
	char wanted[256];
	char where[ADDR_TEXT_MAX];
	site_open(&site, "127.0.0.1:0");
	const struct http_opts opts = {.listen = site.addr, .metrics = metrics};
	assert_null(http_open(site.loop, &opts, err, sizeof(err)));
	snprintf(wanted, sizeof(wanted),
	         "cannot listen on %s (HTTP, metrics.listen): Address already in use",
	         addr_text(&site.addr, where));
	assert_string_equal(err, wanted);
	site_close(&site);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),          cmocka_unit_test(test_wrong_requests),
		cmocka_unit_test(test_head_too_large), cmocka_unit_test(test_silent_connections),
		cmocka_unit_test(test_ipv6),           cmocka_unit_test(test_port_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
