/*
 * Random zones and questions, answered by the zone and by a reference that reads the list from end to end for
 * each step, in the words of RFC 1034 and 4592 and of the Route 53 facts. Slow, and written to be believed.
 */
#include "zone_text.h"

#define ZONES     2500
#define QUESTIONS 40
#define SETS_MAX  24
#define OPTIONS   64

/* --- The list --- */

struct ref_set {
	char name[64]; /* relative; "" is the apex */
	uint16_t type;
	enum zone_policy policy;
	char id[8];
	unsigned int weight;
	unsigned int ttl_s;
	bool health;
	bool bad;
	char values[3][100];
	unsigned int value_count;
	bool alias;
	bool alias_elsewhere; /* its zone id is another zone's */
	char target[64];
};

struct ref_zone {
	struct ref_set sets[SETS_MAX + 2];
	unsigned int count;
	bool file; /* no zone id to go by */
};

static uint64_t dice_state;

static unsigned int dice(unsigned int sides)
{
	uint64_t z = dice_state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (unsigned int)((z ^ (z >> 31)) % sides);
}

static const uint16_t ref_types[] = {DNS_TYPE_A,   DNS_TYPE_A,     DNS_TYPE_A,  DNS_TYPE_AAAA,
                                     DNS_TYPE_TXT, DNS_TYPE_CNAME, DNS_TYPE_NS, DNS_TYPE_DS};

static void random_name(char *out)
{
	static const char *const labels[] = {"a", "b", "*", "c"};
	unsigned int depth = dice(12) == 0 ? 0 : 1 + dice(4);
	out[0] = '\0';
	for (unsigned int i = 0; i < depth; i++) {
		strcat(out, i == 0 ? "" : ".");
		strcat(out, labels[dice(4)]);
	}
}

static void value_text(uint16_t type, unsigned int n, char *out, size_t size)
{
	switch (type) {
	case DNS_TYPE_A:
		snprintf(out, size, "10.0.0.%u", n);
		break;
	case DNS_TYPE_AAAA:
		snprintf(out, size, "fd00::%u", n);
		break;
	case DNS_TYPE_TXT:
		snprintf(out, size, "\"%u\"", n);
		break;
	case DNS_TYPE_DS:
		snprintf(out, size, "%u 8 2 %064u", n, n);
		break;
	default:
		snprintf(out, size, "t%u.example.net.", n);
		break;
	}
}

static const char *bad_value(uint16_t type)
{
	return type == DNS_TYPE_TXT ? "\"open" : "..";
}

static void random_values(struct ref_set *set)
{
	unsigned int first = 1 + dice(5);
	set->value_count = set->type == DNS_TYPE_CNAME ? 1 : 1 + dice(3);
	for (unsigned int i = 0; i < set->value_count; i++) {
		value_text(set->type, first + i, set->values[i], sizeof(set->values[i]));
	}
	if (dice(40) == 0) {
		strcpy(set->values[set->value_count - 1], bad_value(set->type));
		set->bad = true;
	}
}

static void random_set(struct ref_zone *zone)
{
	static const enum zone_policy policies[] = {ZONE_POLICY_WEIGHTED, ZONE_POLICY_WEIGHTED,
	                                            ZONE_POLICY_WEIGHTED, ZONE_POLICY_MULTIVALUE,
	                                            ZONE_POLICY_LATENCY,  ZONE_POLICY_MULTIVALUE,
	                                            ZONE_POLICY_WEIGHTED, ZONE_POLICY_MULTIVALUE};
	struct ref_set *set = &zone->sets[zone->count++];
	*set = (struct ref_set){
		.type = ref_types[dice(8)], .ttl_s = 1 + dice(3), .health = dice(20) == 0};
	random_name(set->name);
	if (dice(3) == 0) {
		set->policy = policies[dice(8)];
		set->weight = dice(3);
		snprintf(set->id, sizeof(set->id), "i%u", dice(30));
	}
	if (set->type != DNS_TYPE_NS && dice(3) == 0) {
		set->alias = true;
		set->alias_elsewhere = !zone->file && dice(6) == 0;
		random_name(set->target);
		set->bad = set->policy == ZONE_POLICY_MULTIVALUE;
		if (dice(12) == 0) {
			strcpy(set->target, "lb.elsewhere.");
		}
	} else {
		random_values(set);
	}
}

