/*
 * bench/upstream.c - a resolver that knows every name: A is 192.0.2.1, AAAA 2001:db8::1, any other
 * type has no data. UDP in batches; a question with an OPT gets one back.
 *
 * bench_upstream ADDRESS [TTL]
 */
#include "sock.h"

#include <stdlib.h>
#include <string.h>

#define TYPE_A    1
#define TYPE_AAAA 28
#define OPT_SIZE  11

static const uint8_t ipv4[4] = {192, 0, 2, 1};
static const uint8_t ipv6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
static const uint8_t opt[OPT_SIZE] = {0, 0, 41, 0x04, 0xd0};

/* Where the question ends; 0: not one whole question. */
static size_t question_end(const uint8_t *msg, size_t len)
{
	size_t at = DNS_HEADER;
	if (len < DNS_HEADER || get16(msg + 4) != 1 || (msg[2] & 0x80) != 0) {
		return 0;
	}
	while (at < len && msg[at] != 0 && msg[at] < 64) {
		at += 1u + msg[at];
	}
	return at + 5 <= len && msg[at] == 0 ? at + 5 : 0;
}

static size_t put_address(uint8_t *at, uint16_t type, uint32_t ttl_s)
{
	size_t len = type == TYPE_A ? sizeof(ipv4) : sizeof(ipv6);
	put16(at, 0xc000 | DNS_HEADER);
	put16(at + 2, type);
	put16(at + 4, 1);
	put16(at + 6, ttl_s >> 16);
	put16(at + 8, ttl_s & 0xffff);
	put16(at + 10, (unsigned int)len);
	memcpy(at + 12, type == TYPE_A ? ipv4 : ipv6, len);
	return 12 + len;
}

/* Turns the question into its answer, in place. 0: nothing to say. */
static size_t answer(uint8_t *msg, size_t len, uint32_t ttl_s)
{
	size_t end = question_end(msg, len);
	if (end == 0 || end + 28 + OPT_SIZE > BATCH_ROOM) {
		return 0;
	}
	bool edns = get16(msg + 10) == 1 && len >= end + OPT_SIZE && msg[end] == 0 &&
	            get16(msg + end + 1) == 41;
	uint16_t type = get16(msg + end - 4);
	bool data = type == TYPE_A || type == TYPE_AAAA;
	msg[2] = (uint8_t)(0x80 | (msg[2] & 0x01));
	msg[3] = 0x80;
	put16(msg + 6, data);
	put16(msg + 8, 0);
	put16(msg + 10, edns);
	if (data) {
		end += put_address(msg + end, type, ttl_s);
	}
	if (edns) {
		memcpy(msg + end, opt, sizeof(opt));
		end += sizeof(opt);
	}
	return end;
}

int main(int argc, char **argv)
{
	if (argc < 2 || argc > 3) {
		die("usage: bench_upstream ADDRESS [TTL]");
	}
	static struct batch in;
	static struct batch out;
	struct sockaddr_in addr = sock_addr(argv[1]);
	uint32_t ttl_s = argc == 3 ? (uint32_t)strtoul(argv[2], NULL, 10) : 3600;
	int fd = sock_udp_bound(&addr);
	for (;;) {
		batch_ready(&in, true);
		batch_ready(&out, true);
		unsigned int count = batch_receive(&in, fd, MSG_WAITFORONE);
		unsigned int slot = 0;
		for (unsigned int i = 0; i < count; i++) {
			size_t len = answer(in.bytes[i], in.msg[i].msg_len, ttl_s);
			if (len == 0) {
				continue;
			}
			out.iov[slot] = (struct iovec){in.bytes[i], len};
			out.from[slot++] = in.from[i];
		}
		batch_send(&out, fd, slot);
	}
}
