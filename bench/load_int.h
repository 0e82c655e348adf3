/*
 * bench/load_int.h - the load client: a list of questions, slots for those outstanding, what came of
 * them, and two ways (UDP, TCP) to send and receive.
 *
 * One thread, one core. Every answer is held to its question: id, QR, rcode, the question's own
 * bytes, the least number of records. A wrong server cannot look fast.
 */
#pragma once

#include "sock.h"

#include <stddef.h>

#define QUESTION_MAX 300
#define FRESH_DIGITS 12 /* hexadecimal digits of a name that is new each time */
#define WINDOW_MAX   4096

/* --- The list: the file that bench/generate writes --- */

struct question {
	const uint8_t *bytes;
	uint16_t len;
	uint16_t end;  /* where the question section ends */
	uint8_t rcode; /* expected */
	uint8_t least; /* records in the answer section, at least */
	uint8_t fresh; /* offset of the digits to be drawn anew; 0: none */
};

struct list {
	struct question *items;
	unsigned int count;
	unsigned int at;
	uint64_t fresh; /* the next new name */
};

void list_load(struct list *list, const char *path);

/* The next question, the list over and over. */
const struct question *list_next(struct list *list);

/* --- Latency: log-linear, 32 steps an octave: 3 % --- */

#define HISTO_STEPS 32
#define HISTO_SIZE  (40 * HISTO_STEPS)

struct histo {
	uint64_t count[HISTO_SIZE];
	uint64_t total;
	uint64_t max_ns;
};

void histo_add(struct histo *histo, uint64_t ns);

/* The time under which this share of all lies. */
uint64_t histo_quantile(const struct histo *histo, double share);

/* --- Slots: one a question outstanding --- */

struct slot {
	uint64_t sent_ns; /* 0: free */
	const struct question *question;
	uint16_t id;
	uint16_t conn;               /* TCP: which connection */
	uint8_t bytes[QUESTION_MAX]; /* framed: the length, then the message */
};

struct result {
	uint64_t sent;
	uint64_t answered;
	uint64_t wrong;
	uint64_t lost;
	uint64_t late;   /* answers to what was given up, or never asked */
	uint64_t broken; /* TCP connections that the server closed */
	uint64_t rcode[16];
	uint64_t last_ns; /* when the last answer came */
	struct histo histo;
	char first_wrong[200];
};

struct slots {
	struct list *list;
	unsigned int window;
	unsigned int bits; /* of an id that name the slot; the rest tell its users apart */
	bool echo;         /* the other side is the reflector */
	struct slot *items;
	uint16_t *free;
	unsigned int free_count;
	uint64_t swept_ns;
	struct result result;
};

void slots_init(struct slots *slots, struct list *list, unsigned int window, bool echo);

/* Fills a slot with the next question. Only while free_count is not 0. */
struct slot *slots_take(struct slots *slots, uint64_t now_ns);

/* An answer came. Returns its slot, freed, or NULL: to nothing we asked. */
const struct slot *slots_settle(struct slots *slots, const uint8_t *msg, size_t len,
                                uint64_t now_ns);

/* Gives up what is older than a second, now and then; all of it when all is true. */
void slots_sweep(struct slots *slots, uint64_t now_ns, bool all);

/* Gives up what was asked over a connection that is gone. */
void slots_drop_conn(struct slots *slots, uint16_t conn);

/* --- The run --- */

struct run {
	struct sockaddr_in server;
	struct slots slots;
	bool spin;            /* never sleep: the server need not wake us */
	double rate;          /* questions/s; 0: as fast as answers come */
	uint64_t count;       /* end after so many; 0: after the time */
	double seconds;       /* the time */
	unsigned int conns;   /* TCP connections; 0: UDP */
	unsigned int sockets; /* UDP sockets, each with its own source port */
	uint64_t began_ns;
};

/* May another question be sent now? */
bool run_may_send(const struct run *run, uint64_t now_ns);

/* No more to send, and no answer to wait for. */
bool run_over(const struct run *run, uint64_t now_ns);

void run_udp(struct run *run);
void run_tcp(struct run *run);

/* Asks the first question each millisecond until it is answered right; returns when (mono_ns). */
uint64_t run_first(struct run *run);
