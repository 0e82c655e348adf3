#include "parity/parity.h"

#include "base/log.h"
#include "base/random.h"
#include "metric/metric.h"
#include "parity/compare_int.h"
#include <stdlib.h>
#include <string.h>

#define WINDOW        10 /* samples that count */
#define DISAGREES     3  /* of them different: the zone disagrees */
#define NOBODY_ONE_IN 8  /* samples of names that are not there */

#define CHANGE_S 120 /* the data plane and the API's listing differ for so long after a change */
#define TTL_MAX_S \
	3600 /* and the resolver may have kept what was before, but who waits longer than that? */
#define TEXT_MAX   200 /* of an answer in the log */
#define ID_MAX     40
#define LOG_MS     60000
#define ZONES_MAX  4096
#define LABEL_BITS 32

struct watched {
	char id[ID_MAX];
	uint8_t origin[DNS_NAME_MAX + 1];
	uint64_t results[PARITY_RESULTS];
	uint16_t last; /* bit i: the i-th last sample differed */
	uint8_t window;
	bool disagrees;
	bool present;
	struct log_limit limit;
};

struct parity {
	struct watched *zones;
	size_t count;
	size_t turn; /* of zones_get: who is next */
	bool fallback;
	struct draw draw;
};

struct parity *parity_new(void)
{
	struct parity *parity = calloc(1, sizeof(*parity));
	if (parity != NULL) {
		draw_seed(&parity->draw);
	}
	return parity;
}

void parity_free(struct parity **parity)
{
	if (*parity != NULL) {
		free((*parity)->zones);
		free(*parity);
		*parity = NULL;
	}
}

void parity_tune(struct parity *parity, bool fallback)
{
	parity->fallback = fallback;
}

/* --- The zones that are watched --- */

static bool is_eligible(const struct zones_entry *entry)
{
	return entry->zone != NULL && entry->associated;
}

static bool watched_is(const struct watched *watched, const struct zones_entry *entry)
{
	return strncmp(watched->id, entry->id, ID_MAX - 1) == 0 &&
	       dns_name_equal(watched->origin, entry->origin);
}

/* Both lists are in the same order as long as no zone comes or goes: `hint` finds it at once. */
static struct watched *watched_find(const struct parity *parity, const struct zones_entry *entry,
                                    size_t hint)
{
	if (hint < parity->count && watched_is(&parity->zones[hint], entry)) {
		return &parity->zones[hint];
	}
	for (size_t i = 0; i < parity->count; i++) {
		if (watched_is(&parity->zones[i], entry)) {
			return &parity->zones[i];
		}
	}
	return NULL;
}

static struct watched *watched_add(struct parity *parity, const struct zones_entry *entry)
{
	if (parity->count == ZONES_MAX) {
		return NULL;
	}
	struct watched *zones = realloc(parity->zones, (parity->count + 1) * sizeof(*zones));
	if (zones == NULL) {
		return NULL;
	}
	parity->zones = zones;
	struct watched *watched = &zones[parity->count++];
	*watched = (struct watched){.present = true};
	strncpy(watched->id, entry->id, ID_MAX - 1);
	memcpy(watched->origin, entry->origin, dns_name_len(entry->origin));
	return watched;
}

static void forget_gone(struct parity *parity)
{
	size_t kept = 0;
	for (size_t i = 0; i < parity->count; i++) {
		if (parity->zones[i].present) {
			parity->zones[kept++] = parity->zones[i];
		}
	}
	parity->count = kept;
}

/* A new copy of a zone that disagrees is doubted like the one before. */
static void zones_follow(struct parity *parity, const struct zones *zones)
{
	for (size_t i = 0; i < parity->count; i++) {
		parity->zones[i].present = false;
	}
	for (size_t i = 0; i < zones_count(zones); i++) {
		const struct zones_entry *entry = zones_get(zones, i);
		if (entry->zone == NULL) {
			continue;
		}
		struct watched *watched = watched_find(parity, entry, i);
		bool doubted = watched != NULL && watched->disagrees && parity->fallback;
		if (watched != NULL && is_eligible(entry)) {
			watched->present = true;
		}
		zone_doubt(entry->zone, doubted && is_eligible(entry));
	}
	forget_gone(parity);
}

void parity_forget(struct parity *parity, const struct zones *zones)
{
	parity->count = 0;
	zones_follow(parity, zones);
}

/* --- Samples --- */

