#include "aws/http_int.h"
#include "base/fail.h"
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One part into buf; false when it does not fit or is not there. */
static bool part_get(CURLU *handle, CURLUPart part, unsigned int flags, char *buf, size_t size)
{
	char *text = NULL;
	if (curl_url_get(handle, part, &text, flags) != CURLUE_OK) {
		return false;
	}
	bool fits = strlen(text) < size;
	snprintf(buf, size, "%s", text);
	curl_free(text);
	return fits;
}

static bool part_absent(CURLU *handle, CURLUPart part)
{
	char *text = NULL;
	CURLUcode code = curl_url_get(handle, part, &text, 0);
	curl_free(text);
	return code != CURLUE_OK;
}

static bool url_plain(CURLU *handle)
{
	return part_absent(handle, CURLUPART_USER) && part_absent(handle, CURLUPART_PASSWORD) &&
	       part_absent(handle, CURLUPART_QUERY) && part_absent(handle, CURLUPART_FRAGMENT);
}

static bool url_read(CURLU *handle, struct http_url *url)
{
	char host[HTTP_HOST_MAX], port[8];
	bool read = part_get(handle, CURLUPART_SCHEME, 0, url->scheme, sizeof(url->scheme)) &&
	            part_get(handle, CURLUPART_HOST, 0, host, sizeof(host)) &&
	            part_get(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof(port)) &&
	            part_get(handle, CURLUPART_PATH, 0, url->path, sizeof(url->path));
	if (!read || (strcmp(url->scheme, "http") != 0 && strcmp(url->scheme, "https") != 0)) {
		return false;
	}
	bool usual = strcmp(port, strcmp(url->scheme, "http") == 0 ? "80" : "443") == 0;
	snprintf(url->authority, sizeof(url->authority), "%s%s%s", host, usual ? "" : ":",
	         usual ? "" : port);
	url->port = (uint16_t)atoi(port);
	bool brackets = host[0] == '[';
	snprintf(url->host, sizeof(url->host), "%.*s", (int)strcspn(host, "]") - brackets,
	         host + brackets);
	for (size_t len = strlen(url->path); len > 0 && url->path[len - 1] == '/'; len--) {
		url->path[len - 1] = '\0';
	}
	return true;
}

int aws_http__url(const char *url, struct http_url *ret_url)
{
	struct http_url out;
	CURLU *handle = curl_url();
	if (handle == NULL) {
		return FAIL_NOMEM;
	}
	bool good = curl_url_set(handle, CURLUPART_URL, url, 0) == CURLUE_OK && url_plain(handle) &&
	            url_read(handle, &out);
	curl_url_cleanup(handle);
	if (!good) {
		return FAIL_FORMAT;
	}
	*ret_url = out;
	return 0;
}
