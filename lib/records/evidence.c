#include "records/evidence.h"
#include "base/addr.h"
#include "base/fail.h"
#include "records/apply.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum evidence_state state_of(const char *word)
{
	static const struct {
		const char *word;
		enum evidence_state state;
	} states[] = {
		{"pending", EVIDENCE_LIVE},         {"running", EVIDENCE_LIVE},
		{"stopping", EVIDENCE_LIVE},        {"stopped", EVIDENCE_STOPPED},
		{"shutting-down", EVIDENCE_ENDING}, {"terminated", EVIDENCE_TERMINATED},
	};
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (strcmp(states[i].word, word) == 0) {
			return states[i].state;
		}
	}
	return EVIDENCE_UNKNOWN;
}

static int addresses_take(struct evidence *evidence, const struct aws_ec2_instance *listed,
                          struct evidence_instance *instance)
{
	const char **copy =
		arena_alloc(evidence->arena, (listed->address_count + 1) * sizeof(*copy));
	if (copy == NULL) {
		return FAIL_NOMEM;
	}
	for (size_t i = 0; i < listed->address_count; i++) {
		copy[i] = arena_text(evidence->arena, listed->addresses[i]);
		if (copy[i] == NULL) {
			return FAIL_NOMEM;
		}
	}
	instance->addresses = copy;
	instance->address_count = listed->address_count;
	return 0;
}

int evidence_add(struct evidence *evidence, const struct aws_ec2_instance *listed)
{
	if (evidence->count == EVIDENCE_INSTANCES_MAX) {
		return FAIL_LIMIT;
	}
	if (evidence->count == evidence->room) {
		size_t room = evidence->room == 0 ? 256 : 2 * evidence->room;
		struct evidence_instance *instances =
			reallocarray(evidence->instances, room, sizeof(*instances));
		if (instances == NULL) {
			return FAIL_NOMEM;
		}
		evidence->instances = instances;
		evidence->room = room;
	}
	struct evidence_instance *instance = &evidence->instances[evidence->count];
	*instance = (struct evidence_instance){.state = state_of(listed->state)};
	snprintf(instance->owner.instance, sizeof(instance->owner.instance), "%s", listed->id);
	int ret = addresses_take(evidence, listed, instance);
	if (ret == 0) {
		evidence->count++;
	}
	return ret;
}

static int by_id(const void *a, const void *b)
{
	const struct evidence_instance *x = a;
	const struct evidence_instance *y = b;
	return strcmp(x->owner.instance, y->owner.instance);
}

static const struct evidence_instance *find(const struct evidence *evidence, const char *id)
{
	struct evidence_instance wanted = {0};
	snprintf(wanted.owner.instance, sizeof(wanted.owner.instance), "%s", id);
	return evidence->count == 0 ? NULL
	                            : bsearch(&wanted, evidence->instances, evidence->count,
	                                      sizeof(wanted), by_id);
}

int evidence_finish(struct evidence *evidence, const struct evidence_opts *opts, char *why,
                    size_t why_size)
{
	snprintf(evidence->region, sizeof(evidence->region), "%s", opts->region);
	evidence->fleet = opts->fleet;
	evidence->key = opts->key;
	evidence->live = 0;
	for (size_t i = 0; i < evidence->count; i++) {
		struct evidence_instance *instance = &evidence->instances[i];
		memcpy(instance->owner.account, evidence->account, sizeof(evidence->account));
		memcpy(instance->owner.region, evidence->region, sizeof(evidence->region));
		owner_digest(&instance->owner, opts->key, instance->digest);
		evidence->live += instance->state == EVIDENCE_LIVE;
	}
	if (evidence->count > 0) {
		qsort(evidence->instances, evidence->count, sizeof(*evidence->instances), by_id);
	}
	if (opts->account[0] != '\0' && strcmp(opts->account, evidence->account) != 0) {
		snprintf(why, why_size,
		         "the credentials are of account %s, but this instance is of %s",
		         evidence->account, opts->account);
		return FAIL_CHANGED;
	}
	if (evidence->live == 0) {
		snprintf(why, why_size, "EC2 lists no live instance in %s/%s", evidence->account,
		         evidence->region);
		return FAIL_CHANGED;
	}
	if (opts->canary[0] == '\0') {
		snprintf(why, why_size,
		         "no canary: without instance metadata, sweep.canary must name an instance "
		         "that lives");
		return FAIL_CHANGED;
	}
	const struct evidence_instance *canary = find(evidence, opts->canary);
	if (canary == NULL || canary->state != EVIDENCE_LIVE) {
		snprintf(why, why_size, "the canary %s is not among the %zu live instances listed",
		         opts->canary, evidence->live);
		return FAIL_CHANGED;
	}
	return 0;
}

