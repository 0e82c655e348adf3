/*
 * A Route 53 of a few zones for the tests of the side thread, on a server of one thread, and a listener that
 * keeps what was published.
 */
#pragma once

#include "../aws/fixtures.h"
#include "../aws/tiny_http.h"
#include "base/fail.h"
#include "sync/sync.h"
#include <time.h>

#define API_ZONES 8

#define SOA(zone)               \
	SET(zone, "SOA", "900", \
	    "ns-0.awsdns-00.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400")

#define SUMMARY(id, name, owner)                                                                   \
	"<HostedZoneSummary><HostedZoneId>" id "</HostedZoneId><Name>" name "</Name><Owner>" owner \
	"</Owner></HostedZoneSummary>"
#define OURS   "<OwningAccount>111122223333</OwningAccount>"
#define THEIRS "<OwningService>efs.amazonaws.com</OwningService>"
#define SUMMARIES(list)                                                                \
	"<ListHostedZonesByVPCResponse xmlns=\"" SPACE "\"><HostedZoneSummaries>" list \
	"</HostedZoneSummaries><MaxItems>100</MaxItems></ListHostedZonesByVPCResponse>"

struct api_zone {
	const char *id;
	unsigned int status; /* 0: 200 */
	const char *body;
	bool hang;
	unsigned int delay_ms;
	unsigned int calls;
};

struct api;
/* Answers a listing in place of the zones below. Under lock. */
typedef void api_list_fn(struct api *api, const char *id, const char *target,
                         struct tiny_reply *reply);

struct api {
	struct tiny server;
	api_list_fn *list;
	pthread_mutex_t lock;
	struct api_zone zones[API_ZONES];
	const char *vpc_body; /* NULL: access denied */
	unsigned int vpc_calls;
	const char *health_body; /* of every check; NULL: access denied */
	unsigned int health_calls;
	char vpc_target[256]; /* of the last one */
};

static void api_refuse(struct tiny_reply *reply)
{
	tiny_text(reply, 403, ERROR_BODY("AccessDenied", "not authorized"));
}

static void api_list(struct api *api, const char *id, struct tiny_reply *reply)
{
	for (size_t i = 0; i < API_ZONES; i++) {
		struct api_zone *zone = &api->zones[i];
		if (zone->id != NULL && strcmp(zone->id, id) == 0) {
			zone->calls++;
			reply->hang = zone->hang;
			reply->delay_ms = zone->delay_ms;
			tiny_text(reply, zone->status, zone->body);
			return;
		}
	}
	tiny_text(reply, 404, ERROR_BODY("NoSuchHostedZone", "No hosted zone found"));
}

#define META "/latest/meta-data/"
#define NET  META "network/interfaces/macs/0e:49:61:0f:c3:11/"

/* Instance metadata. */
static bool api_metadata(const char *target, struct tiny_reply *reply)
{
	static const struct {
		const char *path;
		const char *text;
	} items[] = {
		{"/latest/api/token", "TOKEN"},
		{META "instance-id", "i-0123"},
		{META "placement/region", "eu-west-1"},
		{META "mac", "0e:49:61:0f:c3:11"},
		{NET "vpc-id", "vpc-auto"},
		{NET "vpc-ipv4-cidr-blocks", "10.0.0.0/16"},
	};
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		if (strcmp(items[i].path, target) == 0) {
			tiny_text(reply, 200, items[i].text);
			return true;
		}
	}
	if (strncmp(target, "/latest/", 8) == 0) {
		tiny_text(reply, 404, "");
		return true;
	}
	return false;
}

static void api_answer(void *ctx, const struct tiny_request *request, struct tiny_reply *reply)
{
	struct api *api = ctx;
	char id[64];
	if (api_metadata(request->target, reply)) {
		return;
	}
	pthread_mutex_lock(&api->lock);
	if (sscanf(request->target, "/2013-04-01/hostedzone/%63[^/]/rrset", id) == 1) {
		if (api->list != NULL) {
			api->list(api, id, request->target, reply);
		} else {
			api_list(api, id, reply);
		}
	} else if (strncmp(request->target, "/2013-04-01/healthcheck/", 24) == 0 ||
	           strncmp(request->target, "/?Action=", 9) == 0) {
		api->health_calls++;
		if (api->health_body == NULL) {
			api_refuse(reply);
		} else {
			tiny_text(reply, 200, api->health_body);
		}
	} else if (api->vpc_body == NULL) {
		api->vpc_calls++;
		api_refuse(reply);
	} else {
		api->vpc_calls++;
		snprintf(api->vpc_target, sizeof(api->vpc_target), "%s", request->target);
		tiny_text(reply, 200, api->vpc_body);
	}
	pthread_mutex_unlock(&api->lock);
}

