/* rooms: dns */
#include "dns/build.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a client gets back must be readable, whatever it sent. */
static void answer(const struct dns_query *q, unsigned int rcode)
{
	uint8_t buf[DNS_UDP_PLAIN];
	struct dns_build b;
	struct dns_reply reply;
	struct dns_opt opt = {
		.udp_size = DNS_UDP_OURS,
		.dnssec_ok = q->dnssec_ok,
		.ede = DNS_EDE_OTHER,
		.ede_text = "text",
		.nsid = q->nsid ? "nsid" : NULL,
		.cookie = q->cookie,
		.cookie_len = q->cookie_len,
		.keepalive = q->keepalive ? 100 : -1,
	};
	dns_build_answer(&b, buf, sizeof(buf), sizeof(buf), q);
	dns_build_reserve(&b, dns_opt_size(&opt));
	if (q->question_len != 0) {
		for (int i = 0; i < 20; i++) {
			dns_build_rr(&b, DNS_SECTION_ANSWER, dns_query_name(q), DNS_TYPE_A,
			             DNS_CLASS_IN, 1, (const uint8_t *)"\1\2\3\4", 4);
		}
	}
	size_t size = dns_build_end(&b, DNS_FLAG_AA, rcode, &opt);
	assert(size <= sizeof(buf));
	if (DNS_OPCODE(q->flags) == 0) {
		assert(dns_reply_read(buf, size, &reply) == 0);
		assert(reply.rcode == rcode);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dns_query q;
	static struct dns_key key;
	switch (dns_query_read(data, size, &q)) {
	case DNS_VERDICT_DROP:
		return 0;
	case DNS_VERDICT_OK:
	case DNS_VERDICT_BADVERS:
		assert(q.question_len == q.key.len + 4);
		dns_key_make(&key, dns_query_name(&q));
		assert(key.len == q.key.len && key.labels == q.key.labels);
		assert(memcmp(key.name, q.key.name, key.len) == 0);
		assert(memcmp(key.hash, q.key.hash, sizeof(key.hash[0]) * (key.labels + 1u)) == 0);
		answer(&q, q.edns_version == 0 ? DNS_RCODE_NOERROR : DNS_RCODE_BADVERS);
		break;
	case DNS_VERDICT_FORMERR:
		answer(&q, DNS_RCODE_FORMERR);
		break;
	case DNS_VERDICT_NOTIMP:
		answer(&q, DNS_RCODE_NOTIMP);
		break;
	}
	return 0;
}
