/*
 * server/worker_int.h - one worker, shared by udp.c, tcp.c, parked.c and server.c.
 */
#pragma once

#include "base/list.h"
#include "forward/forward.h"
#include "loop/loop.h"
#include "loop/mailbox.h"
#include "query/query.h"
#include "server/gate.h"
#include "server/server.h"
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#define UDP_BATCH  32
#define UDP_ROUNDS 8    /* batches read at once, then others get their turn */
#define UDP_IN_MAX 4096 /* a longer question is no question (FORMERR) */
#define PARKED_MAX 65536
#define PARKED_RULE \
	8192 /* of them of one rule: one whose servers are silent leaves room for the others */
#define PARKED_RULES 64 /* classes of rules that are told apart */
#define REFRESH_MAX  256
#define TCP_OUT_ROOM (4 * 65537)

struct worker;

/* Settings that a reload may change while workers run; read relaxed. */
struct server_limits {
	unsigned int tcp_max_connections;
	unsigned int tcp_max_per_client;
	unsigned int tcp_idle_s;
	unsigned int stale_after_ms;
};

struct udp {
	struct worker *worker;
	struct loop_fd lfd;
	int fd;
	bool any; /* bound to all addresses: answers must leave by the one that was asked */
};

/* What the question's packet must go back with. */
union udp_control {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct udp_batch {
	struct mmsghdr in[UDP_BATCH];
	struct iovec in_iov[UDP_BATCH];
	struct addr from[UDP_BATCH];
	union udp_control control[UDP_BATCH];
	uint8_t in_bytes[UDP_BATCH][UDP_IN_MAX];
	struct mmsghdr out[UDP_BATCH];
	struct iovec out_iov[UDP_BATCH];
	uint8_t out_bytes[UDP_BATCH][DNS_UDP_OURS];
	struct query_ahead ahead[UDP_BATCH];
};

/* Answers that became ready one by one, of one socket, to leave together at the end of the turn. */
struct udp_late {
	struct udp *udp;
	unsigned int count;
	struct mmsghdr out[UDP_BATCH];
	struct iovec iov[UDP_BATCH];
	struct addr to[UDP_BATCH];
	union udp_control control[UDP_BATCH];
	uint8_t bytes[UDP_BATCH][DNS_UDP_OURS];
};

struct tcp_listener {
	struct worker *worker;
	struct loop_fd lfd;
	struct loop_timer again; /* no room for a connection: a pause */
	int fd;
	bool tls;
};

struct conn;

/* A question that waits for upstream. */
struct parked {
	struct list link;
	struct worker *worker;
	struct query_wait wait;
	struct query_ask ask;
	struct forward_ask upstream;
	struct loop_timer timer;
	struct query_in in; /* wire points into wait's arena */
	struct addr client;
	bool asking;   /* upstream.done will come */
	bool answered; /* with stale data; waits on only for the cache's sake */
	bool counted;  /* in the gate */
	bool astray;   /* asked a rule that a reload took away */
	uint8_t rule;  /* whose share it takes: a class of the origin that was asked first */
	uint64_t arrived_us;
	struct udp *udp;
	union udp_control control;
	size_t control_len;
	struct conn *conn;     /* TCP: NULL once it has closed */
	struct list conn_link; /* in conn->waiting */
	struct server_explain *explain;
};

struct worker_counters {
	uint64_t dropped_send;    /* the socket took no more */
	uint64_t dropped_rate;    /* over the client's rate */
	uint64_t dropped_waiting; /* too many waiting (answered SERVFAIL) */
	uint64_t refreshes;       /* answers in use asked for again before they ran out */
	uint64_t tcp_accepted;
	uint64_t tcp_refused; /* over a limit */
	uint64_t tcp_evicted; /* idle, made way for another */
	uint64_t tls_full;    /* handshakes */
	uint64_t tls_resumed; /* handshakes that took up a session */
	uint64_t tls_failed;
};

struct worker {
	struct server *server;
	unsigned int number;
	pthread_t thread;
	struct loop *loop;
	struct mailbox *box;
	struct forward_worker *forward;
	struct query_worker query;
	struct worker_counters counters;
	struct udp *udp;
	struct tcp_listener *tcp;
	size_t listen_count; /* of udp; of tcp there are tcp_count, those with TLS last */
	size_t tcp_count;
	struct udp_batch *batch;
	struct udp_late *late;
	uint8_t *tcp_in;  /* DNS_MSG_MAX + 2 and more: what one read brings */
	uint8_t *answer;  /* DNS_MSG_MAX: of a parked question */
	uint8_t *tcp_out; /* TCP_OUT_ROOM: answers of one turn of one connection */
	size_t tcp_out_len;
	unsigned int tcp_answers; /* given at once in this turn */
	struct list conns;        /* least lately used first */
	struct list shaking; /* those of them whose TLS handshake is under way, the oldest first */
	unsigned int shaking_count;
	unsigned int shakes;      /* steps of handshakes in this turn */
	struct loop_timer turned; /* the turn has ended */
	struct list parked;
	size_t parked_count;
	uint32_t parked_of[PARKED_RULES];
	struct list parked_free;
	size_t parked_free_count;
	struct list refreshing;
	struct list asks; /* of our own: ask.c */
	size_t refresh_count;
	struct loop_timer flush; /* end of the turn: what waits to be sent, up and down */
	struct loop_timer beat;
	uint64_t beats; /* atomic: read by the control thread */
	bool started;
	bool draining;
	bool ended; /* atomic: the thread is about to end */
	struct loop_timer drain;
};

struct server {
	struct server_limits limits;
	struct gate *gate;
	struct forward *forward;
	struct worker *workers;
	unsigned int worker_count;
	struct addr *listen;
	size_t listen_count;
	struct addr *tls_listen;
	size_t tls_listen_count;
	pthread_mutex_t tls_lock;
	struct tls_host *tls; /* held; changed by a reload */
	unsigned int conns;   /* atomic: open connections of all workers, those by TLS among them */
	unsigned int tls_conns; /* atomic */
	uint64_t *beats_seen;
	unsigned int drain_ms;
};

#define LIMIT(server, name) __atomic_load_n(&(server)->limits.name, __ATOMIC_RELAXED)

/* udp.c */
int udp_socket(const struct addr *addr, char *err, size_t err_size); /* descriptor or failure */
int udp_open(struct udp *udp, struct worker *worker, int fd, const struct addr *addr);
void udp_close(struct udp *udp);
/* Takes what the socket holds by now (a bounded number of rounds), then reads no more; answers may still leave by it. */
void udp_drain(struct udp *udp);
void udp_answer(struct parked *parked, const uint8_t *bytes, size_t size);
/* Sends what udp_answer has gathered. */
void udp_flush(struct worker *worker);

/* server.c: what is shown to clients by TLS now; the caller's to unref. */
struct tls_host *server_tls(struct server *server);

/* tcp.c */
int tcp_socket(const struct addr *addr, char *err, size_t err_size);
int tcp_open(struct tcp_listener *listener, struct worker *worker, int fd, bool tls);
void tcp_close(struct tcp_listener *listener);
/* One message to a connection outside its own turn. */
void tcp_answer(struct conn *conn, const uint8_t *bytes, size_t size);
void tcp_waits(struct conn *conn, struct parked *parked);
void tcp_waits_no_more(struct parked *parked);
/* Takes what each connection has sent by now (one read), then hears no more; answers still leave. */
void tcp_drain_all(struct worker *worker);
/* Closes every connection (idle_only: those without questions or unsent answers). */
void tcp_close_all(struct worker *worker, bool idle_only);

/* parked.c */
struct parked_from {
	struct udp *udp;
	const struct msghdr *msg; /* UDP: for the control data */
	struct conn *conn;
	struct server_explain *explain;
};
/*
 * Keeps the question of in, whose first run said ask, until it is answered. False: it cannot wait; out
 * (room) then holds the SERVFAIL to send, *ret_size octets.
 */
bool parked_new(struct worker *worker, const struct query_in *in, const struct query_ask *ask,
                const struct parked_from *from, uint8_t *out, size_t room, size_t *ret_size);
void parked_free_all(struct worker *worker);

/* refresh.c */
/* Asks for what the runs of this turn have noted. Outside epoch sections, once a batch. */
void refresh_start(struct worker *worker);
void refresh_free_all(struct worker *worker);

/* ask.c */
void ask_free_all(struct worker *worker);
