#include "aws/queue.h"
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* Where each kind of call names its zone. */
static const struct {
	const char *name;
	enum aws_event_kind kind;
	const char *part, *member;
} calls[] = {
	{"ChangeResourceRecordSets", AWS_EVENT_SETS, "requestParameters", "hostedZoneId"},
	{"DeleteHostedZone", AWS_EVENT_ZONES, "requestParameters", "id"},
	{"AssociateVPCWithHostedZone", AWS_EVENT_ZONES, "requestParameters", "hostedZoneId"},
	{"DisassociateVPCFromHostedZone", AWS_EVENT_ZONES, "requestParameters", "hostedZoneId"},
	{"CreateHostedZone", AWS_EVENT_ZONES, NULL, NULL},
};

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text == NULL ? "" : text;
}

/* "/hostedzone/Z0ABC" and "Z0ABC"; what can be none is left out. */
static void zone_set(const char *text, struct aws_event *event)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	const char *slash = strrchr(text, '/');
	const char *id = slash == NULL ? text : slash + 1;
	size_t len = strlen(id);
	if (len > 0 && len < sizeof(event->zone_id) && strspn(id, allowed) == len) {
		memcpy(event->zone_id, id, len + 1);
	}
}

static void record_read(const json_t *record, struct aws_event *event)
{
	const char *name = text_of(record, "eventName");
	/* The suffix differs between partitions. A call that was refused has changed nothing. */
	if (strncmp(text_of(record, "eventSource"), "route53.", 8) != 0 ||
	    json_object_get(record, "errorCode") != NULL) {
		return;
	}
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(name, calls[i].name) != 0) {
			continue;
		}
		event->kind = calls[i].kind;
		if (calls[i].part != NULL) {
			zone_set(text_of(json_object_get(record, calls[i].part), calls[i].member),
			         event);
		}
	}
	if (event->kind == AWS_EVENT_SETS && event->zone_id[0] == '\0') {
		event->kind = AWS_EVENT_NONE;
	}
}

static json_t *object_load(const char *text, size_t size)
{
	json_t *object = size > AWS_EVENT_MAX ? NULL : json_loadb(text, size, 0, NULL);
	if (!json_is_object(object)) {
		json_decref(object);
		return NULL;
	}
	return object;
}

void aws_event_read(const char *body, size_t size, struct aws_event *ret_event)
{
	*ret_event = (struct aws_event){.kind = AWS_EVENT_NONE};
	json_t *envelope = object_load(body, size);
	if (strcmp(text_of(envelope, "Type"), "Notification") == 0) {
		const char *inside = text_of(envelope, "Message"); /* a topic fans it out */
		json_t *message = object_load(inside, strlen(inside));
		json_decref(envelope);
		envelope = message;
	}
	const json_t *record = json_object_get(envelope, "detail");
	if (json_is_object(record)) {
		record_read(record, ret_event);
	}
	json_decref(envelope);
}