/* The nth zone answers so from now on. */
__attribute__((unused)) static void api_set(struct api *api, size_t n, const char *id,
                                            unsigned int status, const char *body)
{
	pthread_mutex_lock(&api->lock);
	api->zones[n].id = id;
	api->zones[n].status = status;
	api->zones[n].body = body;
	api->zones[n].hang = false;
	api->zones[n].delay_ms = 0;
	pthread_mutex_unlock(&api->lock);
}

__attribute__((unused)) static void api_hang(struct api *api, size_t n)
{
	pthread_mutex_lock(&api->lock);
	api->zones[n].hang = true;
	pthread_mutex_unlock(&api->lock);
}

__attribute__((unused)) static void api_delay(struct api *api, size_t n, unsigned int delay_ms)
{
	pthread_mutex_lock(&api->lock);
	api->zones[n].delay_ms = delay_ms;
	pthread_mutex_unlock(&api->lock);
}

__attribute__((unused)) static void api_vpc(struct api *api, const char *body)
{
	pthread_mutex_lock(&api->lock);
	api->vpc_body = body;
	pthread_mutex_unlock(&api->lock);
}

__attribute__((unused)) static unsigned int api_calls(struct api *api, size_t n)
{
	pthread_mutex_lock(&api->lock);
	unsigned int calls = api->zones[n].calls;
	pthread_mutex_unlock(&api->lock);
	return calls;
}

__attribute__((unused)) static unsigned int api_vpc_calls(struct api *api)
{
	pthread_mutex_lock(&api->lock);
	unsigned int calls = api->vpc_calls;
	pthread_mutex_unlock(&api->lock);
	return calls;
}

static void api_start(struct api *api)
{
	memset(api, 0, sizeof(*api));
	pthread_mutex_init(&api->lock, NULL);
	tiny_start(&api->server, api_answer, api);
	tiny_export(&api->server, "AWS_ENDPOINT_URL_ROUTE_53");
	tiny_export(&api->server, "AWS_ENDPOINT_URL_CLOUDWATCH");
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	tiny_export(&api->server, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
	setenv("AWS_REGION", "eu-west-1", 1);
	setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
}

static void api_stop(struct api *api)
{
	tiny_stop(&api->server);
	pthread_mutex_destroy(&api->lock);
}

/* --- The listener --- */

struct listener {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct zones *zones;
	unsigned int published;
};

static void listener_publish(void *ctx, struct zones *zones)
{
	struct listener *listener = ctx;
	pthread_mutex_lock(&listener->lock);
	zones_unref(&listener->zones);
	listener->zones = zones;
	listener->published++;
	pthread_cond_broadcast(&listener->changed);
	pthread_mutex_unlock(&listener->lock);
}

static void listener_init(struct listener *listener)
{
	memset(listener, 0, sizeof(*listener));
	pthread_mutex_init(&listener->lock, NULL);
	pthread_cond_init(&listener->changed, NULL);
}

static void listener_fini(struct listener *listener)
{
	zones_unref(&listener->zones);
	pthread_cond_destroy(&listener->changed);
	pthread_mutex_destroy(&listener->lock);
}

/* The entry of this id or file origin (text), or NULL. Under lock. */
static const struct zones_entry *entry_find(const struct zones *zones, const char *what)
{
	char name[DNS_NAME_TEXT_MAX];
	for (size_t i = 0; i < zones_count(zones); i++) {
		const struct zones_entry *entry = zones_get(zones, i);
		if (strcmp(entry->id, what) == 0 ||
		    (entry->origin_known &&
		     strcmp(dns_name_text(entry->origin, name), what) == 0)) {
			return entry;
		}
	}
	return NULL;
}

typedef bool condition_fn(const struct zones_entry *entry);

/* Waits until what was published holds an entry (or none: NULL) that the condition likes. */
static bool listener_wait(struct listener *listener, const char *what, condition_fn *condition)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	pthread_mutex_lock(&listener->lock);
	int ret = 0;
	while (ret == 0 && !condition(entry_find(listener->zones, what))) {
		ret = pthread_cond_timedwait(&listener->changed, &listener->lock, &until);
	}
	pthread_mutex_unlock(&listener->lock);
	return ret == 0;
}
