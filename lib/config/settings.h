/*
 * config/settings.h - the daemon's settings: a libconfig file, checked, as one plain struct.
 *
 * A load reads the file, what it names with @include and the *.conf files of include_dir, and looks at
 * everything in one pass: either all of it is right, or every fault is told with its file and line and
 * what would be right. Nothing of a faulty file is ever handed out.
 *
 * Loop:   any thread; blocking file I/O, so never a worker. Settings are not changed once loaded.
 * Memory: one arena a load, freed whole by settings_free; files bounded in bytes, nesting and number.
 * T40:    a file that group or others may write is refused, before it is parsed.
 */
#pragma once

#include "base/addr.h"
#include "base/log.h"
#include "base/text.h"
#include "dns/name.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where something was written. */
struct settings_place {
	const char *file;
	unsigned int line;
};

struct settings_addrs {
	const struct addr *items;
	size_t count;
};

struct settings_prefixes {
	const struct prefix *items;
	size_t count;
};

struct settings_texts {
	const char *const *items;
	size_t count;
};

/* A name of the admin's own, with text. */
struct settings_pair {
	const char *name;
	const char *value;
};

struct settings_pairs {
	const struct settings_pair *items;
	size_t count;
};

/* Wire names, lower case. */
struct settings_names {
	const uint8_t *const *items;
	size_t count;
};

enum settings_type {
	SETTINGS_FORWARD,
	SETTINGS_SYSTEM,
};

/* Same order as enum forward_policy. */
enum settings_policy {
	SETTINGS_FASTEST,
	SETTINGS_ORDERED,
	SETTINGS_SPREAD,
};

/* Same order as enum client_may. */
enum settings_may {
	SETTINGS_NOTHING,
	SETTINGS_ZONES,
	SETTINGS_ALL,
};

/* One name of a rule; a CIDR gives as many as it has reverse zones, all with the same text. */
struct settings_domain {
	const uint8_t *name; /* wire, lower case */
	const char *text;    /* as written: "corp.example.com", "10.0.0.0/8" */
	struct settings_place place;
};

#define SETTINGS_TARGETS_MAX 32 /* of a rule, and of vpc_resolver */

struct settings_rule {
	enum settings_type type;
	const struct settings_domain *domains; /* at least one */
	size_t domain_count;
	struct settings_addrs targets; /* FORWARD: 1 .. SETTINGS_TARGETS_MAX; SYSTEM: none */
	enum settings_policy policy;
	unsigned int max_inflight;
	const uint8_t *probe_name; /* wire; NULL: no probe named */
	uint16_t probe_type;
	bool mixed_case;    /* names are sent in random case */
	bool cookies;       /* DNS cookies are sent */
	const char *tls;    /* "": none; a server name, or "sha256/BASE64" of its public key */
	struct addr source; /* len 0: any; the port is 0 */
	struct settings_place place;
};

struct settings_client {
	struct settings_prefixes from; /* at least one */
	enum settings_may may;
	uint32_t rate; /* questions/s per address; 0: no limit */
	struct settings_place place;
};

struct settings_role {
	const char *role_arn;
	const char *external_id; /* "": none */
	struct settings_texts accounts;
	struct settings_texts zones;
};

struct settings_route53 {
	bool present;                /* false: no API at all; the rest has its defaults */
	const char *vpc;             /* "auto", a vpc id, or "" */
	const char *region;          /* "auto" or a name */
	struct settings_texts zones; /* ids, without "/hostedzone/" */
	struct settings_texts tags;  /* "KEY=VALUE" or "KEY" */
	unsigned int interval_s;
	unsigned int min_interval_s; /* at most interval_s */
	double rate;
	const char *endpoint; /* "" or a URL */
	const char *queue;    /* "" or a URL */
	struct settings_names public_fallback;
	struct settings_addrs public_resolver;
	const struct settings_role *roles;
	size_t role_count;
	unsigned int guard_max_loss; /* percent */
	unsigned int guard_min_sets;
};

