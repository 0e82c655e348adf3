/*
 * base/addr.h - socket addresses and prefixes, IPv4 and IPv6.
 *
 * Text forms (CONTRACT): A.B.C.D, A.B.C.D:PORT, ADDR6, [ADDR6]:PORT; IPv6 may carry %SCOPE.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in in4;
		struct sockaddr_in6 in6;
	};
	socklen_t len; /* 0: none */
};

#define ADDR_TEXT_MAX 80

/* FAIL_FORMAT when the text is no address. port: what to set when the text names none. */
int addr_parse(const char *text, uint16_t port, struct addr *ret_addr);

/* "10.0.0.2:53", "[fd00::2]:53"; without the port: addr_text_host. buf: ADDR_TEXT_MAX. Returns buf. */
const char *addr_text(const struct addr *addr, char *buf);
const char *addr_text_host(const struct addr *addr, char *buf);

uint16_t addr_port(const struct addr *addr);
void addr_set_port(struct addr *addr, uint16_t port);

/* Same family, address, port and scope. addr_equal_host: the port left aside. */
bool addr_equal(const struct addr *a, const struct addr *b);
bool addr_equal_host(const struct addr *a, const struct addr *b);
bool addr_is_any(const struct addr *addr);
bool addr_is_loopback(const struct addr *addr);

struct prefix {
	uint8_t bytes[16]; /* host bits are zero */
	uint8_t bits;      /* length: 0..32 or 0..128 */
	uint8_t family;    /* AF_INET or AF_INET6 */
};

#define PREFIX_TEXT_MAX 64

/* "10.0.0.0/8", "fd00::/8"; an address alone is /32 or /128. FAIL_FORMAT; host bits set are FAIL_FORMAT too. */
int prefix_parse(const char *text, struct prefix *ret_prefix);
const char *prefix_text(const struct prefix *prefix, char *buf);

/* An IPv4-mapped IPv6 address counts as its IPv4 address. */
bool prefix_holds(const struct prefix *prefix, const struct addr *addr);
