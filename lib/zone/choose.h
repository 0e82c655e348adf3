/*
 * zone/choose.h - the documented choice among the members of a routing policy, for one who must make it himself.
 *
 * The VPC resolver makes it where it can be asked; where a zone is not associated with our VPC it is made here, with
 * the health that is known and from the region that the VPC lies in.
 *
 * Loop: any thread; no memory, no time.
 * AWS:  facts/route53.md section 6.1; facts/peers-and-semantics.md D13 to D17. Developer Guide "How Route 53
 *       chooses records when health checking is configured".
 */
#pragma once

#include "base/random.h"
#include "zone/set.h"

struct choose_member {
	const char *region; /* as zone_record_set has it; NULL: none */
	uint32_t weight;
	bool healthy; /* without a health check: true */
	bool secondary;
};

#define CHOOSE_PICKS_MAX 8 /* of multivalue; one of all others */

/*
 * region: of our VPC, "" when it is not known: then only the default location matches, and the first healthy
 * member stands for the nearest. Returns how many members answer, their numbers in ret_picks (room for
 * CHOOSE_PICKS_MAX); 0: none does (a location without a set for it, a policy that private zones lack).
 */
unsigned int choose_members(enum zone_policy policy, const struct choose_member *members,
                            unsigned int count, const char *region, struct draw *draw,
                            unsigned int *ret_picks);
