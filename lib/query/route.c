/* query/route.c - step 2: where the present name belongs. */
#include "query/query_int.h"

#include <stdio.h>

static const uint8_t root_name[1] = {0};

static void route_trace(struct query_run *run)
{
	struct query_trace *trace = run->in->trace;
	if (trace == NULL) {
		return;
	}
	char name[DNS_NAME_TEXT_MAX];
	char zone[DNS_NAME_TEXT_MAX];
	dns_name_text(run->name, name);
	if (run->place.zone != NULL) {
		dns_name_text(zone_origin(run->place.zone->zone), zone);
		text_addf(&trace->steps, "%s: private zone %s (%s, from %s)\n", name, zone,
		          run->place.zone->id[0] != '\0' ? run->place.zone->id : "no id",
		          zone_source_text(run->place.zone->source));
		if (run->links == 0) {
			snprintf(trace->zone, sizeof(trace->zone), "%s", zone);
		}
	} else {
		text_addf(&trace->steps, "%s: rule %s\n", name, run->place.rule->text);
	}
	/* What else would have matched, and lost. */
	for (unsigned int label = 0; label <= run->key->labels; label++) {
		const struct rule *rule = rules_at(run->world->rules, run->key, label);
		const struct zones_entry *other = zones_at(run->world->zones, run->key, label);
		if (rule != NULL && rule != run->place.rule) {
			text_addf(&trace->steps, "  lost: rule %s\n", rule->text);
		}
		if (other != NULL && other != run->place.zone) {
			text_addf(&trace->steps, "  lost: private zone %s\n",
			          dns_name_text(zone_origin(other->zone), zone));
		}
	}
	if (run->links == 0 && run->place.rule != NULL) {
		snprintf(trace->rule, sizeof(trace->rule), "%s", run->place.rule->text);
	}
}

enum step_says query_route(struct query_run *run)
{
	if (run->in->ahead != NULL && run->key == &run->q->key) {
		run->place = run->in->ahead->place;
	} else {
		world_route(run->world, run->key, &run->place);
	}
	route_trace(run);
	if (run->place.zone != NULL) {
		run->aa = run->aa || run->links == 0;
		return STEP_NEXT;
	}

	const struct rule *rule = run->place.rule;
	/* A delegated name lies in its private zone, though others hold its data. */
	bool delegated = rule->kind == RULE_DELEGATED;
	run->aa = run->aa || (delegated && run->links == 0);
	if (run->client->may == CLIENT_ZONES && run->links == 0 && !delegated) {
		return query__refuse(run, DNS_RCODE_REFUSED, DNS_EDE_PROHIBITED,
		                     "this client may ask for private zones only");
	}
	if (rule->kind == RULE_LOCAL) {
		return query_local_name(run);
	}
	if (!(run->q->flags & DNS_FLAG_RD)) {
		if (run->links != 0) {
			return STEP_DONE; /* the chain as far as we hold it */
		}
		return query__refuse(run, DNS_RCODE_REFUSED, DNS_EDE_NOT_AUTHORITATIVE,
		                     "not ours, and recursion was not desired");
	}
	if (run->q->qtype == DNS_TYPE_ANY) {
		return query_local_any(run);
	}
	run->origin = rule->origin;
	run->bailiwick = rule->kind == RULE_FORWARD || delegated ? rule->domain : root_name;
	return STEP_NEXT;
}
