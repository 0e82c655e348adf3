/*
 * query/query.h - one client question, bytes to bytes.
 *
 * query_run takes a packet through the steps admit, route, zone, cache, forward, encode. It does no
 * I/O and never waits: where an upstream must be asked it says so and returns. The caller asks, hands
 * what came to query_feed, and runs the same packet again; what was fed then stands beside the cache. So
 * a waiting question is a packet and what it was told: no pointer into a world that may be swapped.
 *
 * Loop:   a struct query_worker belongs to one thread, registered with base/epoch.h.
 * Memory: the run itself allocates nothing; a question that waits keeps its feeds in its own arena.
 * RFC:    1034, 1035, 2308, 6891, 8482 (ANY), 8767 (stale), 8914 (EDE), 9619.
 */
#pragma once

#include "base/addr.h"
#include "base/arena.h"
#include "base/random.h"
#include "base/text.h"
#include "cache/cache.h"
#include "dns/msg.h"
#include "metric/metric.h"
#include "query/world.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum query_proto {
	QUERY_UDP,
	QUERY_TCP,
	QUERY_TLS,
	QUERY_PROTOS,
};

enum query_source {
	QUERY_FROM_STATIC,   /* a zone's own data */
	QUERY_FROM_DYNAMIC,  /* a zone's set, asked of the VPC resolver */
	QUERY_FROM_RECKONED, /* a zone's set, reckoned from its alias target */
	QUERY_FROM_CACHE,
	QUERY_FROM_STALE,
	QUERY_FROM_UPSTREAM,
	QUERY_FROM_LOCAL, /* refusals, errors, CHAOS, localhost */
	QUERY_SOURCES,
};
const char *query_source_text(enum query_source source);

#define QUERY_RCODES 24

struct query_counters {
	uint64_t queries[QUERY_PROTOS][CLIENT_MAYS];
	uint64_t answers[QUERY_RCODES];
	uint64_t from[QUERY_SOURCES];
	uint64_t silent; /* dropped: under 12 octets, or an answer */
	struct metric_hist seconds;
};

/* What becomes of a question from a client whose class has a rate. */
enum query_rate {
	QUERY_RATE_PASS,
	QUERY_RATE_SLIP, /* an empty answer with TC: come by TCP */
	QUERY_RATE_DROP, /* silence */
};
typedef enum query_rate query_rate_fn(void *ctx, const struct addr *client, uint32_t rate);

struct query_ask;

struct query_worker {
	const struct world_root *root;
	struct cache *cache;
	struct draw draw;
	struct draw draw_start; /* as it was when the last first run began */
	struct query_counters counters;
	query_rate_fn *rate; /* asked for UDP questions of rated classes; NULL: none is limited */
	void *rate_ctx;
	/* Seconds to add to query_in.now_s for those since 1970; another reads the clock now and then. */
	int64_t wall_ahead_s;
	bool log_queries; /* one line a question, at info; written by another thread: read relaxed */
	uint8_t *scratch;          /* DNS_MSG_MAX octets, for what must be written anew */
	struct query_ask *refresh; /* QUERY_REFRESH_MAX: see query_refresh */
	unsigned int refresh_count;
};

/*
 * Notes of answers in use that run out soon; a batch of questions leaves no more. Past that the entry runs out as
 * any does.
 */
#define QUERY_REFRESH_MAX 32

/* scratch and refresh are allocated: FAIL_NOMEM. */
int query_worker_init(struct query_worker *worker, const struct world_root *root,
                      struct cache *cache);
void query_worker_fini(struct query_worker *worker);

/* Filled along the way when somebody asks why (horizonctl explain). Text is cut to fit. */
struct query_trace {
	char client[64];
	char rule[320];
	char zone[300];
	char class[64];
	enum query_source source;
	unsigned int rcode;
	struct text steps; /* one line a step */
};

/* The packet and where it came from. */
struct query_in {
	const uint8_t *wire;
	size_t size;
	const struct addr *client;
	enum query_proto proto;
	uint64_t now_s; /* monotonic */
	bool impatient; /* the client timer is over: stale data will do (RFC 8767 section 5) */
	struct query_ahead *ahead; /* wire, read by query_read_ahead; NULL: not yet */
	struct query_trace *trace; /* usually NULL */
};

/*
 * Packets of one batch, read before the first of them runs: what their runs will look for in zones and cache is then
 * on its way from memory, all at a time instead of each in its turn. Good until the epoch section ends.
 */
struct query_ahead {
	const uint8_t *wire; /* set by the caller, and */
	size_t size;
	enum dns_verdict verdict;
	struct dns_query q;
	struct world_place place;
};
void query_read_ahead(struct query_worker *worker, struct query_ahead *aheads, size_t count);

/* What must be asked to go on. Copied by whoever keeps it. */
struct query_ask {
	uint32_t origin;
	uint16_t qtype;
	bool dnssec_ok;
	bool checking_disabled;
	uint8_t bailiwick_len;
	uint8_t name_len;
	uint8_t name[DNS_NAME_MAX + 1];      /* wire, in the asker's case */
	uint8_t bailiwick[DNS_NAME_MAX + 1]; /* what the upstream may speak for */
};

/* What a waiting question has been told. */
struct query_feed;

struct query_wait {
	struct arena arena;
	struct query_feed *feeds;
	struct draw draw;   /* as it was at the first run: later runs draw the same */
	unsigned int asked; /* questions asked upstream for this one */
};

#define QUERY_ASKS_MAX 10

void query_wait_init(struct query_wait *wait);
/* Right after the first run of the packet that will wait. */
void query_wait_begin(struct query_wait *wait, const struct query_worker *worker);
/* It waits no more; some memory stays for the next one. */
void query_wait_end(struct query_wait *wait);
void query_wait_fini(struct query_wait *wait);

enum query_next {
	QUERY_ANSWER, /* ret_size octets in out: send */
	QUERY_SILENT, /* nothing goes back */
	QUERY_ASK,    /* ask *ret_ask, feed, run again */
};

/*
 * One pass. wait: NULL on the first run; then the same one each time. room: at least DNS_UDP_PLAIN. Inside
 * an epoch section of the caller's.
 */
enum query_next query_run(struct query_worker *worker, const struct query_in *in,
                          struct query_wait *wait, uint8_t *out, size_t room, size_t *ret_size,
                          struct query_ask *ret_ask);

/* What came of an ask: why 0 and a checked reply that matches it, or a FAIL_* code. */
struct query_told {
	int why;
	const struct dns_reply *reply; /* may be NULL unless why is 0 */
	bool keep;                     /* this one puts it into the cache */
	const char *text;              /* one line for the extended error and explain */
};

/*
 * Scrubs and keeps what was told: in wait for the next run, and in the cache when keep. wait may be NULL (a refresh
 * that no one waits for). Returns 0 or FAIL_NOMEM.
 */
int query_feed(struct query_worker *worker, struct query_wait *wait, const struct query_ask *ask,
               const struct query_told *told, uint64_t now_s);

/*
 * Takes one of the notes that runs left behind: an answer that was given from the cache, is in use and near its
 * end. The caller asks it again behind the client's back and feeds what comes with wait NULL. False: there is none.
 */
bool query_refresh(struct query_worker *worker, struct query_ask *ret_ask);

/* The last resort when a question can be parked no more: SERVFAIL with an extended error. */
size_t query_fail(struct query_worker *worker, const struct query_in *in, int ede, const char *text,
                  uint8_t *out, size_t room);

/* horizond_queries_total, _answers_total, _answers_from_total, _answer_seconds of all workers. */
void query_metrics(struct query_worker *const *workers, size_t count, struct text *out);
