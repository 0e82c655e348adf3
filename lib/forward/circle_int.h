/*
 * forward/circle_int.h - questions that come back to us: forwarding loops, seen, cut and mended.
 *
 * Seen in two ways. (1) For each rule and target a question of our own is sent, at start, when the
 * rule changes and once a minute (then of at most 16 domains in turn), under a name below the rule's
 * domain that none but this process can make: "horizond-loop-" and 48 hex digits (rule, target, time, a random number, and their
 * digest under a key drawn at start). Who asks us that name within CIRCLE_VALID_S has it from that
 * target. (2) A client's question that is the same as one in flight, from an address that is a
 * target of the rule itself, when somebody else asked it first.
 *
 * After (1) that target is asked nothing more for that rule but further such questions, so the rule
 * goes on with its other targets; when it has none, its questions fail at once and say why. (2)
 * refuses that one question, which ends the circle, and has (1) look at once. It mends by itself:
 * when questions of our own are answered by the target, for each of the rule's domains in turn, and
 * did not come back to us.
 *
 * A name is unguessable (unlike a fixed one), so that no stranger can break a rule by asking; who
 * sees it on its way could, for CIRCLE_VALID_S, but he sees it because he is asked.
 *
 * Loop:   circle__check on any worker, on the miss path alone; the rest on the prober's.
 * RFC:    none; threat T17.
 */
#pragma once

#include "forward/worker_int.h"

#define CIRCLE_EVERY_MS  60000
#define CIRCLE_BROKEN_MS 3000 /* while cut: looks whether it is gone */
#define CIRCLE_VALID_S   10
#define CIRCLE_TEXT_MAX  160

/*
 * The next name for this member, below one of the group's domains in turn, at most DNS_NAME_MAX
 * octets. False: the domain leaves no room for it.
 */
bool circle__name(const struct forward *fwd, const struct group *group, unsigned int member,
                  uint64_t now_ms, uint8_t *ret_name);

/* True for the prober, when the member is due. The next time is set. */
bool circle__due(const struct group *group, struct member *member, uint64_t now_ms);
/* Looks at all targets of the group soon. */
void circle__hasten(const struct group *group, uint64_t now_ms);

/*
 * Before ask goes anywhere: is it a question of our own that has come back, or for a rule that is
 * cut? True: it must not be sent; text (CIRCLE_TEXT_MAX) says why.
 */
bool circle__check(struct forward *fwd, const struct group *group, const struct forward_ask *ask,
                   uint64_t now_ms, char *text);
/* (2) has happened. Writes the text. */
void circle__refuse(struct forward *fwd, const struct group *group, const struct addr *client,
                    uint64_t now_ms, char *text);
/* A question of our own, sent at sent_ms, has had an answer. */
void circle__answered(struct forward *fwd, const struct group *group, struct member *member,
                      uint64_t sent_ms, uint64_t now_ms);

/* Members that must not be asked; bit i: member i. */
uint32_t circle__cut(const struct group *group);
/* The address is one of the group's targets, whatever the port. */
bool circle__is_target(const struct group *group, const struct addr *addr);
