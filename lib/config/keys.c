#include "config/load_int.h"
#include "dns/name.h"
#include "tls/tls.h"
#include <assert.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#define AT(type, member) .offset = offsetof(struct type, member)
#define KEYS(table)      .keys = (table), .count = sizeof(table) / sizeof((table)[0])

#define LIKE_ADDR   "an address such as \"10.0.0.2\" or \"[fd00::2]:53\""
#define LIKE_SOURCE "an address of this machine without a port, or \"\","
#define LIKE_PREFIX "a CIDR such as \"10.0.0.0/16\""
#define LIKE_ZONE   "a zone id such as \"Z0123456789ABCDEFGHIJ\""
#define LIKE_URL    "a URL such as \"https://host.example/path\", or \"\","

#define DAY 86400.0
#define MIB 1048576.0

/* In the order of their enums. */
static const char *const types[] = {"FORWARD", "SYSTEM", NULL};
static const char *const policies[] = {"fastest", "ordered", "spread", NULL};
static const char *const mays[] = {"nothing", "zones", "all", NULL};
static const char *const levels[] = {"error", "warn", "notice", "info", "debug", NULL};

const char *settings_type_text(enum settings_type type)
{
	return types[type];
}

const char *settings_policy_text(enum settings_policy policy)
{
	return policies[policy];
}

const char *settings_may_text(enum settings_may may)
{
	return mays[may];
}

bool keys__only(const char *text, const char *bytes, size_t least, size_t most)
{
	size_t len = strlen(text);
	return len >= least && len <= most && strspn(text, bytes) == len;
}

#define DIGITS "0123456789"
#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

bool keys__is_zone_id(const char *text)
{
	return keys__only(text, UPPER DIGITS, 1, 32);
}

static bool is_vpc(const char *text)
{
	return text[0] == '\0' || strcmp(text, "auto") == 0 ||
	       (strncmp(text, "vpc-", 4) == 0 && keys__only(text + 4, LOWER DIGITS, 1, 32));
}

static bool is_region(const char *text)
{
	return keys__only(text, LOWER DIGITS "-", 2, 32);
}

static bool is_url(const char *text)
{
	if (text[0] == '\0') {
		return true;
	}
	const char *host = strncmp(text, "https://", 8) == 0  ? text + 8
	                   : strncmp(text, "http://", 7) == 0 ? text + 7
	                                                      : "";
	size_t len = strlen(text);
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] <= 0x20 || (unsigned char)text[i] >= 0x7f) {
			return false;
		}
	}
	return strchr("/:?#", host[0]) == NULL && len < 2048;
}

/* A key of up to 128 characters and a value of up to 256; "=" only between them. */
static bool is_tag(const char *text)
{
	size_t key = strcspn(text, "=");
	const char *value = text[key] == '=' ? text + key + 1 : "";
	return key > 0 && key <= 128 && strlen(value) <= 256 && strchr(value, '=') == NULL;
}

static bool is_account(const char *text)
{
	return keys__only(text, DIGITS, 12, 12);
}

/* arn:PARTITION:iam::ACCOUNT:role/NAME */
static bool is_role_arn(const char *text)
{
	char account[13];
	char partition[32];
	int end = 0;
	if (sscanf(text, "arn:%31[a-z-]:iam::%12[0-9]:role/%n", partition, account, &end) != 2 ||
	    end == 0) {
		return false;
	}
	return is_account(account) && keys__only(text + end, LOWER UPPER DIGITS "+=,.@_/-", 1, 512);
}

static bool is_external_id(const char *text)
{
	return text[0] == '\0' || keys__only(text, LOWER UPPER DIGITS "+=,.@:/-_", 2, 1224);
}

static bool is_label(const char *text)
{
	return strlen(text) <= 255;
}

static bool is_user(const char *text)
{
	return text[0] == '\0' || getpwnam(text) != NULL;
}

bool keys__is_socket(const char *text)
{
	return strlen(text) < sizeof(((struct sockaddr_un *)NULL)->sun_path);
}

static bool is_cookie_secret(const char *text)
{
	return keys__only(text, DIGITS "abcdefABCDEF", 32, 32);
}