/* More members for the group of a set that is there: groups would be rare otherwise. */
static void random_member(struct ref_zone *zone)
{
	struct ref_set other = zone->sets[dice(zone->count)];
	if (other.policy == ZONE_POLICY_SIMPLE && dice(8) != 0) {
		return;
	}
	random_set(zone);
	struct ref_set *set = &zone->sets[zone->count - 1];
	strcpy(set->name, other.name);
	if (set->alias || set->type == DNS_TYPE_CNAME || other.type == DNS_TYPE_CNAME) {
		set->type = set->alias && other.type != DNS_TYPE_NS && other.type != DNS_TYPE_SOA
		                    ? other.type
		                    : set->type;
	} else {
		set->type = other.type == DNS_TYPE_SOA ? set->type : other.type;
		random_values(set);
	}
	set->policy = dice(30) == 0 ? set->policy : other.policy;
	set->bad = set->alias && set->policy == ZONE_POLICY_MULTIVALUE;
	for (unsigned int i = 0; i < set->value_count; i++) {
		set->bad = set->bad || strcmp(set->values[i], bad_value(set->type)) == 0;
	}
	if (set->policy == ZONE_POLICY_SIMPLE) {
		set->id[0] = '\0';
	} else if (set->id[0] == '\0') {
		snprintf(set->id, sizeof(set->id), "j%u", dice(30));
	}
}

static void random_zone(struct ref_zone *zone)
{
	zone->file = dice(4) == 0;
	zone->sets[0] = (struct ref_set){.type = DNS_TYPE_SOA, .ttl_s = 900, .value_count = 1};
	strcpy(zone->sets[0].values[0], "a. b. 1 2 3 4 5");
	zone->count = 1;
	unsigned int count = 2 + dice(SETS_MAX - 2);
	while (zone->count < count) {
		random_set(zone);
		if (zone->count < count && dice(2) == 0) {
			random_member(zone);
		}
	}
}

static struct zone *zone_made(const struct ref_zone *ref)
{
	struct zone_builder *builder = ref->file ? zone_builder_new(&(struct zone_opts){.id = ""})
	                                         : builder_of_id(TEST_ID);
	for (unsigned int i = 0; i < ref->count; i++) {
		const struct ref_set *from = &ref->sets[i];
		char name[100];
		char target[100];
		char type[16];
		const char *values[3] = {from->values[0], from->values[1], from->values[2]};
		name_full(from->name[0] == '\0' ? "@" : from->name, name, sizeof(name));
		name_full(from->target[0] == '\0' ? "@" : from->target, target, sizeof(target));
		struct zone_record_set set = {
			.name = name,
			.type = dns_type_text(from->type, type),
			.set_identifier = from->id[0] == '\0' ? NULL : from->id,
			.policy = from->policy,
			.ttl_s = from->ttl_s,
			.weight = from->weight,
			.health_check = from->health ? "hc" : NULL,
			.values = values,
			.value_count = from->value_count,
			.alias_name = from->alias ? target : NULL,
			.alias_zone_id = from->alias_elsewhere ? "ZOTHER" : TEST_ID,
		};
		assert_int_equal(zone_builder_add(builder, &set), 0);
	}
	return builder_zone(builder);
}

/* --- The reference: names --- */

/* name is below: "" is above all. */
static bool ref_below(const char *name, const char *above)
{
	size_t len = strlen(name);
	size_t size = strlen(above);
	return size == 0 ? len > 0
	                 : len > size + 1 && name[len - size - 1] == '.' &&
	                           strcmp(name + len - size, above) == 0;
}

/* A name exists when it or a name below it has records. */
static bool ref_exists(const struct ref_zone *zone, const char *name)
{
	for (unsigned int i = 0; i < zone->count; i++) {
		if (strcmp(zone->sets[i].name, name) == 0 || ref_below(zone->sets[i].name, name)) {
			return true;
		}
	}
	return false;
}

