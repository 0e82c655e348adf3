#include "base/cursor.h"
#include "base/epoch.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/siphash.h"
#include "forward/circle_int.h"
#include <stdio.h>
#include <string.h>

#define MARK     "horizond-loop-"
#define MARK_LEN (sizeof(MARK) - 1)
#define BODY     16 /* origin, target, time, random: 4 octets each */
#define SEALED   (BODY + 8)
#define LABEL    (MARK_LEN + 2 * SEALED)

#define ROUND_MAX 16    /* domains looked at in a minute; at first all of them */
#define HASTEN_MS 1000  /* at most so often for one member */
#define QUIET_MS  60000 /* a rule's line about questions refused in flight */

#define get(at)        __atomic_load_n((at), __ATOMIC_RELAXED)
#define set(at, value) __atomic_store_n((at), (value), __ATOMIC_RELAXED)

_Static_assert(LABEL <= DNS_LABEL_MAX, "one label");

/* --- Names --- */

static uint32_t target_number(const struct target *target)
{
	return hash_fold(hash_step(0, target->text, strlen(target->text)));
}

static void seal(const struct forward *fwd, uint8_t *body)
{
	uint64_t digest = siphash_digest(fwd->circle_key, body, BODY);
	memcpy(body + BODY, &digest, sizeof(digest));
}

/* The one of the group's domains whose turn it is. */
static const uint8_t *domain_at(const struct group *group, uint32_t turn)
{
	const uint8_t *at = group->domains.wire;
	for (size_t i = turn % group->domains.count; i > 0; i--) {
		at += dns_name_len(at);
	}
	return at;
}

bool circle__name(const struct forward *fwd, const struct group *group, unsigned int member,
                  uint64_t now_ms, uint8_t *ret_name)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *domain = domain_at(group, get(&group->members[member]->circle_turn));
	size_t size = dns_name_len(domain);
	if (1 + LABEL + size > DNS_NAME_MAX) {
		return false;
	}
	uint8_t body[SEALED];
	put_u32(body, group->origin);
	put_u32(body + 4, target_number(group->members[member]->target));
	put_u32(body + 8, (uint32_t)(now_ms / 1000));
	put_u32(body + 12, random_u32());
	seal(fwd, body);
	ret_name[0] = LABEL;
	memcpy(ret_name + 1, MARK, MARK_LEN);
	uint8_t *at = ret_name + 1 + MARK_LEN;
	for (size_t i = 0; i < SEALED; i++) {
		*at++ = (uint8_t)digits[body[i] >> 4];
		*at++ = (uint8_t)digits[body[i] & 15];
	}
	memcpy(at, domain, size);
	return true;
}

