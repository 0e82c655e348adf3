/*
 * forward/belief_int.h - is this the answer to what we asked, and is it of use?
 *
 * Judges a reply alone; what follows from it (another try, the outcome) is forward/ask.c's.
 *
 * Loop: the one of the try's worker.
 * RFC:  5452 section 9 (what must match); 7873 section 5.3 (cookies).
 */
#pragma once

#include "forward/ask_int.h"

enum belief {
	BELIEF_YES,
	BELIEF_NO,
	BELIEF_DOUBT, /* it may be from a server that does not bear what the question carried */
};

/*
 * Whether the reply belongs to the try. What it shows of the target is remembered: its cookie, or
 * that it loses the case of names.
 */
enum belief belief__of(const struct try *try, const struct dns_reply *reply, uint64_t now_ms);

/* The header and the very question of this try are there, whatever follows. */
bool belief__echoed(const struct try *try, const uint8_t *wire, size_t size);

enum verdict {
	VERDICT_GOOD,
	VERDICT_TRUNCATED,
	VERDICT_FORMERR, /* perhaps EDNS is what it does not understand */
	VERDICT_COOKIE,  /* it wants the cookie that it sent along (BADCOOKIE) */
	VERDICT_BAD,
};

/* Of what use it is. *ret_reason: what to count for VERDICT_BAD and VERDICT_FORMERR. */
enum verdict belief__judge(const struct try *try, const struct dns_reply *reply,
                           enum forward_reason *ret_reason);
