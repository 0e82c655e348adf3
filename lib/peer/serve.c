#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include "peer/peer.h"
#include "tls/tls.h"
#include "zone/copy.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define HANDSHAKE_MS 3000
#define REQUEST_MS   3000
#define ANSWER_MS    60000
#define HEAD_MAX     4096
#define BACKLOG      32
#define FILE_MAX     (INT64_C(1) << 30)
#define PIECE        (64u << 10)
#define PAUSE_MS     200 /* where the system has no room for a connection */

/* Anybody may connect: so many lines about those who are no peers in so long. */
#define STRANGERS_SAID 10
#define STRANGERS_MS   60000

struct peer {
	struct tls_host *host;
	char *dir;
	peer_index_fn *index;
	void *ctx;
	int fds[PEER_LISTEN_MAX];
	size_t fd_count;
	int stop[2];
	pthread_t threads[PEER_THREADS];
	size_t thread_count;
};

/* --- A connection, each step bounded in time --- */

struct link {
	struct tls *tls;
	int fd;
	int stop_fd;
};

/* After -EAGAIN: 0 to try again; FAIL_TIMEOUT, FAIL_SHUTDOWN, FAIL_NET. */
static int link_wait(const struct link *link, uint64_t deadline_ms)
{
	struct pollfd fds[] = {
		{.fd = link->fd, .events = tls_wants_write(link->tls) ? POLLOUT : POLLIN},
		{.fd = link->stop_fd, .events = POLLIN},
	};
	uint64_t now_ms = mono_ms();
	uint64_t left_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
	int ready = poll(fds, 2, (int)left_ms);
	if (fds[1].revents != 0) {
		return FAIL_SHUTDOWN;
	}
	if (ready == 0 || left_ms == 0) { /* nor may who never pauses stay longer */
		return FAIL_TIMEOUT;
	}
	return ready > 0 || errno == EINTR ? 0 : FAIL_NET;
}

static int link_open(const struct link *link, uint64_t deadline_ms)
{
	int ret = tls_handshake(link->tls);
	while (ret == -EAGAIN) {
		ret = link_wait(link, deadline_ms);
		ret = ret != 0 ? ret : tls_handshake(link->tls);
	}
	return ret;
}

/* Some octets; 0: the other side has ended. */
static ssize_t link_read(const struct link *link, void *buf, size_t size, uint64_t deadline_ms)
{
	ssize_t got = tls_recv(link->tls, buf, size);
	while (got == -EAGAIN) {
		int ret = link_wait(link, deadline_ms);
		got = ret != 0 ? ret : tls_recv(link->tls, buf, size);
	}
	return got;
}

/* All of them. */
static int link_write(const struct link *link, const void *buf, size_t size, uint64_t deadline_ms)
{
	const char *at = buf;
	while (size > 0) {
		ssize_t put = tls_send(link->tls, at, size);
		if (put > 0) {
			at += put;
			size -= (size_t)put;
			continue;
		}
		int ret = put == -EAGAIN ? link_wait(link, deadline_ms) : FAIL_NET;
		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}

/* --- One request --- */

static int head_send(const struct link *link, unsigned int status, int64_t size,
                     uint64_t deadline_ms)
{
	char head[160];
	int len = snprintf(head, sizeof(head),
	                   "HTTP/1.1 %u %s\r\nContent-Type: application/octet-stream\r\n"
	                   "Content-Length: %lld\r\nConnection: close\r\n\r\n",
	                   status, status == 200 ? "OK" : "No", (long long)size);
	return link_write(link, head, (size_t)len, deadline_ms);
}

static int index_send(const struct peer *peer, const struct link *link, uint64_t deadline_ms)
{
	struct text list;
	text_init(&list, 0);
	peer->index(peer->ctx, &list);
	int ret = head_send(link, list.bad ? 500 : 200, list.bad ? 0 : (int64_t)list.len,
	                    deadline_ms);
	if (ret == 0 && !list.bad) {
		ret = link_write(link, text_get(&list), list.len, deadline_ms);
	}
	text_fini(&list);
	return ret;
}

/* The file stays whole while it is read: a newer one takes its name, not its bytes. */
static int bytes_send(const struct link *link, int fd, int64_t size, uint64_t deadline_ms)
{
	char *piece = malloc(PIECE);
	int ret = piece == NULL ? FAIL_NOMEM : 0;
	while (size > 0 && ret == 0) {
		ssize_t got = read(fd, piece, PIECE);
		if (got <= 0 || got > size) {
			ret = FAIL_CHANGED;
			break;
		}
		ret = link_write(link, piece, (size_t)got, deadline_ms);
		size -= got;
	}
	free(piece);
	return ret;
}

static int zone_send(const struct peer *peer, const struct link *link, const char *id,
                     uint64_t deadline_ms)
{
	char path[PATH_MAX];
	struct stat stat;
	int len = snprintf(path, sizeof(path), "%s/%s.zone", peer->dir, id);
	int fd = zone_copy_id_fits(id) && len < (int)sizeof(path)
	                 ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
	                 : -1;
	bool good = fd >= 0 && fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) &&
	            stat.st_size <= FILE_MAX;
	int ret = head_send(link, good ? 200 : 404, good ? stat.st_size : 0, deadline_ms);
	if (ret == 0 && good) {
		ret = bytes_send(link, fd, stat.st_size, deadline_ms);
	}
	if (fd >= 0) {
		close(fd);
	}
	return ret;
}

