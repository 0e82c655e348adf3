/* server/udp.c - questions and answers over UDP, in batches. */
#include "server/worker_int.h"

#include "base/epoch.h"
#include "base/fail.h"
#include "base/mono.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SOCKET_BUFFER (4 << 20) /* the kernel gives what it may */

static int option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) == 0 ? 0 : -errno;
}

/* Answers of at most 1232 octets need no fragments, and path MTU news from strangers is not believed (T10). */
static int udp_options(int fd, const struct addr *addr)
{
	bool v6 = addr->sa.sa_family == AF_INET6;
	int ret = option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (ret == 0 && v6) {
		ret = option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	}
	if (ret == 0 && addr_is_any(addr)) {
		ret = v6 ? option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
		         : option(fd, IPPROTO_IP, IP_PKTINFO, 1);
	}
	/* Wishes, not needs: */
	option(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER,
	       v6 ? IPV6_PMTUDISC_OMIT : IP_PMTUDISC_OMIT);
	option(fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER);
	option(fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER);
	return ret;
}

int udp_socket(const struct addr *addr, char *err, size_t err_size)
{
	char text[ADDR_TEXT_MAX];
	int fd = socket(addr->sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int ret = fd < 0 ? -errno : udp_options(fd, addr);
	if (ret == 0 && bind(fd, &addr->sa, addr->len) != 0) {
		ret = -errno;
	}
	if (ret == 0) {
		return fd;
	}
	snprintf(err, err_size, "cannot listen on %s (UDP): %s", addr_text(addr, text),
	         fail_text(ret));
	if (fd >= 0) {
		close(fd);
	}
	return ret;
}

/* Points slot i of the incoming batch at its own room again. */
static void batch_in(struct udp_batch *batch, unsigned int i, bool any)
{
	struct msghdr *msg = &batch->in[i].msg_hdr;
	msg->msg_namelen = sizeof(batch->from[i].in6);
	msg->msg_controllen = any ? sizeof(batch->control[i]) : 0;
	msg->msg_control = any ? &batch->control[i] : NULL;
}

static void batch_prepare(struct udp_batch *batch)
{
	for (unsigned int i = 0; i < UDP_BATCH; i++) {
		batch->in_iov[i] = (struct iovec){batch->in_bytes[i], UDP_IN_MAX};
		batch->in[i].msg_hdr = (struct msghdr){
			.msg_name = &batch->from[i].sa,
			.msg_iov = &batch->in_iov[i],
			.msg_iovlen = 1,
		};
		batch->out[i].msg_hdr = (struct msghdr){
			.msg_iov = &batch->out_iov[i],
			.msg_iovlen = 1,
		};
	}
}

/*
 * Answers leave by the address that was asked, but on whatever way the routing table has: with the question's
 * interface left in, the kernel takes the client for a neighbour there when the way back is another.
 */
static void control_answer(struct msghdr *msg)
{
	struct cmsghdr *head = msg->msg_controllen == 0 ? NULL : CMSG_FIRSTHDR(msg);
	if (head == NULL) {
		return;
	}
	if (head->cmsg_level == IPPROTO_IP && head->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo *info = (struct in_pktinfo *)(void *)CMSG_DATA(head);
		info->ipi_spec_dst = info->ipi_addr;
		info->ipi_ifindex = 0;
	} else if (head->cmsg_level == IPPROTO_IPV6 && head->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo *info = (struct in6_pktinfo *)(void *)CMSG_DATA(head);
		if (!IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr)) {
			info->ipi6_ifindex = 0;
		}
	}
}

static void batch_read_ahead(struct worker *worker, unsigned int count)
{
	struct udp_batch *batch = worker->batch;
	for (unsigned int i = 0; i < count; i++) {
		batch->ahead[i].wire = batch->in_bytes[i];
		batch->ahead[i].size = batch->in[i].msg_len;
	}
	query_read_ahead(&worker->query, batch->ahead, count);
}

