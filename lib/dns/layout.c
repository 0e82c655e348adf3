#include "base/fail.h"
#include "dns/layout_int.h"
#include "dns/msg.h"
#include "dns/rdata.h"
#include "dns/type.h"

/* No honest writer needs a pointer for each label; more are a walk in the making. */
#define HOPS_MAX DNS_LABELS_MAX

const struct dns__layout *dns__layout_of(uint16_t type)
{
	static const struct dns__layout a = {.before = 4}, aaaa = {.before = 16};
	static const struct dns__layout name = {.names = 1}, names = {.names = 2};
	static const struct dns__layout soa = {.names = 2, .after = 20};
	static const struct dns__layout mx = {.before = 2, .names = 1},
					px = {.before = 2, .names = 2};
	static const struct dns__layout srv = {.before = 6, .names = 1};
	static const struct dns__layout naptr = {.before = 4, .strings = 3, .names = 1};
	static const struct dns__layout sig = {.before = 18, .names = 1, .rest = true};
	static const struct dns__layout nsec = {.names = 1, .rest = true};
	static const struct dns__layout svcb = {.before = 2, .names = 1, .rest = true};

	switch (type) {
	case DNS_TYPE_A:
		return &a;
	case DNS_TYPE_AAAA:
		return &aaaa;
	case DNS_TYPE_NS:
	case 3: /* MD */
	case 4: /* MF */
	case DNS_TYPE_CNAME:
	case 7: /* MB */
	case 8: /* MG */
	case 9: /* MR */
	case DNS_TYPE_PTR:
	case DNS_TYPE_DNAME:
		return &name;
	case DNS_TYPE_SOA:
		return &soa;
	case 14: /* MINFO */
	case 17: /* RP */
		return &names;
	case DNS_TYPE_MX:
	case 18: /* AFSDB */
	case 21: /* RT */
	case 36: /* KX */
		return &mx;
	case 26: /* PX */
		return &px;
	case DNS_TYPE_SRV:
		return &srv;
	case DNS_TYPE_NAPTR:
		return &naptr;
	case DNS_TYPE_SIG:
	case DNS_TYPE_RRSIG:
		return &sig;
	case 30: /* NXT */
	case DNS_TYPE_NSEC:
		return &nsec;
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS:
		return &svcb;
	default:
		return NULL;
	}
}

int dns__scan_name(struct dns__scan *scan, size_t offset, size_t end, uint8_t *ret_name,
                   size_t *ret_next)
{
	const uint8_t *wire = scan->wire;
	size_t pos = offset;
	size_t start =
		offset; /* of the part we are in: pointers lead before it, so there is no circle */
	size_t next = 0;
	size_t len = 0;
	unsigned int hops = 0;

	for (;;) {
		if (pos >= end || scan->steps == 0) {
			return FAIL_FORMAT;
		}
		scan->steps--;
		uint8_t octet = wire[pos];
		if (octet > DNS_LABEL_MAX) {
			size_t target = pos + 1 < end ? get_u16(wire + pos) & 0x3fff : 0;
			if (octet < 0xc0 || target < DNS_HEADER_SIZE || target >= start ||
			    ++hops > HOPS_MAX) {
				return FAIL_FORMAT;
			}
			next = next == 0 ? pos + 2 : next;
			pos = start = target;
			continue;
		}
		size_t size = (size_t)octet + 1;
		if (size > end - pos || len + size > DNS_NAME_MAX) {
			return FAIL_FORMAT;
		}
		if (ret_name != NULL) {
			memcpy(ret_name + len, wire + pos, size);
		}
		len += size;
		pos += size;
		if (octet == 0) {
			break;
		}
	}
	if (ret_next != NULL) {
		*ret_next = next == 0 ? pos : next;
	}
	return (int)len;
}

/* Moves *at behind count character strings. False when they run over the end. */
static bool strings_pass(const uint8_t *wire, size_t *at, size_t end, unsigned int count)
{
	for (; count > 0; count--) {
		if (*at >= end || wire[*at] >= end - *at) {
			return false;
		}
		*at += (size_t)wire[*at] + 1;
	}
	return true;
}

bool dns__scan_rdata(struct dns__scan *scan, uint16_t type, size_t rdata, size_t rdlen)
{
	const struct dns__layout *layout = dns__layout_of(type);
	if (layout == NULL) {
		return true;
	}
	size_t end = rdata + rdlen;
	if (rdlen < layout->before) {
		return false;
	}
	size_t at = rdata + layout->before;
	if (!strings_pass(scan->wire, &at, end, layout->strings)) {
		return false;
	}
	for (unsigned int i = 0; i < layout->names; i++) {
		if (dns__scan_name(scan, at, end, NULL, &at) < 0) {
			return false;
		}
	}
	return layout->rest ? end - at >= layout->after : end - at == layout->after;
}

void dns__rdata_expand(const uint8_t *wire, size_t size, uint16_t type, size_t rdata, size_t rdlen,
                       struct writer *out)
{
	const struct dns__layout *layout = dns__layout_of(type);
	size_t at = rdata;
	size_t end = rdata + rdlen;
	if (layout != NULL && layout->names > 0) {
		at += layout->before;
		strings_pass(wire, &at, end, layout->strings);
		writer_bytes(out, wire + rdata, at - rdata);
		for (unsigned int i = 0; i < layout->names; i++) {
			uint8_t name[DNS_NAME_MAX];
			int len = dns_msg_name(wire, size, at, name, &at);
			writer_bytes(out, name, len > 0 ? (size_t)len : 0);
		}
	}
	writer_bytes(out, wire + at, end - at);
}

int dns__layout_name(uint16_t type, const uint8_t *rdata, size_t rdlen)
{
	const struct dns__layout *layout = dns__layout_of(type);
	if (layout == NULL || layout->names == 0 || layout->strings != 0 ||
	    rdlen <= layout->before) {
		return -1;
	}
	return layout->before;
}

bool dns_rdata_fits(uint16_t type, const uint8_t *rdata, size_t rdlen)
{
	const struct dns__layout *layout = dns__layout_of(type);
	if (layout == NULL) {
		return true;
	}
	size_t at = layout->before;
	if (rdlen < at || !strings_pass(rdata, &at, rdlen, layout->strings)) {
		return false;
	}
	for (unsigned int i = 0; i < layout->names; i++) {
		size_t len = dns_name_check(rdata + at, rdlen - at);
		if (len == 0) {
			return false;
		}
		at += len;
	}
	return layout->rest ? rdlen - at >= layout->after : rdlen - at == layout->after;
}
