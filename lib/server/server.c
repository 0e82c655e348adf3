/* server/server.c - the workers' lives: sockets, threads, letters, the end. */
#include "server/worker_int.h"

#include "base/epoch.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include "tls/tls.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BOX_MAX  1024
#define BEAT_MS  500
#define DRAIN_MS 20 /* how often a draining worker looks whether it is done */

/* --- A worker --- */

static void worker_flush(void *ctx)
{
	struct worker *worker = ctx;
	forward_flush(worker->forward);
	udp_flush(worker);
}

static void worker_beat(void *ctx)
{
	struct worker *worker = ctx;
	__atomic_fetch_add(&worker->beats, 1, __ATOMIC_RELAXED);
	worker->query.wall_ahead_s = wall_s() - (int64_t)(loop_now_ms(worker->loop) / 1000);
	loop_timer_set(&worker->beat, BEAT_MS);
}

static enum query_rate worker_rate(void *ctx, const struct addr *client, uint32_t rate)
{
	struct worker *worker = ctx;
	enum gate_verdict verdict =
		gate_rate(worker->server->gate, client, rate, loop_now_ms(worker->loop));
	if (verdict == GATE_PASS) {
		return QUERY_RATE_PASS;
	}
	metric_add(&worker->counters.dropped_rate, 1);
	return verdict == GATE_SLIP ? QUERY_RATE_SLIP : QUERY_RATE_DROP;
}

static void *worker_main(void *ctx)
{
	struct worker *worker = ctx;
	char name[16];
	snprintf(name, sizeof(name), "worker %u", worker->number);
	pthread_setname_np(pthread_self(), name);
	epoch_thread_start();
	int ret = loop_run(worker->loop);
	if (ret != 0) {
		log_error("server", "worker %u: its event loop failed: %s", worker->number,
		          fail_text(ret));
	}
	parked_free_all(worker);
	udp_flush(worker);
	refresh_free_all(worker);
	ask_free_all(worker);
	tcp_close_all(worker, false);
	loop_timer_cancel(&worker->flush);
	loop_timer_cancel(&worker->beat);
	loop_timer_cancel(&worker->drain);
	if (worker->turned.loop != NULL) {
		loop_timer_cancel(&worker->turned);
	}
	forward_worker_free(&worker->forward);
	epoch_thread_stop();
	__atomic_store_n(&worker->ended, true, __ATOMIC_RELEASE);
	return NULL;
}

static int worker_memory(struct worker *worker)
{
	worker->udp = calloc(worker->listen_count, sizeof(*worker->udp));
	worker->tcp = calloc(worker->tcp_count, sizeof(*worker->tcp));
	worker->batch = calloc(1, sizeof(*worker->batch));
	worker->late = calloc(1, sizeof(*worker->late));
	worker->tcp_in = malloc(DNS_MSG_MAX + 2);
	worker->tcp_out = malloc(TCP_OUT_ROOM);
	worker->answer = malloc(DNS_MSG_MAX);
	worker->loop = loop_new();
	if (worker->udp == NULL || worker->tcp == NULL) {
		return FAIL_NOMEM;
	}
	for (size_t i = 0; i < worker->listen_count; i++) {
		worker->udp[i].fd = -1;
	}
	for (size_t i = 0; i < worker->tcp_count; i++) {
		worker->tcp[i].fd = -1;
	}
	return worker->batch == NULL || worker->late == NULL || worker->tcp_in == NULL ||
	                       worker->tcp_out == NULL || worker->answer == NULL ||
	                       worker->loop == NULL
	               ? FAIL_NOMEM
	               : 0;
}

/* One socket of each kind for an address; ports drawn by the kernel (0) are for tests and made the same for all. */
static int worker_listen(struct worker *worker, size_t i, char *err, size_t err_size)
{
	const struct addr *addr = &worker->server->listen[i];
	int fd = udp_socket(addr, err, err_size);
	if (fd < 0) {
		return fd;
	}
	int ret = udp_open(&worker->udp[i], worker, fd, addr);
	if (ret != 0) {
		return ret;
	}
	fd = tcp_socket(addr, err, err_size);
	if (fd < 0) {
		return fd;
	}
	return tcp_open(&worker->tcp[i], worker, fd, false);
}

