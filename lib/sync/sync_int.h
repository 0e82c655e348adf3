/*
 * sync/sync_int.h - what the files of the room share.
 *
 * Everything belongs to the side thread, but for what stands under `lock`. Other threads leave orders
 * there; the thread takes them up between two calls to the API, while it waits for one, and while it
 * sleeps, so that an order never waits for a listing to end.
 */
#pragma once

#include "aws/route53.h"
#include "sync/budget_int.h"
#include "sync/sync.h"
#include "zone/health.h"
#include <pthread.h>

#define SYNC_ID_MAX     65 /* ids are at most 32 long; longer ones are kept to be refused */
#define SYNC_ZONES_MAX  10000
#define SYNC_ORDERS_MAX 16
#define SYNC_HINTS_MAX  256 /* zones that changed and wait; with more of them all are looked at */
#define SYNC_NEVER      UINT64_MAX

/* sync_role with texts of its own. */
struct sync_settings_role {
	char *role_arn;
	char *external_id;
	char **accounts;
	size_t account_count;
	char **zones; /* bare ids */
	size_t zone_count;
};

/* sync_opts with texts of its own. */
struct sync_settings {
	bool api;
	char *vpc;
	char *region;
	char *endpoint;
	char **zones; /* bare ids */
	size_t zone_count;
	char **tags;
	size_t tag_count;
	char **zone_files;
	size_t zone_file_count;
	char *queue; /* "": none */
	struct addr *peers;
	size_t peer_count;
	char *peer_name;
	char *peer_certificate;
	char *peer_key;
	char *peer_ca;
	struct sync_settings_role *roles;
	size_t role_count;
	char *state_dir; /* "": no copies on disk */
	unsigned int interval_s;
	unsigned int min_interval_s;
	double rate;
	unsigned int guard_max_loss; /* percent */
	unsigned int guard_min_sets;
};

/* When something is due, and how often in a row it failed. */
struct sync_due {
	uint64_t at_ms;
	unsigned int failures;
	bool told; /* the trouble was logged */
};

/* A zone that is being listed: page by page, in turn with others. */
struct sync_listing {
	struct zone_builder *builder;
	struct aws_listing *pages;
	uint64_t began_ms;
	unsigned int failures; /* of one page in a row */
};

/* More are not begun while so many go on, or so many rest after a failure: each holds what it has read. */
#define SYNC_LISTINGS_MAX 4
#define SYNC_RESTING_MAX  16

struct sync_zone {
	char id[SYNC_ID_MAX];  /* "": of a file */
	char *file;            /* NULL: of the API */
	bool configured;       /* named in the settings */
	bool by_vpc;           /* one of the VPC's, at the last listing or the one before */
	bool by_tag;           /* it has one of the tags */
	unsigned int untagged; /* rounds in a row that found it without */
	bool foreign;          /* a service owns it: never listed */
	char account[16];      /* that owns it, as the VPC's listing says; "": not known */
	bool asked;            /* an operator wants a look now */
	bool dropped;          /* the settings have gone on without it while it was looked at */
	unsigned int gone;     /* listings of the VPC in a row that lacked it */
	unsigned int missing;  /* looks in a row that found no such zone */
	unsigned int changing; /* listings in a row that changed while they were read */

	struct zone *zone;
	uint8_t origin[DNS_NAME_MAX + 1];
	bool origin_known;
	enum zone_source source;
	bool associated;
	enum zones_known known;
	bool unavailable;
	int64_t looked_s;
	int64_t changed_s;
	uint64_t calls;
	uint64_t failures;
	char trouble[160];

	struct zone *held; /* a listing that waits to be confirmed; NULL: none */
	char held_why[96];
	int64_t held_s; /* when it was listed */

	bool unkept;    /* the copy on disk says something else, or there is none */
	int64_t kept_s; /* looked_s in the copy on disk; 0: no copy */
	char vpc[64];   /* of the copy on disk */

	struct sync_listing *listing; /* NULL: none under way */
	uint64_t rest_ms;             /* between two looks that find nothing new */

