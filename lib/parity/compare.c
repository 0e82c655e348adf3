#include "parity/compare_int.h"

#include "dns/rdata.h"
#include <string.h>

#define RECORDS_MAX 400   /* of one set: Route 53 has no more values */
#define RDATA_MAX   65536 /* octets of them all */

struct collected {
	struct zone_rr rr[RECORDS_MAX];
	unsigned int count;
	uint8_t bytes[RDATA_MAX];
	size_t used;
};

/* The answer's records of name and type, names in them written out. False: more than any set of ours has. */
static bool collect(const struct dns_reply *reply, const uint8_t *name, uint16_t type,
                    struct collected *all)
{
	struct dns_walk walk;
	struct dns_rr rr;
	all->count = 0;
	all->used = 0;
	dns_walk_begin(&walk, reply, DNS_SECTION_ANSWER);
	while (dns_walk_next(&walk, &rr)) {
		uint8_t owner[DNS_NAME_MAX];
		if (rr.type != type || rr.class != DNS_CLASS_IN ||
		    dns_msg_name(reply->wire, reply->size, rr.owner, owner, NULL) < 0 ||
		    !dns_name_equal(owner, name)) {
			continue;
		}
		uint8_t *at = all->bytes + all->used;
		int len = dns_msg_rdata(reply, &rr, at, RDATA_MAX - all->used);
		if (len < 0 || all->count == RECORDS_MAX) {
			return false;
		}
		all->rr[all->count++] = (struct zone_rr){.rdata = at, .rdlen = (uint16_t)len};
		all->used += (size_t)len;
	}
	return true;
}

static bool is_static(const struct zone_result *result)
{
	switch (result->found) {
	case ZONE_FOUND_NODATA:
	case ZONE_FOUND_NXDOMAIN:
		return true;
	case ZONE_FOUND_SET:
		return zone_rrset_class(result->set) == ZONE_STATIC;
	default: /* a CNAME leads on, maybe out of the zone: it is sampled as what it is */
		return false;
	}
}

bool compare__static(const struct zone *zone, const struct dns_key *key, uint16_t type)
{
	struct zone_result result;
	zone_lookup(zone, key, type, &result);
	return is_static(&result);
}

static uint32_t ttl_of(const struct zone *zone, const struct zone_result *result)
{
	struct zone_rr rr[ZONE_DRAW_MAX];
	uint32_t ttl_s = 0;
	if (result->found == ZONE_FOUND_SET) {
		struct draw draw;
		draw_seed(&draw);
		zone_rrset_draw(zone, result->set, &draw, rr, &ttl_s);
	} else {
		uint32_t unused;
		zone_soa(zone, rr, &unused, &ttl_s);
	}
	return ttl_s;
}

enum parity_result compare__reply(const struct zone *zone, const uint8_t *name, uint16_t type,
                                  const struct dns_reply *reply, uint32_t *ret_ttl_s)
{
	static struct collected theirs; /* one thread's */
	struct dns_key key;
	struct zone_result result;
	dns_key_make(&key, name);
	zone_lookup(zone, &key, type, &result);
	if (reply == NULL || !is_static(&result) ||
	    (reply->rcode != DNS_RCODE_NOERROR && reply->rcode != DNS_RCODE_NXDOMAIN)) {
		return PARITY_UNKNOWN;
	}
	*ret_ttl_s = ttl_of(zone, &result);
	if (result.found == ZONE_FOUND_NXDOMAIN || reply->rcode == DNS_RCODE_NXDOMAIN) {
		bool both =
			result.found == ZONE_FOUND_NXDOMAIN && reply->rcode == DNS_RCODE_NXDOMAIN;
		return both && reply->count[DNS_SECTION_ANSWER] == 0 ? PARITY_SAME
		                                                     : PARITY_DIFFERENT;
	}
	if (result.found == ZONE_FOUND_NODATA) {
		return reply->count[DNS_SECTION_ANSWER] == 0 ? PARITY_SAME : PARITY_DIFFERENT;
	}
	bool may = collect(reply, name, type, &theirs) &&
	           zone_rrset_may(zone, result.set, theirs.rr, theirs.count);
	return may ? PARITY_SAME : PARITY_DIFFERENT;
}

/* --- In words --- */

static void words_of(const struct zone_rr *rr, unsigned int count, uint16_t type, struct text *out)
{
	char value[256];
	char word[16];
	for (unsigned int i = 0; i < count; i++) {
		dns_rdata_text(type, rr[i].rdata, rr[i].rdlen, value, sizeof(value));
		text_addf(out, "%s%s", i == 0 ? "" : " | ", value);
	}
	if (count == 0) {
		text_addf(out, "no %s", dns_type_text(type, word));
	}
}

void compare__ours(const struct zone *zone, const uint8_t *name, uint16_t type, struct text *out)
{
	struct dns_key key;
	struct zone_result result;
	struct zone_rr rr[ZONE_DRAW_MAX];
	unsigned int count = 0;
	dns_key_make(&key, name);
	zone_lookup(zone, &key, type, &result);
	if (result.found == ZONE_FOUND_NXDOMAIN) {
		text_addf(out, "NXDOMAIN");
		return;
	}
	if (result.found == ZONE_FOUND_SET) {
		struct draw draw;
		uint32_t ttl_s;
		draw_seed(&draw);
		count = zone_rrset_draw(zone, result.set, &draw, rr, &ttl_s);
	}
	words_of(rr, count, type, out);
}

void compare__theirs(const struct dns_reply *reply, const uint8_t *name, uint16_t type,
                     struct text *out)
{
	static struct collected theirs;
	char rcode[16];
	if (reply->rcode != DNS_RCODE_NOERROR) {
		text_addf(out, "%s", dns_rcode_text(reply->rcode, rcode));
		return;
	}
	collect(reply, name, type, &theirs);
	words_of(theirs.rr, theirs.count, type, out);
}
