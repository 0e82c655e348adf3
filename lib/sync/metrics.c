/* sync/metrics.c - what is told of each zone and of the API's budget. */
#include "sync/sync_int.h"

#include "base/mono.h"

/* One family: a sample of each zone for which value() has one. */
struct family {
	const char *name;
	enum metric_kind kind;
	const char *help;
	bool (*value)(const struct zones_entry *entry, double *ret_value);
};

static bool age_value(const struct zones_entry *entry, double *ret_value)
{
	int64_t age_s = wall_s() - entry->looked_s;
	*ret_value = age_s > 0 ? (double)age_s : 0;
	return entry->looked_s != 0;
}

static bool sets_value(const struct zones_entry *entry, double *ret_value)
{
	struct zone_stats stats = {0};
	if (entry->zone != NULL) {
		zone_get_stats(entry->zone, &stats);
	}
	*ret_value = (double)stats.sets;
	return true;
}

static bool faults_value(const struct zones_entry *entry, double *ret_value)
{
	struct zone_stats stats = {0};
	if (entry->zone != NULL) {
		zone_get_stats(entry->zone, &stats);
	}
	*ret_value = (double)stats.faults;
	return true;
}

static bool held_value(const struct zones_entry *entry, double *ret_value)
{
	*ret_value = entry->held[0] != '\0';
	return true;
}

static bool changed_value(const struct zones_entry *entry, double *ret_value)
{
	int64_t age_s = wall_s() - entry->changed_s;
	*ret_value = age_s > 0 ? (double)age_s : 0;
	return entry->changed_s != 0;
}

static bool calls_value(const struct zones_entry *entry, double *ret_value)
{
	*ret_value = (double)entry->calls;
	return entry->source != ZONE_SOURCE_FILE;
}

static bool failures_value(const struct zones_entry *entry, double *ret_value)
{
	*ret_value = (double)entry->failures;
	return true;
}

static bool kept_value(const struct zones_entry *entry, double *ret_value)
{
	*ret_value = entry->kept;
	return entry->zone != NULL && entry->source != ZONE_SOURCE_FILE;
}

static const struct family families[] = {
	{"horizond_zone_age_seconds", METRIC_GAUGE, "Time since the last good look at the zone.",
         age_value},
	{"horizond_zone_changed_seconds", METRIC_GAUGE,
         "Time since the zone was last seen to change.", changed_value},
	{"horizond_zone_sets", METRIC_GAUGE, "Record sets of the zone.", sets_value},
	{"horizond_zone_faults", METRIC_GAUGE,
         "Record sets that cannot be answered from memory for a fault.", faults_value},
	{"horizond_zone_held_back", METRIC_GAUGE,
         "1 while a suspicious listing waits to be confirmed.", held_value},
	{"horizond_zone_kept", METRIC_GAUGE, "1 while the copy on disk has what is served.",
         kept_value},
	{"horizond_zone_calls_total", METRIC_COUNTER, "API calls spent on the zone.", calls_value},
	{"horizond_zone_failures_total", METRIC_COUNTER, "Looks at the zone that failed.",
         failures_value},
};

static void family_write(const struct family *family, const struct zones *zones, struct text *out)
{
	metric_family(out, family->name, family->kind, family->help);
	for (size_t i = 0; i < zones_count(zones); i++) {
		const struct zones_entry *entry = zones_get(zones, i);
		char name[DNS_NAME_TEXT_MAX] = "";
		double value = 0;
		if (entry->origin_known) {
			dns_name_text(entry->origin, name);
		}
		const char *labels[] = {"zone", name, "id", entry->id, NULL};
		if (family->value(entry, &value)) {
			metric_sample(out, family->name, labels, value);
		}
	}
}

/* Of each zone where its data came from. */
static void source_write(const struct zones *zones, struct text *out)
{
	metric_family(out, "horizond_zone_source", METRIC_GAUGE,
	              "1 for where the zone's data came from.");
	for (size_t i = 0; i < zones_count(zones); i++) {
		const struct zones_entry *entry = zones_get(zones, i);
		char name[DNS_NAME_TEXT_MAX] = "";
		if (entry->origin_known) {
			dns_name_text(entry->origin, name);
		}
		const char *labels[] = {"zone",    name,     "id",
		                        entry->id, "source", zone_source_text(entry->source),
		                        NULL};
		metric_sample(out, "horizond_zone_source", labels, 1);
	}
}

void sync_metrics(void *ctx, struct text *out)
{
	struct sync *sync = ctx;
	pthread_mutex_lock(&sync->lock);
	struct zones *zones = zones_ref(sync->latest);
	if (sync->aws != NULL) {
		aws_metrics_sum(sync->aws, sync_feed__aws(sync), out);
	}
	sync_feed__metrics(sync, out);
	pthread_mutex_unlock(&sync->lock);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		family_write(&families[i], zones, out);
	}
	source_write(zones, out);
	sync_health__metrics(zones, out);
	zones_unref(&zones);
}