	struct sync_due due;
};

#define SYNC_CHECKS_MAX 1000

/* One health check that a reckoned set names. */
struct sync_check {
	char id[SYNC_ID_MAX];
	bool asked;
	bool told; /* that nothing is known of it */
	bool known;
	bool healthy;
	bool named;      /* while they are gathered: a zone still names it */
	int64_t known_s; /* wall clock */
};

struct sync_health {
	struct sync_check *items;
	size_t count;
	size_t room;
	size_t next; /* whose turn it is */
	bool stale;  /* the zones have changed: to be gathered anew */
	struct sync_due due;
};

struct sync_tagged;

/* One round over the tags of all private zones. */
struct sync_tags {
	struct sync_due due;
	struct sync_tagged *items; /* NULL: no round under way */
	size_t count;
	size_t next; /* whose tags are asked for next */
	uint64_t began_ms;
	bool listed; /* a round has ended well */
	char trouble[160];
};

/* A whole new set of settings, with its zone files already read. */
struct sync_order {
	struct sync_settings *settings;
	struct zone **files; /* settings->zone_file_count of them */
};

struct sync {
	struct sync_hooks hooks;
	pthread_t thread;

	/* --- The thread's own --- */
	struct sync_settings *settings;
	struct sync_zone **zones;
	size_t zone_count;
	struct sync_zone *current; /* being looked at */
	bool turn;                 /* a listing under way comes before one to be begun */
	bool in_call;              /* inside a call to aws: it must not be freed */
	bool aws_stale;            /* to be made anew for new settings */
	struct sync_budget budget;
	struct sync_due discovery;
	struct sync_due instance_due;
	struct aws_instance instance;
	bool instance_known;
	bool instance_absent; /* switched off, or silent often enough */
	bool discovered;      /* the VPC's zones were listed */
	bool discovery_denied;
	char discovery_trouble[160];
	bool remembered; /* zones of the VPC were on disk */
	bool swept;      /* copies on disk of zones that nobody wants are removed */
	struct sync_due disk_due;
	char disk_trouble[80];
	struct sync_health health;
	struct fleet *fleet; /* NULL: no peers */
	bool fleet_stale;    /* to be made anew for new settings */
	size_t fleet_last;   /* the peer that answered last, or has its turn now */
	size_t fleet_tried;  /* those that have failed in a row */
	struct sync_due fleet_due;
	struct sync_tags tags;
	bool tags_stale; /* a round under way is for tags of before */
	bool publish_now; /* something that answers, readiness or an operator depends on has changed */
	bool publish_soon; /* within a second: only times and counts have */
	uint64_t published_ms;

	/* --- Under lock --- */
	pthread_mutex_t lock;
	pthread_cond_t poke;
	bool stopping;
	struct sync_order *order;                        /* the newest; NULL: none */
	char wanted[SYNC_ORDERS_MAX][DNS_NAME_TEXT_MAX]; /* zones to look at now */
	size_t wanted_count;
	bool wanted_all;
	char hints[SYNC_HINTS_MAX][SYNC_ID_MAX]; /* ids of zones that have changed */
	size_t hint_count;
	char accepted[SYNC_ORDERS_MAX]
		     [DNS_NAME_TEXT_MAX]; /* zones whose held listing is to be served */
	size_t accepted_count;
	bool hinted_vpc; /* zones have come or gone */
	bool feed_lost;  /* was heard, is not any more */
	struct aws *aws; /* changed by the thread, under lock; its counters are read by others */
	struct zones *latest;
	bool ready;
	char why[256]; /* what is missing while not ready */

	bool cancel;               /* atomic: the call under way is of no use any more */
	bool feed;                 /* atomic: a change feed is heard */
	struct sync_feed *feeding; /* changed by the thread, under lock; NULL: none */
};

/* --- settings.c --- */

/* "/hostedzone/Z0ABC" is Z0ABC. */
const char *sync_settings__bare_id(const char *id);
/* Each as what() has it. NULL: no memory. */
char **sync_settings__texts(const char *const *texts, size_t count,
                            const char *(*what)(const char *));