struct pick {
	struct draw *draw;
	uint32_t seen;
	const uint8_t *name;
	uint16_t type;
};

/* Each static set equally likely, in one walk. */
static int pick_set(void *ctx, const uint8_t *name, const struct zone_rrset *set)
{
	struct pick *pick = ctx;
	if (zone_rrset_class(set) == ZONE_STATIC && draw_below(pick->draw, ++pick->seen) == 0) {
		pick->name = name;
		pick->type = zone_rrset_type(set);
	}
	return 0;
}

/* Eight random digits as the leftmost label: a name that nobody has, or that only a wildcard has. */
static bool name_below(struct parity *parity, const uint8_t *parent, uint8_t *ret_name)
{
	static const char digits[] = "0123456789abcdef";
	size_t len = dns_name_len(parent);
	if (len + 9 > DNS_NAME_MAX) {
		return false;
	}
	uint32_t label = draw_u32(&parity->draw);
	ret_name[0] = LABEL_BITS / 4;
	for (unsigned int i = 0; i < LABEL_BITS / 4; i++) {
		ret_name[1 + i] = (uint8_t)digits[label >> 4 * i & 15];
	}
	memcpy(ret_name + 9, parent, len);
	return true;
}

static bool sample_draw(struct parity *parity, const struct zone *zone,
                        struct parity_sample *sample)
{
	struct pick pick = {.draw = &parity->draw};
	if (draw_below(&parity->draw, NOBODY_ONE_IN) == 0) {
		sample->type = DNS_TYPE_A;
		return name_below(parity, zone_origin(zone), sample->name);
	}
	zone_each(zone, pick_set, &pick);
	if (pick.name == NULL) {
		return false;
	}
	sample->type = pick.type;
	if (pick.name[0] == 1 && pick.name[1] == '*') {
		return name_below(parity, pick.name + 2, sample->name);
	}
	memcpy(sample->name, pick.name, dns_name_len(pick.name));
	return true;
}

bool parity_next(struct parity *parity, const struct zones *zones, parity_ours_fn *ours, void *ctx,
                 struct parity_sample *ret_sample)
{
	zones_follow(parity, zones);
	size_t count = zones_count(zones);
	for (size_t i = 0; i < count; i++) {
		parity->turn = parity->turn + 1 < count ? parity->turn + 1 : 0;
		const struct zones_entry *entry = zones_get(zones, parity->turn);
		struct dns_key key;
		if (!is_eligible(entry)) {
			continue;
		}
		if (!sample_draw(parity, entry->zone, ret_sample)) {
			return false;
		}
		dns_key_make(&key, ret_sample->name);
		if (!compare__static(entry->zone, &key, ret_sample->type) ||
		    !ours(ctx, &key, entry->zone)) {
			return false;
		}
		ret_sample->zone = zone_ref(entry->zone);
		return true;
	}
	return false;
}

void parity_drop(struct parity_sample *sample)
{
	zone_unref(&sample->zone);
}

/* --- Verdicts --- */

static void log_difference(struct watched *watched, const struct parity_sample *sample,
                           const struct dns_reply *reply)
{
	if (!log_allowed(&watched->limit, 1, LOG_MS)) {
		return;
	}
	char name[DNS_NAME_TEXT_MAX];
	char zone[DNS_NAME_TEXT_MAX];
	char type[16];
	struct text ours;
	struct text theirs;
	text_init(&ours, 0);
	text_init(&theirs, 0);
	compare__ours(sample->zone, sample->name, sample->type, &ours);
	compare__theirs(reply, sample->name, sample->type, &theirs);
	log_warn("parity", "%s %s of zone %s: we say %.*s, the VPC resolver says %.*s",
	         dns_name_text(sample->name, name), dns_type_text(sample->type, type),
	         dns_name_text(watched->origin, zone), TEXT_MAX, text_get(&ours), TEXT_MAX,
	         text_get(&theirs));
	text_fini(&ours);
	text_fini(&theirs);
}

static void log_verdict(const struct parity *parity, const struct watched *watched)
{
	char zone[DNS_NAME_TEXT_MAX];
	dns_name_text(watched->origin, zone);
	if (!watched->disagrees) {
		log_notice("parity", "zone %s agrees with the VPC resolver again", zone);
	} else {
		log_warn("parity", "zone %s disagrees with the VPC resolver in %d of %d samples%s",
		         zone, __builtin_popcount(watched->last), (int)watched->window,
		         parity->fallback ? ": its names are asked of that until it agrees" : "");
	}
}

