/*
 * Replays tests/replay/<topic>-<case>.scn against lib/query: a question in, what must be asked upstream, what
 * upstream says, time passes, the answer expected. No socket; the scenario owns the clock. The language is told in
 * tests/replay/README.md.
 */
#include "base/epoch.h"
#include "base/fail.h"
#include "dns/build.h"
#include "dns/rdata.h"
#include "query/query.h"
#include "zone/health.h"
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORDS_MAX 64
#define LINES_MAX 64
#define RULES_MAX 32

#define PUBLIC_ORIGIN 2

struct stage {
	const char *file;
	unsigned int line;
	/* Settings, taken together at the first question. */
	struct zone_builder *building;
	struct zones_entry zones[8];
	size_t zone_count;
	bool unassociated; /* the zone being built */
	char region[64];
	uint8_t fallback_name[4][DNS_NAME_MAX];
	const uint8_t *fallback[4];
	char ill_name[8][64];
	struct health_check ill[8];
	size_t ill_count;
	struct rule_opts rules[RULES_MAX];
	char rule_text[RULES_MAX][300];
	uint8_t rule_name[RULES_MAX][DNS_NAME_MAX];
	size_t rule_count;
	struct client_opts clients[16];
	size_t client_count;
	struct world_opts opts;
	/* What runs. */
	struct world_root *root;
	struct cache *cache;
	struct query_worker worker;
	uint64_t now_s;
	/* The question under way. */
	uint8_t packet[2048];
	size_t packet_size;
	struct addr client;
	enum query_proto proto;
	bool impatient;
	struct query_wait wait;
	bool waiting;
	bool behind; /* what is asked now, no client waits for */
	struct query_ask ask;
	enum query_next next;
	uint64_t from_before[QUERY_SOURCES]; /* the worker's counters when it came */
	uint8_t out[DNS_MSG_MAX];
	size_t size;
	/* `told` or `gets` being gathered. */
	char *head[WORDS_MAX];
	char head_line[1024];
	size_t head_count;
	char lines[LINES_MAX][1024];
	size_t line_count;
};