void sync_settings__texts_free(char **texts, size_t count);

/* NULL: no memory. */
struct sync_settings *sync_settings__new(const struct sync_opts *opts);
void sync_settings__free(struct sync_settings **settings);
bool sync_settings__same_tags(const struct sync_settings *a, const struct sync_settings *b);
/* The client must be made anew to follow. */
bool sync_settings__same_api(const struct sync_settings *a, const struct sync_settings *b);

/* Reads its zone files. FAIL_*, with one line in err. */
int sync_order__new(const struct sync_opts *opts, struct sync_order **ret_order, char *err,
                    size_t err_size);
void sync_order__free(struct sync_order **order);
/* Frees all but the settings, which it hands over. */
struct sync_settings *sync_order__use_up(struct sync_order **order);

/* --- table.c: the zones that are known --- */

struct sync_zone *sync_table__find(const struct sync *sync, const char *id);
/* A zone of the API, due at once. NULL: no memory, or too many. */
struct sync_zone *sync_table__add(struct sync *sync, const char *id);
/* Frees it now, or after the look at it that is under way. */
void sync_table__remove(struct sync *sync, struct sync_zone *zone);
void sync_table__clear(struct sync *sync);
/* Settings and files of the order take the place of those before; the order is used up. FAIL_NOMEM. */
int sync_table__apply(struct sync *sync, struct sync_order *order);

void sync_zone__free(struct sync_zone **zone);
/* New data (kept) or, with NULL, none. True when that is a change. */
bool sync_zone__take(struct sync_zone *zone, struct zone *data, enum zone_source source);
/* One line when it was loaded, has changed, or has recovered. */
void sync_zone__tell(const struct sync_zone *zone, bool first, bool changed);
/* "Z0ABC (corp.example.)". buf: SYNC_LABEL_MAX. Returns buf. */
#define SYNC_LABEL_MAX 1200
const char *sync_zone__label(const struct sync_zone *zone, char *buf);

/* --- orders.c: what other threads want --- */

/* Takes up wishes and hints. Under lock. */
void sync_orders__take(struct sync *sync, uint64_t now_ms);
/* Something waits to be taken up. Under lock. */
bool sync_orders__wait(const struct sync *sync);

/* --- roles.c --- */

/* False: no memory. */
bool sync_roles__copy(struct sync_settings *settings, const struct sync_opts *opts);
void sync_roles__free(struct sync_settings *settings);
bool sync_roles__same(const struct sync_settings *a, const struct sync_settings *b);
/* The number of the role that lists a zone; SIZE_MAX: our own credentials do. */
size_t sync_roles__of(const struct sync_settings *settings, const struct sync_zone *zone);

/* --- feed.c --- */

struct sync_feed;
/* Starts, stops or changes it as the settings say. The side thread's, like the next. */
void sync_feed__follow(struct sync *sync);
void sync_feed__stop(struct sync *sync);
/* A look at the zone that began then has ended. */
void sync_feed__looked(struct sync *sync, const char *zone_id, uint64_t began_ms);
/* Under lock: its client, for its counters; NULL: none. */
const struct aws *sync_feed__aws(const struct sync *sync);
void sync_feed__metrics(const struct sync *sync, struct text *out);

/* --- fleet.c --- */

/* Follows the settings; the client is made anew. */
void sync_fleet__follow(struct sync *sync);
void sync_fleet__stop(struct sync *sync);
/* When sync_fleet__look must be called; SYNC_NEVER: there are no peers. */
uint64_t sync_fleet__due_ms(const struct sync *sync);
/* Asks the peers what they have, and takes what is newer. */
void sync_fleet__look(struct sync *sync);

/* --- look.c --- */

/* Lists a page of one zone of the API, or reads its file again, and settles when it is due next. */
void sync_look__at(struct sync *sync, struct sync_zone *zone);

/* Gives up the listing under way, if there is one. */
void sync_look__abandon(struct sync_zone *zone);

/* --- file.c --- */

