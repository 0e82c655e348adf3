/*
 * Writing the block. The same code runs twice: first without memory, to learn where everything will lie,
 * then for good, so that what is written can refer to what comes later.
 */
#include "base/cursor.h"
#include "zone/build_int.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * Names, values and sets are read in the order in which they were listed, but for a few out of turn. What lies this far
 * behind is not read again, if the measuring has found it so, and is given back to the system.
 */
#define BEHIND ((size_t)256 << 10)

struct spending {
	uint8_t *base;
	size_t most;  /* the farthest that was read */
	size_t given; /* up to here it is given back */
	bool in_turn; /* nothing was read from far behind */
};

struct out {
	uint8_t *base; /* NULL: measuring */
	size_t pos;
	struct spending pool;
	struct spending sets;
	bool spend;
};

/* offset is about to be read. */
static void spend(struct out *out, struct spending *from, size_t offset)
{
	if (offset + BEHIND / 2 < from->most) {
		from->in_turn = false;
	}
	from->most = offset > from->most ? offset : from->most;
	if (!out->spend || from->most < from->given + 2 * BEHIND) {
		return;
	}
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uintptr_t begin = ((uintptr_t)from->base + from->given + page - 1) & ~(page - 1);
	uintptr_t end = ((uintptr_t)from->base + from->most - BEHIND) & ~(page - 1);
	if (begin < end) { /* whole pages of our own, which read as zeros from now on */
		madvise((void *)begin, end - begin, MADV_DONTNEED);
		from->given = end - (uintptr_t)from->base;
	}
}

static uint32_t out_put(struct out *out, const void *bytes, size_t size)
{
	uint32_t at = (uint32_t)out->pos;
	if (out->base != NULL && size != 0) {
		memcpy(out->base + out->pos, bytes, size);
	}
	out->pos += size;
	return at;
}

/* Room to be filled with out_fill once its content is known; aligned for our structs. */
static uint32_t out_room(struct out *out, size_t size)
{
	out->pos = (out->pos + 3) & ~(size_t)3;
	uint32_t at = (uint32_t)out->pos;
	out->pos += size;
	return at;
}

static void out_fill(struct out *out, uint32_t at, const void *bytes, size_t size)
{
	if (out->base != NULL) {
		memcpy(out->base + at, bytes, size);
	}
}

static uint32_t out_text(struct out *out, const struct zone_builder *b, uint32_t offset)
{
	if (offset == 0) {
		return 0;
	}
	const char *text = build_text(b, offset);
	spend(out, &out->pool, offset);
	return out_put(out, text, strlen(text) + 1);
}

static uint32_t out_name(struct out *out, const struct zone_builder *b, uint32_t offset)
{
	if (offset == 0) {
		return 0;
	}
	spend(out, &out->pool, offset);
	return out_put(out, b->pool + offset, dns_name_len(b->pool + offset));
}

static uint32_t out_values(struct out *out, const struct zone_builder *b,
                           const struct build_set *set)
{
	spend(out, &out->pool, set->values);
	return out_put(out, b->pool + set->values, set->values_size);
}

/* --- Sets --- */

/*
 * Walker's alias method: a draw among n members is one number, whatever their weights. Each of n equal
 * columns belongs to its member up to `cut` (of 2^32) and to `other` above it. Members that weigh less than
 * the average are filled up by one that weighs more; all is reckoned in whole numbers, so a weight
 * of 0 gets a cut of 0 and is never drawn (D13).
 */
static void members_weigh(struct zone_member *m, uint32_t n)
{
	uint32_t sum = 0;
	for (uint32_t i = 0; i < n; i++) {
		sum += m[i].weight;
	}
	bool equal = sum == 0;
	sum = equal ? n : sum;
	for (uint32_t i = 0; i < n; i++) {
		m[i].cut = (equal ? 1 : m[i].weight) * n; /* of a column of `sum` */
		m[i].other = (uint16_t)i;
	}
	uint32_t giver = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t taker = i;
		while (m[taker].other == taker && m[taker].cut < sum) {
			while (m[giver].other != giver || m[giver].cut < sum) {
				giver++;
			}
			m[giver].cut -= sum - m[taker].cut;
			m[taker].cut = (uint32_t)(((uint64_t)m[taker].cut << 32) / sum);
			m[taker].other = (uint16_t)giver;
			if (giver < i) { /* passed already: it may need filling up itself now */
				taker = giver;
			}
		}
	}
	for (uint32_t i = 0; i < n; i++) {
		m[i].cut = m[i].other == i ? UINT32_MAX : m[i].cut;
	}
}

