/*
 * What a static set answers this time.
 *
 * One random number orders up to eight records: it is used up digit by digit, each in the base that is
 * needed next (8! fits 32 bits many times over). Longer lists are turned instead: all their records come,
 * and a client that takes the first is as well spread.
 */
#include "base/random.h"
#include "zone/zone_int.h"
#include <assert.h>

#define DRAW_SHUFFLE_MAX 8

static const uint8_t *value_take(const uint8_t *at, struct zone_rr *ret_rr)
{
	memcpy(&ret_rr->rdlen, at, sizeof(ret_rr->rdlen));
	ret_rr->rdata = at + sizeof(ret_rr->rdlen);
	return ret_rr->rdata + ret_rr->rdlen;
}

static void shuffle(struct zone_rr *rr, unsigned int count, struct draw *draw)
{
	uint32_t rest = draw_u32(draw);
	for (unsigned int left = count; left > 1; left--) {
		uint64_t product = (uint64_t)rest * left;
		unsigned int pick = (unsigned int)(product >> 32);
		rest = (uint32_t)product;
		struct zone_rr swap = rr[left - 1];
		rr[left - 1] = rr[pick];
		rr[pick] = swap;
	}
}

static unsigned int values_draw(const uint8_t *at, unsigned int count, struct draw *draw,
                                struct zone_rr *ret_rr)
{
	if (count == 1) {
		value_take(at, ret_rr);
		return 1;
	}
	unsigned int to = count > DRAW_SHUFFLE_MAX ? draw_below(draw, count) : 0;
	for (unsigned int i = 0; i < count; i++) {
		at = value_take(at, &ret_rr[to]);
		to = to + 1 == count ? 0 : to + 1;
	}
	if (count <= DRAW_SHUFFLE_MAX) {
		shuffle(ret_rr, count, draw);
	}
	return count;
}

/* See members_weigh in layout.c: the high half says the column, the low half where in it. */
static const struct zone_member *weighted_draw(const struct zone_member *members,
                                               unsigned int count, struct draw *draw)
{
	uint64_t product = (uint64_t)draw_u32(draw) * count;
	const struct zone_member *member = &members[product >> 32];
	return (uint32_t)product < member->cut ? member : &members[member->other];
}

#define PICKS_FROM 256 /* more members than Route 53 has of one name and type */

/* Eight of count (all when there are no more), each choice and each order equally likely. */
static unsigned int members_pick(unsigned int count, struct draw *draw, unsigned int *ret_picks)
{
	uint8_t index[PICKS_FROM];
	unsigned int picks = count < ZONE__MULTI_MAX ? count : ZONE__MULTI_MAX;
	for (unsigned int i = 0; i < count; i++) {
		index[i] = (uint8_t)i;
	}
	for (unsigned int n = 0; n < picks; n++) {
		unsigned int from = n + draw_below(draw, count - n);
		ret_picks[n] = index[from];
		index[from] = index[n];
	}
	return picks;
}

/* The same from a file with more members than that; in no random order (R. W. Floyd). */
static unsigned int members_pick_many(unsigned int count, struct draw *draw,
                                      unsigned int *ret_picks)
{
	for (unsigned int n = 0; n < ZONE__MULTI_MAX; n++) {
		unsigned int last = count - ZONE__MULTI_MAX + n;
		unsigned int pick = draw_below(draw, last + 1);
		for (unsigned int i = 0; i < n; i++) {
			if (ret_picks[i] == pick) {
				pick = last;
				break;
			}
		}
		ret_picks[n] = pick;
	}
	return ZONE__MULTI_MAX;
}

static unsigned int multivalue_draw(const struct zone *zone, const struct zone_member *members,
                                    unsigned int count, struct draw *draw, struct zone_rr *ret_rr)
{
	unsigned int picks[ZONE__MULTI_MAX];
	bool many = count > PICKS_FROM;
	unsigned int picked =
		many ? members_pick_many(count, draw, picks) : members_pick(count, draw, picks);
	unsigned int total = 0;
	for (unsigned int i = 0; i < picked; i++) {
		const struct zone_member *member = &members[picks[i]];
		if (total + member->count > ZONE_DRAW_MAX) {
			continue;
		}
		const uint8_t *at = zone__at(zone, member->data);
		for (unsigned int v = 0; v < member->count; v++) {
			at = value_take(at, &ret_rr[total++]);
		}
	}
	if (many || total != picked) {
		shuffle(ret_rr, total < DRAW_SHUFFLE_MAX ? total : DRAW_SHUFFLE_MAX, draw);
	}
	return total;
}

unsigned int zone_rrset_member_draw(const struct zone *zone, const struct zone_rrset *set,
                                    unsigned int i, struct draw *draw, struct zone_rr *ret_rr,
                                    uint32_t *ret_ttl_s)
{
	assert(i < zone_rrset_members(set));
	const struct zone_member *member =
		(const struct zone_member *)zone__at(zone, set->data) + i;
	if (member->alias == 0) {
		*ret_ttl_s = member->ttl_s;
		return values_draw(zone__at(zone, member->data), member->count, draw, ret_rr);
	}
	if (member->data == 0) {
		return 0;
	}
	return zone_rrset_draw(zone, zone__at(zone, member->data), draw, ret_rr, ret_ttl_s);
}

unsigned int zone_rrset_draw(const struct zone *zone, const struct zone_rrset *set,
                             struct draw *draw, struct zone_rr *ret_rr, uint32_t *ret_ttl_s)
{
	if (set->class != ZONE_STATIC) {
		return 0;
	}
	/* A static set leads to static ones only, in no more steps than this. */
	for (int step = 0; step <= ZONE__ALIAS_MAX; step++) {
		const struct zone_member *member;
		switch (set->kind) {
		case ZONE__VALUES:
			*ret_ttl_s = set->ttl_s;
			return values_draw(zone__at(zone, set->data), set->count, draw, ret_rr);
		case ZONE__ALIAS:
			set = zone__at(zone, set->data);
			break;
		case ZONE__WEIGHTED:
			member = weighted_draw(zone__at(zone, set->data), set->count, draw);
			if (member->alias == 0) {
				*ret_ttl_s = set->ttl_s;
				return values_draw(zone__at(zone, member->data), member->count,
				                   draw, ret_rr);
			}
			set = zone__at(zone, member->data);
			break;
		case ZONE__MULTIVALUE:
			*ret_ttl_s = set->ttl_s;
			return multivalue_draw(zone, zone__at(zone, set->data), set->count, draw,
			                       ret_rr);
		default:
			return 0;
		}
	}
	return 0;
}