static int worker_listen_tls(struct worker *worker, size_t i, char *err, size_t err_size)
{
	int fd = tcp_socket(&worker->server->tls_listen[i], err, err_size);
	if (fd < 0) {
		return fd;
	}
	return tcp_open(&worker->tcp[worker->listen_count + i], worker, fd, true);
}

static int worker_init(struct worker *worker, struct server *server, unsigned int number,
                       const struct server_opts *opts, char *err, size_t err_size)
{
	worker->server = server;
	worker->number = number;
	worker->listen_count = server->listen_count;
	worker->tcp_count = server->listen_count + server->tls_listen_count;
	list_init(&worker->conns);
	list_init(&worker->shaking);
	list_init(&worker->parked);
	list_init(&worker->parked_free);
	list_init(&worker->refreshing);
	list_init(&worker->asks);
	int ret = worker_memory(worker);
	for (size_t i = 0; ret == 0 && i < server->listen_count; i++) {
		ret = worker_listen(worker, i, err, err_size);
	}
	for (size_t i = 0; ret == 0 && i < server->tls_listen_count; i++) {
		ret = worker_listen_tls(worker, i, err, err_size);
	}
	if (ret != 0) {
		return ret;
	}
	loop_timer_init(worker->loop, &worker->flush, worker_flush, worker);
	loop_timer_init(worker->loop, &worker->beat, worker_beat, worker);
	worker->box = mailbox_new(worker->loop, BOX_MAX, worker);
	worker->forward = forward_worker_new(opts->forward, worker->loop);
	if (worker->box == NULL || worker->forward == NULL) {
		return FAIL_NOMEM;
	}
	ret = query_worker_init(&worker->query, opts->root, opts->cache);
	worker->query.rate = worker_rate;
	worker->query.rate_ctx = worker;
	worker->query.log_queries = opts->log_queries;
	return ret;
}

static void worker_fini(struct worker *worker)
{
	for (size_t i = 0; i < worker->listen_count && worker->udp != NULL; i++) {
		udp_close(&worker->udp[i]);
	}
	for (size_t i = 0; i < worker->tcp_count && worker->tcp != NULL; i++) {
		tcp_close(&worker->tcp[i]);
	}
	forward_worker_free(&worker->forward);
	mailbox_free(&worker->box);
	loop_free(&worker->loop);
	query_worker_fini(&worker->query);
	free(worker->udp);
	free(worker->tcp);
	free(worker->batch);
	free(worker->late);
	free(worker->tcp_in);
	free(worker->tcp_out);
	free(worker->answer);
}

/* --- The end of a worker --- */

struct drain_mail {
	struct mail mail;
};

/* Questions in the sockets' queues were asked before we began to end: they are taken yet. */
static void worker_drain_begin(struct worker *worker)
{
	worker->draining = true;
	for (size_t i = 0; i < worker->tcp_count; i++) {
		tcp_close(&worker->tcp[i]);
	}
	for (size_t i = 0; i < worker->listen_count; i++) {
		if (worker->udp[i].fd >= 0) {
			udp_drain(&worker->udp[i]);
		}
	}
	tcp_drain_all(worker);
}

static void worker_drain_look(void *ctx)
{
	struct worker *worker = ctx;
	tcp_close_all(worker, true);
	if (worker->parked_count == 0 && list_empty(&worker->conns)) {
		loop_stop(worker->loop);
		return;
	}
	loop_timer_set(&worker->drain, DRAIN_MS);
}

static void drain_arrives(struct mail *mail, void *ctx)
{
	struct worker *worker = ctx;
	free(mail);
	if (worker->forward == NULL) { /* read at the very end, with no loop left */
		return;
	}
	worker_drain_begin(worker);
	loop_timer_init(worker->loop, &worker->drain, worker_drain_look, worker);
	loop_timer_set(&worker->drain, DRAIN_MS);
}

