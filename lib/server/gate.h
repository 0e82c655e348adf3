/*
 * server/gate.h - what one client address may have at once: questions waiting, connections, a rate.
 *
 * Shared by the workers; consulted only where a question waits, a connection opens, or a rate is set.
 * Bounded: GATE_CLIENTS addresses; when all are in use a new one is refused.
 * Threats: T17, T19, T21.
 */
#pragma once

#include "base/addr.h"
#include <stdbool.h>
#include <stdint.h>

#define GATE_WAITING_MAX 1000 /* questions waiting, a client (CONTRACT) */
#define GATE_CLIENTS     65536

struct gate;

struct gate *gate_new(void); /* NULL: no memory */
void gate_free(struct gate **gate);

/* Tells addresses apart, most of the time. */
uint32_t gate_hash(const struct addr *client);

/* One more question of this client waits. False: it has too many already. now_ms: as loop_now_ms. */
bool gate_wait_begin(struct gate *gate, const struct addr *client, uint64_t now_ms);
void gate_wait_end(struct gate *gate, const struct addr *client);

/* One more connection of this client, of at most max. */
bool gate_conn_begin(struct gate *gate, const struct addr *client, unsigned int max,
                     uint64_t now_ms);
void gate_conn_end(struct gate *gate, const struct addr *client);

enum gate_verdict {
	GATE_PASS,
	GATE_SLIP, /* over the rate: answer with TC, so that a real client may come by TCP */
	GATE_DROP, /* over the rate: nothing */
};
/* A question from a client with a rate (questions/s, burst of one second's worth). */
enum gate_verdict gate_rate(struct gate *gate, const struct addr *client, uint32_t rate,
                            uint64_t now_ms);