/* --- Asking --- */

static int take(void *ctx, const struct aws_ec2_instance *listed)
{
	return evidence_add(ctx, listed);
}

static int ask(const struct records_api *api, struct evidence *evidence)
{
	evidence->count = 0;
	int ret = api->account(api->ctx, evidence->account);
	return ret != 0 ? ret : api->instances(api->ctx, take, evidence);
}

int evidence_gather(const struct records_api *api, const struct evidence_opts *opts,
                    uint64_t deadline_ms, struct arena *arena, struct evidence *ret_evidence,
                    char *why, size_t why_size)
{
	struct evidence evidence = {.arena = arena};
	struct apply_patience patience = {0};
	int ret;
	do {
		ret = ask(api, &evidence);
	} while (ret != 0 && apply_again(api, deadline_ms, ret, &patience));
	if (ret != 0) {
		const char *trouble = api->trouble(api->ctx);
		snprintf(why, why_size, "%s", trouble[0] == '\0' ? fail_text(ret) : trouble);
	} else {
		ret = evidence_finish(&evidence, opts, why, why_size);
	}
	if (ret != 0) {
		evidence_fini(&evidence);
		return ret;
	}
	*ret_evidence = evidence;
	return 0;
}

void evidence_fini(struct evidence *evidence)
{
	free(evidence->instances);
	evidence->instances = NULL;
	evidence->count = evidence->room = 0;
}

/* --- Saying --- */

bool evidence_scope(const struct evidence *evidence, const struct owner *mark)
{
	struct owner scope = {0};
	memcpy(scope.account, evidence->account, sizeof(evidence->account));
	memcpy(scope.region, evidence->region, sizeof(evidence->region));
	return owner_same_scope(mark, &scope, evidence->key);
}

enum evidence_state evidence_of(const struct evidence *evidence, const struct owner *mark,
                                const struct evidence_instance **ret_instance)
{
	const struct evidence_instance *found = NULL;
	if (mark->digest[0] == '\0') {
		found = find(evidence, mark->instance);
	}
	for (size_t i = 0; mark->digest[0] != '\0' && found == NULL && i < evidence->count; i++) {
		const struct evidence_instance *at = &evidence->instances[i];
		if (strncmp(at->digest, mark->digest, OWNER_DIGEST - OWNER_DIGEST_BOOT) == 0) {
			found = at;
		}
	}
	if (ret_instance != NULL) {
		*ret_instance = found;
	}
	return found == NULL ? EVIDENCE_ABSENT : found->state;
}

/* As text, or as the address it means: 2001:DB8::1 is 2001:db8::1. */
static bool same_address(const char *a, const char *b)
{
	struct addr x;
	struct addr y;
	return strcmp(a, b) == 0 ||
	       (addr_parse(a, 0, &x) == 0 && addr_parse(b, 0, &y) == 0 && addr_equal_host(&x, &y));
}

bool evidence_has_address(const struct evidence_instance *instance, const char *address)
{
	for (size_t i = 0; i < instance->address_count; i++) {
		if (same_address(instance->addresses[i], address)) {
			return true;
		}
	}
	return false;
}

const struct evidence_instance *evidence_holder(const struct evidence *evidence,
                                                const char *address)
{
	for (size_t i = 0; i < evidence->count; i++) {
		if (evidence->instances[i].state == EVIDENCE_LIVE &&
		    evidence_has_address(&evidence->instances[i], address)) {
			return &evidence->instances[i];
		}
	}
	return NULL;
}
