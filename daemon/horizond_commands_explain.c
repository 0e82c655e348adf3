/* daemon/horizond_commands_explain.c - why this answer? One question run by a worker as if a client had sent it. */
#include "horizond_commands_int.h"

#include "base/fail.h"
#include "base/log.h"
#include "dns/build.h"
#include "dns/rdata.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPLAINS_MAX 32    /* under way at once */
#define RDATA_SHOWN  65536 /* octets of one record's text; the rest is cut off */

/* 200 KiB, so never on a stack. */
struct explain {
	struct mail mail; /* the way back from the worker */
	struct mailbox *box;
	struct control_call *call;
	char name[DNS_NAME_TEXT_MAX];
	char type[16];
	struct server_explain run;
	uint8_t rdata[DNS_RDATA_MAX];
	char shown[RDATA_SHOWN];
};

/* The control thread's. Bounds the memory, and keeps the way back free. */
static unsigned int explains;

static void explain_free(struct explain *explain)
{
	explains--;
	text_fini(&explain->run.trace.steps);
	free(explain);
}

/* --- The answer, made readable --- */

static void put_section(json_t *answer, const char *key, struct explain *explain,
                        const struct dns_reply *reply, enum dns_section section)
{
	json_t *list = json_array();
	struct dns_walk walk;
	struct dns_rr rr;
	dns_walk_begin(&walk, reply, section);
	while (dns_walk_next(&walk, &rr)) {
		uint8_t owner[DNS_NAME_MAX];
		char name[DNS_NAME_TEXT_MAX];
		char type[16];
		struct text line;
		int rdlen = dns_msg_rdata(reply, &rr, explain->rdata, sizeof(explain->rdata));
		if (rdlen < 0 ||
		    dns_msg_name(reply->wire, reply->size, rr.owner, owner, NULL) < 0) {
			continue;
		}
		text_init(&line, 0);
		text_addf(&line, "%s %u %s %s %s", dns_name_text(owner, name), rr.ttl,
		          rr.class == DNS_CLASS_CH ? "CH" : "IN", dns_type_text(rr.type, type),
		          dns_rdata_text(rr.type, explain->rdata, (size_t)rdlen, explain->shown,
		                         sizeof(explain->shown)));
		json_array_append_new(list, control_text(text_get(&line)));
		text_fini(&line);
	}
	json_object_set_new(answer, key, list);
}

/* The extended error (RFC 8914) among the options of an OPT. */
static json_t *options_error(const uint8_t *options, size_t size)
{
	struct reader r = reader_of(options, size);
	while (reader_left(&r) != 0) {
		uint16_t code = reader_u16(&r);
		uint16_t len = reader_u16(&r);
		const uint8_t *data = reader_take(&r, len);
		if (data == NULL || code != DNS_OPTION_EDE || len < 2) {
			continue;
		}
		char text[256];
		snprintf(text, sizeof(text), "%.*s", (int)len - 2, (const char *)data + 2);
		json_t *error = json_pack("{s:i}", "code", (int)get_u16(data));
		put_text(error, "text", text);
		return error;
	}
	return json_null();
}

/* Null: there is none. The walk passes OPT over, so its records are gone through here. */
static json_t *extended_error(const struct dns_reply *reply)
{
	size_t at = reply->start[DNS_SECTION_ADDITIONAL];
	unsigned int left = get_u16(reply->wire + 10);
	for (; left > 0; left--) {
		uint8_t owner[DNS_NAME_MAX];
		size_t next;
		if (dns_msg_name(reply->wire, reply->size, at, owner, &next) < 0 ||
		    next + 10 > reply->size) {
			break;
		}
		const uint8_t *fixed = reply->wire + next; /* type, class, TTL, length */
		size_t rdlen = get_u16(fixed + 8);
		at = next + 10 + rdlen;
		if (at > reply->size) {
			break;
		}
		if (get_u16(fixed) == DNS_TYPE_OPT) {
			return options_error(fixed + 10, rdlen);
		}
	}
	return json_null();
}

static void put_flags(json_t *answer, uint16_t flags)
{
	static const struct {
		uint16_t flag;
		const char *name;
	} names[] = {
		{DNS_FLAG_AA, "aa"}, {DNS_FLAG_TC, "tc"}, {DNS_FLAG_RD, "rd"},
		{DNS_FLAG_RA, "ra"}, {DNS_FLAG_AD, "ad"},
	};
	json_t *list = json_array();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (flags & names[i].flag) {
			json_array_append_new(list, json_string(names[i].name));
		}
	}
	json_object_set_new(answer, "flags", list);
}