/* Until the empty line. */
static int head_read(const struct link *link, char *head, uint64_t deadline_ms)
{
	size_t len = 0;
	while (len < HEAD_MAX - 1) {
		ssize_t got = link_read(link, head + len, HEAD_MAX - 1 - len, deadline_ms);
		if (got <= 0) {
			return got == 0 ? FAIL_NET : (int)got;
		}
		len += (size_t)got;
		head[len] = '\0';
		if (strstr(head, "\r\n\r\n") != NULL) {
			return 0;
		}
	}
	return FAIL_LIMIT;
}

static int request_answer(const struct peer *peer, const struct link *link)
{
	static const char prefix[] = PEER_PATH_ZONES "/";
	char head[HEAD_MAX], target[128];
	int ret = head_read(link, head, mono_ms() + REQUEST_MS);
	if (ret != 0) {
		return ret;
	}
	uint64_t deadline_ms = mono_ms() + ANSWER_MS;
	if (sscanf(head, "GET %127s HTTP/1.1\r\n", target) != 1) {
		return head_send(link, 400, 0, deadline_ms);
	}
	if (strcmp(target, PEER_PATH_ZONES) == 0) {
		return index_send(peer, link, deadline_ms);
	}
	if (strncmp(target, prefix, sizeof(prefix) - 1) == 0) {
		return zone_send(peer, link, target + sizeof(prefix) - 1, deadline_ms);
	}
	return head_send(link, 404, 0, deadline_ms);
}

/* --- Connections --- */

static void serve(const struct peer *peer, int fd, const struct addr *from)
{
	static struct log_limit strangers;
	char buf[ADDR_TEXT_MAX];
	struct tls *tls = tls_accept(peer->host, fd);
	if (tls == NULL) {
		return;
	}
	const struct link link = {.tls = tls, .fd = fd, .stop_fd = peer->stop[0]};
	int ret = link_open(&link, mono_ms() + HANDSHAKE_MS);
	if (ret != 0) {
		const char *why = tls_error(tls);
		if (ret != FAIL_SHUTDOWN && log_allowed(&strangers, STRANGERS_SAID, STRANGERS_MS)) {
			log_notice("peer", "%s is no peer of ours: %s", addr_text(from, buf),
			           why[0] == '\0' ? fail_text(ret) : why);
		}
	} else {
		ret = request_answer(peer, &link);
		if (ret != 0 && ret != FAIL_SHUTDOWN) {
			log_info("peer", "answer to %s not finished: %s", addr_text(from, buf),
			         fail_text(ret));
		}
	}
	tls_free(&tls);
}

