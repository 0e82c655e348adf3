/*
 * base/siphash.h - SipHash-2-4: a short keyed digest that nobody can make without the key.
 *
 * For what leaves the process and must be known again (DNS cookies, names of our own); tables use
 * base/hash.h, which is quicker.
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012); RFC 9018, section 4.4.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY 16

/* The 64-bit digest; its octets are those of the number, the least first. */
uint64_t siphash_digest(const uint8_t key[SIPHASH_KEY], const void *bytes, size_t size);
