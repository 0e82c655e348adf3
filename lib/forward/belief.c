#include "base/cursor.h"
#include "forward/belief_int.h"
#include <string.h>

/* --- Whom to believe --- */

/*
 * Whether the very octets of the name must come back. Not by TCP, nor where the target is known to
 * lose their case.
 */
static bool try_exact(const struct try *try)
{
	bool loses = (try->q->group->guard & ~try->carries & GUARD_CASE) != 0;
	return !try->by_tcp && !try->lenient && !loses;
}

/* A server that cannot read our question may send none back. */
static bool reply_belongs(const struct try *try, const struct dns_reply *reply, bool exact)
{
	uint8_t buf[DNS_NAME_MAX];
	if (!reply->has_question) {
		return reply->id == try->id && reply->rcode == DNS_RCODE_FORMERR;
	}
	return dns_reply_matches(reply, try->id, send__name(try, buf), try->q->entry.qtype, exact);
}

bool belief__echoed(const struct try *try, const uint8_t *wire, size_t size)
{
	const struct inflight_entry *entry = &try->q->entry;
	uint8_t buf[DNS_NAME_MAX];
	size_t end = DNS_HEADER_SIZE + entry->name_len + 4;
	if (size < end || get_u16(wire) != try->id || (wire[2] & 0xf8) != 0x80 ||
	    get_u16(wire + 4) != 1) {
		return false;
	}
	return memcmp(wire + DNS_HEADER_SIZE, send__name(try, buf), entry->name_len) == 0 &&
	       get_u16(wire + end - 4) == entry->qtype && get_u16(wire + end - 2) == DNS_CLASS_IN;
}

/*
 * RFC 7873 section 5.3. One who gave a cookie once and gives none now is asked by TCP; if he gives
 * none there either, he has none any more.
 */
static enum belief cookie_belief(const struct try *try, const struct dns_reply *reply)
{
	struct guard *guard = &try_target(try)->guard;
	if ((try->carries & GUARD_COOKIE) == 0) {
		return BELIEF_YES;
	}
	if (reply->cookie_len != 0) {
		if (!guard__cookie_ours(guard, reply->cookie, reply->cookie_len)) {
			return BELIEF_NO;
		}
		if (reply->cookie_len > GUARD_COOKIE_OWN) {
			guard__learn(guard, reply->cookie, reply->cookie_len);
		}
		return BELIEF_YES;
	}
	if (!guard__has_cookie(guard)) {
		return BELIEF_YES;
	}
	if (!try->by_tcp && !try->lenient) {
		return BELIEF_DOUBT;
	}
	guard__learn(guard, guard->own, GUARD_COOKIE_OWN);
	return BELIEF_YES;
}

enum belief belief__of(const struct try *try, const struct dns_reply *reply, uint64_t now_ms)
{
	struct target *target = try_target(try);
	if (!reply_belongs(try, reply, try_exact(try))) {
		if (!reply_belongs(try, reply, false)) {
			return BELIEF_NO;
		}
		if ((try->carries & GUARD_CASE) != 0 && !try->doubted) {
			guard__case_lost(&target->guard, target->text, now_ms);
		}
		return BELIEF_DOUBT;
	}
	return cookie_belief(try, reply);
}

/* --- Of what use --- */

/* Go and ask those: of no use to us, who go nowhere but to our targets (T16). */
static bool is_referral(const struct dns_reply *reply)
{
	if (reply->count[DNS_SECTION_ANSWER] != 0 || (reply->flags & DNS_FLAG_AA) != 0) {
		return false;
	}
	struct dns_walk walk;
	struct dns_rr rr;
	bool delegated = false;
	dns_walk_begin(&walk, reply, DNS_SECTION_AUTHORITY);
	while (dns_walk_next(&walk, &rr)) {
		if (rr.type == DNS_TYPE_SOA) {
			return false;
		}
		delegated |= rr.type == DNS_TYPE_NS;
	}
	return delegated;
}

enum verdict belief__judge(const struct try *try, const struct dns_reply *reply,
                           enum forward_reason *ret_reason)
{
	*ret_reason = REASON_LAME;
	switch (reply->rcode) {
	case DNS_RCODE_NOERROR:
	case DNS_RCODE_NXDOMAIN:
		if ((reply->flags & DNS_FLAG_TC) != 0) {
			return try->by_tcp ? VERDICT_BAD : VERDICT_TRUNCATED;
		}
		return reply->rcode == DNS_RCODE_NOERROR && is_referral(reply) ? VERDICT_BAD
		                                                               : VERDICT_GOOD;
	case DNS_RCODE_FORMERR:
	case DNS_RCODE_BADVERS:
		*ret_reason = REASON_FORMERR;
		return VERDICT_FORMERR;
	case DNS_RCODE_BADCOOKIE:
		return (try->carries & GUARD_COOKIE) != 0 && !try->by_tcp && reply->cookie_len != 0
		               ? VERDICT_COOKIE
		               : VERDICT_BAD;
	case DNS_RCODE_SERVFAIL:
		*ret_reason = REASON_SERVFAIL;
		break;
	case DNS_RCODE_REFUSED:
		*ret_reason = REASON_REFUSED;
		break;
	default:
		break;
	}
	return VERDICT_BAD;
}