/* Whom to speak TLS with. */
static bool is_tls(const char *text)
{
	return text[0] == '\0' || tls_peer_valid(text);
}

static bool is_host(const char *text)
{
	uint8_t name[DNS_NAME_MAX];
	return keys__only(text, LOWER UPPER DIGITS "-.", 1, 253) && dns_name_parse(text, name) > 0;
}

static const struct key role_keys[] = {
	{"role_arn", KEY_TEXT, AT(settings_role, role_arn), .required = true, .check = is_role_arn,
         .like = "a role such as \"arn:aws:iam::111122223333:role/NAME\""},
	{"external_id", KEY_TEXT, AT(settings_role, external_id), .check = is_external_id,
         .like = "text of 2 to 1224 letters, digits and +=,.@:/-_"},
	{"accounts", KEY_TEXTS, AT(settings_role, accounts), .max = 1000, .check = is_account,
         .like = "an account of 12 digits such as \"111122223333\""},
	{"zones", KEY_TEXTS, AT(settings_role, zones), .max = 10000, .check = keys__is_zone_id,
         .strip = "/hostedzone/", .like = LIKE_ZONE},
};
static const struct settings_role role_defaults = {.role_arn = "", .external_id = ""};
static const struct key_group role_group = {
	.noun = "a role", KEYS(role_keys), &role_defaults, sizeof(role_defaults)};

static const struct key guard_keys[] = {
	{"max_loss", KEY_COUNT, AT(settings_route53, guard_max_loss), .max = 100},
	{"min_sets", KEY_COUNT, AT(settings_route53, guard_min_sets), .max = 1e6},
};
static const struct key_group guard_group = {.noun = "guard", KEYS(guard_keys)};

static const struct key route53_keys[] = {
	{"vpc", KEY_TEXT, AT(settings_route53, vpc), .check = is_vpc,
         .like = "\"auto\", a VPC id such as \"vpc-0123456789abcdef0\", or \"\","},
	{"region", KEY_TEXT, AT(settings_route53, region), .check = is_region,
         .like = "\"auto\" or a region such as \"eu-central-1\""},
	{"zones", KEY_TEXTS, AT(settings_route53, zones), .max = 10000, .check = keys__is_zone_id,
         .strip = "/hostedzone/", .like = LIKE_ZONE},
	{"tags", KEY_TEXTS, AT(settings_route53, tags), .max = 50, .check = is_tag,
         .like = "a tag such as \"dns=horizond\", or \"dns\" for any value"},
	{"interval", KEY_COUNT, AT(settings_route53, interval_s), .min = 1, .max = DAY},
	{"min_interval", KEY_COUNT, AT(settings_route53, min_interval_s), .min = 1, .max = DAY},
	{"rate", KEY_REAL, AT(settings_route53, rate), .min = 0.01, .max = 1000},
	{"endpoint", KEY_TEXT, AT(settings_route53, endpoint), .check = is_url, .like = LIKE_URL},
	{"queue", KEY_TEXT, AT(settings_route53, queue), .check = is_url, .like = LIKE_URL},
	{"public_fallback", KEY_NAMES, AT(settings_route53, public_fallback), .max = 10000,
         .like = "the name of a private zone such as \"corp.example.com\""},
	{"public_resolver", KEY_ADDRS, AT(settings_route53, public_resolver), .port = 53,
         .max = SETTINGS_TARGETS_MAX, .like = LIKE_ADDR},
	{"roles", KEY_LIST, AT(settings_route53, roles), .max = 1000, .group = &role_group},
	{"guard", KEY_GROUP, .group = &guard_group},
};
static const struct key_group route53_group = {
	.noun = "route53", KEYS(route53_keys), .finish = finish__route53};