static void worker_stop(struct worker *worker, unsigned int drain_ms)
{
	struct drain_mail *letter = drain_ms == 0 ? NULL : malloc(sizeof(*letter));
	if (letter == NULL) {
		loop_stop(worker->loop);
		return;
	}
	letter->mail.fn = drain_arrives;
	if (mailbox_post(worker->box, &letter->mail) != 0) {
		free(letter);
		loop_stop(worker->loop);
	}
}

/* Waits for the thread until the deadline, then has it stop where it is. */
static void worker_join(struct worker *worker, uint64_t deadline_ms)
{
	const struct timespec moment = {.tv_nsec = 2000000};
	while (!__atomic_load_n(&worker->ended, __ATOMIC_ACQUIRE) && mono_ms() < deadline_ms) {
		nanosleep(&moment, NULL);
	}
	loop_stop(worker->loop);
	pthread_join(worker->thread, NULL);
}

/* --- The server --- */

static void server_free(struct server *server)
{
	for (unsigned int i = 0; server->workers != NULL && i < server->worker_count; i++) {
		worker_fini(&server->workers[i]);
	}
	gate_free(&server->gate);
	tls_host_unref(&server->tls);
	pthread_mutex_destroy(&server->tls_lock);
	free(server->workers);
	free(server->listen);
	free(server->tls_listen);
	free(server->beats_seen);
	free(server);
}

struct tls_host *server_tls(struct server *server)
{
	pthread_mutex_lock(&server->tls_lock);
	struct tls_host *host = tls_host_ref(server->tls);
	pthread_mutex_unlock(&server->tls_lock);
	return host;
}

static void server_set_tls(struct server *server, struct tls_host *host)
{
	if (host == NULL) {
		return;
	}
	host = tls_host_ref(host);
	pthread_mutex_lock(&server->tls_lock);
	struct tls_host *old = server->tls;
	server->tls = host;
	pthread_mutex_unlock(&server->tls_lock);
	tls_host_unref(&old);
}

void server_tune(struct server *server, const struct server_opts *opts)
{
	struct server_limits *limits = &server->limits;
	server_set_tls(server, opts->tls);
	__atomic_store_n(&limits->tcp_max_connections, opts->tcp_max_connections, __ATOMIC_RELAXED);
	__atomic_store_n(&limits->tcp_max_per_client, opts->tcp_max_per_client, __ATOMIC_RELAXED);
	__atomic_store_n(&limits->tcp_idle_s, opts->tcp_idle_s, __ATOMIC_RELAXED);
	__atomic_store_n(&limits->stale_after_ms, opts->stale_after_ms, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < server->worker_count; i++) {
		__atomic_store_n(&server->workers[i].query.log_queries, opts->log_queries,
		                 __ATOMIC_RELAXED);
	}
}

/*
 * ::1 is among the default addresses: where the system has no IPv6 the others do, and a line says so. Any other address
 * that cannot be had is the admin's to mend.
 */
static bool listen_missing(const struct addr *addr)
{
	char err[128];
	if (addr->sa.sa_family != AF_INET6 || !addr_is_loopback(addr)) {
		return false;
	}
	int fd = udp_socket(addr, err, sizeof(err));
	if (fd >= 0) {
		close(fd);
	}
	return fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL;
}

static void listen_choose(struct server *server, const struct server_opts *opts)
{
	char text[ADDR_TEXT_MAX];
	for (size_t i = 0; i < opts->listen_count; i++) {
		if (opts->listen_count > 1 && listen_missing(&opts->listen[i])) {
			log_warn("server", "not listening on %s: this system has no IPv6",
			         addr_text(&opts->listen[i], text));
		} else {
			server->listen[server->listen_count++] = opts->listen[i];
		}
	}
}

