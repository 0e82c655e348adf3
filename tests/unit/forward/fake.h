/*
 * fake.h - servers to ask and somebody who asks, on loopback and on the test's own loop.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "base/epoch.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include "base/random.h"
#include "dns/msg.h"
#include "forward/forward.h"
#include "loop/loop.h"
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FAKE_LOG 4096

/*
 * What a server does with a question; its script is one of these a packet, the last one for all
 * after.
 */
enum fake_act {
	FAKE_ANSWER,
	FAKE_SILENT,
	FAKE_SERVFAIL,
	FAKE_REFUSED,
	FAKE_NXDOMAIN,
	FAKE_FORMERR_EDNS, /* FORMERR when there is an OPT, else the answer */
	FAKE_FORMERR_BARE, /* the same with QDCOUNT 0 */
	FAKE_REFERRAL,
	FAKE_TRUNCATED,
	FAKE_LATE,           /* the answer after fake.late_ms */
	FAKE_WRONG_ID,       /* then the answer */
	FAKE_WRONG_NAME,     /* then the answer */
	FAKE_WRONG_CASE,     /* then the answer */
	FAKE_WRONG_TYPE,     /* then the answer */
	FAKE_GARBAGE,        /* noise, a short one, a question; then the answer */
	FAKE_WRONG_FOR_EVER, /* five wrong ids, nothing more */
	FAKE_MUTATED,        /* the answer three times with some octets changed, then as it is */
	FAKE_BROKEN_BODY,    /* the right head, a record that overruns */
	FAKE_LOWER,          /* the answer, the name in lower case */
	FAKE_PICKY, /* silence when the name is in mixed case or a cookie is there, else the answer */
	FAKE_COOKIE,         /* the answer with a cookie */
	FAKE_COOKIE_FORGED,  /* another's answer with another's cookie; then FAKE_COOKIE */
	FAKE_COOKIE_NEEDED,  /* BADCOOKIE when its own does not come along, else FAKE_COOKIE */
	FAKE_COOKIE_NEVER,   /* BADCOOKIE with a cookie, always */
	FAKE_FORMERR_COOKIE, /* FORMERR when there is a cookie, else the answer */
};

struct fake_seen {
	uint16_t port;
	uint16_t id;
};

struct fake_late {
	struct loop_timer timer;
	struct fake *fake;
	struct addr to;
	uint8_t wire[600];
	size_t size;
};

#define FAKE_GATHER 200

struct fake_conn {
	struct list link;
	struct fake *fake;
	struct loop_fd lfd;
	bool mute;
	size_t answered;
	size_t kept_count; /* questions that wait to be answered, the last one first */
	uint8_t kept[FAKE_GATHER][600];
	size_t in_size;
	uint8_t in[65536];
};

struct fake {
	struct loop *loop;
	struct addr addr;
	int fd;
	struct loop_fd lfd;
	int tcp_fd; /* -1: no TCP */
	struct loop_fd tcp_lfd;
	const enum fake_act *script;
	size_t script_len;
	bool script_repeats;
	uint64_t late_ms;
	size_t packets;    /* questions by UDP */
	size_t exchanges;  /* questions by TCP */
	size_t junk_first; /* by TCP: messages of a wrong id before the answer */
	size_t connections;
	size_t tcp_more;    /* answers on a connection after the first; then it is closed */
	size_t tcp_gathers; /* so many more questions are awaited before one is answered */
	bool tcp_mute;
	bool tcp_hangs_up;
	bool tcp_drips;      /* an octet at a time */
	bool tcp_mutates;    /* octets of what it sends, the lengths among them */
	bool tcp_lies;       /* about the length */
	bool tcp_longest;    /* answers of 65,535 octets */
	bool tcp_other_name; /* before each answer one with its id and another name */
	struct fake_seen seen[FAKE_LOG];
	uint8_t last[600]; /* the last question */
	size_t last_size;
	struct fake_late *late;
	struct list conns;
};

static inline size_t fake_question_end(const uint8_t *wire)
{
	return DNS_HEADER_SIZE + dns_name_len(wire + DNS_HEADER_SIZE) + 4;
}

