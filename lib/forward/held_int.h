/*
 * forward/held_int.h - questions that want a token of their group's bucket, in fair order.
 *
 * In turns: the first that an asker has waiting goes before the second of any other, and so on; and
 * when there is no room, the one with the most gives way. So a host that asks more than there are
 * tokens loses what is over, and hosts that ask little hardly wait.
 *
 * Loop:   a worker's.
 * Memory: none of its own; askers are told apart by a hash, in HELD_ASKERS classes.
 */
#pragma once

#include "base/list.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct question;

#define HELD_ASKERS 256u
#define HELD_TURNS  8u /* all later ones have the last turn, in the order in which they came */

struct held {
	struct list turn[HELD_TURNS]; /* the oldest first */
	size_t count;
	uint16_t of[HELD_ASKERS];
	bool walked; /* tokens are being given out: nobody else may be removed */
};

void held__init(struct held *held);
/* q (by its member queue), which is in no list. */
void held__add(struct held *held, struct question *q);
void held__remove(struct held *held, struct question *q);
/* Who gives way to one of asker: the youngest of him who has most, if that is fair; else NULL. */
struct question *held__victim(const struct held *held, uint32_t asker);
