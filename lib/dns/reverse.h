/*
 * dns/reverse.h - addresses and prefixes as names below in-addr.arpa and ip6.arpa.
 *
 * RFC: 1035 section 3.5, 3596 section 2.5.
 */
#pragma once

#include "base/addr.h"
#include "dns/name.h"

/* The PTR name of an address. ret_name: DNS_NAME_MAX. */
void dns_reverse_addr(const struct addr *addr, uint8_t *ret_name);

/*
 * The zones that together hold exactly the prefix: one when its length falls on an octet (IPv4) or
 * nibble (IPv6), else up to 128 (/1../7 of IPv4) next longer ones; /25../32 of IPv4 give the names of
 * single addresses. Calls each(ctx, name) for every zone; a non-zero return ends and is returned.
 */
int dns_reverse_zones(const struct prefix *prefix, int (*each)(void *ctx, const uint8_t *name),
                      void *ctx);

/* How many zones that will be. */
unsigned int dns_reverse_count(const struct prefix *prefix);