int server_new(const struct server_opts *opts, struct server **ret_server, char *err,
               size_t err_size)
{
	snprintf(err, err_size, "%s", fail_text(FAIL_NOMEM));
	struct server *server = calloc(1, sizeof(*server));
	if (server == NULL) {
		return FAIL_NOMEM;
	}
	server->forward = opts->forward;
	pthread_mutex_init(&server->tls_lock, NULL);
	server->tls_listen = calloc(opts->tls_listen_count + 1, sizeof(*server->tls_listen));
	server->listen = calloc(opts->listen_count, sizeof(*server->listen));
	server->workers = calloc(opts->workers, sizeof(*server->workers));
	server->beats_seen = calloc(opts->workers, sizeof(*server->beats_seen));
	server->gate = gate_new();
	int ret = FAIL_NOMEM;
	if (server->tls_listen != NULL && server->listen != NULL && server->workers != NULL &&
	    server->beats_seen != NULL && server->gate != NULL) {
		listen_choose(server, opts);
		if (opts->tls != NULL) {
			server->tls_listen_count = opts->tls_listen_count;
			memcpy(server->tls_listen, opts->tls_listen,
			       opts->tls_listen_count * sizeof(*server->tls_listen));
		}
		ret = 0;
	}
	for (unsigned int i = 0; ret == 0 && i < opts->workers; i++) {
		server->worker_count = i + 1;
		ret = worker_init(&server->workers[i], server, i, opts, err, err_size);
	}
	if (ret != 0) {
		server_free(server);
		return ret;
	}
	server_tune(server, opts);
	*ret_server = server;
	return 0;
}