static bool ref_has(const struct ref_zone *zone, const char *name, uint16_t type)
{
	for (unsigned int i = 0; i < zone->count; i++) {
		if (strcmp(zone->sets[i].name, name) == 0 && zone->sets[i].type == type) {
			return true;
		}
	}
	return false;
}

static const char *ref_parent(const char *name)
{
	const char *dot = strchr(name, '.');
	return dot == NULL ? "" : dot + 1;
}

/* The cut nearest to the apex at or above name, or NULL. */
static const char *ref_cut(const struct ref_zone *zone, const char *name)
{
	const char *cut = NULL;
	for (; name[0] != '\0'; name = ref_parent(name)) {
		if (ref_has(zone, name, DNS_TYPE_NS)) {
			cut = name;
		}
	}
	return cut;
}

/* The name whose records answer: name itself or a wildcard (then made in buf); NULL: there is none. */
static const char *ref_owner(const struct ref_zone *zone, const char *name, char *buf)
{
	if (ref_exists(zone, name)) {
		return name;
	}
	while (!ref_exists(zone, name)) {
		name = ref_parent(name);
	}
	sprintf(buf, name[0] == '\0' ? "*" : "*.%s", name);
	return ref_exists(zone, buf) ? buf : NULL;
}

/* --- The reference: classes and answers --- */

struct ref_answers {
	char options[OPTIONS][400]; /* "ttl values" each */
	unsigned int count;
};

struct ref_path {
	const struct ref_path *up;
	const char *name;
};

static unsigned int ref_group(const struct ref_zone *zone, const char *name, uint16_t type,
                              const struct ref_set **ret_sets)
{
	unsigned int count = 0;
	for (unsigned int i = 0; i < zone->count; i++) {
		if (strcmp(zone->sets[i].name, name) == 0 && zone->sets[i].type == type) {
			ret_sets[count++] = &zone->sets[i];
		}
	}
	return count;
}

static bool ref_contradicts(const struct ref_zone *zone, const struct ref_set *const *sets,
                            unsigned int count)
{
	if (sets[0]->type == DNS_TYPE_CNAME) {
		for (unsigned int i = 0; i < zone->count; i++) {
			if (strcmp(zone->sets[i].name, sets[0]->name) == 0 &&
			    zone->sets[i].type != DNS_TYPE_CNAME) {
				return true; /* the apex, with its SOA, among them */
			}
		}
	}
	for (unsigned int i = 0; i < count; i++) {
		if (sets[i]->bad || (count > 1 && sets[i]->policy == ZONE_POLICY_SIMPLE)) {
			return true;
		}
		for (unsigned int j = 0; j < i; j++) {
			if (sets[i]->policy != sets[j]->policy ||
			    strcmp(sets[i]->id, sets[j]->id) == 0) {
				return true;
			}
		}
	}
	return false;
}

static enum zone_class ref_class(const struct ref_zone *zone, const char *name, uint16_t type,
                                 const struct ref_path *up, struct ref_answers *answers);

static int text_compare(const void *left, const void *right)
{
	return strcmp(left, right);
}

static void ref_option(struct ref_answers *answers, unsigned int ttl_s, char (*values)[100],
                       unsigned int count)
{
	if (answers == NULL || answers->count == OPTIONS) {
		return;
	}
	char *out = answers->options[answers->count++];
	qsort(values, count, sizeof(values[0]), text_compare);
	out += sprintf(out, "%u", ttl_s);
	for (unsigned int i = 0; i < count; i++) {
		out += sprintf(out, " %s", values[i]);
	}
}

static enum zone_class ref_alias(const struct ref_zone *zone, const struct ref_set *set,
                                 const struct ref_path *path, struct ref_answers *answers)
{
	char buf[64];
	bool outside = strstr(set->target, "elsewhere") != NULL;
	if (set->alias_elsewhere || (zone->file && outside)) {
		return ZONE_DYNAMIC_ALIAS;
	}
	const char *owner = outside || ref_cut(zone, set->target) != NULL
	                            ? NULL
	                            : ref_owner(zone, set->target, buf);
	if (owner == NULL) {
		return zone->file ? ZONE_DYNAMIC_ALIAS : ZONE_FAULT;
	}
	if (!ref_has(zone, owner, set->type)) {
		return ZONE_FAULT;
	}
	enum zone_class class = ref_class(zone, owner, set->type, path, answers);
	return class == ZONE_STATIC || class == ZONE_FAULT ? class : ZONE_DYNAMIC_ALIAS;
}

