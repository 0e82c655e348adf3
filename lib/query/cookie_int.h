/*
 * query/cookie_int.h - DNS cookies towards clients: who brings ours back has shown his address.
 *
 * A server cookie is 16 octets: version 1, three of 0, the time, and SipHash-2-4 over the client's
 * cookie, those, and the client's address. So no state is kept, and servers that share a secret take
 * each other's. With secrets in the settings the first makes cookies and each is good for checking;
 * without, one is drawn at start and changed each day, each cookie being checked with its own day's.
 *
 * A cookie is good for an hour and renewed after half of it. One that is not good harms nobody: the
 * question is answered as if it had brought none, and a good one goes back with the answer. What has no
 * cookie's size is FORMERR (dns/msg.h).
 *
 * RFC: 7873 sections 4, 5.2; 9018 sections 4, 5 (the making, the life, the change of secrets).
 */
#pragma once

#include "base/addr.h"
#include "query/world.h"

#define QUERY_COOKIE_CLIENT 8
#define QUERY_COOKIE_SIZE   24 /* the client's 8 octets and ours */
#define QUERY_COOKIE_LIFE_S 3600
#define QUERY_COOKIE_RENEW  1800
#define QUERY_COOKIE_AHEAD  300 /* another server's clock may be so far before ours */

/*
 * given: the client's cookie, size octets (8, or 16 to 40). ret_cookie (QUERY_COOKIE_SIZE): what goes
 * back. True: given holds a good one of ours. wall_s: seconds since 1970.
 */
bool query__cookie(const struct world_opts *opts, const struct addr *client, const uint8_t *given,
                   size_t size, uint32_t wall_s, uint8_t *ret_cookie);
