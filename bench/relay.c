/*
 * bench/relay.c - the floor of forwarding: every question goes to one upstream and its answer back,
 * over a pool of connected sockets, in batches; no reading, no cache, no retry.
 *
 * bench_relay ADDRESS UPSTREAM
 */
#include "sock.h"

#include <stdlib.h>
#include <sys/epoll.h>

#define POOL 16
#define IDS  4096 /* open questions a socket; an older one is forgotten */

struct open {
	struct sockaddr_in client;
	uint16_t id;
};

struct pooled {
	int fd;
	unsigned int next;
	struct open open[IDS];
};

struct relay {
	int fd;
	unsigned int turn;
	struct batch batch;
	struct pooled pool[POOL];
};

/* A batch of questions leaves by one socket of the pool, each batch by the next. */
static void relay_ask(struct relay *relay)
{
	struct batch *batch = &relay->batch;
	unsigned int count;
	do {
		batch_ready(batch, true);
		count = batch_receive(batch, relay->fd, MSG_DONTWAIT);
		struct pooled *pooled = &relay->pool[relay->turn++ % POOL];
		for (unsigned int i = 0; i < count; i++) {
			unsigned int id = pooled->next++ % IDS;
			pooled->open[id] = (struct open){batch->from[i], get16(batch->bytes[i])};
			put16(batch->bytes[i], id);
			batch->iov[i].iov_len = batch->msg[i].msg_len;
			batch->msg[i].msg_hdr.msg_name = NULL;
			batch->msg[i].msg_hdr.msg_namelen = 0;
		}
		batch_send(batch, pooled->fd, count);
	} while (count == BATCH);
}

static void relay_answer(struct relay *relay, struct pooled *pooled)
{
	struct batch *batch = &relay->batch;
	unsigned int count;
	do {
		batch_ready(batch, false);
		count = batch_receive(batch, pooled->fd, MSG_DONTWAIT);
		for (unsigned int i = 0; i < count; i++) {
			struct open *open = &pooled->open[get16(batch->bytes[i]) % IDS];
			put16(batch->bytes[i], open->id);
			batch->iov[i].iov_len = batch->msg[i].msg_len;
			batch->msg[i].msg_hdr.msg_name = &open->client;
			batch->msg[i].msg_hdr.msg_namelen = sizeof(open->client);
		}
		batch_send(batch, relay->fd, count);
	} while (count == BATCH);
}

static void watch(int epoll, int fd, void *ptr)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = ptr};
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
		die("epoll_ctl");
	}
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		die("usage: bench_relay ADDRESS UPSTREAM");
	}
	static struct relay relay;
	struct sockaddr_in addr = sock_addr(argv[1]);
	struct sockaddr_in upstream = sock_addr(argv[2]);
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	relay.fd = sock_udp_bound(&addr);
	watch(epoll, relay.fd, NULL);
	for (unsigned int i = 0; i < POOL; i++) {
		relay.pool[i].fd = sock_udp_connected(&upstream);
		watch(epoll, relay.pool[i].fd, &relay.pool[i]);
	}
	for (;;) {
		struct epoll_event events[POOL + 1];
		int count = epoll_wait(epoll, events, POOL + 1, -1);
		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr == NULL) {
				relay_ask(&relay);
			} else {
				relay_answer(&relay, events[i].data.ptr);
			}
		}
	}
}
