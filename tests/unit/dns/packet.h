/*
 * Packets for tests, written as text.
 */
#pragma once

#include "base/fail.h"
#include "dns/build.h"
#include "dns/msg.h"
#include "dns/rdata.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* An answer under the pen. */
struct packet {
	uint8_t bytes[DNS_MSG_MAX];
	struct dns_build build;
	size_t size;
	struct dns_reply reply;
};

/* Static wire form of a name; a few at a time. */
static inline const uint8_t *wire_name(const char *text)
{
	static uint8_t names[16][DNS_NAME_MAX];
	static unsigned int next;
	uint8_t *name = names[next++ % 16];
	assert_true(dns_name_parse(text, name) > 0);
	return name;
}

/* Hexadecimal digits, blanks aside, to octets. Returns how many. */
static inline size_t unhex(const char *hex, uint8_t *ret_bytes)
{
	size_t size = 0;
	for (; *hex != '\0'; hex++) {
		unsigned int octet;
		if (*hex == ' ') {
			continue;
		}
		assert_int_equal(sscanf(hex, "%2x", &octet), 1);
		ret_bytes[size++] = (uint8_t)octet;
		hex++;
	}
	return size;
}

static inline void packet_begin(struct packet *p, const char *name, uint16_t qtype, uint16_t flags)
{
	dns_build_question(&p->build, p->bytes, sizeof(p->bytes), 0x1234, flags | DNS_FLAG_QR,
	                   wire_name(name), qtype);
}

/* value: as dns_rdata_parse_route53 takes it, or "#" and hexadecimal digits. */
static inline void packet_add(struct packet *p, enum dns_section section, const char *owner,
                              uint16_t type, uint32_t ttl, const char *value)
{
	uint8_t rdata[4096];
	char err[200] = "";
	int len;
	if (value[0] == '#') {
		len = (int)unhex(value + 1, rdata);
	} else {
		len = dns_rdata_parse_route53(type, value, rdata, sizeof(rdata), err, sizeof(err));
	}
	if (len < 0) {
		fail_msg("%s: %s", value, err);
	}
	assert_true(dns_build_rr(&p->build, section, wire_name(owner), type, DNS_CLASS_IN, ttl,
	                         rdata, (uint16_t)len));
}

static inline void packet_end(struct packet *p, unsigned int rcode)
{
	p->size = dns_build_end(&p->build, 0, rcode, NULL);
	assert_int_equal(dns_reply_read(p->bytes, p->size, &p->reply), 0);
}

/* A name in a message, as text. */
static inline const char *text_at(const uint8_t *wire, size_t size, size_t at)
{
	static char text[DNS_NAME_TEXT_MAX];
	uint8_t name[DNS_NAME_MAX];
	assert_true(dns_msg_name(wire, size, at, name, NULL) > 0);
	return dns_name_text(name, text);
}
