/*
 * dns/layout_int.h - record data by shape: where names stand in it, so that pointers can be checked and undone.
 *
 * Covers the types whose names may be compressed (RFC 1035, and those of RFC 3597 section 4), those with a
 * name at all, and addresses. All other types are plain octets to us.
 */
#pragma once

#include "base/cursor.h"
#include "dns/name.h"

/* In this order: fixed octets, character strings, names, fixed octets, and (rest) whatever. */
struct dns__layout {
	uint8_t before;
	uint8_t strings;
	uint8_t names;
	uint8_t after;
	bool rest;
};

/* NULL: plain octets. */
const struct dns__layout *dns__layout_of(uint16_t type);

/*
 * A message being checked. Each label and each pointer followed costs a step; the steps of a message are in
 * proportion to its size, so that many long names of pointers cost no more than honest ones (T24).
 */
struct dns__scan {
	const uint8_t *wire;
	size_t size;
	size_t steps;
};

/*
 * Honest messages stay far below: even an owner of 127 labels in each 12 octets takes 11 steps an octet. The
 * added steps leave room for a long name or two in a small message.
 */
static inline struct dns__scan dns__scan_of(const uint8_t *wire, size_t size)
{
	return (struct dns__scan){.wire = wire, .size = size, .steps = 16 * size + 512};
}

/*
 * The name at offset, whose first part ends before end; pointers lead backwards only. ret_name (DNS_NAME_MAX)
 * and ret_next may be NULL. Returns the octets of the expanded name, or FAIL_FORMAT.
 */
int dns__scan_name(struct dns__scan *scan, size_t offset, size_t end, uint8_t *ret_name,
                   size_t *ret_next);

/* True when the data at rdata (rdlen octets, inside the message) has the shape of its type. */
bool dns__scan_rdata(struct dns__scan *scan, uint16_t type, size_t rdata, size_t rdlen);

/* Writes the same data with its names expanded; dns__scan_rdata has passed it. Room: out->bad. */
void dns__rdata_expand(const uint8_t *wire, size_t size, uint16_t type, size_t rdata, size_t rdlen,
                       struct writer *out);

/* Where the first name stands in uncompressed data of this type, or -1. */
int dns__layout_name(uint16_t type, const uint8_t *rdata, size_t rdlen);