/* The answer to wire: its question and, for NOERROR, an address. ret: room for 600. */
static inline size_t fake_reply(const uint8_t *wire, unsigned int rcode, bool address, uint8_t *ret)
{
	static const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7};
	size_t end = fake_question_end(wire);
	memcpy(ret, wire, end);
	put_u16(ret + 2, (uint16_t)(0x8180 | rcode));
	put_u16(ret + 4, 1);
	put_u16(ret + 6, address ? 1 : 0);
	put_u16(ret + 8, 0);
	put_u16(ret + 10, 0);
	if (address) {
		memcpy(ret + end, record, sizeof(record));
		end += sizeof(record);
	}
	return end;
}

static inline void fake_send(struct fake *fake, const struct addr *to, const uint8_t *wire,
                             size_t size)
{
	sendto(fake->fd, wire, size, 0, &to->sa, to->len);
}

static inline void fake_late_due(void *ctx)
{
	struct fake_late *late = ctx;
	fake_send(late->fake, &late->to, late->wire, late->size);
	late->fake->late = NULL;
	free(late);
}

static inline void fake_send_late(struct fake *fake, const struct addr *to, const uint8_t *wire,
                                  size_t size)
{
	struct fake_late *late = calloc(1, sizeof(*late));
	late->fake = fake;
	late->to = *to;
	memcpy(late->wire, wire, size);
	late->size = size;
	loop_timer_init(fake->loop, &late->timer, fake_late_due, late);
	loop_timer_set(&late->timer, fake->late_ms);
	assert_null(fake->late); /* one at a time is enough */
	fake->late = late;
}

/* A packet that must not be believed. */
static inline void fake_lie(struct fake *fake, const struct addr *to, const uint8_t *wire,
                            enum fake_act act)
{
	uint8_t reply[600];
	size_t size = fake_reply(wire, 0, true, reply);
	size_t end = fake_question_end(wire);
	reply[size - 1] = 66; /* who believes it gives another address */
	switch (act) {
	case FAKE_WRONG_ID:
	case FAKE_WRONG_FOR_EVER:
		reply[1] ^= 1;
		break;
	case FAKE_WRONG_NAME:
		reply[13] = 'z';
		break;
	case FAKE_WRONG_CASE:
		reply[13] ^= 0x20;
		break;
	case FAKE_WRONG_TYPE:
		reply[end - 3] = 28;
		break;
	case FAKE_GARBAGE:
		fake_send(fake, to, (const uint8_t *)"x", 1);
		reply[2] = 0x01; /* a question */
		break;
	case FAKE_BROKEN_BODY:
		reply[size - 5] = 200;
		break;
	default:
		break;
	}
	fake_send(fake, to, reply, size);
}

/* Header and question are left whole every other time, so that the rest is looked at too. */
static inline void fake_mutate(struct fake *fake, const struct addr *to, const uint8_t *wire)
{
	for (unsigned int i = 0; i < 3; i++) {
		uint8_t reply[600];
		size_t size = fake_reply(wire, 0, true, reply);
		size_t from = random_below(2) == 0 ? 0 : fake_question_end(wire);
		for (uint32_t n = 1 + random_below(3); n > 0; n--) {
			reply[from + random_below((uint32_t)(size - from))] = (uint8_t)random_u32();
		}
		fake_send(fake, to, reply, random_below(4) == 0 ? random_below(size) : size);
	}
}

static inline size_t fake_referral(const uint8_t *wire, uint8_t *ret)
{
	static const uint8_t record[] = {0xc0, 12, 0, 2, 0,   1,   0,    0, 0,
	                                 60,   0,  5, 2, 'n', 's', 0xc0, 12};
	size_t size = fake_reply(wire, 0, false, ret);
	ret[9] = 1;
	memcpy(ret + size, record, sizeof(record));
	return size + sizeof(record);
}

#define FAKE_COOKIE_THEIRS "theirs, 16 octet"

/* The cookie of a question of ours: its only option. 0: none. */
static inline size_t fake_cookie(const uint8_t *wire, const uint8_t **ret_cookie)
{
	size_t end = fake_question_end(wire);
	if (get_u16(wire + 10) == 0 || get_u16(wire + end + 9) == 0) {
		return 0;
	}
	assert_int_equal(get_u16(wire + end + 11), 10);
	*ret_cookie = wire + end + 15;
	return get_u16(wire + end + 13);
}