/* One zone from a saved listing. FAIL_*, with one line in err. */
int sync_file__read(const char *path, struct zone **ret_zone, char *err, size_t err_size);

/* --- discover.c --- */

void sync_discover__instance(struct sync *sync);
void sync_discover__zones(struct sync *sync);
/* Is the zone associated with our VPC? For when the listing of the VPC cannot say. */
void sync_discover__associate(struct sync *sync, struct sync_zone *zone);
/* The listing of the VPC says who is associated. */
bool sync_discover__knows(const struct sync *sync);
/* The VPC's zones must be listed before we are ready, and are not; why: one line. */
bool sync_discover__missing(const struct sync *sync, char *why, size_t why_size);

/* --- tags.c --- */

/* When sync_tags__next must be called; SYNC_NEVER: no tags are wanted. */
uint64_t sync_tags__due_ms(const struct sync *sync);
/* Makes the next call of a round. */
void sync_tags__next(struct sync *sync);
/* They must be listed before we are ready, and are not; why: one line. */
bool sync_tags__missing(const struct sync *sync, char *why, size_t why_size);
/* A new round, from its beginning. */
void sync_tags__clear(struct sync *sync);

/* --- health.c: of the checks that zones of other VPCs name --- */

/* When sync_health__next must be called; SYNC_NEVER: no zone names a check that we must know. */
uint64_t sync_health__due_ms(const struct sync *sync);
/* Asks for the health of one check. */
void sync_health__next(struct sync *sync);
/* What is known. NULL: nothing, or no memory. */
struct health *sync_health__table(const struct sync *sync);
void sync_health__clear(struct sync *sync);
void sync_health__metrics(const struct zones *zones, struct text *out);

/* --- guard.c: listings that take much away --- */

/* True when the listing must be confirmed first; then it is kept (taken over) for that. */
bool sync_guard__holds(struct sync *sync, struct sync_zone *zone, struct zone *data);
/* Serves what is held. False: nothing is. */
bool sync_guard__accept(struct sync *sync, struct sync_zone *zone);
/* What is held is not wanted any more. */
void sync_guard__drop(struct sync_zone *zone);

/* --- disk.c: the zones' copies on disk --- */

/* Serves what is there and wanted. Before the first table is published. */
void sync_disk__load(struct sync *sync);
/* Our VPC is known now: what was made in another one is not believed. */
void sync_disk__arrived(struct sync *sync);
/* The zone's content or association is new; it was looked at. Its copy is written when its turn comes. */
void sync_disk__changed(struct sync_zone *zone);
void sync_disk__looked(struct sync_zone *zone);
/* When sync_disk__write must be called. */
uint64_t sync_disk__due_ms(const struct sync *sync);
/* Writes one zone. */
void sync_disk__write(struct sync *sync);
/* Writes what is left, before the end. */
void sync_disk__finish(struct sync *sync);
/* The zone is gone, and its copy with it. */
void sync_disk__forget(struct sync *sync, const struct sync_zone *zone);
/* All that is wanted is known: other copies go. */
void sync_disk__sweep(struct sync *sync);

/* --- publish.c --- */

/* When it must be called next; SYNC_NEVER: when something happens. */
uint64_t sync_publish__due_ms(const struct sync *sync);
/* Hands the table of zones on if that is due. */
void sync_publish__try(struct sync *sync, uint64_t now_ms);

/* --- run.c --- */

void *sync_run__thread(void *sync);
/* Takes up orders, publishes what is due. */
void sync_run__attend(struct sync *sync);
/* The hooks of the aws client. */
int sync_run__before(void *sync, const char *operation);
void sync_run__idle(void *sync);
/* What became of a call to the API: the budget follows. */
void sync_run__after(struct sync *sync, int ret);
/* A client for the settings of now, in place of the one before. */
int sync_run__client(struct sync *sync);

/* Rests after a failure; returns the milliseconds. */
uint64_t sync_due__fail(const struct sync *sync, struct sync_due *due);
/* Next time after_ms from start_ms on, but not in the past. */
void sync_due__good(struct sync_due *due, uint64_t start_ms, uint64_t after_ms);
