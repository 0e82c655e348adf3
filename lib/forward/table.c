#include "base/fail.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mono.h"
#include "dns/type.h"
#include "forward/group_int.h"
#include <stdlib.h>
#include <string.h>

/*
 * While a table is made: targets by address and source, so that a thousand rules with a few servers
 * between them cost a look-up each and share what is known of those.
 */
struct target_index {
	size_t room; /* a power of two, at least half of it empty */
	struct target **slots;
};

struct maker {
	const struct group_table *old; /* may be NULL */
	unsigned int workers;
	uint64_t now_ns;
	struct target_index index; /* borrowed from the old and the new groups */
	struct group_table *table;
};

static uint64_t addr_hash(uint64_t state, const struct addr *addr)
{
	uint16_t port = addr->len == 0 ? 0 : addr_port(addr);
	state = hash_step(state, &port, sizeof(port));
	if (addr->len != 0 && addr->sa.sa_family == AF_INET6) {
		return hash_step(state, &addr->in6.sin6_addr, sizeof(addr->in6.sin6_addr));
	}
	return hash_step(state, &addr->in4.sin_addr, sizeof(addr->in4.sin_addr));
}

/* Where this target stands, or the empty slot where it would. */
static struct target **index_at(struct target_index *index, const struct addr *addr,
                                const struct addr *source, const char *tls)
{
	size_t i = addr_hash(addr_hash(0, addr), source);
	for (;; i++) {
		struct target **at = &index->slots[i & (index->room - 1)];
		if (*at == NULL || (target__is(*at, addr, source) && target__speaks(*at, tls))) {
			return at;
		}
	}
}

static int index_init(struct target_index *index, size_t targets_max)
{
	index->room = 16;
	while (index->room < 2 * targets_max) {
		index->room *= 2;
	}
	index->slots = calloc(index->room, sizeof(struct target *));
	return index->slots == NULL ? FAIL_NOMEM : 0;
}

static void index_add_old(struct target_index *index, const struct group_table *old)
{
	for (size_t i = 0; old != NULL && i < old->count; i++) {
		for (unsigned int m = 0; m < old->groups[i]->member_count; m++) {
			struct target *target = old->groups[i]->members[m]->target;
			*index_at(index, &target->addr, &target->source, target->tls) = target;
		}
	}
}

/* --- One group --- */

static struct target *target_make(const struct maker *maker, const struct addr *addr,
                                  const struct forward_group_opts *opts)
{
	struct target *target = target__new(addr, &opts->source, maker->workers);
	bool tls = opts->tls != NULL && opts->tls[0] != '\0';
	if (target != NULL && tls && target__set_tls(target, opts->tls) != 0) {
		target__unref(&target);
	}
	return target;
}

static struct member *member_new(struct maker *maker, const struct addr *addr,
                                 const struct forward_group_opts *opts)
{
	size_t size = sizeof(struct member) + maker->workers * sizeof(struct tally);
	struct member *member = aligned_alloc(_Alignof(struct member), size);
	if (member == NULL) {
		return NULL;
	}
	memset(member, 0, size);
	member->refs = 1;
	struct target **known = index_at(&maker->index, addr, &opts->source, opts->tls);
	if (*known != NULL) {
		member->target = target__ref(*known);
		return member;
	}
	member->target = target_make(maker, addr, opts);
	if (member->target == NULL) {
		free(member);
		return NULL;
	}
	*known = member->target;
	return member;
}

static struct member *member_of(const struct group *group, const struct addr *addr,
                                const struct forward_group_opts *opts)
{
	for (unsigned int i = 0; group != NULL && i < group->member_count; i++) {
		const struct target *target = group->members[i]->target;
		if (target__is(target, addr, &opts->source) && target__speaks(target, opts->tls)) {
			return group->members[i];
		}
	}
	return NULL;
}

/*
 * The limit is one of our network interface towards all link-local services together, whatever rule
 * sends there: groups of the same rate and burst share one bucket.
 */