static json_t *explain_object(struct explain *explain, const struct dns_reply *reply)
{
	const struct query_trace *trace = &explain->run.trace;
	char from[ADDR_TEXT_MAX];
	char rcode[16];
	json_t *answer = json_object();
	put_text(answer, "name", explain->name);
	put_text(answer, "type", explain->type);
	put_text(answer, "from", addr_text_host(&explain->run.from, from));
	put_text(answer, "client", trace->client);
	put_text(answer, "rule", trace->rule);
	put_text(answer, "zone", trace->zone);
	put_text(answer, "class", trace->class);
	put_text(answer, "source", query_source_text(trace->source));
	put_text(answer, "rcode", dns_rcode_text(trace->rcode, rcode));
	put_flags(answer, reply->flags);
	put_section(answer, "answer", explain, reply, DNS_SECTION_ANSWER);
	put_section(answer, "authority", explain, reply, DNS_SECTION_AUTHORITY);
	put_section(answer, "additional", explain, reply, DNS_SECTION_ADDITIONAL);
	json_object_set_new(answer, "extended_error", extended_error(reply));
	json_object_set_new(answer, "steps", lines_list(text_get(&trace->steps)));
	return answer;
}

/* --- There and back --- */

/* On the control thread again. */
static void explain_arrives(struct mail *mail, void *ctx)
{
	struct explain *explain = (struct explain *)(void *)mail;
	struct dns_reply reply;
	if (explain->run.answer_size == 0) {
		control_refuse(explain->call, "%s %s: the question was dropped without an answer",
		               explain->name, explain->type);
	} else if (dns_reply_read(explain->run.answer, explain->run.answer_size, &reply) != 0) {
		control_refuse(explain->call, "%s %s: the answer cannot be read", explain->name,
		               explain->type);
	} else {
		control_answer(explain->call, explain_object(explain, &reply));
	}
	explain_free(explain);
}

/* On a worker's thread. */
static void explain_done(struct server_explain *run)
{
	struct explain *explain = run->ctx;
	if (mailbox_post(explain->box, &explain->mail) != 0) {
		/* The box has far more room than EXPLAINS_MAX: the control thread stands still. */
		log_error("horizond",
		          "an explanation found no way back: the control thread is stuck");
	}
}

/* NAME [TYPE] [from ADDRESS]. False: the call is answered. */
static bool explain_read(struct control_call *call, const char *const *words, size_t count,
                         uint8_t *name, uint16_t *type, struct addr *from)
{
	const char *from_text = "127.0.0.1";
	*type = DNS_TYPE_A;
	if (dns_name_parse(words[1], name) < 0) {
		control_refuse(call, "`%s` is no name", words[1]);
		return false;
	}
	size_t at = 2;
	if (at < count && strcmp(words[at], "from") != 0) {
		if (!dns_type_parse(words[at], type)) {
			control_refuse(call, "`%s` is no record type", words[at]);
			return false;
		}
		at++;
	}
	if (at + 2 == count && strcmp(words[at], "from") == 0) {
		from_text = words[at + 1];
	} else if (at != count) {
		control_refuse(call,
		               "explain NAME [TYPE] [from ADDRESS]: `%s` does not belong there",
		               words[at]);
		return false;
	}
	if (addr_parse(from_text, 0, from) != 0) {
		control_refuse(call, "`%s` is no address", from_text);
		return false;
	}
	return true;
}

/* As a client of today asks: with EDNS, so that the answer says what it thinks of itself. */
static void explain_packet(struct server_explain *run, const uint8_t *name, uint16_t type)
{
	const struct dns_opt opt = {.udp_size = DNS_UDP_OURS, .ede = DNS_EDE_NONE, .keepalive = -1};
	struct dns_build build;
	dns_build_question(&build, run->packet, sizeof(run->packet), 0, DNS_FLAG_RD, name, type);
	dns_build_reserve(&build, dns_opt_size(&opt));
	run->packet_size = dns_build_end(&build, 0, 0, &opt);
}

void command_explain(void *ctx, struct control_call *call, const char *const *words, size_t count)
{
	struct horizond *h = ctx;
	uint8_t name[DNS_NAME_MAX];
	uint16_t type;
	struct addr from;
	if (!explain_read(call, words, count, name, &type, &from)) {
		return;
	}
	struct explain *explain = explains < EXPLAINS_MAX ? calloc(1, sizeof(*explain)) : NULL;
	if (explain == NULL) {
		control_refuse(call, "too many explanations are under way; ask again");
		return;
	}
	explains++;
	explain->mail.fn = explain_arrives;
	explain->box = h->box;
	explain->call = call;
	dns_name_text(name, explain->name);
	char word[16];
	snprintf(explain->type, sizeof(explain->type), "%s", dns_type_text(type, word));
	explain->run.from = from;
	explain->run.done = explain_done;
	explain->run.ctx = explain;
	explain_packet(&explain->run, name, type);
	int ret = server_explain(h->server, &explain->run);
	if (ret != 0) {
		control_refuse(call, "the workers take no question: %s", fail_text(ret));
		explain_free(explain);
	}
}