static const struct key rule_keys[] = {
	{"type", KEY_WORD, AT(settings_rule, type), .required = true, .words = types},
	{"domains", KEY_DOMAINS, AT(settings_rule, domains), .required = true, .shared = true,
         .min = 1, .max = 1e5,
         .like = "a name such as \"corp.example.com\" or a CIDR such as \"10.0.0.0/8\""},
	{"targets", KEY_ADDRS, AT(settings_rule, targets), .port = 53, .tls_port = 853,
         .max = SETTINGS_TARGETS_MAX, .like = LIKE_ADDR},
	{"policy", KEY_WORD, AT(settings_rule, policy), .words = policies},
	{"max_inflight", KEY_COUNT, AT(settings_rule, max_inflight), .min = 1, .max = 1e6},
	{"probe", KEY_PROBE, .like = "a name and a type such as \"corp.example.com SOA\""},
	{"mixed_case", KEY_SWITCH, AT(settings_rule, mixed_case)},
	{"cookies", KEY_SWITCH, AT(settings_rule, cookies)},
	{"tls", KEY_TEXT, AT(settings_rule, tls), .check = is_tls,
         .like = "a server's name, or \"sha256/\" and the hash of its key in base64, or several,"},
	{"source", KEY_ADDR, AT(settings_rule, source), .like = LIKE_SOURCE},
};
static const struct settings_rule rule_defaults = {
	.max_inflight = 1000, .mixed_case = true, .cookies = true, .tls = ""};
static const struct key_group rule_group = {
	.noun = "a rule", KEYS(rule_keys), &rule_defaults, sizeof(rule_defaults), finish__rule};

static const struct key client_keys[] = {
	{"from", KEY_PREFIXES, AT(settings_client, from), .required = true, .shared = true,
         .min = 1, .max = 1e5, .like = LIKE_PREFIX},
	{"may", KEY_WORD, AT(settings_client, may), .required = true, .words = mays},
	{"rate", KEY_COUNT, AT(settings_client, rate), .max = 1e9},
};
static const struct settings_client client_defaults = {.rate = 0};
static const struct key_group client_group = {.noun = "a client",
                                              KEYS(client_keys),
                                              &client_defaults,
                                              sizeof(client_defaults),
                                              finish__client};

static const struct key cache_keys[] = {
	{"size", KEY_SIZE, AT(settings_cache, size), .min = MIB, .max = 1024 * 1024 * MIB},
	{"min_ttl", KEY_COUNT, AT(settings_cache, min_ttl_s), .max = 7 * DAY},
	{"max_ttl", KEY_COUNT, AT(settings_cache, max_ttl_s), .max = 7 * DAY},
	{"max_negative_ttl", KEY_COUNT, AT(settings_cache, max_negative_ttl_s), .max = 7 * DAY},
	{"serve_stale", KEY_COUNT, AT(settings_cache, serve_stale_s), .max = 30 * DAY},
	{"stale_after_ms", KEY_COUNT, AT(settings_cache, stale_after_ms), .max = 1800},
	{"persist", KEY_SWITCH, AT(settings_cache, persist)},
};
static const struct key_group cache_group = {
	.noun = "cache", KEYS(cache_keys), .finish = finish__cache};

static const struct key tcp_keys[] = {
	{"max_connections", KEY_COUNT, AT(settings_tcp, max_connections), .min = 1, .max = 1e6},
	{"max_per_client", KEY_COUNT, AT(settings_tcp, max_per_client), .min = 1, .max = 1e6},
	{"idle", KEY_COUNT, AT(settings_tcp, idle_s), .min = 1, .max = 3600},
};
static const struct key_group tcp_group = {.noun = "tcp", KEYS(tcp_keys)};

static const struct key tls_keys[] = {
	{"listen", KEY_ADDRS, AT(settings_tls, listen), .max = 64, .port = 853, .like = LIKE_ADDR},
	{"certificate", KEY_FILE, AT(settings_tls, certificate), .like = "a PEM file, or \"\","},
	{"key", KEY_FILE, AT(settings_tls, key), .like = "a PEM file, or \"\","},
};
static const struct key_group tls_group = {.noun = "tls", KEYS(tls_keys), .finish = finish__tls};

static const struct key metrics_keys[] = {
	{"listen", KEY_ADDR, AT(settings, metrics_listen), .port = 9153,
         .like = "an address with port such as \"127.0.0.1:9153\", or \"\","},
};
static const struct key_group metrics_group = {.noun = "metrics", KEYS(metrics_keys)};

static const struct key parity_keys[] = {
	{"enabled", KEY_SWITCH, AT(settings_parity, enabled)},
	{"rate", KEY_REAL, AT(settings_parity, rate), .min = 0.01, .max = 10},
	{"fallback", KEY_SWITCH, AT(settings_parity, fallback)},
};
static const struct key_group parity_group = {.noun = "parity", KEYS(parity_keys)};

