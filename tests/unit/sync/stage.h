/*
 * A side thread before a Route 53 of its own (api.h), and what tests of it wait for.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api.h"
#include "aws/route53.h"
#include "base/log.h"
#include "base/mono.h"

/* Not every test waits for all of this. */
#pragma GCC diagnostic ignored "-Wunused-function"

#define CORP SOA("corp.example.") SET("www.corp.example.", "A", "60", "10.0.0.1")
#define CORP_MORE                                      \
	SOA("corp.example.")                           \
	SET("db.corp.example.", "A", "60", "10.0.0.2") \
	SET("www.corp.example.", "A", "60", "10.0.0.1")

static struct api api;
static struct listener listener;
static struct sync *thread;
static char err[256];

static int begin(void **state)
{
	api_start(&api);
	listener_init(&listener);
	api_set(&api, 0, "Z1", 200, PAGE(CORP, LAST));
	thread = NULL;
	return 0;
}

static int end(void **state)
{
	sync_stop(&thread);
	api_stop(&api);
	listener_fini(&listener);
	return 0;
}

static struct sync_opts options(const char *const *ids, size_t count)
{
	return (struct sync_opts){
		.api = true,
		.vpc = "",
		.region = "auto",
		.zones = ids,
		.zone_count = count,
		.interval_s = 3600,
		.min_interval_s = 3600,
		.rate = 1000,
		.guard_max_loss = 100,
		.endpoint = "",
		.state_dir = "",
	};
}

static struct sync_hooks hooks(void)
{
	return (struct sync_hooks){.publish = listener_publish, .ctx = &listener};
}

static void start(const struct sync_opts *opts)
{
	const struct sync_hooks given = hooks();
	thread = sync_start(opts, &given, err, sizeof(err));
	assert_non_null(thread);
}

/* --- Conditions --- */

static size_t sets_of(const struct zones_entry *entry)
{
	struct zone_stats stats = {0};
	if (entry != NULL && entry->zone != NULL) {
		zone_get_stats(entry->zone, &stats);
	}
	return stats.sets;
}

static bool one_set(const struct zones_entry *entry)
{
	return sets_of(entry) == 1;
}

static bool two_sets(const struct zones_entry *entry)
{
	return sets_of(entry) == 2;
}

static bool three_sets(const struct zones_entry *entry)
{
	return sets_of(entry) == 3;
}

static bool loaded(const struct zones_entry *entry)
{
	return sets_of(entry) > 0;
}

static bool loaded_and_associated(const struct zones_entry *entry)
{
	return loaded(entry) && entry->associated;
}

static bool loaded_not_associated(const struct zones_entry *entry)
{
	return loaded(entry) && !entry->associated;
}

static bool in_trouble(const struct zones_entry *entry)
{
	return entry != NULL && entry->trouble[0] != '\0';
}

static bool data_in_trouble(const struct zones_entry *entry)
{
	return in_trouble(entry) && sets_of(entry) == 2;
}

static bool unavailable(const struct zones_entry *entry)
{
	return entry != NULL && entry->unavailable && entry->zone == NULL;
}

static bool absent(const struct zones_entry *entry)
{
	return entry == NULL;
}

static const char *const one_id[] = {"Z1"};

static bool ready(char *why)
{
	return sync_ready(thread, why, 256);
}

static void stage_log(void)
{
	log_set_level(getenv("SYNC_TEST_LOG") != NULL ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
}