static inline bool fake_is_mixed(const uint8_t *wire)
{
	bool upper = false;
	for (size_t i = DNS_HEADER_SIZE; wire[i] != 0; i++) {
		upper |= wire[i] >= 'A' && wire[i] <= 'Z';
	}
	return upper;
}

/* Puts an OPT with our cookie and theirs behind a reply. */
static inline size_t fake_add_cookie(const uint8_t *wire, unsigned int rcode, uint8_t *reply,
                                     size_t size)
{
	const uint8_t *cookie = NULL;
	assert_true(fake_cookie(wire, &cookie) >= 8);
	memset(reply + size, 0, 11);
	reply[size + 2] = 41;
	put_u16(reply + size + 3, 1232);
	reply[size + 5] = (uint8_t)(rcode >> 4);
	reply[3] = (uint8_t)((reply[3] & 0xf0) | (rcode & 15));
	put_u16(reply + size + 9, 4 + 24);
	put_u16(reply + size + 11, 10);
	put_u16(reply + size + 13, 24);
	memcpy(reply + size + 15, cookie, 8);
	memcpy(reply + size + 23, FAKE_COOKIE_THEIRS, 16);
	reply[11] = 1;
	return size + 11 + 4 + 24;
}

/* Does the question bring the cookie that they gave? */
static inline bool fake_cookie_back(const uint8_t *wire)
{
	const uint8_t *cookie = NULL;
	return fake_cookie(wire, &cookie) == 24 && memcmp(cookie + 8, FAKE_COOKIE_THEIRS, 16) == 0;
}

static inline size_t fake_act_cookie(struct fake *fake, enum fake_act act, const struct addr *to,
                                     const uint8_t *wire, uint8_t *reply, size_t size)
{
	const uint8_t *cookie = NULL;
	bool refuse =
		act == FAKE_COOKIE_NEVER || (act == FAKE_COOKIE_NEEDED && !fake_cookie_back(wire));
	if (act == FAKE_FORMERR_COOKIE) {
		return fake_cookie(wire, &cookie) == 0
		               ? size
		               : fake_reply(wire, DNS_RCODE_FORMERR, false, reply);
	}
	if (act == FAKE_COOKIE_FORGED) {
		uint8_t forged[600];
		memcpy(forged, reply, size);
		forged[size - 1] = 66;
		size_t forged_size = fake_add_cookie(wire, 0, forged, size);
		forged[size + 15] ^= 1;
		fake_send(fake, to, forged, forged_size);
	}
	return fake_add_cookie(wire, refuse ? 23 : 0, reply,
	                       refuse ? fake_reply(wire, 0, false, reply) : size);
}

static inline void fake_act(struct fake *fake, enum fake_act act, const struct addr *to,
                            const uint8_t *wire)
{
	uint8_t reply[600];
	size_t size = fake_reply(wire, 0, true, reply);
	bool edns = get_u16(wire + 10) != 0;
	switch (act) {
	case FAKE_SILENT:
		return;
	case FAKE_SERVFAIL:
		size = fake_reply(wire, DNS_RCODE_SERVFAIL, false, reply);
		break;
	case FAKE_REFUSED:
		size = fake_reply(wire, DNS_RCODE_REFUSED, false, reply);
		break;
	case FAKE_NXDOMAIN:
		size = fake_reply(wire, DNS_RCODE_NXDOMAIN, false, reply);
		break;
	case FAKE_FORMERR_EDNS:
	case FAKE_FORMERR_BARE:
		if (edns) {
			size = fake_reply(wire, DNS_RCODE_FORMERR, false, reply);
		}
		if (edns && act == FAKE_FORMERR_BARE) {
			size = DNS_HEADER_SIZE;
			put_u16(reply + 4, 0);
		}
		break;
	case FAKE_REFERRAL:
		size = fake_referral(wire, reply);
		break;
	case FAKE_TRUNCATED:
		size = fake_reply(wire, 0, false, reply);
		reply[2] |= 0x02;
		break;
	case FAKE_LATE:
		fake_send_late(fake, to, reply, size);
		return;
	case FAKE_WRONG_FOR_EVER:
		for (int i = 0; i < 5; i++) {
			fake_lie(fake, to, wire, act);
		}
		return;
	case FAKE_BROKEN_BODY:
		fake_lie(fake, to, wire, act);
		return;
	case FAKE_MUTATED:
		fake_mutate(fake, to, wire);
		break;
	case FAKE_LOWER:
		dns_name_lower(reply + DNS_HEADER_SIZE);
		break;
	case FAKE_PICKY: {
		const uint8_t *cookie;
		if (fake_is_mixed(wire) || fake_cookie(wire, &cookie) != 0) {
			return;
		}
		break;
	}
	case FAKE_COOKIE:
	case FAKE_COOKIE_FORGED:
	case FAKE_COOKIE_NEEDED:
	case FAKE_COOKIE_NEVER:
	case FAKE_FORMERR_COOKIE:
		size = fake_act_cookie(fake, act, to, wire, reply, size);
		break;
	case FAKE_ANSWER:
		break;
	default:
		fake_lie(fake, to, wire, act);
		break;
	}
	fake_send(fake, to, reply, size);
}

