/*
 * forward/guard_int.h - what goes along with a question so that a forger must guess more: the name in
 * random case, and a DNS cookie; and which targets bear it.
 *
 * A reply by UDP must bring both back, octet for octet. One that has port, id and name right and the
 * case wrong, or no cookie from a target that gives cookies, is no answer and no proof of anything:
 * the question is asked again by TCP, and, should TCP not work there, once more by UDP, with another
 * port and id and without these demands. What comes by TCP is taken without them.
 *
 * A target that loses the case of names GUARD_LOST_MAX times without keeping it once is asked in the
 * client's own case for GUARD_PAUSE_MS; one that answers FORMERR to cookies and well without them
 * gets none for as long. One that may drop such questions altogether (it has never answered any, and
 * fell silent again after it had answered a plain one) gets plain ones, too. All is tried again after
 * that time.
 *
 * Loop:   shared by all workers: atomic numbers; the server's cookie under a sequence count.
 * RFC:    7873 and 9018 (cookies); threats T1, T2, T4, T5, T11; draft-vixie-dnsext-dns0x20.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUARD_LOST_MAX   3
#define GUARD_PAUSE_MS   (6 * 3600 * UINT64_C(1000))
#define GUARD_COOKIE_MAX 40 /* ours of 8 octets, theirs of 8 to 32 */
#define GUARD_COOKIE_OWN 8

enum {
	GUARD_CASE = 1,
	GUARD_COOKIE = 2,
};

/* In each target. */
struct guard {
	uint8_t own[GUARD_COOKIE_OWN]; /* our cookie for this target alone: random */
	/* The target's cookie for us: octets in words, written between odd and even. */
	uint32_t seq;
	uint32_t size; /* 0: none */
	uint64_t words[4];
	uint32_t case_lost;      /* replies since the last that kept it */
	uint32_t cookie_refused; /* FORMERR with, an answer without */
	uint64_t case_pause_ms;  /* names go as written until then */
	uint64_t cookie_pause_ms;
	bool borne;    /* it has answered a question with all that was demanded */
	bool plain_up; /* when it was down, it was a plain question that it answered */
};

void guard__init(struct guard *guard);

/* Of what the group wants (GUARD_ bits), what this question is to carry. down: the target is. */
unsigned int guard__bear(const struct guard *guard, unsigned int want, bool down, uint64_t now_ms);

/* The name, each letter's case turned where its octet's bit says so (past 64 octets they begin anew). */
void guard__mix(const uint8_t *name, size_t len, uint64_t bits, uint8_t *ret_name);

/* What to send: ours, and theirs when it is known. ret_cookie: GUARD_COOKIE_MAX. Returns the size. */
size_t guard__cookie(const struct guard *guard, uint8_t *ret_cookie);
/* A cookie came with a reply: it begins with ours. */
bool guard__cookie_ours(const struct guard *guard, const uint8_t *cookie, size_t size);
/* The target gives cookies. */
bool guard__has_cookie(const struct guard *guard);
/* Keeps theirs, of a reply that is believed. size GUARD_COOKIE_OWN: there is none any more. */
void guard__learn(struct guard *guard, const uint8_t *cookie, size_t size);

/* A reply with all that was demanded (GUARD_ bits, not 0). */
void guard__kept(struct guard *guard, unsigned int carried);
/* A reply in another case. target: for the log. */
void guard__case_lost(struct guard *guard, const char *target, uint64_t now_ms);
/* FORMERR with a cookie and an answer without. */
void guard__cookie_refused(struct guard *guard, const char *target, uint64_t now_ms);
/* While it was down it answered a question without demands. */
void guard__plain_up(struct guard *guard);
/* It has gone down. */
void guard__fell(struct guard *guard, const char *target, uint64_t now_ms);