static void watched_count(struct parity *parity, struct watched *watched, bool different)
{
	watched->last = (uint16_t)((watched->last << 1 | different) & ((1u << WINDOW) - 1));
	watched->window += watched->window < WINDOW;
	int differed = __builtin_popcount(watched->last);
	bool disagrees = watched->disagrees ? differed > 0 : differed >= DISAGREES;
	if (disagrees != watched->disagrees) {
		watched->disagrees = disagrees;
		log_verdict(parity, watched);
	}
}

/* The entry whose copy is still the one that was sampled. */
static const struct zones_entry *entry_of(const struct zones *zones, const struct zone *zone,
                                          size_t *ret_at)
{
	for (size_t i = 0; i < zones_count(zones); i++) {
		if (zones_get(zones, i)->zone == zone) {
			*ret_at = i;
			return zones_get(zones, i);
		}
	}
	return NULL;
}

/* A file does not run ahead of what Route 53 serves: it can only be old. */
static bool change_explains(const struct zones_entry *entry, uint32_t ttl_s, int64_t wall_now_s)
{
	if (entry->source == ZONE_SOURCE_FILE) {
		return false;
	}
	int64_t window_s = CHANGE_S + (ttl_s < TTL_MAX_S ? ttl_s : TTL_MAX_S);
	return entry->changed_s != 0 && wall_now_s - entry->changed_s < window_s;
}

static enum parity_result judge(struct parity *parity, const struct parity_sample *sample,
                                const struct zones *zones, const struct dns_reply *reply,
                                int64_t wall_now_s)
{
	uint32_t ttl_s = 0;
	size_t at = 0;
	const struct zones_entry *entry = entry_of(zones, sample->zone, &at);
	if (entry == NULL || !is_eligible(entry)) {
		return PARITY_UNKNOWN;
	}
	struct watched *watched = watched_find(parity, entry, at);
	watched = watched != NULL ? watched : watched_add(parity, entry);
	if (watched == NULL) {
		return PARITY_UNKNOWN;
	}
	enum parity_result result =
		compare__reply(sample->zone, sample->name, sample->type, reply, &ttl_s);
	if (result == PARITY_DIFFERENT && change_explains(entry, ttl_s, wall_now_s)) {
		result = PARITY_UNKNOWN;
	}
	watched->results[result]++;
	if (result == PARITY_DIFFERENT) {
		log_difference(watched, sample, reply);
	}
	if (result != PARITY_UNKNOWN) {
		watched_count(parity, watched, result == PARITY_DIFFERENT);
	}
	zone_doubt(entry->zone, watched->disagrees && parity->fallback);
	return result;
}

enum parity_result parity_told(struct parity *parity, struct parity_sample *sample,
                               const struct zones *zones, const struct dns_reply *reply,
                               int64_t wall_now_s)
{
	enum parity_result result = judge(parity, sample, zones, reply, wall_now_s);
	parity_drop(sample);
	return result;
}

/* --- Figures --- */

bool parity_get_state(const struct parity *parity, const struct zones_entry *entry,
                      struct parity_state *ret_state)
{
	const struct watched *watched =
		is_eligible(entry) ? watched_find(parity, entry, parity->count) : NULL;
	if (watched == NULL) {
		return false;
	}
	*ret_state = (struct parity_state){
		.window = watched->window,
		.different = (unsigned int)__builtin_popcount(watched->last),
		.disagrees = watched->disagrees,
	};
	memcpy(ret_state->results, watched->results, sizeof(ret_state->results));
	return true;
}

void parity_metrics(void *ctx, struct text *out)
{
	static const char *const words[PARITY_RESULTS] = {"same", "different", "unknown"};
	const struct parity *parity = ctx;
	metric_family(out, "horizond_parity_total", METRIC_COUNTER,
	              "Samples of zones asked of the VPC resolver, by how they compared.");
	for (size_t i = 0; i < parity->count; i++) {
		char zone[DNS_NAME_TEXT_MAX];
		dns_name_text(parity->zones[i].origin, zone);
		for (unsigned int r = 0; r < PARITY_RESULTS; r++) {
			const char *labels[] = {"zone", zone, "result", words[r], NULL};
			metric_sample_u64(out, "horizond_parity_total", labels,
			                  parity->zones[i].results[r]);
		}
	}
}
