/*
 * sync/sync.h - the side thread that keeps zones in step with Route 53 and zone files.
 *
 * Discovers zones by id and by VPC, lists them within the API budget, builds each aside, and
 * publishes a new table of zones when something changed. A failed or partial listing never
 * replaces good data; one slow or failing zone holds up no other's data for longer than its calls.
 *
 * Loop:   a thread of its own (blocking calls); nothing here is called on a worker.
 * AWS:    facts/route53.md; threats T35.
 */
#pragma once

#include "base/addr.h"
#include "metric/metric.h"
#include "zone/zones.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sync;

/* Zones of another account are listed with a role of its own. */
struct sync_role {
	const char *role_arn;
	const char *external_id;     /* "": none */
	const char *const *accounts; /* whose zones; with no zones either, the role's own account */
	size_t account_count;
	const char *const *zones; /* ids; before any accounts */
	size_t zone_count;
};

struct sync_opts {
	bool api;                 /* a route53 section is there */
	const char *vpc;          /* "auto", a vpc id, or "" */
	const char *region;       /* "auto" or a name */
	const char *const *zones; /* zone ids */
	size_t zone_count;
	const char *const *tags; /* "KEY=VALUE" or "KEY": zones that have one of them */
	size_t tag_count;
	const char *const *zone_files;
	size_t zone_file_count;
	unsigned int interval_s;
	unsigned int min_interval_s;
	double rate;                 /* API calls a second, all zones together; burst 10 */
	unsigned int guard_max_loss; /* percent of a zone that one listing may take away */
	unsigned int guard_min_sets; /* of zones of so many sets or more */
	const char *endpoint;
	const char *queue; /* URL of the SQS queue with change events; NULL or "": none */
	const struct sync_role *roles;
	size_t role_count;
	/* Other horizonds that zones' copies are taken from; needs state_dir. */
	const struct addr *peers;
	size_t peer_count;
	const char *peer_name;        /* that their certificates bear */
	const char *peer_certificate; /* ours, its key, and whose certificates are taken: files */
	const char *peer_key;
	const char *peer_ca;
	const char *state_dir; /* "": no copies on disk */
};

/*
 * Called on the side thread with the table from now on (one reference handed over), first with
 * what files (and disk) gave before sync_start returns. Must not block long.
 */
typedef void sync_publish_fn(void *ctx, struct zones *zones);
/* What instance metadata told (region, VPC CIDRs), once known: for autodefined names. */
struct aws_instance;
typedef void sync_instance_fn(void *ctx, const struct aws_instance *instance);

struct sync_hooks {
	sync_publish_fn *publish;
	sync_instance_fn *instance; /* may be NULL */
	/*
	 * Asks the VPC resolver for the SOA of origin: the association check without ListHostedZonesByVPC. Blocking.
	 * 0 and the SOA's serial-bearing RDATA compared by sync: writes uncompressed rdata to buf. May be NULL.
	 */
	int (*vpc_soa)(void *ctx, const uint8_t *origin, uint8_t *buf, size_t size,
	               size_t *ret_len);
	/*
	 * Addresses (port aside) of the API's host names, from the VPC resolver and not through ourselves. Blocking. NULL:
	 * the system's resolver is used. Handed on as aws_opts.resolve, which see.
	 */
	int (*resolve)(void *ctx, const char *host, struct addr *ret, size_t max);
	void *ctx;
};

/*
 * Reads zone files and disk copies at once (a zone file that cannot be read fails the start: FAIL_FORMAT with
 * one line in err; the caller decides), publishes, then starts the thread. NULL on failure.
 */
struct sync *sync_start(const struct sync_opts *opts, const struct sync_hooks *hooks, char *err,
                        size_t err_size);

/* Ends calls under way, joins the thread, frees. */
void sync_stop(struct sync **sync);

/*
 * New settings (SIGHUP): zones that stay keep their data. A bad zone file: FAIL_FORMAT, err, nothing changes.
 */
int sync_reload(struct sync *sync, const struct sync_opts *opts, char *err, size_t err_size);

/* Looks at the zone of this name or id now ("": all). FAIL_NOTFOUND. Thread-safe. */
int sync_now(struct sync *sync, const char *zone);

/* Serves what is held back of the zone of this name or id. FAIL_NOTFOUND: no such zone, or nothing is held. Thread-safe. */
int sync_accept(struct sync *sync, const char *zone);

/*
 * A change feed says that this zone (Z0ABC or /hostedzone/Z0ABC) has changed: it is listed as soon as the budget has a
 * call, before zones whose turn it merely is. A hint that comes while the zone is being listed has it listed once more;
 * any number of hints of one zone that wait are one. An id that is none of ours, or "", has the VPC's zones listed
 * again. Never blocks for long. Thread-safe.
 */
void sync_hint(struct sync *sync, const char *zone_id);

/*
 * The change feed is heard: a zone that does not change is listed once in SYNC_FEED_INTERVAL_S only. false (as at first):
 * there is none, or it is silent, and zones are looked at as the settings say. Thread-safe.
 */
#define SYNC_FEED_INTERVAL_S 3600
void sync_set_feed(struct sync *sync, bool heard);

/*
 * Every configured zone is loaded or known unavailable (CONTRACT, Ready). why: what is still missing, one line. Thread-safe.
 */
bool sync_ready(struct sync *sync, char *why, size_t why_size);

/* What others of the fleet may have of us: peer_index_fn's list. Thread-safe. */
void sync_fleet_index(struct sync *sync, struct text *out);

/* horizond_zone_* and the API's counters. Thread-safe. */
void sync_metrics(void *sync, struct text *out);