static struct zone_member set_member(struct out *out, const struct zone_builder *b,
                                     const struct build_set *set)
{
	struct zone_member m = {
		.ttl_s = set->ttl_s,
		.count = set->count,
		.weight = set->weight,
		.policy = set->policy,
		.flags = set->flags,
	};
	const struct build_more *more = build_more(b, set);
	if (more->alias == 0) {
		m.data = out_values(out, b, set);
	} else if (more->target != BUILD_NONE) {
		m.data = b->groups[b->groups[more->target].goal].at;
	}
	m.identifier = out_text(out, b, more->identifier);
	m.health = out_text(out, b, more->health);
	m.region = out_text(out, b, more->region);
	m.alias = out_name(out, b, more->alias);
	return m;
}

/* Members of a group share its TTL; when they do not, the least is right for all. */
static uint32_t group_ttl(const struct zone_builder *b, const struct build_group *group)
{
	uint32_t least = UINT32_MAX;
	for (uint32_t i = 0; i < group->count; i++) {
		const struct build_set *set = build_member(b, group, i);
		if (build_more(b, set)->alias == 0 && set->ttl_s < least) {
			least = set->ttl_s;
		}
	}
	return least == UINT32_MAX ? 0 : least;
}

static bool group_members(struct out *out, const struct zone_builder *b,
                          const struct build_group *group, struct zone_rrset *set)
{
	enum zone_policy policy = build_member(b, group, 0)->policy;
	struct zone_member *members = calloc(group->count, sizeof(*members));
	if (members == NULL) {
		return false;
	}
	set->kind = policy == ZONE_POLICY_WEIGHTED     ? ZONE__WEIGHTED
	            : policy == ZONE_POLICY_MULTIVALUE ? ZONE__MULTIVALUE
	                                               : ZONE__MEMBERS;
	set->count = (uint16_t)group->count;
	set->ttl_s = group_ttl(b, group);
	set->data = out_room(out, group->count * sizeof(*members));
	for (uint32_t i = 0; i < group->count; i++) {
		members[i] = set_member(out, b, build_member(b, group, i));
	}
	if (set->kind == ZONE__WEIGHTED) {
		members_weigh(members, group->count);
	}
	out_fill(out, set->data, members, group->count * sizeof(*members));
	free(members);
	return true;
}

/* False when memory is short. */
static bool group_write(struct out *out, const struct zone_builder *b,
                        const struct build_group *group, struct zone_rrset *ret_set)
{
	const struct build_set *first = build_member(b, group, 0);
	struct zone_rrset *set = ret_set;
	for (uint32_t i = 0; i < group->count; i++) {
		spend(out, &out->sets, b->order[group->first + i] * sizeof(*first));
	}
	*set = (struct zone_rrset){
		.type = group->type, .class = group->class, .kind = ZONE__NOTHING};
	if (group->class == ZONE_FAULT) {
		return true;
	}
	if (first->policy != ZONE_POLICY_SIMPLE || build_more(b, first)->health != 0) {
		return group_members(out, b, group, set);
	}
	if (build_more(b, first)->alias == 0) {
		set->kind = ZONE__VALUES;
		set->ttl_s = first->ttl_s;
		set->count = first->count;
		set->data = out_values(out, b, first);
		return true;
	}
	set->kind = ZONE__ALIAS;
	set->data = group->class == ZONE_STATIC ? b->groups[group->goal].at
	                                        : out_name(out, b, build_more(b, first)->alias);
	return true;
}

/* --- Nodes --- */

static bool node_write(struct out *out, struct zone_builder *b, uint32_t at)
{
	struct build_node *node = &b->nodes[at];
	node->at = out_room(out, sizeof(struct zone_node));
	uint32_t sets_at = out_room(out, node->count * sizeof(struct zone_rrset));
	if (node->from == at) {
		spend(out, &out->pool, node->name);
		node->name_at = out_put(out, build_name(b, at), node->name_len);
	} else {
		node->name_at =
			b->nodes[node->from].name_at + (node->name - b->nodes[node->from].name);
	}
	for (uint32_t i = 0; i < node->count; i++) {
		struct build_group *group = &b->groups[node->first + i];
		struct zone_rrset set;
		group->at = sets_at + i * (uint32_t)sizeof(set);
		if (!group_write(out, b, group, &set)) {
			return false;
		}
		out_fill(out, group->at, &set, sizeof(set));
	}
	uint32_t end = out_room(out, 0);
	struct zone_node head = {
		.size = end - node->at,
		.name = node->name_at,
		.wild = node->wild == BUILD_NONE ? 0 : b->nodes[node->wild].at,
		.set_count = (uint16_t)node->count,
		.name_len = node->name_len,
		.flags = node->flags,
	};
	out_fill(out, node->at, &head, sizeof(head));
	return true;
}

