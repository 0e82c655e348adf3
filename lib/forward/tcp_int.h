/*
 * forward/tcp_int.h - one question over a connection of its own, for answers that do not fit (RFC
 * 7766).
 *
 * Loop:   its worker's. Nothing blocks; the try's time bounds the whole exchange.
 * Memory: the answer's size once its length is known; TCP_OPEN connections a worker.
 */
#pragma once

#include "forward/ask_int.h"

#define TCP_OPEN     512
#define TCP_MESSAGES 3 /* read from one connection, in hope of a good one */

/* Connects and will send the try's question. 0 or why not; then try->tcp is set. */
int tcp__start(struct try *try);
/* NULL is fine. */
void tcp__close(struct try *try);
