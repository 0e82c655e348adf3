#include "base/cursor.h"
#include "base/hash.h"
#include "route/rules.h"

/*
 * A target as bytes that are the same on every machine: state so far, family, address, scope,
 * port.
 */
static size_t target_write(uint64_t state, const struct addr *target, uint8_t *out, size_t room)
{
	struct writer w = writer_of(out, room);
	writer_u32(&w, (uint32_t)(state >> 32));
	writer_u32(&w, (uint32_t)state);
	if (target->sa.sa_family == AF_INET6) {
		writer_u8(&w, 6);
		writer_bytes(&w, &target->in6.sin6_addr, sizeof(target->in6.sin6_addr));
		writer_u32(&w, target->in6.sin6_scope_id);
	} else {
		writer_u8(&w, 4);
		writer_bytes(&w, &target->in4.sin_addr, sizeof(target->in4.sin_addr));
	}
	writer_u16(&w, addr_port(target));
	return w.pos;
}

uint32_t rule_origin(const uint8_t *domain, const struct addr *targets, size_t target_count)
{
	uint8_t name[DNS_NAME_MAX];
	size_t len = dns_name_len(domain);
	memcpy(name, domain, len);
	dns_name_lower(name);

	uint64_t state = hash_stable(name, len);
	for (size_t i = 0; i < target_count; i++) {
		uint8_t bytes[48];
		state = hash_stable(bytes, target_write(state, &targets[i], bytes, sizeof(bytes)));
	}
	uint32_t origin = hash_fold(state);
	return origin != 0 ? origin : 1; /* 0 is nobody's */
}
