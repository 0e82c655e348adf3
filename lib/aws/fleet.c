#include "aws/fleet_int.h"
#include "aws/http_int.h"
#include "base/fail.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIST_MAX   (4u << 20)
#define COPY_MAX   ((size_t)1 << 30)
#define LIST_MS    3000
#define COPY_MS    60000
#define PATH_ZONES "/v1/zones"

struct member {
	struct addr addr;
	struct aws_http *http; /* its own: all of them bear the same name */
	struct http_url url;
};

struct fleet {
	char *certificate;
	char *key;
	char *ca;
	struct http_tls tls;
	struct member members[FLEET_PEERS_MAX];
	size_t count;
	char trouble[320];
};

/* The name is looked up nowhere: it is for the certificate alone. */
static int resolve(void *ctx, const char *host, struct addr *ret, size_t max)
{
	const struct member *member = ctx;
	ret[0] = member->addr;
	return max > 0 ? 1 : 0;
}

static bool member_make(struct fleet *fleet, const struct fleet_opts *opts, size_t i)
{
	struct member *member = &fleet->members[i];
	char url[320];
	const struct aws_http_opts http_opts = {
		.cancel = opts->cancel,
		.idle = opts->idle,
		.idle_ctx = opts->idle_ctx,
		.resolve = resolve,
		.resolve_ctx = member,
	};
	member->addr = opts->peers[i];
	member->http = aws_http__new(&http_opts);
	fleet->count = i + 1;
	snprintf(url, sizeof(url), "https://%s:%u", opts->name, addr_port(&member->addr));
	return member->http != NULL && aws_http__url(url, &member->url) == 0;
}

struct fleet *fleet_new(const struct fleet_opts *opts)
{
	struct fleet *fleet = calloc(1, sizeof(*fleet));
	if (fleet == NULL) {
		return NULL;
	}
	fleet->certificate = strdup(opts->certificate);
	fleet->key = strdup(opts->key);
	fleet->ca = strdup(opts->ca);
	fleet->tls = (struct http_tls){fleet->certificate, fleet->key, fleet->ca};
	bool made = fleet->certificate != NULL && fleet->key != NULL && fleet->ca != NULL;
	for (size_t i = 0; i < opts->peer_count && i < FLEET_PEERS_MAX && made; i++) {
		made = member_make(fleet, opts, i);
	}
	if (!made) {
		fleet_free(&fleet);
	}
	return fleet;
}

void fleet_free(struct fleet **fleet)
{
	struct fleet *old = *fleet;
	if (old == NULL) {
		return;
	}
	for (size_t i = 0; i < old->count; i++) {
		aws_http__free(&old->members[i].http);
	}
	free(old->certificate);
	free(old->key);
	free(old->ca);
	free(old);
	*fleet = NULL;
}

const char *fleet_trouble(const struct fleet *fleet)
{
	return fleet->trouble;
}

/* --- One request --- */

static int fail_of_status(unsigned int status)
{
	return status == 200 ? 0 : status == 404 ? FAIL_NOTFOUND : FAIL_REMOTE;
}

static int ask(struct fleet *fleet, size_t peer, const char *target, unsigned int timeout_ms,
               size_t max, http_body_fn *fn, void *ctx)
{
	struct member *member = &fleet->members[peer];
	char buf[ADDR_TEXT_MAX];
	struct http_reply reply = {0};
	const struct http_request request = {
		.method = "GET",
		.endpoint = &member->url,
		.target = target,
		.timeout_ms = timeout_ms,
		.reply_max = max,
		.local = true,
		.tls = &fleet->tls,
		.body_fn = fn,
		.ctx = ctx,
	};
	int ret = aws_http__send(member->http, &request, &reply);
	if (ret != 0) {
		snprintf(fleet->trouble, sizeof(fleet->trouble), "%s: %.240s",
		         addr_text(&member->addr, buf), aws_http__trouble(member->http));
		return ret;
	}
	ret = fail_of_status(reply.status);
	if (ret != 0) {
		snprintf(fleet->trouble, sizeof(fleet->trouble), "%s: status %u for %.100s",
		         addr_text(&member->addr, buf), reply.status, target);
	}
	return ret;
}

/* --- The list --- */

static int on_list(void *ctx, unsigned int status, const char *bytes, size_t size)
{
	struct text *list = ctx;
	if (status == 200) {
		text_add(list, bytes, size);
	}
	return list->bad ? FAIL_NOMEM : 0;
}

static bool line_read(const char *line, struct fleet_zone *zone)
{
	int end = 0;
	*zone = (struct fleet_zone){.fingerprint = 0};
	return sscanf(line, "%32[A-Z0-9] %16" SCNx64 " %19" SCNd64 " %19" SCNd64 "%n", zone->id,
	              &zone->fingerprint, &zone->looked_s, &zone->known_s, &end) == 4 &&
	       line[end] == '\0';
}

int fleet__list_walk(char *list, fleet_zone_fn *fn, void *ctx)
{
	char *rest = list;
	for (char *line = strsep(&rest, "\n"); line != NULL && rest != NULL;
	     line = strsep(&rest, "\n")) {
		struct fleet_zone zone;
		if (!line_read(line, &zone)) {
			return FAIL_FORMAT;
		}
		if (fn != NULL) {
			fn(ctx, &zone);
		}
		rest[-1] = '\n'; /* for another walk */
	}
	return 0;
}

int fleet_index(struct fleet *fleet, size_t peer, fleet_zone_fn *fn, void *ctx)
{
	struct text list;
	char buf[ADDR_TEXT_MAX];
	text_init(&list, 0);
	int ret = ask(fleet, peer, PATH_ZONES, LIST_MS, LIST_MAX, on_list, &list);
	if (ret == 0 && list.len > 0) {
		bool whole = strlen(list.bytes) == list.len && list.bytes[list.len - 1] == '\n';
		ret = whole ? fleet__list_walk(list.bytes, NULL, NULL) : FAIL_FORMAT;
		if (ret != 0) {
			snprintf(fleet->trouble, sizeof(fleet->trouble), "%s: a list that is none",
			         addr_text(&fleet->members[peer].addr, buf));
		} else {
			fleet__list_walk(list.bytes, fn, ctx);
		}
	}
	text_fini(&list);
	return ret;
}

/* --- A copy --- */

static int on_copy(void *ctx, unsigned int status, const char *bytes, size_t size)
{
	const int *fd = ctx;
	while (status == 200 && size > 0) {
		ssize_t put = write(*fd, bytes, size);
		if (put < 0) {
			return -errno;
		}
		bytes += put;
		size -= (size_t)put;
	}
	return 0;
}

int fleet_fetch(struct fleet *fleet, size_t peer, const char *id, const char *path)
{
	char target[64];
	snprintf(target, sizeof(target), PATH_ZONES "/%.32s", id);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		int ret = -errno;
		snprintf(fleet->trouble, sizeof(fleet->trouble), "%.200s: %s", path,
		         fail_text(ret));
		return ret;
	}
	int ret = ask(fleet, peer, target, COPY_MS, COPY_MAX, on_copy, &fd);
	close(fd);
	return ret;
}