static struct bucket *bucket_for(struct maker *maker, unsigned int rate, unsigned int burst)
{
	const struct group_table *tables[] = {maker->table, maker->old};
	bool limited_before = false;
	for (size_t t = 0; t < 2; t++) {
		for (size_t i = 0; tables[t] != NULL && i < tables[t]->count; i++) {
			struct bucket *bucket = tables[t]->groups[i]->bucket;
			if (bucket != NULL && bucket__like(bucket, rate, burst)) {
				return bucket__ref(bucket);
			}
			limited_before |= bucket != NULL;
		}
	}
	/* After a change of the rate the old bucket's burst may just have gone out. */
	return bucket__new(rate, burst, !limited_before, maker->now_ns);
}

/* Copies of the names, one behind the other. */
static int names_copy(const uint8_t *const *names, size_t count, struct names *ret_names)
{
	size_t size = 0;
	for (size_t i = 0; i < count; i++) {
		size += dns_name_len(names[i]);
	}
	*ret_names = (struct names){.count = count, .size = size};
	if (count == 0) {
		return 0;
	}
	ret_names->wire = malloc(size);
	if (ret_names->wire == NULL) {
		return FAIL_NOMEM;
	}
	uint8_t *at = ret_names->wire;
	for (size_t i = 0; i < count; i++) {
		memcpy(at, names[i], dns_name_len(names[i]));
		at += dns_name_len(names[i]);
	}
	return 0;
}

/* Its domains, and what a probe asks: as told, else the SOA of the first domain or the root's NS. */
static int group_names(struct group *group, const struct forward_group_opts *opts)
{
	static const uint8_t root[1] = {0};
	struct names probe;
	const uint8_t *name = opts->probe_name;
	group->probe_type = opts->probe_type;
	if (name == NULL) {
		name = opts->domain_count != 0 ? opts->domains[0] : root;
		group->probe_type = opts->domain_count != 0 ? DNS_TYPE_SOA : DNS_TYPE_NS;
	}
	int ret = names_copy(opts->domains, opts->domain_count, &group->domains);
	if (ret == 0) {
		ret = names_copy(&name, 1, &probe);
	}
	if (ret == 0) {
		group->probe_name = probe.wire;
	}
	return ret;
}

static bool names_same(const struct group *a, const struct group *b)
{
	return a->domains.size == b->domains.size &&
	       (a->domains.size == 0 ||
	        memcmp(a->domains.wire, b->domains.wire, a->domains.size) == 0) &&
	       a->probe_type == b->probe_type && dns_name_equal(a->probe_name, b->probe_name);
}

static bool group_same(const struct group *a, const struct group *b)
{
	if (a->policy != b->policy || a->guard != b->guard || a->inflight_max != b->inflight_max ||
	    a->bucket != b->bucket || a->member_count != b->member_count ||
	    strcmp(a->rule, b->rule) != 0 || !names_same(a, b)) {
		return false;
	}
	return memcmp(a->members, b->members, a->member_count * sizeof(a->members[0])) == 0;
}

static int group_fill(struct maker *maker, struct group *group, const struct group *before,
                      const struct forward_group_opts *opts)
{
	group->rule = strdup(opts->rule != NULL ? opts->rule : "");
	if (group->rule == NULL || group_names(group, opts) != 0) {
		return FAIL_NOMEM;
	}
	if (opts->packet_rate != 0) {
		group->bucket = bucket_for(maker, opts->packet_rate, opts->packet_burst);
		if (group->bucket == NULL) {
			return FAIL_NOMEM;
		}
	}
	for (size_t i = 0; i < opts->target_count && i < FORWARD_TARGETS_MAX; i++) {
		if (member_of(group, &opts->targets[i], opts) != NULL) {
			continue; /* named twice */
		}
		struct member *member = member_of(before, &opts->targets[i], opts);
		if (member != NULL) {
			__atomic_fetch_add(&member->refs, 1, __ATOMIC_RELAXED);
		} else {
			member = member_new(maker, &opts->targets[i], opts);
		}
		if (member == NULL) {
			return FAIL_NOMEM;
		}
		group->members[group->member_count++] = member;
	}
	return 0;
}