static void stage_fail(const struct stage *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void stage_fail(const struct stage *s, const char *format, ...)
{
	char text[8192];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fail_msg("%s:%u: %s", s->file, s->line, text);
}

static size_t split(char *line, char **words)
{
	size_t count = 0;
	for (char *word = strtok(line, " \t"); word != NULL && count < WORDS_MAX;
	     word = strtok(NULL, " \t")) {
		words[count++] = word;
	}
	return count;
}

static bool has(char **words, size_t count, const char *wanted)
{
	for (size_t i = 1; i < count; i++) {
		if (strcmp(words[i], wanted) == 0) {
			return true;
		}
	}
	return false;
}

static const char *after(char **words, size_t count, const char *wanted)
{
	for (size_t i = 1; i + 1 < count; i++) {
		if (strcmp(words[i], wanted) == 0) {
			return words[i + 1];
		}
	}
	return NULL;
}

static void wire(const struct stage *s, const char *text, uint8_t *name)
{
	if (dns_name_parse(text, name) < 0) {
		stage_fail(s, "no name: %s", text);
	}
}

static uint16_t type_of(const struct stage *s, const char *word)
{
	uint16_t type = 0;
	if (!dns_type_parse(word, &type)) {
		stage_fail(s, "no type: %s", word);
	}
	return type;
}

/* --- Settings --- */

static void zone_end(struct stage *s)
{
	if (s->building == NULL) {
		return;
	}
	char err[256];
	struct zones_entry *entry = &s->zones[s->zone_count];
	if (zone_builder_finish(s->building, &entry->zone, err, sizeof(err)) != 0) {
		stage_fail(s, "zone: %s", err);
	}
	entry->source = ZONE_SOURCE_API;
	entry->associated = !s->unassociated;
	entry->origin_known = true;
	entry->id = "Z0TEST";
	memcpy(entry->origin, zone_origin(entry->zone), dns_name_len(zone_origin(entry->zone)));
	s->zone_count++;
	zone_builder_free(&s->building);
}

static void zone_begin(struct stage *s, const char *name, bool unassociated)
{
	uint8_t origin[DNS_NAME_MAX];
	zone_end(s);
	s->unassociated = unassociated;
	wire(s, name, origin);
	struct zone_opts opts = {.id = "Z0TEST", .origin = origin};
	s->building = zone_builder_new(&opts);
	static const char *const soa[] = {
		"ns-1536.awsdns-00.co.uk. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"};
	struct zone_record_set set = {
		.name = name, .type = "SOA", .ttl_s = 900, .values = soa, .value_count = 1};
	zone_builder_add(s->building, &set);
}

static void set_policy(struct zone_record_set *set, char **words, size_t count)
{
	if (after(words, count, "weight") != NULL) {
		set->policy = ZONE_POLICY_WEIGHTED;
		set->weight = (uint32_t)atoi(after(words, count, "weight"));
	} else if (has(words, count, "multivalue")) {
		set->policy = ZONE_POLICY_MULTIVALUE;
	} else if (has(words, count, "failover")) {
		set->policy = ZONE_POLICY_FAILOVER;
		set->failover_secondary = has(words, count, "secondary");
	} else if (after(words, count, "latency") != NULL) {
		set->policy = ZONE_POLICY_LATENCY;
		set->region = after(words, count, "latency");
	} else if (after(words, count, "geo") != NULL) {
		set->policy = ZONE_POLICY_GEOLOCATION;
		set->region = after(words, count, "geo");
	} else if (after(words, count, "near") != NULL) {
		set->policy = ZONE_POLICY_GEOPROXIMITY;
		set->region = after(words, count, "near");
	}
}

/* set NAME TYPE TTL [OPTIONS] = VALUE | VALUE: tests/replay/README.md */
static void zone_set(struct stage *s, char *line)
{
	const char *values[16];
	size_t value_count = 0;
	char *words[WORDS_MAX];
	char *rest = strstr(line, " = ");
	if (rest == NULL) {
		stage_fail(s, "set NAME TYPE TTL [options] = VALUE | VALUE");
		return;
	}
	*rest = '\0';
	rest += 3;
	for (char *value = strtok(rest, "|"); value != NULL; value = strtok(NULL, "|")) {
		while (*value == ' ') {
			value++;
		}
		for (char *end = value + strlen(value); end > value && end[-1] == ' '; end--) {
			end[-1] = '\0';
		}
		values[value_count++] = value;
	}
	size_t count = split(line, words);
	struct zone_record_set set = {
		.name = words[1],
		.type = words[2],
		.ttl_s = (uint32_t)atoi(words[3]),
		.set_identifier = after(words, count, "id"),
		.health_check = has(words, count, "health") ? "0f0e" : after(words, count, "check"),
		.alias_evaluate_health = has(words, count, "evaluate"),
		.values = values,
		.value_count = value_count,
	};
	set_policy(&set, words, count);
	if (has(words, count, "alias")) {
		set.alias_name = values[0];
		set.alias_zone_id = has(words, count, "aws") ? "Z0AWS" : "Z0TEST";
		set.values = NULL;
		set.value_count = 0;
	}
	zone_builder_add(s->building, &set);
}

static void rule_add(struct stage *s, enum rule_kind kind, const char *domain)
{
	size_t i = s->rule_count++;
	wire(s, domain, s->rule_name[i]);
	snprintf(s->rule_text[i], sizeof(s->rule_text[i]), "%s %s", rule_kind_text(kind), domain);
	s->rules[i] = (struct rule_opts){
		.kind = kind,
		.domain = s->rule_name[i],
		.origin = kind == RULE_FORWARD || kind == RULE_DELEGATED ? (uint32_t)i + 100 : 1,
		.text = s->rule_text[i],
	};
}

static int local_add(void *ctx, const uint8_t *name)
{
	char text[DNS_NAME_TEXT_MAX];
	rule_add(ctx, RULE_LOCAL, dns_name_text(name, text));
	return 0;
}

static void stage_ready(struct stage *s)
{
	if (s->root != NULL) {
		return;
	}
	zone_end(s);
	rules_local(local_add, s);
	struct rule_opts rest = {
		.kind = RULE_DEFAULT, .domain = (const uint8_t *)"", .origin = 1, .text = "vpc"};
	struct world_conf *conf =
		world_conf_new(rules_new(s->rules, s->rule_count, &rest),
	                       clients_new(s->clients, s->client_count), &s->opts);
	struct cache_opts cache_opts = {.size_max = 1 << 20, .stale_s = 86400};
	s->root = world_root_new(conf);
	s->cache = cache_new(&cache_opts);
	struct zones *zones = zones_new(s->zones, s->zone_count);
	zones_set_health(zones, health_new(s->ill, s->ill_count));
	assert_int_equal(world_set_zones(s->root, zones), 0);
	assert_int_equal(query_worker_init(&s->worker, s->root, s->cache), 0);
}

/* --- The play --- */

static void run(struct stage *s)
{
	struct query_in in = {.wire = s->packet,
	                      .size = s->packet_size,
	                      .client = &s->client,
	                      .proto = s->proto,
	                      .now_s = s->now_s,
	                      .impatient = s->impatient};
	struct query_ahead ahead = {.wire = s->packet, .size = s->packet_size};
	epoch_read_begin();
	if (s->proto == QUERY_UDP && !s->waiting) { /* as it comes in a batch */
		query_read_ahead(&s->worker, &ahead, 1);
		in.ahead = &ahead;
	}
	s->next = query_run(&s->worker, &in, s->waiting ? &s->wait : NULL, s->out,
	                    s->proto == QUERY_UDP ? DNS_UDP_OURS : DNS_MSG_MAX, &s->size, &s->ask);
	epoch_read_end();
	if (s->next == QUERY_ASK && !s->waiting) {
		query_wait_init(&s->wait);
		query_wait_begin(&s->wait, &s->worker);
		s->waiting = true;
	}
}

static void settle(struct stage *s)
{
	if (s->waiting) {
		query_wait_fini(&s->wait);
		s->waiting = false;
	}
}

static void do_ask(struct stage *s, char **words, size_t count)
{
	stage_ready(s);
	settle(s);
	memcpy(s->from_before, s->worker.counters.from, sizeof(s->from_before));
	if (s->worker.refresh_count != 0) {
		stage_fail(s, "something is to be asked again");
	}
	const char *from = after(words, count, "from");
	assert_int_equal(addr_parse(from == NULL ? "10.0.0.5" : from, 4444, &s->client), 0);
	s->proto = has(words, count, "tcp") ? QUERY_TCP : QUERY_UDP;
	s->impatient = false;
	uint8_t name[DNS_NAME_MAX];
	wire(s, words[1], name);
	struct dns_build b;
	uint16_t flags = (uint16_t)((has(words, count, "norecurse") ? 0 : DNS_FLAG_RD) |
	                            (has(words, count, "cd") ? DNS_FLAG_CD : 0));
	dns_build_question(&b, s->packet, sizeof(s->packet), 4711, flags, name,
	                   type_of(s, words[2]));
	if (has(words, count, "chaos")) {
		put_u16(s->packet + b.question_end - 2, DNS_CLASS_CH);
	}
	const char *size = after(words, count, "size");
	struct dns_opt opt = {.udp_size = size == NULL ? 1232 : (uint16_t)atoi(size),
	                      .dnssec_ok = has(words, count, "do"),
	                      .ede = DNS_EDE_NONE,
	                      .keepalive = -1};
	s->packet_size = dns_build_end(&b, 0, 0, has(words, count, "noedns") ? NULL : &opt);
	run(s);
}

static void do_sends(struct stage *s, char **words)
{
	if (s->next != QUERY_ASK) {
		stage_fail(s, "nothing is asked upstream");
		return;
	}
	uint8_t name[DNS_NAME_MAX];
	uint32_t origin = strcmp(words[1], "public") == 0 ? PUBLIC_ORIGIN : 1;
	wire(s, words[2], name);
	for (size_t i = 0; strcmp(words[1], "vpc") != 0 && i < s->rule_count; i++) {
		uint8_t domain[DNS_NAME_MAX];
		wire(s, words[1], domain);
		if (dns_name_equal(domain, s->rule_name[i])) {
			origin = s->rules[i].origin;
		}
	}
	char text[DNS_NAME_TEXT_MAX];
	if (s->ask.origin != origin || !dns_name_equal(s->ask.name, name) ||
	    s->ask.qtype != type_of(s, words[3])) {
		stage_fail(s, "asked instead: origin %u, %s type %u", s->ask.origin,
		           dns_name_text(s->ask.name, text), s->ask.qtype);
	}
}

/* The one note that the run left, which is then told like any other. */
static void do_again(struct stage *s, char **words)
{
	struct query_ask more;
	settle(s);
	s->behind = query_refresh(&s->worker, &s->ask);
	if (!s->behind || query_refresh(&s->worker, &more)) {
		stage_fail(s, "%s", s->behind ? "more than this is asked again" : "nothing is");
	}
	s->next = QUERY_ASK;
	do_sends(s, words);
}

/* "answer OWNER TTL TYPE VALUE...": the record into a message. */
static void put_line(struct stage *s, struct dns_build *b, char *line)
{
	static const char *const sections[] = {"answer", "authority", "additional"};
	char *value = line;
	char *words[4];
	for (unsigned int i = 0; i < 4; i++) {
		words[i] = strsep(&value, " ");
	}
	uint8_t owner[DNS_NAME_MAX];
	uint8_t rdata[4096];
	char err[256];
	wire(s, words[1], owner);
	uint16_t type = type_of(s, words[3]);
	int len = dns_rdata_parse_route53(type, value, rdata, sizeof(rdata), err, sizeof(err));
	if (len < 0) {
		stage_fail(s, "%s: %s", value, err);
	}
	for (unsigned int i = 0; i < 3; i++) {
		if (strcmp(words[0], sections[i]) == 0) {
			assert_true(dns_build_rr(b, (enum dns_section)i, owner, type, DNS_CLASS_IN,
			                         (uint32_t)atoi(words[2]), rdata, (uint16_t)len));
		}
	}
}

static unsigned int rcode_of(const struct stage *s, const char *word)
{
	char text[16];
	for (unsigned int i = 0; i < 24; i++) {
		if (strcmp(dns_rcode_text(i, text), word) == 0) {
			return i;
		}
	}
	stage_fail(s, "no rcode: %s", word);
	return 0;
}

static void do_told(struct stage *s)
{
	struct query_told told = {.keep = !has(s->head, s->head_count, "unkept"),
	                          .text = "up silent"};
	uint8_t message[8192];
	struct dns_reply reply;
	if (strcmp(s->head[1], "silence") == 0) {
		told.why = FAIL_TIMEOUT;
	} else if (strcmp(s->head[1], "busy") == 0) {
		told.why = FAIL_BUSY;
	} else {
		struct dns_build b;
		dns_build_question(&b, message, sizeof(message), 1, DNS_FLAG_QR | DNS_FLAG_RA,
		                   s->ask.name, s->ask.qtype);
		for (size_t i = 0; i < s->line_count; i++) {
			put_line(s, &b, s->lines[i]);
		}
		size_t size = dns_build_end(&b, 0, rcode_of(s, s->head[1]), NULL);
		assert_int_equal(dns_reply_read(message, size, &reply), 0);
		told.reply = &reply;
	}
	struct query_ask ask = s->ask;
	epoch_read_begin();
	assert_int_equal(query_feed(&s->worker, s->behind ? NULL : &s->wait, &ask, &told, s->now_s),
	                 0);
	epoch_read_end();
	if (!s->behind) {
		run(s);
	}
	s->behind = false;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static size_t answer_lines(const struct dns_reply *reply, char (*lines)[1024])
{
	static const char *const sections[] = {"answer", "authority", "additional"};
	size_t count = 0;
	for (unsigned int i = 0; i < 3; i++) {
		struct dns_walk walk;
		struct dns_rr rr;
		dns_walk_begin(&walk, reply, (enum dns_section)i);
		while (dns_walk_next(&walk, &rr) && count < LINES_MAX) {
			uint8_t owner[DNS_NAME_MAX];
			char owner_text[DNS_NAME_TEXT_MAX];
			char type[16];
			char value[2048];
			dns_msg_name(reply->wire, reply->size, rr.owner, owner, NULL);
			uint8_t rdata[4096];
			int rdlen = dns_msg_rdata(reply, &rr, rdata, sizeof(rdata));
			assert_true(rdlen >= 0);
			dns_rdata_text(rr.type, rdata, (size_t)rdlen, value, sizeof(value));
			snprintf(lines[count++], 1024, "%s %s %u %s %s", sections[i],
			         dns_name_text(owner, owner_text), rr.ttl,
			         dns_type_text(rr.type, type), value);
		}
	}
	return count;
}

static void compare_lines(struct stage *s, const struct dns_reply *reply)
{
	static char got[LINES_MAX][1024];
	static char all[LINES_MAX * 1024];
	size_t count = answer_lines(reply, got);
	all[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		strcat(strcat(all, "\n  "), got[i]);
	}
	qsort(got, count, sizeof(got[0]), by_text);
	qsort(s->lines, s->line_count, sizeof(s->lines[0]), by_text);
	bool same = count == s->line_count;
	for (size_t i = 0; same && i < count; i++) {
		same = strcmp(got[i], s->lines[i]) == 0;
	}
	if (!same) {
		stage_fail(s, "the answer has instead:%s", all);
	}
}

static void do_gets(struct stage *s)
{
	if (strcmp(s->head[1], "silence") == 0) {
		assert_int_equal(s->next, QUERY_SILENT);
		return;
	}
	if (s->next != QUERY_ANSWER) {
		stage_fail(s, "no answer yet: upstream is asked");
		return;
	}
	struct dns_reply reply;
	if (dns_reply_read(s->out, s->size, &reply) != 0) {
		stage_fail(s, "the answer is malformed");
		return;
	}
	char rcode[16];
	bool aa = reply.flags & DNS_FLAG_AA;
	bool tc = reply.flags & DNS_FLAG_TC;
	if (reply.rcode != rcode_of(s, s->head[1]) || aa != has(s->head, s->head_count, "aa") ||
	    tc != has(s->head, s->head_count, "tc") || !(reply.flags & DNS_FLAG_RA)) {
		stage_fail(s, "got %s%s%s", dns_rcode_text(reply.rcode, rcode), aa ? " aa" : "",
		           tc ? " tc" : "");
	}
	if (!has(s->head, s->head_count, "any")) {
		compare_lines(s, &reply);
	}
	const char *from = after(s->head, s->head_count, "from");
	for (unsigned int i = 0; from != NULL && i < QUERY_SOURCES; i++) {
		uint64_t wanted = strcmp(from, query_source_text(i)) == 0;
		if (s->worker.counters.from[i] - s->from_before[i] != wanted) {
			stage_fail(s, "not counted as %s", from);
		}
	}
	settle(s);
}

/* Gathered lines belong to the command before them. */
static void flush(struct stage *s)
{
	if (s->head_count == 0) {
		return;
	}
	if (strcmp(s->head[0], "told") == 0) {
		do_told(s);
	} else {
		do_gets(s);
	}
	s->head_count = 0;
	s->line_count = 0;
}

static void do_limits(struct stage *s, char **words)
{
	s->opts.min_ttl_s = (uint32_t)atoi(words[1]);
	s->opts.max_ttl_s = (uint32_t)atoi(words[2]);
}

static void do_client(struct stage *s, char **words)
{
	struct client_opts *client = &s->clients[s->client_count++];
	assert_int_equal(prefix_parse(words[1], &client->from), 0);
	client->may = strcmp(words[2], "all") == 0     ? CLIENT_ALL
	              : strcmp(words[2], "zones") == 0 ? CLIENT_ZONES
	                                               : CLIENT_NOTHING;
}

static void do_ill(struct stage *s, const char *id)
{
	char *name = s->ill_name[s->ill_count];
	snprintf(name, sizeof(s->ill_name[0]), "%s", id);
	s->ill[s->ill_count++] = (struct health_check){.id = name, .healthy = false};
}

static void command(struct stage *s, char *line)
{
	char copy[1024];
	char *words[WORDS_MAX];
	snprintf(copy, sizeof(copy), "%s", line);
	size_t count = split(copy, words);
	const char *verb = words[0];
	if (strcmp(verb, "told") == 0 || strcmp(verb, "gets") == 0) {
		memcpy(s->head_line, line, strlen(line) + 1);
		s->head_count = split(s->head_line, s->head);
	} else if (strcmp(verb, "zone") == 0) {
		zone_begin(s, words[1], has(words, count, "unassociated"));
	} else if (strcmp(verb, "set") == 0) {
		zone_set(s, line);
	} else if (strcmp(verb, "forward") == 0) {
		rule_add(s, RULE_FORWARD, words[1]);
	} else if (strcmp(verb, "system") == 0) {
		rule_add(s, RULE_SYSTEM, words[1]);
	} else if (strcmp(verb, "autodefined") == 0) {
		rule_add(s, RULE_AUTODEFINED, words[1]);
	} else if (strcmp(verb, "delegated") == 0) {
		rule_add(s, RULE_DELEGATED, words[1]);
	} else if (strcmp(verb, "doubt") == 0) {
		zone_end(s);
		zone_doubt(s->zones[0].zone, strcmp(words[1], "on") == 0);
	} else if (strcmp(verb, "limits") == 0) {
		do_limits(s, words);
	} else if (strcmp(verb, "client") == 0) {
		do_client(s, words);
	} else if (strcmp(verb, "region") == 0) {
		snprintf(s->region, sizeof(s->region), "%s", words[1]);
		s->opts.region = s->region;
	} else if (strcmp(verb, "fallback") == 0) {
		size_t i = s->opts.fallback_count++;
		wire(s, words[1], s->fallback_name[i]);
		s->fallback[i] = s->fallback_name[i];
		s->opts.fallback = s->fallback;
		s->opts.fallback_origin = PUBLIC_ORIGIN;
	} else if (strcmp(verb, "ill") == 0) {
		do_ill(s, words[1]);
	} else if (strcmp(verb, "ask") == 0) {
		do_ask(s, words, count);
	} else if (strcmp(verb, "sends") == 0) {
		do_sends(s, words);
	} else if (strcmp(verb, "again") == 0) {
		do_again(s, words);
	} else if (strcmp(verb, "time") == 0) {
		s->now_s += (uint64_t)atoi(words[1]);
	} else if (strcmp(verb, "impatient") == 0) {
		s->impatient = true;
		run(s);
	} else {
		stage_fail(s, "no such command: %s", verb);
	}
}

static void stage_end(struct stage *s)
{
	flush(s);
	settle(s);
	query_worker_fini(&s->worker);
	world_root_free(&s->root);
	cache_free(&s->cache);
	for (size_t i = 0; i < s->zone_count; i++) {
		zone_unref(&s->zones[i].zone);
	}
}

static void replay(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));
	char line[1024];
	s->file = *state;
	s->now_s = 1000;
	s->opts = (struct world_opts){.version = "test",
	                              .server_id = "",
	                              .max_ttl_s = 86400,
	                              .max_negative_ttl_s = 60,
	                              .keepalive_s = 10};
	FILE *file = fopen(s->file, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		s->line++;
		size_t indent = strspn(line, " \t");
		if (line[indent] == '\0' || line[indent] == '#') {
			continue;
		}
		if (indent != 0 && s->head_count != 0) {
			snprintf(s->lines[s->line_count++], sizeof(s->lines[0]), "%s",
			         line + indent);
			continue;
		}
		flush(s);
		command(s, line + indent);
	}
	fclose(file);
	stage_end(s);
	free(s);
}

static int is_scenario(const struct dirent *entry)
{
	const char *end = strrchr(entry->d_name, '.');
	return end != NULL && strcmp(end, ".scn") == 0;
}

int main(void)
{
	static const char folder[] = TEST_DIR "/../../replay";
	struct dirent **entries;
	epoch_thread_start();
	int count = scandir(folder, &entries, is_scenario, alphasort);
	if (count <= 0) {
		fprintf(stderr, "no scenarios in %s\n", folder);
		return 1;
	}
	struct CMUnitTest *tests = calloc((size_t)count, sizeof(*tests));
	for (int i = 0; i < count; i++) {
		char *path = malloc(sizeof(folder) + strlen(entries[i]->d_name) + 2);
		sprintf(path, "%s/%s", folder, entries[i]->d_name);
		tests[i] = (struct CMUnitTest){
			.name = strrchr(path, '/') + 1, .test_func = replay, .initial_state = path};
		free(entries[i]);
	}
	free(entries);
	int failed = _cmocka_run_group_tests("replay", tests, (size_t)count, NULL, NULL);
	for (int i = 0; i < count; i++) {
		free(tests[i].initial_state);
	}
	free(tests);
	epoch_drain();
	epoch_thread_stop();
	return failed;
}
