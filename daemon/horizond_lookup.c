/*
 * daemon/horizond_lookup.c - questions of our own to the VPC resolver, for the side thread.
 *
 * The API's host name must not be looked for through ourselves: at start nobody answers yet. Blocking, over UDP,
 * each resolver tried once or twice; answers matched as strictly as any.
 */
#include "horizond_int.h"

#include "base/fail.h"
#include "base/mono.h"
#include "base/random.h"
#include "dns/build.h"
#include "dns/scrub.h"
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define TRIES         2
#define WAIT_MS       500
#define LOOK_MS       50 /* how often a wait looks whether the daemon ends */
#define RESOLVERS_MAX SETTINGS_TARGETS_MAX

/* Waits for the one answer that matches. Returns its size or a failure. */
static int lookup_wait(const bool *ending, int fd, uint16_t id, const uint8_t *name, uint16_t type,
                       uint8_t *buf, size_t room, struct dns_reply *ret_reply)
{
	uint64_t until_ms = mono_ms() + WAIT_MS;
	while (mono_ms() < until_ms && !__atomic_load_n(ending, __ATOMIC_RELAXED)) {
		struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
		if (poll(&poll_fd, 1, LOOK_MS) <= 0) {
			continue;
		}
		ssize_t n = recv(fd, buf, room, 0);
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			return FAIL_NET;
		}
		if (n > 0 && dns_reply_read(buf, (size_t)n, ret_reply) == 0 &&
		    dns_reply_matches(ret_reply, id, name, type, true)) {
			return 0;
		}
	}
	return FAIL_TIMEOUT;
}

static int lookup_once(const bool *ending, const struct addr *resolver, const uint8_t *name,
                       uint16_t type, uint8_t *buf, size_t room, struct dns_reply *ret_reply)
{
	int fd = socket(resolver->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return -errno;
	}
	uint8_t packet[DNS_UDP_PLAIN];
	struct dns_build b;
	uint16_t id = random_u16();
	dns_build_question(&b, packet, sizeof(packet), id, DNS_FLAG_RD, name, type);
	struct dns_opt opt = {.udp_size = DNS_UDP_OURS, .ede = DNS_EDE_NONE, .keepalive = -1};
	size_t size = dns_build_end(&b, 0, 0, &opt);
	int ret = FAIL_NET;
	if (connect(fd, &resolver->sa, resolver->len) == 0 &&
	    send(fd, packet, size, 0) == (ssize_t)size) {
		ret = lookup_wait(ending, fd, id, name, type, buf, room, ret_reply);
	}
	close(fd);
	if (ret == 0 && ret_reply->rcode != DNS_RCODE_NOERROR) {
		ret = ret_reply->rcode == DNS_RCODE_NXDOMAIN ? FAIL_NOTFOUND : FAIL_LAME;
	}
	return ret;
}

/* The resolvers of now, copied: a reload may swap the settings meanwhile. */
static size_t lookup_resolvers(struct horizond *h, struct addr *ret_resolvers)
{
	pthread_mutex_lock(&h->instance_lock);
	size_t count = h->resolver_count;
	memcpy(ret_resolvers, h->resolvers, count * sizeof(*ret_resolvers));
	pthread_mutex_unlock(&h->instance_lock);
	return count;
}

/* The scrubbed answer as a message, ready to be walked. */
static int lookup(struct horizond *h, const uint8_t *name, uint16_t type, uint8_t *buf, size_t room,
                  struct dns_reply *ret_reply)
{
	struct addr resolvers[RESOLVERS_MAX];
	size_t count = lookup_resolvers(h, resolvers);
	int ret = FAIL_NOTFOUND;
	for (size_t i = 0; i < count * TRIES; i++) {
		ret = lookup_once(&h->ending, &resolvers[i % count], name, type, buf, room,
		                  ret_reply);
		if (ret == 0 || ret == FAIL_NOTFOUND) {
			break;
		}
	}
	return ret;
}

int lookup_soa(void *ctx, const uint8_t *origin, uint8_t *buf, size_t size, size_t *ret_len)
{
	uint8_t message[DNS_UDP_OURS];
	struct dns_reply reply;
	int ret = lookup(ctx, origin, DNS_TYPE_SOA, message, sizeof(message), &reply);
	if (ret != 0) {
		return ret;
	}
	struct dns_walk walk;
	struct dns_rr rr;
	dns_walk_begin(&walk, &reply, DNS_SECTION_ANSWER);
	while (dns_walk_next(&walk, &rr)) {
		uint8_t owner[DNS_NAME_MAX];
		if (rr.type != DNS_TYPE_SOA || rr.class != DNS_CLASS_IN ||
		    dns_msg_name(message, reply.size, rr.owner, owner, NULL) < 0 ||
		    !dns_name_equal(owner, origin)) {
			continue;
		}
		/* MNAME and RNAME may be compressed: written out, then the five numbers. */
		size_t next;
		int mname = size < 2 * DNS_NAME_MAX + 20
		                    ? FAIL_LIMIT
		                    : dns_msg_name(message, reply.size, rr.rdata, buf, &next);
		int rname = mname < 0 ? mname
		                      : dns_msg_name(message, reply.size, next, buf + mname, &next);
		if (rname < 0) {
			return rname;
		}
		memcpy(buf + mname + rname, message + next, 20);
		*ret_len = (size_t)(mname + rname) + 20;
		return 0;
	}
	return FAIL_NOTFOUND;
}

/* Every address of this type in the answer: the chain to it is the resolver's own (its bailiwick is the root). */
static void collect(const struct dns_reply *reply, uint16_t type, struct addr *ret_addrs,
                    size_t max, size_t *count)
{
	struct dns_walk walk;
	struct dns_rr rr;
	dns_walk_begin(&walk, reply, DNS_SECTION_ANSWER);
	while (*count < max && dns_walk_next(&walk, &rr)) {
		struct addr *addr = &ret_addrs[*count];
		/* Of other classes the data has not been checked. */
		if (rr.type != type || rr.class != DNS_CLASS_IN) {
			continue;
		}
		memset(addr, 0, sizeof(*addr));
		if (type == DNS_TYPE_A) {
			addr->in4.sin_family = AF_INET;
			memcpy(&addr->in4.sin_addr, reply->wire + rr.rdata, 4);
			addr->len = sizeof(addr->in4);
		} else {
			addr->in6.sin6_family = AF_INET6;
			memcpy(&addr->in6.sin6_addr, reply->wire + rr.rdata, 16);
			addr->len = sizeof(addr->in6);
		}
		(*count)++;
	}
}

int lookup_host(void *ctx, const char *host, struct addr *ret_addrs, size_t max)
{
	static const uint16_t types[] = {DNS_TYPE_A, DNS_TYPE_AAAA};
	uint8_t name[DNS_NAME_MAX];
	if (dns_name_parse(host, name) < 0) {
		return FAIL_FORMAT;
	}
	size_t count = 0;
	int ret = FAIL_NOTFOUND;
	for (unsigned int i = 0; i < 2; i++) {
		uint8_t message[DNS_UDP_OURS];
		struct dns_reply reply;
		int one = lookup(ctx, name, types[i], message, sizeof(message), &reply);
		if (one == 0) {
			collect(&reply, types[i], ret_addrs, max, &count);
		} else {
			ret = one;
		}
	}
	return count != 0 ? (int)count : ret;
}
