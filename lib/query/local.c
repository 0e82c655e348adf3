/* query/local.c - what we answer by ourselves: localhost, CHAOS, ANY of names that are others'. */
#include "query/query_int.h"

#include <stdio.h>
#include <string.h>

#define LOCAL_TTL_S 86400

static const uint8_t localhost[] = "\011localhost";
static const uint8_t loopback_v4[] = "\0011\0010\0010\003127\007in-addr\004arpa";
static const uint8_t address_v4[4] = {127, 0, 0, 1};
static const uint8_t address_v6[16] = {[15] = 1};

/* SOA localhost. nobody.invalid. 1 3600 1200 604800 86400 */
static const uint8_t local_soa[] = "\011localhost\000\006nobody\007invalid\000"
				   "\000\000\000\001\000\000\016\020\000\000\004\260"
				   "\000\011\072\200\000\001\121\200";

static enum step_says local_put(struct query_run *run, uint16_t type, const uint8_t *rdata,
                                uint16_t rdlen)
{
	run->source = QUERY_FROM_LOCAL;
	if (!query__put(run, type, LOCAL_TTL_S, rdata, rdlen)) {
		run->b.truncated = true;
	}
	return STEP_DONE;
}

static enum step_says local_negative(struct query_run *run, unsigned int rcode)
{
	run->source = QUERY_FROM_LOCAL;
	run->rcode = rcode;
	struct dns_mark mark = dns_build_mark(&run->b);
	uint32_t ttl_s = run->world->opts->max_negative_ttl_s;
	if (!dns_build_rr(&run->b, DNS_SECTION_AUTHORITY, run->place.rule->domain, DNS_TYPE_SOA,
	                  DNS_CLASS_IN, ttl_s, local_soa, sizeof(local_soa) - 1)) {
		dns_build_cut(&run->b, &mark);
	}
	return STEP_DONE;
}

/* The name of 127.0.0.1 or of ::1 (34 labels of which the first is 1 and all other digits 0). */
static bool is_loopback_name(const struct query_run *run)
{
	if (dns_name_equal(run->key->name, loopback_v4)) {
		return true;
	}
	return run->key->labels == 34 && run->place.rule->label_count == 34;
}

/* RFC 6761 section 6.3; reverse names as RFC 1912 section 4.1 has them. */
enum step_says query_local_name(struct query_run *run)
{
	uint16_t type = run->q->qtype;
	query__trace(run, "answered by ourselves\n");
	if (dns_name_within(run->key->name, localhost)) {
		if (type == DNS_TYPE_A || type == DNS_TYPE_ANY) {
			return local_put(run, DNS_TYPE_A, address_v4, sizeof(address_v4));
		}
		if (type == DNS_TYPE_AAAA) {
			return local_put(run, DNS_TYPE_AAAA, address_v6, sizeof(address_v6));
		}
		return local_negative(run, DNS_RCODE_NOERROR);
	}
	if (is_loopback_name(run)) {
		if (type == DNS_TYPE_PTR || type == DNS_TYPE_ANY) {
			return local_put(run, DNS_TYPE_PTR, localhost, sizeof(localhost));
		}
		return local_negative(run, DNS_RCODE_NOERROR);
	}
	bool inner = dns_name_within(loopback_v4, run->key->name);
	return local_negative(run, inner ? DNS_RCODE_NOERROR : DNS_RCODE_NXDOMAIN);
}

/* RFC 8482 section 4.2: a HINFO that says so, rather than all that others have. */
enum step_says query_local_any(struct query_run *run)
{
	static const uint8_t hinfo[] = "\007RFC8482";
	query__trace(run, "ANY is answered minimally\n");
	return local_put(run, DNS_TYPE_HINFO, hinfo, sizeof(hinfo));
}

static enum step_says chaos_text(struct query_run *run, const char *text)
{
	uint8_t rdata[256];
	size_t len = strnlen(text, 255);
	if (len == 0) {
		return query__refuse(run, DNS_RCODE_REFUSED, DNS_EDE_NONE, NULL);
	}
	rdata[0] = (uint8_t)len;
	memcpy(rdata + 1, text, len);
	if (!dns_build_rr_at(&run->b, DNS_SECTION_ANSWER, DNS_HEADER_SIZE, DNS_TYPE_TXT,
	                     DNS_CLASS_CH, 0, rdata, (uint16_t)(len + 1))) {
		run->b.truncated = true;
	}
	return STEP_DONE;
}

enum step_says query_local_chaos(struct query_run *run)
{
	static const struct {
		const char *name;
		bool version;
	} known[] = {
		{"\007version\004bind", true},
		{"\007version\006server", true},
		{"\002id\006server", false},
		{"\010hostname\004bind", false},
	};
	const struct world_opts *opts = run->world->opts;
	bool text_asked = run->q->qtype == DNS_TYPE_TXT || run->q->qtype == DNS_TYPE_ANY;
	for (size_t i = 0; text_asked && i < sizeof(known) / sizeof(known[0]); i++) {
		if (dns_name_equal(run->key->name, (const uint8_t *)known[i].name)) {
			return chaos_text(run, known[i].version ? opts->version : opts->server_id);
		}
	}
	return query__refuse(run, DNS_RCODE_REFUSED, DNS_EDE_NOT_SUPPORTED, "class is not IN");
}