static const struct key peer_keys[] = {
	{"listen", KEY_ADDRS, AT(settings_peer, listen), .max = 8, .port = 8953, .like = LIKE_ADDR},
	{"from", KEY_ADDRS, AT(settings_peer, from), .max = 8, .port = 8953, .like = LIKE_ADDR},
	{"name", KEY_TEXT, AT(settings_peer, name), .check = is_host,
         .like = "a host's name as certificates have it"},
	{"certificate", KEY_FILE, AT(settings_peer, certificate), .like = "a PEM file, or \"\","},
	{"key", KEY_FILE, AT(settings_peer, key), .like = "a PEM file, or \"\","},
	{"ca", KEY_FILE, AT(settings_peer, ca), .like = "a PEM file, or \"\","},
};
static const struct key_group peer_group = {
	.noun = "peer", KEYS(peer_keys), .finish = finish__peer};

static const struct key log_keys[] = {
	{"level", KEY_WORD, AT(settings, log_level), .words = levels, .first = LOG_LEVEL_ERROR},
	{"queries", KEY_SWITCH, AT(settings, log_queries)},
};
static const struct key_group log_group = {.noun = "log", KEYS(log_keys)};

static const struct key all_keys[] = {
	{"listen", KEY_ADDRS, AT(settings, listen), .min = 1, .max = 64, .port = 53,
         .like = LIKE_ADDR},
	{"workers", KEY_COUNT, AT(settings, workers), .max = 256},
	{"user", KEY_TEXT, AT(settings, user), .check = is_user,
         .like = "a user of this machine, or \"\","},
	{"state_dir", KEY_FILE, AT(settings, state_dir), .like = "a folder, or \"\","},
	{"include_dir", KEY_FILE, AT(settings, include_dir), .like = "a folder, or \"\","},
	{"vpc_resolver", KEY_ADDRS, AT(settings, vpc_resolver), .min = 1,
         .max = SETTINGS_TARGETS_MAX, .port = 53, .like = LIKE_ADDR},
	{"vpc_packet_rate", KEY_COUNT, AT(settings, vpc_packet_rate), .min = 1, .max = 1e6},
	{"vpc_cidrs", KEY_PREFIXES, AT(settings, vpc_cidrs), .max = 64, .like = LIKE_PREFIX},
	{"version", KEY_TEXT, AT(settings, version), .check = is_label,
         .like = "text of at most 255 bytes"},
	{"server_id", KEY_TEXT, AT(settings, server_id), .check = is_label,
         .like = "text of at most 255 bytes"},
	{"cookie_secrets", KEY_TEXTS, AT(settings, cookie_secrets), .max = 3,
         .check = is_cookie_secret, .like = "32 hexadecimal digits"},
	{"route53", KEY_GROUP, AT(settings, route53), .optional = true, .group = &route53_group},
	{"zone_files", KEY_FILES, AT(settings, zone_files), .max = 10000,
         .like = "a file that can be read"},
	{"rules", KEY_LIST, AT(settings, rules), .include = true, .max = 1e5, .group = &rule_group},
	{"clients", KEY_LIST, AT(settings, clients), .include = true, .min = 1, .max = 1e5,
         .group = &client_group},
	{"cache", KEY_GROUP, AT(settings, cache), .group = &cache_group},
	{"tcp", KEY_GROUP, AT(settings, tcp), .group = &tcp_group},
	{"tls", KEY_GROUP, AT(settings, tls), .group = &tls_group},
	{"parity", KEY_GROUP, AT(settings, parity), .group = &parity_group},
	{"peer", KEY_GROUP, AT(settings, peer), .group = &peer_group},
	{"metrics", KEY_GROUP, .group = &metrics_group},
	{"control", KEY_FILE, AT(settings, control), .check = keys__is_socket,
         .like = "the name of a socket of at most 107 bytes, or \"\","},
	{"log", KEY_GROUP, .group = &log_group},
};
const struct key_group keys__all = {KEYS(all_keys), .finish = finish__all};

