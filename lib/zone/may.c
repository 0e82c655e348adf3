/* zone/may.c - whether a static set may answer just these records: for comparing it with what others say. */
#include "zone/zone_int.h"

struct said {
	uint16_t type;
	const struct zone_rr *rr;
	unsigned int count;
};

/* Types whose data are names (and numbers): there case does not count. */
static bool type_folds(uint16_t type)
{
	switch (type) {
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_SOA:
	case DNS_TYPE_PTR:
	case DNS_TYPE_MX:
	case DNS_TYPE_SRV:
		return true;
	default:
		return false;
	}
}

static bool rr_same(uint16_t type, const struct zone_rr *a, const struct zone_rr *b)
{
	if (a->rdlen != b->rdlen) {
		return false;
	}
	if (!type_folds(type)) {
		return memcmp(a->rdata, b->rdata, a->rdlen) == 0;
	}
	for (uint16_t i = 0; i < a->rdlen; i++) {
		if (dns_fold(a->rdata[i]) != dns_fold(b->rdata[i])) {
			return false;
		}
	}
	return true;
}

static const uint8_t *value_take(const uint8_t *at, struct zone_rr *ret_rr)
{
	memcpy(&ret_rr->rdlen, at, sizeof(ret_rr->rdlen));
	ret_rr->rdata = at + sizeof(ret_rr->rdlen);
	return ret_rr->rdata + ret_rr->rdlen;
}

/* One of these values is the record. */
static bool values_have(const uint8_t *at, unsigned int count, uint16_t type,
                        const struct zone_rr *rr)
{
	struct zone_rr value;
	for (unsigned int i = 0; i < count; i++) {
		at = value_take(at, &value);
		if (rr_same(type, &value, rr)) {
			return true;
		}
	}
	return false;
}

/* All that was said is among the values; as many as they are, and each once, so they are the same. */
static bool values_are(const uint8_t *at, unsigned int count, const struct said *said)
{
	if (count != said->count) {
		return false;
	}
	for (unsigned int i = 0; i < count; i++) {
		if (!values_have(at, count, said->type, &said->rr[i])) {
			return false;
		}
		for (unsigned int j = 0; j < i; j++) {
			if (rr_same(said->type, &said->rr[i], &said->rr[j])) {
				return false;
			}
		}
	}
	return true;
}

static bool multivalue_may(const struct zone *zone, const struct zone_member *members,
                           unsigned int count, const struct said *said)
{
	if (said->count < (count < ZONE__MULTI_MAX ? count : ZONE__MULTI_MAX)) {
		return false;
	}
	for (unsigned int i = 0; i < said->count; i++) {
		bool found = false;
		for (unsigned int m = 0; m < count && !found; m++) {
			found = values_have(zone__at(zone, members[m].data), members[m].count,
			                    said->type, &said->rr[i]);
		}
		if (!found) {
			return false;
		}
	}
	return true;
}

static bool set_may(const struct zone *zone, const struct zone_rrset *set, const struct said *said,
                    unsigned int links);

/* Weight 0 is drawn only when no member has any (D13). */
static bool weighted_may(const struct zone *zone, const struct zone_member *members,
                         unsigned int count, const struct said *said, unsigned int links)
{
	unsigned int weight = 0;
	for (unsigned int m = 0; m < count; m++) {
		weight += members[m].weight;
	}
	for (unsigned int m = 0; m < count; m++) {
		const struct zone_member *member = &members[m];
		if (weight != 0 && member->weight == 0) {
			continue;
		}
		const void *data = zone__at(zone, member->data);
		if (member->alias != 0 ? set_may(zone, data, said, links + 1)
		                       : values_are(data, member->count, said)) {
			return true;
		}
	}
	return false;
}

static bool set_may(const struct zone *zone, const struct zone_rrset *set, const struct said *said,
                    unsigned int links)
{
	if (links > ZONE__ALIAS_MAX) {
		return false;
	}
	const void *data = zone__at(zone, set->data);
	switch (set->kind) {
	case ZONE__VALUES:
		return values_are(data, set->count, said);
	case ZONE__ALIAS:
		return set_may(zone, data, said, links + 1);
	case ZONE__WEIGHTED:
		return weighted_may(zone, data, set->count, said, links);
	case ZONE__MULTIVALUE:
		return multivalue_may(zone, data, set->count, said);
	default:
		return false;
	}
}

bool zone_rrset_may(const struct zone *zone, const struct zone_rrset *set, const struct zone_rr *rr,
                    unsigned int count)
{
	const struct said said = {.type = set->type, .rr = rr, .count = count};
	return set->class == ZONE_STATIC && set_may(zone, set, &said, 0);
}
