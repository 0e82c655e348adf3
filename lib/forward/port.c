#include "base/fail.h"
#include "base/mono.h"
#include "forward/ask_int.h"
#include "forward/pool_int.h"
#include "forward/port_int.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BIND_TRIES   16
#define BATCH_SIZE   32 /* questions leave by one port together (outbox.c), and so come the answers */
#define BATCH_ROUNDS 4

/*
 * A reply is at most DNS_UDP_OURS octets, as we say in every question. What is longer comes from
 * a server that does not listen; it is cut here and asked for again by TCP.
 */
#define PACKET_MAX 4096

struct batch {
	struct mmsghdr messages[BATCH_SIZE];
	struct iovec parts[BATCH_SIZE];
	uint8_t bytes[BATCH_SIZE][PACKET_MAX];
};

struct batch *port__batch_new(void)
{
	struct batch *batch = calloc(1, sizeof(*batch));
	if (batch == NULL) {
		return NULL;
	}
	for (unsigned int i = 0; i < BATCH_SIZE; i++) {
		batch->parts[i] = (struct iovec){batch->bytes[i], PACKET_MAX};
		batch->messages[i].msg_hdr.msg_iov = &batch->parts[i];
		batch->messages[i].msg_hdr.msg_iovlen = 1;
	}
	return batch;
}

void port__batch_free(struct batch **batch)
{
	free(*batch);
	*batch = NULL;
}

struct port_range port__range(void)
{
	/*
	 * Where the system would take them from: what an admin keeps free for services stays
	 * free.
	 */
	struct port_range range = {1024, 65535};
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	unsigned int low;
	unsigned int high;
	if (file == NULL) {
		return range;
	}
	if (fscanf(file, "%u %u", &low, &high) == 2 && low >= 1024 && high <= 65535 &&
	    high - low >= 1024) {
		range = (struct port_range){(uint16_t)low, (uint16_t)high};
	}
	fclose(file);
	return range;
}

/* --- Opening --- */

/*
 * Fragments are a forger's way around port and id (T10): never believe a path MTU that somebody
 * told us, nor let the kernel refuse to send for it.
 */
static int fd_options(int fd, int family)
{
	int one = 1;
	int omit = IP_PMTUDISC_OMIT;
	int ret;
	if (family == AF_INET6) {
		omit = IPV6_PMTUDISC_OMIT;
		ret = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
		if (ret == 0) {
			ret = setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &omit, sizeof(omit));
		}
	} else {
		ret = setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &omit, sizeof(omit));
	}
	return ret;
}

static int fd_bind_random(int fd, const struct target *target, struct port_range range)
{
	struct addr from = {0};
	if (target->source.len != 0) {
		from = target->source;
	} else {
		from.sa.sa_family = target->addr.sa.sa_family;
		from.len = target->addr.len;
	}
	uint32_t span = (uint32_t)range.high - range.low + 1;
	for (unsigned int i = 0; i < BIND_TRIES; i++) {
		addr_set_port(&from, (uint16_t)(range.low + random_below(span)));
		if (bind(fd, &from.sa, from.len) == 0) {
			return 0;
		}
		if (errno != EADDRINUSE && errno != EACCES) {
			return -1;
		}
	}
	/* The range is crowded. The kernel finds what is left, at random too. */
	addr_set_port(&from, 0);
	return bind(fd, &from.sa, from.len);
}