static void ref_multivalue(const struct ref_set *const *sets, unsigned int count,
                           unsigned int ttl_s, struct ref_answers *answers)
{
	char values[3 * SETS_MAX][100];
	unsigned int total = 0;
	for (unsigned int i = 0; i < count; i++) {
		for (unsigned int v = 0; v < sets[i]->value_count; v++) {
			strcpy(values[total++], sets[i]->values[v]);
		}
	}
	ref_option(answers, ttl_s, values, total);
}

/* Classes of static and alias members; what a static set may answer goes to answers. */
static enum zone_class ref_members(const struct ref_zone *zone, const struct ref_set *const *sets,
                                   unsigned int count, const struct ref_path *path,
                                   struct ref_answers *answers)
{
	enum zone_class class = ZONE_STATIC;
	unsigned int ttl_s = UINT32_MAX;
	unsigned int weights = 0;
	for (unsigned int i = 0; i < count; i++) {
		ttl_s = !sets[i]->alias && sets[i]->ttl_s < ttl_s ? sets[i]->ttl_s : ttl_s;
		weights += sets[i]->weight;
	}
	for (unsigned int i = 0; i < count; i++) {
		bool drawn = sets[0]->policy == ZONE_POLICY_SIMPLE || weights == 0 ||
		             sets[i]->weight != 0;
		if (sets[i]->alias) {
			enum zone_class one =
				ref_alias(zone, sets[i], path, drawn ? answers : NULL);
			class = one > class ? one : class; /* static, alias, fault */
		} else if (drawn && sets[0]->policy != ZONE_POLICY_MULTIVALUE) {
			char values[3][100];
			memcpy(values, sets[i]->values, sizeof(values));
			ref_option(answers, ttl_s, values, sets[i]->value_count);
		}
	}
	if (sets[0]->policy == ZONE_POLICY_MULTIVALUE) {
		ref_multivalue(sets, count, ttl_s, answers);
	}
	return class;
}

static enum zone_class ref_class(const struct ref_zone *zone, const char *name, uint16_t type,
                                 const struct ref_path *up, struct ref_answers *answers)
{
	const struct ref_set *sets[SETS_MAX + 2] = {0};
	for (const struct ref_path *at = up; at != NULL; at = at->up) {
		if (strcmp(at->name, name) == 0) {
			return ZONE_FAULT; /* a circle */
		}
	}
	struct ref_path path = {.up = up, .name = name};
	unsigned int count = ref_group(zone, name, type, sets);
	if (ref_contradicts(zone, sets, count)) {
		return ZONE_FAULT;
	}
	if (sets[0]->policy == ZONE_POLICY_LATENCY) {
		return ZONE_DYNAMIC_POLICY;
	}
	for (unsigned int i = 0; i < count; i++) {
		if (sets[i]->health) {
			return ZONE_DYNAMIC_HEALTH;
		}
	}
	return ref_members(zone, sets, count, &path, answers);
}

/* --- Comparing --- */

struct question {
	char name[64];
	uint16_t type;
};

static const char *failed_zone(const struct ref_zone *zone, const struct question *question)
{
	static char out[8192];
	char word[16];
	size_t at = (size_t)snprintf(out, sizeof(out), "%s %s%s\n", question->name,
	                             dns_type_text(question->type, word),
	                             zone->file ? " (zone file)" : "");
	for (unsigned int i = 0; i < zone->count; i++) {
		const struct ref_set *set = &zone->sets[i];
		at += (size_t)snprintf(
			out + at, sizeof(out) - at,
			"  %s %s policy %d id %s w %u ttl %u hc %d -> %s%s %s %s %s\n", set->name,
			dns_type_text(set->type, word), (int)set->policy, set->id, set->weight,
			set->ttl_s, set->health, set->alias ? set->target : "-",
			set->alias_elsewhere ? "!" : "", set->values[0], set->values[1],
			set->values[2]);
	}
	return out;
}