/* A group as told, or the one that was before when nothing about it has changed. */
static struct group *group_make(struct maker *maker, const struct forward_group_opts *opts)
{
	struct group *before =
		maker->old == NULL ? NULL : group_table__find(maker->old, opts->origin);
	struct group *group = aligned_alloc(_Alignof(struct group), sizeof(*group));
	if (group == NULL) {
		return NULL;
	}
	*group = (struct group){
		.refs = 1,
		.origin = opts->origin,
		.policy = opts->policy,
		.guard = (opts->mixed_case ? GUARD_CASE : 0U) | (opts->cookies ? GUARD_COOKIE : 0U),
		.inflight_max = opts->max_inflight != 0 ? opts->max_inflight : 1000,
	};
	if (group_fill(maker, group, before, opts) != 0) {
		group__unref(&group);
		return NULL;
	}
	if (before != NULL && group_same(before, group)) {
		group__unref(&group);
		return group__ref(before);
	}
	for (unsigned int i = 0; i < group->member_count; i++) {
		/* The rule has changed: are there loops now, or none any more? */
		__atomic_store_n(&group->members[i]->circle_turn, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&group->members[i]->circle_due_ms, 0, __ATOMIC_RELAXED);
	}
	return group;
}

/* --- The table --- */

static int by_origin(const void *a, const void *b)
{
	const struct group *const *ga = a;
	const struct group *const *gb = b;
	return ((*ga)->origin > (*gb)->origin) - ((*ga)->origin < (*gb)->origin);
}

static bool targets_same(const struct group *a, const struct group *b)
{
	if (a->member_count != b->member_count) {
		return false;
	}
	for (unsigned int i = 0; i < a->member_count; i++) {
		if (a->members[i]->target != b->members[i]->target) {
			return false;
		}
	}
	return true;
}

/* Several rules may share an origin when they ask the same targets: one group is enough. */
static void table_sort(struct group_table *table)
{
	if (table->count == 0) {
		return;
	}
	qsort(table->groups, table->count, sizeof(struct group *), by_origin);
	size_t kept = 1;
	for (size_t i = 1; i < table->count; i++) {
		struct group *group = table->groups[i];
		struct group *last = table->groups[kept - 1];
		if (group->origin != last->origin) {
			table->groups[kept++] = group;
			continue;
		}
		if (!targets_same(group, last)) {
			log_error("forward",
			          "rules %s and %s have the same origin but other targets",
			          last->rule, group->rule);
		}
		group__unref(&group);
	}
	table->count = kept;
}

static int table_fill(struct maker *maker, const struct forward_group_opts *opts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct group *group = group_make(maker, &opts[i]);
		if (group == NULL) {
			return FAIL_NOMEM;
		}
		maker->table->groups[maker->table->count++] = group;
	}
	table_sort(maker->table);
	return 0;
}

static size_t targets_at_most(const struct forward_group_opts *opts, size_t count,
                              const struct group_table *old)
{
	size_t targets = 0;
	for (size_t i = 0; i < count; i++) {
		targets += opts[i].target_count;
	}
	for (size_t i = 0; old != NULL && i < old->count; i++) {
		targets += old->groups[i]->member_count;
	}
	return targets;
}

int group_table__new(const struct forward_group_opts *opts, size_t count,
                     const struct group_table *old, unsigned int workers,
                     struct group_table **ret_table)
{
	struct maker maker = {.old = old, .workers = workers, .now_ns = mono_us() * 1000};
	maker.table = calloc(1, sizeof(*maker.table) + count * sizeof(struct group *));
	if (maker.table == NULL) {
		return FAIL_NOMEM;
	}
	maker.table->refs = 1;
	int ret = index_init(&maker.index, targets_at_most(opts, count, old));
	if (ret == 0) {
		index_add_old(&maker.index, old);
		ret = table_fill(&maker, opts, count);
	}
	free(maker.index.slots);
	if (ret != 0) {
		group_table__unref(&maker.table);
		return ret;
	}
	*ret_table = maker.table;
	return 0;
}