static uint32_t faults_write(struct out *out, const struct zone_builder *b)
{
	uint32_t at = out_room(out, b->fault_count * sizeof(struct zone_fault));
	for (uint32_t i = 0; i < b->fault_count; i++) {
		const struct build_fault *fault = &b->faults[i];
		struct zone_fault line = {
			.name = out_text(out, b, fault->name),
			.type = out_text(out, b, fault->type),
			.why = out_text(out, b, fault->why),
		};
		out_fill(out, at + i * (uint32_t)sizeof(line), &line, sizeof(line));
	}
	return at;
}

/* --- The head --- */

/* min(SOA TTL, minimum): RFC 2308 section 5. The minimum is the last field. */
static uint32_t negative_ttl(const struct zone_builder *b)
{
	const struct build_set *soa = build_member(b, &b->groups[b->soa], 0);
	uint32_t minimum = get_u32(b->pool + soa->values + soa->values_size - 4);
	return minimum < soa->ttl_s ? minimum : soa->ttl_s;
}

static void head_count(const struct zone_builder *b, struct zone_head *head)
{
	for (size_t n = 0; n < b->node_count; n++) {
		bool inside = (b->nodes[n].flags & BUILD_OUTSIDE) == 0;
		head->node_count += inside;
		head->owners += inside && b->nodes[n].count != 0;
	}
	for (size_t i = 0; i < b->group_count; i++) {
		head->types[b->groups[i].class]++;
	}
}

/* What the sets say; they may be gone once the block is written. */
static void head_begin(const struct zone_builder *b, struct zone_head *head)
{
	*head = (struct zone_head){
		.magic = ZONE__MAGIC,
		.version = ZONE__VERSION,
		.order = ZONE__ORDER,
		.fingerprint = zone__fingerprint_all(b),
		.negative_ttl_s = negative_ttl(b),
		.fault_count = (uint32_t)b->fault_count,
		.listed = b->listed,
	};
	head_count(b, head);
}

static bool block_write(struct out *out, struct zone_builder *b, struct zone_head *head)
{
	uint32_t head_at = out_room(out, sizeof(*head));
	head->id = out_text(out, b, b->id);
	head->nodes = out_room(out, 0);
	for (uint32_t n = 0; n < b->node_count; n++) {
		if ((b->nodes[n].flags & BUILD_OUTSIDE) == 0 && !node_write(out, b, n)) {
			return false;
		}
	}
	head->apex = b->nodes[b->apex].at;
	head->origin = b->nodes[b->apex].name_at;
	head->soa = b->groups[b->soa].at;
	head->faults = faults_write(out, b);
	head->size = out_room(out, 0);
	out_fill(out, head_at, head, sizeof(*head));
	return true;
}

/* --- All --- */

static int fault_compare(const void *left, const void *right)
{
	const struct build_fault *x = left;
	const struct build_fault *y = right;
	return (x->order > y->order) - (x->order < y->order);
}

/* The groups' faults join those that were known before, in the order of the list. */
static void faults_gather(struct zone_builder *b)
{
	for (size_t i = 0; i < b->group_count; i++) {
		const struct build_group *group = &b->groups[i];
		if (group->class != ZONE_FAULT) {
			continue;
		}
		uint32_t order = UINT32_MAX;
		for (uint32_t j = 0; j < group->count; j++) {
			uint32_t own = build_member(b, group, j)->order;
			order = own < order ? own : order;
		}
		zone__name_fault(b, order, build_home_node(b, group), group->type, group->why);
	}
	if (b->fault_count > 1) {
		qsort(b->faults, b->fault_count, sizeof(*b->faults), fault_compare);
	}
}

static struct out out_of(const struct zone_builder *b)
{
	return (struct out){
		.pool = {.base = b->pool, .in_turn = true},
		.sets = {.base = (uint8_t *)b->sets, .in_turn = true},
	};
}

int zone__layout(struct zone_builder *b, void **ret_block)
{
	free(b->slots); /* names are looked for no more */
	b->slots = NULL;
	faults_gather(b);
	if (b->fail != 0) {
		return b->fail;
	}
	struct out out = out_of(b);
	struct zone_head head;
	head_begin(b, &head);
	if (!block_write(&out, b, &head)) {
		return FAIL_NOMEM;
	}
	if (out.pos > b->bytes_max) {
		return FAIL_LIMIT;
	}
	/* Texts of faults lie among the rest, and are read last. */
	bool spending = out.pool.in_turn && out.sets.in_turn && b->fault_count == 0;
	void *base = calloc(1, out.pos);
	if (base == NULL) {
		return FAIL_NOMEM;
	}
	out = out_of(b);
	out.base = base;
	out.spend = spending;
	if (!block_write(&out, b, &head)) {
		free(base);
		return FAIL_NOMEM;
	}
	*ret_block = base;
	return 0;
}
