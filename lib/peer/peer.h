/*
 * peer/peer.h - serves our zones' copies to other horizonds of the fleet, over TLS with certificates on both sides.
 *
 * GET /v1/zones is a list, a line a zone (see peer_index_fn); GET /v1/zones/ID is the zone's file in dir as it lies there.
 * The reader checks every byte (zone/copy.h). Nothing else is served, and nothing is taken.
 *
 * Loop:    PEER_THREADS threads of its own, a connection each; more wait to be accepted.
 * Memory:  one buffer a thread; requests of at most 4 KiB, files of at most 1 GiB.
 * Threats: whoever has no certificate of our CA with the fleet's name gets no further than the handshake (TLS 1.3), which
 *          has 3 s; a whole answer has 60 s.
 */
#pragma once

#include "base/addr.h"
#include "base/text.h"
#include <stddef.h>

#define PEER_THREADS    4
#define PEER_LISTEN_MAX 8
#define PEER_PATH_ZONES "/v1/zones"

/* Writes the list: "ID FINGERPRINT(hex) LOOKED_S KNOWN_S\n" for each zone (aws/fleet.h). From any thread. */
typedef void peer_index_fn(void *ctx, struct text *out);

struct peer_opts {
	const struct addr *listen;
	size_t listen_count;
	const char *certificate; /* files, PEM */
	const char *key;
	const char *ca;   /* whose certificates are taken, */
	const char *name; /* with this name in them */
	const char *dir;  /* of the zones' copies */
	peer_index_fn *index;
	void *ctx;
};

struct peer;

/* Reads the files, opens the sockets, starts. FAIL_*, -errno, with one line in err. */
int peer_start(const struct peer_opts *opts, struct peer **ret_peer, char *err, size_t err_size);

/* Ends connections under way, joins, frees, sets to NULL. NULL inside is fine. */
void peer_stop(struct peer **peer);
