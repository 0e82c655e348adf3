/*
 * query/world.h - what answers are made from: zones, rules, clients and settings, swapped whole.
 *
 * A world is immutable. Two writers make new ones: the sync thread brings zones, the control thread
 * brings settings; each builds a new world with the other's half and publishes one pointer. Readers take
 * it inside an epoch section (base/epoch.h) and keep no pointer into it beyond.
 */
#pragma once

#include "dns/name.h"
#include "route/clients.h"
#include "route/rules.h"
#include "zone/zones.h"
#include <stddef.h>
#include <stdint.h>

#define WORLD_COOKIE_SECRETS 3

/* Settings that answers depend on. Text and names are copied. */
struct world_opts {
	const char *version;   /* CHAOS version.bind; "": REFUSED */
	const char *server_id; /* id.server and NSID; "": REFUSED, none */
	const char *region;    /* of our VPC, for what is reckoned; "" or NULL: not known */
	uint32_t min_ttl_s;    /* forwarded answers */
	uint32_t max_ttl_s;
	uint32_t max_negative_ttl_s;
	/* Private zones (wire names, any case) whose missing names are asked of the public DNS, and who speaks for it. */
	const uint8_t *const *fallback;
	size_t fallback_count;
	uint32_t fallback_origin;
	/* Of DNS cookies: the first makes them, each is good; none: one of our own, changed each day. */
	uint8_t cookie_secrets[WORLD_COOKIE_SECRETS][16];
	unsigned int cookie_secret_count;
	uint32_t keepalive_s; /* told to TCP clients that ask (RFC 7828) */
};

struct world_conf; /* rules, clients and opts: one reading of the settings */

/* Takes over rules and clients, also when it fails (NULL: no memory). */
struct world_conf *world_conf_new(struct rules *rules, struct clients *clients,
                                  const struct world_opts *opts);
void world_conf_unref(struct world_conf **conf);

struct world {
	const struct zones *zones;
	const struct rules *rules;
	const struct clients *clients;
	const struct world_opts *opts;
	uint64_t zone_depths; /* numbers of labels that occur: zone/zones.h, route/rules.h */
	uint64_t rule_depths;
};

struct world_root;

/* A root with no zones and these settings (one reference taken over). NULL: no memory. */
struct world_root *world_root_new(struct world_conf *conf);
/* No reader may be left. Sets *root to NULL. */
void world_root_free(struct world_root **root);

/* The present world, never NULL: borrowed until the epoch section ends. */
const struct world *world_get(const struct world_root *root);

/* Publish a new half (one reference taken over, also on failure). FAIL_NOMEM: the old world stays. Any thread. */
int world_set_zones(struct world_root *root, struct zones *zones);
int world_set_conf(struct world_root *root, struct world_conf *conf);

/* The zones of now with a reference of the caller's own: for status, outside epoch sections. */
struct zones *world_zones(struct world_root *root);

/* Where a name belongs. */
struct world_place {
	const struct zones_entry *zone; /* NULL: in no private zone */
	const struct rule *rule; /* the rule that decides, when zone is NULL; never NULL then */
};

/*
 * The most specific of rules and zones together (D1, D3): for one name FORWARD and SYSTEM before the zone, the
 * zone before AUTODEFINED and DELEGATED; a SYSTEM rule returns the name to zones, else to the VPC resolver.
 */
void world_route(const struct world *world, const struct dns_key *key,
                 struct world_place *ret_place);
