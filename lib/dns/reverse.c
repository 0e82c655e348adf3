#include "dns/reverse.h"
#include <stdio.h>
#include <string.h>

/* What lies above the labels of an address. */
static const uint8_t arpa4[] = "\7in-addr\4arpa";
static const uint8_t arpa6[] = "\3ip6\4arpa";

/* A label of one number in front of *at, which moves down: names are written from their end. */
static void label_before(uint8_t **at, unsigned int number, unsigned int base)
{
	char digits[4];
	int len = snprintf(digits, sizeof(digits), base == 16 ? "%x" : "%u", number);
	*at -= len + 1;
	(*at)[0] = (uint8_t)len;
	memcpy(*at + 1, digits, (size_t)len);
}

/* The first count units of the address (octets, or nibbles of IPv6) below their root, in ret_name. */
static void units_name(const uint8_t *bytes, bool six, unsigned int count, uint8_t *ret_name)
{
	uint8_t name[DNS_NAME_MAX];
	const uint8_t *root = six ? arpa6 : arpa4;
	size_t root_len = dns_name_len(root);
	uint8_t *start = name + sizeof(name) - root_len;
	memcpy(start, root, root_len);
	for (unsigned int i = 0; i < count; i++) {
		unsigned int unit = six ? (bytes[i / 2] >> (i % 2 == 0 ? 4 : 0)) & 15 : bytes[i];
		label_before(&start, unit, six ? 16 : 10);
	}
	memcpy(ret_name, start, (size_t)(name + sizeof(name) - start));
}

void dns_reverse_addr(const struct addr *addr, uint8_t *ret_name)
{
	const struct in6_addr *six = &addr->in6.sin6_addr;
	if (addr->sa.sa_family == AF_INET) {
		units_name((const uint8_t *)&addr->in4.sin_addr, false, 4, ret_name);
	} else if (IN6_IS_ADDR_V4MAPPED(six)) {
		units_name(six->s6_addr + 12, false, 4, ret_name);
	} else {
		units_name(six->s6_addr, true, 32, ret_name);
	}
}

/* Bits a label stands for. */
static unsigned int unit_bits(const struct prefix *prefix)
{
	return prefix->family == AF_INET6 ? 4 : 8;
}

unsigned int dns_reverse_count(const struct prefix *prefix)
{
	unsigned int bits = unit_bits(prefix);
	return 1u << ((bits - prefix->bits % bits) % bits);
}

int dns_reverse_zones(const struct prefix *prefix, int (*each)(void *ctx, const uint8_t *name),
                      void *ctx)
{
	unsigned int bits = unit_bits(prefix);
	unsigned int units = (prefix->bits + bits - 1u) / bits;
	unsigned int count = dns_reverse_count(prefix);
	for (unsigned int i = 0; i < count; i++) {
		uint8_t bytes[16];
		uint8_t name[DNS_NAME_MAX];
		memcpy(bytes, prefix->bytes, sizeof(bytes));
		if (count > 1) { /* the free bits of the last unit count up */
			unsigned int last = bits * (units - 1);
			bytes[last / 8] |= (uint8_t)(bits == 4 && last % 8 == 0 ? i << 4 : i);
		}
		units_name(bytes, bits == 4, units, name);
		int ret = each(ctx, name);
		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}