static void accept_one(const struct peer *peer, int listener)
{
	struct addr from = {.len = sizeof(from.in6)};
	int fd = accept4(listener, &from.sa, &from.len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0) {
		serve(peer, fd, &from);
		close(fd);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		struct pollfd stop = {.fd = peer->stop[0], .events = POLLIN};
		poll(&stop, 1, PAUSE_MS);
	} /* else another thread was faster, or it has gone */
}

static void *thread_run(void *ctx)
{
	const struct peer *peer = ctx;
	pthread_setname_np(pthread_self(), "peer");
	for (;;) {
		struct pollfd fds[PEER_LISTEN_MAX + 1];
		for (size_t i = 0; i < peer->fd_count; i++) {
			fds[i] = (struct pollfd){.fd = peer->fds[i], .events = POLLIN};
		}
		fds[peer->fd_count] = (struct pollfd){.fd = peer->stop[0], .events = POLLIN};
		if (poll(fds, peer->fd_count + 1, -1) < 0) {
			continue;
		}
		if (fds[peer->fd_count].revents != 0) {
			return NULL;
		}
		for (size_t i = 0; i < peer->fd_count; i++) {
			if (fds[i].revents != 0) {
				accept_one(peer, peer->fds[i]);
			}
		}
	}
}

/* --- Start and stop --- */

static int listen_at(struct peer *peer, const struct addr *addr, char *err, size_t err_size)
{
	char buf[ADDR_TEXT_MAX];
	const int on = 1;
	int fd = socket(addr->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	}
	if (fd < 0 || bind(fd, &addr->sa, addr->len) != 0 || listen(fd, BACKLOG) != 0) {
		int ret = -errno;
		snprintf(err, err_size, "peer: cannot listen at %s: %s", addr_text(addr, buf),
		         fail_text(ret));
		if (fd >= 0) {
			close(fd);
		}
		return ret;
	}
	peer->fds[peer->fd_count++] = fd;
	return 0;
}

static int threads_start(struct peer *peer)
{
	sigset_t all, before;
	int ret = 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (ret == 0 && peer->thread_count < PEER_THREADS) {
		ret = -pthread_create(&peer->threads[peer->thread_count], NULL, thread_run, peer);
		peer->thread_count += ret == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ret;
}

int peer_start(const struct peer_opts *opts, struct peer **ret_peer, char *err, size_t err_size)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	snprintf(err, err_size, "peer: %s", fail_text(FAIL_NOMEM));
	if (peer == NULL) {
		return FAIL_NOMEM;
	}
	peer->stop[0] = peer->stop[1] = -1;
	peer->index = opts->index;
	peer->ctx = opts->ctx;
	peer->dir = strdup(opts->dir);
	int ret = peer->dir == NULL || pipe2(peer->stop, O_CLOEXEC) != 0 ? FAIL_NOMEM : 0;
	if (ret == 0) {
		ret = tls_host_new(opts->certificate, opts->key, NULL, &peer->host, err, err_size);
		ret = ret != 0 ? ret
		               : tls_host_demand(peer->host, opts->ca, opts->name, err, err_size);
	}
	for (size_t i = 0; i < opts->listen_count && i < PEER_LISTEN_MAX && ret == 0; i++) {
		ret = listen_at(peer, &opts->listen[i], err, err_size);
	}
	ret = ret != 0 ? ret : threads_start(peer);
	if (ret != 0) {
		peer_stop(&peer);
		return ret;
	}
	*ret_peer = peer;
	return 0;
}

void peer_stop(struct peer **peer)
{
	struct peer *old = *peer;
	if (old == NULL) {
		return;
	}
	if (old->stop[1] >= 0) {
		close(old->stop[1]); /* which the others see as an end that can be read */
	}
	for (size_t i = 0; i < old->thread_count; i++) {
		pthread_join(old->threads[i], NULL);
	}
	for (size_t i = 0; i < old->fd_count; i++) {
		close(old->fds[i]);
	}
	if (old->stop[0] >= 0) {
		close(old->stop[0]);
	}
	tls_host_unref(&old->host);
	free(old->dir);
	free(old);
	*peer = NULL;
}