static inline void fake_ready(void *ctx, int fd, unsigned int what)
{
	struct fake *fake = ctx;
	uint8_t wire[600];
	struct addr from;
	for (;;) {
		from.len = sizeof(from.in6);
		ssize_t n = recvfrom(fd, wire, sizeof(wire), MSG_DONTWAIT, &from.sa, &from.len);
		if (n < DNS_HEADER_SIZE) {
			return;
		}
		if (fake->packets < FAKE_LOG) {
			fake->seen[fake->packets] =
				(struct fake_seen){addr_port(&from), get_u16(wire)};
		}
		size_t at = fake->packets < fake->script_len ? fake->packets : fake->script_len - 1;
		if (fake->script_repeats) {
			at = fake->packets % fake->script_len;
		}
		fake->packets++;
		memcpy(fake->last, wire, (size_t)n);
		fake->last_size = (size_t)n;
		fake_act(fake, fake->script[at], &from, wire);
	}
}

/* --- By TCP --- */

static inline void fake_conn_close(struct fake_conn *conn)
{
	loop_fd_close(&conn->lfd);
	close(conn->lfd.fd);
	list_remove(&conn->link);
	free(conn);
}

static inline void fake_conn_send(struct fake_conn *conn, const uint8_t *bytes, size_t size)
{
	uint8_t changed[700];
	if (conn->fake->tcp_mutates && size <= sizeof(changed) && random_below(3) == 0) {
		memcpy(changed, bytes, size);
		changed[random_below((uint32_t)size)] = (uint8_t)random_u32();
		bytes = changed;
	}
	size_t step = conn->fake->tcp_drips ? 1 : size;
	for (size_t at = 0; at < size; at += step) {
		send(conn->lfd.fd, bytes + at, step, MSG_NOSIGNAL);
	}
}

/* The answer made as long as a message can be, by one record of no known type. */
static inline size_t fake_longest(uint8_t *wire, size_t size)
{
	static const uint8_t record[] = {0xc0, 12, 0xff, 0, 0, 1, 0, 0, 0, 60};
	size_t rdlen = DNS_MSG_MAX - size - sizeof(record) - 2;
	uint8_t address[16];
	memcpy(address, wire + size - 16, 16); /* stays last */
	memcpy(wire + size - 16, record, sizeof(record));
	put_u16(wire + size - 16 + sizeof(record), (uint16_t)rdlen);
	memset(wire + size - 4, 0, rdlen);
	memcpy(wire + DNS_MSG_MAX - 16, address, 16);
	put_u16(wire + 6, 2);
	return DNS_MSG_MAX;
}