/* Signals are the control thread's: workers block them all, so that no system call of theirs is cut short. */
int server_start(struct server *server)
{
	sigset_t all;
	sigset_t before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int ret = 0;
	for (unsigned int i = 0; ret == 0 && i < server->worker_count; i++) {
		struct worker *worker = &server->workers[i];
		loop_timer_set(&worker->beat, 0);
		ret = pthread_create(&worker->thread, NULL, worker_main, worker);
		worker->started = ret == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -ret;
}

void server_stop(struct server **server, unsigned int drain_ms)
{
	struct server *old = *server;
	*server = NULL;
	if (old == NULL) {
		return;
	}
	uint64_t deadline_ms = mono_ms() + drain_ms;
	for (unsigned int i = 0; i < old->worker_count; i++) {
		if (old->workers[i].started) {
			worker_stop(&old->workers[i], drain_ms);
		}
	}
	for (unsigned int i = 0; i < old->worker_count; i++) {
		if (old->workers[i].started) {
			worker_join(&old->workers[i], deadline_ms);
		} else {
			loop_timer_cancel(&old->workers[i].beat);
		}
	}
	server_free(old);
}

bool server_alive(struct server *server)
{
	bool alive = true;
	for (unsigned int i = 0; i < server->worker_count; i++) {
		uint64_t beats = __atomic_load_n(&server->workers[i].beats, __ATOMIC_RELAXED);
		alive = alive && beats != server->beats_seen[i];
		server->beats_seen[i] = beats;
	}
	return alive;
}

/* --- explain --- */

struct explain_mail {
	struct mail mail;
	struct server_explain *explain;
};

static void explain_arrives(struct mail *mail, void *ctx)
{
	struct worker *worker = ctx;
	struct explain_mail *letter = (struct explain_mail *)mail;
	struct server_explain *explain = letter->explain;
	free(letter);
	if (worker->forward == NULL) { /* read at the very end, with no loop left */
		explain->answer_size = 0;
		explain->done(explain);
		return;
	}
	struct query_in in = {
		.wire = explain->packet,
		.size = explain->packet_size,
		.client = &explain->from,
		.proto = QUERY_TCP,
		.now_s = loop_now_ms(worker->loop) / 1000,
		.trace = &explain->trace,
	};
	struct query_ask ask;
	size_t size = 0;
	epoch_read_begin();
	enum query_next next =
		query_run(&worker->query, &in, NULL, worker->answer, DNS_MSG_MAX, &size, &ask);
	epoch_read_end();
	refresh_start(worker);
	struct parked_from from = {.explain = explain};
	if (next == QUERY_ASK &&
	    parked_new(worker, &in, &ask, &from, worker->answer, DNS_MSG_MAX, &size)) {
		return;
	}
	memcpy(explain->answer, worker->answer, size);
	explain->answer_size = size;
	explain->done(explain);
}

int server_explain(struct server *server, struct server_explain *explain)
{
	struct explain_mail *letter = malloc(sizeof(*letter));
	if (letter == NULL) {
		return FAIL_NOMEM;
	}
	letter->mail.fn = explain_arrives;
	letter->explain = explain;
	int ret = mailbox_post(server->workers[0].box, &letter->mail);
	if (ret != 0) {
		free(letter);
	}
	return ret;
}

/* --- Metrics --- */

static uint64_t counters_sum(const struct server *server, size_t field)
{
	uint64_t sum = 0;
	for (unsigned int i = 0; i < server->worker_count; i++) {
		const char *counters = (const char *)&server->workers[i].counters;
		sum += metric_get((const uint64_t *)(const void *)(counters + field));
	}
	return sum;
}

static void connection_metrics(struct server *server, struct text *out)
{
	static const struct {
		const char *result;
		size_t field;
	} shakes[] = {
		{"full", offsetof(struct worker_counters, tls_full)},
		{"resumed", offsetof(struct worker_counters, tls_resumed)},
		{"failed", offsetof(struct worker_counters, tls_failed)},
	};
	metric_family(out, "horizond_tcp_connections", METRIC_GAUGE,
	              "TCP connections of clients now open, those by TLS among them.");
	metric_sample_u64(out, "horizond_tcp_connections", NULL,
	                  __atomic_load_n(&server->conns, __ATOMIC_RELAXED));
	if (server->tls_listen_count == 0) {
		return;
	}
	metric_family(out, "horizond_tls_connections", METRIC_GAUGE,
	              "TLS connections of clients now open.");
	metric_sample_u64(out, "horizond_tls_connections", NULL,
	                  __atomic_load_n(&server->tls_conns, __ATOMIC_RELAXED));
	metric_family(out, "horizond_tls_handshakes_total", METRIC_COUNTER,
	              "TLS handshakes of clients, and what came of them.");
	for (size_t i = 0; i < sizeof(shakes) / sizeof(shakes[0]); i++) {
		const char *labels[] = {"result", shakes[i].result, NULL};
		metric_sample_u64(out, "horizond_tls_handshakes_total", labels,
		                  counters_sum(server, shakes[i].field));
	}
}

void server_metrics(void *ctx, struct text *out)
{
	static const struct {
		const char *reason;
		size_t field;
	} drops[] = {
		{"send", offsetof(struct worker_counters, dropped_send)},
		{"rate", offsetof(struct worker_counters, dropped_rate)},
		{"waiting", offsetof(struct worker_counters, dropped_waiting)},
		{"tcp_refused", offsetof(struct worker_counters, tcp_refused)},
		{"tcp_evicted", offsetof(struct worker_counters, tcp_evicted)},
	};
	struct server *server = ctx;
	struct query_worker **workers = calloc(server->worker_count, sizeof(struct query_worker *));
	if (workers == NULL) {
		return;
	}
	uint64_t silent = 0;
	for (unsigned int i = 0; i < server->worker_count; i++) {
		workers[i] = &server->workers[i].query;
		silent += metric_get(&workers[i]->counters.silent);
	}
	query_metrics(workers, server->worker_count, out);
	free(workers);

	metric_family(out, "horizond_dropped_total", METRIC_COUNTER,
	              "Packets, questions and connections not served, by reason.");
	const char *labels[] = {"reason", "malformed", NULL};
	metric_sample_u64(out, "horizond_dropped_total", labels, silent);
	for (size_t i = 0; i < sizeof(drops) / sizeof(drops[0]); i++) {
		labels[1] = drops[i].reason;
		metric_sample_u64(out, "horizond_dropped_total", labels,
		                  counters_sum(server, drops[i].field));
	}
	metric_family(out, "horizond_refreshes_total", METRIC_COUNTER,
	              "Cached answers in use, asked for again before they ran out.");
	metric_sample_u64(out, "horizond_refreshes_total", NULL,
	                  counters_sum(server, offsetof(struct worker_counters, refreshes)));
	connection_metrics(server, out);
}
