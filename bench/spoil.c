/*
 * bench/spoil.c - stands before a DNS server (UDP) and spoils what it says: late, in another order,
 * with errors, or not to be believed.
 *
 * bench_spoil ADDRESS UPSTREAM
 *
 * Reads what to do from its input, a line each: pass | delay MS | jitter MS | servfail | garbage |
 * id | question. delay holds every answer back; jitter each for another time, so that they come in
 * another order. It counts on nothing: a question it has no room for is lost, as on a network.
 */
#include "sock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define OPEN_MAX 65536 /* open questions: one an id */
#define HELD_MAX 16384 /* answers held back */

enum how {
	PASS,
	DELAY,
	JITTER,
	SERVFAIL,
	GARBAGE,
	ID,
	QUESTION,
	HOW_COUNT,
};

static const char *const words[HOW_COUNT] = {"pass",    "delay", "jitter",  "servfail",
                                             "garbage", "id",    "question"};

struct open {
	struct sockaddr_in client;
	uint16_t id;
};

struct held {
	uint64_t due_ns;
	struct sockaddr_in to;
	uint16_t size;
	uint8_t bytes[BATCH_ROOM];
};

struct spoil {
	int fd;
	int upstream;
	enum how how;
	unsigned int ms;
	unsigned int next;
	unsigned int held_count;
	struct open open[OPEN_MAX];
	struct held *heap[HELD_MAX]; /* the one due first in front */
};

/* --- Answers held back: a heap by time --- */

static void heap_swap(struct spoil *spoil, unsigned int a, unsigned int b)
{
	struct held *held = spoil->heap[a];
	spoil->heap[a] = spoil->heap[b];
	spoil->heap[b] = held;
}

static void heap_put(struct spoil *spoil, struct held *held)
{
	unsigned int at = spoil->held_count++;
	spoil->heap[at] = held;
	while (at > 0 && spoil->heap[(at - 1) / 2]->due_ns > spoil->heap[at]->due_ns) {
		heap_swap(spoil, at, (at - 1) / 2);
		at = (at - 1) / 2;
	}
}

static struct held *heap_take(struct spoil *spoil)
{
	struct held *first = spoil->heap[0];
	spoil->heap[0] = spoil->heap[--spoil->held_count];
	for (unsigned int at = 0;;) {
		unsigned int least = at;
		for (unsigned int child = 2 * at + 1; child <= 2 * at + 2; child++) {
			if (child < spoil->held_count &&
			    spoil->heap[child]->due_ns < spoil->heap[least]->due_ns) {
				least = child;
			}
		}
		if (least == at) {
			return first;
		}
		heap_swap(spoil, at, least);
		at = least;
	}
}

/* --- Packets --- */

static void spoil_bytes(enum how how, uint8_t *bytes, size_t size)
{
	switch (how) {
	case SERVFAIL:
		bytes[3] = (uint8_t)((bytes[3] & 0xf0) | 2);
		break;
	case GARBAGE: /* all but the id */
		for (size_t i = 2; i < size; i++) {
			bytes[i] = (uint8_t)random();
		}
		break;
	case ID:
		put16(bytes, get16(bytes) ^ 0x5555u);
		break;
	case QUESTION: /* another first letter */
		bytes[DNS_HEADER + 1] ^= 1;
		break;
	default:
		break;
	}
}

static void held_send(const struct spoil *spoil, const struct held *held)
{
	sendto(spoil->fd, held->bytes, held->size, 0, (const struct sockaddr *)&held->to,
	       sizeof(held->to));
}

static void answer(struct spoil *spoil)
{
	struct held here;
	ssize_t size;
	while ((size = recv(spoil->upstream, here.bytes, sizeof(here.bytes), MSG_DONTWAIT)) > 0) {
		if (size <= DNS_HEADER + 1) {
			continue;
		}
		const struct open *open = &spoil->open[get16(here.bytes)];
		here.to = open->client;
		here.size = (uint16_t)size;
		put16(here.bytes, open->id);
		spoil_bytes(spoil->how, here.bytes, here.size);
		uint64_t wait_ms = spoil->how == DELAY    ? spoil->ms
		                   : spoil->how == JITTER ? (uint64_t)random() % (spoil->ms + 1)
		                                          : 0;
		struct held *held =
			wait_ms != 0 && spoil->held_count < HELD_MAX ? malloc(sizeof(*held)) : NULL;
		if (wait_ms == 0) {
			held_send(spoil, &here);
		} else if (held != NULL) {
			*held = here;
			held->due_ns = mono_ns() + wait_ms * 1000000;
			heap_put(spoil, held);
		}
	}
}

static void ask(struct spoil *spoil)
{
	uint8_t bytes[BATCH_ROOM];
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	ssize_t size;
	while ((size = recvfrom(spoil->fd, bytes, sizeof(bytes), MSG_DONTWAIT,
	                        (struct sockaddr *)&from, &len)) > 0) {
		if (size <= DNS_HEADER) {
			continue;
		}
		unsigned int id = spoil->next++ % OPEN_MAX;
		spoil->open[id] = (struct open){from, get16(bytes)};
		put16(bytes, id);
		send(spoil->upstream, bytes, (size_t)size, 0);
		len = sizeof(from);
	}
}

/* False: nobody tells us any more. */
static bool command(struct spoil *spoil)
{
	char line[64];
	ssize_t size = read(STDIN_FILENO, line, sizeof(line) - 1);
	if (size <= 0) {
		return false;
	}
	line[size] = '\0';
	size_t len = strcspn(line, " \n");
	for (unsigned int i = 0; i < HOW_COUNT; i++) {
		if (strlen(words[i]) == len && strncmp(line, words[i], len) == 0) {
			spoil->how = i;
			spoil->ms = (unsigned int)atoi(line + len);
			return true;
		}
	}
	die("unknown: %s", line);
}

static int due_ms(const struct spoil *spoil)
{
	if (spoil->held_count == 0) {
		return -1;
	}
	uint64_t now_ns = mono_ns();
	uint64_t due_ns = spoil->heap[0]->due_ns;
	return due_ns <= now_ns ? 0 : (int)((due_ns - now_ns) / 1000000 + 1);
}

static void watch(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
		die("epoll_ctl");
	}
}

static bool turn(struct spoil *spoil, int epoll)
{
	struct epoll_event events[3];
	int count = epoll_wait(epoll, events, 3, due_ms(spoil));
	for (int i = 0; i < count; i++) {
		if (events[i].data.fd == spoil->fd) {
			ask(spoil);
		} else if (events[i].data.fd == spoil->upstream) {
			answer(spoil);
		} else if (!command(spoil)) {
			return false;
		}
	}
	while (spoil->held_count != 0 && spoil->heap[0]->due_ns <= mono_ns()) {
		struct held *held = heap_take(spoil);
		held_send(spoil, held);
		free(held);
	}
	return true;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		die("usage: bench_spoil ADDRESS UPSTREAM");
	}
	static struct spoil spoil;
	struct sockaddr_in addr = sock_addr(argv[1]);
	struct sockaddr_in upstream = sock_addr(argv[2]);
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	spoil.fd = sock_udp_bound(&addr);
	spoil.upstream = sock_udp_connected(&upstream);
	watch(epoll, spoil.fd);
	watch(epoll, spoil.upstream);
	watch(epoll, STDIN_FILENO);
	while (turn(&spoil, epoll)) {
	}
	return 0;
}
