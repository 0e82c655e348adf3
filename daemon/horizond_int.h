/*
 * daemon/horizond_int.h - the daemon: what it is made of. Wiring only; the work is done in the rooms.
 */
#pragma once

#include "base/text.h"
#include "cache/cache.h"
#include "config/settings.h"
#include "control/http.h"
#include "control/socket.h"
#include "forward/forward.h"
#include "loop/loop.h"
#include "loop/mailbox.h"
#include "parity/parity.h"
#include "peer/peer.h"
#include "query/world.h"
#include "server/server.h"
#include "sync/sync.h"
#include <pthread.h>

#define KEEP_PATH_MAX 4096

/* The cache on disk. */
struct keep {
	pthread_t thread;
	pthread_mutex_t lock; /* of path and end */
	pthread_cond_t wake;
	bool started;
	bool end;
	char path[KEEP_PATH_MAX]; /* "": off */
	/* What the cache said of itself when it was last written. */
	uint64_t stored;
	size_t entries;
};

struct watch;

#define DELEGATION_TARGETS 8

/* A cut in a private zone and the addresses that its glue gives. */
struct delegation {
	uint8_t domain[DNS_NAME_MAX];
	struct addr targets[DELEGATION_TARGETS];
	size_t target_count;
};
struct delegations {
	struct delegation *items;
	size_t count;
};

struct horizond {
	const char *config_path;
	struct settings *settings;
	struct loop *loop;   /* the control thread's */
	struct mailbox *box; /* letters to it */
	struct forward *forward;
	struct cache *cache;
	struct world_root *world;
	struct server *server;
	struct tls_host *tls;           /* what the listener for TLS shows; NULL: there is none */
	struct delegations delegations; /* of the zones of now; the control thread's */
	struct sync *sync;
	struct control *control;
	struct http *http;
	struct loop_signal on_hup, on_term, on_int;
	struct loop_timer watchdog;
	struct keep keep;
	struct watch *watch; /* horizond_parity.c */
	struct peer *peer;   /* NULL: nothing is served to others */
	struct parity *parity;
	uint64_t started_us;
	int64_t started_wall_s;
	uint64_t reloads_ok, reloads_bad;
	bool ending;  /* atomic: questions of our own are given up */
	bool settled; /* atomic: all zones have been looked at since the start */
	bool alive;   /* all workers turned since the last look */
	/* What the side thread shares with the control thread: the instance's metadata, and the resolvers. */
	pthread_mutex_t instance_lock;
	char region[32];
	struct prefix vpc_cidrs[16];
	size_t vpc_cidr_count;
	struct addr resolvers
		[SETTINGS_TARGETS_MAX]; /* the VPC resolver, for the side thread's own questions */
	size_t resolver_count;
};

/* horizond_wire.c: settings to what the rooms take. */
uint32_t wire_vpc_origin(const struct settings *settings);
struct world_conf *wire_world_conf(struct horizond *h, const struct settings *settings);
/* also (may be NULL): other settings whose groups stay beside these. */
int wire_forward_groups(struct horizond *h, const struct settings *settings,
                        const struct settings *also);
/*
 * The certificate of the settings, read anew: *ret_host is NULL without a listener for TLS. A failure with one line in
 * err.
 */
int wire_tls(struct horizond *h, const struct settings *settings, struct tls_host **ret_host,
             char *err, size_t err_size);
void wire_server_opts(struct horizond *h, const struct settings *settings, unsigned int workers,
                      struct server_opts *ret_opts);
struct cache_opts wire_cache_opts(const struct settings *settings);
/* Text members point into settings; the rest is freed by the other. FAIL_NOMEM. */
int wire_sync_opts(const struct settings *settings, struct sync_opts *ret_opts);
void wire_sync_opts_free(struct sync_opts *opts);

/* horizond_flush.c: forgets what was kept of names for which the zones now say otherwise. */
void flush_changed(struct horizond *h, const struct zones *before, const struct zones *now);

/* horizond_delegate.c */
/* FAIL_NOMEM: *ret_found is left alone. */
int delegations_find(const struct zones *zones, struct delegations *ret_found);
void delegations_fini(struct delegations *delegations);

/* horizond_reload.c */
/* Reads the file again. False: nothing changed; faults (a line each) say why. */
bool horizond_reload(struct horizond *h, struct text *faults);
/* The settings' VPC resolver, where the side thread looks for it. */
void horizond_set_resolvers(struct horizond *h, const struct settings *settings);
/* New autodefined names: the rules are made again with the settings of now. */
void horizond_rewire(struct horizond *h);

/* horizond_keep.c */
/* Loads what was kept, then writes it from time to time. Before the first question; 0 or a negative errno. */
int horizond_keep_start(struct horizond *h);
void horizond_keep_tune(struct horizond *h, const struct settings *settings);
/* Writes it for the last time: the workers have ended. Nothing when it was not started. */
void horizond_keep_stop(struct horizond *h);

/* horizond_peer.c: with the sync thread there. 0 too when there is nothing to do; FAIL_*, one line in err. */
int horizond_peer_start(struct horizond *h, const struct settings *settings, char *err,
                        size_t err_size);
/* After a reload. */
void horizond_peer_follow(struct horizond *h, const struct settings *settings);

/* horizond_parity.c: the parity watch, on the control thread. */
int horizond_parity_start(struct horizond *h);
void horizond_parity_tune(struct horizond *h, const struct settings *settings);
/* No more questions; what is under way still comes by the box. */
void horizond_parity_stop(struct horizond *h);
/* After the box. */
void horizond_parity_free(struct horizond *h);

/* horizond_commands.c: what horizonctl may ask. */
extern const struct control_command horizond_commands[];
extern const size_t horizond_command_count;

/* horizond_metrics.c */
void horizond_metrics(void *ctx, struct text *out);
bool horizond_healthy(void *ctx, char *why, size_t why_size);
bool horizond_ready(void *ctx, char *why, size_t why_size);

/* horizond_lookup.c: questions of our own to the VPC resolver, blocking, for the side thread. */
int lookup_soa(void *ctx, const uint8_t *origin, uint8_t *buf, size_t size, size_t *ret_len);
/* Returns how many addresses, or a failure. */
int lookup_host(void *ctx, const char *host, struct addr *ret_addrs, size_t max);