/* One question of the batch. True: out slot `slot` holds an answer. */
static bool udp_one(struct udp *udp, unsigned int i, unsigned int slot, uint64_t now_s)
{
	struct worker *worker = udp->worker;
	struct udp_batch *batch = worker->batch;
	struct mmsghdr *in = &batch->in[i];
	batch->from[i].len = in->msg_hdr.msg_namelen;
	control_answer(&in->msg_hdr);
	struct query_in question = {
		.wire = batch->in_bytes[i],
		.size = in->msg_len,
		.client = &batch->from[i],
		.proto = QUERY_UDP,
		.now_s = now_s,
		.ahead = &batch->ahead[i],
	};
	uint8_t *out = batch->out_bytes[slot];
	struct query_ask ask;
	size_t size = 0;
	switch (query_run(&worker->query, &question, NULL, out, DNS_UDP_OURS, &size, &ask)) {
	case QUERY_ANSWER:
		break;
	case QUERY_SILENT:
		return false;
	case QUERY_ASK: {
		struct parked_from from = {.udp = udp, .msg = &in->msg_hdr};
		if (parked_new(worker, &question, &ask, &from, out, DNS_UDP_OURS, &size)) {
			return false;
		}
	}
	}
	batch->out_iov[slot] = (struct iovec){out, size};
	struct msghdr *msg = &batch->out[slot].msg_hdr;
	msg->msg_name = &batch->from[i].sa;
	msg->msg_namelen = batch->from[i].len;
	msg->msg_control = in->msg_hdr.msg_control;
	msg->msg_controllen = in->msg_hdr.msg_controllen;
	return size != 0;
}

/* Sends count answers; what the socket does not take is counted and left: UDP clients ask again. */
static void udp_send(struct udp *udp, struct mmsghdr *out, unsigned int count)
{
	struct worker *worker = udp->worker;
	unsigned int sent = 0;
	while (sent < count) {
		int n = sendmmsg(udp->fd, out + sent, count - sent, 0);
		if (n < 0) {
			if (errno == EINTR) {
				continue;
			}
			metric_add(&worker->counters.dropped_send, 1);
			n = 1; /* the first one was the trouble */
		}
		sent += (unsigned int)n;
	}
}

static void udp_ready(void *ctx, int fd, unsigned int what)
{
	struct udp *udp = ctx;
	struct worker *worker = udp->worker;
	struct udp_batch *batch = worker->batch;
	uint64_t now_s = loop_now_ms(worker->loop) / 1000;
	for (unsigned int round = 0; round < UDP_ROUNDS; round++) {
		for (unsigned int i = 0; i < UDP_BATCH; i++) {
			batch_in(batch, i, udp->any);
		}
		int n = recvmmsg(fd, batch->in, UDP_BATCH, MSG_DONTWAIT, NULL);
		if (n <= 0) {
			return;
		}
		uint64_t began_us = mono_us();
		unsigned int answers = 0;
		epoch_read_begin();
		batch_read_ahead(worker, (unsigned int)n);
		for (unsigned int i = 0; i < (unsigned int)n; i++) {
			answers += udp_one(udp, i, answers, now_s);
		}
		epoch_read_end();
		if (answers != 0) {
			/* Before they leave, so that who has his answer finds it counted. */
			metric_hist_add(&worker->query.counters.seconds, mono_us() - began_us,
			                answers);
			udp_send(udp, batch->out, answers);
		}
		refresh_start(worker);
		if (n < UDP_BATCH) {
			return;
		}
	}
}

void udp_drain(struct udp *udp)
{
	udp_ready(udp, udp->fd, LOOP_READ);
	loop_fd_want(&udp->lfd, 0);
}

void udp_answer(struct parked *parked, const uint8_t *bytes, size_t size)
{
	struct worker *worker = parked->worker;
	struct udp_late *late = worker->late;
	if (late->count == UDP_BATCH || (late->count != 0 && late->udp != parked->udp)) {
		udp_flush(worker);
	}
	if (late->count == 0) {
		loop_timer_set(&worker->flush, 0);
	}
	unsigned int i = late->count++;
	late->udp = parked->udp;
	late->to[i] = parked->client;
	late->control[i] = parked->control;
	memcpy(late->bytes[i], bytes, size);
	late->iov[i] = (struct iovec){late->bytes[i], size};
	late->out[i].msg_hdr = (struct msghdr){
		.msg_name = &late->to[i].sa,
		.msg_namelen = late->to[i].len,
		.msg_iov = &late->iov[i],
		.msg_iovlen = 1,
		.msg_control = parked->control_len != 0 ? &late->control[i] : NULL,
		.msg_controllen = parked->control_len,
	};
}

void udp_flush(struct worker *worker)
{
	struct udp_late *late = worker->late;
	if (late->count != 0) {
		udp_send(late->udp, late->out, late->count);
		late->count = 0;
	}
}

int udp_open(struct udp *udp, struct worker *worker, int fd, const struct addr *addr)
{
	udp->worker = worker;
	udp->fd = fd;
	udp->any = addr_is_any(addr);
	batch_prepare(worker->batch);
	return loop_fd_open(worker->loop, &udp->lfd, fd, LOOP_READ, udp_ready, udp);
}

void udp_close(struct udp *udp)
{
	if (udp->fd >= 0) {
		loop_fd_close(&udp->lfd);
		close(udp->fd);
		udp->fd = -1;
	}
}
