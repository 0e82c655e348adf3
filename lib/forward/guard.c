#include "base/log.h"
#include "base/random.h"
#include "forward/guard_int.h"
#include <string.h>

#define get(at)        __atomic_load_n((at), __ATOMIC_RELAXED)
#define set(at, value) __atomic_store_n((at), (value), __ATOMIC_RELAXED)

#define READS_MAX 4 /* while others write, so often; then no cookie of theirs is sent */

void guard__init(struct guard *guard)
{
	memset(guard, 0, sizeof(*guard));
	random_bytes(guard->own, sizeof(guard->own));
}

unsigned int guard__bear(const struct guard *guard, unsigned int want, bool down, uint64_t now_ms)
{
	if (want == 0 || (down && !get(&guard->borne))) {
		return 0;
	}
	if (now_ms < get(&guard->case_pause_ms)) {
		want &= ~(unsigned int)GUARD_CASE;
	}
	if (now_ms < get(&guard->cookie_pause_ms)) {
		want &= ~(unsigned int)GUARD_COOKIE;
	}
	return want;
}

/* --- The case of names --- */

#define OCTETS UINT64_C(0x0101010101010101) /* times a value: that value in each octet */

/* Bit 7 of each octet that is a letter. A length octet is 63 at most, so none is taken for one. */
static uint64_t letters(uint64_t word)
{
	uint64_t lower = (word | 0x20 * OCTETS) & 0x7f * OCTETS;
	uint64_t from_a = lower + (0x80 - 'a') * OCTETS;
	uint64_t past_z = lower + (0x80 - 'z' - 1) * OCTETS;
	return (from_a ^ past_z) & ~word & 0x80 * OCTETS;
}

/* Bit 7 of each octet whose bit is set among these eight. */
static uint64_t spread(uint8_t bits)
{
	return ((bits * OCTETS & UINT64_C(0x8040201008040201)) + 0x7f * OCTETS) & 0x80 * OCTETS;
}

static void mix_octets(uint8_t *octets, size_t count, uint64_t bits)
{
	uint64_t word = 0;
	memcpy(&word, octets, count);
	word ^= (letters(word) & spread((uint8_t)bits)) >> 2;
	memcpy(octets, &word, count);
}

void guard__mix(const uint8_t *name, size_t len, uint64_t bits, uint8_t *ret_name)
{
	size_t i = 0;
	memcpy(ret_name, name, len);
	for (; i + 8 <= len; i += 8) { /* a size that the compiler knows */
		mix_octets(ret_name + i, 8, bits >> (i & 63));
	}
	mix_octets(ret_name + i, len - i, bits >> (i & 63));
}

/* --- Cookies --- */

size_t guard__cookie(const struct guard *guard, uint8_t *ret_cookie)
{
	memcpy(ret_cookie, guard->own, GUARD_COOKIE_OWN);
	for (unsigned int i = 0; i < READS_MAX; i++) {
		uint32_t before = __atomic_load_n(&guard->seq, __ATOMIC_ACQUIRE);
		uint32_t size = get(&guard->size);
		uint64_t words[4];
		for (unsigned int w = 0; w < 4; w++) {
			words[w] = get(&guard->words[w]);
		}
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if ((before & 1) == 0 && get(&guard->seq) == before) {
			memcpy(ret_cookie + GUARD_COOKIE_OWN, words, size);
			return GUARD_COOKIE_OWN + size;
		}
	}
	return GUARD_COOKIE_OWN;
}

bool guard__cookie_ours(const struct guard *guard, const uint8_t *cookie, size_t size)
{
	return size >= GUARD_COOKIE_OWN && memcmp(cookie, guard->own, GUARD_COOKIE_OWN) == 0;
}

bool guard__has_cookie(const struct guard *guard)
{
	return get(&guard->size) != 0;
}

void guard__learn(struct guard *guard, const uint8_t *cookie, size_t size)
{
	uint8_t known[GUARD_COOKIE_MAX];
	if (size > GUARD_COOKIE_MAX ||
	    (guard__cookie(guard, known) == size && memcmp(known, cookie, size) == 0)) {
		return;
	}
	uint32_t seq = get(&guard->seq);
	if ((seq & 1) != 0 || !__atomic_compare_exchange_n(&guard->seq, &seq, seq + 1, false,
	                                                   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
		return; /* another worker learns one just now */
	}
	uint64_t words[4] = {0};
	memcpy(words, cookie + GUARD_COOKIE_OWN, size - GUARD_COOKIE_OWN);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (unsigned int w = 0; w < 4; w++) {
		set(&guard->words[w], words[w]);
	}
	set(&guard->size, (uint32_t)(size - GUARD_COOKIE_OWN));
	__atomic_store_n(&guard->seq, seq + 2, __ATOMIC_RELEASE);
}

/* --- What it bears --- */

void guard__kept(struct guard *guard, unsigned int carried)
{
	if (!get(&guard->borne)) {
		set(&guard->borne, true);
	}
	if ((carried & GUARD_CASE) != 0 && get(&guard->case_lost) != 0) {
		set(&guard->case_lost, 0);
	}
	if ((carried & GUARD_COOKIE) != 0 && get(&guard->cookie_refused) != 0) {
		set(&guard->cookie_refused, 0);
	}
}

/* Counts; true when that is too often: the next look, after the pause, needs one more alone. */
static bool too_often(uint32_t *count)
{
	if (__atomic_add_fetch(count, 1, __ATOMIC_RELAXED) < GUARD_LOST_MAX) {
		return false;
	}
	set(count, GUARD_LOST_MAX - 1);
	return true;
}

void guard__case_lost(struct guard *guard, const char *target, uint64_t now_ms)
{
	if (too_often(&guard->case_lost) && now_ms >= get(&guard->case_pause_ms)) {
		set(&guard->case_pause_ms, now_ms + GUARD_PAUSE_MS);
		log_notice("forward", "%s loses the case of names: asked as clients write for %u h",
		           target, (unsigned int)(GUARD_PAUSE_MS / 3600000));
	}
}

void guard__cookie_refused(struct guard *guard, const char *target, uint64_t now_ms)
{
	if (too_often(&guard->cookie_refused) && now_ms >= get(&guard->cookie_pause_ms)) {
		set(&guard->cookie_pause_ms, now_ms + GUARD_PAUSE_MS);
		log_notice("forward", "%s knows no cookies (FORMERR): gets none for %u h", target,
		           (unsigned int)(GUARD_PAUSE_MS / 3600000));
	}
}

void guard__plain_up(struct guard *guard)
{
	set(&guard->plain_up, true);
}

void guard__fell(struct guard *guard, const char *target, uint64_t now_ms)
{
	if (get(&guard->borne) || !get(&guard->plain_up)) {
		return;
	}
	set(&guard->case_pause_ms, now_ms + GUARD_PAUSE_MS);
	set(&guard->cookie_pause_ms, now_ms + GUARD_PAUSE_MS);
	log_notice("forward",
	           "%s answers plain questions alone: gets no mixed case and no cookies for %u h",
	           target, (unsigned int)(GUARD_PAUSE_MS / 3600000));
}