struct settings_cache {
	uint64_t size; /* bytes */
	uint32_t min_ttl_s;
	uint32_t max_ttl_s;
	uint32_t max_negative_ttl_s;
	uint32_t serve_stale_s;
	unsigned int stale_after_ms;
	bool persist;
};

/* The parity watch: samples of the zones compared with what the VPC resolver says. */
struct settings_parity {
	bool enabled;
	double rate;   /* samples/s, all zones together */
	bool fallback; /* zones that disagree are asked of the VPC resolver */
};

/* Copies of zones for other horizonds of the fleet, and from them. All of it or nothing but the defaults. */
struct settings_peer {
	struct settings_addrs listen; /* none: nothing is served */
	struct settings_addrs from;   /* none: nothing is taken */
	const char *name;             /* that all certificates of the fleet bear */
	const char *certificate;      /* files; "": none */
	const char *key;
	const char *ca;
};

struct settings_tcp {
	unsigned int max_connections;
	unsigned int max_per_client;
	unsigned int idle_s;
};

/* The listener for DNS over TLS. The files have been found to fit each other. */
struct settings_tls {
	struct settings_addrs listen; /* none: off */
	const char *certificate;
	const char *key;
};

/* Strings are never NULL; file names are absolute. */
struct settings {
	struct settings_addrs listen;       /* at least one */
	unsigned int workers;               /* 0: one per CPU */
	const char *user;                   /* "": stays */
	const char *state_dir;              /* "": nothing is kept on disk */
	const char *include_dir;            /* "": none. What it holds is merged already. */
	struct settings_addrs vpc_resolver; /* 1 .. SETTINGS_TARGETS_MAX */
	unsigned int vpc_packet_rate;
	struct settings_prefixes vpc_cidrs; /* none: from instance metadata */
	const char *version;                /* "": refused */
	const char *server_id;              /* "": none */
	struct settings_texts
		cookie_secrets; /* 32 hex digits each, at most 3; none: one is drawn */
	struct settings_route53 route53;
	struct settings_texts zone_files;
	const struct settings_rule *rules;
	size_t rule_count;
	const struct settings_client *clients; /* none: the default table */
	size_t client_count;
	struct settings_cache cache;
	struct settings_tcp tcp;
	struct settings_tls tls;
	struct settings_parity parity;
	struct settings_peer peer;
	struct addr metrics_listen; /* len 0: off */
	const char *control;        /* path of a Unix socket; "": off */
	enum log_level log_level;
	bool log_queries;
};

const char *settings_type_text(enum settings_type type);       /* "FORWARD" */
const char *settings_policy_text(enum settings_policy policy); /* "fastest" */
const char *settings_may_text(enum settings_may may);          /* "all" */

/*
 * Reads the file at path and all that it names. Returns 0 with *ret_settings set (the caller's, to be
 * freed), FAIL_FORMAT with every fault added to faults, one line each (ended by a newline) as
 * "FILE:LINE: what is wrong, and what would be right", sorted by file and line, or FAIL_NOMEM.
 */
int settings_load(const char *path, struct settings **ret_settings, struct text *faults);

/* The same with the main file's bytes given; path is only its name, and says against what folder names are read. */
int settings_load_bytes(const char *path, const char *bytes, size_t size,
                        struct settings **ret_settings, struct text *faults);

/* NULL in *settings is fine. Sets it to NULL. */
void settings_free(struct settings **settings);

/*
 * Everything as understood, defaults included, in libconfig syntax. Loaded again it gives the same
 * settings; what came from include_dir stands in it, so include_dir itself is empty there.
 */
void settings_print(const struct settings *settings, struct text *out);

/*
 * What changes from one to the other, a line each: "cache.size: 64M -> 128M",
 * "rules: + FORWARD a.example -> 10.0.0.1:53". Returns the number of lines: 0 when both say the same.
 * The order of rules and clients, and where they are written, makes no difference.
 */
size_t settings_diff(const struct settings *before, const struct settings *after, struct text *out);
