/*
 * bench/sock.h - what the bench programs share: sockets, batches, time, an end with a reason.
 *
 * These programs measure; when the world is wrong they say so and exit.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define BATCH      32  /* more gains nothing on loopback */
#define BATCH_ROOM 768 /* octets of one datagram */
#define DNS_HEADER 12

/* A batch of datagrams: received with names, sent back to them, or both. */
struct batch {
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_in from[BATCH];
	uint8_t bytes[BATCH][BATCH_ROOM];
};

/* Prints the reason, with errno's text when that is not 0, and exits with 1. */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);

/* CLOCK_MONOTONIC. */
uint64_t mono_ns(void);

/* "A.B.C.D:PORT" or "PORT" (of 127.0.0.1). */
struct sockaddr_in sock_addr(const char *text);

/* A bound, or a connected, UDP socket with room for bursts. */
int sock_udp_bound(const struct sockaddr_in *addr);
int sock_udp_connected(const struct sockaddr_in *addr);

/* A TCP socket that listens without blocking, or a connected one without delay. */
int sock_tcp_listening(const struct sockaddr_in *addr);
int sock_tcp_connected(const struct sockaddr_in *addr);

/* Points every slot at its own room. named: with the peer's address. */
void batch_ready(struct batch *batch, bool named);

/* As many datagrams as there are, at most BATCH; 0: none now. */
unsigned int batch_receive(struct batch *batch, int fd, int flags);

/* Sends the first count slots; what the socket refuses is left out. */
void batch_send(struct batch *batch, int fd, unsigned int count);

static inline uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline void put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}