#define CHECK(truth)                                                            \
	do {                                                                    \
		if (!(truth)) {                                                 \
			fail_msg("%s: %s", #truth, failed_zone(ref, question)); \
		}                                                               \
	} while (0)

static void check_set(const struct ref_zone *ref, const struct question *question,
                      const struct zone *zone, const struct zone_rrset *set, const char *owner)
{
	struct ref_answers answers = {.count = 0};
	uint16_t type = zone_rrset_type(set);
	enum zone_class class = ref_class(ref, owner, type, NULL, &answers);
	struct zone_rr rr[ZONE_DRAW_MAX];
	struct draw draw;
	draw_seed(&draw);
	CHECK(zone_rrset_class(set) == class);
	for (int i = 0; i < 4; i++) {
		char out[1000];
		uint32_t ttl_s = 0;
		unsigned int count = zone_rrset_draw(zone, set, &draw, rr, &ttl_s);
		CHECK((count != 0) == (class == ZONE_STATIC));
		if (class != ZONE_STATIC) {
			return;
		}
		int at = sprintf(out, "%u ", ttl_s);
		rrs_text(rr, count, type, out + at, sizeof(out) - (size_t)at);
		bool allowed = answers.count == OPTIONS;
		for (unsigned int j = 0; j < answers.count; j++) {
			allowed = allowed || strcmp(out, answers.options[j]) == 0;
		}
		CHECK(allowed);
	}
}

static void check_question(const struct ref_zone *ref, const struct question *question,
                           const struct zone *zone)
{
	struct zone_result result;
	struct dns_key key;
	char buf[64];
	key_of(&key, question->name[0] == '\0' ? "@" : question->name);
	zone_lookup(zone, &key, question->type, &result);

	const char *cut = ref_cut(ref, question->name);
	if (cut != NULL && !(cut == question->name && question->type == DNS_TYPE_DS)) {
		CHECK(result.found == ZONE_FOUND_DELEGATION);
		CHECK(zone_rrset_type(result.set) == DNS_TYPE_NS);
		unsigned int labels = 0;
		for (const char *at = question->name; at != cut; at = ref_parent(at)) {
			labels++;
		}
		CHECK(result.cut_label == labels);
		return;
	}
	const char *owner = ref_owner(ref, question->name, buf);
	if (owner == NULL) {
		CHECK(result.found == ZONE_FOUND_NXDOMAIN && !result.wildcard);
		return;
	}
	bool wildcard = owner == buf;
	CHECK(result.wildcard == wildcard);
	bool asked =
		ref_has(ref, owner, question->type) && !(wildcard && question->type == DNS_TYPE_NS);
	if (!asked && !ref_has(ref, owner, DNS_TYPE_CNAME)) {
		CHECK(result.found == ZONE_FOUND_NODATA);
		return;
	}
	CHECK(result.found == (asked ? ZONE_FOUND_SET : ZONE_FOUND_CNAME));
	CHECK(zone_rrset_type(result.set) == (asked ? question->type : DNS_TYPE_CNAME));
	check_set(ref, question, zone, result.set, owner);
}

static void test_random_zones(void **state)
{
	const char *seed = getenv("ZONE_SEED"); /* another number, other zones */
	uint64_t first = seed == NULL ? 1 : strtoull(seed, NULL, 10);
	unsigned int counts[ZONE_CLASSES] = {0};
	for (uint64_t i = 0; i < ZONES; i++) {
		struct ref_zone ref;
		struct question question;
		dice_state = (first << 32) + i;
		random_zone(&ref);
		struct zone *zone = zone_made(&ref);
		for (int q = 0; q < QUESTIONS; q++) {
			random_name(question.name);
			question.type = ref_types[dice(8)];
			check_question(&ref, &question, zone);
		}
		struct zone_stats stats;
		zone_get_stats(zone, &stats);
		for (int c = 0; c < ZONE_CLASSES; c++) {
			counts[c] += (unsigned int)stats.types[c];
		}
		zone_unref(&zone);
	}
	/* the dice leave nothing out */
	for (int c = 0; c < ZONE_CLASSES; c++) {
		assert_true(counts[c] > ZONES / 10);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_zones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
