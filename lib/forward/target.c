#include "base/fail.h"
#include "base/log.h"
#include "forward/target_int.h"
#include "tls/tls.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define get(at)        __atomic_load_n((at), __ATOMIC_RELAXED)
#define set(at, value) __atomic_store_n((at), (value), __ATOMIC_RELAXED)

struct target *target__new(const struct addr *addr, const struct addr *source, unsigned int workers)
{
	const size_t line = _Alignof(struct target);
	size_t size = sizeof(struct target) + workers * sizeof(struct pool *);
	size = (size + line - 1) / line * line;
	struct target *target = aligned_alloc(line, size);
	if (target == NULL) {
		return NULL;
	}
	memset(target, 0, size);
	target->lines = calloc(workers, sizeof(struct line *));
	if (target->lines == NULL) {
		free(target);
		return NULL;
	}
	target->refs = 1;
	target->workers = workers;
	target->addr = *addr;
	target->source = *source;
	addr_text(addr, target->text);
	guard__init(&target->guard);
	return target;
}

struct target *target__ref(struct target *target)
{
	__atomic_fetch_add(&target->refs, 1, __ATOMIC_RELAXED);
	return target;
}

void target__unref(struct target **ptr)
{
	struct target *target = *ptr;
	if (target != NULL && __atomic_sub_fetch(&target->refs, 1, __ATOMIC_ACQ_REL) == 0) {
		for (unsigned int i = 0; i < target->workers; i++) {
			/* a pool holds its target, and so does a line */
			assert(target->pools[i] == NULL && target->lines[i] == NULL);
		}
		tls_peer_free(&target->peer);
		free(target->tls);
		free(target->lines);
		free(target);
	}
	*ptr = NULL;
}

bool target__is(const struct target *target, const struct addr *addr, const struct addr *source)
{
	if (!addr_equal(&target->addr, addr) || target->source.len != source->len) {
		return false;
	}
	return source->len == 0 || addr_equal(&target->source, source);
}

int target__set_tls(struct target *target, const char *tls)
{
	target->tls = strdup(tls);
	target->peer = tls_peer_new(tls);
	return target->tls == NULL || target->peer == NULL ? FAIL_NOMEM : 0;
}

bool target__speaks(const struct target *target, const char *tls)
{
	bool clear = tls == NULL || tls[0] == '\0';
	return clear ? target->tls == NULL : target->tls != NULL && strcmp(target->tls, tls) == 0;
}

/* --- The estimate (RFC 6298, section 2, with alpha 1/8 and beta 1/4) --- */

static uint64_t rtt_step(uint64_t rtt, uint32_t sample_us)
{
	uint32_t srtt = (uint32_t)(rtt >> 32);
	uint32_t var = (uint32_t)rtt;
	if (srtt == 0) {
		srtt = sample_us;
		var = sample_us / 2;
	} else {
		uint32_t off = srtt > sample_us ? srtt - sample_us : sample_us - srtt;
		var = var - var / 4 + off / 4;
		srtt = srtt - srtt / 8 + sample_us / 8;
	}
	if (srtt == 0) {
		srtt = 1; /* 0 means: never measured */
	}
	return (uint64_t)srtt << 32 | var;
}

uint32_t target__rtt_us(const struct target *target)
{
	return (uint32_t)(get(&target->rtt) >> 32);
}

uint32_t target__timeout_ms(const struct target *target, unsigned int earlier)
{
	uint64_t rtt = get(&target->rtt);
	uint64_t wait_ms = TARGET_TIMEOUT_UNKNOWN_MS;
	if (rtt != 0) {
		wait_ms = ((rtt >> 32) + 4 * (rtt & UINT32_MAX) + 999) / 1000;
	}
	if (wait_ms < TARGET_TIMEOUT_MIN_MS) {
		wait_ms = TARGET_TIMEOUT_MIN_MS;
	}
	wait_ms <<= earlier < 3 ? earlier : 3;
	return wait_ms < TARGET_TIMEOUT_MAX_MS ? (uint32_t)wait_ms : TARGET_TIMEOUT_MAX_MS;
}

/* --- Up and down --- */

bool target__down(const struct target *target)
{
	return get(&target->rest_ms) != 0;
}

void target__heard(struct target *target, uint32_t rtt_us, uint64_t now_us)
{
	if (rtt_us != 0) {
		/*
		 * An answer that had to be sought elsewhere first can take seconds; that is no
		 * round trip.
		 */
		const uint32_t sane_us = 2000000;
		set(&target->rtt, rtt_step(get(&target->rtt), rtt_us < sane_us ? rtt_us : sane_us));
	}
	set(&target->heard_us, now_us);
	if (get(&target->silent) != 0) {
		set(&target->silent, 0);
	}
	if (get(&target->rest_ms) != 0 &&
	    __atomic_exchange_n(&target->rest_ms, 0, __ATOMIC_RELAXED) != 0) {
		uint64_t since_ms = get(&target->down_since_ms);
		uint64_t now_ms = now_us / 1000;
		log_notice("forward", "%s answers again after %.1f s", target->text,
		           now_ms > since_ms ? (double)(now_ms - since_ms) / 1000 : 0.0);
	}
}

void target__silent(struct target *target, uint64_t sent_us, uint64_t now_ms)
{
	/* It has spoken since: that one packet was lost, or that one question it cannot answer. */
	if (get(&target->heard_us) >= sent_us) {
		return;
	}
	uint32_t rest_ms = get(&target->rest_ms);
	if (rest_ms != 0) {
		return; /* its probes lengthen the rest */
	}
	uint32_t silent = __atomic_add_fetch(&target->silent, 1, __ATOMIC_RELAXED);
	if (silent < TARGET_SILENT_MAX) {
		return;
	}
	set(&target->rest_until_ms, now_ms + TARGET_REST_MIN_MS);
	set(&target->down_since_ms, now_ms);
	if (__atomic_compare_exchange_n(&target->rest_ms, &rest_ms, TARGET_REST_MIN_MS, false,
	                                __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
		log_warn("forward", "%s silent for %u tries: down, probed until it speaks",
		         target->text, silent);
		guard__fell(&target->guard, target->text, now_ms);
	}
}

bool target__turn(uint64_t *at, uint64_t now_ms, uint64_t later_ms)
{
	uint64_t due_ms = get(at);
	return now_ms >= due_ms && __atomic_compare_exchange_n(at, &due_ms, later_ms, false,
	                                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

bool target__probe(struct target *target, uint64_t now_ms)
{
	uint32_t rest_ms = get(&target->rest_ms);
	uint32_t longer_ms = rest_ms * 2 < TARGET_REST_MAX_MS ? rest_ms * 2 : TARGET_REST_MAX_MS;
	if (rest_ms == 0 || !target__turn(&target->rest_until_ms, now_ms, now_ms + longer_ms)) {
		return false;
	}
	/* Unless a reply has come meanwhile and set it to 0. */
	return __atomic_compare_exchange_n(&target->rest_ms, &rest_ms, longer_ms, false,
	                                   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

bool target__explore(struct target *target, uint64_t now_ms)
{
	uint64_t heard_ms = get(&target->heard_us) / 1000;
	bool measured = get(&target->rtt) != 0;
	if (measured && heard_ms + TARGET_EXPLORE_MS > now_ms) {
		return false;
	}
	return target__turn(&target->explore_ms, now_ms, now_ms + 1000);
}