static inline void fake_conn_answer(struct fake_conn *conn, const uint8_t *wire)
{
	struct fake *fake = conn->fake;
	static uint8_t reply[2 + DNS_MSG_MAX];
	size_t size = fake_reply(wire, 0, true, reply + 2);
	if (fake->tcp_longest) {
		size = fake_longest(reply + 2, size);
	}
	put_u16(reply, fake->tcp_lies ? 5 : (uint16_t)size);
	for (size_t i = 0; i < fake->junk_first; i++) {
		reply[3] ^= 1;
		fake_conn_send(conn, reply, size + 2);
		reply[3] ^= 1;
	}
	if (fake->tcp_other_name) {
		reply[2 + 13] ^= 1;
		fake_conn_send(conn, reply, size + 2);
		reply[2 + 13] ^= 1;
	}
	fake_conn_send(conn, reply, 1); /* the length in two pieces */
	fake_conn_send(conn, reply + 1, size + 1);
	conn->answered++;
}

/* True: it was closed. */
static inline bool fake_conn_question(struct fake_conn *conn, const uint8_t *wire, size_t size)
{
	struct fake *fake = conn->fake;
	fake->exchanges++;
	memcpy(fake->last, wire, size);
	fake->last_size = size;
	if (fake->tcp_mute || conn->mute) {
		return false;
	}
	memcpy(conn->kept[conn->kept_count++], wire, size);
	if (conn->kept_count <= fake->tcp_gathers) {
		return false;
	}
	while (conn->kept_count > 0) {
		fake_conn_answer(conn, conn->kept[--conn->kept_count]);
	}
	if (conn->answered > fake->tcp_more) {
		fake_conn_close(conn);
		return true;
	}
	return false;
}

static inline void fake_conn_ready(void *ctx, int fd, unsigned int what)
{
	struct fake_conn *conn = ctx;
	ssize_t n =
		recv(fd, conn->in + conn->in_size, sizeof(conn->in) - conn->in_size, MSG_DONTWAIT);
	if (n <= 0) {
		fake_conn_close(conn);
		return;
	}
	conn->in_size += (size_t)n;
	size_t at = 0;
	while (conn->in_size - at >= 2 && conn->in_size - at - 2 >= get_u16(conn->in + at)) {
		size_t size = get_u16(conn->in + at);
		if (fake_conn_question(conn, conn->in + at + 2, size)) {
			return;
		}
		at += 2 + size;
	}
	conn->in_size -= at;
	memmove(conn->in, conn->in + at, conn->in_size);
}

static inline void fake_tcp_ready(void *ctx, int fd, unsigned int what)
{
	struct fake *fake = ctx;
	int peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (peer < 0) {
		return;
	}
	fake->connections++;
	if (fake->tcp_hangs_up) {
		fake->exchanges++;
		close(peer);
		return;
	}
	struct fake_conn *conn = calloc(1, sizeof(*conn));
	conn->fake = fake;
	int one = 1;
	setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	int room = 1 << 20;
	setsockopt(peer, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	list_append(&fake->conns, &conn->link);
	assert_int_equal(
		loop_fd_open(fake->loop, &conn->lfd, peer, LOOP_READ, fake_conn_ready, conn), 0);
}

/* --- Opening and closing --- */

/* Nobody listens there any more. */
static inline void fake_shut(struct fake *fake)
{
	if (fake->fd >= 0) {
		loop_fd_close(&fake->lfd);
		close(fake->fd);
		fake->fd = -1;
	}
}

/* Listens at fake->addr; its port 0 becomes a free one. */
static inline void fake_listen(struct fake *fake)
{
	fake->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fake->fd, &fake->addr.sa, fake->addr.len), 0);
	assert_int_equal(getsockname(fake->fd, &fake->addr.sa, &fake->addr.len), 0);
	assert_int_equal(
		loop_fd_open(fake->loop, &fake->lfd, fake->fd, LOOP_READ, fake_ready, fake), 0);
}

static inline void fake_open(struct fake *fake, struct loop *loop, const enum fake_act *script,
                             size_t script_len)
{
	memset(fake, 0, sizeof(*fake));
	fake->loop = loop;
	fake->script = script;
	fake->script_len = script_len;
	fake->tcp_fd = -1;
	list_init(&fake->conns);
	assert_int_equal(addr_parse("127.0.0.1", 0, &fake->addr), 0);
	fake_listen(fake);
}