static_assert(offsetof(struct settings, rule_count) ==
                              offsetof(struct settings, rules) + sizeof(void *) &&
                      offsetof(struct settings, client_count) ==
                              offsetof(struct settings, clients) + sizeof(void *) &&
                      offsetof(struct settings_route53, role_count) ==
                              offsetof(struct settings_route53, roles) + sizeof(void *) &&
                      offsetof(struct settings_rule, domain_count) ==
                              offsetof(struct settings_rule, domains) + sizeof(void *),
              "lists begin as struct key_items does");

/* A list of one address. */
static bool one_addr(struct arena *arena, const char *const *texts, size_t count,
                     struct settings_addrs *ret_addrs)
{
	struct addr *items = arena_alloc(arena, count * sizeof(*items));
	if (items == NULL) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		int ret = addr_parse(texts[i], 53, &items[i]);
		assert(ret == 0);
	}
	*ret_addrs = (struct settings_addrs){.items = items, .count = count};
	return true;
}

bool keys__defaults(void *ret_any, struct arena *arena)
{
	struct settings *ret_settings = ret_any;
	static const char *const listen[] = {"127.0.0.1", "::1"};
	static const char *const vpc_resolver[] = {"169.254.169.253"};
	*ret_settings = (struct settings){
		.user = "",
		.state_dir = "/var/lib/horizond",
		.include_dir = "",
		.vpc_packet_rate = 900,
		.version = "",
		.server_id = "",
		.route53 = {.vpc = "auto",
	                    .region = "auto",
	                    .interval_s = 60,
	                    .min_interval_s = 5,
	                    .rate = 2.0,
	                    .endpoint = "",
	                    .queue = "",
	                    .guard_max_loss = 30,
	                    .guard_min_sets = 10},
		.cache = {.size = 64 << 20,
	                  .max_ttl_s = 86400,
	                  .max_negative_ttl_s = 60,
	                  .serve_stale_s = 86400,
	                  .stale_after_ms = 800,
	                  .persist = true},
		.parity = {.rate = 1.0},
		.tls = {.certificate = "", .key = ""},
		.peer = {.name = "horizond", .certificate = "", .key = "", .ca = ""},
		.tcp = {.max_connections = 10000, .max_per_client = 100, .idle_s = 10},
		.control = "/run/horizond/control",
		.log_level = LOG_LEVEL_INFO,
	};
	int ret = addr_parse("127.0.0.1", 9153, &ret_settings->metrics_listen);
	assert(ret == 0);
	return one_addr(arena, listen, 2, &ret_settings->listen) &&
	       one_addr(arena, vpc_resolver, 1, &ret_settings->vpc_resolver);
}

/* "a", "b" or "c" */
static void like_words(const char *const *words, struct text *out)
{
	for (size_t i = 0; words[i] != NULL; i++) {
		const char *between = words[i + 1] == NULL ? " or " : ", ";
		text_addf(out, "%s\"%s\"", i == 0 ? "" : between, words[i]);
	}
}

void keys__like(const struct key *key, struct text *out)
{
	switch (key->kind) {
	case KEY_COUNT:
		text_addf(out, "a whole number from %.0f to %.0f", key->min, key->max);
		break;
	case KEY_SIZE:
		text_addf(out, "a size from %.0fM to %.0fG, such as 67108864 or \"64M\",",
		          key->min / MIB, key->max / MIB / 1024);
		break;
	case KEY_REAL:
		text_addf(out, "a number from %g to %g", key->min, key->max);
		break;
	case KEY_SWITCH:
		text_addf(out, "true or false");
		break;
	case KEY_WORD:
		like_words(key->words, out);
		break;
	case KEY_LIST:
		text_addf(out, "a list of groups, `( { ... }, { ... } )`,");
		break;
	case KEY_GROUP:
		text_addf(out, "a group, `{ ... }`,");
		break;
	case KEY_PAIRS:
		text_addf(out, "a group of names with text, `{ NAME = \"TEXT\"; }`,");
		break;
	case KEY_TEXT:
	case KEY_FILE:
	case KEY_ADDR:
	case KEY_PROBE:
		text_addf(out, "%s", key->like);
		break;
	default:
		text_addf(out, "a list in `[ ]`, each %s", key->like);
		break;
	}
}
