/*
 * dns/msg_int.h - records of a checked reply by their offset.
 */
#pragma once

#include "dns/msg.h"

/* The record whose owner stands at this offset. */
void dns__rr_at(const struct dns_reply *reply, uint16_t at, struct dns_rr *ret_rr);
