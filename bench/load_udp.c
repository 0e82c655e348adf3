/* bench/load_udp.c - questions and answers over UDP, in batches. */
#include "load_int.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define SOCKETS_MAX 64
#define NAP_MS      20

static struct batch out;
static struct batch in;

/* At most a batch of questions. Returns how many. */
static unsigned int ask(struct run *run, int fd, uint64_t now_ns)
{
	unsigned int count = 0;
	while (count < BATCH && run_may_send(run, now_ns)) {
		struct slot *slot = slots_take(&run->slots, now_ns);
		out.iov[count++] = (struct iovec){slot->bytes + 2, slot->question->len};
	}
	if (count != 0) {
		batch_send(&out, fd, count);
	}
	return count;
}

/* At most a batch of answers. Returns how many. */
static unsigned int hear(struct run *run, int fd, int flags)
{
	unsigned int count = batch_receive(&in, fd, flags);
	uint64_t now_ns = mono_ns();
	for (unsigned int i = 0; i < count; i++) {
		slots_settle(&run->slots, in.bytes[i], in.msg[i].msg_len, now_ns);
	}
	return count;
}

static void nap_limit(int fd)
{
	struct timeval nap = {.tv_usec = NAP_MS * 1000};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &nap, sizeof(nap));
}

/* With one socket the receive itself is the sleep; with more, poll is. */
static void turn(struct run *run, struct pollfd *fds, bool nap)
{
	bool one = run->sockets == 1;
	if (!one) {
		poll(fds, run->sockets, nap ? NAP_MS : 0);
	}
	for (unsigned int i = 0; i < run->sockets; i++) {
		if (one || (fds[i].revents & POLLIN) != 0) {
			hear(run, fds[i].fd, one && nap ? MSG_WAITFORONE : MSG_DONTWAIT);
		}
	}
}

void run_udp(struct run *run)
{
	struct pollfd fds[SOCKETS_MAX];
	unsigned int next = 0;
	for (unsigned int i = 0; i < run->sockets && i < SOCKETS_MAX; i++) {
		fds[i] = (struct pollfd){sock_udp_connected(&run->server), POLLIN, 0};
		nap_limit(fds[i].fd);
	}
	batch_ready(&out, false);
	batch_ready(&in, false);
	run->began_ns = mono_ns();
	for (;;) {
		uint64_t now_ns = mono_ns();
		if (run_over(run, now_ns)) {
			break;
		}
		while (ask(run, fds[next++ % run->sockets].fd, now_ns) == BATCH) {
		}
		turn(run, fds, !run->spin && run->rate == 0);
		slots_sweep(&run->slots, now_ns, false);
	}
}

uint64_t run_first(struct run *run)
{
	int fd = sock_udp_connected(&run->server);
	struct timeval nap = {.tv_usec = 1000};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &nap, sizeof(nap));
	batch_ready(&out, false);
	batch_ready(&in, false);
	uint64_t began_ns = mono_ns();
	for (;;) {
		uint64_t now_ns = mono_ns();
		if (now_ns - began_ns > (uint64_t)(run->seconds * 1e9)) {
			return 0;
		}
		slots_sweep(&run->slots, now_ns, true);
		run->slots.list->at = 0;
		struct slot *slot = slots_take(&run->slots, now_ns);
		out.iov[0] = (struct iovec){slot->bytes + 2, slot->question->len};
		batch_send(&out, fd, 1);
		hear(run, fd, MSG_WAITFORONE);
		if (run->slots.result.answered != 0) {
			return mono_ns();
		}
		/* Refused at once: nobody listens yet. */
		while (mono_ns() - now_ns < 1000000) {
			poll(NULL, 0, 1);
		}
	}
}