/*
 * The same port by TCP, too; another one for both when that is taken. Before anybody knows the
 * address.
 */
static inline void fake_open_tcp(struct fake *fake)
{
	int one = 1;
	fake->tcp_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(fake->tcp_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	for (int i = 0; bind(fake->tcp_fd, &fake->addr.sa, fake->addr.len) != 0; i++) {
		assert_true(i < 20);
		fake_shut(fake);
		addr_set_port(&fake->addr, 0);
		fake_listen(fake);
	}
	assert_int_equal(listen(fake->tcp_fd, 64), 0);
	assert_int_equal(loop_fd_open(fake->loop, &fake->tcp_lfd, fake->tcp_fd, LOOP_READ,
	                              fake_tcp_ready, fake),
	                 0);
}

static inline void fake_close(struct fake *fake)
{
	fake_shut(fake);
	while (!list_empty(&fake->conns)) {
		fake_conn_close(list_item(fake->conns.next, struct fake_conn, link));
	}
	if (fake->tcp_fd >= 0) {
		loop_fd_close(&fake->tcp_lfd);
		close(fake->tcp_fd);
	}
	if (fake->late != NULL) {
		loop_timer_cancel(&fake->late->timer);
		free(fake->late);
	}
}

/* --- Who asks --- */

struct asker {
	struct forward_ask ask;
	uint8_t name[DNS_NAME_MAX + 1];
	unsigned int told;
	int why;
	bool has_reply;
	uint16_t rcode;
	uint8_t last_octet;               /* of the answer: 7 is the true one */
	uint8_t echoed[DNS_NAME_MAX + 1]; /* the name in the answer's question */
	bool fresh;
	uint32_t rtt_us;
	char text[96];
	struct addr target;
	uint64_t told_ms;
};

static inline void asker_told(void *ctx, const struct forward_result *result)
{
	struct asker *asker = ctx;
	asker->told++;
	asker->told_ms = mono_ms();
	asker->why = result->why;
	asker->fresh = result->fresh;
	asker->rtt_us = result->rtt_us;
	asker->has_reply = result->reply != NULL;
	if (result->reply != NULL) {
		asker->rcode = result->reply->rcode;
		struct dns_walk walk;
		struct dns_rr rr;
		dns_walk_begin(&walk, result->reply, DNS_SECTION_ANSWER);
		while (dns_walk_next(&walk, &rr)) {
			asker->last_octet = result->reply->wire[rr.rdata + rr.rdlen - 1];
		}
		if (result->reply->has_question) {
			const uint8_t *name = result->reply->wire + DNS_HEADER_SIZE;
			memcpy(asker->echoed, name, dns_name_len(name));
		}
	}
	if (result->target != NULL) {
		asker->target = *result->target;
	}
	memcpy(asker->text, result->text, sizeof(asker->text));
}

static inline void asker_init(struct asker *asker, uint32_t origin, const char *name)
{
	memset(asker, 0, sizeof(*asker));
	assert_true(dns_name_parse(name, asker->name) > 0);
	asker->ask = (struct forward_ask){
		.origin = origin,
		.name = asker->name,
		.qtype = DNS_TYPE_A,
		.done = asker_told,
		.ctx = asker,
	};
}

/* --- Both, and the thing itself --- */

struct rig {
	struct loop *loop;
	struct forward *fwd;
	struct forward_worker *worker;
	struct fake fake[3];
	size_t fakes;
	struct asker asker;
};

#define RIG_ORIGIN 77

/* A group of the rig's servers under RIG_ORIGIN. */
static inline void rig_group(struct rig *rig, struct forward_group_opts *ret_opts,
                             struct addr *ret_targets)
{
	for (size_t i = 0; i < rig->fakes; i++) {
		ret_targets[i] = rig->fake[i].addr;
	}
	*ret_opts = (struct forward_group_opts){
		.origin = RIG_ORIGIN,
		.rule = "corp.example.com",
		.targets = ret_targets,
		.target_count = rig->fakes,
		.policy = FORWARD_ORDERED,
		.max_inflight = 4000,
	};
}

static inline void rig_open(struct rig *rig, unsigned int budget_ms)
{
	memset(rig, 0, sizeof(*rig));
	rig->loop = loop_new();
	assert_non_null(rig->loop);
	rig->fwd = forward_new(&(struct forward_opts){.workers = 2, .budget_ms = budget_ms});
	assert_non_null(rig->fwd);
	rig->worker = forward_worker_new(rig->fwd, rig->loop);
	assert_non_null(rig->worker);
}

#define rig_fake(rig, ...)                                                  \
	do {                                                                \
		static const enum fake_act acts_[] = {__VA_ARGS__};         \
		fake_open(&(rig)->fake[(rig)->fakes++], (rig)->loop, acts_, \
		          sizeof(acts_) / sizeof(acts_[0]));                \
	} while (0)

static inline void rig_groups(struct rig *rig)
{
	struct forward_group_opts opts;
	struct addr targets[3];
	rig_group(rig, &opts, targets);
	assert_int_equal(forward_set_groups(rig->fwd, &opts, 1), 0);
}

static inline void rig_close(struct rig *rig)
{
	forward_worker_free(&rig->worker);
	forward_free(&rig->fwd);
	for (size_t i = 0; i < rig->fakes; i++) {
		fake_close(&rig->fake[i]);
	}
	loop_free(&rig->loop);
}

/* Turns the loop until cond or for ms milliseconds. */
#define rig_until(rig, cond, ms)                           \
	do {                                               \
		uint64_t until_ms_ = mono_ms() + (ms);     \
		while (!(cond) && mono_ms() < until_ms_) { \
			loop_turn((rig)->loop, 5);         \
		}                                          \
	} while (0)

static inline size_t askers_told(const struct asker *askers, size_t count)
{
	size_t told = 0;
	for (size_t i = 0; i < count; i++) {
		told += askers[i].told;
	}
	return told;
}

/* One question to its end. Returns how long it took. */
static inline uint64_t rig_ask(struct rig *rig, const char *name)
{
	asker_init(&rig->asker, RIG_ORIGIN, name);
	uint64_t begin_ms = mono_ms();
	assert_int_equal(forward_ask(rig->worker, &rig->asker.ask), 0);
	assert_int_equal(rig->asker.told, 0);
	forward_flush(rig->worker);
	assert_int_equal(rig->asker.told, 0);
	rig_until(rig, rig->asker.told != 0, 5000);
	assert_int_equal(rig->asker.told, 1);
	return rig->asker.told_ms - begin_ms;
}

/* The one and only good answer. */
static inline void rig_assert_answered(const struct rig *rig)
{
	assert_int_equal(rig->asker.why, 0);
	assert_true(rig->asker.has_reply);
	assert_int_equal(rig->asker.rcode, 0);
	assert_int_equal(rig->asker.last_octet, 7);
	assert_true(rig->asker.fresh);
}

/* A sample's value out of the metrics; -1: not there. */
static inline double rig_metric(struct rig *rig, const char *sample)
{
	struct text text;
	text_init(&text, 0);
	forward_metrics(rig->fwd, &text);
	char line[400];
	snprintf(line, sizeof(line), "\n%s ", sample);
	const char *at = strstr(text_get(&text), line);
	double value = at == NULL ? -1 : atof(at + strlen(line));
	text_fini(&text);
	return value;
}

/* The state of the target at addr. */
struct rig_look {
	const struct addr *addr;
	struct forward_target_state state;
	unsigned int found;
};

static inline void rig_look_fn(void *ctx, const struct forward_target_state *state)
{
	struct rig_look *look = ctx;
	if (addr_equal(look->addr, &state->addr)) {
		look->state = *state;
		look->found++;
	}
}

static inline struct forward_target_state rig_target(struct rig *rig, size_t fake)
{
	struct rig_look look = {.addr = &rig->fake[fake].addr};
	forward_each_target(rig->fwd, rig_look_fn, &look);
	assert_int_equal(look.found, 1);
	return look.state;
}

static inline int rig_setup(void **state)
{
	epoch_thread_start();
	log_set_level(LOG_LEVEL_ERROR);
	return 0;
}

static inline int rig_teardown(void **state)
{
	epoch_thread_stop();
	return 0;
}