static int digit_of(uint8_t c)
{
	c = dns_fold(c);
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A name made by circle__name a moment ago: its body. */
static bool name_open(const struct forward *fwd, const uint8_t *name, uint64_t now_ms,
                      uint8_t *ret_body)
{
	if (name[0] != LABEL) {
		return false;
	}
	for (size_t i = 0; i < MARK_LEN; i++) {
		if (dns_fold(name[1 + i]) != (uint8_t)MARK[i]) {
			return false;
		}
	}
	uint8_t given[SEALED];
	for (size_t i = 0; i < SEALED; i++) {
		int high = digit_of(name[1 + MARK_LEN + 2 * i]);
		int low = digit_of(name[2 + MARK_LEN + 2 * i]);
		if (high < 0 || low < 0) {
			return false;
		}
		given[i] = (uint8_t)(high << 4 | low);
	}
	uint8_t sealed[SEALED];
	memcpy(sealed, given, BODY);
	seal(fwd, sealed);
	uint32_t age_s = (uint32_t)(now_ms / 1000) - get_u32(given + 8);
	memcpy(ret_body, given, BODY);
	return memcmp(sealed, given, SEALED) == 0 && age_s <= CIRCLE_VALID_S;
}

/* --- When --- */

bool circle__due(const struct group *group, struct member *member, uint64_t now_ms)
{
	if (group->domains.count == 0 || now_ms < get(&member->circle_due_ms)) {
		return false;
	}
	uint32_t turn = get(&member->circle_turn) + 1;
	size_t count = group->domains.count;
	uint64_t wait_ms = 0; /* the other domains one by one */
	if (turn >= count && turn % (count < ROUND_MAX ? count : ROUND_MAX) == 0) {
		/* Not all rules at one moment. */
		wait_ms = get(&member->circled) != 0
		                  ? CIRCLE_BROKEN_MS
		                  : CIRCLE_EVERY_MS - random_below(CIRCLE_EVERY_MS / 10);
	}
	set(&member->circle_turn, turn);
	set(&member->circle_due_ms, now_ms + wait_ms);
	return true;
}

void circle__hasten(const struct group *group, uint64_t now_ms)
{
	for (unsigned int i = 0; i < group->member_count; i++) {
		struct member *member = group->members[i];
		if (target__turn(&member->circle_hasten_ms, now_ms, now_ms + HASTEN_MS)) {
			set(&member->circle_due_ms, now_ms);
		}
	}
}

/* --- What comes back --- */

uint32_t circle__cut(const struct group *group)
{
	uint32_t cut = 0;
	for (unsigned int i = 0; i < group->member_count; i++) {
		cut |= (uint32_t)(get(&group->members[i]->circled) != 0) << i;
	}
	return cut;
}

bool circle__is_target(const struct group *group, const struct addr *addr)
{
	for (unsigned int i = 0; i < group->member_count; i++) {
		if (addr_equal_host(&group->members[i]->target->addr, addr)) {
			return true;
		}
	}
	return false;
}

/* The way of the circle: "10.0.0.1:53 -> 10.0.0.9 -> us". */
static void path_text(struct forward *fwd, const struct member *member, char *ret_text)
{
	char from[ADDR_TEXT_MAX];
	pthread_mutex_lock(&fwd->circle_lock);
	struct addr addr = member->circle_from;
	pthread_mutex_unlock(&fwd->circle_lock);
	snprintf(ret_text, CIRCLE_TEXT_MAX, "forwarding loop: us -> %s -> %s -> us",
	         member->target->text, addr.len != 0 ? addr_text_host(&addr, from) : "?");
}

static void circle_found(struct forward *fwd, const struct group *group, struct member *member,
                         const struct addr *client, uint64_t now_ms)
{
	uint32_t whole = 0;
	pthread_mutex_lock(&fwd->circle_lock);
	if (client != NULL) {
		member->circle_from = *client;
	}
	pthread_mutex_unlock(&fwd->circle_lock);
	set(&member->circle_seen_ms, now_ms);
	set(&member->circle_clean, 0);
	if (!__atomic_compare_exchange_n(&member->circled, &whole, 1, false, __ATOMIC_RELAXED,
	                                 __ATOMIC_RELAXED)) {
		return;
	}
	char path[CIRCLE_TEXT_MAX];
	path_text(fwd, member, path);
	set(&member->circled_since_ms, now_ms);
	set(&member->circle_due_ms, now_ms + CIRCLE_BROKEN_MS);
	metric_add_shared(&member->loops, 1);
	log_warn("forward", "%s, for %s: %s is not asked for it until that ends", path, group->rule,
	         member->target->text);
}

/* The group and the member that a name of ours was sent to, if they are still there. */
static void circle_returned(struct forward *fwd, const uint8_t *body, const struct addr *client,
                            uint64_t now_ms)
{
	epoch_read_begin();
	const struct group_table *table = epoch_load(&fwd->table);
	const struct group *group = group_table__find(table, get_u32(body));
	for (unsigned int i = 0; group != NULL && i < group->member_count; i++) {
		struct member *member = group->members[i];
		if (target_number(member->target) == get_u32(body + 4)) {
			circle_found(fwd, group, member, client, now_ms);
		}
	}
	epoch_read_end();
}

bool circle__check(struct forward *fwd, const struct group *group, const struct forward_ask *ask,
                   uint64_t now_ms, char *text)
{
	uint8_t body[BODY];
	if (name_open(fwd, ask->name, now_ms, body)) {
		circle_returned(fwd, body, ask->client, now_ms);
		snprintf(text, CIRCLE_TEXT_MAX, "forwarding loop: a question of our own came back");
		return true;
	}
	uint32_t cut = circle__cut(group);
	if (cut == 0 || cut != (UINT64_C(1) << group->member_count) - 1) {
		return false;
	}
	path_text(fwd, group->members[0], text);
	return true;
}

void circle__refuse(struct forward *fwd, const struct group *group, const struct addr *client,
                    uint64_t now_ms, char *text)
{
	char from[ADDR_TEXT_MAX];
	struct member *member = group->members[0];
	for (unsigned int i = 0; i < group->member_count; i++) {
		if (addr_equal_host(&group->members[i]->target->addr, client)) {
			member = group->members[i];
		}
	}
	snprintf(text, CIRCLE_TEXT_MAX, "forwarding loop: %s asks back what it was asked for %.60s",
	         addr_text_host(client, from), group->rule);
	metric_add_shared(&member->loops, 1);
	if (target__turn(&member->circle_quiet_ms, now_ms, now_ms + QUIET_MS)) {
		log_warn("forward", "%s: refused", text);
	}
	circle__hasten(group, now_ms);
}

void circle__answered(struct forward *fwd, const struct group *group, struct member *member,
                      uint64_t sent_ms, uint64_t now_ms)
{
	if (get(&member->circled) == 0 || get(&member->circle_seen_ms) >= sent_ms ||
	    __atomic_add_fetch(&member->circle_clean, 1, __ATOMIC_RELAXED) < group->domains.count) {
		return;
	}
	if (__atomic_exchange_n(&member->circled, 0, __ATOMIC_RELAXED) != 0) {
		char path[CIRCLE_TEXT_MAX];
		path_text(fwd, member, path);
		uint64_t since_ms = get(&member->circled_since_ms);
		log_notice("forward", "%s, for %s: gone after %.1f s", path, group->rule,
		           now_ms > since_ms ? (double)(now_ms - since_ms) / 1000 : 0.0);
	}
}
