/*
 * parity/compare_int.h - one answer of the VPC resolver beside a zone's copy. No state.
 */
#pragma once

#include "parity/parity.h"

/*
 * UNKNOWN: reply is NULL or a failure, or the copy does not answer this itself. *ret_ttl_s: how long somebody may
 * have kept what the copy says now.
 */
enum parity_result compare__reply(const struct zone *zone, const uint8_t *name, uint16_t type,
                                  const struct dns_reply *reply, uint32_t *ret_ttl_s);

/* True when the copy answers this itself, with records or without. */
bool compare__static(const struct zone *zone, const struct dns_key *key, uint16_t type);

/* Both answers in words: "10.0.0.1 10.0.0.2", "NXDOMAIN", "no A". */
void compare__ours(const struct zone *zone, const uint8_t *name, uint16_t type, struct text *out);
void compare__theirs(const struct dns_reply *reply, const uint8_t *name, uint16_t type,
                     struct text *out);