static int fd_open(const struct target *target, struct port_range range)
{
	int family = target->addr.sa.sa_family;
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return -errno;
	}
	if (fd_options(fd, family) != 0 || fd_bind_random(fd, target, range) != 0 ||
	    connect(fd, &target->addr.sa, target->addr.len) != 0) {
		int ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

static void port_ready(void *ctx, int fd, unsigned int what);

int port__open(struct forward_worker *worker, const struct target *target, struct port **ret_port)
{
	struct port *port = malloc(sizeof(*port));
	if (port == NULL) {
		return FAIL_NOMEM;
	}
	*port = (struct port){.worker = worker, .born_ms = loop_now_ms(worker->loop)};
	list_init(&port->by_age);
	list_init(&port->retired);
	port->fd = fd_open(target, worker->range);
	int ret = port->fd;
	if (ret >= 0) {
		ret = loop_fd_open(worker->loop, &port->lfd, port->fd, LOOP_READ, port_ready, port);
		if (ret != 0) {
			close(port->fd);
		}
	}
	if (ret != 0) {
		free(port);
		return ret;
	}
	*ret_port = port;
	return 0;
}

void port__close(struct port **ptr)
{
	struct port *port = *ptr;
	assert(!port->reading);
	for (unsigned int i = 0; i < port->used; i++) {
		struct try *try = port->tries[i];
		if (try != NULL) {
			try->port = NULL;
			if (try->state == TRY_WAITING || try->state == TRY_REFUSED) {
				try->state = TRY_NET; /* its silence will be our own doing */
			}
		}
	}
	loop_fd_close(&port->lfd);
	close(port->fd);
	free(port);
	*ptr = NULL;
}

/* --- Ids --- */

/* The place of an id, or -1. */
static int port_find(const struct port *port, uint16_t id)
{
	for (int i = 0; i < port->used; i++) {
		if (port->ids[i] == id) {
			return i;
		}
	}
	return -1;
}

void port__attach(struct port *port, struct try *try)
{
	assert(port->used < PORT_QUESTIONS && try->port == NULL);
	do {
		try->id = random_u16();
	} while (port_find(port, try->id) >= 0);
	try->port = port;
	try->place = port->used;
	port->ids[port->used] = try->id;
	port->tries[port->used] = try;
	port->used++;
	port->open++;
	if (port->used == PORT_QUESTIONS) {
		pool__retire(port);
	}
}

void port__detach(struct try *try)
{
	struct port *port = try->port;
	if (port == NULL) {
		return;
	}
	try->port = NULL;
	port->tries[try->place] = NULL;
	port->open--;
	pool__port_idle(port);
}

/* --- Reading --- */

static void port_packet(struct port *port, uint8_t *wire, size_t size, uint64_t now_us)
{
	int place = -1;
	if (size >= DNS_HEADER_SIZE) {
		place = port_find(port, get_u16(wire));
	}
	if (place >= 0) {
		if (port->tries[place] != NULL) {
			ask__packet(port->tries[place], wire, size, now_us);
		}
		return; /* else it comes after its question has ended */
	}
	/* Somebody tries ids. Each question that waits here may be the one he is after (T4). */
	for (unsigned int i = 0; i < port->used; i++) {
		if (port->tries[i] != NULL) {
			ask__mismatch(port->tries[i]);
		}
	}
}

/* ICMP says that nobody listens there. A hint (T3): the next target is asked, the wait goes on. */
static void port_refused(struct port *port)
{
	for (unsigned int i = 0; i < port->used; i++) {
		if (port->tries[i] != NULL) {
			ask__refused(port->tries[i]);
		}
	}
}

/* One batch. False when there is no more. */
static bool port_read(struct port *port)
{
	struct batch *batch = port->worker->batch;
	int count = recvmmsg(port->fd, batch->messages, BATCH_SIZE, MSG_DONTWAIT, NULL);
	if (count < 0) {
		if (errno == EAGAIN) {
			return false;
		}
		if (errno != EINTR) {
			port_refused(port);
		}
		return true;
	}
	uint64_t now_us = mono_us();
	for (int i = 0; i < count; i++) {
		port_packet(port, batch->bytes[i], batch->messages[i].msg_len, now_us);
	}
	return count == BATCH_SIZE;
}

static void port_ready(void *ctx, int fd, unsigned int what)
{
	struct port *port = ctx;
	port->reading = true;
	/* A bound, so that a flood at one port leaves the others their turn. */
	for (unsigned int i = 0; i < BATCH_ROUNDS; i++) {
		if (!port_read(port)) {
			break;
		}
	}
	port->reading = false;
	pool__port_idle(port);
}
