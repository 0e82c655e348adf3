#include "aws/creds_int.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Renewed with less than this left, up to a fifth later: not all at the same time. */
#define RENEW_AHEAD_S 900

/* After a renewal that brought nothing new: not before this, and up to as much again later. */
#define RENEW_PAUSE_S 30

struct creds_chain {
	struct creds_source sources[CREDS_SOURCES_MAX];
	size_t source_count;
	const struct creds_source *from; /* NULL: none found yet */
	struct creds creds;
	int64_t renewed_s; /* last try */
	unsigned int pause_s;
	unsigned int ahead_s; /* renewed this long before their end */
	bool failing;         /* renewal; said once */
	bool ended;           /* their end has come; said once */
	char trouble[640];
};

void creds__fini(struct creds *creds)
{
	creds__text_free(&creds->access_key_id);
	creds__text_free(&creds->secret_access_key);
	creds__text_free(&creds->session_token);
	creds->expires_s = 0;
}

int creds__set(struct creds *ret_creds, const char *access_key_id, const char *secret_access_key,
               const char *session_token, int64_t expires_s)
{
	bool token = session_token != NULL && session_token[0] != '\0';
	struct creds creds = {
		.access_key_id = strdup(access_key_id),
		.secret_access_key = strdup(secret_access_key),
		.session_token = token ? strdup(session_token) : NULL,
		.expires_s = expires_s,
	};
	if (creds.access_key_id == NULL || creds.secret_access_key == NULL ||
	    (token && creds.session_token == NULL)) {
		creds__fini(&creds);
		return FAIL_NOMEM;
	}
	*ret_creds = creds;
	return 0;
}

struct creds_chain *creds_chain__new(const struct creds_source *sources, size_t count)
{
	assert(count <= CREDS_SOURCES_MAX);
	struct creds_chain *chain = calloc(1, sizeof(*chain));
	if (chain != NULL) {
		memcpy(chain->sources, sources, count * sizeof(*sources));
		chain->source_count = count;
	}
	return chain;
}

void creds_chain__free(struct creds_chain **chain)
{
	if (*chain != NULL) {
		creds__fini(&(*chain)->creds);
	}
	free(*chain);
	*chain = NULL;
}

const char *creds_chain__trouble(const struct creds_chain *chain)
{
	return chain->trouble;
}

/* When the ones taken at now_s are due for renewal. New ones are there at least 5 minutes before the old ones end. */
static void ahead_set(struct creds_chain *chain, int64_t now_s)
{
	int64_t life_s = chain->creds.expires_s - now_s;
	unsigned int ahead_s = RENEW_AHEAD_S;
	if (life_s < (int64_t)2 * RENEW_AHEAD_S) {
		ahead_s = life_s > 1 ? (unsigned int)life_s / 2 : 0;
	}
	chain->ahead_s = ahead_s - random_below(ahead_s / 5 + 1);
	chain->ended = false;
}

/* Asks one source after another until one is set up. */
static int search(struct creds_chain *chain, int64_t now_s)
{
	struct text why;
	text_init(&why, sizeof(chain->trouble) - 32);
	int ret = FAIL_NOTFOUND;
	for (size_t i = 0; i < chain->source_count && ret == FAIL_NOTFOUND; i++) {
		char line[320] = "";
		ret = chain->sources[i].fetch(chain->sources[i].ctx, &chain->creds, line,
		                              sizeof(line));
		if (ret == 0) {
			chain->from = &chain->sources[i];
			ahead_set(chain, now_s);
			log_info("aws", "credentials from %s", chain->from->name);
		} else if (line[0] != '\0') {
			text_addf(&why, "%s%s", why.len == 0 ? "" : "; ", line);
		}
	}
	snprintf(chain->trouble, sizeof(chain->trouble), ret == 0 ? "%s" : "no credentials: %s",
	         ret == 0 ? "" : text_get(&why));
	text_fini(&why);
	return ret == 0 || ret == FAIL_SHUTDOWN || ret == FAIL_NOMEM ? ret : -ENOKEY;
}

static bool text_equal(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Takes over what the source gives now; true when it is other than before. */
static bool renew(struct creds_chain *chain, int64_t now_s)
{
	struct creds fresh = {0};
	char why[320] = "";
	int ret = chain->from->fetch(chain->from->ctx, &fresh, why, sizeof(why));
	if (ret != 0) {
		if (!chain->failing && ret != FAIL_SHUTDOWN) {
			log_warn("aws", "credentials not renewed, going on with the old ones: %s",
			         why);
			chain->failing = true;
		}
		return false;
	}
	bool other = !text_equal(fresh.access_key_id, chain->creds.access_key_id) ||
	             !text_equal(fresh.session_token, chain->creds.session_token) ||
	             !text_equal(fresh.secret_access_key, chain->creds.secret_access_key);
	creds__fini(&chain->creds);
	chain->creds = fresh;
	ahead_set(chain, now_s);
	if (chain->failing) {
		log_notice("aws", "credentials renewed from %s", chain->from->name);
		chain->failing = false;
	}
	return other;
}

static bool renewal_due(const struct creds_chain *chain, int64_t now_s)
{
	if (chain->creds.expires_s == 0 ||
	    chain->creds.expires_s - now_s > (int64_t)chain->ahead_s) {
		return false;
	}
	/* A clock set back must not stop renewals either. */
	int64_t since_s = now_s - chain->renewed_s;
	return since_s < 0 || since_s >= (int64_t)chain->pause_s;
}

int creds_chain__get(struct creds_chain *chain, int64_t now_s, const struct creds **ret_creds)
{
	if (chain->from == NULL) {
		int ret = search(chain, now_s);
		if (ret != 0) {
			return ret;
		}
		chain->renewed_s = now_s;
		chain->pause_s = 1;
	} else if (renewal_due(chain, now_s)) {
		bool other = renew(chain, now_s);
		chain->renewed_s = now_s;
		chain->pause_s = other ? 1 : RENEW_PAUSE_S + random_below(RENEW_PAUSE_S);
	}
	bool ended = chain->creds.expires_s != 0 && chain->creds.expires_s <= now_s;
	if (ended && !chain->ended) {
		log_error("aws",
		          "credentials from %s have expired and cannot be renewed: zones are "
		          "served as they were last seen",
		          chain->from->name);
		chain->ended = true;
	}
	*ret_creds = &chain->creds;
	return 0;
}

bool creds_chain__renew(struct creds_chain *chain, int64_t now_s)
{
	return chain->from != NULL && renew(chain, now_s);
}
