/*
 * route/clients.h - who may ask what: longest prefix wins. An immutable table, swapped whole.
 */
#pragma once

#include "base/addr.h"
#include <stddef.h>
#include <stdint.h>

enum client_may {
	CLIENT_NOTHING,
	CLIENT_ZONES, /* private zones and what their CNAMEs lead to */
	CLIENT_ALL,
	CLIENT_MAYS,
};
const char *client_may_text(enum client_may may);

struct client_opts {
	struct prefix from;
	enum client_may may;
	uint32_t rate; /* questions/s per address; 0: no limit */
};

struct client_class {
	enum client_may may;
	uint32_t rate;
	char text[64]; /* "10.0.0.0/16 all", for explain */
};

struct clients;

/*
 * count 0 gives the default: loopback, private and link-local addresses (RFC 1918, RFC 4193,
 * 100.64/10 RFC 6598, 169.254/16, fe80::/10) may ask all, others nothing. NULL when memory is
 * short. Of equal prefixes the first counts.
 */
struct clients *clients_new(const struct client_opts *opts, size_t count);
void clients_free(struct clients **clients);

/* Never NULL: an address that no prefix holds may ask nothing. Cheap: meant for each packet. */
const struct client_class *clients_find(const struct clients *clients, const struct addr *addr);
